"""Building lots: rows of buildings laid into blocks, and the outlines of buildings.

Rows lie along the contour; rows of one block share pitch and setback, single buildings are left
out or turned a little, so that the pattern is that of a compound and not of a chessboard.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from pipeline.reference.chance import Floats, Ints, pick
from pipeline.reference.settings import BuildingType

# Outlines in a unit square; area is the share of the square they cover.
OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "bar": ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)),
    "step": (
        (-0.5, -0.5), (0.06, -0.5), (0.06, -0.3), (0.5, -0.3),
        (0.5, 0.5), (-0.06, 0.5), (-0.06, 0.3), (-0.5, 0.3),
    ),
    "ell": ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.02), (-0.12, 0.02), (-0.12, 0.5), (-0.5, 0.5)),
    "tee": (
        (-0.5, -0.5), (0.5, -0.5), (0.5, 0.22), (0.2, 0.22),
        (0.2, 0.5), (-0.2, 0.5), (-0.2, 0.22), (-0.5, 0.22),
    ),
    "court": (
        (-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (0.2, 0.5),
        (0.2, -0.12), (-0.2, -0.12), (-0.2, 0.5), (-0.5, 0.5),
    ),
    "cross": (
        (-0.5, -0.28), (-0.26, -0.28), (-0.26, -0.5), (0.26, -0.5), (0.26, -0.28), (0.5, -0.28),
        (0.5, 0.28), (0.26, 0.28), (0.26, 0.5), (-0.26, 0.5), (-0.26, 0.28), (-0.5, 0.28),
    ),
}  # fmt: skip
# angled and courtyard outlines need a deeper lot than a slab for the same depth of rooms
DEPTH_FACTOR = {"bar": 1.0, "step": 1.2, "ell": 1.3, "tee": 1.2, "court": 1.55, "cross": 1.0}


@dataclass(frozen=True)
class Lots:
    """Places for buildings, one entry each.

    ``block`` numbers the block; ``angle_rad`` is the direction of the long side.
    """

    block: Ints
    x_m: Floats
    y_m: Floats
    length_m: Floats
    depth_m: Floats
    angle_rad: Floats
    shape: np.ndarray

    def take(self, rows: Ints) -> "Lots":
        """Return the lots in ``rows``."""
        return Lots(
            self.block[rows],
            self.x_m[rows],
            self.y_m[rows],
            self.length_m[rows],
            self.depth_m[rows],
            self.angle_rad[rows],
            self.shape[rows],
        )

    def outlines(self) -> np.ndarray:
        """Return the building polygons."""
        result = np.empty(self.x_m.size, dtype=object)
        for shape, unit in OUTLINES.items():
            rows = np.flatnonzero(self.shape == shape)
            if rows.size:
                result[rows] = shapely.polygons(self._corners(rows, np.array(unit)))
        return result

    def rectangles(self) -> np.ndarray:
        """Return the bounding rectangle of each lot."""
        return shapely.polygons(self._corners(np.arange(self.x_m.size), np.array(OUTLINES["bar"])))

    def _corners(self, rows: Ints, unit: Floats) -> Floats:
        cos, sin = np.cos(self.angle_rad[rows])[:, None], np.sin(self.angle_rad[rows])[:, None]
        along = unit[:, 0] * self.length_m[rows][:, None]
        across = unit[:, 1] * self.depth_m[rows][:, None]
        x = self.x_m[rows][:, None] + along * cos - across * sin
        y = self.y_m[rows][:, None] + along * sin + across * cos
        # centimetres: what a survey office delivers
        return np.asarray(np.round(np.stack([x, y], axis=-1), 2), dtype=np.float64)


def join(parts: list[Lots]) -> Lots:
    """Return several sets of lots as one."""
    names = ("block", "x_m", "y_m", "length_m", "depth_m", "angle_rad", "shape")
    return Lots(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def lay_lots(
    rng: np.random.Generator,
    kind: BuildingType,
    block: Ints,
    polygons: np.ndarray,
    centre: Floats,
    angle_rad: Floats,
) -> Lots:
    """Return lots of one building type in blocks.

    Parameters
    ----------
    block
        Numbers the blocks carry in the result.
    polygons, centre, angle_rad
        Outline, middle (n × 2) and row direction of each block.
    """
    count = block.size
    # one draw per block: neighbours in an estate are alike
    depth = rng.uniform(kind.depth_m[0], kind.depth_m[1], count)
    length = rng.uniform(kind.length_m[0], kind.length_m[1], count)
    span_x, span_y, shear = _extent(polygons, angle_rad)
    yard = kind.yard_m * rng.uniform(0.85, 1.35, count)
    rows = np.maximum(1, np.floor((span_y + yard) / (depth * 1.08 + yard))).astype(int)
    pitch_y = (span_y + 0.6 * yard) / rows
    pitch_x = length + kind.gap_m * rng.uniform(0.85, 1.3, count)
    columns = np.maximum(1, np.floor((span_x + kind.gap_m) / pitch_x)).astype(int) + 1
    angle = angle_rad + rng.normal(0, np.radians(1.0), count)

    total = rows * columns
    owner = np.repeat(np.arange(count), total)
    order = np.arange(total.sum()) - np.repeat(np.cumsum(total) - total, total)
    row = order // columns[owner]
    # rows start at different places and carry buildings of different length
    slide = rng.uniform(-0.35, 0.35, (count, rows.max() if count else 0))[owner, row]
    step_x = order % columns[owner] - (columns[owner] - 1) / 2 + slide
    across = (row - (rows[owner] - 1) / 2) * pitch_y[owner]
    along = step_x * pitch_x[owner] + shear[owner] * across
    across = across + rng.normal(0, 0.05 * kind.yard_m, owner.size)
    cos, sin = np.cos(angle[owner]), np.sin(angle[owner])
    shape = pick(rng, {str(k): v for k, v in kind.shapes.items()}, owner.size)
    factor = np.array([DEPTH_FACTOR[name] for name in shape])
    room = np.maximum(depth[owner], pitch_y[owner] - 0.5 * kind.yard_m)
    made = Lots(
        block[owner],
        centre[owner, 0] + along * cos - across * sin,
        centre[owner, 1] + along * sin + across * cos,
        length[owner] * rng.uniform(0.72, 1.0, owner.size),
        np.minimum(depth[owner] * rng.uniform(0.94, 1.06, owner.size) * factor, room),
        angle[owner] + rng.normal(0, np.radians(kind.turn_deg) / 2, owner.size),
        shape,
    )
    return _fitted(rng, kind, made, polygons[owner])


def _extent(polygons: np.ndarray, angle_rad: Floats) -> tuple[Floats, Floats, Floats]:
    """Return length along the rows, depth across them and sideways lean of quadrilateral blocks."""
    ring = shapely.get_coordinates(polygons).reshape(-1, 5, 2)[:, :4]
    unit = np.column_stack([np.cos(angle_rad), np.sin(angle_rad)])[:, None]
    along = np.sum(ring * unit, axis=2)
    across = ring[..., 1] * unit[..., 0] - ring[..., 0] * unit[..., 1]
    lean = along[:, 2] + along[:, 3] - along[:, 0] - along[:, 1]
    height = across[:, 2] + across[:, 3] - across[:, 0] - across[:, 1]
    shear = np.clip(lean / np.where(np.abs(height) < 1, 1, height), -0.8, 0.8)
    span_y = np.abs(height) / 2
    return shapely.area(polygons) / np.maximum(span_y, 1), span_y, shear


def _fitted(rng: np.random.Generator, kind: BuildingType, lots: Lots, polygons: np.ndarray) -> Lots:
    """Return the lots that lie inside their block; those that stick out are tried at two thirds."""
    wanted = rng.random(lots.x_m.size) < kind.keep_share
    shapely.prepare(polygons)
    near = wanted & shapely.contains_xy(polygons, lots.x_m, lots.y_m)
    rows = np.flatnonzero(near)
    inside = shapely.contains(polygons[rows], lots.take(rows).rectangles())
    tight = rows[~inside]
    short = lots.take(tight)
    least = 0.62 * kind.length_m[0]
    shorter = np.maximum(short.length_m * 0.62, least)
    short = Lots(
        short.block,
        short.x_m,
        short.y_m,
        shorter,
        short.depth_m * 0.94,
        short.angle_rad,
        short.shape,
    )
    fits = np.flatnonzero(shapely.contains(polygons[tight], short.rectangles()))
    return join([lots.take(rows[inside]), short.take(fits)])


def overlapping(outlines: np.ndarray) -> Ints:
    """Return the later one of every two outlines that touch, as row numbers."""
    left, right = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    return np.unique(np.maximum(left, right)[left != right])
