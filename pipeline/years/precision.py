"""How exactly a judgement on hidden years can be made: what right chances would show by luck alone.

Years hidden by areas come out right or wrong together. A quarter of 150 houses is nearer to one
observation than to 150, so an error measured on few quarters has a floor, and a band about the share
of intervals that hold must be wider than that of single draws.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.years.units import Ints

_DRAWS, _USUAL = 500, 0.95
_NINETY_NINE = 2.576


@dataclass(frozen=True)
class Floor:
    """What error right chances would show on the same blocks: in the mean, and in 19 of 20 cases."""

    mean: float
    usual: float


def calibration_floor(
    share: Floats, is_true: Floats, block: Ints, *, bin_count: int = 10, seed: int = 0
) -> Floor:
    """Return the calibration error that chances which are right would show here by luck.

    Gaps between stated and true are summed by block and bin, freed of the mean of their bin, and
    given a sign by lot for each block (wild cluster bootstrap, Cameron, Gelbach & Miller 2008; † from
    memory).
    A floor from one block alone is not known: NaN.

    Parameters
    ----------
    share, is_true
        Stated chance and 1 or 0 of each building.
    block
        Numbers of what was hidden as a whole.
    """
    blocks = np.unique(block, return_inverse=True)[1].reshape(-1)
    count = int(blocks.max()) + 1
    if count < 2:
        return Floor(np.nan, np.nan)
    place = blocks * bin_count + np.clip((share * bin_count).astype(int), 0, bin_count - 1)
    size = np.bincount(place, minlength=count * bin_count).reshape(count, bin_count)
    gap = np.bincount(place, is_true - share, count * bin_count).reshape(count, bin_count)
    gap -= size * gap.sum(axis=0) / np.maximum(size.sum(axis=0), 1)
    filled = (size > 0).sum(axis=0)
    gap *= np.sqrt(filled / np.maximum(filled - 1, 1))
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (_DRAWS, count))
    errors = np.abs(signs @ gap).sum(axis=1) / len(share)
    return Floor(float(errors.mean()), float(np.quantile(errors, _USUAL)))


def together(is_held: NDArray[np.bool_], block: Ints) -> float:
    """Return how far intervals of one block hold or miss together: 0 singly, 1 wholly.

    The intraclass correlation of an analysis of variance with unequal blocks (Donner & Koval 1980;
    † from memory), 0 where it is negative or every block is one building.
    """
    blocks = np.unique(block, return_inverse=True)[1].reshape(-1)
    size = np.bincount(blocks).astype(np.float64)
    total, count = len(blocks), len(size)
    if count in (1, total):
        return 0.0
    mean = np.bincount(blocks, is_held) / size
    between = float(size @ (mean - is_held.mean()) ** 2) / (count - 1)
    within = float(((is_held - mean[blocks]) ** 2).sum()) / (total - count)
    usual_size = (total - float(size @ size) / total) / (count - 1)
    spread = between + (usual_size - 1) * within
    return float(np.clip((between - within) / spread, 0.0, 1.0)) if spread > 0 else 0.0


def band_share(count: int, hold_share: float = 0.9) -> float:
    """Return by how much the held share of ``count`` intervals may stray: the 99 % binomial band."""
    return float(_NINETY_NINE * np.sqrt(hold_share * (1 - hold_share) / count))


def block_band_share(block: Ints, correlation: float, hold_share: float = 0.9) -> float:
    """Return the 99 % band of a group whose intervals hold or miss together by block.

    The binomial band times the root of the design effect Σ m (1 + (m − 1) ρ) / Σ m over the group's
    blocks of m buildings (Kish, Survey Sampling, 1965; † from memory).
    """
    size = np.unique(block, return_counts=True)[1].astype(np.float64)
    effect = float((size * (1 + (size - 1) * correlation)).sum() / size.sum())
    return band_share(int(size.sum()), hold_share) * float(np.sqrt(effect))
