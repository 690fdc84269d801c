"""Footprint and floor area."""

import geopandas as gpd
import pandas as pd


def footprint_area_m2(buildings: gpd.GeoDataFrame) -> pd.Series:
    """Return the area of each footprint, holes taken off; the CRS must be projected."""
    return buildings.geometry.area.rename("footprint_area_m2")


def floor_area(buildings: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return ``floor_area_m2`` = footprint × storeys, empty where storeys are, and its origin."""
    storeys = buildings["storey_count"].astype("Float64").astype("float64")
    area = footprint_area_m2(buildings) * storeys
    origin = area.notna().map({True: "derived", False: "unknown"})
    return pd.DataFrame({"floor_area_m2": area, "floor_area_origin": origin})
