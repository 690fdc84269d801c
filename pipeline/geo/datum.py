"""Chinese map datums and the way into the working CRS.

GCJ-02 is WGS-84 bent by a smooth pseudo-random offset of 100–700 m; BD-09 bends GCJ-02 once more.
Neither has an EPSG code. The formulas are the ones published by the open-source project eviltransform
(Tang, 2013) and since used throughout; outside China both equal WGS-84.
"""

from functools import cache
from typing import Any

import numpy as np

from pipeline.geo.raster import Floats

_SEMI_MAJOR_M = 6378245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BD_TURN = np.pi * 3000 / 180


def gcj02_from_wgs84(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return GCJ-02 longitude and latitude, degrees."""
    x, y = longitude - 105.0, latitude - 35.0
    ripple = 20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north += (ripple + 20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east += (ripple + 20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    phi = np.radians(latitude)
    magic = 1 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    meridian = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_SQUARED) / magic**1.5
    parallel = _SEMI_MAJOR_M / np.sqrt(magic) * np.cos(phi)
    in_china = (longitude > 72.004) & (longitude < 137.8347)
    in_china &= (latitude > 0.8293) & (latitude < 55.8271)
    return (
        np.where(in_china, longitude + np.degrees(east / parallel), longitude),
        np.where(in_china, latitude + np.degrees(north / meridian), latitude),
    )


def wgs84_from_gcj02(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return WGS-84 from GCJ-02 by fixed-point iteration, exact to well below a millimetre."""
    east, north = longitude, latitude
    for _ in range(6):
        bent_east, bent_north = gcj02_from_wgs84(east, north)
        east, north = east + longitude - bent_east, north + latitude - bent_north
    return east, north


def bd09_from_gcj02(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return BD-09 longitude and latitude, degrees."""
    radius = np.hypot(longitude, latitude) + 0.00002 * np.sin(latitude * _BD_TURN)
    angle = np.arctan2(latitude, longitude) + 0.000003 * np.cos(longitude * _BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def gcj02_from_bd09(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return GCJ-02 from BD-09 by fixed-point iteration."""
    east, north = longitude - 0.0065, latitude - 0.006
    for _ in range(6):
        bent_east, bent_north = bd09_from_gcj02(east, north)
        east, north = east + longitude - bent_east, north + latitude - bent_north
    return east, north


def into_working_crs(
    x: Floats, y: Floats, *, datum: str, crs: str, working_crs: str
) -> tuple[Floats, Floats]:
    """Return projected x and y, metres, of coordinates given in a stated datum and CRS.

    ``cgcs2000`` and ``wgs84`` agree within decimetres and are taken as one. ``gcj02`` and ``bd09``
    are unbent first; projected ones are brought to degrees for that.
    """
    if datum in ("gcj02", "bd09"):
        x, y = _transformer(crs, "EPSG:4326").transform(x, y)
        if datum == "bd09":
            x, y = gcj02_from_bd09(x, y)
        x, y = wgs84_from_gcj02(x, y)
        crs = "EPSG:4326"
    if crs == working_crs:
        return x, y
    east, north = _transformer(crs, working_crs).transform(x, y)
    return np.asarray(east), np.asarray(north)


@cache
def _transformer(crs: str, other: str) -> Any:
    """Return the way from one CRS to another; making one takes longer than using it."""
    from pyproj import Transformer

    from pipeline.geo.crs import parsed

    return Transformer.from_crs(parsed(crs), parsed(other), always_xy=True)
