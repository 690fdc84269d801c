"""From a measurement to need between 0 and 1, by fixed policy bounds.

The bounds come from config and never from the data, so a building's need does not depend on which
other buildings are in the run. Need is kept in ten-thousandths, a whole number, so that every
program that adds it up gets the same order.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.settings.score import Criterion

NEED_UNITS = 10_000
QUANTILE_MASS = {"p05": 0.15, "p25": 0.225, "p50": 0.25, "p75": 0.225, "p95": 0.15}
"""Share of probability that each quantile stands for: half of the way to its neighbours."""
Units = NDArray[np.int64]


def need_units(measured: Floats, criterion: Criterion) -> Units:
    """Return need in ten-thousandths: 0 at ``none_at``, 10,000 at ``worst_at``, straight between.

    Where the measurement is empty the criterion's stand-in is taken.
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
    span = criterion.worst_at - criterion.none_at
    return np.clip((measured - criterion.none_at) / span, 0, 1)


def _units(share: Floats, criterion: Criterion) -> Units:
    share = np.where(np.isnan(share), criterion.stand_in_need_share, share)
    return np.floor(share * NEED_UNITS + 0.5).astype(np.int64)
