"""What the page says about the whole: tiers, weights, what is left out, sources, areas, gaps."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from pipeline.atlas.packing import empty_step, known_steps
from pipeline.atlas.points import Used
from pipeline.contracts.columns import COLUMNS
from pipeline.pages.notes import note
from pipeline.settings.city import Source
from pipeline.settings.whole import Settings


def tier_rows(settings: Settings) -> list[dict[str, Any]]:
    """Return one entry a tier: labels, colour, and the share of the ranking at which it ends."""
    return [
        {
            "label": {"zh": tier.label_zh, "en": tier.label_en},
            "colour": tier.colour,
            "upper_rank_share": share,
        }
        for tier, share in zip(
            settings.atlas.tiers, settings.score.tier_upper_rank_shares, strict=True
        )
    ]


FLOOR_KNOWN_SHARE = 0.8
"""Where less is known, the legend sums footprints instead of floors."""


def planned_years(rows: pd.DataFrame) -> list[int]:
    """Return the years that any building is planned for, in order; none without a plan."""
    if "planned_year" not in rows:
        return []
    years = rows["planned_year"]
    return np.unique(years[years != empty_step(years)]).tolist()


def floor_known_share(rows: pd.DataFrame) -> float:
    """Return the share of buildings whose floor area is known."""
    return round(float((rows["floor_area_m2"] != empty_step(rows["floor_area_m2"])).mean()), 4)


def tier_sums(rows: pd.DataFrame, tier_count: int) -> dict[str, list[int]]:
    """Return how many buildings and square metres have no tier, tier 1, 2 … as the page adds them up.

    So the first legend need not wait for the areas.
    """
    tier = rows["tier"].to_numpy()
    is_known = floor_known_share(rows) >= FLOOR_KNOWN_SHARE
    shown = known_steps(rows["floor_area_m2" if is_known else "footprint_area_m2"])
    counts = np.bincount(tier, minlength=tier_count + 1)
    areas = np.bincount(tier, weights=shown, minlength=tier_count + 1)
    return {"counts": counts.tolist(), "areas": areas.astype(np.int64).tolist()}


def criterion_rows(used: tuple[Used, ...]) -> list[dict[str, Any]]:
    """Return one entry a criterion that counts: how it is scored and where its values come from."""
    return [
        {
            "name": item.name,
            "label": {"zh": item.criterion.label_zh, "en": item.criterion.label_en},
            "measure": item.criterion.measure,
            "unit": item.criterion.unit,
            "group": item.criterion.group,
            "weight": item.weight_units,
            "none_at": item.criterion.none_at,
            "worst_at": item.criterion.worst_at,
            "decimals": item.decimals,
            "per_unit": item.per_unit,
            "between": item.criterion.between,
            "missing": item.criterion.missing,
            "reason": note(item.criterion.source)._asdict(),
            "origin": value_origin(item.criterion.measure),
        }
        for item in used
    ]


def count_rows(names: Iterable[str], settings: Settings) -> list[dict[str, Any]]:
    """Return name and labels of the facility types whose numbers in reach are shown."""
    facilities = settings.measure.facilities
    return [
        {
            "name": name,
            "label": {"zh": facilities[name].label_zh, "en": facilities[name].label_en},
        }
        for name in names
    ]


def value_origin(measure: str) -> str:
    """Return what a measurement is made from, as its column says; walks to the main road apart."""
    column = next((column for column in COLUMNS.values() if column.matches(measure)), None)
    if column is None or column.made_from != "walk":
        return "register" if column is None else column.made_from
    return "walk_to_road" if measure.startswith("main_road_") else "walk_to_facility"


def left_out_rows(
    left_out: Mapping[str, str], known_share: Mapping[str, float], settings: Settings
) -> list[dict[str, Any]]:
    """Return one entry a criterion that does not count, with the reason as a word and a number."""
    rows = []
    for name, text in left_out.items():
        criterion = settings.score.criteria[name]
        share = known_share.get(name)
        if criterion.weight == 0:
            reason = "weight_zero"
        elif share is None:
            reason = "told"
        else:
            reason = "no_data" if share == 0 else "known_for_few"
        label = {"zh": criterion.label_zh, "en": criterion.label_en}
        rows.append(
            {"name": name, "label": label, "reason": reason, "known_share": share, "text": text}
        )
    return rows


def source_rows(sources: Mapping[str, Source]) -> dict[str, dict[str, str]]:
    """Return what the page tells of each source."""
    return {
        name: {
            "role": source.role,
            "publisher": source.publisher,
            "licence": source.licence,
            "attribution": source.attribution,
            "date": source.date,
            "path": source.path,
        }
        for name, source in sources.items()
    }


def attribution_texts(sources: Mapping[str, Source]) -> list[str]:
    """Return the words that the licences demand, each once, with the months of the data."""
    months: dict[str, set[str]] = {}
    for source in sources.values():
        months.setdefault(source.attribution, set()).add(source.date[:7])
    return [f"{text} ({'–'.join(sorted({min(when), max(when)}))})" for text, when in months.items()]


def veto_rows(settings: Settings) -> dict[str, dict[str, str]]:
    """Return by code what lifts a building before all others, in both languages."""
    return {
        code: {"zh": veto.label_zh, "en": veto.label_en}
        for code, veto in settings.score.vetoes.items()
    }


def plan_rows(
    summary: pd.DataFrame, district_names: Collection[str], district_name: str
) -> list[dict[str, Any]]:
    """Return by year what the plan starts, and the budget; of one district, or of all if empty.

    The row of all stands under a name that no district has.
    """
    if not len(summary):
        return []
    is_all = ~summary["district_name"].isin(list(district_names))
    is_own = summary["district_name"] == district_name if district_name else is_all
    return [
        {
            "year": int(row.plan_year),
            "projects": int(row.project_count),
            "homes": int(row.household_plan_count),
            "public_cny": float(row.public_cny),
            "budget_cny": None if pd.isna(row.budget_cny) else float(row.budget_cny),
        }
        for row in cast(Any, summary[is_own].sort_values("plan_year").itertuples(index=False))
    ]


SUMS = {
    "tier_1_homes": "tier_1_household_count",
    "homes": "household_sum_count",
    "planned": "planned_project_count",
    "planned_homes": "planned_household_count",
    "planned_cny": "planned_cost_cny",
}
"""Sums of the district list that the page shows beside the counts of buildings."""


def area_rows(district_priority: pd.DataFrame, area_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the districts and their top areas, in the order of the list.

    ``area`` is the place of an area's id in ``area_ids``, -1 where no building is listed in it.
    """
    rows = []
    place = {key: at for at, key in enumerate(area_ids)}
    sums = {key: name for key, name in SUMS.items() if name in district_priority}
    for row in cast(Any, district_priority.itertuples(index=False)):
        rows.append(
            {
                "type": row.row_type,
                "district": row.district_name,
                "name": row.area_name,
                "rank": _number(row.district_rank if row.row_type == "district" else row.area_rank),
                "count": int(row.building_count),
                "tier_1": int(row.tier_1_count),
                "tier_2": int(row.tier_2_count),
                "area": place.get(row.area_id, -1),
                **{key: _number(getattr(row, name)) for key, name in sums.items()},
                "mean": round(float(row.score_mean_points), 1),
                "lon": round(float(row.longitude_deg), 6),
                "lat": round(float(row.latitude_deg), 6),
            }
        )
    return rows


def gap_rows(
    ledgers: Mapping[str, Mapping[str, Any]], settings: Settings, rows: pd.DataFrame
) -> dict[str, Any]:
    """Return what is missing: rejected rows, unmapped facilities, stand-ins."""
    rejected: dict[str, int] = {}
    for entry in ledgers.get("intake", {}).get("sources", {}).values():
        for scope in ("rejected_by_reason", "values_set_to_missing", "notices"):
            for reason, count in entry.get(scope, {}).items():
                rejected[reason] = rejected.get(reason, 0) + int(count)
    measured = ledgers.get("measure", {})
    unmapped = measured.get("facility_types_not_mapped", {})
    facilities = settings.measure.facilities
    return {
        "rejected": dict(sorted(rejected.items())),
        "unmapped": [
            {
                "label": {"zh": facilities[name].label_zh, "en": facilities[name].label_en},
                "count": int(count),
            }
            for name, count in unmapped.items()
            if name in facilities
        ],
        "without_street_access": len(measured.get("without_street_access", ())),
        "stand_in_buildings": int(rows["has_stand_in"].sum()),
        "min_facility_count": settings.measure.access.min_facility_count,
    }


def _number(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)
