"""Stacks, bands, quarters and columns: sizes by hand, hostile text, numbers beside colours."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from pipeline.pages.bands import moves, rank_bands
from pipeline.pages.charts import columns
from pipeline.pages.drawing import cut, ink_on, luminance, number, text_width
from pipeline.pages.quadrants import heat_table, quadrants, quarter_counts
from pipeline.pages.stacks import PARTS, Part, share_bars, signed_stacks
from pipeline.pages.words import Words

HOSTILE = "<img src=x onerror=alert(1)></script>{{7*7}}"
SAID = Words("标题", "title")
NAN = float("nan")


def rectangles(chart: str) -> list[tuple[float, float, str]]:
    """Return x, width and fill of every filled rectangle."""
    found = re.findall(r'<rect x="([\d.-]+)" y="[\d.-]+" width="([\d.]+)"[^>]*fill="(#\w+)"', chart)
    return [(float(x), float(width), fill) for x, width, fill in found]


def test_shares_are_as_wide_as_they_are() -> None:
    chart = share_bars(["a"], [Part(SAID, [30]), Part(SAID, [10])], inks=("#111111", "#eeeeee"))
    (_, wide, _), (_, narrow, _) = [r for r in rectangles(chart) if r[1] != 18]
    assert wide == pytest.approx(3 * narrow, rel=0.01)
    assert ">75%</text>" in chart
    assert ">25%</text>" in chart


def test_a_row_of_nothing_is_an_empty_frame_and_no_full_bar() -> None:
    chart = share_bars(["a"], [Part(SAID, [0.0]), Part(SAID, [0.0])])
    assert [r for r in rectangles(chart) if r[1] != 18] == []
    assert "%" not in chart


def test_contributions_stand_on_their_side_of_zero_and_the_sum_is_written() -> None:
    parts = [Part(SAID, [3.0]), Part(SAID, [-1.0]), Part(SAID, [2.0])]
    chart = signed_stacks(["a"], parts, x_label=SAID)
    drawn = {fill: (x, x + wide) for x, wide, fill in rectangles(chart) if wide != 18}
    first, second, third = (drawn[ink] for ink in PARTS[:3])
    assert second[1] == pytest.approx(first[0], abs=0.2), "minus ends where plus begins: at zero"
    assert third[0] == pytest.approx(first[1], abs=0.2), "parts of one sign follow each other"
    assert first[1] - first[0] == pytest.approx(3 * (second[1] - second[0]), rel=0.01)
    assert ">+4</text>" in chart


def test_parts_bear_the_number_of_their_legend() -> None:
    chart = signed_stacks(["a"], [Part(SAID, [3.0]), Part(SAID, [4.0])], x_label=SAID)
    assert chart.count(">1</text>") >= 2
    assert chart.count(">2</text>") >= 2


def test_neighbouring_parts_differ_in_grey() -> None:
    for one, other in pairwise(PARTS):
        bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) > 3, f"{one} beside {other}"


def test_text_on_a_fill_can_be_read() -> None:
    assert luminance("#ffffff") == pytest.approx(1)
    assert luminance("#000000") == 0
    assert luminance("#777777") == pytest.approx(0.1845, abs=1e-3)  # WCAG: 4.48:1 on white
    for ink in PARTS:
        contrast = sorted((luminance(ink), luminance(ink_on(ink))))
        assert (contrast[1] + 0.05) / (contrast[0] + 0.05) >= 4.5


def test_points_are_counted_into_their_quarters() -> None:
    x = [0.9, 0.1, 0.9, 0.1, 0.5, NAN]
    y = [0.9, 0.9, 0.1, 0.1, 0.5, 0.5]
    assert quarter_counts(x, y, x_split=0.5, y_split=0.5) == (2, 1, 1, 1)


def test_few_points_are_dots_and_many_a_grid_that_holds_them_all() -> None:
    names = (SAID, SAID, SAID, SAID)
    few = quadrants(
        [0.2, NAN], [0.8, 0.1], x_split=0.5, y_split=0.5, x_label=SAID, y_label=SAID, names=names,
        tips=[HOSTILE, ""],
    )  # fmt: skip
    assert few.count("<circle") == 1
    assert "<img" not in few
    count = 1000
    many = quadrants(
        [n / count for n in range(count)], [n / count for n in range(count)],
        x_split=0.5, y_split=0.5, x_label=SAID, y_label=SAID, names=names,
    )  # fmt: skip
    cells = re.findall(r"<title>([\d,]+)</title></rect>", many)
    assert sum(int(cell.replace(",", "")) for cell in cells) == count
    assert "<circle" not in many


def test_bands_run_from_low_to_high_with_the_middle_between() -> None:
    chart = rank_bands(["a", "b"], [10, NAN], [20, 5], [50, 9], x_label=SAID, stated=[30, 5])
    left, right = map(float, re.search(r'd="M([\d.]+) 16H([\d.]+)"', chart).groups())  # type: ignore[union-attr]
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', chart)]
    assert len(dots) == 1, "a band that is not known is not drawn"
    assert (dots[0] - left) / (right - left) == pytest.approx(0.25, abs=0.01)
    assert ">–</text>" in chart


def test_a_move_shows_only_the_sides_that_are_known() -> None:
    chart = moves(["entered", "moved"], [NAN, 10], [3, 4], x_label=SAID)
    assert chart.count("<circle") == 3
    assert chart.count('fill="#ffffff"') == 1


def test_a_heat_table_shades_by_value_and_says_what_is_empty() -> None:
    chart = heat_table(["a"], ["x", "y", "z"], [[0.0, 10.0, NAN]])
    fills = [fill for _, _, fill in rectangles(chart)]
    assert luminance(fills[0]) > luminance(fills[1])
    assert ">–</text>" in chart


def test_columns_are_as_high_as_their_counts_and_marked_ones_stand_out() -> None:
    chart = columns(["1970", "1980"], [10, 5], x_label=SAID, y_label=SAID, marked=[True, False])
    high = [float(h) for h in re.findall(r'<rect [^>]*height="([\d.]+)"', chart)]
    assert high[0] == pytest.approx(2 * high[1], abs=0.1)
    fills = [fill for _, _, fill in rectangles(chart)]
    assert fills[0] != fills[1]


def test_a_long_text_is_cut_to_its_room() -> None:
    for said in ("short", "很长的名字" * 60, "a" * 300, ""):
        shown = cut(said, 100)
        assert text_width(shown) <= 100
        assert shown == said or shown.endswith("…")


def test_no_negative_zero_in_coordinates() -> None:
    assert [number(v) for v in (-0.01, 0.0, 12.04, -3.5, 10.0)] == ["0", "0", "12", "-3.5", "10"]


def test_every_block_is_well_formed_and_keeps_hostile_text_as_text() -> None:
    evil = Words(HOSTILE, HOSTILE)
    names = (evil, evil, evil, evil)
    for chart in (
        share_bars([HOSTILE, evil], [Part(evil, [1, 0])], totals=[HOSTILE, HOSTILE]),
        signed_stacks([HOSTILE], [Part(evil, [1])], x_label=evil),
        rank_bands([HOSTILE], [1], [2], [3], x_label=evil),
        moves([HOSTILE], [1], [2], x_label=evil),
        heat_table([HOSTILE], [evil], [[1.0]]),
        columns([HOSTILE], [1], x_label=evil, y_label=evil),
        quadrants([0.5], [0.5], x_split=0.5, y_split=0.5, x_label=evil, y_label=evil, names=names),
        share_bars([], [], totals=[]), signed_stacks([], [], x_label=SAID),
        rank_bands([], [], [], [], x_label=SAID), heat_table([], [], []),
        columns([], [], x_label=SAID, y_label=SAID),
    ):  # fmt: skip
        ElementTree.fromstring(chart)
        assert "<img" not in chart
