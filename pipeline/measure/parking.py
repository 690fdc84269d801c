"""Parking spaces that an estate lacks."""

import pandas as pd

from pipeline.settings.measure import ParkingRule


def parking_gap_share(
    housing: pd.DataFrame, estate_facts: pd.DataFrame, rule: ParkingRule
) -> pd.Series:
    """Return the share of the norm's spaces that a building's estate lacks, 0 to 1.

    Spaces of the survey against the estate's households; where some of its buildings' households
    are not known, they are taken as the mean of the others, as long as enough are known. Empty without
    an estate, survey or households.

    Parameters
    ----------
    housing
        ``estate_id`` and ``household_count`` of every building that is housing.
    estate_facts
        ``estate_id`` and ``parking_space_count``.
    """
    households = housing["household_count"].astype("Float64").astype("float64")
    by_estate = households.groupby(housing["estate_id"])
    known_share = by_estate.count() / by_estate.size()
    total = by_estate.mean() * by_estate.size()
    total = total.where((known_share >= rule.min_known_household_share) & (total > 0))
    spaces = estate_facts.set_index("estate_id")["parking_space_count"].astype("float64")
    gap = (1 - spaces.reindex(total.index) / (total * rule.spaces_per_household)).clip(0, 1)
    return housing["estate_id"].map(gap).astype("float64").rename("parking_gap_share")
