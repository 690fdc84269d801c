"""What people get of the annual plan: tables, the list for finance, its workbook, and the ledger."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.tables import (
    ANNUAL_LIST,
    PLAN_LINES,
    PLAN_PROJECTS,
    PLAN_SUMMARY,
    PLAN_WORKS,
    Table,
)
from pipeline.plan.annual import AnnualPlan, annual_plan
from pipeline.plan.annual_list import annual_list, listed_projects
from pipeline.plan.chances import chances
from pipeline.plan.entry import entries, with_entries
from pipeline.plan.priced import Priced
from pipeline.plan.readiness import Votes
from pipeline.plan.summary_sheet import Told
from pipeline.plan.tables import (
    CITY_ROW,
    building_works,
    plan_lines,
    plan_projects,
    plan_summary,
    plan_works,
)
from pipeline.plan.workbook import empty_workbook, workbook_bytes
from pipeline.settings.plan import SOURCES, PlanSettings

TABLES = (PLAN_PROJECTS, PLAN_LINES, PLAN_WORKS, PLAN_SUMMARY, ANNUAL_LIST)
WORKBOOK = "annual_list.xlsx"
_YEARLY = (
    "plan_year", "project_count", "household_plan_count", "payment_cny", "public_cny", "budget_cny",
    "budget_left_cny",
)  # fmt: skip
BY_BUILDING = (
    "project_id", "planned_year", "batch_type", "wait_reason_code", "funded_share",
    "planned_works_codes",
)  # fmt: skip
OF_AREAS = ("household_count", "floor_area_m2", "is_asked", "has_agreed")
"""What sums by area need of each building besides."""


@dataclass(frozen=True)
class Planned:
    """Tables by contract, what makes the workbook, counts for people, and each building's project."""

    tables: Mapping[Table, pd.DataFrame]
    workbook: Callable[[], bytes]
    """Makes the workbook."""
    ledger: Mapping[str, Any]
    by_building: pd.DataFrame
    """Indexed by building id, columns ``BY_BUILDING`` and ``OF_AREAS``; planned tracks only."""


def planned(
    found: Priced | None,
    ranking: pd.DataFrame,
    settings: Any,
    scenario: str,
    known: Sequence[pd.DataFrame] = (),
) -> Planned:
    """Return the annual plan of a city; tables without rows where no building is on a planned track.

    ``found`` comes from ``priced``, ``ranking`` has the columns ``of_ranking``. ``known`` are earlier
    plans, ``planned_year``, ``works_count`` and ``cost_cny`` by project id: where they keep the rules,
    the result is not worse than they are.
    """
    city, rules = settings.city, settings.plan
    origin = "合成 synthetic" if city.is_synthetic else "delivered"
    if found is None:
        empty = {table: pd.DataFrame(columns=list(table.column_names)) for table in TABLES}
        by_building = pd.DataFrame(columns=[*BY_BUILDING, *OF_AREAS])
        workbook = partial(empty_workbook, city.name_zh)
        return Planned(empty, workbook, {"project_count": 0}, by_building)
    plan = annual_plan(found, ranking, rules, settings.score, known)
    sure = chances(plan, rules, settings.score)
    projects = plan_projects(plan, rules).assign(funded_share=sure.funded_share)
    projects = with_entries(projects, entries(plan.schedule, plan.market), rules)
    lines = plan_lines(plan, rules)
    summary = plan_summary(plan, projects, lines, rules)
    works = plan_works(plan, rules)
    asked = frozenset(gate_votes(found.votes.by_project, rules)["project_id"])
    described = listed_projects(plan, projects, lines, works, rules, asked)
    listed = annual_list(described, lines)
    frames = {
        PLAN_PROJECTS: projects,
        PLAN_LINES: lines,
        PLAN_WORKS: works,
        PLAN_SUMMARY: summary,
        ANNUAL_LIST: listed,
    }
    told = Told(city.name_zh, city.is_synthetic, scenario, plan.schedule)
    return Planned(
        {table: _kept(table, frame.assign(data_origin=origin)) for table, frame in frames.items()},
        partial(workbook_bytes, listed, described, lines, summary, rules, told),
        ledger_of(plan, projects, summary, settings)
        | {"bound_agreement_share": round(sure.agreement_share, 4)},
        _by_building(plan, projects, found.votes, rules),
    )


def ledger_of(
    plan: AnnualPlan, projects: pd.DataFrame, summary: pd.DataFrame, settings: Any
) -> dict[str, Any]:
    """Return counts, money and the proof of quality, for the terminal and for the record."""
    rules = settings.plan
    city = summary[summary["district_name"] == CITY_ROW]
    is_planned = projects["planned_year"].notna()
    return {
        "project_count": len(projects),
        "planned_count": int(is_planned.sum()),
        "projects_by_origin": _counts(projects["project_origin"]),
        "projects_by_batch": _counts(projects["batch_type"]),
        "waiting_by_reason": _counts(projects["wait_reason_code"].dropna()),
        "waiting_by_entry": _counts(projects["entry_type"].dropna()),
        "readiness": _counts(projects["readiness_type"]),
        "planned_building_count": int(projects.loc[is_planned, "building_count"].sum()),
        "planned_household_count": int(projects.loc[is_planned, "household_plan_count"].sum()),
        "cost_cny": _cents(projects["cost_cny"]),
        "planned_cost_cny": _cents(projects.loc[is_planned, "cost_cny"]),
        "planned_by_source_cny": {
            name: _cents(projects.loc[is_planned, f"{name}_cny"]) for name in SOURCES
        },
        "residual_public_cny": _cents(projects.loc[is_planned, "residual_public_cny"]),
        "unit_cost_cny_per_m2": round(
            float(projects["cost_cny"].sum() / projects["floor_area_plan_m2"].sum()), 2
        ),
        "cost_per_household_cny": round(
            float(projects["cost_cny"].sum() / max(projects["household_plan_count"].sum(), 1))
        ),
        "by_year": city[list(_YEARLY)].round(2).to_dict("records"),
        "households_per_million_cny": plan.schedule.prices.budget.round(4).tolist(),
        "need_households": round(float(projects["need_households"].sum()), 1),
        "relievable_households": round(float(projects["relievable_households"].sum()), 1),
        "relief_households": round(float(projects.loc[is_planned, "relief_households"].sum()), 1),
        "first_for_safety_count": int(plan.first_for_safety.sum()),
        "relieved": round(plan.schedule.relieved, 3),
        "relieved_bound": round(plan.schedule.bound, 3),
        "gap_share": round(plan.schedule.gap_share, 6) if plan.schedule.relieved > 0 else None,
        "greedy_relieved": round(plan.schedule.greedy_relieved, 3),
        "gain_over_greedy_share": _gain(plan),
        "method": plan.schedule.method,
        "estimated_share": round(
            float(np.average(projects["estimated_share"], weights=projects["floor_area_plan_m2"])),
            4,
        ),
        "price_year": rules.price_year,
    }


def _gain(plan: AnnualPlan) -> float | None:
    greedy = plan.schedule.greedy_relieved
    return round(plan.schedule.relieved / greedy - 1, 6) if greedy > 0 else None


def gate_votes(votes: pd.DataFrame, settings: PlanSettings) -> pd.DataFrame:
    """Return the votes on the matter that opens a project."""
    return votes[votes["measure_type"] == settings.readiness.gate_consent]


def _by_building(
    plan: AnnualPlan, projects: pd.DataFrame, votes: Votes, settings: PlanSettings
) -> pd.DataFrame:
    of = projects.set_index("project_id")[[*BY_BUILDING[1:-1], "readiness_type"]]
    sizes = ["building_id", "project_id", "household_count", "floor_area_m2"]
    table = plan.buildings[sizes].join(of, on="project_id")
    asked = gate_votes(votes.by_building, settings)["building_id"]
    table = table.assign(
        planned_works_codes=building_works(plan, settings),
        is_asked=table["building_id"].isin(asked),
        has_agreed=table["readiness_type"] == "agreed",
    )
    return table.set_index("building_id")[[*BY_BUILDING, *OF_AREAS]]


def _kept(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    return frame[list(table.column_names)]


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(k): int(v) for k, v in column.value_counts().sort_index().items()}


def _cents(column: pd.Series) -> float:
    """Return a sum of yuan, exact to the cent."""
    return int((column * 100).round().astype("int64").sum()) / 100
