"""How good the data is, in numbers: what was rejected, missing, inferred or stood in for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

EXAMPLE_COUNT = 3


@dataclass(frozen=True)
class SourceLine:
    """What became of the rows of one source."""

    name: str
    rows_in: int
    rows_supporting: int
    rows_out: int
    rows_rejected: int
    value_count: int
    notice_count: int

    @property
    def is_balanced(self) -> bool:
        """Whether every row is accounted for."""
        return self.rows_in == self.rows_supporting + self.rows_out + self.rows_rejected


@dataclass(frozen=True)
class Fault:
    """One kind of fault in one source, with some cases."""

    source_name: str
    scope_type: str
    reason_code: str
    field_names: tuple[str, ...]
    count: int
    examples: tuple[tuple[str, str], ...]
    """Row of the source, and what was wrong."""


@dataclass(frozen=True)
class Shares:
    """How a value is known: buildings and floor area by origin."""

    origins: tuple[str, ...]
    buildings: tuple[int, ...]
    floor_area_m2: tuple[float, ...]


@dataclass(frozen=True)
class CriterionLine:
    """Where the values of one criterion come from."""

    name: str
    measured: int
    inferred: int
    stand_in: int


def source_lines(sources: Mapping[str, Mapping[str, Any]]) -> list[SourceLine]:
    """Return one line for each source of the intake's ledger, by name."""
    return [
        SourceLine(
            name,
            int(entry["rows_in"]),
            int(entry.get("rows_supporting", 0)),
            int(entry["rows_out"]),
            int(entry["rows_rejected"]),
            sum(entry.get("values_set_to_missing", {}).values()),
            sum(entry.get("notices", {}).values()),
        )
        for name, entry in sorted(sources.items())
    ]


def faults(rejects: pd.DataFrame) -> list[Fault]:
    """Return the kinds of faults, rows left out first and most frequent first, with first cases."""
    order = {"row": 0, "value": 1, "notice": 2}
    found = []
    keys = ["source_name", "scope_type", "reason_code"]
    for key, rows in rejects.groupby(keys, sort=True):
        source, scope, reason = (str(part) for part in key)
        cases = rows.head(EXAMPLE_COUNT)
        fields = sorted(rows["field_name"].dropna().astype(str).unique())
        examples = tuple(
            (str(row), "" if pd.isna(detail) else str(detail))
            for row, detail in zip(cases["source_row"], cases["detail_text"], strict=True)
        )
        found.append(Fault(source, scope, reason, tuple(fields), len(rows), examples))
    return sorted(
        found, key=lambda f: (order.get(f.scope_type, 9), -f.count, f.source_name, f.reason_code)
    )


def shares(origin: "pd.Series[str]", floor_area_m2: pd.Series, order: Sequence[str]) -> Shares:
    """Return buildings and known floor area by origin; origins outside ``order`` come last."""
    number, found = pd.factorize(origin.fillna("unknown").to_numpy(dtype=object))
    floor = np.nan_to_num(np.asarray(floor_area_m2, dtype=float))
    counts = dict(zip(found, np.bincount(number, minlength=len(found)), strict=True))
    areas = dict(zip(found, np.bincount(number, floor, minlength=len(found)), strict=True))
    names = [*order, *sorted(set(found) - set(order))]
    return Shares(
        tuple(names),
        tuple(int(counts.get(name, 0)) for name in names),
        tuple(float(areas.get(name, 0.0)) for name in names),
    )


def district_shares(
    listed: pd.DataFrame, column: str, order: Sequence[str]
) -> dict[str, tuple[int, ...]]:
    """Return buildings by origin in each district, districts by name."""
    number, found = pd.factorize(listed[column].fillna("unknown").to_numpy(dtype=object))
    place, districts = pd.factorize(listed["district_name"].to_numpy(dtype=object), sort=True)
    cell = place * len(found) + number
    table = np.bincount(cell, minlength=len(districts) * len(found)).reshape(-1, len(found))
    column_of = {origin: at for at, origin in enumerate(found)}
    return {
        str(name): tuple(int(row[column_of[o]]) if o in column_of else 0 for o in order)
        for name, row in zip(districts, table, strict=True)
    }


def criterion_lines(ranking: pd.DataFrame, names: Sequence[str]) -> list[CriterionLine]:
    """Return how many values of each criterion were measured, inferred, or are stand-ins."""
    lines = []
    for name in names:
        counts = ranking[f"{name}_origin"].value_counts()
        lines.append(
            CriterionLine(
                name, *(int(counts.get(kind, 0)) for kind in ("measured", "inferred", "stand_in"))
            )
        )
    return lines
