"""What a unit of each kind of work costs in each district, at the price year of the plan."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.geo.raster import Floats
from pipeline.problem import Problem
from pipeline.settings.plan import EVERY_DISTRICT, PlanSettings, Price


@dataclass(frozen=True)
class UnitPrices:
    """Yuan for a unit of each measure (row) in each district (column).

    They are whole: works with soft costs and contingency, at ``plan.price_year``.
    """

    low: Floats
    middle: Floats
    high: Floats


def unit_prices_cny(settings: PlanSettings, districts: Sequence[str]) -> UnitPrices:
    """Return the unit prices of all measures, in the order of config, in the named districts.

    A row of the price list that names a district goes before one for all (``*``); of several years
    the latest up to ``plan.price_year`` counts, or else the earliest after it. From there prices
    rise by ``plan.price_rise_share`` a year. An empty name gets the prices for all.

    Raises
    ------
    Problem
        If a district has no price of a measure.
    """
    shape = (len(settings.measures), len(districts))
    low, middle, high = np.empty(shape), np.empty(shape), np.empty(shape)
    for row, (key, measure) in enumerate(settings.measures.items()):
        whole = whole_cost_factor(settings) if measure.has_soft_costs else 1.0
        for column, district in enumerate(districts):
            year, price = _price(settings, key, district)
            factor = whole * (1 + settings.price_rise_share) ** (settings.price_year - year)
            low[row, column] = price.low_cny * factor
            middle[row, column] = price.middle_cny * factor
            high[row, column] = price.high_cny * factor
    return UnitPrices(low, middle, high)


def row_prices_cny(settings: PlanSettings, district_name: Iterable[str | None]) -> Floats:
    """Return the middle unit price of each measure (row) for each building (column)."""
    names = [one if isinstance(one, str) else "" for one in district_name]
    known, place = np.unique(np.array(names, dtype=str), return_inverse=True)
    found: Floats = unit_prices_cny(settings, known.tolist()).middle[:, place]
    return found


def whole_cost_factor(settings: PlanSettings) -> float:
    """Return what a yuan of works costs with soft costs and contingency (其他费、预备费)."""
    return (1 + settings.soft_cost_share) * (1 + settings.contingency_share)


def refuse_unknown_districts(settings: PlanSettings, districts: Collection[str]) -> None:
    """Stop if the price list names a district that the city does not have.

    Raises
    ------
    Problem
        Naming file, row and district.
    """
    for key, by_district in settings.prices.items():
        for district, years in by_district.items():
            if district == EVERY_DISTRICT or district in districts:
                continue
            row = next(iter(years.values())).row
            raise Problem(
                f"config/{settings.price_list}, row {row}",
                f"district_name = {district!r} (works_type {key}): the city has no such district",
                expected=f"{EVERY_DISTRICT}, or one of: {', '.join(sorted(districts))}",
                fix="correct the name, or take the row out",
            )


def _price(settings: PlanSettings, key: str, district: str) -> tuple[int, Price]:
    by_district: Mapping[str, Mapping[int, Price]] = settings.prices.get(key, {})
    years = by_district.get(district) or by_district.get(EVERY_DISTRICT)
    if not years:
        raise Problem(
            f"config/{settings.price_list}",
            f"has no price of {key} in {district or 'places without a district'}",
            expected=f"a row for it, or one with {EVERY_DISTRICT} as district_name",
            fix="add a row",
        )
    past = [year for year in years if year <= settings.price_year]
    year = max(past) if past else min(years)
    return year, years[year]
