"""Walks between every building and the nearest facility of each type, out and home."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.geo.network import (
    Costs,
    Penalties,
    Pieces,
    Spurs,
    StreetPoint,
    WalkGraph,
    chosen_ways,
    cut_links,
    nearest,
    walk_graph,
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
    elder_graph: WalkGraph
    elder_pace_share: float
    """An elder's pace on the flat over the adult's: the legs beside the street take longer by it."""
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

    A facility is reached by its best door. A type with fewer reachable places than
    ``min_facility_count`` is not mapped here and has no targets.
    """
    walking = settings.walking
    penalties = Penalties.of(walking)
    door = best_doors(amenity_doors, penalties.middle)
    pieces, cut_node = cut_links(links, street_cuts(door, spans))
    street_node, begin, end = np.split(
        cut_node, [len(door.place), len(door.place) + len(spans.there_min)]
    )
    own_node = links.node_count + len(cut_node) + np.arange(len(door.place))
    pace = walking.elder.flat_speed_m_per_min / walking.flat_speed_m_per_min
    by_adult, by_elder = (
        Spurs(
            np.concatenate([street_node, begin]),
            np.concatenate([own_node, end]),
            there_min=np.concatenate([door.home_min / share, spans.there_min]),
            back_min=np.concatenate([door.away_min / share, spans.back_min]),
            there_ascent_m=np.concatenate([door.home_ascent_m, spans.there_ascent_m]),
            back_ascent_m=np.concatenate([door.away_ascent_m, spans.back_ascent_m]),
        )
        for share in (1.0, pace)
    )
    node_count = links.node_count + len(cut_node) + len(own_node)
    graph = walk_graph(pieces, links, profiles, node_count, by_adult, penalties)
    elder_graph = walk_graph(
        pieces, links, profiles, node_count, by_elder, Penalties.of(walking.of_elder()), "elder_"
    )
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
    return WalkNetwork(links, profiles, pieces, graph, elder_graph, pace, targets, is_main_road)


def street_cuts(door: Doors, spans: Spans) -> StreetPoint:
    """Return where streets are cut: at the facilities' doors, then where spans begin and end."""
    points = (door.street_point, spans.begin, spans.end)
    return StreetPoint(
        np.concatenate([point.link for point in points]),
        np.concatenate([point.fraction for point in points]),
    )


def best_doors(doors: Doors, penalty: float) -> Doors:
    """Return each place's way to a street of least cost, there and back together."""
    both = doors.home_min + doors.away_min
    both = both + penalty * (doors.home_ascent_m + doors.away_ascent_m)
    order = np.lexsort((doors.link, both, doors.place))
    first = np.append(True, np.diff(doors.place[order]) > 0)[: len(order)]
    return doors.chosen(order[first])


@dataclass(frozen=True)
class Walks:
    """Walks of every building to one facility type; NaN where there is no way."""

    out_min: Floats
    home_min: Floats
    climb_m: Floats
    """Climbed on the way home."""
    out_climb_m: Floats
    cost_min: Floats
    """Minutes and climb as they are weighed, out and home together, the mean over the penalties."""

    def counted_climb_m(self, direction: str) -> Floats:
        """Return the climb home, out, or the larger of both."""
        larger = np.maximum(self.climb_m, self.out_climb_m)
        return {"home": self.climb_m, "out": self.out_climb_m, "larger": larger}[direction]


@dataclass(frozen=True)
class ChosenWays:
    """The way home of who minds a climb as most do."""

    parent: Integers
    """For every node the one before it, −1 at the facility."""
    home_door: Integers
    """Door by which each building's way ends; −1 where there is none."""
    home_node: Integers
    """Last node of it; −1 where it begins on the building's own street, or nowhere."""


@dataclass(frozen=True)
class Legs:
    """What lies between each building and the nodes at both ends of its streets.

    Arrays are parallel, sorted by building. ``on_main_min`` is what is left of a walk from or to a main
    road at which the building's door stands, infinite at others.
    """

    place: Integers
    node: Integers
    cost_min: Floats
    on_main_min: Floats


class BuildingWalks:
    """Where the buildings join the network; answers the walks to any set of targets.

    Parameters
    ----------
    network
        The network with facilities joined.
    doors
        Every building's ways to the street.
    is_elder
        Whether an elder walks.
    """

    def __init__(self, network: WalkNetwork, doors: Doors, *, is_elder: bool = False) -> None:
        self.network = network
        self.doors = doors
        graph = network.elder_graph if is_elder else network.graph
        walker, pace = ("elder_", network.elder_pace_share) if is_elder else ("", 1.0)
        self.penalties = graph.penalties
        pieces, profiles, links = network.pieces, network.profiles, network.links
        link = doors.link
        piece = pieces.holding(doors.street_point)
        self.from_node, self.to_node = pieces.from_node[piece], pieces.to_node[piece]
        self._is_main = network.is_main_road[link]
        begin, finish = (
            profiles.places(pieces.link, at).of(piece) for at in (pieces.start, pieces.end)
        )
        middle = profiles.places(link, doors.fraction)

        def first(name: str) -> Floats:
            return profiles.read(name, middle) - profiles.read(name, begin)

        def second(name: str) -> Floats:
            return profiles.read(name, finish) - profiles.read(name, middle)

        forward, backward = links.is_forward_open[link], links.is_backward_open[link]
        self._home_from = np.where(forward, first(f"{walker}forward_min"), np.inf)
        self._home_to = np.where(backward, second(f"{walker}backward_min"), np.inf)
        self.away_from = np.where(backward, first(f"{walker}backward_min"), np.inf)
        self.away_to = np.where(forward, second(f"{walker}forward_min"), np.inf)
        self._up_from, self._down_from = first("ascent_m"), first("descent_m")
        self._up_to, self._down_to = second("descent_m"), second("ascent_m")
        self._leg_home, self._leg_away = doors.home_min / pace, doors.away_min / pace
        # nobody walks through a facility, so on the way to another none need be reached
        self._way_home = graph.without_arcs_into(network.facility_nodes)
        self._way_out = graph.reverse.without_arcs_into(network.facility_nodes)
        self._place_start = np.flatnonzero(np.append(True, np.diff(doors.place) > 0))[
            : len(np.unique(doors.place))
        ]

    def way(self, direction: str) -> WalkGraph:
        """Return the graph of the walks ``home``, or that of the walks ``out`` turned round."""
        return self._way_home if direction == "home" else self._way_out

    def legs(self, direction: str, penalty: float) -> Legs:
        """Return the ends of all walks ``home``, or the begins of those ``out``, by what they cost."""
        if direction == "home":
            by_from = self._home_from + penalty * self._up_from
            by_to = self._home_to + penalty * self._up_to
            leg = self._leg_home + penalty * self.doors.home_ascent_m
        else:
            by_from = self.away_from + penalty * self._down_from
            by_to = self.away_to + penalty * self._down_to
            leg = self._leg_away + penalty * self.doors.away_ascent_m
        return Legs(
            np.repeat(self.doors.place, 2),
            np.column_stack([self.from_node, self.to_node]).ravel(),
            np.column_stack([by_from + leg, by_to + leg]).ravel(),
            np.repeat(np.where(self._is_main, leg, np.inf), 2),
        )

    def walks(self, facility: str) -> Walks:
        """Return every building's walks to its nearest facility of a type."""
        home = self._home(facility)
        home_min, climb_m = home.minutes_and_climb(self.penalties)
        is_there = self._is_main & (facility == MAIN_ROAD)
        near = nearest(self._way_out, self.network.targets[facility])
        out = self.penalties.of_each(
            lambda name, penalty: self._least(
                self._out_cost(getattr(near, name), penalty, is_there)
            )
        )
        out_min, out_climb_m = out.minutes_and_climb(self.penalties)
        cost_min = out.mean + home.mean
        told = (out_min, home_min, climb_m, out_climb_m, cost_min)
        return Walks(*(_finite(values) for values in told))

    def home_min(self, facility: str) -> Floats:
        """Return the minutes of the walks home alone."""
        return _finite(self._home(facility).minutes_and_climb(self.penalties)[0])

    def _home(self, facility: str) -> Costs:
        """Return what the walks home cost."""
        is_there = self._is_main & (facility == MAIN_ROAD)
        near = nearest(self._way_home, self.network.targets[facility])
        return self.penalties.of_each(
            lambda name, penalty: self._least(
                self._home_cost(getattr(near, name), penalty, is_there)[0]
            )
        )

    def chosen(self, facility: str) -> ChosenWays:
        """Return the ways home at the middle penalty."""
        near, parent = chosen_ways(self._way_home, self.network.targets[facility])
        is_there = self._is_main & (facility == MAIN_ROAD)
        cost, is_from = self._home_cost(near, self.penalties.middle, is_there)
        last = np.where(is_there, -1, np.where(is_from, self.from_node, self.to_node))
        best = self._best_door(cost)
        return ChosenWays(parent, best, np.where(best >= 0, last[best], -1) if len(last) else best)

    def _home_cost(self, near: Floats, penalty: float, is_there: Flags) -> tuple[Floats, Flags]:
        """Return the cost home by each door, and whether it comes from the street's begin."""
        by_from = near[self.from_node] + self._home_from + penalty * self._up_from
        by_to = near[self.to_node] + self._home_to + penalty * self._up_to
        street = np.where(is_there, 0, np.minimum(by_from, by_to))
        leg = self._leg_home + penalty * self.doors.home_ascent_m
        return street + leg, by_from <= by_to

    def _out_cost(self, near: Floats, penalty: float, is_there: Flags) -> Floats:
        by_from = near[self.from_node] + self.away_from + penalty * self._down_from
        by_to = near[self.to_node] + self.away_to + penalty * self._down_to
        street = np.where(is_there, 0, np.minimum(by_from, by_to))
        return street + self._leg_away + penalty * self.doors.away_ascent_m

    def _least(self, cost: Floats) -> Floats:
        least = np.full(self.doors.place_count, np.inf)
        if len(cost):
            least[self.doors.place[self._place_start]] = np.minimum.reduceat(
                cost, self._place_start
            )
        return least

    def _best_door(self, cost: Floats) -> Integers:
        best = np.full(self.doors.place_count, -1, dtype=np.int64)
        if len(cost):
            start = self._place_start
            size = np.diff(np.append(start, len(cost)))
            least = np.repeat(np.minimum.reduceat(cost, start), size)
            equal = np.flatnonzero((cost == least) & np.isfinite(cost))
            place = self.doors.place[equal]
            first = equal[np.append(True, place[1:] != place[:-1])[: len(equal)]]
            best[self.doors.place[first]] = first
        return best


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def walk_columns(walks: Mapping[str, Walks], settings: MeasureSettings) -> dict[str, Floats]:
    """Return minutes, equivalent metres, gap above the standard and climb for every facility type.

    The equivalent distance is the slower direction's minutes × the planning speed, so that a radius
    in metres can be compared with a walk on a slope. The climb is that of the direction that config
    counts.
    """
    columns: dict[str, Floats] = {}
    for name, walk in walks.items():
        slower = np.maximum(walk.out_min, walk.home_min)
        equivalent = slower * settings.walking.planning_speed_m_per_min
        columns[f"{name}_walk_out_min"] = walk.out_min
        columns[f"{name}_walk_back_min"] = walk.home_min
        columns[f"{name}_walk_m"] = equivalent
        columns[f"{name}_climb_m"] = walk.counted_climb_m(settings.walking.counted_climb)
        radius = settings.facilities[name].radius_m
        if radius is not None:
            columns[f"{name}_gap_m"] = np.maximum(equivalent - radius, 0)
    return columns
