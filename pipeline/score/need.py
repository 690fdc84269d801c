"""From a measurement to need between 0 and 1, by fixed policy bounds.

The bounds come from config and never from the data, so a building's need does not depend on which
other buildings are in the run. Need is kept in ten-thousandths, a whole number, so that every
program that adds it up gets the same order.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.settings.score import Criterion

NEED_UNITS = 10_000
Units = NDArray[np.int64]


def need_units(measured: Floats, criterion: Criterion) -> Units:
    """Return need in ten-thousandths: 0 at ``none_at``, 10,000 at ``worst_at``, straight between.

    Where the measurement is empty the criterion's stand-in is taken.
    """
    span = criterion.worst_at - criterion.none_at
    share = np.clip((measured - criterion.none_at) / span, 0, 1)
    share = np.where(np.isnan(measured), criterion.stand_in_need_share, share)
    return np.floor(share * NEED_UNITS + 0.5).astype(np.int64)
