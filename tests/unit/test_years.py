"""Years as people write them."""

import pytest

from pipeline.intake.years import read_year


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1950年", 1950, 1950),
        ("20世纪20年代", 1920, 1929),
        ("1947-10-10", 1947, 1947),
        ("八十年代", 1980, 1989),
        ("2013", 2013, 2013),
        ("１９８５", 1985, 1985),
        ("一九八五年", 1985, 1985),
        ("1985.6", 1985, 1985),
        ("1985.0", 1985, 1985),
        ("198506", 1985, 1985),
        ("19850601", 1985, 1985),
        ("85年", 1985, 1985),
        ("05年", 2005, 2005),
        ("九十年代初", 1990, 1993),
        ("90年代末", 1997, 1999),
        ("上世纪80年代", 1980, 1989),
        ("1990年代", 1990, 1999),
        ("2000年代", 2000, 2009),
        ("1980s", 1980, 1989),
        ("19世纪", 1800, 1899),
        ("1998-2000", 1998, 2000),
        ("1998~2000年", 1998, 2000),
        ("1985-86", 1985, 1986),
        ("1985-06", 1985, 1985),
        ("1990年前", 1600, 1990),
        ("2000年以后", 2000, 2026),
        ("民国35年", 1946, 1946),
        ("民国元年", 1912, 1912),
        ("解放前", 1600, 1949),
        (" 建于1985年 ", 1985, 1985),
    ],
)
def test_a_text_gives_the_years_it_allows(text: str, low: int, high: int) -> None:
    reading = read_year(text, earliest=1600, latest=2026)
    assert (reading.low, reading.high, reading.fault) == (low, high, "")


@pytest.mark.parametrize("text", [None, "", "-", "——", "不详", "无", "N/A", "?", "  "])
def test_nothing_said_is_missing_and_no_fault(text: str | None) -> None:
    reading = read_year(text, earliest=1600, latest=2026)
    assert (reading.low, reading.high, reading.fault) == (None, None, "")


@pytest.mark.parametrize("text", ["0", "9999", "194", "2091", "2000-1990"])
def test_an_impossible_year_is_told(text: str) -> None:
    assert read_year(text, earliest=1600, latest=2026).fault == "impossible_year"


@pytest.mark.parametrize("text", ["hello", "1985-13-01", "85-90", "1-1-1", "约", "年代"])
def test_an_unreadable_text_is_told(text: str) -> None:
    reading = read_year(text, earliest=1600, latest=2026)
    assert reading.fault == "unreadable_year"
    assert reading.low is None
