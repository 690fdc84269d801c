"""Weights from pairwise judgments: the analytic hierarchy process (Saaty 1977, 1980).

A judgment says how many times as much one item matters as another. Weights are the principal
eigenvector of the matrix of judgments; how far the judgments contradict each other is the consistency
ratio. Several parties are combined by the geometric mean of their judgments, the only way that keeps
the matrix reciprocal (Aczél & Saaty 1983).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.geo.raster import Floats

RANDOM_INDEX = {3: 0.58, 4: 0.90, 5: 1.12, 6: 1.24, 7: 1.32, 8: 1.41, 9: 1.45, 10: 1.49,
                11: 1.51, 12: 1.48, 13: 1.56, 14: 1.57, 15: 1.59}  # fmt: skip
"""Mean consistency index of random judgments by number of items, Saaty 1980, table 1-3."""


@dataclass(frozen=True)
class Judged:
    """Weights of the items and how consistent the judgments behind them are."""

    weights: dict[str, float]
    """Sum to 1."""
    consistency_ratio: float
    """0 is perfect, above 0.1 is usually asked to be judged again; NaN beyond 15 items."""


def pairwise_matrix(items: Sequence[str], pairs: Mapping[str, float]) -> Floats:
    """Return the reciprocal matrix of judgments such as ``{"age>slope": 3.0}``.

    Raises
    ------
    ValueError
        If a pair is missing, stated twice, of an unknown item, or not above 0.
    """
    place = {name: number for number, name in enumerate(items)}
    matrix = np.eye(len(items))
    seen: set[frozenset[str]] = set()
    for text, ratio in pairs.items():
        first, _, second = text.partition(">")
        if first not in place or second not in place or first == second:
            raise ValueError(f"{text!r}: expected two of {', '.join(items)} with > in between")
        if not (np.isfinite(ratio) and ratio > 0):
            raise ValueError(f"{text!r} = {ratio}: a ratio must be above 0")
        if frozenset((first, second)) in seen:
            raise ValueError(f"{text!r} is judged twice")
        seen.add(frozenset((first, second)))
        matrix[place[first], place[second]] = ratio
        matrix[place[second], place[first]] = 1 / ratio
    missing = [f"{a}>{b}" for a, b in combinations(items, 2) if frozenset((a, b)) not in seen]
    if missing:
        raise ValueError(f"not judged: {', '.join(missing)}")
    return matrix


def eigenvector_weights(matrix: Floats) -> tuple[Floats, float]:
    """Return weights that sum to 1, and the consistency ratio, of a reciprocal matrix.

    The ratio is (λ − n) / (n − 1) over the random index, 0 for one or two items.
    """
    size = len(matrix)
    values, vectors = np.linalg.eig(matrix)
    largest = int(np.argmax(values.real))
    vector = np.abs(vectors[:, largest].real)
    if size < 3:
        return vector / vector.sum(), 0.0
    index = max(float(values[largest].real) - size, 0.0) / (size - 1)
    return vector / vector.sum(), index / RANDOM_INDEX.get(size, float("nan"))


def judged(items: Sequence[str], pairs: Mapping[str, float]) -> Judged:
    """Return the weights that one party's judgments imply."""
    weights, ratio = eigenvector_weights(pairwise_matrix(items, pairs))
    return Judged(dict(zip(items, weights.tolist(), strict=True)), ratio)


def combined(items: Sequence[str], parties: Sequence[Mapping[str, float]]) -> Judged:
    """Return the weights that several parties' judgments imply together, each counting the same."""
    logs = [np.log(pairwise_matrix(items, pairs)) for pairs in parties]
    weights, ratio = eigenvector_weights(np.exp(np.mean(logs, axis=0)))
    return Judged(dict(zip(items, weights.tolist(), strict=True)), ratio)
