"""How buildings and facilities reach the street.

A place may reach several streets: the nearest ones within a cap are tried, and what is quickest for
each walk counts. The straight way to a street is no way if it leads over a cliff or wall or across
water. Where no way is left the place has no access; nothing is guessed.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from pipeline.geo.network import StreetPoint, main_component
from pipeline.geo.profile import Flags, Integers, Names, Profiles, StreetLinks, walk_minutes
from pipeline.geo.raster import Floats, Raster, bilinear
from pipeline.geo.road_heights import faded_share
from pipeline.measure.shut_gates import bypasses
from pipeline.settings.measure import AccessRule, WalkingRule

_LEG_PART_COUNT = 5
_PART_PLACE_COUNT = 6000
_NO_GATES: Names = np.zeros(0, dtype=object)
_BOX_SLACK_M = 0.001
"""Far above rounding, far below what matters."""


@dataclass(frozen=True)
class Doors:
    """Ways between places and streets, sorted by place, then by length; arrays are parallel.

    ``home`` is from the street to the place, ``away`` from the place to the street.
    """

    place: Integers
    link: Integers
    fraction: Floats
    access_m: Floats
    home_min: Floats
    away_min: Floats
    home_ascent_m: Floats
    away_ascent_m: Floats
    place_count: int

    @property
    def street_point(self) -> StreetPoint:
        """Where the ways meet the street."""
        return StreetPoint(self.link, self.fraction)

    @property
    def has_access(self) -> Flags:
        """Whether each place reaches a street at all."""
        found = np.zeros(self.place_count, dtype=bool)
        found[self.place] = True
        return found

    @property
    def first(self) -> Integers:
        """Index of each reaching place's shortest way."""
        return np.flatnonzero(np.append(True, self.place[1:] != self.place[:-1]))[
            : len(np.unique(self.place))
        ]

    def chosen(self, index: Integers) -> "Doors":
        """Return some of the ways."""
        return Doors(
            self.place[index], self.link[index], self.fraction[index], self.access_m[index],
            self.home_min[index], self.away_min[index], self.home_ascent_m[index],
            self.away_ascent_m[index], self.place_count,
        )  # fmt: skip


def usable_links(links: StreetLinks, spans: tuple[Integers, Integers] | None = None) -> Flags:
    """Return which links a building or facility may be reached from.

    Only streets and steps on the ground, in the largest connected part of the network: nobody's door
    opens into a tunnel, onto a bridge or onto an island of two mapped footways. ``spans`` are pairs of
    links that something else joins.
    """
    return np.isin(links.structure, ("ground", "steps")) & main_component(links, spans)


def doors(
    places: Names,
    links: StreetLinks,
    usable: Flags,
    profiles: Profiles,
    terrain: Raster,
    water: Names,
    access: AccessRule,
    walking: WalkingRule,
    gate_line: Names = _NO_GATES,
) -> Doors:
    """Return the ways between places (areas or points) and the streets within reach.

    A street that is shut in both directions has no doors, but takes the place of one: closing it
    opens no other. ``gate_line`` are lines across streets at shut gates. Worked in parts by threads,
    since the geometry library lets go of the interpreter; the parts do not depend on one another, so
    their number changes no result.
    """
    streets = _Usable.of(links, usable)
    starts = range(0, max(len(places), 1), _PART_PLACE_COUNT)

    def of_part(start: int) -> Doors:
        part = places[start : start + _PART_PLACE_COUNT]
        return _doors(part, links, streets, profiles, terrain, water, access, walking, gate_line)

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        parts = list(threads.map(of_part, starts))
    return _joined(parts, list(starts), len(places))


def _joined(parts: list[Doors], starts: list[int], place_count: int) -> Doors:
    def column(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    place = [part.place + start for part, start in zip(parts, starts, strict=True)]
    return Doors(
        np.concatenate(place), column("link"), column("fraction"), column("access_m"),
        column("home_min"), column("away_min"), column("home_ascent_m"), column("away_ascent_m"),
        place_count,
    )  # fmt: skip


def _doors(
    places: Names,
    links: StreetLinks,
    usable: "_Usable",
    profiles: Profiles,
    terrain: Raster,
    water: Names,
    access: AccessRule,
    walking: WalkingRule,
    gate_line: Names,
) -> Doors:
    place, link, distance = _near_links(places, usable, access)
    fraction, leg = _ways(places, place, links.shape[link], distance, access.front_depth_m)
    run, rise, total_rise = _leg_profile(leg, link, fraction, profiles, terrain)
    is_open = ~_is_blocked(run, rise, total_rise, access, walking) & ~_crosses(
        leg, place, places, water, access
    )
    is_open &= links.is_forward_open[link] | links.is_backward_open[link]
    is_open &= ~bypasses(places, place, links.shape[link], fraction, is_open, gate_line)
    most = walking.max_grade * run[:, None]
    climb = np.clip(rise, -most, most)
    part = np.broadcast_to(run[:, None], climb.shape)
    found = Doors(
        place,
        link,
        fraction,
        distance,
        home_min=walk_minutes(part, -climb, walking).sum(axis=1),
        away_min=walk_minutes(part, climb, walking).sum(axis=1),
        home_ascent_m=np.maximum(-climb, 0).sum(axis=1),
        away_ascent_m=np.maximum(climb, 0).sum(axis=1),
        place_count=len(places),
    )
    return found.chosen(np.flatnonzero(is_open))


@dataclass(frozen=True)
class _Usable:
    """The links that may be used, by place: their numbers, shapes, and west, south, east, north."""

    link: Integers
    shape: Names
    bounds: Floats
    tree: shapely.STRtree

    @classmethod
    def of(cls, links: StreetLinks, usable: Flags) -> "_Usable":
        link = np.flatnonzero(usable)
        shape = links.shape[link]
        return cls(link, shape, shapely.bounds(shape), shapely.STRtree(shape))


def _near_links(
    places: Names, usable: _Usable, access: AccessRule
) -> tuple[Integers, Integers, Floats]:
    """Return the nearest links of each place: within the cap, and little further than the nearest.

    Sorted by place, then by distance, then by link.
    """
    nothing = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    if not len(places) or not len(usable.link):
        return nothing
    bounds, cap = shapely.bounds(places), access.max_access_m
    place, found = usable.tree.query(_boxes_around(places, cap))
    if not len(place):
        return nothing
    # boxes first: what they rule out needs no exact distance
    apart = _boxes_apart_m(bounds[place], usable.bounds[found])
    boxes_nearest = apart <= _least(apart, place)[place]
    tried = _distance_m(places, usable, place[boxes_nearest], found[boxes_nearest])
    at_most = np.minimum(_least(tried, place[boxes_nearest]) + access.extra_access_m, cap)
    may_be = apart <= at_most[place] + _BOX_SLACK_M
    place, found = place[may_be], found[may_be]
    distance = _distance_m(places, usable, place, found)
    near = distance <= np.minimum(_least(distance, place) + access.extra_access_m, cap)[place]
    place, link, distance = place[near], usable.link[found[near]], distance[near]
    if not len(place):
        return nothing
    order = np.lexsort((link, distance, place))
    place, link, distance = place[order], link[order], distance[order]
    start = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
    number = np.arange(len(place)) - np.repeat(start, np.diff(np.append(start, len(place))))
    kept = number < access.max_candidate_count
    return place[kept], link[kept], distance[kept]


def _distance_m(places: Names, usable: _Usable, place: Integers, found: Integers) -> Floats:
    return np.asarray(shapely.distance(places[place], usable.shape[found]), dtype=np.float64)


def _boxes_around(places: Names, margin_m: float) -> Names:
    west, south, east, north = shapely.bounds(places).T
    boxes = shapely.box(west - margin_m, south - margin_m, east + margin_m, north + margin_m)
    return np.asarray(boxes, dtype=object)


def _boxes_apart_m(one: Floats, two: Floats) -> Floats:
    """Return how far boxes (west, south, east, north) lie apart, pair by pair."""
    gap = np.maximum(one[:, :2] - two[:, 2:], two[:, :2] - one[:, 2:])
    return np.hypot(*np.maximum(gap, 0).T)


def _least(values: Floats, place: Integers) -> Floats:
    """Return the least value of each place, ``place`` sorted; NaN where it has none."""
    start = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
    least = np.full(place[-1] + 1, np.nan)
    least[place[start]] = np.minimum.reduceat(values, start)
    return least


def _ways(
    places: Names, place: Integers, street: Names, distance_m: Floats, front_depth_m: float
) -> tuple[Floats, Names]:
    """Return where on each street a place's way meets it (fraction of its length), and the way.

    That is the street's point nearest to the place, the middle of what lies in the place where the
    street runs through it. Where a wall runs along a street all of it is nearly as near, and the
    nearest point would leap from end to end of it by a hair: so the point moves towards the one
    nearest to the place's middle, wholly where that is as near, not at all where it is further off
    by ``front_depth_m``.
    """
    own = places[place]
    length = shapely.length(street)
    touch = shapely.get_point(shapely.shortest_line(own, street), 1)
    nearest_m = shapely.line_locate_point(street, touch)
    through = np.flatnonzero(distance_m == 0)
    nearest_m[through] = _middle_within_m(own[through], street[through], nearest_m[through])
    middle_m = shapely.line_locate_point(street, shapely.centroid(places)[place])
    further = shapely.distance(own, shapely.line_interpolate_point(street, middle_m)) - distance_m
    share = np.clip(1 - further / front_depth_m, 0, 1)
    at_m = nearest_m + share * (middle_m - nearest_m)
    fraction = np.divide(at_m, length, out=np.zeros(len(at_m)), where=length > 0)
    fraction = np.clip(np.nan_to_num(fraction), 0, 1)
    leg = shapely.shortest_line(own, shapely.line_interpolate_point(street, at_m))
    return fraction, leg


def _middle_within_m(places: Names, streets: Names, at_m: Floats) -> Floats:
    """Return how far along its street the middle of what lies in each place is, else ``at_m``."""
    piece, owner = shapely.get_parts(shapely.intersection(streets, places), return_index=True)
    is_line = shapely.get_dimensions(piece) == 1
    piece, owner = piece[is_line], owner[is_line]
    length = shapely.length(piece)
    middle = shapely.line_interpolate_point(piece, 0.5, normalized=True)
    along = shapely.line_locate_point(streets[owner], middle)
    whole = np.bincount(owner, length, len(at_m))
    summed = np.bincount(owner, length * along, len(at_m))
    return np.where(whole > 0, summed / np.where(whole > 0, whole, 1), at_m)


def _leg_profile(
    leg: Names, link: Integers, fraction: Floats, profiles: Profiles, terrain: Raster
) -> tuple[Floats, Floats, Floats]:
    """Return length of a part, rise of each part and whole rise of legs, from place to street.

    Near a road whose height was moved the terrain is as wrong as the road's was, and is moved with it.
    Terrain that is empty counts as flat: the way is not refused for want of a height.
    """
    xy = shapely.get_coordinates(leg).reshape(-1, 2, 2)
    share = np.linspace(0, 1, _LEG_PART_COUNT + 1)[:-1]
    x, y = (xy[:, 0, axis, None] + (xy[:, 1] - xy[:, 0])[:, axis, None] * share for axis in (0, 1))
    run = np.hypot(*(xy[:, 1] - xy[:, 0]).T) / _LEG_PART_COUNT
    places = profiles.places(link, fraction)
    apart_m = run[:, None] * (_LEG_PART_COUNT - np.arange(_LEG_PART_COUNT))
    moved = profiles.read("correction_m", places)[:, None] * faded_share(apart_m, terrain.cell_m)
    z = np.column_stack([bilinear(terrain, x, y) + moved, profiles.read("elevation_m", places)])
    return run, np.nan_to_num(np.diff(z, axis=1)), np.nan_to_num(z[:, -1] - z[:, 0])


def _is_blocked(
    run: Floats, rise: Floats, total_rise: Floats, access: AccessRule, walking: WalkingRule
) -> Flags:
    """Return which legs lead over a cliff or wall: too steep and too high, in a part or in all."""
    steep = np.abs(rise) > walking.max_grade * run[:, None]
    in_part = (steep & (np.abs(rise) > access.max_rise_m)).any(axis=1)
    whole = np.abs(total_rise) > walking.max_grade * run * _LEG_PART_COUNT
    return in_part | (whole & (np.abs(total_rise) > access.max_rise_m))


def _crosses(leg: Names, place: Integers, places: Names, water: Names, access: AccessRule) -> Flags:
    """Return which legs lead over water; most places lie so far from any that theirs cannot."""
    crossing = np.zeros(len(leg), dtype=bool)
    if len(water) and len(leg):
        around = _boxes_around(places, access.max_access_m + _BOX_SLACK_M)
        is_beside = np.zeros(len(places), dtype=bool)
        is_beside[shapely.STRtree(around).query(water, predicate="intersects")[1]] = True
        legs = np.flatnonzero(is_beside[place])
        over = shapely.STRtree(leg[legs]).query(water, predicate="intersects")[1]
        crossing[legs[over]] = True
    return crossing
