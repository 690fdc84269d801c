"""Read vector files as bureaus keep them: one way for all of GDAL's formats, GeoParquet and tables."""

import re
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from pipeline.contracts.raw import FeatureTable
from pipeline.contracts.written_numbers import decimal_mark, read_number
from pipeline.problem import Problem
from pipeline.settings.city import SHAPE_COLUMNS, Source
from pipeline.store.contents import check_content
from pipeline.store.encodings import shapefile_encoding
from pipeline.store.invisible import cleaned, without_invisible
from pipeline.store.layers import (
    Layer,
    VectorFile,
    layer_names,
    read_layer,
    unreadable,
    vector_file,
)
from pipeline.store.outlines import closed_lines_as_areas
from pipeline.store.placement import (
    belies_degrees,
    refuse_other_crs,
    refuse_unplaced,
    with_own_shift,
)

_ENCODED = ("shapefile", "geojson", "mapinfo_tab", "mapinfo_mif", "dxf")
_GBK = {
    "gbk": "gbk", "cp936": "gbk", "gb2312": "gb18030", "gb_2312": "gb18030", "gb-2312": "gb18030",
    "gb2312-80": "gb18030", "euc-cn": "gb18030", "hz-gb-2312": "gb18030", "gb18030": "gb18030",
    "gb-18030": "gb18030",
}  # fmt: skip
"""Encodings of Chinese texts → the one that each is read as."""
_COLLECTION = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"type"\s*:\s*"FeatureCollection"\s*,')


def read_features(path: Path, name: str, source: Source) -> FeatureTable:
    """Return the features of a vector file, fields as text.

    The stated encoding is used, since shapefiles often come without one; the stated CRS must have the
    parameters of the file's own where the file tells one, and a known way to WGS-84.

    Raises
    ------
    Problem
        If the file is not of the stated format, cut short, empty, in another CRS, has several layers
        of which none is named, or lacks a stated field.
    """
    if path.is_file() and path.stat().st_size == 0:
        raise Problem(path, "the file is empty", expected=source.format, fix="copy the file again")
    if source.format == "geoparquet":
        from pipeline.store.geoparquet import read_geoparquet

        check_content(path, "geoparquet")
        fields, shapes, crs = read_geoparquet(path)
    else:
        with vector_file(path, source.format, source.layer) as file:
            fields, shapes, crs = _read_by_gdal(file, name, source)
            if source.format == "shapefile":
                crs = with_own_shift(path, file.member, crs)
        _check_whole(path, len(shapes))
    if not len(shapes) or shapely.is_missing(shapes).all():
        raise Problem(path, "holds no features with a shape", fix="check the file")
    if crs is not None and not _says_nothing(path, source, crs) and not belies_degrees(crs, shapes):
        refuse_other_crs(path, name, source, crs)
    refuse_unplaced(path, name, source, shapes)
    fields = fields.rename(columns=lambda one: without_invisible(str(one)))
    check_fields(path, name, source, fields)
    try:
        texts = cleaned(as_text(fields))
        for column in texts.columns:
            pa.chunked_array(pa.array(texts[column])).validate(full=True)
    except (pa.ArrowException, ValueError) as error:
        raise Problem(
            path, f"its text is damaged ({str(error)[:100]})",
            fix=f"copy the file again, or correct sources.{name}.encoding",
        ) from None  # fmt: skip
    return FeatureTable(texts, shapes)


def features_from_rows(path: Path, name: str, rows: pd.DataFrame, source: Source) -> FeatureTable:
    """Return the rows of a table as features: points by ``x`` and ``y``, or shapes by ``wkt``.

    A row whose coordinates cannot be read has no shape; intake tells it.
    """

    def column(ours: str) -> pd.Series:
        return rows[next(name for name in source.columns[ours] if name in rows.columns)]

    if "wkt" in source.columns:
        shapes = shapely.from_wkt(column("wkt").to_numpy(dtype=object), on_invalid="ignore")
    else:
        x, y = (_numbers(column(axis)) for axis in ("x", "y"))
        known = np.isfinite(x) & np.isfinite(y)
        shapes = np.full(len(rows), None, dtype=object)
        shapes[known] = shapely.points(x[known], y[known])
    if shapely.is_missing(shapes).all():
        told = "wkt" if "wkt" in source.columns else "x and y"
        raise Problem(
            path, f"no row has readable coordinates in the columns for {told}",
            expected="numbers such as 106.5516, or text such as POINT (106.55 29.56)",
            fix="correct columns.x and columns.y, or columns.wkt, in the profile",
        )  # fmt: skip
    shapes = np.asarray(shapes, dtype=object)
    refuse_unplaced(path, name, source, shapes)
    return FeatureTable(rows, shapes)


def _numbers(texts: pd.Series) -> np.ndarray:
    said = texts.astype("str").tolist()
    mark = decimal_mark(said) or "."
    numbers = {text: read_number(text, mark) for text in dict.fromkeys(said)}
    return np.array([numbers[text] for text in said], dtype=np.float64)


def _read_by_gdal(
    file: VectorFile, name: str, source: Source
) -> tuple[pd.DataFrame, np.ndarray, Any]:
    path = file.path
    encoding = source.encoding if source.format in _ENCODED else None
    if source.format == "shapefile" and not encoding:
        encoding = shapefile_encoding(path, file.member)[0]
    try:
        layer = _layer(file, name, source)
        found = None
        if source.format == "shapefile" and encoding and encoding.lower() in _GBK:
            found = _gbk_layer(file, encoding.lower())
        if found is None:
            read_as = _GBK.get((encoding or "").lower(), encoding)
            found = read_layer(file, layer, encoding=read_as)
    except (UnicodeError, LookupError) as error:
        raise Problem(
            path, f"its text is not {source.encoding or 'utf-8'} ({error})",
            fix=f"correct sources.{name}.encoding, e.g. gbk or utf-8",
        ) from None  # fmt: skip
    except (Problem, MemoryError):
        raise
    except Exception as error:
        # Arrow, pandas and shapely raise a dozen kinds for a damaged file
        raise unreadable(path, source.format, error, file) from None
    if found.shapes is None:
        return found.fields, np.array([], dtype=object), None
    is_outline = source.format == "dxf" and source.role != "streets"
    shapes = closed_lines_as_areas(found.shapes) if is_outline else found.shapes
    return found.fields, shapes, found.crs


def _gbk_layer(file: VectorFile, encoding: str) -> Layer | None:
    """Return a shapefile's layer in GBK; None if a text is no whole GBK, or two names are one.

    GDAL has the system translate each text anew, which takes as long as all the rest. In Latin-1 every
    byte is a sign, so that each different text can be translated here. What is no whole GBK is left to
    GDAL, which keeps what it can of it. GB2312 is read as GB18030, which holds it: what states the
    older one is often written in the newer.
    """

    def told(text: str) -> str:
        return text if text.isascii() else text.encode("latin-1").decode(_GBK[encoding])

    found = read_layer(file, None, encoding="ISO-8859-1")
    frame = found.fields
    if not frame.columns.is_unique:
        return None
    try:
        for name in frame.columns:
            if isinstance(frame[name].dtype, pd.StringDtype):
                number, texts = pd.factorize(frame[name])
                whole = pd.array([told(text) for text in texts], dtype="str")
                frame[name] = whole.take(number, allow_fill=True)
        return Layer(frame.rename(columns=told), found.shapes, found.crs)
    except UnicodeError:
        return None


def _layer(file: VectorFile, name: str, source: Source) -> str | None:
    """Return the layer to read; stop if there are several and the profile names none."""
    path = file.path
    if source.format == "shapefile" or (source.layer is None and _is_collection(path, source)):
        return None
    layers = layer_names(file)
    if source.layer is None and len(layers) > 1:
        raise Problem(
            path, f"holds {len(layers)} layers: {', '.join(layers[:12])}",
            fix=f"name one of them as sources.{name}.layer",
        )  # fmt: skip
    is_member = bool(file.member) and source.layer == PurePosixPath(file.member).stem
    if source.layer is not None and source.layer not in layers:
        if is_member and len(layers) == 1:  # the layer's name chose among the files of a zip
            return layers[0]
        raise Problem(
            path, f"has no layer {source.layer!r}", expected="one of: " + ", ".join(layers[:12]),
            fix=f"correct sources.{name}.layer",
        )  # fmt: skip
    return source.layer or (layers[0] if layers else None)


def _is_collection(path: Path, source: Source) -> bool:
    """Return whether a GeoJSON begins as the usual collection of features, which is one layer.

    To list its layers GDAL would read all of it, and then once more for the features.
    """
    if source.format != "geojson" or path.suffix.lower() == ".zip":
        return False
    with path.open("rb") as file:
        return _COLLECTION.match(file.read(200)) is not None


def _says_nothing(path: Path, source: Source, crs: Any) -> bool:
    """Return whether a GeoJSON states no CRS: GDAL then takes it for degrees, whatever it holds."""
    if source.format != "geojson" or crs.to_epsg() != 4326 or path.suffix.lower() == ".zip":
        return False
    with path.open("rb") as file:
        return b'"crs"' not in file.read(100_000)


def check_fields(path: Path, name: str, source: Source, fields: pd.DataFrame) -> None:
    """Stop if none of the fields that the profile names for a column is there."""
    wanted = {column: names for column, names in source.columns.items() if names}
    absent = {
        field
        for column, names in wanted.items()
        for field in (names[:1] if column in SHAPE_COLUMNS else names)
        if not set(names) & set(fields.columns)
        or (column in source.joined and field not in fields.columns)
    }
    if absent:
        raise Problem(
            path, f"has no field {', '.join(sorted(absent))}",
            expected="one of: " + ", ".join(map(str, fields.columns))[:600],
            fix=f"correct sources.{name}.columns, or its encoding",
        )  # fmt: skip


def _check_whole(path: Path, row_count: int) -> None:
    """Stop if a shapefile's index lists more shapes than rows were read: GDAL only drops them."""
    index = path.with_suffix(".shx")
    if path.suffix.lower() == ".shp" and index.is_file():
        listed = (index.stat().st_size - 100) // 8
        if row_count < listed:
            raise Problem(
                path, f"lists {listed:,} shapes, but only {row_count:,} rows can be read",
                expected="as many rows in the .dbf as shapes",
                fix="the .dbf or .shp is cut short, or rows are deleted: copy it again or save it anew",
            )  # fmt: skip


def as_text(fields: pd.DataFrame) -> pd.DataFrame:
    """Return fields as text, whole numbers without a decimal point, missing ones empty."""
    texts = {}
    for name in fields.columns:
        column = fields[name]
        if pd.api.types.is_float_dtype(column):
            column = _whole_where_possible(column)
        elif pd.api.types.is_object_dtype(column) or not _is_plain(column):
            column = column.map(_cell, na_action="ignore")
        texts[str(name)] = column.astype("string").fillna("").astype("str").str.strip()
    return pd.DataFrame(texts, index=fields.index)


def _is_plain(column: pd.Series) -> bool:
    kinds = pd.api.types
    return bool(
        kinds.is_string_dtype(column) or kinds.is_integer_dtype(column)
        or kinds.is_bool_dtype(column) or kinds.is_datetime64_any_dtype(column)
    )  # fmt: skip


def _whole_where_possible(column: pd.Series) -> pd.Series:
    known = column.dropna()
    bounded = np.isfinite(known) & (np.abs(known) < 2**53)
    if bounded.all() and (known % 1 == 0).all():
        return column.astype("Int64")
    return column


def _cell(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
