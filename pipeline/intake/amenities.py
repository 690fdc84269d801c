"""Facilities that people walk to, from OpenStreetMap tags."""

from collections.abc import Mapping

import geopandas as gpd
import pandas as pd
import shapely

from pipeline.contracts.raw import OsmExtract
from pipeline.geo.datum import into_working_crs
from pipeline.intake.osm_areas import Area, node_locator, relation_area, way_area
from pipeline.intake.rejects import Rejects
from pipeline.settings.city import Source

_COLUMNS = ["amenity_id", "amenity_type", "amenity_name", "source_name", "source_row"]


def amenities_from_osm(
    extract: OsmExtract,
    name: str,
    source: Source,
    facility_tags: Mapping[str, list[str]],
    working_crs: str,
    rejects: Rejects,
    known: set[str],
) -> tuple[gpd.GeoDataFrame, int]:
    """Return one point per facility and type, and the count of elements that bear no facility.

    An area is reduced to a point inside it. An element may be several facilities.
    ``known`` holds elements that an earlier source brought already; they are left out as repeated.
    """
    x, y = into_working_crs(
        extract.node_x, extract.node_y, datum=source.datum, crs=source.crs, working_crs=working_crs
    )
    locate = node_locator(extract, x, y)
    ways = {way.id: way for way in extract.ways}
    name_fields = source.columns.get("amenity_name", ["name"])
    rows: list[dict[str, object]] = []
    points: list[shapely.Geometry] = []

    def add(key: str, row: str, tags: Mapping[str, str], shape: shapely.Geometry) -> None:
        if key in known:
            rejects.row(row, "repeated_facility", "an earlier source brings the same element")
            return
        known.add(key)
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
        if area.shape is None:
            rejects.row(row, area.fault, area.detail)
        else:
            add(key, row, tags, shapely.point_on_surface(area.shape))

    nodes = {n: t for n, t in extract.node_tags.items() if facility_types(t, facility_tags)}
    bearing_ways = [way for way in extract.ways if facility_types(way.tags, facility_tags)]
    relations = [one for one in extract.relations if facility_types(one.tags, facility_tags)]
    for node, tags in sorted(nodes.items()):
        position = locate([node])
        assert position is not None
        add(f"N{node}", f"node/{node}", tags, shapely.Point(position[0]))
    for way in bearing_ways:
        add_area(f"W{way.id}", f"way/{way.id}", way.tags, way_area(way, locate))
    for one in relations:
        area = relation_area(one, ways, locate)
        add_area(f"R{one.id}", f"relation/{one.id}", one.tags, area)
    table = gpd.GeoDataFrame(pd.DataFrame(rows, columns=_COLUMNS), geometry=points, crs=working_crs)
    return table, extract.element_count - len(nodes) - len(bearing_ways) - len(relations)


def facility_types(tags: Mapping[str, str], facility_tags: Mapping[str, list[str]]) -> list[str]:
    """Return the facility types that an element's tags mean, in the order of the config."""
    held = {f"{key}={value}" for key, value in tags.items()}
    return [kind for kind, wanted in facility_tags.items() if held.intersection(wanted)]
