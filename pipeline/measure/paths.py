"""The way home from the main road, as a tree that a map can draw.

Every building's walk home ends in a chain of points that leads back to a main road. All these chains
share their beginnings, so they are kept as one tree: each point knows the next one on the way out.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.geo.network import Nearest
from pipeline.geo.profile import Integers
from pipeline.geo.raster import Floats
from pipeline.measure.walks import BuildingWalks, Walks


@dataclass(frozen=True)
class PathTree:
    """Points with heights, each with the next one towards the main road; −1 at the road."""

    x: Floats
    y: Floats
    elevation_m: Floats
    next_point: Integers
    building_point: Integers
    """Where each building's chain begins, at its door; −1 where there is no way."""

    def table(self, crs: str) -> gpd.GeoDataFrame:
        """Return the tree as the table ``main_road_paths``."""
        following = pd.array(self.next_point, dtype="Int64")
        following[self.next_point < 0] = pd.NA
        return gpd.GeoDataFrame(
            {
                "path_point_number": np.arange(len(self.x)),
                "next_path_point_number": following,
                "path_elevation_m": self.elevation_m,
            },
            geometry=shapely.points(self.x, self.y),
            crs=crs,
        )


def path_tree(
    buildings: BuildingWalks, near: Nearest, walks: Walks, node_x: Floats, node_y: Floats
) -> PathTree:
    """Return the tree of all walks home from the nearest main road.

    ``near`` and ``walks`` answer for main roads. Bends of the streets are kept.
    """
    node_z = _node_heights(buildings, len(node_x))
    used = _used_nodes(near.back_parent, walks.home_node)
    number = np.full(len(node_x), -1, dtype=np.int64)
    number[used] = np.arange(len(used))
    parent = near.back_parent[used]
    child = used[parent >= 0]
    bends = _bends(buildings, parent[parent >= 0], child)

    x, y, z = [node_x[used]], [node_y[used]], [node_z[used]]
    following = np.where(parent >= 0, number[np.maximum(parent, 0)], -1)
    first_bend = len(used)
    x.append(bends.x)
    y.append(bends.y)
    z.append(bends.elevation_m)
    # a child leads to the bend next to it, each bend to the one before, the first to the parent
    bend_number = first_bend + np.arange(len(bends.x))
    leads = np.where(
        bends.is_first, number[parent[parent >= 0][bends.arc]], np.roll(bend_number, 1)
    )
    following[number[child[bends.arc[bends.is_last]]]] = bend_number[bends.is_last]

    door_point = first_bend + len(bends.x)
    doors, place = buildings.doors, np.flatnonzero(walks.home_door >= 0)
    chosen = walks.home_door[place]
    links, profiles = buildings.network.links, buildings.network.profiles
    street = shapely.line_interpolate_point(
        links.shape[doors.link[chosen]], doors.fraction[chosen], normalized=True
    )
    x.append(shapely.get_x(street))
    y.append(shapely.get_y(street))
    z.append(profiles.at("elevation_m", doors.link[chosen], doors.fraction[chosen]))
    home_node = walks.home_node[place]
    street_next = np.where(home_node >= 0, number[np.maximum(home_node, 0)], -1)
    building_point = np.full(doors.place_count, -1, dtype=np.int64)
    building_point[place] = door_point + np.arange(len(place))
    return PathTree(
        np.concatenate(x),
        np.concatenate(y),
        np.concatenate(z),
        np.concatenate([following, leads, street_next]),
        building_point,
    )


def _node_heights(buildings: BuildingWalks, node_count: int) -> Floats:
    pieces, profiles = buildings.network.pieces, buildings.network.profiles
    height = np.full(node_count, np.nan)
    for node, at in ((pieces.to_node, pieces.end), (pieces.from_node, pieces.start)):
        height[node] = profiles.at("elevation_m", pieces.link, at)
    return height


def _used_nodes(parent: Integers, ends: Integers) -> Integers:
    """Return all nodes on the way from the ends to their roots, sorted."""
    used = np.zeros(len(parent), dtype=bool)
    fresh = np.unique(ends[ends >= 0])
    while len(fresh):
        used[fresh] = True
        above = parent[fresh]
        above = np.unique(above[above >= 0])
        fresh = above[~used[above]]
    return np.flatnonzero(used)


@dataclass(frozen=True)
class _Bends:
    """Bends between the two nodes of arcs, in order from the parent; arrays are parallel."""

    arc: Integers
    x: Floats
    y: Floats
    elevation_m: Floats
    is_first: Integers
    is_last: Integers


def _bends(buildings: BuildingWalks, parent: Integers, child: Integers) -> _Bends:
    pieces, links = buildings.network.pieces, buildings.network.links
    profiles, count = buildings.network.profiles, buildings.network.graph.node_count
    piece, is_forward = _pieces_walked(buildings, parent * count + child)
    known = np.flatnonzero(piece >= 0)
    points, owner = shapely.get_coordinates(links.shape, return_index=True)
    along = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    along[np.append(True, owner[1:] != owner[:-1])] = 0
    run = np.cumsum(along)
    start = run[np.searchsorted(owner, owner)]
    length = np.maximum(shapely.length(links.shape), 1e-9)[owner]
    fraction = np.clip((run - start) / length, 0, 1)
    key = 2.0 * owner + fraction
    held = piece[known]
    tiny = 1e-7
    low = np.searchsorted(key, 2.0 * pieces.link[held] + pieces.start[held] + tiny, "right")
    high = np.searchsorted(key, 2.0 * pieces.link[held] + pieces.end[held] - tiny, "left")
    size = np.maximum(high - low, 0)
    arc = np.repeat(known, size)
    step = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    forward = is_forward[arc]
    vertex = np.where(forward, np.repeat(low, size) + step, np.repeat(high, size) - 1 - step)
    return _Bends(
        arc,
        points[vertex, 0],
        points[vertex, 1],
        profiles.at("elevation_m", owner[vertex], fraction[vertex]),
        step == 0,
        step == np.repeat(size, size) - 1,
    )


def _pieces_walked(buildings: BuildingWalks, wanted: Integers) -> tuple[Integers, Integers]:
    """Return the quickest piece between two nodes and whether it is walked forward; −1 for spurs."""
    pieces, links = buildings.network.pieces, buildings.network.links
    profiles, count = buildings.network.profiles, buildings.network.graph.node_count

    def between(name: str) -> Floats:
        return profiles.at(name, pieces.link, pieces.end) - profiles.at(
            name, pieces.link, pieces.start
        )

    forward, backward = links.is_forward_open[pieces.link], links.is_backward_open[pieces.link]
    there = pieces.from_node * count + pieces.to_node
    back = pieces.to_node * count + pieces.from_node
    arcs = np.concatenate([there[forward], back[backward]])
    minutes = np.concatenate([between("forward_min")[forward], between("backward_min")[backward]])
    piece = np.concatenate([np.flatnonzero(forward), np.flatnonzero(backward)])
    is_forward = np.arange(len(arcs)) < forward.sum()
    order = np.lexsort((minutes, arcs))
    arcs, piece, is_forward = arcs[order], piece[order], is_forward[order]
    at = np.minimum(np.searchsorted(arcs, wanted), max(len(arcs) - 1, 0))
    found = arcs[at] == wanted if len(arcs) else np.zeros(len(wanted), dtype=bool)
    return np.where(found, piece[at], -1), is_forward[at]
