"""Facilities that people walk to."""

from collections.abc import Callable, Collection, Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipeline.contracts.raw import FeatureTable, OsmExtract
from pipeline.contracts.source_columns import field, plain_word
from pipeline.geo.raster import Floats
from pipeline.intake.features import as_list, projected
from pipeline.intake.lifetime import absent
from pipeline.intake.osm_areas import Area, node_locator, outlines
from pipeline.intake.reach import OUTSIDE_REACH, Reach
from pipeline.intake.rejects import Rejects
from pipeline.settings.city import Source

_NOT_DELIVERED = ("point_absent", "too_few_points", "member_absent", "no_outer_ring")
_COLUMNS = ["amenity_id", "amenity_type", "amenity_name", "source_name", "source_row"]


def amenities_from_osm(
    extract: OsmExtract,
    position: Floats,
    name: str,
    source: Source,
    facility_tags: Mapping[str, list[str]],
    year: int,
    working_crs: str,
    reach: Reach,
    rejects: Rejects,
    known: set[str],
) -> tuple[gpd.GeoDataFrame, int]:
    """Return one point per facility and type, and the count of elements that bear no facility.

    An area is reduced to a point inside it, one delivered by its centre (``out center``) to that.
    An element may be several facilities. ``position`` is that of the extract's nodes, in the
    working CRS. ``known`` holds elements that an earlier
    source brought already; they are left out as repeated, and so is what is not there in ``year``.
    """
    locate = node_locator(extract, position)
    name_fields = source.columns.get("amenity_name", ["name"])
    rows: list[dict[str, object]] = []
    points: list[shapely.Geometry] = []

    def add(key: str, row: str, tags: Mapping[str, str], shape: shapely.Geometry) -> None:
        if key in known:
            rejects.row(row, "repeated_facility", "an earlier source brings the same element")
            return
        known.add(key)
        gone = absent(tags, year)
        if gone:
            rejects.row(row, "type_not_used", gone)
            return
        if not reach.holds(shapely.get_coordinates(shape)).all():
            rejects.row(row, OUTSIDE_REACH, reach.told)
            return
        for kind in facility_types(tags, facility_tags):
            label = next((tags[field] for field in name_fields if tags.get(field)), None)
            rows.append(
                {
                    "amenity_id": f"{key}-{kind}",
                    "amenity_type": kind,
                    "amenity_name": label,
                    "source_name": name,
                    "source_row": row,
                }
            )
            points.append(shape)

    def add_area(key: str, row: str, tags: Mapping[str, str], area: Area) -> None:
        if area.shape is not None:
            add(key, row, tags, shapely.point_on_surface(area.shape))
        elif row in centers and area.fault in _NOT_DELIVERED:
            add(key, row, tags, centers[row])
        else:
            rejects.row(row, area.fault, area.detail)

    bears = _bearing(facility_tags)
    nodes = {n: t for n, t in extract.node_tags.items() if bears(t)}
    drawn = outlines(extract, locate, bears)
    centers = _centers(extract, source, working_crs)
    places = locate(sorted(nodes)) if nodes else np.empty((0, 2))
    assert places is not None
    for (node, tags), point in zip(sorted(nodes.items()), shapely.points(places), strict=True):
        add(f"N{node}", f"node/{node}", tags, point)
    for key, row, tags, area in drawn:
        add_area(key, row, tags, area)
    table = gpd.GeoDataFrame(pd.DataFrame(rows, columns=_COLUMNS), geometry=points, crs=working_crs)
    return table, extract.element_count - len(nodes) - len(drawn)


def _centers(extract: OsmExtract, source: Source, working_crs: str) -> dict[str, shapely.Geometry]:
    """Return where elements lie of which the file tells the centre only, by their row."""
    rows = sorted(extract.centers)
    given = shapely.points(np.array([extract.centers[row] for row in rows]).reshape(-1, 2))
    return dict(zip(rows, projected(given, source, working_crs), strict=True))


def amenities_from_features(
    table: FeatureTable,
    name: str,
    source: Source,
    types: Collection[str],
    working_crs: str,
    reach: Reach,
    rejects: Rejects,
) -> gpd.GeoDataFrame:
    """Return one point per feature whose type is listed; an area is reduced to a point inside it.

    A position beyond reach that lies in the study area when its coordinates change places is
    turned and told. The same number, or the same type and name within a metre, is one facility.
    """
    columns = ("amenity_id", "amenity_type", "amenity_name")
    key, written, label = (as_list(field(table.fields, source, c)) for c in columns)
    declared = {plain_word(one): one for one in types}
    kind = [declared.get(plain_word(word), word) for word in written]
    shapes = np.where(shapely.is_missing(table.shapes), shapely.Point(), table.shapes)
    places_given = shapely.point_on_surface(shapes)
    points = projected(places_given, source, working_crs)
    is_inside = reach.holds(_coordinates(points))
    is_nowhere = shapely.is_empty(points)
    turned = np.full(len(points), shapely.Point(), dtype=object)
    turned[~is_inside] = projected(_turned(places_given[~is_inside]), source, working_crs)
    shapely.prepare(reach.study_area)
    would_be = shapely.contains_properly(reach.study_area, turned)
    rows, places, seen = [], [], set()
    for number in range(table.row_count):
        row, point = str(number + 1), points[number]
        if kind[number] not in types:
            rejects.row(row, "type_not_used", kind[number] or "no type")
            continue
        if is_nowhere[number]:
            rejects.row(row, "no_shape", "the feature has no position")
            continue
        if not is_inside[number]:
            if not would_be[number]:
                rejects.row(row, OUTSIDE_REACH, reach.told)
                continue
            point = turned[number]
            rejects.notice(row, "swapped_coordinates", "longitude and latitude change places")
        own = f"{name}-{key[number] or row}"
        same = (kind[number], label[number], round(point.x), round(point.y))
        if own in seen or same in seen:
            rejects.row(row, "duplicate_facility", f"same as another {kind[number]}")
            continue
        seen |= {own, same}
        rows.append((own, kind[number], label[number] or None, name, row))
        places.append(point)
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=_COLUMNS), geometry=places, crs=working_crs)


def _coordinates(points: NDArray[np.object_]) -> Floats:
    xy = np.full((len(points), 2), np.nan)
    is_there = ~shapely.is_empty(points)  # an empty point has no coordinates to ask for
    xy[is_there] = shapely.get_coordinates(points[is_there])
    return xy


def _turned(points: NDArray[np.object_]) -> NDArray[np.object_]:
    def turn(xy: Floats) -> Floats:
        x, y = xy[:, 1], xy[:, 0]
        is_place = (np.abs(x) <= 180) & (np.abs(y) <= 90)
        return np.column_stack([np.where(is_place, x, np.nan), np.where(is_place, y, np.nan)])

    return shapely.transform(points, turn)


def facility_types(tags: Mapping[str, str], facility_tags: Mapping[str, list[str]]) -> list[str]:
    """Return the facility types that an element's tags mean, in the order of the config."""
    held = {f"{key}={value}" for key, value in tags.items()}
    return [kind for kind, wanted in facility_tags.items() if not held.isdisjoint(wanted)]


def _bearing(facility_tags: Mapping[str, list[str]]) -> Callable[[Mapping[str, str]], bool]:
    """Return a quick test whether tags mean any facility."""
    wanted = {tuple(tag.split("=", 1)) for tags in facility_tags.values() for tag in tags}
    return lambda tags: not wanted.isdisjoint(tags.items())
