"""Cells of a register as numbers, years and words; what cannot be used is told.

Registers repeat themselves, so each different text is read once.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.keys import spellings
from pipeline.contracts.source_columns import distinct, plain_word
from pipeline.contracts.source_columns import field as source_field
from pipeline.contracts.written_numbers import (
    decimal_mark,
    fitting_mark,
    plain_number,
    read_number,
    reads_two_ways,
    unit_of_header,
)
from pipeline.geo.raster import Floats
from pipeline.intake.features import places_among
from pipeline.intake.rejects import Rejects
from pipeline.intake.words import UNKNOWN_WORD
from pipeline.intake.years import mended_years, read_year
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.settings.intake import YearRule

Flags = NDArray[np.bool_]
TOTAL_WORDS = {
    "合计",
    "总计",
    "小计",
    "共计",
    "总和",
    "汇总",
    "total",
    "totals",
    "subtotal",
    "sum",
    "grand total",
}
_TOTAL = re.compile(r"(?:合计|总计|小计|共计)[:：(（共\d]")
_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!")


def is_layout(key: str, names: Collection[str]) -> bool:
    """Return whether what stands for a key is a total, or the header again."""
    plain = "".join(key.split()).lower()
    return key in names or plain.rstrip(":：") in TOTAL_WORDS or _TOTAL.match(plain) is not None


def cells_of(
    rows: pd.DataFrame, source: Source, rejects: Rejects, known: Mapping[str, pd.Series]
) -> "Cells":
    """Return a register's cells, keys spelled as ``known`` spells them, errors of a spreadsheet empty.

    Raises
    ------
    Problem
        If the profile's ``key_form`` makes two different keys one.
    """
    for column, fields in source.columns.items():
        for name in fields:
            is_error = rows[name].isin(_ERRORS) if name in rows.columns else pd.Series(dtype="bool")
            for number in np.flatnonzero(is_error).tolist():
                detail = f"the cell holds {rows[name].iloc[number]}"
                rejects.value(str(number + 1), column, "error_cell", detail)
            if is_error.any():
                rows = rows.assign(**{name: rows[name].mask(is_error, "")})
    return Cells(rows, source, rejects).spelled_as(known)


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
    spelling: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Key column → key as written here → as the footprints spell it."""

    def row_names(self) -> list[str]:
        """Return what each row is called in the list of rejects."""
        return [str(number) for number in self.numbers_of_rows().tolist()]

    def numbers_of_rows(self) -> NDArray[np.int64]:
        """Return what each row is called, as numbers."""
        return np.arange(1, len(self.rows) + 1) if self.row_number is None else self.row_number

    def kept(self, rows: Flags) -> "Cells":
        """Return some of the rows, by the names that they had."""
        kept = self.rows[rows].reset_index(drop=True)
        return replace(self, rows=kept, row_number=self.numbers_of_rows()[rows])

    def spelled_as(self, known: Mapping[str, pd.Series]) -> "Cells":
        """Return the cells with keys spelled as ``known`` spells them, by the profile's ``key_form``.

        Raises
        ------
        Problem
            If two different keys would become one.
        """
        forms = self.source.key_form
        if not forms:
            return self
        spelling = {}
        for column, keys in known.items():
            here = [key for key in distinct(self.texts(column))[0] if key]
            there = [key for key in distinct(keys.dropna().astype("str"))[0] if key]
            spelling[column], clash = spellings(here, there, forms)
            if clash:
                raise Problem(
                    self.source.path,
                    f"key_form {forms} makes {clash[0]!r} and {clash[1]!r} one {column}",
                    expected="different numbers to stay different",
                    fix=f"leave a form out of sources.{self.rejects.source_name}.key_form",
                )  # fmt: skip
        return replace(self, spelling=spelling)

    def texts(self, column: str) -> pd.Series:
        """Return a column as written, translated by the profile's ``values``."""
        text = source_field(self.rows, self.source, column)
        spelled = self.spelling.get(column)
        if not spelled:
            return text
        said, number = distinct(text)
        mended = pd.array([spelled.get(one, one) for one in said], dtype="str")
        return pd.Series(mended.take(number), index=text.index)

    def numbers(
        self,
        column: str,
        low: float,
        high: float,
        *,
        whole: bool = False,
        usual: tuple[float, float] | None = None,
    ) -> Floats:
        """Return a column as numbers within bounds.

        ``usual`` bounds decide where a whole column can be read by a decimal point or a comma.

        Raises
        ------
        Problem
            If the column can be read both ways and nothing decides.
        """
        mark = self._mark(column, usual or (low, high), whole=whole)
        factor = self._unit(column)

        def read(text: str) -> float | str:
            number = read_number(text, mark)
            if number is None:
                return "merged_total" if "(merged over " in text else "unreadable_number"
            if factor != 1 and plain_number(text)[1] == 1:
                number *= factor
            fits = low <= number <= high and (not whole or number == int(number))
            return number if fits else "impossible_number"

        return self._read(self.texts(column), column, read)

    def number_texts(self, column: str) -> list[str]:
        """Return a column's texts with each number written plainly, ``2100,5`` as 2100.5."""
        texts, place = distinct(self.texts(column))
        mark = self.source.decimal_mark or decimal_mark(texts) or "."
        numbers = [read_number(text, mark) if text else None for text in texts]
        plain = [
            text if number is None else format(number, ".15g")
            for text, number in zip(texts, numbers, strict=True)
        ]
        return [plain[number] for number in place.tolist()]

    def _mark(self, column: str, usual: tuple[float, float], *, whole: bool) -> str:
        if self.source.decimal_mark:
            return self.source.decimal_mark
        texts = [text for text in distinct(self.texts(column))[0] if text]
        mark = decimal_mark(texts) or fitting_mark(texts, *usual, whole=whole)
        if mark:
            return mark
        both = next((text for text in texts if reads_two_ways(text)), texts[0])
        told = " or ".join(
            f"{read_number(both, mark):g}" for mark in (".", ",") if reads_two_ways(both)
        )
        fields = ", ".join(self.source.columns.get(column, [column]))
        raise Problem(
            self.source.path,
            f"the numbers of {fields} can be read two ways: {both} is {told}" if told
            else f"the numbers of {fields} have points and commas before decimals",
            expected="one sign before the decimals",
            fix=f"state sources.{self.rejects.source_name}.decimal_mark: '.' or ','",
        )  # fmt: skip

    def _unit(self, column: str) -> float:
        fields = [one for one in self.source.columns.get(column, []) if one in self.rows.columns]
        return unit_of_header(fields[0]) if len(fields) == 1 else 1.0

    def year_texts(self, column: str) -> pd.Series:
        """Return a column of years as text, with what a spreadsheet made of typed numbers put right."""
        text = self.texts(column)
        said, number = distinct(text)
        mended = mended_years(said)
        if mended == said:
            return text
        return pd.Series(pd.array(mended, dtype="str").take(number), index=text.index)

    def years(self, column: str, rule: YearRule) -> Floats:
        """Return the years of a column of years or dates; what names no single year is told."""

        def read(text: str) -> float | str:
            said = read_year(text, earliest=rule.earliest, latest=rule.latest)
            if said.low is None:
                return said.fault or np.nan
            return float(said.low) if said.low == said.high else "no_single_year"

        return self._read(self.year_texts(column), column, read)

    def codes(self, column: str, words: Mapping[str, float]) -> Floats:
        """Return what each word of a column stands for, whatever its case, width and blanks."""
        plain = {plain_word(word): code for word, code in words.items()}
        return self._read(
            self.texts(column), column, lambda text: plain.get(plain_word(text), UNKNOWN_WORD)
        )

    def usable(
        self,
        keys: Collection[str],
        known: Mapping[str, pd.Series],
        *,
        unknown: str = "unknown_key",
        may_repeat: bool = False,
    ) -> Flags:
        """Return which rows count; each of the others is rejected with its reason.

        A row counts if its keys are filled, those listed in ``known`` exist there, and no earlier
        row has the same keys, or the same cells throughout where keys ``may_repeat``. Totals and
        headers that are repeated below are no rows.
        """
        columns = [distinct(self.texts(key)) for key in keys]
        is_empty, is_strange, is_again = (np.zeros(len(self.rows), dtype=bool) for _ in range(3))
        is_beside = np.zeros(len(self.rows), dtype=bool)
        for key, (texts, place) in zip(keys, columns, strict=True):
            is_empty |= np.array([text == "" for text in texts], dtype=bool)[place]
            names = self.source.columns.get(key, ())
            beside = [is_layout(text, names) for text in texts]
            is_beside |= np.array(beside, dtype=bool)[place]
            if key in known:
                is_strange |= places_among(self.texts(key), known[key]) < 0
        sound = ~is_empty & ~is_strange & ~is_beside
        rows = pd.DataFrame({key: place for key, (_, place) in zip(keys, columns, strict=True)})
        if may_repeat:
            is_again[sound] = self.rows[sound].duplicated().to_numpy()
        else:
            is_again[sound] = rows[sound].duplicated().to_numpy()
        is_copy = is_again.copy()
        if is_again.any() and not may_repeat:
            is_copy[sound] = self.rows[sound].duplicated().to_numpy()
        row_names = self.numbers_of_rows()
        for number in np.flatnonzero(is_empty | is_strange | is_again | is_beside).tolist():
            words = " ".join(texts[place[number]] for texts, place in columns)[:150]
            if is_beside[number]:
                fault = "no_data_row", f"{words}: a total or a header repeated"
            elif is_empty[number]:
                fault = "no_key", f"one of {', '.join(keys)} is empty"
            elif is_strange[number]:
                fault = unknown, f"nothing bears the key {words}"
            elif is_copy[number]:
                fault = "duplicate_row", f"{words} stands in an earlier row"
            else:
                fault = "rows_differ", f"{words} stands in an earlier row, with other values"
            self.rejects.row(str(row_names[number]), *fault)
        return ~(is_empty | is_strange | is_again | is_beside)

    def _read(self, column_texts: pd.Series, column: str, read: Any) -> Floats:
        texts, place = distinct(column_texts)
        found = [np.nan if text == "" else read(text) for text in texts]
        is_fault = np.array([isinstance(said, str) for said in found], dtype=bool)
        names = self.numbers_of_rows()
        for number in np.flatnonzero(is_fault[place]).tolist():
            text, said = texts[place[number]], found[place[number]]
            self.rejects.value(str(names[number]), column, said, text[:200])
        plain = [np.nan if isinstance(said, str) else said for said in found]
        return np.array(plain, dtype=float)[place]
