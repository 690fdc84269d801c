"""Chances of being built by the cut-off year, drawn to what came true where years were hidden.

An interval may hold nine of ten years while the chance to one side of a given year is off, since errors
of old and of new buildings lie on different sides. So stated chances are compared with outcomes on
years that were hidden the way years are missing, and corrected class by class. How far a class is
believed depends on blocks of ground, not on buildings: a quarter is in or out at once.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.geo.raster import Floats
from pipeline.years.conformal import effective_count
from pipeline.years.units import Ints

_CLASSES, _FEWEST_BLOCKS = 10, 1.5
_LEAST_VARIANCE = 1e-4


@dataclass(frozen=True)
class _Class:
    """Chances of about one size: their mean, the gap to what came true, its variance, their weight."""

    stated: float
    gap: float
    variance: float
    weight: float


def corrected_chances(
    stated: Floats, came_true: Floats, weights: Floats, block: Ints, asked: Floats
) -> Floats:
    """Return the asked chances corrected by what came true of the stated ones.

    Ten classes of equal weight by stated chance. The gap between what came true and what was stated is
    drawn to nothing by the share of its size that luck among blocks explains (empirical Bayes with
    a prior about nothing, Efron & Morris 1973; † from memory), classes that then fall out of order
    are pooled (isotonic regression), and between classes chances run straight. The order of chances
    stays, and a small change of a stated chance changes the corrected one little.

    Parameters
    ----------
    stated, came_true
        Of buildings whose years were hidden: the chance from errors of other parts, and 1 or 0.
    weights
        How many buildings each stands for; some above 0.
    block
        Numbers, from 0, of what is right or wrong together.
    asked
        Chances to be corrected, from 0 to 1.
    """
    from scipy.optimize import isotonic_regression  # slow to load

    order = np.argsort(stated, kind="stable")
    mass = np.cumsum(weights[order])
    share = (mass - weights[order] / 2) / mass[-1]
    ends = np.searchsorted(share, np.linspace(0, 1, _CLASSES + 1))
    classes = [
        _class_of(stated[rows], came_true[rows], weights[rows], block[rows])
        for rows in np.split(order, ends[1:-1])
        if weights[rows].sum() > 0
    ]
    middle, gap, variance, weight = (
        np.array([getattr(one, name) for one in classes])
        for name in ("stated", "gap", "variance", "weight")
    )
    real = max(0.0, float(np.mean(gap**2 - variance)))
    level = np.clip(middle + gap * real / (real + variance), 0.0, 1.0)
    level = isotonic_regression(level, weights=weight).x
    return np.interp(asked, [0.0, *middle, 1.0], [0.0, *level, 1.0])


def _class_of(stated: Floats, came_true: Floats, weights: Floats, block: Ints) -> _Class:
    """Return one class; its gap varies by block, and at least as single buildings would."""
    total = float(weights.sum())
    mean = float(weights @ stated) / total
    gap = float(weights @ (came_true - stated)) / total
    count = effective_count(np.bincount(block, weights).astype(np.float64))
    by_block = np.bincount(block, weights * (came_true - stated - gap))
    spread = float(by_block @ by_block) / total**2
    spread *= count / (max(count, _FEWEST_BLOCKS) - 1)
    singly = (mean * (1 - mean) + _LEAST_VARIANCE) / effective_count(weights)
    return _Class(mean, gap, max(spread, singly), total)
