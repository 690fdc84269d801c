"""Read any file of footprints as it is, whatever its fields: for judging a method, not for a run."""

import re
import warnings
from pathlib import Path
from typing import Any

from pipeline.problem import Problem
from pipeline.store.archives import zip_members
from pipeline.store.contents import START_BYTES, kind_of, what_it_is
from pipeline.store.encodings import encoding_of, shapefile_encoding
from pipeline.store.gdal_drivers import ENDINGS
from pipeline.store.geoparquet import geoparquet_layer, parquet_table
from pipeline.store.layers import (
    ARCHIVES,
    VectorFile,
    about_layer,
    layer_names,
    read_layer,
    vector_file,
)
from pipeline.store.outlines import closed_lines_as_areas

_EXPECTED = (
    "shapefile, GeoJSON, TopoJSON, GeoPackage, FlatGeobuf, File Geodatabase, KML, GML, MapInfo, DXF, "
    "GeoParquet, or a table (CSV, Parquet) with a column of WKT or with longitude and latitude"
)
_SAMPLE_BYTES = 1_000_000
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

    Any vector format of a profile (also in a zip), GeoParquet, or a table that holds shapes as WKT or
    WKB or in two columns of coordinates; its CRS is then unknown.

    Raises
    ------
    Problem
        If there is no such file, it cannot be read, or it holds no shapes.
    """
    import geopandas as gpd

    if not path.is_file() and path.suffix.lower() != ".gdb":
        raise Problem(path, "there is no such file", fix="FILE=path to a file of footprints")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            is_parquet = path.suffix.lower() in (".parquet", ".geoparquet")
            frame = _parquet(path) if is_parquet else _by_gdal(path)
            if not isinstance(frame, gpd.GeoDataFrame):
                frame = _placed(frame)
    except (Problem, MemoryError):
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

    told, table = parquet_table(path)
    if not told:
        return table.to_pandas()
    fields, shapes, crs = geoparquet_layer(path, told, table)
    return gpd.GeoDataFrame(fields, geometry=shapes, crs=crs)


def _by_gdal(path: Path) -> Any:
    kind = _kind_of(path)
    if kind == "csv":
        import pandas as pd

        encoding = _encoding(path)
        with path.open(encoding=encoding, errors="replace") as text:
            header = text.readline()
        mark = max(",;\t|", key=header.count)
        return pd.read_csv(path, dtype="str", encoding=encoding, sep=mark)
    import geopandas as gpd

    with vector_file(path, kind) as file:
        read_as = shapefile_encoding(path, file.member)[0] if kind == "shapefile" else None
        layer = _largest_layer(file)
        found = read_layer(file, layer, encoding=read_as)
    if found.shapes is None:
        return found.fields
    shapes = closed_lines_as_areas(found.shapes) if kind == "dxf" else found.shapes
    return gpd.GeoDataFrame(found.fields, geometry=shapes, crs=found.crs)


def _kind_of(path: Path) -> str:
    """Return the format that a file shows by its bytes; a table if by nothing."""
    if path.is_dir():
        return "file_geodatabase"
    if path.suffix.lower() in ARCHIVES:
        members = [name.lower() for name in zip_members(path)]
        for kind, endings in ENDINGS.items():
            if any(f"{name}/".find(f"{end}/") > 0 for name in members for end in endings):
                return kind
        raise Problem(path, "is a zip without a file of shapes", expected=_EXPECTED)
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    kind = kind_of(start)
    if kind in ENDINGS:
        return kind
    if path.suffix.lower() in (".csv", ".txt", ".tsv") and not kind:
        return "csv"
    raise Problem(path, f"this is {what_it_is(start) or 'of no known kind'}", expected=_EXPECTED)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_SAMPLE_BYTES)
    if start.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    return encoding_of(start.splitlines()[:-1] or [start])[0]


def _largest_layer(file: VectorFile) -> str | None:
    """Return the name of the layer with shapes that has most rows; none if there are no shapes."""
    if file.format in ("shapefile", "geojson", "dxf"):
        return None
    names = layer_names(file)
    counts = {name: int(about_layer(file, name)["count"]) for name in names}
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
