"""What of one street map may be walked: its ways, plazas, lifts, shut gates and walls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import shapely

from pipeline.contracts.raw import OsmExtract, OsmWay
from pipeline.geo.raster import Floats
from pipeline.intake.barriers import Integers, shut_nodes, wall_lines, walls_at
from pipeline.intake.hours import is_open_at_noon
from pipeline.intake.osm_areas import Area, Locate, node_locator
from pipeline.intake.plazas import (
    WalkArea,
    area_of_way,
    areas_of_relations,
    as_street,
    is_area,
    is_square,
)
from pipeline.intake.rejects import Rejects
from pipeline.intake.walkable import is_out_of_service, street_class, why_not_walked
from pipeline.settings.city import Source
from pipeline.settings.intake import StreetRule


@dataclass(frozen=True)
class StreetSource:
    """Walkable ways of one source, in the working CRS."""

    ways: dict[int, OsmWay]
    node_id: Integers
    """Sorted; ``position`` holds x and y of each, metres."""
    position: Floats
    names: dict[int, str]
    lifts: dict[int, str]
    """Lifts mapped as a node: open or closed."""
    plazas: dict[str, WalkArea]
    lift_areas: dict[str, WalkArea]
    """Lifts drawn as areas; their outlines are no ways."""
    shut: dict[int, str]
    """Nodes that nobody passes, and why."""
    walls: dict[int, tuple[int, int]]
    """Nodes of ways that a wall runs through, with the wall's nodes before and after."""
    supporting_count: int
    used_count: int


def streets_from_osm(
    extract: OsmExtract,
    position: Floats,
    source: Source,
    rule: StreetRule,
    rejects: Rejects,
    known: set[int | str],
) -> StreetSource:
    """Return the ways and areas of one source that people may walk on.

    ``position`` is that of the extract's nodes, in the working CRS. ``known`` holds what an earlier
    source brought already, ways by their number and relations as R and theirs; it is left out as
    repeated, and what this source brings is added.
    """
    candidates = [way for way in extract.ways if "highway" in way.tags or is_square(way.tags)]
    lacks_point = _lacks_point(candidates, extract.node_id)
    is_placed = np.isfinite(position).all(axis=1)
    nowhere = _lacks_point(candidates, extract.node_id[is_placed]) - lacks_point
    locate = node_locator(extract, position)
    kept: dict[int, OsmWay] = {}
    plazas: dict[str, WalkArea] = {}
    lift_areas: dict[str, WalkArea] = {}

    def keep_area(area: WalkArea) -> None:
        if street_class(area.tags) == "elevator":
            lift_areas[area.key] = area
            return
        plazas[area.key] = area
        for ring in area.rings:
            kept.setdefault(ring.id, ring)

    used_count = 0
    for number, way in enumerate(candidates):
        row = f"way/{way.id}"
        if "highway" not in way.tags:
            way = OsmWay(way.id, way.node_ids, as_street(way.tags))
        fault = why_not_walked(way.tags, rule)
        if street_class(way.tags) == "elevator":
            fault = None  # a lift out of service stays, closed
        if fault:
            rejects.row(row, *fault)
            continue
        if way.id in known:
            rejects.row(row, "repeated_way", "an earlier source brings the same way")
            continue
        if len(way.node_ids) < 2:
            rejects.row(row, "too_few_points", f"{len(way.node_ids)} points")
            continue
        if number in lacks_point:
            rejects.row(row, "point_absent", "a point of the way is not in the file")
            continue
        if number in nowhere:
            rejects.row(row, "position_unusable", "its coordinates lie nowhere in its CRS")
            continue
        area = area_of_way(way, locate) if is_area(way) else None
        if isinstance(area, WalkArea):
            keep_area(area)
        else:
            if way.tags.get("area") == "yes":
                rejects.notice(row, "ring_not_closed", "an area that is not closed is a line")
            kept[way.id] = way
        used_count += 1
    relation_count = 0
    for key, tags, area in areas_of_relations(extract, locate):
        row = f"relation/{key}"
        relation_count += 1
        fault = None if street_class(tags) == "elevator" else why_not_walked(tags, rule)
        if fault:
            rejects.row(row, *fault)
        elif f"R{key}" in known:
            rejects.row(row, "repeated_way", "an earlier source brings the same area")
        elif isinstance(area, Area):
            rejects.row(row, area.fault, area.detail)
        else:
            keep_area(area)
            used_count += 1
    known |= {*kept, *plazas, *lift_areas}
    known |= {ring.id for area in lift_areas.values() for ring in area.rings}
    name_fields = source.columns.get("road_name", ["name"])
    labels = {
        key: next((tags[tag] for tag in name_fields if tags.get(tag)), "")
        for key, tags in ((key, way.tags) for key, way in kept.items())
    }
    names = {key: label for key, label in labels.items() if label}
    lifts = {
        node: "closed" if is_out_of_service(tags, rule) else "open"
        for node, tags in sorted(extract.node_tags.items())
        if street_class(tags) == "elevator"
    }
    _tell_hours(extract, kept, rejects)
    used = {node for way in kept.values() for node in way.node_ids}
    shut = {node: why for node, why in shut_nodes(extract, rule).items() if node in used}
    for node, why in sorted(shut.items()):
        rejects.notice(f"node/{node}", "shut_barrier", why)
    walls = _walls(extract, kept, rule, rejects)
    _tell_walls_passed(extract, kept, rule, locate, rejects)
    return StreetSource(
        ways=kept,
        node_id=extract.node_id,
        position=position,
        names=names,
        lifts=lifts,
        plazas=plazas,
        lift_areas=lift_areas,
        shut=shut,
        walls=walls,
        supporting_count=extract.element_count - len(candidates) - relation_count,
        used_count=used_count,
    )


def _tell_hours(extract: OsmExtract, kept: Mapping[int, OsmWay], rejects: Rejects) -> None:
    """Tell of lifts and ways that are not open at all hours: whether a walk by day counts them."""
    told = [
        (f"node/{key}", tags) for key, tags in extract.node_tags.items()
        if "opening_hours" in tags and street_class(tags) == "elevator"
    ]  # fmt: skip
    told += [(f"way/{key}", way.tags) for key, way in kept.items() if "opening_hours" in way.tags]
    for row, tags in sorted(told, key=lambda one: one[0]):
        hours = tags["opening_hours"]
        if hours != "24/7":
            state = {True: "open", False: "closed", None: "taken for open"}[is_open_at_noon(hours)]
            rejects.notice(row, "limited_hours", f"{hours}: {state} by day")


def _walls(
    extract: OsmExtract, kept: Mapping[int, OsmWay], rule: StreetRule, rejects: Rejects
) -> dict[int, tuple[int, int]]:
    """Return where walls end ways, told. Tunnels and bridges pass, stairs pass a retaining wall."""
    lines = wall_lines(extract, rule)
    if not lines:
        return {}
    met: dict[int, list[OsmWay]] = {}
    for way in kept.values():
        for node in dict.fromkeys(way.node_ids):
            met.setdefault(node, []).append(way)
    there = set(extract.node_id.tolist())
    found = {}
    for node, (before, after, kind) in sorted(walls_at(lines, extract.node_tags, set(met)).items()):
        if not {before, after} <= there or any(_passes(way, kind) for way in met[node]):
            continue
        found[node] = before, after
        rejects.notice(f"node/{node}", "crossed_wall", f"barrier={kind} without a gate")
    return found


def _tell_walls_passed(
    extract: OsmExtract,
    kept: Mapping[int, OsmWay],
    rule: StreetRule,
    locate: Locate,
    rejects: Rejects,
) -> None:
    """Tell of ways drawn across a wall without a shared point: they are walked, which may be wrong."""
    walls = [(wall, locate(wall.node_ids)) for wall in wall_lines(extract, rule)]
    walls = [(wall, points) for wall, points in walls if points is not None and len(points) > 1]
    if not walls:
        return
    ways = [way for _, way in sorted(kept.items()) if not _passes(way, "")]
    if not ways:
        return
    lines = [shapely.LineString(locate(way.node_ids)) for way in ways]
    tree = shapely.STRtree([shapely.LineString(points) for _, points in walls])
    crossed: dict[int, str] = {}
    for way, wall in zip(*tree.query(lines, predicate="crosses").tolist(), strict=True):
        told = walls[wall][0]
        if set(told.node_ids).isdisjoint(ways[way].node_ids):
            crossed.setdefault(
                ways[way].id, f"walked across way/{told.id}, barrier={told.tags['barrier']}"
            )
    for key, detail in sorted(crossed.items()):
        rejects.notice(f"way/{key}", "passed_wall", detail)


def _passes(way: OsmWay, wall_type: str) -> bool:
    carried = any(way.tags.get(key, "no") not in ("no", "") for key in ("bridge", "tunnel"))
    return carried or (wall_type == "retaining_wall" and street_class(way.tags) == "steps")


def flat_nodes(ways: Sequence[OsmWay]) -> tuple[Integers, Integers]:
    """Return the nodes of all ways one after another, and for each the number of its way."""
    nodes = np.array(list(chain.from_iterable(way.node_ids for way in ways)), dtype=np.int64)
    sizes = np.array([len(way.node_ids) for way in ways], dtype=np.int64)
    return nodes, np.repeat(np.arange(len(ways)), sizes)


def _lacks_point(ways: Sequence[OsmWay], node_id: Integers) -> set[int]:
    """Return the numbers of the ways of which a node is not there."""
    nodes, owner = flat_nodes(ways)
    return set(owner[~np.isin(nodes, node_id)].tolist())
