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
from scipy.sparse.linalg import spsolve

from pipeline.geo.raster import Floats, Raster, bilinear
from pipeline.settings.measure import WalkingRule

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class StreetLinks:
    """The street network as arrays; nodes are numbered from 0."""

    from_node: Integers
    to_node: Integers
    shape: NDArray[np.object_]
    structure: NDArray[np.object_]
    is_forward_open: Flags
    is_backward_open: Flags
    node_x: Floats
    node_y: Floats

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return len(self.node_x)


@dataclass(frozen=True)
class Profiles:
    """Running totals along every link, to be read at any point of it.

    ``key`` is 2 × link + fraction of its length; the other arrays are running totals over all links
    in turn, so that a difference between two points of one link is what lies between them.
    """

    key: Floats
    forward_min: Floats
    backward_min: Floats
    ascent_m: Floats
    descent_m: Floats
    elevation_m: Floats
    clipped_count: int

    def at(self, name: str, link: Integers, fraction: Floats) -> Floats:
        """Return a running total at points of links."""
        return np.interp(2.0 * link + fraction, self.key, getattr(self, name))


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
    weight = (weight + weight.T).tocsr()
    count, part = sparse.csgraph.connected_components(weight, directed=False)
    has_anchor = np.zeros(count, dtype=bool)
    has_anchor[part[~free & ~np.isnan(ground)]] = True
    free &= has_anchor[part]
    if not free.any():
        return ground
    anchor = ~free & ~np.isnan(ground)
    laplacian = sparse.diags_array(weight.sum(axis=1)) - weight
    known = np.where(anchor, ground, 0.0)
    unknown = np.flatnonzero(free)
    system = laplacian[unknown][:, unknown].tocsc()
    lost = laplacian[unknown][:, np.flatnonzero(~free & ~anchor)]
    system = system + sparse.diags_array(np.asarray(lost.sum(axis=1)).ravel())
    height = ground.copy()
    height[unknown] = spsolve(system.tocsc(), -(laplacian[unknown] @ known))
    return height


def link_profiles(links: StreetLinks, terrain: Raster, walking: WalkingRule) -> Profiles:
    """Return minutes, metres up and metres down along every link, in both directions.

    Links are sampled at even steps no longer than ``profile_spacing_m``. Where the terrain is empty
    the link is taken as flat. Closed directions cost infinity when the network is built, not here.
    """
    node_z = node_elevation_m(links, terrain)
    length = shapely.length(links.shape)
    follows = links.structure == "ground"
    step_count = np.where(follows, np.ceil(length / walking.profile_spacing_m), 1).astype(np.int64)
    step_count = np.maximum(step_count, 1)
    sample_count = step_count + 1
    link = np.repeat(np.arange(len(length)), sample_count)
    first = np.cumsum(sample_count) - sample_count
    number = np.arange(sample_count.sum()) - np.repeat(first, sample_count)
    fraction = number / step_count[link]

    z = (1 - fraction) * node_z[links.from_node[link]] + fraction * node_z[links.to_node[link]]
    inner = follows[link] & (number > 0) & (number < step_count[link])
    points = shapely.line_interpolate_point(
        links.shape[link[inner]], fraction[inner], normalized=True
    )
    z[inner] = bilinear(terrain, shapely.get_x(points), shapely.get_y(points))

    same = link[1:] == link[:-1]
    run = np.where(same, (length / step_count)[link[1:]], 0.0)
    rise = np.nan_to_num(np.where(same, z[1:] - z[:-1], 0.0))
    cap = np.where(np.isin(links.structure[link[1:]], ("ground", "bridge", "tunnel")), 1.0, np.inf)
    most = np.where(np.isinf(cap), np.inf, walking.max_grade * run)
    clipped = np.abs(rise) > most + 1e-9
    rise = np.clip(rise, -most, most)

    kind = links.structure[link[1:]]
    forward = step_minutes(run, rise, kind, walking)
    backward = step_minutes(run, -rise, kind, walking)
    carried = np.isin(kind, ("lift", "escalator"))
    climbed = np.where(carried, 0.0, rise)

    def running(step: Floats) -> Floats:
        return np.concatenate([[0.0], np.cumsum(np.where(same, step, 0.0))])

    return Profiles(
        key=2.0 * link + fraction,
        forward_min=running(forward),
        backward_min=running(backward),
        ascent_m=running(np.maximum(climbed, 0)),
        descent_m=running(np.maximum(-climbed, 0)),
        elevation_m=z,
        clipped_count=int(np.unique(link[1:][clipped]).size),
    )


def step_minutes(
    run_m: Floats, rise_m: Floats, structure: NDArray[np.object_], walking: WalkingRule
) -> Floats:
    """Return the minutes for steps of a walk, by what carries them."""
    minutes = walk_minutes(run_m, rise_m, walking)
    on_stairs = structure == "steps"
    if on_stairs.any():
        minutes = np.where(on_stairs, stair_minutes(run_m, rise_m, walking), minutes)
    minutes = np.where(structure == "lift", np.where(run_m > 0, walking.lift_min, 0.0), minutes)
    ride = run_m / walking.escalator_speed_m_per_min
    return np.where(structure == "escalator", ride, minutes)


def walk_minutes(run_m: Floats, rise_m: Floats, walking: WalkingRule) -> Floats:
    """Return walking minutes by Tobler's hiking function (Tobler 1993), scaled to a flat pace.

    Tobler: 6·exp(−3.5·|S + 0.05|) km/h with S the rise over run in the direction walked. Dividing by
    its value at S = 0 keeps its shape and lets config set the pace on the flat.
    """
    run = np.maximum(run_m, 1e-9)
    bend = np.abs(rise_m / run - walking.tobler_peak_grade) - abs(walking.tobler_peak_grade)
    return run_m / walking.flat_speed_m_per_min * np.exp(walking.tobler_steepness * bend)


def stair_minutes(run_m: Floats, rise_m: Floats, walking: WalkingRule) -> Floats:
    """Return minutes on steps: by height climbed, but never faster than the same way on the flat."""
    by_height = np.where(
        rise_m >= 0, rise_m / walking.stairs_up_m_per_min, -rise_m / walking.stairs_down_m_per_min
    )
    return np.maximum(by_height, run_m / walking.flat_speed_m_per_min)
