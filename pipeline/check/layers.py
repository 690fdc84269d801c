"""What of each source can be compared with the others on the ground: outlines, lines, points.

Coordinates stay as the source has them, so that another datum or CRS can be tried on them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipeline.contracts.raw import FeatureTable, OsmExtract
from pipeline.contracts.source_columns import field as said
from pipeline.geo.raster import Floats
from pipeline.settings.city import Source

STREETS, BORDERS, POINTS, OUTLINES = "streets", "borders", "points", "outlines"
_FACILITY_KEYS = {"amenity", "shop", "tourism", "leisure", "office", "healthcare", "craft"}
_NO_GROUND = ("tunnel", "bridge", "covered", "indoor")
_MOTOR_ROADS = {
    kind + link
    for kind in ("motorway", "trunk", "primary", "secondary", "tertiary")
    for link in ("", "_link")
} | {"unclassified", "residential", "living_street", "service"}
_STOP_TYPES = {"bus_stop", "bus_station"}
NAME_OF_AREA = {
    "boundary": "district_name", "subdistricts": "subdistrict_name",
    "communities": "community_name",
}  # fmt: skip
"""Roles of administrative outlines, and the column that names them."""
_KIND_BY_ROLE = {
    "footprints": OUTLINES, "streets": STREETS, "amenities": POINTS, "housing_register": POINTS,
    "estates": BORDERS, "boundary": BORDERS, "subdistricts": BORDERS, "communities": BORDERS,
    "heritage_areas": BORDERS,
}  # fmt: skip


def _none() -> NDArray[np.object_]:
    return np.array([], dtype=object)


@dataclass(frozen=True)
class Layer:
    """The shapes of one source in its own coordinates.

    ``shapes`` are polygons for outlines and borders, lines for streets, points for points.
    """

    name: str
    source: Source
    kind: str
    shapes: NDArray[np.object_]
    roadside: NDArray[np.object_] = field(default_factory=_none)
    """What belongs to motor traffic: drivable roads of streets, bus stops of facilities."""
    area_names: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    """Column of ``NAME_OF_AREA`` → the area that each shape names; only columns that the source has."""

    def part(self, is_in: NDArray[np.bool_]) -> "Layer":
        """Return the layer with some of its shapes; the roadside ones stay whole."""
        names = {column: said[is_in] for column, said in self.area_names.items()}
        return replace(self, shapes=self.shapes[is_in], area_names=names)


def layer_of(name: str, source: Source, raw: Any) -> Layer | None:
    """Return the layer of a source; none if it has no shapes that lie on the ground."""
    kind = _KIND_BY_ROLE.get(source.role)
    if kind is None:
        return None
    roadside, names = _none(), {}
    if isinstance(raw, OsmExtract):
        shapes, roadside = _from_osm(raw, kind, source), _roadside_of_osm(raw, kind)
        if kind == POINTS and not len(shapes):
            shapes = roadside
    elif isinstance(raw, FeatureTable):
        shapes, row = _from_features(raw, kind)
        roadside = shapes[_is_roadside(raw.fields, kind, source)[row]]
        names = _area_names(raw.fields, source, row)
    elif isinstance(raw, pd.DataFrame):
        shapes, row = _from_register(raw, source)
        names = _area_names(raw, source, row)
    elif isinstance(raw, list):
        shapes = _from_places(raw)
    else:
        return None
    return Layer(name, source, kind, shapes, roadside, names) if len(shapes) else None


def sample(layer: Layer, count: int, seed: int) -> Floats:
    """Return up to ``count`` positions of a layer: points, or places spread along its lines."""
    random = np.random.default_rng(seed)
    if layer.kind == POINTS:
        points = shapely.get_coordinates(layer.shapes)
        if len(points) <= count:
            return points
        return points[np.sort(random.choice(len(points), count, replace=False))]
    lines = layer.shapes if layer.kind == STREETS else shapely.boundary(layer.shapes)
    parts = shapely.get_parts(lines)
    points, owner = shapely.get_coordinates(parts, return_index=True)
    first, second = points[:-1], points[1:]
    length = np.where(owner[:-1] == owner[1:], np.hypot(*(second - first).T), 0.0)
    total = np.cumsum(length)
    if not len(total) or not total[-1] > 0:
        return np.empty((0, 2))
    at = np.sort(random.uniform(0, total[-1], count))
    piece = np.searchsorted(total, at, side="right").clip(max=len(total) - 1)
    share = ((at - (total[piece] - length[piece])) / np.where(length > 0, length, 1)[piece])[
        :, None
    ]
    return np.asarray(first[piece] * (1 - share) + second[piece] * share)


def _is_roadside(fields: pd.DataFrame, kind: str, source: Source) -> NDArray[np.bool_]:
    """Return for each row whether it is a drivable road, or a bus stop."""
    column, wanted = {
        STREETS: ("highway_type", _MOTOR_ROADS), POINTS: ("amenity_type", _STOP_TYPES)
    }.get(kind, ("", set()))  # fmt: skip
    if not wanted:
        return np.zeros(len(fields), dtype=bool)
    return said(fields, source, column).isin(wanted).to_numpy(dtype=bool)


def _area_names(
    fields: pd.DataFrame, source: Source, row: NDArray[np.int64]
) -> dict[str, NDArray[np.object_]]:
    return {
        column: said(fields, source, column).to_numpy(dtype=object)[row]
        for column in NAME_OF_AREA.values()
        if column in source.columns or column in source.constants
    }


def _finite(shapes: Iterable[Any]) -> NDArray[np.object_]:
    """Return the shapes that have a place, 2-D."""
    found = np.array([*shapes], dtype=object)
    return np.asarray(shapely.force_2d(found[_has_place(found)]))


def _has_place(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    there = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    with np.errstate(invalid="ignore"):
        return there & np.isfinite(shapely.bounds(shapes)).all(axis=-1)


def _from_features(table: FeatureTable, kind: str) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the shapes of a kind, and the row that each comes from."""
    row = np.flatnonzero(_has_place(table.shapes))
    shapes = shapely.force_2d(table.shapes[row])
    if kind == POINTS:
        return np.asarray(shapely.point_on_surface(shapes)), row
    parts, place = shapely.get_parts(shapes, return_index=True)
    is_wanted = shapely.get_type_id(parts) == (1 if kind == STREETS else 3)
    return np.asarray(parts[is_wanted]), row[place[is_wanted]]


def _from_places(places: list[dict[str, Any]]) -> NDArray[np.object_]:
    found = []
    for place in places:
        try:
            found.append(shapely.geometry.shape(place["geojson"]))
        except (ValueError, TypeError, KeyError, AttributeError, shapely.errors.ShapelyError):
            continue
    parts = shapely.get_parts(_finite(found))
    return np.asarray(parts[shapely.get_type_id(parts) == 3])


def _from_register(
    rows: pd.DataFrame, source: Source
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the places of a register's rows, and the row that each comes from."""
    axes = []
    for column in ("longitude_deg", "latitude_deg"):
        names = [name for name in source.columns.get(column, []) if name in rows.columns]
        if not names:
            return _none(), np.array([], dtype=np.int64)
        axes.append(pd.to_numeric(rows[names[0]], errors="coerce").to_numpy(dtype=float))
    row = np.flatnonzero(np.isfinite(axes).all(axis=0))
    return np.asarray(shapely.points(*(axis[row] for axis in axes))), row


def _from_osm(extract: OsmExtract, kind: str, source: Source) -> NDArray[np.object_]:
    if kind == POINTS:
        return _osm_points(extract)
    if kind == STREETS:
        chosen = [way.node_ids for way in extract.ways if _is_open_street(way.tags)]
        return _osm_lines(extract, chosen, closed=False)
    uses = source.columns.get("building_use_type", ["building"])
    chosen = [
        way.node_ids for way in extract.ways
        if len(way.node_ids) > 3 and way.node_ids[0] == way.node_ids[-1]
        and any(way.tags.get(use) for use in uses)
    ]  # fmt: skip
    return _osm_lines(extract, chosen, closed=True)


def _is_open_street(tags: Mapping[str, str]) -> bool:
    return "highway" in tags and all(tags.get(key, "no") == "no" for key in _NO_GROUND)


def _roadside_of_osm(extract: OsmExtract, kind: str) -> NDArray[np.object_]:
    if kind == STREETS:
        roads = [
            way.node_ids for way in extract.ways
            if way.tags.get("highway") in _MOTOR_ROADS and _is_open_street(way.tags)
        ]  # fmt: skip
        return _osm_lines(extract, roads, closed=False)
    if kind == POINTS:
        stops = [id for id, tags in extract.node_tags.items() if tags.get("highway") == "bus_stop"]
        return _finite(_osm_nodes(extract, stops))
    return _none()


def _osm_nodes(extract: OsmExtract, ids: list[int]) -> NDArray[np.object_]:
    index = np.searchsorted(extract.node_id, np.array(sorted(ids), dtype=np.int64))
    return np.atleast_1d(shapely.points(extract.node_x[index], extract.node_y[index]))


def _osm_points(extract: OsmExtract) -> NDArray[np.object_]:
    wanted = [key for key, tags in extract.node_tags.items() if not _FACILITY_KEYS.isdisjoint(tags)]
    nodes = _osm_nodes(extract, wanted)
    ways = [
        way.node_ids for way in extract.ways
        if len(way.node_ids) > 3 and way.node_ids[0] == way.node_ids[-1]
        and not _FACILITY_KEYS.isdisjoint(way.tags)
    ]  # fmt: skip
    areas = shapely.centroid(_osm_lines(extract, ways, closed=True))
    return _finite([*nodes, *areas])


def _osm_lines(
    extract: OsmExtract, node_ids: list[tuple[int, ...]], *, closed: bool
) -> NDArray[np.object_]:
    """Return lines, or polygons, through nodes; those with absent nodes are left out."""
    least = 4 if closed else 2
    node_ids = [ids for ids in node_ids if len(ids) >= least]
    if not node_ids or not len(extract.node_id):
        return _none()
    wanted = np.fromiter((node for ids in node_ids for node in ids), dtype=np.int64)
    owner = np.repeat(np.arange(len(node_ids)), [len(ids) for ids in node_ids])
    index = np.searchsorted(extract.node_id, wanted).clip(max=len(extract.node_id) - 1)
    x, y = extract.node_x[index], extract.node_y[index]
    absent = (extract.node_id[index] != wanted) | ~np.isfinite(x) | ~np.isfinite(y)
    whole = ~np.isin(owner, owner[absent])
    owner = np.unique(owner[whole], return_inverse=True)[1]
    points = np.column_stack([x, y])[whole]
    if not len(points):
        return _none()
    if closed:
        return np.asarray(shapely.polygons(shapely.linearrings(points, indices=owner)))
    return np.asarray(shapely.linestrings(points, indices=owner))
