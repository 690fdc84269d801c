"""Where a building stands, and where it belongs: to the nearest named road, or to a grid cell."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.geo.profile import Names


def road_name(middle: Names, edges: gpd.GeoDataFrame, *, max_distance_m: float) -> pd.Series:
    """Return the name of the road nearest to each footprint's middle within a distance, else empty.

    Bridges and tunnels do not name a place. Of roads equally near, the name that sorts first.
    """
    on_ground = edges["structure_type"].isin(["ground", "steps"])
    named = edges[edges["road_name"].notna() & on_ground].sort_values(["road_name", "edge_id"])
    names = pd.Series(pd.NA, index=range(len(middle)), dtype="str", name="road_name")
    if len(named):
        tree = shapely.STRtree(named.geometry.to_numpy())
        building, road = tree.query_nearest(middle, max_distance=max_distance_m)
        first = pd.Series(road, index=building).groupby(level=0).min()
        names.iloc[first.index] = named["road_name"].to_numpy()[first.to_numpy()]
    return names


def degrees(footprints: gpd.GeoSeries) -> dict[str, pd.Series]:
    """Return WGS-84 longitude and latitude of a point inside each footprint, to 0.1 m."""
    inside = footprints.representative_point().to_crs("EPSG:4326")
    return {"longitude_deg": inside.x.round(6), "latitude_deg": inside.y.round(6)}


def cell_id(middle: Names, *, cell_m: float) -> pd.Series:
    """Return the key of the square that holds each footprint's middle: ``E<east>N<north>``, in cells.

    The grid starts at the origin of the CRS, so a cell does not depend on which buildings are in.
    """
    east, north = (
        pd.Series(np.floor(at / cell_m)).astype("int64").astype(str)
        for at in shapely.get_coordinates(middle).T
    )
    return ("E" + east + "N" + north).rename("cell_id")
