"""Read the JSON replies of map servers, as downloaded."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.contracts.raw import OsmExtract, OsmMember, OsmRelation, OsmWay
from pipeline.problem import Problem

AGAIN = "download or copy the file again"


def read_json(path: Path, encoding: str) -> Any:
    """Return a JSON document, or tell why it is none: empty, a web page, cut short, not text."""
    content = path.read_bytes()
    if not content.strip():
        raise Problem(path, "the file is empty", expected="JSON", fix=AGAIN)
    if content.lstrip()[:1] == b"<":
        raise Problem(
            path, "this is a web page, not JSON", expected="the server's JSON reply",
            fix="the server answered with an error page; " + AGAIN,
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
            expected="one complete JSON document", fix=AGAIN,
        ) from None  # fmt: skip
    except RecursionError:
        raise Problem(path, "JSON nested too deeply", fix=AGAIN) from None
    except ValueError as error:
        # a whole number of thousands of digits
        raise Problem(path, f"not usable JSON ({str(error)[:100]})", fix=AGAIN) from None


def overpass_extract(path: Path, reply: Any) -> OsmExtract:
    """Turn an Overpass reply into an extract; positions stay in the source's own CRS."""
    if not isinstance(reply, dict) or not isinstance(reply.get("elements"), list):
        raise Problem(path, "no list 'elements'", expected="an Overpass API reply", fix=AGAIN)
    remark = str(reply.get("remark", ""))
    if "error" in remark.lower():
        raise Problem(
            path, f"the server reports: {remark[:200]}", expected="a complete Overpass reply",
            fix="ask for a smaller area or allow more time, then " + AGAIN,
        )  # fmt: skip
    if not reply["elements"]:
        raise Problem(
            path, "the reply holds no elements", expected="at least one",
            fix="check the area of the query, then " + AGAIN,
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
                expected="node with lon and lat, way with nodes, or relation with members", fix=AGAIN,
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


def nominatim_places(path: Path, reply: Any) -> list[dict[str, Any]]:
    """Return the places of a Nominatim reply."""
    if isinstance(reply, dict) and "error" in reply:
        raise Problem(path, f"the server reports: {str(reply['error'])[:200]}", fix=AGAIN)
    places = reply if isinstance(reply, list) else [reply]
    if not places:
        raise Problem(path, "the reply holds no place", fix="check the name asked for")
    for number, place in enumerate(places):
        if not isinstance(place, dict) or not isinstance(place.get("geojson"), dict):
            raise Problem(
                path, f"place {number + 1} has no 'geojson' outline",
                expected="a Nominatim reply asked with polygon_geojson=1", fix=AGAIN,
            )  # fmt: skip
    return places
