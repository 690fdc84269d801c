"""Units of which no year is known: a median learned from the others, and how far off it may be.

Every estimate of a unit of known year is made by models, neighbours and medians that did not see its
part. Weights are whole repetitions of a row: scikit-learn bins weighted rows fifteen times slower.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.settings.measure import YearModel
from pipeline.years.units import Ints, name_means, neighbour_columns

_STEPS_IN_MIDDLE_HALF, _GOLDEN = 8, (5**0.5 - 1) / 2
_REPEATS_PER_WEIGHT, _MOST_REPEATS = 10, 100
_SHARE_STEPS = 10
_SPREAD_TREES, _SPREAD_LEAVES, _LEAST_ERROR_YR = 30, 6, 0.5
BASELINES = ("nearest_10_year", "group_median_year")
_MOST_CODES, _MOST_UNSEEN_SHARE = 200, 0.5
_AROUND = (*BASELINES, "near_weighted_year", "near_median_year")


@dataclass(frozen=True)
class UnitTable:
    """What is known of each unit: its place, mean known year (or NaN), district, columns and names.

    ``weight`` tells how many units each stands for, ``names`` hold codes, −1 for none.
    """

    middle: Floats
    year: Floats
    district: Ints
    columns: Mapping[str, Floats]
    names: Mapping[str, Ints]
    weight: Floats

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Whose year is known."""
        return np.isfinite(self.year)


@dataclass(frozen=True)
class Estimates:
    """A year for each unit and the scale of its error: of units of known year not from their part.

    ``method_name`` is ``model``; where years of neighbours and district alone did hardly worse it is
    ``nearest`` or ``group``, by which of them weighs more. ``shares`` tell what it is mixed from.
    """

    year: Floats
    spread: Floats
    method_name: str
    mean_errors_yr: dict[str, float]
    shares: dict[str, float]


def estimate_units(
    units: UnitTable, fold: Ints, wanted: NDArray[np.bool_], rule: YearModel
) -> Estimates:
    """Return an estimate for every known and every wanted unit, NaN for others.

    Parameters
    ----------
    fold
        Part of each known unit; no part's own years serve its estimates.
    wanted
        Units without a year that are to be estimated, from all known ones.
    """
    known, parts = units.is_known, np.unique(fold[units.is_known])
    around = _around(units, fold, wanted)
    columns = seen_columns(units.columns, known, wanted)
    table = stepped(np.column_stack([*around.values(), *columns.values()]))
    found = {name: around[name] for name in _AROUND} | {"model": np.full(len(known), np.nan)}
    found["model"][wanted] = 0.0
    sample = _sample(known, rule)
    for part in parts:
        held = known & (fold == part)
        fit = fitted(table, units.year, sample & ~held, units.weight, rule)
        found["model"][held] = fit.predict(table[held])
        found["model"][wanted] += fit.predict(table[wanted]) / len(parts)
    told = {name: values[known] for name, values in found.items()}
    around_shares = best_shares({name: told[name] for name in _AROUND}, units.year[known])
    shares = best_shares({"model": told["model"], **told}, units.year[known])
    errors = {
        name: float(np.mean(np.abs(_mix(told, one) - units.year[known])))
        for name, one in {
            "model": shares, "around": around_shares,
            "nearest": {BASELINES[0]: 1.0}, "group": {BASELINES[1]: 1.0},
        }.items()
    }  # fmt: skip
    method = "model"
    if errors["model"] > errors["around"] * (1 - rule.min_gain_share):
        shares = around_shares
        method = "group" if shares[BASELINES[1]] >= 0.5 else "nearest"
    year = _mix(found, shares)
    spread = _spread(table, year, units, fold, wanted, sample, rule)
    return Estimates(year, spread, method, errors, shares)


def seen_columns(
    columns: Mapping[str, Floats], known: NDArray[np.bool_], wanted: NDArray[np.bool_]
) -> dict[str, Floats]:
    """Return the columns without codes of classes of which most wanted units have one never seen.

    Where a publisher gives no years at all, no year is known of its code, and a model would take it
    for that of the publisher with the next number.
    """
    found = {}
    for name, values in columns.items():
        there = values[np.isfinite(values)]
        asked = values[wanted & np.isfinite(values)]
        is_code = (there == np.floor(there)).all() and len(np.unique(there)) <= _MOST_CODES
        unseen = ~np.isin(asked, values[known & np.isfinite(values)])
        if not (is_code and len(asked) and unseen.mean() > _MOST_UNSEEN_SHARE):
            found[name] = values
    return found


def _mix(estimates: Mapping[str, Floats], shares: Mapping[str, float]) -> Floats:
    return np.sum([share * estimates[name] for name, share in shares.items() if share], axis=0)


def _around(units: UnitTable, fold: Ints, wanted: NDArray[np.bool_]) -> dict[str, Floats]:
    """Return what known years say of each unit, those of its own part not counted."""
    known = units.is_known
    found: dict[str, Floats] = {}
    parts = [(known & (fold != part), known & (fold == part)) for part in np.unique(fold[known])]
    for seen, asked in [*parts, (known, wanted)]:
        if not asked.any():
            continue
        year, middle = units.year[seen], units.middle
        told = neighbour_columns(middle[seen], year, middle[asked])
        told["group_median_year"] = group_medians(units.district[asked], units.district[seen], year)
        for name, code in units.names.items():
            told[f"same {name}"] = name_means(code[seen], year, code[asked])
        for name, values in told.items():
            found.setdefault(name, np.full(len(known), np.nan))[asked] = values
    return found


def _sample(known: NDArray[np.bool_], rule: YearModel) -> NDArray[np.bool_]:
    """Return the units that models learn from: all, or as many by lot as config allows."""
    rows = np.flatnonzero(known)
    chosen = np.random.default_rng(rule.seed).permutation(rows)[: rule.max_unit_count]
    found = np.zeros(len(known), dtype=bool)
    found[chosen] = True
    return found


def _spread(
    table: Floats,
    year: Floats,
    units: UnitTable,
    fold: Ints,
    wanted: NDArray[np.bool_],
    sample: NDArray[np.bool_],
    rule: YearModel,
) -> Floats:
    """Return the scale of each estimate's error, learned from the size of the others' errors.

    Residuals are scaled by a model of their own (locally weighted conformal prediction, Lei et al.
    2018); a logarithm, since one wild year must not count like a hundred.
    """
    known = units.is_known
    columns = np.column_stack([table, stepped(year[:, None])])
    size = np.log(np.abs(year - units.year) + _LEAST_ERROR_YR)
    small = rule.model_copy(update={"tree_count": _SPREAD_TREES, "leaf_count": _SPREAD_LEAVES})
    found = np.full(len(known), np.nan)
    found[wanted] = 0.0
    for part in np.unique(fold[known]):
        held = known & (fold == part)
        fit = fitted(columns, size, sample & ~held, units.weight, small, loss="squared_error")
        found[held] = fit.predict(columns[held])
        found[wanted] += fit.predict(columns[wanted]) / len(np.unique(fold[known]))
    return np.exp(found)


def best_shares(estimates: Mapping[str, Floats], year: Floats) -> dict[str, float]:
    """Return shares, in tenths, whose mixture errs least in the mean.

    One after another the estimate is added that lowers the error most (Caruana et al. 2004, ensemble
    selection; † from memory), so the mixture is never worse than the best of them on these rows. Among
    equals the first wins.
    """
    names = list(estimates)
    table = np.column_stack([estimates[name] for name in names])
    total, counts = np.zeros(len(year)), np.zeros(len(names))
    best_error, best_counts = np.inf, counts.copy()
    for step in range(1, _SHARE_STEPS + 1):
        errors = np.abs((total[:, None] + table) / step - year[:, None]).mean(axis=0)
        number = int(np.argmin(errors))
        total, counts[number] = total + table[:, number], counts[number] + 1
        if errors[number] < best_error:
            best_error, best_counts = errors[number], counts.copy()
    return dict(zip(names, (best_counts / best_counts.sum()).tolist(), strict=True))


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
    columns: Floats,
    year: Floats,
    rows: NDArray[np.bool_],
    weight: Floats,
    rule: YearModel,
    *,
    loss: str = "absolute_error",
) -> Fitted:
    """Return a model of the given rows; columns that are empty in all of them are left out."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    repeats = np.clip(np.round(weight * _REPEATS_PER_WEIGHT), 1, _MOST_REPEATS).astype(int)
    taken = np.repeat(np.flatnonzero(rows), repeats[rows])
    kept = np.isfinite(columns[rows]).any(axis=0)
    model = HistGradientBoostingRegressor(
        loss=loss,
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
