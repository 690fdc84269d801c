"""What today's walks cost, and how far each end of a lift is from everybody: what a lift changes.

A lift from a to b that costs c shortens a way only where d(facility, a) + c + d(b, building) is less
than the way today. For each end b the costs d(b, ·) are found no further than any lift could
matter even if all were built: if a node is not improved by way of b, neither is what lies beyond.
So the costs of every building with any set of lifts follow exactly from these tables.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from pipeline.contracts.tables import AMENITIES, STREET_EDGES, STREET_NODES, WATER
from pipeline.geo.network import StreetPoint
from pipeline.geo.profile import Integers
from pipeline.geo.raster import Floats
from pipeline.measure.streets import street_world
from pipeline.measure.walks import MAIN_ROAD, BuildingWalks, Legs, Spans, WalkNetwork
from pipeline.siting.walking_city import WalkingCity

DIRECTIONS = ("home", "out")
PENALTIES = ("low", "middle", "high")
_MOST_CELLS = 20_000_000
"""Of a table of costs that is looked at at once."""
_NEAR_MIN = 1e-9
"""Smaller differences are rounding."""


@dataclass(frozen=True)
class Near:
    """Costs from each end to what lies around it; ``start`` is where each end's entries begin."""

    start: Integers
    what: Integers
    cost_min: Floats

    def of(self, end: int) -> slice:
        """Return where an end's entries stand."""
        return slice(int(self.start[end]), int(self.start[end + 1]))


@dataclass(frozen=True)
class Mode:
    """Walks in one direction by people who mind a climb alike.

    The walks out are walked from the facility backwards. Rows of the matrices are facility types.
    """

    direction: str
    penalty: str
    house_cost_min: Floats
    """Of each building's walk today."""
    end_cost_min: Floats
    """The same to each end of a lift."""
    least_end_cost_min: Floats
    """The same if all lifts were built."""
    houses: Near
    """Buildings around each end that it could bring nearer to some facility."""
    ends: Near
    """The same of other ends."""


@dataclass(frozen=True)
class Routes:
    """Today's walks by direction and penalty, with what each end of a lift reaches."""

    names: tuple[str, ...]
    """Facility types."""
    modes: tuple[Mode, ...]


@dataclass(frozen=True)
class Joined:
    """The network cut where lifts could be joined, with the node of every end."""

    network: WalkNetwork
    x: Floats
    y: Floats
    node: Integers


@dataclass(frozen=True)
class Arcs:
    """Lifts as arcs from end to end, both ways; costs are minutes, since nobody climbs."""

    begin: Integers
    finish: Integers
    cost_min: Floats


def joined(city: WalkingCity, point: StreetPoint) -> Joined:
    """Return the city's network cut at points.

    The cuts are those of spans that are shut, each from a point to the same point.
    """
    count = len(point.link)
    shut, level = np.full(count, np.inf), np.zeros(count)
    nodes, edges, amenities, water = (
        city.tables[table] for table in (STREET_NODES, STREET_EDGES, AMENITIES, WATER)
    )
    spans = Spans(point, point, shut, shut, level, level)
    world = street_world(nodes, edges, amenities, water, city.ground, city.rule, spans)
    network = world.network
    cut_count = (network.graph.node_count - network.links.node_count) // 2
    first = network.links.node_count + cut_count - count
    return Joined(network, world.node_x, world.node_y, first + np.arange(count))


def routes(
    walks: BuildingWalks,
    net: Joined,
    names: tuple[str, ...],
    lifts: Arcs,
    *,
    penalties: tuple[str, ...] = PENALTIES,
    is_one_only: bool = False,
) -> Routes:
    """Return what any set of lifts would change of the walks to some facility types.

    With ``is_one_only`` what each of them alone would change; the tables are then much smaller.
    """
    targets = [net.network.targets[name] for name in names]
    modes = []
    for direction in DIRECTIONS:
        for penalty in penalties:
            arcs = getattr(walks.way(direction), penalty)
            legs = walks.legs(direction, getattr(walks.penalties, penalty))
            near = _from_targets(arcs, targets)
            today = near[:, net.node]
            least = today if is_one_only else _with_all(arcs, targets, net, lifts)
            houses, ends = _around_ends(arcs, near, least, lifts, legs, net)
            cost = _house_costs(near, legs, walks.doors.place_count, names)
            modes.append(Mode(direction, penalty, cost, today, least, houses, ends))
    return Routes(names, tuple(modes))


def _with_all(arcs: sparse.csr_array, targets: list[Integers], net: Joined, lifts: Arcs) -> Floats:
    """Return the costs to each end if all lifts were built."""
    built = _with_arcs(arcs, net.node[lifts.begin], net.node[lifts.finish], lifts.cost_min)
    return _from_targets(built, targets)[:, net.node]


def _from_targets(arcs: sparse.csr_array, targets: list[Integers]) -> Floats:
    nowhere = np.full(arcs.shape[0], np.inf)
    return np.array(
        [dijkstra(arcs, indices=one, min_only=True) if len(one) else nowhere for one in targets]
    ).reshape(len(targets), arcs.shape[0])


def _with_arcs(
    arcs: sparse.csr_array, begin: Integers, finish: Integers, cost_min: Floats
) -> sparse.csr_array:
    """Return the graph with further arcs; of several between two nodes the cheapest counts."""
    old = arcs.tocoo()
    row, column = np.concatenate([old.row, begin]), np.concatenate([old.col, finish])
    cost = np.concatenate([old.data, np.maximum(cost_min, _NEAR_MIN)])
    order = np.lexsort((cost, column, row))
    row, column, cost = row[order], column[order], cost[order]
    first = np.append(True, (np.diff(row) > 0) | (np.diff(column) > 0))[: len(row)]
    first &= row != column
    return sparse.csr_array((cost[first], (row[first], column[first])), shape=arcs.shape)


def _house_costs(near: Floats, legs: Legs, place_count: int, names: tuple[str, ...]) -> Floats:
    cost = np.full((len(near), place_count), np.inf)
    if len(legs.place):
        start = np.flatnonzero(np.append(True, np.diff(legs.place) > 0))
        place = legs.place[start]
        for row, name in enumerate(names):
            whole = near[row, legs.node] + legs.cost_min
            if name == MAIN_ROAD:
                whole = np.minimum(whole, legs.on_main_min)
            cost[row, place] = np.minimum.reduceat(whole, start)
    return cost


def _around_ends(
    arcs: sparse.csr_array, near: Floats, least: Floats, lifts: Arcs, legs: Legs, net: Joined
) -> tuple[Near, Near]:
    """Return what lies around each end, as far as lifts that lead there could matter."""
    end_count, node_count = len(net.node), arcs.shape[0]
    seed = np.full((end_count, len(near)), np.inf)
    np.minimum.at(seed, lifts.finish, (least[:, lifts.begin] + lifts.cost_min).T)
    near = near.T
    wanted = np.flatnonzero((seed < near[net.node] - _NEAR_MIN).any(axis=1))
    by_node = _by_node(legs, node_count)
    end_at = np.full(node_count, -1, dtype=np.int64)
    end_at[net.node] = np.arange(end_count)
    houses, others = [], []
    size = max(_MOST_CELLS // node_count, 1)
    best = np.full((min(size, len(wanted)), node_count), np.inf)
    for first in range(0, len(wanted), size):
        block = wanted[first : first + size]
        row, node, cost = _improved(arcs, near, seed[block], net.node[block], best)
        row = block[row]
        houses.append(_houses(row, node, cost, by_node, legs))
        is_end = end_at[node] >= 0
        others.append((row[is_end], end_at[node[is_end]], cost[is_end]))
    return _sorted(houses, end_count), _sorted(others, end_count)


def _improved(
    arcs: sparse.csr_array, near: Floats, seed: Floats, source: Integers, best: Floats
) -> tuple[Integers, Integers, Floats]:
    """Return the nodes that each source brings nearer to some facility, and the costs to them.

    All sources at once, arc by arc (Bellman and Ford); a node that is not brought nearer is not left
    again. ``best`` is room for the costs, infinite before and after.
    """
    flat, node_count = best.ravel(), arcs.shape[0]
    fresh = np.arange(len(source)) * node_count + source
    flat[fresh] = 0.0
    touched = [fresh]
    while len(fresh):
        row, node = np.divmod(fresh, node_count)
        count = arcs.indptr[node + 1] - arcs.indptr[node]
        owner = np.repeat(np.arange(len(fresh)), count)
        step = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        arc = arcs.indptr[node][owner] + step
        cost = flat[fresh][owner] + arcs.data[arc]
        key = row[owner] * node_count + arcs.indices[arc]
        closer = np.flatnonzero(cost < flat[key])
        key, cost = key[closer], cost[closer]
        row, node = np.divmod(key, node_count)
        with np.errstate(invalid="ignore"):  # infinite both: no way before or after
            kept = (cost[:, None] + seed[row] < near[node] - _NEAR_MIN).any(axis=1)
        key, cost = key[kept], cost[kept]
        np.minimum.at(flat, key, cost)
        fresh = np.unique(key[cost == flat[key]])
        touched.append(fresh)
    reached = np.unique(np.concatenate(touched))
    found = flat[reached]
    flat[reached] = np.inf
    row, node = np.divmod(reached, node_count)
    return row, node, found


@dataclass(frozen=True)
class _ByNode:
    start: Integers
    leg: Integers


def _by_node(legs: Legs, node_count: int) -> _ByNode:
    usable = np.flatnonzero(np.isfinite(legs.cost_min))
    order = usable[np.argsort(legs.node[usable], kind="stable")]
    return _ByNode(np.searchsorted(legs.node[order], np.arange(node_count + 1)), order)


def _houses(
    row: Integers, node: Integers, cost: Floats, by_node: _ByNode, legs: Legs
) -> tuple[Integers, Integers, Floats]:
    """Return the least cost from sources to the buildings at the nodes that they reach."""
    count = by_node.start[node + 1] - by_node.start[node]
    entry = np.repeat(np.arange(len(node)), count)
    step = np.arange(len(entry)) - np.repeat(np.cumsum(count) - count, count)
    leg = by_node.leg[by_node.start[node[entry]] + step]
    row, house, whole = row[entry], legs.place[leg], cost[entry] + legs.cost_min[leg]
    order = np.lexsort((whole, house, row))
    row, house, whole = row[order], house[order], whole[order]
    first = np.append(True, (np.diff(row) > 0) | (np.diff(house) > 0))[: len(row)]
    return row[first], house[first], whole[first]


def _sorted(parts: list[tuple[Integers, Integers, Floats]], end_count: int) -> Near:
    none = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    row, what, cost = (np.concatenate(part) for part in zip(none, *parts, strict=True))
    order = np.lexsort((what, row))
    return Near(np.searchsorted(row[order], np.arange(end_count + 1)), what[order], cost[order])
