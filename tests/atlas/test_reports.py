"""The plain pages: numbers by hand, hostile names as text, links that lead somewhere."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import shapely

from pipeline.atlas.areas import area_keys
from pipeline.atlas.brief_facts import decades, mean_points, top_areas, totals
from pipeline.atlas.brief_map import (
    SQUARE,
    backdrop,
    district_map,
    path_of,
    spread_out,
    squares,
    view_of,
)
from pipeline.atlas.brief_plan import AreaPlan, area_plans
from pipeline.atlas.points import used_criteria
from pipeline.atlas.quality_facts import (
    SourceLine,
    criterion_lines,
    district_shares,
    faults,
    shares,
    source_lines,
)
from pipeline.atlas.quality_plan import plan_part
from pipeline.atlas.quality_settings import settings_part
from pipeline.atlas.reports import report_pages
from pipeline.contracts.tables import DISTRICTS, STREET_EDGES, WATER
from pipeline.pages.addresses import brief_name, links, page_stem
from pipeline.pages.curves import need_curve
from pipeline.pages.drawing import percent
from pipeline.pages.words import Words
from tests.atlas import plan_town, town

VOID = {"meta", "input", "col", "br"}


def pages() -> dict[str, str]:
    inputs = town.inputs(is_synthetic=True)
    used = used_criteria(inputs.settings.score.criteria, inputs.ledgers["score"]["weights"])
    return report_pages(inputs, used)


class Reader(HTMLParser):
    """Collects what a browser would see: tags in balance, text, links."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")], (tag, attrs)
        if tag == "a":
            self.links.append(str(dict(attrs)["href"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def planned_brief() -> str:
    inputs = plan_town.inputs()
    used = used_criteria(inputs.settings.score.criteria, inputs.ledgers["score"]["weights"])
    return report_pages(inputs, used)["briefs/R1.html"]


def test_hostile_names_are_text_on_every_page() -> None:
    for page in pages().values():
        seen = read(page)
        assert not seen.tags & {"script", "img", "iframe", "object", "link"}
        assert "javascript:" not in page
    quality = "".join(read(pages()["quality.html"]).text)
    assert "<img src=x onerror=alert(1)>" in quality
    assert "</script><script>alert(2)</script>" in quality


def test_links_lead_to_pages_that_are_there() -> None:
    written = pages()
    there = {"index.html", *written}
    for name, page in written.items():
        for link in read(page).links:
            if link.startswith("#"):
                assert f'id="{link[1:]}"' in page
                continue
            folder = name.rpartition("/")[0]
            target = link.removeprefix("../") if folder else link
            assert folder == "" or link.startswith("../")
            assert target.removesuffix("#l=en") in there, link


def test_the_same_input_gives_the_same_bytes() -> None:
    assert pages() == pages()


def test_a_page_says_that_robustness_was_not_computed() -> None:
    quality = pages()["quality.html"]
    section = quality[quality.index('id="robustness"') :]
    assert "未计算" in section[: section.index("<h2", 10)]


def test_keys_become_safe_file_names() -> None:
    assert page_stem("500103") == "500103"
    assert page_stem("渝中区") == "渝中区"
    hostile = ["../../etc/passwd", "a/b", "a b", "a_b/", "", ".", "x" * 300, "<b>", "a\nb", "-a"]
    names = [page_stem(key) for key in hostile]
    assert len(set(names)) == len(hostile)
    for name in names:
        assert re.fullmatch(r"[0-9A-Za-z\u4e00-\u9fff][0-9A-Za-z\u4e00-\u9fff-]*", name), name
        assert len(name.encode()) < 250
    assert brief_name("500103") == "briefs/500103.html"


def test_only_existing_pages_are_linked_and_never_the_page_itself() -> None:
    names = {"1": "甲", "2": "乙"}
    there = ["index.html", "quality.html", "briefs/1.html", "briefs/2.html", "districts/1.html"]
    found = [address for address, _ in links("briefs/1.html", there, names, only="1")]
    assert found == ["../index.html", "../quality.html", "../districts/1.html"]
    assert [a for a, _ in links("quality.html", there, names)] == [
        "index.html", "districts/1.html", "briefs/1.html", "briefs/2.html",
    ]  # fmt: skip


LISTED = pd.DataFrame(
    {
        "building_id": ["a", "b", "c", "d"],
        "district_name": ["甲", "甲", "甲", "乙"],
        "estate_id": ["E1", "E1", None, None],
        "road_name": ["R", None, "R", None],
        "floor_area_m2": [1000.0, 500.0, np.nan, 250.0],
        "household_count": pd.array([10, None, 5, None], dtype="Int64"),
        "x_points": [30.0, 10.0, 0.0, 1.0],
        "y_points": [5.0, 20.0, 2.0, 1.0],
        "x_origin": ["measured", "stand_in", "inferred", "measured"],
        "origin": ["recorded", None, "recorded", "odd"],
    }
)


def test_totals_say_what_is_known_and_never_zero_for_nothing() -> None:
    whole = totals(LISTED)
    assert (whole.building_count, whole.floor_area_m2, whole.floor_known_count) == (4, 1750.0, 3)
    assert (whole.household_count, whole.household_known_count) == (15, 2)
    nothing = totals(LISTED[LISTED["building_id"] == "d"].assign(floor_area_m2=np.nan))
    assert nothing.floor_area_m2 is None
    assert nothing.household_count is None


def test_buildings_are_counted_in_the_decade_of_their_middle_year() -> None:
    years = np.array([1900.0, 1949.9, 1950.0, 1984.2, 1989.9, np.nan])
    found = decades(years, pd.Series(["recorded", "inferred", "baseline", "x", "x", "unknown"]))
    assert found.labels == ("<1950", "1950–59", "1960–69", "1970–79", "1980–89")
    assert found.counts == (2, 1, 0, 0, 2)
    assert (found.unknown_count, found.inferred_count) == (1, 2)
    late = decades(np.array([1991.0]), pd.Series(["recorded"]))
    assert late.labels == ("1990–99",)
    assert decades(np.array([np.nan]), pd.Series(["unknown"])).labels == ()


def test_needs_are_means_largest_first() -> None:
    assert mean_points(LISTED.head(2), ["y", "x"]) == [("x", 20.0), ("y", 12.5)]
    assert mean_points(LISTED.head(0), ["x"]) == []


def test_areas_go_by_estate_then_road_then_cell() -> None:
    keys = area_keys(LISTED, pd.Series(["c1"] * 4))
    assert list(keys) == ["甲/estate/E1", "甲/estate/E1", "甲/road/R", "乙/grid_cell/c1"]


def test_an_area_tells_what_its_own_buildings_need() -> None:
    listed = LISTED.assign(area_id=area_keys(LISTED, pd.Series(["c1"] * 4)))
    row = {
        "district_name": "甲", "row_type": "road", "area_rank": 1, "area_name": "R",
        "area_id": "甲/road/R", "building_count": 1, "tier_1_count": 0, "household_sum_count": pd.NA,
        "floor_area_sum_m2": np.nan, "score_mean_points": 2.0, "rank_best": 7,
        "rank_p05_median": 3, "rank_p95_median": pd.NA, "longitude_deg": 106.5, "latitude_deg": 29.5,
    }  # fmt: skip
    (area,) = top_areas("甲", listed, pd.DataFrame([row]), ["x", "y"], pd.DataFrame())
    assert area.needs == ("y",), "a criterion that brings no points is no need"
    assert area.household_count is None
    assert (area.rank_low, area.rank_high) == (3.0, None)


def test_sources_that_do_not_add_up_are_seen() -> None:
    good = {"rows_in": 10, "rows_supporting": 3, "rows_out": 5, "rows_rejected": 2}
    bad = {"rows_in": 10, "rows_out": 5, "rows_rejected": 2, "notices": {"a": 1, "b": 2}}
    found = source_lines({"b": good, "a": bad})
    assert found == [SourceLine("a", 10, 0, 5, 2, 0, 3), SourceLine("b", 10, 3, 5, 2, 0, 0)]
    assert [line.is_balanced for line in found] == [False, True]


def test_faults_are_counted_by_kind_with_their_first_cases() -> None:
    rejects = pd.DataFrame(
        {
            "source_name": ["s"] * 6,
            "source_row": list("123456"),
            "scope_type": ["value", "value", "row", "row", "row", "row"],
            "field_name": ["f", "g", None, None, None, None],
            "reason_code": ["odd", "odd", "far", "far", "far", "far"],
            "detail_text": ["a", None, "b", "c", "d", "e"],
        }
    )
    rows, values = faults(rejects)
    assert (rows.scope_type, rows.count) == ("row", 4)
    assert rows.examples == (("3", "b"), ("4", "c"), ("5", "d"))
    assert values.field_names == ("f", "g")
    assert values.examples == (("1", "a"), ("2", ""))


def test_shares_by_origin_hold_every_building() -> None:
    found = shares(LISTED["origin"], LISTED["floor_area_m2"], ("recorded", "unknown"))
    assert found.origins == ("recorded", "unknown", "odd")
    assert found.buildings == (2, 1, 1)
    assert found.floor_area_m2 == (1000.0, 500.0, 250.0)
    assert district_shares(LISTED, "origin", ("recorded", "unknown")) == {
        "乙": (0, 0),
        "甲": (2, 1),
    }


def test_criteria_tell_measured_inferred_and_stand_ins() -> None:
    (line,) = criterion_lines(LISTED, ["x"])
    assert (line.measured, line.inferred, line.stand_in) == (2, 1, 1)


def test_a_square_has_the_middle_tier_of_its_buildings() -> None:
    inside = [(0, 0), (1, 1), (2, 2)]
    points = np.array([*inside, (SQUARE, 0), (SQUARE + 1, 1), (0, SQUARE)])
    cell, tier = squares(points, np.array([5, 1, 3, 2, 4, 0]))
    found = {(x, y): t for (x, y), t in zip(cell.tolist(), tier.tolist(), strict=True)}
    assert found == {(0, 0): 3, (1, 0): 2, (0, 1): 0}, "the more urgent of two, 0 only when alone"
    _, mixed = squares(np.array([(0, 0), (1, 1)]), np.array([0, 5]))
    assert mixed.tolist() == [5]


def test_paths_go_from_point_to_point_in_steps() -> None:
    points = np.array([(10, 10), (15, 10), (15, 10), (15, 4), (0, 0), (2, 3), (7, 7)])
    owner = np.array([0, 0, 0, 0, 1, 1, 2])
    assert path_of(points, owner, is_closed=False) == "M10 10l5 0 0 -6M0 0l2 3"
    assert path_of(points[:4], owner[:4], is_closed=True) == "M10 10l5 0 0 -6z"
    assert path_of(points[:0], owner[:0], is_closed=True) == ""


def test_labels_do_not_lie_on_each_other() -> None:
    points = np.array([(500, 500)] * 5 + [(0, 0)])
    places = spread_out(points, gap=36, height=1000)
    for one in range(6):
        for other in range(one):
            assert np.hypot(*(places[one] - places[other])) >= 36
    assert places[0].tolist() == [500, 500]
    assert (places[5] > 0).all(), "a label at the edge stays on the map"


@pytest.mark.parametrize("sides", [(1000, 200), (200, 1000), (1, 1)])
def test_the_view_holds_every_building(sides: tuple[float, float]) -> None:
    shape = np.array([shapely.box(0, 0, *sides)])
    west, south, east, north = view_of(shape).box
    assert west < 0 and south < 0
    assert east > sides[0] and north > sides[1]


def test_the_need_curve_goes_through_its_bends() -> None:
    chart = need_curve([(3.0, 0.0), (10.0, 0.2), (30.0, 1.0)], [5.0, 12.0], unit=Words("米", "m"))
    knobs = [tuple(map(float, k)) for k in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', chart)]
    (x0, y0), (x1, y1), (x2, y2) = knobs
    assert (x1 - x0) / (x2 - x0) == pytest.approx(7 / 27, abs=0.01)
    assert (y0 - y1) / (y0 - y2) == pytest.approx(0.2, abs=0.01)
    falling = need_curve([(9.0, 0.0), (1.0, 1.0)], [], unit=Words("", ""))
    (_, low), (_, high) = (
        map(float, k) for k in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', falling)
    )
    assert low < high, "where less is worse the line falls: the left knob stands higher"


def test_nearly_all_is_not_all() -> None:
    assert [percent(v) for v in (0, 0.004, 0.5, 0.996, 1)] == ["0%", "<1%", "50%", ">99%", "100%"]


def test_a_district_without_buildings_has_a_brief_that_says_so() -> None:
    inputs = town.inputs(is_synthetic=True)
    districts = inputs.tables[DISTRICTS]
    empty = districts.assign(district_id="R2", district_name="空区")
    empty["geometry"] = empty.geometry.translate(900, 0)
    two = pd.concat([districts, empty], ignore_index=True)
    more = dataclasses.replace(inputs, tables={**inputs.tables, DISTRICTS: two})
    used = used_criteria(inputs.settings.score.criteria, inputs.ledgers["score"]["weights"])
    brief = report_pages(more, used)["briefs/R2.html"]
    said = "".join(read(brief).text)
    assert "空区" in said
    assert "没有可列出的片区" in said
    assert "nan" not in brief.lower().replace("nanning", "")


def test_maps_beside_are_linked_if_they_are_named() -> None:
    inputs = town.inputs(is_synthetic=True)
    used = used_criteria(inputs.settings.score.criteria, inputs.ledgers["score"]["weights"])
    found = report_pages(inputs, used, ["index.html", "districts/R1.html"])
    assert "../districts/R1.html" in read(found["briefs/R1.html"]).links
    assert "districts/R1.html" in read(found["quality.html"]).links
    assert "../districts/R1.html" not in read(pages()["briefs/R1.html"]).links


def test_every_district_gets_its_brief() -> None:
    ids = town.inputs(is_synthetic=True).tables[DISTRICTS]["district_id"]
    assert {brief_name(one) for one in ids} <= set(pages())


def test_a_brief_tells_the_plan_where_there_is_one() -> None:
    said = "".join(read(planned_brief()).text)
    assert "2027" in said
    assert "123" in said, "1,234,000 yuan are 123 万元"
    assert "1,000" not in said, "the project that waits has no cost in the plan"
    assert "年度计划" in said
    assert "年度计划" not in "".join(read(pages()["briefs/R1.html"]).text)


def test_an_area_has_the_cost_of_what_lies_wholly_in_it() -> None:
    listed = pd.DataFrame(
        {
            "area_id": ["a", "a", "b", "b", "c"],
            "project_id": ["P1", "P2", "P2", "P3", None],
            "planned_year": pd.array([2026, 2028, 2028, None, None], dtype="Int64"),
        }
    )
    projects = pd.DataFrame(
        {
            "project_id": ["P1", "P2", "P3"],
            "planned_year": pd.array([2026, 2028, None], dtype="Int64"),
            "cost_cny": [10.0, 20.0, 40.0],
        }
    )
    found = area_plans(listed, projects, ["a", "b", "c"])
    assert found["a"] == AreaPlan(2026, 2028, 2, 10.0), "P2 lies in b too"
    assert found["b"] == AreaPlan(2028, 2028, 1, None)
    assert found["c"] == AreaPlan(None, None, 0, None)


def test_the_quality_page_tells_how_each_year_is_known() -> None:
    # of six buildings one year is vague, one inferred, four unknown
    told = "0% 的建筑有记录，17% 只有约数，17% 为推断，67% 不明。"
    assert told in pages()["quality.html"]


def test_the_quality_page_tells_the_plan_or_that_there_is_none() -> None:
    annual = {
        "project_count": 30, "planned_count": 12, "planned_building_count": 110, "price_year": 2025,
        "planned_household_count": 4_200, "planned_cost_cny": 15_000_000.0, "gap_share": 0.0004,
        "gain_over_greedy_share": 0.025, "estimated_share": 0.5,
        "planned_by_source_cny": {"central": 9_000_000.0, "never_heard_of": 6_000_000.0},
        "waiting_by_reason": {"budget": 17, "refused": 1},
        "by_year": [{"plan_year": 2026, "project_count": 12, "household_plan_count": 4_200,
                     "payment_cny": 15_000_000.0, "public_cny": 9_000_000.0,
                     "budget_cny": 10_000_000.0, "budget_left_cny": 1_000_000.0}],
    }  # fmt: skip
    said = "".join(read("".join(plan_part(annual))).text)
    for words in ("1,500 万元", "0.040%", "2.5%", "50.0%", "900", "17", "1,000", "never heard of"):
        assert words in said, words
    assert "没有可排的项目" in "".join(plan_part({}))


def test_settings_show_their_source_and_what_this_run_states_itself() -> None:
    inputs = town.inputs()
    remarks = {
        "measure.walking.tobler_steepness": ("default.yaml", "Tobler <1993>"),
        "plan.min_area_building_count": ("cities/x.yaml", "our own"),
    }
    shown = "".join(settings_part(inputs.settings, remarks))
    assert "Tobler &lt;1993&gt;" in shown
    first = shown[: shown.index("<details")]
    assert "plan.min_area_building_count" in first
    assert "tobler" not in first


def drawn_map(shapes: list[shapely.Geometry]) -> str:
    inputs = town.inputs()
    behind = backdrop(*(inputs.tables[table] for table in (DISTRICTS, WATER, STREET_EDGES)))
    return district_map(
        "<i>区</i>", np.array(shapes), np.ones(len(shapes), dtype=np.int64), behind,
        inks=["#111111"] * 5, labels=np.zeros((0, 2)),
    )  # fmt: skip


def test_a_map_of_any_size_stays_small() -> None:
    near = [town.square(x * 9.0, y * 9.0, 7) for x in range(90) for y in range(90)]
    assert len(drawn_map(near)) < 300_000, "8,100 houses as squares"
    few = near[:2000]
    assert len(drawn_map(few)) < 200_000, "2,000 as outlines"


def test_large_buildings_are_drawn_with_their_corners() -> None:
    corners = [(0, 0), (300, 0), (300, 80), (80, 80), (80, 300), (0, 300)]
    house = shapely.Polygon([(town.ORIGIN[0] + x, town.ORIGIN[1] + y) for x, y in corners])
    (path,) = re.findall(r'<path d="([^"]+)" fill="#111111"', drawn_map([house]))
    steps = re.findall(r"-?\d+ -?\d+", path)
    assert len(steps) == 1 + 6, "a start and six sides"
