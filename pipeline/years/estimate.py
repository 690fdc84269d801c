"""Units of which no year is known: a gradient-boosted median, learned from the others.

Every prediction that is used to judge the method is made for a unit that was held out. Weights are
whole repetitions of a row: scikit-learn bins weighted rows fifteen times slower.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.settings.measure import YearModel
from pipeline.years.units import Ints

_STEPS_IN_MIDDLE_HALF, _GOLDEN = 8, (5**0.5 - 1) / 2
_REPEATS_PER_WEIGHT, _MOST_REPEATS = 10, 100


@dataclass(frozen=True)
class Estimates:
    """A year for each unit: of units of known year by a model that did not see them.

    ``method_name`` is ``model``, or the baseline that did no worse: ``nearest`` or ``group``.
    """

    year: Floats
    method_name: str
    mean_errors_yr: dict[str, float]


def estimate_units(
    columns: Floats, year: Floats, group: Ints, fold: Ints, weight: Floats, rule: YearModel
) -> Estimates:
    """Return an estimate for every unit, by the model or by the baseline that beats it.

    Parameters
    ----------
    columns
        What is known of each unit, NaN where empty; the first is the mean year of near units.
    year
        Known year of each unit, NaN where none is.
    group
        District of each unit, for the baseline of group medians.
    fold
        Which part of the units each belongs to; no part's own years serve its estimates.
    weight
        How many units each stands for.
    """
    is_known = np.isfinite(year)
    found = {name: np.full(len(year), np.nan) for name in ("model", "nearest", "group")}
    found["nearest"] = columns[:, 0]
    columns = stepped(columns)
    for part in np.unique(fold):
        mine, others = fold == part, is_known & (fold != part)
        found["model"][mine] = fitted(columns, year, others, weight, rule).predict(columns[mine])
        found["group"][mine] = group_medians(group[mine], group[others], year[others])
    errors = {
        name: float(np.mean(np.abs(one - year)[is_known & np.isfinite(one)]))
        for name, one in found.items()
    }
    best = min(("nearest", "group"), key=lambda name: errors[name])
    gains = 1 - errors["model"] / errors[best]
    name = "model" if gains >= rule.min_gain_share else best
    estimate = np.where(np.isfinite(found[name]), found[name], found["group"])
    return Estimates(estimate, name, errors)


def stepped(columns: Floats) -> Floats:
    """Return each column in steps of its own, so that a model of yes and no sees no tiny difference.

    A tree asks on which side of a bound a value lies. Where outlines agree in all but the digits of a
    coordinate (every rectangle fills its rectangle), such a bound would sort them by chance. A step is
    the power of two next below an eighth of the middle half's width; a column whose middle half is one
    value stays. Steps begin at a golden share, where no round number lies.
    """
    found = columns.copy()
    for number, values in enumerate(columns.T):
        there = values[np.isfinite(values)]
        width = float(np.subtract(*np.quantile(there, [0.75, 0.25]))) if len(there) else 0.0
        if width > 0:
            step = 2.0 ** np.floor(np.log2(width / _STEPS_IN_MIDDLE_HALF))
            found[:, number] = np.floor(values / step + _GOLDEN) * step
    return found


@dataclass(frozen=True)
class Fitted:
    """A fitted model and the columns that it looks at."""

    model: Any
    kept: NDArray[np.bool_]

    def predict(self, columns: Floats) -> Floats:
        """Return the estimated year of each row."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1, user_api="openmp"):
            return np.asarray(self.model.predict(columns[:, self.kept]), dtype=np.float64)


def fitted(
    columns: Floats, year: Floats, rows: NDArray[np.bool_], weight: Floats, rule: YearModel
) -> Fitted:
    """Return a model of the given rows; columns that are empty in all of them are left out."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    repeats = np.clip(np.round(weight * _REPEATS_PER_WEIGHT), 1, _MOST_REPEATS).astype(int)
    taken = np.repeat(np.flatnonzero(rows), repeats[rows])
    kept = np.isfinite(columns[rows]).any(axis=0)
    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=rule.tree_count,
        learning_rate=rule.learning_rate,
        max_leaf_nodes=rule.leaf_count,
        min_samples_leaf=rule.min_leaf_row_count,
        early_stopping=False,
        random_state=rule.seed,
    )
    # one thread: several wait for each other at every split, minutes where a core is taken by others
    with threadpool_limits(limits=1, user_api="openmp"):
        model.fit(columns[taken][:, kept], year[taken])
    return Fitted(model, np.asarray(kept))


def group_medians(wanted: Ints, group: Ints, year: Floats) -> Floats:
    """Return the median year of each wanted group, that of all where the group has none."""
    overall = float(np.median(year))
    medians = {int(g): float(np.median(year[group == g])) for g in np.unique(group)}
    return np.array([medians.get(int(g), overall) for g in wanted])
