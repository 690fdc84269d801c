"""Ground from a surface model, and what the land looks like around a place.

Assumes a grid in metres. A surface model holds roofs and trees; what this module takes away is
narrower than a window and sticks out of the trend of the land. It cannot tell a natural knoll of
that size from a block of houses, so the height taken away is carried on as uncertainty.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.geo.raster import Floats, Raster
from pipeline.geo.terrain import slope_deg
from pipeline.settings.measure import TerrainRule

LANDFORMS = ("flat", "slope", "terrace", "cliff_edge", "cliff_foot")


def ground(surface: Raster, rule: TerrainRule) -> tuple[Raster, Raster]:
    """Return the estimated ground and its error (one standard deviation), metres.

    The trend (a moving mean) is taken off, a grey opening removes what is narrower than its window,
    and the trend is put back: a morphological filter as for airborne laser scans (Zhang et al. 2003,
    doi 10.1109/TGRS.2003.810682), detrended so that an even slope stays as it is. Empty cells stay
    empty.
    """
    z = surface.values.astype(np.float64)
    if rule.ground_filter == "none" or np.isnan(z).all():
        return surface, surface.with_values(np.where(np.isnan(z), np.nan, rule.vertical_error_m))
    half_trend = max(1, round(rule.trend_window_m / surface.cell_m / 2))
    window = max(1, round(rule.opening_window_m / surface.cell_m / 2))
    margin = half_trend + 2 * window
    filled = _padded(_filled(z), margin)
    trend = ndimage.uniform_filter(filled, 2 * half_trend + 1, mode="nearest")
    residual = filled - trend
    opened = ndimage.grey_opening(residual, footprint=_disk(window), mode="nearest")
    inner = slice(margin, -margin)
    estimate = (trend + np.minimum(residual, opened))[inner, inner]
    estimate = np.where(np.isnan(z), np.nan, np.minimum(estimate, z))
    # half of what was taken away may have been ground
    error = np.hypot(rule.vertical_error_m, (z - estimate) / 2)
    return surface.with_values(estimate), surface.with_values(error)


def _filled(z: Floats) -> Floats:
    """Return the grid with empty cells taking their nearest value."""
    empty = np.isnan(z)
    if not empty.any():
        return z
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    return np.asarray(z[tuple(nearest)])


def _padded(z: Floats, margin: int) -> Floats:
    """Return the grid with a margin that carries its slope on (odd reflection)."""
    reach = [min(margin, size - 1) for size in z.shape]
    grown = np.pad(z, [(r, r) for r in reach], mode="reflect", reflect_type="odd")
    rest = [margin - r for r in reach]
    return np.pad(grown, [(r, r) for r in rest], mode="edge")


def _disk(radius: int) -> NDArray[np.bool_]:
    step = np.arange(-radius, radius + 1)
    return np.asarray(step[:, None] ** 2 + step[None, :] ** 2 <= radius**2)


def surroundings(
    terrain: Raster, x: Floats, y: Floats, *, radius_m: float
) -> tuple[Floats, Floats, Floats]:
    """Return lowest and highest ground and steepest slope (degrees) within a radius of points.

    Whole cells count. Empty where the point lies outside the terrain or on an empty cell.
    """
    disk = _disk(max(1, round(radius_m / terrain.cell_m)))
    z = terrain.values.astype(np.float64)
    slope = slope_deg(terrain).values.astype(np.float64)
    low = ndimage.minimum_filter(np.nan_to_num(z, nan=np.inf), footprint=disk, mode="nearest")
    high = ndimage.maximum_filter(np.nan_to_num(z, nan=-np.inf), footprint=disk, mode="nearest")
    steep = ndimage.maximum_filter(np.nan_to_num(slope, nan=0.0), footprint=disk, mode="nearest")
    rows, columns = z.shape
    column = np.floor((x - terrain.west_m) / terrain.cell_m).astype(np.int64)
    row = np.floor((terrain.north_m - y) / terrain.cell_m).astype(np.int64)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    at = np.where(inside, row, 0), np.where(inside, column, 0)
    empty = ~inside | np.isnan(z[at])
    return (
        np.where(empty, np.nan, low[at]),
        np.where(empty, np.nan, high[at]),
        np.where(empty, np.nan, steep[at]),
    )


def landform(
    elevation_m: Floats,
    own_slope_deg: Floats,
    around: tuple[Floats, Floats, Floats],
    rule: TerrainRule,
) -> NDArray[np.object_]:
    """Return what each building stands on: one of ``LANDFORMS``, None where the terrain is empty.

    On a cliff's edge or foot where a cliff is near and the drop is large, on a terrace where flat
    ground lies amid relief, else on a slope or on flat land.
    """
    lowest, highest, steepest = around
    near_cliff = (steepest >= rule.cliff_slope_deg) & (highest - lowest >= rule.cliff_drop_m)
    is_upper = elevation_m - lowest >= highest - elevation_m
    form = np.where(own_slope_deg < rule.terrace_slope_deg, "flat", "slope").astype(object)
    terrace = (form == "flat") & (highest - lowest >= rule.terrace_relief_m)
    form[terrace] = "terrace"
    form[near_cliff & is_upper] = "cliff_edge"
    form[near_cliff & ~is_upper] = "cliff_foot"
    form[np.isnan(elevation_m) | np.isnan(lowest)] = None
    return form
