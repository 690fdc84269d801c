"""Streets kept as lines of a vector file, seen as OpenStreetMap ways.

Lines that share a vertex meet there; lines that only cross do not, so a bridge needs no tag for that.
"""

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.contracts.raw import FeatureTable, OsmExtract, OsmWay
from pipeline.contracts.source_columns import field
from pipeline.geo.raster import Floats
from pipeline.intake.features import as_list
from pipeline.settings.city import Source

_TAG_OF = {"highway_type": "highway"}
_NO_TAG = ("road_name",)
_DEGREE_DECIMALS, _METRE_DECIMALS = 7, 2
"""Vertices closer than a centimetre are one."""


def streets_as_osm(table: FeatureTable, source: Source, first_number: int) -> OsmExtract:
    """Return the lines of a layer as ways, numbered in the file's order from ``first_number``.

    ``columns.highway_type``, translated by ``values``, gives the class; any other column is taken as
    the OpenStreetMap tag of that name (bridge, tunnel, step_count, incline …). A feature without a
    line becomes a way without points, for intake to tell.
    """
    tags = {
        _TAG_OF.get(column, column): as_list(field(table.fields, source, column))
        for column in {**source.columns, **source.constants}
        if column not in _NO_TAG
    }
    labels = as_list(field(table.fields, source, "road_name"))
    name_tag = source.columns.get("road_name", ["name"])[0]
    is_line = np.isin(shapely.get_type_id(table.shapes), (1, 5))
    lines = shapely.force_2d(table.shapes[is_line])
    parts, row_of_part = shapely.get_parts(lines, return_index=True)
    rows = np.concatenate([np.flatnonzero(is_line)[row_of_part], np.flatnonzero(~is_line)])
    points, part = shapely.get_coordinates(parts, return_index=True)
    is_metric = bool(len(points)) and bool(np.nanmax(np.abs(points)) > 400)
    rounded = points.round(_METRE_DECIMALS if is_metric else _DEGREE_DECIMALS)
    numbers = _node_numbers(rounded)
    ids, first = np.unique(numbers, return_index=True)
    ends = np.searchsorted(part, np.arange(len(rows) + 1))
    node_ids = numbers.tolist()
    order = np.argsort(rows, kind="stable").tolist()
    ways = []
    for number, place in enumerate(order, first_number):
        row = int(rows[place])
        told = {tag: values[row] for tag, values in tags.items() if values[row]}
        told.setdefault("highway", "unknown")
        if labels[row]:
            told[name_tag] = labels[row]
        ways.append(OsmWay(number, tuple(node_ids[ends[place] : ends[place + 1]]), told))
    return OsmExtract(ids, rounded[first, 0], rounded[first, 1], {}, tuple(ways))


def _node_numbers(points: Floats) -> NDArray[np.int64]:
    """Return a number that follows from a vertex's place, so that layers meet where they touch.

    62 bits of a multiplicative hash, set apart from OpenStreetMap's own numbers: among a million
    vertices two share one by chance once in some million cities.
    """
    bits = np.ascontiguousarray(points + 0.0).view(np.uint64).reshape(-1, 2)
    mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15) + bits[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return ((mixed >> np.uint64(2)) | np.uint64(1 << 61)).astype(np.int64)
