"""The page as text: complete, repeatable, and deaf to what names contain."""

import itertools
import re
from dataclasses import replace
from importlib.resources import files
from typing import get_args

import folium
import numpy as np
import pandas as pd
import pytest

from pipeline.atlas.buildings import EMPTY_KEY
from pipeline.atlas.classes import as_shown, class_shift
from pipeline.atlas.legend import attribution_texts, value_origin
from pipeline.atlas.page import asset
from pipeline.atlas.spelling import initials
from pipeline.atlas.stage import run
from pipeline.atlas.ties import tie_places, tie_shift
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import BUILDING_RANKING, BUILDINGS, RANKING, WATER
from pipeline.gis.stage import run as gis
from pipeline.problem import Problem
from pipeline.settings.city import Role
from tests.atlas import town
from tests.atlas.unpacked import Unpacked, pack_of


@pytest.fixture(scope="module")
def page() -> str:
    return run(town.inputs()).pages["index.html"]


@pytest.fixture(scope="module")
def pack(page: str) -> Unpacked:
    return pack_of(page)


def test_the_same_input_gives_the_same_bytes(page: str) -> None:
    assert run(town.inputs()).pages["index.html"] == page


def test_every_ranked_building_is_in_it_once(pack: Unpacked) -> None:
    assert sorted(pack.codes("building_id")) == town.IDS
    assert len(pack.polygons("ranked")) == 6
    assert len(pack.polygons("others")) == 1


def test_ties_go_by_climb_then_slope_then_id_and_only_what_rounding_hides_is_told() -> None:
    table = pd.DataFrame(
        {
            "building_id": ["b", "a", "d", "c", "e"],
            "climb_m": [5.02, 5.02, 5.04, 9.0, np.nan],
            "slope_deg": [3.0, 3.0, 1.0, 0.0, 50.0],
        }
    )
    places = tie_places(table, ["climb_m", "slope_deg"])
    assert places.tolist() == [3, 2, 1, 0, 4]
    told = tie_shift(places, [np.array([50, 50, 50, 90, EMPTY_KEY])])
    # by rounded climb and row: c, b, a, d, e
    assert told.tolist() == [3 - 1, 2 - 2, 1 - 3, 0, 0]


def test_need_and_value_come_back_as_measured(pack: Unpacked) -> None:
    place = {key: row for row, key in enumerate(pack.codes("building_id"))}
    needs = pack.numbers("need.climb")
    assert [needs[place[key]] for key in town.IDS] == [10_112, 5000, 2500, 1000, 1, -20]
    assert [pack.numbers("stand_in.slope")[place[key]] for key in town.IDS] == [0, 0, 0, 0, 0, 1]
    # bounds of climb: 3 and 30 m, shown to 0.1 m; need tells 30.0 for B1, whose value is 41.2
    # and none for B6, whose value is 1.0: need goes on by what is missing there, in 0.1 m
    rest = pack.numbers("rest.climb")
    assert [rest[place[key]] for key in ("B1", "B6")] == [0, 0]
    assert abs(rest[place["B3"]]) <= 1
    storeys = pack.measures("fact.storey_count")
    assert [storeys[place[key]] for key in town.IDS] == [7, None, None, None, None, None]


def test_areas_are_told_by_how_far_they_lie_from_what_the_outline_says(pack: Unpacked) -> None:
    place = {key: row for row, key in enumerate(pack.codes("building_id"))}
    stored = pack.numbers("fact.footprint_area_m2")
    offs = [(v - 1) // 2 if v % 2 else -(v // 2) for v in stored]
    # a square of 60 m with one of 20 m cut out; a packed corner lies within 0.2 m of its place
    assert abs(offs[place["B1"]]) <= 60
    assert pack.columns["fact.footprint_area_m2"][0]["expected"]


def test_walks_are_packed_from_the_road_to_the_door(pack: Unpacked) -> None:
    place = {key: row for row, key in enumerate(pack.codes("building_id"))}
    link = pack.numbers("walk.link")
    assert [link[place[key]] for key in ("B2", "B5", "B6")] == [0, 0, 0]
    assert link[place["B1"]] == 1, "at the road"
    # the steps at x = 90: road, (90, 20), (90, 60), (90, 110); doors of B3 and B4 at the last two
    assert pack.numbers("tree.link") == [0, 1, 1, 1]
    heights = list(itertools.accumulate(pack.numbers("tree.z")))
    assert heights == [500, 498, 524, 541]
    assert (link[place["B3"]], link[place["B4"]]) == (2 + 2, 2 + 3)
    up = pack.numbers("walk.z")
    assert (up[place["B3"]], up[place["B4"]], up[place["B1"]]) == (17, 7, 502)


def test_no_text_of_the_data_stands_in_the_document(page: str) -> None:
    for name in (*town.NAMES.values(), town.ROAD, "onerror=alert", "{{7*7}}", "<i>区"):
        assert name not in page
    assert page.count("<script") == page.count("</script>")


def test_names_survive_packing(pack: Unpacked) -> None:
    assert set(town.NAMES.values()) <= set(pack.categories("building_name"))


def test_a_hostile_title_is_escaped() -> None:
    text = run(town.inputs(name_zh="</title><script>alert(4)</script>")).pages["index.html"]
    assert "<script>alert(4)" not in text


def test_the_page_names_no_outside_file(page: str) -> None:
    document = re.sub(r'id="pack(-later)?">[^<]*<', "", page)
    assert not re.search(r"<(script|img|link|iframe)[^>]*\b(src|href)=", document)
    assert "@import" not in document
    assert "default-src 'none'" in document
    assert "connect-src" not in document
    assert document.index("Content-Security-Policy") < document.index("<style")


def test_leaflet_is_whole_and_its_licence_beside_it(page: str, pack: Unpacked) -> None:
    script = (files("xstatic.pkg.leaflet") / "data" / "leaflet.js").read_text(encoding="utf-8")
    assert pack.columns["script.leaflet"][1].decode() == script.strip()
    assert "Redistributions in binary form must reproduce" in page


def test_other_folium_maps_are_left_as_they_were(page: str) -> None:
    assert any("leaflet" in name for name, _ in folium.Map.default_js)
    assert "cdn" in folium.Map().get_root().render()


def test_a_town_of_housing_without_water_is_drawn() -> None:
    inputs = town.inputs()
    buildings, water = inputs.tables[BUILDINGS], inputs.tables[WATER]
    fewer = {BUILDINGS: buildings[buildings["is_housing"]], WATER: water.iloc[:0]}
    text = run(replace(inputs, tables={**inputs.tables, **fewer})).pages["index.html"]
    pack = pack_of(text)
    assert pack.polygons("others") == pack.polygons("water") == []
    assert len(pack.polygons("ranked")) == 6


@pytest.mark.parametrize("column", ["rank", "tier_number"])
def test_an_order_that_differs_from_the_table_stops_the_stage(column: str) -> None:
    inputs = town.inputs()
    wrong = inputs.tables[BUILDING_RANKING].copy()
    is_swapped = wrong["building_id"].isin(["B1", "B2"])
    wrong.loc[is_swapped, column] = wrong.loc[is_swapped, column].to_numpy()[::-1]
    with pytest.raises(Problem, match=r"stand elsewhere"):
        run(replace(inputs, tables={**inputs.tables, BUILDING_RANKING: wrong}))


def test_initials_are_those_that_people_type() -> None:
    words = ["解放碑", "长安路12号", "A座·红楼", "<img>"]
    assert list(initials(words).values()) == ["jfb", "cal12h", "azhl", "img"]


def test_a_value_that_rounding_lifts_over_a_break_keeps_its_class() -> None:
    # by hand: 24.96 is shown as 25.0 and belongs below 25; 25.0 is the first above it
    true = np.array([24.96, 25.0, 24.94, 1.96, np.nan])
    assert as_shown(true, 10)[:4].tolist() == [25.0, 25.0, 24.9, 2.0]
    assert class_shift(true, as_shown(true, 10), [2, 6, 15, 25]).tolist() == [-1, 0, 0, -1, 0]


def test_points_that_differ_from_the_table_stop_the_stage() -> None:
    inputs = town.inputs()
    tables = dict(inputs.tables)
    for table in (RANKING, BUILDING_RANKING):
        wrong = tables[table].copy()
        wrong.loc[wrong["building_id"] == "B2", "climb_points"] = 30.001
        tables[table] = wrong
    with pytest.raises(Problem, match=r"climb_points.*\n*.*B2"):
        run(replace(inputs, tables=tables))


def test_the_whole_is_told(pack: Unpacked) -> None:
    page = pack.page
    assert [tier["upper_rank_share"] for tier in page["tiers"]] == town.TIER_SHARES
    assert [(c["name"], c["weight"]) for c in page["criteria"]] == [
        ("climb", 6000),
        ("slope", 4000),
    ]
    reasons = {item["name"]: item["reason"] for item in page["left_out"]}
    assert reasons == {"age": "known_for_few", "market": "no_data"}
    assert page["gaps"]["stand_in_buildings"] == 1
    assert page["gaps"]["rejected"] == {"footprint_too_small": 4}
    assert page["scenario"] == "base"


def test_each_attribution_stands_once_with_its_months() -> None:
    assert attribution_texts(town.settings().sources) == [
        "© OpenStreetMap contributors (2026-04)",
        "SRTM, NASA/USGS (2000-02)",
    ]


def test_the_geopackage_leaves_out_what_only_the_lists_need() -> None:
    layers = {layer.name: layer for layer in gis(town.inputs()).map_layers["ranking.gpkg"]}
    columns = set(layers["buildings"].features.columns)
    assert {"rank", "score_points", "climb_points", "main_road_climb_m"} <= columns
    assert not {"construction_year_low", "elevation_lowest_m", "longitude_deg"} & columns


def test_the_geopackage_gets_the_same_buildings_in_order_of_rank() -> None:
    layers = {layer.name: layer for layer in gis(town.inputs()).map_layers["ranking.gpkg"]}
    assert layers["buildings"].features["building_id"].tolist() == [
        "B1",
        "B2",
        "B3",
        "B6",
        "B4",
        "B5",
    ]
    assert layers["buildings"].features.crs == town.CRS
    assert len(layers["districts"].features) == 1


def test_every_word_of_the_contracts_has_a_text_in_both_languages() -> None:
    script = (files("pipeline.atlas") / "static" / "texts.js").read_text(encoding="utf-8")
    for name in ("texts_asking.js", "texts_meeting.js"):
        script += (files("pipeline.atlas") / "static" / name).read_text(encoding="utf-8")
    wanted = [f"role_{role}" for role in get_args(Role)]
    for name, prefix in (
        ("floor_area_origin", "origin_"),
        ("storey_count_origin", "origin_"),
        ("construction_year_basis_type", "origin_"),
        ("construction_year_basis_type", "basis_"),
        ("landform_type", "landform_"),
        ("track_type", "track_"),
        ("quadrant_type", "quadrant_"),
        ("wait_reason_code", "wait_"),
    ):
        wanted += [prefix + word for word in COLUMNS[name].allowed]
    assert [key for key in wanted if script.count(f"    {key}: ") != 2] == []


def test_own_scripts_stay_short() -> None:
    for file in (files("pipeline.atlas") / "static").iterdir():
        assert len(file.read_text(encoding="utf-8").splitlines()) < 400, file.name


@pytest.mark.parametrize(
    ("measure", "origin"),
    [
        ("elder_share", "census"),
        ("pipes_fault_share", "inspection"),
        ("parking_gap_share", "estate_survey"),
        ("slope_deg", "terrain"),
        ("main_road_climb_m", "walk_to_road"),
        ("rail_entrance_climb_m", "walk_to_facility"),
        ("hospital_walk_m", "walk_to_facility"),
        ("household_count", "register"),
        ("storeys_climbed_count", "register"),
    ],
)
def test_a_value_is_said_to_come_from_where_its_column_says(measure: str, origin: str) -> None:
    assert value_origin(measure) == origin
    assert f"origin_{origin}:" in asset("pipeline.atlas", "static", "texts.js")
