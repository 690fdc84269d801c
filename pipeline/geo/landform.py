"""Ground from a surface model, and what the land looks like around a place.

Assumes a grid in metres. A surface model holds roofs and trees; what this module takes away is
narrower than a window and sticks out of the trend of the land. It cannot tell a natural knoll of
that size from a block of houses, so the height taken away is carried on as uncertainty.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats, Raster
from pipeline.settings.measure import TerrainRule

_WIDER_SHARE = 1.25

LANDFORMS = ("flat", "slope", "terrace", "cliff_edge", "cliff_foot")


def ground(surface: Raster, rule: TerrainRule) -> tuple[Raster, Raster]:
    """Return the estimated ground and its error (one standard deviation), metres.

    The trend (a moving mean) is taken off, a grey opening removes what is narrower than its window,
    and the trend is put back: a morphological filter as for airborne laser scans (Zhang et al. 2003,
    doi 10.1109/TGRS.2003.810682), detrended so that an even slope stays as it is. Empty cells stay
    empty. Cells too coarse for the window (``is_too_coarse``) stay as they are.
    """
    from scipy import ndimage  # slow to load, and mostly needed by another interpreter

    z = surface.values.astype(np.float64)
    is_left = rule.ground_filter == "none" or is_too_coarse(rule, surface.cell_m)
    if is_left or np.isnan(z).all():
        return surface, surface.with_values(np.where(np.isnan(z), np.nan, rule.vertical_error_m))
    half_trend = max(1, round(rule.trend_window_m / surface.cell_m / 2))
    window = _reach(rule, surface.cell_m)
    margin = half_trend + 2 * window
    filled = _padded(_filled(z), margin)
    trend = ndimage.uniform_filter(filled, 2 * half_trend + 1, mode="nearest")
    residual = filled - trend
    opened = _over_disk(_over_disk(residual, window, np.minimum), window, np.maximum)
    inner = slice(margin, -margin)
    estimate = (trend + np.minimum(residual, opened))[inner, inner]
    estimate = np.where(np.isnan(z), np.nan, np.minimum(estimate, z))
    # half of what was taken away may have been ground
    error = np.hypot(rule.vertical_error_m, (z - estimate) / 2)
    return surface.with_values(estimate), surface.with_values(error)


def _reach(rule: TerrainRule, cell_m: float) -> int:
    """Return how many cells around each the opening looks; what it removes is twice as wide."""
    return max(1, round(rule.opening_window_m / cell_m / 2))


def is_too_coarse(rule: TerrainRule, cell_m: float) -> bool:
    """Return whether the filter is set but would take away hills much wider than its window.

    A filter looks at least one cell around, and so removes what is two cells wide.
    """
    return rule.ground_filter != "none" and 2 * cell_m > _WIDER_SHARE * rule.opening_window_m


def _filled(z: Floats) -> Floats:
    """Return the grid with empty cells taking their nearest value."""
    empty = np.isnan(z)
    if not empty.any():
        return z
    from scipy import ndimage

    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    return np.asarray(z[tuple(nearest)])


def _padded(z: Floats, margin: int) -> Floats:
    """Return the grid with a margin that carries its slope on (odd reflection)."""
    reach = [min(margin, size - 1) for size in z.shape]
    grown = np.pad(z, [(r, r) for r in reach], mode="reflect", reflect_type="odd")
    rest = [margin - r for r in reach]
    return np.pad(grown, [(r, r) for r in rest], mode="edge")


def _disk(radius: int) -> list[tuple[int, int]]:
    """Return the steps (rows, columns) from a cell to all cells within a radius, itself included."""
    reach = range(-radius, radius + 1)
    return [(down, right) for down in reach for right in reach if down**2 + right**2 <= radius**2]


def _over_disk(z: Floats, radius: int, choose: np.ufunc) -> Floats:
    """Return the least or greatest value around each cell; beyond the edge its values go on.

    The whole grid is moved, cell by cell of the disk: five times as fast as a filter's window here.
    """
    grown = np.pad(z, radius, mode="edge")
    rows, columns = z.shape
    found = z.copy()
    for down, right in _disk(radius):
        top, left = radius + down, radius + right
        choose(found, grown[top : top + rows, left : left + columns], out=found)
    return found


def surroundings(
    terrain: Raster, slope: Raster, x: Floats, y: Floats, *, radius_m: float
) -> tuple[Floats, Floats, Floats]:
    """Return lowest and highest ground and steepest slope (degrees) within a radius of points.

    Whole cells count; ``slope`` is that of the terrain. Empty where the point lies outside the
    terrain or on an empty cell.
    """
    rows, columns = terrain.values.shape
    column = np.floor((x - terrain.west_m) / terrain.cell_m).astype(np.int64)
    row = np.floor((terrain.north_m - y) / terrain.cell_m).astype(np.int64)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    cell, of_point = np.unique(np.where(inside, row * columns + column, 0), return_inverse=True)
    row, column = np.divmod(cell, columns)
    low = terrain.values[row, column].astype(np.float64)
    high, steep, is_empty = low.copy(), np.zeros(len(cell)), np.isnan(low)
    for down, right in _disk(max(1, round(radius_m / terrain.cell_m))):
        at = np.clip(row + down, 0, rows - 1), np.clip(column + right, 0, columns - 1)
        np.fmin(low, terrain.values[at], out=low)
        np.fmax(high, terrain.values[at], out=high)
        np.fmax(steep, slope.values[at], out=steep)
    empty = ~inside | is_empty[of_point]
    return (
        np.where(empty, np.nan, low[of_point]),
        np.where(empty, np.nan, high[of_point]),
        np.where(empty, np.nan, steep[of_point]),
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
