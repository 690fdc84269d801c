"""Read vector files as bureaus keep them."""

import warnings
from pathlib import Path

import pandas as pd

from pipeline.contracts.raw import FeatureTable
from pipeline.problem import Problem
from pipeline.settings.city import Source


def read_features(path: Path, name: str, source: Source) -> FeatureTable:
    """Return the features of a vector file, fields as text.

    The stated encoding is used, since shapefiles often come without one; the stated CRS must be the
    file's own.
    """
    import pyogrio
    from pyproj import CRS

    if path.stat().st_size == 0:
        raise Problem(path, "the file is empty", expected=source.format, fix="copy the file again")
    options = {"encoding": source.encoding} if source.encoding else {}
    try:
        with warnings.catch_warnings():
            # GDAL names self-crossing rings one by one; intake looks at each itself
            warnings.simplefilter("ignore", RuntimeWarning)
            frame = pyogrio.read_dataframe(path, use_arrow=True, **options)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise Problem(
            path, f"cannot be read as {source.format} ({error})",
            fix="copy the file again, with all its parts (.shp .shx .dbf .prj)",
        ) from None  # fmt: skip
    except (UnicodeDecodeError, LookupError) as error:
        raise Problem(
            path, f"its text is not {source.encoding} ({error})",
            fix=f"correct sources.{name}.encoding, e.g. gbk or utf-8",
        ) from None  # fmt: skip
    _check_whole(path, len(frame))
    if "geometry" not in frame.columns or not len(frame):
        raise Problem(path, "holds no features with a shape", fix="check the file")
    if frame.crs is None or not frame.crs.equals(CRS.from_user_input(source.crs)):
        found = frame.crs.to_epsg() or frame.crs.name if frame.crs is not None else "not stated"
        stated = CRS.from_user_input(source.crs).to_epsg()
        if frame.crs is None or frame.crs.to_epsg(min_confidence=25) != stated:
            raise Problem(
                path, f"its CRS is {found}", expected=f"{source.crs}, as sources.{name}.crs says",
                fix=f"correct sources.{name}.crs in the profile, or reproject the file",
            )  # fmt: skip
    fields = pd.DataFrame(frame.drop(columns="geometry"))
    absent = {
        field
        for fields_of in source.columns.values()
        for field in fields_of
        if not set(fields_of) & set(fields.columns)
    }
    if absent:
        raise Problem(
            path, f"has no field {', '.join(sorted(absent))}",
            expected="one of: " + ", ".join(map(str, fields.columns)),
            fix=f"correct sources.{name}.columns, or its encoding",
        )  # fmt: skip
    return FeatureTable(as_text(fields), frame.geometry.to_numpy())


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
            whole = (column.dropna() % 1 == 0).all()
            column = column.astype("Int64") if whole else column
        texts[name] = column.astype("string").fillna("").astype("str").str.strip()
    return pd.DataFrame(texts, index=fields.index)
