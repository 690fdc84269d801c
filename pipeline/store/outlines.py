"""Outlines that drawings keep as closed lines."""

import numpy as np
import shapely
from numpy.typing import NDArray

_FEWEST_POINTS = 4
"""Of a closed ring: a triangle whose first corner stands again at its end."""


def closed_lines_as_areas(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return shapes with closed lines turned into the areas that they enclose, others untouched."""
    found = shapes.copy()
    is_line = shapely.get_type_id(shapes) == 1
    rings = is_line & shapely.is_closed(shapes) & (shapely.get_num_points(shapes) >= _FEWEST_POINTS)
    found[rings] = [shapely.Polygon(line) for line in shapely.force_2d(shapes[rings])]
    return found
