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
_OFFSET_M, _SHRUNK_BY = 50.0, 2.0


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


def neighbour_columns(points: Floats, year: Floats, asked: Floats) -> dict[str, Floats]:
    """Return what is known of the years around each asked place.

    Parameters
    ----------
    points, year
        Places and years of the known units; at least one.
    asked
        Places to be told of, m × 2 metres; none of them is among the known units.
    """
    reach = min(_WIDE_COUNT, len(points))
    distance, rows = cKDTree(points).query(asked, k=reach)
    distance, rows = distance.reshape(len(asked), -1), rows.reshape(len(asked), -1)
    years = year[rows]
    wide = years.mean(axis=1)
    years, distance = years[:, :NEIGHBOUR_COUNT], distance[:, :NEIGHBOUR_COUNT]
    weight = 1 / (distance + _OFFSET_M)
    core = np.median(points[year <= np.quantile(year, _OLD_SHARE)], axis=0)
    return {
        "near_weighted_year": (years * weight).sum(axis=1) / weight.sum(axis=1),
        "nearest_year": years[:, 0],
        "nearest_3_year": years[:, :3].mean(axis=1),
        "nearest_10_year": years[:, :10].mean(axis=1),
        "near_mean_year": years.mean(axis=1),
        "near_median_year": np.median(years, axis=1),
        "near_low_year": years[:, :6].min(axis=1),
        "near_high_year": years[:, :6].max(axis=1),
        "near_wide_year": wide,
        "nearest_m": distance[:, 0],
        "nearest_3_m": distance[:, min(2, distance.shape[1] - 1)],
        "core_m": np.hypot(*(asked - core).T),
    }


def name_means(code: Ints, year: Floats, asked: Ints) -> Floats:
    """Return the mean known year by name, drawn to the mean of all where few share the name.

    ``code`` and ``year`` are of the known units, ``asked`` the codes to be told of; −1 is no name.
    """
    overall = float(year.mean())
    size = int(max(code.max(initial=-1), asked.max(initial=-1))) + 1
    there = code >= 0
    count = np.bincount(code[there], minlength=size)
    total = np.bincount(code[there], year[there], size)
    mean = (total + _SHRUNK_BY * overall) / (count + _SHRUNK_BY)
    return np.where((asked >= 0) & (count[asked] > 0), mean[asked], np.nan)
