"""Public lifts mapped as a single node.

A lift drawn as one point joins ways on several levels. Walking through that point as if it lay on the
ground would climb the whole height on foot. So the point is taken apart: a landing for each level at
which ways leave it, and lift links between the landings.
"""

from dataclasses import dataclass, replace

import numpy as np
import shapely

from pipeline.geo.profile import Flags, Heights, Integers, StreetLinks
from pipeline.geo.raster import Floats

_LANDING_REACH_M = 30.0


@dataclass(frozen=True)
class Landings:
    """The network with its lifts taken apart.

    ``lift_node`` is the old node of each added lift link, which stand after the old links.
    """

    links: StreetLinks
    heights: Heights
    lift_node: Integers


def with_landings(
    links: StreetLinks,
    heights: Heights,
    is_lift: Flags,
    is_open: Flags,
    level_gap_m: float,
) -> Landings:
    """Return the network in which every lift node is a stack of landings.

    The height of a landing is that of the ways that leave it, a cell away from the lift; up to there
    they run evenly. Ways closer in height than ``level_gap_m`` share a landing. A lift that all ways
    leave at one level stays a plain node; a closed lift has landings but no lift between them.
    """
    from_node, to_node = links.from_node.copy(), links.to_node.copy()
    height = heights.node_m.tolist()
    x, y = links.node_x.tolist(), links.node_y.tolist()
    added: list[tuple[int, int, int]] = []
    station_m = heights.station_m.copy()
    touching = np.flatnonzero(is_lift[from_node] | is_lift[to_node])
    ends: dict[int, list[tuple[float, int, bool]]] = {}
    for link in touching.tolist():
        for is_start, node in ((True, from_node[link]), (False, to_node[link])):
            if is_lift[node]:
                z = _leaving_height(links, heights, link, is_start)
                ends.setdefault(int(node), []).append((z, link, is_start))
    for node, leaving in sorted(ends.items()):
        known = sorted(end for end in leaving if not np.isnan(end[0]))
        levels: list[list[tuple[float, int, bool]]] = []
        for end in known:
            if levels and end[0] - levels[-1][-1][0] <= level_gap_m:
                levels[-1].append(end)
            else:
                levels.append([end])
        if len(levels) < 2:
            continue
        below = -1
        for number, level in enumerate(levels):
            z = float(np.mean([end[0] for end in level]))
            landing = node
            if number:
                landing = len(height)
                height.append(z)
                x.append(x[node])
                y.append(y[node])
            else:
                height[node] = z
            for leaving_m, link, is_start in level:
                (from_node if is_start else to_node)[link] = landing
                at, share = _blurred(links, heights, link, is_start)
                station_m[at] = z + (leaving_m - z) * share
            if number:
                added.append((below, landing, node))
            below = landing
    if not added:
        return Landings(links, heights, np.zeros(0, dtype=np.int64))
    low, high, lift = (np.array(part, dtype=np.int64) for part in zip(*added, strict=True))
    point = np.column_stack([np.array(x)[low], np.array(y)[low]])
    opened = is_open[lift]
    grown = replace(
        links,
        from_node=np.concatenate([from_node, low]),
        to_node=np.concatenate([to_node, high]),
        shape=np.concatenate([links.shape, shapely.linestrings(np.stack([point, point], axis=1))]),
        structure=np.concatenate([links.structure, np.full(len(low), "lift", dtype=object)]),
        is_forward_open=np.concatenate([links.is_forward_open, opened]),
        is_backward_open=np.concatenate([links.is_backward_open, opened]),
        tagged_rise_m=np.concatenate([links.tagged_rise_m, np.full(len(low), np.nan)]),
        node_x=np.array(x),
        node_y=np.array(y),
    )
    added_nodes = np.zeros(len(height) - links.node_count)
    landed = replace(
        heights,
        node_m=np.array(height),
        node_correction_m=np.append(heights.node_correction_m, added_nodes),
        station_m=station_m,
    )
    return Landings(grown, landed, lift)


def _leaving_height(links: StreetLinks, heights: Heights, link: int, is_start: bool) -> float:
    """Return the height at which a link leaves a lift: that a cell away, or of its far end.

    Between the stations around that place; those nearer to the lift stand in its blur.
    """
    far = links.to_node[link] if is_start else links.from_node[link]
    length = float(shapely.length(links.shape[link]))
    if links.structure[link] != "ground" or length <= _LANDING_REACH_M:
        return float(heights.node_m[far])
    stations = heights.stations
    own = slice(*np.searchsorted(stations.link, [link, link + 1]))
    ends = heights.node_m[[links.from_node[link], links.to_node[link]]]
    z = np.concatenate([ends[:1], heights.station_m[own], ends[1:]])
    at = np.concatenate([[0.0], stations.fraction[own], [1.0]])
    reach = _LANDING_REACH_M / length
    return float(np.interp(reach if is_start else 1 - reach, at, z))


def _blurred(
    links: StreetLinks, heights: Heights, link: int, is_start: bool
) -> tuple[Integers, Floats]:
    """Return the stations of a link in the blur of its lift, and how far on the way out of it."""
    first, end = np.searchsorted(heights.stations.link, [link, link + 1])
    fraction = heights.stations.fraction[first:end]
    length = float(shapely.length(links.shape[link]))
    away = length * (fraction if is_start else 1 - fraction)
    share = away / min(_LANDING_REACH_M, length or 1.0)
    return np.arange(first, end)[share < 1], share[share < 1]
