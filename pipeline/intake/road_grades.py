"""How steep roads for vehicles are by the terrain: steeper than any, and its heights are not metres."""

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import shapely

from pipeline.geo.raster import Raster, bilinear

_STRETCH_M = 100.0
"""Long enough for a step of the terrain beside a road to matter little."""


def steep_road_account(
    edges: gpd.GeoDataFrame, terrain: Raster, road_types: Collection[str], steep_grade: float
) -> dict[str, int]:
    """Return how many metres of roads on the ground were looked at, and how many are too steep.

    Roads are cut into equal stretches of 100 m or more, of which the ends' heights count; shorter
    roads, bridges, tunnels and where the terrain is empty are left out.
    """
    is_road = edges["highway_type"].isin(list(road_types)) & (edges["structure_type"] == "ground")
    shapes = edges.geometry.to_numpy()[is_road.to_numpy()]
    length_m = shapely.length(shapes)
    count = np.floor(length_m / _STRETCH_M).astype(np.int64)
    long_enough = count > 0
    shapes, length_m, count = shapes[long_enough], length_m[long_enough], count[long_enough]
    road = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(road)) - np.repeat(np.cumsum(count) - count, count)
    part_m = (length_m / np.maximum(count, 1))[road]
    heights = []
    for end in (number, number + 1):
        at = shapely.line_interpolate_point(shapes[road], end * part_m)
        heights.append(bilinear(terrain, shapely.get_x(at), shapely.get_y(at)))
    grade = np.abs(heights[1] - heights[0]) / part_m
    known = np.isfinite(grade)
    return {
        "looked_at_m": int(part_m[known].sum()),
        "steep_m": int(part_m[known & (grade > steep_grade)].sum()),
    }
