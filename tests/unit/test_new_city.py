"""Fields, files and places are recognised as a person would, and doubt is said."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from ruamel.yaml import YAML

from pipeline.new_city.names import cannot_be, matched, plain
from pipeline.new_city.osm import building_guesses, osm_roles
from pipeline.new_city.roles import Guess, guesses
from pipeline.new_city.where import fitting_crs, in_degrees, is_cgcs2000, is_in_china, utm_zone
from pipeline.new_city.word_questions import word_questions
from pipeline.store.configuration import read_new_city_words, read_settings
from pipeline.store.looks import Look, look_into
from pipeline.store.profiles import Noted, SourceLines, profile_text, write_profile
from tests.conftest import REPOSITORY

CONFIG = REPOSITORY / "config"
WORDS = read_new_city_words(CONFIG)


@pytest.mark.parametrize(
    ("field", "column"),
    [("建成年代", "construction_year_text"), ("建筑年代", "construction_year_text"),
     ("Year_Built", "construction_year_text"), ("construction year", "construction_year_text"),
     ("层数", "storey_count"), ("FLOORS", "storey_count"), ("building:levels", "storey_count"),
     ("building_levels", "storey_count"), ("户数", "household_count"), ("小区", "estate_name"),
     ("建筑面积(㎡)", "recorded_floor_area_m2"), ("住宅建筑面积（平方米）", "recorded_floor_area_m2"),
     ("结构", "building_structure_type"), ("电梯", "has_lift"), ("是否安装电梯", "has_lift")],
)  # fmt: skip
def test_fields_are_known_by_chinese_and_english_names(field: str, column: str) -> None:
    found = matched(["备注", field], WORDS.columns["housing_register"])
    assert found[column][0] == [field]
    assert sum(fields == [field] for fields, _ in found.values()) == 1


def test_a_field_serves_one_column_and_exact_names_go_first() -> None:
    fields = ["商业面积(平方米)", "住宅面积(平方米)", "地下层数", "地上层数", "楼栋编号"]
    found = matched(fields, WORDS.columns["housing_register"])
    assert found["storey_count"] == (["地上层数"], True)
    assert found["recorded_floor_area_m2"][0] == ["住宅面积(平方米)"]
    assert found["shop_floor_area_m2"][0] == ["商业面积(平方米)"]
    assert plain("Building_Levels (n)") == plain("building levels") == "buildinglevels"


@pytest.mark.parametrize(
    ("column", "cells", "fits"),
    [("construction_year_text", ["1985", "1950年", "八十年代"], True),
     ("construction_year_text", ["A1", "B2", "C3"], False),
     ("construction_year_text", ["", ""], False),
     ("storey_count", ["6", "7", "18.0", ""], True),
     ("storey_count", ["6", "3502", "9911", "8000"], False),
     ("storey_count", ["six", "seven"], False),
     ("recorded_floor_area_m2", ["1,200.5", "900"], True),
     ("longitude_deg", ["106.5", "29.5"], True), ("latitude_deg", ["106.5", "106.6"], False)],
)  # fmt: skip
def test_cells_must_bear_out_the_name(column: str, cells: list[str], fits: bool) -> None:
    assert (cannot_be(column, pd.Series(cells)) == "") == fits


def test_roles_of_openstreetmap_files() -> None:
    tags = read_settings(CONFIG, "yuzhong", "base").intake.facility_tags
    streets, houses = [{"highway": "steps"}] * 60, [{"building": "yes"}] * 50
    clinics = [{"amenity": "clinic"}] * 6
    assert set(osm_roles(streets, tags)) == {"streets"}
    assert set(osm_roles(houses, tags)) == {"footprints"}
    assert set(osm_roles([*streets, *houses, *clinics], tags)) == {
        "streets", "footprints", "amenities",
    }  # fmt: skip
    assert set(osm_roles([{"highway": "bus_stop"}] * 30, tags)) == {"amenities"}
    assert not osm_roles([{"natural": "tree"}] * 30, tags)


def test_what_buildings_leave_open_is_guessed_from_their_tags() -> None:
    ones = [{"building": "yes", "building:levels": "1"}] * 15
    others = [{"building": "yes", "building:levels": "7"}] * 10
    found = building_guesses([*ones, *others])
    assert found["intake.housing"]["assumed_use_types"].value == ["yes"]
    assert found["intake.storeys"]["default_counts"].value == [1]
    plain = building_guesses([{"building": "house", "building:levels": "7"}] * 30)
    assert not {"intake.housing", "intake.storeys"} & set(plain)


def test_places() -> None:
    """Zones by hand: Chongqing 48 north, Lisbon 29 north, Quito 17 south; 108° E is EPSG:4545."""
    yuzhong = (106.48, 29.53, 106.59, 29.57)
    assert utm_zone(yuzhong) == "EPSG:32648"
    assert utm_zone((-9.3, 38.6, -9.2, 38.8)) == "EPSG:32629"
    assert utm_zone((-78.6, -0.4, -78.4, -0.1)) == "EPSG:32717"
    assert is_in_china(yuzhong)
    assert not is_in_china((-9.3, 38.6, -9.2, 38.8))
    assert is_cgcs2000("EPSG:4545") and is_cgcs2000("EPSG:4490") and not is_cgcs2000("EPSG:32648")
    assert in_degrees((500_000.0, 0.0, 500_001.0, 1.0), "EPSG:32648") == pytest.approx(
        (105.0, 0.0, 105.0, 0.0), abs=1e-4
    )
    assert in_degrees((360_000, 3_268_000, 370_000, 3_273_000), "EPSG:4326") is None


def test_a_layer_without_a_crs_is_placed_where_the_others_lie() -> None:
    """Yuzhong in the 3° zone of 108° E: 500 km false easting, some 140 km west of the meridian."""
    yuzhong = (106.48, 29.53, 106.59, 29.57)
    assert fitting_crs((352_700.0, 3_268_400.0, 363_300.0, 3_273_000.0), [yuzhong]) == ["EPSG:4545"]
    with_zone = (36_352_700.0, 3_268_400.0, 36_363_300.0, 3_273_000.0)
    assert fitting_crs(with_zone, [yuzhong]) == ["EPSG:4524"]
    assert (
        fitting_crs((643_600.0, 3_268_000.0, 653_800.0, 3_272_200.0), [yuzhong])[0] == "EPSG:32648"
    )
    assert fitting_crs((106.4, 29.5, 106.6, 29.6), []) == ["EPSG:4326"]
    assert fitting_crs((1.0, 2.0, 900.0, 800.0), [yuzhong]) == []


HOSTILE = [
    "a: b", "x  # y", "- z", "{q}", "[1]", "'", '"', "&a", "*a", "!t", "%d", "@", "`", "yes", "No",
    "null", "~",
    "1", "1e3", "2026-04-24", "a, b}", "line\nbreak", "tab\t", "\u2028", "\x85", "名称", "",
    "name:zh", "\x07bell", "  padded ",
]  # fmt: skip


@pytest.mark.parametrize("word", HOSTILE)
def test_whatever_files_call_their_fields_the_profile_says_the_same(word: str) -> None:
    common = {"datum": Noted("wgs84"), "crs": Noted("EPSG:4326", f"guess {word}"),
              "encoding": Noted(None), "publisher": Noted(word), "licence": Noted("l"),
              "attribution": Noted("a"), "date": Noted("2026")}  # fmt: skip
    sources = [
        SourceLines(
            name, {"path": Noted(word, word)}, common | {"date": Noted(date)},
            {"storey_count": Noted([word, "x"], word), "height_m": Noted([word])},
            {"storey_count": {word: word}}, word,
        )
        for name, date in (("one", "2026"), ("two", "2026"), ("three", "2025"))
    ]  # fmt: skip
    text = profile_text(["head"], {"name_zh": Noted(word)}, sources, {"intake.housing": {}}, ["t"])
    read = YAML(typ="safe", pure=True).load(text)
    assert read["city"]["name_zh"] == word
    for name, date in (("one", "2026"), ("two", "2026"), ("three", "2025")):
        one = read["sources"][name]
        assert (one["path"], one["publisher"], one["date"], one["crs"]) == (
            word,
            word,
            date,
            "EPSG:4326",
        )
        assert one["columns"] == {"storey_count": [word, "x"], "height_m": [word]}
        assert one["values"] == {"storey_count": {word: word}}


def test_a_profile_is_sealed_until_a_person_changes_it(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "town.yaml"
    assert write_profile(path, "fetch", "city: {}\n")
    assert write_profile(path, "new-city", "city: {a: 1}\n")
    path.write_text(path.read_text() + "# mine\n")
    assert not write_profile(path, "fetch", "city: {}\n")
    assert path.read_text().endswith("# mine\n")


def test_words_of_a_register_that_nobody_declared_are_asked_with_counts() -> None:
    """Lifts, grades, faults and managers; a company's name is no word to be declared."""
    cells = {
        "has_lift": ["有", "无", "有 ", "规划中", "规划中"],
        "hazard_grade_code": ["C", "d", "Ⅲ", "", ""],
        "gas_fault_share": ["无", "轻微", "一般", "一般", "一般"],
        "manager_name": ["金科物业", "无", "自管", "自管", "无人"],
        "estate_name": ["甲", "乙", "丙", "丁", "戊"],
    }
    look = Look("普查.csv", "csv", fields=pd.DataFrame(cells), row_count=5)
    guess = Guess(look, "housing_register", "", {name: ([name], "") for name in cells})
    settings = read_settings(CONFIG, "reference", "base")
    asked = word_questions([("census", guess)], settings.intake, settings.consent.measures)
    assert len(asked) == 4
    expected = {
        "has_lift": "2 of 5 values of has_lift are words that nobody declared: 规划中 2",
        "hazard_grade_code": "1 of 3 values of hazard_grade_code are words that nobody declared: Ⅲ 1",
        "gas_fault_share": "3 of 5 values of gas_fault_share are words that nobody declared: 一般 3",
        "manager_name": "3 of 5 values of manager_name are words that nobody declared: 自管 2, 无人 1",
    }
    for told in expected.values():
        assert sum(told in one for one in asked) == 1, told


def test_a_wide_shapefile_in_gbk_without_a_code_page_is_looked_into(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Where features may be strays all outlines are read again, in the encoding of the first look."""
    houses = [shapely.box(x, 0, x + 20, 15) for x in (655_000, 690_000)]
    frame = gpd.GeoDataFrame({"楼栋名称": ["渝一", "渝二"]}, geometry=houses, crs="EPSG:32648")
    frame.to_file(tmp_path / "房屋.shp", encoding="gbk")
    (tmp_path / "房屋.cpg").unlink()
    (look,), unread = look_into(tmp_path)
    assert (look.encoding, look.row_count, unread) == ("gbk", 2, [])
    assert look.fields["楼栋名称"].tolist() == ["渝一", "渝二"]


@pytest.mark.filterwarnings("ignore:.*not decode error message:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*aundered field name:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:Column names longer:UserWarning")
def test_a_shapefile_in_utf8_whose_names_are_cut_within_a_sign_is_known(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """QGIS writes 建筑用途, 12 bytes, as the 10 bytes that a name may have: three signs and a byte."""
    houses = [shapely.box(x, 0, x + 20, 15) for x in (655_000, 655_100)]
    said = {"楼栋编号": ["渝1", "渝2"], "建筑用途": ["住宅", "学校"], "建成年代": ["1980", "1991"]}
    gpd.GeoDataFrame(said, geometry=houses, crs="EPSG:32648").to_file(
        tmp_path / "房屋.shp", encoding="utf-8"
    )
    (look,), unread = look_into(tmp_path)
    assert unread == [] and look.fields["建筑用"].tolist() == ["住宅", "学校"]
    assert matched(list(look.fields.columns), WORDS.columns["footprints"]) == {
        "building_id": (["楼栋编"], True),
        "building_use_type": (["建筑用"], True),
        "construction_year_text": (["建成年"], True),
    }


def test_a_column_called_as_ours_is_taken_though_its_cells_cannot_be_read() -> None:
    """So check and rank tell that every year is lost; left out, nobody would after this command."""
    cells = {"楼栋编号": ["1", "2"], "户数": ["8", "9"], "电梯": ["有", "无"]}
    table = pd.DataFrame(cells | {"建成年代": ["80", "91"], "year": ["a", "b"], "层数": ["", ""]})
    look = Look("册.csv", "csv", row_count=2, fields=table)
    (guess,) = guesses(look, WORDS, {})
    assert guess.role == "housing_register"
    assert guess.columns["construction_year_text"][0] == ["建成年代"]
    assert "storey_count" not in guess.columns
    assert any("holds no years (e.g. '80')" in doubt for doubt in guess.doubts)
