"""Look into tables: where the header is, which sign parts cells, what the layout leaves open."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.contracts.merged_cells import as_if_merged
from pipeline.problem import Problem
from pipeline.store.look import MOST_ROWS, Look
from pipeline.store.osm_looks import refuse_overpass_table
from pipeline.store.table_layout import Layout, Rows, filled_down, header_rows, laid_out
from pipeline.store.table_text import cells_of, separator_of, text_encoding, without_sep_line
from pipeline.store.workbooks import hidden_row_count, read_sheets

_MOST_TEXT_BYTES = 200_000_000
_SAMPLE_TABLE_ROWS = 5000


def sheet_looks(path: Path, name: str, stamp: str) -> list[Look]:
    """Look at the sheets of a workbook that have a header and rows."""
    sheets = [one for one in read_sheets(path, name) if any(map(any, one.rows))]
    hidden_rows = hidden_row_count(path)
    found = []
    for sheet in sheets:
        if sheet.is_hidden and len(sheets) > 1:
            continue
        rows = header_rows(sheet.rows, sheet.merges)
        layout = laid_out(sheet.rows, sheet.merges, rows)
        filled_down(max(layout.header_rows), sheet.rows, sheet.merges, keys=(), sums=())
        look = _table_look(
            Look(name, "excel", layer=sheet.name if len(sheets) > 1 else "", file_date=stamp),
            laid_out(sheet.rows, sheet.merges, rows), sheet.rows,
        )  # fmt: skip
        notes = list(look.table_notes)
        if hidden_rows:
            notes.append(
                f"hidden rows of the workbook are read like the others: {hidden_rows:,} 隐藏行同样读入"
            )
        if hidden := [one.name for one in sheets if one.is_hidden and len(sheets) > 1]:
            notes.append(f"hidden sheets are not used: {', '.join(hidden)[:200]}")
        if len(look.fields) and len(look.fields.columns) > 1:
            found.append(replace(look, table_notes=tuple(notes)))
    if not found:
        raise Problem(name, "holds no rows")
    return found


def text_look(path: Path, name: str, stamp: str) -> Look:
    """Return a look at a text with columns."""
    with path.open("rb") as file:
        content = file.read(_MOST_TEXT_BYTES)
        is_whole = not file.read(1)
    if content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        raise Problem(name, "a web page or XML, no table")
    encoding, is_certain = text_encoding(content, is_whole=is_whole)
    text = content.decode(encoding, errors="replace").removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    separator = separator_of(text)
    refuse_overpass_table(name, re.split(r"[\t,;|]", text.partition("\n")[0]))
    if not text.strip():
        raise Problem(name, "the file is empty")
    if separator is None:
        raise Problem(name, "a text without columns")
    rows = cells_of(path, text, separator)
    header = header_rows(rows)
    layout = laid_out(rows, told=header)
    width = max(len(rows[number - 1]) for number in layout.header_rows)
    lines = rows[max(layout.header_rows) :]
    torn = [row for row in lines if any(row) and (any(row[width:]) or 1 < len(row) < width)]
    if not layout.body:
        raise Problem(name, "holds no rows")
    said = without_sep_line(text)[1]
    look = Look(
        name, "csv", encoding=encoding, is_encoding_certain=is_certain, file_date=stamp,
        separator="" if said or separator == "," else separator,
    )  # fmt: skip
    whole = [row for row in layout.body if len(row) == len(layout.names)] if torn else layout.body
    return replace(
        _table_look(look, Layout(layout.header_rows, layout.names, whole), rows),
        row_count=len(layout.body),
    )


def _table_look(look: Look, layout: Layout, rows: Rows) -> Look:
    """Return a look at a table with its fields, and what its layout leaves open."""
    names, body = layout.names, layout.body[:MOST_ROWS]
    width = len(names)
    body = [row + [""] * (width - len(row)) for row in body]
    first_of = {name: names.index(name) for name in names if name}
    table = pd.DataFrame(
        {name: [row[place] for row in body] for name, place in first_of.items()}, dtype="str"
    )
    notes = []
    below = rows[max(layout.header_rows) :]
    for place in range(max((len(row) for row in below), default=0)):
        cells = [row[place] for row in below if place < len(row) and row[place]]
        if cells and (place >= width or not names[place]):
            notes.append(
                f"column {place + 1} has no name (e.g. {', '.join(cells[:3])[:90]}): not read"
            )
    first = next((n for n, row in enumerate(rows, 1) if any(row)), 1)
    return replace(
        look, fields=table, row_count=len(layout.body), table_notes=tuple(notes[:5]),
        header_rows=() if layout.header_rows == (first,) else layout.header_rows,
        blank_below=tuple(as_if_merged(table.head(_SAMPLE_TABLE_ROWS))[0]) if len(table) else (),
    )  # fmt: skip
