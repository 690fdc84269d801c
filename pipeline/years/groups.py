"""Intervals that hold in every kind of building, not only on the whole.

Errors divided by the scale that a model expects still fit one district, use or era better than another.
How much wider or narrower each group's intervals must be is learned in turn, kind by kind, until all
hold at once (as group-conditional conformal prediction asks, Jung et al. 2023; fitted here by
raking), and drawn to one where a group holds few.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.geo.raster import Floats
from pipeline.years.conformal import effective_count, weighted_quantile_at
from pipeline.years.units import Ints

_ROUNDS = 4
_MOST_CLASSES, _MOST_KINDS, _LEAST_IN_CLASS = 20, 4, 50


def class_columns(columns: Mapping[str, Floats], known: Ints, error_log: Floats) -> dict[str, Ints]:
    """Return the columns that sort buildings into a few classes, as class numbers from 0.

    Whole numbers of at most twenty kinds; empty is a class too, and two classes hold fifty known
    buildings or more. Of those the four between whose classes errors differ most.

    Parameters
    ----------
    known, error_log
        Rows of known year, and the logarithm of the size of each's error.
    """
    found, differ = {}, {}
    for name, values in columns.items():
        whole = np.where(np.isfinite(values), values, -1.0)
        if (whole != np.floor(whole)).any():
            continue
        kinds, code = np.unique(whole, return_inverse=True)
        if not 2 <= len(kinds) <= _MOST_CLASSES:
            continue
        size = np.bincount(code[known], minlength=len(kinds))
        if np.sort(size)[-2] >= _LEAST_IN_CLASS:
            found[name] = code.reshape(-1).astype(np.int64)
            mean = np.bincount(code[known], error_log, len(kinds)) / np.maximum(size, 1)
            differ[name] = float((size * (mean - error_log.mean()) ** 2).sum())
    first = sorted(found, key=lambda name: (-differ[name], name))[:_MOST_KINDS]
    return {name: found[name] for name in first}


def quantile_classes(values: Floats, known: Ints, class_count: int) -> Ints:
    """Return in which of equally full classes of known buildings each value lies; 0 for empty."""
    there = values[known][np.isfinite(values[known])]
    if not len(there):
        return np.zeros(len(values), dtype=np.int64)
    ends = np.unique(np.quantile(there, np.linspace(0, 1, class_count + 1)[1:-1]))
    found = np.searchsorted(ends, values, side="right")
    return np.where(np.isfinite(values), found + 1, 0).astype(np.int64)


def stretches(
    strain: Floats,
    weights: Floats,
    unit: Ints,
    kinds: Sequence[Ints],
    wanted: Sequence[Ints],
    *,
    hold_share: float,
    shrunk_by: float,
) -> tuple[Floats, Floats]:
    """Return by what the intervals of known and of wanted buildings are to be stretched.

    Parameters
    ----------
    strain
        Error of each known building as a share of the reach of its interval on that side: above 1
        the interval misses.
    unit
        Estate of each known building: those of one are right or wrong together.
    kinds, wanted
        Group numbers, from 0, of known and of wanted buildings by each kind of group.
    hold_share
        Share of the intervals that are to hold.
    shrunk_by
        A group of so many estates, in effect, is believed by half.
    """
    of_known, of_wanted = np.ones(len(strain)), np.ones(len(wanted[0]) if wanted else 0)
    for _ in range(_ROUNDS):
        for kind, target in zip(kinds, wanted, strict=True):
            number = int(max(kind.max(), target.max(initial=0))) + 1
            factor = np.ones(number)
            order = np.argsort(kind, kind="stable")
            ends = np.searchsorted(kind[order], np.arange(number + 1))
            for group in range(number):
                rows = order[ends[group] : ends[group + 1]]
                if len(rows):
                    needed = weighted_quantile_at(
                        strain[rows] / of_known[rows], weights[rows], hold_share
                    )
                    count = effective_count(
                        np.bincount(unit[rows], weights[rows]).astype(np.float64)
                    )
                    trust = count / (count + shrunk_by)
                    factor[group] = np.clip(needed, 0.2, 5.0) ** trust
            of_known *= factor[kind]
            of_wanted *= factor[target]
    return of_known, of_wanted
