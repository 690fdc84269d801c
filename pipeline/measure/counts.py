"""How many facilities lie within a walk of some minutes.

Runs from the facilities, over the reversed network, so that each building learns who can be reached
from it. Done tile by tile with the part of the network that can matter, so that memory and time grow
with the number of facilities and not with the size of the city squared.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from pipeline.geo.network import WalkGraph
from pipeline.geo.profile import Integers
from pipeline.geo.raster import Floats
from pipeline.measure.walks import MAIN_ROAD, BuildingWalks

_TILE_M = 1500.0


def facility_counts(
    buildings: BuildingWalks, node_x: Floats, node_y: Floats, limits_min: Sequence[int]
) -> dict[str, NDArray[np.int64]]:
    """Return, for each mapped facility type, (buildings, limits) counts of reachable facilities.

    A facility counts when the way out to it takes no longer than the limit. ``node_x`` and
    ``node_y`` are the positions of all nodes of the graph. Main roads are no facilities to count.
    """
    doors, graph = buildings.doors, buildings.network.graph
    targets = {
        name: nodes
        for name, nodes in buildings.network.targets.items()
        if len(nodes) and name != MAIN_ROAD
    }
    counts = np.zeros((doors.place_count, len(targets), len(limits_min)), dtype=np.int64)
    if not targets or not limits_min or not len(doors.place):
        return {name: counts[:, number] for number, name in enumerate(targets)}
    longest = float(max(limits_min))
    reach_m = longest * fastest_m_per_min(graph, node_x, node_y)
    reverse, ends = graph.minutes.T.tocsr(), _door_ends(buildings)
    target = buildings.network.facility_nodes
    is_street = np.ones(graph.node_count, dtype=bool)
    is_street[target] = False
    kind = np.repeat(np.arange(len(targets)), [len(nodes) for nodes in targets.values()])
    tile = np.floor(node_x[target] / _TILE_M).astype(np.int64) * 1_000_003
    tile += np.floor(node_y[target] / _TILE_M).astype(np.int64)

    def of_tile(key: int) -> tuple[Integers, Integers]:
        here, kinds = target[tile == key], kind[tile == key]
        box = (
            node_x[here].min() - reach_m,
            node_x[here].max() + reach_m,
            node_y[here].min() - reach_m,
            node_y[here].max() + reach_m,
        )
        is_near = _within(node_x, node_y, box) & is_street
        is_near[here] = True
        near = np.flatnonzero(is_near)
        minutes = dijkstra(
            reverse[near][:, near], indices=np.searchsorted(near, here), limit=longest
        )
        asking, best = _quickest(minutes, near, ends)
        return asking, _counted(best, kinds, len(targets), limits_min)

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        for asking, within in threads.map(of_tile, np.unique(tile).tolist()):
            counts[ends.place[asking]] += within
    return {name: counts[:, number] for number, name in enumerate(targets)}


def _within(x: Floats, y: Floats, box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    west, east, south, north = box
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


@dataclass(frozen=True)
class _DoorEnds:
    """The nodes by which each building goes out, the quickest way to each.

    ``place`` are the buildings, those with most such nodes first. ``node`` and ``away_min`` hold in
    turn every building's first node, every building's second, as far as it has one, and so on.
    """

    place: Integers
    node: list[Integers]
    away_min: list[Floats]
    beside: sparse.csr_array
    """Row = node, column = position in ``place``: whose nodes are which."""


def _door_ends(buildings: BuildingWalks) -> _DoorEnds:
    doors, node_count = buildings.doors, buildings.network.graph.node_count
    node = np.concatenate([buildings.from_node, buildings.to_node])
    away = np.concatenate([buildings.away_from, buildings.away_to]) + np.tile(doors.away_min, 2)
    key = np.tile(doors.place, 2) * node_count + node
    there = np.isfinite(away)
    key, away = key[there], away[there]
    order = np.argsort(key)
    key, away = key[order], away[order]
    first = np.flatnonzero(np.append(True, key[1:] != key[:-1])[: len(key)])
    place, node = np.divmod(key[first], node_count)
    away = np.minimum.reduceat(away, first) if len(first) else away
    count = np.bincount(place, minlength=doors.place_count)
    by_count = np.argsort(-count, kind="stable")
    start = (np.cumsum(count) - count)[by_count]
    having = np.searchsorted(-count[by_count], -np.arange(count.max()), "left")
    turns = [start[:number] + turn for turn, number in enumerate(having)]
    position = np.argsort(by_count, kind="stable")
    beside = sparse.coo_array(
        (np.ones(len(place), dtype=bool), (node, position[place])), (node_count, len(count))
    )
    return _DoorEnds(
        by_count, [node[turn] for turn in turns], [away[turn] for turn in turns], beside.tocsr()
    )


def _quickest(minutes: Floats, near: Integers, ends: _DoorEnds) -> tuple[Integers, Floats]:
    """Return positions of buildings, and (buildings, facilities) minutes out by the best door."""
    node_count, place_count = ends.beside.shape
    table = np.vstack([minutes.T, np.full((1, len(minutes)), np.inf)])
    number = np.full(node_count, len(near), dtype=np.int32)  # the last row: out of reach
    number[near] = np.arange(len(near))
    reached = near[np.isfinite(minutes).any(axis=0)]
    is_asking = np.zeros(place_count, dtype=bool)
    is_asking[ends.beside[reached].indices] = True
    asking = np.flatnonzero(is_asking)
    best = np.full((len(asking), len(minutes)), np.inf)
    for node, away_min in zip(ends.node, ends.away_min, strict=True):
        having = asking[: np.searchsorted(asking, len(node))]
        out = table[number[node[having]]]
        out += away_min[having, None]
        np.minimum(best[: len(having)], out, out=best[: len(having)])
    return asking, best


def _counted(
    minutes: Floats, kind: Integers, kind_count: int, limits_min: Sequence[int]
) -> Integers:
    """Return (buildings, kinds, limits) counts of facilities within each limit."""
    limits = np.sort(limits_min)
    row, column = np.nonzero(minutes <= limits[-1])
    level = np.searchsorted(limits, minutes[row, column])
    key = (row * kind_count + kind[column]) * len(limits) + level
    shape = len(minutes), kind_count, len(limits)
    found = np.bincount(key, minlength=np.prod(shape)).reshape(shape).cumsum(axis=2)
    return found[:, :, np.searchsorted(limits, limits_min)]


def fastest_m_per_min(graph: WalkGraph, node_x: Floats, node_y: Floats) -> float:
    """Return the greatest straight-line speed along any arc of the graph."""
    minutes = graph.minutes
    begin = np.repeat(np.arange(minutes.shape[0]), np.diff(minutes.indptr))
    end = minutes.indices
    straight = np.hypot(node_x[end] - node_x[begin], node_y[end] - node_y[begin])
    real = straight > 0.5
    return float((straight[real] / minutes.data[real]).max()) if real.any() else 0.0
