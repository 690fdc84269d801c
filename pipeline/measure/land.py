"""What asks no street: the land under housing, and the years that it and much else tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from pipeline.geo.landform import landform, surroundings
from pipeline.geo.profile import Names
from pipeline.geo.raster import Floats, Raster
from pipeline.geo.terrain import cell_coverage, slope_deg, zonal_mean, zonal_range
from pipeline.settings.measure import MeasureSettings

READ_COLUMNS = (
    "building_id", "estate_id", "district_id", "storey_count", "household_count",
    "stairwell_count", "elder_share", "shop_floor_area_m2", "recorded_floor_area_m2",
    "building_structure_type", "hazard_grade_code", "management_type", "has_lift",
    "heritage_name", "construction_year", "construction_year_low", "construction_year_high",
    "construction_year_origin", "geometry",
)  # fmt: skip
"""All of a building that tells its land and years: no more need be copied to another interpreter."""


@dataclass(frozen=True)
class LandAndYears:
    """Columns of the housing, row by row, and what to put on record of the years."""

    land: Mapping[str, Any]
    years: pd.DataFrame
    told: Mapping[str, Any]


def land_and_years(
    housing: gpd.GeoDataFrame,
    points: Floats,
    everywhere: tuple[Floats, Floats],
    terrain: Raster,
    error: Raster,
    rule: MeasureSettings,
) -> LandAndYears:
    """Return the land and the years of the housing, whose middles are ``points``.

    ``everywhere`` is as in ``year_facts``, ``error`` the standard deviation of the terrain.
    """
    # slow to load, and mostly needed by another interpreter
    from pipeline.measure.years import year_facts, year_table
    from pipeline.years.infer import infer_years

    land = land_columns(housing.geometry.to_numpy(), points, terrain, error, rule)
    facts = year_facts(housing, points, everywhere, land)
    years, told = year_table(infer_years(facts, rule.years))
    return LandAndYears(land, years, told)


def land_columns(
    shapes: Names, points: Floats, terrain: Raster, error: Raster, rule: MeasureSettings
) -> dict[str, Any]:
    """Return height, slope, relief and landform of the ground under and around each footprint."""
    coverage = cell_coverage(shapes, terrain)
    steepness = slope_deg(terrain)
    elevation, slope = zonal_mean(coverage, terrain), zonal_mean(coverage, steepness)
    lowest, highest = zonal_range(coverage, terrain)
    x, y = points.T
    around = surroundings(terrain, steepness, x, y, radius_m=rule.terrain.relief_radius_m)
    return {
        "elevation_m": elevation,
        "elevation_lowest_m": lowest,
        "elevation_highest_m": highest,
        "elevation_error_m": zonal_mean(coverage, error),
        "slope_deg": slope,
        "relief_m": around[1] - around[0],
        "landform_type": landform(elevation, slope, around, rule.terrain),
    }
