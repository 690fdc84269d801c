"""Coordinate reference systems as their parameters: when two are one, and which way leads to WGS-84.

A name proves nothing. A ``.prj`` may call itself CGCS2000 / 3-degree CM 108E and stand on an ellipsoid
300 m larger (抵偿高程面), and PROJ answers for Beijing 1954, Xian 1980 and city grids with a
"ballpark" transformation, which leaves longitude and latitude as they are: up to 150 m off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pipeline.settings.city import Source

Bounds = tuple[float, float, float, float]
WGS84 = "EPSG:4326"
MOST_ERROR_M = 10.0
"""A transformation known to be worse is as good as none: a building's width."""
MOST_STRETCH = 0.01
"""A working CRS that makes lengths falser than this is not made for the place."""
_SAME_PLACE_M = 0.001
_SEMI_MAJOR_M, _INVERSE_FLATTENING = 6378137.0, 298.2572221
"""Of GRS 1980, WGS 84 and CGCS2000, which differ by a tenth of a millimetre; every datum of EPSG on it
is geocentric, so that longitude and latitude agree with WGS 84 within the drift of the plates."""
_MOST_RAISED_M = 6000.0
_GEOCENTRIC_ERROR_M = 2.0
_UNDEFINED = ("undefined", "unknown engineering", "unspecified")
_AUTHORITIES = ("EPSG", "ESRI")


@dataclass(frozen=True)
class Way:
    """How coordinates come from a CRS to WGS-84."""

    is_known: bool
    name: str
    """Of the transformation, or of the datum that none is known from."""
    accuracy_m: float | None = None
    """As its publisher states it; none where the profile or the file states the parameters."""
    note: str = ""
    """What a person should know of it; empty for what is plain."""


@cache
def parsed(text: str) -> Any:
    """Return the horizontal part of a CRS that a profile states.

    Raises
    ------
    ValueError
        If it cannot be read, or is no CRS on the earth.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        found = horizontal(CRS.from_user_input(text))
    except CRSError as error:
        raise ValueError(str(error)[:200]) from None
    if found is None:
        raise ValueError("it is bound to no place on the earth")
    return found


def horizontal(crs: Any) -> Any | None:
    """Return the horizontal part of a CRS; none where it is undefined, local or of another kind."""
    if crs is None:
        return None
    if crs.is_compound:
        return horizontal(crs.sub_crs_list[0])
    if crs.is_bound:
        from pyproj.crs import BoundCRS

        source = horizontal(crs.source_crs)
        if source is None or crs.coordinate_operation is None or not _shift(crs):
            return source
        return crs if source == crs.source_crs else BoundCRS(
            source, crs.target_crs, crs.coordinate_operation
        )  # fmt: skip
    if not (crs.is_geographic or crs.is_projected):
        return None
    if any(word in crs.name.lower() for word in _UNDEFINED):
        return None
    return crs.to_2d() if len(crs.axis_info) > 2 else crs


def stated(crs: Any) -> str:
    """Return how a profile writes a CRS: by its code if all parameters are the code's, else as WKT.

    Empty where the CRS is undefined.
    """
    from pyproj import CRS

    plain = horizontal(crs)
    if plain is None:
        return ""
    if not plain.is_bound:
        for authority in _AUTHORITIES:
            code = _code(plain, authority)
            if code and not differences(plain, CRS.from_user_input(code), strict=True):
                return code
    return str(_unnumbered(plain).to_wkt("WKT2_2019", pretty=False))


def nearest_code(crs: Any) -> str:
    """Return the code of the CRS that bears the same name, whatever its parameters; or nothing."""
    return next((code for one in _AUTHORITIES if (code := _code(crs, one))), "")


def _code(crs: Any, authority: str) -> str:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    found = crs.to_authority(auth_name=authority, min_confidence=20)
    if found is None:
        return ""
    code = ":".join(found)
    try:
        CRS.from_user_input(code)
    except CRSError:
        return ""
    return code


def _unnumbered(crs: Any) -> Any:
    """Return a CRS without the numbers of registers in it, which its parameters may belie."""
    from pyproj import CRS

    def stripped(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: stripped(one) for key, one in part.items() if key not in ("id", "ids")}
        return [stripped(one) for one in part] if isinstance(part, list) else part

    return CRS.from_json_dict(stripped(crs.to_json_dict()))


def differences(found: Any, other: Any, *, strict: bool = False) -> list[str]:
    """Return in words in which parameters one CRS differs from another; empty if they are one.

    Names of CRS and the order of axes do not count. A datum that one of them leaves unnamed differs
    from any only where ``strict``.
    """
    one, two = _unbound(found), _unbound(other)
    told = []
    if one.is_geographic != two.is_geographic:
        kinds = ["degrees" if crs.is_geographic else "projected" for crs in (one, two)]
        return [f"it is {kinds[0]}, not {kinds[1]}"]
    told += _ellipsoid_differences(one, two)
    meridians = [_meridian_deg(crs) for crs in (one, two)]
    if abs(meridians[0] - meridians[1]) > 1e-9:
        told.append(f"prime meridian {meridians[0]:.7g}°, not {meridians[1]:.7g}°")
    if not _same_datum(one, two, strict=strict):
        told.append(f"datum {one.datum.name!r}, not {two.datum.name!r}")
    if one.is_projected and not _projects_alike(one, two):
        told += _projection_differences(one, two)
        told = told or ["its projection gives other coordinates"]
    elif one.is_geographic and not np.allclose(_units(one), _units(two), rtol=1e-9):
        told.append(f"unit {one.axis_info[0].unit_name}, not {two.axis_info[0].unit_name}")
    if found.is_bound and other.is_bound and not np.allclose(
        _padded(_shift(found)), _padded(_shift(other)), atol=1e-4
    ):  # fmt: skip
        told.append(f"TOWGS84 {_shift(found)}, not {_shift(other)}")
    return told


def _unbound(crs: Any) -> Any:
    return crs.source_crs if crs.is_bound else crs


def _shift(bound: Any) -> list[float]:
    """Return the TOWGS84 of a bound CRS; nothing where it is the placeholder of zeros or a grid."""
    try:
        found = [float(one) for one in bound.coordinate_operation.towgs84]
    except AttributeError:
        return []
    return found if any(found) else []


def _padded(shift: Sequence[float]) -> list[float]:
    return [*shift, *[0.0] * (7 - len(shift))]


def _units(crs: Any) -> list[float]:
    return [axis.unit_conversion_factor for axis in crs.axis_info[:2]]


def _meridian_deg(crs: Any) -> float:
    meridian = crs.prime_meridian
    if meridian is None:
        return 0.0
    return float(np.degrees(meridian.longitude * meridian.unit_conversion_factor))


def _flattening(crs: Any) -> float:
    inverse = crs.ellipsoid.inverse_flattening
    return 1 / inverse if inverse else 0.0


def _ellipsoid_differences(one: Any, two: Any) -> list[str]:
    told = []
    if abs(one.ellipsoid.semi_major_metre - two.ellipsoid.semi_major_metre) > 0.01:
        told.append(
            f"semi-major axis {one.ellipsoid.semi_major_metre:.10g} m, "
            f"not {two.ellipsoid.semi_major_metre:.10g} m"
        )
    if abs(_flattening(one) - _flattening(two)) > 1e-9:  # half a centimetre
        told.append(
            f"inverse flattening {one.ellipsoid.inverse_flattening:.10g}, "
            f"not {two.ellipsoid.inverse_flattening:.10g}"
        )
    return told


def _plain(name: str) -> str:
    return "".join(c for c in name.lower().removeprefix("d_") if c.isalnum()).removesuffix(
        "ensemble"
    )


def _is_unnamed(crs: Any) -> bool:
    name = _plain(crs.datum.name)
    return not name or any(
        word in name for word in ("unknown", "unnamed", "notspecified", "undefined")
    )


def _same_datum(one: Any, two: Any, *, strict: bool) -> bool:
    if _is_unnamed(one) or _is_unnamed(two):
        return not strict or (_is_unnamed(one) and _is_unnamed(two))
    if _plain(one.datum.name) == _plain(two.datum.name):
        return True
    # PROJ knows how Esri and others call EPSG's datums
    return bool(one.geodetic_crs.equals(two.geodetic_crs, ignore_axis_order=True))


def _projects_alike(one: Any, two: Any) -> bool:
    """Return whether both bring longitude and latitude on their ellipsoids to the same numbers."""
    longitude, latitude = _sample_deg(two)
    with np.errstate(all="ignore"):
        x, y = (np.array(_projection(crs).transform(longitude, latitude)) for crs in (one, two))
    usable = np.isfinite(y).all(axis=0)
    if not usable.any():
        return False
    unit_m = min(_units(two))
    return bool(np.isfinite(x[:, usable]).all()) and bool(
        (np.abs(x - y)[:, usable] * unit_m < _SAME_PLACE_M).all()
    )


def _projection(crs: Any) -> Any:
    from pyproj import Transformer

    return Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)


def _sample_deg(crs: Any) -> tuple[Any, Any]:
    """Return positions near the middle of what a projected CRS is made for."""
    area = crs.area_of_use
    if area is not None and area.west < area.east:
        across, up = np.linspace(area.west, area.east, 7), np.linspace(area.south, area.north, 7)
        across, up = across[1:-1], up[1:-1]
    else:
        parameters = {one.name.lower(): one for one in crs.coordinate_operation.params}
        middle, height = (
            next(
                (float(np.degrees(one.value * one.unit_conversion_factor))
                 for name, one in parameters.items()
                 if word in name and one.unit_category != "linear"
                 and one.unit_name not in ("metre", "unity")),
                0.0,
            )
            for word in ("longitude", "latitude")
        )  # fmt: skip
        across = middle + np.array([-1.5, -0.4, 0.0, 0.9])
        up = np.clip(height + np.array([-40.0, -20, -5, 0, 4, 25, 35, 50]), -80, 80)
    longitude, latitude = np.meshgrid(across - _meridian_deg(crs), up)
    return longitude.ravel(), latitude.ravel()


def _projection_differences(one: Any, two: Any) -> list[str]:
    methods = [crs.coordinate_operation.method_name for crs in (one, two)]
    told = []
    if methods[0] != methods[1]:
        told.append(f"projection {methods[0]}, not {methods[1]}")
    first, second = (
        {
            part.name: part.value * part.unit_conversion_factor
            for part in crs.coordinate_operation.params
        }
        for crs in (one, two)
    )  # fmt: skip
    units = {part.name: part for crs in (one, two) for part in crs.coordinate_operation.params}
    for name in sorted(set(first) & set(second)):
        if abs(first[name] - second[name]) > 1e-9 * max(1.0, abs(second[name])):
            is_angle = "degree" in units[name].unit_name or "grad" in units[name].unit_name
            shown = [float(np.degrees(v)) if is_angle else v for v in (first[name], second[name])]
            sign = "°" if is_angle else " m" if "metre" in units[name].unit_name else ""
            told.append(f"{name.lower()} {shown[0]:.10g}{sign}, not {shown[1]:.10g}{sign}")
    if not np.allclose(_units(one), _units(two), rtol=1e-9):
        told.append(f"unit {one.axis_info[0].unit_name}, not {two.axis_info[0].unit_name}")
    return told


def crs_of(source: Source) -> str:
    """Return how coordinates of a source are to be read: its CRS, with its ``towgs84`` if any."""
    if source.towgs84 is None:
        return source.crs
    return str(with_shift(parsed(source.crs), source.towgs84).to_wkt("WKT2_2019", pretty=False))


def with_shift(crs: Any, towgs84: Sequence[float]) -> Any:
    """Return a CRS bound to WGS-84 by three or seven parameters (m, arc seconds, parts per million).

    Rotations are those of a position vector, as in TOWGS84 of WKT and ``+towgs84`` of PROJ.
    """
    from pyproj.crs import BoundCRS
    from pyproj.crs.coordinate_operation import ToWGS84Transformation

    source = _unbound(crs)
    return BoundCRS(source, WGS84, ToWGS84Transformation(source.geodetic_crs, *towgs84))


def way_to_wgs84(crs: Any, around_deg: Bounds | None = None) -> Way:
    """Return how coordinates near a place come from a CRS to WGS-84, or that no way is known.

    ``around_deg`` are bounds in degrees, west, south, east, north; without them, anywhere in the area
    that the CRS is made for. Known are PROJ's transformations that are at hand, good to
    ``MOST_ERROR_M`` and no ballpark; parameters that the CRS carries; and datums on the ellipsoid of
    GRS 1980, raised or not, which are geocentric.
    """
    if crs.is_bound:
        return Way(True, f"TOWGS84 {', '.join(f'{one:g}' for one in _shift(crs))}")
    datum = crs.datum.name
    raised_m = crs.ellipsoid.semi_major_metre - _SEMI_MAJOR_M
    is_geocentric = abs(_flattening(crs) - 1 / _INVERSE_FLATTENING) < 1e-9
    if is_geocentric and 0.01 < abs(raised_m) <= _MOST_RAISED_M:
        return Way(
            True, "its own ellipsoid", _GEOCENTRIC_ERROR_M,
            f"its ellipsoid is raised by {raised_m:.10g} m (抵偿高程面); its own parameters are used",
        )  # fmt: skip
    if "World Geodetic System 1984" in datum:
        return Way(True, "WGS 84", 0.0)
    best = _best_operation(crs, around_deg)
    if best is not None and 0 <= best.accuracy_m <= MOST_ERROR_M:
        is_plain = is_geocentric and abs(raised_m) <= 0.01
        note = "" if is_plain else f"{datum} is brought to WGS 84 by {best.name}"
        if note and best.has_better:
            note += "; a better one needs a grid file that is not here"
        return Way(True, best.name, best.accuracy_m, note)
    if is_geocentric and abs(raised_m) <= 0.01:
        note = "" if not _is_unnamed(crs) else (
            "its datum has no name; by its ellipsoid it is taken for WGS 84 or CGCS2000"
        )  # fmt: skip
        return Way(True, datum, _GEOCENTRIC_ERROR_M, note)
    return Way(False, datum)


@dataclass(frozen=True)
class _Operation:
    name: str
    accuracy_m: float
    has_better: bool


def _best_operation(crs: Any, around_deg: Bounds | None) -> _Operation | None:
    import warnings

    from pyproj.exceptions import ProjError
    from pyproj.transformer import AreaOfInterest, TransformerGroup

    area = AreaOfInterest(*around_deg) if around_deg else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of grids that are not here
        try:
            group = TransformerGroup(
                crs.geodetic_crs, WGS84, always_xy=True, area_of_interest=area, allow_ballpark=False
            )
        except (ProjError, IndexError):  # pyproj 3.7 cannot take an empty list of steps
            return None
    if not group.transformers:
        return None
    best = group.transformers[0]
    steps = best.operations or ()
    names = [one.name for one in steps if "axis order" not in one.name]
    return _Operation(
        " + ".join(names) or best.description, best.accuracy, not group.best_available
    )


def bounds_in_degrees(crs: Any, bounds: Bounds) -> Bounds | None:
    """Return bounds in degrees on the CRS's own datum; none if it cannot express them."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    plain = _unbound(crs)
    if not np.isfinite(bounds).all():
        return None
    try:
        across = Transformer.from_crs(plain, plain.geodetic_crs, always_xy=True)
        west, south, east, north = across.transform_bounds(*bounds)
    except ProjError:
        return None
    inside = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    return (west, south, east, north) if inside else None


def length_scale(crs: Any, longitude: float, latitude: float) -> float:
    """Return how many of its metres a metre on the ground measures at a place."""
    from pyproj import Proj

    return float(np.sqrt(Proj(_unbound(crs)).get_factors(longitude, latitude).areal_scale))
