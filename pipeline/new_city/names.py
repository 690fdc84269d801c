"""Recognise fields by their names and check that their cells can be what the name says."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

import pandas as pd

from pipeline.contracts.written_numbers import decimal_mark, read_number
from pipeline.intake.years import mended_years, read_year

_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_FILL = re.compile(r"[\W_]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d|\d0年代|[一二三四五六七八九]十年代|世纪")
_SIMPLIFIED = str.maketrans(  # the signs of field names in traditional script
    "樓棟編號築層戶積電無業區稱單結構數級總產權鎮鄉緯經類徑為體檢戰門牆險設點積間證",
    "楼栋编号筑层户积电无业区称单结构数级总产权镇乡纬经类径为体检战门墙险设点积间证",
)
_LEADING = re.compile(r"-?\d+(?:\.\d+)?")
_MOST = 0.8
_SHAPEFILE_NAME_BYTES = 10
IS_EMPTY = "is empty in the first rows"
_VAGUE = {
    "name", "名称", "code", "id", "type", "类型", "year", "use", "name:zh", "编号", "units",
    "height", "building", "levels", "kind",
}  # fmt: skip
NUMBER_BOUNDS: dict[str, tuple[float, float]] = {
    "storey_count": (0, 200),
    "height_m": (0, 900),
    "household_count": (0, 20_000),
    "stairwell_count": (0, 300),
    "entry_storey_number": (-20, 200),
    "recorded_floor_area_m2": (0, 1e9),
    "shop_floor_area_m2": (0, 1e9),
    "longitude_deg": (-180, 180),
    "latitude_deg": (-90, 90),
    "resident_count": (0, 1e8),
    "elder_count": (0, 1e8),
}


def plain(name: str) -> str:
    """Return a name without case, blanks, brackets and what stands in them."""
    name = unicodedata.normalize("NFKC", name).translate(_SIMPLIFIED)
    return _FILL.sub("", _BRACKETS.sub("", name).lower()) or name.lower()


def matched(
    fields: Sequence[str], wanted: Mapping[str, Sequence[str]]
) -> dict[str, tuple[list[str], bool]]:
    """Return for each of our columns the fields that are called so, and whether the name is exact.

    A field serves one column only. A Chinese name also counts where it is part of a longer one, or cut
    to the ten bytes that a shapefile has for it: 建筑用途 is 建筑用 in UTF-8.
    """
    found: dict[str, tuple[list[str], bool]] = {}
    free = {field: plain(field) for field in fields}
    for column, names in wanted.items():
        same = [
            field for name in names for field in free
            if free[field] == plain(name) or field in _cut(name)
        ]  # fmt: skip
        if same:
            found[column] = list(dict.fromkeys(same)), True
            free = {field: text for field, text in free.items() if field not in same}
    for column, names in wanted.items():
        if column in found:
            continue
        part = [
            field for name in names for field in free
            if _CHINESE.search(name) and len(name) >= 2 and plain(name) in free[field]
        ]  # fmt: skip
        if part:
            found[column] = [part[0]], False
            del free[part[0]]
    return found


def _cut(name: str) -> list[str]:
    """Return what a shapefile leaves of a Chinese name that is too long for it."""
    if not _CHINESE.search(name):
        return []
    whole = ((name.encode(encoding, "ignore"), encoding) for encoding in ("utf-8", "gbk"))
    return [
        text[:_SHAPEFILE_NAME_BYTES].decode(encoding, "ignore") for text, encoding in whole
        if len(text) > _SHAPEFILE_NAME_BYTES
    ]  # fmt: skip


def weight(fields: Sequence[str]) -> float:
    """Return how much a match says about what a file is: little if anything may be called so."""
    return 0.5 if is_vague(fields) else 2.0


def is_vague(fields: Sequence[str]) -> bool:
    """Return whether anything may be called as all these fields are."""
    return all(plain(field) in {plain(one) for one in _VAGUE} for field in fields)


def cannot_be(column: str, cells: pd.Series) -> str:
    """Return why cells cannot be what their field's name says; empty if they can."""
    texts = cells.astype("str").str.strip()
    texts = texts[(texts != "") & (texts != "nan")]
    if not len(texts):
        return IS_EMPTY
    if column == "construction_year_text":
        share = (texts.str.contains(_YEAR) | texts.map(_says_year)).mean()
        return "" if share >= 1 - _MOST else f"holds no years (e.g. {texts.iloc[0][:30]!r})"
    if column == "layer" and not texts.str.fullmatch(r"-?\d{1,2}").all():
        return f"is no level of a street (e.g. {texts.iloc[0][:30]!r})"
    if column in NUMBER_BOUNDS:
        low, high = NUMBER_BOUNDS[column]
        different = texts.unique().tolist()
        mark = decimal_mark(different) or "."
        read = {text: _leading(text, mark) for text in different}
        share = texts.map(read).between(low, high).mean()
        return "" if share >= _MOST else f"does not hold such numbers (e.g. {texts.iloc[0][:30]!r})"
    return ""


def _says_year(text: str) -> bool:
    return read_year(mended_years([text])[0], earliest=1500, latest=2100).low is not None


def _leading(text: str, mark: str) -> float:
    """Return a number that a text is or begins with, NaN if it does not."""
    number = read_number(text, mark)
    if number is not None:
        return number
    start = _LEADING.match(text.replace(",", ""))
    return float(start[0]) if start else float("nan")
