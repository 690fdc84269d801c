"""The profile of a fetched place."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.fetch.record import Fetched, Record
from pipeline.store.profiles import Noted, SourceLines, profile_text

_DEGREES = "EPSG:4326"
_NAMES = ["name:zh", "name"]
_COLUMNS: dict[str, dict[str, list[str]]] = {
    "buildings": {
        "building_name": _NAMES,
        "building_use_type": ["building"],
        "storey_count": ["building:levels"],
        "height_m": ["height"],
        "construction_year_text": ["start_date"],
    },
    "streets_walk": {"road_name": _NAMES},
    "streets_drive": {"road_name": _NAMES},
    "shops_and_sights": {"amenity_name": _NAMES},
    "rail": {"amenity_name": [*_NAMES, "ref"]},
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
_HALF = 0.5
_FEW = 20


def fetched_profile(record: Record, folder: Path) -> str:
    """Return the profile for what was fetched; what is a guess about the data says so."""
    name_zh, name_en, _ = record.names
    housing, storeys = _building_guesses(folder, record.files["buildings"])
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
        {"intake.housing": housing, "intake.storeys": storeys},
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
    columns = _COLUMNS.get(name, {"amenity_name": _NAMES} if not is_raster else {})
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


def _building_guesses(
    folder: Path, one: Fetched
) -> tuple[Mapping[str, Noted], Mapping[str, Noted]]:
    """Guess from the buildings what an unspecific use means and which storeys are defaults."""
    reply: dict[str, Any] = json.loads((folder / one.path).read_bytes())
    tags = [e["tags"] for e in reply["elements"] if "building" in e.get("tags", {})]
    vague = sum(one["building"] == "yes" for one in tags)
    levels = [one["building:levels"] for one in tags if "building:levels" in one]
    ones = levels.count("1")
    is_vague, is_default = (
        vague > _HALF * len(tags),
        len(levels) >= _FEW and ones > _HALF * len(levels),
    )
    housing = Noted(
        ["yes"] if is_vague else [],
        f"guess: {vague:,} of {len(tags):,} buildings say no more than yes; count them as housing?",
    )
    storeys = Noted(
        [1] if is_default else [],
        f"guess: {ones:,} of {len(levels):,} storey counts are 1"
        + (", which looks like a mapping default" if is_default else ""),
    )
    return {"assumed_use_types": housing}, {"default_counts": storeys}
