"""Height profiles of street links, and the minutes and metres climbed along them.

Assumes a terrain model of the ground. Bridges and tunnels do not follow the ground: they rise evenly
between the places where they meet it. What the terrain model cannot know (a stair's true height under
a tower) stays wrong; grades steeper than the cap are clipped and counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from pipeline.geo.raster import Floats, Raster, bilinear
from pipeline.settings.measure import WalkingRule

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Names = NDArray[np.object_]

_LEAST_APART_M = 0.1
_UP_AND_DOWN = ("ascent_m", "descent_m")


@dataclass(frozen=True)
class StreetLinks:
    """The street network as arrays; nodes are numbered from 0.

    ``tagged_rise_m`` is the height gained from a link's begin to its end where the map tells it
    (steps counted or a grade signed), else NaN.
    """

    from_node: Integers
    to_node: Integers
    shape: Names
    structure: Names
    is_forward_open: Flags
    is_backward_open: Flags
    tagged_rise_m: Floats
    node_x: Floats
    node_y: Floats

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return len(self.node_x)

    @property
    def count(self) -> int:
        """How many links there are."""
        return len(self.from_node)


@dataclass(frozen=True)
class Profiles:
    """Running totals along every link, to be read at any point of it.

    ``key`` is 2 × link + fraction of its length; the other arrays are running totals over all links
    in turn, so that a difference between two points of one link is what lies between them.
    ``elevation_m`` is the height there, ``correction_m`` by how much it was moved from the terrain's.
    """

    key: Floats
    forward_min: Floats
    backward_min: Floats
    elder_forward_min: Floats
    elder_backward_min: Floats
    ascent_m: Floats
    descent_m: Floats
    elevation_m: Floats
    correction_m: Floats
    clipped_links: Integers

    def at(self, name: str, link: Integers, fraction: Floats) -> Floats:
        """Return a running total, or the elevation, at points of links."""
        return self.read(name, self.places(link, fraction))

    def places(self, link: Integers, fraction: Floats) -> "Places":
        """Return where points of links lie among the samples, to read several totals there."""
        key = 2.0 * link + fraction
        after = np.clip(np.searchsorted(self.key, key), 1, max(len(self.key) - 1, 1))
        step = self.key[after] - self.key[after - 1]
        return Places(after, np.clip((key - self.key[after - 1]) / step, 0, 1))

    def read(self, name: str, places: "Places") -> Floats:
        """Return a running total, or the elevation, at places."""
        values = getattr(self, name)
        low, high = values[places.after - 1], values[places.after]
        # an empty height at one end must not spread to the other: 0 × NaN is NaN
        between = low + places.share * (high - low)
        return np.where(places.share == 1, high, np.where(places.share == 0, low, between))


@dataclass(frozen=True)
class Places:
    """Points among samples: the sample after each, and how far on the way to it."""

    after: Integers
    share: Floats

    def of(self, rows: Integers) -> "Places":
        """Return some of the points."""
        return Places(self.after[rows], self.share[rows])


@dataclass(frozen=True)
class Stations:
    """Points along ground streets at which a height is taken, sorted by link and fraction.

    Every bend is one, and between bends even steps no longer than a spacing; a link's ends are its
    nodes and no stations.
    """

    link: Integers
    fraction: Floats
    x: Floats
    y: Floats
    is_bend: Flags


@dataclass(frozen=True)
class Heights:
    """Heights of nodes and stations; NaN where nothing tells them.

    ``…_correction_m`` is by how much they were moved from the terrain, 0 where they were not.
    """

    node_m: Floats
    node_correction_m: Floats
    stations: Stations
    station_m: Floats
    station_correction_m: Floats

    def between(self, links: StreetLinks, node_m: Floats) -> "Heights":
        """Return heights that meet given nodes; what those are moved by fades from end to end."""
        moved = np.nan_to_num(node_m - self.node_m)
        link, fraction = self.stations.link, self.stations.fraction
        begin, end = moved[links.from_node[link]], moved[links.to_node[link]]
        carried = begin + fraction * (end - begin)
        return Heights(
            node_m,
            self.node_correction_m + moved,
            self.stations,
            self.station_m + carried,
            self.station_correction_m + carried,
        )


def stations_along(links: StreetLinks, spacing_m: float) -> Stations:
    """Return the stations of all ground links: their bends, and even steps between them."""
    row = np.flatnonzero(links.structure == "ground")
    point, owner = shapely.get_coordinates(links.shape[row], return_index=True)
    within = np.flatnonzero(owner[1:] == owner[:-1])
    begin, end, owner = point[within], point[within + 1], owner[within]
    run = np.hypot(*(end - begin).T)
    along = np.cumsum(run)
    whole = np.bincount(owner, run, minlength=len(row))
    along -= (np.cumsum(whole) - whole)[owner] + run
    # a stretch of whole spacings keeps its steps whichever way its last digit falls
    count = np.maximum(np.ceil((run - _LEAST_APART_M) / spacing_m), 1).astype(np.int64)
    piece = np.repeat(np.arange(len(run)), count)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    share = number / count[piece]
    at_m = along[piece] + share * run[piece]
    # a point drawn twice is one station, and a link's own ends are none
    fresh = (number > 0) | (run[piece - 1] > _LEAST_APART_M)
    fresh &= (at_m > _LEAST_APART_M) & (at_m < whole[owner[piece]] - _LEAST_APART_M)
    piece, at_m = piece[fresh], at_m[fresh]
    x, y = (begin[piece] + share[fresh, None] * (end - begin)[piece]).T
    return Stations(row[owner[piece]], at_m / whole[owner[piece]], x, y, number[fresh] == 0)


def terrain_heights(
    links: StreetLinks, terrain: Raster, spacing_m: float, noise_m: float = 0.0
) -> Heights:
    """Return the heights of all nodes and stations as the terrain gives them; NaN where it is empty.

    Arguments as ``sampled_heights``.
    """
    return sampled_heights(links, partial(bilinear, terrain), spacing_m, noise_m)


def sampled_heights(
    links: StreetLinks,
    height_at: Callable[[Floats, Floats], Floats],
    spacing_m: float,
    noise_m: float = 0.0,
) -> Heights:
    """Return the heights of all nodes and stations by a function of x and y, metres.

    Parameters
    ----------
    spacing_m
        Longest distance between two stations.
    noise_m
        A station between two bends that strays from the straight line between these by no more lies
        on that line, one that strays by twice as much where the terrain has it; in between it strays
        by a share. Summed up over many stations, what a terrain model errs would else become a climb.
    """
    stations = stations_along(links, spacing_m)
    node_m = over_structures(links, height_at(links.node_x, links.node_y))
    station_m = height_at(stations.x, stations.y)
    straight_m = _straight_between_bends(links, stations, node_m, station_m)
    astray = station_m - straight_m
    share = np.clip(np.abs(astray) / noise_m - 1, 0, 1) if noise_m else 1.0
    counted = straight_m + share * astray
    return Heights(
        node_m,
        np.zeros(len(node_m)),
        stations,
        np.where(np.isnan(straight_m), station_m, counted),
        np.nan_to_num(counted - station_m),
    )


def _straight_between_bends(
    links: StreetLinks, stations: Stations, node_m: Floats, station_m: Floats
) -> Floats:
    """Return each station's height on the straight line between the bends or ends around it."""
    number, bend = np.arange(links.count), np.flatnonzero(stations.is_bend)
    place = 2.0 * stations.link + stations.fraction
    anchor = np.concatenate([2.0 * number, place[bend], 2.0 * number + 1])
    height = np.concatenate([node_m[links.from_node], station_m[bend], node_m[links.to_node]])
    order = np.argsort(anchor)
    return np.interp(place, anchor[order], height[order])


def is_structure_only(links: StreetLinks) -> Flags:
    """Return which nodes stand in the middle of a bridge or tunnel and touch no ground street."""
    is_structure = np.isin(links.structure, ("bridge", "tunnel"))
    touches_structure = np.zeros(links.node_count, dtype=bool)
    touches_ground = np.zeros(links.node_count, dtype=bool)
    for ends in (links.from_node, links.to_node):
        touches_structure[ends[is_structure]] = True
        touches_ground[ends[links.structure == "ground"]] = True
    degree = np.bincount(links.from_node, minlength=links.node_count)
    degree += np.bincount(links.to_node, minlength=links.node_count)
    return np.asarray(touches_structure & ~touches_ground & (degree > 1))


def over_structures(links: StreetLinks, ground: Floats) -> Floats:
    """Return the heights of nodes, given those of the ground beneath them.

    A node in the middle of a bridge or tunnel does not lie on the ground. Its height is interpolated
    along the structure between the nodes where it meets ground streets: the discrete harmonic
    function with conductances 1 / length, which on a single line is the straight profile.
    """
    free = is_structure_only(links)
    is_structure = np.isin(links.structure, ("bridge", "tunnel"))
    one, two = links.from_node[is_structure], links.to_node[is_structure]
    conductance = 1 / np.maximum(shapely.length(links.shape[is_structure]), 0.1)
    shape = (links.node_count, links.node_count)
    weight = sparse.coo_array((conductance, (one, two)), shape)
    anchor = ~free & ~np.isnan(ground)
    usable = sparse.diags_array((free | anchor).astype(float))
    weight = (usable @ (weight + weight.T) @ usable).tocsr()
    weight.eliminate_zeros()
    count, part = connected_components(weight, directed=False)
    has_anchor = np.zeros(count, dtype=bool)
    has_anchor[part[anchor]] = True
    free &= has_anchor[part]
    if not free.any():
        return ground
    laplacian = sparse.diags_array(weight.sum(axis=1)) - weight
    unknown = np.flatnonzero(free)
    system = laplacian.tocsr()[unknown]
    height = ground.copy()
    known = np.where(anchor, ground, 0.0)
    height[unknown] = spsolve(system[:, unknown].tocsc(), -(system @ known))
    return height


def link_profiles(links: StreetLinks, heights: Heights, walking: WalkingRule) -> Profiles:
    """Return minutes, metres up and metres down along every link, in both directions.

    Streets on the ground pass their stations; all else rises evenly between its ends, by the tagged
    height where the map tells it. Where a height is empty the link is taken as flat there. Closed
    directions are shut when the network is built, not here.
    """
    length = shapely.length(links.shape)
    stations = heights.stations
    follows = (links.structure == "ground") & np.isnan(links.tagged_rise_m)
    passed = np.flatnonzero(follows[stations.link])
    count = np.arange(links.count)
    link = np.concatenate([count, stations.link[passed], count])
    fraction = np.concatenate(
        [np.zeros(len(count)), stations.fraction[passed], np.ones(len(count))]
    )
    order = np.lexsort((fraction, link))
    link, fraction = link[order], fraction[order]

    def along(node: Floats, station: Floats) -> Floats:
        ends = node[links.from_node], station[passed], node[links.to_node]
        return np.asarray(np.concatenate(ends)[order])

    z = along(heights.node_m, heights.station_m)
    within = np.flatnonzero(link[1:] == link[:-1])
    step_link = link[within]
    run = (length[link] * fraction)[within + 1] - (length[link] * fraction)[within]
    rise = np.nan_to_num(z[within + 1] - z[within])
    is_tagged = ~np.isnan(links.tagged_rise_m)
    rise = np.where(is_tagged[step_link], links.tagged_rise_m[step_link], rise)
    kind = links.structure[step_link]
    rise, clipped = clipped_rise(run, rise, kind, walking)
    climbed = np.where(np.isin(kind, ("lift", "escalator")), 0.0, rise)

    def running(step: Floats) -> Floats:
        spread = np.zeros(len(link))
        spread[within + 1] = step
        return np.cumsum(spread)

    elder = walking.of_elder()
    return Profiles(
        key=2.0 * link + fraction,
        forward_min=running(step_minutes(run, rise, kind, walking)),
        backward_min=running(step_minutes(run, -rise, kind, walking)),
        elder_forward_min=running(step_minutes(run, rise, kind, elder)),
        elder_backward_min=running(step_minutes(run, -rise, kind, elder)),
        ascent_m=running(np.maximum(climbed, 0)),
        descent_m=running(np.maximum(-climbed, 0)),
        elevation_m=z,
        correction_m=along(heights.node_correction_m, heights.station_correction_m),
        clipped_links=np.unique(step_link[clipped]),
    )


def clipped_rise(
    run_m: Floats, rise_m: Floats, structure: Names, walking: WalkingRule
) -> tuple[Floats, Flags]:
    """Return rises no steeper than can be, and which were steeper."""
    cap = np.full(len(run_m), np.inf)
    cap[np.isin(structure, ("ground", "bridge", "tunnel"))] = walking.max_grade
    cap[structure == "steps"] = walking.max_stair_grade
    most = np.where(np.isinf(cap), np.inf, np.where(np.isinf(cap), 0, cap) * run_m)
    return np.clip(rise_m, -most, most), np.abs(rise_m) > most + 1e-9


def step_minutes(run_m: Floats, rise_m: Floats, structure: Names, walking: WalkingRule) -> Floats:
    """Return the minutes for steps of a walk, by what carries them."""
    minutes = walk_minutes(run_m, rise_m, walking)
    on_stairs = structure == "steps"
    minutes[on_stairs] = stair_minutes(run_m[on_stairs], rise_m[on_stairs], walking)
    minutes[structure == "lift"] = walking.lift_min
    riding = structure == "escalator"
    minutes[riding] = run_m[riding] / walking.escalator_speed_m_per_min
    return minutes


def walk_minutes(run_m: Floats, rise_m: Floats, walking: WalkingRule) -> Floats:
    """Return walking minutes by Tobler's hiking function (Tobler 1993), scaled to a flat pace.

    Tobler: 6·exp(−3.5·|S + 0.05|) km/h with S the rise over run in the direction walked. Dividing by
    its value at S = 0 keeps its shape and lets config set the pace on the flat.
    """
    grade = np.divide(rise_m, run_m, out=np.zeros(np.shape(run_m)), where=run_m > 0)
    bend = np.abs(grade - walking.tobler_peak_grade) - abs(walking.tobler_peak_grade)
    return run_m / walking.flat_speed_m_per_min * np.exp(walking.tobler_steepness * bend)


def stair_minutes(run_m: Floats, rise_m: Floats, walking: WalkingRule) -> Floats:
    """Return minutes on steps: by height climbed, but never faster than the same way on the flat."""
    by_height = np.where(
        rise_m >= 0, rise_m / walking.stairs_up_m_per_min, -rise_m / walking.stairs_down_m_per_min
    )
    return np.maximum(by_height, run_m / walking.flat_speed_m_per_min)


def mean_grade(profiles: Profiles, links: StreetLinks) -> Floats:
    """Return the mean absolute grade of each link: metres up and down over its length.

    Empty where the link has no length or any of its heights is empty.
    """
    number, zero = np.arange(links.count), np.zeros(links.count)
    begin, end = profiles.places(number, zero), profiles.places(number, zero + 1)
    moved = sum(profiles.read(name, end) - profiles.read(name, begin) for name in _UP_AND_DOWN)
    length = shapely.length(links.shape)
    is_empty = np.zeros(links.count, dtype=bool)
    is_empty[(profiles.key[np.isnan(profiles.elevation_m)] // 2).astype(np.int64)] = True
    return np.where(is_empty | (length <= 0), np.nan, moved / np.where(length > 0, length, 1))
