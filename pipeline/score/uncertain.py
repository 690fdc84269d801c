"""What is not known for sure of each building's need, ready to be drawn again and again.

Three things are uncertain: the year of construction (its whole distribution, an estate's buildings
together), measurements with a standard error in config, and measurements that are missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.numbers import plain_numbers
from pipeline.geo.raster import Floats
from pipeline.need.value_functions import NEED_UNITS, Units, need_share
from pipeline.settings.score import Criterion

Singles = NDArray[np.float32]
LEVELS = 32
"""Steps in which a distribution is drawn: a 32nd is finer than five quantiles can tell."""
_POSITIONS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


@dataclass(frozen=True)
class DrawnNeed:
    """Need of some rows, drawn from a table: one line a row, one column a level."""

    column: int
    rows: NDArray[np.int64]
    unit: NDArray[np.int64] | None
    """Rows of one unit take the same level in a draw; None if each is a unit of its own."""
    unit_count: int
    change: Singles
    """Need at each level minus the need of the ranking: ``LEVELS`` numbers a row, row after row."""
    first_out: NDArray[np.int64] | None = None
    """From which level on a row is out of the programme, below all others; None if no row ever is."""

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """Where the numbers of each row begin."""
        return np.arange(len(self.rows)) * LEVELS


@dataclass(frozen=True)
class NoisyNeed:
    """Need of a criterion whose measurement has an error."""

    column: int
    criterion: Criterion
    at: Singles
    """Where the measurement stands on the line from ``none_at`` (0) to ``worst_at`` (1), unclipped."""
    gaps: NDArray[np.int64]
    """Rows whose measurement is missing: these are drawn from their stand-in, not from an error."""
    spread: np.float32
    """The standard error on that line."""
    base: Singles


@dataclass(frozen=True)
class UncertainNeed:
    """Need of every building and criterion, and what may be drawn instead."""

    base: Singles
    """Need of the ranking, 0 to 1, shape (buildings, criteria)."""
    drawn: tuple[DrawnNeed, ...]
    noisy: tuple[NoisyNeed, ...]


def uncertain_need(
    table: pd.DataFrame,
    criteria: Mapping[str, Criterion],
    needs: Mapping[str, Units],
    quantiles: Mapping[str, Mapping[str, Floats]],
    errors: Mapping[str, float],
    *,
    cutoff_year: int,
) -> UncertainNeed:
    """Return what the robustness run draws from.

    ``quantiles`` holds, for each criterion that is a distribution, its measurement at 5, 25, 50, 75
    and 95 %; it must be aligned with the rows of ``table``, as ``needs`` is.
    """
    base = np.stack([needs[name] / NEED_UNITS for name in criteria], axis=1).astype(np.float32)
    drawn: list[DrawnNeed] = []
    noisy: list[NoisyNeed] = []
    for column, (name, criterion) in enumerate(criteria.items()):
        measured = plain_numbers(table[criterion.measure])
        missing = np.flatnonzero(np.isnan(measured))
        if len(missing) and criterion.missing == "population":
            levels = _levels(np.array([criterion.stand_in_need_quantiles]))
            change = (levels - base[missing, column][:, None]).astype(np.float32)
            drawn.append(DrawnNeed(column, missing, None, len(missing), change.ravel()))
        if name in quantiles:
            estate = pd.factorize(table["estate_id"].fillna(table["building_id"]))[0]
            drawn += _drawn_years(
                column, criterion, quantiles[name], table, estate, base, cutoff_year
            )
        if name in errors:
            span = criterion.worst_at - criterion.none_at
            at = ((measured - criterion.none_at) / span).astype(np.float32)
            spread = np.float32(errors[name] / abs(span))
            own = base[:, column].copy()
            noisy.append(NoisyNeed(column, criterion, np.nan_to_num(at), missing, spread, own))
    return UncertainNeed(base, tuple(drawn), tuple(noisy))


def _drawn_years(
    column: int,
    criterion: Criterion,
    quantiles: Mapping[str, Floats],
    table: pd.DataFrame,
    estate: NDArray[np.int64],
    base: Singles,
    cutoff_year: int,
) -> list[DrawnNeed]:
    spread = np.stack(list(quantiles.values()), axis=1)
    rows = np.flatnonzero(~np.isnan(spread).any(axis=1) & (np.ptp(spread, axis=1) > 0))
    if not len(rows):
        return []
    # an old quantile of the year is a large one of the age: levels run from old to new
    age = _levels(spread[rows])
    need = need_share(age, criterion)
    middle = plain_numbers(table["age_yr"]) + plain_numbers(table["construction_year_p50"])
    year = middle[rows][:, None] - age
    # the later the level, the later the year
    first_out = np.count_nonzero(year < cutoff_year + 1, axis=1)
    change = (need - base[rows, column][:, None]).astype(np.float32)
    codes, unit = np.unique(estate[rows], return_inverse=True)
    leaves = (first_out < LEVELS).any()
    return [
        DrawnNeed(column, rows, unit, len(codes), change.ravel(), first_out if leaves else None)
    ]


def _levels(quantiles: Floats) -> Floats:
    """Return values in the middle of each of ``LEVELS`` equal steps of probability.

    Straight between the given quantiles, flat beyond the outer ones.
    """
    at = (np.arange(LEVELS) + 0.5) / LEVELS
    left = np.clip(np.searchsorted(_POSITIONS, at, side="right") - 1, 0, 3)
    part = np.clip((at - _POSITIONS[left]) / (_POSITIONS[left + 1] - _POSITIONS[left]), 0, 1)
    return np.asarray(quantiles[:, left] * (1 - part) + quantiles[:, left + 1] * part)
