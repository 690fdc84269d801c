"""Layers that another datum, or a near CRS, puts in a better place: beside footprints or roads."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely

from pipeline.check.fit import ROADSIDE_M, Fit, Footprints, Lines
from pipeline.check.layers import POINTS, STREETS, Layer, sample
from pipeline.check.misplaced import (
    LEAST_COUNT,
    LEAST_EXCESS,
    MOST_EXCESS_OF_WRONG,
    SAMPLE_COUNT,
    Misplaced,
    best_reading,
    is_better,
)
from pipeline.check.readings import Reading, declared_reading, move_m, near_readings, placed
from pipeline.geo.raster import Floats

LEAST_ROADSIDE_COUNT = 20
"""So few stops tell their place by roads; of fewer hardly any pass the test of signs."""
LEAST_ROADSIDE_EXCESS = 5.0
LEAST_ROADSIDE_SHARE = 0.6
"""Houses and shops stand along roads too, a little: only a layer of which most places stand at a road,
and far more than beside it, is told its place by roads."""


@dataclass(frozen=True)
class _Accused:
    """A layer, the reading that fits, how both fit, what was measured and beside what."""

    layer: Layer
    better: Reading
    now: Fit
    fit: Fit
    measured: str
    against: tuple[str, ...]


def bent_layers(footprints: Layer, others: list[Layer], working_crs: str) -> list[Misplaced]:
    """Return the layers, or the footprints, that another reading puts in a better place.

    Streets are laid over the footprints first; where they then lie, bus stops and other roadside places
    are judged by them, the rest by the footprints.
    """

    def over(reading: Reading) -> Footprints:
        return Footprints(
            shapely.transform(footprints.shapes, lambda xy: placed(xy, reading, working_crs))
        )

    ground = over(declared_reading(footprints))
    points = {layer.name: sample(layer, SAMPLE_COUNT, 1) for layer in others}
    judged = [layer for layer in others if len(points[layer.name])]
    streets = [layer for layer in judged if layer.kind == STREETS]
    fits: dict[str, Fit] = {}
    accused: dict[str, _Accused] = {}
    confirmed: set[str] = set()

    def lay_over_footprints(layer: Layer) -> None:
        declared = declared_reading(layer)

        def fit_of(reading: Reading) -> Fit:
            return ground.fit(placed(points[layer.name], reading, working_crs), layer.kind)

        now = fits[layer.name] = fit_of(declared)
        near = near_readings(declared, points[layer.name], working_crs)
        best = None if now.excess >= MOST_EXCESS_OF_WRONG else best_reading(now, near, fit_of)
        if best:
            accused[layer.name] = _Accused(
                layer, best[0], now, best[1], _measured(layer), (footprints.name,)
            )
        elif now.excess >= LEAST_EXCESS:
            confirmed.add(layer.source.path)

    for layer in streets:
        lay_over_footprints(layer)
    places = [
        layer for layer in judged
        if layer.kind == POINTS and len(layer.shapes) >= LEAST_ROADSIDE_COUNT
    ]  # fmt: skip
    lying = {name: one.better for name, one in accused.items()}
    roadside, by_roads = _beside_roads(places, points, streets, lying, working_crs)
    rest = [
        layer for layer in judged
        if layer not in streets and layer.name not in roadside
        and (layer.kind != POINTS or len(layer.shapes) >= LEAST_COUNT)
    ]  # fmt: skip
    for layer in rest:
        lay_over_footprints(layer)
    laid = [*streets, *rest]
    if not confirmed:
        named = _footprints_bent(footprints, laid, fits, set(accused), points, over, working_crs)
        if named:  # so the streets lie where they are declared
            _, by_roads = _beside_roads(places, points, streets, {}, working_crs)
            return [named, *(_told(one, points, (), working_crs) for one in by_roads)]
    is_sure = bool(confirmed or {layer.name for layer in laid} - set(accused))
    or_else = () if is_sure else (footprints.name,)
    return [
        *(_told(one, points, or_else, working_crs) for _, one in sorted(accused.items())),
        *(_told(one, points, (), working_crs) for one in by_roads),
    ]


def _told(
    one: _Accused, points: dict[str, Floats], or_else: tuple[str, ...], working_crs: str
) -> Misplaced:
    declared = declared_reading(one.layer)
    return Misplaced(
        one.layer.name, declared, one.better, one.now.share, one.fit.share,
        move_m(points[one.layer.name], declared, one.better, working_crs),
        one.measured, one.against, or_else,
    )  # fmt: skip


def _beside_roads(
    places: list[Layer],
    points: dict[str, Floats],
    streets: list[Layer],
    corrected: dict[str, Reading],
    working_crs: str,
) -> tuple[set[str], list[_Accused]]:
    """Return the layers whose place roads tell, and those of them that another reading puts right.

    Where a layer names its bus stops, they speak for it.

    Parameters
    ----------
    corrected
        How streets that lie wrong themselves should be read.
    """
    shapes = [
        road
        for layer in streets
        for road in shapely.transform(
            layer.roadside,
            lambda xy, layer=layer: placed(
                xy, corrected.get(layer.name, declared_reading(layer)), working_crs
            ),
        )
    ]
    if not shapes:
        return set(), []
    roads = Lines(np.array(shapes, dtype=object), ROADSIDE_M)
    names = tuple(layer.name for layer in streets if len(layer.roadside))
    told, accused = set(), []
    for layer in places:
        at = points[layer.name]
        if len(layer.roadside) >= LEAST_ROADSIDE_COUNT:
            at = shapely.get_coordinates(layer.roadside)[:: -(-len(layer.roadside) // SAMPLE_COUNT)]

        def fit_of(reading: Reading, at: Floats = at) -> Fit:
            return roads.fit(placed(at, reading, working_crs))

        declared = declared_reading(layer)
        now = fit_of(declared)
        if _is_roadside(now):
            told.add(layer.name)
            continue
        best = best_reading(now, near_readings(declared, at, working_crs), fit_of)
        if best and _is_roadside(best[1]):
            told.add(layer.name)
            measured = "share of its places within 15 m of a drivable road"
            accused.append(_Accused(layer, best[0], now, best[1], measured, names))
    return told, accused


def _is_roadside(fit: Fit) -> bool:
    return fit.excess >= LEAST_ROADSIDE_EXCESS and fit.share >= LEAST_ROADSIDE_SHARE


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
    for reading in near_readings(base, corners, working_crs):
        ground = over(reading)
        helped = {}
        for layer in others:
            xy = placed(points[layer.name], declared_reading(layer), working_crs)
            fit = ground.fit(xy, layer.kind)
            if is_better(fit, fits[layer.name]):
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
        move_m(corners, base, reading, working_crs), _measured(layer),
        tuple(sorted(helped)), tuple(sorted(accused)),
    )  # fmt: skip


def _measured(layer: Layer) -> str:
    if layer.kind == "points":
        return "share of its places within 20 m of a footprint"
    if layer.kind == "streets":
        return "share of street length outside footprints"
    return "share of its borders outside footprints"
