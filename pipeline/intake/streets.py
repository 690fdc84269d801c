"""The walking network from OpenStreetMap ways: nodes where ways meet, links between them.

Pedestrians ignore one-way signs of vehicles. Bends are kept in the links' lines, they are no nodes.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipeline.contracts.raw import OsmWay
from pipeline.geo.raster import Floats
from pipeline.intake.barriers import Cuts, Integers
from pipeline.intake.plazas import WalkArea, as_street, chords, level_of_way
from pipeline.intake.street_sources import StreetSource, flat_nodes
from pipeline.intake.walkable import (
    ACCESS_TAGS,
    directions_on_foot,
    is_out_of_service,
    street_class,
)
from pipeline.settings.intake import StreetRule

_TOLD = (
    "highway_type", "structure_type", "is_main_road", "is_forward_open", "is_backward_open",
    "incline_grade", "incline_type",
)  # fmt: skip
_READ_TAGS = (
    "highway", "conveying", "tunnel", "covered", "bridge", "incline", "oneway", "oneway:foot",
    *ACCESS_TAGS,
)  # fmt: skip
"""All tags from which the columns of ``_TOLD`` follow."""
_INCLINE = re.compile(r"^\s*([+-]?\d+(?:[.,]\d+)?)\s*(%|°)\s*$")


def street_tables(
    sources: list[StreetSource], rule: StreetRule, working_crs: str
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the nodes where ways begin, end or meet, and the links between them."""
    by_id: dict[int, OsmWay] = {}
    names: dict[int, str] = {}
    lifts: dict[int, str] = {}
    shut: dict[int, str] = {}
    walls: dict[int, tuple[int, int]] = {}
    plazas: dict[str, WalkArea] = {}
    lift_areas: dict[str, WalkArea] = {}
    for source in sources:
        by_id |= source.ways
        names |= source.names
        lifts |= source.lifts
        shut |= source.shut
        walls |= source.walls
        plazas |= source.plazas
        lift_areas |= source.lift_areas
    ways = [by_id[key] for key in sorted(by_id)]
    node_id, position = _all_nodes(sources)
    labels = [names.get(way.id) for way in ways]
    stems = [f"W{way.id}" for way in ways]
    if lift_areas:
        ways, position = _into_lifts(ways, node_id, position, lift_areas, lifts, rule)
    drawn_count = len(ways)
    for chord, stem in _across(ways, node_id, position, plazas):
        ways.append(chord)
        stems.append(stem)
        labels.append(names.get(chord.id))
    flat, owner = flat_nodes(ways)
    flat = np.searchsorted(node_id, flat)
    cuts = Cuts(
        flat,
        position,
        np.isin(node_id, list(shut)),
        {
            int(place[0]): (int(place[1]), int(place[2]))
            for place in (np.searchsorted(node_id, (at, *ends)) for at, ends in walls.items())
        },
    )
    links = _links(flat, owner, np.isin(node_id, list(lifts))[flat] | cuts.at())
    read, reading = _readings(ways, rule)
    told = read.iloc[reading[links.way]].reset_index(drop=True)
    is_across = (links.way >= drawn_count) & (told["structure_type"] == "ground")
    told["structure_type"] = told["structure_type"].mask(is_across, "plaza")
    first, last = cuts.parted(links.first, links.last)
    node_id, position, end_name = _with_new_ends(node_id, position, cuts.new_ends)
    ends, end = np.unique(np.concatenate([first, last]), return_inverse=True)
    end_names = [end_name(place) for place in ends.tolist()]
    from_name, to_name = (pd.array(end_names, dtype="str").take(half) for half in np.split(end, 2))
    edge_ids = [
        f"{stems[way]}-{number}"
        for way, number in zip(links.way.tolist(), links.number.tolist(), strict=True)
    ]
    table = told.assign(
        edge_id=pd.array(edge_ids, dtype="str"),
        from_node_id=from_name,
        to_node_id=to_name,
        road_name=pd.Series(labels, dtype="str").array.take(links.way),
    )
    piece, places = links.places()
    shapes = shapely.linestrings(position[flat[places]], indices=piece) if len(table) else []
    edges = gpd.GeoDataFrame(table, geometry=shapes, crs=working_crs)
    edges["length_m"] = edges.length
    steps_per_m = _steps_per_m(ways, flat, owner, position)[links.way]
    edges["rise_steps"] = steps_per_m * edges["length_m"]
    edges = edges.sort_values("edge_id").reset_index(drop=True)
    order = sorted(range(len(ends)), key=end_names.__getitem__)
    ends = ends[order]
    nodes = gpd.GeoDataFrame(
        {"node_id": [end_names[place] for place in order]},
        geometry=shapely.points(position[ends]),
        crs=working_crs,
    )
    nodes["lift_type"] = [lifts.get(node, "none") for node in node_id[ends].tolist()]
    nodes["is_shut_gate"] = np.isin(node_id[ends], list(shut))
    return nodes, edges


def _with_new_ends(
    node_id: Integers, position: Floats, new_ends: Sequence[int]
) -> tuple[Integers, Floats, Callable[[int], str]]:
    """Return the nodes with the added ends behind them, and a function to the name of each."""
    count = len(node_id)
    added = np.array(new_ends, dtype=np.int64)
    grown = np.concatenate([node_id, node_id[added]]), np.concatenate([position, position[added]])
    seen: dict[int, int] = {}
    numbers = []
    for place in new_ends:
        seen[place] = seen.get(place, 0) + 1
        numbers.append(seen[place])

    def name(place: int) -> str:
        return f"N{grown[0][place]}" + (f"-{numbers[place - count]}" if place >= count else "")

    return *grown, name


def _into_lifts(
    ways: Sequence[OsmWay],
    node_id: Integers,
    position: Floats,
    lift_areas: Mapping[str, WalkArea],
    lifts: dict[int, str],
    rule: StreetRule,
) -> tuple[list[OsmWay], Floats]:
    """Return ways and positions with every lift drawn as an area drawn together to one point.

    That point stands in the middle; all ways that touch the area or end in it meet there. ``lifts``
    takes it up.
    """
    position = position.copy()
    used, _ = flat_nodes(ways)
    used = np.unique(used)
    points = shapely.points(position[np.searchsorted(node_id, used)])
    into: dict[int, int] = {}
    for area in lift_areas.values():
        outline = {node for ring in area.rings for node in ring.node_ids}
        inside = used[shapely.contains(area.shape, points)].tolist()
        met = sorted(set(used.tolist()) & outline | set(inside))
        if not met:
            continue
        middle = shapely.centroid(area.shape)
        position[np.searchsorted(node_id, met[0])] = middle.x, middle.y
        into |= dict.fromkeys(met, met[0])
        closed = is_out_of_service(area.tags, rule) or "closed" in [lifts.get(one) for one in met]
        for one in met:
            lifts.pop(one, None)
        lifts[met[0]] = "closed" if closed else "open"
    moved = [
        OsmWay(way.id, tuple(into.get(node, node) for node in way.node_ids), way.tags)
        if not into.keys().isdisjoint(way.node_ids)
        else way
        for way in ways
    ]
    return moved, position


def _across(
    ways: Sequence[OsmWay], node_id: Integers, position: Floats, plazas: Mapping[str, WalkArea]
) -> list[tuple[OsmWay, str]]:
    """Return the straight walks across plazas as ways of two nodes, each with the stem of its key.

    One enters a plaza where another way touches its outline, or ends inside.
    """
    if not plazas:
        return []
    flat, owner = flat_nodes(ways)
    outlines = {node for area in plazas.values() for ring in area.rings for node in ring.node_ids}
    on_outline = np.flatnonzero(np.isin(flat, list(outlines)))
    met: dict[int, set[int]] = {}
    for node, way in zip(flat[on_outline].tolist(), owner[on_outline].tolist(), strict=True):
        met.setdefault(node, set()).add(ways[way].id)
    node, count = np.unique(flat, return_counts=True)
    single = set(node[count == 1].tolist())
    level_of = {
        end: level_of_way(way.tags)
        for way in ways
        for end in (way.node_ids[0], way.node_ids[-1])
        if end in single
    }
    loose = np.array(sorted(level_of), dtype=np.int64)
    places = np.searchsorted(node_id, loose)
    found = []
    for key, area in sorted(plazas.items()):
        rings = {ring.id for ring in area.rings}
        outline = {node for ring in area.rings for node in ring.node_ids}
        entries = {node for node in outline if not rings.issuperset(met.get(node, ()))}
        is_inside = shapely.contains_xy(area.shape, *position[places].T)
        level = level_of_way(area.tags)
        entries |= {end for end in loose[is_inside].tolist() if level_of[end] == level} - outline
        place_of = {
            node: int(place) for node, place in zip(
                [*outline, *entries], np.searchsorted(node_id, [*outline, *entries]), strict=True
            )
        }  # fmt: skip
        for number, pair in enumerate(chords(area, sorted(entries), place_of, position)):
            way = OsmWay(area.rings[0].id, pair, as_street(area.tags))
            found.append((way, f"{key}-across{number}"))
    return found


def _all_nodes(sources: list[StreetSource]) -> tuple[Integers, Floats]:
    """Return the nodes of all sources, sorted, and their positions; of the same one the last counts."""
    ids = np.concatenate([source.node_id for source in sources])[::-1]
    node_id, first = np.unique(ids, return_index=True)
    return node_id, np.concatenate([source.position for source in sources])[::-1][first]


@dataclass(frozen=True)
class _Links:
    """Stretches between cuts of ways, by places in the row of all ways' nodes."""

    first: Integers
    last: Integers
    way: Integers
    number: Integers
    """Counts the links of a way from 0."""

    def places(self) -> tuple[Integers, Integers]:
        """Return every place that a link passes, ends included, after the number of its link."""
        sizes = self.last - self.first + 1
        link = np.repeat(np.arange(len(sizes)), sizes)
        return link, np.arange(len(link)) - (np.cumsum(sizes) - sizes - self.first)[link]


def _links(flat: Integers, owner: Integers, is_cut: NDArray[np.bool_]) -> _Links:
    """Cut ways at every node where they meet another way or themselves, and where ``is_cut`` says.

    What leads from a node straight back to it, over no other, is no link.
    """
    is_end = (np.diff(owner, prepend=-1) != 0) | (np.diff(owner, append=-1) != 0)
    cuts = np.flatnonzero(is_end | (np.bincount(flat) > 1)[flat] | is_cut)
    first, last = cuts[:-1], cuts[1:]
    moves = np.cumsum(np.diff(flat, prepend=-1) != 0)
    is_link = (owner[first] == owner[last]) & (moves[first] < moves[last])
    first, last = first[is_link], last[is_link]
    way = owner[first]
    return _Links(first, last, way, np.arange(len(way)) - np.searchsorted(way, way))


def _readings(ways: Sequence[OsmWay], rule: StreetRule) -> tuple[pd.DataFrame, Integers]:
    """Return what each different set of tags says, and for each way the place of its own."""
    keys = [tuple(map(way.tags.get, _READ_TAGS)) for way in ways]
    place_of = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    rows = []
    for key in place_of:
        tags = {tag: text for tag, text in zip(_READ_TAGS, key, strict=True) if text is not None}
        structure, forward, backward = structure_of(tags, rule)
        highway, incline = street_class(tags), tags.get("incline")
        is_main = highway in rule.main_highway_types and structure == "ground"
        grade, direction = incline_grade(incline), incline_type(incline)
        rows.append((highway, structure, is_main, forward, backward, grade, direction))
    place = np.array([place_of[key] for key in keys], dtype=np.int64)
    return pd.DataFrame(rows, columns=_TOLD), place


def _steps_per_m(
    ways: Sequence[OsmWay], flat: Integers, owner: Integers, position: Floats
) -> Floats:
    """Return how many steps each way is tagged with, over its length; NaN where it is with none."""
    found = np.full(len(ways), np.nan)
    begins = np.searchsorted(owner, np.arange(len(ways) + 1)).tolist()
    for number, way in enumerate(ways):
        if "step_count" in way.tags:
            points = position[flat[begins[number] : begins[number + 1]]].tolist()
            length_m = sum(math.dist(one, two) for one, two in pairwise(points)) or math.inf
            found[number] = _number(way.tags["step_count"]) / length_m
    return found


def structure_of(tags: Mapping[str, str], rule: StreetRule) -> tuple[str, bool, bool]:
    """Return what carries a way, and whether it is open forward and backward on foot.

    A lift or escalator out of service is closed; its stairs, if any, are another way.
    """
    forward, backward = directions_on_foot(tags)
    if street_class(tags) == "elevator":
        is_open = not is_out_of_service(tags, rule)
        return "lift", is_open, is_open
    if tags.get("conveying", "no") not in ("no", ""):
        is_open = not is_out_of_service(tags, rule)
        return "escalator", is_open and forward, is_open and backward
    if tags.get("tunnel", "no") not in ("no", "") or tags.get("covered") == "yes":
        structure = "tunnel"
    elif tags.get("bridge", "no") not in ("no", ""):
        structure = "bridge"
    else:
        structure = "ground"
    return ("steps" if street_class(tags) == "steps" else structure), forward, backward


def incline_type(text: str | None) -> str:
    """Return whether a way rises or falls along its direction: up, down or unknown."""
    if text in ("up", "down"):
        return text
    grade = incline_grade(text)
    if np.isnan(grade) or grade == 0:
        return "unknown"
    return "up" if grade > 0 else "down"


def incline_grade(text: str | None) -> float:
    """Return the grade of a tag such as ``10%``, ``-5.5 %`` or ``45°``; NaN where it tells none."""
    match = _INCLINE.match(text or "")
    if not match:
        return float("nan")
    value = float(match[1].replace(",", "."))
    if match[2] == "°":
        return float(np.tan(np.radians(value))) if abs(value) < 80 else float("nan")
    return value / 100


def _number(text: str | None) -> float:
    return float(text) if text and text.isdecimal() else float("nan")
