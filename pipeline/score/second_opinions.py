"""What other methods would weigh and rank: a check of ours, never its replacement.

Entropy and CRITIC weights follow the spread of the data, not importance. TOPSIS and VIKOR reverse
ranks when rows come and go. They stand beside the score so that a reader sees where the order hangs
on the method.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats


@dataclass(frozen=True)
class DataWeights:
    """Weights that the data suggest."""

    weights: Floats
    """Sum to 1; 0 for a constant column."""
    is_constant: NDArray[np.bool_]
    """Columns that were left out because every row is the same."""


@dataclass(frozen=True)
class Agreement:
    """How alike two orders of the same rows are."""

    rank_correlation: float
    """Spearman's; NaN if one of them orders nothing."""
    top_overlap_share: float
    """Share of the one's first tenth that the other's first tenth holds."""


def entropy_weights(matrix: Floats) -> DataWeights:
    """Return entropy weights (Shannon): the less even a column, the more it weighs.

    ``0 · ln 0`` counts as 0. pymcdm 1.4 sets the whole entropy of a column to 0 as soon as one cell is
    0, so this is our own.

    Raises
    ------
    ValueError
        If a cell is below 0 or not a number.
    """
    is_constant = _constant(matrix)
    if (matrix < 0).any():
        raise ValueError("entropy is defined for numbers from 0 up")
    part = matrix[:, ~is_constant] / matrix[:, ~is_constant].sum(axis=0)
    logs = np.log(part, out=np.zeros_like(part), where=part > 0)
    spread = 1 + (part * logs).sum(axis=0) / np.log(max(len(matrix), 2))
    return _shared(spread, is_constant)


def critic_weights(matrix: Floats) -> DataWeights:
    """Return CRITIC weights (Diakoulaki et al. 1995): spread × how little the others say the same.

    The tests compare with pymcdm, whose own correlation takes twenty times as long on 43,500 rows.
    """
    is_constant = _constant(matrix)
    if (~is_constant).sum() < 2:
        return _shared(np.ones(int((~is_constant).sum())), is_constant)
    varied = matrix[:, ~is_constant]
    spread = (varied / np.ptp(varied, axis=0)).std(axis=0)
    return _shared(spread * (1 - np.corrcoef(varied.T)).sum(axis=0), is_constant)


def topsis(
    matrix: Floats,
    weights: Floats,
    types: NDArray[np.int64],
    *,
    normalisation: Literal["vector", "min_max"] = "vector",
) -> Floats:
    """Return closeness to the ideal, 1 = best (Hwang & Yoon 1981).

    Parameters
    ----------
    types
        1 for a column of which more is better, −1 for one of which less is.
    normalisation
        ``vector`` divides each column by its length, as the authors do; ``min_max`` moves it to 0
        to 1, as many published tables do. The closeness differs by tenths, the order less.
    """
    kept = ~_constant(matrix)
    if not kept.any():
        return np.full(len(matrix), 0.5)
    columns = matrix[:, kept]
    if normalisation == "min_max":
        columns = (columns - columns.min(axis=0)) / np.ptp(columns, axis=0)
    else:
        columns = columns / np.linalg.norm(columns, axis=0)
    weighted = columns * _sum_1(weights[kept]) * types[kept]
    to_best = np.linalg.norm(weighted - weighted.max(axis=0), axis=1)
    to_worst = np.linalg.norm(weighted - weighted.min(axis=0), axis=1)
    return np.asarray(to_worst / (to_best + to_worst))


def vikor(
    matrix: Floats, weights: Floats, types: NDArray[np.int64], *, majority_share: float = 0.5
) -> Floats:
    """Return Q of VIKOR, 0 = best (Opricovic & Tzeng 2004).

    ``majority_share`` is v, the weight of the many against the worst single regret.
    """
    kept = ~_constant(matrix)
    if not kept.any() or len(matrix) < 2:
        return np.zeros(len(matrix))
    turned = matrix[:, kept] * types[kept]
    best, worst = turned.max(axis=0), turned.min(axis=0)
    regret = _sum_1(weights[kept]) * (best - turned) / (best - worst)
    parts = [_to_unit(regret.sum(axis=1)), _to_unit(regret.max(axis=1))]
    return majority_share * parts[0] + (1 - majority_share) * parts[1]


def _to_unit(values: Floats) -> Floats:
    """Return values moved to 0 to 1; 0 where all are the same."""
    span = np.ptp(values)
    return (values - values.min()) / span if span > 0 else np.zeros(len(values))


def agreement(one: Floats, other: Floats) -> Agreement:
    """Return how alike two scores order the rows; in both, larger comes first."""
    if len(one) < 2:
        return Agreement(float("nan"), 1.0)
    ranks = np.vstack([pd.Series(-scores).rank().to_numpy() for scores in (one, other)])
    spread = ranks.std(axis=1)
    correlation = float(np.atleast_2d(np.corrcoef(ranks))[0, 1]) if spread.all() else float("nan")
    count = max(1, round(len(one) / 10))
    first, second = (set(np.argsort(r, kind="stable")[:count].tolist()) for r in ranks)
    return Agreement(correlation, len(first & second) / count)


def _constant(matrix: Floats) -> NDArray[np.bool_]:
    if not np.isfinite(matrix).all():
        raise ValueError("every cell must be a number")
    return np.asarray(np.ptp(matrix, axis=0) == 0)


def _sum_1(weights: Floats) -> Floats:
    total = weights.sum()
    return weights / total if total > 0 else np.full(len(weights), 1 / max(len(weights), 1))


def _shared(raw: Floats, is_constant: NDArray[np.bool_]) -> DataWeights:
    weights = np.zeros(len(is_constant))
    weights[~is_constant] = _sum_1(np.asarray(raw, dtype=float))
    return DataWeights(weights, is_constant)


def cross_checks(need: Floats, weights: Floats, names: list[str]) -> dict[str, Any]:
    """Return what other methods make of the same need: weights from the data, and other orders.

    ``need`` has a column for each of ``names``. Numbers are rounded for the ledger; empty if there
    are fewer than two rows.
    """
    if len(need) < 2:
        return {}
    base = need @ weights
    more = np.ones(len(names), dtype=np.int64)
    scores = {
        "topsis": topsis(need, weights, more),
        "topsis_min_max": topsis(need, weights, more, normalisation="min_max"),
        "vikor": -vikor(need, weights, more),
    }
    suggested = {"entropy": entropy_weights(need).weights, "critic": critic_weights(need).weights}
    scores |= {f"{name}_weights": need @ found for name, found in suggested.items()}
    return {
        "weights": {
            method: dict(zip(names, np.round(found, 4).tolist(), strict=True))
            for method, found in suggested.items()
        },
        "agreement": {
            name: {key: _number(value) for key, value in vars(agreement(base, score)).items()}
            for name, score in scores.items()
        },
    }


def _number(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
