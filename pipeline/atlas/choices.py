"""What a reader of the page may change: gates of the tracks, and what a saved scenario must repeat."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.atlas.packing import Pack
from pipeline.atlas.ties import real_numbers
from pipeline.problem import Problem
from pipeline.settings.whole import Settings

TRACKS = ("ranked", "reserve", "hazard", "excluded")
BASE = "base"

Flags = NDArray[np.bool_]


RULES = (
    ("hazard", "hazard"),
    ("clearance", "excluded"),
    ("renovated", "excluded"),
    ("age", "excluded"),
    ("age", "reserve"),
)
"""Gate and track of the rules that keep a building out of the ranking, in their order."""
OFF: dict[str, dict[str, Any]] = {
    "hazard": {"hazard_grades": []},
    "clearance": {"exclude_clearance": False},
    "renovated": {"renovated_within_yr": 0},
    "age": {"min_built_by_cutoff_share": 0.0},
}
"""What a scenario file says to switch a gate off."""


def gate_columns(table: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """Return ``gate_bits``, which of the ``RULES`` hold for each building, and ``is_lifted``.

    The first rule that holds and whose gate is on decides the track; ``is_lifted`` is what a veto
    would lift if it were ranked.

    Raises
    ------
    Problem
        If the rules would give a building another track than the table.
    """
    rule = settings.score.tracks
    share = real_numbers(table["built_by_cutoff_share"])
    year = real_numbers(table["construction_year_p50"])
    since = settings.measure.reference_year - real_numbers(table["renovated_year"])
    grade = table["hazard_grade_code"].astype("str").str.upper().fillna("").to_numpy(dtype=str)
    in_plan = table["is_in_clearance_plan"].fillna(False).to_numpy(dtype=bool)
    with np.errstate(invalid="ignore"):
        is_after = share < rule.min_built_by_cutoff_share
        holding: list[Flags] = [
            np.isin(grade, rule.hazard_grades),
            in_plan & rule.exclude_clearance,
            (since >= 0) & (since < rule.renovated_within_yr),
            is_after & (year > rule.reserve_until_year + 1),
            is_after,
        ]
    lifted = _lifted(table, settings)
    bits = np.zeros(len(table), dtype=np.int8)
    for place, holds in enumerate(holding):
        bits |= holds.astype(np.int8) << place
    found = np.select(holding, [track for _, track in RULES], "ranked")
    is_wrong = found != table["track_type"].to_numpy(dtype=str)
    is_wrong |= (lifted != table["is_lifted"].fillna(False).to_numpy(dtype=bool)) & (
        found == "ranked"
    )
    wrong = np.flatnonzero(is_wrong)
    if len(wrong):
        raise Problem(
            "atlas ← ranking.track_type",
            f"{len(wrong):,} of {len(table):,} rows go another way than the rules tell (first: "
            f"{table['building_id'].iloc[wrong[0]]} = {table['track_type'].iloc[wrong[0]]})",
            expected="the same track in the table and on the page",
            fix="delete this city's data/processed and run again; if it stays, report this",
        )
    return {"gate_bits": bits, "is_lifted": lifted}


def add_gates(pack: Pack, rows: pd.DataFrame) -> dict[str, Any]:
    """Pack the ``gate_columns``; return the rules, and the gates that keep a building out."""
    bits = rows["gate_bits"].to_numpy()
    pack.numbers("gate_bits", bits)
    pack.numbers("is_lifted", rows["is_lifted"].to_numpy())
    gates = []
    for key, change in OFF.items():
        mask = sum(1 << place for place, (gate, _) in enumerate(RULES) if gate == key)
        count = int(np.count_nonzero(bits & mask))
        if count:
            gates.append({"key": key, "count": count, "off": {"tracks": change}})
    kept = {gate["key"] for gate in gates}
    told = [{"gate": gate if gate in kept else "", "track": track} for gate, track in RULES]
    return {"gates": gates, "gate_rules": told}


def scenario_parts(settings: Settings, scenario: str) -> dict[str, Any]:
    """Return what a scenario file must hold beside the weights to give the same order.

    A scenario may have changed anything in score and plan, so that a file saved from its page
    repeats both sections; ``weighting`` makes the saved weights count as they stand.
    """
    told: dict[str, Any] = {"weighting": {}}
    if settings.score.weighting.method != "direct":
        told["weighting"] = {"weighting": {"method": "direct"}}
    if scenario != BASE:
        told["score_settings"] = settings.score.model_dump(mode="json")
        # prices come from the file that plan.price_list names; a scenario cannot state them
        plan = settings.plan.model_copy(update={"prices": {}})
        told["plan_settings"] = plan.model_dump(mode="json")
    return told


def _lifted(table: pd.DataFrame, settings: Settings) -> Flags:
    """Return which rows a veto would lift, whatever their track; missing values lift nobody."""
    lifted = np.zeros(len(table), dtype=bool)
    for veto in settings.score.vetoes.values():
        reached = np.ones(len(table), dtype=bool)
        for measure, least in veto.at_least.items():
            known = measure in table.columns
            with np.errstate(invalid="ignore"):
                reached &= (real_numbers(table[measure]) >= least) if known else False
        lifted |= reached
    return lifted
