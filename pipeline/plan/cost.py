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


@dataclass(frozen=True)
class Works:
    """One row for each measure of each project: ``project`` (a number), measure, quantity, cost."""

    project: NDArray[np.int64]
    measure: NDArray[np.int64]
    quantity: Floats
    cents: Cents

    def sum_by_project(self, count: int, weight: Floats | None = None) -> Floats:
        """Return the cost in cents by project; of that, a share by measure if given."""
        part = self.cents.astype(float)
        if weight is not None:
            part = part * weight[self.measure]
        return _sum(part, self.project, count)


def works(
    rows: pd.DataFrame,
    project: NDArray[np.int64],
    agrees: Mapping[str, Flags],
    settings: PlanSettings,
) -> Works:
    """Return the works of all projects; a measure without the consent it needs is left out.

    ``rows`` comes from ``quantities``, ``project`` numbers the project of each row, ``agrees`` has a
    flag for each row and matter of consent.
    """
    count = int(project.max()) + 1 if len(project) else 0
    households = rows["household_count"].to_numpy(dtype=float)
    homes = _sum(households, project, count)
    heritage = rows["heritage_name"].notna().to_numpy(dtype=bool)
    unit_price = row_prices_cny(settings, rows["district_name"])
    parts = []
    for number, measure in enumerate(settings.measures.values()):
        amount = _amount(rows, measure, households)
        if measure.consent is not None:
            amount = np.where(agrees[measure.consent], amount, 0.0)
        price = np.where(heritage, measure.heritage_cost_factor, 1.0) * unit_price[number]
        if measure.quantity in ("trigger_mean", "project_count"):
            # a building that is empty today still counts as one in a mean
            weight = np.maximum(households, 1.0)
            quantity = _per_project(rows, project, count, measure, weight)
            priced = quantity * _mean(price, weight, project, count)
        else:
            quantity = _sum(amount, project, count)
            priced = _sum(amount * price, project, count)
        enough = homes >= measure.min_household_count
        quantity = np.round(quantity * enough, 2)
        cents = np.round(priced * enough * 100).astype(np.int64)
        there = np.flatnonzero(cents > 0)
        parts.append((there, np.full(there.size, number), quantity[there], cents[there]))
    project_of, measure_of, amounts, cost = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    order = np.lexsort((measure_of, project_of))
    return Works(project_of[order], measure_of[order], amounts[order], cost[order])


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
