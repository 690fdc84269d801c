"""How many facilities lie within a walk of some minutes.

Runs from the facilities, over the reversed network, so that each building learns who can be reached
from it. Done tile by tile with the part of the network that can matter, so that memory and time grow
with the number of facilities and not with the size of the city squared.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

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
    shape = (doors.place_count, len(limits_min))
    counts = {name: np.zeros(shape, dtype=np.int64) for name in targets}
    if not targets or not limits_min or not len(doors.place):
        return counts
    longest = float(max(limits_min))
    reach_m = longest * _fastest_m_per_min(buildings, node_x, node_y)
    reverse = graph.minutes.T.tocsr()
    target = np.concatenate(list(targets.values()))
    kind = np.repeat(list(targets), [len(nodes) for nodes in targets.values()])
    tile = np.floor(node_x[target] / _TILE_M).astype(np.int64) * 1_000_003
    tile += np.floor(node_y[target] / _TILE_M).astype(np.int64)

    def of_tile(key: int) -> tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]:
        here = target[tile == key]
        box = (
            node_x[here].min() - reach_m,
            node_x[here].max() + reach_m,
            node_y[here].min() - reach_m,
            node_y[here].max() + reach_m,
        )
        near = np.flatnonzero(_within(node_x, node_y, box))
        number = np.full(len(node_x), -1, dtype=np.int32)
        number[near] = np.arange(len(near))
        minutes = dijkstra(reverse[near][:, near], indices=number[here], limit=longest)
        reached = np.zeros(len(node_x), dtype=bool)
        reached[near] = np.isfinite(minutes).any(axis=0)
        asking = np.flatnonzero(reached[buildings.from_node] | reached[buildings.to_node])
        start, best = _quickest(minutes, number, asking, buildings)
        kinds = kind[tile == key]
        found = {}
        for name in np.unique(kinds):
            of_kind = best[:, kinds == name]
            within = [np.count_nonzero(of_kind <= limit, axis=1) for limit in limits_min]
            found[name] = np.stack(within, axis=1)
        return doors.place[start], found

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        for place, found in threads.map(of_tile, np.unique(tile).tolist()):
            for name, within in found.items():
                counts[name][place] += within
    return counts


def _within(x: Floats, y: Floats, box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    west, east, south, north = box
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def _quickest(
    minutes: Floats, number: NDArray[np.int32], asking: NDArray[np.int64], buildings: BuildingWalks
) -> tuple[NDArray[np.int64], Floats]:
    """Return each building's first door and (buildings, facilities) minutes by its best door."""
    doors = buildings.doors
    never = np.full((1, len(minutes)), np.inf)
    table = np.vstack([minutes.T, never])  # number −1: a node out of reach
    one, two = number[buildings.from_node[asking]], number[buildings.to_node[asking]]
    by_from = buildings.away_from[asking] + doors.away_min[asking]
    by_to = buildings.away_to[asking] + doors.away_min[asking]
    out = np.minimum(table[one] + by_from[:, None], table[two] + by_to[:, None])
    if not len(asking):
        return asking, out
    start = np.flatnonzero(np.append(True, np.diff(doors.place[asking]) > 0))
    return asking[start], np.minimum.reduceat(out, start, axis=0)


def _fastest_m_per_min(buildings: BuildingWalks, node_x: Floats, node_y: Floats) -> float:
    """Return the greatest straight-line speed along any arc of the graph."""
    minutes = buildings.network.graph.minutes
    begin = np.repeat(np.arange(minutes.shape[0]), np.diff(minutes.indptr))
    end = minutes.indices
    straight = np.hypot(node_x[end] - node_x[begin], node_y[end] - node_y[begin])
    real = straight > 0.5
    return float((straight[real] / minutes.data[real]).max()) if real.any() else 0.0
