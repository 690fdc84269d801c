"""The inspector: every table is checked at its producer's door, all faults in one report.

A fault here is a fault in the program or in data that intake should have refused, so it names the
stage, the column, the count and the first case.
"""

from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import shapely

from pipeline.contracts.columns import COLUMNS, FLAG, REAL, TEXT, WHOLE, Column
from pipeline.contracts.tables import Table
from pipeline.problem import Problem

_KINDS = (
    "Point", "LineString", "LinearRing", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
    "GeometryCollection",
)  # fmt: skip
"""In the order of shapely's numbers."""
_DTYPES = {TEXT: "str", REAL: "float64", WHOLE: "Int64", FLAG: "bool"}


def _dtype(column: Column) -> str:
    if column.kind == FLAG and column.may_be_empty:
        return "boolean"
    return _DTYPES[column.kind]


def column_of(table: Table, name: str) -> Column | None:
    """Return the contract of a column: the column of that name, else the family it belongs to."""
    exact = COLUMNS.get(name)
    if exact is not None and name in table.column_names:
        return exact
    return next((c for c in table.columns if c.is_family and c.matches(name)), None)


def conform(table: Table, frame: Any) -> Any:
    """Return the frame with the contract's types, columns in its order, rows sorted by key.

    Members of families that stand side by side stand there in the order in which they come. Unknown
    columns are kept last for ``inspect`` to name.
    """
    ordered: list[str] = []
    for is_family, columns in groupby(table.columns, key=lambda column: column.is_family):
        group = list(columns)
        if is_family:
            ordered += [
                name
                for name in frame.columns
                if name not in table.column_names and any(c.matches(name) for c in group)
            ]
        else:
            ordered += [column.name for column in group if column.name in frame.columns]
    ordered = list(dict.fromkeys(ordered))
    others = [n for n in frame.columns if n not in ordered]
    frame = frame[[*ordered, *others]]
    types = {}
    for name in ordered:
        column = column_of(table, name)
        assert column is not None
        types[name] = _dtype(column)
    frame = frame.astype({name: kind for name, kind in types.items() if kind != "bool"})
    order = list(table.order or table.key)
    frame = frame.reset_index(drop=True)
    if order:
        keys = frame[order].sort_values(
            order, kind="stable", na_position="last" if table.empty_last else "first"
        )
        # most tables come in their order, and a wide one takes long to copy
        if not keys.index.is_monotonic_increasing:
            frame = frame.take(keys.index).reset_index(drop=True)
    return frame


def inspect(table: Table, frame: Any, *, stage_name: str, crs: str) -> None:
    """Stop if a table breaks its contract.

    Raises
    ------
    Problem
        Listing every fault: columns absent or unknown, empty or repeated keys, empty values,
        values out of range or list, geometry of a wrong kind, invalid or in another CRS.
    """
    faults = _geometry_faults(table, frame, crs) + _shape_faults(table, frame)
    if not faults:
        faults = _value_faults(table, frame)
    if faults:
        raise Problem(
            f"{stage_name} → {table.name}",
            f"{len(faults)} faults in the table\n  " + "\n  ".join(faults),
            fix="the data passed intake but breaks the contract in pipeline/contracts; correct the "
            "source, or report this with the message",
        )


def _geometry_faults(table: Table, frame: Any, crs: str) -> list[str]:
    has_geometry = "geometry" in frame.columns
    if not table.geometry:
        return ["has a geometry but should have none"] if has_geometry else []
    if not has_geometry:
        return ["has no geometry"]
    faults = []
    if frame.crs is None or frame.crs != crs:
        faults.append(f"geometry is in {frame.crs or 'no CRS'}, not in {crs}")
    shapes = frame.geometry.to_numpy()
    if shapely.is_missing(shapes).any() or shapely.is_empty(shapes).any():
        faults.append("geometry is empty somewhere")
    else:
        numbers = np.unique(shapely.get_type_id(shapes)).tolist()
        kinds = {_KINDS[number] for number in numbers} - set(table.geometry)
        if kinds:
            faults.append(f"geometry holds {', '.join(sorted(kinds))}")
        wrong = ~shapely.is_valid(shapes)
        if wrong.any():
            faults.append(f"geometry is invalid in {wrong.sum():,} rows")
    return faults


def _shape_faults(table: Table, frame: Any) -> list[str]:
    faults = []
    if not len(frame) and not table.may_have_no_rows:
        faults.append("has no rows")
    for column in table.columns:
        if not column.is_family and column.name not in frame.columns:
            faults.append(f"{column.name} is absent")
    for name in frame.columns:
        if name != "geometry" and column_of(table, name) is None:
            faults.append(f"{name} is not in the contract")
    return faults


def _value_faults(table: Table, frame: Any) -> list[str]:
    faults = []
    for name in frame.columns:
        column = column_of(table, name)
        if column is None:
            continue
        values = frame[name]
        if name in table.key or not column.may_be_empty:
            faults += _told(table, frame, name, "is empty", values.isna())
        # a glance at the distinct words or the ends tells whether rows must be looked at
        if column.allowed and not set(values.dropna().unique()) <= set(column.allowed):
            strange = values.notna() & ~values.isin(column.allowed)
            faults += _told(table, frame, name, "is not in the list", strange)
        if column.lowest is not None and column.highest is not None and values.notna().any():
            low, high = values.min(), values.max()
            if low < column.lowest or high > column.highest:
                outside = values.notna() & ~values.between(column.lowest, column.highest).fillna(
                    True
                )
                span = f"is outside {column.lowest:g} to {column.highest:g}"
                faults += _told(table, frame, name, span, outside)
    if table.key:
        again = frame.duplicated(list(table.key))
        faults += _told(table, frame, table.key[0], "stands there twice", again)
    return faults


def _told(table: Table, frame: Any, name: str, what: str, wrong: pd.Series) -> list[str]:
    count = int(wrong.sum())
    if not count:
        return []
    first = frame[wrong].iloc[0]
    who = " ".join(str(first[key]) for key in table.key)
    return [f"{name} {what} in {count:,} of {len(frame):,} rows (first: {who} = {first[name]})"]
