"""A building whose estate holds others of known year: their mean, and how far off it may be.

Errors are learned on known buildings by leaving each out and keeping only as many of its siblings as
the building in question has, chosen at random. Where the siblings' years agree and stand near, the
interval is narrow; where they differ or stand far, it is wide.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.geo.raster import Floats
from pipeline.years.conformal import (
    LEVELS,
    effective_count,
    grouped_quantiles,
    local_quantiles,
)
from pipeline.years.units import Ints

_COUNT_ENDS = np.array([1, 2, 3, 4, 6, 9, 14, 24])
"""Classes of how many siblings are known: up to each of these, and more."""
_COUNT_KEPT = (1, 2, 3, 4, 5, 8, 12, 18, 30)
_RANGE_ENDS_YR = np.array([0.5, 1.5, 2.5, 3.5, 6.5])
_REACH_M = 200.0


@dataclass(frozen=True)
class Siblings:
    """What a building's siblings say: mean year, range, distance of the nearest, and how many."""

    year_mean: Floats
    range_yr: Floats
    nearest_m: Floats
    count: Ints

    def of(self, rows: NDArray[np.bool_]) -> "Siblings":
        """Return the siblings of some of the buildings."""
        return Siblings(
            self.year_mean[rows], self.range_yr[rows], self.nearest_m[rows], self.count[rows]
        )

    def spread(self, growth_per_m: float) -> Floats:
        """Return by how much errors grow with the distance of the nearest sibling, 1 at its door."""
        return 1 + np.minimum(self.nearest_m, _REACH_M) * growth_per_m


def siblings_of(
    wanted: Ints, unit_of_building: Ints, known_year: Floats, points: Floats
) -> Siblings:
    """Return what the known buildings of its unit say of each wanted building; all have some."""
    known = np.flatnonzero(np.isfinite(known_year))
    unit, years = unit_of_building[known], known_year[known]
    count = np.bincount(unit, minlength=unit_of_building.max() + 1)
    low, high = np.full(len(count), np.inf), np.full(len(count), -np.inf)
    np.minimum.at(low, unit, years)
    np.maximum.at(high, unit, years)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(unit, years, len(count)) / count
    # units lie apart along a third axis, so that the nearest known building is of the same unit
    apart_m = 10 * float(np.ptp(points, axis=0).max() + 1)
    placed = np.column_stack([points, unit_of_building * apart_m])
    nearest = cKDTree(placed[known]).query(placed[wanted])[0]
    of = unit_of_building[wanted]
    return Siblings(mean[of], (high - low)[of], nearest, count[of])


def thinned(
    keep: int,
    unit_of_building: Ints,
    known_year: Floats,
    points: Floats,
    building_key: NDArray[np.uint64],
    *,
    seed: int,
) -> tuple[Ints, Siblings]:
    """Return known buildings of units with more than ``keep`` others, and ``keep`` siblings of each.

    In each unit the known buildings are dealt into a circle by their keys, anew for each ``keep``; the
    next ones round it are kept.
    """
    known = np.isfinite(known_year)
    count = np.bincount(unit_of_building[known], minlength=unit_of_building.max() + 1)
    rows = np.flatnonzero(known & (count[unit_of_building] > keep))
    turn = np.random.default_rng([seed, keep]).integers(1, 2**63, dtype=np.uint64)
    place_key = building_key[rows] ^ turn
    rows = rows[np.lexsort((building_key[rows], place_key, unit_of_building[rows]))]
    unit = unit_of_building[rows]
    first = np.searchsorted(unit, unit, side="left")
    size = count[unit]
    place = np.arange(len(rows)) - first
    total = np.zeros(len(rows))
    low, high = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
    nearest = np.full(len(rows), np.inf)
    for step in range(1, keep + 1):
        other = rows[first + (place + step) % np.maximum(size, 1)]
        total += known_year[other]
        low, high = np.minimum(low, known_year[other]), np.maximum(high, known_year[other])
        nearest = np.minimum(nearest, np.hypot(*(points[other] - points[rows]).T))
    return rows, Siblings(total / keep, high - low, nearest, np.full(len(rows), keep))


def sibling_quantiles(
    wanted: Siblings,
    wanted_district: Ints,
    unit_of_building: Ints,
    known_year: Floats,
    points: Floats,
    building_key: NDArray[np.uint64],
    district: Ints,
    *,
    loss_growth_per_yr: float,
    seed: int,
    min_effective_count: float,
) -> Floats:
    """Return year quantiles of buildings with known siblings: m × levels.

    Parameters
    ----------
    wanted_district, district
        District number of each wanted building, and of every building.
    loss_growth_per_yr
        By how much the log-odds of a lost year grow with age. Of an estate the older houses lose their
        years, so a known house that is older than its siblings stands for more.
    """
    size_class = np.searchsorted(_COUNT_ENDS, wanted.count)
    range_class = np.searchsorted(_RANGE_ENDS_YR, wanted.range_yr)
    found = np.full((len(wanted.count), len(LEVELS)), np.nan)
    unit_size = np.bincount(unit_of_building[np.isfinite(known_year)])
    growth_per_m = 0.0
    for number in range(len(_COUNT_KEPT)):
        takes = np.flatnonzero(size_class == number)
        if number and not len(takes):
            continue
        for kept in reversed(_COUNT_KEPT[: number + 1]):
            rows, left = thinned(
                kept, unit_of_building, known_year, points, building_key, seed=seed
            )
            if len(rows) >= min_effective_count:
                break
        error = known_year[rows] - left.year_mean
        # errors of one estate hang together: a large one must not count by its number
        weight = 1 / np.sqrt(unit_size[unit_of_building[rows]])
        weight = weight * np.exp(-loss_growth_per_yr * error)
        if not number:
            growth_per_m = error_growth_per_m(error, left.nearest_m, weight)
        error = (error + within_year(building_key[rows])) / left.spread(growth_per_m)
        spread_class = np.searchsorted(_RANGE_ENDS_YR, left.range_yr)
        kinds = _nested(spread_class, district[rows])
        asked = _nested(range_class[takes], wanted_district[takes])
        errors = grouped_quantiles(
            error, weight, kinds, asked, min_effective_count=min_effective_count
        )
        spread = wanted.spread(growth_per_m)[takes, None]
        found[takes] = wanted.year_mean[takes, None] + errors * spread
    return found


def hinted_quantiles(
    wanted: Ints,
    unit_of_building: Ints,
    known_year: Floats,
    bounds: tuple[Floats, Floats],
    building_key: NDArray[np.uint64],
    *,
    min_effective_count: float,
) -> Floats:
    """Return year quantiles of buildings whose known siblings are all vague: m × levels.

    The first two vague texts of a unit, by the keys of their buildings, give its middle and its hull.
    How far off the middle is, as a share of the hull, is learned where siblings of exact year stand
    beside vague ones. With too few of those the year is spread evenly over the hull.
    """
    low, high = bounds
    is_vague = np.isfinite(known_year) & (low < high)
    rows = np.flatnonzero(is_vague)
    rows = rows[np.lexsort((building_key[rows], unit_of_building[rows]))]
    unit = unit_of_building[rows]
    rows = rows[np.arange(len(rows)) - np.searchsorted(unit, unit, side="left") < 2]
    unit, count = unit_of_building[rows], int(unit_of_building.max()) + 1
    first, last = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(first, unit, low[rows])
    np.maximum.at(last, unit, high[rows])
    with np.errstate(invalid="ignore"):
        middle, reach = (first + last) / 2, (last - first + 1) / 2
    exact = np.flatnonzero(
        np.isfinite(known_year) & (low == high) & np.isfinite(first[unit_of_building])
    )
    of = unit_of_building[exact]
    error = (known_year[exact] + within_year(building_key[exact]) - middle[of]) / reach[of]
    weight = 1 / np.sqrt(np.bincount(of, minlength=count)[of])
    asked = unit_of_building[wanted]
    if effective_count(weight) < min_effective_count:
        shares = np.tile(2 * LEVELS - 1, (len(wanted), 1))
    else:
        shares = local_quantiles(
            np.log(reach[of]), error, weight, np.log(reach[asked]),
            bandwidth=0.3, step=0.1, min_effective_count=min_effective_count,
        )  # fmt: skip
    return middle[asked, None] + shares * reach[asked, None]


def error_growth_per_m(error: Floats, nearest_m: Floats, weight: Floats) -> float:
    """Return how much errors grow per metre to the nearest sibling, as a share of those at its door.

    A straight line through the absolute errors (least squares); none where they do not grow.
    """
    far = np.minimum(nearest_m, _REACH_M)
    if len(error) < 3 or not np.ptp(far):
        return 0.0
    slope, start = np.polyfit(far, np.abs(error), 1, w=np.sqrt(weight))
    if slope <= 0 or start <= 0:
        return 0.0
    return float(slope / start)


def within_year(building_key: NDArray[np.uint64]) -> Floats:
    """Return a moment of its year for each building, −0.5 to 0.5: whole years have ties."""
    return (building_key % np.uint64(1_000_003)).astype(np.float64) / 1_000_003 - 0.5


def _nested(spread_class: Ints, district: Ints) -> tuple[Ints, Ints]:
    """Return group numbers from small to large: range × district, range."""
    return spread_class * 100_000 + district, spread_class
