"""Walks between every building and the nearest facility of each type, out and home."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.geo.network import (
    Nearest,
    Pieces,
    Spurs,
    StreetPoint,
    WalkGraph,
    cut_links,
    nearest,
    walk_graph,
    without_arcs_into,
)
from pipeline.geo.profile import Flags, Integers, Names, Profiles, StreetLinks
from pipeline.geo.raster import Floats
from pipeline.measure.access import Doors
from pipeline.settings.measure import MeasureSettings

MAIN_ROAD = "main_road"


@dataclass(frozen=True)
class Spans:
    """Ways that lead from one point of the streets to another and meet no street in between.

    Arrays are parallel; ``there`` is from ``begin`` to ``end``. Infinite minutes: shut.
    """

    begin: StreetPoint
    end: StreetPoint
    there_min: Floats
    back_min: Floats
    there_ascent_m: Floats
    back_ascent_m: Floats

    @property
    def joined_links(self) -> tuple[Integers, Integers]:
        """Pairs of links that the spans join."""
        return self.begin.link, self.end.link


_NOWHERE = StreetPoint(np.zeros(0, dtype=np.int64), np.zeros(0))
NO_SPANS = Spans(_NOWHERE, _NOWHERE, *(np.zeros(0),) * 4)


@dataclass(frozen=True)
class WalkNetwork:
    """The network with all facilities joined to it."""

    links: StreetLinks
    profiles: Profiles
    pieces: Pieces
    graph: WalkGraph
    targets: Mapping[str, Integers]
    """Nodes to walk to, by facility type; none where the type is not mapped."""
    is_main_road: Flags

    @property
    def facility_nodes(self) -> Integers:
        """Nodes of all mapped facilities, by type; each hangs on one street node."""
        nodes = [nodes for name, nodes in self.targets.items() if name != MAIN_ROAD]
        return np.concatenate([np.zeros(0, dtype=np.int64), *nodes])


def walk_network(
    links: StreetLinks,
    profiles: Profiles,
    is_main_road: Flags,
    amenity_type: Names,
    amenity_doors: Doors,
    settings: MeasureSettings,
    spans: Spans = NO_SPANS,
) -> WalkNetwork:
    """Return the network cut where facilities stand and spans end, with a node for each facility.

    A facility is reached by its quickest door. A type with fewer reachable places than
    ``min_facility_count`` is not mapped here and has no targets.
    """
    door = quickest_doors(amenity_doors)
    pieces, cut_node = cut_links(links, street_cuts(door, spans))
    street_node, begin, end = np.split(
        cut_node, [len(door.place), len(door.place) + len(spans.there_min)]
    )
    own_node = links.node_count + len(cut_node) + np.arange(len(door.place))
    spurs = Spurs(
        np.concatenate([street_node, begin]),
        np.concatenate([own_node, end]),
        there_min=np.concatenate([door.home_min, spans.there_min]),
        back_min=np.concatenate([door.away_min, spans.back_min]),
        there_ascent_m=np.concatenate([door.home_ascent_m, spans.there_ascent_m]),
        back_ascent_m=np.concatenate([door.away_ascent_m, spans.back_ascent_m]),
    )
    node_count = links.node_count + len(cut_node) + len(own_node)
    graph = walk_graph(pieces, links, profiles, node_count, spurs)
    kind = amenity_type[door.place]
    targets = {}
    for name in settings.facilities:
        nodes = own_node[kind == name]
        is_mapped = len(nodes) >= settings.access.min_facility_count
        targets[name] = nodes if is_mapped else nodes[:0]
    on_main = is_main_road[pieces.link]
    targets[MAIN_ROAD] = np.unique(
        np.concatenate([pieces.from_node[on_main], pieces.to_node[on_main]])
    )
    return WalkNetwork(links, profiles, pieces, graph, targets, is_main_road)


def street_cuts(door: Doors, spans: Spans) -> StreetPoint:
    """Return where streets are cut: at the facilities' doors, then where spans begin and end."""
    points = (door.street_point, spans.begin, spans.end)
    return StreetPoint(
        np.concatenate([point.link for point in points]),
        np.concatenate([point.fraction for point in points]),
    )


def quickest_doors(doors: Doors) -> Doors:
    """Return each place's quickest way to a street, there and back together."""
    both = doors.home_min + doors.away_min
    order = np.lexsort((doors.link, both, doors.place))
    first = np.append(True, np.diff(doors.place[order]) > 0)[: len(order)]
    return doors.chosen(order[first])


@dataclass(frozen=True)
class Walks:
    """Walks of every building to one facility type; NaN where there is no way."""

    out_min: Floats
    home_min: Floats
    climb_m: Floats
    home_door: Integers
    """Door by which the walk home ends; −1 where there is no way."""
    home_node: Integers
    """Last node of the walk home; −1 where it begins on the building's own street, or nowhere."""


class BuildingWalks:
    """Where the buildings join the network; answers the walks to any set of targets.

    Parameters
    ----------
    network
        The network with facilities joined.
    doors
        Every building's ways to the street.
    """

    def __init__(self, network: WalkNetwork, doors: Doors) -> None:
        self.network = network
        self.doors = doors
        pieces, profiles, links = network.pieces, network.profiles, network.links
        link = doors.link
        piece = pieces.holding(doors.street_point)
        self.from_node, self.to_node = pieces.from_node[piece], pieces.to_node[piece]
        self._is_main = network.is_main_road[link]
        begin, middle, finish = (
            profiles.places(link, at)
            for at in (pieces.start[piece], doors.fraction, pieces.end[piece])
        )

        def first(name: str) -> Floats:
            return profiles.read(name, middle) - profiles.read(name, begin)

        def second(name: str) -> Floats:
            return profiles.read(name, finish) - profiles.read(name, middle)

        forward, backward = links.is_forward_open[link], links.is_backward_open[link]
        self._home_from = np.where(forward, first("forward_min"), np.inf)
        self._home_to = np.where(backward, second("backward_min"), np.inf)
        self.away_from = np.where(backward, first("backward_min"), np.inf)
        self.away_to = np.where(forward, second("forward_min"), np.inf)
        self._up_from = first("ascent_m")
        self._up_to = second("descent_m")
        # nobody walks through a facility, so on the way to another none need be reached
        graph, aside = network.graph, network.facility_nodes
        self._home = WalkGraph(
            without_arcs_into(graph.minutes, aside), without_arcs_into(graph.ascent_m, aside)
        )
        self._reverse = without_arcs_into(graph.minutes.T.tocsr(), aside)
        self._place_start = np.flatnonzero(np.append(True, np.diff(doors.place) > 0))[
            : len(np.unique(doors.place))
        ]

    def nearest(self, facility: str) -> Nearest:
        """Return, for every node of the streets, the walk from and to the nearest of a type."""
        return nearest(self._home, self._reverse, self.network.targets[facility])

    def walks(self, facility: str, near: Nearest | None = None) -> Walks:
        """Return every building's walks to its nearest facility of a type."""
        near = near or self.nearest(facility)
        doors = self.doors
        by_from = near.back_min[self.from_node] + self._home_from
        by_to = near.back_min[self.to_node] + self._home_to
        home = np.minimum(by_from, by_to)
        last = np.where(by_from <= by_to, self.from_node, self.to_node)
        climb = np.where(
            by_from <= by_to,
            near.back_ascent_m[self.from_node] + self._up_from,
            near.back_ascent_m[self.to_node] + self._up_to,
        )
        out = np.minimum(
            near.out_min[self.from_node] + self.away_from, near.out_min[self.to_node] + self.away_to
        )
        if facility == MAIN_ROAD:
            home, out = np.where(self._is_main, 0, home), np.where(self._is_main, 0, out)
            climb = np.where(self._is_main, 0, climb)
            last = np.where(self._is_main, -1, last)
        home = home + doors.home_min
        best = self._best_door(home)
        reached = best >= 0
        return Walks(
            out_min=self._least(out + doors.away_min),
            home_min=np.where(reached, home[best], np.nan) if len(home) else self._nowhere(),
            climb_m=np.where(reached, (climb + doors.home_ascent_m)[best], np.nan)
            if len(home)
            else self._nowhere(),
            home_door=best,
            home_node=np.where(reached, last[best], -1) if len(home) else best,
        )

    def _nowhere(self) -> Floats:
        return np.full(self.doors.place_count, np.nan)

    def _least(self, minutes: Floats) -> Floats:
        least = self._nowhere()
        if len(minutes):
            found = np.minimum.reduceat(minutes, self._place_start)
            least[self.doors.place[self._place_start]] = np.where(np.isinf(found), np.nan, found)
        return least

    def _best_door(self, minutes: Floats) -> Integers:
        best = np.full(self.doors.place_count, -1, dtype=np.int64)
        if len(minutes):
            start = self._place_start
            size = np.diff(np.append(start, len(minutes)))
            least = np.repeat(np.minimum.reduceat(minutes, start), size)
            equal = np.flatnonzero((minutes == least) & np.isfinite(minutes))
            place = self.doors.place[equal]
            first = equal[np.append(True, place[1:] != place[:-1])[: len(equal)]]
            best[self.doors.place[first]] = first
        return best


def walk_columns(walks: Mapping[str, Walks], settings: MeasureSettings) -> dict[str, Floats]:
    """Return minutes, equivalent metres, gap above the standard and climb for every facility type.

    The equivalent distance is the slower direction's minutes × the planning speed, so that a radius
    in metres can be compared with a walk on a slope.
    """
    columns: dict[str, Floats] = {}
    for name, walk in walks.items():
        slower = np.maximum(walk.out_min, walk.home_min)
        equivalent = slower * settings.walking.planning_speed_m_per_min
        columns[f"{name}_walk_out_min"] = walk.out_min
        columns[f"{name}_walk_back_min"] = walk.home_min
        columns[f"{name}_walk_m"] = equivalent
        columns[f"{name}_climb_m"] = walk.climb_m
        radius = settings.facilities[name].radius_m
        if radius is not None:
            columns[f"{name}_gap_m"] = np.maximum(equivalent - radius, 0)
    return columns
