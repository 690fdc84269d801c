"""Read raw files as delivered; every fault names the file and what to do."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.contracts.raw import OsmExtract, OsmMember, OsmRelation, OsmWay
from pipeline.geo.raster import Raster
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.raw_folder import source_path

_AGAIN = "download or copy the file again"


def read_sources(raw_folder: Path, sources: Mapping[str, Source]) -> dict[str, Any]:
    """Return every source in memory; a file that serves several sources is read once."""
    read: dict[tuple[object, ...], Any] = {}
    found = {}
    for name, source in sorted(sources.items()):
        key = (source.path, source.format, source.encoding, source.crs, source.nodata)
        if key not in read:
            read[key] = read_source(raw_folder, name, source)
        found[name] = read[key]
    return found


def read_source(raw_folder: Path, name: str, source: Source) -> Any:
    """Return a source in memory: an OsmExtract, a Nominatim reply or a Raster.

    Raises
    ------
    Problem
        If the file is absent, cut short, empty or something else than stated.
    """
    path = source_path(raw_folder, source)
    if not path.is_file():
        raise Problem(
            path,
            f"the file of source '{name}' is absent",
            fix=f"put it there, correct sources.{name}.path in the city profile, or give RAW=folder",
        )
    try:
        if source.format == "geotiff":
            return _read_geotiff(path, name, source)
        reply = _read_json(path, source.encoding or "utf-8")
    except PermissionError:
        raise Problem(path, "may not be read", fix="give yourself read permission") from None
    return _nominatim(path, reply) if source.format == "nominatim_json" else _overpass(path, reply)


def _read_json(path: Path, encoding: str) -> Any:
    content = path.read_bytes()
    if not content.strip():
        raise Problem(path, "the file is empty", expected="JSON", fix=_AGAIN)
    if content.lstrip()[:1] == b"<":
        raise Problem(
            path, "this is a web page, not JSON", expected="the server's JSON reply",
            fix="the server answered with an error page; " + _AGAIN,
        )  # fmt: skip
    try:
        return json.loads(content.decode(encoding))
    except UnicodeDecodeError as error:
        raise Problem(
            path,
            f"byte {error.start} is not {encoding} text",
            fix="state the encoding in the profile",
        ) from None
    except LookupError:
        raise Problem(
            path, f"unknown encoding {encoding!r}", expected="e.g. utf-8, gb18030"
        ) from None
    except json.JSONDecodeError as error:
        cut = error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg
        found = "the JSON is cut short" if cut else f"not valid JSON ({error.msg})"
        raise Problem(
            path, f"{found} at line {error.lineno}, column {error.colno}",
            expected="one complete JSON document", fix=_AGAIN,
        ) from None  # fmt: skip
    except RecursionError:
        raise Problem(path, "JSON nested too deeply", fix=_AGAIN) from None


def _overpass(path: Path, reply: Any) -> OsmExtract:
    """Turn an Overpass reply into an extract; positions stay in the source's own CRS."""
    if not isinstance(reply, dict) or not isinstance(reply.get("elements"), list):
        raise Problem(path, "no list 'elements'", expected="an Overpass API reply", fix=_AGAIN)
    remark = str(reply.get("remark", ""))
    if "error" in remark.lower():
        raise Problem(
            path, f"the server reports: {remark[:200]}", expected="a complete Overpass reply",
            fix="ask for a smaller area or allow more time, then " + _AGAIN,
        )  # fmt: skip
    if not reply["elements"]:
        raise Problem(
            path, "the reply holds no elements", expected="at least one",
            fix="check the area of the query, then " + _AGAIN,
        )  # fmt: skip
    nodes: dict[int, tuple[float, float]] = {}
    node_tags: dict[int, dict[str, str]] = {}
    ways: dict[int, OsmWay] = {}
    relations: dict[int, OsmRelation] = {}
    for number, element in enumerate(reply["elements"]):
        try:
            kind, key = element["type"], _integer(element["id"])
            tags = {str(k): str(v) for k, v in element.get("tags", {}).items()}
            if kind == "node":
                nodes[key] = (float(element["lon"]), float(element["lat"]))
                if tags:
                    node_tags[key] = tags
            elif kind == "way":
                node_ids = tuple(_integer(node) for node in element.get("nodes", ()))
                ways[key] = OsmWay(key, node_ids, tags)
            elif kind == "relation":
                members = tuple(
                    OsmMember(str(m["type"]), _integer(m["ref"]), str(m.get("role", "")))
                    for m in element.get("members", ())
                )
                relations[key] = OsmRelation(key, members, tags)
            else:
                raise ValueError(kind)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Problem(
                path, f"element {number + 1} is malformed ({type(error).__name__}: {error})",
                expected="node with lon and lat, way with nodes, or relation with members", fix=_AGAIN,
            ) from None  # fmt: skip
    ids = np.array(sorted(nodes), dtype=np.int64)
    positions = np.array([nodes[key] for key in ids.tolist()], dtype=np.float64).reshape(-1, 2)
    distinct = len(nodes) + len(ways) + len(relations)
    return OsmExtract(
        ids,
        positions[:, 0],
        positions[:, 1],
        node_tags,
        tuple(ways[key] for key in sorted(ways)),
        tuple(relations[key] for key in sorted(relations)),
        repeated_count=len(reply["elements"]) - distinct,
    )


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} is too large")
    return value


def _nominatim(path: Path, reply: Any) -> list[dict[str, Any]]:
    """Return the places of a Nominatim reply."""
    if isinstance(reply, dict) and "error" in reply:
        raise Problem(path, f"the server reports: {str(reply['error'])[:200]}", fix=_AGAIN)
    places = reply if isinstance(reply, list) else [reply]
    if not places:
        raise Problem(path, "the reply holds no place", fix="check the name asked for")
    for number, place in enumerate(places):
        if not isinstance(place, dict) or not isinstance(place.get("geojson"), dict):
            raise Problem(
                path, f"place {number + 1} has no 'geojson' outline",
                expected="a Nominatim reply asked with polygon_geojson=1", fix=_AGAIN,
            )  # fmt: skip
    return places


def _read_geotiff(path: Path, name: str, source: Source) -> Raster:
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with rasterio.open(path) as file:
            found_crs = file.crs
            transform = file.transform
            band = file.read(1, masked=True)
    except (RasterioError, OSError) as error:
        raise Problem(
            path, f"cannot be read as a raster ({error})", expected="a GeoTIFF", fix=_AGAIN
        ) from None
    if found_crs is None or found_crs != rasterio.crs.CRS.from_user_input(source.crs):
        raise Problem(
            path,
            f"its CRS is {found_crs.to_string() if found_crs else 'not stated in the file'}",
            expected=f"{source.crs}, as sources.{name}.crs says",
            fix=f"correct sources.{name}.crs in the profile, or reproject the raster",
        )
    if transform.b or transform.d or transform.a <= 0 or abs(transform.a + transform.e) > 1e-6:
        raise Problem(
            path, "the raster is rotated or its cells are not square",
            expected="a north-up grid of square cells", fix="warp it to one, e.g. with gdalwarp",
        )  # fmt: skip
    values = np.where(np.ma.getmaskarray(band), np.nan, band.data.astype(np.float32))
    if source.nodata is not None:
        values[values == np.float32(source.nodata)] = np.nan
    values[~np.isfinite(values)] = np.nan
    if np.isnan(values).all():
        raise Problem(
            path, "every cell is empty (nodata)", expected="heights in metres",
            fix=f"check the file and sources.{name}.nodata in the profile",
        )  # fmt: skip
    return Raster(values, transform.c, transform.f, transform.a, source.crs)
