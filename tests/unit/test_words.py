"""Words that nobody declared are counted, and a word is the same in any dress."""

import pandas as pd
import pytest

from pipeline.contracts.source_columns import field, plain_word
from pipeline.intake.register_cells import Cells
from pipeline.intake.rejects import Rejects
from pipeline.intake.words import UseWords, kindred_words, refuse_unknown_words, unknown_words
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.configuration import read_new_city_words, read_settings
from tests.conftest import REPOSITORY

CONFIG = REPOSITORY / "config"
INTAKE = read_settings(CONFIG, "yuzhong", "base").intake
CERTAIN = read_new_city_words(CONFIG).values["building_use_type"]
SOURCE = Source(
    path="register.csv", role="housing_register", format="csv", datum="wgs84", crs="EPSG:4326",
    encoding="utf-8", publisher="p", licence="l", attribution="a", date="2026",
    columns={"building_id": ["id"], "has_lift": ["lift"], "hazard_grade_code": ["grade"]},
    values={"has_lift": {"带梯": "yes"}},
)  # fmt: skip


@pytest.mark.parametrize(
    "same",
    ["Residential", "RESIDENTIAL", " residential ", "ｒｅｓｉｄｅｎｔｉａｌ", "resi\u200bdential",
     "Resi dential"],
)  # fmt: skip
def test_case_width_and_blanks_make_no_other_word(same: str) -> None:
    assert plain_word(same) == "residential"
    assert UseWords(INTAKE.housing, {}).housing(same, False) == ("recorded", ())


@pytest.mark.parametrize(
    "word",
    # of cadastres and house registers, GB/T 17986.1 and GB/T 21010; then other countries' words
    ["住宅", "成套住宅", "非成套住宅", "居民楼", "商住楼", "集体宿舍", "公寓", "平房", "别墅",
     "城镇住宅用地", "11", "111", "0701", "住宅、商业", "住宅/商业", "商业；住宅",
     "Apartments;Commercial", "house;garage", "residential;yes", "dwelling", "habitação",
     "Logement collectif", "Vivienda", "Wohngebäude", "31001_1000", "共同住宅",
     "店舗等併用住宅", "412"],
)  # fmt: skip
def test_words_of_housing_are_known(word: str) -> None:
    assert UseWords(INTAKE.housing, CERTAIN).housing(word, False)[0] == "recorded"


@pytest.mark.parametrize(
    "word", ["办公楼", "商业", "厂房", "31", "warehouse", "escola", "学校、幼儿园", "no"]
)
def test_words_of_other_uses_are_known_and_no_housing(word: str) -> None:
    assert UseWords(INTAKE.housing, CERTAIN).housing(word, False) == ("not_housing", ())


@pytest.mark.parametrize(
    ("text", "asked"),
    [("综合楼", ("综合楼",)), ("商品房", ("商品房",)), ("其他", ("其他",)), ("mixed", ("mixed",)),
     ("综合楼;办公", ("综合楼",)), ("甲类/乙类", ("甲类", "乙类")), ("farm", ("farm",)), ("", ()),
     ("yes", ())],
)  # fmt: skip
def test_words_that_may_be_either_are_asked(text: str, asked: tuple[str, ...]) -> None:
    rule = INTAKE.housing.model_copy(update={"assumed_use_types": []})
    assert UseWords(rule, CERTAIN).housing(text, False) == ("not_housing", asked)


def test_every_certain_word_means_something_that_config_knows() -> None:
    rule = UseWords(INTAKE.housing, {})
    assert {ours: rule.kind(ours) for ours in CERTAIN.values()} == {
        ours: "recorded" if ours in INTAKE.housing.recorded_use_types else "other"
        for ours in CERTAIN.values()
    }
    folded: dict[str, str] = {}
    for word, ours in CERTAIN.items():
        assert folded.setdefault(plain_word(word), ours) == ours, word
        assert rule.kind(word) in ("unknown", rule.kind(ours)), word


def test_an_assumed_use_beside_another_is_no_housing() -> None:
    words = UseWords(INTAKE.housing, {})  # Yuzhong assumes yes
    assert words.housing("yes", False) == ("assumed", ())
    assert words.housing("yes", True) == ("not_housing", ())
    assert words.housing("yes;office", False) == ("not_housing", ())


def test_register_words_are_read_in_any_dress_and_the_others_counted() -> None:
    rows = pd.DataFrame(
        {
            "id": list("abcdef"),
            "lift": ["有", " Ｙ", "带 梯", "半梯", "半梯", ""],
            "grade": ["c", "Ｄ", "C", "III", "", "A"],
        }
    )
    rejects = Rejects("register")
    cells = Cells(rows, SOURCE, rejects)
    words = {word: float(yes) for word, yes in INTAKE.register_checks.yes_no_words.items()}
    lift = cells.codes("has_lift", words)
    assert lift[:3].tolist() == [1, 1, 1]
    assert pd.isna(lift[3:]).all()
    grades = {word: float(n) for n, word in enumerate(INTAKE.register_checks.hazard_words)}
    assert cells.codes("hazard_grade_code", grades)[:3].tolist() == [2, 3, 2]
    found = unknown_words(rejects)
    assert found == {"has_lift": {"半梯": 2}, "hazard_grade_code": {"III": 1}}
    with pytest.raises(Problem) as stop:
        refuse_unknown_words("register", SOURCE, found, {"has_lift": 5}, 0.1)
    said = stop.value.text()
    for part in ("register.csv", "2 of 5 values of has_lift", "半梯 2", "sources.register.values"):
        assert part in said
    refuse_unknown_words("register", SOURCE, found, {"has_lift": 20, "hazard_grade_code": 10}, 0.1)


def test_a_left_out_row_asks_nothing() -> None:
    rejects = Rejects("register")
    rejects.value("3", "has_lift", "unknown_word", "半梯")
    rejects.row("3", "no_footprint")
    assert unknown_words(rejects) == {}


def test_translations_hold_for_any_dress_of_a_word() -> None:
    rows = pd.DataFrame({"lift": ["带梯", "带 梯 ", "不知道"]})
    assert field(rows, SOURCE, "has_lift").tolist() == ["yes", "yes", "不知道"]


def test_words_that_hold_a_declared_one_are_kindred() -> None:
    words = {"人民医院": 6, "General Hospital": 2, "药店": 3, "看守所": 1}
    assert kindred_words(words, ["医院", "hospital", "所"]) == {
        "人民医院": 6,
        "General Hospital": 2,
    }
    assert kindred_words(words, []) == {}
