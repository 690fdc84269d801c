"""The page in a browser: drawn, clickable, silent on the network, whole in both languages."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.atlas import town
from tests.browser.conftest import Opened
from tests.browser.hands import (
    CJK,
    COLOUR_AT,
    LATIN_WORD,
    click,
    on_screen,
    select,
)


def test_it_opens_without_a_network_and_asks_for_nothing(opened: Opened) -> None:
    assert opened.page.evaluate("shancheng.model.count") == len(town.IDS)
    assert "住宅 6 栋，全部参与排序" in opened.page.inner_text("#subheading")
    assert opened.requests == [opened.address]


def test_the_policy_refuses_a_picture_from_outside(browser: Any, town_file: Path) -> None:
    one = Opened(browser, town_file)
    failures: list[str] = []
    one.page.on("requestfailed", lambda request: failures.append(request.failure))
    refused = one.open().evaluate(
        """() => new Promise((resolve) => {
          const tell = (event) => resolve(event.effectiveDirective);
          document.addEventListener('securitypolicyviolation', tell);
          const picture = new Image();
          picture.src = 'https://example.invalid/x.png';
        })"""
    )
    assert refused == "img-src"
    assert failures == ["csp"]
    fetched = one.page.evaluate(
        "fetch('https://example.invalid/').then(() => 'sent', () => 'refused')"
    )
    assert fetched == "refused"
    one.context.close()


def test_on_a_wall_of_4k_words_grow_and_the_scale_stays_true(browser: Any, town_file: Path) -> None:
    heights, docks = {}, {}
    for width, height in ((1366, 768), (3840, 2160)):
        one = Opened(browser, town_file, width=width, height=height)
        page = one.open()
        heights[width] = page.locator("#heading h1").bounding_box()["height"]
        page.click("#table-button")
        docks[width] = page.locator("#dock").bounding_box()["height"] / height
        line = page.locator(".leaflet-control-scale-line")
        metres = page.evaluate(
            """(pixels) => {
              const { map } = shancheng, { y } = map.getSize();
              const at = (x) => map.containerPointToLatLng([x, y / 2]);
              return map.distance(at(0), at(pixels));
            }""",
            line.bounding_box()["width"],
        )
        assert metres == pytest.approx(float(line.inner_text().split()[0]), rel=0.05)
        one.context.close()
    assert heights[3840] == pytest.approx(1.6 * heights[1366], rel=0.05)
    assert docks[3840] == pytest.approx(docks[1366], abs=0.02)


def test_a_click_opens_the_building_with_its_rank(page: Any) -> None:
    click(page, 195, 15)
    assert page.inner_text("#panel .rank") == "第 2 名"
    assert page.inner_text("#panel .score") == "70.000 分"
    assert "way/2" in page.text_content("#panel")
    assert page.locator(".leaflet-overlay-pane path").count() == 4  # two parts, each with its halo


def test_a_click_into_a_hole_or_on_the_ground_opens_nothing(page: Any) -> None:
    click(page, -60, -60)
    assert page.is_hidden("#panel")
    click(page, 30, 30)
    assert page.is_hidden("#panel .rank")
    assert "项目 · P1" in page.inner_text("#panel"), (
        "the hole lies in an estate, which is a project"
    )


def test_a_building_that_is_not_ranked_says_so(page: Any) -> None:
    click(page, -75, 25)
    assert "不参与排序" in page.text_content("#panel")
    assert "学校" in page.text_content("#panel")


@pytest.mark.parametrize("place", range(6))
def test_points_shown_add_up_to_the_score(page: Any, place: int) -> None:
    select(page, town.IDS[place])
    shown = [float(text) for text in page.locator("#panel .points li .number b").all_inner_texts()]
    assert shown == [town.POINTS["climb"][place], town.POINTS["slope"][place]]
    total = float(page.inner_text("#panel .total b"))
    assert total == town.SCORE[place] == pytest.approx(sum(shown), abs=1e-9)
    assert page.inner_text("#panel .rank") == f"第 {town.RANK[place]} 名"


def test_values_bounds_and_origins_are_shown(page: Any) -> None:
    select(page, "B1")
    climb = page.inner_text("#panel [data-criterion=climb]")
    assert "41.2" in climb and "3 起计" in climb and "30" in climb and "街道与地形" in climb
    facts = page.inner_text("#panel .facts")
    assert "1980–1989" in facts and "22,400" in facts and "占地面积 × 层数" in facts
    assert "106." in facts
    select(page, "B6")
    assert "数据缺失" in page.inner_text("#panel [data-criterion=slope]")


def test_a_bar_is_as_long_as_its_points(page: Any) -> None:
    select(page, "B2")
    widths = [
        float(bar.get_attribute("width"))
        for bar in page.locator("#panel .bar rect:last-child").all()
    ]
    assert widths == pytest.approx([50, 66.667], abs=0.01)  # 30 and 40 of the heaviest, 60


def test_hostile_names_are_text_and_nothing_else(page: Any) -> None:
    before = page.locator("img, iframe, b[onclick]").count()
    for key, name in town.NAMES.items():
        select(page, key)
        assert page.inner_text("#panel h2") == name
        assert town.ROAD in page.inner_text("#panel .place")
    page.click("#buildings-tab")
    assert town.NAMES["B5"] in page.inner_text("#buildings")
    page.click("#areas-tab")
    assert town.ROAD in page.text_content("#areas")
    assert page.locator("img, iframe, b[onclick]").count() == before == 0


def visible_texts(page: Any) -> list[str]:
    """Return every text that a reader can see, the choices of lists included."""
    texts: list[str] = page.evaluate(
        """() => {
          const found = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const holder = walker.currentNode.parentElement;
            const isChoice = holder.tagName === 'OPTION';
            if (['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(holder.tagName)) continue;
            if (!isChoice && holder.getClientRects().length === 0) continue;
            found.push(walker.currentNode.textContent.trim());
          }
          for (const name of ['title', 'aria-label', 'placeholder', 'label']) {
            for (const node of document.querySelectorAll(`[${name}]`)) {
              found.push(node.getAttribute(name));
            }
          }
          return found.filter(Boolean);
        }"""
    )
    return texts


@pytest.mark.parametrize("tab", ["areas", "buildings", "what-if", "about"])
def test_every_text_changes_with_the_language(page: Any, tab: str) -> None:
    page.click(f"#{tab}-tab")
    page.click("#table-button")
    select(page, "B6")
    told = [*town.NAMES.values(), town.ROAD, "<i>区</i>", "山脚路", "中文"]
    told += [c.source for c in town.settings().score.criteria.values()]
    for source in town.settings().sources.values():
        told += [source.publisher, source.licence, source.attribution]
    told += [
        "Shancheng",
        "Apache",
        "folium",
        "Leaflet",
        "BSD",
        "English",
        "scenario",
        "base",
        "_what_if",
        "make plan BUDGET",
        "way/",
        "山城",
        "config/scenarios",
        "make rank SCENARIO",
    ]
    told += ["合成数据，不是真实房屋登记。 Synthetic data — not a real register."]

    def foreign(pattern: re.Pattern[str]) -> list[str]:
        left = []
        for text in visible_texts(page):
            for word in sorted(told, key=len, reverse=True):
                text = text.replace(word, "")
            if pattern.search(text):
                left.append(text)
        return left

    assert foreign(LATIN_WORD) == []
    page.click("#language-button")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert foreign(CJK) == []
    assert page.inner_text("#panel .rank") == "Rank 4"
    page.click("#language-button")
    assert foreign(LATIN_WORD) == []


def test_both_languages_know_the_same_words(page: Any) -> None:
    told: list[str] = []
    for name in ("texts.js", "texts_asking.js", "texts_meeting.js"):
        script = (Path(__file__).parents[2] / "pipeline/atlas/static" / name).read_text("utf-8")
        halves = script.split("\n  en: {")
        keys = [re.findall(r"^    (\w+):", half, re.MULTILINE) for half in halves]
        assert keys[0] == keys[1]
        told += keys[0]
    assert len(told) == len(set(told)) > 200


def test_search_finds_by_id_name_and_road(page: Any) -> None:
    for query, expected in (("b3", 1), ("红楼", 1), ("十八梯", 6), ("no such", 0)):
        page.fill("#search", query)
        assert page.locator("#found button").count() == expected, query
    assert "没有找到" in page.inner_text("#found")


def test_the_keyboard_is_enough(page: Any) -> None:
    page.focus("#search")
    page.keyboard.type("B4")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.inner_text("#panel .rank") == "第 5 名"
    page.click("#panel [data-step=next]")
    assert page.inner_text("#panel .rank") == "第 6 名"
    assert page.evaluate("document.activeElement.tagName") in ("BUTTON", "BODY")
    page.keyboard.press("Escape")
    assert page.is_hidden("#panel")
    page.focus("#areas-tab")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#buildings") and page.is_hidden("#areas")


def test_an_invented_city_says_so_and_a_note_can_be_put_away(page: Any) -> None:
    assert "合成数据" in page.inner_text("#notices") and "Synthetic" in page.inner_text("#notices")
    page.click("#notices button")
    assert "测试" not in page.inner_text("#notices")
    assert "合成数据" in page.inner_text("#notices")


def test_the_page_tells_how_it_came_about(page: Any) -> None:
    page.click("#about-tab")
    about = page.inner_text("#about")
    for words in (
        "60.00 %",
        "40.00 %",
        "房龄 — 只有 0.8 % 的建筑有数据",
        "轮廓过小 4",
        "1 栋（16.7 %）",
    ):
        assert words in about
    assert "© OpenStreetMap contributors (2026-04)" in page.inner_text("#foot")
    assert "情景" not in page.inner_text("#subheading"), "the usual one need not be named"


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080)])
def test_nothing_is_small_or_covered(
    browser: Any, town_file: Path, width: int, height: int
) -> None:
    one = Opened(browser, town_file, width=width, height=height)
    page = one.open()
    select(page, "B1")
    smallest = page.evaluate(
        """() => {
          const hasText = (node) => [...node.childNodes]
            .some((child) => child.nodeType === 3 && child.textContent.trim());
          return Math.min(...[...document.querySelectorAll('body *')]
            .filter((node) => node.getClientRects().length && hasText(node))
            .map((node) => parseFloat(getComputedStyle(node).fontSize)));
        }"""
    )
    assert smallest >= 14
    boxes = page.evaluate(
        """() => ['#top', '#notices', '#side', '#map_atlas', '#right', '#foot'].map((id) => {
          const box = document.querySelector(id).getBoundingClientRect();
          return [box.left, box.top, box.right, box.bottom];
        })"""
    )
    for place, a in enumerate(boxes):
        assert a[2] <= width + 0.5 and a[3] <= height + 0.5
        for b in boxes[place + 1 :]:
            apart = (
                a[2] <= b[0] + 0.5 or b[2] <= a[0] + 0.5 or a[3] <= b[1] + 0.5 or b[3] <= a[1] + 0.5
            )
            assert apart
    one.context.close()


def test_an_old_browser_is_told_in_both_languages(browser: Any, town_file: Path) -> None:
    one = Opened(browser, town_file)
    one.page.add_init_script("delete window.DecompressionStream")
    one.page.goto(one.address)
    said = one.page.inner_text("#failure")
    assert "浏览器" in said and "This browser cannot unpack" in said
    one.context.close()


def test_a_torn_file_is_told_in_both_languages(
    browser: Any, town_file: Path, tmp_path: Path
) -> None:
    text = town_file.read_text(encoding="utf-8")
    torn = tmp_path / "torn.html"
    torn.write_text(
        re.sub(r'(id="pack">.{400})[^<]*', r"\1", text, flags=re.DOTALL), encoding="utf-8"
    )
    one = Opened(browser, torn)
    one.page.goto(one.address)
    one.page.wait_for_selector("#failure:not([hidden])")
    assert "copy it again" in one.page.inner_text("#failure")
    one.context.close()


def test_paper_gets_a_whole_map(page: Any) -> None:
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    box = page.locator("#map_atlas").bounding_box()
    assert (round(box["width"]), round(box["height"])) == (1042, 502)
    west, east = box["x"] + 5, box["x"] + box["width"] - 5
    north, south = box["y"] + 5, box["y"] + box["height"] - 5
    corners = [[x, y] for x in (west, east) for y in (north, south)]
    seen = page.evaluate(f"(places) => places.map((place) => ({COLOUR_AT})(...place))", corners)
    assert [colour[3] for colour in seen] == [255] * 4
    # the district: 800 m square, its south-west corner at (-250, -250), above the legend
    corners = [on_screen(page, x, y) for x in (-250, 550) for y in (-250, 550)]
    legend = page.locator("#legend").bounding_box()
    west, east = (pick(x for x, _ in corners) for pick in (min, max))
    north, south = (pick(y for _, y in corners) for pick in (min, max))
    assert box["x"] <= west and east <= box["x"] + box["width"]
    assert box["y"] <= north and south <= box["y"] + box["height"]
    assert south <= legend["y"]
    assert (south - north) > 0.9 * box["height"], "as large as it may be"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.is_visible("#side")
