"""Numbers for vertices that have none, so that what touches has a vertex in common."""

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats

_DEGREE_DECIMALS, _METRE_DECIMALS = 7, 2
"""Vertices closer than a centimetre are one."""


def rounded_vertices(points: Floats) -> Floats:
    """Return an (n, 2) array of positions to the centimetre, in degrees or metres by their size."""
    is_metric = bool(len(points)) and bool(np.nanmax(np.abs(points)) > 400)
    return points.round(_METRE_DECIMALS if is_metric else _DEGREE_DECIMALS)


def vertex_numbers(rounded: Floats) -> NDArray[np.int64]:
    """Return a number that follows from a vertex's place, so that layers meet where they touch.

    62 bits of a multiplicative hash, set apart from OpenStreetMap's own numbers: among a million
    vertices two share one by chance once in some million cities.
    """
    bits = np.ascontiguousarray(rounded + 0.0).view(np.uint64).reshape(-1, 2)
    mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15) + bits[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return ((mixed >> np.uint64(2)) | np.uint64(1 << 61)).astype(np.int64)
