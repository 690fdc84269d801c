"""Read registers kept as CSV or Excel."""

import csv
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.archives import zip_members

MOST_TEXT_BYTES = 1_000_000_000
_DATE = r"^(\d{4})/(\d\d)/(\d\d)(?: 00:00:00)?$"
_SIGN_OF_XLS = b"\xd0\xcf\x11\xe0"


def read_rows(path: Path, name: str, source: Source) -> pd.DataFrame:
    """Return the rows of a register as text, exactly as written but for blanks around it.

    Raises
    ------
    Problem
        If it is empty, not in the stated encoding, without a stated column, or a row has more or
        fewer cells than the header.
    """
    if source.format == "excel":
        header, columns = _by_column(_sheet(path, name, source))
    else:
        header, columns = _plain_columns(path, source) or _by_column(_lines(path, name, source))
    wanted = {column: fields for column, fields in source.columns.items() if fields}
    absent = sorted(fields[0] for fields in wanted.values() if not set(fields) & set(header))
    if absent:
        raise Problem(
            path, f"has no column {', '.join(absent)}", expected="one of: " + ", ".join(header)[:600],
            fix=f"correct sources.{name}.columns, or its encoding",
        )  # fmt: skip
    twice = sorted({one for one in header if one and header.count(one) > 1})
    if any(set(fields) & set(twice) for fields in wanted.values()):
        raise Problem(
            path, f"has the column {', '.join(twice)} twice", expected="each name once",
            fix="rename or remove one of them",
        )  # fmt: skip
    if not columns or not len(columns[0]):
        raise Problem(path, "holds no rows", expected="at least one below the header")
    by_name = dict(zip(header, columns, strict=True))
    return pd.concat(list(by_name.values()), axis=1, keys=list(by_name))


def _by_column(rows: Sequence[Sequence[str]]) -> tuple[list[str], "list[pd.Series[str]]"]:
    """Return the header and the columns below it; empty rows are left out."""
    header = [cell.strip() for cell in rows[0]]
    body = [row for row in rows[1:] if row]
    cells = zip(*body, strict=True)
    return header, [pd.Series([cell.strip() for cell in one], dtype="str") for one in cells]


def _plain_columns(path: Path, source: Source) -> tuple[list[str], "list[pd.Series[str]]"] | None:
    """Return the header and the columns of a CSV without quotes or any fault; None of any other.

    Arrow reads a register of 136,000 rows ten times as fast as Python does; what it cannot read is
    read again by ``_lines``, which can say what is wrong.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    try:
        if path.stat().st_size > MOST_TEXT_BYTES:
            return None
        text = path.read_bytes().decode(source.encoding or "utf-8-sig").removeprefix("\ufeff")
    except (OSError, LookupError, UnicodeError):
        return None
    # Python ends lines at more signs than Arrow does, and a blank line is no row to it only if empty
    if '"' in text or "\0" in text or not text.strip() or text.count("\r") != text.count("\r\n"):
        return None
    header = text.partition("\n")[0].removesuffix("\r").split(",")
    numbers = [str(number) for number in range(len(header))]
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(text.encode()),
            arrow_csv.ReadOptions(column_names=numbers, skip_rows=1),
            arrow_csv.ParseOptions(quote_char=False),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(numbers, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    columns = [pc.utf8_trim_whitespace(table.column(number)) for number in numbers]
    return [cell.strip() for cell in header], [
        pd.Series(pd.array(column, dtype="str")) for column in columns
    ]


def _lines(path: Path, name: str, source: Source) -> Sequence[Sequence[str]]:
    encoding = source.encoding or "utf-8-sig"
    if path.stat().st_size > MOST_TEXT_BYTES:
        raise Problem(path, f"is larger than {MOST_TEXT_BYTES:,} bytes", fix="cut it to the city")
    try:
        text = path.read_bytes().decode(encoding)
    except UnicodeDecodeError as error:
        raise Problem(
            path, f"byte {error.start} is not {encoding} text",
            fix=f"correct sources.{name}.encoding, e.g. gb18030 or utf-8-sig",
        ) from None  # fmt: skip
    except (LookupError, UnicodeError):
        raise Problem(path, f"unknown encoding {encoding!r}", expected="e.g. gb18030") from None
    if not text.strip():
        raise Problem(path, "the file is empty", expected="a header line and rows")
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True))
    except csv.Error as error:
        raise Problem(path, f"not valid CSV ({error})", fix="save it again as CSV") from None
    width = len(rows[0])
    for number, row in enumerate(rows[1:], 2):
        if row and len(row) != width:
            raise Problem(
                path, f"line {number} has {len(row)} cells", expected=f"{width}, as the header",
                fix="look for commas or quotes inside a cell of that line",
            )  # fmt: skip
    return rows


def _sheet(path: Path, name: str, source: Source) -> Sequence[Sequence[str]]:
    """Return the cells of a worksheet as text, empty rows left out; the first one is the header.

    Read by GDAL, six times as fast as openpyxl on a register of 44,000 rows.
    """
    import pyogrio

    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise Problem(path, "the file is empty", expected="a workbook", fix="copy the file again")
    if start == _SIGN_OF_XLS:
        raise Problem(
            path, "is an old .xls workbook, or locked with a password", expected=".xlsx",
            fix="open it in a spreadsheet and save it as .xlsx without a password, or as CSV",
        )  # fmt: skip
    if "[Content_Types].xml" not in zip_members(path):
        raise Problem(path, "is no Excel workbook", expected=".xlsx", fix="save it again as .xlsx")
    inside = f"XLSX:{path}"
    # as open options they hold for the first sheet only
    as_text = {"OGR_XLSX_HEADERS": "DISABLE", "OGR_XLSX_FIELD_TYPES": "STRING"}
    pyogrio.set_gdal_config_options(as_text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = [str(one) for one, _ in pyogrio.list_layers(inside)]
            chosen = source.layer or (names[0] if len(names) == 1 else None)
            if chosen not in names:
                said = f"has no sheet {source.layer!r}" if source.layer else "holds several sheets"
                raise Problem(
                    path, said, expected="one of: " + ", ".join(names)[:600],
                    fix=f"name it as sources.{name}.layer",
                )  # fmt: skip
            _, table = pyogrio.read_arrow(inside, layer=chosen, read_geometry=False)
        columns = [_texts(table.column(one)) for one in table.column_names]
    except (Problem, MemoryError):
        raise
    except Exception as error:
        # GDAL and Arrow raise a dozen kinds for a damaged workbook
        raise Problem(
            path, f"cannot be read as excel ({str(error)[:200] or type(error).__name__})",
            expected="a whole .xlsx workbook", fix="open it in a spreadsheet and save it again",
        ) from None  # fmt: skip
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(as_text))
    rows = [row for row in zip(*columns, strict=True) if any(row)]
    if not rows:
        raise Problem(path, "holds no rows", expected="a header row and rows below it")
    width = max(number for number, cell in enumerate(rows[0], 1) if cell)
    for number, row in enumerate(rows[1:], 2):
        if any(row[width:]):
            raise Problem(
                path, f"row {number} has cells beyond the header's {width} columns",
                expected="a header over every column", fix="name the column, or remove what is there",
            )  # fmt: skip
    return [row[:width] for row in rows]


def _texts(column: Any) -> list[str]:
    """Return a column as texts, dates in the order of ISO 8601."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.fill_null(column.cast(pa.string()), "")
    return list(pc.replace_substring_regex(plain, _DATE, r"\1-\2-\3").to_pylist())
