"""Polygons from OpenStreetMap ways and multipolygon relations.

The outer rings of a relation are closed by joining its member ways end to end, inner rings are cut
out. Repairs what is invalid; what cannot be a polygon comes back with its reason.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.contracts.raw import OsmExtract, OsmMember, OsmRelation, OsmWay
from pipeline.geo.crs import crs_of
from pipeline.geo.datum import into_working_crs
from pipeline.geo.raster import Floats
from pipeline.settings.city import Source

Locate = Callable[[Iterable[int]], Floats | None]
_NO_TAGS_OF_ITS_OWN = frozenset(
    {"type", "source", "note", "name", "created_by", "fixme", "comment"}
)


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


class Outline(NamedTuple):
    """A way or relation that bears what is looked for, and its area."""

    key: str
    """W or R and its number."""
    row: str
    tags: Mapping[str, str]
    area: Area


def outlines(
    extract: OsmExtract, locate: Locate, bears: Callable[[Mapping[str, str]], bool]
) -> list[Outline]:
    """Return every way, then every relation, whose tags bear what is looked for, with its area.

    Of a multipolygon without tags of its own the only outer way speaks (the old style), and loses the
    holes. Where both bear it the relation counts, of a relation of type ``building`` its outline.
    """
    ways = {way.id: way for way in extract.ways}
    holed: dict[int, OsmRelation] = {}
    said_again: dict[int, int] = {}
    for relation in extract.relations:
        outer = [one.id for one in relation.members if one.type == "way" and one.role != "inner"]
        if relation.tags.get("type") != "multipolygon" or len(outer) != 1:
            continue
        if bears(relation.tags):
            said_again[outer[0]] = relation.id
        elif _NO_TAGS_OF_ITS_OWN.issuperset(relation.tags):
            holed[outer[0]] = relation
    found = []
    for way in extract.ways:
        if not bears(way.tags):
            continue
        if way.id in said_again:
            told = f"relation {said_again[way.id]} draws it with its holes"
            area = Area(None, "repeated_outline", told)
        elif way.id in holed:
            area = relation_area(holed[way.id], ways, locate)
        else:
            area = way_area(way, locate)
        found.append(Outline(f"W{way.id}", f"way/{way.id}", way.tags, area))
    for relation in extract.relations:
        if not bears(relation.tags):
            continue
        own = [
            one.id for one in _outline_members(relation)
            if relation.tags.get("type") == "building" and one.id in ways and bears(ways[one.id].tags)
        ]  # fmt: skip
        area = relation_area(relation, ways, locate) if not own else Area(
            None, "repeated_outline", f"its outline, way {own[0]}, bears the same"
        )  # fmt: skip
        found.append(Outline(f"R{relation.id}", f"relation/{relation.id}", relation.tags, area))
    return found


def relation_area(relation: OsmRelation, ways: dict[int, OsmWay], locate: Locate) -> Area:
    """Return the area of a multipolygon relation, holes taken off.

    A ring inside an odd number of others is a hole, one inside an even number stands by itself (an
    island in a yard), whatever the roles say. Of a relation of type ``building`` its outline counts,
    or else its parts together.
    """
    lines: dict[str, list[shapely.Geometry]] = {"outer": [], "inner": []}
    for member in _outline_members(relation):
        points = locate(ways[member.id].node_ids) if member.id in ways else None
        if points is None or len(points) < 2:
            return Area(None, "member_absent", f"way {member.id} of the outline is not in the file")
        role = "inner" if member.role == "inner" else "outer"
        lines[role].append(shapely.LineString(points))
    if not lines["outer"] and not lines["inner"]:
        return Area(None, "no_outer_ring", "no member way that draws an outline")
    if relation.tags.get("type") == "building":
        whole, gap = _faces(lines["outer"])
        return repaired(whole) if gap is None else _not_closed(gap)
    rings, gap = _rings([*lines["outer"], *lines["inner"]])
    crossing = (shapely.overlaps(one, two) for one, two in combinations(rings, 2))
    if gap is None and not any(crossing):
        return _nested(rings)
    outer, gap = _faces(lines["outer"])
    inner, inner_gap = _faces(lines["inner"])
    if gap is not None or inner_gap is not None:
        return _not_closed(gap if gap is not None else inner_gap)
    return repaired(shapely.difference(outer, inner))


def _outline_members(relation: OsmRelation) -> list[OsmMember]:
    """Return the member ways that draw a relation's outline, each once."""
    members = list({(one.type, one.id): one for one in relation.members}.values())
    members = [one for one in members if one.type == "way"]
    if relation.tags.get("type") == "building":
        outlines = [one for one in members if one.role in ("outline", "outer")]
        return outlines or [one for one in members if one.role in ("part", "")]
    return members


def _not_closed(gap_m: float | None) -> Area:
    return Area(
        None, "ring_not_closed",
        f"the member ways do not join into closed rings (a gap of {gap_m or 0:.1f} m)",
    )  # fmt: skip


def _rings(lines: list[shapely.Geometry]) -> tuple[list[shapely.Geometry], float | None]:
    """Return the different rings that lines close, and how wide the first one gapes if one does."""
    is_closed = np.array([shapely.is_closed(line) for line in lines], dtype=bool)
    joined = shapely.line_merge(
        shapely.MultiLineString(
            [x for x, closed in zip(lines, is_closed, strict=True) if not closed]
        )
    )
    parts = [part for part in shapely.get_parts(joined) if not shapely.is_empty(part)]
    for part in parts:
        if not shapely.is_closed(part):
            ends = shapely.get_point(part, 0), shapely.get_point(part, -1)
            return [], float(shapely.distance(*ends))
    closed = [line for line, there in zip(lines, is_closed, strict=True) if there]
    rings = [
        repaired(shapely.Polygon(shapely.get_coordinates(one))).shape for one in [*closed, *parts]
    ]
    return list({one.wkb: one for one in rings if one is not None}.values()), None


def _nested(rings: list[shapely.Geometry]) -> Area:
    """Return the area inside an odd number of rings that do not cross each other."""
    area: shapely.Geometry = shapely.Polygon()
    for ring in rings:
        area = shapely.symmetric_difference(area, ring)
    return repaired(area)


def _faces(lines: list[shapely.Geometry]) -> tuple[shapely.Geometry, float | None]:
    """Return everything that lines enclose, also where rings share a side, and a gap if one is open."""
    if not lines:
        return shapely.Polygon(), None
    rings, gap = _rings(lines)
    if gap is None:
        return shapely.union_all(rings), None
    faces, cuts, dangles, _ = shapely.polygonize_full(shapely.get_parts(shapely.union_all(lines)))
    if shapely.is_empty(faces) or not (shapely.is_empty(cuts) and shapely.is_empty(dangles)):
        return shapely.Polygon(), gap
    return shapely.union_all(shapely.get_parts(faces)), None


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
