"""The walking network from OpenStreetMap ways: nodes where ways meet, links between them.

Pedestrians ignore one-way signs; only escalators have a direction. Bends are kept in the links'
lines, they are no nodes.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipeline.contracts.raw import OsmExtract, OsmWay
from pipeline.geo.datum import into_working_crs
from pipeline.geo.raster import Floats
from pipeline.intake.rejects import Rejects
from pipeline.settings.city import Source
from pipeline.settings.intake import StreetRule

_NO = ("no", "private")
_TOLD = (
    "highway_type", "structure_type", "is_main_road", "is_forward_open", "is_backward_open",
    "incline_grade", "incline_type",
)  # fmt: skip
_READ_TAGS = (
    "highway", "conveying", "tunnel", "covered", "bridge", "operational_status", "status",
    "disused", "access", "incline",
)  # fmt: skip
"""All tags from which the columns of ``_TOLD`` follow."""
_INCLINE = re.compile(r"^\s*([+-]?\d+(?:[.,]\d+)?)\s*(%|°)\s*$")


@dataclass(frozen=True)
class StreetSource:
    """Walkable ways of one source, in the working CRS."""

    ways: dict[int, OsmWay]
    node_id: NDArray[np.int64]
    """Sorted; ``position`` holds x and y of each, metres."""
    position: Floats
    names: dict[int, str]
    lifts: dict[int, str]
    """Lifts mapped as a node: open or closed."""
    supporting_count: int
    used_count: int


def streets_from_osm(
    extract: OsmExtract,
    source: Source,
    rule: StreetRule,
    working_crs: str,
    rejects: Rejects,
    known: set[int],
) -> StreetSource:
    """Return the ways of one source that people may walk on.

    ``known`` holds ways that an earlier source brought already; they are left out as repeated.
    """
    x, y = into_working_crs(
        extract.node_x, extract.node_y, datum=source.datum, crs=source.crs, working_crs=working_crs
    )
    candidates = [way for way in extract.ways if "highway" in way.tags]
    lacks_point = _lacks_point(candidates, extract.node_id)
    kept: dict[int, OsmWay] = {}
    for number, way in enumerate(candidates):
        row = f"way/{way.id}"
        fault = _closed(way.tags, rule)
        if fault:
            rejects.row(row, "not_walkable", fault)
        elif way.id in known:
            rejects.row(row, "repeated_way", "an earlier source brings the same way")
        elif len(way.node_ids) < 2:
            rejects.row(row, "too_few_points", f"{len(way.node_ids)} points")
        elif number in lacks_point:
            rejects.row(row, "point_absent", "a point of the way is not in the file")
        else:
            kept[way.id] = way
    name_fields = source.columns.get("road_name", ["name"])
    labels = {
        key: next((tags[tag] for tag in name_fields if tags.get(tag)), "")
        for key, tags in ((key, way.tags) for key, way in kept.items())
    }
    names = {key: label for key, label in labels.items() if label}
    lifts = {
        node: "closed" if is_out_of_service(tags) else "open"
        for node, tags in sorted(extract.node_tags.items())
        if tags.get("highway") == "elevator"
    }
    return StreetSource(
        ways=kept,
        node_id=extract.node_id,
        position=np.column_stack([x, y]),
        names=names,
        lifts=lifts,
        supporting_count=extract.element_count - len(candidates),
        used_count=len(kept),
    )


def _flat(ways: Sequence[OsmWay]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the nodes of all ways one after another, and for each the number of its way."""
    nodes = np.array(list(chain.from_iterable(way.node_ids for way in ways)), dtype=np.int64)
    sizes = np.array([len(way.node_ids) for way in ways], dtype=np.int64)
    return nodes, np.repeat(np.arange(len(ways)), sizes)


def _lacks_point(ways: Sequence[OsmWay], node_id: NDArray[np.int64]) -> set[int]:
    """Return the numbers of the ways of which a node is not there."""
    nodes, owner = _flat(ways)
    return set(owner[~np.isin(nodes, node_id)].tolist())


def _closed(tags: Mapping[str, str], rule: StreetRule) -> str:
    if tags["highway"] in rule.closed_highway_types:
        return f"highway={tags['highway']}"
    if tags.get("foot") in _NO:
        return f"foot={tags['foot']}"
    if tags.get("access") in _NO and tags.get("foot") not in ("yes", "designated", "permissive"):
        return f"access={tags['access']}"
    if tags.get("area") == "yes":
        return "area=yes"
    return ""


def street_tables(
    sources: list[StreetSource], rule: StreetRule, working_crs: str
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the nodes where ways begin, end or meet, and the links between them."""
    by_id: dict[int, OsmWay] = {}
    names: dict[int, str] = {}
    lifts: dict[int, str] = {}
    for source in sources:
        by_id |= source.ways
        names |= source.names
        lifts |= source.lifts
    ways = [by_id[key] for key in sorted(by_id)]
    node_id, position = _all_nodes(sources)
    flat, owner = _flat(ways)
    flat = np.searchsorted(node_id, flat)
    links = _links(flat, owner, np.isin(node_id, list(lifts)))
    read, reading = _readings(ways, rule)
    told = read.iloc[reading[links.way]].reset_index(drop=True)
    labels = pd.Series([names.get(way.id) for way in ways], dtype="str")
    ends, end = np.unique(flat[np.concatenate([links.first, links.last])], return_inverse=True)
    end_names = [f"N{node}" for node in node_id[ends].tolist()]
    from_name, to_name = (pd.array(end_names, dtype="str").take(half) for half in np.split(end, 2))
    keys = np.array([way.id for way in ways], dtype=np.int64)[links.way]
    edge_ids = [
        f"W{key}-{number}" for key, number in zip(keys.tolist(), links.number.tolist(), strict=True)
    ]
    table = told.assign(
        edge_id=pd.array(edge_ids, dtype="str"),
        from_node_id=from_name,
        to_node_id=to_name,
        road_name=labels.array.take(links.way),
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
    return nodes, edges


def _all_nodes(sources: list[StreetSource]) -> tuple[NDArray[np.int64], Floats]:
    """Return the nodes of all sources, sorted, and their positions; of the same one the last counts."""
    ids = np.concatenate([source.node_id for source in sources])[::-1]
    node_id, first = np.unique(ids, return_index=True)
    return node_id, np.concatenate([source.position for source in sources])[::-1][first]


@dataclass(frozen=True)
class _Links:
    """Stretches between cuts of ways, by places in the row of all ways' nodes."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    way: NDArray[np.int64]
    number: NDArray[np.int64]
    """Counts the links of a way from 0."""

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return every place that a link passes, ends included, after the number of its link."""
        sizes = self.last - self.first + 1
        link = np.repeat(np.arange(len(sizes)), sizes)
        return link, np.arange(len(link)) - (np.cumsum(sizes) - sizes - self.first)[link]


def _links(flat: NDArray[np.int64], owner: NDArray[np.int64], is_lift: NDArray[np.bool_]) -> _Links:
    """Cut ways at every node where they meet another way, themselves or a lift.

    What leads from a node straight back to it, over no other, is no link.
    """
    is_end = (np.diff(owner, prepend=-1) != 0) | (np.diff(owner, append=-1) != 0)
    cuts = np.flatnonzero(is_end | (np.bincount(flat) > 1)[flat] | is_lift[flat])
    first, last = cuts[:-1], cuts[1:]
    moves = np.cumsum(np.diff(flat, prepend=-1) != 0)
    is_link = (owner[first] == owner[last]) & (moves[first] < moves[last])
    first, last = first[is_link], last[is_link]
    way = owner[first]
    return _Links(first, last, way, np.arange(len(way)) - np.searchsorted(way, way))


def _readings(ways: Sequence[OsmWay], rule: StreetRule) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return what each different set of tags says, and for each way the place of its own."""
    keys = [tuple(map(way.tags.get, _READ_TAGS)) for way in ways]
    place_of = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    rows = []
    for key in place_of:
        tags = {tag: text for tag, text in zip(_READ_TAGS, key, strict=True) if text is not None}
        structure, forward, backward = structure_of(tags)
        highway, incline = tags["highway"], tags.get("incline")
        is_main = highway in rule.main_highway_types and structure == "ground"
        grade, direction = incline_grade(incline), incline_type(incline)
        rows.append((highway, structure, is_main, forward, backward, grade, direction))
    place = np.array([place_of[key] for key in keys], dtype=np.int64)
    return pd.DataFrame(rows, columns=_TOLD), place


def _steps_per_m(
    ways: Sequence[OsmWay], flat: NDArray[np.int64], owner: NDArray[np.int64], position: Floats
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


def structure_of(tags: Mapping[str, str]) -> tuple[str, bool, bool]:
    """Return what carries a way, and whether it is open forward and backward on foot.

    An escalator runs along its way unless tagged ``backward``; a ``reversible`` one counts both
    ways. A lift or escalator out of service is closed; its stairs, if any, are another way.
    """
    is_open = not is_out_of_service(tags)
    if tags["highway"] == "elevator":
        return "lift", is_open, is_open
    conveying = tags.get("conveying", "no")
    if conveying not in ("no", ""):
        backward = conveying in ("backward", "reversible")
        return "escalator", is_open and conveying != "backward", is_open and backward
    if tags.get("tunnel", "no") not in ("no", "") or tags.get("covered") == "yes":
        structure = "tunnel"
    elif tags.get("bridge", "no") not in ("no", ""):
        structure = "bridge"
    else:
        structure = "ground"
    return ("steps" if tags["highway"] == "steps" else structure), True, True


def is_out_of_service(tags: Mapping[str, str]) -> bool:
    """Return whether a lift or escalator is tagged as not running."""
    status = tags.get("operational_status", tags.get("status", ""))
    return (
        status in ("closed", "broken", "out_of_order", "disused", "abandoned")
        or tags.get("disused") == "yes"
        or tags.get("access") in _NO
    )


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
