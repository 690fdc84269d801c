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
from pipeline.years.conformal import LEVELS, grouped_quantiles
from pipeline.years.units import Ints

_COUNT_ENDS = np.array([1, 2, 3, 4, 6, 9, 14, 24])
"""Classes of how many siblings are known: up to each of these, and more."""
_COUNT_KEPT = (1, 2, 3, 4, 5, 8, 12, 18, 30)
_RANGE_ENDS_YR = np.array([0.5, 1.5, 2.5, 3.5, 6.5])
_FAR_M, _REACH_M = 40.0, 200.0


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

    @property
    def spread(self) -> Floats:
        """By how much errors are taken to grow with the distance of the nearest sibling."""
        return 1 + np.minimum(self.nearest_m, _REACH_M) / _FAR_M


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
    wanted_groups: tuple[Ints, Ints],
    unit_of_building: Ints,
    known_year: Floats,
    points: Floats,
    building_key: NDArray[np.uint64],
    is_exact: NDArray[np.bool_],
    groups_of_known: tuple[Ints, Floats],
    *,
    seed: int,
    min_effective_count: float,
) -> Floats:
    """Return year quantiles of buildings with known siblings: m × levels.

    Parameters
    ----------
    wanted_groups
        District and era number of each wanted building.
    is_exact
        Whose own year is known exactly; only their errors count.
    groups_of_known
        District number of every building, and the era ends that make the era number of a mean year.
    """
    district, era_ends = groups_of_known
    size_class = np.searchsorted(_COUNT_ENDS, wanted.count)
    range_class = np.searchsorted(_RANGE_ENDS_YR, wanted.range_yr)
    found = np.full((len(wanted.count), len(LEVELS)), np.nan)
    unit_size = np.bincount(unit_of_building[np.isfinite(known_year)])
    for number in np.unique(size_class):
        takes = np.flatnonzero(size_class == number)
        for kept in reversed(_COUNT_KEPT[: number + 1]):
            rows, left = thinned(
                kept, unit_of_building, known_year, points, building_key, seed=seed
            )
            told = is_exact[rows]
            if told.sum() >= min_effective_count:
                break
        rows, left = rows[told], left.of(told)
        error = (known_year[rows] - left.year_mean) / left.spread
        # errors of one estate hang together: a large one must not count by its number
        weight = 1 / np.sqrt(unit_size[unit_of_building[rows]])
        spread_class = np.searchsorted(_RANGE_ENDS_YR, left.range_yr)
        era = np.searchsorted(era_ends, left.year_mean, side="right")
        there = district[rows]
        kinds = _nested(spread_class, era, there)
        asked = _nested(range_class[takes], wanted_groups[1][takes], wanted_groups[0][takes])
        errors = grouped_quantiles(
            error, weight, kinds, asked, min_effective_count=min_effective_count
        )
        found[takes] = wanted.year_mean[takes, None] + errors * wanted.spread[takes, None]
    return found


def _nested(spread_class: Ints, era: Ints, district: Ints) -> tuple[Ints, Ints, Ints]:
    """Return group numbers from small to large: range × era × district, range × era, range."""
    two = spread_class * 100 + era
    return two * 100_000 + district, two, spread_class
