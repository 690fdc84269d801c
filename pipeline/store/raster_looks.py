"""Look into a raster: where it lies, and whether its values can be heights of the ground."""

from pathlib import Path
from typing import Any

import numpy as np
import shapely

from pipeline.geo.crs import horizontal
from pipeline.problem import Problem
from pipeline.store.gdal_drivers import open_raster
from pipeline.store.grids import cell_size_m, raster_bounds, raster_crs, vertical_crs
from pipeline.store.height_doubts import are_whole_metres_in_feet, unrelated
from pipeline.store.heights import (
    IN_FEET,
    grey_fault,
    implausible,
    in_metres,
    integer_ends,
    measure,
    picture_fault,
)
from pipeline.store.placement import believed_crs

_MOST_CELLS = 50_000_000


def raster_facts(path: Path, kind: str) -> dict[str, Any]:
    """Return what a ``Look`` says of a raster: CRS, bounds, values, and why it is no terrain.

    Raises
    ------
    Problem
        If it is not of the format or every cell is empty.
    """
    from rasterio import Affine

    with open_raster(path, kind) as file:
        own = raster_crs(file)
        bounds, transform = raster_bounds(file), file.transform
        low, high, empty, unit, fault = _heights(path, file, own)
    found, doubt = believed_crs(own, np.array([shapely.box(*bounds)], dtype=object))
    if transform == Affine.identity():
        fault = fault or "its cells have no position"
    plain = horizontal(own)
    is_metric = (
        plain is not None and plain.is_projected
        and all(abs(axis.unit_conversion_factor - 1) < 1e-9 for axis in plain.axis_info)
    )  # fmt: skip
    is_square = (
        abs(transform.a + transform.e) < 1e-6 and not transform.b and not transform.d
        and transform.a > 0
    )  # fmt: skip
    return {
        "crs": found, "bounds": bounds, "values": (low, high),
        "is_square_metric": is_metric and is_square, "not_terrain": fault, "nodata": empty,
        "crs_doubt": doubt, "height_unit": unit,
    }  # fmt: skip


def _heights(path: Path, file: Any, own: Any) -> tuple[float, float, float | None, str, str]:
    """Return least and greatest value of a raster, an undeclared empty one, its unit, why no terrain.

    The unit is empty where the file's own is taken.

    Values are metres and plausible where nothing speaks against it.
    """
    step = max(1, int(np.sqrt(file.width * file.height / _MOST_CELLS)))
    shape = (max(1, file.height // step), max(1, file.width // step))
    band = file.read(1, out_shape=shape, masked=True)
    if np.dtype(file.dtypes[0]).kind == "c":
        return 0.0, 0.0, None, "", "holds complex numbers"
    values = np.where(np.ma.getmaskarray(band), np.nan, band.data.astype(np.float32))
    values[~np.isfinite(values)] = np.nan
    if np.isnan(values).all():
        raise Problem(path.name, "every cell is empty")
    fault, empty = picture_fault(file) or grey_fault(path.name, file), None
    unit = ""
    if not fault:
        try:
            rule = measure(path, file, vertical_crs(own))
        except Problem as problem:
            fault = problem.found
        if fault == IN_FEET or (not fault and are_whole_metres_in_feet(values)):
            unit, fault = "ft", ""
            rule = measure(path, file, None, unit)
        if not fault:
            cell_m = cell_size_m(file, horizontal(own)) * step
            ends = integer_ends(file.dtypes[0])
            strange = implausible(values, rule, cell_m, ends)
            if strange is not None and strange.may_be_empty:
                kept = np.where(values == np.float32(strange.value), np.nan, values)
                if not np.isnan(kept).all() and implausible(kept, rule, cell_m, ends) is None:
                    values, empty, strange = kept, strange.value, None
            fault = strange.found if strange is not None else ""
            values = in_metres(values, rule)
            fault = fault or unrelated(values)
    return float(np.nanmin(values)), float(np.nanmax(values)), empty, unit, fault
