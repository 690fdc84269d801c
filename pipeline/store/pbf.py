"""Read OpenStreetMap PBF files, e.g. regional extracts."""

from pathlib import Path

import numpy as np
import osmium

from pipeline.contracts.raw import OsmExtract, OsmMember, OsmRelation, OsmWay
from pipeline.problem import Problem


def read_pbf(path: Path) -> OsmExtract:
    """Return every node, way and relation of a PBF file."""
    ids: list[int] = []
    x: list[float] = []
    y: list[float] = []
    node_tags: dict[int, dict[str, str]] = {}
    ways: dict[int, OsmWay] = {}
    relations: dict[int, OsmRelation] = {}
    count = 0
    try:
        for element in osmium.FileProcessor(str(path)):
            count += 1
            tags = {tag.k: tag.v for tag in element.tags} if element.tags else {}
            if isinstance(element, osmium.osm.Node):
                location = element.location
                if not location.valid():
                    continue
                ids.append(element.id)
                x.append(location.lon)
                y.append(location.lat)
                if tags:
                    node_tags[element.id] = tags
            elif isinstance(element, osmium.osm.Way):
                refs = tuple(node.ref for node in element.nodes)
                ways[element.id] = OsmWay(element.id, refs, tags)
            elif isinstance(element, osmium.osm.Relation):
                members = tuple(
                    OsmMember(_KINDS.get(one.type, one.type), one.ref, one.role)
                    for one in element.members
                )
                relations[element.id] = OsmRelation(element.id, members, tags)
    except (RuntimeError, ValueError, UnicodeDecodeError) as error:
        raise Problem(
            path, f"cannot be read as OpenStreetMap PBF ({error})",
            expected="a whole .osm.pbf file", fix="download or copy the file again",
        ) from None  # fmt: skip
    if not count:
        raise Problem(path, "holds no elements", fix="check the extract's area")
    node_id = np.array(ids, dtype=np.int64)
    unique, first = np.unique(node_id, return_index=True)
    distinct = len(unique) + len(ways) + len(relations)
    return OsmExtract(
        unique,
        np.array(x)[first],
        np.array(y)[first],
        node_tags,
        tuple(ways[key] for key in sorted(ways)),
        tuple(relations[key] for key in sorted(relations)),
        repeated_count=count - distinct,
    )


_KINDS = {"n": "node", "w": "way", "r": "relation"}
