"""The cells of one band of an open raster, read some rows at a time, so that memory has a bound."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import row_bands
from pipeline.problem import Problem

MOST_CELLS = 100_000_000
"""Of a terrain in the study area: what takes less than 2 GB from the file to the finished grid."""
_CELLS_AT_ONCE = 4_000_000
_MOST_BLOCK_BYTES = 400_000_000


def read_cells(file: Any, window: Any, nodata: float | None = None) -> NDArray[np.float32]:
    """Return the first band's cells in a window, NaN where empty or equal to ``nodata``.

    Numbers beyond what a 32-bit float holds are empty too.

    Raises
    ------
    Problem
        If one block of the file, which is unpacked as a whole, would take too much memory.
    """
    from rasterio.windows import Window

    _check_blocks(file)
    values = np.empty((int(window.height), int(window.width)), dtype=np.float32)
    top = 0
    for part in row_bands(values, overlap=0, most_cells=_CELLS_AT_ONCE):
        rows = Window(window.col_off, window.row_off + top, window.width, len(part))
        band = file.read(1, window=rows, masked=True)
        with np.errstate(over="ignore"):
            part[:] = np.where(np.ma.getmaskarray(band), np.nan, band.data.astype(np.float32))
        if nodata is not None:
            part[part == np.float32(nodata)] = np.nan
        part[~np.isfinite(part)] = np.nan
        top += len(part)
    return values


def _check_blocks(file: Any) -> None:
    rows, columns = file.block_shapes[0]
    size = rows * columns * np.dtype(file.dtypes[0]).itemsize
    if size > _MOST_BLOCK_BYTES:
        raise Problem(
            Path(file.name), f"is packed in blocks of {rows:,} × {columns:,} cells",
            expected=f"at most {_MOST_BLOCK_BYTES:,} bytes each",
            fix="tile it with gdal_translate -co TILED=YES",
        )  # fmt: skip
