"""Who pays: every project's cost split by source and by year, in whole cents that add up exactly.

Amounts are worked out as real numbers and rounded by largest remainder, so that the sources of a
project, and its years, sum to its cost to the cent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.geo.raster import Floats
from pipeline.plan.cost import Cents
from pipeline.settings.plan import (
    PUBLIC_SOURCES,
    SOURCES,
    CentralRule,
    FundingRule,
    PlanSettings,
    RevenueRule,
)

IS_PUBLIC = np.array([name in PUBLIC_SOURCES for name in SOURCES])


@dataclass(frozen=True)
class Funding:
    """One row for each project: cents by source, and what a private party would earn."""

    by_source: Cents
    """A column for each of ``SOURCES``."""
    revenue_cents: Cents
    payback_year: Floats
    """Year of the term in which revenue has paid the private share back; NaN: none, or never."""
    net_present_cents: Cents
    residual_public_cents: Cents

    @property
    def public_cents(self) -> Cents:
        """What central, municipality, district and bonds pay together."""
        return np.asarray(self.by_source[:, IS_PUBLIC].sum(axis=1))


@dataclass(frozen=True)
class Bills:
    """What works of projects cost in cents, and of that what falls to some payers; one entry each."""

    total: Floats
    resident: Floats
    maintenance_fund: Floats
    bondable: Floats
    """Cost of measures of the classes that special bonds may pay for."""


def bill_shares(settings: PlanSettings) -> dict[str, Floats]:
    """Return for each field of ``Bills`` the share of each measure's cost that it takes."""
    measures = list(settings.measures.values())
    bonded = settings.funding.special_bond_classes
    return {
        "total": np.ones(len(measures)),
        "resident": np.array([one.resident_share for one in measures]),
        "maintenance_fund": np.array([one.maintenance_fund_share for one in measures]),
        "bondable": np.array([float(one.renovation_class in bonded) for one in measures]),
    }


def funding(
    projects: pd.DataFrame, bills: Bills, central_most: Floats, settings: PlanSettings
) -> Funding:
    """Return who pays for works of projects: one row of ``projects`` for each bill.

    Residents and the maintenance fund pay their shares of single measures; then come the central
    subsidy up to ``central_most``, private parties up to what revenue is worth, special bonds up to
    what is left of that worth, the municipality; the district pays what is left. ``projects`` has
    floor_area_m2, shop_floor_area_m2, parking_space_count, idle_room_area_m2.
    """
    rule = settings.funding
    total, resident, fund = bills.total, bills.resident, bills.maintenance_fund
    rest = total - resident - fund
    central = np.minimum(central_most, rest)
    revenue = np.round(yearly_revenue_cny(projects, settings.revenue) * 100)
    worth = revenue_worth_cents(projects, settings)
    private = np.minimum(np.minimum(rule.private_max_share * rest, worth), rest - central)
    left = rest - central - private
    with np.errstate(invalid="ignore", divide="ignore"):
        bond_part = np.where(total > 0, bills.bondable / total, 0.0)
    bond = np.minimum(rule.special_bond_share * bond_part * left, np.maximum(worth - private, 0.0))
    municipal = rule.municipal_share * (left - bond)
    district = left - bond - municipal
    amounts = {
        "central": central, "municipal": municipal, "district": district, "special_bond": bond,
        "private": private, "resident": resident, "maintenance_fund": fund,
    }  # fmt: skip
    real = np.column_stack([amounts[name] for name in SOURCES])
    by_source = rounded(real, total.astype(np.int64))
    invested = by_source[:, SOURCES.index("private")]
    return Funding(
        by_source,
        revenue.astype(np.int64),
        payback_year(invested, revenue, settings.revenue.term_yr),
        np.round(worth).astype(np.int64) - invested,
        residual_public(by_source[:, IS_PUBLIC].sum(axis=1), np.round(worth) - invested),
    )


def revenue_worth_cents(projects: pd.DataFrame, settings: PlanSettings) -> Floats:
    """Return what the revenue of projects over the term is worth at its start."""
    revenue = np.round(yearly_revenue_cny(projects, settings.revenue) * 100)
    return np.asarray(revenue * annuity(settings.revenue.discount_share, settings.revenue.term_yr))


def public_part(rest: Floats, central_most: Floats, worth: Floats, rule: FundingRule) -> Floats:
    """Return what of ``rest``, the cost that residents and their fund do not pay, is public."""
    private = np.minimum(rule.private_max_share * rest, worth)
    return np.maximum(rest - private, np.minimum(central_most, rest))


def bends(central_most: Floats, worth: Floats, rule: FundingRule) -> tuple[Floats, Floats]:
    """Return where the public part of a growing cost begins to grow, and grow faster, again.

    At the first private money, which has paid all beyond the central money, reaches its most; at the
    second it reaches what revenue is worth.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        end = np.where(worth > 0, np.divide(worth, rule.private_max_share), 0.0)
        first = np.fmin(np.divide(central_most, 1 - rule.private_max_share), central_most + worth)
    return np.maximum(first, central_most), np.maximum(end, central_most + worth)


def rounded(real: Floats, total: Cents) -> Cents:
    """Return whole numbers nearest to the rows of ``real`` that sum to ``total`` (largest remainder).

    The rows must sum to ``total`` but for the rounding of floating point; none may be negative.
    """
    floor = np.floor(np.maximum(real, 0.0) + 1e-6)
    missing = total - floor.sum(axis=1).astype(np.int64)
    rest = real - floor
    place = np.argsort(np.argsort(-rest, axis=1, kind="stable"), axis=1)
    whole = floor.astype(np.int64) + (place < missing[:, None])
    # a floor taken one too high by the tolerance above is given back where the rest is smallest
    over = np.maximum(-missing, 0)
    back = (place >= real.shape[1] - over[:, None]) & (whole > 0)
    return np.asarray(whole - back)


def by_year(by_source: Cents, shares: tuple[float, ...]) -> Cents:
    """Return cents by project, year of works and source: sums are exact over years and sources.

    Each year takes its share of the project.
    """
    total = by_source.sum(axis=1)
    due_by_year = np.multiply.outer(total.astype(float), np.array(shares))
    return split_years(by_source, rounded(due_by_year, total))


def split_years(parts: Cents, yearly: Cents) -> Cents:
    """Return cents by project, year and part: sums are exact over years and parts.

    ``parts`` and ``yearly`` have a row for each project, and sum to the same. Of what is due in a year
    every part takes its share of what it has left to pay.
    """
    left = parts.copy()
    taken = []
    for due in yearly.T:
        remaining = left.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(remaining > 0, due / remaining, 0.0)
        paid = np.minimum(rounded(np.asarray(left * share[:, None], dtype=float), due), left)
        taken.append(paid)
        left = left - paid
    return np.stack(taken, axis=1)


def central_cents(projects: pd.DataFrame, rule: CentralRule) -> Floats:
    """Return the most that the central subsidy pays of each project: the pot shared out by volumes.

    ``1 − performance_share`` of it goes by volumes times fiscal difficulty, the rest by volumes times
    performance; each coefficient stands inside the share of its volume, so the pot is given out whole.
    ``projects`` has building_count, household_count, floor_area_m2, district_name, project_origin.
    Estates count for the factor of estates, single buildings do not. Formula:
    中央财政城镇保障性安居工程补助资金管理办法, as published in 2019 and split anew in 2024.
    """
    by_district = projects["district_name"]
    performance, difficulty = (
        by_district.map(table).fillna(table["other"]).to_numpy(dtype=float)
        for table in (rule.performance_coefficients, rule.difficulty_coefficients)
    )
    area = projects["floor_area_m2"].to_numpy(dtype=float)
    volumes = (
        (rule.floor_area_weight, area),
        (rule.household_weight, projects["household_count"].to_numpy(dtype=float)),
        (rule.building_weight, projects["building_count"].to_numpy(dtype=float)),
        (rule.project_weight, (projects["project_origin"] != "single").to_numpy(dtype=float)),
    )
    by_volume, by_performance = (
        _shared_out(volumes, coefficient) for coefficient in (difficulty, performance)
    )
    pot = rule.pot_cny_per_m2 * area.sum() * 100
    part = rule.performance_share
    return np.asarray(pot * ((1 - part) * by_volume + part * by_performance), dtype=float)


def _shared_out(volumes: Sequence[tuple[float, Any]], coefficient: Any) -> Floats:
    """Return the share of each project: of every volume its part, by weight; one of nobody drops."""
    there = [(weight, amount * coefficient) for weight, amount in volumes if amount.sum() > 0]
    total = sum(weight for weight, _ in there)
    share = np.zeros(len(coefficient))
    for weight, amount in there:
        share += weight * amount / amount.sum()
    return share / total if total > 0 else share


def yearly_revenue_cny(projects: pd.DataFrame, rule: RevenueRule) -> Floats:
    """Return what shops, parking, idle rooms and management bring in a year; unknown counts as 0."""
    of = {
        "shop_floor_area_m2": rule.shop_share * rule.shop_cny_per_m2_yr,
        "parking_space_count": rule.parking_cny_per_space_yr,
        "idle_room_area_m2": rule.idle_room_cny_per_m2_yr,
        "floor_area_m2": rule.management_cny_per_m2_yr,
    }
    total = np.zeros(len(projects))
    for name, price in of.items():
        total += projects[name].fillna(0).to_numpy(dtype=float) * price
    return total


def annuity(discount_share: float, years: int) -> float:
    """Return what one yuan at each year's end is worth at the start."""
    return float(sum(1 / (1 + discount_share) ** year for year in range(1, years + 1)))


def payback_year(invested: Cents, revenue: Floats, term: int) -> Floats:
    """Return the first year of the term at whose end revenue has paid back; NaN if none has."""
    with np.errstate(invalid="ignore", divide="ignore"):
        year = np.ceil(np.where(revenue > 0, invested / revenue, np.inf))
    return np.where((invested > 0) & (year <= term), np.maximum(year, 1), np.nan)


def residual_public(public: Cents, net_present: Floats) -> Cents:
    """Return public money less what revenue is worth beyond the private share; never below 0."""
    return np.maximum(public - np.maximum(net_present, 0), 0).astype(np.int64)
