"""Surveys and ledgers laid over buildings; every expected value worked out by hand."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pipeline.contracts.raw import FeatureTable
from pipeline.intake.neighbourhoods import middles, with_area, with_census
from pipeline.intake.register_cells import Cells
from pipeline.intake.rejects import Rejects
from pipeline.intake.surveys import (
    consents,
    estate_facts,
    management_type,
    with_clearance,
    with_inspection,
    with_renovations,
)
from pipeline.measure.parking import parking_gap_share
from pipeline.settings.city import Source
from pipeline.settings.measure import ParkingRule
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

INTAKE = read_settings(REPOSITORY / "config", "reference", "base").intake


def source(role: str, columns: dict[str, list[str]], crs: str = "EPSG:4326") -> Source:
    return Source(
        path="x", role=role, format="csv", datum="wgs84", crs=crs, encoding="utf-8",
        columns=columns, publisher="p", licence="l", attribution="a", date="2026",
    )  # fmt: skip


def cells(role: str, rows: list[dict[str, str]]) -> Cells:
    table = pd.DataFrame(rows, dtype="str")
    return Cells(table, source(role, {name: [name] for name in table}), Rejects(role))


@pytest.fixture
def buildings() -> gpd.GeoDataFrame:
    """Two buildings of estate E1, one of E2, one of none."""
    return gpd.GeoDataFrame(
        {
            "building_id": ["B1", "B2", "B3", "B4"],
            "estate_id": pd.Series(["E1", "E1", "E2", None], dtype="str"),
            "community_id": pd.Series(["C1", "C1", "C2", None], dtype="str"),
        },
        geometry=[shapely.box(x, 0, x + 1, 1) for x in (0, 2, 12, 30)],
        crs="EPSG:32648",
    )


def reasons(found: Cells) -> list[tuple[str, str, str]]:
    return [(row, scope, reason) for row, scope, _, reason, _ in found.rejects.records]


def test_inspected_faults_become_shares_and_what_nobody_looked_at_stays_empty(
    buildings: gpd.GeoDataFrame,
) -> None:
    inspection = cells(
        "inspection",
        [
            {"building_id": "B1", "inspection_year": "2023-04-02", "gas_fault_share": "轻微"},
            {"building_id": "B2", "inspection_year": "2024", "gas_fault_share": ""},
            {"building_id": "B3", "inspection_year": "八十年代", "gas_fault_share": "有点"},
            {"building_id": "B1", "inspection_year": "2025", "gas_fault_share": "无"},
            {"building_id": "B9", "inspection_year": "2025", "gas_fault_share": "无"},
            {"building_id": "", "inspection_year": "2025", "gas_fault_share": "无"},
        ],
    )
    found = with_inspection(buildings, inspection, INTAKE)
    assert found["gas_fault_share"].tolist()[:1] == [0.5]
    assert found["gas_fault_share"].isna().tolist() == [False, True, True, True]
    assert found["inspection_year"].tolist()[:2] == [2023, 2024]
    assert found["inspection_year"].isna().tolist() == [False, False, True, True]
    assert sorted(reasons(inspection)) == [
        ("3", "value", "no_single_year"),
        ("3", "value", "unknown_word"),
        ("4", "row", "rows_differ"),
        ("5", "row", "unknown_key"),
        ("6", "row", "no_key"),
    ]


def test_the_latest_renovation_of_a_building_or_its_estate_counts(
    buildings: gpd.GeoDataFrame,
) -> None:
    ledger = cells(
        "renovations",
        [
            {"estate_id": "E1", "building_id": "", "renovated_year": "2019"},
            {"estate_id": "E1", "building_id": "B2", "renovated_year": "2022"},
            {"estate_id": "E1", "building_id": "B1", "renovated_year": "2010"},
            {"estate_id": "E9", "building_id": "", "renovated_year": "2024"},
            {"estate_id": "", "building_id": "", "renovated_year": "2024"},
        ],
    )
    found = with_renovations(buildings, ledger, INTAKE)["renovated_year"]
    assert found.tolist()[:2] == [2019, 2022]
    assert found.isna().tolist() == [False, False, True, True]
    assert reasons(ledger) == [("4", "row", "unknown_key"), ("5", "row", "no_key")]


def test_a_clearance_plan_without_a_readable_year_still_counts(
    buildings: gpd.GeoDataFrame,
) -> None:
    plan = cells(
        "clearance",
        [
            {"estate_id": "E1", "clearance_year": "2027", "clearance_status_text": "拟征收"},
            {"estate_id": "E2", "clearance_year": "?", "clearance_status_text": ""},
        ],
    )
    found = with_clearance(buildings, plan, INTAKE)
    assert found["is_in_clearance_plan"].tolist() == [True, True, True, False]
    assert found["clearance_year"].tolist()[:2] == [2027, 2027]
    assert found["clearance_year"].isna().tolist() == [False, False, True, True]
    assert found["clearance_status_text"].isna().tolist() == [False, False, True, True]


def test_votes_that_cannot_be_are_left_out_with_the_reason(buildings: gpd.GeoDataFrame) -> None:
    good = {
        "building_id": "B1", "measure_type": "lift", "survey_round_number": "1",
        "survey_year": "2023-03-15", "owner_count": "48", "voting_owner_count": "40",
        "favour_owner_count": "30", "voting_area_share": "0.8", "favour_area_share": "0.6",
    }  # fmt: skip
    votes = cells(
        "consent",
        [
            good,
            good | {"survey_round_number": "2", "voting_owner_count": "49"},
            good | {"survey_round_number": "3", "favour_owner_count": "41"},
            good | {"survey_round_number": "4", "favour_area_share": "0.81"},
            good | {"survey_round_number": "first"},
            good | {"survey_round_number": "5", "voting_area_share": "80"},
            good,
        ],
    )
    found = consents(buildings, votes, INTAKE)
    assert found["survey_round_number"].tolist() == [1, 5]
    assert found["survey_year"].tolist() == [2023, 2023]
    assert np.isnan(found["voting_area_share"].iloc[1]), "80 is no share: empty, not 0.8"
    left_out = {row: reason for row, scope, reason in reasons(votes) if scope == "row"}
    assert left_out == {
        "2": "impossible_vote", "3": "impossible_vote", "4": "impossible_vote",
        "5": "impossible_vote", "7": "duplicate_row",
    }  # fmt: skip


def test_facts_of_estates_keep_what_is_not_known_empty() -> None:
    survey = cells(
        "estate_survey",
        [
            {
                "estate_id": "E1",
                "estate_name": "甲",
                "parking_space_count": "20",
                "is_walled": "有",
            },
            {"estate_id": "E2", "estate_name": "", "parking_space_count": "-3", "is_walled": "半"},
        ],
    )
    facts = estate_facts(survey, INTAKE)
    assert facts["parking_space_count"].tolist()[0] == 20
    assert facts["is_walled"].tolist()[0] is True
    assert facts.loc[1, ["estate_name", "parking_space_count", "is_walled"]].isna().all()
    assert facts["charging_space_count"].isna().all()


def test_a_manager_is_nobody_the_community_or_a_company() -> None:
    names = pd.Series(["无", "社区代管", "某某物业", None], dtype="str")
    words = {"无": "none", "社区代管": "community"}
    assert management_type(names, words).tolist()[:3] == ["none", "community", "company"]
    assert management_type(names, words).isna().tolist() == [False, False, False, True]


def test_an_outline_goes_before_the_register_and_outside_all_the_register_stays(
    buildings: gpd.GeoDataFrame,
) -> None:
    named = buildings.assign(community_name=pd.Series(["x", "x", "x", "旧"], dtype="str"))
    fields = pd.DataFrame({"id": ["C7", "C8"], "name": ["甲", "乙"]}, dtype="str")
    shapes = np.array([shapely.box(-1, -1, 5, 5), shapely.Point(3, 3)])
    rejects = Rejects("communities")
    place = source(
        "communities", {"community_id": ["id"], "community_name": ["name"]}, "EPSG:32648"
    )
    columns = ("community_id", "community_name")
    found, used = with_area(
        named, middles(named), FeatureTable(fields, shapes), place, columns, rejects
    )
    assert found["community_name"].tolist() == ["甲", "甲", "x", "旧"]
    assert found["community_id"].tolist()[:3] == ["C7", "C7", "C2"]
    assert (used, rejects.row_count) == (1, 1)


def test_elders_are_a_share_of_residents(buildings: gpd.GeoDataFrame) -> None:
    census = cells(
        "census",
        [
            {"community_id": "C1", "resident_count": "4000", "elder_count": "1000"},
            {"community_id": "C2", "resident_count": "100", "elder_count": "101"},
        ],
    )
    found = with_census(buildings, census)["elder_share"]
    assert found.tolist()[:2] == [0.25, 0.25]
    assert found.isna().tolist() == [False, False, True, True]
    assert reasons(census) == [("2", "value", "impossible_number")]


def test_parking_is_missed_by_what_the_norm_asks_for() -> None:
    """Estate A: 40 and 60 households and one of 50 on average, 150 in all; the norm asks for 75."""
    housing = pd.DataFrame(
        {
            "estate_id": pd.Series(["A", "A", "A", "B", "C", "C", "C", None], dtype="str"),
            "household_count": pd.array([40, 60, None, 10, None, None, 9, 5], dtype="Int64"),
        }
    )
    facts = pd.DataFrame({"estate_id": ["A", "B", "C"], "parking_space_count": [30, 99, 1]})
    rule = ParkingRule(spaces_per_household=0.5, min_known_household_share=0.5)
    found = parking_gap_share(housing, facts, rule)
    assert found.tolist()[:4] == pytest.approx([0.6, 0.6, 0.6, 0.0])
    assert found.isna().tolist() == [False] * 4 + [True] * 4
