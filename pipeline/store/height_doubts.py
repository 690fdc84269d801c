"""Whether numbers that could be heights are something else: feet, or slopes and the like."""

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import row_bands
from pipeline.problem import Problem

FOOT_M = 0.3048
_LEAST_VALUES = 30
"""Three in ten whole numbers are whole metres in feet: thirty of thirty are no chance."""
_NEAR_M = 0.005
_FIRST_CELLS, _MOST_AT_ONCE = 100_000, 8_000_000
_LAGS = ((4, 2.2), (2, 2.8))
"""Cells apart, and how much more cells eight times as far apart must differ in a landform. Measured in
the terrain of Yuzhong, Oeiras and the built-in city: 4.4 to 5.2 and 4.8 to 5.8; in their slopes, in
degrees and per cent: 1.4 to 1.5 and 1.6 to 2.2."""
_FARTHER = 8
_LEAST_PAIR_ROWS = 2
_NEAR_ZERO_SHARE = 0.08
_MOST_RANGE = 400.0
"""Per cent of slope, degrees of aspect, curvatures: none of them ranges further in a city."""


def are_whole_metres_in_feet(values: NDArray[np.float32]) -> bool:
    """Return whether every number is a whole number of metres converted to feet, rounded or not."""
    start = values.ravel()[:_FIRST_CELLS]
    if not any(_fits_feet(start[np.isfinite(start)])):
        return False  # hardly any model needs more than a look
    parts = row_bands(values, overlap=0, most_cells=_MOST_AT_ONCE)
    found = np.unique(np.concatenate([np.unique(part[np.isfinite(part)]) for part in parts]))
    if len(found) < _LEAST_VALUES:
        return False
    rounded, exact = _fits_feet(found)
    is_whole = np.abs(found - np.round(found)) < _NEAR_M
    return rounded if is_whole.all() else exact


def _fits_feet(found: NDArray[np.float32]) -> tuple[bool, bool]:
    """Return whether all numbers can be whole metres in feet, rounded to whole ones or not."""
    feet = found.astype(np.float64)
    metres = np.round(feet * FOOT_M)
    is_whole = np.abs(feet - np.round(feet)) < _NEAR_M
    rounded = is_whole & (np.round(metres / FOOT_M) == np.round(feet))
    return bool(rounded.all()), bool((np.abs(feet * FOOT_M - metres) < _NEAR_M).all())


def unrelated(values: NDArray[np.float32]) -> str:
    """Return in words how numbers are no landform but begin at zero and hardly know their surroundings.

    Heights far apart differ more than near ones; slopes, aspects and curvatures do not, beyond a few
    cells. Flat ground at sea level may look like them. Empty where the numbers can be heights.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return ""
    lowest = float(known.min())
    low, high = (float(one) for one in np.percentile(known, (1, 99), overwrite_input=True))
    del known
    span = high - lowest
    if not 0 < span <= _MOST_RANGE or low > _NEAR_ZERO_SHARE * span or lowest < -span:
        return ""
    for lag, least in _LAGS:
        if min(values.shape) < lag * _FARTHER * _LEAST_PAIR_ROWS:
            continue
        near, far = _difference(values, lag), _difference(values, lag * _FARTHER)
        if not near > 0 or far / near >= least:
            return ""
        return (
            f"holds {lowest:.0f} to {high:.0f}, and cells {lag * _FARTHER} apart differ hardly more "
            f"than those {lag} apart ({far:.1f} and {near:.1f}): slopes or the like, hardly heights"
        )
    return ""


def _difference(values: NDArray[np.float32], lag: int) -> float:
    """Return by how much cells differ on average that lie some cells apart in a row or column."""
    total, count = 0.0, 0
    for grid in (values, values.T):
        for part in row_bands(grid, overlap=lag, most_cells=_MOST_AT_ONCE):
            steps = part[lag:] - part[:-lag]
            finite = np.abs(steps[np.isfinite(steps)])
            total += float(finite.sum(dtype=np.float64))
            count += len(finite)
    return total / count if count else 0.0


def refuse_doubtful(path: object, name: str, values: NDArray[np.float32]) -> None:
    """Stop if a terrain's numbers are hardly heights, and nobody has said that they are."""
    told = unrelated(values)
    if told:
        raise Problem(
            path, told, expected="heights of the ground",
            fix="use the terrain model itself; if these are heights, write "
            f"sources.{name}.height_unit: m",
        )  # fmt: skip


def refuse_feet(path: object, name: str, values: NDArray[np.float32]) -> None:
    """Stop if a terrain's numbers can only be feet, and nobody has stated a unit."""
    if are_whole_metres_in_feet(values):
        raise Problem(
            path, "its heights are feet: every one is a whole number of metres times 3.28084",
            expected="metres, or a unit that is stated",
            fix=f"write sources.{name}.height_unit: ft",
        )  # fmt: skip
