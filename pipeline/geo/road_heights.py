"""Heights of roads for vehicles, moved until no road is steeper than its class can be.

A terrain model smears cliffs over its cells and keeps roofs, so a road at the foot of a cliff seems to
climb it. Roads for vehicles cannot: their class limits the grade. Where the terrain is even around a
road nothing is smeared, and a road that is steeper than its class stays as steep as it is. The heights
that stay as near to the terrain as those limits allow are found on the whole network of roads at once.
What is only walked has no such limit; near a road its terrain is as wrong as the road's, and is moved
with it.
"""

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from pipeline.geo.profile import Flags, Heights, Integers, StreetLinks, over_structures
from pipeline.geo.profile import is_structure_only as structure_only
from pipeline.geo.raster import Floats, Raster, bilinear

_NEAR_M = 1e-6
_LEAST_WEIGHT_M = 1.0
_AS_NEAR_SHARE = 1 / 3
"""Points of roads this share of a cell further than the nearest one do not count at all."""
_UNEVEN_SHARE = 0.02
"""Points of roads weigh a little differently, so that no two ways of moving them weigh the same: the
answer is one, and moves with the terrain without leaps."""
_UNEVEN_WAVES_M = (5.1, 4.3, 17.0)
"""East, north and both: no spacing of points along a road fits all three."""


@dataclass(frozen=True)
class Segments:
    """Stretches of road between neighbouring points: nodes first, then stations.

    ``most_m`` is the largest rise.
    """

    begin: Integers
    end: Integers
    most_m: Floats
    length_m: Floats
    is_ground: Flags


def road_segments(links: StreetLinks, heights: Heights, max_grade: Floats) -> Segments:
    """Return the stretches of all links that have a limit; ``max_grade`` is NaN where there is none."""
    stations = heights.stations
    carries = np.isin(links.structure, ("ground", "bridge", "tunnel")) & ~np.isnan(max_grade)
    row = np.flatnonzero(carries)
    on = np.flatnonzero(carries[stations.link])
    link = np.concatenate([row, stations.link[on], row])
    fraction = np.concatenate([np.zeros(len(row)), stations.fraction[on], np.ones(len(row))])
    point = np.concatenate([links.from_node[row], links.node_count + on, links.to_node[row]])
    order = np.lexsort((fraction, link))
    link, fraction, point = link[order], fraction[order], point[order]
    within = np.flatnonzero(link[1:] == link[:-1])
    owner = link[within]
    run = np.diff(fraction)[within] * shapely.length(links.shape)[owner]
    begin, end = point[within], point[within + 1]
    kept = begin != end
    return Segments(
        begin[kept], end[kept], (run * max_grade[owner])[kept], run[kept],
        (links.structure[owner] == "ground")[kept],
    )  # fmt: skip


def within_grades(
    links: StreetLinks,
    heights: Heights,
    max_grade: Floats,
    high_error_weight: float,
    reach_m: float,
    unevenness: Raster,
    even_m: tuple[float, float],
) -> Heights:
    """Return heights by which no road is steeper than its limit.

    Bridges and tunnels keep rising evenly between their ends, unless only a bend in the middle keeps
    a limit. What is only walked is moved as far as the nearest point of a road within ``reach_m``, less
    and less up to twice as far.

    Parameters
    ----------
    max_grade
        Limit of each link, NaN where no vehicle goes.
    high_error_weight
        How much less a metre counts by which the terrain stands above the road than one below it.
    reach_m
        How far the terrain is blurred: its cell.
    unevenness, even_m
        The terrain's unevenness, metres: up to the first value of ``even_m`` a road may be as steep as
        the terrain, from the second on only as its limit says; in between a share of it.
    """
    segments = road_segments(links, heights, max_grade)
    before = np.concatenate([heights.node_m, heights.station_m])
    known = ~np.isnan(before[segments.begin]) & ~np.isnan(before[segments.end])
    segments = _chosen(segments, known)
    stations = heights.stations
    place = np.column_stack(
        [np.append(links.node_x, stations.x), np.append(links.node_y, stations.y)]
    )
    segments = as_the_even_terrain(segments, before, place, unevenness, even_m)
    rise = np.abs(before[segments.end] - before[segments.begin])
    if not (rise > segments.most_m + _NEAR_M).any():
        return heights
    on_structure = np.append(structure_only(links), np.zeros(len(heights.station_m), dtype=bool))
    weight = _weights(segments, place, on_structure)
    moved = nearest_within(before, weight, segments, high_error_weight)

    is_road = np.zeros(len(before), dtype=bool)
    is_road[segments.begin] = is_road[segments.end] = True
    shift = np.where(is_road, moved - before, 0.0)
    beside = ~is_road & ~on_structure
    shift[beside] = _carried(place[beside], place[is_road & ~on_structure],
                             shift[is_road & ~on_structure], reach_m)  # fmt: skip
    node, station = np.split(before + shift, [links.node_count])
    node = _over_structures_within(links, node, max_grade)
    return replace(
        heights,
        node_m=node,
        node_correction_m=heights.node_correction_m + np.nan_to_num(node - heights.node_m),
        station_m=station,
        station_correction_m=heights.station_correction_m
        + np.nan_to_num(station - heights.station_m),
    )


def as_the_even_terrain(
    segments: Segments,
    height_m: Floats,
    place: Floats,
    unevenness: Raster,
    even_m: tuple[float, float],
) -> Segments:
    """Return the stretches with the rise that the terrain has, where it is even around them.

    Without a value of unevenness the limit holds.
    """
    east, north = ((place[segments.begin] + place[segments.end]) / 2).T
    least, most = even_m
    share = np.clip((most - bilinear(unevenness, east, north)) / (most - least), 0, 1)
    own = np.abs(height_m[segments.end] - height_m[segments.begin])
    return replace(segments, most_m=np.fmax(segments.most_m, np.nan_to_num(share) * own))


def _weights(segments: Segments, place: Floats, on_structure: Flags) -> Floats:
    """Return how much each point counts: half the ground roads that meet there, least in mid-air.

    The small differences follow from where a point lies, since numbers shift with every street that
    is added anywhere.
    """
    count, half = len(place), np.where(segments.is_ground, segments.length_m / 2, 0.0)
    meeting = np.bincount(segments.begin, half, count) + np.bincount(segments.end, half, count)
    weight = np.where(on_structure, 0.0, meeting) + _LEAST_WEIGHT_M
    east, north = place.T
    along = (east, north, east + north)
    waves = [np.sin(at / wave) for at, wave in zip(along, _UNEVEN_WAVES_M, strict=True)]
    return np.asarray(weight * (1 + _UNEVEN_SHARE * (0.5 + sum(waves) / 6)))


def nearest_within(
    height_m: Floats, weight: Floats, segments: Segments, high_error_weight: float
) -> Floats:
    """Return the heights that keep all limits and lie nearest to the given ones.

    Nearest by the sum of weight × metres moved, metres downwards divided by ``high_error_weight``: a
    linear programme. Only points take part that some other point, however far along the roads, does
    not allow: the rest can stay (clamping a solution between the envelopes of the rest keeps every
    limit and moves no point further).

    Raises
    ------
    RuntimeError
        If the solver finds no optimum, which cannot be: level roads keep every limit.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # slow to load

    highest = _highest(height_m, segments)
    lowest = -_highest(-height_m, segments)
    loose = np.flatnonzero((highest < height_m - _NEAR_M) | (lowest > height_m + _NEAR_M))
    number = np.full(len(height_m), -1, dtype=np.int64)
    number[loose] = np.arange(len(loose))
    count, z = len(loose), height_m[loose]
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    for one, other in ((segments.begin, segments.end), (segments.end, segments.begin)):
        edge = np.flatnonzero((number[one] >= 0) & (number[other] < 0))
        held, most = height_m[other[edge]], segments.most_m[edge]
        np.maximum.at(low, number[one[edge]], held - most)
        np.minimum.at(high, number[one[edge]], held + most)
    inner = np.flatnonzero((number[segments.begin] >= 0) & (number[segments.end] >= 0))
    begin, end = number[segments.begin[inner]], number[segments.end[inner]]
    most, size = segments.most_m[inner], len(inner)
    row = np.arange(size)
    rise = sparse.csr_array(
        (np.repeat([1.0, -1.0], size), (np.tile(row, 2), np.concatenate([end, begin]))),
        shape=(size, count),
    )
    # height − up + down = terrain
    same = sparse.eye_array(count)
    rows = sparse.block_array([[rise, None, None], [same, -same, same]], format="csr")
    # to zero at the terrain, which keeps the numbers small
    found = milp(
        np.concatenate([np.zeros(count), weight[loose], weight[loose] / high_error_weight]),
        bounds=Bounds(
            np.concatenate([low - z, np.zeros(2 * count)]),
            np.concatenate([high - z, np.full(2 * count, np.inf)]),
        ),
        constraints=LinearConstraint(
            rows,
            np.concatenate([-most - (z[end] - z[begin]), np.zeros(count)]),
            np.concatenate([most - (z[end] - z[begin]), np.zeros(count)]),
        ),
    )
    if found.x is None:
        raise RuntimeError(f"no heights of roads found: {found.message}")
    moved = height_m.copy()
    moved[loose] = z + found.x[:count]
    return moved


def _highest(height_m: Floats, segments: Segments) -> Floats:
    """Return the greatest height that all other points' heights allow each point."""
    highest = height_m.copy()
    begin = np.concatenate([segments.begin, segments.end])
    end = np.concatenate([segments.end, segments.begin])
    most = np.tile(segments.most_m, 2)
    asked = np.arange(len(begin))
    while len(asked):
        reached = highest[begin[asked]] + most[asked]
        lower = reached < highest[end[asked]] - _NEAR_M
        np.minimum.at(highest, end[asked[lower]], reached[lower])
        is_new = np.zeros(len(highest), dtype=bool)
        is_new[end[asked[lower]]] = True
        asked = np.flatnonzero(is_new[begin])
    return highest


def _carried(place: Floats, road: Floats, shift: Floats, reach_m: float) -> Floats:
    """Return the shift of the nearest points of roads, fading to none between one reach and two.

    Points that lie hardly further than the nearest one count too, the less the further: where two are
    as near, the shift does not leap from one's to the other's.
    """
    from scipy.spatial import cKDTree

    if not len(place) or not len(road):
        return np.zeros(len(place))
    tree = cKDTree(road)
    apart, _ = tree.query(place, distance_upper_bound=2 * reach_m)
    near = np.flatnonzero(np.isfinite(apart))
    within_m = apart[near] + _AS_NEAR_SHARE * reach_m
    found = tree.query_ball_point(place[near], within_m)
    count = np.array([len(one) for one in found], dtype=np.int64)
    owner = np.repeat(np.arange(len(near)), count)
    point = np.concatenate([np.zeros(0), *found]).astype(np.int64)
    far = np.hypot(*(road[point] - place[near[owner]]).T)
    weight = np.maximum(1 - (far - apart[near[owner]]) / (_AS_NEAR_SHARE * reach_m), 0)
    carried = np.zeros(len(place))
    summed = np.bincount(owner, weight * shift[point], len(near))
    carried[near] = summed / np.bincount(owner, weight, len(near))
    return carried * faded_share(apart, reach_m)


def faded_share(apart_m: Floats, reach_m: float) -> Floats:
    """Return how much of a road's shift holds at a distance: all within the reach, none from two."""
    return np.clip(2 - apart_m / reach_m, 0, 1)


def _over_structures_within(links: StreetLinks, node: Floats, max_grade: Floats) -> Floats:
    """Return heights with bridges and tunnels even again where that keeps their limits."""
    even = over_structures(links, node)
    is_structure = np.isin(links.structure, ("bridge", "tunnel"))
    one, two = links.from_node[is_structure], links.to_node[is_structure]
    most = (max_grade * shapely.length(links.shape))[is_structure]
    breaks = np.abs(even[two] - even[one]) > most + _NEAR_M
    free = structure_only(links)
    joined = free[one] & free[two]
    shape = (links.node_count, links.node_count)
    tie = sparse.coo_array((np.ones(joined.sum()), (one[joined], two[joined])), shape)
    _, part = connected_components(tie.tocsr(), directed=False)
    is_broken = np.zeros(part.max() + 1, dtype=bool)
    for end in (one, two):
        is_broken[part[end[breaks & free[end]]]] = True
    return np.where(free & is_broken[part], node, even)


def _chosen(segments: Segments, kept: Flags) -> Segments:
    return Segments(
        segments.begin[kept], segments.end[kept], segments.most_m[kept],
        segments.length_m[kept], segments.is_ground[kept],
    )  # fmt: skip
