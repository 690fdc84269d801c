"""Where a facility could stand: one place in each estate, and in each square of houses without one."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.geo.raster import Floats
from pipeline.settings.facility_sites import FacilitySites
from pipeline.settings.measure import MeasureSettings

IDLE_ROOM, ESTATE, SQUARE, EXISTING = "idle_room", "estate", "square", "existing"


def site_places(
    housing: gpd.GeoDataFrame,
    estate_facts: pd.DataFrame,
    amenities: gpd.GeoDataFrame,
    rule: FacilitySites,
) -> gpd.GeoDataFrame:
    """Return the possible sites, and what exists already of the types whose capacity is stated.

    One row each: ``site_place_id``, ``site_origin``, ``existing_amenity_type``,
    ``host_building_id``, ``room_area_m2`` (of idle rooms; empty where nobody surveyed) and a point. The
    host is the building nearest to the middle of its estate's households, or of its square's. No rows
    if facilities are not sited.
    """
    if not rule.are_sited:
        housing, amenities = housing.iloc[:0], amenities.iloc[:0]
    middle = shapely.get_coordinates(shapely.centroid(housing.geometry.to_numpy()))
    key, origin = _groups(housing, middle, rule.host_spacing_m)
    weight = housing["household_count"].astype("Float64").astype("float64").fillna(1.0).to_numpy()
    host = _hosts(key, middle, np.maximum(weight, 1.0))
    rooms = estate_facts.drop_duplicates("estate_id").set_index("estate_id")["idle_room_area_m2"]
    room = housing["estate_id"].map(rooms).astype("float64").to_numpy()[host]
    possible = pd.DataFrame(
        {
            "site_place_id": key[host],
            "site_origin": np.where(room > 0, IDLE_ROOM, origin[host]).astype(object),
            "existing_amenity_type": None,
            "host_building_id": housing["building_id"].to_numpy(dtype=object)[host],
            "room_area_m2": room,
        }
    )
    inside = shapely.point_on_surface(housing.geometry.to_numpy()[host])
    stated = {
        one.facility for one in rule.types.values() if one.existing_household_count is not None
    }
    there = amenities[amenities["amenity_type"].isin(stated)]
    known = pd.DataFrame(
        {
            "site_place_id": "existing/" + there["amenity_id"].astype(str),
            "site_origin": EXISTING,
            "existing_amenity_type": there["amenity_type"],
            "host_building_id": None,
            "room_area_m2": np.nan,
        }
    )
    whole = pd.concat([possible, known], ignore_index=True) if len(known) else possible
    whole = whole.astype({"existing_amenity_type": "str", "host_building_id": "str"})
    shapes = np.concatenate([inside, there.geometry.to_numpy()])
    return gpd.GeoDataFrame(whole, geometry=shapes, crs=housing.crs)


def longest_walk_min(rule: FacilitySites, measure: MeasureSettings) -> float:
    """Return the longest walk to a facility that any kind allows, in minutes."""
    radii = [
        one.radius_m or (measure.facilities[one.facility].radius_m if one.facility else 0.0) or 0.0
        for one in rule.types.values()
    ]
    return max(radii, default=0.0) / measure.walking.planning_speed_m_per_min


def _groups(
    housing: gpd.GeoDataFrame, middle: Floats, spacing_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the estate of each building, or else its square; and which of the two."""
    estate = housing["estate_id"].to_numpy(dtype=object)
    has_estate = housing["estate_id"].notna().to_numpy(dtype=bool)
    number = np.floor(middle / spacing_m).astype(np.int64)
    square = np.array([f"square/{x}_{y}" for x, y in number.tolist()], dtype=object)
    return (
        np.where(has_estate, estate, square),
        np.where(has_estate, ESTATE, SQUARE).astype(object),
    )


def _hosts(key: np.ndarray, middle: Floats, weight: Floats) -> np.ndarray:
    """Return the building nearest to the weighted middle of each group, in order of the keys."""
    if not len(key):
        return np.zeros(0, dtype=np.int64)
    _, group = np.unique(key, return_inverse=True)
    total = np.bincount(group, weight)
    mean = np.column_stack([np.bincount(group, weight * axis) / total for axis in middle.T])
    off_m = np.hypot(*(middle - mean[group]).T)
    order = np.lexsort((np.arange(len(key)), off_m, group))
    return order[np.unique(group[order], return_index=True)[1]]
