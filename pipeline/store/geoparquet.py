"""Read GeoParquet, and Parquet with shapes as well-known binary."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from pipeline.problem import Problem
from pipeline.store.fence import in_reader
from pipeline.store.vectors import MOST_ROWS

_MOST_BYTES = 4_000_000_000
_USUAL_NAMES = ("geometry", "geom", "wkb_geometry", "shape")


def read_geoparquet(path: Path) -> tuple[pd.DataFrame, np.ndarray, Any]:
    """Return fields, shapes and CRS (none where the file tells none).

    Raises
    ------
    Problem
        If it is damaged, too large to be meant, or has no column of shapes.
    """
    try:
        answer, table = in_reader(
            "parquet", "", path.stat().st_size, inside=str(path), most_rows=MOST_ROWS,
            most_bytes=_MOST_BYTES,
        )  # fmt: skip
        geo = json.loads(answer["geo"])
        names = table.column_names
        column = _shape_column(geo, names)
        if column is None:
            raise Problem(
                path, "has no column of shapes", expected="GeoParquet, or a column 'geometry'",
                fix="write it anew as GeoParquet",
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
        # Arrow, pandas, shapely and pyproj raise a dozen kinds for a damaged file
        raise Problem(
            path, f"cannot be read as geoparquet ({str(error)[:200] or type(error).__name__})",
            fix="copy the file again",
        ) from None  # fmt: skip
    return fields, np.asarray(shapes, dtype=object), crs


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
