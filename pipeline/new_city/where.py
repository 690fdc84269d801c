"""Where on earth files lie: their CRS, the city's working CRS, and which datum cannot be told."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from pipeline.geo.crs import (
    MOST_STRETCH,
    Way,
    bounds_in_degrees,
    length_scale,
    parsed,
    way_to_wgs84,
)
from pipeline.store.looks import Look

Bounds = tuple[float, float, float, float]
DEGREES = "EPSG:4326"
_CHINA = (73.0, 18.0, 135.5, 53.6)
# CGCS2000, from the meridian 75° E on: 3° zones without and with the zone in front, then 6° zones
_CHINESE_GRIDS = ((4534, 3), (4513, 3), (4502, 6), (4491, 6))


@cache
def _into_degrees(code: str) -> Any:
    from pyproj import Transformer

    return Transformer.from_crs(parsed(code), DEGREES, always_xy=True)


def in_degrees(bounds: Bounds | None, code: str) -> Bounds | None:
    """Return bounds in longitude and latitude; none if they lie outside what the CRS can express."""
    from pyproj.exceptions import ProjError

    if bounds is None or not code or not np.isfinite(bounds).all():
        return None
    if parsed(code).is_geographic:
        west, south, east, north = bounds
        return bounds if -180 <= west <= east <= 180 and -90 <= south <= north <= 90 else None
    try:
        found = _into_degrees(code).transform_bounds(*bounds)
    except ProjError:
        return None
    return tuple(found) if np.isfinite(found).all() else None


def utm_zone(bounds: Bounds) -> str:
    """Return the UTM zone that holds the middle of bounds in degrees."""
    west, south, east, north = bounds
    zone = int(((west + east) / 2 + 180) // 6) + 1
    return f"EPSG:{(32600 if north + south >= 0 else 32700) + min(zone, 60)}"


def is_in_china(bounds: Bounds | None) -> bool:
    """Return whether bounds in degrees may lie in China, where maps are shifted by law."""
    if bounds is None:
        return False
    west, south, east, north = bounds
    return west >= _CHINA[0] and south >= _CHINA[1] and east <= _CHINA[2] and north <= _CHINA[3]


def is_cgcs2000(code: str) -> bool:
    """Return whether a CRS stands on China's own datum."""
    return bool(code) and "China 2000" in parsed(code).datum.name.replace("_", " ")


def datum_of(code: str) -> str:
    """Return which of the profile's datums a CRS stands on: China's own, WGS-84, or one it names."""
    if is_cgcs2000(code):
        return "cgcs2000"
    is_wgs84 = not code or "World Geodetic System 1984" in parsed(code).datum.name
    return "wgs84" if is_wgs84 else "of_crs"


def way_of(look: Look) -> Way | None:
    """Return how a layer's coordinates come to WGS-84; none where it does not say where it lies."""
    if not look.crs or look.bounds is None:
        return None
    crs = parsed(look.crs)
    return way_to_wgs84(crs, bounds_in_degrees(crs, look.bounds))


def is_working_crs(code: str, place: Bounds | None) -> bool:
    """Return whether lengths and places come out right in a CRS given by its number."""
    if not code.startswith("EPSG:") or place is None:
        return False
    crs = parsed(code)
    middle = ((place[0] + place[2]) / 2, (place[1] + place[3]) / 2)
    if not way_to_wgs84(crs, place).is_known:
        return False
    return abs(length_scale(crs, *middle) - 1) <= MOST_STRETCH


def fitting_crs(bounds: Bounds, known: Iterable[Bounds]) -> list[str]:
    """Return the CRS in which bounds would lie where the other files lie, the likeliest first."""
    places = list(known)
    looks_like_degrees = max(abs(bounds[0]), abs(bounds[2])) <= 180 and abs(bounds[3]) <= 90
    if looks_like_degrees:
        return [DEGREES]
    if not places:
        return []
    candidates = [utm_zone(places[0])]
    if is_in_china(places[0]):
        middle = (places[0][0] + places[0][2]) / 2
        for first, width in _CHINESE_GRIDS:
            zone = round((middle - 75) / width)
            near = range(max(zone - 1, 0), min(zone + 1, 60 // width) + 1)
            candidates += [f"EPSG:{first + one}" for one in near]
    found = {}
    for code in candidates:
        placed = in_degrees(bounds, code)
        if placed and any(overlap_share(placed, place) > 0.5 for place in places):
            found[code] = min(_apart(placed, place) for place in places)
    return sorted(found, key=lambda code: found[code])


def _apart(one: Bounds, other: Bounds) -> float:
    """Return how far apart the edges of two boxes are, degrees."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def overlap_share(one: Bounds, other: Bounds) -> float:
    """Return the share of the smaller box that both have in common."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return 0.0 if width <= 0 or height <= 0 or smaller <= 0 else width * height / smaller


def middle_area_m2(look: Look) -> float:
    """Return the median area of a layer's polygons, m²; degrees are converted at their latitude."""
    if not look.bounds or not look.crs or not parsed(look.crs).is_geographic:
        return look.median_area
    cosine = float(np.cos(np.radians((look.bounds[1] + look.bounds[3]) / 2)))
    return look.median_area * 111_320.0**2 * max(cosine, 0.01)
