"""The lists of proposed lifts: a table in two languages, a curve, a layer for maps, and what-ifs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from pipeline.contracts.tables import LIFT_CURVE, LIFT_SITES, STREET_EDGES
from pipeline.geo.profile import Flags, Integers, Names
from pipeline.geo.raster import Floats
from pipeline.settings.change import Action, AddLift, AddLink, Change
from pipeline.settings.whole import Settings
from pipeline.siting.lift_candidates import Candidates
from pipeline.siting.lift_choice import Choice, Steps
from pipeline.siting.lift_walks import WalkChanges
from pipeline.siting.proposals import Proposals
from pipeline.siting.walking_city import WalkingCity

_TOP_COUNT = 10
_DEGREES = (
    "lower_longitude_deg",
    "lower_latitude_deg",
    "upper_longitude_deg",
    "upper_latitude_deg",
)


@dataclass(frozen=True)
class Listed:
    """What is known of the candidates, and ``rows``: those that are listed, best first."""

    candidates: Candidates
    rows: Integers
    added: Floats
    single: Floats
    low: Floats
    is_sure: Flags
    choice: Choice
    changes: Sequence[WalkChanges]
    elder_relief: Floats
    curve: Steps
    curve_bound: Floats


def site_ids(count: int) -> list[str]:
    """Return the keys of sites in their order."""
    return [f"lift_{number:03d}" for number in range(1, count + 1)]


def lists(
    city: WalkingCity, settings: Settings, listed: Listed | None, told: tuple[str, ...]
) -> Proposals:
    """Return the tables, the layer and the what-ifs of the proposed lifts."""
    origin = "合成 synthetic" if settings.city.is_synthetic else "delivered"
    if listed is None:
        empty = {
            LIFT_SITES: _empty(LIFT_SITES.column_names),
            LIFT_CURVE: _empty(LIFT_CURVE.column_names),
        }
        ledger: dict[str, Any] = {"site_count": 0, "notes": list(told)}
        return Proposals({"lift_sites.geojson": _layer(empty[LIFT_SITES])}, ledger, told, empty)
    table = _table(city, settings, listed).assign(data_origin=origin)
    curve = _curve(listed, table).assign(data_origin=origin)
    choice = listed.choice
    ledger = {
        "site_count": len(table),
        "candidate_count": listed.candidates.count,
        "unsure_count": int((~listed.is_sure).sum()),
        "weighted_by": city.weighted_by,
        "budget_cny": settings.sites.lifts.budget_cny,
        "chosen": table["site_id"][table["is_site_chosen"]].tolist(),
        "relief_min": round(choice.benefit, 3),
        "bound_min": round(choice.bound, 3),
        "gap_share": round(choice.gap, 6),
        "method": choice.method,
        "notes": list(told),
    }
    return Proposals(
        {"lift_sites.geojson": _layer(table)},
        ledger,
        (*told, *_top(table)),
        {LIFT_SITES: table, LIFT_CURVE: curve},
        _what_ifs(listed.candidates, listed.rows, table, settings),
    )


def _empty(names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in names})


def _table(city: WalkingCity, settings: Settings, listed: Listed) -> pd.DataFrame:
    rule, rows = settings.sites.lifts, listed.rows
    one = listed.candidates.chosen(rows)
    ends, edges = one.ends, city.tables[STREET_EDGES]
    kinds = [rule.kinds[name] for name in one.kind]
    road = edges["road_name"].to_numpy(dtype=object)[ends.point.link]
    working = np.array([kind.available_share * kind.hours_trip_share for kind in kinds])
    degrees = (ends.longitude[one.lower], ends.latitude[one.lower],
               ends.longitude[one.upper], ends.latitude[one.upper])  # fmt: skip
    return pd.DataFrame(
        {
            "site_rank": np.arange(1, len(rows) + 1),
            "site_id": site_ids(len(rows)),
            "site_kind_type": one.kind,
            "site_kind_text": [f"{kind.label_zh} {kind.label_en}" for kind in kinds],
            "is_site_chosen": np.isin(rows, listed.choice.lifts),
            "is_benefit_unsure": ~listed.is_sure[rows],
            "lower_road_name": road[one.lower],
            "upper_road_name": road[one.upper],
            "district_name": _districts(city, ends.x[one.lower], ends.y[one.lower]),
            "site_distance_m": one.distance_m,
            "site_rise_m": one.rise_m,
            "site_rise_error_m": one.error_m,
            "site_ride_min": one.there_min,
            "site_cost_cny": one.cost_cny,
            "site_upkeep_cny": [kind.upkeep_cny for kind in kinds],
            "site_year": [rule.first_year + kind.build_year_count for kind in kinds],
            "site_consent_type": np.where(one.needs_consent, "owners", "not_known"),
            "crossed_building_count": one.crossed_building_count,
            "running_hours": [kind.running_hours for kind in kinds],
            "available_share": [kind.available_share for kind in kinds],
            **_relieved(city, listed.changes),
            "relief_single_min": listed.single[rows],
            "relief_added_min": listed.added,
            "relief_low_min": listed.low[rows],
            "relief_expected_min": listed.added * working,
            "elder_relief_min": listed.elder_relief,
            **dict(zip(_DEGREES, degrees, strict=True)),
        }
    )


def _districts(city: WalkingCity, x: Floats, y: Floats) -> Names:
    """Return the district of the building nearest to each place."""
    tree = shapely.STRtree(city.housing.geometry.to_numpy())
    near = tree.nearest(shapely.points(x, y))
    return np.asarray(city.housing["district_name"].to_numpy(dtype=object)[near])


def _relieved(city: WalkingCity, changes: Sequence[WalkChanges]) -> dict[str, list[float]]:
    """Return the sums over households that a what-if of each site tells, and who they are."""
    speed = city.rule.walking.planning_speed_m_per_min
    has_elders = bool(city.elders.any())
    sums: dict[str, list[float]] = {}
    for one in changes:
        counts = one.counts(speed)
        houses = one.houses[counts.any(axis=0)]
        weight = np.where(counts, city.households[one.houses], 0.0)
        told = {
            "relieved_building_count": len(houses),
            "relieved_households": float(city.households[houses].sum()),
            "relieved_elder_households": float(city.elders[houses].sum()) if has_elders else np.nan,
            "home_saved_min": float((weight * one.home.saved_min).sum()),
            "out_saved_min": float((weight * one.out.saved_min).sum()),
            "home_climb_saved_m": float((weight * one.home.saved_climb_m).sum()),
            "out_climb_saved_m": float((weight * one.out.saved_climb_m).sum()),
        }
        for name, value in told.items():
            sums.setdefault(name, []).append(value)
    return sums


def _curve(listed: Listed, table: pd.DataFrame) -> pd.DataFrame:
    lifts = list(listed.curve.lifts)
    key = dict(zip(listed.rows.tolist(), table["site_id"], strict=True))
    return pd.DataFrame(
        {
            "curve_site_count": np.arange(1, len(lifts) + 1),
            "site_id": [key.get(lift, "not listed") for lift in lifts],
            "curve_cost_cny": np.cumsum(listed.candidates.cost_cny[lifts]),
            "curve_relief_min": np.cumsum(listed.curve.added),
            "curve_bound_min": listed.curve_bound,
        }
    )


def _layer(table: pd.DataFrame) -> bytes:
    """Return the sites as GeoJSON in WGS-84: a line from the lower to the upper end of each."""
    features = []
    for row in table.to_dict("records"):
        west, south, east, north = (row[name] for name in _DEGREES)
        told = {
            name: None if pd.isna(value) else _plain(value)
            for name, value in row.items()
            if name not in _DEGREES
        }
        line = {"type": "LineString", "coordinates": [[west, south], [east, north]]}
        features.append({"type": "Feature", "properties": told, "geometry": line})
    whole = {"type": "FeatureCollection", "features": features}
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return round(value, 3) if isinstance(value, float) else value


def _what_ifs(
    candidates: Candidates, rows: Integers, table: pd.DataFrame, settings: Settings
) -> dict[str, Change]:
    """Return the what-if of each site; one-way kinds stand there twice, up and down."""
    changes = {}
    for lift, told in zip(rows.tolist(), table.to_dict("records"), strict=True):
        kind = settings.sites.lifts.kinds[told["site_kind_type"]]
        low, high = (
            (told[f"{end}_longitude_deg"], told[f"{end}_latitude_deg"])
            for end in ("lower", "upper")
        )
        roads = [told[f"{end}_road_name"] for end in ("lower", "upper")]
        known = [road for road in roads if isinstance(road, str)]
        where = "—".join(dict.fromkeys(known)) or told["district_name"]
        name = f"{where}{kind.label_zh}"[:200]
        ways = ((low, high), (high, low)) if kind.is_one_way else ((low, high),)
        actions = [_action(name, one, other, is_escalator=kind.is_one_way) for one, other in ways]
        rise = candidates.rise_m[lift]
        changes[told["site_id"]] = Change(
            title_zh=f"{where}新建{kind.label_zh}（高差 {rise:.0f} m）"[:200],
            title_en=f"a new site: {kind.label_en}, rise {rise:.0f} m ({where})"[:200],
            datum="wgs84",
            actions=actions,
        )
    return changes


def _action(
    name: str, begin: Sequence[float], end: Sequence[float], *, is_escalator: bool
) -> Action:
    span: dict[str, Any] = {"name": name, "from": tuple(begin), "to": tuple(end)}
    if is_escalator:
        return Action(add_link=AddLink.model_validate(span | {"kind": "escalator"}))
    return Action(add_lift=AddLift.model_validate(span))


def _top(table: pd.DataFrame) -> list[str]:
    """Return a line for each of the first sites."""
    lines = []
    for row in table.head(_TOP_COUNT).to_dict("records"):
        roads = [row[f"{end}_road_name"] for end in ("lower", "upper")]
        where = " → ".join(road if isinstance(road, str) else "–" for road in roads)
        mark = " 不确定 unsure" if row["is_benefit_unsure"] else ""
        mark += " ✓" if row["is_site_chosen"] else ""
        lines.append(
            f"{row['site_rank']:3d} {row['site_id']} {row['site_kind_text']}: {where}, "
            f"{row['site_rise_m']:.0f} m up over {row['site_distance_m']:.0f} m, "
            f"{row['site_cost_cny'] / 1e4:,.0f} 万元, +{row['relief_added_min']:,.1f}, "
            f"{row['relieved_households']:,.0f} relieved 受益{mark}"
        )
    return lines
