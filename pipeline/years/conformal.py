"""From residuals to intervals: weighted quantiles of errors made on buildings held out.

Split-conformal prediction with weights (Tibshirani et al. 2019) over groups: of the groups that a
building belongs to, the smallest that holds enough errors counts. Distributions are kept as ``LEVELS``
quantiles.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats

Ints = NDArray[np.int64]
LEVELS: Floats = np.concatenate([[0.001, 0.01], np.arange(0.025, 1.0, 0.025), [0.99, 0.999]])
"""Shares of probability at which a distribution is kept."""


def cautious_levels(count: float) -> Floats:
    """Return where among n sorted errors each of ``LEVELS`` lies, from 0 to 1.

    A conformal interval takes the error of rank (n + 1) × level; ranks count as middles of their
    weights, (rank − ½) / n.
    """
    return np.clip(LEVELS + (LEVELS - 0.5) / max(count, 1e-9), 0.0, 1.0)


def weighted_quantiles(values: Floats, weights: Floats) -> Floats:
    """Return quantiles of weighted values, straight between the middles of neighbouring weights."""
    order = np.argsort(values, kind="stable")
    return _quantiles_of_sorted(values[order], weights[order])


def _quantiles_of_sorted(values: Floats, weights: Floats) -> Floats:
    mass = np.cumsum(weights)
    levels = cautious_levels(effective_count(weights))
    return np.interp(levels, (mass - weights / 2) / mass[-1], values)


def weighted_quantile_at(values: Floats, weights: Floats, share: float) -> float:
    """Return one quantile of weighted values, moved outwards as ``cautious_levels`` does."""
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weights[order])
    count = effective_count(weights)
    level = min(share + (share - 0.5) / max(count, 1e-9), 1.0)
    return float(np.interp(level, (mass - weights[order] / 2) / mass[-1], values[order]))


def effective_count(weights: Floats) -> float:
    """Return how many equal weights tell as much (Kish)."""
    square = float((weights**2).sum())
    return float(weights.sum()) ** 2 / square if square > 0 else 0.0


def grouped_quantiles(
    errors: Floats,
    weights: Floats,
    groups: Sequence[Ints],
    wanted: Sequence[Ints],
    *,
    min_effective_count: float,
) -> Floats:
    """Return the error quantiles that fit each wanted building: m × ``len(LEVELS)``.

    Parameters
    ----------
    errors, weights
        Of buildings whose year is known, n each.
    groups, wanted
        The group numbers of those, and of the buildings to be judged, from the smallest kind of group
        to the largest. Where no group holds enough, all errors count.
    """
    found = np.full((len(wanted[0]), len(LEVELS)), np.nan)
    is_open = np.ones(len(wanted[0]), dtype=bool)
    for group, target in zip(groups, wanted, strict=True):
        order = np.argsort(group, kind="stable")
        ends = np.searchsorted(group[order], np.unique(target[is_open]), side="left")
        stops = np.searchsorted(group[order], np.unique(target[is_open]), side="right")
        for number, first, last in zip(np.unique(target[is_open]), ends, stops, strict=True):
            rows = order[first:last]
            if effective_count(weights[rows]) >= min_effective_count:
                takes = is_open & (target == number)
                found[takes] = weighted_quantiles(errors[rows], weights[rows])
                is_open &= ~takes
        if not is_open.any():
            return found
    found[is_open] = weighted_quantiles(errors, weights)
    return found


def local_quantiles(
    centre: Floats,
    errors: Floats,
    weights: Floats,
    wanted: Floats,
    *,
    bandwidth: float,
    min_effective_count: float,
    step: float = 1.0,
    block: Ints | None = None,
) -> Floats:
    """Return the error quantiles around each wanted prediction: m × ``len(LEVELS)``.

    Errors count by how near their prediction lies (Gaussian); the bandwidth widens until enough do.
    Errors of one ``block`` (numbers from 0) hang together and count as one: a district that is off as a
    whole must not become the rule for every building whose predicted year is like its own.
    Predictions that round to the same multiple of ``step`` share their quantiles.
    """
    node, of_wanted = np.unique(np.round(wanted / step), return_inverse=True)
    order = np.argsort(errors, kind="stable")
    centre, errors, weights = centre[order], errors[order], weights[order]
    of_block = np.arange(len(order)) if block is None else block[order]

    def enough(near: Floats) -> bool:
        return (
            effective_count(np.bincount(of_block, near).astype(np.float64)) >= min_effective_count
        )

    found = np.empty((len(node), len(LEVELS)))
    for number, place in enumerate(node * step):
        width = bandwidth
        near = weights * np.exp(-0.5 * ((centre - place) / width) ** 2)
        while not enough(near) and width < 100 * bandwidth:
            width *= 1.4
            near = weights * np.exp(-0.5 * ((centre - place) / width) ** 2)
        found[number] = _quantiles_of_sorted(errors, near)
    return found[of_wanted]


def share_by(quantiles: Floats, year: float) -> Floats:
    """Return the probability of being built by the end of a year, from quantiles of the year."""
    return np.array([np.interp(year + 0.5, row, LEVELS, left=0.0, right=1.0) for row in quantiles])


def quantiles_at(quantiles: Floats, share: Floats) -> Floats:
    """Return of each distribution the quantile at a share of its own."""
    after = np.clip(np.searchsorted(LEVELS, share, "right"), 1, len(LEVELS) - 1)
    rows = np.arange(len(quantiles))
    low, high = quantiles[rows, after - 1], quantiles[rows, after]
    grade = (high - low) / (LEVELS[after] - LEVELS[after - 1])
    between = grade * (np.maximum(share, LEVELS[0]) - LEVELS[after - 1]) + low
    return np.where(share >= LEVELS[-1], quantiles[:, -1], between)


def within(quantiles: Floats, low: Floats, high: Floats) -> Floats:
    """Return distributions cut to what a text allows; where hardly anything is left, spread evenly."""
    cut = quantiles.copy()
    for row in np.flatnonzero(np.isfinite(low) | np.isfinite(high)):
        ends = np.array([low[row] - 0.5, high[row] + 0.5])
        first, last = np.interp(ends, quantiles[row], LEVELS, left=0.0, right=1.0)
        if last - first < 0.02:
            cut[row] = ends[0] + LEVELS * (ends[1] - ends[0])
        else:
            cut[row] = np.interp(first + LEVELS * (last - first), LEVELS, quantiles[row])
            cut[row] = np.clip(cut[row], *ends)
    return cut
