"""Look into a raw file without knowing anything of it: what it is, its fields, where it lies."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.merged_cells import as_if_merged
from pipeline.problem import Problem
from pipeline.store.archives import path_in_zip, zip_members
from pipeline.store.encodings import shapefile_encoding
from pipeline.store.table_layout import (
    Layout,
    Rows,
    filled_down,
    header_rows,
    laid_out,
)
from pipeline.store.table_text import cells_of, separator_of, text_encoding, without_sep_line
from pipeline.store.workbooks import ENDINGS as WORKBOOK_ENDINGS
from pipeline.store.workbooks import hidden_row_count, is_text, read_sheets

SAMPLE_SHAPES, MOST_ROWS = 2000, 500_000
_MOST_TEXT_BYTES = 200_000_000
_MOST_OSM_ELEMENTS = 20_000
_SAMPLE_TABLE_ROWS = 5000
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
_OSM_KEYS = ("highway", "building", "amenity", "shop", "railway", "leisure", "healthcare", "office")


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
    separator: str = ""
    """Of a text with columns, where it is no comma."""
    header_rows: tuple[int, ...] = ()
    """Of a table, where its header is not the first row that is filled."""
    blank_below: tuple[str, ...] = ()
    """Fields whose values stand once with blanks below, as cells that were merged leave them."""
    table_notes: tuple[str, ...] = ()
    """What a reader of the table must know: hidden rows, columns without a name."""


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
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if any(part.startswith(".") or part.endswith(".gdb") for part in inside[:-1]):
            continue
        if path.name.startswith(".") or path.suffix.lower() in _PARTS:
            continue
        if path.is_file() or path.suffix.lower() == ".gdb":
            yield path


def _looks(path: Path, name: str) -> list[Look]:
    """Return a look at a file, or at each of its layers or sheets."""
    ending = path.suffix.lower()
    stamp = pd.Timestamp(path.stat().st_mtime, unit="s").strftime("%Y-%m-%d")
    if ending == ".zip":
        return _zip(path, name, stamp)
    if ending in VECTOR_ENDINGS:
        return _layers(str(path), path, name, VECTOR_ENDINGS[ending], stamp)
    if ending in WORKBOOK_ENDINGS and not is_text(path):
        return _sheets(path, name, stamp)
    single = {
        ".pbf": _pbf,
        ".json": _json,
        ".csv": _table,
        ".tsv": _table,
        ".tab": _table,
        ".txt": _table,
        ".xls": _table,
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
    sheets = [one for one in read_sheets(path, name) if any(map(any, one.rows))]
    hidden_rows = hidden_row_count(path)
    found = []
    for sheet in sheets:
        if sheet.is_hidden and len(sheets) > 1:
            continue
        rows = header_rows(sheet.rows, sheet.merges)
        layout = laid_out(sheet.rows, sheet.merges, rows)
        filled_down(max(layout.header_rows), sheet.rows, sheet.merges, keys=(), sums=())
        look = _table_look(
            Look(name, "excel", layer=sheet.name if len(sheets) > 1 else "", file_date=stamp),
            laid_out(sheet.rows, sheet.merges, rows), sheet.rows,
        )  # fmt: skip
        notes = list(look.table_notes)
        if hidden_rows:
            notes.append(
                f"hidden rows of the workbook are read like the others: {hidden_rows:,} 隐藏行同样读入"
            )
        if hidden := [one.name for one in sheets if one.is_hidden and len(sheets) > 1]:
            notes.append(f"hidden sheets are not used: {', '.join(hidden)[:200]}")
        if len(look.fields) and len(look.fields.columns) > 1:
            found.append(replace(look, table_notes=tuple(notes)))
    if not found:
        raise Problem(name, "holds no rows")
    return found


def _table_look(look: Look, layout: Layout, rows: Rows) -> Look:
    """Return a look at a table with its fields, and what its layout leaves open."""
    names, body = layout.names, layout.body[:MOST_ROWS]
    width = len(names)
    body = [row + [""] * (width - len(row)) for row in body]
    first_of = {name: names.index(name) for name in names if name}
    table = pd.DataFrame(
        {name: [row[place] for row in body] for name, place in first_of.items()}, dtype="str"
    )
    notes = []
    below = rows[max(layout.header_rows) :]
    for place in range(max((len(row) for row in below), default=0)):
        cells = [row[place] for row in below if place < len(row) and row[place]]
        if cells and (place >= width or not names[place]):
            notes.append(
                f"column {place + 1} has no name (e.g. {', '.join(cells[:3])[:90]}): not read"
            )
    first = next((n for n, row in enumerate(rows, 1) if any(row)), 1)
    return replace(
        look, fields=table, row_count=len(layout.body), table_notes=tuple(notes[:5]),
        header_rows=() if layout.header_rows == (first,) else layout.header_rows,
        blank_below=tuple(as_if_merged(table.head(_SAMPLE_TABLE_ROWS))[0]) if len(table) else (),
    )  # fmt: skip


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
    with path.open("rb") as file:
        content = file.read(_MOST_TEXT_BYTES)
        is_whole = not file.read(1)
    if content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        raise Problem(name, "a web page or XML, no table")
    encoding, is_certain = text_encoding(content, is_whole=is_whole)
    text = content.decode(encoding, errors="replace").removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    separator = separator_of(text)
    if not text.strip():
        raise Problem(name, "the file is empty")
    if separator is None:
        raise Problem(name, "a text without columns")
    rows = cells_of(path, text, separator)
    header = header_rows(rows)
    layout = laid_out(rows, told=header)
    width = max(len(rows[number - 1]) for number in layout.header_rows)
    lines = rows[max(layout.header_rows) :]
    torn = [row for row in lines if any(row) and (any(row[width:]) or 1 < len(row) < width)]
    if not layout.body:
        raise Problem(name, "holds no rows")
    said = without_sep_line(text)[1]
    look = Look(
        name, "csv", encoding=encoding, is_encoding_certain=is_certain, file_date=stamp,
        separator="" if said or separator == "," else separator,
    )  # fmt: skip
    whole = [row for row in layout.body if len(row) == len(layout.names)] if torn else layout.body
    return replace(
        _table_look(look, Layout(layout.header_rows, layout.names, whole), rows),
        row_count=len(layout.body),
    )


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
    from pipeline.store.replies import read_json

    found = read_json(path, "utf-8")
    if isinstance(found, dict) and isinstance(found.get("elements"), list):
        nodes = [one for one in found["elements"] if one.get("type") == "node"]
        tagged = [
            one for one in found["elements"] if _is_place(one.get("type"), one.get("tags", {}))
        ]
        lon, lat = ([float(one[key]) for one in nodes] for key in ("lon", "lat"))
        base = str(found.get("osm3s", {}).get("timestamp_osm_base", ""))[:10]
        return Look(
            name, "overpass_json", "EPSG:4326", "utf-8", row_count=len(tagged),
            bounds=(min(lon), min(lat), max(lon), max(lat)) if nodes else None,
            tags=tuple(one["tags"] for one in tagged), date=base, file_date=stamp,
        )  # fmt: skip
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


def _is_place(kind: object, tags: dict[str, str]) -> bool:
    return any(key in tags for key in _OSM_KEYS) if kind == "node" else bool(tags)


def _pbf(path: Path, name: str, stamp: str) -> Look:
    import osmium

    reader = osmium.io.Reader(str(path))
    header = reader.header()
    reader.close()
    date = str(header.get("osmosis_replication_timestamp"))[:10]
    box = header.box()
    found: list[dict[str, str]] = []
    seen = {"n": 0, "w": 0, "r": 0}
    wanted = osmium.filter.KeyFilter(*_OSM_KEYS)
    for element in osmium.FileProcessor(str(path)).with_filter(wanted):
        kind = element.type_str()
        seen[kind] += 1
        if seen[kind] <= _MOST_OSM_ELEMENTS:
            found.append({tag.k: tag.v for tag in element.tags})
        elif kind == "w":
            break
    bounds = None
    if box.valid():
        low, high = box.bottom_left, box.top_right
        bounds = (low.lon, low.lat, high.lon, high.lat)
    return Look(
        name, "osm_pbf", "EPSG:4326", None, row_count=sum(seen.values()), bounds=bounds,
        tags=tuple(found), date=date if date[:2] == "20" else "", file_date=stamp,
    )  # fmt: skip
