"""Put OpenStreetMap elements together to an extract, in whatever dress they come.

An element is a mapping as in Overpass JSON: ``type``, ``id``, ``tags``, ``version``; a node's ``lon``
and ``lat``; a way's ``nodes``, ``geometry`` (``out geom``), ``center`` or ``bounds``; a relation's
``members``, each perhaps with ``geometry``. JOSM marks what is to be deleted by ``action``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.contracts.raw import OsmExtract, OsmMember, OsmRelation, OsmWay
from pipeline.geo.vertices import rounded_vertices, vertex_numbers
from pipeline.problem import Problem
from pipeline.store.study_area import Box

AGAIN = "download or copy the file again"
HOW_TO_ASK = (
    "ask Overpass for points as well: end the query with out geom; or with (._;>;);out body;"
)
_KINDS = ("node", "way", "relation")
_NOT_MAPPED = ("area", "count", "timeline", "changeset")
Position = tuple[float, float]


class Elements:
    """Collects elements; the same one told again is one: the higher version, and what either tells."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._nodes: dict[int, Position] = {}
        self._node_tags: dict[int, dict[str, str]] = {}
        self._ways: dict[int, OsmWay] = {}
        self._relations: dict[int, OsmRelation] = {}
        self._centers: dict[str, Position] = {}
        self._geometry: dict[int, list[Position | None]] = {}
        """Of ways with points but without numbers for them."""
        self._told_by_ways: dict[int, Position] = {}
        self._version: dict[tuple[str, int], int] = {}
        self._told_count = 0
        self._count = 0

    def add(self, element: Any) -> None:
        """Take one element.

        Raises
        ------
        Problem
            If it is none.
        """
        self._count += 1
        try:
            self._add(element)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Problem(
                self._path,
                f"element {self._count} is malformed ({type(error).__name__}: {error})",
                expected="node with lon and lat, way with nodes, or relation with members",
                fix=AGAIN,
            ) from None

    def _add(self, element: Mapping[str, Any]) -> None:
        kind = element["type"]
        if kind in _NOT_MAPPED:
            return
        if kind not in _KINDS:
            raise ValueError(kind)
        key = _integer(element["id"])
        if element.get("action") == "delete" or element.get("visible") in (False, "false"):
            return
        version = int(element.get("version") or 0)
        known = self._version.get((kind, key))
        self._told_count += 1
        if known is not None and version < known:
            return
        if known is not None and version > known:
            self._forget(kind, key)
        self._version[kind, key] = version
        tags = {str(k): str(v) for k, v in (element.get("tags") or {}).items()}
        if kind == "node":
            self._add_node(key, element, tags)
        elif kind == "way":
            self._add_way(key, element, tags)
        else:
            self._add_relation(key, element, tags)

    def _forget(self, kind: str, key: int) -> None:
        for of_kind, held in (
            ("node", (self._nodes, self._node_tags)),
            ("way", (self._ways, self._geometry)),
            ("relation", (self._relations,)),
        ):
            if kind == of_kind:
                for one in held:
                    one.pop(key, None)
        self._centers.pop(f"{kind}/{key}", None)

    def _add_node(self, key: int, element: Mapping[str, Any], tags: dict[str, str]) -> None:
        if "lon" in element or "lat" in element:
            self._nodes[key] = float(element["lon"]), float(element["lat"])
        elif tags:
            raise KeyError("lon")
        if tags:
            self._node_tags[key] = tags

    def _add_way(self, key: int, element: Mapping[str, Any], tags: dict[str, str]) -> None:
        nodes = tuple(_integer(node) for node in element.get("nodes") or ())
        points = [_point(one) for one in element.get("geometry") or ()]
        before = self._ways.get(key, OsmWay(key, (), {}))
        if nodes and len(points) == len(nodes):
            for node, point in zip(nodes, points, strict=True):
                if point is not None:
                    self._told_by_ways[node] = point
            nodes = _located(nodes, points)
        elif points:
            self._geometry[key] = points
        self._ways[key] = OsmWay(key, nodes or before.node_ids, tags or before.tags)
        self._add_center(f"way/{key}", element)

    def _add_relation(self, key: int, element: Mapping[str, Any], tags: dict[str, str]) -> None:
        members = []
        for one in element.get("members") or ():
            member = OsmMember(str(one["type"]), _integer(one["ref"]), str(one.get("role", "")))
            members.append(member)
            points = [_point(place) for place in one.get("geometry") or ()]
            if member.type == "way" and points:
                self._geometry.setdefault(member.id, points)
                self._ways.setdefault(member.id, OsmWay(member.id, (), {}))
        before = self._relations.get(key, OsmRelation(key, (), {}))
        self._relations[key] = OsmRelation(
            key, tuple(members) or before.members, tags or before.tags
        )
        self._add_center(f"relation/{key}", element)

    def _add_center(self, row: str, element: Mapping[str, Any]) -> None:
        center, bounds = element.get("center"), element.get("bounds")
        if center:
            self._centers[row] = float(center["lon"]), float(center["lat"])
        elif bounds:
            self._centers[row] = (
                (float(bounds["minlon"]) + float(bounds["maxlon"])) / 2,
                (float(bounds["minlat"]) + float(bounds["maxlat"])) / 2,
            )

    def extract(self) -> OsmExtract:
        """Return everything taken.

        Raises
        ------
        Problem
            If no element says where it lies.
        """
        nodes = self._told_by_ways | self._nodes
        for key, points in self._geometry.items():
            way = self._ways[key]
            if way.node_ids and all(node in nodes for node in way.node_ids):
                continue
            there = [point for point in _trimmed(points) if point is not None]
            rounded = rounded_vertices(np.array(there, dtype=np.float64).reshape(-1, 2))
            numbers = vertex_numbers(rounded).tolist() if there else []
            nodes |= dict(zip(numbers, map(tuple, rounded.tolist()), strict=True))
            self._ways[key] = OsmWay(key, tuple(numbers), way.tags)
        self._check_places(nodes)
        ids = np.array(sorted(nodes), dtype=np.int64)
        positions = np.array([nodes[key] for key in ids.tolist()], dtype=np.float64).reshape(-1, 2)
        distinct = len(self._version)
        return OsmExtract(
            ids,
            positions[:, 0],
            positions[:, 1],
            {key: tags for key, tags in self._node_tags.items() if key in nodes},
            tuple(self._ways[key] for key in sorted(self._ways)),
            tuple(self._relations[key] for key in sorted(self._relations)),
            repeated_count=self._told_count - distinct,
            centers=self._centers,
        )

    def _check_places(self, nodes: Mapping[int, Position]) -> None:
        """Stop if ways, or all there is, come without any place."""
        if self._centers or not (self._ways or self._relations):
            return
        placed = sum(any(node in nodes for node in way.node_ids) for way in self._ways.values())
        if self._ways and not placed:
            raise Problem(
                self._path,
                f"holds {len(self._ways):,} ways but none of their points; {HOW_TO_ASK}",
                expected="ways with their points",
            )  # fmt: skip
        if not nodes:
            raise Problem(
                self._path, "holds relations but neither their ways nor any point",
                expected="relations with their ways and points", fix=HOW_TO_ASK,
            )  # fmt: skip


def _point(told: Any) -> Position | None:
    return None if told is None else (float(told["lon"]), float(told["lat"]))


def _trimmed(points: list[Position | None]) -> list[Position | None]:
    """Return points without the absent ones at both ends, which lie outside the box asked for.

    If some are absent in between as well the way comes in pieces: then there are none.
    """
    there = [number for number, point in enumerate(points) if point is not None]
    if not there or there[-1] - there[0] + 1 != len(there):
        return []
    return points[there[0] : there[-1] + 1]


def _located(nodes: tuple[int, ...], points: list[Position | None]) -> tuple[int, ...]:
    kept = [number for number, point in enumerate(points) if point is not None]
    if not kept or kept[-1] - kept[0] + 1 != len(kept):
        return nodes
    return nodes[kept[0] : kept[-1] + 1]


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} is too large")
    return value


def check_shapes(path: Path, extract: OsmExtract, role: str) -> None:
    """Stop if an extract cannot fill a role that needs lines or outlines, since it has centres only.

    Raises
    ------
    Problem
        With how to ask for the shapes.
    """
    if role not in ("streets", "footprints") or not extract.centers or not extract.ways:
        return
    is_there = np.isin(
        np.array([way.node_ids[0] for way in extract.ways if way.node_ids], dtype=np.int64),
        extract.node_id,
    )
    if not is_there.any():
        raise Problem(
            path, f"holds the centres of {len(extract.centers):,} ways and relations, not their lines",
            expected=f"{role} with their points", fix=HOW_TO_ASK,
        )  # fmt: skip


def within(extract: OsmExtract, box: Box | None) -> OsmExtract:
    """Return what touches a box (west, south, east, north), ways and outlines whole."""
    if box is None:
        return extract
    west, south, east, north = box
    x, y = extract.node_x, extract.node_y
    inside = set(extract.node_id[(x >= west) & (x <= east) & (y >= south) & (y <= north)].tolist())
    ways = {way.id: way for way in extract.ways if not inside.isdisjoint(way.node_ids)}
    tags = {node: told for node, told in extract.node_tags.items() if node in inside}
    centers = {
        row: (x, y) for row, (x, y) in extract.centers.items()
        if west <= x <= east and south <= y <= north
    }  # fmt: skip
    relations = tuple(
        one for one in extract.relations
        if f"relation/{one.id}" in centers
        or any(m.id in (ways if m.type == "way" else tags) for m in one.members)
    )  # fmt: skip
    wanted = {m.id for one in relations for m in one.members if m.type == "way"}
    kept = tuple(
        way for way in extract.ways
        if way.id in ways or way.id in wanted or f"way/{way.id}" in centers
    )  # fmt: skip
    used = {node for way in kept for node in way.node_ids} | tags.keys()
    is_used = np.isin(extract.node_id, np.array(sorted(used), dtype=np.int64))
    return OsmExtract(
        extract.node_id[is_used], x[is_used], y[is_used],
        {node: told for node, told in extract.node_tags.items() if node in used},
        kept, relations, centers=centers,
    )  # fmt: skip


def from_elements(path: Path, elements: Iterable[Any]) -> OsmExtract:
    """Return the extract of some elements."""
    found = Elements(path)
    for element in elements:
        found.add(element)
    return found.extract()
