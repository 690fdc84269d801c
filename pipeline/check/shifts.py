"""Layers moved by a constant, or mirrored: laid over the footprints in every place within reach.

A wrong parameter, a local origin or a picture's axes put a layer some hundred metres off, or turn it
over, and no CRS that could be named brings it back. So the layer is correlated with the footprints on
a grid, all moves at once (by Fourier transform): streets run between buildings, registers stand in
them. Each place is judged by its surroundings, as in ``pipeline.check.fit``.
"""

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.ndimage import uniform_filter
from scipy.signal import fftconvolve

from pipeline.check.fit import Footprints
from pipeline.check.layers import POINTS, STREETS, Layer, sample
from pipeline.check.misplaced import MOST_EXCESS_OF_WRONG, SAMPLE_COUNT, Misplaced
from pipeline.check.readings import Reading, declared_reading, placed
from pipeline.geo.raster import Floats, covered

CELL_M = 4.0
MOST_MOVE_M = 600.0
_WINDOW_M = 1500.0
_AROUND_M = 300.0
_SAME_PLACE_M = 40.0
_NEAR_M = 12.0
_LEAST_RATIO = 1.2
_LEAST_EXCESS = {STREETS: 5.0, POINTS: 8.0}
_LEAST_COUNT = {STREETS: 200, POINTS: 100}
_ROLES = ("streets", "housing_register")
_POSITION_COUNT = 20_000
"""Limits measured on 40 random areas of Yuzhong and of the built-in city for each layer: no street
layer and no register accused where it lies right; moved by 300 m, 62 of Yuzhong's 79 areas of streets
and all 40 of registers found, all in the right place."""


def shifted_layers(footprints: Layer, others: list[Layer], working_crs: str) -> list[Misplaced]:
    """Return the layers that fit the footprints far better when moved, or mirrored and moved.

    Only streets and a register's places can tell; of those that stand out where they are declared
    nothing is tried.
    """
    found = []
    reading = declared_reading(footprints)
    shapes = shapely.transform(footprints.shapes, lambda xy: placed(xy, reading, working_crs))
    ground = Footprints(shapes)
    for layer in others:
        if layer.source.role not in _ROLES:
            continue
        own = sample(layer, _POSITION_COUNT, 1)
        points = placed(own, declared_reading(layer), working_crs)
        own, points = (xy[np.isfinite(points).all(axis=1)] for xy in (own, points))
        if len(points) < _LEAST_COUNT[layer.kind]:
            continue
        some = points[:: -(-len(points) // SAMPLE_COUNT)]
        if ground.fit(some, layer.kind).excess >= MOST_EXCESS_OF_WRONG:
            continue
        better = _better(shapes, own, layer, working_crs)
        if better is not None:
            moved = placed(own, better, working_crs)
            found.append(_told(layer, footprints, shapes, points, moved, better))
    return found


@dataclass(frozen=True)
class _Peak:
    """The place that stands out most, how far, and the next that is not the same."""

    excess: float
    next_excess: float
    move: tuple[float, float]
    excess_here: float


def _better(shapes: np.ndarray, own: Floats, layer: Layer, working_crs: str) -> Reading | None:
    """Return the place that stands out among all within reach, where the declared one does not."""
    declared = declared_reading(layer)
    west, south, east, north = shapely.total_bounds(layer.shapes)
    middle = (west + east) / 2, (south + north) / 2
    mirrors = [None, (0, float(middle[0])), (1, float(middle[1]))]
    peaks = []
    for mirror in mirrors:
        points = placed(own, replace(declared, mirror=mirror), working_crs)
        peaks.append(_peak(excesses(shapes, points, layer.kind)))
        if peaks[0].excess_here >= MOST_EXCESS_OF_WRONG:
            return None
    order = sorted(range(len(peaks)), key=lambda number: -peaks[number].excess)
    best = peaks[order[0]]
    next_excess = max(best.next_excess, peaks[order[1]].excess)
    if best.excess < max(_LEAST_EXCESS[layer.kind], _LEAST_RATIO * next_excess):
        return None
    return replace(declared, mirror=mirrors[order[0]], move=best.move)


def _peak(excess: Floats) -> _Peak:
    reach, near, same = (
        (len(excess) - 1) // 2, int(_NEAR_M / CELL_M), int(_SAME_PLACE_M / CELL_M)
    )  # fmt: skip
    row, column = (int(one) for one in np.unravel_index(int(excess.argmax()), excess.shape))
    here = excess[reach - near : reach + near + 1, reach - near : reach + near + 1]
    others = excess.copy()
    others[max(row - same, 0) : row + same + 1, max(column - same, 0) : column + same + 1] = 0
    move = (column - reach) * CELL_M, (reach - row) * CELL_M
    return _Peak(float(excess[row, column]), float(others.max()), move, float(here.max()))


def excesses(shapes: np.ndarray, points: Floats, kind: str) -> Floats:
    """Return how far each move of the points stands out from its surroundings, standard deviations.

    A square array: the middle is no move, columns go east, rows south, ``CELL_M`` each.
    """
    points = points[np.isfinite(points).all(axis=1)]
    reach, count = int(MOST_MOVE_M / CELL_M), int(2 * _WINDOW_M / CELL_M)
    if not len(points):
        return np.zeros((2 * reach + 1, 2 * reach + 1))
    middle = np.median(points, axis=0)
    west, north = middle[0] - _WINDOW_M, middle[1] + _WINDOW_M
    built = covered(
        shapes, west - MOST_MOVE_M, north + MOST_MOVE_M, CELL_M, count + 2 * reach
    ).astype(float)
    column = np.floor((points[:, 0] - west) / CELL_M).astype(np.int64)
    row = np.floor((north - points[:, 1]) / CELL_M).astype(np.int64)
    within = (column >= 0) & (column < count) & (row >= 0) & (row < count)
    laid = np.bincount(row[within] * count + column[within], minlength=count * count)
    laid = laid.reshape(count, count)[::-1, ::-1]
    share = fftconvolve(built, laid, mode="valid") / max(int(within.sum()), 1)
    width = int(_AROUND_M / CELL_M) | 1
    around = uniform_filter(share, width, mode="nearest")
    spread = np.sqrt(np.maximum(uniform_filter(share**2, width, mode="nearest") - around**2, 1e-12))
    apart = (share - around) / spread
    return np.asarray(apart if kind == POINTS else -apart)


def _told(
    layer: Layer,
    footprints: Layer,
    shapes: np.ndarray,
    points: Floats,
    moved: Floats,
    better: Reading,
) -> Misplaced:
    tree = shapely.STRtree(shapes)

    def share(xy: Floats) -> float:
        inside = np.zeros(len(xy), dtype=bool)
        inside[tree.query(shapely.points(xy), predicate="intersects")[0]] = True
        return float(inside.mean() if layer.kind == POINTS else 1 - inside.mean())

    measured = (
        "share of its places in a footprint" if layer.kind == POINTS
        else "share of street length outside footprints"
    )  # fmt: skip
    away_m = None if better.mirror else float(np.hypot(*better.move))
    return Misplaced(
        layer.name, declared_reading(layer), better, share(points), share(moved), away_m, measured,
        (footprints.name,), (footprints.name,),
    )  # fmt: skip
