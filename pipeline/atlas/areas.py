"""The area that a building is listed in: its estate, else its road, else its square of the grid."""

from typing import Any

import numpy as np
import pandas as pd


def area_keys(ranked: pd.DataFrame, cell_id: pd.Series) -> "pd.Series[str]":
    """Return the area each building is listed in, as ``area_id`` of the district list writes it."""
    estate, road = (ranked[name].astype("object") for name in ("estate_id", "road_name"))
    kind = np.where(estate.notna(), "estate", np.where(road.notna(), "road", "grid_cell"))
    key = estate.fillna(road).fillna(cell_id.astype("object")).astype("str")
    district = ranked["district_name"].astype("str")
    return district + "/" + pd.Series(kind, index=ranked.index, dtype="str") + "/" + key


def as_places(keys: "pd.Series[str]") -> "pd.Series[Any]":
    """Return equal keys as one category each, numbered in the order in which they first stand there.

    Rows that lie side by side then have the same or the next number, which squeezes well.
    """
    places, words = pd.factorize(keys)
    return pd.Series(pd.Categorical.from_codes(places, categories=words), index=keys.index)
