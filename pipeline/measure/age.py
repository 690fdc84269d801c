"""Age of a building."""

import pandas as pd


def age_yr(construction_year: pd.Series, *, reference_year: int) -> pd.Series:
    """Return years between construction and the reference year, never negative, empty if unknown."""
    year = construction_year.astype("Float64").astype("float64")
    return (reference_year - year).clip(lower=0).rename("age_yr")
