"""Cells of workbooks, read within the reader process: neither memory nor time may run out elsewhere.

python-calamine lays a sheet out as a full rectangle, so one cell far out would fill the memory: in
.xlsx this is seen beforehand, in other kinds it ends at the reader's limit.
"""

import datetime
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

MOST_CELLS = 30_000_000
"""From the first to the last that is used, in one sheet: all rows that .xlsx can have, 28 wide."""
_MOST_SHEET_BYTES = 1_000_000_000
_ROWS_AT_ONCE = 50_000
_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*?\br=[\"'](\d+)")
_CELL = re.compile(rb"r=[\"']([A-Z]{1,3})(\d{1,7})")
_ANY_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\s[^>]*?\bhidden=["\'](?:1|true)')


class _Refused(Exception):
    """Why a workbook is not read: its kind and, in words, what is there."""


def read_workbook(path: str, wanted: str | None, is_xlsx: bool) -> tuple[dict[str, Any], Any]:
    """Return what the sheets are, and the cells of all of them, row by row, as one column.

    The answer holds ``sheets`` (name, hidden, rows, columns, merged cells or none told), or
    ``refused``: a kind (``locked``, ``damaged``, ``sheet``, ``large``) and what is there.
    """
    import pyarrow as pa

    try:
        errors = _looked_over(path) if is_xlsx else False
        sheets = _read(path, wanted)
        if errors:
            _put_errors(path, sheets)
    except _Refused as why:
        return {"refused": list(why.args)}, None
    told, parts = [], []
    for title, is_hidden, rows, merges in sheets:
        told.append([title, is_hidden, len(rows), max(map(len, rows), default=0), merges])
        parts += [pa.array(chain.from_iterable(some), pa.string()) for some in _batches(rows)]
        rows.clear()
    return {"sheets": told}, pa.table({"cell": pa.chunked_array(parts, pa.string())})


def count_hidden_rows(path: str) -> tuple[dict[str, Any], None]:
    """Return how many rows of an .xlsx are hidden."""
    with zipfile.ZipFile(path) as archive:
        names = [one for one in archive.namelist() if one.startswith("xl/worksheets/")]
        return {"count": sum(len(_HIDDEN_ROW.findall(archive.read(one))) for one in names)}, None


def _batches(rows: list[list[str]]) -> Iterator[list[list[str]]]:
    left = iter(rows)
    while some := list(islice(left, _ROWS_AT_ONCE)):
        yield some


def _looked_over(path: str) -> bool:
    """Return whether cells of an .xlsx hold errors.

    Raises
    ------
    _Refused
        If a sheet is damaged, or a rectangle that cannot be meant.
    """
    has_errors = False
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if not member.startswith("xl/worksheets/") or not member.endswith(".xml"):
                continue
            if archive.getinfo(member).file_size > _MOST_SHEET_BYTES:
                raise _Refused("large", f"a sheet of more than {_MOST_SHEET_BYTES:,} bytes")
            try:
                text = archive.read(member)
            except MemoryError:
                raise
            except Exception as error:  # zipfile and zlib raise a dozen kinds
                if "Error -4" in str(error):  # zlib's name for no memory
                    raise MemoryError from None
                raise _Refused("damaged", str(error)[:200]) from None
            has_errors |= b't="e"' in text
            # rows without a number follow the one before
            numbers = [int(one) for one in _ROW.findall(text)]
            last = max(numbers, default=0) + len(_ANY_ROW.findall(text)) - len(numbers)
            beyond = re.compile(rb"r=[\"'](?:[A-Z]{3}\d|[A-Z]{1,2}\d{%d})" % (len(str(last)) + 1))
            # most sheets end before column AAA: then 702 is a bound that costs one search
            if last * 702 > MOST_CELLS or beyond.search(text):
                told = set(_CELL.findall(text))
                columns = max((_column(letters) for letters, _ in told), default=0)
                last = max(last, *(int(row) for _, row in told), 0)
                if last * columns > MOST_CELLS:
                    raise _Refused("large", f"a sheet of {last:,} rows and {columns:,} columns")
    return has_errors


def _put_errors(path: str, sheets: list[Any]) -> None:
    """Write the errors of cells (#N/A), which calamine leaves empty, into the rows, in place."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            for title, _, rows, _ in sheets:
                for cells in book[title].iter_rows():
                    for cell in cells:
                        if cell.data_type == "e":
                            rows[cell.row - 1][cell.column - 1] = str(cell.value)
            book.close()
        except MemoryError:
            raise
        except Exception as error:  # openpyxl raises a dozen kinds for a damaged workbook
            raise _Refused("damaged", str(error)[:200]) from None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _read(path: str, wanted: str | None) -> list[tuple[str, bool, list[list[str]], Any]]:
    """Return name, whether it is hidden, rows and merged cells (None: not told) of each sheet."""
    import python_calamine as calamine

    try:
        with _opened(calamine, path) as book:
            hidden = {
                one.name for one in book.sheets_metadata
                if one.visible != calamine.SheetVisibleEnum.Visible
            }  # fmt: skip
            sheets = [
                one.name
                for one in book.sheets_metadata
                if one.typ == calamine.SheetTypeEnum.WorkSheet
            ]
            if wanted is not None and wanted not in sheets:
                raise _Refused("sheet", ", ".join(sheets)[:600])
            found = []
            for title in [wanted] if wanted is not None else sheets:
                sheet = book.get_sheet_by_name(title)
                rows = [
                    [cell.strip() if type(cell) is str else _text(cell) for cell in row]
                    for row in sheet.to_python(skip_empty_area=False)
                ]
                told = sheet.merged_cell_ranges
                merges = told and sorted((*first, *last) for first, last in told)
                found.append((title, title in hidden, rows, merges))
            return found
    except calamine.PasswordError:
        raise _Refused("locked", "") from None
    except (MemoryError, _Refused):
        raise
    except BaseException as error:  # Rust's panics are no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _Refused("damaged", str(error)[:200] or type(error).__name__) from None


def _opened(calamine: Any, path: str) -> Any:
    """Open a workbook by its bytes; where they do not tell, its name brings out what is wrong."""
    try:
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(Path(path).read_bytes()))
    except calamine.CalamineError as error:
        if "detect" not in str(error):
            raise
        return calamine.CalamineWorkbook.from_path(path)


def _text(cell: object) -> str:
    """Return a cell as it would be typed: whole numbers without a point, dates by ISO 8601."""
    if isinstance(cell, float):
        # beyond that not every whole number is one of the machine's: digits are lost already
        if cell.is_integer() and abs(cell) < 2**53:
            return str(int(cell))
        return f"{cell:.15g}".upper()
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(" ")
    return str(cell).strip()
