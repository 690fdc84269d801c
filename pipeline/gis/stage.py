"""Stage 5, gis: the ranked buildings and the districts for QGIS, each with its style."""

import geopandas as gpd
import pandas as pd

from pipeline.contracts.stage import Inputs, MapLayer, Outputs
from pipeline.contracts.tables import BUILDING_RANKING, BUILDINGS, DISTRICTS
from pipeline.gis.style import district_style, tier_style
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
    """Return the layers; they are written while the maps are made."""
    layers = qgis_layers(
        inputs.tables[DISTRICTS],
        inputs.tables[BUILDINGS],
        inputs.tables[BUILDING_RANKING],
        inputs.settings,
    )
    return Outputs(map_layers={"ranking.gpkg": layers})


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
