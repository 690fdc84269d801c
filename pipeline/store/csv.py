"""CSV that opens right in a Chinese office.

UTF-8 with a byte-order mark, so that Excel shows Chinese; ids as text; numbers with the decimals of
their column; empty where a value is missing; and no cell that a spreadsheet would run as a formula.
"""

from typing import Any

from pipeline.contracts.check import column_of
from pipeline.contracts.columns import FLAG, REAL, TEXT
from pipeline.contracts.tables import Table

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FORMULA_STARTS = r"^[=+\-@\t\r＝＋－＠]"
_UNSEEN = r"[\x00-\x08\x0A-\x1F\x7F-\x{9F}\x{2028}-\x{202E}\x{2066}-\x{2069}]+"
"""Ends of lines, what moves the cursor of a terminal, and what turns the direction of reading."""


def write_csv(table: Table, frame: Any, stream: Any) -> None:
    """Write a table as CSV with the column names, or headers, of its contract.

    Columns of ``csv_leaves_out`` stay away.
    Control characters become blanks. A text that begins with a sign that spreadsheets take for a
    formula gets an apostrophe in front.
    """
    from pyarrow import csv

    stream.write(_BYTE_ORDER_MARK)
    csv.write_csv(_columns(table, frame), stream)


def _columns(table: Table, frame: Any) -> Any:
    import pyarrow as pa

    columns = {}
    for name in frame.columns:
        column = column_of(table, name)
        assert column is not None
        if column.name in table.csv_leaves_out:
            continue
        values = frame[name]
        if column.kind == REAL:
            columns[name] = pa.array(values.round(column.decimals), from_pandas=True)
        elif column.kind == FLAG:
            columns[name] = pa.array(values.map({True: "yes", False: "no"}), from_pandas=True)
        elif column.kind == TEXT:
            columns[name] = neutralised(pa.array(values, from_pandas=True))
        else:
            columns[name] = pa.array(values, from_pandas=True)
    if table.headers:
        called = dict(zip(table.column_names, table.headers, strict=True))
        columns = {called[name]: values for name, values in columns.items()}
    return pa.table(columns)


def neutralised(texts: Any) -> Any:
    """Return an Arrow column of texts that no spreadsheet runs, on one line each.

    Most columns repeat few texts, so each is looked at once.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    coded = whole.cast("string").dictionary_encode()
    plain = pc.replace_substring_regex(coded.dictionary, _UNSEEN, " ")
    runs = pc.match_substring_regex(plain, _FORMULA_STARTS)
    harmless = pc.if_else(runs, pc.binary_join_element_wise("'", plain, ""), plain)
    return harmless.take(coded.indices)
