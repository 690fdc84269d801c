"""Streets kept as lines of a vector file, seen as OpenStreetMap ways.

Lines that share a vertex meet there; lines that only cross do not, so a bridge needs no tag for that.
"""

import numpy as np
import shapely

from pipeline.contracts.raw import FeatureTable, OsmExtract, OsmWay
from pipeline.contracts.source_columns import field
from pipeline.geo.vertices import rounded_vertices, vertex_numbers
from pipeline.intake.features import as_list
from pipeline.settings.city import Source

_TAG_OF = {"highway_type": "highway"}
_NO_TAG = ("road_name",)
_CLASS_NOT_TOLD = "road"
"""OpenStreetMap's word for a street of unknown class."""


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
    rounded = rounded_vertices(points)
    numbers = vertex_numbers(rounded)
    ids, first = np.unique(numbers, return_index=True)
    ends = np.searchsorted(part, np.arange(len(rows) + 1))
    node_ids = numbers.tolist()
    order = np.argsort(rows, kind="stable").tolist()
    ways = []
    for number, place in enumerate(order, first_number):
        row = int(rows[place])
        told = {tag: values[row] for tag, values in tags.items() if values[row]}
        told.setdefault("highway", _CLASS_NOT_TOLD)
        if labels[row]:
            told[name_tag] = labels[row]
        ways.append(OsmWay(number, tuple(node_ids[ends[place] : ends[place + 1]]), told))
    return OsmExtract(ids, rounded[first, 0], rounded[first, 1], {}, tuple(ways))
