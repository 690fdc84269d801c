"""Read elevation models: one file or many tiles, in any CRS, cut to the study area where large."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from pipeline.geo.crs import horizontal, with_shift
from pipeline.geo.raster import Raster
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.gdal_drivers import open_raster, raster_faults
from pipeline.store.height_doubts import refuse_doubtful, refuse_feet
from pipeline.store.heights import (
    implausible,
    in_metres,
    integer_ends,
    measure,
    refuse_implausible,
    refuse_picture,
    refuse_too_small,
)
from pipeline.store.placement import (
    belies_degrees,
    refuse_other_crs,
    refuse_unknown_way,
    stated_crs,
)
from pipeline.store.raster_cells import MOST_CELLS, read_cells
from pipeline.store.replies import AGAIN
from pipeline.store.study_area import StudyArea

_UNCUT_CELLS = 50_000_000
_MOST_OVERLAP = 0.1
_SAME_HEIGHT_M = 2.0


def read_terrain(paths: list[Path], name: str, source: Source, area: StudyArea) -> Raster:
    """Return one raster, north up with square cells, in the working CRS.

    A model in the working CRS keeps its cells. Others, and tiles that differ in CRS or cell size, are
    resampled bilinearly to cells of about their own size; where tiles overlap the first counts. Scale,
    offset and unit of a band are honoured; a model that is not north up, or whose cells are not square,
    is turned.

    Raises
    ------
    Problem
        If a file is no raster or a picture, its CRS is another than stated or its datum leads nowhere,
        its heights are in feet or cannot be heights, tiles contradict each other, or it is too large,
        too small, or empty in the study area.
    """
    opened: list[Any] = []
    path = paths[0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for path in paths:
                opened.append(open_raster(path, source.format, source.layer))
                _check_tile(path, opened[-1], name, source, is_alone=len(paths) == 1)
            path = paths[0]
            found = _read(paths, opened, name, source, area)
            if source.role == "terrain" and source.height_unit is None:
                refuse_doubtful(path, name, found.values)
            return found
    except (Problem, MemoryError):
        raise
    except raster_faults() as error:
        raise Problem(
            path, f"cannot be read as a raster ({str(error)[:200] or type(error).__name__})",
            expected=f"a raster of the format {source.format}", fix=AGAIN,
        ) from None  # fmt: skip
    finally:
        for file in opened:
            file.close()


def _check_tile(path: Path, file: Any, name: str, source: Source, *, is_alone: bool) -> None:
    """Stop if a tile is not what the profile says."""
    from rasterio import Affine

    if source.role == "terrain":
        refuse_picture(path, file)
    grid = file.transform
    if grid == Affine.identity() or not grid.determinant:
        raise Problem(
            path, "its cells have no position", expected="a raster with its place on the earth",
            fix="export it again with its georeference in it",
        )  # fmt: skip
    own = _own_crs(file)
    if is_alone and own is not None:
        refuse_other_crs(path, name, source, own)
    refuse_unknown_way(path, name, source, raster_bounds(file), own if not is_alone else None)


def _own_crs(file: Any) -> Any | None:
    """Return the CRS that a raster states; none if it states none, or degrees that its place belies."""
    own = raster_crs(file)
    edges = np.array([shapely.box(*raster_bounds(file))], dtype=object)
    return None if belies_degrees(horizontal(own), edges) else own


def raster_bounds(file: Any) -> tuple[float, float, float, float]:
    """Return the outer edges of a raster however it is turned: west, south, east, north."""
    corners = [
        file.transform @ corner
        for corner in ((0, 0), (file.width, 0), (0, file.height), (file.width, file.height))
    ]
    x, y = zip(*corners, strict=True)
    return min(x), min(y), max(x), max(y)


def raster_crs(file: Any) -> Any | None:
    """Return the whole CRS of an open raster, its vertical part included; none if it states none."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError
    from rasterio.errors import RasterioError

    if file.crs is None:
        return None
    try:
        return CRS.from_wkt(file.crs.to_wkt())
    except (CRSError, RasterioError):
        return None


def vertical_crs(crs: Any | None) -> Any | None:
    """Return the vertical part of a compound CRS."""
    parts = crs.sub_crs_list if crs is not None and crs.is_compound else []
    return parts[1] if len(parts) > 1 and parts[1].is_vertical else None


def _placing_crs(file: Any, name: str, source: Source) -> Any:
    """Return the CRS by which a tile is placed."""
    from rasterio.crs import CRS

    own = _own_crs(file)
    plain = horizontal(own)
    if source.towgs84 is None and plain is not None and plain is own:
        return file.crs
    crs = plain if plain is not None else stated_crs(name, source)
    if source.towgs84 is not None:
        crs = with_shift(crs, source.towgs84)
    return CRS.from_wkt(crs.to_wkt("WKT2_2019"))


def _read(
    paths: list[Path], opened: list[Any], name: str, source: Source, area: StudyArea
) -> Raster:
    kinds: dict[tuple[object, ...], list[Any]] = {}
    for number, file in enumerate(opened):
        grid = file.transform
        is_straight = not grid.b and not grid.d and grid.a > 0 > grid.e
        own = _placing_crs(file, name, source).to_string()
        turned = () if is_straight else (number,)
        kinds.setdefault((own, round(grid.a, 9), round(-grid.e, 9), *turned), []).append(file)
    found: list[tuple[np.ndarray, Any, Any]] = []
    for key, files in kinds.items():
        is_straight = len(key) == 3
        part = _merged(paths[0], files, name, source, area) if is_straight else (
            _turned(files[0], name, source)
        )  # fmt: skip
        found += [part] if part is not None else []
        _refuse_too_large(paths[0], "has", sum(values.size for values, _, _ in found), 1)
    if not found or all(np.isnan(values).all() for values, _, _ in found):
        raise Problem(
            paths[0],
            "every cell is empty (nodata)" if found else "does not touch the study area",
            expected="heights in metres",
            fix=f"check the file and sources.{name}.nodata in the profile",
        )
    values, grid, crs = found[0]
    is_upright = not grid.b and not grid.d and abs(grid.a + grid.e) < 1e-6
    if len(found) == 1 and crs == _crs(area.working_crs) and is_upright:
        raster = Raster(values, grid.c, grid.f, grid.a, area.working_crs)
    else:
        raster = _resampled(paths[0], found, area)
    del found, values  # a large model, of which the raster is a copy
    if source.role == "terrain":
        refuse_too_small(paths[0], *raster.values.shape)
    return raster


def _refuse_too_large(path: Path, verb: str, rows: int, columns: int) -> None:
    """Stop at a grid that would fill the memory."""
    if rows * columns > MOST_CELLS:
        size = f"{rows:,} × {columns:,}" if columns > 1 else f"{rows:,}"
        raise Problem(
            path, f"{verb} {size} cells in the study area", expected=f"at most {MOST_CELLS:,}",
            fix="cut it to the city, or use a coarser model",
        )  # fmt: skip


def _turned(file: Any, name: str, source: Source) -> tuple[np.ndarray, Any, Any]:
    """Return the cells of a raster that does not begin in the north-west, upright if it can be."""
    from rasterio import Affine
    from rasterio.windows import Window

    if file.width * file.height > _UNCUT_CELLS:
        raise Problem(
            file.name, f"has {file.height:,} × {file.width:,} cells and is not north up",
            expected=f"at most {_UNCUT_CELLS:,} cells", fix="warp it with gdalwarp",
        )  # fmt: skip
    values = _values(file, Window(0, 0, file.width, file.height), name, source)
    grid = file.transform
    if not grid.b and not grid.d:
        if grid.a < 0:
            values = values[:, ::-1]
            grid = Affine(-grid.a, 0, grid.c + grid.a * file.width, 0, grid.e, grid.f)
        if grid.e > 0:
            values = values[::-1]
            grid = Affine(grid.a, 0, grid.c, 0, -grid.e, grid.f + grid.e * file.height)
    return np.ascontiguousarray(values), grid, _placing_crs(file, name, source)


def _values(file: Any, window: Any, name: str, source: Source) -> np.ndarray:
    """Return a part of a band, NaN where empty; of a terrain model in metres and plausible."""
    values = read_cells(file, window, source.nodata)
    if source.role != "terrain":
        return values
    path, own = Path(file.name), raster_crs(file)
    if source.height_unit is None:
        refuse_feet(path, name, values)
    rule = measure(path, file, vertical_crs(own), source.height_unit)
    cell_m = cell_size_m(file, horizontal(own))
    ends = integer_ends(file.dtypes[0])
    refuse_implausible(path, name, implausible(values, rule, cell_m, ends))
    return in_metres(values, rule)


def cell_size_m(file: Any, crs: Any | None) -> float:
    """Return about how large a raster's cells are, metres."""
    side = math.sqrt(abs(file.transform.determinant))
    is_degrees = crs is not None and crs.is_geographic
    unit = 111_320.0 if is_degrees or (crs is None and side < 0.05) else (
        crs.axis_info[0].unit_conversion_factor if crs is not None else 1.0
    )  # fmt: skip
    return float(side * unit)


def _crs(code: str) -> Any:
    from rasterio.crs import CRS

    return CRS.from_user_input(code)


def _merged(
    path: Path, files: list[Any], name: str, source: Source, area: StudyArea
) -> tuple[np.ndarray, Any, Any] | None:
    """Return the cells of tiles of one kind with their grid and CRS; none outside the study area."""
    from rasterio import Affine
    from rasterio.windows import Window

    first = files[0].transform
    wide, high = first.a, -first.e
    crs = _placing_crs(files[0], name, source)
    bounds = np.array([file.bounds for file in files])
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    if (east - west) / wide * (north - south) / high > _UNCUT_CELLS:
        box = area.box_in(crs.to_wkt(), source.datum)
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
    _refuse_too_large(path, "has", rows, columns)
    if len(files) == 1:
        merged = _values(files[0], Window(left, top, columns, rows), name, source)
    else:
        merged = np.full((rows, columns), np.nan, dtype=np.float32)
        for file in files:
            _lay(merged, file, left, top, first, name, source)
    return merged, Affine(wide, 0, first.c + left * wide, 0, -high, first.f - top * high), crs


def _lay(
    merged: np.ndarray, file: Any, left: int, top: int, first: Any, name: str, source: Source
) -> None:
    """Fill what is still empty with a tile's cells."""
    from rasterio.windows import Window

    column = round((file.transform.c - first.c) / first.a) - left
    row = round((file.transform.f - first.f) / first.e) - top
    a, b = max(-column, 0), min(merged.shape[1] - column, file.width)
    c, d = max(-row, 0), min(merged.shape[0] - row, file.height)
    if b <= a or d <= c:
        return
    values = _values(file, Window(a, c, b - a, d - c), name, source)
    into = merged[row + c : row + d, column + a : column + b]
    _refuse_overlap(Path(file.name), into, values)
    np.copyto(into, values, where=np.isnan(into))


def _refuse_overlap(path: Path, laid: np.ndarray, values: np.ndarray) -> None:
    """Stop if much of a tile lies over others that hold other heights: it is no tile beside them."""
    known = np.isfinite(values)
    both = known & np.isfinite(laid)
    share = both.sum() / max(known.sum(), 1)
    if share <= _MOST_OVERLAP:
        return
    gap_m = float(np.median(np.abs(values[both] - laid[both])))
    if gap_m > _SAME_HEIGHT_M:
        raise Problem(
            path, f"lies over other files of this terrain in {share:.0%} of its cells, which are "
            f"{gap_m:,.1f} m off (median)",
            expected="tiles side by side", fix="name the one terrain model that counts",
        )  # fmt: skip


def _resampled(path: Path, parts: list[tuple[np.ndarray, Any, Any]], area: StudyArea) -> Raster:
    """Return tiles of several kinds on one grid of the working CRS."""
    from rasterio import Affine
    from rasterio.enums import Resampling
    from rasterio.warp import calculate_default_transform, reproject

    target = _crs(area.working_crs)
    edges, sizes = [], []
    for values, grid, crs in parts:
        rows, columns = values.shape
        x, y = zip(
            *(grid @ at for at in ((0, 0), (columns, 0), (0, rows), (columns, rows))), strict=True
        )
        bounds = (min(x), min(y), max(x), max(y))
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
    _refuse_too_large(path, "would need", rows, columns)
    whole = np.full((rows, columns), np.nan, dtype=np.float32)
    for number, (values, grid, crs) in enumerate(parts):
        laid = np.full_like(whole, np.nan) if number else whole
        reproject(
            values, laid, src_transform=grid, src_crs=crs, src_nodata=np.nan, dst_nodata=np.nan,
            dst_transform=Affine(cell, 0, west, 0, -cell, north), dst_crs=target,
            resampling=Resampling.bilinear,
        )  # fmt: skip
        if number:
            _refuse_overlap(path, whole, laid)
            np.copyto(whole, laid, where=np.isnan(whole))
    if np.isnan(whole).all():
        raise Problem(path, "every cell is empty in the study area", expected="heights in metres")
    return Raster(whole, west, north, cell, area.working_crs)
