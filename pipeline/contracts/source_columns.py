"""What the rows of a source say of one of our columns, by the profile's ``columns`` and ``values``."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.settings.city import Source


def field(table: pd.DataFrame, source: Source, column: str) -> pd.Series:
    """Return one of our columns as text: constant, or the first of its fields that holds a value.

    Words of the source are translated by ``values``; empty where nothing is said.
    """
    if column in source.constants:
        return pd.Series(source.constants[column], index=table.index, dtype="str")
    there = [name for name in source.columns.get(column, []) if name in table.columns]
    if not there:
        return pd.Series("", index=table.index, dtype="str")
    text = table[there[0]].astype("str")
    for name in there[1:]:
        text = text.where(text != "", table[name])
    words = source.values.get(column)
    if not words:
        return text
    said, number = distinct(text)
    translated = pd.array([words.get(word, word) for word in said], dtype="str")
    return pd.Series(translated.take(number), index=table.index)


def distinct(texts: pd.Series) -> tuple[list[str], NDArray[np.int64]]:
    """Return the different texts of a column, and for each row the place of its own among them.

    Columns repeat themselves: work on each different text, then deal it out by the places.
    """
    number, said = pd.factorize(texts)
    return list(said.to_numpy(dtype=object)), number
