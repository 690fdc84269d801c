"""Years as people write them."""

import pytest

from pipeline.intake.years import mended_years, read_year


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
        ("1980/6/30 0:00", 1980, 1980),
        ("1980-06-30 00:00:00", 1980, 1980),
        ("1980-06-30T00:00:00", 1980, 1980),
        ("1980-06-30T00:00:00Z", 1980, 1980),
        ("1980-06-30 00:00:00+00:00", 1980, 1980),
        ("1980-06-30 00:00:00.000", 1980, 1980),
        ("1980-01-01T00:00:00+08:00", 1980, 1980),
        ("1979-12-31T16:00:00Z", 1979, 1980),  # midnight of New Year in Chongqing
        ("6/30/1980 12:00:00 AM", 1980, 1980),
        ("30.06.1980", 1980, 1980),
        ("06/30/1980", 1980, 1980),
        ("03/04/1985", 1985, 1985),  # 3 April or 4 March, 1985 in either case
        ("30 June 1980", 1980, 1980),
        ("June 30, 1980", 1980, 1980),
        ("Jun-1980", 1980, 1980),
        ("Jun-80", 1980, 1980),  # as Excel shows a year and month
        ("2-Jun-05", 2005, 2005),
        ("80-6-30", 1980, 1980),
        ("30.06.80", 1980, 1980),
        ("80年6月", 1980, 1980),
        ("'1985", 1985, 1985),
        ("一九八〇年六月", 1980, 1980),
        ("一九八五年十二月三十一日", 1985, 1985),
        ("民国六十九年", 1980, 1980),
        ("民國69年6月", 1980, 1980),
        ("1980.6-1981.3", 1980, 1981),
        ("1980年6月建成", 1980, 1980),
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


@pytest.mark.parametrize(
    "text", ["hello", "1985-13-01", "31/31/1985", "03/04/05", "85-90", "1-1-1", "约", "年代"]
)
def test_an_unreadable_text_is_told(text: str) -> None:
    reading = read_year(text, earliest=1600, latest=2026)
    assert reading.fault == "unreadable_year"
    assert reading.low is None


def test_years_typed_into_cells_of_dates_are_days_of_a_spreadsheet() -> None:
    """Day 1980 of Excel is 1905-06-02; of a workbook that counts from 1904, 1909-06-03."""
    assert mended_years(["1905-06-02", "1905-06-07", ""]) == ["1980", "1985", ""]
    assert mended_years(["1905/6/2 0:00", "1905年6月7日"]) == ["1980", "1985"]
    assert mended_years(["1909-06-03", "八十年代"]) == ["1980", "八十年代"]
    assert mended_years(["29402", "31228.0"]) == ["1980-06-30", "1985-06-30"]


def test_one_date_of_1905_among_others_is_left_to_people() -> None:
    told = mended_years(["1905-06-02", "1985-06-07", "1990-01-01"])
    assert told[1:] == ["1985-06-07", "1990-01-01"]
    assert read_year(told[0], earliest=1600, latest=2026).fault == "unreadable_year"
    few = mended_years(["1905-06-02", "1980", "1985", "1990"])
    assert read_year(few[0], earliest=1600, latest=2026).fault == "unreadable_year"


def test_years_and_months_of_five_digits_are_no_days() -> None:
    assert mended_years(["19805", "19856"]) == ["19805", "19856"]
