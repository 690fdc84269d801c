"""Read registers kept as CSV or in workbooks."""

import io
from pathlib import Path

import pandas as pd

from pipeline.problem import Problem
from pipeline.settings.city import ADDED_COLUMNS, KEY_COLUMNS, Source
from pipeline.store.invisible import cleaned, without_invisible
from pipeline.store.table_layout import Layout, Merge, Rows, filled_down, header_rows, laid_out
from pipeline.store.table_text import (
    MOST_COLUMNS,
    MOST_TEXT_BYTES,
    cells_of,
    decoded,
    separator_of,
    without_sep_line,
)
from pipeline.store.workbooks import Sheet, read_sheets


def read_rows(path: Path, name: str, source: Source) -> pd.DataFrame:
    """Return the rows of a register as text, exactly as written but for blanks around it.

    Rows without any text are left out. Cells below a merged one, and below those of ``fill_down``, hold
    its value.

    Raises
    ------
    Problem
        If it is empty, not in the stated encoding, without a stated column, or a row has more or
        fewer cells than the header.
    """
    if source.format == "excel":
        header, columns = _by_column(_of_sheet(path, name, source))
    else:
        header, columns = _plain_columns(path, source) or _by_column(_of_text(path, name, source))
    header = [without_invisible(one) for one in header]
    _check_header(path, name, source, header)
    if not columns or not len(columns[0]):
        raise Problem(path, "holds no rows", expected="at least one below the header")
    by_name = dict(zip(header, columns, strict=True))
    table = cleaned(pd.concat(list(by_name.values()), axis=1, keys=list(by_name)))
    absent = [field for field in source.fill_down or () if field not in table.columns]
    if absent:
        raise Problem(
            path, f"has no column {', '.join(absent)}", expected="one of: " + ", ".join(header)[:600],
            fix=f"correct sources.{name}.fill_down",
        )  # fmt: skip
    for field in source.fill_down or ():
        table[field] = table[field].replace("", pd.NA).ffill().fillna("").astype("str")
    return table


def _check_header(path: Path, name: str, source: Source, header: list[str]) -> None:
    wanted = {column: fields for column, fields in source.columns.items() if fields}
    absent = sorted(fields[0] for fields in wanted.values() if not set(fields) & set(header))
    absent += [one for column in source.joined for one in wanted[column] if one not in header]
    if absent:
        raise Problem(
            path, f"has no column {', '.join(absent)}", expected="one of: " + ", ".join(header)[:600],
            fix=_fix_of_header(path, name, source),
        )  # fmt: skip
    twice = sorted({one for one in header if one and header.count(one) > 1})
    if any(set(fields) & set(twice) for fields in wanted.values()):
        raise Problem(
            path, f"has the column {', '.join(twice)} twice", expected="each name once",
            fix="rename or remove one of them",
        )  # fmt: skip


def _fix_of_header(path: Path, name: str, source: Source) -> str:
    """Return what to state if the header stands elsewhere, or other signs part the cells."""
    fix = f"correct sources.{name}.columns, or its encoding"
    if source.format == "csv":
        text = decoded(path, name, source.encoding or "utf-8-sig")
        rows = cells_of(path, text, source.separator or ",")
        return _fix_of_signs(name, source, text) or _fix_of_rows(name, source, rows, ()) or fix
    sheet = _sheet(path, name, source)
    return _fix_of_rows(name, source, sheet.rows, sheet.merges) or fix


def _fix_of_signs(name: str, source: Source, text: str) -> str:
    sign = separator_of(text)
    if sign is None or sign == (without_sep_line(text)[1] or source.separator or ","):
        return ""
    return f"cells seem to be parted by {sign!r}: state sources.{name}.separator"


def _fix_of_rows(name: str, source: Source, rows: Rows, merges: tuple[Merge, ...]) -> str:
    found = list(header_rows(rows, merges))
    if not found or found == (source.header_rows or list(laid_out(rows).header_rows)):
        return ""
    names = ", ".join(one for one in laid_out(rows, merges, found).names if one)[:300]
    return (
        f"the header seems to be row {found} ({names}): state sources.{name}.header_rows: {found}"
    )


def _by_column(layout: Layout) -> tuple[list[str], "list[pd.Series[str]]"]:
    """Return the header and the columns below it."""
    width = len(layout.names)
    rows = [row + [""] * (width - len(row)) for row in layout.body]
    return layout.names, [pd.Series(one, dtype="str") for one in zip(*rows, strict=True)]


def _plain_columns(path: Path, source: Source) -> tuple[list[str], "list[pd.Series[str]]"] | None:
    """Return the header and the columns of a CSV without quotes or any fault; None of any other.

    Arrow reads a register of 136,000 rows ten times as fast as Python does; what it cannot read is
    read again by ``_of_text``, which can say what is wrong.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    if source.header_rows not in ([], [1]):
        return None
    try:
        if path.stat().st_size > MOST_TEXT_BYTES:
            return None
        text = path.read_bytes().decode(source.encoding or "utf-8-sig").removeprefix("\ufeff")
    except (OSError, LookupError, UnicodeError):
        return None
    # Python ends lines at more signs than Arrow does, and a blank line is no row to it only if empty
    if '"' in text or "\0" in text or not text.strip() or text.count("\r") != text.count("\r\n"):
        return None
    sign = source.separator or ","
    header = text.partition("\n")[0].removesuffix("\r").split(sign)
    if without_sep_line(text)[1] or not any(one.strip() for one in header) or not sign.isascii():
        return None
    if len(header) > MOST_COLUMNS:
        return None
    numbers = [str(number) for number in range(len(header))]
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(text.encode()),
            arrow_csv.ReadOptions(column_names=numbers, skip_rows=1),
            arrow_csv.ParseOptions(quote_char=False, delimiter=sign),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(numbers, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    columns = [pc.utf8_trim_whitespace(table.column(number)) for number in numbers]
    found = [pd.Series(pd.array(column, dtype="str")) for column in columns]
    if (found[0] == "").any():
        filled = pd.concat([column != "" for column in found], axis=1).any(axis=1)
        found = [column[filled].reset_index(drop=True) for column in found]
    return [" ".join(cell.split()) for cell in header], found


def _of_text(path: Path, name: str, source: Source) -> Layout:
    text = decoded(path, name, source.encoding or "utf-8-sig")
    rows = cells_of(path, text, source.separator or ",")
    layout = laid_out(rows, told=source.header_rows)
    width = max(len(rows[number - 1]) for number in layout.header_rows if number <= len(rows))
    for number, row in enumerate(rows[max(layout.header_rows) :], max(layout.header_rows) + 1):
        is_note = len(row) < width and sum(map(bool, row)) <= 1 < len(layout.names) - 1
        if any(row) and not is_note and (len(row) < width or any(row[width:])):
            raise Problem(
                path, f"line {number} has {len(row)} cells", expected=f"{width}, as the header",
                fix=_fix_of_signs(name, source, text) or _fix_of_rows(name, source, rows, ())
                or f"look for {source.separator or ','!r} or quotes inside a cell of that line",
            )  # fmt: skip
    return layout


def _sheet(path: Path, name: str, source: Source) -> Sheet:
    """Return the worksheet that the profile names, or the only one that is shown."""
    sheets = read_sheets(path, name, source.layer)
    shown = [one for one in sheets if not one.is_hidden] or sheets
    if len(shown) > 1 and len(filled := [one for one in shown if any(map(any, one.rows))]) == 1:
        shown = filled
    if len(shown) != 1 and source.layer is None:
        raise Problem(
            path, "holds several sheets", expected="one of: " + ", ".join(s.name for s in shown)[:600],
            fix=f"name it as sources.{name}.layer",
        )  # fmt: skip
    return shown[0]


def _of_sheet(path: Path, name: str, source: Source) -> Layout:
    sheet = _sheet(path, name, source)
    if not any(map(any, sheet.rows)):
        raise Problem(path, "holds no rows", expected="a header row and rows below it")
    layout = laid_out(sheet.rows, sheet.merges, source.header_rows)
    keys, sums = (
        {n for n, one in enumerate(layout.names) if one in _fields(source, columns)}
        for columns in (KEY_COLUMNS, ADDED_COLUMNS)
    )
    filled_down(max(layout.header_rows), sheet.rows, sheet.merges, keys=keys, sums=sums)
    return laid_out(sheet.rows, sheet.merges, layout.header_rows)


def _fields(source: Source, columns: tuple[str, ...]) -> set[str]:
    return {field for column in columns for field in source.columns.get(column, ())}
