"""Why years are missing: old estates lose them more often, and some estates lose all.

In an estate whose year is known from one building, the others' years are missing for a reason that can
be studied: a logistic model with a random effect for each estate, fitted to how many of its buildings
lack a year (truncated: estates that lack all are not seen). From it follows how many estates of that
year and size are not seen at all, and so how much each seen one must stand for. This is inverse
probability weighting with a selection model (Little & Rubin, Statistical Analysis with Missing Data,
chapter on non-ignorable missingness; † from memory).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from pipeline.geo.raster import Floats

_NODES, _MASS = np.polynomial.hermite_e.hermegauss(12)
_LOG_MASS = np.log(_MASS / _MASS.sum())
_CENTRE_YEAR, _DECADE_YR = 1985.0, 10.0


@dataclass(frozen=True)
class Losses:
    """How years came to be missing.

    ``unseen_odds`` tells for each unit of known year how many like it lack every year, for each that
    does not. ``growth_per_yr`` is by how much the log-odds of a lost year grow with each year of age.
    """

    unseen_odds: Floats
    growth_per_yr: float


def losses(year: Floats, building_count: Floats, known_count: Floats, *, highest: float) -> Losses:
    """Return how years of units came to be missing.

    Parameters
    ----------
    year, building_count, known_count
        Mean known year, buildings, and buildings of known year of each unit; at least one each.
    highest
        Odds are cut here: a few units must not stand for all.

    Returns
    -------
    Odds, at least 0; all 0, and no growth, when no year is missing.
    """
    from scipy.optimize import minimize  # slow to load, and mostly needed by another interpreter

    missing_count = building_count - known_count
    if not missing_count.any():
        return Losses(np.zeros(len(year)), 0.0)
    age = (_CENTRE_YEAR - year) / _DECADE_YR

    def misfit(theta: Floats) -> float:
        pull = theta[0] + theta[1] * age[:, None] + np.exp(theta[2]) * _NODES
        is_missing, is_known = -np.logaddexp(0, -pull), -np.logaddexp(0, pull)
        seen = logsumexp(
            missing_count[:, None] * is_missing + known_count[:, None] * is_known + _LOG_MASS,
            axis=1,
        )
        unseen = np.exp(logsumexp(building_count[:, None] * is_missing + _LOG_MASS, axis=1))
        return float(-(seen - np.log1p(-np.minimum(unseen, 1 - 1e-9))).sum())

    limits = [(-10.0, 10.0), (-5.0, 5.0), (-4.0, 2.0)]
    theta = minimize(misfit, np.array([0.0, 0.5, 0.0]), method="L-BFGS-B", bounds=limits).x
    pull = theta[0] + theta[1] * age[:, None] + np.exp(theta[2]) * _NODES
    unseen = np.exp(
        logsumexp(-building_count[:, None] * np.logaddexp(0, -pull) + _LOG_MASS, axis=1)
    )
    odds = np.minimum(unseen / np.maximum(1 - unseen, 1e-9), highest)
    return Losses(odds, float(theta[1]) / _DECADE_YR)
