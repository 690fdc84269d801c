"""Which way each building goes: one track, with its reason.

The tracks add up to the input: nothing disappears. Danger comes first, since a building that must be
repaired or rebuilt stays so whatever plan names it; then what makes renovation pointless; then age.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.numbers import plain_numbers
from pipeline.settings.score import TrackSettings

TRACKS = ("ranked", "reserve", "hazard", "excluded")


@dataclass(frozen=True)
class Tracks:
    """One entry for each building, in the order of the table."""

    track_type: NDArray[np.str_]
    reason_code: NDArray[np.str_]

    @property
    def is_ranked(self) -> NDArray[np.bool_]:
        """Buildings that get a rank."""
        return np.asarray(self.track_type == "ranked")


def tracks(table: pd.DataFrame, settings: TrackSettings, *, reference_year: int) -> Tracks:
    """Return the track of each building and the reason for it.

    ``table`` has what registers and surveys know of each building beside its measured year.
    A grade, plan or year that nobody recorded keeps a building in the ranking; the reason then says
    that its year is unknown.
    """
    share = plain_numbers(table["built_by_cutoff_share"])
    year = plain_numbers(table["construction_year_p50"])
    since = reference_year - plain_numbers(table["renovated_year"])
    grade = table["hazard_grade_code"].fillna("").str.upper().to_numpy(dtype=str)
    is_after = share < settings.min_built_by_cutoff_share
    rules = [
        (np.isin(grade, settings.hazard_grades), "hazard", np.char.add("hazard_grade_", grade)),
        (
            table["is_in_clearance_plan"].fillna(False).to_numpy(dtype=bool)
            & settings.exclude_clearance,
            "excluded",
            "in_clearance_plan",
        ),
        ((since >= 0) & (since < settings.renovated_within_yr), "excluded", "renovated_recently"),
        (is_after & (year > settings.reserve_until_year + 1), "excluded", "built_after_reserve"),
        (is_after, "reserve", "built_after_cutoff"),
        (np.isnan(share), "ranked", "year_unknown"),
        (share == 1, "ranked", "built_by_cutoff"),
    ]
    conditions = [rule[0] for rule in rules]
    track = np.select(conditions, [rule[1] for rule in rules], "ranked")
    reasons = [np.broadcast_to(np.asarray(rule[2]), len(table)) for rule in rules]
    return Tracks(track, np.select(conditions, reasons, "probably_built_by_cutoff"))
