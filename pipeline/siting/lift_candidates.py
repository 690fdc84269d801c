"""Where a public lift could stand: pairs of places close on the map and far apart in height.

Both ends are places where a what-if would join a lift to the streets, so that what is reckoned for a
candidate is what ``make what-if`` says of it. What the map does not know (who owns the ground, what
stands there if no footprint is mapped) cannot be looked at.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import cKDTree

from pipeline.contracts.tables import BUILDINGS, ESTATE_FACTS, MEASUREMENTS, STREET_EDGES
from pipeline.geo.datum import into_working_crs
from pipeline.geo.network import StreetPoint
from pipeline.geo.profile import Flags, Integers, Names, walk_minutes
from pipeline.geo.raster import Floats
from pipeline.measure.change import can_be_joined, nearest_street
from pipeline.settings.sites import LiftSites
from pipeline.siting.walking_city import WalkingCity

DEGREES = "EPSG:4326"
DEGREE_DECIMALS = 7
_OTHER_STREET_M = 0.1
"""A place that is joined to a street this much higher or lower stands under or over another one."""
_ERROR_REACH_M = 100.0


@dataclass(frozen=True)
class Ends:
    """Places where lifts could begin or end; arrays are parallel.

    ``longitude`` and ``latitude`` are WGS-84, rounded as they are written.
    """

    longitude: Floats
    latitude: Floats
    x: Floats
    y: Floats
    z: Floats
    point: StreetPoint
    error_m: Floats
    """Of the height, one standard deviation."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.x)


@dataclass(frozen=True)
class Candidates:
    """Lifts that could be built, from the lower end to the upper one; arrays are parallel."""

    ends: Ends
    lower: Integers
    upper: Integers
    kind: Names
    distance_m: Floats
    rise_m: Floats
    error_m: Floats
    """Of the rise, one standard deviation."""
    there_min: Floats
    """Up; down takes as long."""
    cost_cny: Floats
    crossed_building_count: Integers
    needs_consent: Flags
    """Whether it leads over a mapped building, or into a walled estate."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.lower)

    def chosen(self, rows: Integers | Flags) -> "Candidates":
        """Return some of them; the ends stay."""
        return Candidates(
            self.ends, self.lower[rows], self.upper[rows], self.kind[rows], self.distance_m[rows],
            self.rise_m[rows], self.error_m[rows], self.there_min[rows], self.cost_cny[rows],
            self.crossed_building_count[rows], self.needs_consent[rows],
        )  # fmt: skip


def lift_candidates(city: WalkingCity, rule: LiftSites) -> Candidates:
    """Return every pair of places that a lift could join; empty where the city is flat.

    Both ends lie on the main network of open streets, stairs and bridges; the straight line between
    them crosses no water, and buildings for ``max_built_m`` at most.
    """
    ends = _ends(city, rule)
    pair = _far_in_height(ends, rule)
    line = shapely.linestrings(
        np.stack([np.column_stack([ends.x[end], ends.y[end]]) for end in pair.T], axis=1)
    ) if len(pair) else np.zeros(0, dtype=object)  # fmt: skip
    water = shapely.STRtree(city.world.water).query(line, predicate="intersects")[0]
    kept = np.ones(len(pair), dtype=bool)
    kept[water] = False
    crossed, built_m = _built(line, city)
    kept &= built_m <= rule.max_built_m
    lower, upper = pair[kept].T
    distance = np.hypot(ends.x[upper] - ends.x[lower], ends.y[upper] - ends.y[lower])
    rise = ends.z[upper] - ends.z[lower]
    kind = _kinds(rise, distance, rule)
    walking = city.rule.walking
    is_escalator = np.array([rule.kinds[name].is_one_way for name in kind], dtype=bool)
    by_lift = walking.lift_min + walk_minutes(distance, np.zeros(len(distance)), walking)
    minutes = np.where(is_escalator, distance / walking.escalator_speed_m_per_min, by_lift)
    return Candidates(
        ends, lower, upper, kind, distance, rise,
        np.hypot(ends.error_m[lower], ends.error_m[upper]) / np.sqrt(2),
        minutes,
        _costs(kind, rise, distance, rule),
        crossed[kept],
        (crossed[kept] > 0) | _in_walled_estate(ends, lower, upper, city),
    )  # fmt: skip


def _ends(city: WalkingCity, rule: LiftSites) -> Ends:
    """Return the ends of streets, and places along long ones, where something steep is near."""
    network, edges = city.world.network, city.tables[STREET_EDGES]
    links = network.links
    link = np.flatnonzero(can_be_joined(edges) & city.world.is_in_main_component[: len(edges)])
    parts = np.maximum(shapely.length(links.shape[link]) // rule.place_spacing_m, 1).astype(int)
    owner = np.repeat(link, parts + 1)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(parts + 1) - (parts + 1), parts + 1)
    fraction = step / np.repeat(parts, parts + 1)
    place = shapely.line_interpolate_point(links.shape[owner], fraction, normalized=True)
    at = shapely.get_coordinates(place)
    z = network.profiles.at("elevation_m", owner, fraction)
    known = ~np.isnan(z)
    _, first = np.unique(np.round(np.column_stack([at, z])[known], 2), axis=0, return_index=True)
    row = np.flatnonzero(known)[np.sort(first)]
    at, z = at[row], z[row]
    pair = _pairs(at, z, rule)
    used = np.unique(pair)
    longitude, latitude = into_working_crs(
        *at[used].T, datum="wgs84", crs=str(edges.crs), working_crs=DEGREES
    )
    longitude, latitude = np.round(longitude, DEGREE_DECIMALS), np.round(latitude, DEGREE_DECIMALS)
    x, y = into_working_crs(
        longitude, latitude, datum="wgs84", crs=DEGREES, working_crs=str(edges.crs)
    )
    point, _ = nearest_street(np.column_stack([x, y]), [], links, edges, city.rule, "sites")
    met = shapely.line_interpolate_point(links.shape[point.link], point.fraction, normalized=True)
    height = network.profiles.at("elevation_m", point.link, point.fraction)
    same = np.abs(height - z[used]) <= _OTHER_STREET_M
    same &= city.world.is_in_main_component[point.link]
    met_x, met_y = shapely.get_x(met)[same], shapely.get_y(met)[same]
    return Ends(
        longitude[same], latitude[same], met_x, met_y, height[same],
        StreetPoint(point.link[same], point.fraction[same]),
        _error_m(met_x, met_y, city),
    )  # fmt: skip


def _pairs(at: Floats, z: Floats, rule: LiftSites) -> Integers:
    if not len(at):
        return np.zeros((0, 2), dtype=np.int64)
    pair = cKDTree(at).query_pairs(rule.max_apart_m, output_type="ndarray")
    pair = pair[np.abs(z[pair[:, 0]] - z[pair[:, 1]]) >= rule.min_rise_m]
    return np.asarray(pair, dtype=np.int64)


def _far_in_height(ends: Ends, rule: LiftSites) -> Integers:
    """Return pairs of a lower and an upper end, sorted."""
    pair = _pairs(np.column_stack([ends.x, ends.y]), ends.z, rule)
    falls = ends.z[pair[:, 0]] > ends.z[pair[:, 1]]
    pair[falls] = pair[falls][:, ::-1]
    return pair[np.lexsort((pair[:, 1], pair[:, 0]))]


def _error_m(x: Floats, y: Floats, city: WalkingCity) -> Floats:
    """Return the error of the ground's height: that of buildings around, else the terrain's own.

    Where roofs were taken off the terrain the ground is known less well.
    """
    own = city.rule.terrain.vertical_error_m
    places = shapely.get_coordinates(shapely.centroid(city.housing.geometry.to_numpy()))
    measured = city.tables[MEASUREMENTS].set_index("building_id")["elevation_error_m"]
    error = measured.reindex(city.housing["building_id"]).to_numpy(dtype=float)
    known = ~np.isnan(error)
    if not known.any() or not len(x):
        return np.full(len(x), own)
    apart, near = cKDTree(places[known]).query(
        np.column_stack([x, y]), distance_upper_bound=_ERROR_REACH_M
    )
    found = np.isfinite(apart)
    told = np.full(len(x), own)
    told[found] = np.maximum(error[known][near[found]], own)
    return told


def _built(line: Names, city: WalkingCity) -> tuple[Integers, Floats]:
    """Return how many buildings each line crosses, and for how many metres."""
    shapes = city.tables[BUILDINGS].geometry.to_numpy()
    row, building = shapely.STRtree(shapes).query(line, predicate="intersects")
    within = shapely.length(shapely.intersection(line[row], shapes[building]))
    touched = within > 0
    count = np.bincount(row[touched], minlength=len(line))
    return count.astype(np.int64), np.bincount(row, within, minlength=len(line)).astype(float)


def _kinds(rise: Floats, distance: Floats, rule: LiftSites) -> Names:
    """Return the steepest kind that each slope allows."""
    by_grade = sorted(rule.kinds.items(), key=lambda item: (item[1].least_grade, item[0]))
    kind = np.full(len(rise), by_grade[0][0], dtype=object)
    for name, one in by_grade[1:]:
        kind[rise >= one.least_grade * distance] = name
    return kind


def _costs(kind: Names, rise: Floats, distance: Floats, rule: LiftSites) -> Floats:
    fixed, per_rise, per_distance = (
        np.array([getattr(rule.kinds[name], f"{part}_cny") for name in kind], dtype=float)
        for part in ("fixed", "per_rise_m", "per_distance_m")
    )
    return np.round(fixed + per_rise * rise + per_distance * distance, -4)


def _in_walled_estate(ends: Ends, lower: Integers, upper: Integers, city: WalkingCity) -> Flags:
    """Return which lifts begin or end in an estate that is walled."""
    from pipeline.contracts.tables import ESTATES

    facts = city.tables[ESTATE_FACTS]
    walled = set(facts["estate_id"][facts["is_walled"].fillna(False).astype(bool)])
    estates = city.tables[ESTATES]
    shapes = estates.geometry.to_numpy()[estates["estate_id"].isin(walled).to_numpy()]
    inside = np.zeros(ends.count, dtype=bool)
    if len(shapes):
        found = shapely.STRtree(shapes).query(shapely.points(ends.x, ends.y), predicate="within")
        inside[found[0]] = True
    return np.asarray(inside[lower] | inside[upper])


def unlike(candidates: Candidates, worth: Floats, alike_m: float) -> Integers:
    """Return the best of each place, in the order of the candidates.

    From the most worth downwards one is left out if both its ends lie within ``alike_m`` of those of
    one that was kept. Of equal worth the first counts; what is worth nothing is no candidate.
    """
    ends = candidates.ends
    at = np.column_stack(
        [
            ends.x[candidates.lower],
            ends.y[candidates.lower],
            ends.x[candidates.upper],
            ends.y[candidates.upper],
        ]
    )
    order = [int(row) for row in np.argsort(-worth, kind="stable") if worth[row] > 0]
    if not order:
        return np.zeros(0, dtype=np.int64)
    tree = cKDTree(at)
    is_left = np.zeros(candidates.count, dtype=bool)
    kept = []
    for row in order:
        if is_left[row]:
            continue
        kept.append(row)
        near = np.array(tree.query_ball_point(at[row], np.sqrt(2) * alike_m), dtype=np.int64)
        apart = (at[near] - at[row]) ** 2
        is_alike = (apart[:, :2].sum(axis=1) <= alike_m**2) & (
            apart[:, 2:].sum(axis=1) <= alike_m**2
        )
        is_left[near[is_alike]] = True
    return np.sort(np.array(kept, dtype=np.int64))
