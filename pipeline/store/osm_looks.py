"""Look into OpenStreetMap files: JSON, XML, PBF and O5M."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.contracts.raw import OsmExtract
from pipeline.problem import Problem
from pipeline.store.look import Look
from pipeline.store.osm_elements import HOW_TO_ASK, check_shapes
from pipeline.store.osm_xml import XML_ENDINGS, is_osm_xml, read_osm_xml, xml_date
from pipeline.store.replies import overpass_extract

_MOST_ELEMENTS = 20_000
_PLACE_KEYS = (
    "highway", "building", "amenity", "shop", "railway", "leisure", "healthcare", "office",
)  # fmt: skip
_CHANGE_ENDINGS = (".osc", ".osc.gz", ".osc.bz2", ".o5c")


def osm_format(path: Path) -> str:
    """Return the format of an OpenStreetMap file by its name, or of ``.xml`` by how it begins."""
    name = path.name.lower()
    if name.endswith(".pbf"):
        return "osm_pbf"
    if name.endswith(".o5m"):
        return "osm_o5m"
    if name.endswith((*XML_ENDINGS, *_CHANGE_ENDINGS)):
        return "osm_xml"
    return "osm_xml" if name.endswith((".xml", ".xml.gz", ".xml.bz2")) and is_osm_xml(path) else ""


def osm_look(path: Path, name: str, kind: str, stamp: str) -> Look:
    """Return a look at an OpenStreetMap file that is not JSON."""
    if path.name.lower().endswith(_CHANGE_ENDINGS):
        raise Problem(name, "a change file: what was edited, not what is there; get the map itself")
    if kind == "osm_xml":
        return _of_extract(read_osm_xml(path), name, kind, xml_date(path), stamp, None)
    return _binary(path, name, kind, stamp)


def overpass_look(path: Path, name: str, reply: Any, stamp: str) -> Look:
    """Return a look at an Overpass reply in JSON, or at a list of several."""
    first = reply[0] if isinstance(reply, list) else reply
    date = str(first.get("osm3s", {}).get("timestamp_osm_base", ""))[:10]
    extract = overpass_extract(path, reply)
    return _of_extract(extract, name, "overpass_json", date, stamp, "utf-8")


def is_overpass_reply(found: Any) -> bool:
    """Return whether a JSON document is an Overpass reply, or a list of such."""
    replies = found if isinstance(found, list) and found else [found]
    return all(isinstance(one, dict) and isinstance(one.get("elements"), list) for one in replies)


def refuse_overpass_table(name: str, header: list[str]) -> None:
    """Stop at what Overpass writes with ``[out:csv]``: points at best, no line and no outline."""
    if any(one.strip() in ("@id", "@lat", "@lon", "@type") for one in header):
        raise Problem(
            name, f"an Overpass table ([out:csv]) has no shapes; ask with [out:json], and {HOW_TO_ASK}"
        )  # fmt: skip


def _of_extract(
    extract: OsmExtract, name: str, kind: str, date: str, stamp: str, encoding: str | None
) -> Look:
    nodes = [tags for tags in extract.node_tags.values() if _is_place(tags)]
    drawn = [way.tags for way in extract.ways if way.tags]
    drawn += [relation.tags for relation in extract.relations if relation.tags]
    x, y = extract.node_x, extract.node_y
    if extract.centers:
        centers = np.array(list(extract.centers.values()))
        x, y = np.append(x, centers[:, 0]), np.append(y, centers[:, 1])
    try:
        check_shapes(Path(name), extract, "streets")
        geometry = ""
    except Problem:
        geometry = "point"
    return Look(
        name, kind, "EPSG:4326", encoding, geometry=geometry, row_count=len(nodes) + len(drawn),
        bounds=(float(x.min()), float(y.min()), float(x.max()), float(y.max())) if len(x) else None,
        tags=tuple(dict(one) for one in (*nodes, *drawn)), date=date if date[:2] == "20" else "",
        file_date=stamp,
    )  # fmt: skip


def _is_place(tags: Mapping[str, str]) -> bool:
    return any(key in tags for key in _PLACE_KEYS)


def _binary(path: Path, name: str, kind: str, stamp: str) -> Look:
    import osmium

    reader = osmium.io.Reader(str(path))
    header = reader.header()
    reader.close()
    date = str(header.get("osmosis_replication_timestamp"))[:10]
    box = header.box()
    found: list[dict[str, str]] = []
    seen = {"n": 0, "w": 0, "r": 0}
    wanted = osmium.filter.KeyFilter(*_PLACE_KEYS)
    for element in osmium.FileProcessor(str(path)).with_filter(wanted):
        one = element.type_str()
        seen[one] += 1
        if seen[one] <= _MOST_ELEMENTS:
            found.append({tag.k: tag.v for tag in element.tags})
        elif one == "w":
            break
    bounds = None
    if box.valid():
        low, high = box.bottom_left, box.top_right
        bounds = (low.lon, low.lat, high.lon, high.lat)
    return Look(
        name, kind, "EPSG:4326", None, row_count=sum(seen.values()), bounds=bounds,
        tags=tuple(found), date=date if date[:2] == "20" else "", file_date=stamp,
    )  # fmt: skip
