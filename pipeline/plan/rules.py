"""The rules of the schedule as config states them, turned into a task in whole cents."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.plan.cost import Cents
from pipeline.plan.filling import Filling, locked_columns
from pipeline.plan.readiness import Readiness
from pipeline.plan.task import FREE, LOCKED_OUT, Task, start_years
from pipeline.problem import Problem
from pipeline.settings.plan import ScheduleRule, WorksRule


def works_rule_numbers(floor_area_m2: pd.Series, rules: Sequence[WorksRule]) -> NDArray[np.int64]:
    """Return which of the rules for works, from small to large, holds for each project."""
    ends = [one.max_floor_area_m2 for one in rules[:-1]]
    return np.searchsorted(np.array(ends, dtype=float), floor_area_m2.to_numpy(), side="left")


def locked_years(
    projects: pd.DataFrame, districts: Sequence[str], rule: ScheduleRule
) -> NDArray[np.int64]:
    """Return the year that config locks each project to: a year, ``FREE`` or ``LOCKED_OUT``.

    Raises
    ------
    Problem
        If config names a project or district that the city does not have.
    """
    _refuse_unknown(rule, projects["project_id"].tolist(), districts)
    said = projects["project_id"].map(rule.locked_in).astype("float64") - rule.first_year
    locked = said.fillna(FREE).to_numpy().astype(np.int64)
    locked[projects["project_id"].isin(rule.locked_out).to_numpy()] = LOCKED_OUT
    return locked


def safety_years(task: Task, first: Sequence[int]) -> NDArray[np.int64]:
    """Return the years to which projects are locked once those of ``first`` are.

    In the order of ``first`` each takes the earliest year in which the least it may do fits, beside the
    locks of config and those before it. Where no year has the money it stays as it is.
    """
    made = Filling(task)
    made.fill(locked_columns(task))
    columns = task.columns
    locked = task.locked_year.copy()
    order = np.lexsort((columns.year, columns.works_count, columns.project))
    start = np.searchsorted(columns.project[order], np.arange(task.project_count + 1))
    for project in first:
        if locked[project] != FREE:
            continue
        mine = order[start[project] : start[project + 1]]
        least = mine[columns.works_count[mine] == columns.works_count[mine].min(initial=10**9)]
        for column in least[np.argsort(columns.year[least], kind="stable")].tolist():
            if made.take(column):
                locked[project] = columns.year[column]
                break
    return locked


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


def wait_reasons(task: Task, plan: NDArray[np.int64], ready: Readiness) -> NDArray[np.object_]:
    """Return why each project waits, empty for those that start."""
    years = len(task.budget_cents)
    start = start_years(task, plan)
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
    relieves = np.zeros(task.project_count, dtype=bool)
    relieves[task.columns.project[task.columns.relief > 0]] = True
    return np.select(
        [
            start >= 0,
            task.locked_year == LOCKED_OUT,
            late & (ready.kind == "refused"),
            late & (ready.kind == "not_asked"),
            late,
            ~may.any(axis=1),
            ~relieves,
            no_room,
        ],
        [
            "", "locked_out", "refused", "not_asked", "ready_late", "works_too_long",
            "nothing_to_relieve", "capacity",
        ],
        "budget",
    ).astype(object)  # fmt: skip


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
