"""Does each layer lie where its profile says? Wrong datum, zone, axes and units are named.

Two steps. First the coarse one: layers of one city overlap; one that lies elsewhere is tried in other
coordinate systems, with its axes exchanged or turned round, and in feet. Then the fine one: layers that
overlap are laid over the footprints, the roads and each other's borders, as declared and under each
other datum (``pipeline.check.bent``, ``pipeline.check.borders``), moved and mirrored
(``pipeline.check.shifts``). A position is accused only if another one fits
far better and the declared one no better than its surroundings.
"""

import numpy as np

from pipeline.check.bent import bent_layers
from pipeline.check.borders import bent_borders
from pipeline.check.layers import NAME_OF_AREA, OUTLINES, Layer, sample
from pipeline.check.misplaced import Misplaced
from pipeline.check.readings import box_of, declared_reading, other_readings, placed
from pipeline.check.shifts import shifted_layers
from pipeline.geo.crs import crs_of
from pipeline.geo.raster import Floats


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
            and layer.source.role not in NAME_OF_AREA
        ]  # fmt: skip
        bent = bent_layers(footprints, others, working_crs)
        found = {one.source_name: one for one in bent} | found
        if footprints.name not in found:
            rest = [layer for layer in others if layer.name not in found]
            for one in shifted_layers(footprints, rest, working_crs):
                found[one.source_name] = one
    for one in bent_borders(overlapping, found, working_crs):
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
    boxes = {name: box_of(xy) for name, xy in at.items()}
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
        tried = other_readings(declared, known, area, working_crs)
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
