"""Administrative outlines in the wrong place, told by footprints, names and the other outlines.

Borders cross houses and streets, so they cannot be judged by what they run between. But registers name
the area that a building lies in, a district's footprints lie within it, and borders of districts,
subdistricts and communities run along each other. They are asked in this order, and the first that
tells anything decides: outlines that come from one hand agree with each other wherever they lie.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import shapely

from pipeline.check.fit import Fit, Lines, fit_in_ring
from pipeline.check.layers import NAME_OF_AREA, OUTLINES, Layer, sample
from pipeline.check.misplaced import (
    LEAST_COUNT,
    LEAST_SIGNS,
    MOST_EXCESS_OF_WRONG,
    SAMPLE_COUNT,
    Misplaced,
    best_reading,
    signs,
)
from pipeline.check.readings import Reading, declared_reading, move_m, near_readings, placed
from pipeline.geo.raster import Floats

BORDER_M = 10.0
"""Borders drawn twice lie closer than this."""
LEAST_COVERED_SHARE = 0.99
LEAST_GAINED_SHARE = 0.02
"""Outlines cut off footprints, or contradict names, if another reading mends that for so many more."""


@dataclass(frozen=True)
class _Evidence:
    """One thing that a layer's place can be measured by, and beside which sources.

    Positions on a border are judged by their surroundings. Buildings that lie within an outline, or
    within the one they name, are counted one by one: ``least_share`` of them must, where it lies right.
    """

    measured: str
    against: tuple[str, ...]
    fit: Callable[[Reading], Fit]
    least_share: float | None = None

    def best(self, now: Fit, near: list[Reading]) -> tuple[Reading, Fit] | None:
        """Return the reading that fits far better than the declared one; None if there is none."""
        if self.least_share is None:
            return best_reading(now, near, self.fit)
        fits = [(reading, self.fit(reading)) for reading in near]
        better = [
            (reading, fit) for reading, fit in fits
            if fit.share >= self.least_share and fit.share - now.share >= LEAST_GAINED_SHARE
            and signs(fit, now) >= LEAST_SIGNS
        ]  # fmt: skip
        return max(better, key=lambda pair: pair[1].share) if better else None

    def confirms(self, now: Fit, near: list[Reading]) -> bool:
        """Return whether the declared place is plainly the right one."""
        if self.least_share is None:
            return now.excess >= MOST_EXCESS_OF_WRONG
        return all(signs(now, self.fit(one)) >= LEAST_SIGNS for one in near)


def bent_borders(
    layers: list[Layer], found: Mapping[str, Misplaced], working_crs: str
) -> list[Misplaced]:
    """Return the administrative outlines that another reading puts in a better place.

    Parameters
    ----------
    found
        The layers that are misplaced already: they count where they should lie, and are not judged.
    """
    readings = {
        layer.name: (found[layer.name].better if layer.name in found else None)
        or declared_reading(layer)
        for layer in layers
    }
    lost = {name for name, one in found.items() if one.better is None}
    sound = [layer for layer in layers if layer.name not in lost]
    left = [
        layer for layer in sound if layer.source.role in NAME_OF_AREA and layer.name not in found
    ]
    accused: dict[str, Misplaced] = {}
    # each kind of evidence is asked of all outlines, so that the next finds the others where they lie
    for evidence_of in (_by_names, _by_footprints, _by_borders):
        told: dict[str, Misplaced] = {}
        confirmed = set()
        for layer in left:
            others = [one for one in sound if one.source.path != layer.source.path]
            evidence = evidence_of(layer, others, readings, working_crs)
            verdict = _verdict(layer, evidence, working_crs)
            if isinstance(verdict, Misplaced):
                told[layer.name] = verdict
            elif verdict:
                confirmed.add(layer.name)
        readings |= {name: one.better for name, one in told.items() if one.better}
        accused |= {name: replace(one, or_else=_mutual(one, told)) for name, one in told.items()}
        left = [layer for layer in left if layer.name not in {*accused, *confirmed}]
    return [accused[name] for name in sorted(accused)]


def _mutual(one: Misplaced, others: Mapping[str, Misplaced]) -> tuple[str, ...]:
    """Return the outlines that one is accused by, if those are accused by it in turn."""
    is_mutual = all(
        name in others and one.source_name in others[name].against for name in one.against
    )
    return one.against if is_mutual else ()


def _verdict(layer: Layer, evidence: list[_Evidence], working_crs: str) -> Misplaced | bool:
    """Return what is wrong with a layer's place, or whether its place is plainly right."""
    declared = declared_reading(layer)
    points = sample(layer, SAMPLE_COUNT, 1)
    near = near_readings(declared, points, working_crs) if len(points) else []
    for one in evidence if near else []:
        now = one.fit(declared)
        if one.confirms(now, near):
            return True
        best = one.best(now, near)
        if best:
            return Misplaced(
                layer.name, declared, best[0], now.share, best[1].share,
                move_m(points, declared, best[0], working_crs), one.measured, one.against,
            )  # fmt: skip
    return False


def _by_names(
    layer: Layer, others: list[Layer], readings: Mapping[str, Reading], working_crs: str
) -> list[_Evidence]:
    """Return what tables say of the area that their buildings lie in."""
    column = NAME_OF_AREA[layer.source.role]
    names = layer.area_names.get(column)
    if names is None:
        return []
    evidence = []
    for other in others:
        said = other.area_names.get(column)
        if said is None or other.source.role in NAME_OF_AREA:
            continue
        usable = np.flatnonzero(np.isin(said, names[names != ""]))
        if len(usable) < LEAST_COUNT:
            continue
        chosen = usable[np.linspace(0, len(usable) - 1, SAMPLE_COUNT).astype(int)]
        chosen = np.unique(chosen)
        at = shapely.get_coordinates(shapely.point_on_surface(other.shapes[chosen]))
        at = placed(at, readings[other.name], working_crs)
        wanted = said[chosen]

        def fit_of(reading: Reading, at: Floats = at, wanted: np.ndarray = wanted) -> Fit:
            areas = shapely.transform(layer.shapes, lambda xy: placed(xy, reading, working_crs))
            tree = shapely.STRtree(areas)

            def hits(move: Floats) -> np.ndarray:
                place, area = tree.query(shapely.points(at - move), predicate="intersects")
                found = np.zeros(len(at), dtype=bool)
                found[place[names[area] == wanted[place]]] = True
                return found

            return fit_in_ring(hits)

        evidence.append(
            _Evidence("share of buildings in the area that they name", (other.name,), fit_of, 0.0)
        )
    return evidence


def _by_borders(
    layer: Layer, others: list[Layer], readings: Mapping[str, Reading], working_crs: str
) -> list[_Evidence]:
    """Return how borders run along those of the other administrative outlines."""
    points = sample(layer, SAMPLE_COUNT, 1)
    evidence = []
    for other in others:
        if other.source.role not in NAME_OF_AREA:
            continue
        reading = readings[other.name]
        areas = shapely.transform(
            other.shapes, lambda xy, reading=reading: placed(xy, reading, working_crs)
        )
        lines = Lines(shapely.get_parts(shapely.boundary(areas)), BORDER_M)

        def fit_of(reading: Reading, lines: Lines = lines) -> Fit:
            return lines.fit(placed(points, reading, working_crs))

        evidence.append(
            _Evidence("share of its borders within 10 m of theirs", (other.name,), fit_of)
        )
    return evidence


def _by_footprints(
    layer: Layer, others: list[Layer], readings: Mapping[str, Reading], working_crs: str
) -> list[_Evidence]:
    """Return how many of the footprints the outlines hold."""
    evidence = []
    for other in others:
        if other.kind != OUTLINES or len(other.shapes) < LEAST_COUNT:
            continue
        step = -(-len(other.shapes) // SAMPLE_COUNT)
        at = shapely.get_coordinates(shapely.centroid(other.shapes[::step]))
        at = placed(at, readings[other.name], working_crs)

        def fit_of(reading: Reading, at: Floats = at) -> Fit:
            areas = shapely.transform(layer.shapes, lambda xy: placed(xy, reading, working_crs))
            whole = shapely.union_all(shapely.make_valid(areas))
            shapely.prepare(whole)
            return fit_in_ring(lambda move: shapely.contains_xy(whole, at - move))

        evidence.append(
            _Evidence("share of footprints within it", (other.name,), fit_of, LEAST_COVERED_SHARE)
        )
    return evidence
