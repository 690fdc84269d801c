"""The list for finance on two projects worked by hand: years, sources, classes, consent, areas."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.tables import PLAN_LINES, PLAN_PROJECTS
from pipeline.plan.annual_list import annual_list, consent_text, listed_projects
from pipeline.plan.area_plans import area_plans, with_plans
from pipeline.plan.funding import by_year
from pipeline.plan.outputs import BY_BUILDING, OF_AREAS
from pipeline.settings.plan import SOURCES, PlanSettings
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

SETTINGS: PlanSettings = read_settings(REPOSITORY / "config", "yuzhong", "base").plan
YEAR = SETTINGS.schedule.first_year
CENTS = {"central": 50_001, "district": 30_000, "resident": 20_000}
"""1000.01 yuan of the project that is planned; the one that waits would cost 77.07."""


def cents_by_source() -> np.ndarray:
    return np.array([[CENTS.get(name, 0) for name in SOURCES]], dtype=np.int64)


def projects() -> pd.DataFrame:
    money = {f"{name}_cny": [CENTS.get(name, 0) / 100, 0.0] for name in SOURCES}
    return pd.DataFrame(
        {
            "project_id": ["P1", "P2"], "project_name": ["云金坪", "虹禄庭"],
            "district_name": ["江北区", "江北区"], "need_households": [5.0, 9.0],
            "building_count": [2, 3], "household_plan_count": [40, 60],
            "floor_area_plan_m2": [2000.0, 3000.0], "lift_count": [1, 2],
            "construction_year_earliest": pd.array([1980, 1980], dtype="Int64"),
            "construction_year_latest": pd.array([1980, 1990], dtype="Int64"),
            "construction_basis": ["recorded", "inferred|recorded"],
            "renovation_route_type": ["comprehensive", "management"],
            "management_type": ["none", None], "heritage_name": [None, None],
            "planned_year": pd.array([YEAR, None], dtype="Int64"),
            "cost_cny": [1000.01, 77.07], **money,
            "readiness_type": ["agreed", "not_asked"], "favour_owner_share": [0.75, np.nan],
            "batch_type": ["implement", "reserve"], "wait_reason_code": [None, "budget"],
            "lifted_count": [2, 1], "is_first_for_safety": [True, False],
            "entry_type": [None, "margin"], "replacement_households": [1.25, np.nan],
        }
    )  # fmt: skip


def lines() -> pd.DataFrame:
    paid = by_year(cents_by_source(), (0.6, 0.4))[0]
    return pd.DataFrame(
        {
            "project_id": "P1",
            "district_name": "江北区",
            "plan_year": [YEAR, YEAR + 1],
            "payment_cny": paid.sum(axis=1) / 100,
            "public_cny": paid[:, :4].sum(axis=1) / 100,
            **{f"{name}_cny": paid[:, i] / 100 for i, name in enumerate(SOURCES)},
        }
    )


def works() -> pd.DataFrame:
    """Two basic works, one improving; a façade that was called for and is not done costs nothing."""
    return pd.DataFrame(
        {
            "project_id": ["P1", "P1", "P1", "P1", "P2"],
            "works_type": ["pipes", "gas", "facade", "lift", "pipes"],
            "renovation_class_type": ["basic", "basic", "improving", "improving", "basic"],
            "works_quantity": [1500.0, 40.0, 0.0, 1.0, 300.0],
            "unit_name": ["m²", "户", "m²", "台", "m²"],
            "cost_cny": [600.01, 100.0, 0.0, 300.0, 77.07],
        }
    )


def described() -> pd.DataFrame:
    plan = SimpleNamespace(works_rule=np.array([1, 0]))
    return listed_projects(plan, projects(), lines(), works(), SETTINGS, frozenset({"P1"}))  # type: ignore[arg-type]


def test_a_year_is_split_by_source_to_the_cent() -> None:
    """100,001 cents, 60 and 40 %: 60,000.6 and 40,000.4 due, so 60,001 and 40,000.

    Of the first 60,001 / 100,001: central 30,000.8, district 18,000.1, residents 12,000.1; the cent
    that is missing goes to the largest remainder. The second year pays what is left.
    """
    rows = annual_list(described(), lines())[:2]
    assert rows["list_year"].tolist() == [YEAR, YEAR + 1]
    assert rows["payment_wan_cny"].tolist() == [0.060001, 0.04]
    assert rows["central_wan_cny"].tolist() == [0.030001, 0.02]
    assert rows["district_wan_cny"].tolist() == [0.018, 0.012]
    assert rows["resident_wan_cny"].tolist() == [0.012, 0.008]
    assert rows["next_year_wan_cny"].tolist() == [0.04, 0.0]
    assert rows["progress_text"].tolist() == ["新开工", "续建"]


def test_a_project_stands_once_and_waiting_money_by_itself() -> None:
    rows = annual_list(described(), lines())
    assert rows["project_id"].tolist() == ["P1", "P1", "P2"]
    assert rows["project_total_wan_cny"].sum() == pytest.approx(0.100001, abs=1e-9)
    assert rows["project_total_wan_cny"].isna().tolist() == [False, True, True]
    assert rows["waiting_cost_wan_cny"].isna().tolist() == [True, True, False]
    assert rows["waiting_cost_wan_cny"].sum() == pytest.approx(0.007707, abs=1e-9)
    assert pd.isna(rows["payment_wan_cny"][2])
    assert rows["listed_household_count"].sum() == 100  # 40 + 60, not 140


def test_a_year_is_split_by_class_to_the_cent() -> None:
    """70,001 cents basic, 30,000 improving; 60,001 and 40,000 due, as above. Of the first 60,001 /
    100,001: basic 42,000.9, improving 18,000.1, so 42,001 and 18,000."""
    rows = annual_list(described(), lines())
    assert rows["basic_wan_cny"].tolist()[:2] == [0.042001, 0.028]
    assert rows["improving_wan_cny"].tolist()[:2] == [0.018, 0.012]
    assert rows["upgrading_wan_cny"].tolist()[:2] == [0.0, 0.0]
    assert pd.isna(rows["basic_wan_cny"][2])  # what waits is planned nowhere


def test_safety_and_what_would_bring_it_in_are_said() -> None:
    rows = annual_list(described(), lines())
    assert rows["safety_text"].tolist() == [
        "2栋有严重安全隐患，优先开工", "2栋有严重安全隐患，优先开工", "1栋有严重安全隐患，未列入",
    ]  # fmt: skip
    assert rows["entry_text"].isna().tolist() == [True, True, False]
    assert rows["replacement_households"].tolist()[0] == 1.25
    assert rows["replacement_households"].isna().tolist() == [False, True, True]


def test_money_is_split_by_class_and_every_class_is_named() -> None:
    told = described()
    assert told["basic_wan_cny"].tolist() == [0.070001, 0.007707]
    assert told["improving_wan_cny"].tolist() == [0.03, 0.0]
    assert told["upgrading_wan_cny"].tolist() == [0.0, 0.0]
    assert told["renovation_class_text"].tolist() == ["基础类、完善类", "基础类"]
    assert "外墙" not in told["works_text"][0]  # called for, not done


@pytest.mark.parametrize(
    ("kind", "share", "is_asked", "words"),
    [
        ("agreed", 0.7283, True, "72.8%，已达标"),
        ("refused", 0.129, True, "12.9%，未达标"),
        ("forecast", 0.4, True, "40.0%，未达标（预计可达标）"),
        ("not_asked", np.nan, False, "未征求"),
        ("not_asked", np.nan, True, "征求结果不全"),
        ("not_asked", 0.5, True, "50.0%，征求结果不全"),
    ],
)
def test_consent_is_said_and_never_empty(
    kind: str, share: float, is_asked: bool, words: str
) -> None:
    assert consent_text(kind, share, is_asked=is_asked) == words


def test_a_project_counts_where_most_of_its_floor_stands() -> None:
    """P1: 900 m² by road A, 600 by road B, 500 beyond the border; it counts in 江北区, by road A."""
    placed = pd.DataFrame(
        {
            "building_id": ["B1", "B2", "B3", "B4"],
            "district_name": ["江北区", "江北区", "渝北区", "渝北区"],
            "area_id": ["江北区/road/A", "江北区/road/B", "渝北区/road/A", "渝北区/road/C"],
            "community_id": [None, "01", None, None],
        }
    )
    members = pd.DataFrame(
        {
            "project_id": ["P1", "P1", "P1", "P2"],
            "planned_year": pd.array([YEAR, YEAR, YEAR, None], dtype="Int64"),
            "household_count": [10.0, 20.0, 10.0, 30.0],
            "floor_area_m2": [900.0, 600.0, 500.0, 800.0],
            "is_asked": [True, False, True, False],
            "has_agreed": [True, True, True, False],
        },
        index=["B1", "B2", "B3", "B4"],
    )
    told = area_plans(placed, members, {PLAN_PROJECTS: projects(), PLAN_LINES: lines()})
    assert told.loc["江北区", "planned_project_count"] == 1
    assert told.loc["江北区", "planned_cost_cny"] == 1000.01
    assert told.loc["江北区", "planned_public_cny"] == 800.01
    assert told.loc["江北区/road/A", "planned_household_count"] == 40
    assert told.loc["江北区/community/01", "planned_project_count"] == 1
    assert told.loc["江北区", "asked_household_share"] == pytest.approx(10 / 30)
    assert told.loc["渝北区", "asked_household_share"] == pytest.approx(10 / 40)
    assert told.loc["渝北区", "agreed_household_share"] == pytest.approx(10 / 40)
    areas = pd.DataFrame(
        {"area_id": ["江北区/road/B", "渝北区/road/A", "渝北区/road/C", "江北区/road/D"]}
    )
    found = with_plans(areas, told)
    assert found["planned_cost_cny"].tolist() == [0.0, 0.0, 0.0, 0.0]
    assert found["first_planned_year"].tolist()[:2] == [
        YEAR,
        YEAR,
    ]  # works start there all the same
    assert found["first_planned_year"].isna().tolist() == [False, False, True, True]


def test_areas_of_a_city_without_a_plan_have_nothing_planned() -> None:
    placed = pd.DataFrame(
        {"building_id": ["B1"], "district_name": "江北区", "area_id": "江北区/road/A",
         "community_id": pd.Series([None], dtype="str")}
    )  # fmt: skip
    tables = {
        one: pd.DataFrame(columns=list(one.column_names)) for one in (PLAN_PROJECTS, PLAN_LINES)
    }
    none = pd.DataFrame(columns=[*BY_BUILDING, *OF_AREAS])
    told = with_plans(pd.DataFrame({"area_id": ["江北区"]}), area_plans(placed, none, tables))
    assert told["planned_project_count"].tolist() == [0]
    assert told["planned_cost_cny"].tolist() == [0]
    assert told[["first_planned_year", "asked_household_share"]].isna().all(axis=None)
