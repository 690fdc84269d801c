"""What the map's squares show: classes, what is missing, and who paints them."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Opened
from tests.browser.hands import TIER_COLOURS, look_at, painted, select


def test_buildings_wear_their_tier_and_holes_stay_open(page: Any) -> None:
    look_at(page, 30, 30, 18)
    assert painted(page, 8, 8) == TIER_COLOURS["B1"]
    assert painted(page, 50, 30) == TIER_COLOURS["B1"]
    assert painted(page, 30, 30) not in TIER_COLOURS.values()
    look_at(page, 165, 15, 18)
    assert painted(page, 130, 8) == painted(page, 200, 8) == TIER_COLOURS["B2"]
    assert painted(page, 165, 15) not in TIER_COLOURS.values()


def test_a_missing_value_is_hatched_so_that_it_is_told_without_colours(page: Any) -> None:
    look_at(page, 295, 115, 18)  # B6, whose slope nobody knows
    page.select_option("#colour-by", "need.1")
    assert {painted(page, 285 + step, 115) for step in range(8)} == {
        (168, 184, 154),
        (113, 130, 106),
    }
    row = page.locator("#legend tr").filter(has_text="缺失")
    assert row.locator("svg path").count() == 1
    assert page.locator("#legend tr svg path").count() == 1
    page.select_option("#colour-by", "need.0")
    assert {painted(page, 285 + step, 115) for step in range(8)} == {(237, 248, 251)}  # no need


def test_water_is_blue(page: Any) -> None:
    look_at(page, -190, -190, 16)
    red, green, blue = painted(page, -200, -200)
    assert blue > red + 15 and blue > green
    assert "水域" in page.inner_text("#legend")


def test_the_overview_shows_every_tier(page: Any) -> None:
    look_at(page, 150, 50, 13)
    assert painted(page, 8, 30) == TIER_COLOURS["B1"]


def test_colour_stays_sharp_on_a_dense_screen(browser: Any, town_file: Path) -> None:
    one = Opened(browser, town_file)
    one.context.close()
    context = browser.new_context(device_scale_factor=2, offline=True)
    page = context.new_page()
    page.goto(one.address)
    page.wait_for_selector("html[data-ready-ms]")
    assert page.evaluate("document.querySelector('canvas.leaflet-tile').width") == 1024
    look_at(page, 30, 30, 18)
    assert painted(page, 8, 8) == TIER_COLOURS["B1"]
    context.close()


@pytest.mark.parametrize(
    "worker",
    [
        "undefined",
        """class extends EventTarget {
          constructor() { super(); setTimeout(() => this.onerror(new Event('error')), 50); }
          postMessage() {}
        }""",
    ],
    ids=["refused", "failing"],
)
def test_without_a_second_thread_the_page_paints_itself(
    browser: Any, town_file: Path, worker: str
) -> None:
    one = Opened(browser, town_file)
    one.page.add_init_script(f"window.Worker = {worker}")
    page = one.open()
    assert page.workers == []
    look_at(page, 30, 30)
    assert painted(page, 8, 8) == TIER_COLOURS["B1"]
    page.select_option("#colour-by", "climb")
    assert painted(page, 8, 8) != TIER_COLOURS["B1"]
    one.context.close()
    assert one.faults == []


def test_a_second_thread_paints_what_comes_into_sight(page: Any) -> None:
    assert len(page.workers) == 1
    page.evaluate("shancheng.map.options.zoomAnimationThreshold = 99")
    page.evaluate("shancheng.map.setZoom(14, {animate: false})")
    page.evaluate("shancheng.map.setZoom(18)")  # asked for while the old squares still stand
    look_at(page, 30, 30, 18)
    assert painted(page, 8, 8) == TIER_COLOURS["B1"]


def test_other_colourings_repaint_the_map_and_the_legend(page: Any) -> None:
    look_at(page, 30, 30, 18)
    page.select_option("#colour-by", "climb")
    assert painted(page, 8, 8) == (106, 10, 102)  # ≥ 30 m: #6a0a66
    rows = page.locator("#legend tbody tr").all_inner_texts()
    counts = {row.split("\t")[1].strip(): row.split("\t")[2].strip() for row in rows}
    assert counts == {"≥ 30": "1", "20–30": "0", "10–20": "1", "5–10": "2", "< 5": "2"}
    choices = page.locator("#colour-by option").evaluate_all("all => all.map((o) => o.value)")
    # nobody was asked in this town: readiness and consent have nothing to show
    assert choices == [
        *("tier", "move", "planned", "sure", "funded_chance", "missing"),
        *("quadrant", "climb", "slope", "year", "basis"),
        *("need.0", "need.1"),
    ]
    page.select_option("#colour-by", "need.1")
    assert "替代值" in page.inner_text("#legend")
    page.select_option("#colour-by", "tier")
    assert painted(page, 8, 8) == TIER_COLOURS["B1"]


def test_what_is_not_planned_is_a_class_of_its_own(page: Any) -> None:
    page.select_option("#colour-by", "planned")
    rows = page.locator("#legend tbody tr").all_inner_texts()
    names = [row.split("\t")[1].strip() for row in rows]
    assert names[-1] == "未列入计划"
    assert names[:-1] == sorted(names[:-1])
    page.click("#language-button")
    assert "not planned" in page.locator("#legend tbody tr").last.inner_text()
    page.click("#language-button")


def test_recorded_vague_and_inferred_years_are_told_apart(page: Any) -> None:
    look_at(page, 30, 30, 18)
    page.select_option("#colour-by", "basis")
    rows = page.locator("#legend tbody tr").all_inner_texts()
    counts = {row.split("\t")[1].strip(): row.split("\t")[2].strip() for row in rows}
    assert counts == {"约数（数年之内）": "1", "推断": "1", "不明": "4"}
    assert painted(page, 8, 8) == (107, 174, 214)  # vague: #6baed6
    page.select_option("#colour-by", "tier")
    select(page, "B2")
    facts = page.inner_text("#panel .facts")
    assert "约 1980（1975–1991）" in facts and "推断" in facts
