"""Stop where a source's place on the earth is not certain: its CRS, its datum; and the working CRS."""

from pathlib import Path
from typing import Any

import numpy as np
import shapely

from pipeline.geo.crs import (
    MOST_ERROR_M,
    Bounds,
    bounds_in_degrees,
    differences,
    horizontal,
    nearest_code,
    parsed,
    stated,
    way_to_wgs84,
)
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.archives import member_bytes

_NO_DEGREES = 360.0
_MOST_PRJ_BYTES = 100_000


def stated_crs(name: str, source: Source) -> Any:
    """Return the CRS that the profile states for a source.

    Raises
    ------
    Problem
        If it cannot be read as one.
    """
    try:
        return parsed(source.crs)
    except ValueError as error:
        raise Problem(
            f"sources.{name}.crs", f"{source.crs[:80]!r} is no usable CRS ({error})",
            expected="e.g. EPSG:4545, or the text of the .prj",
            fix="correct it in the profile",
        ) from None  # fmt: skip


def refuse_other_crs(path: Path, name: str, source: Source, found: Any) -> None:
    """Stop if a file's CRS has other parameters than the profile's; an undefined one says nothing."""
    own, other = horizontal(found), stated_crs(name, source)
    if own is None:
        return
    told = differences(own, other)
    if not told:
        return
    text = stated(own)
    is_code = len(text) < 30
    near = "" if is_code else nearest_code(own)
    alike = f"; called like {near}, it is another" if near else ""
    raise Problem(
        path,
        f"its CRS is {text.removeprefix('EPSG:') if is_code else repr(own.name)}{alike}: "
        + "; ".join(told[:6]),
        expected=f"{_short(source.crs)}, as sources.{name}.crs says",
        fix=f"write sources.{name}.crs: {text if is_code else repr(text)} in the profile, or reproject "
        "the file",
    )


def _short(crs: str) -> str:
    return crs if len(crs) < 60 else f"{crs[:50]} …"


def with_own_shift(path: Path, member: str, crs: Any) -> Any:
    """Return a shapefile's CRS with the TOWGS84 of its .prj, which GDAL drops for a register's CRS.

    ``member`` is the name of the .shp in a zip, empty if it is none.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        if member:
            raw = member_bytes(path, f"{member[:-4]}.prj", _MOST_PRJ_BYTES)
        else:
            with path.with_suffix(".prj").open("rb") as file:
                raw = file.read(_MOST_PRJ_BYTES)
        text = raw.decode("utf-8", "replace")
        return CRS.from_wkt(text) if "TOWGS84" in text else crs
    except (CRSError, OSError):
        return crs


def belies_degrees(crs: Any, shapes: Any) -> bool:
    """Return whether a CRS is in degrees and most shapes have coordinates that are none."""
    if crs is None or not crs.is_geographic:
        return False
    known = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if not len(known):
        return False
    edges = np.abs(shapely.bounds(known))
    return bool((edges.max(axis=1) > _NO_DEGREES).mean() > 0.5)


def has_exchanged_axes(crs: Any, bounds: Bounds | None) -> bool:
    """Return whether bounds in degrees can only be latitude before longitude."""
    if crs is None or not crs.is_geographic or bounds is None or not np.isfinite(bounds).all():
        return False
    west, south, east, north = bounds
    return max(abs(west), abs(east)) <= 90 and 90 < min(abs(south), abs(north)) <= 180


def believed_crs(crs: Any, shapes: np.ndarray) -> tuple[str, str]:
    """Return how a profile writes a layer's CRS, empty if it has none; and why it is not believed."""
    found = stated(crs)
    if not found or not belies_degrees(horizontal(crs), shapes):
        return found, ""
    return "", f"does not state its CRS ({found} cannot be: its coordinates are no degrees)"


def refuse_unplaced(path: Path, name: str, source: Source, shapes: Any) -> None:
    """Stop if shapes cannot be brought to WGS-84 for certain."""
    crs = stated_crs(name, source)
    if belies_degrees(crs, shapes):
        west, south, east, north = shapely.total_bounds(shapes)
        raise Problem(
            path,
            f"its coordinates are no degrees: {west:,.0f} to {east:,.0f} east, "
            f"{south:,.0f} to {north:,.0f} north",
            expected=f"{_short(source.crs)}, as sources.{name}.crs says",
            fix=f"state its projected CRS as sources.{name}.crs: ask the publisher, or let "
            "make new-city say which fit the other files",
        )
    middle = _middle(shapes)
    if source.role != "amenities" and has_exchanged_axes(
        crs, middle
    ):  # those are turned one by one
        assert middle is not None
        west, south, east, north = middle
        raise Problem(
            path,
            f"its axes are exchanged: {west:.3f}° to {east:.3f}° stand where longitudes belong, "
            f"{south:.3f}° to {north:.3f}° where latitudes do",
            expected="longitude (x) first, then latitude (y)",
            fix="exchange columns.x and columns.y of a table; of a layer swap x and y, e.g. with "
            "ogr2ogr -swapxy or QGIS «Swap X and Y coordinates»",
        )
    if middle is not None:
        refuse_unknown_way(path, name, source, middle)


def _middle(shapes: Any) -> Bounds | None:
    """Return the box of the middle nine tenths of shapes."""
    known = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    edges = shapely.bounds(known)
    edges = edges[np.isfinite(edges).all(axis=1)]
    if not len(edges):
        return None
    low, high = np.percentile(edges[:, :2], 5, axis=0), np.percentile(edges[:, 2:], 95, axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def refuse_unknown_way(
    path: Path, name: str, source: Source, bounds: Bounds, own: Any | None = None
) -> None:
    """Stop if no transformation is known from a source's datum, or its file's own, at a place."""
    crs = horizontal(own)
    if crs is None:
        crs = stated_crs(name, source)
    around = bounds_in_degrees(crs, bounds)
    way = way_to_wgs84(crs, around)
    if source.towgs84 is None and not way.is_known:
        raise Problem(
            path,
            f"no transformation from its datum, {way.name}, to WGS 84 is known here to within "
            f"{MOST_ERROR_M:g} m; without one it may lie 150 m off",
            expected=f"sources.{name}.towgs84: [dx, dy, dz], or seven parameters",
            fix="ask the publisher for the parameters, or for the layer in CGCS2000 or WGS 84",
        )


def refuse_working_crs(working_crs: str) -> None:
    """Stop if the working CRS is not projected in metres."""
    where, expected = f"city.crs: {working_crs}", "a projected CRS in metres, e.g. the UTM zone"
    try:
        crs = parsed(working_crs)
    except ValueError as error:
        raise Problem(where, f"is no usable CRS ({error})", expected=expected) from None
    if not crs.is_projected or abs(crs.axis_info[0].unit_conversion_factor - 1) > 1e-9:
        raise Problem(where, f"is in {crs.axis_info[0].unit_name}s", expected=expected)
