"""The buildings of the page: shape, rank, need of each criterion, and every fact the panel shows.

The page adds up points itself, from need and weight in ten-thousandths, by the same whole-number
rule as the score; ``add_ranked`` stops if that would show other points than the tables hold.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.atlas.mercator import (
    UNITS_PER_M,
    add_polygons,
    mercator_shapes,
    spatial_order,
)
from pipeline.atlas.packing import Pack
from pipeline.atlas.ties import (
    check_order,
    check_tiers,
    real_numbers,
    tie_places,
    tie_shift,
)
from pipeline.contracts.columns import COLUMNS, WHOLE
from pipeline.geo.raster import Floats
from pipeline.problem import Problem
from pipeline.settings.score import Criterion, ScoreSettings

OTHER_QUANTUM_UNITS = 16
NEED_UNITS = 10_000
WEIGHT_UNITS = 10_000
POINT_UNITS = 1000
NEED_PER_POINT = NEED_UNITS * WEIGHT_UNITS // (100 * POINT_UNITS)

FACTS: tuple[tuple[str, int], ...] = (
    ("storey_count", 0),
    ("storeys_above_entry_count", 0),
    ("storeys_below_entry_count", 0),
    ("height_m", 0),
    ("age_yr", 0),
    ("household_count", 0),
    ("footprint_area_m2", 0),
    ("floor_area_m2", 0),
    ("elevation_m", 0),
    ("slope_deg", 1),
    ("main_road_walk_out_min", 1),
    ("main_road_climb_m", 1),
)
"""Numbers shown beside the criteria, each with the decimals that are kept.

What a criterion measures is packed with the criterion. A number that no building has is left out.
"""

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
    "construction_year_basis_type",
)
OPTIONAL_CATEGORIES = (
    "landform_type",
    "construction_year_source_name",
    "track_reason_code",
    "quadrant_type",
    "batch_type",
    "wait_reason_code",
)
OPTIONAL_FACTS: tuple[tuple[str, int], ...] = (
    ("readiness_share", 2),
    ("consent_share", 2),
    ("top_share", 2),
    ("funded_share", 2),
    ("planned_year", 0),
    ("unit_cost_cny_per_m2", 0),
)
"""Shown where a run has them."""
FLAGS = ("is_overlapping", "has_street_access")
SEARCHED = ("building_name", "estate_name", "road_name")
INFERRED_BASES = ("inferred", "baseline")
NEVER_REPEATED = ("building_id", "source_row")
RANKED_QUANTUM_UNITS = 3
EMPTY_KEY = -(2**30)
"""Key of an empty tie break: it comes last."""
BAND_STEPS = 100
WALK_STEP_M = 5
"""Walking distances are shown to 5 m: streets and terrain know no more."""


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

    @property
    def per_unit(self) -> float:
        """How many steps of the measured value, as it is shown, make a unit."""
        is_distance = self.criterion.measure.endswith(("_walk_m", "_gap_m"))
        return 1 / WALK_STEP_M if is_distance else 10.0**self.decimals


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
    table = building_ranking.set_index("building_id")
    needs = [name for name in ranking.columns if name.endswith("_need_share")]
    more = (
        (ranking, needs),
        (measurements, ["main_road_path_point_number"]),
        (buildings, ["height_m", "geometry"]),
    )
    parts = [table]
    for source, names in more:
        new = [name for name in names if name not in table.columns]
        parts.append(pd.DataFrame(source.set_index("building_id")[new]).reindex(table.index))
    whole = pd.concat(parts, axis=1).reset_index()
    order = spatial_order(whole["geometry"].to_numpy())
    plain = {name: plain_column(column).take(order) for name, column in whole.items()}
    table = pd.DataFrame({name: column.array for name, column in plain.items()})
    return gpd.GeoDataFrame(table, geometry="geometry", crs=buildings.crs)


def plain_column(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return numbers as floats, NaN where empty, and texts as places in the list of their words.

    So rows are picked, sent and packed fast, ten times over; texts that do not repeat stay texts.
    """
    if pd.api.types.is_bool_dtype(values.dtype):
        return values
    if pd.api.types.is_numeric_dtype(values.dtype):
        return pd.Series(real_numbers(values))
    if values.name in NEVER_REPEATED:
        return values.astype(object)
    return values.astype("category") if pd.api.types.is_string_dtype(values.dtype) else values


def add_ranked(
    pack: Pack,
    table: gpd.GeoDataFrame,
    used: tuple[Used, ...],
    score_settings: ScoreSettings,
    *,
    is_part: bool = False,
    spelt: Mapping[str, str],
) -> None:
    """Pack the scored buildings; rows as in ``whole_table``.

    Of a part of the city the page also gets the ranks in the whole, in their order. ``spelt`` holds
    the ``initials`` of words, where they are known already.
    """
    score = _checked_score(table, used)
    tie_breaks = score_settings.tie_breaks
    places = tie_places(table, tie_breaks)
    rank = real_numbers(table["rank"])
    if is_part:
        in_city = np.sort(rank[~np.isnan(rank)])
        pack.numbers("city_rank", in_city.astype(np.int64))
        rank = np.where(np.isnan(rank), np.nan, 1 + np.searchsorted(in_city, rank))
    check_order(table, rank, score, places)
    if not is_part:
        check_tiers(table, score_settings.tier_upper_rank_shares)
    shapes = mercator_shapes(table)
    twice_area = add_polygons(pack, "ranked", shapes, quantum=RANKED_QUANTUM_UNITS)
    pack.codes("building_id", table["building_id"])
    pack.codes("source_row", table["source_row"], table["building_id"])
    shown_needs = {}
    for item in used:
        need = need_units(table, item.name)
        stand_in = (table[f"{item.name}_origin"] == "stand_in").to_numpy()
        pack.numbers(f"stand_in.{item.name}", stand_in)
        value = real_numbers(table[item.criterion.measure])
        beyond = excess(value, need, item.criterion, item.per_unit)
        extended, rest = extended_need(need, beyond, item.criterion)
        pack.numbers(f"need.{item.name}", extended)
        pack.numbers(f"rest.{item.name}", rest)
        towards = 1 if item.criterion.worst_at > item.criterion.none_at else -1
        shown_needs[item.criterion.measure] = np.where(stand_in, EMPTY_KEY, towards * extended)
    keys = [shown_needs[name] for name in tie_breaks if name in shown_needs]
    pack.numbers("tie_shift", tie_shift(places, keys))
    scored = {item.criterion.measure for item in used}
    guesses = _guesses(table, twice_area)
    for name, decimals in FACTS:
        if name in table.columns and name not in scored and table[name].notna().any():
            values, guess = real_numbers(table[name]), guesses.get(name)
            pack.measures(f"fact.{name}", values, decimals=decimals, expected=guess)
    for name, decimals in OPTIONAL_FACTS:
        if name in table.columns and table[name].notna().any():
            pack.measures(f"fact.{name}", real_numbers(table[name]), decimals=decimals)
    _add_band(pack, table)
    _add_years(pack, table)
    back, out = (real_numbers(table[f"main_road_walk_{way}_min"]) for way in ("back", "out"))
    later = np.floor(back * 10 + 0.5) / 10 - np.floor(out * 10 + 0.5) / 10
    pack.measures("fact.main_road_walk_later_min", later, decimals=1)
    for name in CATEGORIES:
        words = pack.categories(name, table[name])
        if name in SEARCHED:
            pack.texts(f"{name}.initials", [spelt[word] for word in words])
    for name in OPTIONAL_CATEGORIES:
        if name in table.columns and table[name].notna().any():
            pack.categories(name, table[name])
    for name in FLAGS:
        pack.numbers(name, table[name].astype(bool).to_numpy())


def half_unit_m2(table: pd.DataFrame) -> float:
    """Return half the area on the ground of a square unit of the map, in the middle of the table."""
    shrunk = np.cos(np.radians(float(table["latitude_deg"].median())))
    return float(shrunk / UNITS_PER_M) ** 2 / 2


def _guesses(table: pd.DataFrame, twice: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Return what the page can work out itself: footprints from outlines, floors from storeys."""
    footprint = np.floor(twice * half_unit_m2(table) + 0.5).astype(np.int64)
    shown = np.floor(real_numbers(table["footprint_area_m2"]) + 0.5).astype(np.int64)
    storeys = np.nan_to_num(real_numbers(table["storey_count"])).astype(np.int64)
    return {"footprint_area_m2": footprint, "floor_area_m2": shown * storeys}


def _add_band(pack: Pack, table: pd.DataFrame) -> None:
    """Pack the band that holds the rank in nine of ten draws, in steps that grow with the rank.

    A step is a hundredth of the root of the whole list: 4 places about rank 1,000 of 40,000 would
    be more than the draws know. Told are steps from the rank itself.
    """
    rank = real_numbers(table["rank"])
    most = max(float(np.nan_to_num(rank).max()), 1)
    own = band_step(rank, most)
    for name in ("rank_p05", "rank_p95"):
        if name in table.columns and table[name].notna().any():
            steps = band_step(real_numbers(table[name]), most) - own
            pack.measures(f"band.{name}", steps, decimals=0)


def band_step(rank: Floats, most: float) -> Floats:
    """Return ranks on a scale of 100 steps, narrow at the top."""
    return np.asarray(np.floor(BAND_STEPS * np.sqrt(rank / most) + 0.5))


def add_counts(
    pack: Pack, table: gpd.GeoDataFrame, facilities: Iterable[str], minutes: Iterable[int]
) -> list[str]:
    """Pack how many facilities each building has within so many minutes; return the types known."""
    known = []
    for facility in facilities:
        names = [f"{facility}_within_{limit}_min_count" for limit in minutes]
        if not all(name in table.columns and table[name].notna().any() for name in names):
            continue
        known.append(facility)
        for name in names:
            pack.measures(f"fact.{name}", real_numbers(table[name]), decimals=0)
    return known


def _add_years(pack: Pack, table: pd.DataFrame) -> None:
    """Pack the first year and how many years later the last one is, and the middle of an inferred one.

    Of a recorded or vague year these are what the source allows, of an inferred one the whole years
    around the interval that holds it in nine of ten cases.
    """
    year = real_numbers(table["construction_year"])
    low, high = (real_numbers(table[f"construction_year_{end}"]) for end in ("low", "high"))
    low = np.where(np.isnan(low), year, low)
    high = np.where(np.isnan(high), year, high)
    is_inferred = table["construction_year_basis_type"].isin(INFERRED_BASES).to_numpy()
    early, middle, late = (
        real_numbers(table[f"construction_year_{p}"]) for p in ("p05", "p50", "p95")
    )
    low = np.where(is_inferred, np.floor(early), low)
    high = np.where(is_inferred, np.ceil(late), high)
    pack.measures("fact.construction_year_low", low, decimals=0)
    pack.measures("fact.construction_year_span", high - low, decimals=0)
    if is_inferred.any():
        inferred = np.where(is_inferred, np.floor(middle + 0.5) - low, np.nan)
        pack.measures("fact.construction_year_middle", inferred, decimals=0)


def add_others(pack: Pack, others: gpd.GeoDataFrame) -> int:
    """Pack the footprints that are not scored and return how many there are."""
    others = others.iloc[spatial_order(others.geometry.to_numpy())]
    add_polygons(pack, "others", mercator_shapes(others), quantum=OTHER_QUANTUM_UNITS)
    pack.categories("others.building_use_type", others["building_use_type"])
    pack.categories("others.building_name", others["building_name"])
    return len(others)


def need_units(table: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """Return a criterion's need in ten-thousandths."""
    share = real_numbers(table[f"{name}_need_share"])
    return np.floor(share * NEED_UNITS + 0.5).astype(np.int64)


def excess(
    value: Floats, need: NDArray[np.int64], criterion: Criterion, per_unit: float
) -> NDArray[np.int64]:
    """Return how far a shown value lies from the one that its need tells, in shown steps.

    Between the bounds need tells the value and this is 0 (or 1 by rounding); beyond them it is the
    distance from the bound. Where the value is missing it is 0 and ``stand_in`` says so.
    """
    known = ~np.isnan(value)
    shown = np.floor(np.where(known, value, 0) * per_unit + 0.5)
    told = np.floor(told_value(need, criterion) * per_unit + 0.5)
    return np.where(known, shown - told, 0).astype(np.int64)


def told_value(need: NDArray[np.int64], criterion: Criterion) -> Floats:
    """Return the measurement that stands at this need on the criterion's line.

    The page calculates the same in the same order of operations.
    """
    bends = criterion.between
    at = np.array([criterion.none_at, *(x for x, _ in bends), criterion.worst_at], dtype=float)
    needs = np.array([0.0, *(y * NEED_UNITS for _, y in bends), NEED_UNITS], dtype=float)
    piece = np.clip(np.searchsorted(needs, need, side="right") - 1, 0, len(at) - 2)
    rise = np.maximum(needs[piece + 1] - needs[piece], 1e-9)
    return np.asarray(at[piece] + (need - needs[piece]) * (at[piece + 1] - at[piece]) / rise)


def extended_need(
    need: NDArray[np.int64], beyond: NDArray[np.int64], criterion: Criterion
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return need continued past 0 and full need by the excess there, and the excess left over.

    One column then varies with the measured value throughout, so neighbours are alike.
    """
    towards = 1 if criterion.worst_at > criterion.none_at else -1
    past = beyond * towards
    is_carried = ((need == 0) & (past < 0)) | ((need == NEED_UNITS) & (past > 0))
    carried = np.where(is_carried, past, 0)
    return need + carried, beyond - carried * towards


def _checked_score(table: pd.DataFrame, used: tuple[Used, ...]) -> NDArray[np.int64]:
    """Return the score in thousandths as the page adds it up."""
    total = np.zeros(len(table), dtype=np.int64)
    for item in used:
        product = need_units(table, item.name) * item.weight_units
        points = (product + NEED_PER_POINT // 2) // NEED_PER_POINT
        _compare(table, points, f"{item.name}_points")
        total += points
    _compare(table, total, "score_points")
    return total


def _compare(table: pd.DataFrame, points: NDArray[np.int64], name: str) -> None:
    stated = np.floor(real_numbers(table[name]) * POINT_UNITS + 0.5).astype(np.int64)
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
