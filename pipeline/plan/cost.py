"""Cost: which measures each project gets, how much of each, and what that costs in whole cents."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.plan.prices import row_prices_cny
from pipeline.settings.plan import PlanMeasure, PlanSettings

Cents = NDArray[np.int64]
Flags = NDArray[np.bool_]


WHOLE_PROJECT = -1


@dataclass(frozen=True)
class SiteService:
    """What the works of proposed sites do: one entry for each work, building and measurement.

    ``building`` is the row of the building, ``column`` the measurement, ``becomes`` what it is after.
    ``work_of_site`` has the work of each site, ``plan.sites.NO_WORK`` where no project hosts it.
    """

    work: NDArray[np.int64]
    building: NDArray[np.int64]
    column: NDArray[np.object_]
    becomes: Floats
    work_of_site: NDArray[np.int64]
    site_id: NDArray[np.object_]


_NONE = np.zeros(0, dtype=np.int64)
NO_SITES = SiteService(_NONE, _NONE, _NONE.astype(object), np.zeros(0), _NONE, _NONE.astype(object))


@dataclass(frozen=True)
class Works:
    """Single works: one measure in one building, or for a whole project (``WHOLE_PROJECT``).

    Sorted by project, measure and building; ``building`` is the row of the building.
    """

    project: NDArray[np.int64]
    measure: NDArray[np.int64]
    building: NDArray[np.int64]
    quantity: Floats
    cents: Cents
    service: SiteService = NO_SITES
    """Whom the works of proposed sites serve; such works are for a ``WHOLE_PROJECT``, and more than one
    of a measure may be."""


def works(
    rows: pd.DataFrame,
    project: NDArray[np.int64],
    agrees: Mapping[str, Flags],
    settings: PlanSettings,
) -> Works:
    """Return the works that are called for; a measure without the consent it needs is left out.

    ``rows`` comes from ``quantities``, ``project`` numbers the project of each row, ``agrees`` has a
    flag for each row and matter of consent. Quantities are rounded to hundredths, costs to cents.
    """
    count = int(project.max()) + 1 if len(project) else 0
    households = rows["household_count"].to_numpy(dtype=float)
    homes = _sum(households, project, count)
    heritage = rows["heritage_name"].notna().to_numpy(dtype=bool)
    unit_price = row_prices_cny(settings, rows["district_name"])
    none = np.zeros(0, dtype=np.int64)
    parts = [(none, none, none, np.zeros(0), none)]
    for number, measure in enumerate(settings.measures.values()):
        if measure.quantity == "proposed_sites":  # comes with the table of sites
            continue
        price = np.where(heritage, measure.heritage_cost_factor, 1.0) * unit_price[number]
        if measure.quantity in ("trigger_mean", "project_count"):
            # a building that is empty today still counts as one in a mean
            weight = np.maximum(households, 1.0)
            quantity = _per_project(rows, project, count, measure, weight)
            price = _mean(price, weight, project, count)
            building, of = np.full(count, WHOLE_PROJECT), np.arange(count)
        else:
            quantity = _amount(rows, measure, households)
            if measure.consent is not None:
                quantity = np.where(agrees[measure.consent], quantity, 0.0)
            building, of = np.arange(len(rows)), project
        quantity = np.round(quantity * (homes[of] >= measure.min_household_count), 2)
        cents = np.round(quantity * price * 100).astype(np.int64)
        there = np.flatnonzero(cents > 0)
        parts.append(
            (of[there], np.full(there.size, number), building[there], quantity[there], cents[there])
        )
    found = [np.concatenate(part) for part in zip(*parts, strict=True)]
    order = np.lexsort((found[2], found[1], found[0]))
    whole = [part[order] for part in found]
    return Works(whole[0], whole[1], whole[2], whole[3], whole[4])


def calls_for(rows: pd.DataFrame, measure: PlanMeasure) -> Floats:
    """Return for each building how far it calls for a measure: 1, 0, or the share if unknown."""
    if measure.trigger is None:
        return np.ones(len(rows))
    value = trigger_values(rows, measure.trigger)
    with np.errstate(invalid="ignore"):
        reached = value >= measure.at_least
    return np.where(np.isnan(value), measure.unknown_share, reached.astype(float))


def trigger_values(rows: pd.DataFrame, name: str) -> Floats:
    """Return a column as numbers; all unknown where the city has no such column."""
    if name not in rows.columns:
        return np.full(len(rows), np.nan)
    return np.asarray(pd.to_numeric(rows[name]).astype("float64"), dtype=float)


def _amount(rows: pd.DataFrame, measure: PlanMeasure, households: Floats) -> Floats:
    calls = calls_for(rows, measure) * measure.quantity_factor
    if measure.quantity == "trigger_households":
        value = trigger_values(rows, measure.trigger or "")
        return calls * np.where(np.isnan(value), 1.0, value) * households
    if measure.quantity in ("trigger_mean", "project_count"):
        return calls
    return calls * rows[measure.quantity].to_numpy(dtype=float)


def _per_project(
    rows: pd.DataFrame,
    project: NDArray[np.int64],
    count: int,
    measure: PlanMeasure,
    weight: Floats,
) -> Floats:
    """Return a quantity that a project has once: by the mean of what is known of its buildings."""
    if measure.trigger is None:
        return np.full(count, measure.quantity_factor)
    value = trigger_values(rows, measure.trigger)
    known = ~np.isnan(value)
    mean = _mean(np.where(known, value, 0.0), weight * known, project, count)
    with np.errstate(invalid="ignore"):
        reached = (mean >= measure.at_least).astype(float)
    calls = np.where(np.isnan(mean), measure.unknown_share, reached) * measure.quantity_factor
    if measure.quantity == "project_count":
        return calls
    return calls * np.where(np.isnan(mean), measure.at_least, mean)


def _sum(amount: Floats, project: NDArray[np.int64], count: int) -> Floats:
    return np.asarray(np.bincount(project, weights=amount, minlength=count), dtype=float)


def _mean(value: Floats, weight: Floats, project: NDArray[np.int64], count: int) -> Floats:
    total, part = _sum(weight, project, count), _sum(weight * value, project, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, part / total, np.nan), dtype=float)
