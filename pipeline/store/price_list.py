"""Read a price list: what a unit of each kind of work costs, by district and year."""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.problem import Problem
from pipeline.settings.plan import EVERY_DISTRICT, HOW_SURE, PlanMeasure, Price, PriceList
from pipeline.store.table_text import decoded, separator_of, text_encoding, without_sep_line

COLUMNS: Mapping[str, str] = {
    "works_type": "改造内容", "district_name": "区县", "price_year": "价格年份", "low_cny": "低价",
    "middle_cny": "中价", "high_cny": "高价", "unit": "单位", "source": "来源",
}  # fmt: skip
"""Columns that every price list has, and what they are called in Chinese; either name is read."""
OPTIONAL_COLUMNS: Mapping[str, str] = {"how_sure": "可信度"}
_EARLIEST_YEAR, _LATEST_YEAR = 1990, 2050
_NUMBER = re.compile(r"(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
_MOST_BYTES = 5_000_000
"""Some 50,000 prices."""
_FIX_OF_FILE = "config/prices/default.csv shows a right one"


def read_price_list(
    config_folder: Path,
    name: str,
    measures: Mapping[str, PlanMeasure],
    latest_year: int = _LATEST_YEAR,
) -> PriceList:
    """Return the prices of a CSV below ``config_folder``: works → district → year.

    It may be UTF-8 or GB 18030, with the English or the Chinese names of ``COLUMNS``, in any order.
    ``latest_year`` is the last year of which a price may be: that in which the plan ends.

    Raises
    ------
    Problem
        If it cannot be read, lacks a column, or a row is not a price of a measure of config; if a
        measure has no row at all.
    """
    path = _inside(config_folder, name)
    header, rows = _cells(path)
    at = _places(path, header)
    found: PriceList = {}
    for number, cells in rows:
        row = _Row(path, number, {column: cells[place].strip() for column, place in at.items()})
        works, district, year = (
            row.works_type(measures),
            row.district_name(),
            row.price_year(latest_year),
        )
        price = row.price()
        unit = measures[works].unit_zh
        if _plain_unit(row.cells["unit"]) != _plain_unit(unit):
            raise row.problem(
                "unit", f"{works} is counted in {unit}", f"write {unit}, at its price"
            )
        years = found.setdefault(works, {}).setdefault(district, {})
        if year in years:
            raise row.problem(
                "works_type, district_name, price_year",
                "one row for each works, district and year",
                f"keep one: row {years[year].row} says the same",
            )
        years[year] = price
    lacking = [works for works in measures if works not in found]
    if lacking:
        raise Problem(
            path, f"has no price of {', '.join(lacking)}",
            expected="at least one row for each of plan.measures",
            fix=f"add a row, with {EVERY_DISTRICT} as district_name if it holds everywhere",
        )  # fmt: skip
    return {
        works: {one: dict(sorted(years.items())) for one, years in sorted(found[works].items())}
        for works in measures
    }


class _Row:
    """One row of the file, its cells by the English name of the column."""

    def __init__(self, path: Path, number: int, cells: Mapping[str, str]) -> None:
        self.path, self.number, self.cells = path, number, cells

    def problem(self, column: str, expected: str, fix: str) -> Problem:
        shown = ", ".join(repr(self.cells[one]) for one in column.split(", "))
        return Problem(
            f"{self.path}, row {self.number}", f"{column} = {shown}", expected=expected, fix=fix
        )

    def works_type(self, measures: Mapping[str, PlanMeasure]) -> str:
        said = self.cells["works_type"]
        keys = [key for key, one in measures.items() if said in (key, one.label_zh)]
        if len(keys) != 1:
            raise self.problem(
                "works_type", f"one of plan.measures: {', '.join(measures)}",
                "correct it, or state the measure in plan.measures",
            )  # fmt: skip
        return keys[0]

    def district_name(self) -> str:
        said = self.cells["district_name"]
        if not said:
            raise self.problem(
                "district_name", f"a district, or {EVERY_DISTRICT} for all without a row of their own",
                f"write {EVERY_DISTRICT}, or the district",
            )  # fmt: skip
        return said

    def price_year(self, latest: int) -> int:
        said = self.cells["price_year"]
        if not re.fullmatch(r"\d{4}", said) or not _EARLIEST_YEAR <= int(said) <= latest:
            raise self.problem(
                "price_year", f"a year from {_EARLIEST_YEAR} to {latest}",
                "write the year of which the price is",
            )  # fmt: skip
        return int(said)

    def price(self) -> Price:
        low, middle, high = (self._cny(name) for name in ("low_cny", "middle_cny", "high_cny"))
        if not low <= middle <= high:
            raise self.problem(
                "low_cny, middle_cny, high_cny", "low ≤ middle ≤ high",
                "put them in order; write one price three times if there is only one",
            )  # fmt: skip
        source = self.cells["source"]
        if not source or len(source) > 600:
            raise self.problem(
                "source", "who says so, in 1 to 600 signs; illustrative if nobody does",
                "write where the price is from",
            )  # fmt: skip
        sure = self.cells.get("how_sure", "")
        if sure and sure not in HOW_SURE:
            raise self.problem(
                "how_sure", f"one of {', '.join(HOW_SURE)}, or empty", "correct or empty it"
            )
        return Price(
            low_cny=low, middle_cny=middle, high_cny=high, source=source, how_sure=sure,
            row=self.number,
        )  # fmt: skip

    def _cny(self, column: str) -> float:
        said = self.cells[column]
        value = float(said.replace(",", "")) if _NUMBER.fullmatch(said) else 0.0
        if not 0 < value <= 1e9:
            raise self.problem(
                column, "yuan for a unit, a number above 0 such as 480 or 1200.50",
                "write the price without words; take the row out if there is none",
            )  # fmt: skip
        return value


def _plain_unit(said: str) -> str:
    """Return a unit by one of its spellings: GBK has ㎡ and 平方米, but no ²."""
    return unicodedata.normalize("NFKC", said).lower().replace("平方米", "m2")


def _inside(config_folder: Path, name: str) -> Path:
    """Return the path of a list; only files below config/ are read."""
    path = config_folder / name
    if not path.resolve().is_relative_to(config_folder.resolve()):
        raise Problem(
            "plan.price_list", f"{name} is not below {config_folder}",
            expected="a path from config/, such as prices/default.csv", fix="move the file there",
        )  # fmt: skip
    if not path.is_file():
        folder = config_folder / "prices"
        known = sorted(one.relative_to(config_folder).as_posix() for one in folder.glob("*.csv"))
        raise Problem(
            path, "there is no such price list", expected=f"one of: {', '.join(known) or 'none'}",
            fix="correct plan.price_list, or put the file there",
        )  # fmt: skip
    return path


def refuse_too_large(path: Path, most_bytes: int) -> None:
    """Stop at a file of settings that is larger than any can be."""
    size = path.stat().st_size
    if size > most_bytes:
        raise Problem(
            path, f"is of {size:,} bytes", expected=f"at most {most_bytes:,}",
            fix="take out what is no setting",
        )  # fmt: skip


def _cells(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header, and the rows with text by their line in the file."""
    refuse_too_large(path, _MOST_BYTES)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Problem(
            path, f"cannot be read ({error.strerror})", fix="give yourself read permission"
        ) from None
    if b"\x00" in content[:4] or content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Problem(path, "is no text", expected="a CSV", fix="save the workbook as CSV UTF-8")
    encoding, _ = text_encoding(content)
    if encoding == "big5":  # a list in English has too few signs to tell by: ㎡ in GBK may be 呢
        encoding = "gb18030"
    text = decoded(path, "price_list", encoding)
    plain, said = without_sep_line(text)
    reader = csv.reader(
        io.StringIO(plain), delimiter=said or separator_of(text) or ",", strict=True
    )
    first = 1 + text[: len(text) - len(plain)].count("\n")
    rows = []
    try:
        begin = first
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((begin, cells))
            begin = first + reader.line_num
    except csv.Error as error:
        raise Problem(
            f"{path}, row {begin}", f"not valid CSV ({error})", fix="save it again as CSV UTF-8"
        ) from None
    if len(rows) < 2:
        raise Problem(path, "holds no rows", expected="a header and prices", fix=_FIX_OF_FILE)
    header = [cell.strip() for cell in rows[0][1]]
    width = max(index for index, cell in enumerate(header, 1) if cell)
    for number, cells in rows[1:]:
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            raise Problem(
                f"{path}, row {number}", f"has {len(cells)} cells",
                expected=f"{width}, as the header has",
                fix="put a text that holds the separator in quotes",
            )  # fmt: skip
    return header[:width], rows[1:]


def _places(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Return where each column stands."""
    places = {
        names: [index for index, cell in enumerate(header) if cell in names]
        for names in (*COLUMNS.items(), *OPTIONAL_COLUMNS.items())
    }
    for (column, _), found in places.items():
        if len(found) > 1:
            raise Problem(
                f"{path}, row 1", f"has the column {column} twice", expected="each once",
                fix="take one of them out",
            )  # fmt: skip
    for (column, chinese), found in places.items():
        if not found and column in COLUMNS:
            raise Problem(
                f"{path}, row 1", f"has no column {column} ({chinese})",
                expected=", ".join(COLUMNS), fix=_FIX_OF_FILE,
            )  # fmt: skip
    return {column: found[0] for (column, _), found in places.items() if found}
