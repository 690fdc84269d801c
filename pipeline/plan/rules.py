"""The rules of the schedule as config states them, turned into a task in whole cents."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.plan.cost import Cents
from pipeline.plan.readiness import Readiness
from pipeline.plan.schedule import FREE, LOCKED_OUT, Task
from pipeline.problem import Problem
from pipeline.settings.plan import ScheduleRule, WorksRule


def works_rule_numbers(floor_area_m2: pd.Series, rules: Sequence[WorksRule]) -> NDArray[np.int64]:
    """Return which of the rules for works, from small to large, holds for each project."""
    ends = [one.max_floor_area_m2 for one in rules[:-1]]
    return np.searchsorted(np.array(ends, dtype=float), floor_area_m2.to_numpy(), side="left")


def task_of(
    projects: pd.DataFrame,
    districts: Sequence[str],
    payments: Cents,
    work_years: NDArray[np.int64],
    ready: Readiness,
    rule: ScheduleRule,
) -> Task:
    """Return the task: ``payments`` are the public cents by project and year of works.

    Raises
    ------
    Problem
        If config names a project or district that the city does not have.
    """
    _refuse_unknown(rule, projects["project_id"].tolist(), districts)
    years = rule.year_count
    budget = budget_cents(rule, int(payments.sum()))
    district = np.searchsorted(np.array(districts), projects["district_name"].to_numpy(dtype=str))
    said = projects["project_id"].map(rule.locked_in).astype("float64") - rule.first_year
    locked = said.fillna(FREE).to_numpy().astype(np.int64)
    locked[projects["project_id"].isin(rule.locked_out).to_numpy()] = LOCKED_OUT
    need = projects["need_households"].to_numpy(dtype=float)
    ready_year = np.maximum(ready.year - rule.first_year, 0)
    can_start = (ready_year + work_years <= years) & (locked != LOCKED_OUT)
    most = rule.max_starts_per_district_year
    limit = len(projects) if most is None else most
    return Task(
        need=need,
        payments_cents=payments,
        work_years=work_years,
        district=district,
        ready_year=ready_year,
        locked_year=locked,
        budget_cents=budget,
        carry_limit_cents=np.floor(budget * rule.carry_over_share).astype(np.int64),
        floor_cents=floor_cents(
            rule, budget, need, district, payments.sum(axis=1), can_start, districts
        ),
        start_limit=np.full((len(districts), years), limit),
        year_weight=rule.year_weight_share ** np.arange(years, dtype=float),
    )


def budget_cents(rule: ScheduleRule, public_cents: int) -> Cents:
    """Return the public budget of each year: as config lists it, else its share of all public cost."""
    if rule.budget_cny:
        return np.array([round(one * 100) for one in rule.budget_cny], dtype=np.int64)
    each = int(rule.budget_share * public_cents) // 1_000_000 * 1_000_000  # whole 万元
    return np.full(rule.year_count, each, dtype=np.int64)


def floor_cents(
    rule: ScheduleRule,
    budget: Cents,
    need: NDArray[np.float64],
    district: NDArray[np.int64],
    cost: Cents,
    can_start: NDArray[np.bool_],
    districts: Sequence[str],
) -> Cents:
    """Return the least public money of each district.

    What config names; else a share of the budgets by the district's part of the need that can start,
    never more than that share of what its projects that can start cost.
    """
    size = len(districts)
    needs = np.bincount(district, weights=need * can_start, minlength=size)
    costs = np.bincount(district, weights=cost * can_start, minlength=size)
    part = needs / needs.sum() if needs.sum() > 0 else needs
    fair = np.minimum(part * budget.sum(), costs)
    floors = np.floor(rule.district_floor_share * fair).astype(np.int64)
    for name, amount in rule.district_floors_cny.items():
        floors[list(districts).index(name)] = round(amount * 100)
    return floors


def wait_reasons(task: Task, start: NDArray[np.int64], ready: Readiness) -> NDArray[np.object_]:
    """Return why each project waits, empty for those that start."""
    years = len(task.budget_cents)
    begun = np.zeros(task.start_limit.shape, dtype=np.int64)
    taken = np.flatnonzero(start >= 0)
    np.add.at(begun, (task.district[taken], start[taken]), 1)
    full = begun >= task.start_limit
    when = np.arange(years)
    may = (when[None, :] >= task.ready_year[:, None]) & (
        when[None, :] + task.work_years[:, None] <= years
    )
    no_room = (full[task.district] | ~may).all(axis=1)
    late = task.ready_year >= years
    return np.select(
        [
            start >= 0,
            task.locked_year == LOCKED_OUT,
            late & (ready.kind == "refused"),
            late & (ready.kind == "not_asked"),
            late,
            ~may.any(axis=1),
            no_room,
        ],
        ["", "locked_out", "refused", "not_asked", "ready_late", "works_too_long", "capacity"],
        "budget",
    ).astype(object)


def _refuse_unknown(rule: ScheduleRule, project_ids: list[str], districts: Sequence[str]) -> None:
    known = set(project_ids)
    for key, names in (
        ("locked_in", list(rule.locked_in)),
        ("locked_out", rule.locked_out),
        ("district_floors_cny", list(rule.district_floors_cny)),
    ):
        there = set(districts) if key == "district_floors_cny" else known
        unknown = [name for name in names if name not in there]
        if unknown:
            raise Problem(
                f"plan.schedule.{key}",
                f"names {', '.join(unknown[:5])}, which this city's plan does not have",
                expected="districts of the city"
                if there is not known
                else "projects on the track that is planned (project_id of plan_projects)",
                fix="correct the name, or take it out of the list",
            )
