"""The place asked for: its outline, its names, its working CRS."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import shapely

from pipeline.fetch.client import Client, Fault, NotThere, Reply
from pipeline.problem import Problem
from pipeline.settings.fetch import BoundaryService

_OSM_ID = re.compile(r"[NWR]\d{1,18}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_MOST_ANSWERS = 10


@dataclass(frozen=True)
class Boundary:
    """An outline in WGS-84 and what is known of it."""

    outline: shapely.Geometry
    content: bytes
    """The file to keep: Nominatim's reply, or the rectangle as GeoJSON."""
    date: str
    request: str
    """What was asked, in words that repeat."""
    url: str
    name_zh: str
    name_en: str
    short_name: str
    """The district's own name in lists."""


def outline_of(content: bytes) -> shapely.Geometry:
    """Return the outline of a boundary file as kept: Nominatim's reply with one place, or GeoJSON.

    Raises
    ------
    ValueError
        If it is neither.
    """
    try:
        found = json.loads(content)
        one = found[0]["geojson"] if isinstance(found, list) else found["features"][0]["geometry"]
        shape = shapely.make_valid(shapely.geometry.shape(one))
    except (KeyError, IndexError, TypeError, AttributeError, shapely.errors.ShapelyError) as error:
        raise ValueError(f"no outline ({error})") from None
    if shape.is_empty or shape.area == 0:
        raise ValueError("the outline has no area")
    return shape


def boundary_by_name(
    client: Client, service: BoundaryService, place: str, tell: Callable[[str], None]
) -> Boundary:
    """Return the boundary of a place by its name, or by an OSM id such as R4738525.

    Of several places of the name the first with an area counts, as Nominatim ranks them; the others
    are told.

    Raises
    ------
    Problem
        If no place with an area has that name, or the server cannot be asked.
    """
    if _OSM_ID.fullmatch(place):
        key, reply = place, _ask(client, service, "lookup", {"osm_ids": place})
    else:
        query = {"q": place, "limit": str(_MOST_ANSWERS)}
        reply = _ask(client, service, "search", query)
        found = json.loads(reply.content)
        areas = [one for one in found if _has_area(one)]
        if not areas:
            said = f"knows {len(found)} places of that name, none with an outline" if found else (
                "knows no such place"
            )  # fmt: skip
            raise Problem(
                f"PLACE={place}", f"Nominatim {said}",
                expected="a district or town, e.g. PLACE='渝中区, 重庆'",
                fix="add the city's name, or give an OSM id (PLACE=R4738525) or a BBOX",
            )  # fmt: skip
        key = _key(areas[0])
        for other in areas[1:]:
            told = str(other.get("display_name", ""))[:80]
            tell(f"  不选 not taken: {told} (PLACE={_key(other)})")
        if len(found) > 1:
            reply = _ask(client, service, "lookup", {"osm_ids": key})
    places = json.loads(reply.content)
    if not places or not _has_area(places[0]):
        raise Problem(
            f"PLACE={place}", f"{key} has no outline at Nominatim",
            fix="choose another id, or BBOX=west,south,east,north",
        )  # fmt: skip
    one = places[0]
    tell(f"  选用 taken: {str(one.get('display_name', ''))[:100]} ({key})")
    own = one.get("namedetails") if isinstance(one.get("namedetails"), dict) else {}
    plain = str(one.get("name") or own.get("name") or place)
    asked_zh = place if _CHINESE.search(place) else ""
    name_zh = asked_zh or str(own.get("name:zh") or plain)
    return Boundary(
        outline_of(reply.content), reply.content, reply.date, f"place {place}", service.url,
        name_zh, str(own.get("name:en") or plain), str(name_zh.split(",")[0].split("，")[0].strip()),
    )  # fmt: skip


def boundary_of_box(text: str, city: str) -> Boundary:
    """Return a rectangle as a boundary.

    Raises
    ------
    Problem
        If the text is not west,south,east,north in degrees.
    """
    try:
        west, south, east, north = (float(part) for part in text.split(","))
        if not (-180 <= west < east <= 180 and -85 <= south < north <= 85):
            raise ValueError
    except ValueError:
        raise Problem(
            f"BBOX={text}", "is no bounding box",
            expected="west,south,east,north in degrees, e.g. BBOX=106.48,29.53,106.59,29.58",
            fix="longitude first: west is less than east, south less than north",
        ) from None  # fmt: skip
    outline = shapely.box(west, south, east, north)
    feature = {
        "type": "Feature",
        "properties": {"name": city},
        "geometry": json.loads(shapely.to_geojson(outline)),
    }
    content = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode() + b"\n"
    return Boundary(outline, content, "", f"bbox {text}", "", city, city, city)


def working_crs(outline: shapely.Geometry) -> str:
    """Return the UTM zone that holds the middle of an outline, as ``EPSG:32648``."""
    import osmnx

    _, crs = osmnx.projection.project_geometry(outline)
    return f"EPSG:{crs.to_epsg()}"


def widened(outline: shapely.Geometry, crs: str, margin_m: float) -> shapely.Geometry:
    """Return an outline in the working CRS, wider by a margin."""
    import osmnx

    plane, _ = osmnx.projection.project_geometry(outline, to_crs=crs)
    return plane.buffer(margin_m) if margin_m else plane


def _ask(client: Client, service: BoundaryService, verb: str, query: dict[str, str]) -> Reply:
    params = {"format": "json", "polygon_geojson": "1", "namedetails": "1", **query}
    url = f"{service.url.rstrip('/')}/{verb}"
    try:
        return client.reply(
            "boundary 边界", url, _check, params=params, headers={"Accept-Language": "zh,en"}
        )
    except NotThere:
        raise Problem(
            f"boundary from {url}", "it answers 404 (no such page)",
            expected="a Nominatim server", fix="correct boundary.url in config/fetch.yaml",
        ) from None  # fmt: skip


def _check(content: bytes) -> None:
    if not content.strip():
        raise Fault("the answer is empty")
    if content.lstrip()[:1] == b"<":
        raise Fault("it answers with a web page instead of data")
    try:
        found = json.loads(content)
    except ValueError:
        raise Fault("the answer is not JSON, or cut short") from None
    if isinstance(found, dict) and "error" in found:
        raise Fault(f"it reports: {str(found['error'])[:200]}")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Fault("the answer is no list of places")


def _has_area(place: dict[str, Any]) -> bool:
    try:
        outline_of(json.dumps([place]).encode())
    except ValueError:
        return False
    return str(place["geojson"].get("type")) in ("Polygon", "MultiPolygon")


def _key(place: dict[str, Any]) -> str:
    return f"{str(place.get('osm_type', '?'))[:1].upper()}{place.get('osm_id', '?')}"
