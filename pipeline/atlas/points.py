"""Need, points and measured values as the page works them out.

The page adds up points itself, from need and weight in ten-thousandths, by the same whole-number rule
as the score, and tells what was measured from its need.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.atlas.ties import real_numbers
from pipeline.contracts.columns import COLUMNS, WHOLE
from pipeline.geo.raster import Floats
from pipeline.need.value_functions import NEED_UNITS, bends
from pipeline.need.weights import WEIGHT_UNITS
from pipeline.problem import Problem
from pipeline.rules.rank_order import POINT_UNITS, point_units
from pipeline.settings.score import Criterion

WALK_STEP_M = 5
"""Walking distances are shown to 5 m: streets and terrain know no more."""


@dataclass(frozen=True)
class Used:
    """A criterion that counts, with its weight in ten-thousandths."""

    name: str
    criterion: Criterion
    weight_units: int

    @property
    def decimals(self) -> int:
        """Decimals of the measured value, at most one: the data know no more."""
        return shown_decimals(self.criterion.measure)

    @property
    def per_unit(self) -> float:
        """How many steps of the measured value, as it is shown, make a unit."""
        is_distance = self.criterion.measure.endswith(("_walk_m", "_gap_m"))
        return 1 / WALK_STEP_M if is_distance else 10.0**self.decimals


def shown_decimals(measure: str) -> int:
    """Return how many decimals of a measurement a reader sees."""
    column = next((c for c in COLUMNS.values() if c.matches(measure)), None)
    return 0 if column is None or column.kind == WHOLE else min(column.decimals, 1)


def used_criteria(
    criteria: Mapping[str, Criterion], weights: Mapping[str, float]
) -> tuple[Used, ...]:
    """Return the criteria that the score used, in its order."""
    return tuple(
        Used(name, criteria[name], round(weight * WEIGHT_UNITS)) for name, weight in weights.items()
    )


def need_units(table: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """Return a criterion's need in ten-thousandths."""
    share = real_numbers(table[f"{name}_need_share"])
    return np.floor(share * NEED_UNITS + 0.5).astype(np.int64)


def excess(
    value: Floats, need: NDArray[np.int64], criterion: Criterion, per_unit: float
) -> NDArray[np.int64]:
    """Return how far a shown value lies from the one that its need tells, in shown steps.

    Between the bounds need tells the value and this is 0 (or 1 by rounding); beyond them it is the
    distance from the bound. Where the value is missing it is 0 and ``stand_in`` says so.
    """
    known = ~np.isnan(value)
    shown = np.floor(np.where(known, value, 0) * per_unit + 0.5)
    told = np.floor(told_value(need, criterion) * per_unit + 0.5)
    return np.where(known, shown - told, 0).astype(np.int64)


def told_value(need: NDArray[np.int64], criterion: Criterion) -> Floats:
    """Return the measurement that stands at this need on the criterion's line.

    The page calculates the same in the same order of operations.
    """
    at, shares = bends(criterion)
    needs = shares * NEED_UNITS
    piece = np.clip(np.searchsorted(needs, need, side="right") - 1, 0, len(at) - 2)
    rise = np.maximum(needs[piece + 1] - needs[piece], 1e-9)
    return np.asarray(at[piece] + (need - needs[piece]) * (at[piece + 1] - at[piece]) / rise)


def extended_need(
    need: NDArray[np.int64], beyond: NDArray[np.int64], criterion: Criterion
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return need continued past 0 and full need by the excess there, and the excess left over.

    One column then varies with the measured value throughout, so neighbours are alike.
    """
    towards = 1 if criterion.worst_at > criterion.none_at else -1
    past = beyond * towards
    is_carried = ((need == 0) & (past < 0)) | ((need == NEED_UNITS) & (past > 0))
    carried = np.where(is_carried, past, 0)
    return need + carried, beyond - carried * towards


def checked_score(table: pd.DataFrame, used: tuple[Used, ...]) -> NDArray[np.int64]:
    """Return the score in thousandths as the page adds it up."""
    total = np.zeros(len(table), dtype=np.int64)
    for item in used:
        points = point_units(need_units(table, item.name), item.weight_units)
        _compare(table, points, f"{item.name}_points")
        total += points
    _compare(table, total, "score_points")
    return total


def _compare(table: pd.DataFrame, points: NDArray[np.int64], name: str) -> None:
    stated = np.floor(real_numbers(table[name]) * POINT_UNITS + 0.5).astype(np.int64)
    wrong = np.flatnonzero(points != stated)
    if len(wrong):
        first = wrong[0]
        raise Problem(
            f"atlas ← ranking.{name}",
            f"{len(wrong):,} of {len(table):,} rows differ from weight × need "
            f"(first: {table['building_id'].iloc[first]} = {stated[first] / POINT_UNITS})",
            expected="the same points in the table and on the page",
            fix="delete this city's data/processed and run again; if it stays, report this",
        )
