"""What a table is: its key, its columns, its geometry, and where it lives."""

from dataclasses import dataclass

from pipeline.contracts.columns import COLUMNS, Column

CITY, SCENARIO = "city", "scenario"


@dataclass(frozen=True)
class Table:
    """One table that a stage writes and others read.

    ``home`` tells whether all scenarios of a city share it.
    """

    name: str
    key: tuple[str, ...]
    column_names: tuple[str, ...]
    geometry: tuple[str, ...] = ()
    home: str = CITY
    may_have_no_rows: bool = False
    headers: tuple[str, ...] = ()
    """What the CSV calls the columns, in their order, where that is not their name."""
    order: tuple[str, ...] = ()
    """Columns to sort rows by, where that is not the key; empty values come first."""
    empty_last: bool = False
    """Sort empty values last instead."""
    csv_leaves_out: tuple[str, ...] = ()
    """Columns and families that only the Parquet file holds: what few read but many must open."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of this table, families included."""
        return tuple(COLUMNS[name] for name in self.column_names)
