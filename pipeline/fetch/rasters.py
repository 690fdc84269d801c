"""Get rasters: a whole file, or the part of public tiles that a place needs, in its working CRS."""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from pipeline.fetch.client import Client, Fault, NotThere
from pipeline.fetch.downloads import HEADER_BYTES, RemoteParts, download
from pipeline.fetch.place import widened
from pipeline.problem import Problem
from pipeline.scratch import scratch_folder
from pipeline.settings.fetch import RasterService
from pipeline.store.gdal_drivers import RASTER_DRIVER

Bounds = tuple[float, float, float, float]
_GDAL = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_NUM_THREADS": "1"}
_EDGE_CELLS = 3
_SLACK_DEG = 0.001
_MAX_HEADER_BYTES = 1 << 26


def whole_raster(client: Client, what: str, service: RasterService, path: Path, crs: str) -> str:
    """Bring a whole raster to ``path`` and return its date as the server gives it.

    Raises
    ------
    Problem
        If it cannot be had, is no raster, or is not in the working CRS.
    """
    import rasterio
    from rasterio.errors import RasterioError

    def check(partial: Path) -> None:
        try:
            with rasterio.Env(**_GDAL), rasterio.open(partial, driver=RASTER_DRIVER) as file:
                found = file.crs
                file.read(1)
        except RasterioError:
            raise Fault("the answer is no raster, or a damaged one") from None
        if found is None or found != rasterio.crs.CRS.from_user_input(crs):
            partial.unlink(missing_ok=True)
            raise Problem(
                service.url, f"the raster is in {found.to_string() if found else 'no stated CRS'}",
                expected=f"{crs}, the working CRS of this place",
                fix="set reading: window for it in config/fetch.yaml",
            )  # fmt: skip

    try:
        return download(client, what, service.url, path, check)
    except NotThere:
        raise _absent(what, service) from None


def window_raster(
    client: Client, what: str, service: RasterService, outline: shapely.Geometry, crs: str
) -> tuple[bytes, str, list[str]]:
    """Return a GeoTIFF of the part that an outline needs, its date, and the tiles that are not there.

    The parts of all tiles are laid side by side first and brought into the working CRS once, on a grid
    whose lines are whole multiples of the cell.

    Raises
    ------
    Problem
        If no tile is there, or a tile cannot be had or read.
    """
    import rasterio
    from rasterio.io import MemoryFile

    target = _grid_bounds(widened(outline, crs, service.margin_m).bounds, service.cell_m)
    window = _degrees_around(target, crs)
    absent: list[str] = []
    dates: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(**_GDAL))
        parts = []
        folder = stack.enter_context(scratch_folder())
        for url, name in tile_addresses(service, window):
            local = folder / f"{len(dates)}.tif"
            try:
                remote = RemoteParts(client, f"{what} {name}".strip(), url, local)
            except NotThere:
                absent.append(name)
                continue
            part = _part(remote, local, f"{what} {name} from {url}", target, crs)
            dates.append(remote.date)
            if part is None:
                absent.append(name)
                continue
            memory = stack.enter_context(MemoryFile(part))
            parts.append(stack.enter_context(memory.open()))
        if not parts:
            raise _absent(what, service)
        content = _brought_into(parts, target, crs, service)
    return content, max(dates, default=""), absent


def tile_addresses(service: RasterService, window: Bounds) -> Iterator[tuple[str, str]]:
    """Yield address and name of each tile that touches a window in degrees, from south-west on."""
    if "{" not in service.url:
        yield service.url, ""
        return
    size = service.tile_deg
    west, south, east, north = window
    for south_edge in range(math.floor(south / size) * size, math.ceil(north), size):
        for west_edge in range(math.floor(west / size) * size, math.ceil(east), size):
            ns, ew = "S" if south_edge < 0 else "N", "W" if west_edge < 0 else "E"
            lat, lon = abs(south_edge), abs(west_edge)
            url = service.url.format(ns=ns, lat=lat, ew=ew, lon=lon)
            yield url, f"{ns}{lat:02d} {ew}{lon:03d}"


def _part(remote: RemoteParts, local: Path, source: str, target: Bounds, crs: str) -> bytes | None:
    """Return the window of a remote raster as a GeoTIFF in its own CRS; None if they do not meet."""
    import rasterio
    from rasterio.errors import RasterioError
    from rasterio.io import MemoryFile

    try:
        with rasterio.open(local, driver=RASTER_DRIVER) as file:
            if file.crs is None:
                raise Problem(source, "the raster does not say its CRS", fix="name another server")
            window = _window(file, target, crs)
        if window is None:
            return None
        _bring_blocks(remote, local, source, window)
        with rasterio.open(local, driver=RASTER_DRIVER) as file:
            values = file.read(1, window=window, masked=True).astype("float32").filled(np.nan)
            profile = {
                "driver": "GTiff", "width": window.width, "height": window.height, "count": 1,
                "dtype": "float32", "crs": file.crs, "transform": file.window_transform(window),
                "nodata": float("nan"),
            }  # fmt: skip
    except RasterioError as error:
        raise Problem(
            source, f"cannot be read as a raster ({str(error).splitlines()[0][-120:]})",
            expected="a GeoTIFF",
            fix="run again later, set reading: whole, or correct its url in config/fetch.yaml",
        ) from None  # fmt: skip
    with MemoryFile() as memory:
        with memory.open(**profile) as out:
            out.write(values, 1)
        return bytes(memory.read())


def _window(file: Any, target: Bounds, crs: str) -> Any:
    """Return the cells of a raster that a rectangle of the working CRS needs; None if it has none."""
    from rasterio.warp import transform_bounds
    from rasterio.windows import Window

    west, south, east, north = transform_bounds(crs, file.crs, *target, densify_pts=21)
    left, top = ~file.transform * (west, north)
    right, bottom = ~file.transform * (east, south)
    first_column, first_row = (max(0, math.floor(one) - _EDGE_CELLS) for one in (left, top))
    last_column = min(file.width, math.ceil(right) + _EDGE_CELLS)
    last_row = min(file.height, math.ceil(bottom) + _EDGE_CELLS)
    if first_column >= last_column or first_row >= last_row:
        return None
    return Window(first_column, first_row, last_column - first_column, last_row - first_row)


def _bring_blocks(remote: RemoteParts, local: Path, source: str, window: Any) -> None:
    """Bring the blocks of a window, neighbours in the file at once."""
    import rasterio

    header = HEADER_BYTES
    while True:
        with rasterio.open(local, driver=RASTER_DRIVER) as file:
            spans = _spans(file, window)
        if spans is not None:
            break
        if header >= min(remote.length, _MAX_HEADER_BYTES):
            raise Problem(
                source, "does not say at its beginning where its blocks lie",
                expected="a cloud-optimised GeoTIFF",
                fix="set reading: whole for it in config/fetch.yaml",
            )  # fmt: skip
        header *= 8
        remote.bring(0, header)
    for begin, end in spans:
        remote.bring(begin, end)


def _spans(file: Any, window: Any) -> list[tuple[int, int]] | None:
    """Return where the blocks of a window lie in the file, joined; None if that is not known yet."""
    height, width = file.block_shapes[0]
    found = []
    for row in range(window.row_off // height, (window.row_off + window.height - 1) // height + 1):
        for column in range(
            window.col_off // width, (window.col_off + window.width - 1) // width + 1
        ):
            block = f"{column}_{row}"
            offset = file.get_tag_item(f"BLOCK_OFFSET_{block}", "TIFF", bidx=1)
            size = file.get_tag_item(f"BLOCK_SIZE_{block}", "TIFF", bidx=1)
            if offset is None or size is None:
                return None
            found.append((int(offset), int(offset) + int(size)))
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(found):
        if joined and begin - joined[-1][1] <= HEADER_BYTES:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def _brought_into(parts: list[Any], target: Bounds, crs: str, service: RasterService) -> bytes:
    from rasterio import Affine
    from rasterio.io import MemoryFile
    from rasterio.merge import merge
    from rasterio.warp import Resampling, reproject

    resampling = Resampling[service.resampling]
    mosaic, transform = merge(parts, nodata=float("nan"), resampling=resampling)
    west, south, east, north = target
    cell_m = service.cell_m
    columns, rows = round((east - west) / cell_m), round((north - south) / cell_m)
    grid = Affine(cell_m, 0, west, 0, -cell_m, north)
    values = np.full((rows, columns), np.nan, dtype="float32")
    reproject(
        mosaic[0], values, src_transform=transform, src_crs=parts[0].crs, src_nodata=float("nan"),
        dst_transform=grid, dst_crs=crs, dst_nodata=float("nan"), resampling=resampling,
        num_threads=1,
    )  # fmt: skip
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=columns, height=rows, count=1, dtype="float32", crs=crs,
            transform=grid, nodata=float("nan"), compress="deflate", predictor=3,
        ) as out:  # fmt: skip
            out.write(values, 1)
        return bytes(memory.read())


def _grid_bounds(bounds: Bounds, cell_m: float) -> Bounds:
    west, south, east, north = bounds
    return (
        math.floor(west / cell_m) * cell_m,
        math.floor(south / cell_m) * cell_m,
        math.ceil(east / cell_m) * cell_m,
        math.ceil(north / cell_m) * cell_m,
    )


def _degrees_around(bounds: Bounds, crs: str) -> Bounds:
    from rasterio.warp import transform_bounds

    west, south, east, north = transform_bounds(crs, "EPSG:4326", *bounds, densify_pts=21)
    # tiles whose cells lie around whole degrees begin half a cell beside their name
    return west - _SLACK_DEG, south - _SLACK_DEG, east + _SLACK_DEG, north + _SLACK_DEG


def _absent(what: str, service: RasterService) -> Problem:
    return Problem(
        f"{what} from {service.url}", "the server has no file for this place (404)",
        expected="a raster that covers the place",
        fix="correct its url in config/fetch.yaml",
    )  # fmt: skip
