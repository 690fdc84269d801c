"""Which interval is stated for each building: how sure it is to be, and its ends in whole years.

A conformal interval holds nine of ten years counted over a group; which buildings of it are missed
more often is free. Buildings whose errors hang together, such as a large estate that lost all its
years, are right or wrong at once; they get a surer and wider interval, so that no estate is expected
to be wrong in more of its buildings than another. What that takes is given back by the others.
"""

import numpy as np

from pipeline.geo.raster import Floats
from pipeline.years.conformal import LEVELS, quantiles_at
from pipeline.years.units import Ints

_ROUNDS = 60
_LOT = np.uint64(1_000_003)


def errors_together(unit: Ints, judged: Ints, exact_count: Floats) -> Floats:
    """Return how many buildings, in effect, are right or wrong together with each judged one.

    The mean of k years of spread s errs by s / √k for all siblings alike, and each differs by s: errors
    correlate by 1 / (k + 1), wholly where no sibling is known. The count is the design effect
    1 + (m − 1) / (k + 1) of a cluster of m (Kish, Survey Sampling, 1965; † from memory).

    Parameters
    ----------
    unit
        Estate of every building.
    judged
        Rows whose year is inferred.
    exact_count
        Buildings of exact year in each estate.
    """
    of = unit[judged]
    count = np.bincount(of, minlength=len(exact_count))[of]
    return 1 + (count - 1) / (exact_count[of] + 1)


def miss_shares(together: Floats, groups: tuple[Ints, ...], mean: float, highest: float) -> Floats:
    """Return how likely each stated interval may miss: less where errors hang together.

    Parameters
    ----------
    together
        Of ``errors_together``; shares are inverse to its square, cut at ``highest``. One large estate
        that is missed as a whole weighs by the square of its size in what its district holds.
    groups
        Group numbers, from 0, of each kind of group in which the shares have the given mean.
    """
    share = together**-2.0
    share = np.minimum(mean * share / share.mean(), highest)
    for _ in range(_ROUNDS):
        for group in groups:
            total, count = np.bincount(group, share), np.bincount(group)
            share = np.minimum(share * (mean * count / np.maximum(total, 1e-12))[group], highest)
    return share


def whole_year_ends(
    quantiles: Floats, miss_share: Floats, building_key: np.ndarray
) -> tuple[Floats, Floats]:
    """Return the first and last year of each interval.

    A quantile ends amid a year; whether that year is in is drawn by the building's key, in proportion
    (smoothed conformal prediction, Vovk et al. 2005; † from memory). Were it always in, or out, all
    buildings of an estate that was built in two years would be held, or half of them.
    """
    lot = lots(building_key)
    low = np.floor(quantiles_at(quantiles, miss_share / 2) + 0.5 + lot)
    high = np.floor(quantiles_at(quantiles, 1 - miss_share / 2) - 0.5 + lot)
    middle = np.round(quantiles[:, np.argmin(np.abs(LEVELS - 0.5))])
    return np.where(low > high, middle, low), np.where(low > high, middle, high)


def lots(building_key: np.ndarray) -> Floats:
    """Return a number from 0 up to 1 for each building, always the same."""
    return (building_key // np.uint64(7919) % _LOT).astype(np.float64) / float(_LOT)
