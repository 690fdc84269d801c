"""One kind of facility over a city: who asks for it, who can walk where, and who fits in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.tables import BUILDINGS, MEASUREMENTS, SITE_PLACES, SITE_WALKS
from pipeline.geo.profile import Flags, Integers
from pipeline.geo.raster import Floats
from pipeline.highs import Effort
from pipeline.plan.prices import row_prices_cny
from pipeline.plan.quantities import quantities
from pipeline.problem import Problem
from pipeline.settings.facility_sites import FacilityRule
from pipeline.settings.whole import Settings
from pipeline.siting.facility_choice import Reach

_PARKING_COLUMN = "parking_gap_share"


@dataclass(frozen=True)
class Homes:
    """Housing in the order of the measurements: households with stand-ins, elders, measurements."""

    table: pd.DataFrame
    households: Floats
    elders: Floats


@dataclass(frozen=True)
class Demand:
    """What each building asks of one kind of facility, and the slower walk that it has today."""

    amount: Floats
    limit_min: float
    before_min: Floats
    column: str
    """The measurement that a site changes."""
    metres_per_min: float
    """What a minute's walk counts in it; 0 for parking, whose gap is closed."""
    is_mapped: bool


@dataclass(frozen=True)
class Rooms:
    """Whom each place has room for, in households or spaces."""

    usual: Floats
    low: Floats
    high: Floats
    is_known: Flags


@dataclass(frozen=True)
class Case:
    """One kind of facility over the whole city."""

    key: str
    rule: FacilityRule
    places: pd.DataFrame
    homes: Homes
    demand: Demand
    asking: Integers
    """Buildings that ask; demands are numbered in this order."""
    reach: Reach
    rooms: Rooms
    cost_factor: Floats
    cost_cny: Floats
    is_there: Flags
    """Places where one exists already."""
    effort: Effort

    @property
    def weight(self) -> Floats:
        """What each demand asks."""
        return self.demand.amount[self.asking]


def homes_of(tables: Mapping[Any, Any], settings: Settings) -> Homes:
    """Return the housing with households as the plan counts them."""
    measured: pd.DataFrame = tables[MEASUREMENTS]
    housing = tables[BUILDINGS].set_index("building_id").loc[measured["building_id"]]
    rows = quantities(
        housing.reset_index().assign(perimeter_m=0.0), measured, settings.plan.stand_ins
    )
    households = rows["household_count"].to_numpy(dtype=float)
    persons = settings.sites.facilities.persons_per_household
    share = rows["elder_share"].astype("float64").to_numpy()
    return Homes(rows, households, households * persons * share)


def demand_of(rule: FacilityRule, homes: Homes, settings: Settings) -> Demand:
    """Return what each building asks: all its households where none is in reach today.

    Of parking, the whole spaces that it lacks.

    Raises
    ------
    Problem
        If nothing says how far people walk to it.
    """
    speed = settings.measure.walking.planning_speed_m_per_min
    table, name = homes.table, rule.facility
    if name is None:
        norm = settings.measure.parking.spaces_per_household
        gap = table[_PARKING_COLUMN].astype("float64").to_numpy()
        lacking = np.floor(np.nan_to_num(gap * homes.households * norm))
        before = np.full(len(table), np.nan)
        limit = float(rule.radius_m or 0) / speed
        return Demand(lacking, limit, before, _PARKING_COLUMN, 0.0, bool(np.isfinite(gap).any()))
    walk_m = table[f"{name}_walk_m"].astype("float64").to_numpy()
    radius_m = rule.radius_m or settings.measure.facilities[name].radius_m
    if radius_m is None:
        raise Problem(
            f"sites.facilities.types ({name})", "has no radius_m, nor has measure.facilities",
            expected="metres that a household walks to it", fix="state radius_m",
        )  # fmt: skip
    asks = ~(walk_m <= radius_m)
    if rule.existing_household_count is not None:
        asks = np.ones(len(walk_m), dtype=bool)
    amount = np.where(asks, np.round(homes.households), 0.0)
    is_mapped = bool(np.isfinite(walk_m).any())
    return Demand(
        np.asarray(amount, dtype=np.float64),
        radius_m / speed,
        np.asarray(walk_m / speed, dtype=np.float64),
        f"{name}_walk_m",
        speed,
        is_mapped,
    )


def case_of(
    key: str,
    rule: FacilityRule,
    tables: Mapping[Any, Any],
    homes: Homes,
    demand: Demand,
    settings: Settings,
) -> Case:
    """Return everything that the choice of sites of one kind needs."""
    places: pd.DataFrame = tables[SITE_PLACES]
    walks: pd.DataFrame = tables[SITE_WALKS]
    is_there = (places["existing_amenity_type"] == rule.facility).to_numpy(dtype=bool)
    is_other = places["existing_amenity_type"].notna().to_numpy(dtype=bool) & ~is_there
    asking = np.flatnonzero(demand.amount > 0)
    place = pd.Index(places["site_place_id"]).get_indexer(walks["site_place_id"])
    building = pd.Index(homes.table["building_id"].iloc[asking]).get_indexer(walks["building_id"])
    slower = walks[["site_walk_out_min", "site_walk_back_min"]].to_numpy(dtype=float).max(axis=1)
    kept = (building >= 0) & (place >= 0) & (slower <= demand.limit_min)
    kept &= ~is_other[place]
    reach = Reach(building[kept], place[kept], slower[kept])
    rooms = _rooms(places, homes, rule, is_there)
    whole = settings.sites.facilities
    factor = np.where(rooms.is_known, 1.0, whole.built_cost_factor)
    return Case(
        key, rule, places, homes, demand, asking, reach, rooms, factor,
        factor * _unit_cost_cny(key, rule, places, homes, rooms, settings), is_there,
        Effort(whole.relative_gap, whole.node_limit),
    )  # fmt: skip


def _rooms(places: pd.DataFrame, homes: Homes, rule: FacilityRule, is_there: Flags) -> Rooms:
    """Return the room of each place; where no surveyed room is large enough it is a range."""
    if rule.rooms is None:
        of = homes.table["estate_id"].fillna(homes.table["building_id"])
        in_estate = pd.Series(homes.households).groupby(of.to_numpy()).sum()
        host = homes.table.set_index("building_id")["estate_id"].reindex(places["host_building_id"])
        host = pd.Series(host.to_numpy()).fillna(pd.Series(places["host_building_id"].to_numpy()))
        share = float(rule.spaces_per_host_household or 0)
        spaces = np.floor(share * in_estate.reindex(host).fillna(0.0).to_numpy(dtype=float))
        return Rooms(spaces, spaces, spaces, np.ones(len(spaces), dtype=bool))
    size, each = rule.rooms, rule.rooms.m2_per_household
    area = places["room_area_m2"].astype("float64").to_numpy()
    is_known = area >= size.smallest_m2
    held = np.floor(np.minimum(np.where(is_known, area, 0.0), size.largest_m2) / each)
    usual, low, high = (
        np.where(is_known, held, np.floor(one / each))
        for one in (size.usual_m2, size.smallest_m2, size.largest_m2)
    )
    if rule.existing_household_count is not None:
        now = float(rule.existing_household_count)
        usual, low, high = (np.where(is_there, now, one) for one in (usual, low, high))
        is_known = is_known | is_there
    return Rooms(usual, low, high, is_known)


def _unit_cost_cny(
    key: str,
    rule: FacilityRule,
    places: pd.DataFrame,
    homes: Homes,
    rooms: Rooms,
    settings: Settings,
) -> Floats:
    """Return what one more site costs by the price list, at its usual size."""
    if rule.budget_cny is None:
        return np.zeros(len(places))
    districts = homes.table.set_index("building_id")["district_name"]
    row = list(settings.plan.measures).index(key)
    there = places["host_building_id"].notna().to_numpy(dtype=bool)
    names = districts.reindex(places["host_building_id"][there])
    price = np.zeros(len(places))
    price[there] = row_prices_cny(settings.plan, names)[row]
    return price * (rooms.usual if rule.rooms is None else 1.0)
