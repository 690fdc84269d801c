"""Which way each building goes: one track, with its reason.

The tracks add up to the input: nothing disappears. Danger comes first, since a building that must be
repaired or rebuilt stays so whatever plan names it; then what makes renovation pointless; then age.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.numbers import plain_numbers
from pipeline.settings.score import TrackSettings

TRACKS = ("ranked", "reserve", "hazard", "excluded")
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Rule:
    """What keeps a building out of the ranking."""

    gate: str
    """Which setting switches the rule off; two rules of one gate are switched off together."""
    track_type: str
    reason_code: str
    """A grade follows it where the reason is the grade."""


RULES: Final = (
    Rule("hazard", "hazard", "hazard_grade_"),
    Rule("clearance", "excluded", "in_clearance_plan"),
    Rule("renovated", "excluded", "renovated_recently"),
    Rule("age", "excluded", "built_after_reserve"),
    Rule("age", "reserve", "built_after_cutoff"),
)
"""The first rule that holds decides."""
OFF: Final[dict[str, dict[str, object]]] = {
    "hazard": {"hazard_grades": []},
    "clearance": {"exclude_clearance": False},
    "renovated": {"renovated_within_yr": 0},
    "age": {"min_built_by_cutoff_share": 0.0},
}
"""What ``score.tracks`` says to switch a gate off."""


@dataclass(frozen=True)
class Tracks:
    """One entry for each building, in the order of the table."""

    track_type: NDArray[np.str_]
    reason_code: NDArray[np.str_]

    @property
    def is_ranked(self) -> Flags:
        """Buildings that get a rank."""
        return np.asarray(self.track_type == "ranked")


def tracks(table: pd.DataFrame, settings: TrackSettings, *, reference_year: int) -> Tracks:
    """Return the track of each building and the reason for it.

    ``table`` has what registers and surveys know of each building beside its measured year.
    A grade, plan or year that nobody recorded keeps a building in the ranking; the reason then says
    that its year is unknown.
    """
    share = plain_numbers(table["built_by_cutoff_share"])
    holding = [
        *holding_rules(table, settings, reference_year=reference_year),
        np.isnan(share),
        share == 1,
    ]
    reasons = [
        np.char.add(rule.reason_code, _grade(table)) if rule.gate == "hazard" else rule.reason_code
        for rule in RULES
    ]
    every = [
        np.broadcast_to(one, len(table)) for one in (*reasons, "year_unknown", "built_by_cutoff")
    ]
    return Tracks(
        track_of(holding[: len(RULES)]), np.select(holding, every, "probably_built_by_cutoff")
    )


def track_of(holding: Sequence[Flags]) -> NDArray[np.str_]:
    """Return the track of each building, from which of the ``RULES`` hold for it."""
    return np.asarray(np.select(list(holding), [rule.track_type for rule in RULES], "ranked"))


def holding_rules(
    table: pd.DataFrame, settings: TrackSettings, *, reference_year: int
) -> list[Flags]:
    """Return for each of the ``RULES`` for which buildings it holds; a missing value fulfils none."""
    share = plain_numbers(table["built_by_cutoff_share"])
    year = plain_numbers(table["construction_year_p50"])
    since = reference_year - plain_numbers(table["renovated_year"])
    in_plan = table["is_in_clearance_plan"].fillna(False).to_numpy(dtype=bool)
    with np.errstate(invalid="ignore"):
        is_after = share < settings.min_built_by_cutoff_share
        return [
            np.isin(_grade(table), settings.hazard_grades),
            in_plan & settings.exclude_clearance,
            (since >= 0) & (since < settings.renovated_within_yr),
            is_after & (year > settings.reserve_until_year + 1),
            is_after,
        ]


def _grade(table: pd.DataFrame) -> NDArray[np.str_]:
    grade = table["hazard_grade_code"].astype("str").str.upper().fillna("")
    return np.asarray(grade.to_numpy(dtype=str))
