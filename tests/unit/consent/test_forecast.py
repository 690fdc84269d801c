"""Support carried forward on numbers worked by hand, and when a project may start because of it."""

import numpy as np
import pandas as pd
import pytest

from pipeline.consent.forecast import forecast_shares, learned_gains, rounds_until_met
from pipeline.consent.votes import consent_by_building
from pipeline.plan.readiness import NEVER, agreements, pilots, readiness, votes_of
from pipeline.settings.consent import ConsentSettings
from pipeline.settings.plan import PlanSettings
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

_ALL = read_settings(REPOSITORY / "config", "reference", "base")
PLAN: PlanSettings = _ALL.plan
RULES: ConsentSettings = _ALL.consent.model_copy(
    update={"forecast": _ALL.consent.forecast.model_copy(update={"min_pair_count": 1})}
)


def vote(building: str, matter: str, number: int, took_part: int, agreed: int) -> dict:
    return {
        "building_id": building, "measure_type": matter, "survey_round_number": number,
        "survey_year": 2022 + number, "owner_count": 1000, "voting_owner_count": took_part,
        "favour_owner_count": agreed, "voting_area_share": took_part / 1000,
        "favour_area_share": agreed / 1000,
    }  # fmt: skip


# 800 take part; 400 agree at first, 585 then: from 1/2 to 0.731, one logit
TAUGHT = [vote("T", "pipes", 1, 800, 400), vote("T", "pipes", 2, 800, 585)]
MEMBERS = pd.DataFrame(
    {
        "building_id": ["A", "B", "C", "D"],
        "project_id": ["P-A", "P-B", "P-C", "P-D"],
        "household_count": [1000.0] * 4,
        "floor_area_m2": [1000.0] * 4,
    }
)


def test_a_gain_of_one_logit_is_learned_and_fades() -> None:
    gains = learned_gains(pd.DataFrame(TAUGHT), RULES)
    assert gains.by_measure["pipes"] == pytest.approx([0, 0, 1.0, 1.0], abs=2e-3)
    asked = consent_by_building(pd.DataFrame([vote("A", "pipes", 1, 700, 350)]), RULES)
    after = [forecast_shares(asked, gains, rounds, 0.5)[0, 2] for rounds in (1, 2, 3)]
    # logits 1, 1.5, 1.75
    assert after == pytest.approx([0.731, 0.818, 0.852], abs=1e-3)


def test_when_a_vote_will_carry() -> None:
    table = pd.DataFrame(
        [
            *TAUGHT,
            vote("A", "pipes", 1, 700, 400),  # carries now: 4/7
            vote("B", "pipes", 1, 700, 300),  # 3/7, logit −0.29: one round more
            vote("C", "pipes", 1, 700, 70),  # 1/10, logit −2.2: gains sum to 2, never
            vote("D", "pipes", 1, 600, 500),  # no quorum, and turnout never grew: never
        ]
    )
    gains = learned_gains(table, RULES)
    votes = consent_by_building(table[table["building_id"] != "T"], RULES)
    found = rounds_until_met(votes, gains, RULES)
    assert found[:2].tolist() == [0, 1]
    assert np.isnan(found[2:]).all()


def start(*votes_given: dict, heritage: str = "") -> dict[str, tuple[int, str]]:
    votes = votes_of(pd.DataFrame([*TAUGHT, *votes_given]), MEMBERS, RULES)
    ids = MEMBERS["project_id"].to_numpy(dtype=object)
    has_heritage = np.array([one == heritage for one in ids])
    found = readiness(votes, ids, has_heritage, PLAN, RULES)
    return dict(zip(ids, zip(found.year.tolist(), found.kind.tolist(), strict=True), strict=True))


def test_the_first_year_follows_from_the_vote() -> None:
    """Agreed: at once; one more round in 2026 and a year of design; never; not asked: in two years."""
    found = start(
        vote("A", "pipes", 1, 700, 400), vote("B", "pipes", 1, 700, 300),
        vote("C", "pipes", 1, 700, 70), heritage="P-A",
    )  # fmt: skip
    assert found == {
        "P-A": (2027, "agreed"), "P-B": (2027, "forecast"), "P-C": (NEVER, "refused"),
        "P-D": (2028, "not_asked"),
    }  # fmt: skip


def test_a_refused_lift_leaves_the_pipes_and_an_unasked_building_gets_no_lift() -> None:
    table = pd.DataFrame(
        [
            *TAUGHT,
            vote("A", "pipes", 1, 900, 800),
            vote("A", "lift", 1, 900, 90),
            vote("B", "pipes", 1, 900, 800),
            vote("B", "lift", 1, 900, 800),
        ]
    )
    votes = votes_of(table, MEMBERS, RULES)
    ids = MEMBERS["project_id"]
    ready = readiness(votes, ids.to_numpy(dtype=object), np.zeros(4, bool), PLAN, RULES)
    agrees = agreements(votes, MEMBERS["building_id"], ids, ready, PLAN, RULES)
    assert agrees["pipes"].tolist() == [True, True, True, True]  # C and D wait for their vote
    assert agrees["lift"].tolist() == [False, True, False, False]


def test_the_pilot_building_and_why() -> None:
    rows = pd.DataFrame(
        {"building_id": ["A", "B", "C", "D"], "score_points": [10.0, 20.0, 30.0, 40.0]}
    )
    one = pd.Series(["P"] * 4)
    members = MEMBERS.assign(project_id="P")

    def pilot(*given: dict) -> tuple[str, str]:
        votes = votes_of(pd.DataFrame([*TAUGHT, *given]), members, RULES)
        return tuple(pilots(votes, rows, one, PLAN).loc["P"])

    agree = [vote("A", "pipes", 1, 900, 800), vote("B", "pipes", 1, 900, 700)]
    assert pilot(*agree, vote("D", "pipes", 1, 900, 9)) == ("B", "agrees_and_neediest")
    refuse = [vote("A", "pipes", 1, 900, 300), vote("D", "pipes", 1, 900, 200)]
    assert pilot(*refuse) == ("A", "closest_to_agreeing")
    assert pilot() == ("D", "neediest_not_asked")
