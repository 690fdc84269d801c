"""Height profiles of street links, and the minutes and metres climbed along them.

Assumes a terrain model of the ground. Bridges and tunnels do not follow the ground: they rise evenly
between the places where they meet it. What the terrain model cannot know (a stair's true height under
a tower) stays wrong; grades steeper than the cap are clipped and counted.
"""

from dataclasses import dataclass

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
    ``elevation_m`` is the height there.
    """

    key: Floats
    forward_min: Floats
    backward_min: Floats
    ascent_m: Floats
    descent_m: Floats
    elevation_m: Floats
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


def node_elevation_m(links: StreetLinks, terrain: Raster) -> Floats:
    """Return the height of every node; NaN where the terrain is empty.

    A node in the middle of a bridge or tunnel does not lie on the ground. Its height is interpolated
    along the structure between the nodes where it meets ground streets: the discrete harmonic
    function with conductances 1 / length, which on a single line is the straight profile.
    """
    ground = bilinear(terrain, links.node_x, links.node_y)
    is_structure = np.isin(links.structure, ("bridge", "tunnel"))
    touches_structure = np.zeros(links.node_count, dtype=bool)
    touches_ground = np.zeros(links.node_count, dtype=bool)
    for ends in (links.from_node, links.to_node):
        touches_structure[ends[is_structure]] = True
        touches_ground[ends[links.structure == "ground"]] = True
    degree = np.bincount(links.from_node, minlength=links.node_count)
    degree += np.bincount(links.to_node, minlength=links.node_count)
    free = touches_structure & ~touches_ground & (degree > 1)

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


def link_profiles(
    links: StreetLinks, terrain: Raster, node_z: Floats, walking: WalkingRule
) -> Profiles:
    """Return minutes, metres up and metres down along every link, in both directions.

    Streets on the ground are sampled at even steps no longer than ``profile_spacing_m``; all else
    rises evenly between its ends, by the tagged height where the map tells it. Where the terrain is
    empty the link is taken as flat. Closed directions are shut when the network is built, not here.
    """
    length = shapely.length(links.shape)
    is_tagged = ~np.isnan(links.tagged_rise_m)
    follows = (links.structure == "ground") & ~is_tagged
    step_count = np.where(follows, np.ceil(length / walking.profile_spacing_m), 1).astype(np.int64)
    step_count = np.maximum(step_count, 1)
    sample_count = step_count + 1
    link = np.repeat(np.arange(links.count), sample_count)
    first = np.cumsum(sample_count) - sample_count
    number = np.arange(sample_count.sum()) - np.repeat(first, sample_count)
    fraction = number / step_count[link]

    begin_z, end_z = node_z[links.from_node[link]], node_z[links.to_node[link]]
    # an empty height at one end must not spread to the other: 0 × NaN is NaN
    z = np.where(number == 0, begin_z, (1 - fraction) * begin_z + fraction * end_z)
    z = np.where(number == step_count[link], end_z, z)
    inner = follows[link] & (number > 0) & (number < step_count[link])
    points = shapely.line_interpolate_point(
        links.shape[link[inner]], fraction[inner], normalized=True
    )
    z[inner] = bilinear(terrain, shapely.get_x(points), shapely.get_y(points))

    within = np.flatnonzero(link[1:] == link[:-1])
    step_link = link[within]
    run = (length / step_count)[step_link]
    rise = np.nan_to_num(z[within + 1] - z[within])
    rise = np.where(is_tagged[step_link], links.tagged_rise_m[step_link], rise)
    kind = links.structure[step_link]
    rise, clipped = clipped_rise(run, rise, kind, walking)
    climbed = np.where(np.isin(kind, ("lift", "escalator")), 0.0, rise)

    def running(step: Floats) -> Floats:
        spread = np.zeros(len(link))
        spread[within + 1] = step
        return np.cumsum(spread)

    return Profiles(
        key=2.0 * link + fraction,
        forward_min=running(step_minutes(run, rise, kind, walking)),
        backward_min=running(step_minutes(run, -rise, kind, walking)),
        ascent_m=running(np.maximum(climbed, 0)),
        descent_m=running(np.maximum(-climbed, 0)),
        elevation_m=z,
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


def mean_grade(lines: Names, elevation_m: Floats, length_m: Floats) -> Floats:
    """Return the mean absolute grade of each line over its vertices, weighted by length.

    ``elevation_m`` holds the heights of all vertices in turn, ``length_m`` the lengths between each
    vertex and the next (what crosses from one line to the next is ignored). Empty where a height is
    empty or the line has no length.
    """
    _, line = shapely.get_coordinates(lines, return_index=True)
    within = line[1:] == line[:-1]
    owner = line[1:][within]
    rise = np.abs(np.diff(elevation_m))[within]
    total_rise = np.bincount(owner, rise, minlength=len(lines))
    total_run = np.bincount(owner, length_m[within], minlength=len(lines))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total_run > 0, total_rise / total_run, np.nan)
