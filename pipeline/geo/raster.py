"""A north-up raster in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Raster:
    """Square-celled, north-up values; NaN where empty.

    ``west_m`` and ``north_m`` are the outer corner of the first cell, in ``crs``.
    """

    values: NDArray[np.float32]
    west_m: float
    north_m: float
    cell_m: float
    crs: str

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Outer edges: west, south, east, north."""
        rows, columns = self.values.shape
        return (
            self.west_m,
            self.north_m - rows * self.cell_m,
            self.west_m + columns * self.cell_m,
            self.north_m,
        )

    def with_values(self, values: NDArray[np.floating]) -> "Raster":
        """Return other values on the same grid."""
        return Raster(values.astype(np.float32), self.west_m, self.north_m, self.cell_m, self.crs)


def row_bands(values: NDArray[Any], overlap: int, most_cells: int) -> Iterator[NDArray[Any]]:
    """Yield a grid some rows at a time, each part with ``overlap`` rows of the next one.

    A part has about ``most_cells``. So every row is in one part, and every pair of rows that lie up to
    ``overlap`` apart; nothing is yielded if there are no more rows than that.
    """
    rows = max(most_cells // max(values.shape[1], 1), 1)
    for top in range(0, len(values) - overlap, rows):
        yield values[top : top + rows + overlap]


def bilinear(raster: Raster, x: Floats, y: Floats) -> Floats:
    """Return the raster's value at points, interpolated between cell centres.

    Within half a cell of the outer edge the outermost centres hold. Empty where any of the four
    cells around the point is empty, and outside the raster.
    """
    rows, columns = raster.values.shape
    column = (x - raster.west_m) / raster.cell_m - 0.5
    row = (raster.north_m - y) / raster.cell_m - 0.5
    inside = (column >= -0.5) & (column <= columns - 0.5) & (row >= -0.5) & (row <= rows - 0.5)
    column = np.clip(np.where(inside, column, 0), 0, columns - 1)
    row = np.clip(np.where(inside, row, 0), 0, rows - 1)
    left = np.minimum(column.astype(np.int64), max(columns - 2, 0))
    top = np.minimum(row.astype(np.int64), max(rows - 2, 0))
    right, bottom = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    across, down = column - left, row - top
    z = raster.values.ravel()
    top, bottom = top * columns, bottom * columns
    upper = z[top + left] * (1 - across) + z[top + right] * across
    lower = z[bottom + left] * (1 - across) + z[bottom + right] * across
    return np.where(inside, upper * (1 - down) + lower * down, np.nan)


def covered(
    shapes: NDArray[np.object_], west_m: float, north_m: float, cell_m: float, count: int
) -> NDArray[np.bool_]:
    """Return which cells of a square grid have their middle in one of the shapes."""
    import shapely
    from rasterio.features import rasterize
    from rasterio.transform import from_origin

    size_m = count * cell_m
    box = shapely.box(west_m, north_m - size_m, west_m + size_m, north_m)
    near = shapes[shapely.STRtree(shapes).query(box)]
    if not len(near):
        return np.zeros((count, count), dtype=bool)
    grid = from_origin(west_m, north_m, cell_m, cell_m)
    laid = rasterize(((shape, 1) for shape in near), out_shape=(count, count), transform=grid)
    return np.asarray(laid, dtype=bool)
