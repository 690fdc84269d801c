"""When a project may start, which of its measures carry a vote, and which building is shown first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.consent.forecast import Gains, learned_gains, rounds_until_met
from pipeline.consent.votes import consent_by_building, consent_by_group
from pipeline.settings.consent import ConsentSettings
from pipeline.settings.plan import PlanSettings

NEVER = 9999


@dataclass(frozen=True)
class Votes:
    """What owners say: the latest votes of buildings and of projects, and what rounds won so far."""

    by_building: pd.DataFrame
    by_project: pd.DataFrame
    gains: Gains


@dataclass(frozen=True)
class Readiness:
    """One entry for each project, sorted by its id; ``year`` is ``NEVER`` where nothing is in sight."""

    project_id: NDArray[np.object_]
    year: NDArray[np.int64]
    kind: NDArray[np.object_]
    favour_owner_share: NDArray[np.float64]


def votes_of(consents: pd.DataFrame, members: pd.DataFrame, rules: ConsentSettings) -> Votes:
    """Return the votes with the number of rounds after which each carries, ``rounds_ahead``.

    ``members`` has building_id, project_id, household_count and floor_area_m2.
    """
    gains = learned_gains(consents, rules)
    by_building, by_project = (
        found.assign(rounds_ahead=rounds_until_met(found, gains, rules))
        for found in (
            consent_by_building(consents, rules),
            consent_by_group(consents, members, rules),
        )
    )
    return Votes(by_building, by_project, gains)


def readiness(
    votes: Votes,
    project_id: NDArray[np.object_],
    has_heritage: NDArray[np.bool_],
    settings: PlanSettings,
    rules: ConsentSettings,
) -> Readiness:
    """Return the first year in which each project may start, and what that rests on."""
    rule, first_year = settings.readiness, settings.schedule.first_year
    gate = votes.by_project[votes.by_project["measure_type"] == rule.gate_consent]
    gate = gate.set_index("project_id").reindex(project_id)
    rounds = pd.to_numeric(gate["rounds_ahead"]).to_numpy(dtype=float)
    met = gate["is_met"].astype("boolean")
    asked = (met.notna() & gate["asked_building_count"].notna()).to_numpy(dtype=bool)
    later = first_year + np.ceil(rounds / rules.forecast.rounds_per_year) - 1
    year = np.select(
        [rounds == 0, rounds > 0, ~asked],
        [first_year, later + rule.vote_to_start_yr, first_year + rule.unasked_wait_yr],
        NEVER,
    )
    kind = np.select(
        [rounds == 0, rounds > 0, ~asked], ["agreed", "forecast", "not_asked"], "refused"
    ).astype(object)
    year = np.where(has_heritage & (year < NEVER), year + rule.heritage_wait_yr, year)
    favour = pd.to_numeric(gate["favour_owner_share"]).to_numpy(dtype=float)
    return Readiness(project_id, year.astype(np.int64), kind, favour)


def agreements(
    votes: Votes,
    building_id: pd.Series,
    project_id: pd.Series,
    ready: Readiness,
    settings: PlanSettings,
    rules: ConsentSettings,
) -> dict[str, NDArray[np.bool_]]:
    """Return for each matter of consent which buildings agree, or are expected to by their start.

    Matters of the estate follow the estate's vote, matters of the building its own: one stairwell's
    refusal stops its lift and nothing else. Where nobody was asked, what the estate decides is
    planned, since the project waits for its vote anyhow; what a building decides is not.
    """
    year_of = pd.Series(ready.year, index=ready.project_id)
    ready_year = project_id.map(year_of).to_numpy()
    first_year = settings.schedule.first_year
    wanted = {one.consent for one in settings.measures.values() if one.consent}
    found = {}
    for matter in sorted(wanted):
        known = rules.measures.get(matter)
        decided_by = known.decided_by if known else rules.other_decided_by
        table, key, column = (
            (votes.by_building, building_id, "building_id")
            if decided_by == "building"
            else (votes.by_project, project_id, "project_id")
        )
        of = table[table["measure_type"] == matter].set_index(column)
        rounds = key.map(pd.to_numeric(of["rounds_ahead"]).astype("float64")).to_numpy()
        year = first_year + np.ceil(rounds / rules.forecast.rounds_per_year) - 1
        agrees = (rounds == 0) | (year + settings.readiness.vote_to_start_yr <= ready_year)
        if decided_by != "building":
            unknown = ~key.isin(of.index[of["is_met"].notna()]).to_numpy()
            agrees |= unknown
        found[matter] = agrees
    return found


def pilots(
    votes: Votes, rows: pd.DataFrame, project_id: pd.Series, settings: PlanSettings
) -> pd.DataFrame:
    """Return the building of each project to be shown first (样板间), and why.

    The neediest of those whose owners agree; if none agrees, the one closest to agreeing, where a
    show building wins most; if nobody was asked, the neediest. Indexed by project id.
    """
    of = votes.by_building
    of = of[of["measure_type"] == settings.readiness.gate_consent].set_index("building_id")
    table = pd.DataFrame(
        {
            "project_id": project_id.to_numpy(),
            "building_id": rows["building_id"].to_numpy(),
            "score": rows["score_points"].to_numpy(dtype=float),
            "favour": rows["building_id"].map(of["favour_owner_share"]).to_numpy(dtype=float),
            "met": rows["building_id"].map(of["is_met"].fillna(False)).fillna(False).to_numpy(bool),
        }
    )
    table["any_met"] = table.groupby("project_id")["met"].transform("any")
    table["any_asked"] = table["favour"].notna().groupby(table["project_id"]).transform("any")
    by_score = table["met"] | ~table["any_asked"]
    table["merit"] = np.where(by_score, table["score"], table["favour"])
    table = table[table["met"] | ~table["any_met"]]
    best = table.sort_values(
        ["project_id", "merit", "building_id"], ascending=[True, False, True], na_position="last"
    ).drop_duplicates("project_id")
    reason = np.select(
        [best["any_met"], best["any_asked"]],
        ["agrees_and_neediest", "closest_to_agreeing"],
        "neediest_not_asked",
    )
    return pd.DataFrame(
        {"pilot_building_id": best["building_id"].to_numpy(), "pilot_reason_code": reason},
        index=best["project_id"].to_numpy(),
    )
