"""Asking the map: table, filters, CSV, comparing, tracks, the page of a district, every control."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.atlas.stage import run
from tests.atlas import town
from tests.browser.conftest import Opened
from tests.browser.hands import CJK, LATIN_WORD, look_at, painted, select

FAINT = (217, 220, 223)  # #d9dcdf


def written(folder: Path, inputs: Any) -> Path:
    """Write all pages of a run; the small town opens from a folder as from a USB stick."""
    for name, text in run(inputs).pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def cells(page: Any, place: int) -> list[str]:
    texts: list[str] = page.locator(f"#line-{place} [role=cell]").all_inner_texts()
    return [text.strip() for text in texts]


def test_the_table_sorts_selects_and_follows_the_map(page: Any) -> None:
    page.click("#table-button")
    assert page.inner_text("#grid-count") == "已选 6 栋，共 6 栋"
    assert [cells(page, i)[1] for i in range(6)] == ["B1", "B2", "B3", "B6", "B4", "B5"]
    page.click("[data-sort=main_road_climb_m]")
    assert [cells(page, i)[1] for i in range(6)] == ["B6", "B5", "B4", "B3", "B2", "B1"]
    page.click("[data-sort=main_road_climb_m]")
    assert cells(page, 0)[1] == "B1"
    heads = page.locator("[role=columnheader]")
    assert heads.locator("[data-sort=main_road_climb_m]").count() == 1
    assert page.locator("[aria-sort=descending]").count() == 1
    page.focus("#grid")
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert page.inner_text("#panel .rank") == "第 3 名", "the third by climb is B3"
    select(page, "B6")
    assert page.get_attribute("#grid .chosen", "aria-selected") == "true"
    page.fill("#search", "")
    assert page.inner_text("#grid .chosen [role=cell] >> nth=1") == "B6"


def test_filters_fade_the_rest_out_and_narrow_the_table(page: Any) -> None:
    page.click("#table-button")
    page.select_option("#filter-tier", "2")
    assert page.inner_text("#grid-count") == "已选 1 栋，共 6 栋"
    look_at(page, 30, 30, 18)
    assert painted(page, 8, 8) == FAINT
    assert "未选中" in page.inner_text("#legend")
    page.select_option("#filter-tier", "")
    page.select_option("#filter-year", "2028")
    assert cells(page, 0)[1] == "B3"
    page.select_option("#filter-year", "none")
    assert page.inner_text("#grid-count") == "已选 3 栋，共 6 栋"
    page.select_option("#filter-year", "")
    look_at(page, 30, 30, 18)
    assert painted(page, 8, 8) == (103, 0, 13)


def test_initials_find_what_chinese_signs_spell(page: Any) -> None:
    for query, count in (("hl", 1), ("sbt", 6), ("十八", 6)):  # 红楼; 十八梯
        page.fill("#search", query)
        assert page.locator("#found button").count() == count, query


def test_hostile_names_stay_text_in_table_compare_and_csv(page: Any, tmp_path: Path) -> None:
    page.click("#table-button")
    shown = {cells(page, i)[1]: cells(page, i)[2] for i in range(6)}
    for key, name in town.NAMES.items():
        assert shown[key] == name.strip()
    select(page, "B3")
    page.click("#pin")
    select(page, "B5")
    compared = page.inner_text("#panel table.compare")
    assert town.NAMES["B3"] in compared and town.NAMES["B5"] in compared
    page.click("#compare-end")
    assert page.inner_text("#panel h2") == town.NAMES["B5"]
    page.fill("#search", "")
    with page.expect_download() as download:
        page.click("#save-csv")
    download.value.save_as(tmp_path / "x.csv")
    raw = (tmp_path / "x.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = pd.read_csv(tmp_path / "x.csv", encoding="utf-8-sig").set_index("编号")
    assert rows.loc["B2", "名称"] == "'" + town.NAMES["B2"]
    for key in ("B1", "B3", "B4", "B5", "B6"):
        assert rows.loc[key, "名称"] == town.NAMES[key]
    assert "synthetic" in download.value.suggested_filename


def test_the_saved_table_is_the_table_on_disk(browser: Any, yuzhong: Any, tmp_path: Path) -> None:
    one = Opened(browser, yuzhong.root / "maps" / "yuzhong" / "base" / "index.html")
    page = one.open()
    page.click("#table-button")
    assert page.locator("#grid [role=row]").count() < 80, "only the rows in sight are drawn"
    with page.expect_download() as download:
        page.click("#save-csv")
    download.value.save_as(tmp_path / "selection.csv")
    heads = page.locator("#grid [role=columnheader]").all_inner_texts()
    one.context.close()
    assert one.faults == []
    read = {"encoding": "utf-8-sig", "dtype": str, "keep_default_na": False}
    found = pd.read_csv(tmp_path / "selection.csv", **read)
    folder = yuzhong.root / "data" / "processed" / "yuzhong" / "base"
    disk = pd.read_csv(folder / "building_ranking.csv", **read)
    assert len(found) == len(disk) and len(found.columns) > 10
    assert list(found.columns) == [head.strip(" ▲▼") for head in heads], "as on the screen"
    same = {
        "名次": "rank", "编号": "building_id", "名称": "building_name", "道路": "road_name",
        "档次": "tier_number", "计划年份": "planned_year", "缺失项数": "stand_in_count",
    }  # fmt: skip
    for name, own in same.items():
        assert found[name].tolist() == disk[own].tolist(), name
    points = zip(found["得分"].astype(float), disk["score_points"].astype(float), strict=True)
    assert all(a == pytest.approx(b, abs=1e-9) for a, b in points)
    tracks = {"ranked": "参与排序", "reserve": "储备", "hazard": "危房单列", "excluded": "不列入"}
    assert found["分流"].tolist() == disk["track_type"].map(tracks).tolist()


def test_two_buildings_stand_side_by_side(page: Any) -> None:
    select(page, "B1")
    page.click("#pin")
    assert page.get_attribute("#pin", "aria-pressed") == "true"
    select(page, "B2")
    text = page.inner_text("#panel table.compare")
    assert "60.000" in text and "30.000" in text and "100.000" in text and "70.000" in text
    page.click("#language-button")
    assert "Two buildings" in page.text_content("#panel")
    page.click("#compare-end")
    assert page.inner_text("#panel .rank") == "Rank 2"


@pytest.fixture(scope="module")
def tracked_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tracks")
    return written(folder, town.with_tracks(town.inputs())) / "index.html"


def test_buildings_without_a_rank_say_why_and_gates_bring_them_in(
    browser: Any, tracked_file: Path
) -> None:
    one = Opened(browser, tracked_file)
    page = one.open()
    assert "排序 4 栋，不排序 2 栋" in page.inner_text("#subheading")
    select(page, "B2")
    assert page.inner_text("#panel .rank") == "不参与排序"
    assert "危房单列：危险等级 D" in page.inner_text("#panel .tier")
    assert page.is_disabled("#panel [data-step=next]")
    page.select_option("#colour-by", "track")
    assert "危房单列" in page.inner_text("#legend")
    page.select_option("#filter-track", "excluded")
    page.click("#table-button")
    page.fill("#search", "")
    assert cells(page, 0)[:2] == ["–", "B4"]
    page.select_option("#filter-track", "")
    page.click("#what-if-tab")
    page.uncheck("#gate-hazard")
    page.wait_for_timeout(250)
    assert page.inner_text("#panel .rank") == "试算第 2 名"
    assert "发布时不参与排序" in page.inner_text("#panel .verdict")
    assert page.evaluate("[...shancheng.model.byRank].map(shancheng.idOf)") == [
        *("B1", "B2", "B3", "B6", "B5")
    ]
    with page.expect_download() as download:
        page.click("#scenario-save")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert '"tracks":\n    "hazard_grades": []' in text
    page.uncheck("#gate-clearance")
    assert page.evaluate("shancheng.model.rankedCount") == 6
    page.wait_for_timeout(400)
    assert "g=hazard,clearance" in page.evaluate("location.hash")
    one.context.close()
    assert one.faults == []


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("parts"), town.with_two_districts(town.inputs()))


def test_a_district_has_a_page_of_its_own_linked_both_ways(browser: Any, parted: Path) -> None:
    one = Opened(browser, parted / "index.html")
    page = one.open()
    page.click("#pages summary")
    page.click("#pages-list a[href='districts/E.html']")
    page.wait_for_selector("html[data-ready-ms]")
    assert page.evaluate("shancheng.model.count") == 3
    assert "东区" in page.inner_text("#heading")
    select(page, "B4")
    assert page.inner_text("#panel .rank") == "区内第 2 名"
    assert "全市发布名次：第 5 名" in page.inner_text("#panel .verdict")
    assert "第四档" in page.inner_text("#panel .tier"), "the tier is that of the whole city"
    page.click("#what-if-tab")
    page.press("#weight-climb", "Home")
    page.wait_for_timeout(250)
    # by slope alone: B3 20 of 40, B5 13.3, B4 8
    order = page.evaluate("[...shancheng.model.byRank].map(shancheng.idOf)")
    assert order == ["B3", "B5", "B4"]
    page.click("#pages summary")
    page.click("#pages-list a[href='../index.html']")
    page.wait_for_selector("html[data-ready-ms]")
    assert page.evaluate("shancheng.model.count") == 6
    one.context.close()
    assert one.faults == []


@pytest.fixture
def crawled(browser: Any, tracked_file: Path) -> Iterator[Any]:
    one = Opened(browser, tracked_file)
    yield one.open()
    one.context.close()
    assert one.faults == []
    assert {address.split("#")[0] for address in one.requests if address.startswith("file")} == {
        one.address
    }
    assert all(address.startswith(("file:", "blob:")) for address in one.requests)


@pytest.mark.parametrize("wanted", ["zh", "en"])
def test_every_control_can_be_used_in_both_languages(crawled: Any, wanted: str) -> None:
    page = crawled
    if wanted == "en":
        page.click("#language-button")
    select(page, "B1")
    page.click("#table-button")
    for tab in ("areas", "buildings", "what-if", "about"):
        page.click(f"#{tab}-tab")
    page.click("#what-if-tab")
    foreign = LATIN_WORD if wanted == "zh" else CJK
    values = "all => all.map((o) => o.value)"
    for choice in ("#colour-by", "#filter-tier", "#filter-track", "#filter-year"):
        for value in page.locator(f"{choice} option").evaluate_all(values):
            page.select_option(choice, value)
            page.wait_for_timeout(30)
            if choice == "#colour-by":
                told = page.inner_text("#legend")
                rows = page.locator("#legend .classes tbody tr").all_inner_texts()
                assert sum(int(row.split("\t")[2].replace(",", "")) for row in rows) == 6, value
                assert not foreign.search(told), told
        page.select_option(choice, "tier" if choice == "#colour-by" else "")
    for key in ("ArrowLeft", "Shift+ArrowRight", "PageUp", "PageDown", "Home", "End"):
        page.press("#weight-slope", key)
    for box in page.locator("#what-if input[type=checkbox]").all():
        box.uncheck()
        box.check()
    page.click("#what-if-reset")
    for head in page.locator("#dock [data-sort]").evaluate_all(
        "all => all.map((o) => o.dataset.sort)"
    ):
        page.click(f"#dock [data-sort={head}]")
    with page.expect_download():
        page.click("#save-csv")
    with page.expect_download():
        page.click("#scenario-save")
    for _ in range(2):
        page.click("#pin")
    page.click("#panel [data-step=next]")
    page.click("#panel [data-step=previous]")
    page.click("#panel .close")
    page.click(".leaflet-control-zoom-in")
    page.click(".leaflet-control-zoom-out")
    page.click("#legend summary")
    page.click("#dock .close")
    page.click("#side-button")
    page.click("#side-button")
    assert page.is_visible("#side") and page.is_hidden("#dock")


def test_everything_has_a_name_for_screen_readers(page: Any) -> None:
    select(page, "B1")
    page.click("#table-button")
    page.click("#what-if-tab")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, a, [role=tabpanel], [role=img]')]
          .filter((node) => node.getClientRects().length)
          .filter((node) => !(node.getAttribute('aria-label') || node.textContent.trim()
            || node.getAttribute('aria-labelledby') || (node.labels && node.labels.length)))
          .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert nameless == []


def test_at_two_hundred_per_cent_all_can_be_reached(browser: Any, town_file: Path) -> None:
    one = Opened(browser, town_file, width=683, height=384)
    page = one.open()
    select(page, "B1")
    page.click("#what-if-tab")
    page.press("#weight-slope", "PageUp")
    page.click("#table-button")
    assert page.evaluate("document.documentElement.scrollWidth") <= 683
    assert page.locator("#map_atlas").bounding_box()["width"] > 600
    one.context.close()
    assert one.faults == []
