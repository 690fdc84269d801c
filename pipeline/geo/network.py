"""Shortest walks on the street network, out and back, with the metres climbed on the way.

Facilities are joined to the street they stand at by cutting that street there, so a walk may begin
and end anywhere along a link. Everything is directed: uphill and downhill differ.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from pipeline.geo.profile import Integers, Profiles, StreetLinks
from pipeline.geo.raster import Floats

_LEAST_MIN = 1e-9


@dataclass(frozen=True)
class StreetPoint:
    """Points on the network: the link, and the fraction of its length."""

    link: Integers
    fraction: Floats


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
class WalkGraph:
    """Directed graph of walking minutes, with the metres climbed along each arc.

    ``minutes`` and ``ascent_m`` have the same sparsity: row = where the arc begins.
    """

    minutes: sparse.csr_array
    ascent_m: sparse.csr_array

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return int(self.minutes.shape[0])


def walk_graph(
    pieces: Pieces,
    links: StreetLinks,
    profiles: Profiles,
    node_count: int,
    spurs: Spurs,
) -> WalkGraph:
    """Return the graph of all pieces and spurs.

    Of several arcs between the same two nodes the quickest stays. A spur that takes infinitely long
    in one direction has no arc there.
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
            between("forward_min")[forward],
            between("backward_min")[backward],
            spurs.there_min,
            spurs.back_min,
        ]
    )
    ascent = np.concatenate(
        [up[forward], down[backward], spurs.there_ascent_m, spurs.back_ascent_m]
    )
    order = np.lexsort((ascent, minutes, finish, begin))
    begin, finish = begin[order], finish[order]
    first = np.append(True, (begin[1:] != begin[:-1]) | (finish[1:] != finish[:-1]))
    first &= (begin != finish) & np.isfinite(minutes[order])
    begin, finish = begin[first], finish[first]
    minutes, ascent = np.maximum(minutes[order][first], _LEAST_MIN), ascent[order][first]
    pointer = np.searchsorted(begin, np.arange(node_count + 1))
    shape = (node_count, node_count)
    return WalkGraph(
        sparse.csr_array((minutes, finish, pointer), shape=shape),
        sparse.csr_array((ascent, finish, pointer), shape=shape),
    )


def without_arcs_into(arcs: sparse.csr_array, nodes: Integers) -> sparse.csr_array:
    """Return a graph in which nothing leads to some nodes; they may still be where walks begin."""
    is_shut = np.zeros(arcs.shape[0], dtype=bool)
    is_shut[nodes] = True
    kept = ~is_shut[arcs.indices]
    pointer = np.append(0, np.cumsum(kept))[arcs.indptr]
    return sparse.csr_array((arcs.data[kept], arcs.indices[kept], pointer), shape=arcs.shape)


@dataclass(frozen=True)
class Nearest:
    """For every node: the way home from the nearest target, and the way out to it.

    Infinity where there is none. The nearest for the way out need not be the one for the way home.
    """

    back_min: Floats
    back_ascent_m: Floats
    back_parent: Integers
    """The node before, on the way home; −1 at a target and where there is no way."""
    out_min: Floats


def nearest(graph: WalkGraph, reverse: sparse.csr_array, targets: Integers) -> Nearest:
    """Return minutes and climb between every node and its quickest target.

    ``reverse`` is the transposed minutes; one multi-source Dijkstra run in each direction.
    """
    unreached = np.full(graph.node_count, np.inf)
    if not len(targets):
        nobody = np.full(graph.node_count, -1, dtype=np.int64)
        return Nearest(unreached, unreached.copy(), nobody, unreached.copy())
    back, parent, _ = dijkstra(
        graph.minutes, indices=targets, min_only=True, return_predecessors=True
    )
    out = dijkstra(reverse, indices=targets, min_only=True)
    parent = np.maximum(parent.astype(np.int64), -1)
    return Nearest(back, _climb_along(graph, parent, back), parent, out)


def _climb_along(graph: WalkGraph, parent: Integers, reached_min: Floats) -> Floats:
    """Return the metres climbed from the root of a shortest-path forest to every node.

    Doubles the stretch summed in every round, so the rounds are the logarithm of the depth.
    """
    count = graph.node_count
    child = np.flatnonzero(parent >= 0)
    begin, finish = graph.ascent_m.tocoo().coords
    is_walked = parent[finish] == begin
    climbed = np.zeros(count)
    climbed[finish[is_walked]] = graph.ascent_m.data[is_walked]
    ancestor = np.arange(count)
    ancestor[child] = parent[child]
    while True:
        further = ancestor[ancestor]
        if (further == ancestor).all():
            break
        climbed += climbed[ancestor]
        ancestor = further
    climbed[np.isinf(reached_min)] = np.inf
    return climbed


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
