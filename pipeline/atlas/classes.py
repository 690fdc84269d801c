"""Which class of a layer each building is in, where what the page shows is rounded.

The page classes what it shows: a slope of 24.96° stands there as 25.0°, yet belongs below 25°. So
each layer also gets how far the class of the true value lies from the class of the shown one, which
is 0 nearly everywhere and squeezes to nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.atlas.packing import Pack
from pipeline.geo.raster import Floats

VALUE_LAYERS: dict[str, dict[str, Any]] = {
    "climb": {"fact": "main_road_climb_m", "breaks": [5, 10, 20, 30]},
    "slope": {"fact": "slope_deg", "breaks": [2, 6, 15, 25]},
    "readiness": {"fact": "readiness_share", "breaks": [0.2, 0.4, 0.6, 0.8], "is_share": True},
    "consent": {"fact": "consent_share", "breaks": [0.3333, 0.5, 0.6666, 0.75], "is_share": True},
    "sure": {"fact": "top_share", "breaks": [0.05, 0.5, 0.95], "is_share": True},
    "funded_chance": {"fact": "funded_share", "breaks": [0.05, 0.5, 0.95], "is_share": True},
}
"""By layer what it shows and where its classes begin.

Slopes are those of the national land survey, TD/T 1055-2019; consent those of Civil Code art. 278.
"""
YEAR_BREAKS = [1970, 1980, 1990, 2001]
"""2001: built by the end of 2000, 国办发〔2020〕23号."""
YEAR_KEY = "year"


def class_shift(true: Floats, shown: Floats, breaks: Sequence[float]) -> NDArray[np.int8]:
    """Return by how many classes the true values lie above the shown ones; 0 where either is empty.

    A class begins at its break.
    """
    edges = np.asarray(breaks, dtype=float)
    apart = np.searchsorted(edges, true, "right") - np.searchsorted(edges, shown, "right")
    return np.where(np.isnan(true) | np.isnan(shown), 0, apart).astype(np.int8)


def as_shown(values: Floats, per_unit: float) -> Floats:
    """Return values rounded as the page does, in steps of ``1 / per_unit``; halves go up."""
    return np.asarray(np.floor(values * per_unit + 0.5) / per_unit)


def add_class_shifts(pack: Pack, rows: pd.DataFrame) -> dict[str, Any]:
    """Pack the shifts in ``class_shift.…`` of the rows; return what the page is told of its layers."""
    for key in (*VALUE_LAYERS, YEAR_KEY):
        name = f"class_shift.{key}"
        if name in rows and rows[name].to_numpy().any():
            pack.numbers(name, rows[name].to_numpy())
    return {"value_layers": VALUE_LAYERS, "year_breaks": YEAR_BREAKS}
