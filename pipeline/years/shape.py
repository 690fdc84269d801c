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

    Lengths in metres. ``orientation_deg`` is that of the longer side of the smallest rectangle
    around the outline, 0 to 180; ``compactness_share`` is 4π × area / perimeter² (Polsby–Popper), 1
    for a circle; ``fill_share`` is the area over that rectangle's.
    """
    area, perimeter = shapely.area(shapes), shapely.length(shapes)
    boxes = shapely.oriented_envelope(shapes)
    is_box = (shapely.get_type_id(boxes) == 3) & ~shapely.is_empty(boxes)
    corners = np.full((len(shapes), 3, 2), np.nan)
    if is_box.any():
        corners[is_box] = shapely.get_coordinates(boxes[is_box]).reshape(-1, 5, 2)[:, :3]
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    one_m, two_m = np.hypot(*one.T), np.hypot(*two.T)
    along = np.where((one_m >= two_m)[:, None], one, two)
    longer, shorter = np.fmax(one_m, two_m), np.fmin(one_m, two_m)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "area_log": np.log(np.where(area > 0, area, np.nan)),
            "perimeter_m": perimeter,
            "depth_m": shorter,
            "elongation": longer / shorter,
            "compactness_share": 4 * np.pi * area / perimeter**2,
            "fill_share": area / (longer * shorter),
            "orientation_deg": np.degrees(np.arctan2(along[:, 1], along[:, 0])) % 180,
            "courtyard_count": _hole_count(shapes),
            "corner_count": shapely.get_num_coordinates(shapes).astype(float),
        }


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
