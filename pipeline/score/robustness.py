"""How sure each rank is: the ranking drawn a thousand times (SMAA-2, Lahdelma & Salminen 2001).

In each draw weights, years, missing measurements and measurement errors are drawn anew and all
buildings ranked again. Ranks are counted in bands that are fine at the top and wider below, so memory
grows with buildings × bands and never with buildings × ranks.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipeline.geo.raster import Floats
from pipeline.score.simplex import interval_weights, ordered_weights, simplex_weights
from pipeline.score.uncertain import LEVELS, NoisyNeed, Singles, UncertainNeed
from pipeline.settings.score import RobustnessSettings

BAND_COUNT = 256
_STEPS = 10_000
"""Steps from score 0 to 1 in which ranks are counted: 0.01 points, some ten buildings of 43,500."""
_SPAN = _STEPS + 2
_FINE = 64
"""Ranks of the top that are bands of their own."""
_BLOCK = 25
"""Draws worked on at once; they also share a stream of random numbers, so threads change nothing."""
_POOL = 1 << 16


@dataclass(frozen=True)
class Bands:
    """What the draws say of each ranked building."""

    rank_p05: NDArray[np.int64]
    rank_p50: NDArray[np.int64]
    rank_p95: NDArray[np.int64]
    top_share: Floats
    """Share of the draws in which it is in the top."""
    funded_share: Floats
    """Share of the draws in which the budget reaches it; NaN if no cost is known."""


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


def rank_bands(
    need: UncertainNeed,
    weights: Floats,
    is_lifted: NDArray[np.bool_],
    cost: Floats,
    rule: RobustnessSettings,
) -> Bands:
    """Return the bands of all buildings from one ranking a row of ``weights``.

    Parameters
    ----------
    weights
        One row a draw, from ``drawn_weights``.
    cost
        Yuan of each building; NaN everywhere if unknown.
    """
    count, draws = len(need.base), len(weights)
    if not count:
        none = np.zeros(0, dtype=np.int64)
        return Bands(none, none, none, np.zeros(0), np.zeros(0))
    edges = band_edges(count)
    band_of = np.repeat(np.arange(len(edges) - 1, dtype=np.uint8), np.diff(edges))
    top_count = max(1, int(rule.top_share * count + 1e-9))
    streams = np.random.SeedSequence(rule.seed).spawn(-(-draws // _BLOCK))
    threads = os.cpu_count() or 1
    # what a veto lifts stands above the scale; a year outside the programme pushes below it
    first_step = np.where(is_lifted, 0, _SPAN)
    tallies = [_Tally(count, len(edges) - 1) for _ in range(threads)]

    def work(thread: int) -> None:
        for block in range(thread, len(streams), threads):
            part = weights[block * _BLOCK : (block + 1) * _BLOCK].astype(np.float32)
            random = np.random.default_rng(streams[block])
            for score in _scores(need, part, random):
                step = ((1 - score) * np.float32(_STEPS)).astype(np.int64)
                tallies[thread].add(step + first_step, band_of, top_count, cost, rule.budget_cny)

    # one BLAS thread each: the same sums whatever the machine, and the sorts keep both cores busy
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    whole = tallies[0]
    for other in tallies[1:]:
        whole.join(other)
    low, middle, high = (whole.quantile(share, draws) for share in (0.05, 0.5, 0.95))
    funded = whole.funded / draws if np.isfinite(cost).all() else np.full(count, np.nan)
    return Bands(
        edges[low] + 1,
        (edges[middle] + edges[middle + 1] + 1) // 2,
        edges[high + 1],
        whole.top / draws,
        funded,
    )


def band_edges(count: int) -> NDArray[np.int64]:
    """Return where bands of ranks begin, from 0 to ``count``: single ranks first, then ever wider."""
    if count <= BAND_COUNT:
        return np.arange(count + 1)
    fine = np.arange(_FINE)
    wide = np.geomspace(_FINE, count, BAND_COUNT - _FINE + 1)
    return np.unique(np.concatenate([fine, np.rint(wide).astype(np.int64)]))


class _Tally:
    """Counts of one thread; counts add up the same in any order."""

    def __init__(self, count: int, band_count: int) -> None:
        self.bands = np.zeros(count * band_count, dtype=np.uint32)
        self.top = np.zeros(count, dtype=np.int64)
        self.funded = np.zeros(count, dtype=np.int64)
        self.band_count = band_count
        self._first = np.arange(count) * band_count

    def add(
        self,
        step: NDArray[np.int64],
        band_of: NDArray[np.uint8],
        top_count: int,
        cost: Floats,
        budget: float,
    ) -> None:
        """Count the ranking of one draw, from the best step (0) to the last.

        Ranks follow from how many buildings stand at each step, without sorting them; those of one
        step share the best of their ranks.
        """
        standing = np.bincount(step, minlength=3 * _SPAN)
        above = np.cumsum(standing) - standing
        band = band_of[np.minimum(above, len(band_of) - 1)]
        self.bands[self._first + band[step]] += 1
        self.top += (above < top_count)[step]
        spent = np.cumsum(np.bincount(step, weights=cost, minlength=3 * _SPAN))
        self.funded += (spent <= budget)[step]

    def join(self, other: "_Tally") -> None:
        """Add the counts of another thread."""
        self.bands += other.bands
        self.top += other.top
        self.funded += other.funded

    def quantile(self, share: float, draws: int) -> NDArray[np.int64]:
        """Return the band below which, itself included, this share of the draws lies."""
        wanted = share * draws
        by_building = self.bands.reshape(-1, self.band_count)
        found = np.empty(len(by_building), dtype=np.int64)
        for start in range(0, len(found), 20_000):
            part = slice(start, start + 20_000)
            found[part] = (by_building[part].cumsum(axis=1) >= wanted).argmax(axis=1)
        return found


def _scores(need: UncertainNeed, weights: Singles, random: np.random.Generator) -> Singles:
    """Return the scores of a block of draws, shape (draws, buildings).

    From 0 to 1; 1 less where a drawn year puts a building out of the programme.
    """
    count = len(need.base)
    scores: Singles = weights @ need.base.T
    noise = random.standard_normal(count + _POOL, dtype=np.float32)
    chance = random.integers(0, LEVELS, count + _POOL, dtype=np.int64)
    for score, weight in zip(scores, weights, strict=True):
        for one in need.noisy:
            start = int(random.integers(0, _POOL))
            score += weight[one.column] * _noisy_change(one, noise[start : start + count])
        for many in need.drawn:
            start = int(random.integers(0, _POOL))
            level = chance[start : start + many.unit_count][many.unit]
            place = many.first + level
            change = weight[many.column] * many.change[place]
            if many.push is not None:
                change += many.push[place]
            score[many.rows] += change
    return np.clip(scores, -1, 1, out=scores)


def _noisy_change(one: NoisyNeed, noise: Singles) -> Singles:
    drawn = one.at + one.spread * noise
    if one.criterion.between:
        rule = one.criterion
        at = np.array([0, *((x - rule.none_at) / (rule.worst_at - rule.none_at)
                            for x, _ in rule.between), 1])  # fmt: skip
        bent = np.interp(drawn, at, [0, *(y for _, y in rule.between), 1]).astype(np.float32)
        drawn = bent - one.base
    else:
        np.clip(drawn, 0, 1, out=drawn)
        drawn -= one.base
    drawn[one.gaps] = 0
    return drawn
