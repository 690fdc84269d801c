"""The page in a browser: drawn, clickable, silent on the network, whole in both languages."""

import re
from pathlib import Path
from typing import Any

import pytest
from pyproj import Transformer

from tests.atlas import town
from tests.browser.conftest import Opened

_DEGREES = Transformer.from_crs(town.CRS, "EPSG:4326", always_xy=True)
TIER_COLOURS = {"B1": (103, 0, 13), "B2": (203, 24, 29)}  # #67000d, #cb181d
CJK = re.compile(r"[\u3400-\u9fff]")
LATIN_WORD = re.compile(r"[A-Za-z]{3,}")


def look_at(page: Any, x_m: float, y_m: float, zoom: float = 17) -> None:
    """Bring a place of the town to the middle of the map and wait until it is painted."""
    lon, lat = _DEGREES.transform(town.ORIGIN[0] + x_m, town.ORIGIN[1] + y_m)
    page.evaluate(
        "([lat, lon, zoom]) => shancheng.map.setView([lat, lon], zoom, {animate: false})",
        [lat, lon, zoom],
    )
    page.wait_for_timeout(250)


def on_screen(page: Any, x_m: float, y_m: float) -> tuple[float, float]:
    """Return where a place of the town lies on the screen."""
    lon, lat = _DEGREES.transform(town.ORIGIN[0] + x_m, town.ORIGIN[1] + y_m)
    found = page.evaluate(
        """([lat, lon]) => {
          const point = shancheng.map.latLngToContainerPoint([lat, lon]);
          const box = shancheng.map.getContainer().getBoundingClientRect();
          return [point.x + box.left, point.y + box.top];
        }""",
        [lat, lon],
    )
    return found[0], found[1]


def painted(page: Any, x_m: float, y_m: float) -> tuple[int, ...]:
    """Return the colour on the map's squares at a place of the town, once all are painted."""
    page.evaluate(
        "async () => { while (!shancheng.isDrawn()) await new Promise(requestAnimationFrame); }"
    )
    colour = page.evaluate(
        """([x, y]) => {
          for (const tile of document.querySelectorAll('canvas.leaflet-tile')) {
            const box = tile.getBoundingClientRect();
            if (x < box.left || y < box.top || x >= box.right || y >= box.bottom) continue;
            const scale = tile.width / box.width;
            const [left, top] = [(x - box.left) * scale, (y - box.top) * scale];
            const context = new OffscreenCanvas(1, 1).getContext('2d');
            context.drawImage(tile, -Math.floor(left), -Math.floor(top));
            return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
          }
          return null;
        }""",
        list(on_screen(page, x_m, y_m)),
    )
    assert colour is not None
    return tuple(colour)


def click(page: Any, x_m: float, y_m: float) -> None:
    look_at(page, x_m, y_m)
    page.mouse.click(*on_screen(page, x_m, y_m))


def select(page: Any, building_id: str) -> None:
    page.fill("#search", building_id)
    page.press("#search", "Enter")


def test_it_opens_without_a_network_and_asks_for_nothing(opened: Opened) -> None:
    assert opened.page.evaluate("shancheng.model.count") == len(town.IDS)
    assert "6 栋参与排序" in opened.page.inner_text("#subheading")
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


def test_a_click_opens_the_building_with_its_rank(page: Any) -> None:
    click(page, 195, 15)
    assert page.inner_text("#panel .rank") == "第 2 名"
    assert page.inner_text("#panel .score") == "70.000 分"
    assert "way/2" in page.text_content("#panel")
    assert page.locator(".leaflet-overlay-pane path").count() == 4  # two parts, each with its halo


def test_a_click_into_a_hole_or_on_the_ground_opens_nothing(page: Any) -> None:
    click(page, 30, 30)
    assert page.is_hidden("#panel")


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
    for name in ("texts.js", "texts_asking.js"):
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
        *("tier", "move", "funded", "planned", "sure", "funded_chance", "missing"),
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
    assert "情景：base" in page.inner_text("#subheading")


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
        """() => ['#top', '#notices', '#side', '#map_atlas', '#panel', '#foot'].map((id) => {
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
    assert (round(box["width"]), round(box["height"])) == (1042, 602)
    painted = page.evaluate(
        """() => {
          const map = document.querySelector('#map_atlas').getBoundingClientRect();
          const tiles = [...document.querySelectorAll('canvas.leaflet-tile')];
          const isPainted = (x, y) => tiles.some((tile) => {
            const box = tile.getBoundingClientRect(), scale = tile.width / box.width;
            if (x < box.left || y < box.top || x >= box.right || y >= box.bottom) return false;
            const [column, row] = [(x - box.left) * scale, (y - box.top) * scale];
            const context = new OffscreenCanvas(1, 1).getContext('2d');
            context.drawImage(tile, -Math.floor(column), -Math.floor(row));
            return context.getImageData(0, 0, 1, 1).data[3] === 255;
          });
          return [[5, 5], [map.width - 5, 5], [5, map.height - 5], [map.width - 5, map.height - 5]]
            .map(([x, y]) => isPainted(map.left + x, map.top + y));
        }"""
    )
    assert painted == [True] * 4
    # the district: 800 m square, its south-west corner at (-250, -250), beside the legend or above it
    corners = [on_screen(page, x, y) for x in (-250, 550) for y in (-250, 550)]
    legend = page.locator("#legend").bounding_box()
    west, east = (pick(x for x, _ in corners) for pick in (min, max))
    north, south = (pick(y for _, y in corners) for pick in (min, max))
    assert box["x"] <= west and east <= box["x"] + box["width"]
    assert box["y"] <= north and south <= box["y"] + box["height"]
    assert west >= legend["x"] + legend["width"] or south <= legend["y"]
    assert (south - north) > 0.5 * (box["height"] - legend["height"]), "as large as it may be"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.is_visible("#side")
