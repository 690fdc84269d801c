"""What a room sees and does: first sight, filters, safety first, what-ifs, files that are handed on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.atlas.stage import run
from pipeline.contracts.tables import BUILDING_RANKING, PLAN_PROJECTS, RANKING
from tests.atlas import town
from tests.browser.conftest import Opened
from tests.browser.hands import LATIN_WORD, click, select

VETO = "gas_without_fire_access"
PROJECTS = {
    "project_id": ["P1", "P2"],
    "unit_cost_cny_per_m2": [1000.0, 800.0],
    "planned_year": pd.array([2026, None], dtype="Int64"),
    "cost_cny": [1_500_000.0, 800_000.0],
    "public_cny": [1_200_000.0, 700_000.0],
    "central_cny": [700_000.0, 400_000.0],
    "municipal_cny": [200_000.0, 100_000.0],
    "district_cny": [300_000.0, 200_000.0],
    "resident_cny": [300_000.0, 100_000.0],
    "household_plan_count": [70, 30],
    "need_households": [40.0, 20.0],
    "relief_households": [12.5, 0.0],
    "funded_share": [0.985, 0.2],
    "favour_owner_share": [0.75, np.nan],
    "ready_year": pd.array([2026, None], dtype="Int64"),
    "readiness_type": ["agreed", "not_asked"],
    "wait_reason_code": [None, "not_asked"],
    "pilot_building_id": ["B1", None],
    "pilot_reason_code": ["agrees_and_neediest", None],
}


def meeting_inputs() -> Any:
    """Return the town with tracks, in two districts; a safety fault places B3 before all others."""
    before = town.with_two_districts(town.with_tracks(town.inputs()))
    tables = dict(before.tables)
    for table in (RANKING, BUILDING_RANKING):
        frame = tables[table].copy()
        key = frame["building_id"]
        frame["rank"] = key.map({"B3": 1, "B1": 2, "B6": 3, "B5": 4}).astype("Int64")
        frame["tier_number"] = key.map({"B3": 1, "B1": 3, "B6": 4, "B5": 5}).astype("Int64")
        frame["is_lifted"] = key == "B3"
        frame["lifted_by_code"] = pd.Series(VETO, index=frame.index).where(key == "B3")
        frame["quadrant_type"] = "act"
        frame["top_share"] = key.map({"B3": 0.9497, "B1": 0.95, "B6": 0.1, "B5": 0.0})
        if table == BUILDING_RANKING:
            for fault in ("gas_fault_share", "fire_access_fault_share"):
                frame[fault] = np.where(key == "B3", 1.0, 0.0)
            frame = frame.sort_values("rank").reset_index(drop=True)
        tables[table] = frame
    tables[PLAN_PROJECTS] = pd.DataFrame(PROJECTS)
    return replace(before, tables=tables)


@pytest.fixture(scope="module")
def shown(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """That town's page, opened once for all tests of this file."""
    path = tmp_path_factory.mktemp("meeting") / "index.html"
    path.write_text(run(meeting_inputs()).pages["index.html"], encoding="utf-8", newline="")
    one = Opened(browser, path)
    one.open()
    yield one
    one.context.close()
    assert one.faults == []


@pytest.fixture
def page(shown: Opened) -> Any:
    """That page as it was opened."""
    page = shown.page
    for choice in page.locator("#filters select").all():
        choice.select_option("")
    page.fill("#search", "")
    page.select_option("#colour-by", "tier")
    page.click("#what-if-tab")
    if page.is_enabled("#what-if-reset"):
        page.click("#what-if-reset")
    for close in ("#panel .close", "#dock .close"):
        if page.is_visible(close):
            page.click(close)
    return page


def legend(page: Any) -> dict[str, int]:
    """Return the buildings in each class that the legend lists."""
    rows = page.locator("#legend .classes tbody tr").all_inner_texts()
    return {row.split("\t")[1].strip(): int(row.split("\t")[2]) for row in rows}


def test_a_filter_reaches_every_list(page: Any) -> None:
    page.select_option("#filter-district", "东区")
    page.click("#buildings-tab")
    told = page.inner_text("#buildings")
    assert "B3" in told and "B5" in told and "B1" not in told and "B6" not in told
    page.click("#areas-tab")
    areas = page.inner_text("#areas")
    assert "东区" in areas and "西区" not in areas
    assert "3 栋，第一档 1 栋" in areas, "B3, B4 and B5, of which B3 is in tier 1"
    page.fill("#search", "b1")
    assert page.locator("#found button").count() == 0
    assert "另有 1 栋被筛选排除" in page.inner_text("#found")
    page.fill("#search", "")
    page.select_option("#filter-district", "")
    assert "西区" in page.inner_text("#areas")


def test_what_is_placed_first_for_safety_says_so_everywhere(page: Any) -> None:
    page.click("#buildings-tab")
    first = page.locator("#buildings li").first.inner_text()
    assert "⚠" in first and "B3" in first
    assert page.inner_text("#buildings").count("⚠") == 1
    select(page, "B3")
    assert page.inner_text("#panel .rank") == "第 1 名"
    verdict = page.inner_text("#panel .verdict")
    assert "安全隐患，排在最前：燃气严重隐患且消防车无法到达" in verdict
    page.click("#table-button")
    assert "安全优先" in page.inner_text("#grid")
    page.select_option("#colour-by", "lifted")
    assert legend(page) == {
        "燃气严重隐患且消防车无法到达": 1,
        "楼梯严重隐患且消防车无法到达": 0,
        "按分数排序": 3,
        "不排序的住宅": 2,
    }
    assert "1 栋有严重安全隐患，排在最前" in page.text_content("#summary")


def test_who_is_not_ranked_is_neither_to_act_on_nor_without_data(page: Any) -> None:
    page.select_option("#colour-by", "quadrant")
    assert legend(page) == {"急需，条件具备：先做": 4, "不排序的住宅": 2}
    page.select_option("#colour-by", "sure")
    counts = legend(page)
    assert counts["不排序的住宅"] == 2 and "数据缺失" not in counts
    select(page, "B2")
    assert "先做" not in page.inner_text("#panel")
    assert "住宅 6 栋：排序 4 栋，不排序 2 栋" in page.inner_text("#subheading")
    assert "其他建筑 1 栋" in page.inner_text("#subheading")


def test_classes_go_by_the_true_value_and_only_urgent_layers_call_dark_urgent(page: Any) -> None:
    page.select_option("#colour-by", "sure")
    # 0.9497 is shown as 95 % yet is below it; 0.95 is not
    assert legend(page) == {
        "≥ 95 %": 1,
        "50 %–95 %": 1,
        "5 %–50 %": 1,
        "< 5 %": 1,
        "不排序的住宅": 2,
    }
    assert "色深者急" not in page.inner_text("#legend")
    page.select_option("#colour-by", "basis")
    assert "色深者" not in page.inner_text("#legend")
    page.select_option("#colour-by", "tier")
    assert "色深者急" in page.inner_text("#legend")
    assert "面积 %" in page.inner_text("#legend")


def test_a_what_if_tells_old_and_new_and_hands_all_movers_on(page: Any, tmp_path: Path) -> None:
    page.press("#weight-climb", "Home")  # by slope alone: B3 first, then B1 40, B6 20, B5 13.3
    for gate in ("hazard", "clearance"):
        page.uncheck(f"#gate-{gate}")
    page.wait_for_timeout(250)
    assert "情景试算" in page.inner_text("#notices")
    page.click("#buildings-tab")
    assert "发布时不参与排序" in page.inner_text("#buildings")
    assert "发布的名次：第 2 名" in page.inner_text("#buildings"), "of B1"
    page.click("#what-if-tab")
    weights = page.inner_text("#moves-weights")
    assert (
        "到主干道路爬升 0.00 %（发布 60.00 %）" in weights
        and "不再执行：危房单列，不排序" in weights
    )
    page.evaluate(
        "document.querySelectorAll('#moves details').forEach((one) => { one.open = true; })"
    )
    moves = page.locator("#filter-move option").evaluate_all("all => all.map((one) => one.value)")
    assert moves == ["", "enters", "up", "same", "down", "leaves"]
    page.select_option("#filter-move", "up")  # those that had no rank before
    page.click("#table-button")
    names = []
    for _ in range(2):
        with page.expect_download() as download:
            page.click("#save-csv")
        names.append(download.value.suggested_filename)
        download.value.save_as(tmp_path / "moved.csv")
        page.select_option("#filter-move", "")
    assert len(set(names)) == 2, "another selection, another name"
    read = {"encoding": "utf-8-sig", "dtype": str, "keep_default_na": False}
    rows = pd.read_csv(tmp_path / "moved.csv", **read).set_index("编号")
    assert set(rows.index) == {"B1", "B2", "B3", "B4", "B5", "B6"}
    assert rows.loc["B1", ["发布名次", "发布档次", "发布得分"]].tolist() == ["2", "3", "100.000"]
    assert rows.loc["B2", "发布名次"] == ""
    assert (rows["试算条件"] == weights).all()
    assert not [head for head in rows.columns if LATIN_WORD.search(head)]


def test_funding_is_what_the_plan_says_whatever_the_weights(page: Any) -> None:
    choices = page.locator("#colour-by option").evaluate_all("all => all.map((one) => one.value)")
    assert "funded" not in choices and {"planned", "funded_chance"} <= set(choices)
    assert page.locator("#budget-kind, #budget-share").count() == 0
    select(page, "B1")
    told = page.inner_text("#sure")
    assert "2026 年开工" in told and "获得资助的把握\t100 %" in told
    page.press("#weight-climb", "Home")
    page.wait_for_timeout(250)
    assert page.inner_text("#sure") == told


def test_the_city_fills_the_map_and_cannot_be_lost(page: Any) -> None:
    page.click("#home")
    page.wait_for_timeout(400)
    filled = """() => {
      const { map, model } = shancheng, { box } = model.districts, size = map.getSize(), points = [];
      for (let i = 0; i < box.length; i += 4) {
        for (const [x, y] of [[0, 1], [2, 3]]) {
          const unit = 256 * 2 ** map.getZoom() / 2 ** 28, origin = map.getPixelBounds().min;
          points.push([box[i + x] * unit - origin.x, box[i + y] * unit - origin.y]);
        }
      }
      const [xs, ys] = [0, 1].map((k) => points.map((point) => point[k]));
      const span = (all) => Math.max(...all) - Math.min(...all);
      return Math.max(span(xs) / size.x, span(ys) / size.y);
    }"""
    assert 0.9 < page.evaluate(filled) <= 1
    page.evaluate("shancheng.map.setView([0, 0], 3, { animate: false })")
    page.wait_for_timeout(100)
    assert page.evaluate(filled) > 0.2, "no further out than half as large"
    page.click("#home")
    page.wait_for_timeout(400)
    assert 0.9 < page.evaluate(filled) <= 1
    covered = page.evaluate(
        """() => {
          const boxOf = (id) => document.querySelector(id).getBoundingClientRect();
          const [a, b] = ['#legend', '#map_atlas'].map(boxOf);
          const isBeside = a.left >= b.right - 1 || b.left >= a.right - 1;
          return !(isBeside || a.top >= b.bottom - 1 || b.top >= a.bottom - 1);
        }"""
    )
    assert not covered
    assert page.locator("#notices .notice").first.bounding_box()["height"] < 40


def test_an_estate_is_an_object_with_its_project(page: Any) -> None:
    click(page, 30, 30)  # in the hole of B1, inside the estate of P1
    panel = page.inner_text("#panel")
    assert "项目 · P1" in panel
    why = page.locator("#why p").all_inner_texts()
    assert why[0] == "2 栋、70 户，其中第一档 0 栋；最大的需求：到主干道路爬升、地形坡度。"
    assert why[1] == (
        "计划 2026 年开工，投资 150.00 万元，其中公共投入 120.00 万元；解除 40.0 户需求中的 12.5 户。"
    )
    assert "98.5 % 的情形列入计划" in why[2]
    rows = page.locator("#panel .counts tbody tr").all_inner_texts()
    money = {row.split("\t")[0]: float(row.split("\t")[1]) for row in rows}
    total = money.pop("合计")
    assert money == {"中央": 70, "市级": 20, "区县": 30, "居民出资": 30}
    assert sum(money.values()) == total == 150
    assert "已同意 · 75 %" in panel and "B1" in page.inner_text("#pilot")
    page.wait_for_timeout(400)
    assert "e=B" in page.evaluate("location.hash"), "a link shows it again"
    page.click("#language-button")
    assert "The plan starts it in 2026" in page.inner_text("#why")
    page.click("#language-button")
    select(page, "B3")
    page.click("#open-project")
    assert "未列入计划：尚未征求业主意见。" in page.inner_text("#why")
    assert "1 栋有严重安全隐患，排在最前" in page.inner_text("#why")
