"""Blocks and parcels: what lies between the streets.

A block is one cell of the street mesh, drawn in from its streets. A parcel is one to twelve
neighbouring blocks inside a square of 4 × 4 that one owner built on: usually an estate.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from pipeline.reference.chance import Bools, Floats, Ints, stream
from pipeline.reference.mesh import Lattice
from pipeline.reference.settings import Mesh

SQUARE = 4
_TILINGS = 64
# chance that a piece of so many cells is left whole
_WHOLE_SHARE = (0.0, 1.0, 0.3, 0.6, 0.62, 0.0, 0.72, 0.0, 0.56, 0.52, 0.0, 0.0, 0.4)


@dataclass(frozen=True)
class Blocks:
    """Candidate cells of the lattice that can be built on, one entry per block.

    ``corners`` is n × 4 × 2 on the street lines (along the row first); ``polygons`` lie inside the
    street's edge; ``angle_rad`` is the direction of the contour.
    """

    row: Ints
    column: Ints
    parcel: Ints
    corners: Floats
    polygons: np.ndarray
    centre: Floats
    angle_rad: Floats


def square_tilings(rng: np.random.Generator) -> Ints:
    """Return ways to cut a 4 × 4 square into rectangles: tilings × 4 × 4 piece numbers 0–15."""
    result = np.zeros((_TILINGS, SQUARE, SQUARE), dtype=np.int64)
    for tiling in range(_TILINGS):
        pieces = [(0, 0, SQUARE, SQUARE)]
        done: list[tuple[int, int, int, int]] = []
        while pieces:
            row, column, height, width = pieces.pop()
            cells = height * width
            if cells <= 1 or (cells <= 12 and rng.random() < _WHOLE_SHARE[cells]):
                done.append((row, column, height, width))
            elif width > height or (width == height and rng.random() < 0.5):
                cut = int(rng.integers(1, width))
                pieces += [(row, column, height, cut), (row, column + cut, height, width - cut)]
            else:
                cut = int(rng.integers(1, height))
                pieces += [(row, column, cut, width), (row + cut, column, height - cut, width)]
        for number, (row, column, height, width) in enumerate(done):
            result[tiling, row : row + height, column : column + width] = number
    return result


def parcel_numbers(
    rng: np.random.Generator, row: Ints, column: Ints, shape: tuple[int, int]
) -> Ints:
    """Return the parcel of each cell: a number shared by the cells of one piece of one square."""
    tilings = square_tilings(rng)
    squares = (shape[0] // SQUARE + 2, shape[1] // SQUARE + 2)
    tiling_of = rng.integers(0, _TILINGS, squares)
    # squares are staggered along the rows, so that no street runs straight for ever
    shifted = column + 2 * ((row // SQUARE) % 2)
    square_row, square_column = row // SQUARE, shifted // SQUARE
    piece = tilings[tiling_of[square_row, square_column], row % SQUARE, shifted % SQUARE]
    return np.asarray((square_row * squares[1] + square_column) * SQUARE**2 + piece)


def make_blocks(seed: int, mesh: Mesh, lattice: Lattice, chosen: Bools, tile: int) -> Blocks:
    """Return the blocks of the chosen cells; crushed ones are left out."""
    row, column = np.nonzero(chosen)
    corners = lattice.cell_corners()[row, column]
    parcel = parcel_numbers(stream(seed, "parcels", tile), row, column, lattice.shape)
    inset = (
        np.where(
            _side_levels(lattice, row, column) > 0,
            mesh.main_road_half_width_m,
            mesh.local_road_half_width_m,
        )
        + 1.5
    )
    polygons = shapely.polygons(inset_corners(corners, inset))
    middle = corners.mean(axis=1)
    along = corners[:, 1] + corners[:, 2] - corners[:, 0] - corners[:, 3]
    fine = shapely.is_valid(polygons) & (shapely.area(polygons) > 1500)
    return Blocks(
        row[fine],
        column[fine],
        parcel[fine],
        corners[fine],
        polygons[fine],
        middle[fine],
        np.arctan2(along[fine, 1], along[fine, 0]),
    )


def _side_levels(lattice: Lattice, row: Ints, column: Ints) -> Ints:
    """Return the road level on the four sides of cells, in the order of the corners' ring."""
    rows, columns = lattice.shape
    along_count = rows * (columns - 1)
    along = lattice.road_level[:along_count].reshape(rows, columns - 1)
    across = lattice.road_level[along_count:].reshape(rows - 1, columns)
    sides = (
        along[row, column],
        across[row, column + 1],
        along[row + 1, column],
        across[row, column],
    )
    return np.column_stack(sides)


def inset_corners(corners: Floats, inset_m: Floats) -> Floats:
    """Return quadrilaterals drawn in by a distance per side.

    Parameters
    ----------
    corners
        n × 4 × 2, in ring order; either direction.
    inset_m
        n × 4, for the side from corner k to corner k + 1.
    """
    side = np.roll(corners, -1, axis=1) - corners
    unit = side / np.maximum(np.hypot(side[..., 0], side[..., 1]), 1e-9)[..., None]
    inward = np.stack([-unit[..., 1], unit[..., 0]], axis=-1)
    handed = np.sign(np.sum(inward * (corners.mean(axis=1)[:, None] - corners), axis=-1))
    inward *= handed[..., None]
    before_inward, before_inset = np.roll(inward, 1, axis=1), np.roll(inset_m, 1, axis=1)
    # the new corner lies inset from both sides that meet there: a 2 × 2 system for each corner
    cross = inward[..., 0] * before_inward[..., 1] - inward[..., 1] * before_inward[..., 0]
    cross = np.where(np.abs(cross) < 0.2, np.sign(cross + 1e-12) * 0.2, cross)
    move_x = (inset_m * before_inward[..., 1] - before_inset * inward[..., 1]) / cross
    move_y = (before_inset * inward[..., 0] - inset_m * before_inward[..., 0]) / cross
    return np.asarray(corners + np.stack([move_x, move_y], axis=-1))
