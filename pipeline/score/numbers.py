"""Columns of tables as plain arrays."""

import numpy as np
import pandas as pd

from pipeline.geo.raster import Floats


def plain_numbers(column: pd.Series) -> Floats:
    """Return a column as floats, NaN where empty."""
    return np.asarray(column.astype("Float64").to_numpy(dtype=float, na_value=np.nan), dtype=float)
