"""Workbooks of every kind that offices have: .xlsx, .xlsm, .xlsb, .xls, .ods, told by their bytes.

Cells are text as a reader would type them. python-calamine lays a sheet out as a full rectangle, so one
cell far out would fill the memory: in .xlsx this is seen beforehand, other kinds are read in a second
interpreter whose memory is limited.
"""

import datetime
import io
import os
import re
import warnings
import zipfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pipeline.problem import Problem
from pipeline.store.archives import zip_members

ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".et", ".ods")
_COMPOUND, _ZIP = b"\xd0\xcf\x11\xe0", b"PK"
_MOST_CELLS = 60_000_000
_MOST_SHEET_BYTES = 1_000_000_000
_CHILD_BYTES = 3_000_000_000
_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*?\br=[\"'](\d+)")
_CELL = re.compile(rb"r=[\"']([A-Z]{1,3})(\d{1,7})")
_ANY_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\s[^>]*?\bhidden=["\'](?:1|true)')


@dataclass(frozen=True)
class Sheet:
    """One worksheet."""

    name: str
    is_hidden: bool
    rows: list[list[str]]
    """Every row from the first of the sheet, as wide as the widest."""
    merges: tuple[tuple[int, int, int, int], ...]
    """Top, left, bottom, right of merged cells, from 0; of .xlsx and .xls only."""
    has_merges: bool = True
    """Whether this kind of file tells its merged cells."""


def read_sheets(path: Path, name: str, wanted: str | None = None) -> list[Sheet]:
    """Return the sheets of a workbook that hold cells, or the one that is wanted.

    Raises
    ------
    Problem
        If it is no workbook, damaged, locked, lacks the sheet, or would fill the memory.
    """
    start = _start(path)
    is_zip = start.startswith(_ZIP)
    members = zip_members(path) if is_zip else []
    if not is_zip and start[:4] != _COMPOUND:
        what = (
            "a web page or XML" if start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<" else "no Excel"
        )
        raise Problem(
            path, f"is {what}, no workbook" if what != "no Excel" else "is no Excel workbook",
            expected=", ".join(ENDINGS),
            fix="open it in a spreadsheet and save it as .xlsx, or give it as text with format: csv",
        )  # fmt: skip
    is_xlsx = is_zip and any(
        one.startswith("xl/worksheets/") and one.endswith(".xml") for one in members
    )
    if is_xlsx:
        has_errors = _looked_over(path, members)
        found = _read(str(path), wanted)
        if has_errors and not isinstance(found, str):
            _put_errors(path, found)
    elif _is_locked(path, start):
        found = "locked"
    else:
        found = _read_apart(path, wanted)
    if isinstance(found, str):
        raise _told(path, name, found)
    return [Sheet(*one) for one in found]


def hidden_row_count(path: Path) -> int:
    """Return how many rows of an .xlsx are hidden: they are read like the others."""
    if _start(path)[:2] != _ZIP:
        return 0
    with zipfile.ZipFile(path) as archive:
        names = [one for one in archive.namelist() if one.startswith("xl/worksheets/")]
        return sum(len(_HIDDEN_ROW.findall(archive.read(one))) for one in names)


def is_text(path: Path) -> bool:
    """Return whether a file is a text, whatever its name says: many systems call their CSV .xls."""
    start = _start(path)
    is_binary = start.startswith((_COMPOUND, _ZIP)) or start[:4] == bytes([9, 8, 16, 0])
    return not is_binary and start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] != b"<"


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise Problem(path, "the file is empty", expected="a workbook", fix="copy the file again")
    return start


def _is_locked(path: Path, start: bytes) -> bool:
    """Return whether a compound file is an .xlsx behind a password."""
    return start[:4] == _COMPOUND and "EncryptedPackage".encode("utf-16-le") in path.read_bytes()


def _put_errors(path: Path, sheets: list[Any]) -> None:
    """Write the errors of cells (#N/A), which calamine leaves empty, into the rows, in place."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            for title, _, rows, _, _ in sheets:
                for cells in book[title].iter_rows():
                    for cell in cells:
                        if cell.data_type == "e":
                            rows[cell.row - 1][cell.column - 1] = str(cell.value)
            book.close()
        except MemoryError:
            raise
        except Exception as error:  # openpyxl raises a dozen kinds for a damaged workbook
            raise _told(path, "", f"damaged: {str(error)[:200]}") from None


def _looked_over(path: Path, members: list[str]) -> bool:
    """Return whether cells of an .xlsx hold errors.

    Raises
    ------
    Problem
        If a sheet is damaged, or a rectangle that cannot be meant.
    """
    has_errors = False
    with zipfile.ZipFile(path) as archive:
        for member in members:
            if not member.startswith("xl/worksheets/") or not member.endswith(".xml"):
                continue
            if archive.getinfo(member).file_size > _MOST_SHEET_BYTES:
                raise _too_large(path, f"a sheet of more than {_MOST_SHEET_BYTES:,} bytes")
            try:
                text = archive.read(member)
            except MemoryError:
                raise
            except Exception as error:  # zipfile and zlib raise a dozen kinds
                raise _told(path, "", f"damaged: {str(error)[:200]}") from None
            has_errors |= b't="e"' in text
            # rows without a number follow the one before
            numbers = [int(one) for one in _ROW.findall(text)]
            last = max(numbers, default=0) + len(_ANY_ROW.findall(text)) - len(numbers)
            beyond = re.compile(rb"r=[\"'](?:[A-Z]{3}\d|[A-Z]{1,2}\d{%d})" % (len(str(last)) + 1))
            # most sheets end before column AAA: then 702 is a bound that costs one search
            if last * 702 > _MOST_CELLS or beyond.search(text):
                told = set(_CELL.findall(text))
                columns = max((_column(letters) for letters, _ in told), default=0)
                last = max(last, *(int(row) for _, row in told), 0)
                if last * columns > _MOST_CELLS:
                    raise _too_large(path, f"a sheet of {last:,} rows and {columns:,} columns")
    return has_errors


def _too_large(path: Path, what: str) -> Problem:
    return Problem(
        path, f"holds {what}, which would fill the memory",
        expected=f"at most {_MOST_CELLS:,} cells from the first to the last that is used",
        fix="delete what stands far out, or save the sheet as CSV",
    )  # fmt: skip


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _read_apart(path: Path, wanted: str | None) -> Any:
    """Read in an interpreter of its own: where memory ends, it ends alone."""
    try:
        with ProcessPoolExecutor(1, get_context("spawn"), _limit_memory) as pool:
            return pool.submit(_read, str(path), wanted).result()
    except (BrokenProcessPool, MemoryError):
        raise _too_large(path, "a sheet") from None


def _limit_memory() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # Rust's last words are not for the user
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_CHILD_BYTES, _CHILD_BYTES))


def _read(path: str, wanted: str | None) -> Any:
    """Return the fields of each sheet, or in a text why there are none."""
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
                return f"no sheet: {', '.join(sheets)[:600]}"
            found = []
            for title in [wanted] if wanted is not None else sheets:
                sheet = book.get_sheet_by_name(title)
                rows = [
                    [cell.strip() if type(cell) is str else _text(cell) for cell in row]
                    for row in sheet.to_python(skip_empty_area=False)
                ]
                told = sheet.merged_cell_ranges
                merges = tuple(sorted((*first, *last) for first, last in told or ()))
                found.append((title, title in hidden, rows, merges, told is not None))
            return found
    except calamine.PasswordError:
        return "locked"
    except MemoryError:
        raise
    except BaseException as error:  # Rust's panics are no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"damaged: {str(error)[:200] or type(error).__name__}"


def _opened(calamine: Any, path: str) -> Any:
    """Open a workbook by its bytes; where they do not tell, its name brings out what is wrong."""
    try:
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(Path(path).read_bytes()))
    except calamine.CalamineError as error:
        if "detect" not in str(error):
            raise
        return calamine.CalamineWorkbook.from_path(path)


def _told(path: Path, name: str, why: str) -> Problem:
    if why == "locked":
        return Problem(
            path, "is locked with a password", expected="a workbook without one",
            fix="open it in a spreadsheet and save it without a password",
        )  # fmt: skip
    if why.startswith("no sheet: "):
        return Problem(
            path, "has no sheet of that name", expected="one of: " + why.removeprefix("no sheet: "),
            fix=f"name it as sources.{name}.layer",
        )  # fmt: skip
    return Problem(
        path, f"cannot be read as excel ({why.removeprefix('damaged: ')})",
        expected="a whole workbook without a password",
        fix="open it in a spreadsheet and save it again as .xlsx",
    )  # fmt: skip


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
