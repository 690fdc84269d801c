"""Points, score, rank and tier."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.score.need import NEED_UNITS, Units
from pipeline.score.weights import WEIGHT_UNITS

POINT_UNITS = 1000
_SCALE = WEIGHT_UNITS * NEED_UNITS // (100 * POINT_UNITS)


def point_units(need: Units, weight: int) -> Units:
    """Return weight × need as thousandths of a point, rounded half up; 100 points are the most.

    All whole numbers, so the points of a row add up to its score exactly.
    """
    return (need * weight + _SCALE // 2) // _SCALE


def ranks(score: Units, tie_breaks: Sequence[Floats], building_id: pd.Series) -> Units:
    """Return 1 for the highest score, each number once.

    Equal scores are ordered by the tie breaks in turn, larger first, empty last; then by id.
    """
    by_id = np.argsort(np.argsort(building_id.to_numpy(dtype=str), kind="stable"), kind="stable")
    keys = [-np.nan_to_num(values, nan=-np.inf) for values in tie_breaks]
    order = np.lexsort([by_id, *reversed(keys), -score])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    return rank


def tier_numbers(rank: Units, upper_rank_shares: Sequence[float]) -> NDArray[np.int64]:
    """Return 1 to 5: the tier whose upper share of the ranking first holds the rank."""
    ends = np.floor(np.array(upper_rank_shares) * len(rank) + 1e-9)
    return np.searchsorted(ends, rank, side="left").clip(max=len(ends) - 1) + 1
