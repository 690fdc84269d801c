"""Read a year of construction from what people write.

Assumes Western or Chinese dates of the last few centuries; a decade without a century is read as the
20th, the only one in which registers write that way. A vague text becomes an interval, never a
guess. What cannot be read is told, not skipped.
"""

import datetime
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_DIGITS = str.maketrans("零〇○一二三四五六七八九", "000123456789")
_EMPTY = re.compile(
    r"^(-+|—+|/+|\?+|n/?a|none|null|nan|unknown|无|不详|未知|不明|暂无|待查|待定)?$", re.I
)
_DAY = r"(?:[-/.年]\s*(\d{1,2})(?:[-/.月]\s*(\d{1,2})[日号]?|月)?)"
_FULL = re.compile(
    rf"^(?:公元|约|大约|c\.?|ca\.?|~|建于)?\s*(0|\d{{3,5}})\s*(?:年|年代?建|年建成|年竣工)?{_DAY}?"
    r"(?:\s*(?:建成|竣工|建))?$"
)
_CLOCK = re.compile(
    r"(?:T|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(AM|PM|上午|下午)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$",
    re.IGNORECASE,
)
_DAY_FIRST = re.compile(r"^(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{4})$")
_TWO_DIGITS = re.compile(r"^(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{1,2})$")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?"
_NAMED_MONTH = re.compile(
    rf"^(?:\d{{1,2}}(?:st|nd|rd|th)?[-\s.]*)?{_MONTH}(?:\s+\d{{1,2}}(?:st|nd|rd|th)?)?[-\s,.]*(\d{{4}})$",
    re.I,
)
_MONTH_SHORT = re.compile(rf"^(?:\d{{1,2}}[-\s])?{_MONTH}[-\s]'?(\d{{2}})$", re.IGNORECASE)
_TEN = re.compile(r"([一二三四五六七八九])?十([一二三四五六七八九])?(?=[年月日号])")
_SERIAL = re.compile(r"^(1[6-9]|20)(\d{2})(0[1-9]|1[0-2])([0-3]\d)?$")
_SHORT = re.compile(r"^'?(\d{2})\s*年(?:\s*(\d{1,2})\s*月(?:\s*(\d{1,2})\s*[日号])?)?$")
_REPUBLIC = re.compile(r"^民[国國](元|\d{1,3})年(?:\d{1,2}月(?:\d{1,2}[日号])?)?$")
_DECADE = re.compile(
    r"^(?:(\d{1,2})世纪|上世纪|(1[6-9]|20))?(\d0)年代\s*(初期?|早期|前期|中期?|末期?|后期|晚期)?$"
)
_DECADE_EN = re.compile(r"^(?:c\.?|~|early |late |mid )?(1[6-9]\d0|20\d0)'?s$", re.I)
_CENTURY = re.compile(r"^(?:[Cc]|)(\d{2})(?:世纪|th century)$")
_TO_MONTH = r"(?:[.年/]\s*\d{1,2}\s*月?)?"
_RANGE = re.compile(
    rf"^(\d{{4}}){_TO_MONTH}\s*年?\s*(?:-|–|—|~|～|至|到|/|\.\.)+\s*(\d{{4}}){_TO_MONTH}\s*年?$"
)
_SHORT_RANGE = re.compile(r"^(\d{4})\s*年?\s*[-–—~～至到/]\s*(\d{2})\s*年?$")
_BEFORE = re.compile(r"^(?:before |<\s*)?(\d{4})\s*年?\s*(?:以前|之前|前|)$")
_AFTER = re.compile(r"^(?:after |>\s*)?(\d{4})\s*年?\s*(?:以后|之后|后|)$")
_WHOLE_DAY = re.compile(r"^(\d{4})[-/.年]\s*(\d{1,2})[-/.月]\s*(\d{1,2})日?$")
_YEAR_MONTH = re.compile(r"(19|20)\d\d[1-9](\.0+)?$")
_EXCEL_DAY_0, _EXCEL_1904 = datetime.date(1899, 12, 30), datetime.date(1904, 1, 1)
_TYPED = (1850, 2100)
_TENS = {"二": "2", "三": "3", "四": "4", "五": "5", "六": "6", "七": "7", "八": "8", "九": "9"}
_PART = {
    "初": (0, 3),
    "早": (0, 3),
    "前": (0, 4),
    "中": (3, 6),
    "末": (7, 9),
    "后": (5, 9),
    "晚": (7, 9),
}
_ERAS = {
    "解放前": (None, 1949),
    "建国前": (None, 1949),
    "民国": (1912, 1949),
    "建国初期": (1949, 1955),
}


@dataclass(frozen=True)
class YearReading:
    """What a text says of a year.

    ``low`` and ``high`` bound it, both empty where nothing is said; ``fault`` tells why a text that
    is not empty could not be used.
    """

    low: int | None = None
    high: int | None = None
    fault: str = ""


def says_no_year(text: str) -> bool:
    """Return whether a text is what people write where no year is known."""
    return bool(_EMPTY.match(unicodedata.normalize("NFKC", text).strip()))


def mended_years(texts: Sequence[str]) -> list[str]:
    """Return the different texts of a column of years, with what a spreadsheet made of them put right.

    A year typed into a cell that is formatted as a date shows as the day of that number: 1980 as
    1905-06-02 (1909-06-03 where the workbook counts from 1904). Where every full date of a column lies
    in those months, and most of its texts are such dates, they are years. Where only some do, they are
    left unreadable, and so told. A column of numbers of five digits holds days since 1900.
    """
    days = {text: day for text in texts if (day := _day(text)) is not None}
    found = {text: year for text, day in days.items() if (year := _typed_year(day)) is not None}
    numbers = [text for text in texts if re.fullmatch(r"\d+(\.0+)?", text.strip())]
    serials = [text for text in numbers if re.fullmatch(r"\d{5}(\.0+)?", text.strip())]
    mended = {}
    if found:
        is_sure = len(found) == len(days) and 2 * len(found) >= sum(map(bool, texts))
        for text, year in found.items():
            mended[text] = str(year) if is_sure else f"{text}, or {year} typed into a cell of dates"
    if (
        serials
        and len(serials) == len(numbers)
        and not all(_YEAR_MONTH.match(one) for one in serials)
    ):
        for text in serials:
            day = _EXCEL_DAY_0 + datetime.timedelta(days=int(float(text)))
            mended[text] = day.isoformat()
    return [mended.get(text, text) for text in texts]


def _day(text: str) -> datetime.date | None:
    plain = _CLOCK.sub("", unicodedata.normalize("NFKC", text).strip())
    match = _WHOLE_DAY.match(plain)
    try:
        return datetime.date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None


def _typed_year(day: datetime.date) -> int | None:
    """Return the year whose number is a day of a spreadsheet, if it can be one."""
    for start in (_EXCEL_DAY_0, _EXCEL_1904):
        if _TYPED[0] <= (day - start).days <= _TYPED[1]:
            return (day - start).days
    return None


@lru_cache(maxsize=20_000)
def read_year(text: str | None, *, earliest: int, latest: int) -> YearReading:
    """Return the years that a text allows.

    >>> read_year("20世纪20年代", earliest=1600, latest=2026)
    YearReading(low=1920, high=1929, fault='')
    """
    plain = unicodedata.normalize("NFKC", text or "").strip().lstrip("'’‘`").strip()
    if _EMPTY.match(plain):
        return YearReading()
    span = _span(plain, earliest, latest)
    if span is None:
        return YearReading(fault="unreadable_year")
    low, high = span
    if low > high or high < earliest or low > latest:
        return YearReading(fault="impossible_year")
    return YearReading(max(low, earliest), min(high, latest))


def _span(plain: str, earliest: int, latest: int) -> tuple[int, int] | None:
    plain = plain.removesuffix(".0") if re.fullmatch(r"\d{1,5}\.0", plain) else plain
    for era, (low, high) in _ERAS.items():
        if plain in (era, era + "时期"):
            return low or earliest, high
    if "年代" in plain:
        for tens, digit in _TENS.items():
            plain = plain.replace(f"{tens}十年代", f"{digit}0年代")
        plain = plain.replace("二十世纪", "20世纪").replace("十九世纪", "19世纪")
    plain = _TEN.sub(_tens, plain).translate(_DIGITS)
    if match := _CLOCK.search(plain):
        return _at_a_time(plain[: match.start()], match, earliest, latest)
    if match := _SHORT_RANGE.match(plain):
        low, end = int(match[1]), int(match[2])
        if end > max(12, low % 100):
            return low, low // 100 * 100 + end
    if match := _FULL.match(plain):
        year, month, day = match.groups()
        if month and not 1 <= int(month) <= 12:
            return None
        if day and not 1 <= int(day) <= 31:
            return None
        return int(year), int(year)
    if match := _SERIAL.match(plain):
        year = int(match[1] + match[2])
        return year, year
    if match := _SHORT.match(plain):
        return _two_digits(int(match[1]), latest)
    if match := _DAY_FIRST.match(plain):
        return _with_a_day(int(match[4]), int(match[1]), int(match[3]))
    if match := _TWO_DIGITS.match(plain):
        parts = [int(match[number]) for number in (1, 3, 4)]
        # a number above 31 can only be the year, which stands first or last
        if max(parts[0], parts[2]) > 31 >= min(parts[0], parts[2]):
            year, day = max(parts[0], parts[2]), min(parts[0], parts[2])
            full = _two_digits(year, latest)
            return full if _with_a_day(full[0], day, parts[1]) else None
        return None
    if match := _NAMED_MONTH.match(plain):
        return int(match[1]), int(match[1])
    if match := _MONTH_SHORT.match(plain):
        return _two_digits(int(match[1]), latest)
    if match := _REPUBLIC.match(plain):
        year = 1911 + (1 if match[1] == "元" else int(match[1]))
        return year, year
    if match := _DECADE.match(plain):
        century, hundreds, decade, part = match.groups()
        default = 20 if decade == "00" else 19
        first = (int(century) - 1 if century else int(hundreds or default)) * 100 + int(decade)
        skip, reach = _PART[part[0]] if part else (0, 9)
        return first + skip, first + reach
    if match := _DECADE_EN.match(plain):
        return int(match[1]), int(match[1]) + 9
    if match := _CENTURY.match(plain):
        first = (int(match[1]) - 1) * 100
        return first, first + 99
    if match := _RANGE.match(plain):
        return int(match[1]), int(match[2])
    if match := _BEFORE.match(plain):
        return min(earliest, int(match[1])), int(match[1])
    if match := _AFTER.match(plain):
        return int(match[1]), max(latest, int(match[1]))
    return None


def _tens(match: re.Match[str]) -> str:
    """Return 十 and its neighbours in digits: 六十九 is 69."""
    digit = str.maketrans("一二三四五六七八九", "123456789")
    return f"{(match[1] or '一').translate(digit)}{(match[2] or '0').translate(digit)}".lstrip("0")


def _at_a_time(
    day: str, clock: re.Match[str], earliest: int, latest: int
) -> tuple[int, int] | None:
    """Return the year of a day with a time.

    A time of Greenwich near New Year may belong to either year here: midnight of 1 January in
    Chongqing is written 16:00Z of 31 December.
    """
    hour, minute = int(clock[1]), int(clock[2])
    if hour > 24 or minute > 59:
        return None
    span = _span(day.strip(), earliest, latest)
    is_greenwich = (clock[5] or "").upper() in ("Z", "UTC", "GMT", "+00:00", "+0000")
    if span is None or not is_greenwich or (hour, minute) == (0, 0):
        return span
    if re.fullmatch(r"\d{4}\D12\D31", day.strip()) and hour >= 12:
        return span[0], span[1] + 1
    if re.fullmatch(r"\d{4}\D0?1\D0?1", day.strip()) and hour < 12:
        return span[0] - 1, span[1]
    return span


def _with_a_day(year: int, one: int, two: int) -> tuple[int, int] | None:
    """Return the year of a date whose day and month may stand in either order, if they can be both."""
    return (year, year) if 1 <= min(one, two) <= 12 and 1 <= max(one, two) <= 31 else None


def _two_digits(year: int, latest: int) -> tuple[int, int]:
    full = 1900 + year if 1900 + year > latest - 100 else 2000 + year
    return full, full
