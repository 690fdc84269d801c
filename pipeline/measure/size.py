"""Footprint and floor area."""

import geopandas as gpd
import pandas as pd


def footprint_area_m2(buildings: gpd.GeoDataFrame) -> pd.Series:
    """Return the area of each footprint, holes taken off; the CRS must be projected."""
    return buildings.geometry.area.rename("footprint_area_m2")


def floor_area(buildings: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return ``floor_area_m2`` and its origin.

    The housing floor area of the register where it is trusted, else footprint × storeys, else empty.
    """
    recorded = buildings["recorded_floor_area_m2"].astype("float64")
    storeys = buildings["storey_count"].astype("Float64").astype("float64")
    derived = footprint_area_m2(buildings) * storeys
    origin = derived.notna().map({True: "derived", False: "unknown"}).astype("str")
    origin = origin.where(recorded.isna(), buildings["recorded_floor_area_origin"])
    return pd.DataFrame({"floor_area_m2": recorded.fillna(derived), "floor_area_origin": origin})
