"""Workbooks of every kind that offices have: .xlsx, .xlsm, .xlsb, .xls, .ods, told by their bytes.

Cells are text as a reader would type them. They are read in the reader process (``workbook_cells``).
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline.problem import Problem
from pipeline.store.archives import zip_members
from pipeline.store.fence import Stopped, Unreadable, in_reader
from pipeline.store.workbook_cells import MOST_CELLS

ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".et", ".ods")
_MOST_BYTES = 500_000_000
_COMPOUND, _ZIP = b"\xd0\xcf\x11\xe0", b"PK"


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
    start, size = _start(path), path.stat().st_size
    if size > _MOST_BYTES:
        raise _too_large(path, f"{size:,} bytes")
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
    if _is_locked(path, start):
        raise _told(path, name, "locked", "")
    try:
        answer, table = in_reader(
            "workbook", "", size, path=str(path), wanted=wanted, is_xlsx=is_xlsx
        )
    except Stopped as error:
        raise _too_large(path, f"more than can be read ({error})") from None
    except Unreadable as error:
        raise _told(path, name, "damaged", str(error)) from None
    if "refused" in answer:
        raise _told(path, name, *answer["refused"])
    return _sheets(answer["sheets"], table.column(0).to_pylist())


def _sheets(
    told: list[tuple[str, bool, int, int, list[list[int]] | None]], cells: list[str]
) -> list[Sheet]:
    """Return sheets of the cells of all of them, one after another."""
    found, start = [], 0
    for title, is_hidden, row_count, width, merges in told:
        rows = [cells[start + n * width : start + (n + 1) * width] for n in range(row_count)]
        start += row_count * width
        ranges = tuple((top, left, bottom, right) for top, left, bottom, right in merges or ())
        found.append(Sheet(title, is_hidden, rows, ranges, merges is not None))
    return found


def hidden_row_count(path: Path) -> int:
    """Return how many rows of an .xlsx are hidden: they are read like the others."""
    if _start(path)[:2] != _ZIP:
        return 0
    answer, _ = in_reader("hidden_rows", "", path.stat().st_size, path=str(path))
    return int(answer["count"])


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


def _too_large(path: Path, what: str) -> Problem:
    return Problem(
        path, f"holds {what}, which would fill the memory" if "sheet" in what else f"holds {what}",
        expected=f"at most {MOST_CELLS:,} cells from the first to the last that is used",
        fix="delete what stands far out, or save the sheet as CSV",
    )  # fmt: skip


def _told(path: Path, name: str, kind: str, what: str) -> Problem:
    if kind == "large":
        return _too_large(path, what)
    if kind == "locked":
        return Problem(
            path, "is locked with a password", expected="a workbook without one",
            fix="open it in a spreadsheet and save it without a password",
        )  # fmt: skip
    if kind == "sheet":
        return Problem(
            path, "has no sheet of that name", expected="one of: " + what,
            fix=f"name it as sources.{name}.layer",
        )  # fmt: skip
    return Problem(
        path, f"cannot be read as excel ({what})",
        expected="a whole workbook without a password",
        fix="open it in a spreadsheet and save it again as .xlsx",
    )  # fmt: skip
