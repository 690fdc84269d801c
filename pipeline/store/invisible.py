"""Signs that nobody sees and that make equal texts unequal: without width, hard blanks."""

import re

import pandas as pd
import pyarrow as pa

INVISIBLE_COUNT = "invisible_count"
"""Name of the attribute of a table that tells how many of its cells held such signs."""
_DROPPED = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_BLANKS = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_ANY = re.compile(f"{_DROPPED.pattern}|{_BLANKS.pattern}")
_FIRST_BYTES = tuple(
    lead.encode()[:2] for lead in "\u00ad\u00a0\u034f\u061c\u180e\u200b\u2060\u3000\ufeff"
)
"""How each of them begins in UTF-8."""


def without_invisible(text: str) -> str:
    """Return a text without invisible signs, hard and wide blanks as plain ones, none at its ends."""
    return _BLANKS.sub(" ", _DROPPED.sub("", text)).strip() if _ANY.search(text) else text


def cleaned(texts: pd.DataFrame) -> pd.DataFrame:
    """Return a table of texts without invisible signs; its attribute tells how many cells held any."""
    changed: dict[str, pd.Series] = {}
    count = 0
    for name in texts.columns:
        column = texts[name]
        if not _may_hold_any(column):
            continue
        dirty = column.str.contains(_ANY.pattern, regex=True).to_numpy(dtype=bool)
        if dirty.any():
            count += int(dirty.sum())
            mended = column.copy()
            mended[dirty] = [without_invisible(one) for one in column[dirty]]
            changed[name] = mended
    if not count:
        return texts
    found = texts.assign(**changed)
    found.attrs[INVISIBLE_COUNT] = count
    return found


def _may_hold_any(column: "pd.Series[str]") -> bool:
    """Return whether a byte pair with which such a sign begins stands anywhere in a column."""
    found = pa.array(column, type=pa.large_string(), from_pandas=True)
    for part in found.chunks if isinstance(found, pa.ChunkedArray) else [found]:
        data = part.buffers()[-1]
        content = bytes(data) if data is not None else b""
        if any(lead in content for lead in _FIRST_BYTES):
            return True
    return False
