"""Slope and zonal statistics of an elevation model.

Assumes a north-up grid in metres. Cannot know whether the heights are ground or roofs.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.geo.raster import Floats, Raster

_STRIP_ROW_COUNT = 32
"""Rows worked on at once: so few that what is half done stays near the processor."""


def slope_deg(elevation: Raster) -> Raster:
    """Return the slope by Horn's third-order difference (Horn 1981), degrees.

    Empty in the outermost cells and beside every empty cell, since all eight neighbours count.
    """
    z = elevation.values
    slope = np.full(z.shape, np.nan, dtype=np.float32)
    if min(z.shape) >= 3:
        for top in range(1, len(z) - 1, _STRIP_ROW_COUNT):
            end = min(top + _STRIP_ROW_COUNT, len(z) - 1)
            slope[top:end, 1:-1] = _horn_deg(z[top - 1 : end + 1], elevation.cell_m)
    return elevation.with_values(slope)


def _horn_deg(z: NDArray[np.floating], cell_m: float) -> Floats:
    """Return the slope of the inner cells."""
    z = z.astype(np.float64)
    north, middle, south = z[:-2], z[1:-1], z[2:]
    west_side = north[:, :-2] + 2 * middle[:, :-2] + south[:, :-2]
    east_side = north[:, 2:] + 2 * middle[:, 2:] + south[:, 2:]
    north_side = north[:, :-2] + 2 * north[:, 1:-1] + north[:, 2:]
    south_side = south[:, :-2] + 2 * south[:, 1:-1] + south[:, 2:]
    rise = np.hypot(east_side - west_side, south_side - north_side) / (8 * cell_m)
    return np.where(np.isnan(middle[:, 1:-1]), np.nan, np.degrees(np.arctan(rise)))


def unevenness_m(elevation: Raster, reach_cells: int) -> Raster:
    """Return how far the cells around each lie from the plane through them, root mean square, metres.

    The plane is fitted by least squares to the square of cells within ``reach_cells``. Zero on an even
    slope however steep; a step of 3 m amid the square leaves 0.5 m. Empty where any of its cells is;
    beyond the border the terrain is continued point-symmetrically, which keeps a slope as it is.
    """
    from scipy.ndimage import correlate1d

    size = 2 * reach_cells + 1
    z = elevation.values.astype(np.float64)
    if min(z.shape) <= reach_cells:
        return elevation.with_values(np.full(z.shape, np.nan))
    z = np.pad(z - np.nanmin(z), reach_cells, mode="reflect", reflect_type="odd")
    ones, steps = np.ones(size) / size, np.arange(-reach_cells, reach_cells + 1) / size
    steps = steps / np.sqrt(((steps * size) ** 2).mean())

    def summed(values: Floats, down: Floats, across: Floats) -> Floats:
        inner = correlate1d(values, down, axis=0)[reach_cells:-reach_cells]
        return np.asarray(correlate1d(inner, across, axis=1)[:, reach_cells:-reach_cells])

    explained = (
        summed(z, ones, ones) ** 2 + summed(z, ones, steps) ** 2 + summed(z, steps, ones) ** 2
    )
    return elevation.with_values(np.sqrt(np.maximum(summed(z * z, ones, ones) - explained, 0)))


@dataclass(frozen=True)
class Coverage:
    """Which raster cells each polygon covers, and how much of each.

    ``polygon`` and ``cell`` are parallel, sorted by polygon; ``area_share`` is the part of the cell
    that lies inside the polygon; ``cell`` is −1 outside the raster.
    """

    polygon: NDArray[np.int64]
    cell: NDArray[np.int64]
    area_share: Floats
    polygon_count: int


def cell_coverage(polygons: NDArray[np.object_], grid: Raster) -> Coverage:
    """Return the exact share of every raster cell that each polygon covers.

    The same quantity as exactextract's coverage fraction: the polygon's edges are integrated over
    the cell (Green's theorem), all polygons and cells at once.
    """
    rows, columns = grid.values.shape
    west, south, east, north = shapely.bounds(polygons).T
    first_column = np.floor((west - grid.west_m) / grid.cell_m).astype(np.int64)
    last_column = np.floor((east - grid.west_m) / grid.cell_m).astype(np.int64)
    first_row = np.floor((grid.north_m - north) / grid.cell_m).astype(np.int64)
    last_row = np.floor((grid.north_m - south) / grid.cell_m).astype(np.int64)
    width = last_column - first_column + 1
    count = width * (last_row - first_row + 1)

    polygon = np.repeat(np.arange(len(polygons)), count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    column = np.repeat(first_column, count) + step % np.repeat(width, count)
    row = np.repeat(first_row, count) + step // np.repeat(width, count)
    share = _covered_area_m2(
        polygons,
        polygon,
        grid.west_m + column * grid.cell_m,
        grid.north_m - (row + 1) * grid.cell_m,
        grid.cell_m,
    ) / grid.cell_m**2  # fmt: skip

    kept = share > 1e-12
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    cell = np.where(inside, row * columns + column, -1)
    return Coverage(polygon[kept], cell[kept], np.minimum(share[kept], 1), len(polygons))


def _covered_area_m2(
    polygons: NDArray[np.object_],
    polygon: NDArray[np.int64],
    left_m: Floats,
    bottom_m: Floats,
    cell_m: float,
) -> Floats:
    """Return the area of polygons inside square cells, pair by pair.

    With outer rings clockwise and holes the other way, the area is the sum over edges of the
    integral of height above the cell's bottom, cut to the cell, over the edge's run in the cell.
    """
    parts, owner_of_part = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    is_hole = np.append(False, part[1:] == part[:-1])[: len(part)]
    is_wrong = shapely.is_ccw(rings) != is_hole
    rings[is_wrong] = shapely.reverse(rings[is_wrong])
    points, ring = shapely.get_coordinates(rings, return_index=True)
    within = ring[1:] == ring[:-1]
    begin, end = points[:-1][within], points[1:][within]
    owner = owner_of_part[part[ring[1:][within]]]
    first_edge = np.searchsorted(owner, np.arange(len(polygons) + 1))

    edge_count = np.diff(first_edge)[polygon]
    pair = np.repeat(np.arange(len(polygon)), edge_count)
    number = np.arange(edge_count.sum()) - np.repeat(np.cumsum(edge_count) - edge_count, edge_count)
    edge = first_edge[polygon][pair] + number
    x0, y0 = begin[edge, 0] - left_m[pair], begin[edge, 1] - bottom_m[pair]
    x1, y1 = end[edge, 0] - left_m[pair], end[edge, 1] - bottom_m[pair]

    from_x, to_x = np.clip(x0, 0, cell_m), np.clip(x1, 0, cell_m)
    grade = np.divide(y1 - y0, x1 - x0, out=np.zeros_like(x0), where=x1 != x0)
    from_y, to_y = y0 + (from_x - x0) * grade, y0 + (to_x - x0) * grade
    rise = to_y - from_y
    is_level = np.abs(rise) < 1e-6
    mean = (_summed_height(to_y, cell_m) - _summed_height(from_y, cell_m)) / np.where(
        is_level, 1, rise
    )
    mean = np.where(is_level, np.clip((from_y + to_y) / 2, 0, cell_m), mean)
    return np.bincount(pair, (to_x - from_x) * mean, minlength=len(polygon)).astype(float)


def _summed_height(y: Floats, top: float) -> Floats:
    """Return the integral from 0 to y of a height that is cut to the range 0 to ``top``."""
    inside = np.clip(y, 0, top)
    return inside**2 / 2 + top * np.maximum(y - top, 0)


def zonal_mean(coverage: Coverage, raster: Raster) -> Floats:
    """Return each polygon's mean, weighted by covered area; empty cells are left out.

    Empty where the polygon covers no cell that holds a value.
    """
    value, valid = _values(coverage, raster)
    polygon, share = coverage.polygon[valid], coverage.area_share[valid]
    covered = np.bincount(polygon, share, minlength=coverage.polygon_count)
    weighted = np.bincount(polygon, share * value[valid], minlength=coverage.polygon_count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(covered > 0, weighted / covered, np.nan)


def zonal_range(coverage: Coverage, raster: Raster) -> tuple[Floats, Floats]:
    """Return the lowest and the highest value of the cells that each polygon touches."""
    value, valid = _values(coverage, raster)
    lowest = np.full(coverage.polygon_count, np.inf)
    highest = np.full(coverage.polygon_count, -np.inf)
    np.minimum.at(lowest, coverage.polygon[valid], value[valid])
    np.maximum.at(highest, coverage.polygon[valid], value[valid])
    empty = np.isinf(lowest)
    lowest[empty] = np.nan
    highest[empty] = np.nan
    return lowest, highest


def _values(coverage: Coverage, raster: Raster) -> tuple[Floats, NDArray[np.bool_]]:
    flat = raster.values.ravel().astype(np.float64)
    value = np.where(coverage.cell >= 0, flat[coverage.cell], np.nan)
    return value, ~np.isnan(value)


def hillshade(
    elevation: Raster, *, azimuth_deg: float, altitude_deg: float, exaggeration: float
) -> Floats:
    """Return light falling on the terrain, 0 (dark) to 1 (lit); NaN beside empty cells.

    Lambert's law on the surface normal, as in Horn (1981).
    """
    z = elevation.values.astype(np.float64) * exaggeration
    south_north, west_east = np.gradient(z, elevation.cell_m)
    south_north = -south_north
    azimuth, altitude = np.radians(azimuth_deg), np.radians(altitude_deg)
    normal = np.sqrt(1 + west_east**2 + south_north**2)
    light = (
        np.sin(altitude)
        - np.cos(altitude) * (west_east * np.sin(azimuth) + south_north * np.cos(azimuth))
    ) / normal
    return np.clip(light, 0, 1)
