"""Look into a raw file without knowing anything of it: what it is, its fields, where it lies."""

import csv
import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.problem import Problem
from pipeline.store.archives import path_in_zip, zip_members
from pipeline.store.encodings import encoding_of, shapefile_encoding

SAMPLE_SHAPES, MOST_ROWS = 2000, 500_000
_MOST_TEXT_BYTES = 200_000_000
VECTOR_ENDINGS = {
    ".shp": "shapefile", ".geojson": "geojson", ".gpkg": "geopackage", ".fgb": "flatgeobuf",
    ".parquet": "geoparquet", ".geoparquet": "geoparquet", ".gdb": "file_geodatabase",
}  # fmt: skip
_PARTS = {
    ".shx",
    ".dbf",
    ".prj",
    ".cpg",
    ".qpj",
    ".sbn",
    ".sbx",
    ".qmd",
    ".aux",
    ".xml",
    ".ovr",
    ".lock",
}


@dataclass(frozen=True)
class Look:
    """What a file shows at a first look.

    Positions are as written. ``crs`` is empty where the file does not say it.
    """

    path: str
    format: str
    crs: str = ""
    encoding: str | None = None
    is_encoding_certain: bool = True
    geometry: str = ""
    """polygon, line, point, or empty."""
    row_count: int = 0
    fields: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The first rows, fields as text."""
    median_area: float = 0.0
    """Of the first polygons, in square units of the CRS."""
    bounds: tuple[float, float, float, float] | None = None
    tags: tuple[dict[str, str], ...] = ()
    """OpenStreetMap: tags of the first tagged ways and relations, and of nodes that are a place."""
    date: str = ""
    """Date of the data, where the file says it."""
    values: tuple[float, float] | None = None
    """Rasters: least and greatest value."""
    is_square_metric: bool = False
    """Rasters: north-up square cells in metres."""
    file_date: str = ""
    layer: str = ""
    """Layer or sheet, where the file holds several."""


def look_into(folder: Path) -> tuple[list[Look], list[tuple[str, str]]]:
    """Return a look at every data file below a folder, and the files that say nothing with the reason.

    Raises
    ------
    Problem
        If there is no such folder or nothing in it.
    """
    if not folder.is_dir():
        raise Problem(folder, "there is no such folder", fix="RAW=folder with the raw files")
    looks, others = [], []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        try:
            looks += _looks(path, name)
        except Problem as problem:
            others.append((name, problem.found))
        except MemoryError:
            raise
        except Exception as error:  # a damaged file may raise anything in the libraries' depths
            others.append((name, f"cannot be read ({str(error)[:100] or type(error).__name__})"))
    if not looks:
        told = "".join(f"\n    {name}: {reason}" for name, reason in others[:10])
        raise Problem(
            folder, f"holds no file that can be read{told}",
            expected="footprints, streets (.osm.pbf), a terrain model (.tif), …",
            fix="RAW=folder with the raw files",
        )  # fmt: skip
    return looks, others


def _files(folder: Path) -> Iterator[Path]:
    from pipeline.store.osm_looks import osm_format

    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if any(part.startswith(".") or part.endswith(".gdb") for part in inside[:-1]):
            continue
        if path.name.startswith("."):
            continue
        if path.suffix.lower() in _PARTS and not osm_format(path):
            continue
        if path.is_file() or path.suffix.lower() == ".gdb":
            yield path


def _looks(path: Path, name: str) -> list[Look]:
    """Return a look at a file, or at each of its layers or sheets."""
    from pipeline.store.osm_looks import osm_format, osm_look

    ending = path.suffix.lower()
    stamp = pd.Timestamp(path.stat().st_mtime, unit="s").strftime("%Y-%m-%d")
    kind = osm_format(path)
    if kind:
        return [osm_look(path, name, kind, stamp)]
    if ending == ".zip":
        return _zip(path, name, stamp)
    if ending in VECTOR_ENDINGS:
        return _layers(str(path), path, name, VECTOR_ENDINGS[ending], stamp)
    if ending in (".xlsx", ".xlsm"):
        return _sheets(path, name, stamp)
    single = {
        ".json": _json,
        ".csv": _table,
        ".txt": _table,
        ".tif": _raster,
        ".tiff": _raster,
    }
    if ending not in single:
        raise Problem(name, "of a kind that is not read")
    return [single[ending](path, name, stamp)]


def _zip(path: Path, name: str, stamp: str) -> list[Look]:
    """Look at the one dataset in a zip."""
    members = [member.lower() for member in zip_members(path)]
    for ending, kind in VECTOR_ENDINGS.items():
        if kind != "geoparquet" and any(ending in member for member in members):
            return _layers(path_in_zip(path, ending, None), path, name, kind, stamp)
    raise Problem(name, "a zip without a file of shapes")


def _sheets(path: Path, name: str, stamp: str) -> list[Look]:
    """Look at the sheets of a workbook that have a header and rows."""
    zip_members(path)  # refuses what would fill the memory
    sheets = pd.read_excel(path, sheet_name=None, nrows=MOST_ROWS, dtype=str)
    found = []
    for title, rows in sheets.items():
        fields = rows.fillna("").rename(columns=lambda one: str(one).strip())
        if len(fields) and len(fields.columns) > 1:
            layer = str(title) if len(sheets) > 1 else ""
            found.append(
                Look(
                    name,
                    "excel",
                    layer=layer,
                    row_count=len(fields),
                    fields=fields,
                    file_date=stamp,
                )
            )
    if not found:
        raise Problem(name, "holds no rows")
    return found


def _layers(inside: str, path: Path, name: str, kind: str, stamp: str) -> list[Look]:
    import pyogrio

    if kind in ("shapefile", "geoparquet", "geojson"):
        return [_vector(inside, path, name, kind, stamp, "")]
    layers = [
        str(one) for one, shape in pyogrio.list_layers(inside)
        if shape is not None and one != "layer_styles"
    ]  # fmt: skip
    if len(layers) == 1:
        return [_vector(inside, path, name, kind, stamp, "")]
    return [_vector(inside, path, name, kind, stamp, layer) for layer in layers]


def _vector(inside: str, path: Path, name: str, kind: str, stamp: str, layer: str) -> Look:
    import pyogrio
    import shapely

    encoding, is_certain, date = "utf-8", True, ""
    if kind == "shapefile":
        in_zip = inside.removeprefix(f"/vsizip/{path}/") if inside.startswith("/vsizip/") else ""
        encoding, is_certain = shapefile_encoding(path, in_zip)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "geoparquet":
            import geopandas as gpd

            whole = gpd.read_parquet(path)
            count, bounds, crs = len(whole), whole.total_bounds, whole.crs
            fields = pd.DataFrame(whole.drop(columns=whole.geometry.name)).head(MOST_ROWS)
            shapes = whole.geometry.head(SAMPLE_SHAPES).dropna().to_numpy()
        else:
            chosen = {"layer": layer} if layer else {}
            options = {"encoding": encoding} if kind == "shapefile" else {}
            about = pyogrio.read_info(
                inside, force_feature_count=True, force_total_bounds=True, **chosen
            )
            sample = pyogrio.read_dataframe(
                inside, max_features=SAMPLE_SHAPES, columns=[], **chosen
            )
            if "geometry" not in sample:
                raise Problem(name, "holds no features with a shape")
            fields = pyogrio.read_dataframe(
                inside, max_features=MOST_ROWS, read_geometry=False, **chosen, **options
            )
            count, bounds, crs = about["features"], about["total_bounds"], sample.crs
            date = str((about.get("layer_metadata") or {}).get("DBF_DATE_LAST_UPDATE", ""))[:10]
            shapes = sample.geometry.dropna().to_numpy()
    if not count or not len(shapes):
        raise Problem(name, "holds no features with a shape")
    kinds = set(shapely.get_type_id(shapely.get_parts(shapes)).tolist())
    west, south, east, north = (float(one) for one in bounds)
    return Look(
        name, kind, _epsg(crs), encoding, is_certain,
        "polygon" if 3 in kinds else "line" if kinds & {1, 2} else "point",
        int(count), fields.astype("string").fillna(""), float(np.median(shapely.area(shapes))),
        (west, south, east, north), date=date if date > "1990" else "", file_date=stamp, layer=layer,
    )  # fmt: skip


def _epsg(crs: Any) -> str:
    if crs is None:
        return ""
    code = crs.to_epsg(min_confidence=25)
    return f"EPSG:{code}" if code else ""


def _table(path: Path, name: str, stamp: str) -> Look:
    from pipeline.store.osm_looks import refuse_overpass_table

    with path.open("rb") as file:
        content = file.read(_MOST_TEXT_BYTES)
        is_whole = not file.read(1)
    if content.startswith(b"\xef\xbb\xbf"):
        encoding, is_certain = "utf-8-sig", True
    else:
        lines = content.splitlines()
        encoding, is_certain = encoding_of(lines if is_whole else lines[:-1])
    text = content.decode(encoding, errors="replace")
    rows = list(csv.reader(io.StringIO(text)))
    rows = [row for row in rows if row]
    if len(rows) < 2:
        raise Problem(name, "holds no rows")
    header = [one.strip() for one in rows[0]]
    refuse_overpass_table(name, re.split(r"[\t,;|]", ",".join(header)))
    if len(header) < 2:
        raise Problem(name, "a text without columns")
    body = [row for row in rows[1:] if len(row) == len(header)][:MOST_ROWS]
    frame = pd.DataFrame(body, columns=header, dtype="str")
    return Look(
        name, "csv", encoding=encoding, is_encoding_certain=is_certain, row_count=len(rows) - 1,
        fields=frame, file_date=stamp,
    )  # fmt: skip


def _raster(path: Path, name: str, stamp: str) -> Look:
    import rasterio

    with rasterio.open(path) as file:
        step = max(1, max(file.width, file.height) // 500)
        shape = (max(1, file.height // step), max(1, file.width // step))
        band = file.read(1, out_shape=shape, masked=True).compressed()
        band = band[np.isfinite(band.astype(float))]
        crs, transform, bounds = file.crs, file.transform, file.bounds
    if not band.size:
        raise Problem(name, "every cell is empty")
    is_metric = bool(crs and crs.is_projected and crs.linear_units.lower() in ("metre", "meter"))
    is_square = abs(transform.a + transform.e) < 1e-6 and not transform.b and not transform.d
    code = f"EPSG:{crs.to_epsg()}" if crs and crs.to_epsg() else ""
    return Look(
        name, "geotiff", code, None, bounds=tuple(bounds),
        values=(float(band.min()), float(band.max())), is_square_metric=is_metric and is_square,
        file_date=stamp,
    )  # fmt: skip


def _json(path: Path, name: str, stamp: str) -> Look:
    from pipeline.store.osm_looks import is_overpass_reply, osm_look, overpass_look
    from pipeline.store.osm_xml import is_osm_xml
    from pipeline.store.replies import read_json

    if is_osm_xml(path):
        return osm_look(path, name, "osm_xml", stamp)
    found = read_json(path, "utf-8")
    if is_overpass_reply(found):
        return overpass_look(path, name, found, stamp)
    places = found if isinstance(found, list) else [found]
    if places and all(isinstance(one, dict) and "geojson" in one for one in places):
        import shapely

        shapes = [shapely.geometry.shape(one["geojson"]) for one in places]
        rows = pd.DataFrame([{"name": str(one.get("name", ""))} for one in places])
        return Look(
            name, "nominatim_json", "EPSG:4326", "utf-8", geometry="polygon", fields=rows,
            row_count=len(places), bounds=tuple(shapely.total_bounds(np.array(shapes)).tolist()),
            file_date=stamp,
        )  # fmt: skip
    if isinstance(found, dict) and found.get("type") == "FeatureCollection":
        return _vector(str(path), path, name, "geojson", stamp, "")
    raise Problem(name, "JSON of another kind")
