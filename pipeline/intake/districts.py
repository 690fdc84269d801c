"""District outlines."""

from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from pipeline.contracts.raw import FeatureTable
from pipeline.contracts.source_columns import field
from pipeline.intake.features import areas, projected
from pipeline.intake.osm_areas import repaired
from pipeline.intake.rejects import Rejects
from pipeline.settings.city import Source

_HULL_MARGIN_M = 1.0


def districts_from_features(
    table: FeatureTable, source: Source, working_crs: str, rejects: Rejects
) -> gpd.GeoDataFrame:
    """Return one district for each feature that encloses an area."""
    keys, names = (field(table.fields, source, c) for c in ("district_id", "district_name"))
    rows = []
    for number, area in enumerate(areas(table, source, working_crs)):
        row = str(number + 1)
        if area.shape is None:
            rejects.row(row, area.fault, area.detail)
            continue
        rows.append((keys.iloc[number] or row, names.iloc[number] or f"district {row}", area.shape))
    return _table(rows, working_crs)


def district_around(buildings: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Return one district around all buildings, for a city that comes without a boundary."""
    hull = shapely.convex_hull(shapely.union_all(buildings.geometry.to_numpy()))
    return _table([("1", name, hull.buffer(_HULL_MARGIN_M))], str(buildings.crs))


def _table(rows: list[tuple[str, str, shapely.Geometry]], crs: str) -> gpd.GeoDataFrame:
    rows.sort(key=lambda item: item[0])
    return gpd.GeoDataFrame(
        {"district_id": [r[0] for r in rows], "district_name": [r[1] for r in rows]},
        geometry=[r[2] for r in rows],
        crs=crs,
    )


def districts_from_nominatim(
    places: list[dict[str, Any]], source: Source, working_crs: str, rejects: Rejects
) -> gpd.GeoDataFrame:
    """Return one district for each place that has an areal outline."""
    name_fields = source.columns.get("district_name", ["name"])
    rows = []
    for number, place in enumerate(places):
        row = str(number + 1)
        try:
            shape = shapely.geometry.shape(place["geojson"])
        except (ValueError, TypeError, KeyError, AttributeError, shapely.errors.ShapelyError):
            rejects.row(row, "unreadable_outline", "geojson is not a geometry")
            continue
        if shapely.get_type_id(shape) not in (3, 6):
            rejects.row(row, "no_area", "the outline is not an area")
            continue

        area = repaired(projected(np.array([shape]), source, working_crs)[0])
        if area.shape is None:
            rejects.row(row, area.fault, area.detail)
            continue
        name = source.constants.get("district_name") or next(
            (str(place[f]) for f in name_fields if place.get(f)), f"district {number + 1}"
        )
        key = f"{str(place.get('osm_type', 'x'))[:1].upper()}{place.get('osm_id', number + 1)}"
        rows.append((key, name, area.shape))
    return _table(rows, working_crs)
