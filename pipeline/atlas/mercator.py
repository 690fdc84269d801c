"""Shapes as whole numbers on the Web Mercator square.

The square of the world is 2²⁸ units wide, so a unit is 0.15 m at the equator and 0.13 m in
Chongqing. x grows to the east, y to the south, as on a screen.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.atlas.packing import Pack
from pipeline.geo.raster import Floats

WORLD_UNITS = 2**28
HALF_WORLD_M = 20_037_508.342789244
UNITS_PER_M = WORLD_UNITS / (2 * HALF_WORLD_M)
WEB_MERCATOR = "EPSG:3857"
CORNERED = 4
Whole = NDArray[np.int64]


def units(x_m: Floats, y_m: Floats) -> tuple[Whole, Whole]:
    """Return Web Mercator metres as whole units."""
    x = np.floor((np.asarray(x_m) + HALF_WORLD_M) * UNITS_PER_M + 0.5)
    y = np.floor((HALF_WORLD_M - np.asarray(y_m)) * UNITS_PER_M + 0.5)
    return x.astype(np.int64), y.astype(np.int64)


def mercator_shapes(frame: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the shapes of a table in Web Mercator metres."""
    shapes: NDArray[np.object_] = frame.geometry.to_crs(WEB_MERCATOR).to_numpy()
    return shapes


def spatial_order(shapes: NDArray[np.object_]) -> Whole:
    """Return row numbers such that neighbours on the ground are neighbours in the list."""
    return curve_order(*middles(shapes))


def middles(shapes: NDArray[np.object_]) -> tuple[Whole, Whole]:
    """Return the middles of the bounding boxes of shapes in metres, in units of the same size."""
    west, south, east, north = shapely.bounds(shapes).T
    return units((west + east) / 2, (south + north) / 2)


def curve_order(x: Whole, y: Whole) -> Whole:
    """Return the order of points along the curve of Hilbert (1891)."""
    if not len(x):
        return np.zeros(0, dtype=np.int64)
    x, y = x - x.min(), y - y.min()
    side = 1 << max(1, int(max(x.max(), y.max())).bit_length() - 1)
    code = np.zeros(len(x), dtype=np.int64)
    while side:
        right, low = (x & side) > 0, (y & side) > 0
        code = 4 * code + np.where(right, np.where(low, 2, 3), np.where(low, 1, 0))
        is_mirrored = right & ~low
        x, y = np.where(is_mirrored, ~x, x), np.where(is_mirrored, ~y, y)
        x, y = np.where(low, x, y), np.where(low, y, x)
        side >>= 1
    return np.argsort(code, kind="stable")


@dataclass(frozen=True)
class Outlines:
    """Polygons and multipolygons as whole numbers, ready to be packed, or cut to some of them.

    Outer rings turn one way and holes the other, so that a page may fill many shapes at once. The
    closing point of each ring is left out. Each ring begins with its longest side, so that
    neighbours begin alike.
    """

    rings: Whole
    """How many each shape has."""
    points: Whole
    """How many each ring has."""
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    """In steps of ``quantum`` units."""
    quantum: int

    def part(self, is_kept: NDArray[np.bool_]) -> "Outlines":
        """Return some of the shapes, in their order."""
        ring = np.repeat(is_kept, self.rings)
        point = np.repeat(ring, self.points)
        return Outlines(
            self.rings[is_kept], self.points[ring], self.x[point], self.y[point], self.quantum
        )


def outlines_of(shapes: NDArray[np.object_], *, quantum: int = 1) -> Outlines:
    """Return polygons in Web Mercator metres as whole numbers, kept to ``quantum`` units."""
    parts, part_owner = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    is_last = np.append(ring_of[1:] != ring_of[:-1], True)[: len(points)]
    x, y = _steps_of(points[~is_last], quantum)
    ring_of = ring_of[~is_last]
    size = np.bincount(ring_of, minlength=len(rings))
    turned = longest_first(x, y, ring_of, size)
    return Outlines(
        np.bincount(part_owner[ring_part], minlength=len(shapes)),
        size,
        x[turned].astype(np.int32),
        y[turned].astype(np.int32),
        quantum,
    )


def _steps_of(points: Floats, quantum: int) -> tuple[Whole, Whole]:
    x, y = units(points[:, 0], points[:, 1])
    return (x + quantum // 2) // quantum, (y + quantum // 2) // quantum


def add_polygons(pack: Pack, name: str, shapes: NDArray[np.object_], *, quantum: int = 1) -> None:
    """Pack the ``Outlines`` of shapes in Web Mercator metres."""
    add_outlines(pack, name, outlines_of(shapes, quantum=quantum))


def add_outlines(pack: Pack, name: str, shapes: Outlines) -> Whole:
    """Pack polygons: rings a shape, points a ring, points as steps.

    Returns twice the area of each as it is packed, in square units; holes are taken off.
    """
    pack.numbers(f"{name}.rings", shapes.rings)
    x, y, quantum = shapes.x.astype(np.int64), shapes.y.astype(np.int64), shapes.quantum
    _add_paths(pack, name, x, y, shapes.points, quantum=quantum, is_closed=True)
    areas = ring_areas(x * quantum, y * quantum, shapes.points)
    twice = np.zeros(len(shapes.rings), dtype=np.int64)
    np.add.at(twice, np.repeat(np.arange(len(twice)), shapes.rings), areas)
    return np.abs(twice)


def add_lines(pack: Pack, name: str, shapes: NDArray[np.object_], *, quantum: int = 1) -> None:
    """Pack lines in Web Mercator metres: points a line, points as steps, kept to ``quantum``."""
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    size = np.bincount(owner, minlength=len(shapes))
    x, y = _steps_of(points, quantum)
    _add_paths(pack, name, x, y, size, quantum=quantum, is_closed=False)


def _add_paths(
    pack: Pack, name: str, x: Whole, y: Whole, size: Whole, *, quantum: int, is_closed: bool
) -> None:
    """Pack first points apart from the steps that follow, and last corners apart from both.

    Buildings have right angles: a later step is told by its length across the step before it and by
    how far it misses the right angle; the last of four points or more by its steps from the corner
    that ``square_corner`` expects.
    """
    first = (np.cumsum(size) - size)[size > 0]
    ringed = (np.cumsum(size) - size)[size >= CORNERED] if is_closed else first[:0]
    last = ringed + size[size >= CORNERED] - 1 if is_closed else first[:0]
    is_step = np.ones(len(x), dtype=bool)
    is_step[first] = False
    is_step[last] = False
    pack.numbers(f"{name}.points", size)
    pack.entries[-1] |= {"grid": quantum, "closed": is_closed}
    expected = square_corner(x, y, ringed, last)
    steps_x, steps_y = np.diff(x, prepend=0), np.diff(y, prepend=0)
    if is_closed:
        is_turn = is_step.copy()
        is_turn[first[size[size > 0] > 1] + 1] = False
        is_step &= ~is_turn
        turn = np.flatnonzero(is_turn)
        across, square_x, square_y = square_step(
            steps_x[turn - 1], steps_y[turn - 1], steps_x[turn], steps_y[turn]
        )
        pack.numbers(f"{name}.across", across)
        pack.numbers(f"{name}.miss_x", steps_x[turn] - square_x)
        pack.numbers(f"{name}.miss_y", steps_y[turn] - square_y)
    for axis, values, steps, corner in zip("xy", (x, y), (steps_x, steps_y), expected, strict=True):
        pack.numbers(f"{name}.{axis}0", values[first])
        pack.numbers(f"{name}.{axis}", steps[is_step])
        pack.numbers(f"{name}.{axis}1", values[last] - corner)


def ring_areas(x: Whole, y: Whole, size: Whole) -> Whole:
    """Return twice the area of rings without a closing point, with their turn as the sign."""
    ring = np.repeat(np.arange(len(size)), size)
    first = np.cumsum(size) - size
    x, y = x - x[first[ring]], y - y[first[ring]]
    ahead = np.arange(1, len(x) + 1)
    last = (first + size - 1)[size > 0]
    ahead[last] = first[size > 0]
    areas = np.zeros(len(size), dtype=np.int64)
    np.add.at(areas, ring, x * y[ahead] - x[ahead] * y)
    return areas


def longest_first(x: Whole, y: Whole, owner: NDArray[np.intp], size: Whole) -> NDArray[np.intp]:
    """Return the order of points that starts each ring with its longest side.

    Of sides that are nearly as long (nine tenths) the one most to the east comes first, then the
    one most to the south.
    """
    start = np.repeat(np.cumsum(size) - size, size)
    place = np.arange(len(x)) - start
    length = np.repeat(size, size)
    ahead = start + (place + 1) % np.maximum(length, 1)
    dx, dy = x[ahead] - x, y[ahead] - y
    square = dx * dx + dy * dy
    longest = np.zeros(len(size), dtype=np.int64)
    np.maximum.at(longest, owner, square)
    is_long = square * 100 >= longest[owner] * 81
    order = np.lexsort([-place, dy, dx, is_long, owner])
    best = order[np.cumsum(size)[size > 0] - 1]
    shift = np.zeros(len(size), dtype=np.int64)
    shift[size > 0] = place[best]
    return np.asarray(start + (place + np.repeat(shift, size)) % np.maximum(length, 1))


def square_step(
    before_x: Whole, before_y: Whole, step_x: Whole, step_y: Whole
) -> tuple[Whole, Whole, Whole]:
    """Return how far a step leads across the one before it, and the square step of that length.

    The page calculates the step from that length in the same order of operations.
    """
    length = np.sqrt((before_x * before_x + before_y * before_y).astype(np.float64))
    length = np.maximum(length, 1.0)
    across = np.floor((before_x * step_y - before_y * step_x) / length + 0.5)
    square_x = np.floor(across * -before_y / length + 0.5)
    square_y = np.floor(across * before_x / length + 0.5)
    return across.astype(np.int64), square_x.astype(np.int64), square_y.astype(np.int64)


def square_corner(x: Whole, y: Whole, first: Whole, last: Whole) -> tuple[Whole, Whole]:
    """Return where the last corner of rings lies if their angles are right.

    It is the foot of the first point on the line through the last point but one along the ring's
    first side. The page calculates the same in the same order of operations.
    """
    side_x, side_y = x[first + 1] - x[first], y[first + 1] - y[first]
    gap_x, gap_y = x[first] - x[last - 1], y[first] - y[last - 1]
    length = np.maximum(side_x * side_x + side_y * side_y, 1)
    along = (gap_x * side_x + gap_y * side_y) / length
    corner_x = np.floor(x[last - 1] + along * side_x + 0.5)
    corner_y = np.floor(y[last - 1] + along * side_y + 0.5)
    return corner_x.astype(np.int64), corner_y.astype(np.int64)
