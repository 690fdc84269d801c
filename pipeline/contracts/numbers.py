"""Columns of tables as plain arrays."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def plain_numbers(column: pd.Series) -> NDArray[np.float64]:
    """Return a column as floats, NaN where empty."""
    return np.asarray(column.astype("Float64").to_numpy(dtype=float, na_value=np.nan), dtype=float)
