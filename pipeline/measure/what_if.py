"""What if something were closed or built: who would walk less, who more.

The access table is worked out twice by the same functions, for the streets as they are and for the
changed ones. Facility types that are not mapped today have no walks to compare with; of a new facility
of such a type it is only told which homes come within the standard's radius.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.contracts.tables import (
    AMENITIES,
    BUILDINGS,
    MEASUREMENTS,
    STREET_EDGES,
    STREET_NODES,
    WATER,
    Table,
)
from pipeline.geo.profile import Flags
from pipeline.geo.raster import Floats, Raster
from pipeline.measure.change import Streets, change_spans, changed_streets
from pipeline.measure.streets import Access, StreetWorld, access_table, street_world
from pipeline.measure.walks import MAIN_ROAD, NO_SPANS, Spans
from pipeline.problem import Problem
from pipeline.settings.change import Change
from pipeline.settings.measure import MeasureSettings
from pipeline.settings.whole import Settings

MINUTES_THAT_COUNT_MIN = 0.05
"""Smaller differences of a walk are not told."""
METRES_THAT_COUNT_M = 0.5
"""The same for climb and equivalent distance."""
LEAST_KNOWN_SHARE = 0.5
"""Sums are over households where they are known for at least this share of the housing."""
READS = (BUILDINGS, STREET_NODES, STREET_EDGES, AMENITIES, WATER, MEASUREMENTS)

_PARTS = {
    "walk_out_{}_min": "{}_walk_out_min",
    "walk_back_{}_min": "{}_walk_back_min",
    "walk_{}_m": "{}_walk_m",
}


@dataclass(frozen=True)
class WhatIf:
    """A table with a row per building and facility type that changes, and what it adds up to."""

    table: pd.DataFrame
    ledger: dict[str, Any]


def what_if(
    tables: Mapping[Table, Any], ground: Raster, settings: Settings, change: Change, *, file: str
) -> WhatIf:
    """Return who would walk how much less or more after a change.

    Parameters
    ----------
    tables
        The tables of ``READS``; none is altered.
    ground
        Height of the ground, metres.
    settings
        The city's settings; only ``city`` and ``measure`` are looked at.
    change
        What is closed and added.
    file
        Where the change stands, for messages.

    Raises
    ------
    Problem
        If the change names what is not there, or cannot be joined to the streets.
    """
    rule = settings.measure
    streets = Streets(tables[STREET_NODES], tables[STREET_EDGES], tables[AMENITIES])
    changed = changed_streets(streets, change, rule, file=file)
    added = sorted({one.add_amenity.type for one in change.actions if one.add_amenity})
    water = tables[WATER]
    today = _world(streets, water, ground, all_mapped(rule, list(rule.facilities)))
    reachable = reachable_counts(streets.amenities, today)
    mapped = mapped_types(reachable, rule)
    first_mapped = [name for name in added if name not in mapped]
    compared = all_mapped(rule, [n for n in rule.facilities if n in (*mapped, *first_mapped)])
    spans, records = change_spans(today, changed, change, rule, file=file)
    later = _world(changed, water, ground, compared, spans)
    _refuse_unreachable(changed, later, change, rule, file)

    buildings: gpd.GeoDataFrame = tables[BUILDINGS]
    housing = buildings[buildings["is_housing"]].reset_index(drop=True)
    shapes = housing.geometry.to_numpy()
    before = access_table(shapes, today, compared)
    after = access_table(shapes, later, compared)
    parts = [
        _rows(name, before, after, rule, is_first_mapped=name in first_mapped)
        for name in compared.facilities
    ]
    row = np.concatenate([index for index, _ in parts])
    places = _places(housing, tables[MEASUREMENTS])
    table = pd.concat(
        [
            places.iloc[row].reset_index(drop=True),
            pd.concat([part for _, part in parts], ignore_index=True),
        ],
        axis=1,
    )
    origin = "合成 synthetic" if settings.city.is_synthetic else "delivered"
    table = table.assign(data_origin=origin)
    ledger = {
        "title_zh": change.title_zh,
        "title_en": change.title_en,
        "actions": sorted(
            [*(_with_rise(one, streets, today) for one in changed.done), *records],
            key=lambda one: one["action"],
        ),
        "notes": _notes(changed, records, streets, later, first_mapped, reachable, rule),
        **_totals(table, housing, list(compared.facilities)),
    }
    return WhatIf(table, ledger)


def reachable_counts(amenities: gpd.GeoDataFrame, world: StreetWorld) -> pd.Series:
    """Return how many facilities of each type can be reached from a street."""
    return amenities["amenity_type"][world.facility_has_access].value_counts()


def mapped_types(reachable: pd.Series, rule: MeasureSettings) -> list[str]:
    """Return the facility types of which enough places can be reached to measure walks to them."""
    return [
        name
        for name in rule.facilities
        if name == MAIN_ROAD or reachable.get(name, 0) >= rule.access.min_facility_count
    ]


def _world(
    streets: Streets,
    water: gpd.GeoDataFrame,
    ground: Raster,
    rule: MeasureSettings,
    spans: Spans = NO_SPANS,
) -> StreetWorld:
    return street_world(streets.nodes, streets.edges, streets.amenities, water, ground, rule, spans)


def all_mapped(rule: MeasureSettings, names: list[str]) -> MeasureSettings:
    """Return settings for these facility types only, each of which counts however few places it has.

    Which types are mapped is decided once, for today; closing one of five shops does not unmap them.
    """
    access = rule.access.model_copy(update={"min_facility_count": 1})
    facilities = {name: rule.facilities[name] for name in names}
    update = {"access": access, "facilities": facilities, "count_within_min": []}
    return rule.model_copy(update=update)


def _refuse_unreachable(
    changed: Streets, later: StreetWorld, change: Change, rule: MeasureSettings, file: str
) -> None:
    keys = changed.amenities["amenity_id"].to_numpy(dtype=object)
    for number, action in enumerate(change.actions):
        if action.add_amenity is None:
            continue
        if not later.facility_has_access[keys == f"what-if-{number}"].all():
            raise Problem(
                file,
                f"actions.{number}.add_amenity.at = {list(action.add_amenity.at)}: no street can be "
                f"reached from there within {rule.access.max_access_m:g} m",
                expected="[longitude, latitude] beside a street, in the datum of the file",
                fix="correct the position, the order of the two numbers or the datum",
            )


def _rows(
    name: str,
    before: Access,
    after: Access,
    rule: MeasureSettings,
    *,
    is_first_mapped: bool,
) -> tuple[Any, pd.DataFrame]:
    """Return the buildings whose walk to a facility type changes, and how."""
    columns: dict[str, Any] = {}
    told = {
        ours: [one.columns[theirs.format(name)] for one in (before, after)]
        for ours, theirs in _PARTS.items()
    }
    told["climb_{}_m"] = [one.home_climb_m[name] for one in (before, after)]
    told["climb_out_{}_m"] = [one.out_climb_m[name] for one in (before, after)]
    for ours, (old, new) in told.items():
        columns[ours.format("before")] = np.full(len(old), np.nan) if is_first_mapped else old
        columns[ours.format("after")] = new
        columns[ours.format("saved")] = columns[ours.format("before")] - new
    if is_first_mapped:
        limit = rule.facilities[name].radius_m
        if limit is None:
            longest = max(rule.count_within_min, default=15)
            limit = longest * rule.walking.planning_speed_m_per_min
        was_near, is_near = (one.columns[f"{name}_walk_m"] <= limit for one in (before, after))
        differs = is_near & ~was_near
        outcome = np.full(len(differs), "first_mapped", dtype=object)
    else:
        differs, outcome = _outcome(columns, before.cost_min[name] - after.cost_min[name])
    row = np.flatnonzero(differs)
    frame = pd.DataFrame(columns).iloc[row].reset_index(drop=True)
    frame.insert(0, "facility_type", name)
    frame.insert(1, "outcome_type", outcome[row])
    return row, frame


def _outcome(columns: Mapping[str, Floats], saved_cost_min: Floats) -> tuple[Flags, Any]:
    """Return which walks change, and whether for the better: by what ways are chosen by."""
    had = ~np.isnan(columns["walk_out_before_min"]) & ~np.isnan(columns["walk_back_before_min"])
    has = ~np.isnan(columns["walk_out_after_min"]) & ~np.isnan(columns["walk_back_after_min"])
    saved_out = np.nan_to_num(columns["walk_out_saved_min"])
    saved_back = np.nan_to_num(columns["walk_back_saved_min"])
    climb = np.nan_to_num(columns["climb_saved_m"])
    climb_out = np.nan_to_num(columns["climb_out_saved_m"])
    metres = np.nan_to_num(columns["walk_saved_m"])
    in_time = np.maximum(np.abs(saved_out), np.abs(saved_back)) > MINUTES_THAT_COUNT_MIN
    in_climb = np.maximum(np.abs(climb), np.abs(climb_out)) > METRES_THAT_COUNT_M
    in_metres = np.abs(metres) > METRES_THAT_COUNT_M
    gain = np.nan_to_num(saved_cost_min)
    outcome = np.select(
        [has & ~had, had & ~has, gain >= 0], ["gains_way", "loses_way", "better"], "worse"
    )
    return in_time | in_climb | in_metres | (had != has), outcome.astype(object)


def _with_rise(record: dict[str, Any], streets: Streets, today: StreetWorld) -> dict[str, Any]:
    """Return the record of a closed lift with the height that the ground gives it."""
    if record["does"] != "close_lift":
        return record
    links = today.network.links
    node = streets.nodes.geometry[streets.nodes["node_id"] == record["id"]].iloc[0]
    lift = np.arange(len(streets.edges), links.count)
    here = lift[shapely.dwithin(links.shape[lift], node, 0.01)]
    profiles = today.network.profiles
    ends = [profiles.at("elevation_m", here, np.full(len(here), at)) for at in (0.0, 1.0)]
    return {**record, "rise_m": round(float(np.abs(ends[1] - ends[0]).sum()), 1)}


def _places(housing: gpd.GeoDataFrame, measurements: pd.DataFrame) -> pd.DataFrame:
    roads = measurements.set_index("building_id")["road_name"]
    named = housing[["building_id", "building_name", "district_name", "estate_name"]]
    return pd.DataFrame(named).assign(road_name=roads.reindex(named["building_id"]).to_numpy())


def _notes(
    changed: Streets,
    records: list[dict[str, Any]],
    streets: Streets,
    later: StreetWorld,
    first_mapped: list[str],
    reachable: pd.Series,
    rule: MeasureSettings,
) -> list[str]:
    """Return what a reader must know about this change."""
    told = [
        f"{record['id']} is closed already"
        for record in changed.done
        if not record.get("was_open", 1)
    ]
    number = pd.Series(np.arange(len(streets.edges)), index=streets.edges["edge_id"])
    for record in records:
        ends = (record["from"]["edge_id"], record["to"]["edge_id"])
        apart = [edge for edge in ends if not later.is_in_main_component[number[edge]]]
        told += [
            f"{record['name']}: street {edge} does not meet the main network" for edge in apart
        ]
    told += [
        f"{name}: {int(reachable.get(name, 0))} mapped today, walks count from "
        f"{rule.access.min_facility_count}: only homes that come within reach of the new one are told"
        for name in first_mapped
    ]
    return told


def _totals(table: pd.DataFrame, housing: gpd.GeoDataFrame, names: list[str]) -> dict[str, Any]:
    """Return counts of buildings and sums of minutes and metres saved per trip home.

    Weighted by households where at least half of the housing has a known number of them (the rest is
    then left out of the sums and counted), else every building counts once. Buildings that gain or
    lose a way have no difference and are counted, not summed.
    """
    weight = pd.Series(1.0, index=housing["building_id"])
    households = pd.Series(np.nan, index=weight.index)
    if "household_count" in housing.columns:
        counted = housing["household_count"].astype("Float64")
        households = pd.Series(counted.to_numpy(dtype=float, na_value=np.nan), index=weight.index)
    has_households = households.notna().mean() >= LEAST_KNOWN_SHARE
    if has_households:
        weight = households
    rows = table.assign(weight=weight.reindex(table["building_id"]).to_numpy())
    ledger: dict[str, Any] = {
        "weighted_by": "households" if has_households else "buildings",
        "buildings_without_weight": int(weight.isna().sum()),
        "rows_in": len(housing),
        "rows_out": len(table),
        "changed_buildings": int(table["building_id"].nunique()),
        **_sums(rows),
        "by_facility_type": {
            name: _sums(part) for name in names if len(part := rows[rows["facility_type"] == name])
        },
    }
    for key in ("district_name", "road_name"):
        groups = {str(name): _sums(part) for name, part in rows.groupby(key) if len(part)}
        ledger[f"by_{key}"] = dict(
            sorted(
                groups.items(),
                key=lambda pair: (
                    -abs(pair[1]["home_saved_min"]) - abs(pair[1]["out_saved_min"]),
                    -abs(pair[1]["climb_saved_m"]) - abs(pair[1]["climb_out_saved_m"]),
                    -pair[1]["first_mapped_count"],
                ),
            )
        )
    return ledger


def _sums(rows: pd.DataFrame) -> dict[str, Any]:
    outcome, building = rows["outcome_type"], rows["building_id"]
    counted = {
        f"{name}_count": int(building[outcome == name].nunique())
        for name in ("better", "worse", "gains_way", "loses_way", "first_mapped")
    }
    sums = {
        name: round(float((rows[column] * rows["weight"]).sum()), 3) + 0.0
        for name, column in (
            ("home_saved_min", "walk_back_saved_min"),
            ("out_saved_min", "walk_out_saved_min"),
            ("climb_saved_m", "climb_saved_m"),
            ("climb_out_saved_m", "climb_out_saved_m"),
        )
    }
    return {**counted, **sums}
