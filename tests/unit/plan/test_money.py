"""Cost, sources and years on numbers worked by hand; rounding that never loses a cent."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from pipeline.command.cash_flow import worked_out
from pipeline.plan.cashflow import cash_flow
from pipeline.plan.cost import works
from pipeline.plan.funding import (
    Bills,
    Funding,
    annuity,
    bill_shares,
    by_year,
    central_cents,
    funding,
    payback_year,
    rounded,
)
from pipeline.plan.projects import projects_of
from pipeline.plan.quantities import quantities
from pipeline.settings.plan import SOURCES, PlanMeasure, PlanSettings, Price, ProjectRule
from pipeline.store.configuration import read_cash_flow, read_settings
from tests.conftest import REPOSITORY

SETTINGS: PlanSettings = read_settings(REPOSITORY / "config", "yuzhong", "base").plan
PIPES, LIFT = SETTINGS.measures["pipes"], SETTINGS.measures["lift"]


def with_measures(*, cny: float = 100.0, year: int = 2025, **measures: object) -> PlanSettings:
    """Return settings with these measures, all at one price, and nothing on top of works."""
    price = Price(low_cny=cny, middle_cny=cny, high_cny=cny, source="hand", how_sure="", row=2)
    return SETTINGS.model_copy(
        update={
            "measures": measures, "price_year": 2025, "soft_cost_share": 0.0,
            "contingency_share": 0.0, "prices": {key: {"*": {year: price}} for key in measures},
        }
    )  # fmt: skip


def changed(measure: PlanMeasure, **changes: object) -> PlanMeasure:
    return measure.model_copy(update=changes)


def rows(**columns: list[object]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    plain = {
        "household_count": [10.0] * count, "heritage_name": [None] * count,
        "district_name": ["江北区"] * count,
        "floor_area_m2": [1000.0] * count, "stairwell_count": [2.0] * count,
    }  # fmt: skip
    return pd.DataFrame(plain | columns)


def test_pipes_are_priced_by_the_area_that_needs_them() -> None:
    """Two of three buildings are faulty, one of these a monument: 1000 + 1000 × 1.5, at 100 yuan."""
    pipes = changed(PIPES, heritage_cost_factor=1.5)
    table = rows(pipes_fault_share=[0.5, 0.0, 1.0], heritage_name=[None, None, "十八梯"])
    found = works(
        table, np.zeros(3, dtype=int), {"pipes": np.ones(3, bool)}, with_measures(p=pipes)
    )
    assert found.building.tolist() == [0, 2]
    assert found.quantity.tolist() == [1000.0, 1000.0]
    assert found.cents.tolist() == [100_000_00, 150_000_00]


def test_an_unknown_fault_counts_by_its_stand_in_and_a_missing_vote_by_nothing() -> None:
    pipes = changed(PIPES, unknown_share=0.4)
    table = rows(pipes_fault_share=[np.nan, 1.0])
    agrees = {"pipes": np.array([True, False])}
    found = works(table, np.array([0, 1]), agrees, with_measures(p=pipes))
    assert found.project.tolist() == [0]
    assert found.quantity.tolist() == [400.0]


def test_prices_rise_to_the_year_of_the_plan() -> None:
    settings = with_measures(year=2023, p=PIPES).model_copy(update={"price_rise_share": 0.1})
    table = rows(pipes_fault_share=[1.0])
    found = works(table, np.array([0]), {"pipes": np.ones(1, bool)}, settings)
    assert found.cents.tolist() == [121_000_00]  # 1000 m² × 100 × 1.1²


def test_a_lift_for_each_stairwell_of_the_building_that_agrees() -> None:
    table = rows(storeys_climbed_count=[6, 6, 2], stairwell_count=[3.0, 2.0, 4.0])
    agrees = {"lift": np.array([True, False, True])}
    found = works(table, np.zeros(3, dtype=int), agrees, with_measures(cny=500_000.0, lift=LIFT))
    assert found.quantity.tolist() == [3.0]  # the second refused, the third is too low
    assert found.cents.tolist() == [1_500_000_00]


def projects(**columns: list[object]) -> pd.DataFrame:
    plain = {
        "building_count": [4], "household_count": [100.0], "floor_area_m2": [10_000.0],
        "shop_floor_area_m2": [0.0], "parking_space_count": [0.0], "idle_room_area_m2": [0.0],
        "district_name": ["江北区"], "project_origin": ["estate"],
    }  # fmt: skip
    return pd.DataFrame(plain | columns)


def paid_for(table: pd.DataFrame, cents: int, settings: PlanSettings) -> Funding:
    """Return who pays for one project whose only measure costs so much."""
    bills = Bills(**{name: cents * share for name, share in bill_shares(settings).items()})
    return funding(table, bills, central_cents(table, settings.funding.central), settings)


def test_who_pays_one_project_by_hand() -> None:
    """1,000,000 yuan of pipes: the fund pays 10 %, residents 20 %; of the 700,000 left the central
    pot gives 94 × 10,000 m² = 940,000, so all of it."""
    pipes = changed(PIPES, resident_share=0.2, maintenance_fund_share=0.1)
    cents = 1_000_000_00
    found = paid_for(projects(), cents, with_measures(pipes=pipes))
    paid = dict(zip(SOURCES, found.by_source[0].tolist(), strict=True))
    assert paid["resident"] == 200_000_00
    assert paid["maintenance_fund"] == 100_000_00
    assert paid["central"] == 700_000_00
    assert sum(paid.values()) == 1_000_000_00


def test_private_money_is_bounded_by_what_revenue_is_worth() -> None:
    """100 parking spaces at 1,200 yuan and 10,000 m² at 1.2: 132,000 yuan a year.

    Over 11 years at 5 % that is worth 132,000 × 8.306414 = 1,096,446.67 yuan (annuity table), less
    than 30 % of 10 million less fund and pot.
    """
    pipes = changed(PIPES, resident_share=0.0, maintenance_fund_share=0.0)
    cents = 10_000_000_00
    found = paid_for(projects(parking_space_count=[100.0]), cents, with_measures(pipes=pipes))
    paid = dict(zip(SOURCES, found.by_source[0].tolist(), strict=True))
    assert found.revenue_cents.tolist() == [132_000_00]
    assert paid["private"] == pytest.approx(1_096_446_67, abs=100)
    assert paid["central"] == 940_000_00
    left = 10_000_000_00 - 940_000_00 - paid["private"]
    assert paid["municipal"] == pytest.approx(0.4 * left, abs=1)  # pipes are basic: no bonds
    assert paid["district"] == pytest.approx(0.6 * left, abs=1)
    assert found.payback_year.tolist() == [9.0]  # 1,096,447 / 132,000 = 8.31
    assert annuity(0.05, 11) == pytest.approx(8.306414, abs=1e-6)


def test_bonds_go_no_further_than_what_revenue_leaves_for_them() -> None:
    """10 million of lifts; 132,000 yuan a year are worth 1,096,447 (above), of which private parties
    take 10 %, or 30 % of the rest: what is left is less than 30 % of the remainder."""
    lift = changed(LIFT, resident_share=0.0)
    cents = 10_000_000_00
    settings = with_measures(lift=lift)
    rule = settings.funding.model_copy(update={"private_max_share": 0.05})
    settings = settings.model_copy(update={"funding": rule})
    found = paid_for(projects(parking_space_count=[100.0]), cents, settings)
    paid = dict(zip(SOURCES, found.by_source[0].tolist(), strict=True))
    assert paid["private"] == 500_000_00
    assert paid["special_bond"] == pytest.approx(596_446_67, abs=100)
    without = paid_for(projects(floor_area_m2=[0.0]), cents, settings)
    assert without.by_source[0, SOURCES.index("special_bond")] == 0


def test_the_central_pot_goes_by_volume_and_by_performance() -> None:
    """Two estates alike but for their district: 80 % go 2 : 1 by difficulty, 20 % go 1 : 3 by
    performance. Of 20,000 m² × 100 yuan: 0.8 × 2/3 + 0.2 × 1/4 = 0.58333."""
    rule = SETTINGS.funding.central.model_copy(
        update={
            "pot_cny_per_m2": 100.0, "performance_share": 0.2,
            "difficulty_coefficients": {"甲": 2.0, "other": 1.0},
            "performance_coefficients": {"乙": 3.0, "other": 1.0},
        }
    )  # fmt: skip
    two = pd.concat([projects(district_name=["甲"]), projects(district_name=["乙"])])
    found = central_cents(two.reset_index(drop=True), rule)
    assert found == pytest.approx([0.583333333 * 2e8, 0.416666667 * 2e8])


def test_pay_back_is_none_without_private_money_or_beyond_the_term() -> None:
    invested = np.array([0, 1000_00, 1000_00, 1000_00])
    revenue = np.array([100_00.0, 0.0, 90_00.0, 100_00.0])
    years = payback_year(invested, revenue, 11)
    assert np.isnan(years[:3]).all()
    assert years[3] == 10


@given(
    st.lists(st.integers(0, 10**11), min_size=7, max_size=7),
    st.lists(st.integers(1, 20), min_size=1, max_size=4),
)
def test_years_and_sources_add_up_for_any_amounts(sources: list[int], weights: list[int]) -> None:
    shares = tuple(weight / sum(weights) for weight in weights)
    by_source = np.array([sources], dtype=np.int64)
    paid = by_year(by_source, shares)
    assert (paid >= 0).all()
    assert paid.sum(axis=1).tolist() == [sources]
    yearly = paid.sum(axis=2)[0]
    for amount, share in zip(yearly, shares, strict=True):
        assert abs(amount - share * sum(sources)) < 1 + 1e-4


def test_largest_remainder_by_hand() -> None:
    real = np.array([[33.4, 33.35, 33.25]])
    assert rounded(real, np.array([100])).tolist() == [[34, 33, 33]]
    assert rounded(np.array([[0.5, 0.5, 0.0]]), np.array([1])).tolist() == [[1, 0, 0]]


def test_a_pay_back_worked_by_hand() -> None:
    """100 in, 30 a year: −70, −40, −10, +20; at 10 % worth 30 × 3.16987 − 100 = −4.904."""
    flow = cash_flow((100_00,), (30_00,) * 4, 0.1)
    assert flow.running_cents == (-100_00, -70_00, -40_00, -10_00, 20_00)
    assert flow.payback_year == 4
    assert flow.net_present_cents == pytest.approx(-4_90, abs=1)
    assert flow.residual_public_cents == 0


def test_money_put_in_later_delays_the_pay_back() -> None:
    flow = cash_flow((60_00, 40_00), (30_00,) * 4, 0.0)
    assert flow.running_cents == (-60_00, -70_00, -40_00, -10_00, 20_00)
    never = cash_flow((100_00,), (30_00,) * 3, 0.0)
    assert never.payback_year is None
    assert never.residual_public_cents == 10_00


def test_370_million_over_11_years_breaks_even_in_year_7() -> None:
    flow = cash_flow((370_000_000_00,), (53_000_000_00,) * 11, 0.0)
    assert flow.running_cents[6:8] == (-52_000_000_00, 1_000_000_00)
    assert (flow.payback_year, flow.net_present_cents) == (7, 213_000_000_00)
    streams, jiulongpo = worked_out(read_cash_flow(REPOSITORY / "config", "jiulongpo"))
    assert jiulongpo.yearly_cents[0] == -370_000_000_00
    assert len(jiulongpo.yearly_cents) == 12
    assert jiulongpo.payback_year == 7
    assert streams["idle_rooms"][0] == 0  # they are let from the second year on


def test_estates_stay_whole_and_the_rest_joins_by_name_or_by_touch() -> None:
    shapes = [box(x, 0, x + 10, 10) for x in (0, 300, 100, 115, 135, 200, 500)]
    table = gpd.GeoDataFrame(
        {
            "building_id": ["E1", "E2", "A1", "A2", "S1", "N1", "N2"],
            "estate_id": ["E", "E", None, None, None, None, None],
            "estate_name": ["旺瑞小区", "旺瑞小区", None, None, None, "白马凼", "白马凼"],
            "building_name": [None] * 7,
            "district_name": ["江北区"] * 7,
            "subdistrict_name": [None] * 7,
            "source_name": ["register"] * 7,
        },
        geometry=shapes,
        crs="EPSG:32648",
    )
    road = pd.Series({"A1": "中山二路", "A2": "中山二路", "S1": "中山二路"})
    rule = ProjectRule(adjacency_gap_m=8.0, max_adjacent_building_count=40)
    found = projects_of(table, road, rule).set_index("building_id")
    assert found["project_id"].to_dict() == {
        "E1": "E", "E2": "E", "A1": "adjacent-A1", "A2": "adjacent-A1", "S1": "S1",
        "N1": "江北区/白马凼", "N2": "江北区/白马凼",
    }  # fmt: skip
    assert found["project_origin"].tolist() == [
        "estate", "estate", "adjacent", "adjacent", "single", "same_name", "same_name",
    ]  # fmt: skip
    assert found.loc["A1", "project_name"] == "中山二路片区"
    # a chain longer than config allows is no estate
    short = ProjectRule(adjacency_gap_m=8.0, max_adjacent_building_count=1)
    assert projects_of(table, road, short).set_index("building_id").loc["A2", "project_id"] == "A2"


def test_shops_are_not_housing_and_stand_ins_are_marked() -> None:
    buildings = gpd.GeoDataFrame(
        {
            "building_id": ["B1", "B2"], "storey_count": [6, None], "stairwell_count": [2, None],
            "household_count": [24, None], "management_type": ["none", None],
            "shop_floor_area_m2": [500.0, None], "perimeter_m": [60.0, 60.0],
        },
        geometry=[box(0, 0, 20, 10), box(50, 0, 70, 10)],
        crs="EPSG:32648",
    )  # fmt: skip
    measured = pd.DataFrame(
        {
            "building_id": ["B2", "B1"],
            "floor_area_m2": [np.nan, 1000.0],
            "footprint_area_m2": [200.0, 200.0],
        }
    )
    found = quantities(buildings, measured, SETTINGS.stand_ins).set_index("building_id")
    assert found.loc["B1", "floor_area_m2"] == 1000.0  # without its 500 m² of shops
    assert found.loc["B1", "facade_area_m2"] == 60 * 6 * 3
    assert found.loc["B1", "is_unmanaged_share"] == 1
    # 200 m² × 6 storeys; 1200 / 70 = 17.1 households; 18 / (6 × 2.5) = 1.2 stairwells
    two = found.loc["B2"]
    assert (two["floor_area_m2"], two["household_count"], two["stairwell_count"]) == (1200, 18, 2)
    assert found["is_estimated"].tolist() == [False, True]
