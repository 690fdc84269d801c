"""Numbers as people write them: with units, thousands and decimals of either kind.

A column speaks with one tongue: whether 2,100 is two thousand or two and a tenth is told by the column
as a whole. Where it does not tell, nobody guesses.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

WAN, MU_M2, HECTARE_M2 = 1e4, 2000.0 / 3, 1e4
_UNIT = re.compile(
    r"\s*(?:(万)?\s*(?:平方米|平米|平方公尺|平方|㎡|m²|m2|sqm|sq\.?\s?m|米|公尺|m|层|層|楼|f|户|戶|年|套|间|栋|幢|个|人|单元|"
    r"部|台|storeys?|floors?|households?|units?)|(亩)|(公顷|ha)|(万)|(%))\s*$",
    re.IGNORECASE,
)
_BARE = re.compile(r"[+-]?[\d.,'’]+(?:e[+-]?\d+)?", re.IGNORECASE)
_DOT = re.compile(
    r"[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?:['’]\d{3})+|\d+)?(?:\.\d*)?(?:e[+-]?\d+)?",
    re.I,
)
_COMMA = re.compile(r"[+-]?(?:[1-9]\d{0,2}(?:\.\d{3})+|\d{1,3}(?:['’]\d{3})+|\d+)?(?:,\d*)?")
_BOTH = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_BRACKET = re.compile(r"\(([^()]*)\)\s*$")
_NEARLY_ALL = 0.95
_SPACED = re.compile(r"(?<=\d)[\s\u00a0\u202f](?=\d{3}(?!\d))")


def plain_number(text: str) -> tuple[str, float]:
    """Return the digits of a text with their marks, and what its unit multiplies by: 万 by 10,000."""
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("'’‘`").strip()
    factor = 1.0
    if match := _UNIT.search(plain):
        plain = plain[: match.start()].strip()
        wan, mu, hectare, wan_alone, percent = match.groups()
        factor = WAN if wan or wan_alone else MU_M2 if mu else HECTARE_M2 if hectare else 1.0
        factor = 0.01 if percent else factor
    return _SPACED.sub("", plain), factor


def decimal_mark(texts: Iterable[str]) -> str | None:
    """Return the sign before the decimals of a column, or None where it cannot be told.

    ``1,234.5`` and ``2,100,000`` can only have points before decimals, ``2100,5`` and ``2.100,5`` only
    commas. A column that holds both kinds, or of which every number with a mark reads either way
    (``2,100``, ``2.100``), tells nothing. Without any mark it is a point.
    """
    votes = {".": 0, ",": 0}
    is_open = False
    for text in texts:
        digits, _ = plain_number(text)
        if not _BARE.fullmatch(digits) or not ("," in digits or "." in digits):
            continue
        by_point, by_comma = bool(_DOT.fullmatch(digits)), bool(_COMMA.fullmatch(digits))
        if by_point != by_comma:
            votes["." if by_point else ","] += 1
        is_open |= by_point and by_comma
    if votes["."] and votes[","]:
        return None
    if votes[","]:
        return ","
    return None if is_open and not votes["."] else "."


def fitting_mark(texts: Sequence[str], low: float, high: float, *, whole: bool) -> str | None:
    """Return the one mark by which nearly all numbers that read two ways are usual ones, else None."""
    both = [text for text in texts if reads_two_ways(text)]
    fitting = []
    for mark in (".", ","):
        numbers = [read_number(text, mark) for text in both]
        usual = [
            number is not None and low <= number <= high and (not whole or number == int(number))
            for number in numbers
        ]
        if both and sum(usual) >= _NEARLY_ALL * len(both):
            fitting.append(mark)
    return fitting[0] if len(fitting) == 1 else None


def unit_of_header(name: str) -> float:
    """Return what a header's unit in brackets multiplies by: ``建筑面积(万㎡)`` by 10,000."""
    found = _BRACKET.search(unicodedata.normalize("NFKC", name))
    return plain_number(f"1{found[1]}")[1] if found else 1.0


def read_number(text: str, mark: str) -> float | None:
    """Return the number that a text writes, with ``mark`` before the decimals; None if it is none."""
    digits, factor = plain_number(text)
    pattern, group = (_DOT, ",") if mark == "." else (_COMMA, ".")
    if not re.search(r"\d", digits) or not pattern.fullmatch(digits):
        return None
    bare = digits.replace(group, "").replace("'", "").replace("’", "").replace(mark, ".")
    number = float(bare) * factor
    return number if abs(number) < 1e300 else None


def reads_two_ways(text: str) -> bool:
    """Return whether a number is another one if the comma, or the point, stands before decimals."""
    return bool(_BOTH.fullmatch(plain_number(text)[0]))
