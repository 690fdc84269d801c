"""The ways people choose on the street network, out and back, and the minutes and metres climbed.

Facilities are joined to the street they stand at by cutting that street there, so a walk may begin
and end anywhere along a link. Everything is directed: uphill and downhill differ.

Who chooses weighs minutes and metres: a way's cost is its minutes + penalty × metres climbed, and the
way of least cost is taken. People differ in what a metre weighs. With C(p) the least cost at penalty p,
minutes and climb are told for all penalties between a low and a high one together: climb =
(C(high) − C(low)) / (high − low), minutes = C(middle) − middle × climb. The slope of C at p is the
climb of the way chosen at p, so this climb is the mean over the penalties; and where all choose the
same way, both numbers are that way's own. C is a least sum and leaps nowhere, so where two ways are
nearly as good, a small change of a height moves the climb a little and does not flip it from one to
the other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from pipeline.geo.profile import Integers, Profiles, StreetLinks
from pipeline.geo.raster import Floats
from pipeline.settings.measure import WalkingRule

_LEAST_MIN = 1e-9
_LEAST_CLIMB_M = 1e-6


@dataclass(frozen=True)
class StreetPoint:
    """Points on the network: the link, and the fraction of its length."""

    link: Integers
    fraction: Floats

    def at(self, rows: Integers) -> "StreetPoint":
        """Return some of them."""
        return StreetPoint(self.link[rows], self.fraction[rows])


@dataclass(frozen=True)
class Pieces:
    """Links cut at points, in order of link and fraction; arrays are parallel."""

    link: Integers
    start: Floats
    end: Floats
    from_node: Integers
    to_node: Integers

    def holding(self, points: StreetPoint) -> Integers:
        """Return the piece on which each point lies."""
        found = np.searchsorted(
            2.0 * self.link + self.start, 2.0 * points.link + points.fraction, "right"
        )
        return np.asarray(found - 1, dtype=np.int64)


def cut_links(links: StreetLinks, points: StreetPoint) -> tuple[Pieces, Integers]:
    """Return the links cut at points, and the new node of each point (numbered after the old)."""
    order = np.lexsort((points.fraction, points.link))
    node = links.node_count + np.arange(len(order))
    count = len(links.from_node)
    link = np.concatenate([np.arange(count), points.link[order]])
    start = np.concatenate([np.zeros(count), points.fraction[order]])
    begin = np.concatenate([links.from_node, node[order]])
    arranged = np.lexsort((begin * (np.arange(len(link)) >= count), start, link))
    link, start, begin = link[arranged], start[arranged], begin[arranged]
    is_last = np.append(link[1:] != link[:-1], True)
    end = np.where(is_last, 1.0, np.append(start[1:], 1.0))
    finish = np.where(is_last, links.to_node[link], np.append(begin[1:], 0))
    return Pieces(link, start, end, begin, finish), node


@dataclass(frozen=True)
class Spurs:
    """Short ways between the street and what stands beside it, walked both ways."""

    street_node: Integers
    own_node: Integers
    there_min: Floats
    back_min: Floats
    there_ascent_m: Floats
    back_ascent_m: Floats


NO_SPURS = Spurs(*(np.zeros(0, dtype=np.int64),) * 2, *(np.zeros(0),) * 4)


@dataclass(frozen=True)
class Penalties:
    """Minutes that a metre of climb weighs more than it takes, by how much people mind it."""

    low: float
    middle: float
    high: float

    def of_each(self, costs: Callable[[str, float], Floats]) -> "Costs":
        """Return what a function of a penalty's name and value gives for each."""
        return Costs(costs("low", self.low), costs("middle", self.middle), costs("high", self.high))

    @classmethod
    def of(cls, walking: WalkingRule) -> "Penalties":
        """Return the penalties of a walker."""
        middle, spread = walking.climb_penalty_min_per_m, walking.climb_penalty_spread
        return cls((1 - spread) * middle, middle, (1 + spread) * middle)


@dataclass(frozen=True)
class WalkGraph:
    """Directed graphs of the same arcs, row = where the arc begins.

    ``minutes`` are those of the quickest of several arcs between two nodes; the others hold the
    least cost at each penalty.
    """

    minutes: sparse.csr_array
    low: sparse.csr_array
    middle: sparse.csr_array
    high: sparse.csr_array
    penalties: Penalties

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return int(self.minutes.shape[0])

    @property
    def reverse(self) -> "WalkGraph":
        """The graph walked the other way round."""
        return self._each(lambda arcs: arcs.T.tocsr())

    def without_arcs_into(self, nodes: Integers) -> "WalkGraph":
        """Return a graph in which nothing leads to some nodes; walks may still begin there."""
        return self._each(lambda arcs: _without_arcs_into(arcs, nodes))

    def _each(self, change: Callable[[sparse.csr_array], sparse.csr_array]) -> "WalkGraph":
        return WalkGraph(
            change(self.minutes), change(self.low), change(self.middle), change(self.high),
            self.penalties,
        )  # fmt: skip


def walk_graph(
    pieces: Pieces,
    links: StreetLinks,
    profiles: Profiles,
    node_count: int,
    spurs: Spurs,
    penalties: Penalties,
    walker: str = "",
) -> WalkGraph:
    """Return the graph of all pieces and spurs.

    A spur that takes infinitely long in one direction has no arc there. ``walker`` begins the names
    of the minutes in ``profiles`` (``elder_``).
    """
    start, end = (profiles.places(pieces.link, at) for at in (pieces.start, pieces.end))

    def between(name: str) -> Floats:
        return profiles.read(name, end) - profiles.read(name, start)

    forward = links.is_forward_open[pieces.link]
    backward = links.is_backward_open[pieces.link]
    up, down = between("ascent_m"), between("descent_m")
    begin = np.concatenate(
        [pieces.from_node[forward], pieces.to_node[backward], spurs.street_node, spurs.own_node]
    )
    finish = np.concatenate(
        [pieces.to_node[forward], pieces.from_node[backward], spurs.own_node, spurs.street_node]
    )
    minutes = np.concatenate(
        [
            between(f"{walker}forward_min")[forward],
            between(f"{walker}backward_min")[backward],
            spurs.there_min,
            spurs.back_min,
        ]
    )
    ascent = np.concatenate(
        [up[forward], down[backward], spurs.there_ascent_m, spurs.back_ascent_m]
    )
    order = np.lexsort((finish, begin))
    order = order[(begin[order] != finish[order]) & np.isfinite(minutes[order])]
    begin, finish, minutes, ascent = begin[order], finish[order], minutes[order], ascent[order]
    first = np.append(True, (begin[1:] != begin[:-1]) | (finish[1:] != finish[:-1]))
    first = np.flatnonzero(first[: len(begin)])
    pointer = np.searchsorted(begin[first], np.arange(node_count + 1))

    def arcs(penalty: float) -> sparse.csr_array:
        cost = minutes + penalty * ascent
        least = np.minimum.reduceat(cost, first) if len(first) else cost
        parts = np.maximum(least, _LEAST_MIN), finish[first], pointer
        return sparse.csr_array(parts, shape=(node_count, node_count))

    return WalkGraph(
        arcs(0.0), arcs(penalties.low), arcs(penalties.middle), arcs(penalties.high), penalties
    )


def _without_arcs_into(arcs: sparse.csr_array, nodes: Integers) -> sparse.csr_array:
    is_shut = np.zeros(arcs.shape[0], dtype=bool)
    is_shut[nodes] = True
    kept = ~is_shut[arcs.indices]
    pointer = np.append(0, np.cumsum(kept))[arcs.indptr]
    return sparse.csr_array((arcs.data[kept], arcs.indices[kept], pointer), shape=arcs.shape)


@dataclass(frozen=True)
class Costs:
    """Least cost at a low, a middle and a high penalty; infinity where there is no way."""

    low: Floats
    middle: Floats
    high: Floats

    @property
    def mean(self) -> Floats:
        """The mean of the three."""
        return (self.low + self.middle + self.high) / 3

    def minutes_and_climb(self, penalties: Penalties) -> tuple[Floats, Floats]:
        """Return minutes and metres climbed over all penalties between the two (module's head)."""
        reached = np.isfinite(self.low)
        low, middle, high = (
            np.where(reached, cost, 0) for cost in (self.low, self.middle, self.high)
        )
        climb = np.maximum(high - low, 0) / (penalties.high - penalties.low)
        # rounding leaves specks of metres on level ways
        climb = np.where(climb < _LEAST_CLIMB_M, 0, climb)
        minutes = middle - penalties.middle * climb
        return np.where(reached, minutes, np.inf), np.where(reached, climb, np.inf)


def nearest(graph: WalkGraph, targets: Integers) -> Costs:
    """Return the cost from every node's best target to it; the reversed graph tells the way out."""
    if not len(targets):
        nowhere = np.full(graph.node_count, np.inf)
        return Costs(nowhere, nowhere.copy(), nowhere.copy())
    return Costs(
        *(
            dijkstra(arcs, indices=targets, min_only=True)
            for arcs in (graph.low, graph.middle, graph.high)
        )
    )


def chosen_ways(graph: WalkGraph, targets: Integers) -> tuple[Floats, Integers]:
    """Return cost at the middle penalty from every node's best target, and the node before each.

    −1 at a target and where there is no way.
    """
    if not len(targets):
        nobody = np.full(graph.node_count, -1, dtype=np.int64)
        return np.full(graph.node_count, np.inf), nobody
    cost, parent, _ = dijkstra(
        graph.middle, indices=targets, min_only=True, return_predecessors=True
    )
    return cost, np.maximum(parent.astype(np.int64), -1)


def main_component(
    links: StreetLinks, spans: tuple[Integers, Integers] | None = None
) -> NDArray[np.bool_]:
    """Return which links belong to the largest connected part of the network.

    ``spans`` are pairs of links that something else joins.
    """
    begin, finish = links.from_node, links.to_node
    if spans is not None:
        begin = np.concatenate([begin, links.from_node[spans[0]]])
        finish = np.concatenate([finish, links.from_node[spans[1]]])
    shape = (links.node_count, links.node_count)
    joined = sparse.coo_array((np.ones(len(begin)), (begin, finish)), shape)
    _, part = connected_components(joined.tocsr(), directed=False)
    largest = np.bincount(part[links.from_node]).argmax()
    return part[links.from_node] == largest
