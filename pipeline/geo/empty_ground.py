"""Heights of streets where the terrain is empty: even between the places where it is not."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import shapely
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from pipeline.geo.profile import Heights, StreetLinks
from pipeline.geo.raster import Raster, bilinear
from pipeline.geo.road_heights import road_segments

_LEAST_M = 0.1
_LOOKED_EVERY_M = 25.0


def over_holes(links: StreetLinks, heights: Heights, terrain: Raster) -> Heights:
    """Return heights in which streets over holes of the terrain rise evenly between where it is known.

    The discrete harmonic function with conductances 1 / length, as on structures. What lies beyond the
    terrain's edge, or what no known height is joined to by streets, stays empty.
    """
    height = np.concatenate([heights.node_m, heights.station_m])
    x = np.append(links.node_x, heights.stations.x)
    y = np.append(links.node_y, heights.stations.y)
    west, south, east, north = terrain.bounds
    is_beyond = (x < west) | (x > east) | (y < south) | (y > north)
    free = np.isnan(height) & ~is_beyond
    if not free.any():
        return heights
    segments = road_segments(links, heights, np.ones(links.count))
    weight = sparse.coo_array(
        (1 / np.maximum(segments.length_m, _LEAST_M), (segments.begin, segments.end)),
        (len(height), len(height)),
    )
    is_there = sparse.diags_array((free | ~np.isnan(height)).astype(float))
    weight = (is_there @ (weight + weight.T) @ is_there).tocsr()
    # known heights part the streets: each empty stretch is solved by itself
    touches = sparse.diags_array(free.astype(float))
    _, part = connected_components(touches @ weight @ touches, directed=False)
    beside = weight @ (~np.isnan(height)).astype(float) > 0
    has_known = np.zeros(part.max() + 1, dtype=bool)
    has_known[part[free & beside]] = True
    unknown = np.flatnonzero(free & has_known[part])
    if not len(unknown):
        return heights
    laplacian = (sparse.diags_array(weight.sum(axis=1)) - weight).tocsr()[unknown]
    known = np.nan_to_num(height)
    filled = height.copy()
    filled[unknown] = spsolve(laplacian[:, unknown].tocsc(), -(laplacian @ known))
    node_m, station_m = np.split(filled, [links.node_count])
    return replace(heights, node_m=node_m, station_m=station_m)


def empty_street_account(
    edges: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, terrain: Raster, around_m: float
) -> dict[str, int]:
    """Return how many metres of streets near buildings were looked at, and over how many it is empty.

    ``around_m`` is how near to a building a street counts.
    """
    shapes = edges.geometry.to_numpy()[(edges["structure_type"] == "ground").to_numpy()]
    houses = shapely.STRtree(buildings.geometry.to_numpy())
    near = houses.query(shapes, predicate="dwithin", distance=around_m)[0]
    shapes = shapes[np.unique(near)]
    length_m = shapely.length(shapes)
    count = np.ceil(length_m / _LOOKED_EVERY_M).astype(np.int64)
    street = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(street)) - np.repeat(np.cumsum(count) - count, count)
    part_m = (length_m / np.maximum(count, 1))[street]
    at = shapely.line_interpolate_point(shapes[street], (number + 0.5) * part_m)
    is_empty = np.isnan(bilinear(terrain, shapely.get_x(at), shapely.get_y(at)))
    return {"looked_at_m": int(part_m.sum()), "empty_m": int(part_m[is_empty].sum())}
