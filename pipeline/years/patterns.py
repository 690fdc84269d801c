"""Patterns in which known years are hidden to judge the method: one by one, or by areas of a kind."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from pipeline.geo.raster import Floats
from pipeline.years.gaps import square_of
from pipeline.years.units import Ints

PATTERNS = ("random", "squares", "groups", "quarters", "publishers")
_PER_QUARTER, _LEAST_QUARTERS, _MOST_QUARTERS, _PUBLISHERS = 150, 25, 400, 10


@dataclass(frozen=True)
class Dealt:
    """The part that each building is hidden with, and the block of ground dealt into it as a whole."""

    part: Ints
    block: Ints


def pattern_parts(
    pattern: str, points: Floats, group: Ints, *, side_m: float, part_count: int, seed: int
) -> Dealt | None:
    """Return a part and a block for each building, dealt anew for each seed.

    None where the pattern does not fit.

    Parameters
    ----------
    pattern
        ``random``: one by one. ``squares`` of ground, their grid moved by lot. ``groups``: whole
        districts. ``quarters``: what lies nearest to one of some hundred buildings drawn by lot, about
        150 each. ``publishers``: the same of ten, so that large areas lack every year.
    group
        Number of the district of each; with fewer than two for each part there is no such pattern.
    side_m
        Side of the squares.
    """
    rng = np.random.default_rng(seed)
    count = len(points)
    if pattern == "random":
        return Dealt(rng.integers(0, part_count, count), np.arange(count))
    if pattern == "squares":
        block = square_of(points + rng.uniform(0, side_m, 2), side_m)
    elif pattern == "groups":
        block = np.unique(group, return_inverse=True)[1].reshape(-1)
        if block.max() + 1 < 2 * part_count:
            return None
    else:
        wanted = int(np.clip(count // _PER_QUARTER, _LEAST_QUARTERS, _MOST_QUARTERS))
        drawn = _PUBLISHERS if pattern == "publishers" else wanted
        seats = points[rng.permutation(count)[:drawn]]
        block = np.unique(cKDTree(seats).query(points)[1], return_inverse=True)[1].reshape(-1)
    return Dealt(_dealt(block, rng.permutation(int(block.max()) + 1), part_count), block)


def _dealt(block: Ints, order: Ints, part_count: int) -> Ints:
    """Return a part for each building: blocks dealt in this order to the part that holds least."""
    sizes, filled = np.bincount(block), np.zeros(part_count, dtype=np.int64)
    part = np.zeros(len(sizes), dtype=np.int64)
    for number in order:
        part[number] = int(np.argmin(filled))
        filled[part[number]] += sizes[number]
    return part[block]
