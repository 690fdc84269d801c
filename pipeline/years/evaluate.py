"""Judge the method on buildings of known year: held out by blocks of ground, and at random.

Neighbours tell each other's years, so a building held out alone among known ones flatters any method.
Here whole squares of ground are held out together. What is judged is ``infer_years``, the very method
that ranks: the years held out are taken away, and it infers them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.geo.raster import Floats
from pipeline.settings.measure import YearRule
from pipeline.years.conformal import LEVELS
from pipeline.years.estimate import group_medians
from pipeline.years.facts import YearFacts
from pipeline.years.gaps import square_of
from pipeline.years.infer import infer_years
from pipeline.years.units import Ints

BASELINES = ("group", "nearest_10")
_MIDDLE = int(np.argmin(np.abs(LEVELS - 0.5)))
_BASELINE_NEIGHBOURS, _FEW_SHARE = 10, 0.1


@dataclass(frozen=True)
class Judged:
    """What ``infer_years`` says of each building whose year was taken away, and two baselines beside.

    ``basis`` and ``regime`` are as in ``Inference``; NaN where too few years are left.
    """

    model: Floats
    baselines: Mapping[str, Floats]
    first_year: Floats
    last_year: Floats
    by_cutoff_share: Floats
    basis: NDArray[np.str_]
    regime: NDArray[np.str_]
    mixture: Mapping[str, float]
    """Mean share of each estimate in what is inferred from form and surroundings."""


def judge(facts: YearFacts, fold: Ints, rule: YearRule) -> Judged:
    """Return what the method says of each building of known year when its part is held out.

    Parameters
    ----------
    facts
        Buildings, of which those of known year are judged; the others stay as they are.
    fold
        Which part each belongs to.
    """
    count, is_known = len(facts.known_year), np.isfinite(facts.known_year)
    model, first, last, share = (np.full(count, np.nan) for _ in range(4))
    basis, regime = np.full(count, "", dtype="<U8"), np.full(count, "", dtype="<U13")
    baselines = {name: np.full(count, np.nan) for name in BASELINES}
    mixtures: list[dict[str, float]] = []
    for part in np.unique(fold[is_known]):
        held = is_known & (fold == part)
        seen = is_known & ~held
        known, low, high = (
            np.where(held, np.nan, said)
            for said in (facts.known_year, facts.low_year, facts.high_year)
        )
        hidden = replace(facts, known_year=known, low_year=low, high_year=high)
        found = infer_years(hidden, rule)
        model[held], first[held] = found.quantiles[held, _MIDDLE], found.first_year[held]
        last[held], share[held] = found.last_year[held], found.by_cutoff_share[held]
        basis[held], regime[held] = found.basis[held], found.regime[held]
        mixtures.append(found.report.get("mixture", {}))
        year = facts.known_year[seen]
        baselines["group"][held] = group_medians(facts.district[held], facts.district[seen], year)
        reach = min(_BASELINE_NEIGHBOURS, int(seen.sum()))
        near = cKDTree(facts.points[seen]).query(facts.points[held], k=reach)[1]
        baselines["nearest_10"][held] = year[near.reshape(-1, reach)].mean(axis=1)
    names = sorted({name for one in mixtures for name in one})
    mixture = {name: float(np.mean([one.get(name, 0.0) for one in mixtures])) for name in names}
    return Judged(model, baselines, first, last, share, basis, regime, mixture)


def square_blocks(points: Floats, *, side_m: float, min_count: int) -> tuple[Ints, float]:
    """Return the number of the square each point lies in, and the side of the squares.

    Squares start at the origin of the coordinates. Their side is halved until at least ``min_count``
    of them hold a tenth of an even share, or they are 50 m wide: stray points fill no square.
    """
    while True:
        block = square_of(points, side_m)
        least = _FEW_SHARE * len(block) / min_count
        if (np.bincount(block) >= least).sum() >= min_count or side_m <= 50:
            return block, side_m
        side_m /= 2


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
