"""The walking network from OpenStreetMap ways: nodes where ways meet, links between them.

Pedestrians ignore one-way signs; only escalators have a direction. Bends are kept in the links'
lines, they are no nodes.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.contracts.raw import OsmExtract, OsmWay
from pipeline.geo.datum import into_working_crs
from pipeline.intake.rejects import Rejects
from pipeline.settings.city import Source
from pipeline.settings.intake import StreetRule

_NO = ("no", "private")
_INCLINE = re.compile(r"^\s*([+-]?\d+(?:[.,]\d+)?)\s*(%|°)\s*$")


@dataclass(frozen=True)
class StreetSource:
    """Walkable ways of one source, in the working CRS."""

    ways: dict[int, OsmWay]
    position: dict[int, tuple[float, float]]
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
    position = dict(
        zip(extract.node_id.tolist(), zip(x.tolist(), y.tolist(), strict=True), strict=True)
    )
    kept: dict[int, OsmWay] = {}
    candidate_count = 0
    for way in extract.ways:
        if "highway" not in way.tags:
            continue
        candidate_count += 1
        row = f"way/{way.id}"
        fault = _closed(way.tags, rule)
        if fault:
            rejects.row(row, "not_walkable", fault)
        elif way.id in known:
            rejects.row(row, "repeated_way", "an earlier source brings the same way")
        elif len(way.node_ids) < 2:
            rejects.row(row, "too_few_points", f"{len(way.node_ids)} points")
        elif any(node not in position for node in way.node_ids):
            rejects.row(row, "point_absent", "a point of the way is not in the file")
        else:
            kept[way.id] = way
    name_fields = source.columns.get("road_name", ["name"])
    names = {
        key: next(way.tags[field] for field in name_fields if way.tags.get(field))
        for key, way in kept.items()
        if any(way.tags.get(field) for field in name_fields)
    }
    lifts = {
        node: "closed" if is_out_of_service(tags) else "open"
        for node, tags in sorted(extract.node_tags.items())
        if tags.get("highway") == "elevator"
    }
    return StreetSource(
        kept, position, names, lifts, extract.element_count - candidate_count, len(kept)
    )


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
    ways: dict[int, OsmWay] = {}
    position: dict[int, tuple[float, float]] = {}
    names: dict[int, str] = {}
    lifts: dict[int, str] = {}
    for source in sources:
        ways |= source.ways
        position |= source.position
        names |= source.names
        lifts |= source.lifts
    visits = Counter(node for way in ways.values() for node in way.node_ids)
    rows: list[tuple[object, ...]] = []
    pieces: list[tuple[int, ...]] = []
    for key in sorted(ways):
        way = ways[key]
        tags = way.tags
        structure, forward, backward = structure_of(tags)
        is_main = tags["highway"] in rule.main_highway_types and structure == "ground"
        incline = tags.get("incline")
        steps_per_m = math.nan
        if "step_count" in tags:
            steps_per_m = _number(tags["step_count"]) / _length(way.node_ids, position)
        told = (
            tags["highway"], structure, names.get(key), is_main, forward, backward, steps_per_m,
            incline_grade(incline), incline_type(incline),
        )  # fmt: skip
        for number, node_ids in enumerate(_links(way.node_ids, visits, lifts)):
            rows.append((f"W{key}-{number}", f"N{node_ids[0]}", f"N{node_ids[-1]}", *told))
            pieces.append(node_ids)
    columns = [
        "edge_id", "from_node_id", "to_node_id", "highway_type", "structure_type", "road_name",
        "is_main_road", "is_forward_open", "is_backward_open", "rise_steps", "incline_grade",
        "incline_type",
    ]  # fmt: skip
    points = np.array([position[node] for piece in pieces for node in piece]).reshape(-1, 2)
    owner = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
    shapes = shapely.linestrings(points, indices=owner) if len(pieces) else []
    edges = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=shapes, crs=working_crs)
    edges["length_m"] = edges.length
    edges["rise_steps"] = edges["rise_steps"] * edges["length_m"]
    edges = edges.sort_values("edge_id").reset_index(drop=True)
    ids = sorted(set(edges["from_node_id"]) | set(edges["to_node_id"]))
    at = np.array([position[int(node[1:])] for node in ids]).reshape(-1, 2)
    nodes = gpd.GeoDataFrame({"node_id": ids}, geometry=shapely.points(at), crs=working_crs)
    nodes["lift_type"] = [lifts.get(int(node[1:]), "none") for node in ids]
    return nodes, edges


def _links(
    node_ids: tuple[int, ...], visits: Counter[int], lifts: Mapping[int, str]
) -> list[tuple[int, ...]]:
    """Cut a way at every node where it meets another way, itself or a lift."""
    cuts = [
        i
        for i, node in enumerate(node_ids)
        if i in (0, len(node_ids) - 1) or visits[node] > 1 or node in lifts
    ]
    pieces = [node_ids[a : b + 1] for a, b in pairwise(cuts)]
    return [piece for piece in pieces if len(set(piece)) > 1]


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


def _length(node_ids: tuple[int, ...], position: Mapping[int, tuple[float, float]]) -> float:
    points = [position[node] for node in node_ids]
    return sum(math.dist(one, two) for one, two in pairwise(points)) or math.inf
