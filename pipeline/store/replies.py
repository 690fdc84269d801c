"""Read the JSON replies of map servers, as downloaded."""

import json
from pathlib import Path
from typing import Any

from pipeline.contracts.raw import OsmExtract
from pipeline.problem import Problem
from pipeline.store.osm_elements import AGAIN, HOW_TO_ASK, from_elements

_MOST_BYTES = 200_000_000
"""Python holds a reply in ten times its size."""


def read_json(path: Path, encoding: str) -> Any:
    """Return a JSON document, or tell why it is none: empty, a web page, cut short, far too large."""
    if path.stat().st_size > _MOST_BYTES:
        raise Problem(path, f"is larger than {_MOST_BYTES:,} bytes", fix="ask for a smaller area")
    content = path.read_bytes()
    if not content.strip():
        raise Problem(path, "the file is empty", expected="JSON", fix=AGAIN)
    if b"<osm" in content[:4096]:
        raise Problem(
            path, "this is OSM XML, not JSON", expected="JSON",
            fix="write format: osm_xml in the profile, or ask with [out:json]",
        )  # fmt: skip
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
    """Turn an Overpass reply, or a list of several, into an extract, in its own CRS."""
    if isinstance(reply, list) and reply and all(isinstance(one, dict) for one in reply):
        parts = [one.get("elements") for one in reply]
        if all(isinstance(part, list) for part in parts):
            remarks = " ".join(str(one.get("remark", "")) for one in reply)
            reply = {"elements": [one for part in parts for one in part], "remark": remarks}
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
    extract = from_elements(path, reply["elements"])
    if not extract.element_count:
        raise Problem(
            path, "the reply holds counts or areas only, no node, way or relation",
            expected="elements of the map", fix=HOW_TO_ASK,
        )  # fmt: skip
    return extract


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
