"""Sheets of a workbook that hold a list: header, rows, a total that filters and sums respect."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.contracts.columns import COLUMNS

_COUNTED = (
    "building_count", "household_plan_count", "floor_area_plan_m2", "lift_count",
    "listed_building_count", "listed_household_count", "listed_floor_area_m2", "listed_lift_count",
)  # fmt: skip
_WIDTHS = {
    "works_text": 48, "project_name": 20, "project_id": 17, "implementer_name": 20,
    "consent_text": 19, "wait_text": 26, "entry_text": 60, "safety_text": 22,
    "renovation_class_text": 14, "management_text": 18,
    "estate_name": 16, "subdistrict_name": 14, "community_name": 14, "heritage_text": 14,
    "floor_area_plan_m2": 13, "listed_floor_area_m2": 13,
}  # fmt: skip
_WIDTH_OF = {
    "money": 16, "text": 11, "wrapped": 48, "whole": 9, "year": 8, "points": 8, "share": 8,
    "area": 13,
}  # fmt: skip


@dataclass(frozen=True)
class ListSheet:
    """A list and the columns that its sheet shows, with what the sheet calls them."""

    name: str
    rows: pd.DataFrame
    heads: Mapping[str, str]
    frozen_count: int = 2
    """Columns that stay when the sheet is scrolled sideways."""

    def cells(self, column: str) -> str:
        """Return the address of a column's values, without its header and its total."""
        from xlsxwriter.utility import xl_col_to_name

        letter = xl_col_to_name([*self.heads].index(column))
        return f"'{self.name}'!${letter}$2:${letter}${max(len(self.rows), 1) + 1}"


def styles_of(book: Any) -> dict[str, Any]:
    """Return the formats of cells by kind; those of a total end in `` total``."""
    # "?" leaves room for a digit that is not there: every amount shows its cents, points align
    kinds: dict[str, dict[str, Any]] = {
        "text": {},
        "wrapped": {"text_wrap": True},
        "whole": {"num_format": "#,##0"},
        "year": {"num_format": "0", "align": "left"},
        "area": {"num_format": "#,##0.00"},
        "money": {"num_format": "#,##0.00????"},
        "share": {"num_format": "0.0%"},
        "points": {"num_format": "0.0"},
    }
    others: dict[str, dict[str, Any]] = {
        "head": {"bold": True, "text_wrap": True, "bg_color": "#DDE6F0", "border": 1},
        "title": {"bold": True, "font_size": 14},
        "warning": {"bold": True, "font_color": "#B00000"},
    }
    made = {name: book.add_format({**form, "valign": "top"}) for name, form in others.items()}
    for name, form in kinds.items():
        made[name] = book.add_format({**form, "valign": "top"})
        made[f"{name} total"] = book.add_format({**form, "valign": "top", "bold": True, "top": 1})
    return made


def new_sheet(book: Any, name: str, note: str) -> Any:
    """Return a sheet that prints on A3 across, as wide as the page, its header on every page."""
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.repeat_rows(0)
    sheet.set_footer(f"&L{note.replace('&', '&&')}&C&A&R&P / &N")
    return sheet


def write_list(book: Any, styles: dict[str, Any], one: ListSheet, note: str) -> None:
    """Write a list with frozen header, filter and total.

    The total is a SUBTOTAL: of the rows that a filter shows, and not counted again by another one.
    """
    sheet = new_sheet(book, one.name, note)
    sheet.write_row(0, 0, [*one.heads.values()], styles["head"])
    kinds = [_kind(column) for column in one.heads]
    for number, (column, kind) in enumerate(zip(one.heads, kinds, strict=True)):
        sheet.set_column(number, number, _WIDTHS.get(column, _WIDTH_OF[kind]), styles[kind])
        _write_column(sheet, number, one.rows[column].tolist(), kind)
    sheet.freeze_panes(1, one.frozen_count)
    end = len(one.rows) + 1
    if end == 1:
        return
    sheet.autofilter(0, 0, end - 1, len(one.heads) - 1)
    for number, (column, kind) in enumerate(zip(one.heads, kinds, strict=True)):
        if column in _COUNTED or kind == "money":
            formula = f"=SUBTOTAL(9,{one.cells(column).split('!')[1]})"
            known = total_of(one.rows[column])
            sheet.write_formula(end, number, formula, styles[f"{kind} total"], known)
        else:
            sheet.write_blank(end, number, None, styles["text total"])
    sheet.write_string(end, 0, "合计", styles["text total"])


def total_of(values: pd.Series) -> float:
    """Return the sum of numbers with at most six decimals, exact to the sixth; empty ones are 0."""
    known = values.dropna().astype("float64")
    return int((known * 1e6).round().astype("int64").sum()) / 1e6


def _kind(column: str) -> str:
    """Return the format of a column of a list."""
    if column == "works_text":
        return "wrapped"
    if column.endswith("_wan_cny"):
        return "money"
    if column.endswith("_year"):
        return "year"
    kind, unit = COLUMNS[column].kind, COLUMNS[column].unit
    if kind == "text":
        return "text"
    if unit in ("share", "points"):
        return unit
    return "whole" if kind == "whole" else "area"


def _write_column(sheet: Any, number: int, values: list[Any], kind: str) -> None:
    """Write what is known; empty cells stay empty. Text is written as text, whatever it begins with."""
    if kind in ("text", "wrapped"):
        for row, value in enumerate(values, 1):
            if isinstance(value, str):
                sheet.write_string(row, number, value)
        return
    for row, value in enumerate(values, 1):
        if value is not None and value is not pd.NA and value == value:
            sheet.write_number(row, number, value)
