"""Ways to read a layer's coordinates: datum, CRS, order of the axes and unit."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from pyproj import CRS
from pyproj.exceptions import ProjError

from pipeline.check.layers import Layer
from pipeline.geo.crs import crs_of
from pipeline.geo.datum import into_working_crs
from pipeline.geo.raster import Floats

NEAR_M = 20.0
"""Readings that differ by less are one: outside China all datums are."""
MARGIN_M = 3000.0
_FOOT_M = 0.3048


@dataclass(frozen=True)
class Reading:
    """One way to read a layer's coordinates: datum, CRS, and what else is done to the numbers.

    ``mirror`` is an axis (0: x, 1: y) and the value about which the source's numbers are turned
    round; ``move`` (metres) is added in the working CRS.
    """

    datum: str
    crs: str
    is_swapped: bool = False
    scale: float = 1.0
    mirror: tuple[int, float] | None = None
    move: tuple[float, float] = (0.0, 0.0)

    def differs_from(self, other: "Reading") -> str:
        """Return in words what is changed against another reading."""
        words = []
        if self.is_swapped != other.is_swapped:
            words.append("axes exchanged")
        if self.scale != other.scale:
            words.append("feet taken as metres" if self.scale < 1 else "metres taken as feet")
        if self.mirror:
            words.append("mirrored " + ("north-south" if self.mirror[0] else "east-west"))
        elif self.move != other.move:
            east, north = (mine - its for mine, its in zip(self.move, other.move, strict=True))
            words.append(
                f"moved by {abs(east):.0f} m {'east' if east >= 0 else 'west'} and "
                f"{abs(north):.0f} m {'north' if north >= 0 else 'south'}"
            )
        if self.crs != other.crs:
            mixed = _is_projected(other.crs) and not _is_projected(self.crs)
            words.append(f"crs: {self.crs}" + (" (degrees taken as metres)" if mixed else ""))
        if self.datum != other.datum:
            words.append(f"datum: {self.datum}")
        return ", ".join(words)


def declared_reading(layer: Layer) -> Reading:
    """Return how the profile reads a layer."""
    is_straight = layer.source.datum in ("cgcs2000", "of_crs")
    return Reading("wgs84" if is_straight else layer.source.datum, crs_of(layer.source))


def placed(points: Floats, reading: Reading, working_crs: str) -> Floats:
    """Return points in the working CRS under a reading; infinite where it does not apply."""
    x, y = points[:, 0] * reading.scale, points[:, 1] * reading.scale
    if reading.mirror is not None:
        axis, about = reading.mirror
        x, y = (2 * about - x, y) if axis == 0 else (x, 2 * about - y)
    if reading.is_swapped:
        x, y = y, x
    try:
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            east, north = into_working_crs(
                x, y, datum=reading.datum, crs=reading.crs, working_crs=working_crs
            )
    except ProjError:
        return np.full((len(points), 2), np.inf)
    return np.column_stack([east, north]) + np.array(reading.move)


def other_readings(
    declared: Reading, known: Iterable[str], area: Floats, working_crs: str
) -> list[Reading]:
    """Return other readings, the likelier mistake first."""
    to_degrees = into_working_crs(
        np.array([area[[0, 2]].mean()]), np.array([area[[1, 3]].mean()]),
        datum="wgs84", crs=working_crs, working_crs="EPSG:4326",
    )  # fmt: skip
    longitude, latitude = float(to_degrees[0][0]), float(to_degrees[1][0])
    zone = int((longitude + 180) // 6) + 1
    side = "326" if latitude >= 0 else "327"
    codes = [f"EPSG:{side}{z:02d}" for z in (zone, zone - 1, zone + 1) if 1 <= z <= 60]
    codes += ["EPSG:3857"]
    if 73 <= longitude <= 136 and latitude > 0:
        number = round(longitude / 3)  # CGCS2000 / 3-degree Gauss-Krüger, without and with zone
        near = [n for n in (number, number - 1, number + 1) if 25 <= n <= 45]
        codes += [f"EPSG:{4534 + n - 25}" for n in near] + [f"EPSG:{4513 + n - 25}" for n in near]
    crss = ["EPSG:4326", *sorted(known), *codes]
    crss = [code for code in dict.fromkeys(crss) if code != declared.crs]
    return [
        replace(declared, is_swapped=True),
        replace(declared, scale=_FOOT_M),
        replace(declared, mirror=(0, 0.0)),
        replace(declared, mirror=(1, 0.0)),
        *(replace(declared, crs=code) for code in crss),
        *(replace(declared, crs=code, is_swapped=True) for code in crss),
        replace(declared, scale=1 / _FOOT_M),
        *(replace(declared, crs=code, scale=_FOOT_M) for code in crss if _is_projected(code)),
    ]


@cache
def _is_projected(code: str) -> bool:
    return bool(CRS.from_user_input(code).is_projected)


def near_readings(declared: Reading, points: Floats, working_crs: str) -> list[Reading]:
    """Return the readings that move a layer a little: other datums, and kindred projections.

    UTM and Gauss-Krüger on one meridian differ by their scale only, a kilometre or so here.
    """
    readings = [replace(declared, datum=datum) for datum in ("wgs84", "gcj02", "bd09")]
    if _is_projected(declared.crs):
        area = box_of(placed(points[:200], declared, working_crs))
        if np.isfinite(area).all():
            readings += [
                one for one in other_readings(declared, {working_crs}, area, working_crs)
                if one.scale == declared.scale and not one.is_swapped and _is_projected(one.crs)
            ]  # fmt: skip
    return [
        one for one in readings
        if NEAR_M <= move_m(points, declared, one, working_crs) <= MARGIN_M
    ]  # fmt: skip


def move_m(points: Floats, one: Reading, other: Reading, working_crs: str) -> float:
    """Return how far apart two readings put a layer, metres."""
    with np.errstate(invalid="ignore"):
        gap = placed(points[:200], one, working_crs) - placed(points[:200], other, working_crs)
    length = np.hypot(gap[:, 0], gap[:, 1])
    length = length[np.isfinite(length)]
    return float(np.median(length)) if len(length) else 0.0


def box_of(points: Floats) -> Floats:
    """Return the box of the middle 96 % of points, with a margin; empty of sense if none is finite."""
    sound = points[np.isfinite(points).all(axis=1)]
    if not len(sound):
        return np.array([np.inf, np.inf, -np.inf, -np.inf])
    low, high = np.percentile(sound, [2, 98], axis=0)
    return np.concatenate([low - MARGIN_M, high + MARGIN_M])
