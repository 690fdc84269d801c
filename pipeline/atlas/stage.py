"""Stage 5, atlas: offline pages on which people read, search and question the ranking."""

import gc
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context

import geopandas as gpd
import pandas as pd

from pipeline.atlas.buildings import Used, used_criteria
from pipeline.atlas.map_page import Neighbours, map_page
from pipeline.atlas.qgis_style import district_style, tier_style
from pipeline.atlas.reports import report_pages
from pipeline.atlas.scene import Scene, city_scene
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
MANY_BUILDINGS = 5_000
"""From here on a second interpreter is worth its start of a second."""
CHILD_SHARE = 0.8
"""Share of the district maps that it makes, while this one makes the city's and the reports."""
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
    told = replace(inputs, tables={}, sources={}, rasters={})
    away = apart[: round(CHILD_SHARE * len(apart))] if len(listed) >= MANY_BUILDINGS else []
    with _other_core(is_wanted=bool(away)) as child, ThreadPoolExecutor(os.cpu_count()) as threads:
        scene = city_scene(inputs)
        sent = _sent(child, scene, told, used, near, away)
        whole = threads.submit(map_page, scene, told, used, near)
        reports = report_pages(inputs, used, [INDEX, *map(district_page_name, apart)])
        here = [key for key in apart if sent is None or key not in away]
        parts = district_pages(scene, told, used, near, here)
        text, ledger = whole.result()
        if sent is not None:
            try:
                parts |= sent.result()
            except BrokenProcessPool:  # killed, or no second interpreter to be had here
                parts |= district_pages(scene, told, used, near, away)
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


@contextmanager
def _other_core(*, is_wanted: bool) -> Iterator[ProcessPoolExecutor | None]:
    """Give a second interpreter: packing holds the first one's lock, so threads would take turns.

    It imports what it needs while the scene is made ready.
    """
    if not is_wanted:
        yield None
        return
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=gc.disable) as child:
        child.submit(district_pages, None, None, (), None, [])  # type: ignore[arg-type]
        yield child


def _sent(
    child: ProcessPoolExecutor | None,
    scene: Scene,
    inputs: Inputs,
    used: tuple[Used, ...],
    near: Neighbours,
    district_ids: list[str],
) -> "Future[dict[str, str]] | None":
    """Hand districts to the second interpreter; None if there is none."""
    if child is None:
        return None
    try:
        return child.submit(district_pages, scene, inputs, used, near, district_ids)
    except BrokenProcessPool:
        return None


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
