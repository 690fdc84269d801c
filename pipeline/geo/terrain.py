"""Slope and zonal statistics of an elevation model.

Assumes a north-up grid in metres. Cannot know whether the heights are ground or roofs.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.geo.raster import Floats, Raster


def slope_deg(elevation: Raster) -> Raster:
    """Return the slope by Horn's third-order difference (Horn 1981), degrees.

    Empty in the outermost cells and beside every empty cell, since all eight neighbours count.
    """
    z = elevation.values.astype(np.float64)
    slope = np.full(z.shape, np.nan)
    if min(z.shape) >= 3:
        north, middle, south = z[:-2], z[1:-1], z[2:]
        west_side = north[:, :-2] + 2 * middle[:, :-2] + south[:, :-2]
        east_side = north[:, 2:] + 2 * middle[:, 2:] + south[:, 2:]
        north_side = north[:, :-2] + 2 * north[:, 1:-1] + north[:, 2:]
        south_side = south[:, :-2] + 2 * south[:, 1:-1] + south[:, 2:]
        rise = np.hypot(east_side - west_side, south_side - north_side) / (8 * elevation.cell_m)
        slope[1:-1, 1:-1] = np.degrees(np.arctan(rise))
        slope[1:-1, 1:-1][np.isnan(middle[:, 1:-1])] = np.nan
    return elevation.with_values(slope)


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

    The same quantity as exactextract's coverage fraction. A polygon inside a single cell needs no
    cutting; the others are cut along the cell edges.
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

    area = shapely.area(polygons)[polygon]
    cut = np.repeat(count > 1, count)
    left = grid.west_m + column[cut] * grid.cell_m
    top = grid.north_m - row[cut] * grid.cell_m
    cells = shapely.box(left, top - grid.cell_m, left + grid.cell_m, top)
    area[cut] = shapely.area(shapely.intersection(polygons[polygon[cut]], cells))

    kept = area > 0
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    cell = np.where(inside, row * columns + column, -1)
    return Coverage(polygon[kept], cell[kept], area[kept] / grid.cell_m**2, len(polygons))


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
