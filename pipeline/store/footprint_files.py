"""Read any file of footprints as it is, whatever its fields: for judging a method, not for a run."""

import re
import warnings
from pathlib import Path
from typing import Any

from pipeline.problem import Problem

_EXPECTED = (
    "shapefile, GeoJSON, GeoPackage, FlatGeobuf, GML or another file that GDAL reads, GeoParquet, or a "
    "table (CSV, Parquet) with a column of WKT or with longitude and latitude"
)
_SHAPE_NAMES = re.compile(
    r"^(wkt|wkb|geom|geometry|the_geom|shape|wkt_geom|geometrie|way|几何)$", re.I
)
_PLACE_NAMES = (
    (re.compile(r"^(lon|lng|long|longitude|经度)$", re.I), re.compile(r"^(lat|latitude|纬度)$", re.I)),
    (re.compile(r"^(x|east|easting|x_?coord|coord_?x|rd_?x|utm_?x)$", re.I),
     re.compile(r"^(y|north|northing|y_?coord|coord_?y|rd_?y|utm_?y)$", re.I)),
)  # fmt: skip


def read_footprint_file(path: Path) -> Any:
    """Return a GeoDataFrame of the file's largest layer, fields with their own types.

    Whatever GDAL reads (also in a zip), GeoParquet, or a table that holds shapes as WKT or WKB or in
    two columns of coordinates; its CRS is then unknown.

    Raises
    ------
    Problem
        If there is no such file, it cannot be read, or it holds no shapes.
    """
    import geopandas as gpd

    if not path.is_file():
        raise Problem(path, "there is no such file", fix="FILE=path to a file of footprints")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            is_parquet = path.suffix.lower() in (".parquet", ".geoparquet")
            frame = _parquet(path) if is_parquet else _by_gdal(path)
            if not isinstance(frame, gpd.GeoDataFrame):
                frame = _placed(frame)
    except MemoryError:
        raise
    except Exception as error:
        # GDAL, Arrow and pandas raise a dozen kinds for a damaged file
        raise Problem(
            path, f"cannot be read ({str(error)[:200]})", expected=_EXPECTED,
            fix="copy the file again with all its parts, or save it as GeoPackage",
        ) from None  # fmt: skip
    if frame is None or not len(frame):
        raise Problem(path, "holds no features with a shape", expected=_EXPECTED)
    return frame if frame.geometry.name == "geometry" else frame.rename_geometry("geometry")


def _parquet(path: Path) -> Any:
    import geopandas as gpd
    import pandas as pd

    try:
        return gpd.read_parquet(path)
    except ValueError as error:
        if "geo metadata" not in str(error):
            raise
        return pd.read_parquet(path)


def _by_gdal(path: Path) -> Any:
    import pyogrio
    from pyogrio.errors import DataSourceError

    try:
        layer = _largest_layer(path)
        return pyogrio.read_dataframe(path, layer=layer, use_arrow=True)
    except DataSourceError:
        raise
    except Exception:
        # curves and unnamed mixtures of shapes, which Arrow does not pass on
        return pyogrio.read_dataframe(path, use_arrow=False)


def _largest_layer(path: Path) -> str | None:
    """Return the name of the layer with shapes that has most rows; none if there are no shapes."""
    import pyogrio

    names = [str(name) for name, kind in pyogrio.list_layers(path) if kind]
    counts = {name: int(pyogrio.read_info(path, layer=name)["features"]) for name in names}
    return max(names, key=lambda name: counts[name]) if names else None


def _placed(table: Any) -> Any:
    """Return a table's rows with their shapes, none if no column holds any; the CRS stays unknown."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import shapely

    for name in table.columns:
        if not _SHAPE_NAMES.match(str(name)):
            continue
        held = table[name]
        if len(held.dropna()) and isinstance(held.dropna().iloc[0], bytes):
            shapes = shapely.from_wkb(held.to_numpy(dtype=object), on_invalid="ignore")
        else:
            text = held.astype("string").str.replace(r"^SRID=\d+;", "", regex=True)
            shapes = shapely.from_wkt(
                text.to_numpy(dtype=object, na_value=None), on_invalid="ignore"
            )
        return gpd.GeoDataFrame(table.drop(columns=name), geometry=shapes)
    for east_name, north_name in _PLACE_NAMES:
        east = [name for name in table.columns if east_name.match(str(name))]
        north = [name for name in table.columns if north_name.match(str(name))]
        if east and north:
            x, y = (
                pd.to_numeric(table[column[0]], errors="coerce").to_numpy(dtype=float)
                for column in (east, north)
            )
            there = np.isfinite(x) & np.isfinite(y)
            shapes = np.full(len(table), None, dtype=object)
            shapes[there] = shapely.points(x[there], y[there])
            return gpd.GeoDataFrame(table.drop(columns=[east[0], north[0]]), geometry=shapes)
    return None
