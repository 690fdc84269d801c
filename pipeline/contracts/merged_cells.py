"""Tables whose cells were merged once: a value stands in the first row of each group of rows."""

from itertools import pairwise

import pandas as pd

_LEAST_RUN = 2.0
"""Rows to a value, on average."""


def as_if_merged(table: pd.DataFrame) -> tuple[list[str], bool]:
    """Return the fields whose cells look as if merged downwards, and whether that is plain.

    The first row is filled, less than half of the rows are, and what follows differs from what stands
    before. It is plain where several fields are filled in just the same rows; a field alone may be
    known for few rows.
    """
    told: dict[bytes, list[str]] = {}
    for name in map(str, table.columns):
        is_filled = (table[name] != "").to_numpy(dtype=bool)
        count = int(is_filled.sum())
        if count > 1 and is_filled[0] and len(is_filled) >= _LEAST_RUN * count:
            told.setdefault(is_filled.tobytes(), []).append(name)
    found, is_plain = [], False
    for names in told.values():
        filled = table.loc[table[names[0]] != "", names]
        changes = all(
            one != two for one, two in pairwise(filled.itertuples(index=False, name=None))
        )
        is_long = len(table) >= (_LEAST_RUN + 1) * len(filled)
        if changes and (len(names) > 1 or is_long):
            found += names
            is_plain |= len(names) > 1
    return [name for name in map(str, table.columns) if name in found], is_plain
