"""The buildings of the page: shape, rank, need of each criterion, and every fact the panel shows.

The page adds up points itself, from need and weight in ten-thousandths, by the same whole-number
rule as the score; ``add_ranked`` stops if that would show other points than the tables hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.atlas.mercator import add_polygons, mercator_shapes, spatial_order
from pipeline.atlas.packing import Pack
from pipeline.contracts.columns import COLUMNS, WHOLE
from pipeline.geo.raster import Floats
from pipeline.problem import Problem
from pipeline.settings.score import Criterion

OTHER_QUANTUM_UNITS = 4
NEED_UNITS = 10_000
WEIGHT_UNITS = 10_000
POINT_UNITS = 1000
NEED_PER_POINT = NEED_UNITS * WEIGHT_UNITS // (100 * POINT_UNITS)

FACTS: tuple[tuple[str, int], ...] = (
    ("storey_count", 0),
    ("height_m", 1),
    ("construction_year", 0),
    ("construction_year_low", 0),
    ("construction_year_high", 0),
    ("age_yr", 0),
    ("footprint_area_m2", 0),
    ("floor_area_m2", 0),
    ("elevation_m", 1),
    ("elevation_lowest_m", 0),
    ("elevation_highest_m", 0),
    ("slope_deg", 1),
    ("access_m", 0),
    ("main_road_walk_out_min", 1),
    ("main_road_walk_back_min", 1),
    ("main_road_climb_m", 1),
    ("longitude_deg", 6),
    ("latitude_deg", 6),
)
"""Numbers shown beside the criteria, each with the decimals that are kept.

What a criterion measures is packed with the criterion."""

CATEGORIES = (
    "building_name",
    "estate_name",
    "road_name",
    "district_name",
    "building_use_type",
    "source_name",
    "housing_origin",
    "storey_count_origin",
    "floor_area_origin",
    "construction_year_origin",
)
FLAGS = ("is_overlapping", "has_street_access")


@dataclass(frozen=True)
class Used:
    """A criterion that counts, with its weight in ten-thousandths."""

    name: str
    criterion: Criterion
    weight_units: int

    @property
    def decimals(self) -> int:
        """Decimals of the measured value, at most one: the data know no more."""
        return shown_decimals(self.criterion.measure)


def shown_decimals(measure: str) -> int:
    """Return how many decimals of a measurement a reader sees."""
    column = next((c for c in COLUMNS.values() if c.matches(measure)), None)
    return 0 if column is None or column.kind == WHOLE else min(column.decimals, 1)


def used_criteria(
    criteria: Mapping[str, Criterion], weights: Mapping[str, float]
) -> tuple[Used, ...]:
    """Return the criteria that the score used, in its order."""
    return tuple(
        Used(name, criteria[name], round(weight * WEIGHT_UNITS)) for name, weight in weights.items()
    )


def whole_table(
    buildings: gpd.GeoDataFrame,
    measurements: pd.DataFrame,
    ranking: pd.DataFrame,
    building_ranking: pd.DataFrame,
) -> gpd.GeoDataFrame:
    """Return one row a ranked building with all columns and its shape, neighbours side by side."""
    table = building_ranking
    for more in (ranking, measurements, buildings):
        new = [name for name in more.columns if name not in table.columns]
        columns = pd.DataFrame(more[["building_id", *new]])
        table = table.merge(columns, on="building_id", validate="one_to_one")
    shaped = gpd.GeoDataFrame(table, geometry="geometry", crs=buildings.crs)
    return shaped.iloc[spatial_order(shaped.geometry.to_numpy())].reset_index(drop=True)


def add_ranked(pack: Pack, table: gpd.GeoDataFrame, used: tuple[Used, ...]) -> None:
    """Pack the ranked buildings; rows as in ``whole_table``."""
    _check_points(table, used)
    add_polygons(pack, "ranked", mercator_shapes(table))
    pack.numbers("rank", _whole(table["rank"]))
    pack.numbers("tier", _whole(table["tier_number"]))
    pack.texts("building_id", table["building_id"])
    pack.texts_beside("source_row", table["source_row"], table["building_id"])
    for item in used:
        need = need_units(table, item.name)
        pack.numbers(f"need.{item.name}", need)
        stand_in = (table[f"{item.name}_origin"] == "stand_in").to_numpy()
        pack.numbers(f"stand_in.{item.name}", stand_in)
        value = _real(table[item.criterion.measure])
        pack.numbers(f"excess.{item.name}", excess(value, need, item.criterion, item.decimals))
    scored = {item.criterion.measure for item in used}
    for name, decimals in FACTS:
        if name in table.columns and name not in scored:
            pack.measures(f"fact.{name}", _real(table[name]), decimals=decimals)
    for name in CATEGORIES:
        pack.categories(name, table[name])
    for name in FLAGS:
        pack.numbers(name, table[name].astype(bool).to_numpy())


def add_others(pack: Pack, buildings: gpd.GeoDataFrame, ranked_id: pd.Series) -> int:
    """Pack the footprints that are not ranked and return how many there are."""
    others = buildings[~buildings["building_id"].isin(ranked_id)]
    others = others.iloc[spatial_order(others.geometry.to_numpy())]
    add_polygons(pack, "others", mercator_shapes(others), quantum=OTHER_QUANTUM_UNITS)
    pack.categories("others.building_use_type", others["building_use_type"])
    pack.categories("others.building_name", others["building_name"])
    return len(others)


def need_units(table: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """Return a criterion's need in ten-thousandths."""
    share = _real(table[f"{name}_need_share"])
    return np.floor(share * NEED_UNITS + 0.5).astype(np.int64)


def excess(
    value: Floats, need: NDArray[np.int64], criterion: Criterion, decimals: int
) -> NDArray[np.int64]:
    """Return how far a shown value lies from the one that its need tells, in last decimals.

    Between the bounds need tells the value and this is 0 (or 1 by rounding); beyond them it is the
    distance from the bound. Where the value is missing it is 0 and ``stand_in`` says so.
    """
    known = ~np.isnan(value)
    shown = np.floor(np.where(known, value, 0) * 10**decimals + 0.5)
    told = criterion.none_at + need * (criterion.worst_at - criterion.none_at) / NEED_UNITS
    told = np.floor(told * 10**decimals + 0.5)
    return np.where(known, shown - told, 0).astype(np.int64)


def _check_points(table: pd.DataFrame, used: tuple[Used, ...]) -> None:
    total = np.zeros(len(table), dtype=np.int64)
    for item in used:
        product = need_units(table, item.name) * item.weight_units
        points = (product + NEED_PER_POINT // 2) // NEED_PER_POINT
        _compare(table, points, f"{item.name}_points")
        total += points
    _compare(table, total, "score_points")


def _compare(table: pd.DataFrame, points: NDArray[np.int64], name: str) -> None:
    stated = np.floor(_real(table[name]) * POINT_UNITS + 0.5).astype(np.int64)
    wrong = np.flatnonzero(points != stated)
    if len(wrong):
        first = wrong[0]
        raise Problem(
            f"atlas ← ranking.{name}",
            f"{len(wrong):,} of {len(table):,} rows differ from weight × need "
            f"(first: {table['building_id'].iloc[first]} = {stated[first] / POINT_UNITS})",
            expected="the same points in the table and on the page",
            fix="delete this city's data/processed and run again; if it stays, report this",
        )


def _real(values: "pd.Series[Any]") -> Floats:
    numbers = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    return np.asarray(numbers, dtype=np.float64)


def _whole(values: "pd.Series[Any]") -> NDArray[np.int64]:
    return values.to_numpy(dtype=np.int64)
