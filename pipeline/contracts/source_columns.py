"""What the rows of a source say of one of our columns, by the profile's ``columns`` and ``values``.

A word is the same whatever its case, its width (full or half), its blanks and underscores.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.settings.city import Source

JOINT = " > "
"""Between the words of a joined column."""
_BLANKS = re.compile(r"[\s_]+")


def field(table: pd.DataFrame, source: Source, column: str) -> pd.Series:
    """Return one of our columns as text: constant, or the first of its fields that holds a value.

    Of ``joined`` columns the words of all fields count together, see ``Source.joined``. Words of the
    source are translated by ``values``, whatever their case, width and blanks; empty where nothing is
    said.
    """
    if column in source.constants:
        return pd.Series(source.constants[column], index=table.index, dtype="str")
    there = [name for name in source.columns.get(column, []) if name in table.columns]
    if not there:
        return pd.Series("", index=table.index, dtype="str")
    words = source.values.get(column, {})
    is_joined = column in source.joined
    text = joined_words(table, there) if is_joined else table[there[0]].astype("str")
    for name in () if is_joined else there[1:]:
        text = text.where(text != "", table[name])
    if not words and not is_joined:
        return text
    said, number = distinct(text)
    plain = by_plain_word(words)

    def meaning(word: str, otherwise: str) -> str:
        return words.get(word, plain.get(plain_word(word), otherwise))

    ours = []
    for word in said:
        first = word.split(JOINT, 1)[0] if is_joined else word
        ours.append(meaning(word, meaning(first, first)))
    translated = pd.array(ours, dtype="str")
    return pd.Series(translated.take(number), index=table.index)


def joined_words(table: pd.DataFrame, fields: Sequence[str]) -> pd.Series:
    """Return the words of several fields in one text, blanks left out: class > subclass."""
    cells = [table[name].astype("str").str.strip() for name in fields]
    text = cells[0]
    for more in cells[1:]:
        text = text + np.where((text != "") & (more != ""), JOINT, "") + more
    return text.astype("str")


def distinct(texts: pd.Series) -> tuple[list[str], NDArray[np.int64]]:
    """Return the different texts of a column, and for each row the place of its own among them.

    Columns repeat themselves: work on each different text, then deal it out by the places.
    """
    number, said = pd.factorize(texts)
    return list(said.to_numpy(dtype=object)), number


def plain_word(text: str) -> str:
    """Return a word without case, width, blanks, underscores and marks that no editor shows."""
    if text.isascii():
        return _BLANKS.sub("", text.lower())
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _BLANKS.sub("", "".join(c for c in folded if unicodedata.category(c) != "Cf"))


def by_plain_word(words: Mapping[str, str]) -> dict[str, str]:
    """Return a translation for words whatever their case, width and blanks; the first one counts."""
    found: dict[str, str] = {}
    for word, ours in words.items():
        found.setdefault(plain_word(word), ours)
    return found
