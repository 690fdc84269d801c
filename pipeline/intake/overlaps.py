"""The same building twice, and buildings that stand in each other."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.geo.raster import Floats


@dataclass(frozen=True)
class Overlaps:
    """Pairs of footprints that share area: ``first`` < ``second``, sorted."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    union_share: Floats
    """Shared area over the area of both together."""
    smaller_share: Floats
    """Shared area over the area of the smaller one."""


def overlaps(shapes: NDArray[np.object_]) -> Overlaps:
    """Return every pair of footprints that share more than their edges."""
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    area = shapely.area(shapes)
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    kept = shared > 0
    first, second, shared = first[kept], second[kept], shared[kept]
    order = np.lexsort((second, first))
    first, second, shared = first[order], second[order], shared[order]
    return Overlaps(
        first,
        second,
        shared / (area[first] + area[second] - shared),
        shared / np.minimum(area[first], area[second]),
    )


def duplicates(pairs: Overlaps, richness: NDArray[np.int64], min_share: float) -> dict[int, int]:
    """Return which footprint repeats which: {repeated: kept}.

    Of two, the one with more known attributes stays, or the first where they know as much.
    """
    repeated: dict[int, int] = {}
    for i in np.flatnonzero(pairs.union_share >= min_share).tolist():
        one, two = int(pairs.first[i]), int(pairs.second[i])
        if one in repeated or two in repeated:
            continue
        loser, keeper = (one, two) if richness[two] > richness[one] else (two, one)
        repeated[loser] = keeper
    return repeated
