"""The walking world: streets with heights, facilities joined to them, and everybody's way into it."""

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.geo.empty_ground import over_holes
from pipeline.geo.lifts import with_landings
from pipeline.geo.network import main_component
from pipeline.geo.profile import Flags, Names, StreetLinks, link_profiles, terrain_heights
from pipeline.geo.raster import Floats, Raster
from pipeline.geo.road_heights import within_grades
from pipeline.geo.terrain import unevenness_m
from pipeline.measure.access import Doors, doors, usable_links
from pipeline.measure.counts import facility_counts
from pipeline.measure.paths import PathTree, path_tree
from pipeline.measure.shut_gates import gate_lines
from pipeline.measure.walks import (
    MAIN_ROAD,
    NO_SPANS,
    BuildingWalks,
    Spans,
    WalkNetwork,
    Walks,
    best_doors,
    node_positions,
    street_cuts,
    walk_columns,
    walk_network,
)
from pipeline.settings.measure import MeasureSettings, WalkingRule

_LEVEL_M = 0.01
"""Far above rounding, far below what tells up from down."""
EVEN_REACH_CELLS = 3
"""A cliff is smeared over two or three cells: in less than seven its ramp looks like an even slope."""


@dataclass(frozen=True)
class StreetWorld:
    """The network of a city, ready to be asked."""

    network: WalkNetwork
    usable: Flags
    is_in_main_component: Flags
    terrain: Raster
    water: Names
    gate_line: Names
    """Lines across streets at shut gates."""
    node_x: Floats
    node_y: Floats
    facility_has_access: Flags
    landing_count: int


@dataclass(frozen=True)
class Access:
    """The access table of buildings.

    ``entry_m`` is the height of the street at the door that the walk home from the main road takes,
    or else at the nearest door. ``home_climb_m``, ``out_climb_m`` and ``cost_min`` are those of
    ``Walks``, by facility type; no list tells them.
    """

    columns: dict[str, Any]
    home_climb_m: dict[str, Floats]
    out_climb_m: dict[str, Floats]
    cost_min: dict[str, Floats]
    has_access: Flags
    entry_m: Floats
    doors: Doors
    paths: PathTree


def street_links(
    nodes: gpd.GeoDataFrame, edges: gpd.GeoDataFrame, riser_height_m: float
) -> StreetLinks:
    """Return the street tables as numbered arrays.

    A rise is tagged where steps are counted or a stair's grade is signed; its direction is known
    only where the map says up or down, so the sign is NaN-free but may be set by ``with_direction``.
    """
    number = pd.Series(np.arange(len(nodes)), index=nodes["node_id"])
    is_steps = (edges["structure_type"] == "steps").to_numpy()
    counted = edges["rise_steps"].to_numpy(dtype=float) * riser_height_m
    graded = np.abs(edges["incline_grade"].to_numpy(dtype=float)) * edges["length_m"].to_numpy()
    rise = np.where(np.isnan(counted), graded, counted)
    return StreetLinks(
        from_node=number[edges["from_node_id"]].to_numpy(),
        to_node=number[edges["to_node_id"]].to_numpy(),
        shape=edges.geometry.to_numpy(),
        # as even as a bridge, and nobody's door opens onto the middle of a square
        structure=edges["structure_type"].replace("plaza", "bridge").to_numpy(dtype=object),
        is_forward_open=edges["is_forward_open"].to_numpy(),
        is_backward_open=edges["is_backward_open"].to_numpy(),
        tagged_rise_m=np.where(is_steps, rise, np.nan),
        node_x=shapely.get_x(nodes.geometry.to_numpy()),
        node_y=shapely.get_y(nodes.geometry.to_numpy()),
    )


def signed_rise_m(links: StreetLinks, incline: Names, node_z: Floats) -> Floats:
    """Return tagged rises with their direction, and terrain rises of stairs against their tag.

    The tag up or down decides; without it the terrain does, and a stair on level terrain is taken to
    rise as it is drawn. A stair tagged up that the terrain takes
    for falling gets the terrain's height with the tag's direction. NaN where only terrain tells.
    """
    by_terrain = node_z[links.to_node] - node_z[links.from_node]
    tagged = np.select([incline == "up", incline == "down"], [1.0, -1.0], np.nan)
    sign = np.where(np.isnan(tagged), np.where(by_terrain < -_LEVEL_M, -1.0, 1.0), tagged)
    rise = links.tagged_rise_m * sign
    is_wrong = (links.structure == "steps") & np.isnan(rise) & (tagged * by_terrain < 0)
    return np.where(is_wrong, -by_terrain, rise)


def drivable_grade(highway_type: Names, walking: WalkingRule) -> Floats:
    """Return the steepest grade of each link that vehicles use, NaN for what is only walked."""
    limits = walking.max_drivable_grade
    kinds, kind = np.unique(highway_type.astype(str), return_inverse=True)
    grade = [limits.get(name.removesuffix("_link"), np.nan) for name in kinds.tolist()]
    return np.asarray(np.array(grade, dtype=float)[kind])


def street_world(
    nodes: gpd.GeoDataFrame,
    edges: gpd.GeoDataFrame,
    amenities: gpd.GeoDataFrame,
    water: gpd.GeoDataFrame,
    terrain: Raster,
    rule: MeasureSettings,
    spans: Spans = NO_SPANS,
) -> StreetWorld:
    """Return the network with heights, lifts taken apart, facilities and spans joined.

    Spans name links by their row in ``edges``.
    """
    street = links = street_links(nodes, edges, rule.walking.riser_height_m)
    walking = rule.walking
    heights = within_grades(
        links,
        over_holes(
            links,
            terrain_heights(links, terrain, walking.profile_spacing_m, walking.profile_noise_m),
            terrain,
        ),
        drivable_grade(edges["highway_type"].to_numpy(dtype=object), walking),
        walking.high_error_weight,
        terrain.cell_m,
        unevenness_m(terrain, EVEN_REACH_CELLS),
        (walking.even_terrain.believed_m, walking.even_terrain.limited_m),
    )
    incline = edges["incline_type"].to_numpy(dtype=object)
    links = replace(links, tagged_rise_m=signed_rise_m(links, incline, heights.node_m))
    lift = nodes["lift_type"].to_numpy(dtype=object)
    landings = with_landings(
        links, heights, lift != "none", lift == "open", walking.lift_level_gap_m
    )
    links = landings.links
    added = links.count - len(edges)
    is_main = np.append(edges["is_main_road"].to_numpy(), np.zeros(added, dtype=bool))
    profiles = link_profiles(links, landings.heights, walking)
    usable = usable_links(links, spans.joined_links)
    water_shapes = water.geometry.to_numpy()
    gate_line = gate_lines(street, nodes["is_shut_gate"].to_numpy(), rule.access.gate_wall_m)
    places = amenities.geometry.to_numpy()
    ways_in = doors(
        places, links, usable, profiles, terrain, water_shapes, rule.access, rule.walking, gate_line
    )
    kinds = amenities["amenity_type"].to_numpy(dtype=object)
    network = walk_network(links, profiles, is_main, kinds, ways_in, rule, spans)
    door = best_doors(ways_in, walking.climb_penalty_min_per_m)
    node_x, node_y = node_positions(links, street_cuts(door, spans), places[door.place])
    return StreetWorld(
        network,
        usable,
        main_component(links, spans.joined_links),
        terrain,
        water_shapes,
        gate_line,
        node_x,
        node_y,
        ways_in.has_access,
        len(np.unique(landings.lift_node)),
    )


def access_table(shapes: Names, world: StreetWorld, rule: MeasureSettings) -> Access:
    """Return the walks of every building to every facility type, and how many are in reach."""
    network = world.network
    ways = doors(
        shapes,
        network.links,
        world.usable,
        network.profiles,
        world.terrain,
        world.water,
        rule.access,
        rule.walking,
        world.gate_line,
    )
    buildings = BuildingWalks(network, ways)
    walks: dict[str, Walks] = {name: buildings.walks(name) for name in rule.facilities}
    chosen = buildings.chosen(MAIN_ROAD)
    paths = path_tree(buildings, chosen, world.node_x, world.node_y)
    elders = BuildingWalks(network, ways, is_elder=True)
    columns: dict[str, Any] = {
        "access_m": _at_first_door(ways, ways.access_m),
        "has_street_access": ways.has_access,
        **walk_columns(walks, rule),
        "main_road_elder_back_min": elders.home_min(MAIN_ROAD),
    }
    counts = facility_counts(buildings, world.node_x, world.node_y, rule.count_within_min)
    none = np.zeros((ways.place_count, len(rule.count_within_min)), dtype=np.int64)
    for name in rule.facilities:
        if name == MAIN_ROAD:
            continue
        for column, limit in enumerate(rule.count_within_min):
            number = counts.get(name, none)[:, column]
            is_empty = ~ways.has_access | (name not in counts)
            columns[f"{name}_within_{limit}_min_count"] = pd.arrays.IntegerArray(number, is_empty)
    street_z = network.profiles.at("elevation_m", ways.link, ways.fraction)
    entry = _at_first_door(ways, street_z)
    if len(street_z):
        entry = np.where(chosen.home_door >= 0, street_z[chosen.home_door], entry)
    begin = pd.array(paths.building_point, dtype="Int64")
    begin[paths.building_point < 0] = pd.NA
    columns["main_road_path_point_number"] = begin
    home_climb_m = {name: walk.climb_m for name, walk in walks.items()}
    out_climb_m = {name: walk.out_climb_m for name, walk in walks.items()}
    cost_min = {name: walk.cost_min for name, walk in walks.items()}
    return Access(columns, home_climb_m, out_climb_m, cost_min, ways.has_access, entry, ways, paths)


def _at_first_door(ways: Doors, values: Floats) -> Floats:
    whole = np.full(ways.place_count, np.nan)
    whole[ways.place[ways.first]] = values[ways.first]
    return whole
