"""Read elevation models: one file or many tiles, in any CRS, cut to the study area where large."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.geo.raster import Raster
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.gdal_drivers import open_raster
from pipeline.store.replies import AGAIN
from pipeline.store.study_area import StudyArea

_UNCUT_CELLS = 50_000_000
_MOST_CELLS = 150_000_000
_FEET = ("ft", "foot", "feet", "us-ft", "ftus", "us survey foot", "us_survey_foot")


def read_terrain(paths: list[Path], name: str, source: Source, area: StudyArea) -> Raster:
    """Return one raster, north up with square cells, in the working CRS.

    A model in the working CRS keeps its cells. Others, and tiles that differ in CRS or cell size, are
    resampled bilinearly to cells of about their own size; where tiles overlap the first counts.

    Raises
    ------
    Problem
        If a file is no raster, its CRS is another than stated, its heights are in feet, it is rotated,
        too large, or empty in the study area.
    """
    from rasterio.errors import RasterioError

    opened: list[Any] = []
    path = paths[0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for path in paths:
                opened.append(open_raster(path))
                _check_tile(path, opened[-1], name, source, is_alone=len(paths) == 1)
            path = paths[0]
            return _read(paths, opened, name, source, area)
    except (Problem, MemoryError):
        raise
    except (RasterioError, OSError, ValueError, OverflowError) as error:
        raise Problem(
            path, f"cannot be read as a raster ({str(error)[:200] or type(error).__name__})",
            expected="a GeoTIFF", fix=AGAIN,
        ) from None  # fmt: skip
    finally:
        for file in opened:
            file.close()


def _check_tile(path: Path, file: Any, name: str, source: Source, *, is_alone: bool) -> None:
    """Stop if a tile is not what the profile says."""
    from rasterio.crs import CRS

    stated = CRS.from_user_input(source.crs)
    if file.crs is None or (is_alone and not _is_same(file.crs, stated)):
        raise Problem(
            path,
            f"its CRS is {file.crs.to_string()[:100] if file.crs else 'not stated in the file'}",
            expected=f"{source.crs}, as sources.{name}.crs says",
            fix=f"correct sources.{name}.crs in the profile, or reproject the raster",
        )
    if file.driver != "GTiff":
        raise Problem(
            path, f"is {file.driver}, not a GeoTIFF", fix="convert it with gdal_translate"
        )
    grid = file.transform
    square = abs(grid.a + grid.e) <= 1e-6 * max(abs(grid.a), 1)
    if grid.b or grid.d or grid.a <= 0 or grid.e >= 0 or (file.crs.is_projected and not square):
        raise Problem(
            path, "the raster is rotated or its cells are not square",
            expected="a north-up grid of square cells", fix="warp it to one, e.g. with gdalwarp",
        )  # fmt: skip
    if (file.units[0] or "").strip().lower() in _FEET:
        raise Problem(
            path, "its heights are in feet", expected="metres",
            fix="multiply it by 0.3048, e.g. with gdal_calc, and set the unit to metre",
        )  # fmt: skip
    if np.dtype(file.dtypes[0]).kind == "c":
        raise Problem(path, "holds complex numbers", expected="heights in metres")


def _read(
    paths: list[Path], opened: list[Any], name: str, source: Source, area: StudyArea
) -> Raster:
    kinds: dict[tuple[str, float, float], list[Any]] = {}
    for file in opened:
        grid = file.transform
        key = (file.crs.to_string(), round(grid.a, 9), round(-grid.e, 9))
        kinds.setdefault(key, []).append(file)
    parts = [_merged(paths[0], files, source, area) for files in kinds.values()]
    found = [part for part in parts if part is not None]
    if not found or all(np.isnan(values).all() for values, _, _ in found):
        raise Problem(
            paths[0],
            "every cell is empty (nodata)" if found else "does not touch the study area",
            expected="heights in metres",
            fix=f"check the file and sources.{name}.nodata in the profile",
        )
    values, grid, crs = found[0]
    if len(found) == 1 and crs == _crs(area.working_crs) and abs(grid.a + grid.e) < 1e-6:
        return Raster(values, grid.c, grid.f, grid.a, area.working_crs)
    return _resampled(paths[0], found, area)


def _is_same(found: Any, stated: Any) -> bool:
    """Return whether two CRS are one, also where a file writes out what others give by number."""
    if found == stated:
        return True
    from pyproj import CRS

    code = CRS.from_wkt(found.to_wkt()).to_epsg(min_confidence=25)
    return code is not None and code == stated.to_epsg()


def _crs(code: str) -> Any:
    from rasterio.crs import CRS

    return CRS.from_user_input(code)


def _merged(
    path: Path, files: list[Any], source: Source, area: StudyArea
) -> tuple[np.ndarray, Any, Any] | None:
    """Return the cells of tiles of one kind with their grid and CRS; none outside the study area."""
    from rasterio import Affine

    first = files[0].transform
    wide, high = first.a, -first.e
    bounds = np.array([file.bounds for file in files])
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    if (east - west) / wide * (north - south) / high > _UNCUT_CELLS:
        box = area.box_in(files[0].crs.to_wkt(), source.datum)
        if box is not None:
            west, south = max(west, box[0]), max(south, box[1])
            east, north = min(east, box[2]), min(north, box[3])
    # onto the first tile's grid, so that no value is moved
    left = math.floor((west - first.c) / wide + 1e-6)
    top = math.floor((first.f - north) / high + 1e-6)
    columns = math.ceil((east - first.c) / wide - 1e-6) - left
    rows = math.ceil((first.f - south) / high - 1e-6) - top
    if columns <= 0 or rows <= 0:
        return None
    if rows * columns > _MOST_CELLS:
        raise Problem(
            path, f"has {rows:,} × {columns:,} cells here", expected=f"at most {_MOST_CELLS:,}",
            fix="cut it to the city, or use a coarser model",
        )  # fmt: skip
    merged = np.full((rows, columns), np.nan, dtype=np.float32)
    for file in files:
        _lay(merged, file, left, top, first, source)
    return (
        merged,
        Affine(wide, 0, first.c + left * wide, 0, -high, first.f - top * high),
        files[0].crs,
    )


def _lay(merged: np.ndarray, file: Any, left: int, top: int, first: Any, source: Source) -> None:
    """Fill what is still empty with a tile's cells."""
    from rasterio.windows import Window

    column = round((file.transform.c - first.c) / first.a) - left
    row = round((file.transform.f - first.f) / first.e) - top
    a, b = max(-column, 0), min(merged.shape[1] - column, file.width)
    c, d = max(-row, 0), min(merged.shape[0] - row, file.height)
    if b <= a or d <= c:
        return
    band = file.read(1, window=Window(a, c, b - a, d - c), masked=True)
    values = np.where(np.ma.getmaskarray(band), np.nan, band.data.astype(np.float32))
    if source.nodata is not None:
        values[values == np.float32(source.nodata)] = np.nan
    values[~np.isfinite(values)] = np.nan
    into = merged[row + c : row + d, column + a : column + b]
    np.copyto(into, values, where=np.isnan(into))


def _resampled(path: Path, parts: list[tuple[np.ndarray, Any, Any]], area: StudyArea) -> Raster:
    """Return tiles of several kinds on one grid of the working CRS."""
    from rasterio import Affine
    from rasterio.enums import Resampling
    from rasterio.warp import calculate_default_transform, reproject

    target = _crs(area.working_crs)
    edges, sizes = [], []
    for values, grid, crs in parts:
        rows, columns = values.shape
        west, north = grid.c, grid.f
        bounds = (west, north + rows * grid.e, west + columns * grid.a, north)
        there, wide, high = calculate_default_transform(crs, target, columns, rows, *bounds)
        sizes.append(there.a)
        edges.append((there.c, there.f - high * there.a, there.c + wide * there.a, there.f))
    cell = max(round(min(sizes), 1), 0.1)
    box = np.array(edges)
    west, south = box[:, :2].min(axis=0)
    east, north = box[:, 2:].max(axis=0)
    if area.box is not None:
        west, south = max(west, area.box[0]), max(south, area.box[1])
        east, north = min(east, area.box[2]), min(north, area.box[3])
    west, north = math.floor(west / cell) * cell, math.ceil(north / cell) * cell
    columns, rows = math.ceil((east - west) / cell), math.ceil((north - south) / cell)
    if columns <= 0 or rows <= 0:
        raise Problem(
            path, "does not touch the study area", expected="a terrain model of the city",
            fix="use one of this area, or check city.crs and the sources' crs",
        )  # fmt: skip
    if rows * columns > _MOST_CELLS:
        raise Problem(
            path, f"would need {rows:,} × {columns:,} cells", expected=f"at most {_MOST_CELLS:,}",
            fix="cut it to the city, or use a coarser model",
        )  # fmt: skip
    whole = np.full((rows, columns), np.nan, dtype=np.float32)
    for values, grid, crs in parts:
        laid = np.full_like(whole, np.nan)
        reproject(
            values, laid, src_transform=grid, src_crs=crs, src_nodata=np.nan, dst_nodata=np.nan,
            dst_transform=Affine(cell, 0, west, 0, -cell, north), dst_crs=target,
            resampling=Resampling.bilinear,
        )  # fmt: skip
        np.copyto(whole, laid, where=np.isnan(whole))
    if np.isnan(whole).all():
        raise Problem(path, "every cell is empty in the study area", expected="heights in metres")
    return Raster(whole, west, north, cell, area.working_crs)
