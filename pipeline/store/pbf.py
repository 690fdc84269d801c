"""Read OpenStreetMap PBF and O5M files, e.g. regional extracts, cut to the study area while reading."""

from array import array
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import osmium

from pipeline.contracts.raw import OsmExtract, OsmMember, OsmRelation, OsmWay
from pipeline.problem import Problem
from pipeline.store.pbf_blocks import unpacked_bytes
from pipeline.store.study_area import Box

MOST_BYTES = 3_000_000_000
"""Positions of all nodes are held while reading, 16 bytes each: 3 GB of PBF need some 6 GB."""
_ALWAYS_FINE_BYTES, _MOST_RATIO = 48_000_000, 20
"""Extracts unpack to two or three times their size; a block made for it to a thousand times."""
_FREE_PARTS, _PARTS_PER_BYTE = 600_000, 0.5
"""Elements and nodes of ways that are looked at: each takes more than two bytes of a real file."""
_KINDS = {"n": "node", "w": "way", "r": "relation"}
_FAULTS = (RuntimeError, ValueError, UnicodeDecodeError, OverflowError)


def read_pbf(path: Path, box: Box | None = None) -> OsmExtract:
    """Return the ways, the relations and the tagged nodes of a PBF file, with the nodes of its ways.

    Parameters
    ----------
    box
        West, south, east, north in degrees. Only what touches it is kept, ways and outlines whole.
        None: everything.
    """
    if path.stat().st_size > MOST_BYTES:
        raise Problem(
            path, f"is larger than {MOST_BYTES:,} bytes", expected="an extract of the region",
            fix="cut it, e.g. with osmium extract",
        )  # fmt: skip
    packed = path.stat().st_size
    unpacked = unpacked_bytes(path) if path.suffix.lower() == ".pbf" else packed
    if unpacked > _ALWAYS_FINE_BYTES and unpacked > _MOST_RATIO * packed:
        raise Problem(
            path, f"would unpack from {packed:,} to {unpacked:,} bytes",
            expected=f"at most {_MOST_RATIO} times its size",
            fix="do not trust this file; ask for it anew",
        )  # fmt: skip
    try:
        return _read(path, box)
    except _FAULTS as error:
        raise Problem(
            path, f"cannot be read as OpenStreetMap data ({str(error)[:200]})",
            expected="a whole .osm.pbf or .o5m file", fix="download or copy the file again",
        ) from None  # fmt: skip


_WKB = osmium.geom.WKBFactory()
_WKB_HEADER = 18
"""Hexadecimal digits before the coordinates of a line: byte order, type and count."""


class _Nodes:
    """Positions of nodes, some told repeatedly, and the tags of those that bear any."""

    def __init__(self) -> None:
        self.ids = array("q")
        self.places = array("d")
        """Longitude and latitude of each, in turn."""
        self.tags: dict[int, dict[str, str]] = {}

    def in_order(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each node once, sorted, and its position: of several the last one told."""
        told = np.asarray(self.ids, dtype=np.int64)[::-1]
        ids, first = np.unique(told, return_index=True)
        return ids, np.asarray(self.places, dtype=np.float64).reshape(-1, 2)[::-1][first]


def _read(path: Path, box: Box | None) -> OsmExtract:
    nodes = _Nodes()
    ways: dict[int, OsmWay] = {}
    relations: dict[int, OsmRelation] = {}
    kept_count = read_count = 0
    left = _FREE_PARTS + _PARTS_PER_BYTE * path.stat().st_size
    for element in _elements(path):
        read_count += 1
        left -= 1
        if left < 0:
            raise Problem(
                path, "holds far more elements than its size allows for",
                expected="an extract of the region", fix="do not trust this file; ask for it anew",
            )  # fmt: skip
        if element.deleted:
            continue
        if element.is_way():
            left -= len(element.nodes)
            kept_count += _keep_way(element, nodes, ways, box)
        elif element.is_node():
            location = element.location
            if not location.valid():
                continue
            x, y = location.lon, location.lat
            if box is None or (box[0] <= x <= box[2] and box[1] <= y <= box[3]):
                kept_count += 1
                nodes.ids.append(element.id)
                nodes.places.extend((x, y))
                nodes.tags[element.id] = _tags(element)
        elif element.is_relation():
            members = tuple(
                OsmMember(_KINDS.get(one.type, one.type), one.ref, one.role)
                for one in element.members
            )
            if box is None or any(_is_kept(one, nodes, ways) for one in members):
                kept_count += 1
                relations[element.id] = OsmRelation(element.id, members, _tags(element))
    if box is not None:
        _fetch_outlines(path, nodes, ways, relations)
    if not ways and not nodes.tags and not relations:
        where = "" if box is None or not read_count else " in the study area"
        raise Problem(path, f"holds no elements{where}", fix="check the extract's area")
    ids, positions = nodes.in_order()
    distinct = len(nodes.tags) + len(ways) + len(relations)
    return OsmExtract(
        ids,
        positions[:, 0],
        positions[:, 1],
        nodes.tags,
        tuple(ways[key] for key in sorted(ways)),
        tuple(relations[key] for key in sorted(relations)),
        repeated_count=max(kept_count - distinct, 0),
    )


def _elements(path: Path) -> Iterator[Any]:
    """Return ways with positions, relations and tagged nodes; plain nodes never reach Python."""
    untagged: Any = osmium.filter.EmptyTagFilter()
    plain_nodes = untagged.enable_for(osmium.osm.NODE)
    yield from osmium.FileProcessor(str(path)).with_locations().with_filter(plain_nodes)


def _tags(element: Any) -> dict[str, str]:
    # counted, since osmium tells the end of its lists by an exception that takes longer than a tag
    return dict(islice(element.tags, len(element.tags)))


def _keep_way(element: Any, nodes: _Nodes, ways: dict[int, OsmWay], box: Box | None) -> bool:
    """Take a way and its nodes if it touches the box; return whether it is kept."""
    try:
        # all positions by one call into osmium, instead of three for each node
        line = _WKB.create_linestring(element, osmium.geom.use_nodes.ALL)
        places = array("d", bytes.fromhex(line[_WKB_HEADER:]))
        located = None
    except (osmium.InvalidLocationError, RuntimeError):  # a node is absent, or there is only one
        located = [node for node in element.nodes if node.location.valid()]
        places = array("d", [degree for node in located for degree in (node.lon, node.lat)])
    if box is not None:
        west, south, east, north = box
        points = zip(places[::2], places[1::2], strict=True)
        if not any(west <= x <= east and south <= y <= north for x, y in points):
            return False
    refs = tuple([node.ref for node in element.nodes])
    nodes.ids.extend(refs if located is None else [node.ref for node in located])
    nodes.places.extend(places)
    ways[element.id] = OsmWay(element.id, refs, _tags(element))
    return True


def _is_kept(member: OsmMember, nodes: _Nodes, ways: dict[int, OsmWay]) -> bool:
    return (member.type == "way" and member.id in ways) or (
        member.type == "node" and member.id in nodes.tags
    )


def _fetch_outlines(
    path: Path, nodes: _Nodes, ways: dict[int, OsmWay], relations: dict[int, OsmRelation]
) -> None:
    """Read the file once more for parts of outlines that lie outside the box."""
    absent = {
        member.id
        for one in relations.values()
        if one.tags.get("type") in ("multipolygon", "building")
        for member in one.members
        if member.type == "way" and member.id not in ways
    }
    if not absent:
        return
    by_id: Any = osmium.filter.IdFilter(sorted(absent))
    wanted = by_id.enable_for(osmium.osm.WAY)
    only_ways = osmium.filter.EntityFilter(osmium.osm.WAY)
    source = osmium.FileProcessor(str(path)).with_locations()
    for element in source.with_filter(only_ways).with_filter(wanted):
        _keep_way(element, nodes, ways, None)
