"""Stage 5, atlas: one offline page on which people read, search and question the ranking."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import geopandas as gpd
import pandas as pd

from pipeline.atlas.backdrop import (
    add_contours,
    add_districts,
    add_shade,
    add_streets,
    add_water,
    shade,
)
from pipeline.atlas.buildings import (
    BAND_STEPS,
    NEED_PER_POINT,
    add_counts,
    add_others,
    add_ranked,
    half_unit_m2,
    used_criteria,
    whole_table,
)
from pipeline.atlas.choices import TRACKS, add_gates, scenario_parts
from pipeline.atlas.legend import (
    area_rows,
    attribution_texts,
    count_rows,
    criterion_rows,
    gap_rows,
    left_out_rows,
    source_rows,
    tier_rows,
)
from pipeline.atlas.packing import Pack
from pipeline.atlas.page import add_scripts, page_text, titled
from pipeline.atlas.qgis_style import district_style, tier_style
from pipeline.atlas.reports import report_pages
from pipeline.atlas.walks import HEIGHT_STEPS_PER_M, WALK_QUANTUM_UNITS, add_walks
from pipeline.contracts.stage import Inputs, MapLayer, Outputs
from pipeline.contracts.tables import (
    BUILDING_RANKING,
    BUILDINGS,
    DISTRICT_PRIORITY,
    DISTRICTS,
    MAIN_ROAD_PATHS,
    MEASUREMENTS,
    RANKING,
    STREET_EDGES,
    WATER,
)
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
PLANNER_ENDINGS = ("_points", "_climb_m", "_walk_m")
"""What the GeoPackage tells of a building; all columns stand in the CSV and Parquet lists."""


def run(inputs: Inputs) -> Outputs:
    """Return the page, and the same buildings and tiers for QGIS."""
    settings: Settings = inputs.settings
    buildings: gpd.GeoDataFrame = inputs.tables[BUILDINGS]
    ranking: pd.DataFrame = inputs.tables[RANKING]
    ranked: pd.DataFrame = inputs.tables[BUILDING_RANKING]
    terrain = inputs.rasters["terrain"]
    scored = inputs.ledgers["score"]
    used = used_criteria(settings.score.criteria, scored["weights"])

    with ThreadPoolExecutor(1) as thread:
        behind = thread.submit(_backdrop, inputs)
        front = Pack()
        table = whole_table(buildings, inputs.tables[MEASUREMENTS], ranking, ranked)
        add_ranked(front, table, used, settings.score)
        gates = add_gates(front, table, settings)
        minutes = settings.measure.count_within_min
        counted = add_counts(front, table, settings.measure.facilities, minutes)
        walk_counts = add_walks(
            front,
            table["main_road_path_point_number"],
            inputs.tables[MAIN_ROAD_PATHS],
            table.geometry,
        )
        pack, shade_place, other_count, drawn = behind.result()
    pack.extend(front)
    add_scripts(pack)

    page: dict[str, Any] = {
        "city": settings.city.model_dump(include={"name_zh", "name_en", "is_synthetic"})
        | {"note": {"zh": settings.city.note_zh, "en": settings.city.note_en}},
        "scenario": inputs.scenario,
        "mark": "_synthetic_合成" if settings.city.is_synthetic else "",
        "tie_breaks": settings.score.tie_breaks,
        "tracks": list(TRACKS),
        **gates,
        **scenario_parts(settings, inputs.scenario),
        "pages": [],
        "shade": shade_place,
        "terrain_cell_m": round(terrain.cell_m),
        "contour_interval_m": settings.atlas.contour_interval_m,
        "half_unit_m2": half_unit_m2(table),
        "band_steps": BAND_STEPS,
        "walk_quantum": WALK_QUANTUM_UNITS,
        "height_steps_per_m": HEIGHT_STEPS_PER_M,
        "tiers": tier_rows(settings),
        "criteria": criterion_rows(used, settings),
        "need_per_point": NEED_PER_POINT,
        "counted": count_rows(counted, settings),
        "count_within_min": list(minutes),
        "left_out": left_out_rows(
            scored["criteria_left_out"], scored.get("known_share", {}), settings
        ),
        "sources": source_rows(settings.sources),
        "attribution": attribution_texts(settings.sources),
        "areas": area_rows(inputs.tables[DISTRICT_PRIORITY]),
        "gaps": gap_rows(inputs.ledgers, settings, ranking),
        "reference_year": settings.measure.reference_year,
        "other_count": other_count,
        "floor_known_share": round(float(ranked["floor_area_m2"].notna().mean()), 4),
    }
    packed = pack.to_bytes(page)
    title = titled(settings.city.name_zh, settings.city.name_en, inputs.scenario)
    middle = (float(ranked["latitude_deg"].median()), float(ranked["longitude_deg"].median()))
    text = page_text(packed, title=title, middle=middle)
    ledger = {
        "rows_in": len(ranked),
        "rows_out": len(table),
        "other_footprints": other_count,
        **drawn,
        "walks": walk_counts,
        "packed_bytes": len(packed),
        "page_bytes": len(text.encode("utf-8")),
    }
    layers = qgis_layers(inputs.tables[DISTRICTS], buildings, ranked, settings)
    pages = {"index.html": text, **report_pages(inputs, used)}
    return Outputs(pages=pages, map_layers={"ranking.gpkg": layers}, ledger=ledger)


def _backdrop(inputs: Inputs) -> tuple[Pack, dict[str, Any], int, dict[str, Any]]:
    """Return what lies behind the ranked buildings, where the shade lies, and counts."""
    settings: Settings = inputs.settings
    buildings: gpd.GeoDataFrame = inputs.tables[BUILDINGS]
    terrain = inputs.rasters["terrain"]
    pack = Pack()
    add_districts(pack, inputs.tables[DISTRICTS], buildings)
    shade_place = add_shade(pack, shade(terrain, settings.atlas))
    drawn = {
        "contour_lines": add_contours(pack, terrain, interval_m=settings.atlas.contour_interval_m),
        "water_areas": add_water(pack, inputs.tables[WATER]),
        "street_lines": add_streets(pack, inputs.tables[STREET_EDGES]),
    }
    other_count = add_others(pack, buildings, inputs.tables[BUILDING_RANKING]["building_id"])
    return pack, shade_place, other_count, drawn


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
