"""Civil Code art. 278 on votes that one can count by hand."""

import pandas as pd
import pytest

from pipeline.consent.votes import consent_by_building, consent_by_group
from pipeline.settings.consent import ConsentSettings
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

RULES: ConsentSettings = read_settings(REPOSITORY / "config", "reference", "base").consent


def votes(*rows: tuple) -> pd.DataFrame:
    names = [
        "building_id", "measure_type", "survey_round_number", "owner_count", "voting_owner_count",
        "favour_owner_count", "voting_area_share", "favour_area_share",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names).assign(survey_year=2024)


def is_met(*row: object) -> object:
    return consent_by_building(votes(("B1", *row)), RULES)["is_met"].iloc[0]


@pytest.mark.parametrize(
    ("row", "carried"),
    [
        # 30 owners: 20 are exactly two thirds; more than half of 20 is 11, three quarters are 15
        (("pipes", 1, 30, 20, 11, 0.70, 0.40), True),
        (("pipes", 1, 30, 19, 19, 0.70, 0.70), False),  # quorum by number missed
        (("pipes", 1, 30, 20, 20, 0.66, 0.66), False),  # quorum by area missed
        (("pipes", 1, 30, 20, 10, 0.70, 0.40), False),  # half is not more than half
        (("pipes", 1, 30, 20, 11, 0.70, 0.35), False),  # half of the area is not enough either
        (("lift", 1, 30, 20, 15, 0.80, 0.60), True),  # three quarters exactly
        (("lift", 1, 30, 20, 14, 0.80, 0.60), False),
        (("lift", 1, 30, 20, 15, 0.80, 0.59), False),
        (("cellar", 1, 30, 20, 14, 0.80, 0.60), False),  # a matter nobody classed: the stricter
        (("pipes", 1, 30, 0, 0, 0.0, 0.0), False),
    ],
)
def test_two_quorums_and_two_majorities(row: tuple, carried: bool) -> None:
    assert is_met(*row) == carried


def test_the_latest_round_counts_even_if_support_fell() -> None:
    table = votes(("B1", "lift", 2, 30, 30, 10, 1.0, 0.4), ("B1", "lift", 1, 30, 30, 30, 1.0, 1.0))
    found = consent_by_building(table, RULES).iloc[0]
    assert found["survey_round_number"] == 2
    assert not found["is_met"]
    assert found["favour_owner_share"] == pytest.approx(1 / 3)


def test_a_missing_count_is_neither_yes_nor_no() -> None:
    assert is_met("pipes", 1, 30, None, 20, 0.9, 0.9) is pd.NA
    assert is_met("pipes", 1, None, 20, 20, 0.9, 0.9) is pd.NA
    assert is_met("pipes", 1, 0, 0, 0, 0.9, 0.9) is pd.NA


MEMBERS = pd.DataFrame(
    {
        "building_id": ["B1", "B2", "B3"],
        "project_id": ["P", "P", "Q"],
        "household_count": pd.array([30, 30, 10], dtype="Int64"),
        "floor_area_m2": [3000.0, 1000.0, 500.0],
    }
)


def test_one_buildings_refusal_stops_its_lift_but_not_the_estates_pipes() -> None:
    table = votes(
        ("B1", "lift", 1, 30, 30, 30, 1.0, 1.0), ("B2", "lift", 1, 30, 30, 3, 1.0, 0.1),
        ("B1", "pipes", 1, 30, 30, 25, 1.0, 0.8), ("B2", "pipes", 1, 30, 30, 10, 1.0, 0.3),
    )  # fmt: skip
    by_building = consent_by_building(table, RULES).set_index(["building_id", "measure_type"])
    assert by_building["is_met"].to_dict() == {
        ("B1", "lift"): True, ("B2", "lift"): False, ("B1", "pipes"): True, ("B2", "pipes"): False,
    }  # fmt: skip
    group = consent_by_group(table, MEMBERS, RULES).set_index(["project_id", "measure_type"])
    pipes = group.loc[("P", "pipes")]
    # 35 of 60 owners; (0.8 × 3000 + 0.3 × 1000) of 4000 m²
    assert pipes["favour_of_voting_owner_share"] == pytest.approx(35 / 60)
    assert pipes["favour_of_voting_area_share"] == pytest.approx(0.675)
    assert pipes["is_met"]
    assert group.loc[("P", "lift"), "met_building_count"] == 1
    assert ("Q", "pipes") not in group.index


def test_who_was_not_asked_counts_as_not_taking_part() -> None:
    table = votes(("B1", "pipes", 1, 30, 30, 30, 1.0, 1.0))
    pipes = consent_by_group(table, MEMBERS, RULES).iloc[0]
    assert pipes["voting_owner_share"] == pytest.approx(0.5)
    assert pipes["voting_area_share"] == pytest.approx(0.75)
    assert not pipes["is_met"]
    unknown = MEMBERS.assign(household_count=pd.array([30, None, 10], dtype="Int64"))
    assert consent_by_group(table, unknown, RULES).iloc[0]["is_met"] is pd.NA


def test_no_survey_gives_no_rows() -> None:
    assert consent_by_building(votes(), RULES).empty
    assert consent_by_group(votes(), MEMBERS, RULES).empty
