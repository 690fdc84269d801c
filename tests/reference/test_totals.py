"""The figures of the programme, as the requirement states them."""

import geopandas as gpd
import pandas as pd
import pytest

NINE = {
    "渝中区",
    "江北区",
    "南岸区",
    "沙坪坝区",
    "九龙坡区",
    "大渡口区",
    "渝北区",
    "巴南区",
    "北碚区",
}


@pytest.fixture(scope="module")
def buildings(whole):
    return gpd.read_parquet(whole.truth / "buildings.parquet")


@pytest.fixture(scope="module")
def programme(buildings):
    return buildings[buildings["is_programme"]]


def test_programme_has_exactly_43_500_buildings(programme):
    assert len(programme) == 43_500
    assert programme["building_id"].is_unique


def test_floor_area_is_100_million_square_metres(programme):
    assert programme["housing_area_m2"].sum() == pytest.approx(100e6, rel=0.003)


def test_jiulongpo_until_2000_holds_8_16_million_square_metres(programme):
    old = programme["construction_year"] <= 2000
    here = programme["district_name"] == "九龙坡区"
    assert programme.loc[old & here, "housing_area_m2"].sum() == pytest.approx(8.16e6, rel=0.01)


def test_all_nine_districts_take_part(programme):
    assert set(programme["district_name"]) == NINE
    shares = programme.groupby("district_name")["housing_area_m2"].sum() / 100e6
    assert shares.min() > 0.03
    assert shares.max() < 0.22


def test_about_2_600_estates_some_open_and_some_single_buildings(whole, programme):
    estates = pd.read_parquet(whole.truth / "estates.parquet", columns=["has_polygon"])
    assert len(estates) == pytest.approx(2600, rel=0.02)
    assert 0.1 < 1 - estates["has_polygon"].mean() < 0.35
    assert 500 < (programme["estate_id"] == "").sum() < 4000


def test_programme_ends_in_2005_and_newer_housing_stands_outside(buildings, programme):
    assert programme["construction_year"].max() <= 2005
    newer = buildings[(buildings["kind"] == "towers") & ~buildings["is_programme"]]
    assert newer["construction_year"].min() > 2005
    assert 22_000 < (~buildings["is_programme"]).sum() < 35_000


def test_walk_ups_are_typical_and_towers_have_lifts(programme):
    middle = programme[programme["construction_year"].between(1980, 1998)]
    assert middle["storey_count"].between(6, 9).mean() > 0.8
    assert middle.loc[middle["storey_count"] <= 9, "has_lift"].mean() < 0.02
    assert programme.loc[programme["storey_count"] >= 12, "has_lift"].mean() > 0.7
    # a dozen storeys without a lift exist: they are a case the system must see
    assert ((programme["storey_count"] >= 10) & ~programme["has_lift"]).sum() > 50


def test_shop_floors_are_no_housing(programme):
    storeys = programme["storey_count"] - programme["shop_storey_count"]
    gross = programme["footprint_area_m2"] * storeys
    assert (programme["housing_area_m2"] - gross).abs().max() < 0.01
    assert programme["shop_area_m2"].sum() > 1e6


def test_thousands_climb_thirty_metres_to_a_main_road(programme):
    people = programme["household_count"] * 2.6
    far_down = programme["ascent_to_main_road_m"] >= 30
    far_up = programme["descent_to_main_road_m"] >= 30
    assert people[far_down].sum() > 3000
    assert people[far_up].sum() > 3000


def test_making_it_stays_below_80_megabytes(whole):
    files = [*whole.raw.iterdir(), *whole.truth.iterdir()]
    assert sum(path.stat().st_size for path in files) < 80e6


def test_every_raw_and_truth_folder_says_synthetic(whole):
    for path in whole.raw.iterdir():
        assert "synthetic" in path.name
        assert "合成" in path.name
    assert "合成" in (whole.truth / "README_synthetic_合成.txt").read_text("utf-8")
