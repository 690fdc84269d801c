"""Points, score, rank and tier."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.need.value_functions import NEED_UNITS, Units
from pipeline.need.weights import WEIGHT_UNITS

POINT_UNITS = 1000
NEED_PER_POINT = WEIGHT_UNITS * NEED_UNITS // (100 * POINT_UNITS)
"""Need times weight that makes a thousandth of a point."""


def point_units(need: Units, weight: int) -> Units:
    """Return weight × need as thousandths of a point, rounded half up; 100 points are the most.

    All whole numbers, so the points of a row add up to its score exactly.
    """
    return (need * weight + NEED_PER_POINT // 2) // NEED_PER_POINT


def ranks(
    score: Units,
    tie_breaks: Sequence[Floats],
    building_id: pd.Series,
    is_lifted: NDArray[np.bool_] | None = None,
) -> Units:
    """Return 1 for the highest score, each number once; those a veto lifts come before all others.

    Equal scores are ordered by the tie breaks in turn, larger first, empty last; then by id.
    """
    by_id = np.argsort(np.argsort(building_id.to_numpy(dtype=str), kind="stable"), kind="stable")
    keys = [-np.nan_to_num(values, nan=-np.inf) for values in tie_breaks]
    above = np.zeros(len(score), dtype=bool) if is_lifted is None else is_lifted
    order = np.lexsort([by_id, *reversed(keys), -score, ~above])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    return rank


def tier_numbers(
    rank: Units, upper_rank_shares: Sequence[float], is_lifted: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return 1 to 5: the tier whose upper share of the ranking first holds the rank.

    What a veto lifts is in tier 1, even if that makes it larger than its share.
    """
    ends = np.floor(np.array(upper_rank_shares) * len(rank) + 1e-9)
    tier = np.searchsorted(ends, rank, side="left").clip(max=len(ends) - 1) + 1
    return tier if is_lifted is None else np.where(is_lifted, 1, tier)
