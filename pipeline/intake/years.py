"""Read a year of construction from what people write.

Assumes Western or Chinese dates of the last few centuries; a decade without a century is read as the
20th, the only one in which registers write that way. A vague text becomes an interval, never a
guess. What cannot be read is told, not skipped.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_DIGITS = str.maketrans("零〇○一二三四五六七八九", "000123456789")
_EMPTY = re.compile(
    r"^(-+|—+|/+|\?+|n/?a|none|null|nan|unknown|无|不详|未知|不明|暂无|待查|待定)?$", re.I
)
_DAY = r"(?:[-/.年]\s*(\d{1,2})(?:[-/.月]\s*(\d{1,2})日?|月)?)"
_FULL = re.compile(
    rf"^(?:约|大约|c\.?|ca\.?|~|建于)?\s*(0|\d{{3,5}})\s*(?:年|年代?建|年建成|年竣工)?{_DAY}?$"
)
_SERIAL = re.compile(r"^(1[6-9]|20)(\d{2})(0[1-9]|1[0-2])([0-3]\d)?$")
_SHORT = re.compile(r"^(\d{2})\s*年$")
_REPUBLIC = re.compile(r"^民国(元|\d{1,2})年$")
_DECADE = re.compile(
    r"^(?:(\d{1,2})世纪|上世纪|(1[6-9]|20))?(\d0)年代\s*(初期?|早期|前期|中期?|末期?|后期|晚期)?$"
)
_DECADE_EN = re.compile(r"^(?:c\.?|~|early |late |mid )?(1[6-9]\d0|20\d0)'?s$", re.I)
_CENTURY = re.compile(r"^(?:[Cc]|)(\d{2})(?:世纪|th century)$")
_RANGE = re.compile(r"^(\d{4})\s*年?\s*(?:-|–|—|~|～|至|到|/|\.\.)\s*(\d{4})\s*年?$")
_SHORT_RANGE = re.compile(r"^(\d{4})\s*年?\s*[-–—~～至到/]\s*(\d{2})\s*年?$")
_BEFORE = re.compile(r"^(?:before |<\s*)?(\d{4})\s*年?\s*(?:以前|之前|前|)$")
_AFTER = re.compile(r"^(?:after |>\s*)?(\d{4})\s*年?\s*(?:以后|之后|后|)$")
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


@lru_cache(maxsize=20_000)
def read_year(text: str | None, *, earliest: int, latest: int) -> YearReading:
    """Return the years that a text allows.

    >>> read_year("20世纪20年代", earliest=1600, latest=2026)
    YearReading(low=1920, high=1929, fault='')
    """
    plain = unicodedata.normalize("NFKC", text or "").strip()
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
    plain = plain.translate(_DIGITS)
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


def _two_digits(year: int, latest: int) -> tuple[int, int]:
    full = 1900 + year if 1900 + year > latest - 100 else 2000 + year
    return full, full
