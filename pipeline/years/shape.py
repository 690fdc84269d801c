"""What an outline and its surroundings tell of a building's age: arrays in, arrays out."""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.geo.raster import Floats

_DENSITY_RADII_M = (60.0, 250.0)
_NEIGHBOUR_COUNTS = (1, 8)


def shape_columns(shapes: NDArray[np.object_]) -> dict[str, Floats]:
    """Return size and form of each outline; the CRS must be projected.

    Lengths in metres. No measure moves much further than the corners do, as those of the smallest
    rectangle around an outline would. ``depth_m`` is the shorter side of the rectangle of equal spread
    (second moments of area, courtyards filled). ``lies_east_share`` is near 1 for a thin bar from east
    to west and near −1 from north to south, ``lies_northeast_share`` near 1 from north-east to
    south-west; both are 0 for a square or circle. ``compactness_share`` is 4π × area / perimeter²
    (Polsby–Popper), 1 for a circle; ``fill_share`` is the area over the convex hull's.
    """
    area, perimeter = shapely.area(shapes), shapely.length(shapes)
    xx, yy, xy = _spread_m2(shapes)
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = np.hypot((xx - yy) / 2, xy)
        return {
            "area_log": np.log(np.where(area > 0, area, np.nan)),
            "perimeter_m": perimeter,
            "depth_m": np.sqrt(12 * ((xx + yy) / 2 - wide)),
            "compactness_share": 4 * np.pi * area / perimeter**2,
            "fill_share": area / shapely.area(shapely.convex_hull(shapes)),
            "lies_east_share": (xx - yy) / (xx + yy),
            "lies_northeast_share": 2 * xy / (xx + yy),
            "courtyard_count": _hole_count(shapes),
            "corner_count": shapely.get_num_coordinates(shapes).astype(float),
        }


def _spread_m2(shapes: NDArray[np.object_]) -> tuple[Floats, Floats, Floats]:
    """Return variances east and north of the area within outer rings, and their covariance.

    Green's theorem, each shape from a corner of its own: far from the origin squares lose digits.
    """
    parts, owner_of_part = shapely.get_parts(shapes, return_index=True)
    points, part = shapely.get_coordinates(
        shapely.get_exterior_ring(shapely.orient_polygons(parts)), return_index=True
    )
    owner, count = owner_of_part[part], len(shapes)
    corner = shapely.bounds(shapes)[:, :2]
    x, y = (points - corner[owner]).T
    within = np.flatnonzero(part[1:] == part[:-1])
    x0, y0, x1, y1, of = x[within], y[within], x[within + 1], y[within + 1], owner[within]
    double = x0 * y1 - x1 * y0

    def total(values: Floats) -> Floats:
        return np.bincount(of, values * double, count).astype(np.float64)

    with np.errstate(divide="ignore", invalid="ignore"):
        area = total(np.ones(len(of))) / 2
        middle_x, middle_y = total(x0 + x1) / (6 * area), total(y0 + y1) / (6 * area)
        xx = total(x0 * x0 + x0 * x1 + x1 * x1) / (12 * area) - middle_x**2
        yy = total(y0 * y0 + y0 * y1 + y1 * y1) / (12 * area) - middle_y**2
        xy = total(x0 * (2 * y0 + y1) + x1 * (2 * y1 + y0)) / (24 * area) - middle_x * middle_y
    return xx, yy, xy


def _hole_count(shapes: NDArray[np.object_]) -> Floats:
    parts, owner = shapely.get_parts(shapes, return_index=True)
    holes = shapely.get_num_interior_rings(parts)
    return np.bincount(owner, holes, minlength=len(shapes)).astype(float)


def density_columns(points: Floats, all_points: Floats, all_area_m2: Floats) -> dict[str, Floats]:
    """Return how densely a place is built, at fixed radii so that no selection changes it.

    Parameters
    ----------
    points
        Where to measure, n × 2, metres.
    all_points, all_area_m2
        Middle and area of every delivered footprint, whatever its use.
    """
    tree = cKDTree(all_points)
    columns = {}
    for radius_m in _DENSITY_RADII_M:
        pairs = cKDTree(points).sparse_distance_matrix(tree, radius_m, output_type="ndarray")
        built = np.bincount(pairs["i"], all_area_m2[pairs["j"]], len(points))
        columns[f"built_{radius_m:.0f}_share"] = built / (np.pi * radius_m**2)
    reach = min(max(_NEIGHBOUR_COUNTS) + 1, len(all_points))
    distance = np.atleast_2d(tree.query(points, k=reach)[0].reshape(len(points), -1))
    for count in _NEIGHBOUR_COUNTS:
        columns[f"neighbour_{count}_m"] = distance[:, min(count, reach - 1)]
    return columns
