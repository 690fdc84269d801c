"""Does each layer lie where its profile says? Wrong datum, zone, axes and units are named.

Two steps. First the coarse one: layers of one city overlap; one that lies elsewhere is tried in other
coordinate systems, with its axes exchanged, and in feet. Then the fine one: layers that overlap are
laid over the footprints as declared and under each other datum (``pipeline.check.fit``). A position
is accused only if another one fits far better and the declared one no better than its surroundings.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import ProjError

from pipeline.check.fit import Fit, Footprints
from pipeline.check.layers import OUTLINES, Layer, sample
from pipeline.geo.crs import crs_of
from pipeline.geo.datum import into_working_crs
from pipeline.geo.raster import Floats

SAMPLE_COUNT = 2000
LEAST_COUNT = 30
LEAST_EXCESS = 3.5
LEAST_LEAD = 2.0
LEAST_SIGNS = 4.0
MOST_EXCESS_OF_WRONG = 3.0
"""Limits of the fine step. Measured on Yuzhong and on the built-in city, cut into 100 random areas
of 200 to 600 features for each layer: no right layer accused, and the bent copies of streets,
facilities, registers and estates found in four of five areas or more."""
NEAR_M = 20.0
"""Readings that differ by less are one: outside China all datums are."""
_MARGIN_M = 3000.0
_FOOT_M = 0.3048


@dataclass(frozen=True)
class Reading:
    """One way to read a layer's coordinates: datum, CRS, and what else is done to the numbers."""

    datum: str
    crs: str
    is_swapped: bool = False
    scale: float = 1.0

    def differs_from(self, other: "Reading") -> str:
        """Return in words what is changed against another reading."""
        words = []
        if self.is_swapped != other.is_swapped:
            words.append("axes exchanged")
        if self.scale != other.scale:
            words.append("feet taken as metres" if self.scale < 1 else "metres taken as feet")
        if self.crs != other.crs:
            mixed = _is_projected(other.crs) and not _is_projected(self.crs)
            words.append(f"crs: {self.crs}" + (" (degrees taken as metres)" if mixed else ""))
        if self.datum != other.datum:
            words.append(f"datum: {self.datum}")
        return ", ".join(words)


@dataclass(frozen=True)
class Misplaced:
    """A layer that fits better when read otherwise, with the evidence.

    ``share`` and ``better_share`` are what ``Fit.share`` says of the declared and the better reading
    (coarse step: the share of its features within the other layers' area).
    """

    source_name: str
    declared: Reading
    better: Reading | None
    share: float
    better_share: float
    move_m: float | None
    measured: str
    against: tuple[str, ...]
    or_else: tuple[str, ...] = ()
    """Other sources that would explain it as well, read the same wrong way round."""


def declared_reading(layer: Layer) -> Reading:
    """Return how the profile reads a layer."""
    is_straight = layer.source.datum in ("cgcs2000", "of_crs")
    return Reading("wgs84" if is_straight else layer.source.datum, crs_of(layer.source))


def placed(points: Floats, reading: Reading, working_crs: str) -> Floats:
    """Return points in the working CRS under a reading; infinite where it does not apply."""
    x, y = points[:, 0] * reading.scale, points[:, 1] * reading.scale
    if reading.is_swapped:
        x, y = y, x
    try:
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            east, north = into_working_crs(
                x, y, datum=reading.datum, crs=reading.crs, working_crs=working_crs
            )
    except ProjError:
        return np.full((len(points), 2), np.inf)
    return np.column_stack([east, north])


def misplaced_layers(layers: list[Layer], working_crs: str) -> list[Misplaced]:
    """Return the layers that lie wrong, each with the reading that fits, sorted by source name."""
    elsewhere = _elsewhere(layers, working_crs)
    gone = {one.source_name for one in elsewhere}
    overlapping = [layer for layer in layers if layer.name not in gone]
    found = {one.source_name: one for one in elsewhere}
    for footprints in (layer for layer in overlapping if layer.kind == OUTLINES):
        others = [
            layer for layer in overlapping
            if layer.kind != OUTLINES and layer.source.path != footprints.source.path
        ]  # fmt: skip
        for one in _bent(footprints, others, working_crs):
            found.setdefault(one.source_name, one)
    return [found[name] for name in sorted(found)]


def _elsewhere(layers: list[Layer], working_crs: str) -> list[Misplaced]:
    """Return the layers that do not lie where most of the others do."""
    points = {layer.name: sample(layer, 500, 1) for layer in layers}
    points = {name: xy for name, xy in points.items() if len(xy)}
    at = {
        layer.name: placed(points[layer.name], declared_reading(layer), working_crs)
        for layer in layers
        if layer.name in points
    }
    boxes = {name: _box(xy) for name, xy in at.items()}
    friends = {
        name: {
            other for other, box in boxes.items()
            if other == name or _within(xy, box) >= 0.5 or _within(at[other], boxes[name]) >= 0.5
        }
        for name, xy in at.items()
    }  # fmt: skip
    if not friends:
        return []
    group = max(friends.values(), key=lambda names: (len(names), sorted(names)))
    if len(group) < 2:
        return []
    area = _union([boxes[name] for name in sorted(group)])
    known = {crs_of(layer.source) for layer in layers} | {working_crs}
    found = []
    for layer in layers:
        if layer.name in group or layer.name not in at:
            continue
        declared, xy = declared_reading(layer), points[layer.name]
        tried = _other_readings(declared, known, area, working_crs)
        shares = {one: _within(placed(xy, one, working_crs), area) for one in tried}
        fitting = [one for one in tried if shares[one] >= 0.9]
        better = fitting[0] if fitting else None
        found.append(
            Misplaced(
                layer.name, declared, better, _within(at[layer.name], area),
                shares[better] if better else 0.0,
                _distance(at[layer.name], area), "share within the other layers' area",
                tuple(sorted(group)),
            )
        )  # fmt: skip
    return found


def _other_readings(
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
        *(replace(declared, crs=code) for code in crss),
        *(replace(declared, crs=code, is_swapped=True) for code in crss),
        replace(declared, scale=1 / _FOOT_M),
        *(replace(declared, crs=code, scale=_FOOT_M) for code in crss if _is_projected(code)),
    ]


@cache
def _is_projected(code: str) -> bool:
    return bool(CRS.from_user_input(code).is_projected)


def _bent(footprints: Layer, others: list[Layer], working_crs: str) -> list[Misplaced]:
    """Return layers, or the footprints, that another datum or a near CRS puts in a better place."""

    def over(reading: Reading) -> Footprints:
        return Footprints(
            shapely.transform(footprints.shapes, lambda xy: placed(xy, reading, working_crs))
        )

    base = declared_reading(footprints)
    ground = over(base)
    points = {layer.name: sample(layer, SAMPLE_COUNT, 1) for layer in others}
    judged = [
        layer for layer in others if len(layer.shapes) >= LEAST_COUNT or layer.kind != "points"
    ]
    judged = [layer for layer in judged if len(points[layer.name])]
    fits: dict[str, Fit] = {}
    accused: dict[str, tuple[Layer, Reading, Fit]] = {}
    confirmed: set[str] = set()
    for layer in judged:
        declared = declared_reading(layer)

        def fit_of(reading: Reading, layer: Layer = layer) -> Fit:
            return ground.fit(placed(points[layer.name], reading, working_crs), layer.kind)

        now = fits[layer.name] = fit_of(declared)
        standing = now.excess >= MOST_EXCESS_OF_WRONG  # nothing could accuse it
        best = (
            None
            if standing
            else _best(now, _near_readings(declared, points[layer.name], working_crs), fit_of)
        )
        if best:
            accused[layer.name] = (layer, *best)
        elif now.excess >= LEAST_EXCESS:
            confirmed.add(layer.source.path)
    if not confirmed:
        named = _footprints_bent(footprints, judged, fits, set(accused), points, over, working_crs)
        if named:
            return [named]
    rest = {layer.name for layer in judged} - set(accused)
    return [
        Misplaced(
            name, declared_reading(layer), reading, fits[name].share, fit.share,
            _move(points[name], declared_reading(layer), reading, working_crs),
            _measured(layer), (footprints.name,),
            () if confirmed or rest else (footprints.name,),
        )
        for name, (layer, reading, fit) in sorted(accused.items())
    ]  # fmt: skip


def _footprints_bent(
    footprints: Layer,
    others: list[Layer],
    fits: dict[str, Fit],
    accused: set[str],
    points: dict[str, Floats],
    over: Callable[[Reading], Footprints],
    working_crs: str,
) -> Misplaced | None:
    """Return the footprints as the ones at fault, if moving them alone puts more layers right.

    Where one layer alone speaks, and moving it would do as well, the footprints are not named.
    """
    base = declared_reading(footprints)
    corners = sample(footprints, SAMPLE_COUNT, 1)
    best: tuple[Reading, dict[str, Fit]] | None = None
    for reading in _near_readings(base, corners, working_crs):
        ground = over(reading)
        helped = {}
        for layer in others:
            xy = placed(points[layer.name], declared_reading(layer), working_crs)
            fit = ground.fit(xy, layer.kind)
            if _is_better(fit, fits[layer.name]):
                helped[layer.name] = fit
        if helped and (best is None or len(helped) > len(best[1])):
            best = reading, helped
    if best is None:
        return None
    reading, helped = best
    path = {layer.name: layer.source.path for layer in others}
    files = len({path[name] for name in helped})
    if not accused <= set(helped) or (accused and files < 2):
        return None
    name = max(sorted(helped), key=lambda one: helped[one].excess)
    layer = next(one for one in others if one.name == name)
    return Misplaced(
        footprints.name, base, reading, fits[name].share, helped[name].share,
        _move(corners, base, reading, working_crs), _measured(layer),
        tuple(sorted(helped)), tuple(sorted(accused)),
    )  # fmt: skip


def _best(
    now: Fit, readings: list[Reading], fit_of: Callable[[Reading], Fit]
) -> tuple[Reading, Fit] | None:
    fits = [(reading, fit_of(reading)) for reading in readings]
    better = [(reading, fit) for reading, fit in fits if _is_better(fit, now)]
    return max(better, key=lambda pair: pair[1].excess) if better else None


def _is_better(fit: Fit, now: Fit) -> bool:
    """Return whether a position is far better: it alone stands out, and many points say so."""
    gained = int((fit.hits & ~now.hits).sum())
    lost = int((now.hits & ~fit.hits).sum())
    signs = (gained - lost) / max(gained + lost, 1) ** 0.5
    return (
        fit.excess >= LEAST_EXCESS
        and fit.excess - max(now.excess, 0.0) >= LEAST_LEAD
        and now.excess < MOST_EXCESS_OF_WRONG
        and signs >= LEAST_SIGNS
    )


def _near_readings(declared: Reading, points: Floats, working_crs: str) -> list[Reading]:
    """Return the readings that move a layer a little: other datums, and kindred projections.

    UTM and Gauss-Krüger on one meridian differ by their scale only, a kilometre or so here.
    """
    readings = [replace(declared, datum=datum) for datum in ("wgs84", "gcj02", "bd09")]
    if _is_projected(declared.crs):
        area = _box(placed(points[:200], declared, working_crs))
        if np.isfinite(area).all():
            readings += [
                one for one in _other_readings(declared, {working_crs}, area, working_crs)
                if one.scale == declared.scale and not one.is_swapped and _is_projected(one.crs)
            ]  # fmt: skip
    return [
        one for one in readings
        if NEAR_M <= _move(points, declared, one, working_crs) <= _MARGIN_M
    ]  # fmt: skip


def _measured(layer: Layer) -> str:
    if layer.kind == "points":
        return "share of its places within 20 m of a footprint"
    if layer.kind == "streets":
        return "share of street length outside footprints"
    return "share of its borders outside footprints"


def _move(points: Floats, one: Reading, other: Reading, working_crs: str) -> float:
    """Return how far apart two readings put a layer, metres."""
    with np.errstate(invalid="ignore"):
        gap = placed(points[:200], one, working_crs) - placed(points[:200], other, working_crs)
    length = np.hypot(gap[:, 0], gap[:, 1])
    length = length[np.isfinite(length)]
    return float(np.median(length)) if len(length) else 0.0


def _box(points: Floats) -> Floats:
    """Return the box of the middle 96 % of points, with a margin; empty of sense if none is finite."""
    sound = points[np.isfinite(points).all(axis=1)]
    if not len(sound):
        return np.array([np.inf, np.inf, -np.inf, -np.inf])
    low, high = np.percentile(sound, [2, 98], axis=0)
    return np.concatenate([low - _MARGIN_M, high + _MARGIN_M])


def _union(boxes: list[Floats]) -> Floats:
    stacked = np.array(boxes)
    return np.concatenate([stacked[:, :2].min(axis=0), stacked[:, 2:].max(axis=0)])


def _within(points: Floats, box: Floats) -> float:
    with np.errstate(invalid="ignore"):
        inside = (points >= box[:2]).all(axis=1) & (points <= box[2:]).all(axis=1)
    return float(inside.mean())


def _distance(points: Floats, box: Floats) -> float | None:
    sound = points[np.isfinite(points).all(axis=1)]
    if not len(sound):
        return None
    middle = np.median(sound, axis=0)
    gap = np.maximum(np.maximum(box[:2] - middle, middle - box[2:]), 0)
    return float(np.hypot(*gap))
