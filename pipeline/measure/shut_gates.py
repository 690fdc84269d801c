"""Shut gates: what a gate closes on a street, a straight way beside the gate does not open."""

import numpy as np
import shapely

from pipeline.geo.profile import Flags, Integers, Names, StreetLinks
from pipeline.geo.raster import Floats

_BESIDE_M = 1.0


def gate_lines(links: StreetLinks, is_shut: Flags, half_length_m: float) -> Names:
    """Return a line across every street that ends at a shut gate, as long to either side.

    It stands for the wall or fence that makes a gate one; maps seldom draw it.
    """
    found = []
    for nodes, is_start in ((links.from_node, True), (links.to_node, False)):
        for link in np.flatnonzero(is_shut[nodes]).tolist():
            shape = links.shape[link]
            at = shapely.get_point(shape, 0 if is_start else -1)
            inside = shapely.line_interpolate_point(shape, _BESIDE_M if is_start else -_BESIDE_M)
            at_xy = np.array([at.x, at.y])
            across = np.array([at.y - inside.y, inside.x - at.x])
            length_m = float(np.hypot(*across))
            if length_m > 0:
                half = across / length_m * half_length_m
                found.append(shapely.linestrings(at_xy + np.stack([-half, half])))
    return np.array(found, dtype=object)


def bypasses(
    places: Names,
    place: Integers,
    street: Names,
    fraction: Floats,
    is_open: Flags,
    gate_line: Names,
) -> Flags:
    """Return which ways from the middle of a place to a street lead round a shut gate.

    ``fraction`` is where a way meets its street; a metre from the street's ends, so that what begins
    at the gate lies beyond it or before it.
    A place whose every way would is left them all: it stands at the gate, and one side must be its own.
    """
    found = np.zeros(len(place), dtype=bool)
    if not len(gate_line) or not len(place):
        return found
    length_m = shapely.length(street)
    least_m = np.minimum(_BESIDE_M, length_m / 2)
    touch = shapely.line_interpolate_point(
        street, np.clip(fraction * length_m, least_m, length_m - least_m)
    )
    middle = shapely.point_on_surface(places[place])
    legs = shapely.linestrings(
        np.stack([shapely.get_coordinates(middle), shapely.get_coordinates(touch)], axis=1)
    )
    found[np.unique(shapely.STRtree(legs).query(gate_line, predicate="crosses")[1])] = True
    keeps_one = np.zeros(len(places), dtype=bool)
    keeps_one[place[is_open & ~found]] = True
    return found & keeps_one[place]
