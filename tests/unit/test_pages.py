import re
from xml.etree import ElementTree

import pandas as pd
import pytest
from markupsafe import Markup

from pipeline.pages.charts import Series, bars, dots, lines, ticks
from pipeline.pages.document import figure, heading, page, paragraph, table
from pipeline.pages.notes import note
from pipeline.pages.words import Words
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

HOSTILE = "<img src=x onerror=alert(1)></script>{{7*7}}"
SAID = Words("标题", "title")


def test_text_from_data_stays_text_wherever_it_stands() -> None:
    words = Words(HOSTILE, HOSTILE)
    chart = bars([HOSTILE, words], [1.0, 2.0])
    axes = lines([Series(words, [0, 1], [0, 1])], x_label=words, y_label=words)
    whole = page(
        words,
        [
            heading(words),
            paragraph(words, is_warning=True),
            table([HOSTILE], [[HOSTILE], [words]], caption=words, notes={0: words}),
            figure(chart, caption=words),
            figure(axes, caption=words),
        ],
        banner=words,
        links=[(f'"{HOSTILE}', words)],
    )
    assert "<img" not in whole
    assert "</script>" not in whole
    assert "&lt;img src=x onerror=alert(1)&gt;&lt;/script&gt;{{7*7}}" in whole
    assert "<script" not in whole


def test_a_page_asks_nobody_and_says_so() -> None:
    whole = page(SAID, [])
    assert "default-src &#39;none&#39;" in whole or "default-src 'none'" in whole
    assert not re.search(r"https?://|@import|url\(", whole)


def test_the_chinese_text_comes_first_and_is_the_one_checked() -> None:
    whole = page(SAID, [heading(SAID)])
    assert whole.index('<span lang="zh">标题') < whole.index('<span lang="en">title')
    assert 'id="say-first" checked' in whole


def test_empty_cells_are_dashes_and_numbers_stand_right() -> None:
    shown = table(["a", "b", "c"], [[None, 1234, float("nan")], [pd.NA, 1, "nan"]], caption=SAID)
    assert shown.count("–") == 3
    assert '<td class="short">nan</td>' in shown, "a text is shown as it is"
    assert '<td class="number">1,234</td>' in shown


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="row 0 has 1 cells, the header 2"):
        table(["a", "b"], [["x"]], caption=SAID)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (1950, 2000, [1950, 1960, 1970, 1980, 1990, 2000]),
        (3, 3, [3, 3.2, 3.4, 3.6, 3.8, 4]),
    ],
)
def test_ticks_are_round_and_cover_the_range(low: float, high: float, expected: list) -> None:
    found = ticks(low, high)
    assert found[0] <= low
    assert found[-1] >= high
    assert found == pytest.approx(expected) or low == high


def _points(chart: Markup) -> list[tuple[float, float]]:
    path = max(re.findall(r'<path d="(M[^"]*L[^"]*)"', chart), key=len)
    return [tuple(map(float, pair.split())) for pair in re.split("[ML]", path)[1:]]


def test_a_line_goes_through_its_points_in_proportion() -> None:
    chart = lines([Series(SAID, [0, 5, 10], [0, 20, 10])], x_label=SAID, y_label=SAID)
    (x0, y0), (x1, y1), (x2, y2) = _points(chart)
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert y0 - y1 == pytest.approx(2 * (y0 - y2), abs=0.2)
    assert y1 < y2 < y0, "larger values stand higher"


def test_a_gap_breaks_the_line() -> None:
    nan = float("nan")
    chart = lines([Series(SAID, [0, 1, 2, 3], [0, nan, 1, 2])], x_label=SAID, y_label=SAID)
    assert re.search(r'd="M\S+ \S+M\S+ \S+L', chart)


def test_bars_are_as_long_as_their_values() -> None:
    chart = bars(["a", "b", "c"], [10.0, 5.0, float("nan")])
    wide = [float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)"', chart)]
    assert wide[0] == pytest.approx(2 * wide[1], abs=0.1)
    assert len(wide) == 2


def test_charts_are_well_formed() -> None:
    one = Series(Words("甲", "a & b"), [1, 2], [3, 4])
    for chart in (
        bars(["<"], [1.0]),
        lines([one], x_label=SAID, y_label=SAID, diagonal=True),
        dots([one, one], x_label=SAID, y_label=SAID),
        lines([Series(SAID, [], [])], x_label=SAID, y_label=SAID),
    ):
        parts = ElementTree.fromstring(chart).iter()
        assert any(part.tag.endswith("svg") for part in parts)


def test_notes_of_the_default_criteria_are_told_in_chinese() -> None:
    criteria = read_settings(REPOSITORY / "config", "reference", "base").score.criteria
    known_by_name = re.compile(r"TD/T|GB")
    for name, criterion in criteria.items():
        told = known_by_name.sub("", note(criterion.source).zh)
        assert not re.search("[A-Za-z]{2,}", told), (name, told)
    assert note("300 m, GB 50180-2018; weight illustrative") == Words(
        "300 米，GB 50180-2018；权重为示例", "300 m, GB 50180-2018; weight illustrative"
    )
    assert note("our own survey; weight illustrative").zh == "our own survey; weight illustrative"
