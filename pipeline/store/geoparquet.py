"""Read GeoParquet, and Parquet with shapes as well-known binary."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from pipeline.problem import Problem
from pipeline.store.fence import in_reader

_MOST_ROWS = 20_000_000
_MOST_BYTES = 4_000_000_000
_USUAL_NAMES = ("geometry", "geom", "wkb_geometry", "shape")


def read_geoparquet(path: Path) -> tuple[pd.DataFrame, np.ndarray, Any]:
    """Return fields, shapes and CRS (none where the file tells none).

    Raises
    ------
    Problem
        If it is damaged, too large to be meant, or has no column of shapes.
    """
    return geoparquet_layer(path, *parquet_table(path))


def parquet_table(path: Path) -> tuple[dict[str, Any], Any]:
    """Return what GeoParquet tells of a file's shapes (empty: nothing), and the Arrow table.

    Raises
    ------
    Problem
        If it is damaged, or too large to be meant.
    """
    try:
        answer, table = in_reader(
            "parquet", "", path.stat().st_size, inside=str(path), most_rows=_MOST_ROWS,
            most_bytes=_MOST_BYTES,
        )  # fmt: skip
        return dict(json.loads(answer["geo"])), table
    except MemoryError:
        raise
    except Exception as error:
        raise _damaged(path, error) from None


def geoparquet_layer(
    path: Path, geo: dict[str, Any], table: Any
) -> tuple[pd.DataFrame, np.ndarray, Any]:
    """Return fields, shapes and CRS of a table, by what GeoParquet tells of it.

    Raises
    ------
    Problem
        If what is told does not fit the table, or there is no column of shapes as well-known binary.
    """
    try:
        names = table.column_names
        column = _shape_column(geo, names)
        if column is None:
            raise Problem(
                path, "has no column of shapes", expected="GeoParquet, or a column 'geometry'",
                fix="write it anew as GeoParquet",
            )  # fmt: skip
        spelling = geo.get("columns", {}).get(column, {}).get("encoding", "WKB")
        if str(spelling).upper() != "WKB":
            raise Problem(
                path, f"its shapes are spelt as {str(spelling)[:40]!r}",
                expected="GeoParquet with shapes as WKB",
                fix="write it anew with geometry_encoding=WKB",
            )  # fmt: skip
        shapes = shapely.from_wkb(
            table.column(column).to_numpy(zero_copy_only=False), on_invalid="ignore"
        )
        others = [name for name in names if name not in _all_shape_columns(geo, column)]
        fields = table.select(others).to_pandas()
        crs = _crs(geo, column)
    except (Problem, MemoryError):
        raise
    except Exception as error:
        raise _damaged(path, error) from None
    return fields, np.asarray(shapes, dtype=object), crs


def _damaged(path: Path, error: Exception) -> Problem:
    """Return the message; Arrow, pandas, shapely and pyproj raise a dozen kinds for a damaged file."""
    return Problem(
        path, f"cannot be read as geoparquet ({str(error)[:200] or type(error).__name__})",
        fix="copy the file again",
    )  # fmt: skip


def _shape_column(geo: dict[str, Any], names: list[str]) -> str | None:
    primary = geo.get("primary_column")
    if primary in names:
        return str(primary)
    return next((name for name in names if name.lower() in _USUAL_NAMES), None)


def _all_shape_columns(geo: dict[str, Any], column: str) -> set[str]:
    listed = geo.get("columns", {})
    covers = {
        paths[0]
        for one in listed.values()
        for paths in one.get("covering", {}).get("bbox", {}).values()
    }
    return {column, *listed, *covers}


def _crs(geo: dict[str, Any], column: str) -> Any:
    from pyproj import CRS

    told = geo.get("columns", {}).get(column)
    if told is None or ("crs" in told and told["crs"] is None):
        return None
    return CRS.from_user_input(told.get("crs", "OGC:CRS84"))
