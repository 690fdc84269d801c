"""Cells of a register as numbers, years and words; what cannot be used is told.

Registers repeat themselves, so each different text is read once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.source_columns import distinct, field, plain_word
from pipeline.geo.raster import Floats
from pipeline.intake.features import places_among
from pipeline.intake.rejects import Rejects
from pipeline.intake.words import UNKNOWN_WORD
from pipeline.intake.years import read_year
from pipeline.settings.city import Source
from pipeline.settings.intake import YearRule

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """A register with the profile that explains it and the list of what is not used.

    Methods return one value for each row, in the register's order, NaN or empty where the cell is
    empty or cannot be used.
    """

    rows: pd.DataFrame
    source: Source
    rejects: Rejects
    row_number: NDArray[np.int64] | None = None
    """What each row is called; none: they are counted from 1, as people do below a header."""

    def row_names(self) -> list[str]:
        """Return what each row is called in the list of rejects."""
        return [str(number) for number in self._numbers().tolist()]

    def _numbers(self) -> NDArray[np.int64]:
        return np.arange(1, len(self.rows) + 1) if self.row_number is None else self.row_number

    def kept(self, rows: Flags) -> "Cells":
        """Return some of the rows, by the names that they had."""
        kept = self.rows[rows].reset_index(drop=True)
        return Cells(kept, self.source, self.rejects, self._numbers()[rows])

    def texts(self, column: str) -> pd.Series:
        """Return a column as written, translated by the profile's ``values``."""
        return field(self.rows, self.source, column)

    def numbers(self, column: str, low: float, high: float, *, whole: bool = False) -> Floats:
        """Return a column as numbers within bounds."""

        def read(text: str) -> float | str:
            try:
                number = float(text.replace(",", ""))
            except ValueError:
                return "unreadable_number"
            fits = low <= number <= high and (not whole or number == int(number))
            return number if fits else "impossible_number"

        return self._read(column, read)

    def years(self, column: str, rule: YearRule) -> Floats:
        """Return the years of a column of years or dates; what names no single year is told."""

        def read(text: str) -> float | str:
            said = read_year(text, earliest=rule.earliest, latest=rule.latest)
            if said.low is None:
                return said.fault or np.nan
            return float(said.low) if said.low == said.high else "no_single_year"

        return self._read(column, read)

    def codes(self, column: str, words: Mapping[str, float]) -> Floats:
        """Return what each word of a column stands for, whatever its case, width and blanks."""
        plain = {plain_word(word): code for word, code in words.items()}
        return self._read(column, lambda text: plain.get(plain_word(text), UNKNOWN_WORD))

    def usable(
        self,
        keys: Collection[str],
        known: Mapping[str, pd.Series],
        *,
        unknown: str = "unknown_key",
    ) -> Flags:
        """Return which rows count; each of the others is rejected with its reason.

        A row counts if its keys are filled, those listed in ``known`` exist there, and no earlier
        row has the same keys.
        """
        columns = [distinct(self.texts(key)) for key in keys]
        is_empty, is_strange, is_again = (np.zeros(len(self.rows), dtype=bool) for _ in range(3))
        for key, (texts, place) in zip(keys, columns, strict=True):
            is_empty |= np.array([text == "" for text in texts], dtype=bool)[place]
            if key in known:
                is_strange |= places_among(self.texts(key), known[key]) < 0
        sound = ~is_empty & ~is_strange
        rows = pd.DataFrame({key: place for key, (_, place) in zip(keys, columns, strict=True)})
        is_again[sound] = rows[sound].duplicated().to_numpy()
        names = self._numbers()
        for number in np.flatnonzero(is_empty | is_strange | is_again).tolist():
            words = " ".join(texts[place[number]] for texts, place in columns)[:150]
            if is_empty[number]:
                fault = "no_key", f"one of {', '.join(keys)} is empty"
            elif is_strange[number]:
                fault = unknown, f"nothing bears the key {words}"
            else:
                fault = "duplicate_row", f"{words} stands in an earlier row"
            self.rejects.row(str(names[number]), *fault)
        return ~(is_empty | is_strange | is_again)

    def _read(self, column: str, read: Any) -> Floats:
        texts, place = distinct(self.texts(column))
        found = [np.nan if text == "" else read(text) for text in texts]
        is_fault = np.array([isinstance(said, str) for said in found], dtype=bool)
        names = self._numbers()
        for number in np.flatnonzero(is_fault[place]).tolist():
            text, said = texts[place[number]], found[place[number]]
            self.rejects.value(str(names[number]), column, said, text[:200])
        plain = [np.nan if isinstance(said, str) else said for said in found]
        return np.array(plain, dtype=float)[place]
