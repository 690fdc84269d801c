"""Polygons from OpenStreetMap ways and multipolygon relations.

The outer rings of a relation are closed by joining its member ways end to end, inner rings are cut
out. Repairs what is invalid; what cannot be a polygon comes back with its reason.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.contracts.raw import OsmExtract, OsmRelation, OsmWay
from pipeline.geo.crs import crs_of
from pipeline.geo.datum import into_working_crs
from pipeline.geo.raster import Floats
from pipeline.settings.city import Source

Locate = Callable[[Iterable[int]], Floats | None]


class Area(NamedTuple):
    """A polygon or the reason why there is none."""

    shape: shapely.Geometry | None
    fault: str = ""
    detail: str = ""
    is_repaired: bool = False


def node_positions(extract: OsmExtract, source: Source, working_crs: str) -> Floats:
    """Return x and y of the extract's nodes, metres, as an (n, 2) array."""
    x, y = into_working_crs(
        extract.node_x,
        extract.node_y,
        datum=source.datum,
        crs=crs_of(source),
        working_crs=working_crs,
    )
    return np.column_stack([x, y])


def node_locator(extract: OsmExtract, position: Floats) -> Locate:
    """Return a function from node ids to an (n, 2) array, or None where one is absent."""

    def locate(node_ids: Iterable[int]) -> Floats | None:
        wanted = np.fromiter(node_ids, dtype=np.int64)
        index = np.searchsorted(extract.node_id, wanted)
        index = np.minimum(index, len(extract.node_id) - 1)
        if len(extract.node_id) == 0 or (extract.node_id[index] != wanted).any():
            return None
        return position[index]

    return locate


def way_area(way: OsmWay, locate: Locate) -> Area:
    """Return the area inside a closed way."""
    if len(way.node_ids) < 4:
        return Area(None, "too_few_points", f"{len(way.node_ids)} points")
    if way.node_ids[0] != way.node_ids[-1]:
        return Area(None, "ring_not_closed", "first and last point differ")
    points = locate(way.node_ids)
    if points is None:
        return Area(None, "point_absent", "a point of the outline is not in the file")
    return repaired(shapely.Polygon(points))


def relation_area(relation: OsmRelation, ways: dict[int, OsmWay], locate: Locate) -> Area:
    """Return the area of a multipolygon relation, holes taken off."""
    lines: dict[str, list[shapely.Geometry]] = {"outer": [], "inner": []}
    for member in relation.members:
        if member.type != "way":
            continue
        role = "inner" if member.role == "inner" else "outer"
        points = locate(ways[member.id].node_ids) if member.id in ways else None
        if points is None or len(points) < 2:
            return Area(None, "member_absent", f"way {member.id} of the outline is not in the file")
        lines[role].append(shapely.LineString(points))
    if not lines["outer"]:
        return Area(None, "no_outer_ring", "no member with the role outer")
    outer, outer_open = _rings(lines["outer"])
    inner, inner_open = _rings(lines["inner"])
    if outer_open or inner_open or outer.is_empty:
        return Area(None, "ring_not_closed", "the member ways do not join into closed rings")
    return repaired(shapely.difference(outer, inner))


def _rings(lines: list[shapely.Geometry]) -> tuple[shapely.Geometry, bool]:
    """Return the union of the areas that lines close, and whether some line stays open."""
    closed = [line for line in lines if shapely.is_closed(line)]
    joined = shapely.line_merge(shapely.union_all([x for x in lines if not shapely.is_closed(x)]))
    parts = [part for part in shapely.get_parts(joined) if not shapely.is_empty(part)]
    is_open = any(not shapely.is_closed(part) for part in parts)
    rings = [part for part in [*closed, *parts] if shapely.is_closed(part)]
    polygons = [repaired(shapely.Polygon(shapely.get_coordinates(ring))).shape for ring in rings]
    return shapely.union_all([polygon for polygon in polygons if polygon is not None]), is_open


def repaired(shape: shapely.Geometry) -> Area:
    """Return a valid polygon or multipolygon in standard order, or the reason why there is none."""
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        return Area(None, "position_unusable", "a coordinate is not a number")
    is_repaired = not shapely.is_valid(shape)
    if is_repaired:
        shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    parts: NDArray[np.object_] = shapely.get_parts(shape)
    areal = [part for part in parts if shapely.get_type_id(part) == 3 and shapely.area(part) > 0]
    if not areal:
        return Area(None, "no_area", "the outline encloses nothing")
    shape = areal[0] if len(areal) == 1 else shapely.MultiPolygon(areal)
    return Area(shapely.normalize(shape), is_repaired=is_repaired)
