"""Whether a raster's values can be heights of the ground, and what they are in metres."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import row_bands
from pipeline.problem import Problem
from pipeline.store.height_doubts import FOOT_M

IN_FEET = "its heights are in feet"
EARTH_M = (-500.0, 9000.0)
"""The Dead Sea's shore lies at −430 m, Everest at 8,849 m."""
_METRES = ("", "m", "metre", "meter", "metres", "meters", "米")
_PARTS_OF_METRE = {
    "dm": 0.1, "decimetre": 0.1, "decimeter": 0.1, "decimetres": 0.1, "decimeters": 0.1, "分米": 0.1,
    "cm": 0.01, "centimetre": 0.01, "centimeter": 0.01, "centimetres": 0.01, "centimeters": 0.01,
    "厘米": 0.01, "mm": 0.001, "millimetre": 0.001, "millimeter": 0.001, "millimetres": 0.001,
    "millimeters": 0.001, "毫米": 0.001, "km": 1000.0,
}  # fmt: skip
_FEET = ("ft", "foot", "feet", "us-ft", "ftus", "us survey foot", "us_survey_foot", "英尺")
_ZERO_JUMP_M, _SPIKE_M = 15.0, 300.0
"""A step this high all around cells of one value, and five times what steps elsewhere reach, is no
ground: cliffs are not upright on all sides. Zero, −1, −99 and the ends of an integer's range are usual
marks of empty cells, so less is enough there."""
_EMPTY_MARKS = (0.0, -1.0, -99.0)
_TYPICAL_STEPS = 5.0
_MOST_SLOPE = 1.0
_LEAST_CELLS = 3
_MOST_AT_ONCE = 8_000_000
"""Cells that are looked at together: all of a large model would take several times its memory."""
_NOT_HEIGHTS = (
    "hillshade", "shaded", "slope", "aspect", "ortho", "影像", "航片", "晕渲", "阴影", "坡度", "坡向",
)  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """How a band's numbers become metres: ``number × per_unit + offset_m``."""

    per_unit: float
    offset_m: float


@dataclass(frozen=True)
class Implausible:
    """Values that are no heights of the ground."""

    value: float
    """The value in question, as the file holds it."""
    share: float
    """Of the cells that are not empty."""
    found: str
    may_be_empty: bool
    """Whether ``value`` may be an undeclared mark of empty cells."""


def refuse_picture(path: Path, file: Any) -> None:
    """Stop if a raster is a picture, or has several bands: a terrain model has one band of heights."""
    fault = picture_fault(file)
    if fault:
        raise Problem(
            path, fault, expected="one band of heights in metres",
            fix="name the terrain model, or keep its band alone with gdal_translate -b 1",
        )  # fmt: skip


def picture_fault(file: Any) -> str:
    """Return why a raster cannot be a terrain model by its bands; empty if it can."""
    kinds = [one.name for one in file.colorinterp]
    bands = [kind for kind in kinds if kind != "alpha"]
    if "palette" in kinds:
        return "has a palette of colours: it is a picture or a map of classes, not heights"
    if any(kind in ("red", "green", "blue", "cyan", "hue") for kind in kinds):
        return f"is a picture of {len(kinds)} bands ({', '.join(kinds[:4])}), not heights"
    if len(bands) > 1:
        return f"has {len(bands)} bands of {file.dtypes[0]}, so it is not told which are heights"
    if np.dtype(file.dtypes[0]).kind == "c":
        return "holds complex numbers, not heights"
    return ""


def grey_fault(name: str, file: Any) -> str:
    """Return why a raster is not taken for terrain unless a person says so: 8 bits, or its name."""
    word = next((one for one in _NOT_HEIGHTS if one in name.lower()), "")
    if word:
        return f"is called {word!r}, so hardly heights; name it by hand if it is terrain"
    if file.dtypes[0] == "uint8" and not file.units[0] and file.scales[0] == 1:
        return (
            "is grey in 8 bits: a picture, relief shading or classes, not heights; name it by hand if "
            "it is terrain"
        )
    return ""


def measure(path: Path, file: Any, vertical: Any | None, stated: str | None = None) -> Measure:
    """Return how a band's numbers become metres, by its scale, offset and unit, or its vertical CRS.

    ``stated`` is the unit that the profile tells; it goes before what the file says.

    Raises
    ------
    Problem
        If the unit is the foot and the profile does not say so, or none that is known, or the vertical
        CRS counts downwards.
    """
    if stated is not None:
        per_unit = FOOT_M if stated == "ft" else _PARTS_OF_METRE.get(stated, 1.0)
        return Measure(file.scales[0] * per_unit, file.offsets[0] * per_unit)
    unit = (file.units[0] or "").strip().lower()
    per_unit = 1.0 if unit in _METRES else _PARTS_OF_METRE.get(unit, 0.0)
    in_feet = unit in _FEET
    if not unit and vertical is not None:
        axis = vertical.axis_info[0]
        per_unit = axis.unit_conversion_factor
        in_feet = 0.3 < per_unit < 0.31
        if axis.direction == "down":
            raise Problem(path, f"holds depths ({vertical.name})", expected="heights, upwards")
    if in_feet:
        raise Problem(
            path, IN_FEET, expected="metres, or height_unit: ft in the profile",
            fix="write height_unit: ft behind the terrain's path",
        )  # fmt: skip
    if not per_unit:
        raise Problem(
            path, f"its heights are in {unit[:40]!r}", expected="metres, dm, cm or mm",
            fix="set the band's unit, e.g. with gdal_edit -units m",
        )  # fmt: skip
    return Measure(file.scales[0] * per_unit, file.offsets[0] * per_unit)


def in_metres(values: NDArray[np.float32], rule: Measure) -> NDArray[np.float32]:
    """Return a band's numbers as metres; untouched where they are metres already."""
    if rule.per_unit == 1 and rule.offset_m == 0:
        return values
    metres: NDArray[np.float32] = (values * rule.per_unit + rule.offset_m).astype(np.float32)
    return metres


def implausible(
    values: NDArray[np.float32], rule: Measure, cell_m: float, ends: tuple[float, ...] = ()
) -> Implausible | None:
    """Return what of a band cannot be heights of the ground, or nothing.

    Steps between cells are compared within some rows of a large model at a time.

    Parameters
    ----------
    values
        Numbers as the file holds them, NaN where empty.
    cell_m
        Size of a cell.
    ends
        Least and greatest value of an integer type.
    """
    count = int(np.count_nonzero(np.isfinite(values)))
    if not count:
        return None
    fault = _beyond(values, rule, count)
    for part in row_bands(values, overlap=1, most_cells=_MOST_AT_ONCE):
        if fault is None:
            fault = _upright(part, in_metres(part, rule), values, count, ends)
    if fault is not None:
        return fault
    slope = _middle_slope(values, rule, cell_m)
    if slope > _MOST_SLOPE:
        return Implausible(
            float(np.nanmedian(values)), 1.0,
            f"rises by {slope:.1f} m a metre in every second cell: its heights may be decimetres or "
            "centimetres, or no heights at all", False,
        )  # fmt: skip
    return None


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.0005 else f"{share:.5%}"


def _beyond(values: NDArray[np.float32], rule: Measure, count: int) -> Implausible | None:
    """Return what lies below or above all ground of the earth."""
    found, low, high = [], np.inf, -np.inf
    for part in row_bands(values, overlap=0, most_cells=_MOST_AT_ONCE):
        heights = in_metres(part, rule)
        beyond = (heights < EARTH_M[0]) | (heights > EARTH_M[1])
        if beyond.any():
            found.append(np.unique(part[beyond], return_counts=True))
            low, high = (
                min(low, float(heights[beyond].min())), max(high, float(heights[beyond].max()))
            )  # fmt: skip
    if not found:
        return None
    numbers, at = np.unique(np.concatenate([one for one, _ in found]), return_inverse=True)
    often = np.bincount(at, weights=np.concatenate([times for _, times in found]))
    value, times, every = float(numbers[often.argmax()]), float(often.max()), float(often.sum())
    same = len(numbers) == 1 or times > 0.5 * every
    span = f"{value:.9g}" if same else f"{low:,.0f} to {high:,.0f} m"
    share = every / count
    return Implausible(
        value, share, f"holds {span} as height in {_percent(share)} of its cells", same
    )


def _upright(
    values: NDArray[np.float32], heights: NDArray[np.float32], whole: NDArray[np.float32],
    whole_count: int, ends: tuple[float, ...],
) -> Implausible | None:  # fmt: skip
    """Return a value whose cells stand upright out of all that is around them."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    marks, count = (*_EMPTY_MARKS, *ends), len(known)
    for value in dict.fromkeys((*marks, float(known.min()), float(known.max()))):
        marked = values == np.float32(value)
        times = int(np.count_nonzero(marked))
        if not times or times == count:
            continue
        around = _steps_around(heights, marked)
        step = float(np.median(around)) if len(around) else 0.0
        if not step > (_ZERO_JUMP_M if value in marks else _SPIKE_M):
            continue
        elsewhere = _steps_elsewhere(heights, marked)
        typical = float(np.percentile(elsewhere, 95)) if len(elsewhere) else 0.0
        if step > _TYPICAL_STEPS * typical:
            share = int(np.count_nonzero(whole == np.float32(value))) / whole_count
            return Implausible(
                value, share,
                f"holds {value:.9g} in {_percent(share)} of its cells, {step:,.0f} m off the cells "
                f"beside them (elsewhere neighbours differ by {typical:.0f} m or less)", True,
            )  # fmt: skip
    return None


def _middle_slope(values: NDArray[np.float32], rule: Measure, cell_m: float) -> float:
    """Return the median rise per length if it is too steep for ground, else 0."""
    steep = count = 0
    for part in _rises(values, rule):
        steep += int(np.count_nonzero(part > _MOST_SLOPE * cell_m))
        count += int(np.count_nonzero(np.isfinite(part)))
    if not steep or 2 * steep < count:
        return 0.0
    rises = np.concatenate([part[np.isfinite(part)] for part in _rises(values, rule)])
    return float(np.median(rises)) / cell_m


def _rises(values: NDArray[np.float32], rule: Measure) -> Iterator[NDArray[np.float32]]:
    """Yield how much cells rise to their neighbours, some rows at a time."""
    for part in row_bands(values, overlap=1, most_cells=_MOST_AT_ONCE):
        heights = in_metres(part, rule)
        yield np.hypot(np.diff(heights, axis=0)[:, :-1], np.diff(heights, axis=1)[:-1])


def _steps_around(heights: NDArray[np.float32], marked: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the steps between marked cells and others beside them."""
    around = []
    for low, high in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        edges = np.nonzero(marked[low] != marked[high])
        steps = np.abs(heights[high][edges] - heights[low][edges])
        around.append(steps[np.isfinite(steps)])
    return np.concatenate(around)


def _steps_elsewhere(
    heights: NDArray[np.float32], marked: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return the steps between cells that are not marked."""
    elsewhere = []
    for low, high in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        steps = np.abs(heights[high] - heights[low])
        elsewhere.append(steps[np.isfinite(steps) & ~marked[low] & ~marked[high]])
    return np.concatenate(elsewhere)


def refuse_implausible(path: Path, name: str, fault: Implausible | None) -> None:
    """Stop if a band holds what cannot be heights of the ground."""
    if fault is None:
        return
    empty = f"if {fault.value:.9g} means empty, write sources.{name}.nodata: {fault.value!r}; "
    raise Problem(
        path, fault.found, expected=f"heights from {EARTH_M[0]:.0f} to {EARTH_M[1]:,.0f} m",
        fix=(empty if fault.may_be_empty else "")
        + "if the unit is another, set the band's scale, e.g. gdal_edit -scale 0.1; else correct the "
        "cells",
    )  # fmt: skip


def refuse_too_small(path: Path, rows: int, columns: int) -> None:
    """Stop if a grid is too small to tell a slope from."""
    if min(rows, columns) < _LEAST_CELLS:
        raise Problem(
            path, f"has {rows} × {columns} cells",
            expected=f"at least {_LEAST_CELLS} rows and columns of heights",
            fix="use a terrain model that covers the city",
        )  # fmt: skip


def integer_ends(dtype: str) -> tuple[float, ...]:
    """Return the least and greatest value of an integer type; none for fractions."""
    kind = np.dtype(dtype)
    if kind.kind not in "iu":
        return ()
    return float(np.iinfo(kind).min), float(np.iinfo(kind).max)
