"""Walks between every home and every place where a facility could stand, out and home.

A possible site is joined to the streets as a facility is, so a walk to it is the walk that the lists
would tell if it were opened. Only pairs within reach are kept. Done tile by tile with the part of the
network that can matter, as facilities in reach are counted.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from pipeline.geo.network import Costs, Penalties, WalkGraph
from pipeline.geo.profile import Integers, Names
from pipeline.geo.raster import Floats
from pipeline.measure.access import Doors
from pipeline.measure.counts import fastest_m_per_min
from pipeline.measure.walks import (
    BuildingWalks,
    WalkNetwork,
    best_doors,
    node_positions,
    walk_network,
)
from pipeline.settings.measure import MeasureSettings

_TILE_M = 1000.0
_SITE = "site"


@dataclass(frozen=True)
class SiteWalks:
    """Pairs of sites and buildings within reach, by site, then building; parallel arrays."""

    site: Integers
    building: Integers
    out_min: Floats
    home_min: Floats


def site_walks(
    network: WalkNetwork,
    site_places: Names,
    site_doors: Doors,
    building_doors: Doors,
    limit_min: float,
    settings: MeasureSettings,
) -> SiteWalks:
    """Return the walks of an adult between homes and sites of which neither takes longer than a limit.

    ``network`` is the city's, with or without other facilities: on a way to a site nobody walks
    through one. ``site_doors`` are the ways of ``site_places`` (points) into it, ``building_doors``
    those of the buildings.
    """
    whole = _joined(network, site_doors, settings)
    nodes = whole.targets[_SITE]
    if not len(nodes) or not len(building_doors.place):
        none = np.zeros(0, dtype=np.int64)
        return SiteWalks(none, none, np.zeros(0), np.zeros(0))
    door = best_doors(site_doors, whole.graph.penalties.middle)
    x, y = node_positions(network.links, door.street_point, site_places[door.place])
    walks = BuildingWalks(whole, building_doors)
    graph, pen = whole.graph, whole.graph.penalties
    most_climb_m = limit_min * settings.walking.stairs_up_m_per_min
    weights = (0.0, pen.low, pen.middle, pen.high)
    limits = [limit_min + weight * most_climb_m for weight in weights]
    ways = [
        _Way.of(graph.reverse.without_arcs_into(nodes), walks, weights, is_home=False),
        _Way.of(graph.without_arcs_into(nodes), walks, weights, is_home=True),
    ]
    reach_m = limits[-1] * fastest_m_per_min(graph, x, y)
    tile = np.floor(x[nodes] / _TILE_M).astype(np.int64) * 1_000_003
    tile += np.floor(y[nodes] / _TILE_M).astype(np.int64)
    is_street = np.ones(len(x), dtype=bool)
    is_street[nodes] = False

    def of_tile(key: int) -> tuple[Integers, Integers, Floats, Floats]:
        sites = np.flatnonzero(tile == key)
        here = nodes[sites]
        is_near = is_street & (np.abs(x - x[here].mean()) <= reach_m + _TILE_M)
        is_near &= np.abs(y - y[here].mean()) <= reach_m + _TILE_M
        is_near[here] = True
        near = np.flatnonzero(is_near)
        tables = [_Near(way, near, here, limits) for way in ways]
        buildings = np.intersect1d(tables[0].buildings, tables[1].buildings)
        out_min, home_min = (one.minutes(buildings, pen) for one in tables)
        row, column = np.nonzero(np.maximum(out_min, home_min) <= limit_min)
        return sites[row], buildings[column], out_min[row, column], home_min[row, column]

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        parts = list(threads.map(of_tile, np.unique(tile).tolist()))
    site, building, out_min, home_min = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((building, site))
    return SiteWalks(door.place[site][order], building[order], out_min[order], home_min[order])


def _joined(network: WalkNetwork, site_doors: Doors, settings: MeasureSettings) -> WalkNetwork:
    """Return the streets with the sites joined to them, and nothing else."""
    kinds = np.full(site_doors.place_count, _SITE, dtype=object)
    access = settings.access.model_copy(update={"min_facility_count": 1})
    facilities = {_SITE: next(iter(settings.facilities.values()))}
    alone = settings.model_copy(update={"facilities": facilities, "access": access})
    return walk_network(
        network.links, network.profiles, network.is_main_road, kinds, site_doors, alone
    )


@dataclass(frozen=True)
class _Way:
    """The network walked in one direction, and the ways of the buildings into it.

    ``arcs`` numbers the arcs, ``costs`` has a row of them for pure minutes and for each penalty; so has
    ``end_costs`` for the ways between each building and the nodes beside it, sorted by building.
    """

    arcs: sparse.csr_array
    costs: Floats
    building: Integers
    node: Integers
    end_costs: Floats
    ends_at: sparse.csr_array
    """Row = node: which ends are there."""

    @classmethod
    def of(
        cls, graph: WalkGraph, walks: BuildingWalks, weights: Sequence[float], *, is_home: bool
    ) -> "_Way":
        all_arcs = (graph.minutes, graph.low, graph.middle, graph.high)
        first = graph.minutes
        arcs = sparse.csr_array(
            (np.arange(1, first.nnz + 1), first.indices, first.indptr), shape=first.shape
        )
        legs = [walks.legs("home" if is_home else "out", weight) for weight in weights]
        building, node = legs[0].place, legs[0].node
        cost = np.stack([one.cost_min for one in legs])
        there = np.flatnonzero(np.isfinite(cost[0]))
        order = there[np.argsort(building[there], kind="stable")]
        number = np.arange(len(order))
        ends_at = sparse.csr_array(
            (np.ones(len(order), dtype=bool), (node[order], number)),
            shape=(graph.node_count, len(order)),
        )
        return cls(
            arcs, np.stack([one.data for one in all_arcs]), building[order], node[order],
            cost[:, order], ends_at,
        )  # fmt: skip


class _Near:
    """Costs between the sites of a tile and the nodes around them, in one direction."""

    def __init__(self, way: _Way, near: Integers, here: Integers, limits: Sequence[float]) -> None:
        self.way, self.near = way, near
        inside = way.arcs[near][:, near]
        begin = np.searchsorted(near, here)
        self.tables = [
            dijkstra(
                sparse.csr_array(
                    (cost[inside.data - 1], inside.indices, inside.indptr), shape=inside.shape
                ),
                indices=begin,
                limit=limit,
            )
            for cost, limit in zip(way.costs, limits, strict=True)
        ]
        reached = near[np.isfinite(self.tables[0]).any(axis=0)]
        self.buildings = np.unique(way.building[way.ends_at[reached].indices])

    def minutes(self, buildings: Integers, penalties: Penalties) -> Floats:
        """Return (sites, buildings) minutes as lists tell them, infinite where there is no way."""
        way = self.way
        first = np.searchsorted(way.building, buildings)
        size = np.searchsorted(way.building, buildings, "right") - first
        start = np.cumsum(size) - size
        end = np.arange(int(size.sum())) + np.repeat(first - start, size)
        column = np.searchsorted(self.near, way.node[end])
        is_far = column >= len(self.near)
        is_far |= self.near[np.minimum(column, len(self.near) - 1)] != way.node[end]
        column[is_far] = 0
        least = []
        for table, cost in zip(self.tables[1:], way.end_costs[1:], strict=True):
            by_end = table[:, column] + np.where(is_far, np.inf, cost[end])
            least.append(np.minimum.reduceat(by_end, start, axis=1) if len(end) else by_end)
        is_way = np.isfinite(least[2])  # the dearest: then so are the others
        low, middle, high = (np.where(is_way, one, np.inf) for one in least)
        return Costs(low, middle, high).minutes_and_climb(penalties)[0]
