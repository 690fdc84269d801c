"""Walks between every building and the nearest facility of each type.

A building reaches the street at the point of the street nearest to its footprint. Where no street
lies within the cap it has no access, and its walks stay empty: nothing is guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipeline.geo.network import (
    Nearest,
    Pieces,
    StreetPoint,
    WalkGraph,
    cut_links,
    main_component,
    nearest,
    walk_graph,
)
from pipeline.geo.profile import Flags, Integers, Profiles, StreetLinks, walk_minutes
from pipeline.geo.raster import Floats
from pipeline.settings.measure import MeasureSettings

MAIN_ROAD = "main_road"


@dataclass(frozen=True)
class Snapped:
    """Where places meet the street; ``link`` is −1 and ``access_m`` empty where none is near."""

    link: Integers
    fraction: Floats
    access_m: Floats

    @property
    def is_found(self) -> Flags:
        """Whether a street lies within the cap."""
        return self.link >= 0


def snap(
    places: NDArray[np.object_], links: StreetLinks, usable: Flags, max_access_m: float
) -> Snapped:
    """Return the nearest point of a usable link for each place, within a distance.

    Of links equally near, the first one counts.
    """
    candidates = np.flatnonzero(usable)
    link = np.full(len(places), -1, dtype=np.int64)
    fraction = np.zeros(len(places))
    access = np.full(len(places), np.nan)
    if not len(places) or not len(candidates):
        return Snapped(link, fraction, access)
    tree = shapely.STRtree(links.shape[candidates])
    (place, found), distance = tree.query_nearest(
        places, max_distance=max_access_m, return_distance=True
    )
    order = np.lexsort((found, place))
    place, found, distance = place[order], found[order], distance[order]
    first = np.append(True, place[1:] != place[:-1]) if len(place) else np.zeros(0, dtype=bool)
    place, found, distance = place[first], candidates[found[first]], distance[first]
    shape = links.shape[found]
    touch = shapely.get_point(shapely.shortest_line(shape, places[place]), 0)
    link[place] = found
    fraction[place] = np.clip(shapely.line_locate_point(shape, touch, normalized=True), 0, 1)
    access[place] = distance
    return Snapped(link, fraction, access)


@dataclass(frozen=True)
class WalkNetwork:
    """The network with all facilities joined to it."""

    links: StreetLinks
    profiles: Profiles
    pieces: Pieces
    graph: WalkGraph
    targets: Mapping[str, Integers]
    is_main_road: Flags
    unreachable_facilities: NDArray[np.object_]
    """Ids of facilities with no street within the cap."""


def usable_links(links: StreetLinks) -> Flags:
    """Return which links a building or facility may be reached from.

    Only streets and steps on the ground, in the largest connected part of the network: nobody's door
    opens into a tunnel, onto a bridge or onto an island of two mapped footways.
    """
    return np.isin(links.structure, ("ground", "steps")) & main_component(links)


def walk_network(
    links: StreetLinks,
    profiles: Profiles,
    is_main_road: Flags,
    amenities: pd.DataFrame,
    points: NDArray[np.object_],
    settings: MeasureSettings,
) -> WalkNetwork:
    """Return the network cut where facilities stand, with a target node for each facility."""
    snapped = snap(points, links, usable_links(links), settings.access.max_access_m)
    found = snapped.is_found
    where = StreetPoint(snapped.link[found], snapped.fraction[found])
    pieces, street_node = cut_links(links, where)
    own_node = links.node_count + len(street_node) + np.arange(len(street_node))
    spur_min = snapped.access_m[found] / settings.walking.flat_speed_m_per_min
    node_count = links.node_count + 2 * len(street_node)
    graph = walk_graph(pieces, links, profiles, node_count, (street_node, own_node, spur_min))
    kind = amenities["amenity_type"].to_numpy(dtype=object)[found]
    targets = {}
    for name in settings.facilities:
        nodes = own_node[kind == name]
        is_mapped = len(nodes) >= settings.access.min_facility_count
        targets[name] = nodes if is_mapped else nodes[:0]
    on_main = is_main_road[pieces.link]
    targets[MAIN_ROAD] = np.unique(
        np.concatenate([pieces.from_node[on_main], pieces.to_node[on_main]])
    )
    lost = amenities["amenity_id"].to_numpy(dtype=object)[~found]
    return WalkNetwork(links, profiles, pieces, graph, targets, is_main_road, lost)


@dataclass(frozen=True)
class Walks:
    """Walks of every building to one facility type; NaN where there is no way."""

    out_min: Floats
    back_min: Floats
    climb_m: Floats


class BuildingAccess:
    """How buildings join the network; answers the walks for any set of targets.

    Parameters
    ----------
    network
        The network with facilities joined.
    snapped
        Where each building meets the street.
    elevation_m
        Height of each building; where it is empty the way to the door is taken as flat.
    settings
        Walking speeds.
    """

    def __init__(
        self, network: WalkNetwork, snapped: Snapped, elevation_m: Floats, settings: MeasureSettings
    ) -> None:
        self._network = network
        self._row = np.flatnonzero(snapped.is_found)
        self._count = len(snapped.link)
        link, at = snapped.link[self._row], snapped.fraction[self._row]
        pieces, profiles = network.pieces, network.profiles
        piece = pieces.holding(StreetPoint(link, at))
        self._from, self._to = pieces.from_node[piece], pieces.to_node[piece]
        self._is_main = network.is_main_road[link]
        start, end = pieces.start[piece], pieces.end[piece]

        def stretch(name: str, low: Floats, high: Floats) -> Floats:
            return profiles.at(name, link, high) - profiles.at(name, link, low)

        forward, backward = (
            network.links.is_forward_open[link],
            network.links.is_backward_open[link],
        )
        self._home_from = np.where(forward, stretch("forward_min", start, at), np.inf)
        self._home_to = np.where(backward, stretch("backward_min", at, end), np.inf)
        self._away_from = np.where(backward, stretch("backward_min", start, at), np.inf)
        self._away_to = np.where(forward, stretch("forward_min", at, end), np.inf)
        self._up_from = stretch("ascent_m", start, at)
        self._up_to = stretch("descent_m", at, end)

        run = snapped.access_m[self._row]
        rise = np.nan_to_num(elevation_m[self._row] - profiles.at("elevation_m", link, at))
        most = settings.walking.max_grade * run
        rise = np.clip(rise, -most, most)
        self._door_home_min = walk_minutes(run, rise, settings.walking)
        self._door_away_min = walk_minutes(run, -rise, settings.walking)
        self._door_up_m = np.maximum(rise, 0)
        self._reverse = network.graph.minutes.T.tocsr()

    def walks(self, facility: str) -> Walks:
        """Return the walks between every building and its nearest facility of a type."""
        targets = self._network.targets.get(facility, np.zeros(0, dtype=np.int64))
        near = nearest(self._network.graph, self._reverse, targets)
        home, climb = self._home(near)
        away = np.minimum(
            near.out_min[self._from] + self._away_from, near.out_min[self._to] + self._away_to
        )
        if facility == MAIN_ROAD:
            home, away = np.where(self._is_main, 0, home), np.where(self._is_main, 0, away)
            climb = np.where(self._is_main, 0, climb)
        return Walks(
            self._all_rows(away + self._door_away_min),
            self._all_rows(home + self._door_home_min),
            self._all_rows(climb + self._door_up_m),
        )

    def _home(self, near: Nearest) -> tuple[Floats, Floats]:
        one = near.back_min[self._from] + self._home_from
        two = near.back_min[self._to] + self._home_to
        climb_one = near.back_ascent_m[self._from] + self._up_from
        climb_two = near.back_ascent_m[self._to] + self._up_to
        return np.minimum(one, two), np.where(one <= two, climb_one, climb_two)

    def _all_rows(self, values: Floats) -> Floats:
        whole = np.full(self._count, np.nan)
        whole[self._row] = np.where(np.isfinite(values), values, np.nan)
        return whole


def access_columns(access: BuildingAccess, settings: MeasureSettings) -> dict[str, Floats]:
    """Return minutes out and back, equivalent metres and metres climbed for every facility type.

    The equivalent distance is the slower direction's minutes × the planning speed, so that a radius
    in metres can be compared with a walk on a slope.
    """
    columns: dict[str, Floats] = {}
    for facility in settings.facilities:
        walks = access.walks(facility)
        slower = np.maximum(walks.out_min, walks.back_min)
        columns[f"{facility}_walk_out_min"] = walks.out_min
        columns[f"{facility}_walk_back_min"] = walks.back_min
        columns[f"{facility}_walk_m"] = slower * settings.walking.planning_speed_m_per_min
        columns[f"{facility}_climb_m"] = walks.climb_m
    return columns
