"""Stage 5, atlas: offline pages on which people read, search and question the ranking."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import geopandas as gpd
import pandas as pd

from pipeline.atlas.buildings import Used, used_criteria
from pipeline.atlas.map_page import Neighbours, map_page
from pipeline.atlas.qgis_style import district_style, tier_style
from pipeline.atlas.reports import report_pages
from pipeline.atlas.scene import Scene, city_scene
from pipeline.beside import Beside
from pipeline.contracts.stage import Inputs, MapLayer, Outputs
from pipeline.contracts.tables import BUILDING_RANKING, BUILDINGS, DISTRICTS
from pipeline.pages.addresses import INDEX, QUALITY, brief_name, district_page_name
from pipeline.settings.whole import Settings

PLANNER_COLUMNS = frozenset(
    (
        "rank", "building_id", "tier_number", "building_name", "district_name", "estate_name",
        "road_name", "stand_in_count", "building_use_type", "storey_count", "footprint_area_m2",
        "floor_area_m2", "floor_area_origin", "household_count", "hazard_grade_code",
        "manager_name", "construction_year", "construction_year_origin", "age_yr", "elevation_m",
        "slope_deg", "landform_type", "has_lift", "storeys_climbed_count", "has_street_access",
        "main_road_walk_out_min", "main_road_walk_back_min", "source_name", "source_row",
        "track_type", "track_reason_code", "is_lifted", "rank_p05", "rank_p95", "top_share",
        "funded_share", "consent_share", "readiness_share", "quadrant_type",
    )
)  # fmt: skip
SHARE_BESIDE = 0.8
"""Share of the district maps made in a second interpreter, while this one makes the rest."""
PLANNER_ENDINGS = ("_points", "_climb_m", "_walk_m")
"""What the GeoPackage tells of a building; all columns stand in the CSV and Parquet lists."""


def run(inputs: Inputs) -> Outputs:
    """Return the pages, and the same buildings and tiers for QGIS.

    A district has a map of its own if it has buildings in the programme and is not the whole city.
    """
    settings: Settings = inputs.settings
    districts: gpd.GeoDataFrame = inputs.tables[DISTRICTS]
    listed: pd.DataFrame = inputs.tables[BUILDING_RANKING]
    used = used_criteria(settings.score.criteria, inputs.ledgers["score"]["weights"])
    names = dict(zip(districts["district_id"], districts["district_name"], strict=True))
    settled = set(listed["district_name"])
    apart = [key for key, name in names.items() if name in settled] if len(names) > 1 else []
    addresses = [INDEX, QUALITY, *map(district_page_name, apart), *map(brief_name, names)]
    near = Neighbours(tuple(addresses), names)
    told = replace(inputs, tables={}, sources={}, rasters={}, beside=Beside())
    scene = city_scene(inputs)
    away = apart[: round(SHARE_BESIDE * len(apart))] if inputs.beside.is_there else []
    parts_beside = inputs.beside.call(district_pages, scene, told, used, near, away)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        whole = threads.submit(map_page, scene, told, used, near)
        reports = report_pages(inputs, used, [INDEX, *map(district_page_name, apart)])
        parts = district_pages(scene, told, used, near, apart[len(away) :])
        text, ledger = whole.result()
    parts |= parts_beside.result()
    pages = {INDEX: text} | {name: parts[name] for name in sorted(parts)} | reports
    ledger["district_page_bytes"] = {name: len(pages[name].encode()) for name in parts}
    layers = qgis_layers(districts, inputs.tables[BUILDINGS], listed, settings)
    return Outputs(pages=pages, map_layers={"ranking.gpkg": layers}, ledger=ledger)


def district_pages(
    scene: Scene, inputs: Inputs, used: tuple[Used, ...], near: Neighbours, district_ids: list[str]
) -> dict[str, str]:
    """Return the map of each of these districts by its address."""
    return {
        district_page_name(key): map_page(scene.part(key), inputs, used, near, key)[0]
        for key in district_ids
    }


def qgis_layers(
    districts: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    building_ranking: pd.DataFrame,
    settings: Settings,
) -> tuple[MapLayer, ...]:
    """Return the ranked buildings, most urgent first, and the districts, each with its style."""
    told = [name for name in building_ranking.columns if is_for_planners(name)]
    shapes = buildings[["building_id", "geometry"]]
    features = shapes.merge(building_ranking[told], on="building_id", validate="one_to_one")
    features = features.sort_values("rank").reset_index(drop=True)
    return (
        MapLayer("districts", districts, district_style()),
        MapLayer("buildings", features, tier_style(settings.atlas.tiers)),
    )


def is_for_planners(name: str) -> bool:
    """Tell whether a column of the building list is worth a place in the table of QGIS."""
    return name in PLANNER_COLUMNS or name.endswith(PLANNER_ENDINGS)
