"""Read registers kept as CSV."""

import csv
import io
from pathlib import Path

import pandas as pd

from pipeline.problem import Problem
from pipeline.settings.city import Source


def read_rows(path: Path, name: str, source: Source) -> pd.DataFrame:
    """Return the rows of a CSV as text, exactly as written but for blanks around it.

    Raises
    ------
    Problem
        If it is empty, not in the stated encoding, without a stated column, or a row has more or
        fewer cells than the header.
    """
    encoding = source.encoding or "utf-8-sig"
    try:
        text = path.read_bytes().decode(encoding)
    except UnicodeDecodeError as error:
        raise Problem(
            path, f"byte {error.start} is not {encoding} text",
            fix=f"correct sources.{name}.encoding, e.g. gb18030 or utf-8-sig",
        ) from None  # fmt: skip
    except LookupError:
        raise Problem(path, f"unknown encoding {encoding!r}", expected="e.g. gb18030") from None
    if not text.strip():
        raise Problem(path, "the file is empty", expected="a header line and rows")
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True))
    except csv.Error as error:
        raise Problem(path, f"not valid CSV ({error})", fix="save it again as CSV") from None
    header = [cell.strip() for cell in rows[0]]
    for number, row in enumerate(rows[1:], 2):
        if row and len(row) != len(header):
            raise Problem(
                path, f"line {number} has {len(row)} cells", expected=f"{len(header)}, as the header",
                fix="look for commas or quotes inside a cell of that line",
            )  # fmt: skip
    wanted = {column: fields for column, fields in source.columns.items() if fields}
    absent = sorted(fields[0] for fields in wanted.values() if not set(fields) & set(header))
    if absent:
        raise Problem(
            path, f"has no column {', '.join(absent)}", expected="one of: " + ", ".join(header),
            fix=f"correct sources.{name}.columns, or its encoding",
        )  # fmt: skip
    body = [row for row in rows[1:] if row]
    if not body:
        raise Problem(path, "holds no rows", expected="at least one below the header")
    columns = [
        pd.Series([cell.strip() for cell in cells], dtype="str")
        for cells in zip(*body, strict=True)
    ]
    return pd.concat(columns, axis=1, keys=header)
