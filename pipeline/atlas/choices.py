"""What a reader of the page may change: gates of the tracks, and what a saved scenario must repeat."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.atlas.packing import Pack
from pipeline.problem import Problem
from pipeline.rules.tracks import OFF, RULES, holding_rules, track_of
from pipeline.rules.vetoes import lifted_by
from pipeline.settings.whole import Settings

BASE = "base"


def gate_columns(table: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """Return ``gate_bits``, which of the ``RULES`` hold for each building, and ``is_lifted``.

    The first rule that holds and whose gate is on decides the track; ``is_lifted`` is what a veto
    would lift if it were ranked, whatever its track.

    Raises
    ------
    Problem
        If the rules would give a building another track than the table.
    """
    holding = holding_rules(
        table, settings.score.tracks, reference_year=settings.measure.reference_year
    )
    lifted = lifted_by(table, settings.score.vetoes) != ""
    bits = np.zeros(len(table), dtype=np.int8)
    for place, holds in enumerate(holding):
        bits |= holds.astype(np.int8) << place
    found = track_of(holding)
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
        mask = sum(1 << place for place, rule in enumerate(RULES) if rule.gate == key)
        count = int(np.count_nonzero(bits & mask))
        if count:
            gates.append({"key": key, "count": count, "off": {"tracks": change}})
    kept = {gate["key"] for gate in gates}
    told = [
        {"gate": rule.gate if rule.gate in kept else "", "track": rule.track_type} for rule in RULES
    ]
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
