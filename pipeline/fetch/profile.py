"""The profile of a fetched place."""

import json
from pathlib import Path
from typing import Any

from pipeline.fetch.record import Fetched, Record
from pipeline.new_city.osm import COLUMNS, NAMES, building_guesses
from pipeline.store.profiles import Noted, SourceLines, profile_text

_DEGREES = "EPSG:4326"
_COLUMNS: dict[str, dict[str, list[str]]] = {
    "buildings": COLUMNS["footprints"],
    "streets_walk": COLUMNS["streets"],
    "streets_drive": COLUMNS["streets"],
    "rail": COLUMNS["amenities"],
}
_ORDER = (
    "boundary", "buildings", "streets_walk", "streets_drive", "shops_and_sights", "rail",
    "buildings_as_facilities", "terrain", "built_up_year",
)  # fmt: skip
_ROLES = {
    "boundary": "boundary",
    "buildings": "footprints",
    "streets_walk": "streets",
    "streets_drive": "streets",
    "terrain": "terrain",
    "built_up_year": "built_up_year",
}


def fetched_profile(record: Record, folder: Path) -> str:
    """Return the profile for what was fetched; what is a guess about the data says so."""
    name_zh, name_en, _ = record.names
    reply: dict[str, Any] = json.loads((folder / record.files["buildings"].path).read_bytes())
    return profile_text(
        ["fetched.json beside the raw files holds their addresses, digests and licences."],
        {
            "name_zh": Noted(name_zh),
            "name_en": Noted(name_en),
            "crs": Noted(record.crs, "UTM zone of the place"),
            "is_synthetic": Noted(False),
            "note_zh": Noted(
                "建筑、道路与设施来自开放街图，可能不全；建成年代与层数大多缺失。本结果用于检验方法，不能作为改造依据。"
            ),
            "note_en": Noted(
                "Buildings, streets and facilities are from OpenStreetMap and may be incomplete; years "
                "and storeys are mostly missing. This shows the method, it is no basis for renovation."
            ),
        },
        _sources(record),
        building_guesses([one.get("tags", {}) for one in reply["elements"]]),
    )


def _sources(record: Record) -> list[SourceLines]:
    files = {**record.files, "buildings_as_facilities": record.files["buildings"]}
    known = [name for name in _ORDER if name in files]
    others = sorted(set(files) - set(_ORDER) - {"age_structure"})
    return [_source(name, files[name], record) for name in (*known, *others) if files[name].sha256]


def _source(name: str, one: Fetched, record: Record) -> SourceLines:
    is_raster = one.path.endswith((".tif", ".tiff"))
    own: dict[str, Noted] = {
        "path": Noted(one.path),
        "role": Noted(_ROLES.get(name, "amenities")),
        "format": Noted(_format(one.path)),
    }
    if name == "boundary":
        own["constants"] = Noted({"district_name": record.names[2]})
    columns = _COLUMNS.get(name, {"amenity_name": NAMES} if not is_raster else {})
    columns = {} if name == "boundary" else columns
    return SourceLines(
        name,
        own,
        {
            "datum": Noted("wgs84"),
            "crs": Noted(record.crs if is_raster else _DEGREES),
            "encoding": Noted(None if is_raster else "utf-8"),
            "publisher": Noted(one.publisher),
            "licence": Noted(one.licence),
            "attribution": Noted(one.attribution),
            "date": Noted(
                one.date or "1000", "" if one.date else "the date is not known: correct it"
            ),
        },
        {key: Noted(value) for key, value in columns.items()},
        note="hospitals and schools are often mapped as buildings only"
        if name == "buildings_as_facilities"
        else "",
    )


def _format(path: str) -> str:
    if path.endswith((".tif", ".tiff")):
        return "geotiff"
    if path.startswith("nominatim/"):
        return "nominatim_json"
    return "geojson" if path.endswith(".geojson") else "overpass_json"
