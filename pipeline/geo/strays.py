"""Features that lie far from all the others: at 0°, 0° after a failed geocoding, or in another city."""

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.geo.raster import Floats

GAP_M = 20_000.0
"""Groups this far apart, and by more than their own width, are two places."""
GAP_DEG = GAP_M / 111_320.0
_FEW, _FEW_SHARE, _MOST_SHARE = 3, 0.01, 0.1


def groups(points: Floats, gap: float) -> NDArray[np.int64]:
    """Return for each point the number of its group, the largest 0; −1 where a coordinate is no number.

    Points of two groups are at least ``gap`` apart in one direction.
    """
    found = np.full(len(points), -1, dtype=np.int64)
    usable = np.flatnonzero(np.isfinite(points).all(axis=1) & (np.abs(points) < 1e12).all(axis=1))
    if not len(usable):
        return found
    cells, own = np.unique(np.floor(points[usable] / gap), axis=0, return_inverse=True)
    boxes = shapely.box(cells[:, 0], cells[:, 1], cells[:, 0] + 1, cells[:, 1] + 1)
    joined = shapely.get_parts(shapely.union_all(shapely.buffer(boxes, 0.1, cap_style="square")))
    inside, cell = shapely.STRtree(shapely.centroid(boxes)).query(joined, predicate="intersects")
    number = np.zeros(len(cells), dtype=np.int64)
    number[cell] = inside
    label = number[own.ravel()]
    order = np.argsort(-np.bincount(label, minlength=len(joined)), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    found[usable] = rank[label]
    return found


def strays(points: Floats, gap: float = GAP_M) -> NDArray[np.bool_]:
    """Return which points lie far from all others: few together, farther off than the rest is wide."""
    group = groups(points, gap)
    count = int((group >= 0).sum())
    found = np.zeros(len(points), dtype=bool)
    few = max(_FEW_SHARE * count, min(_FEW, _MOST_SHARE * count))
    main = points[group == 0]
    if not len(main):
        return found
    low, high = main.min(axis=0), main.max(axis=0)
    width = float(np.hypot(*(high - low)))
    for number in range(1, int(group.max()) + 1):
        own = group == number
        if own.sum() > few:
            continue
        apart = np.maximum(np.maximum(low - points[own], points[own] - high), 0)
        found |= own & (_at(own, np.hypot(*apart.T)) > max(gap, width))
    return found


def _at(chosen: NDArray[np.bool_], values: Floats) -> Floats:
    laid = np.zeros(len(chosen))
    laid[chosen] = values
    return laid


def stray_features(edges: Floats) -> NDArray[np.bool_]:
    """Return which features lie far from all others by their edges, in degrees or metres."""
    middles = (edges[:, :2] + edges[:, 2:]) / 2
    sound = middles[np.isfinite(middles).all(axis=1)]
    in_degrees = bool(len(sound)) and np.median(np.abs(sound), axis=0).max() <= 360
    return strays(middles, GAP_DEG if in_degrees else GAP_M)


def main_bounds(edges: Floats) -> tuple[float, float, float, float]:
    """Return the outer edges of features, strays left out: west, south, east, north.

    ``edges`` are each feature's own; whether they are degrees or metres is told by their size. NaN if
    no feature has any.
    """
    known = edges[np.isfinite(edges).all(axis=1)]
    if not len(known):
        return (np.nan,) * 4
    kept = known[~stray_features(known)]
    low, high = kept[:, :2].min(axis=0), kept[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
