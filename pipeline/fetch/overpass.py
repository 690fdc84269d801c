"""Ask Overpass for the elements of an area, with all their tags."""

import json
from pathlib import Path

import shapely

from pipeline.fetch.client import Client, Fault, NotThere
from pipeline.fetch.place import widened
from pipeline.problem import Problem
from pipeline.settings.fetch import OsmLayer, OsmService
from pipeline.store.replies import overpass_extract


def query_text(outline: shapely.Geometry, crs: str, service: OsmService, layer: OsmLayer) -> str:
    """Return the Overpass QL for one layer: its selectors within the outline, with all their nodes.

    The outline is simplified outwards, so that no place inside is lost, and has no holes.
    """
    rings = _rings(outline, crs, service, layer)
    wanted = "".join(f'{text}(poly:"{ring}");' for ring in rings for text in layer.selectors)
    limits = f"[timeout:{service.query_timeout_s}][maxsize:{service.query_memory_bytes}]"
    return f"[out:json]{limits};({wanted});(._;>;);out body;"


def elements(client: Client, what: str, service: OsmService, query: str) -> tuple[bytes, str, int]:
    """Return a whole reply, its date in OpenStreetMap, and how many elements it holds.

    Raises
    ------
    Problem
        After the last try, naming the host and what came instead of a whole reply.
    """
    try:
        reply = client.reply(what, service.url, _check, data={"data": query})
    except NotThere:
        raise Problem(
            f"{what} from {service.url}", "it answers 404 (no such page)",
            expected="the interpreter of an Overpass server",
            fix="correct osm.url in config/fetch.yaml",
        ) from None  # fmt: skip
    found = json.loads(reply.content)
    return reply.content, _date(found), len(found["elements"])


def check_size(outline: shapely.Geometry, crs: str, service: OsmService) -> float:
    """Return the area in km², or stop if it is too large for a shared server."""
    area_km2 = float(widened(outline, crs, 0).area) / 1e6
    if area_km2 > service.max_area_km2:
        raise Problem(
            "the area asked for", f"has {area_km2:,.0f} km²",
            expected=f"at most {service.max_area_km2:,.0f} km² (osm.max_area_km2 in config/fetch.yaml)",
            fix="choose a district, or get a regional extract (.osm.pbf) and use make new-city",
        )  # fmt: skip
    return area_km2


def _rings(outline: shapely.Geometry, crs: str, service: OsmService, layer: OsmLayer) -> list[str]:
    import osmnx

    tolerance_m = service.outline_tolerance_m
    margin_m = (service.margin_m if layer.has_margin else 0.0) + tolerance_m
    plane = widened(outline, crs, margin_m).simplify(tolerance_m)
    round_earth, _ = osmnx.projection.project_geometry(plane, crs=crs, to_latlong=True)
    parts = shapely.get_parts(round_earth)
    return [
        " ".join(f"{lat:.6f} {lon:.6f}" for lon, lat in shapely.get_coordinates(part.exterior))
        for part in sorted(parts, key=lambda one: one.bounds)
    ]


def _check(content: bytes) -> None:
    if not content.strip():
        raise Fault("the answer is empty")
    if content.lstrip()[:1] == b"<":
        raise Fault("it answers with a web page instead of data")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise Fault("the answer is not JSON, or cut short") from None
    remark = str(found.get("remark", "")) if isinstance(found, dict) else ""
    if "error" in remark.lower() or "timed out" in remark.lower():
        raise Fault(f"it reports: {remark[:200]}")
    if not isinstance(found, dict) or not isinstance(found.get("elements"), list):
        raise Fault("the answer is no Overpass reply")
    if not _date(found):
        raise Fault("the reply does not say of when its data are")
    if found["elements"]:
        try:
            overpass_extract(Path("reply"), found)
        except Problem as problem:
            raise Fault(problem.found) from None


def _date(found: dict[str, object]) -> str:
    stamp = found.get("osm3s")
    date = str(stamp.get("timestamp_osm_base", ""))[:10] if isinstance(stamp, dict) else ""
    return date if len(date) == 10 and date[:4].isdigit() else ""
