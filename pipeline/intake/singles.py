"""Each building once, in one district, and what is odd about its outline or number told."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.contracts.source_columns import plain_word
from pipeline.intake.features import as_list
from pipeline.intake.neighbourhoods import first_holding, middles
from pipeline.intake.overlaps import duplicates, overlaps
from pipeline.intake.rejects import Rejects
from pipeline.settings.intake import FootprintRule

_MULTIPOLYGON = 6
_WHOLE_SHARE = 0.999
"""A building of which more lies within is not cut by a border, but drawn along it."""


def in_districts(
    buildings: gpd.GeoDataFrame, districts: gpd.GeoDataFrame, all_rejects: Mapping[str, Rejects]
) -> gpd.GeoDataFrame:
    """Return the buildings with the district that holds their centroid; those outside all are rejected.

    Of a building that crosses a border it is told how much of it lies where it is counted.
    """
    outlines = districts.geometry.to_numpy()
    centroids = middles(buildings)
    holder = first_holding(outlines, centroids)
    is_placed = holder >= 0
    shapes = buildings.geometry.to_numpy()
    crosses = np.zeros(len(buildings), dtype=bool)
    _, crossing = shapely.STRtree(shapes).query(shapely.boundary(outlines), predicate="intersects")
    crosses[crossing] = True
    names, rows = (as_list(buildings[name]) for name in ("source_name", "source_row"))
    whole = shapely.union_all(outlines)
    for number in np.flatnonzero(~is_placed).tolist():
        detail = "no district outline holds it"
        if crosses[number]:
            share = _share_within(shapes[number], whole)
            detail = f"its centroid lies outside every district, {share:.0%} of it inside"
        all_rejects[names[number]].row(rows[number], "outside_study_area", detail)
    districts_named = as_list(districts["district_name"])
    for number in np.flatnonzero(is_placed & crosses).tolist():
        share = _share_within(shapes[number], outlines[holder[number]])
        if share < _WHOLE_SHARE:
            where = (
                f"{share:.0%} of it in {districts_named[holder[number]]}, which holds its centroid"
            )
            all_rejects[names[number]].notice(rows[number], "on_border", where)
    held = holder[is_placed]
    return (
        buildings[is_placed]
        .reset_index(drop=True)
        .assign(
            district_id=districts["district_id"].array.take(held),
            district_name=districts["district_name"].array.take(held),
        )
    )


def _share_within(shape: shapely.Geometry, area: shapely.Geometry) -> float:
    return float(shapely.area(shapely.intersection(shape, area)) / shapely.area(shape))


def single(
    buildings: gpd.GeoDataFrame, rule: FootprintRule, all_rejects: Mapping[str, Rejects]
) -> gpd.GeoDataFrame:
    """Leave out repeated footprints and numbers, also of several sources; mark those that overlap."""
    order = ["building_id", "source_name", "source_row"]
    buildings = buildings.sort_values(order).reset_index(drop=True)
    pairs = overlaps(buildings.geometry.to_numpy())
    known = ["building_name", "storey_count", "height_m", "construction_year_low"]
    richness = buildings[known].notna().sum(axis=1).to_numpy() + (
        buildings["housing_origin"] != "assumed"
    )
    repeated = duplicates(pairs, np.asarray(richness), rule.duplicate_overlap_share)
    ids, names, rows = (
        as_list(buildings[name]) for name in ("building_id", "source_name", "source_row")
    )

    def elsewhere(one: int, other: int) -> str:
        return "" if names[one] == names[other] else f" of {names[other]}"

    for loser, keeper in sorted(repeated.items()):
        all_rejects[names[loser]].row(
            rows[loser],
            "duplicate_footprint",
            f"same outline as {ids[keeper]}{elsewhere(loser, keeper)}",
        )
    lost = np.isin(np.arange(len(buildings)), list(repeated))
    left = np.flatnonzero(~lost)
    again = left[buildings["building_id"].iloc[left].duplicated().to_numpy()]
    first = {ids[number]: number for number in reversed(left.tolist())}
    for number in again.tolist():
        all_rejects[names[number]].row(
            rows[number],
            "repeated_building_id",
            f"{ids[number]} stands there already{elsewhere(number, first[ids[number]])}",
        )
    lost[again] = True
    marked = np.zeros(len(buildings), dtype=bool)
    over = pairs.smaller_share >= rule.notice_overlap_share
    over &= ~lost[pairs.first] & ~lost[pairs.second]
    for one, two, share in zip(
        pairs.first[over], pairs.second[over], pairs.smaller_share[over], strict=True
    ):
        marked[[one, two]] = True
        all_rejects[names[one]].notice(
            rows[one], "overlap", f"{share:.0%} of the smaller one shared with {ids[two]}"
        )
    kept = buildings.assign(is_overlapping=marked)[~lost].reset_index(drop=True)
    _tell_similar_ids(kept, all_rejects)
    _tell_far_parts(kept, rule.max_part_gap_m, all_rejects)
    return kept


def _tell_similar_ids(buildings: pd.DataFrame, all_rejects: Mapping[str, Rejects]) -> None:
    """Tell of numbers that people would read as one."""
    ids = as_list(buildings["building_id"])
    first: dict[str, str] = {}
    for number, own in enumerate(ids):
        other = first.setdefault(plain_word(own), own)
        if other != own:
            row = buildings.iloc[number]
            all_rejects[row["source_name"]].notice(
                row["source_row"], "similar_building_id", f"{own!r} beside {other!r}"[:200]
            )


def _tell_far_parts(
    buildings: gpd.GeoDataFrame, most_m: float, all_rejects: Mapping[str, Rejects]
) -> None:
    """Tell of footprints whose parts do not stand together."""
    shapes = buildings.geometry.to_numpy()
    for number in np.flatnonzero(shapely.get_type_id(shapes) == _MULTIPOLYGON).tolist():
        parts = shapely.get_parts(shapes[number])
        groups = _groups(parts, most_m)
        if groups.max() > 0:
            largest = int(shapely.area(parts).argmax())
            others = parts[groups != groups[largest]]
            away_m = float(shapely.distance(parts[largest], others).max())
            row = buildings.iloc[number]
            all_rejects[row["source_name"]].notice(
                row["source_row"],
                "parts_far_apart",
                f"{len(parts)} parts, up to {away_m:,.0f} m apart",
            )


def _groups(parts: NDArray[np.object_], most_m: float) -> NDArray[np.int64]:
    """Return the group of each part: parts within a distance of each other are of one group."""
    one, two = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=most_m)
    graph = coo_array((np.ones(len(one)), (one, two)), shape=(len(parts), len(parts)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
