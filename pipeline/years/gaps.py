"""Which years are missing: single ones among known ones, or whole areas; folds that look the same.

Errors learned on years that are hidden here and there are too small where a district, a publisher or an
old quarter has no years at all. So known years are hidden the way years are missing: one by one where
single ones are, and by squares of ground where areas are, with sides whose hidden units lie as far from
the nearest known year as the missing ones do (after nearest neighbour distance matching for
cross-validation, Milà et al. 2022, Linnenbrink et al. 2024; here among squares of several sides).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.geo.raster import Floats
from pipeline.years.conformal import effective_count
from pipeline.years.units import Ints

_RANKS, _FEW_RANK, _USUAL = 64, 11, 0.99
_MOST_MEASURED = 3_000
_START_SIDE_M, _SIDE_GROWTH, _MOST_SIDES = 50.0, 2**0.5, 28
_SAME_M, _BLOCKS_PER_PART = 1.0, 2


@dataclass(frozen=True)
class Gaps:
    """How units stand to the nearest unit of known year other than themselves.

    ``nearest_known_m`` is its distance, infinite where there is none. ``is_isolated`` tells units
    without a year that have so many others without one nearer than the nearest known that hardly any
    known unit has. ``in_area`` tells units without a year that are isolated or lie in the same gap as
    one that is: no further from it than its own nearest known year.
    """

    nearest_known_m: Floats
    is_isolated: NDArray[np.bool_]
    in_area: NDArray[np.bool_]


def gaps_of(middle: Floats, is_known: NDArray[np.bool_]) -> Gaps:
    """Return how the units at ``middle`` (n × 2, metres) lack years."""
    count = len(middle)
    known, missing = np.flatnonzero(is_known), np.flatnonzero(~is_known)
    far = np.full(count, np.inf)
    none = np.zeros(count, dtype=bool)
    if not len(known):
        return Gaps(far, ~is_known, ~is_known)
    tree = cKDTree(middle[known])
    far[missing] = tree.query(middle[missing])[0]
    if len(known) > 1:
        far[known] = tree.query(middle[known], k=2)[0][:, 1]
    if not len(missing):
        return Gaps(far, none, none)
    usual = _evenly(known, _MOST_MEASURED)
    everyone = cKDTree(middle)
    limit = max(
        float(np.quantile(_nearer_count(everyone, middle[usual], far[usual]), _USUAL)), _FEW_RANK
    )
    isolated = none.copy()
    isolated[missing] = _nearer_count(everyone, middle[missing], far[missing]) > limit
    if not isolated.any():
        return Gaps(far, none, none)
    core = np.flatnonzero(isolated)
    off, which = cKDTree(middle[core]).query(middle[missing])
    area = none.copy()
    area[missing] = off <= far[core[which]]
    return Gaps(far, isolated, area)


def _nearer_count(everyone: cKDTree, points: Floats, reach_m: Floats) -> Ints:
    """Return how many units lie nearer to each point than its reach, itself not counted, up to 64."""
    distance = everyone.query(points, k=min(_RANKS + 1, everyone.n))[0].reshape(len(points), -1)
    return np.maximum((distance < reach_m[:, None]).sum(axis=1) - 1, 0)


def _evenly(rows: Ints, most: int) -> Ints:
    return rows[:: max(1, -(-len(rows) // most))]


@dataclass(frozen=True)
class AreaFolds:
    """Parts made of squares of ground, the squares and their side, and how far they are from the gaps.

    ``mismatch`` is the mean factor, as a logarithm to base 2, between the distances to the nearest
    known year of hidden and of missing units (Wasserstein distance).
    """

    fold: Ints
    block: Ints
    side_m: float
    mismatch: float


def area_folds(
    middle: Floats,
    is_known: NDArray[np.bool_],
    missing_m: Floats,
    fold_count: int,
) -> AreaFolds:
    """Return parts of the known units whose hidden years lie as far from known ones as ``missing_m``.

    Parameters
    ----------
    middle, is_known
        Of all units; parts of the others are −1.
    missing_m
        Distance to the nearest known unit of those that lack years by areas.
    """
    from scipy.stats import wasserstein_distance  # slow to load, and few cities need it

    known = np.flatnonzero(is_known)
    points = middle[known]
    wanted = np.log2(missing_m + _SAME_M)
    best: AreaFolds | None = None
    for side_m in _sides(points, _BLOCKS_PER_PART * fold_count):
        square = square_of(points, side_m)
        fold = even_folds(square, fold_count)
        if len(np.unique(fold)) < 2:
            break
        hidden = np.concatenate(list(_hidden_m(points, fold)))
        mismatch = wasserstein_distance(np.log2(hidden + _SAME_M), wanted)
        if best is None or mismatch < best.mismatch:
            best = AreaFolds(
                _of_all(known, fold, len(middle)),
                _of_all(known, square, len(middle)),
                side_m,
                mismatch,
            )
    if best is None:
        alone = np.arange(len(known))
        best = AreaFolds(
            _of_all(known, alone % fold_count, len(middle)),
            _of_all(known, alone, len(middle)),
            0.0,
            np.inf,
        )
    return best


def _of_all(known: Ints, values: Ints, count: int) -> Ints:
    found = np.full(count, -1, dtype=np.int64)
    found[known] = values
    return found


def district_folds(district: Ints, is_known: NDArray[np.bool_], fold_count: int) -> Ints:
    """Return parts of the known units made of whole districts; parts of the others are −1."""
    block = np.unique(district[is_known], return_inverse=True)[1].reshape(-1).astype(np.int64)
    return _of_all(np.flatnonzero(is_known), even_folds(block, fold_count), len(district))


def _sides(points: Floats, min_block_count: int) -> Iterator[float]:
    for step in range(_MOST_SIDES):
        side_m = _START_SIDE_M * _SIDE_GROWTH**step
        sizes = np.bincount(square_of(points, side_m)).astype(float)
        if step and effective_count(sizes) < min_block_count:
            return
        yield side_m


def _hidden_m(points: Floats, fold: Ints) -> Iterator[Floats]:
    for part in np.unique(fold):
        mine = _evenly(np.flatnonzero(fold == part), _MOST_MEASURED // 5)
        yield cKDTree(points[fold != part]).query(points[mine])[0]


def square_of(points: Floats, side_m: float) -> Ints:
    """Return the number of the square, from 0, that each point lies in."""
    cell = np.floor(points / side_m).astype(np.int64)
    return np.unique(cell, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def even_folds(block: Ints, fold_count: int) -> Ints:
    """Return a part for each building: blocks dealt, largest first, to the part that holds least."""
    sizes = np.bincount(block)
    filled = np.zeros(fold_count, dtype=np.int64)
    of_block = np.zeros(len(sizes), dtype=np.int64)
    for number in np.argsort(-sizes, kind="stable"):
        part = int(np.argmin(filled))
        of_block[number] = part
        filled[part] += sizes[number]
    return of_block[block]
