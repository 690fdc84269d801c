"""Subdistricts, communities and heritage areas around the buildings, and who lives there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipeline.contracts.raw import FeatureTable
from pipeline.contracts.source_columns import field
from pipeline.intake.features import areas, laid_by, places_among
from pipeline.intake.register_cells import Cells
from pipeline.intake.rejects import Rejects
from pipeline.settings.city import Source

_MAX_POPULATION = 10_000_000
_AREA_COLUMNS = {
    "subdistricts": ("subdistrict_name",),
    "communities": ("community_id", "community_name"),
    "heritage_areas": ("heritage_name", "heritage_class_text"),
}


@dataclass(frozen=True)
class Neighbourhoods:
    """Buildings with what is known of the places around them, and the rows used."""

    buildings: gpd.GeoDataFrame
    used_counts: dict[str, int]


def with_neighbourhoods(
    buildings: gpd.GeoDataFrame,
    sources: Mapping[str, Any],
    by_role: Mapping[str, list[tuple[str, Source]]],
    all_rejects: Mapping[str, Rejects],
) -> Neighbourhoods:
    """Return the subdistrict, community and heritage area of each building, and its community's age.

    An outline goes before the name that a housing register states.
    """
    whole = buildings.assign(elder_share=np.nan)
    for name in ("community_id", *_AREA_COLUMNS["heritage_areas"]):
        whole = whole.assign(**{name: pd.Series(pd.NA, whole.index, dtype="str")})
    used = {}
    points = middles(buildings)
    for role, columns in _AREA_COLUMNS.items():
        for name, source in by_role[role]:
            whole, used[name] = with_area(
                whole, points, sources[name], source, columns, all_rejects[name]
            )
    for name, source in by_role["census"]:
        whole = with_census(whole, Cells(sources[name], source, all_rejects[name]))
        used[name] = len(sources[name]) - all_rejects[name].row_count
    return Neighbourhoods(whole, used)


def with_area(
    buildings: gpd.GeoDataFrame,
    points: shapely.STRtree,
    table: FeatureTable,
    source: Source,
    columns: tuple[str, ...],
    rejects: Rejects,
) -> tuple[gpd.GeoDataFrame, int]:
    """Return the buildings with what the area that holds their middle is called, and the areas used.

    ``points`` are the buildings' middles, ``columns`` are taken from the area's fields. Where areas
    overlap, the first of the file counts. A building outside all keeps what it has.
    """
    assert buildings.crs is not None
    found = areas(table, source, str(buildings.crs))
    for row, area in enumerate(found):
        if area.shape is None:
            rejects.row(str(row + 1), area.fault, area.detail)
    used = [row for row, area in enumerate(found) if area.shape is not None]
    shapes = np.array([found[row].shape for row in used], dtype=object)
    holder = first_holding(shapes, points)
    laid = {}
    for column in columns:
        names = field(table.fields, source, column).iloc[used].replace("", pd.NA).array
        said = pd.Series(names.take(holder, allow_fill=True), index=buildings.index)
        laid[column] = said.fillna(buildings[column])
    return buildings.assign(**laid), len(used)


def middles(buildings: gpd.GeoDataFrame) -> shapely.STRtree:
    """Return the centroid of each building, ready to be looked for.

    A point on the surface would leap from one half of an outline to the other by the last digit.
    """
    return shapely.STRtree(shapely.centroid(buildings.geometry.to_numpy()))


def first_holding(shapes: NDArray[np.object_], points: shapely.STRtree) -> NDArray[np.int64]:
    """Return the position of the first shape that holds each point, −1 where none does."""
    first = np.full(len(points), -1, dtype=np.int64)
    if len(shapes):
        shape, point = points.query(shapes, predicate="intersects")
        order = np.argsort(-shape, kind="stable")  # of several the first is laid last, so it stays
        first[point[order]] = shape[order]
    return first


def with_census(buildings: gpd.GeoDataFrame, cells: Cells) -> gpd.GeoDataFrame:
    """Return the buildings with the share of people of 65 and more in their community."""
    kept = cells.usable(["community_id"], {})
    people = cells.numbers("resident_count", 1, _MAX_POPULATION, whole=True)
    elders = cells.numbers("elder_count", 0, _MAX_POPULATION, whole=True)
    share = np.where(elders <= people, elders / people, np.nan)
    for number in np.flatnonzero(kept & (elders > people)).tolist():
        cells.rejects.value(
            str(number + 1), "elder_count", "impossible_number", "more than residents"
        )
    place = places_among(buildings["community_id"], cells.texts("community_id")[kept])
    return buildings.assign(elder_share=laid_by(share[kept], place))
