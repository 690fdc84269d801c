"""Look into a raw file without knowing anything of it: what it is, its fields, where it lies."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from pipeline.geo.strays import GAP_DEG, GAP_M, main_bounds, stray_features
from pipeline.problem import Problem
from pipeline.store.archives import zip_members
from pipeline.store.contents import check_content
from pipeline.store.encodings import shapefile_encoding
from pipeline.store.fence import Stopped, Unreadable
from pipeline.store.gdal_drivers import RASTER_ENDINGS
from pipeline.store.invisible import cleaned, without_invisible
from pipeline.store.layers import (
    VectorFile,
    about_layer,
    drawing_layers,
    layer_names,
    read_layer,
    vector_file,
)
from pipeline.store.look import MOST_ROWS, SAMPLE_SHAPES, Look
from pipeline.store.outlines import closed_lines_as_areas
from pipeline.store.placement import believed_crs, with_own_shift
from pipeline.store.raster_looks import raster_facts
from pipeline.store.table_looks import sheet_looks, text_look
from pipeline.store.workbooks import ENDINGS as WORKBOOK_ENDINGS
from pipeline.store.workbooks import is_text

VECTOR_ENDINGS = {
    ".shp": "shapefile", ".geojson": "geojson", ".gpkg": "geopackage", ".fgb": "flatgeobuf",
    ".parquet": "geoparquet", ".geoparquet": "geoparquet", ".gdb": "file_geodatabase",
    ".kml": "kml", ".kmz": "kml", ".gml": "gml", ".tab": "mapinfo_tab", ".mif": "mapinfo_mif",
    ".dxf": "dxf", ".topojson": "topojson",
}  # fmt: skip
_KIND_OF_CODE = {
    0: "point", 1: "line", 2: "line", 3: "polygon", 4: "point", 5: "line", 6: "polygon",
}  # fmt: skip
"""Codes of shapely → kind of shape."""
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
UNREAD = "cannot be read"
_MAPINFO_PARTS = (".dat", ".map", ".id", ".ind", ".mid")


def look_into(folder: Path) -> tuple[list[Look], list[tuple[str, str]]]:
    """Return a look at every data file below a folder, and what of it says nothing with the reason.

    Raises
    ------
    Problem
        If there is no such folder or nothing in it, or the reading of a file was cut off: what it
        holds is then unknown, and a profile without it would not show that.
    """
    if not folder.is_dir():
        raise Problem(folder, "there is no such folder", fix="RAW=folder with the raw files")
    looks: list[Look] = []
    others: list[tuple[str, str]] = []
    for path, fault in _files(folder):
        name = path.relative_to(folder).as_posix()
        if fault:
            others.append((name, fault))
            continue
        try:
            looks += [_visible(look) for look in _looks(path, name, others)]
        except Problem as problem:
            others.append((name, problem.found))
        except MemoryError:
            raise
        except Stopped as stopped:
            raise Problem(
                path, f"cannot be looked into: {stopped}",
                expected="a file that can be read to its end",
                fix="run the same command again; if it says the same, save the file anew or take it "
                "out of the folder",
            ) from None  # fmt: skip
        except Exception as error:  # a damaged file may raise anything in the libraries' depths
            others.append((name, f"{UNREAD} ({str(error)[:100] or type(error).__name__})"))
    if not looks:
        told = "".join(f"\n    {name}: {reason}" for name, reason in others[:10])
        raise Problem(
            folder, f"holds no file that can be read{told}",
            expected="footprints, streets (.osm.pbf), a terrain model (.tif), …",
            fix="RAW=folder with the raw files",
        )  # fmt: skip
    return looks, others


def _visible(look: Look) -> Look:
    """Return a look whose names and values are without invisible signs, as they are read later."""
    fields = look.fields.rename(columns=lambda one: without_invisible(str(one)))
    if len(fields.columns) and fields.columns.is_unique:
        fields = cleaned(fields)
    return replace(look, fields=fields)


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file that is no part of another, and why it must not be read, if so."""
    from pipeline.store.osm_looks import osm_format

    home = folder.resolve()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if any(part.startswith(".") or part.endswith(".gdb") for part in inside[:-1]):
            continue
        if path.name.startswith("."):
            continue
        if path.exists() and not (path.is_file() or path.is_dir()):
            yield path, "a pipe or a device, no file"  # whose reading may never end
            continue
        if path.suffix.lower() in _PARTS and not osm_format(path):
            continue
        if path.suffix.lower() in _MAPINFO_PARTS and any(
            path.with_suffix(ending).is_file() for ending in (".tab", ".TAB", ".mif", ".MIF")
        ):
            continue
        if not path.resolve().is_relative_to(home):
            yield path, "a link that leads out of the folder"
            continue
        if path.is_file() or path.suffix.lower() == ".gdb":
            yield path, ""


def _looks(path: Path, name: str, others: list[tuple[str, str]]) -> list[Look]:
    """Return a look at a file, or at each of its layers or sheets; add to others those without any."""
    from pipeline.store.osm_looks import osm_format, osm_look

    ending = path.suffix.lower()
    stamp = pd.Timestamp(path.stat().st_mtime, unit="s").strftime("%Y-%m-%d")
    kind = osm_format(path)
    if kind:
        return [osm_look(path, name, kind, stamp)]
    if ending == ".zip":
        return _zip(path, name, stamp, others)
    if ending in VECTOR_ENDINGS:
        return _layers(path, name, VECTOR_ENDINGS[ending], stamp, others)
    if ending in WORKBOOK_ENDINGS and not is_text(path):
        return sheet_looks(path, name, stamp)
    if ending == ".json":
        return _json(path, name, stamp, others)
    single = {
        ".csv": text_look,
        ".tsv": text_look,
        ".txt": text_look,
        ".xls": text_look,
        **{ending: _raster for endings in RASTER_ENDINGS.values() for ending in endings},
    }
    if ending not in single:
        raise Problem(name, "of a kind that is not read")
    return [single[ending](path, name, stamp)]


def _zip(path: Path, name: str, stamp: str, others: list[tuple[str, str]]) -> list[Look]:
    """Look at the one dataset in a zip."""
    members = [member.lower() for member in zip_members(path)]
    for ending, kind in VECTOR_ENDINGS.items():
        if kind != "geoparquet" and any(ending in member for member in members):
            return _layers(path, name, kind, stamp, others)
    for ending in (ending for endings in RASTER_ENDINGS.values() for ending in endings):
        if any(member.endswith(ending) for member in members):
            return [_raster_of(path, name, stamp, ending)]
    raise Problem(name, "a zip without a file of shapes or heights")


def _layers(
    path: Path, name: str, kind: str, stamp: str, others: list[tuple[str, str]]
) -> list[Look]:
    """Return a look at each layer with shapes; one that cannot be read hides no other, and is told."""
    if kind == "geoparquet":
        return [_geoparquet(path, name, stamp)]
    with vector_file(path, kind) as file:
        if kind == "dxf":
            return _drawing(file, name, stamp)
        layers = [""] if kind in ("shapefile", "geojson") else layer_names(file)
        found, faults = [], []
        for layer in layers:
            try:
                found.append(_vector(file, name, stamp, layer, is_alone=len(layers) == 1))
            except Stopped:
                raise
            except (Problem, Unreadable, shapely.errors.GEOSException) as problem:
                told = problem.found if isinstance(problem, Problem) else f"{UNREAD} ({problem})"
                faults.append((layer, told))
        if not found:
            told = "; ".join(f"{layer}: {fault}" if layer else fault for layer, fault in faults[:3])
            raise Problem(name, told or "holds no layer with shapes")
    others += [(f"{name} {layer}", fault) for layer, fault in faults]
    return found


def _vector(file: VectorFile, name: str, stamp: str, layer: str, *, is_alone: bool) -> Look:
    kind, encoding, is_certain = file.format, "utf-8", True
    read_as = None
    if kind == "shapefile":
        read_as, is_certain = shapefile_encoding(file.path, file.member)
    chosen = layer or None
    about = about_layer(file, chosen, read_as)
    sample = read_layer(file, chosen, columns=[], most_rows=SAMPLE_SHAPES, encoding=read_as)
    if sample.shapes is None or not about["count"] or about["bounds"] is None:
        raise Problem(name, "holds no features with a shape")
    try:
        rows = read_layer(file, chosen, with_shapes=False, most_rows=MOST_ROWS, encoding=read_as)
    except UnicodeError:  # a MapInfo table that says nothing of its encoding
        read_as, is_certain = "gb18030", False
        rows = read_layer(file, chosen, with_shapes=False, most_rows=MOST_ROWS, encoding=read_as)
    encoding = read_as or "utf-8"
    date = about["date"][:10]
    edges = _edges(file, chosen, about["bounds"], read_as)
    crs = with_own_shift(file.path, file.member, sample.crs) if kind == "shapefile" else sample.crs
    found, doubt = believed_crs(crs, sample.shapes)
    return Look(
        name, kind, found, encoding, is_certain,
        row_count=about["count"], fields=rows.fields.astype("string").fillna(""),
        bounds=main_bounds(edges), crs_doubt=doubt, stray_count=int(stray_features(edges).sum()),
        date=date if date > "1990" else "", file_date=stamp,
        layer="" if is_alone else layer, **_shaped(sample.shapes, name, kind),
    )  # fmt: skip


def _edges(
    file: VectorFile, layer: str | None, bounds: list[float], encoding: str | None
) -> np.ndarray:
    """Return the edges of all features where a stray may be among them, else of all as one."""
    west, south, east, north = bounds
    in_degrees = max(map(abs, bounds)) <= 360
    if max(east - west, north - south) <= (GAP_DEG if in_degrees else GAP_M):
        return np.array([bounds])
    told = read_layer(file, layer, columns=[], most_rows=MOST_ROWS, encoding=encoding)
    shapes = told.shapes
    return shapely.bounds(shapes) if shapes is not None else np.array([bounds])


def _drawing(file: VectorFile, name: str, stamp: str) -> list[Look]:
    """Return a look at each layer of a drawing, read once."""
    parts = {
        layer: (part, part.shapes) for layer, part in drawing_layers(read_layer(file, None)).items()
        if part.shapes is not None and not shapely.is_empty(part.shapes).all()
    }  # fmt: skip
    if not parts:
        raise Problem(name, "holds no features with a shape")
    return [
        Look(
            name, "dxf", "", None, row_count=len(part.fields),
            fields=part.fields.head(MOST_ROWS).astype("string").fillna(""),
            bounds=tuple(shapely.total_bounds(shapes).tolist()), file_date=stamp,
            layer=layer if len(parts) > 1 else "",
            **_shaped(shapes[:SAMPLE_SHAPES], name, "dxf"),
        )
        for layer, (part, shapes) in parts.items()
    ]  # fmt: skip


def _geoparquet(path: Path, name: str, stamp: str) -> Look:
    from pipeline.store.geoparquet import read_geoparquet

    check_content(path, "geoparquet")
    fields, shapes, crs = read_geoparquet(path)
    there = shapes[~shapely.is_missing(shapes)]
    found, doubt = believed_crs(crs, shapes)
    edges = shapely.bounds(there)
    return Look(
        name, "geoparquet", found, "utf-8", crs_doubt=doubt, row_count=len(shapes),
        fields=fields.head(MOST_ROWS).astype("string").fillna(""),
        bounds=main_bounds(edges) if len(there) else None, file_date=stamp,
        stray_count=int(stray_features(edges).sum()),
        **_shaped(shapes[:SAMPLE_SHAPES], name, "geoparquet"),
    )  # fmt: skip


def _shaped(shapes: np.ndarray, name: str, kind: str) -> dict[str, Any]:
    """Return how many of the first shapes are of each kind, the most frequent one, the median area."""
    there = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if not len(there):
        raise Problem(name, "holds no features with a shape")
    codes = shapely.get_type_id(there)
    if kind == "dxf":  # a drawing knows outlines as closed lines only
        codes = np.where((codes == 1) & shapely.is_closed(there), 3, codes)
        there = np.where(codes == 3, closed_lines_as_areas(there), there)
    counts = Counter(_KIND_OF_CODE.get(code, "other") for code in codes.tolist())
    ordered = dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
    return {
        "geometry": next(iter(ordered)), "kind_counts": ordered,
        "median_area": float(np.median(shapely.area(there))),
    }  # fmt: skip


def _raster(path: Path, name: str, stamp: str) -> Look:
    return _raster_of(path, name, stamp, path.suffix.lower())


def _raster_of(path: Path, name: str, stamp: str, ending: str) -> Look:
    kind = next(kind for kind, endings in RASTER_ENDINGS.items() if ending in endings)
    return Look(name, kind, encoding=None, file_date=stamp, **raster_facts(path, kind))


def _json(path: Path, name: str, stamp: str, others: list[tuple[str, str]]) -> list[Look]:
    from pipeline.store.osm_looks import is_overpass_reply, osm_look, overpass_look
    from pipeline.store.osm_xml import is_osm_xml
    from pipeline.store.replies import read_json

    if is_osm_xml(path):
        return [osm_look(path, name, "osm_xml", stamp)]
    found = read_json(path, "utf-8")
    if is_overpass_reply(found):
        return [overpass_look(path, name, found, stamp)]
    places = found if isinstance(found, list) else [found]
    if places and all(isinstance(one, dict) and "geojson" in one for one in places):
        shapes = [shapely.geometry.shape(one["geojson"]) for one in places]
        rows = pd.DataFrame([{"name": str(one.get("name", ""))} for one in places])
        return [Look(
            name, "nominatim_json", "EPSG:4326", "utf-8", geometry="polygon", fields=rows,
            row_count=len(places), bounds=tuple(shapely.total_bounds(np.array(shapes)).tolist()),
            file_date=stamp,
        )]  # fmt: skip
    if isinstance(found, dict) and found.get("type") == "FeatureCollection":
        return _layers(path, name, "geojson", stamp, others)
    if isinstance(found, dict) and found.get("type") == "Topology":
        return _layers(path, name, "topojson", stamp, others)
    raise Problem(name, "JSON of another kind")
