"""The walk home on the map and in profile; expected places and numbers come from the town's plan."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.atlas.stage import run
from pipeline.contracts.tables import BUILDING_RANKING
from tests.atlas import town
from tests.browser.conftest import Opened
from tests.browser.hands import CJK, on_screen, select

LINE = "#map_atlas path.walk-line"


def drawn(page: Any) -> list[tuple[float, float]]:
    """Return the corners of the drawn walk on the screen."""
    found = page.evaluate(
        """(selector) => {
          const path = document.querySelector(selector);
          const matrix = path.getScreenCTM();
          return path.getAttribute('d').match(/-?[0-9.]+ -?[0-9.]+/g)
            .map((pair) => pair.split(' ').map(Number))
            .map(([x, y]) => [x * matrix.a + matrix.e, y * matrix.d + matrix.f]);
        }""",
        LINE,
    )
    return [(x, y) for x, y in found]


def spots(line: Any) -> tuple[list[float], list[float]]:
    """Return x and y of the corners of a line in the profile."""
    points = [pair.split(",") for pair in line.get_attribute("points").split()]
    return [float(x) for x, _ in points], [float(y) for _, y in points]


def test_the_walk_is_drawn_along_its_points(page: Any) -> None:
    select(page, "B4")
    page.wait_for_timeout(300)
    corners = drawn(page)
    along = [(90, 130), (90, 110), (90, 60), (90, 20), (90, -20)]
    expected = [on_screen(page, *place) for place in along]
    assert corners[0] == pytest.approx(expected[0], abs=2.5)
    assert corners[-1] == pytest.approx(expected[-1], abs=2.5)
    assert all(abs(x - expected[0][0]) < 6 for x, _ in corners), "it runs north to south"
    assert page.locator("#map_atlas path.walk-casing").count() == 1
    road = page.locator("#map_atlas path.walk-road").bounding_box()
    assert road["x"] + road["width"] / 2 == pytest.approx(expected[-1][0], abs=2.5)


def test_the_profile_tells_lengths_and_heights(page: Any) -> None:
    select(page, "B3")
    numbers = page.locator("#walk dd").all_inner_texts()
    climb, out, home, length = (text.replace("\xa0", " ") for text in numbers)
    assert (climb, out, home) == ("9.8 米", "3.0 分钟", "4.5 分钟")
    # 130 m along x = 90 and 10 m to the wall at x = 100; points are kept to a metre
    assert float(length.split()[0]) == pytest.approx(140, abs=2)
    texts = page.locator("#walk svg text").all_text_contents()
    assert "○ 主干道路 250 米" in texts and "房屋地面 251 米 ●" in texts
    assert "离主干道路（米）" in texts and "0" in texts and "100" in texts
    street, access = page.locator("#walk polyline").all()
    x, y = spots(street)
    # 0, 40, 80, 130 m from the road at 250, 249, 262, 270.5 m
    assert (x[1] - x[0]) / (x[3] - x[0]) == pytest.approx(40 / 130, abs=0.02)
    assert (x[2] - x[0]) / (x[3] - x[0]) == pytest.approx(80 / 130, abs=0.02)
    assert (y[0] - y[2]) / (y[0] - y[3]) == pytest.approx(12 / 20.5, abs=0.02)
    assert y[1] > y[0], "a dip lies lower on the screen"
    # and 10 m on to the wall, where the ground lies at 250.5 m
    access_x, access_y = spots(access)
    assert (access_x[0], access_y[0]) == (x[3], y[3])
    assert (access_x[1] - x[0]) / (x[3] - x[0]) == pytest.approx(140 / 130, abs=0.02)
    assert (access_y[1] - y[3]) / (y[0] - y[3]) == pytest.approx(20 / 20.5, abs=0.03)


def test_a_door_at_the_road_has_a_level_profile(page: Any) -> None:
    select(page, "B1")
    texts = page.locator("#walk svg text").all_text_contents()
    assert "○ 主干道路 251 米" in texts and "房屋地面 251 米 ●" in texts
    # from (30, -20) on the road to the wall at y = 0
    length = page.inner_text("#walk [data-walk=walk_length] dd")
    assert float(length.split()[0]) == pytest.approx(20, abs=2)


def test_unknown_ground_is_not_told_as_known(browser: Any, tmp_path: Path) -> None:
    inputs = town.inputs()
    listed = inputs.tables[BUILDING_RANKING]
    listed.loc[listed["building_id"] == "B3", "elevation_m"] = float("nan")
    path = tmp_path / "index.html"
    path.write_text(run(inputs).pages["index.html"], encoding="utf-8", newline="")
    one = Opened(browser, path)
    page = one.open()
    select(page, "B3")
    assert "房屋地面" not in "".join(page.locator("#walk svg text").all_text_contents())
    assert page.locator("#walk polyline").count() == 1
    assert "房屋地面 ? 米" in page.locator("#walk svg").get_attribute("aria-label")
    one.context.close()


def test_a_building_without_a_way_says_so_in_both_languages(page: Any) -> None:
    select(page, "B5")
    assert page.locator(LINE).count() == 0
    assert "没有找到通往主干道路的步行路线" in page.inner_text("#walk")
    page.click("#language-button")
    assert "No walk to a main road was found" in page.inner_text("#walk")
    select(page, "B4")
    told = page.inner_text("#walk") + "".join(page.locator("#walk text").all_text_contents())
    assert "Climb (larger way)" in told and "main road 250 m" in told
    assert not CJK.search(told)
    page.click("#language-button")


def test_closing_the_panel_takes_the_walk_away(page: Any) -> None:
    select(page, "B4")
    assert page.locator(LINE).count() == 1
    page.keyboard.press("Escape")
    assert page.locator(LINE).count() == 0


def test_a_hostile_name_beside_a_walk_stays_text(page: Any) -> None:
    select(page, "B3")
    assert page.inner_text("#panel h2") == town.NAMES["B3"]
    assert page.locator("img").count() == 0
