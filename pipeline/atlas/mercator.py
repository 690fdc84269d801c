"""Shapes as whole numbers on the Web Mercator square.

The square of the world is 2²⁸ units wide, so a unit is 0.15 m at the equator and 0.13 m in
Chongqing. x grows to the east, y to the south, as on a screen.
"""

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
    x, y = middles(shapes)
    return morton_order(x, y)


def middles(shapes: NDArray[np.object_]) -> tuple[Whole, Whole]:
    """Return the middles of the bounding boxes of shapes in metres, in units of the same size."""
    west, south, east, north = shapely.bounds(shapes).T
    return units((west + east) / 2, (south + north) / 2)


def morton_order(x: Whole, y: Whole) -> Whole:
    """Return the order of points along the curve of Morton (1966)."""
    if not len(x):
        return np.zeros(0, dtype=np.int64)
    code = _spread((x - x.min()).astype(np.uint64)) | (
        _spread((y - y.min()).astype(np.uint64)) << np.uint64(1)
    )
    return np.argsort(code, kind="stable")


def add_polygons(pack: Pack, name: str, shapes: NDArray[np.object_], *, quantum: int = 1) -> None:
    """Pack polygons and multipolygons: rings a shape, points a ring, points as steps.

    Outer rings turn one way and holes the other, so that a page may fill many shapes at once. The
    closing point of each ring is left out. Points are kept to ``quantum`` units.
    """
    turned = shapely.orient_polygons(shapes)
    parts, part_owner = shapely.get_parts(turned, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    ring_owner = part_owner[ring_part]
    points, point_ring = shapely.get_coordinates(rings, return_index=True)
    is_last = np.append(point_ring[1:] != point_ring[:-1], True)[: len(points)]
    kept, kept_ring = points[~is_last], point_ring[~is_last]
    pack.numbers(f"{name}.rings", np.bincount(ring_owner, minlength=len(shapes)))
    _add_paths(pack, name, kept, kept_ring, len(rings), quantum)


def add_lines(pack: Pack, name: str, shapes: NDArray[np.object_], *, quantum: int = 1) -> None:
    """Pack lines: points a line, points as steps, kept to ``quantum`` units."""
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    _add_paths(pack, name, points, owner, len(shapes), quantum)


def _add_paths(
    pack: Pack, name: str, points: Floats, owner: NDArray[np.intp], count: int, quantum: int
) -> None:
    """Pack the first points apart from the steps that follow: these are small."""
    is_first = np.append(True, owner[1:] != owner[:-1])[: len(owner)]
    pack.numbers(f"{name}.points", np.bincount(owner, minlength=count))
    pack.entries[-1] |= {"grid": quantum}
    for axis, values in zip("xy", units(points[:, 0], points[:, 1]), strict=True):
        coarse = (values + quantum // 2) // quantum
        pack.numbers(f"{name}.{axis}0", coarse[is_first])
        pack.numbers(f"{name}.{axis}", np.diff(coarse, prepend=0)[~is_first])


def _spread(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Put a zero between any two bits."""
    spread = values
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        spread = (spread | (spread << np.uint64(shift))) & np.uint64(mask)
    return spread
