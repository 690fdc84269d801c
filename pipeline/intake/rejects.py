"""What is left out or set to missing, each with its reason."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeline.contracts.tables import REJECTS


@dataclass
class Rejects:
    """Collects, for one source, the rows left out, the values set to missing and the notices.

    A row can be left out once only; a second call for the same row is a fault in the program.
    """

    source_name: str
    records: list[tuple[str, str, str | None, str, str]] = field(default_factory=list)
    _rows: set[str] = field(default_factory=set)

    def row(self, source_row: str, reason: str, detail: str = "") -> None:
        """Leave a row out."""
        if source_row in self._rows:
            raise AssertionError(f"{self.source_name} {source_row} is rejected twice")
        self._rows.add(source_row)
        self.records.append((source_row, "row", None, reason, detail))

    def value(self, source_row: str, field_name: str, reason: str, detail: str) -> None:
        """Set one value to missing; the row stays."""
        self.records.append((source_row, "value", field_name, reason, detail))

    def notice(self, source_row: str, reason: str, detail: str) -> None:
        """Tell of something odd that changes nothing."""
        self.records.append((source_row, "notice", None, reason, detail))

    @property
    def left_out(self) -> frozenset[str]:
        """The names of the rows left out."""
        return frozenset(self._rows)

    @property
    def row_count(self) -> int:
        """Rows left out."""
        return len(self._rows)

    def counts(self, scope: str) -> dict[str, int]:
        """Return how often each reason occurs in a scope, sorted by reason."""
        reasons = [record[3] for record in self.records if record[1] == scope]
        return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


def rejects_table(all_rejects: list[Rejects]) -> pd.DataFrame:
    """Return every reject of every source as one table, sorted by source, scope, reason and row."""
    rows = [(rejects.source_name, *record) for rejects in all_rejects for record in rejects.records]
    names = ["source_name", "source_row", "scope_type", "field_name", "reason_code", "detail_text"]
    table = pd.DataFrame(rows, columns=names, dtype="str")
    table = table.sort_values(
        ["source_name", "scope_type", "reason_code", "source_row", "field_name"], kind="stable"
    )
    return table[list(REJECTS.column_names)].reset_index(drop=True)


def balance(rows_in: int, supporting: int, out: int, rejects: Rejects) -> dict[str, Any]:
    """Return the ledger of one source; it must come out even."""
    if rows_in != supporting + out + rejects.row_count:
        raise AssertionError(
            f"{rejects.source_name}: {rows_in} rows in, but {supporting} supporting + {out} out + "
            f"{rejects.row_count} rejected"
        )
    return {
        "rows_in": rows_in,
        "rows_supporting": supporting,
        "rows_out": out,
        "rows_rejected": rejects.row_count,
        "rejected_by_reason": rejects.counts("row"),
        "values_set_to_missing": rejects.counts("value"),
        "notices": rejects.counts("notice"),
    }
