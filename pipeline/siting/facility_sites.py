"""Facilities of each kind, sited once over the whole city: where they stand and whom they serve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.geo.profile import Integers
from pipeline.geo.raster import Floats
from pipeline.problem import Problem
from pipeline.settings.whole import Settings
from pipeline.siting.facility_case import Case, Homes, case_of, demand_of, homes_of
from pipeline.siting.facility_choice import (
    NOBODY,
    Choice,
    Limits,
    Sites,
    largest_cover,
    least_walk,
)

_HALF = 0.5


@dataclass(frozen=True)
class Found:
    """Rows of ``PROPOSED_SITES`` and ``SITE_SERVICE`` of one kind, and what is on record about it."""

    proposed: pd.DataFrame
    service: pd.DataFrame
    ledger: dict[str, Any]


def facility_sites(
    tables: Mapping[Any, Any], settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Return the proposed sites, whom each serves, and for each kind counts, bound and gap.

    Raises
    ------
    Problem
        If a budget does not pay for the cheapest site.
    """
    rule = settings.sites.facilities
    if not rule.are_sited or not rule.types:
        return pd.DataFrame(), pd.DataFrame(), {}
    homes = homes_of(tables, settings)
    found = {key: _sited(key, tables, homes, settings) for key in rule.types}
    return (
        pd.concat([one.proposed for one in found.values()], ignore_index=True),
        pd.concat([one.service for one in found.values()], ignore_index=True),
        {key: one.ledger for key, one in found.items()},
    )


def _sited(key: str, tables: Mapping[Any, Any], homes: Homes, settings: Settings) -> Found:
    """Return the sites of one kind."""
    rule = settings.sites.facilities.types[key]
    demand = demand_of(rule, homes, settings)
    record: dict[str, Any] = {
        "model": rule.model,
        "limit_min": round(demand.limit_min, 3),
        "is_existing_capacity_known": rule.existing_household_count is not None,
        "asking_count": round(float(demand.amount.sum())),
    }
    if not demand.is_mapped:
        return _nothing(record | {"note": "not_mapped"})
    case = case_of(key, rule, tables, homes, demand, settings)
    in_reach = np.unique(case.reach.demand)
    record["in_reach_count"] = round(float(case.weight[in_reach].sum()))
    if not in_reach.size:
        return _nothing(record | {"note": "no_place" if len(case.asking) else "nobody_asks"})
    _refuse_small_budget(case)
    return _found(case, _choice(case), record)


def _refuse_small_budget(case: Case) -> None:
    budget, new = case.rule.budget_cny, np.unique(case.reach.site)
    new = new[~case.is_there[new]]
    if budget is None or not new.size or budget >= case.cost_cny[new].min():
        return
    least = case.cost_cny[new].min()
    raise Problem(
        f"sites.facilities.types.{case.key}.budget_cny",
        f"{budget:,.0f} yuan is below the cheapest site, {least:,.0f} yuan",
        expected=f"at least {least:,.0f}, or null for no limit of its own",
        fix="raise it, or set max_site_count: 0 if none shall be proposed",
    )


def _choice(case: Case) -> Choice:
    rule, limit_min = case.rule, case.demand.limit_min
    limits = Limits(rule.max_site_count, rule.budget_cny)
    # of a median, the household that counts walks half of what it may
    each = 1.0 if rule.model == "covering" else _HALF * limit_min
    price = rule.least_count * each * case.cost_factor
    sites = Sites(case.rooms.usual, price, case.cost_cny, case.is_there)
    if rule.model == "covering":
        return largest_cover(case.weight, case.reach, sites, limits, case.effort)
    return least_walk(
        case.weight,
        case.reach,
        sites,
        limits,
        case.effort,
        unserved_min=limit_min,
        by_shares=rule.facility is None,
    )


def _nothing(record: dict[str, Any]) -> Found:
    counts = {"site_count": 0, "served_count": 0, "value": 0.0, "bound": 0.0, "gap_share": 0.0}
    return Found(pd.DataFrame(), pd.DataFrame(), record | counts)


def _found(case: Case, choice: Choice, record: dict[str, Any]) -> Found:
    """Return what is proposed, sorted by site."""
    new = choice.is_chosen & ~case.is_there
    demand = np.flatnonzero((choice.served_by >= 0) & new[choice.served_by])
    site = choice.served_by[demand]
    walks = pd.Series(
        case.reach.walk_min, pd.MultiIndex.from_arrays([case.reach.demand, case.reach.site])
    )
    after = walks.loc[list(zip(demand.tolist(), site.tolist(), strict=True))].to_numpy()
    rows = case.asking[demand]
    weight = case.demand.amount[rows]
    served = pd.DataFrame(
        {
            "site": site,
            "weight": weight,
            "household": np.round(case.homes.households[rows]),
            "elder": case.homes.elders[rows],
            "before": case.demand.before_min[rows],
            "after": after,
            "building_id": case.homes.table["building_id"].to_numpy(dtype=object)[rows],
        }
    )
    names = f"{case.key}/" + case.places["site_place_id"].astype(str).to_numpy(dtype=object)
    service = pd.DataFrame(
        {
            "site_id": names[site],
            "building_id": served["building_id"],
            "effect_column_name": case.demand.column,
            "value_after": after * case.demand.metres_per_min,
        }
    )
    proposed = _proposed(case, served, choice, names)
    counts = {
        "site_count": len(proposed),
        "served_count": round(float(weight.sum())),
        "value": round(choice.value, 3),
        "bound": round(choice.bound, 3),
        "gap_share": round(max(choice.gap_share, 0.0), 6),
    }
    return Found(proposed, service, record | counts)


def _proposed(case: Case, served: pd.DataFrame, choice: Choice, names: np.ndarray) -> pd.DataFrame:
    """Return one row for each new site that serves somebody."""
    by_site = served.groupby("site", sort=True)
    sums = by_site[["weight", "household"]].sum()
    at = sums.index.to_numpy(dtype=np.int64)
    mean_before, mean_after = (_weighted_mean(served, name) for name in ("before", "after"))
    elders = by_site["elder"].sum(min_count=1)
    unserved = _could_come(case, choice, at)
    ratio = sums["household"].to_numpy() / sums["weight"].to_numpy()
    used = sums["weight"].to_numpy()
    low = _fitting(served, case.rooms.low[at], at)
    high = np.minimum(used + unserved, np.maximum(case.rooms.high[at], used))
    place = case.places.iloc[at]
    is_parking = case.rule.facility is None
    return pd.DataFrame(
        {
            "site_id": names[at],
            "works_type": case.key,
            "site_place_id": place["site_place_id"].to_numpy(),
            "site_origin": place["site_origin"].to_numpy(),
            "host_building_id": place["host_building_id"].to_numpy(),
            "site_quantity": used if is_parking else np.ones(len(at)),
            "site_cost_factor": case.cost_factor[at],
            "stated_cost_cny": np.full(len(at), np.nan),
            "is_capacity_known": case.rooms.is_known[at],
            "capacity_count": case.rooms.usual[at].astype(np.int64),
            "capacity_low_count": case.rooms.low[at].astype(np.int64),
            "capacity_high_count": case.rooms.high[at].astype(np.int64),
            "capacity_used_count": used.astype(np.int64),
            "served_household_count": sums["household"].to_numpy().astype(np.int64),
            "served_low_household_count": np.round(low * ratio).astype(np.int64),
            "served_high_household_count": np.round(high * ratio).astype(np.int64),
            "served_elder_count": elders.round().astype("Int64").to_numpy(),
            "site_walk_before_min": mean_before.reindex(at).to_numpy(),
            "site_walk_after_min": mean_after.reindex(at).to_numpy(),
        }
    )


def _weighted_mean(served: pd.DataFrame, name: str) -> pd.Series:
    """Return the mean of each site over the households for which it is known."""
    known = served[served[name].notna() & (served["weight"] > 0)]
    sums = (known[name] * known["weight"]).groupby(known["site"]).sum()
    return sums / known["weight"].groupby(known["site"]).sum()


def _could_come(case: Case, choice: Choice, at: Integers) -> Floats:
    """Return what nobody serves but could walk to each of the sites, to the nearest one."""
    unserved = choice.served_by == NOBODY
    which = np.flatnonzero(unserved[case.reach.demand] & np.isin(case.reach.site, at))
    order = which[np.lexsort((case.reach.site[which], case.reach.walk_min[which]))]
    _, first = np.unique(case.reach.demand[order], return_index=True)
    nearest = order[first]
    total = np.bincount(
        case.reach.site[nearest],
        case.weight[case.reach.demand[nearest]],
        minlength=len(case.places),
    )
    return np.asarray(total[at], dtype=float)


def _fitting(served: pd.DataFrame, room: Floats, at: Integers) -> Floats:
    """Return what fits into smaller rooms, the nearest buildings first and each whole."""
    near = served.sort_values(["site", "after", "building_id"])
    so_far = near.groupby("site")["weight"].cumsum()
    fits = so_far <= near["site"].map(dict(zip(at.tolist(), room.tolist(), strict=True)))
    total = near["weight"].where(fits, 0.0).groupby(near["site"]).sum()
    return total.reindex(at).to_numpy(dtype=float)
