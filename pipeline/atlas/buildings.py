"""The buildings of the page: shape, rank, need of each criterion, and every fact the panel shows.

``building_rows`` stops if the page would show other points, or another order, than the tables hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.atlas.areas import area_keys, as_places
from pipeline.atlas.choices import gate_columns
from pipeline.atlas.classes import VALUE_LAYERS, YEAR_BREAKS, YEAR_KEY, as_shown, class_shift
from pipeline.atlas.mercator import UNITS_PER_M, WEB_MERCATOR, Outlines, add_outlines, spatial_order
from pipeline.atlas.packing import Pack, empty_step, known_steps, small, steps_of
from pipeline.atlas.points import Used, checked_score, excess, extended_need, need_units
from pipeline.atlas.ties import (
    check_order,
    check_tiers,
    places,
    real_numbers,
    tie_places,
    tie_shift,
)
from pipeline.settings.whole import Settings

OTHER_QUANTUM_UNITS = 16
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
    "lifted_by_code",
    "batch_type",
    "wait_reason_code",
)
OPTIONAL_FACTS: tuple[tuple[str, int], ...] = (
    ("readiness_share", 2),
    ("consent_share", 2),
    ("top_share", 3),
    ("funded_share", 3),
    ("planned_year", 0),
    ("unit_cost_cny_per_m2", 0),
)
"""Shown where a run has them."""
FLAGS = ("is_overlapping", "has_street_access")
BANDS = {"rank_p05": -1, "rank_p95": 1}
"""Ends of the band, and on which side of the rank they lie."""
YEARS = (
    ("construction_year_low", True),
    ("construction_year_span", True),
    ("construction_year_middle", False),
)
"""Of each building, and whether they are told where no building has them."""
SEARCHED = ("building_name", "estate_name", "road_name")
INFERRED_BASES = ("inferred", "baseline")
NEVER_REPEATED = ("building_id", "source_row")
RANKED_QUANTUM_UNITS = 3
EMPTY_KEY = -(2**30)
"""Key of an empty tie break: it comes last."""


def whole_table(
    buildings: gpd.GeoDataFrame,
    measurements: pd.DataFrame,
    ranking: pd.DataFrame,
    building_ranking: pd.DataFrame,
) -> gpd.GeoDataFrame:
    """Return one row a ranked building with all columns and its shape, neighbours side by side.

    Shapes are in Web Mercator.
    """
    ids = pd.Index(building_ranking["building_id"])
    at = pd.Index(buildings["building_id"]).get_indexer(ids)
    order = spatial_order(buildings.geometry.to_numpy()[at])
    needs = [name for name in ranking.columns if name.endswith("_need_share")]
    sources = (
        (building_ranking, list(building_ranking.columns), order),
        (ranking, needs, pd.Index(ranking["building_id"]).get_indexer(ids)[order]),
        (
            measurements,
            ["main_road_path_point_number", "cell_id"],
            pd.Index(measurements["building_id"]).get_indexer(ids)[order],
        ),
        (buildings, ["height_m", "geometry"], at[order]),
    )
    columns: dict[str, Any] = {}
    for source, names, rows in sources:
        is_whole = bool((rows >= 0).all())
        for name in names:
            if name not in columns:
                values = plain_column(source[name]).array
                columns[name] = values.take(rows, allow_fill=not is_whole)
    # each column stays an array of its own: nothing works on many at once
    table = pd.DataFrame(
        columns | {"geometry": columns["geometry"].to_crs(WEB_MERCATOR)}, copy=False
    )
    return gpd.GeoDataFrame(table, geometry="geometry")


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


def building_rows(
    table: gpd.GeoDataFrame, used: tuple[Used, ...], settings: Settings
) -> pd.DataFrame:
    """Return what pages tell of the scored buildings, in whole numbers; rows as in ``whole_table``.

    This is worked out once for the city, and rows are cut for districts. Measured columns are as
    ``steps_of`` returns them, with the decimals of ``shown_columns``.

    Raises
    ------
    Problem
        If score, order, tier or track would differ on the page from the table.
    """
    rank = real_numbers(table["rank"])
    score = checked_score(table, used)
    place = tie_places(table, settings.score.tie_breaks)
    check_order(table, rank, score, place)
    check_tiers(table, settings.score.tier_upper_rank_shares)
    rows: dict[str, Any] = {
        **{name: table[name].astype(object) for name in NEVER_REPEATED},
        "rank": np.nan_to_num(rank).astype(np.int32),
        "tier": np.nan_to_num(real_numbers(table["tier_number"])).astype(np.int8),
        "tie_place": place.astype(np.int32),
        "has_stand_in": (table["stand_in_count"] > 0).to_numpy(dtype=bool),
        **{name: real_numbers(table[name]) for name in ("latitude_deg", "longitude_deg")},
        **{name: table[name].astype(bool).to_numpy() for name in FLAGS},
        **gate_columns(table, settings),
    }
    for item in used:
        need = need_units(table, item.name)
        value = real_numbers(table[item.criterion.measure])
        beyond = excess(value, need, item.criterion, item.per_unit)
        extended, rest = extended_need(need, beyond, item.criterion)
        rows[f"stand_in.{item.name}"] = (table[f"{item.name}_origin"] == "stand_in").to_numpy()
        rows[f"need.{item.name}"], rows[f"rest.{item.name}"] = map(small, (extended, rest))
    known = [name for name in (*CATEGORIES, *OPTIONAL_CATEGORIES) if name in table.columns]
    rows |= {name: table[name] for name in known}
    rows["area_id"] = as_places(area_keys(table, table["cell_id"]))
    for name in ("project_id", "planned_works_codes"):
        if name in table.columns:
            rows[name] = table[name]
    bands = [name for name in BANDS if name in table.columns]
    rows |= {name: real_numbers(table[name]) for name in bands}
    for name, decimals in shown_columns(settings).items():
        if name in table.columns:
            rows[name] = steps_of(real_numbers(table[name]), decimals)
    rows |= _years(table)
    rows |= _class_shifts(table, used, rows, settings)
    back, out = (real_numbers(table[f"main_road_walk_{way}_min"]) for way in ("back", "out"))
    later = np.floor(back * 10 + 0.5) / 10 - np.floor(out * 10 + 0.5) / 10
    rows["main_road_walk_later_min"] = steps_of(later, 1)
    return pd.DataFrame(rows)


def shown_columns(settings: Settings) -> dict[str, int]:
    """Return the measured columns that a page may show as they are, with their decimals."""
    counts = count_columns(settings.measure.facilities, settings.measure.count_within_min)
    return dict((*FACTS, *OPTIONAL_FACTS)) | dict.fromkeys(sum(counts.values(), ()), 0)


def add_ranked(
    pack: Pack,
    rows: pd.DataFrame,
    shapes: Outlines,
    used: tuple[Used, ...],
    tie_breaks: Sequence[str],
    *,
    is_part: bool = False,
    spelt: Mapping[str, str],
) -> None:
    """Pack the scored buildings; rows as ``building_rows`` returns them.

    Of a part of the city the page also gets the ranks in the whole, in their order. ``spelt`` holds
    the ``initials`` of words, where they are known already.
    """
    if is_part:
        rank = rows["rank"].to_numpy()
        pack.numbers("city_rank", np.sort(rank[rank > 0]))
    twice_area = add_outlines(pack, "ranked", shapes)
    pack.codes("building_id", rows["building_id"])
    pack.codes("source_row", rows["source_row"], rows["building_id"])
    shown_needs = {}
    for item in used:
        stand_in = rows[f"stand_in.{item.name}"].to_numpy()
        need = rows[f"need.{item.name}"].to_numpy()
        pack.numbers(f"stand_in.{item.name}", stand_in)
        pack.numbers(f"need.{item.name}", need)
        pack.numbers(f"rest.{item.name}", rows[f"rest.{item.name}"].to_numpy())
        towards = 1 if item.criterion.worst_at > item.criterion.none_at else -1
        key = np.where(stand_in, EMPTY_KEY, towards * need.astype(np.int64))
        shown_needs[item.criterion.measure] = key
    keys = [shown_needs[name] for name in tie_breaks if name in shown_needs]
    place = places(np.argsort(rows["tie_place"].to_numpy()))
    pack.numbers("tie_shift", tie_shift(place, keys))
    scored = {item.criterion.measure for item in used}
    guesses = _guesses(rows, twice_area)
    for name, decimals in FACTS:
        if name not in scored and is_known(rows, name):
            values, guess = rows[name].to_numpy(), guesses.get(name)
            pack.steps(f"fact.{name}", values, decimals=decimals, expected=guess)
    for name, decimals in OPTIONAL_FACTS:
        if is_known(rows, name):
            pack.steps(f"fact.{name}", rows[name].to_numpy(), decimals=decimals)
    _add_band(pack, rows)
    pack.numbers("area", rows["area_id"].cat.codes)
    for name, is_always in YEARS:
        if is_always or is_known(rows, name):
            pack.steps(f"fact.{name}", rows[name].to_numpy(), decimals=0)
    later = rows["main_road_walk_later_min"].to_numpy()
    pack.steps("fact.main_road_walk_later_min", later, decimals=1)
    for name in CATEGORIES:
        words = pack.categories(name, rows[name])
        if name in SEARCHED:
            pack.texts(f"{name}.initials", [spelt[word] for word in words])
    for name in OPTIONAL_CATEGORIES:
        if name in rows.columns and rows[name].notna().any():
            pack.categories(name, rows[name])
    for name in FLAGS:
        pack.numbers(name, rows[name].to_numpy())


def is_known(rows: pd.DataFrame, name: str) -> bool:
    """Tell whether a measured column is there and any building has a value."""
    return name in rows.columns and bool((rows[name].to_numpy() != empty_step(rows[name])).any())


def half_unit_m2(table: pd.DataFrame) -> float:
    """Return half the area on the ground of a square unit of the map, in the middle of the table."""
    shrunk = np.cos(np.radians(float(table["latitude_deg"].median())))
    return float(shrunk / UNITS_PER_M) ** 2 / 2


def _guesses(rows: pd.DataFrame, twice: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Return what the page can work out itself: footprints from outlines, floors from storeys."""
    footprint = np.floor(twice * half_unit_m2(rows) + 0.5).astype(np.int64)
    shown, storeys = (known_steps(rows[name]) for name in ("footprint_area_m2", "storey_count"))
    return {"footprint_area_m2": footprint, "floor_area_m2": shown * storeys}


def _add_band(pack: Pack, rows: pd.DataFrame) -> None:
    """Pack how far the ends of the band that holds the rank in nine of ten draws lie from it."""
    rank = rows["rank"].to_numpy(dtype=float)
    rank[rank == 0] = np.nan
    for name, towards in BANDS.items():
        if name in rows.columns and rows[name].notna().any():
            pack.measures(f"band.{name}", towards * (rows[name].to_numpy() - rank), decimals=0)


def count_columns(facilities: Iterable[str], minutes: Iterable[int]) -> dict[str, tuple[str, ...]]:
    """Return by type of facility the columns of how many there are within so many minutes."""
    limits = tuple(minutes)
    return {
        name: tuple(f"{name}_within_{limit}_min_count" for limit in limits) for name in facilities
    }


def add_counts(pack: Pack, rows: pd.DataFrame, counts: Mapping[str, Sequence[str]]) -> list[str]:
    """Pack how many facilities each building has in reach; return the types known."""
    known = [key for key, names in counts.items() if all(is_known(rows, name) for name in names)]
    for name in (name for key in known for name in counts[key]):
        pack.steps(f"fact.{name}", rows[name].to_numpy(), decimals=0)
    return known


def _years(table: pd.DataFrame) -> dict[str, NDArray[np.integer[Any]]]:
    """Return the first year, how many years later the last one is, and the middle of an inferred one.

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
    inferred = np.where(is_inferred, np.floor(middle + 0.5) - low, np.nan)
    found = (low, high - low, inferred)
    return {name: steps_of(one, 0) for (name, _), one in zip(YEARS, found, strict=True)}


def _class_shifts(
    table: pd.DataFrame, used: tuple[Used, ...], rows: Mapping[str, Any], settings: Settings
) -> dict[str, NDArray[np.int8]]:
    """Return ``class_shift`` of the layers that this table has values for."""
    scales = {name: 10.0**decimals for name, decimals in shown_columns(settings).items()}
    scales |= {item.criterion.measure: item.per_unit for item in used}
    found = {}
    for key, layer in VALUE_LAYERS.items():
        if layer["fact"] in table.columns:
            true = real_numbers(table[layer["fact"]])
            shown = as_shown(true, scales[layer["fact"]])
            found[f"class_shift.{key}"] = class_shift(true, shown, layer["breaks"])
    low, span, middle = (known_steps(pd.Series(rows[name])).astype(float) for name, _ in YEARS)
    is_inferred = table["construction_year_basis_type"].isin(INFERRED_BASES).to_numpy()
    known = pd.Series(rows[YEARS[0][0]]) != empty_step(pd.Series(rows[YEARS[0][0]]))
    shown = np.where(known, low + np.where(is_inferred, middle, np.floor(span / 2)), np.nan)
    true = np.where(
        is_inferred,
        real_numbers(table["construction_year_p50"]),
        real_numbers(table["construction_year"]),
    )
    return found | {f"class_shift.{YEAR_KEY}": class_shift(true, shown, YEAR_BREAKS)}


def add_others(pack: Pack, others: pd.DataFrame, shapes: Outlines) -> int:
    """Pack the footprints that are not scored and return how many there are."""
    add_outlines(pack, "others", shapes)
    pack.categories("others.building_use_type", others["building_use_type"])
    pack.categories("others.building_name", others["building_name"])
    return len(others)
