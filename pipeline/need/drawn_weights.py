"""Random weights that sum to 1, uniform over all that are allowed (SMAA, Lahdelma & Salminen 2001).

"Uniform numbers, then divided by their sum" would crowd the middle. Gaps between sorted uniform
numbers do not (Devroye 1986, Non-Uniform Random Variate Generation, chapter V).
"""

from collections.abc import Sequence

import numpy as np

from pipeline.geo.raster import Floats
from pipeline.settings.score import RobustnessSettings

_SWEEPS = 60


def drawn_weights(
    names: list[str], base: Floats, rule: RobustnessSettings, random: np.random.Generator
) -> Floats:
    """Return weights by the rule of config, shape (draws, criteria); each row sums to 1."""
    if rule.weight_rule == "simplex":
        return simplex_weights(len(names), rule.draws, random)
    if rule.weight_rule == "order":
        place = {name: number for number, name in enumerate(names)}
        groups = [[place[name] for name in line if name in place] for line in rule.order]
        return ordered_weights([g for g in groups if g], len(names), rule.draws, random)
    low, high = base * (1 - rule.interval_share), base * (1 + rule.interval_share)
    return interval_weights(base, low, np.minimum(high, 1.0), rule.draws, random)


def simplex_weights(count: int, draws: int, random: np.random.Generator) -> Floats:
    """Return weights uniform on the simplex, shape (draws, count)."""
    cuts = np.sort(random.random((draws, count - 1)), axis=1)
    ends = np.hstack([np.zeros((draws, 1)), cuts, np.ones((draws, 1))])
    return np.diff(ends, axis=1)


def ordered_weights(
    groups: Sequence[Sequence[int]], count: int, draws: int, random: np.random.Generator
) -> Floats:
    """Return weights uniform among those that keep an order of importance, shape (draws, count).

    Parameters
    ----------
    groups
        Columns, most important first; within a group any order is as likely. Columns that stand in no
        group come last, as one group.
    """
    named = [column for group in groups for column in group]
    rest = [column for column in range(count) if column not in named]
    weights = -np.sort(-simplex_weights(count, draws, random), axis=1)
    result = np.empty_like(weights)
    start = 0
    for group in [*groups, rest]:
        size = len(group)
        part = random.permuted(weights[:, start : start + size], axis=1)
        result[:, list(group)] = part
        start += size
    return result


def interval_weights(
    base: Floats, low: Floats, high: Floats, draws: int, random: np.random.Generator
) -> Floats:
    """Return weights uniform on the part of the simplex within intervals, shape (draws, count).

    Each draw is a chain of its own, which starts at ``base`` and exchanges weight between two random
    columns, uniformly within what both intervals allow (Gibbs sampling), ``_SWEEPS`` times as often as
    there are columns. The uniform distribution is the one that such exchanges leave as it is.

    Raises
    ------
    ValueError
        If ``base`` does not lie within the intervals.
    """
    if (base < low - 1e-12).any() or (base > high + 1e-12).any():
        raise ValueError("the weights themselves lie outside their intervals")
    weights = np.tile(base, (draws, 1))
    count = len(base)
    if count < 2:
        return weights
    flat, first = weights.reshape(-1), np.arange(draws) * count
    for _ in range(_SWEEPS * count):
        one = random.integers(0, count, draws)
        other = (one + random.integers(1, count, draws)) % count
        here, there = first + one, first + other
        a, b = flat[here], flat[there]
        least = np.maximum(low[one] - a, b - high[other])
        most = np.minimum(high[one] - a, b - low[other])
        moved = least + (most - least) * random.random(draws)
        flat[here], flat[there] = a + moved, b - moved
    return weights
