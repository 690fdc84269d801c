"""From a measurement to need between 0 and 1, by fixed policy bounds.

The bounds come from config and never from the data, so a building's need does not depend on which
other buildings are in the run. Need is kept in ten-thousandths, a whole number, so that every
program that adds it up gets the same order.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.settings.score import QUANTILE_MASS, Criterion

NEED_UNITS = 10_000
Units = NDArray[np.int64]


def need_units(measured: Floats, criterion: Criterion) -> Units:
    """Return need in ten-thousandths: 0 at ``none_at``, 10,000 at ``worst_at``, by lines between.

    Where the measurement is empty the criterion's stand-in is taken; with ``leave_out`` it is the
    caller who fills the gap, by ``left_out_need``.
    """
    return _units(need_share(measured, criterion), criterion)


def expected_need_units(quantiles: Mapping[str, Floats], criterion: Criterion) -> Units:
    """Return the need expected of an uncertain measurement, in ten-thousandths.

    Need is taken at each quantile of the distribution and weighted by ``QUANTILE_MASS``: an age between
    0 and 60 years is not the need of 30. Where the quantiles agree this is ``need_units`` itself.
    """
    parts = [QUANTILE_MASS[name] * need_share(at, criterion) for name, at in quantiles.items()]
    return _units(np.sum(parts, axis=0), criterion)


def need_share(measured: Floats, criterion: Criterion) -> Floats:
    """Return need from 0 to 1, NaN where the measurement is empty."""
    if not criterion.between:
        span = criterion.worst_at - criterion.none_at
        return np.clip((measured - criterion.none_at) / span, 0, 1)
    at, need = bends(criterion)
    way = 1 if criterion.worst_at > criterion.none_at else -1
    return np.interp(way * measured, way * at, need)


def bends(criterion: Criterion) -> tuple[Floats, Floats]:
    """Return measurements and need at the ends and bends of the value function, need rising."""
    at = [criterion.none_at, *(x for x, _ in criterion.between), criterion.worst_at]
    need = [0.0, *(y for _, y in criterion.between), 1.0]
    return np.array(at, dtype=float), np.array(need, dtype=float)


def left_out_need(needs: list[Units], weights: list[int], is_out: list[NDArray[np.bool_]]) -> Units:
    """Return the need that leaves a row's missing criteria without effect, in ten-thousandths.

    It is the weighted mean of the criteria that are known, so the score is the one that these alone
    would give. Half of the scale where nothing is known.
    """
    total = np.zeros(len(needs[0]), dtype=np.int64)
    mass = np.zeros(len(needs[0]), dtype=np.int64)
    for need, weight, out in zip(needs, weights, is_out, strict=True):
        total += np.where(out, 0, need * weight)
        mass += np.where(out, 0, weight)
    mean = (2 * total + mass) // np.maximum(2 * mass, 1)
    return np.where(mass > 0, mean, NEED_UNITS // 2)


def _units(share: Floats, criterion: Criterion) -> Units:
    share = np.where(np.isnan(share), criterion.stand_in_need_share, share)
    return np.floor(share * NEED_UNITS + 0.5).astype(np.int64)
