"""The way home from the main road, as a tree that a map can draw.

Every building's walk home ends in a chain of points that leads back to a main road. All these chains
share their beginnings, so they are kept as one tree: each point knows the next one on the way out.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.geo.profile import Flags, Integers, Profiles, StreetLinks
from pipeline.geo.raster import Floats
from pipeline.measure.walks import BuildingWalks, ChosenWays


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
    buildings: BuildingWalks, ways: ChosenWays, node_x: Floats, node_y: Floats
) -> PathTree:
    """Return the tree of the chosen ways home from the main roads. Bends of the streets are kept."""
    links, profiles, pieces = (
        buildings.network.links,
        buildings.network.profiles,
        buildings.network.pieces,
    )
    node_z = _node_heights(buildings, len(node_x))
    used = _used_nodes(ways.parent, ways.home_node)
    number = np.full(len(node_x), -1, dtype=np.int64)
    number[used] = np.arange(len(used))
    parent = ways.parent[used]
    above, child = parent[parent >= 0], used[parent >= 0]
    piece, is_forward = _pieces_walked(buildings, above * len(node_x) + child)
    arc = np.flatnonzero(piece >= 0)
    held = piece[arc]
    tree = _bends(
        links, profiles, pieces.link[held], pieces.start[held], pieces.end[held], is_forward[arc]
    )

    place = np.flatnonzero(ways.home_door >= 0)
    door = ways.home_door[place]
    street = shapely.line_interpolate_point(
        links.shape[buildings.doors.link[door]], buildings.doors.fraction[door], normalized=True
    )
    home_node = ways.home_node[place]
    walked = np.flatnonzero(home_node >= 0)
    last = _last_stretch(buildings, door[walked], home_node[walked])

    first_tree, first_last = len(used), len(used) + len(tree.x)
    first_door = first_last + len(last.x)
    following = np.where(parent >= 0, number[np.maximum(parent, 0)], -1)
    in_tree = first_tree + np.arange(len(tree.x))
    # a child leads to the bend next to it, each bend to the one before, the first to the parent
    following[number[child[arc[tree.arc[tree.is_last]]]]] = in_tree[tree.is_last]
    tree_next = np.where(tree.is_first, number[above[arc[tree.arc]]], in_tree - 1)
    in_last = first_last + np.arange(len(last.x))
    last_next = np.where(last.is_first, number[home_node[walked[last.arc]]], in_last - 1)
    door_next = np.where(home_node >= 0, number[np.maximum(home_node, 0)], -1)
    door_next[walked[last.arc[last.is_last]]] = in_last[last.is_last]

    building_point = np.full(buildings.doors.place_count, -1, dtype=np.int64)
    building_point[place] = first_door + np.arange(len(place))
    street_z = profiles.at(
        "elevation_m", buildings.doors.link[door], buildings.doors.fraction[door]
    )
    return PathTree(
        np.concatenate([node_x[used], tree.x, last.x, shapely.get_x(street)]),
        np.concatenate([node_y[used], tree.y, last.y, shapely.get_y(street)]),
        np.concatenate([node_z[used], tree.elevation_m, last.elevation_m, street_z]),
        np.concatenate([following, tree_next, last_next, door_next]),
        building_point,
    )


def _last_stretch(buildings: BuildingWalks, door: Integers, node: Integers) -> "_Bends":
    """Return the bends between the last node of a walk home and the door's place on the street."""
    pieces, doors = buildings.network.pieces, buildings.doors
    held = pieces.holding(doors.chosen(door).street_point)
    is_forward = pieces.from_node[held] == node
    at = doors.fraction[door]
    return _bends(
        buildings.network.links,
        buildings.network.profiles,
        doors.link[door],
        np.where(is_forward, pieces.start[held], at),
        np.where(is_forward, at, pieces.end[held]),
        is_forward,
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
    """Bends of stretches of links, in the order walked; arrays are parallel."""

    arc: Integers
    """Which stretch."""
    x: Floats
    y: Floats
    elevation_m: Floats
    is_first: Flags
    is_last: Flags


def _bends(
    links: StreetLinks,
    profiles: Profiles,
    link: Integers,
    low: Floats,
    high: Floats,
    is_forward: Flags,
) -> _Bends:
    """Return the corners of links strictly between two fractions of their length."""
    points, owner = shapely.get_coordinates(links.shape, return_index=True)
    along = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    along[np.append(True, owner[1:] != owner[:-1])] = 0
    run = np.cumsum(along)
    start = run[np.searchsorted(owner, owner)]
    length = np.maximum(shapely.length(links.shape), 1e-9)[owner]
    fraction = np.clip((run - start) / length, 0, 1)
    key = 2.0 * owner + fraction
    tiny = 1e-7
    first = np.searchsorted(key, 2.0 * link + low + tiny, "right")
    end = np.searchsorted(key, 2.0 * link + high - tiny, "left")
    size = np.maximum(end - first, 0)
    arc = np.repeat(np.arange(len(link)), size)
    step = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    vertex = np.where(is_forward[arc], first[arc] + step, end[arc] - 1 - step)
    return _Bends(
        arc,
        points[vertex, 0],
        points[vertex, 1],
        profiles.at("elevation_m", owner[vertex], fraction[vertex]),
        step == 0,
        step == size[arc] - 1,
    )


def _pieces_walked(buildings: BuildingWalks, wanted: Integers) -> tuple[Integers, Flags]:
    """Return the piece chosen between two nodes and whether it is walked forward; −1 for spurs."""
    pieces, links = buildings.network.pieces, buildings.network.links
    profiles, count = buildings.network.profiles, buildings.network.graph.node_count

    begin, finish = (profiles.places(pieces.link, at) for at in (pieces.start, pieces.end))

    def between(name: str) -> Floats:
        return profiles.read(name, finish) - profiles.read(name, begin)

    forward, backward = links.is_forward_open[pieces.link], links.is_backward_open[pieces.link]
    there = pieces.from_node * count + pieces.to_node
    back = pieces.to_node * count + pieces.from_node
    arcs = np.concatenate([there[forward], back[backward]])
    penalty = buildings.penalties.middle
    cost = np.concatenate(
        [
            (between("forward_min") + penalty * between("ascent_m"))[forward],
            (between("backward_min") + penalty * between("descent_m"))[backward],
        ]
    )
    piece = np.concatenate([np.flatnonzero(forward), np.flatnonzero(backward)])
    is_forward = np.arange(len(arcs)) < forward.sum()
    order = np.lexsort((cost, arcs))
    arcs, piece, is_forward = arcs[order], piece[order], is_forward[order]
    at = np.minimum(np.searchsorted(arcs, wanted), max(len(arcs) - 1, 0))
    found = arcs[at] == wanted if len(arcs) else np.zeros(len(wanted), dtype=bool)
    return np.where(found, piece[at], -1), is_forward[at]
