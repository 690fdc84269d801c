"""Texts with columns as offices save them: which encoding, which separator, which cells."""

import csv
import io
import re
from collections import Counter
from pathlib import Path

from pipeline.problem import Problem
from pipeline.store.encodings import encoding_of

MOST_COLUMNS = 16_384
"""As many as a sheet of a workbook may have."""
MOST_TEXT_BYTES = 500_000_000
SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 400
_SAMPLE_BYTES = 400_000
_ENOUGH_SHARE = 0.6
_SEP_LINE = re.compile(r'\A"?sep=(.)"?[^\S\n]*(?:\n|\Z)', re.IGNORECASE)
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# the hanzi of everyday use stand in the first part of either character set
_COMMON_GB, _COMMON_BIG5 = (b"\xb0\xa1", b"\xd7\xf9"), (b"\xa4\x40", b"\xc6\x7e")


def text_encoding(content: bytes, *, is_whole: bool = True) -> tuple[str, bool]:
    """Return the encoding of a text from its bytes, and whether that is certain.

    A byte-order mark is believed; UTF-16 without one shows itself by its zero bytes, Big5 by what it
    would be in GBK: signs that nobody uses.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name, True
    sample = content[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if even + odd > len(sample) // 50:
        return ("utf-16-le", False) if odd > even else ("utf-16-be", False)
    lines = content.splitlines()
    name, is_certain = encoding_of(lines if is_whole else lines[:-1])
    if name.startswith("gb") and _is_big5(sample[: sample.rfind(b"\n") + 1] or sample):
        return "big5", False
    return name, is_certain


def _is_big5(sample: bytes) -> bool:
    try:
        text = sample.decode("big5")
    except UnicodeDecodeError:
        return False
    return (
        _common_share(text, "big5", _COMMON_BIG5)
        > 0.9
        > _common_share(sample.decode("gbk", "replace"), "gb2312", _COMMON_GB)
    )


def _common_share(text: str, encoding: str, bounds: tuple[bytes, bytes]) -> float:
    """Return which share of a text's hanzi are of everyday use in a character set."""
    hanzi = Counter(sign for sign in text if sign > "\u2e7f")
    low, high = bounds
    common = sum(
        count for sign, count in hanzi.items() if low <= sign.encode(encoding, "replace") <= high
    )
    return common / max(sum(hanzi.values()), 1)


def decoded(path: Path, name: str, encoding: str) -> str:
    """Return the text of a file, its lines ended by a line feed, without a byte-order mark.

    Raises
    ------
    Problem
        If it is empty, far too large, or not in the encoding.
    """
    if path.stat().st_size > MOST_TEXT_BYTES:
        raise Problem(path, f"is larger than {MOST_TEXT_BYTES:,} bytes", fix="cut it to the city")
    content = path.read_bytes()
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        seems, _ = text_encoding(content)
        raise Problem(
            path, f"byte {error.start} is not {encoding} text",
            fix=f"correct sources.{name}.encoding"
            + (f"; {seems} fits" if seems != encoding else ", e.g. gb18030 or utf-8-sig"),
        ) from None  # fmt: skip
    except (LookupError, UnicodeError):
        raise Problem(path, f"unknown encoding {encoding!r}", expected="e.g. gb18030") from None
    if not text.strip("\ufeff \t\r\n"):
        raise Problem(path, "the file is empty", expected="a header line and rows")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def without_sep_line(text: str) -> tuple[str, str | None]:
    """Return a text without Excel's first line ``sep=;``, and what that line says."""
    found = _SEP_LINE.match(text)
    return (text[found.end() :], found[1]) if found else (text, None)


def separator_of(text: str) -> str | None:
    """Return the sign that cuts most lines into the same number of cells; None if none does."""
    text, said = without_sep_line(text)
    if said:
        return said
    sample = text[:_SAMPLE_BYTES]
    best: tuple[float, int, str] | None = None
    for sign in SEPARATORS:
        try:
            rows = [row for row in csv.reader(io.StringIO(sample), delimiter=sign) if row]
        except csv.Error:
            continue
        rows = rows[: min(_SAMPLE_ROWS, max(len(rows) - 1, 2))]
        widths = Counter(len(row) for row in rows if any(row))
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        share = count / sum(widths.values())
        if width > 1 and share >= _ENOUGH_SHARE:
            found = round(share, 1), width, sign
            best = found if best is None or found[:2] > best[:2] else best
    return best[2] if best else None


def cells_of(path: Path, text: str, separator: str) -> list[list[str]]:
    """Return the rows of a text, empty lines as empty rows, cells without blanks around them.

    Raises
    ------
    Problem
        If a quote is not closed, or a line has more cells than any table.
    """
    text, said = without_sep_line(text)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=said or separator, strict=True))
    except csv.Error as error:
        raise Problem(path, f"not valid CSV ({error})", fix="save it again as CSV") from None
    widest = max(map(len, rows), default=0)
    if widest > MOST_COLUMNS:
        raise Problem(
            path, f"has a line of {widest:,} cells", expected=f"at most {MOST_COLUMNS:,} columns",
            fix="check the separator, or drop the columns that nobody needs",
        )  # fmt: skip
    return [[cell.strip() for cell in row] for row in rows]
