"""Cells of a register as numbers, years and words; what cannot be used is told.

Registers repeat themselves, so each different text is read once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.intake.features import as_list, field
from pipeline.intake.rejects import Rejects
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
        numbers = range(1, len(self.rows) + 1) if self.row_number is None else self.row_number
        return [str(number) for number in numbers]

    def kept(self, rows: Flags) -> "Cells":
        """Return some of the rows, by the names that they had."""
        numbers = np.array([int(name) for name in self.row_names()])[rows]
        return Cells(self.rows[rows].reset_index(drop=True), self.source, self.rejects, numbers)

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
        """Return what each word of a column stands for."""
        return self._read(column, lambda text: words.get(text, "unknown_word"))

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
        columns = [as_list(self.texts(key)) for key in keys]
        is_empty, is_strange, is_again = (np.zeros(len(self.rows), dtype=bool) for _ in range(3))
        for key, texts in zip(keys, columns, strict=True):
            is_empty |= np.array([text == "" for text in texts], dtype=bool)
            if key in known:
                there = set(as_list(known[key]))
                is_strange |= np.array([text not in there for text in texts], dtype=bool)
        sound = np.flatnonzero(~is_empty & ~is_strange)
        rows = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
        seen: set[object] = set()
        for number in sound.tolist():
            is_again[number] = rows[number] in seen
            seen.add(rows[number])
        names = self.row_names()
        for number in np.flatnonzero(is_empty | is_strange | is_again).tolist():
            words = " ".join(column[number] for column in columns)[:150]
            if is_empty[number]:
                fault = "no_key", f"one of {', '.join(keys)} is empty"
            elif is_strange[number]:
                fault = unknown, f"nothing bears the key {words}"
            else:
                fault = "duplicate_row", f"{words} stands in an earlier row"
            self.rejects.row(names[number], *fault)
        return ~(is_empty | is_strange | is_again)

    def _read(self, column: str, read: Any) -> Floats:
        texts = as_list(self.texts(column))
        found = {text: np.nan if text == "" else read(text) for text in set(texts)}
        faults = {text: said for text, said in found.items() if isinstance(said, str)}
        if faults:
            names = self.row_names()
            for number, text in enumerate(texts):
                if text in faults:
                    self.rejects.value(names[number], column, faults[text], text[:200])
        plain = {text: np.nan if text in faults else said for text, said in found.items()}
        return np.array([plain[text] for text in texts], dtype=float)
