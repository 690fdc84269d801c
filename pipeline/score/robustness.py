"""How sure each rank is: the ranking drawn a thousand times (SMAA-2, Lahdelma & Salminen 2001).

In each draw weights, years, missing measurements and measurement errors are drawn anew and all
buildings ranked again. Ranks are counted in bands that are fine at the top and wider below, so memory
grows with buildings × bands and never with buildings × draws or ranks.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipeline.geo.raster import Floats
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
_ROUND = 20
"""Blocks whose bands are noted, a byte each, before they are counted."""
_TILE = 256
"""Buildings counted at once: their counters fit a core's own memory."""


@dataclass(frozen=True)
class Bands:
    """What the draws say of each ranked building."""

    rank_p05: NDArray[np.int64]
    rank_p50: NDArray[np.int64]
    rank_p95: NDArray[np.int64]
    top_share: Floats
    """Share of the draws in which it is in the top."""


def rank_bands(
    need: UncertainNeed,
    weights: Floats,
    is_lifted: NDArray[np.bool_],
    rule: RobustnessSettings,
) -> Bands:
    """Return the bands of all buildings from one ranking a row of ``weights``.

    Parameters
    ----------
    weights
        One row a draw, from ``drawn_weights``.
    """
    count, draws = len(need.base), len(weights)
    if not count:
        none = np.zeros(0, dtype=np.int64)
        return Bands(none, none, none, np.zeros(0))
    edges = band_edges(count)
    ranking = _Ranking(
        np.repeat(np.arange(len(edges) - 1, dtype=np.uint8), np.diff(edges)),
        # what a veto lifts stands above the scale; a year outside the programme pushes below it
        np.where(is_lifted, 0, _SPAN).astype(np.uint16),
        max(1, int(rule.top_share * count + 1e-9)),
    )
    blocks = [weights[start : start + _BLOCK] for start in range(0, draws, _BLOCK)]
    streams = np.random.SeedSequence(rule.seed).spawn(len(blocks))
    counts = np.zeros((count, len(edges) - 1), dtype=np.uint32)
    top = np.zeros(count, dtype=np.int64)
    threads = os.cpu_count() or 1
    # one BLAS thread each: the same sums whatever the machine, and blocks keep all cores busy
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(blocks), _ROUND):
            part = range(start, min(start + _ROUND, len(blocks)))
            noted = np.empty((sum(len(blocks[n]) for n in part), count), dtype=np.uint8)

            def note(
                number: int, first: int = start, noted: NDArray[np.uint8] = noted
            ) -> NDArray[np.uint8]:
                block = blocks[number].astype(np.float32)
                scores = _scores(need, block, np.random.default_rng(streams[number]))
                place = (number - first) * _BLOCK
                return ranking.note(scores, noted[place : place + len(block)])

            for reached in pool.map(note, part):
                top += reached
            list(pool.map(partial(_count, noted, counts), range(0, count, _TILE)))
        shares = [share * draws for share in (0.05, 0.5, 0.95)]
        found = pool.map(partial(_quantiles, counts, shares), range(0, count, _TILE))
        low, middle, high = np.concatenate(list(found), axis=1)
    return Bands(
        edges[low] + 1,
        (edges[middle] + edges[middle + 1] + 1) // 2,
        edges[high + 1],
        top / draws,
    )


def band_edges(count: int) -> NDArray[np.int64]:
    """Return where bands of ranks begin, from 0 to ``count``: single ranks first, then ever wider."""
    if count <= BAND_COUNT:
        return np.arange(count + 1)
    fine = np.arange(_FINE)
    wide = np.geomspace(_FINE, count, BAND_COUNT - _FINE + 1)
    return np.unique(np.concatenate([fine, np.rint(wide).astype(np.int64)]))


@dataclass(frozen=True)
class _Ranking:
    """Ranks the scores of draws; the same for every draw, and safe to use from many threads."""

    band_of: NDArray[np.uint8]
    """The band of each rank."""
    first_step: NDArray[np.uint16]
    """The step of each building if its score is 1."""
    top_count: int

    def note(self, scores: Singles, bands: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Write the band of each building in each draw into ``bands``; return how often it is on top.

        Ranks follow from how many buildings stand at each step, from the best (0) to the last,
        without sorting them; those of one step share the best of their ranks.
        """
        top = np.zeros(len(self.first_step), dtype=np.uint8)
        for score, band in zip(scores, bands, strict=True):
            step = ((1 - score) * np.float32(_STEPS)).astype(np.uint16)
            step += self.first_step
            place = step.astype(np.intp)
            standing = np.bincount(place, minlength=3 * _SPAN)
            above = np.cumsum(standing) - standing
            by_step = self.band_of[np.minimum(above, len(self.band_of) - 1)]
            np.take(by_step, place, out=band, mode="clip")
            top += step < np.searchsorted(above, self.top_count)
        return top


def _count(noted: NDArray[np.uint8], counts: NDArray[np.uint32], start: int) -> None:
    """Add the noted bands of one tile of buildings to ``counts``."""
    tile = noted[:, start : start + _TILE]
    size, band_count = tile.shape[1], counts.shape[1]
    places = (tile + np.arange(size) * band_count).ravel()
    counted = np.bincount(places, minlength=size * band_count)
    counts[start : start + _TILE] += counted.reshape(size, band_count).astype(np.uint32)


def _quantiles(counts: NDArray[np.uint32], wanted: list[float], start: int) -> NDArray[np.int64]:
    """Return the bands below which, themselves included, so many draws lie; shape (wanted, tile)."""
    so_far = counts[start : start + _TILE].cumsum(axis=1)
    return np.stack([(so_far >= many).argmax(axis=1) for many in wanted])


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
            level = chance[start : start + many.unit_count]
            if many.unit is not None:
                level = np.take(level, many.unit, mode="clip")
            change = np.take(many.change, many.first + level, mode="clip")
            change *= weight[many.column]
            if many.first_out is not None:
                change -= level >= many.first_out
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
