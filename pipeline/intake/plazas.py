"""Areas that people cross: plazas, platforms, and lifts drawn as areas.

A plaza is walked round along its rings and crossed straight from entry to entry, or round what stands
in the way by the corners that bend towards it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from pipeline.contracts.raw import OsmExtract, OsmWay
from pipeline.geo.raster import Floats
from pipeline.intake.osm_areas import Area, Locate, relation_area, way_area
from pipeline.intake.walkable import street_class

_MOST_CORNERS = 300
"""Of more entries and corners only entries that see each other are joined; its rings stay."""
_TOUCH_M = 0.05
_CHORD_COST = 1.0005
"""A straight line must be this much shorter than a walk along the rings to be worth a link."""


@dataclass(frozen=True)
class WalkArea:
    """An area that is walked on, or a lift drawn as an area."""

    key: str
    """W or R and the number of its way or relation."""
    shape: shapely.Geometry
    rings: tuple[OsmWay, ...]
    """Its outlines as ways, with the tags of the area."""
    tags: Mapping[str, str]


def is_area(way: OsmWay) -> bool:
    """Return whether a way is drawn as an area to walk on and not as a line.

    An outline that is not closed stays a line.
    """
    if len(way.node_ids) < 4 or way.node_ids[0] != way.node_ids[-1]:
        return False
    tags, kind = way.tags, street_class(way.tags)
    if kind in ("elevator", "platform"):
        return tags.get("area") != "no"
    return bool(kind) and (tags.get("area") == "yes" or is_square(tags))


def is_square(tags: Mapping[str, str]) -> bool:
    """Return whether tags name a square that walkers share with nobody else."""
    return tags.get("place") == "square" and street_class(tags) in ("", "pedestrian", "footway")


def level_of_way(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tags that say on which level a way lies: what ends below a plaza is not on it."""
    carried = tuple(str(tags.get(key, "no") not in ("no", "")) for key in ("tunnel", "bridge"))
    return (tags.get("layer", "0"), *carried)


def as_street(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Return the tags of an area with a class of street: a square without one is pedestrian."""
    return tags if "highway" in tags else {**tags, "highway": "pedestrian"}


def area_of_way(way: OsmWay, locate: Locate) -> WalkArea | Area:
    """Return the area of a closed way, or why there is none."""
    area = way_area(way, locate)
    if area.shape is None:
        return area
    return WalkArea(f"W{way.id}", area.shape, (way,), way.tags)


def areas_of_relations(
    extract: OsmExtract, locate: Locate
) -> Iterator[tuple[int, Mapping[str, str], WalkArea | Area]]:
    """Return each multipolygon that is a street or a square: its number, its tags, its area.

    Outlines without a class of street of their own become ways of the area's class.
    """
    ways = {way.id: way for way in extract.ways}
    for relation in extract.relations:
        if relation.tags.get("type", "multipolygon") != "multipolygon":
            continue
        if not street_class(relation.tags) and not is_square(relation.tags):
            continue
        tags = as_street(relation.tags)
        area = relation_area(relation, ways, locate)
        if area.shape is None:
            yield relation.id, tags, area
            continue
        members = {one.id: ways[one.id] for one in relation.members if one.type == "way"}
        rings = tuple(
            way if "highway" in way.tags else OsmWay(way.id, way.node_ids, tags)
            for way in members.values()
        )
        yield relation.id, tags, WalkArea(f"R{relation.id}", area.shape, rings, tags)


def chords(
    area: WalkArea, entries: Sequence[int], place_of: Mapping[int, int], position: Floats
) -> list[tuple[int, int]]:
    """Return the pairs of nodes that a straight walk across an area joins.

    ``entries`` are nodes at which the area is entered, ``place_of`` gives the row of a node in
    ``position``. Kept is what a shortest walk between two entries uses and the rings do not give.
    """
    if len(entries) < 2:
        return []
    ring_nodes = {node for ring in area.rings for node in ring.node_ids}
    at = {tuple(position[place_of[node]].tolist()): node for node in sorted(ring_nodes)}
    corners = [at[point] for point in _reflex_points(area.shape) if point in at]
    nodes = sorted({*entries, *corners})
    if len(nodes) > _MOST_CORNERS:
        nodes = sorted(set(entries))
    everything = sorted({*nodes, *ring_nodes})
    row = {node: number for number, node in enumerate(everything)}
    points = position[[place_of[node] for node in everything]]
    along = {
        (min(row[one], row[two]), max(row[one], row[two]))
        for ring in area.rings for one, two in pairwise(ring.node_ids) if one != two
    }  # fmt: skip
    seen = _visible(area.shape, np.array([row[node] for node in nodes]), points) - along
    pairs = np.array([*sorted(along), *sorted(seen)], dtype=np.int64).reshape(-1, 2)
    length_m = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    cost = np.maximum(length_m, 1e-6) * np.where(np.arange(len(pairs)) < len(along), 1, _CHORD_COST)
    graph = sparse.coo_array((cost, (pairs[:, 0], pairs[:, 1])), (len(everything),) * 2).tocsr()
    starts = [row[node] for node in sorted(set(entries))]
    _, parent = dijkstra(graph, directed=False, indices=starts, return_predecessors=True)
    used: set[tuple[int, int]] = set()
    for tree in parent:
        for end in starts:
            while tree[end] >= 0:
                used.add((min(end, int(tree[end])), max(end, int(tree[end]))))
                end = int(tree[end])
    return [(everything[one], everything[two]) for one, two in sorted(used & seen)]


def _visible(
    shape: shapely.Geometry, rows: NDArray[np.int64], points: Floats
) -> set[tuple[int, int]]:
    """Return the pairs of rows between which the straight line stays in the area."""
    first, second = np.triu_indices(len(rows), 1)
    one, two = rows[first], rows[second]
    lines = shapely.linestrings(np.stack([points[one], points[two]], axis=1))
    wide = shapely.buffer(shape, _TOUCH_M)
    shapely.prepare(wide)
    sees = shapely.covers(wide, lines)
    low, high = np.minimum(one, two)[sees].tolist(), np.maximum(one, two)[sees].tolist()
    return set(zip(low, high, strict=True))


def _reflex_points(shape: shapely.Geometry) -> list[tuple[float, float]]:
    """Return the corners that bend into an area: only there a shortest walk turns."""
    found = []
    for part in shapely.get_parts(shape):
        for ring, is_hole in [(part.exterior, False), *((hole, True) for hole in part.interiors)]:
            points = shapely.get_coordinates(ring)[:-1]
            before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
            (ax, ay), (bx, by) = (points - before).T, (after - points).T
            turn = (ax * by - ay * bx) * (1 if shapely.is_ccw(ring) else -1)
            bends = turn > 0 if is_hole else turn < 0
            found += [tuple(point) for point in points[bends].tolist()]
    return found
