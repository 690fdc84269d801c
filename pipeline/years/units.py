"""Estates as units: what their buildings have in common, and what other units around them were built.

A unit is an estate, or a building that belongs to none. Its neighbours' years never include its own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.geo.raster import Floats

Ints = NDArray[np.int64]
NEIGHBOUR_COUNT = 12
_WIDE_COUNT, _OLD_SHARE = 50, 0.1
_OFFSET_M = 50.0


@dataclass(frozen=True)
class Units:
    """The unit of each building, and counts and sums of each unit.

    ``year_mean`` is the mean known year of a unit, NaN where none is known.
    """

    of_building: Ints
    building_count: Floats
    known_count: Floats
    year_mean: Floats
    middle: Floats

    @property
    def has_year(self) -> NDArray[np.bool_]:
        """Which units hold a building of known year."""
        return self.known_count > 0


def units_of(unit_of_building: Ints, known_year: Floats, points: Floats) -> Units:
    """Return the units of buildings; ``unit_of_building`` counts from 0, ``points`` is n × 2 metres."""
    count = int(unit_of_building.max()) + 1
    size = np.bincount(unit_of_building, minlength=count).astype(float)
    is_known = np.isfinite(known_year)
    known = np.bincount(unit_of_building, is_known, count).astype(float)
    total = np.bincount(unit_of_building, np.where(is_known, known_year, 0.0), count)
    with np.errstate(invalid="ignore"):
        mean = np.where(known > 0, total / known, np.nan)
    middle = np.column_stack(
        [np.bincount(unit_of_building, points[:, axis], count) / size for axis in (0, 1)]
    )
    return Units(unit_of_building, size, known, mean, middle)


def unit_means(unit_of_building: Ints, columns: Floats) -> Floats:
    """Return the mean of each column over the buildings of each unit, NaN where all are empty."""
    count = int(unit_of_building.max()) + 1
    means = np.full((count, columns.shape[1]), np.nan)
    for number, values in enumerate(columns.T):
        there = np.isfinite(values)
        held = np.bincount(unit_of_building[there], minlength=count)
        total = np.bincount(unit_of_building[there], values[there], count)
        means[held > 0, number] = total[held > 0] / held[held > 0]
    return means


def neighbour_columns(
    middle: Floats, year_mean: Floats, block: Ints | None = None, *, is_wide: bool = False
) -> dict[str, Floats]:
    """Return what is known of the years of the nearest other units.

    Parameters
    ----------
    middle, year_mean
        Position and known year of each unit, NaN where none is known.
    block
        Units of one block do not see each other; without it a unit only does not see itself.
    is_wide
        Also tell the mean of many units around, and how far the oldest part of town is.
    """
    known = np.flatnonzero(np.isfinite(year_mean))
    own = np.arange(len(middle)) if block is None else block
    rows, distance = _nearest(middle, known, own, _WIDE_COUNT if is_wide else NEIGHBOUR_COUNT)
    wide = _wide_columns(middle, year_mean, known, rows) if is_wide else {}
    rows, distance = rows[:, :NEIGHBOUR_COUNT], distance[:, :NEIGHBOUR_COUNT]
    years = np.where(rows >= 0, year_mean[known[rows]], np.nan)
    weight = np.where(rows >= 0, 1 / (distance + _OFFSET_M), 0.0)
    with np.errstate(invalid="ignore"):
        weighted = np.nansum(years * weight, axis=1) / weight.sum(axis=1)
        return {
            "nearest_year": years[:, 0],
            "nearest_3_year": _mean_of_first(years, 3),
            "nearest_10_year": _mean_of_first(years, 10),
            "near_mean_year": _mean_of_first(years, NEIGHBOUR_COUNT),
            "near_median_year": _median(years),
            "near_weighted_year": weighted,
            "near_low_year": np.fmin.reduce(years[:, :6], axis=1),
            "near_high_year": np.fmax.reduce(years[:, :6], axis=1),
            "nearest_m": distance[:, 0],
            "nearest_3_m": distance[:, min(2, distance.shape[1] - 1)],
            **wide,
        }


def _wide_columns(middle: Floats, year_mean: Floats, known: Ints, rows: Ints) -> dict[str, Floats]:
    years = np.where(rows >= 0, year_mean[known[rows]], np.nan)
    old = known[year_mean[known] <= np.quantile(year_mean[known], _OLD_SHARE)]
    core = np.median(middle[old], axis=0)
    with np.errstate(invalid="ignore"):
        return {
            "near_wide_year": _mean_of_first(years, _WIDE_COUNT),
            "core_m": np.hypot(*(middle - core).T),
        }


def _mean_of_first(years: Floats, count: int) -> Floats:
    return np.nansum(years[:, :count], axis=1) / np.isfinite(years[:, :count]).sum(axis=1)


def _median(years: Floats) -> Floats:
    """Return the median of what there is in each row, NaN where there is nothing."""
    count = np.isfinite(years).sum(axis=1)
    ordered = np.sort(years, axis=1)  # empty ones come last
    rows = np.arange(len(years))
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    middle = (ordered[rows, low] + ordered[rows, np.minimum(high, years.shape[1] - 1)]) / 2
    return np.where(count > 0, middle, np.nan)


def _nearest(middle: Floats, known: Ints, own: Ints, wanted: int) -> tuple[Ints, Floats]:
    """Return positions in ``known`` and distances of the nearest units of another block, −1 if too few.

    More and more neighbours are asked for until enough of them lie in other blocks.
    """
    rows = np.full((len(middle), wanted), -1, dtype=np.int64)
    distance = np.full((len(middle), wanted), np.nan)
    tree, open_ = cKDTree(middle[known]), np.arange(len(middle))
    reach = wanted + 1
    while len(open_) and len(known):
        asked = min(reach, len(known))
        far, found = tree.query(middle[open_], k=asked)
        far, found = far.reshape(len(open_), -1), found.reshape(len(open_), -1)
        is_other = own[known[found]] != own[open_][:, None]
        enough = is_other.sum(axis=1) >= min(wanted, len(known))
        done = enough | (asked == len(known))
        order = np.argsort(~is_other, axis=1, kind="stable")[:, :wanted]
        there = np.take_along_axis(is_other, order, axis=1)
        width = order.shape[1]
        picked = np.where(there, np.take_along_axis(found, order, axis=1), -1)
        how_far = np.where(there, np.take_along_axis(far, order, axis=1), np.nan)
        rows[open_[done], :width] = picked[done]
        distance[open_[done], :width] = how_far[done]
        open_, reach = open_[~done], reach * 4
    return rows, distance
