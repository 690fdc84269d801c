"""Prices: read from a table, brought to the plan's year, and near what real projects cost."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.fingerprints import stage_record
from pipeline.new_city.roles import guesses
from pipeline.plan.cost import works
from pipeline.plan.prices import refuse_unknown_districts, row_prices_cny, unit_prices_cny
from pipeline.problem import Problem
from pipeline.settings.load import flatten
from pipeline.settings.plan import HOW_SURE, PlanSettings
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_new_city_words, read_settings
from pipeline.store.looks import look_into
from pipeline.store.price_list import read_price_list
from tests.conftest import REPOSITORY

WHOLE: Settings = read_settings(REPOSITORY / "config", "yuzhong", "base")
PLAN: PlanSettings = WHOLE.plan
MEASURES = {key: PLAN.measures[key] for key in ("pipes", "management")}
HEAD = "works_type,district_name,price_year,low_cny,middle_cny,high_cny,unit,source"
ROWS = ("pipes,*,2023,80,100,120,m²,tender", "management,*,2025,900,900,900,户,hand")
LIST = "prices/own.csv"


def written(folder: Path, *rows: str, head: str = HEAD, encoding: str = "utf-8") -> Path:
    (folder / "prices").mkdir()
    (folder / LIST).write_bytes("\r\n".join((head, *rows, "")).encode(encoding))
    return folder


def plan_with(folder: Path, **changes: object) -> PlanSettings:
    prices = read_price_list(folder, LIST, MEASURES)
    stated = {
        "measures": MEASURES, "prices": prices, "price_list": LIST, "price_year": 2025,
        "price_rise_share": 0.1, "soft_cost_share": 0.1, "contingency_share": 0.05,
    }  # fmt: skip
    return PLAN.model_copy(update=stated | changes)


def test_a_price_rises_to_the_plan_year_and_bears_soft_costs_and_contingency(
    tmp_path: Path,
) -> None:
    """100 × 1.1² × 1.1 × 1.05 = 139.755; nothing is built for management, so only the price."""
    found = unit_prices_cny(plan_with(written(tmp_path, *ROWS)), ["渝中区"])
    assert found.middle == pytest.approx(np.array([[139.755], [900.0]]))
    assert found.low[0, 0] == pytest.approx(0.8 * 139.755)
    assert found.high[0, 0] == pytest.approx(1.2 * 139.755)


def test_a_row_for_a_district_goes_before_that_for_all_and_the_latest_year_before_older(
    tmp_path: Path,
) -> None:
    rows = (
        *ROWS, "管网改造,渝中区,2020,50,60,70,m²,old", "pipes,渝中区,2025,200,200,200,m²,new",
        "pipes,渝中区,2030,900,900,900,m²,not yet",
    )  # fmt: skip
    plain = {"price_rise_share": 0.0, "soft_cost_share": 0.0, "contingency_share": 0.0}
    plan = plan_with(written(tmp_path, *rows), **plain)
    assert unit_prices_cny(plan, ["江北区", "渝中区", ""]).middle[0].tolist() == [100, 200, 100]
    assert row_prices_cny(plan, ["渝中区", None, "渝中区"])[0].tolist() == [200, 100, 200]
    early = plan.model_copy(update={"price_year": 2019})
    assert unit_prices_cny(early, ["渝中区"]).middle[0, 0] == 60  # the earliest, if all are later


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_as_an_office_saves_it(tmp_path: Path, encoding: str) -> None:
    head = "来源,单位,改造内容,区县,价格年份,低价,中价,高价,备注"
    rows = (
        '"招标, 2024",m²,管网改造,*,2024,"1,080.50",1100,1200,x', "自编,户,物业管理落实,*,2024,1,2,3,"
    )  # fmt: skip
    found = read_price_list(written(tmp_path, *rows, head=head, encoding=encoding), LIST, MEASURES)
    assert found["pipes"]["*"][2024].low_cny == 1080.5
    assert found["pipes"]["*"][2024].source == "招标, 2024"
    assert list(found) == ["pipes", "management"]


@pytest.mark.parametrize("unit", ["㎡", "m2", "M²", "平方米"])
def test_a_unit_as_gbk_can_hold_it(tmp_path: Path, unit: str) -> None:
    """GBK, in which a spreadsheet saves, has no ²."""
    rows = [row.replace("m²", unit) for row in ROWS]
    encoding = "utf-8" if "²" in unit else "gbk"
    found = read_price_list(written(tmp_path, *rows, encoding=encoding), LIST, MEASURES)
    assert list(found) == ["pipes", "management"]


def test_a_price_of_a_year_after_the_plan_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, ROWS[0].replace("2023", "2031"), ROWS[1])
    with pytest.raises(Problem, match=r"price_year = '2031'") as caught:
        read_price_list(folder, LIST, MEASURES, latest_year=2030)
    assert "a year from 1990 to 2030" in caught.value.text()
    assert read_price_list(folder, LIST, MEASURES, latest_year=2031)["pipes"]["*"][2031].row == 2


def test_the_plan_of_config_ends_what_prices_it_takes(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    default = tmp_path / "config" / "prices" / "default.csv"
    text = default.read_text(encoding="utf-8-sig")
    default.write_text(text.replace("management,*,2024", "management,*,2049"), encoding="utf-8")
    with pytest.raises(Problem, match="price_year = '2049'"):
        read_settings(tmp_path / "config", "yuzhong", "base")


def replaced(old: str, new: str) -> Callable[[Path], Path]:
    return lambda folder: written(folder, ROWS[0].replace(old, new), ROWS[1])


@pytest.mark.parametrize(
    ("write", "where", "words"),
    [
        (replaced(",100,", ",0,"), "own.csv, row 2", ["middle_cny = '0'", "above 0"]),
        (replaced(",80,", ",-80,"), "own.csv, row 2", ["low_cny = '-80'"]),
        (replaced(",100,", ",,"), "own.csv, row 2", ["middle_cny = ''"]),
        (replaced(",100,", ",nan,"), "own.csv, row 2", ["middle_cny = 'nan'"]),
        (replaced(",100,", ",100元,"), "own.csv, row 2", ["middle_cny = '100元'"]),
        (replaced(",80,", ",101,"), "own.csv, row 2", ["low_cny", "low ≤ middle ≤ high"]),
        (replaced(",120,", ",99,"), "own.csv, row 2", ["high_cny", "low ≤ middle ≤ high"]),
        (replaced("pipes", "pipe"), "own.csv, row 2", ["works_type = 'pipe'", "pipes, management"]),
        (replaced("m²", "户"), "own.csv, row 2", ["unit = '户'", "counted in m²"]),
        (replaced("2023", "1203"), "own.csv, row 2", ["price_year = '1203'"]),
        (replaced("2023", "2203"), "own.csv, row 2", ["1990 to 2050"]),
        (replaced("2023", "2023年"), "own.csv, row 2", ["price_year = '2023年'"]),
        (replaced(",*,", ",,"), "own.csv, row 2", ["district_name = ''"]),
        (replaced("tender", ""), "own.csv, row 2", ["source = ''"]),
        (replaced(",tender", ""), "own.csv, row 2", ["7 cells"]),
        (replaced("tender", '"tender'), "own.csv, row 2", ["not valid CSV"]),
        (lambda f: written(f, *ROWS, ROWS[0]), "own.csv, row 4", ["row 2", "one row for each"]),
        (lambda f: written(f, ROWS[0]), "own.csv", ["no price of management"]),
        (lambda f: written(f), "own.csv", ["holds no rows"]),
        (lambda f: written(f, *ROWS, head=HEAD.replace("unit", "u")), "row 1", ["column unit"]),
        (lambda f: written(f, *ROWS, head=HEAD.replace("unit", "source")), "row 1", ["twice"]),
        (lambda f: f, "own.csv", ["no such price list"]),
    ],
)
def test_a_bad_list_is_one_message(
    tmp_path: Path, write: Callable[[Path], Path], where: str, words: list[str]
) -> None:
    with pytest.raises(Problem) as caught:
        read_price_list(write(tmp_path), LIST, MEASURES)
    told = caught.value.text()
    assert where in caught.value.where
    assert caught.value.fix
    for word in words:
        assert word in told


def test_a_workbook_or_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / LIST).write_bytes(b"PK\x03\x04 a workbook by another name")
    with pytest.raises(Problem, match="is no text"):
        read_price_list(tmp_path, LIST, MEASURES)
    with pytest.raises(Problem, match="is not below"):
        read_price_list(tmp_path, "../own.csv", MEASURES)


def test_a_district_that_does_not_exist_or_has_no_price_is_one_message(tmp_path: Path) -> None:
    rows = ("pipes,渝中,2023,80,100,120,m²,tender", ROWS[1])
    plan = plan_with(written(tmp_path, *rows))
    with pytest.raises(Problem, match=r"config/prices/own.csv, row 2: district_name = '渝中'"):
        refuse_unknown_districts(plan, {"渝中区", "江北区"})
    with pytest.raises(Problem, match="has no price of pipes in 江北区"):
        unit_prices_cny(plan, ["江北区"])


def test_a_changed_price_is_a_setting_that_changed(tmp_path: Path) -> None:
    before = flatten(plan_with(written(tmp_path, *ROWS)).model_dump())
    path = tmp_path / LIST
    path.write_text(path.read_text("utf-8").replace(",100,", ",101,"), "utf-8")
    after = flatten(plan_with(tmp_path).model_dump())
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"prices.pipes.*.2023.middle_cny"}
    # a row that only moves is no other price
    path.write_text("\n".join((HEAD, "", ROWS[1], ROWS[0].replace(",100,", ",101,"))), "utf-8")
    assert flatten(plan_with(tmp_path).model_dump()) == after


# Real projects (facts with sources: docs/decisions.md): yuan/m² of floor area and yuan a household.
_FULL_M2, _CHONGQING_M2, _FULL_HOUSEHOLD = (224, 373), (210, 363), (18_463, 36_725)
_INFRASTRUCTURE_M2, _BODY_M2, _WATER_AND_DRAINS_M2 = (133, 435), (133, 220), (45, 111)
_GAS_HOUSEHOLD = (1_515, 6_925)


def a_block(storeys: float = 7.0, stairwells: float = 3.0) -> pd.Series:
    """Return a slab as they stand: 45 m × 12 m, three stairwells of two flats a landing."""
    roof = 45 * 12
    return pd.Series(
        {
            "floor_area_m2": roof * storeys, "household_count": stairwells * 2 * storeys,
            "building_count": 1, "stairwell_count": stairwells, "roof_area_m2": roof,
            "facade_area_m2": 2 * (45 + 12) * storeys * 3,
        }
    )  # fmt: skip


def per_m2(*keys: str, block: pd.Series) -> float:
    price = dict(zip(PLAN.measures, unit_prices_cny(PLAN, [""]).middle[:, 0], strict=True))
    total = sum(price[key] * block[PLAN.measures[key].quantity] for key in keys)
    return float(total / block["floor_area_m2"])


def test_each_class_of_works_costs_a_block_what_it_costs_real_ones() -> None:
    block = a_block()
    infrastructure = per_m2("pipes", "gas", "fire_access", "environment", block=block)
    assert _INFRASTRUCTURE_M2[0] <= infrastructure <= _INFRASTRUCTURE_M2[1]
    assert _WATER_AND_DRAINS_M2[0] <= per_m2("pipes", block=block) <= _WATER_AND_DRAINS_M2[1]
    gas = per_m2("gas", block=block) * block["floor_area_m2"] / block["household_count"]
    assert _GAS_HOUSEHOLD[0] <= gas <= _GAS_HOUSEHOLD[1]


def test_the_body_of_a_block_costs_what_it_costs_real_ones() -> None:
    """Ji'an 133, 147 and 220, Dazu 134 yuan/m² of floor area for roof, walls and stairwells."""
    body = per_m2("roof", "facade", "stairs", block=a_block(storeys=6.0))
    assert _BODY_M2[0] <= body <= _BODY_M2[1]


@pytest.mark.parametrize("key", ["roof", "waterlogging", "age_friendly", "charging", "envelope"])
def test_what_only_an_inspection_finds_is_silent_without_one(key: str) -> None:
    measure = PLAN.measures[key]
    plain = {
        "household_count": [20.0, 20.0], "heritage_name": [None] * 2, "district_name": ["渝中区"] * 2,
        "floor_area_m2": [1000.0] * 2, "stairwell_count": [2.0] * 2, "roof_area_m2": [200.0] * 2,
        "facade_area_m2": [700.0] * 2,
    }  # fmt: skip
    plan = PLAN.model_copy(update={"measures": {key: measure}})
    agrees = {"facade": np.ones(2, bool)}
    rows = pd.DataFrame(plain)
    number = np.zeros(2, dtype=int)
    assert works(rows, number, agrees, plan).cents.tolist() == []
    unknown = rows.assign(**{f"{key}_fault_share": [np.nan, np.nan]})
    assert works(unknown, number, agrees, plan).cents.tolist() == []
    found = works(rows.assign(**{f"{key}_fault_share": [1.0, 0.0]}), number, agrees, plan)
    amount = {
        "roof": 200, "waterlogging": 1000, "age_friendly": 2, "charging": 2, "envelope": 700,
    }  # fmt: skip
    assert found.quantity.tolist() == [amount[key]]
    assert {effect.column for effect in measure.effects} == {f"{key}_fault_share"}
    assert WHOLE.score.criteria[key].measure == f"{key}_fault_share"


def test_an_inspection_sheet_is_recognised_by_its_headers(tmp_path: Path) -> None:
    said = {
        "屋面渗漏": "roof", "内涝积水": "waterlogging", "适老化问题": "age_friendly",
        "充电设施缺失": "charging", "节能问题": "envelope",
    }  # fmt: skip
    table = pd.DataFrame({"楼栋编号": ["B1", "B2", "B3"], "体检日期": ["2025-03-01"] * 3})
    table.assign(**{header: ["无", "轻微", "严重"] for header in said}).to_csv(
        tmp_path / "城市体检.csv", index=False
    )
    (look,), _ = look_into(tmp_path)
    (found,) = guesses(look, read_new_city_words(REPOSITORY / "config"), WHOLE.intake.facility_tags)
    assert found.role == "inspection"
    for header, key in said.items():
        assert header in found.columns[f"{key}_fault_share"][0]


def test_soft_costs_and_contingency_are_the_share_of_approved_totals() -> None:
    """Haizhu 13, Jin'an 16, Tongdao 11 and Dabu 18 per cent of the total †."""
    on_top = 1 - 1 / ((1 + PLAN.soft_cost_share) * (1 + PLAN.contingency_share))
    assert 0.11 <= on_top <= 0.16


def test_the_default_list_cites_or_says_illustrative() -> None:
    for key, by_district in PLAN.prices.items():
        for price in (one for years in by_district.values() for one in years.values()):
            assert price.how_sure in HOW_SURE, key
            assert ("illustrative" in price.source) or price.how_sure != "illustrative", key
            # whoever is cited has a number, a date or an address
            assert "illustrative" in price.source or re.search(r"\d{4}", price.source), key


def test_prices_are_on_record_of_the_plan_stage() -> None:
    from pipeline.flow import STAGES
    from pipeline.store.places import Places

    stage = next(one for one in STAGES if one.name == "plan")
    record = stage_record(
        stage, Places(REPOSITORY, REPOSITORY / "data" / "raw", "yuzhong", "base"), WHOLE
    )
    assert record.settings["plan.prices.pipes.*.2022.middle_cny"] == 62
