"""Judge the method on buildings of known year: held out by blocks of ground, and at random.

Neighbours tell each other's years, so a building held out alone among known ones flatters any method.
Here whole squares of ground are held out together, and no building of a square or of the part held
out serves as a neighbour. Random parts are judged beside, to show how much they flatter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.geo.raster import Floats
from pipeline.settings.measure import YearRule
from pipeline.years.conformal import LEVELS, local_quantiles, share_by
from pipeline.years.ensemble import mixed
from pipeline.years.estimate import Fitted, fitted, group_medians
from pipeline.years.units import Ints, neighbour_columns

BASELINES = ("group", "nearest_10")
PLACES = ("east_m", "north_m")


@dataclass(frozen=True)
class Judged:
    """Predictions for each building by a model that did not see it, and by the two baselines.

    ``quantiles`` is n × levels of the year, from errors on the other parts.
    """

    model: Floats
    baselines: Mapping[str, Floats]
    quantiles: Floats
    by_cutoff_share: Floats
    importance_yr: Mapping[str, float]
    """How much larger the mean error of the model grows when a column is shuffled, largest twenty."""
    mixture: Mapping[str, float]
    """Mean share of each estimate in the mixture."""


def judge(
    year: Floats,
    points: Floats,
    columns: Mapping[str, Floats],
    group: Ints,
    fold: Ints,
    block: Ints | None,
    rule: YearRule,
) -> Judged:
    """Return what the method says of each building when its part is held out.

    Parameters
    ----------
    year, points
        Known year and middle (metres) of each building.
    columns
        Form, surroundings and attributes, NaN where empty.
    group
        District or the like, for the baseline of group medians.
    fold
        Which part each belongs to.
    block
        Square of ground, none of which serves as a neighbour of another in it; none for random parts.
    """
    own = np.column_stack(list(columns.values())) if columns else np.empty((len(year), 0))
    is_place = np.array([name in PLACES for name in columns], dtype=bool)
    baselines = {name: np.full(len(year), np.nan) for name in BASELINES}
    importance: dict[str, float] = {}

    def estimates(parts: tuple[int, ...]) -> dict[str, Floats]:
        seen = ~np.isin(fold, parts)
        near = neighbour_columns(points, np.where(seen, year, np.nan), block, is_wide=True)
        medians = group_medians(group, group[seen], year[seen])
        told = np.column_stack([*near.values(), medians])
        found = {}
        for name, table in {
            "all_columns": np.column_stack([told, own]),
            "without_place": np.column_stack([told, own[:, ~is_place]]),
        }.items():
            fit = fitted(table, year, seen, np.zeros(len(year)), rule.model)
            found[name] = fit.predict(table)
            if name == "all_columns" and parts == (first,):
                names = [*near, "group_median_year", *columns]
                held = ~seen
                importance.update(_importance(fit, table[held], year[held], names, rule.model.seed))
        if len(parts) == 1:
            baselines["group"][~seen] = medians[~seen]
            baselines["nearest_10"][~seen] = near["nearest_10_year"][~seen]
        around = {f"{name}_year": near[f"{name}_year"] for name in ("nearest_10", "near_weighted")}
        return found | around | {"near_median_year": near["near_median_year"], "group": medians}

    first = int(fold.min())
    found = mixed(year, fold, estimates)
    quantiles = _cross_quantiles(year, found.year, fold, rule)
    by_cutoff_share = share_by(quantiles, rule.cutoff_year)
    return Judged(found.year, baselines, quantiles, by_cutoff_share, importance, found.mean_shares)


def _cross_quantiles(year: Floats, model: Floats, fold: Ints, rule: YearRule) -> Floats:
    """Return year quantiles of each building from the errors made on the other parts."""
    found = np.empty((len(year), len(LEVELS)))
    for part in np.unique(fold):
        held, other = fold == part, fold != part
        found[held] = model[held, None] + local_quantiles(
            model[other],
            (year - model)[other],
            np.ones(int(other.sum())),
            model[held],
            bandwidth=rule.bandwidth_yr,
            min_effective_count=rule.min_group_count,
        )
    return found


def _importance(
    fit: Fitted, table: Floats, year: Floats, names: list[str], seed: int
) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(table))[:2000]
    table, year = table[rows], year[rows]
    base = np.abs(fit.predict(table) - year).mean()
    grown = {}
    for number, name in enumerate(names):
        shuffled = table.copy()
        shuffled[:, number] = rng.permutation(shuffled[:, number])
        grown[name] = float(np.abs(fit.predict(shuffled) - year).mean() - base)
    return dict(sorted(grown.items(), key=lambda item: (-item[1], item[0]))[:20])


def square_blocks(points: Floats, *, side_m: float, min_count: int) -> tuple[Ints, float]:
    """Return the number of the square each point lies in, and the side of the squares.

    Squares start at the origin of the coordinates. Their side is halved until at least ``min_count``
    squares hold a point, or they are 50 m wide.
    """
    while True:
        cell = np.floor(points / side_m).astype(np.int64)
        block = np.unique(cell, axis=0, return_inverse=True)[1].reshape(-1)
        if block.max() + 1 >= min_count or side_m <= 50:
            return block.astype(np.int64), side_m
        side_m /= 2


def even_folds(block: Ints, fold_count: int) -> Ints:
    """Return a part for each building: blocks dealt, largest first, to the part that holds least."""
    sizes = np.bincount(block)
    filled = np.zeros(fold_count, dtype=np.int64)
    of_block = np.zeros(len(sizes), dtype=np.int64)
    for number in np.argsort(-sizes, kind="stable"):
        part = int(np.argmin(filled))
        of_block[number] = part
        filled[part] += sizes[number]
    return of_block[block]


def calibration_error(share: Floats, is_true: Floats, *, bin_count: int = 10) -> float:
    """Return the expected calibration error: mean gap between stated and observed shares, by bins."""
    number = np.clip((share * bin_count).astype(int), 0, bin_count - 1)
    size = np.bincount(number, minlength=bin_count)
    stated = np.bincount(number, share, bin_count)
    observed = np.bincount(number, is_true, bin_count)
    return float(np.abs(stated - observed).sum() / size.sum())


def reliability(
    share: Floats, is_true: Floats, *, bin_count: int = 10
) -> list[tuple[float, float, int]]:
    """Return stated share, observed share and buildings of each bin that holds any."""
    number = np.clip((share * bin_count).astype(int), 0, bin_count - 1)
    return [
        (
            float(share[number == n].mean()),
            float(is_true[number == n].mean()),
            int((number == n).sum()),
        )
        for n in range(bin_count)
        if (number == n).any()
    ]
