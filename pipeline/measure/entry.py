"""Storeys above and below the entrance of a building on a slope.

Assumes that the door stands at the height of the street by which the building is reached, and that the
lowest storey stands on the lowest ground along the outline.
"""

import numpy as np
import pandas as pd
import shapely

from pipeline.geo.profile import Names
from pipeline.geo.raster import Floats, Raster, bilinear


def lowest_outline_m(shapes: Names, ground: Raster) -> Floats:
    """Return the lowest ground along each outline; empty where any part of it is."""
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    z = bilinear(ground, points[:, 0], points[:, 1])
    lowest = np.full(len(shapes), np.inf)
    np.minimum.at(lowest, owner, np.nan_to_num(z, nan=-np.inf))
    return np.where(np.isinf(lowest), np.nan, lowest)


def storeys_from_entry(
    storey_count: Floats,
    has_lift: pd.Series,
    recorded_entry_number: Floats,
    entry_m: Floats,
    lowest_m: Floats,
    storey_height_m: float,
) -> pd.DataFrame:
    """Return storeys above and below the entrance, and the most that are walked.

    The register's entrance storey (1 = lowest) counts where it is recorded, else the heights of
    street and ground tell. All empty where the storeys are, or both of these. The storeys walked
    are 0 with a lift and empty where nobody says whether there is one.
    """
    by_height = np.floor((entry_m - lowest_m) / storey_height_m + 0.5)
    below = np.where(np.isnan(recorded_entry_number), by_height, recorded_entry_number - 1)
    below = np.clip(below, 0, np.maximum(storey_count - 1, 0))
    above = storey_count - 1 - below
    walked = np.maximum(above, below)
    lift = has_lift.astype("boolean")
    walked = np.where(lift.fillna(False), 0.0, walked)
    walked = np.where(lift.isna(), np.nan, walked)
    return pd.DataFrame(
        {
            "storeys_above_entry_count": above,
            "storeys_below_entry_count": below,
            "storeys_climbed_count": walked,
        }
    ).astype("Int64")
