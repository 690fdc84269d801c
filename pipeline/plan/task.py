"""What is to be scheduled, and the rules that a plan must keep, in whole cents.

A plan takes for each project one of its columns, or none: some of its row of works, begun in one
year. A project is begun once, and once begun its works go on without a break.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats

LOCKED_OUT = -2
FREE = -1
WAITS = -1
"""Stands for the column of a project that does not begin."""
Whole = NDArray[np.int64]
_GOLDEN = (5**0.5 - 1) / 2
LEAST_RELIEF = 1e-5
"""Need-households that no two plans differ by unless they relieve the same."""


@dataclass(frozen=True)
class Columns:
    """What projects may do: one entry for each project, number of works and start year."""

    project: Whole
    works_count: Whole
    """How far down the project's row works are done."""
    year: Whole
    relief: Floats
    payments_cents: Whole
    """A row for each column, an entry for each year of works."""
    left_out: Whole
    """Which of these works are not done: bit ``k`` is set for place ``k`` of the row."""

    def taken(self, which: NDArray[np.generic]) -> "Columns":
        """Return some of the columns, in that order."""
        return Columns(*(getattr(self, name)[which] for name in _COLUMN_NAMES))


_COLUMN_NAMES = ("project", "works_count", "year", "relief", "payments_cents", "left_out")
_KEY_NAMES = ("project", "works_count", "left_out", "year")


def joined(one: Columns, other: Columns) -> Columns:
    """Return the columns of both, each once, by project, works and year."""
    whole = Columns(*(np.concatenate([getattr(one, n), getattr(other, n)]) for n in _COLUMN_NAMES))
    keys = np.stack([getattr(whole, name) for name in _KEY_NAMES])
    order = np.lexsort(keys[::-1])
    keys = keys[:, order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    return whole.taken(order[is_new])


@dataclass(frozen=True)
class Task:
    """Projects, their columns and the rules. Money is whole cents (分); years count from 0.

    ``work_years`` is how many years a project's works last; ``ready_year`` the first year it may start
    (a number past the horizon: never); ``locked_year`` a year, ``FREE`` or ``LOCKED_OUT``;
    ``year_weight`` is what relief in each year counts for. ``columns`` hold only years in which a
    project may start.
    """

    columns: Columns
    work_years: Whole
    district: Whole
    ready_year: Whole
    locked_year: Whole
    budget_cents: Whole
    carry_limit_cents: Whole
    floor_cents: Whole
    start_limit: Whole
    year_weight: Floats

    @property
    def project_count(self) -> int:
        """Projects, whether they have a column or not."""
        return len(self.work_years)

    @property
    def value(self) -> Floats:
        """What each column counts for: its relief by the weight of its year."""
        return self.columns.relief * self.year_weight[self.columns.year]

    @property
    def may_start(self) -> NDArray[np.bool_]:
        """Projects by years: where readiness, the length of works and locks allow a start."""
        when = np.arange(len(self.budget_cents))[None, :]
        locked = self.locked_year[:, None]
        found = (locked == FREE) | (locked == when)
        found &= when >= self.ready_year[:, None]
        return np.asarray(found & (when + self.work_years[:, None] <= len(self.budget_cents)))


def plan_of(task: Task, columns: Columns) -> Whole:
    """Return the plan that takes these columns, all of which the task has."""
    place = {key: number for number, key in enumerate(_keys(task.columns))}
    plan = np.full(task.project_count, WAITS)
    for key in _keys(columns):
        plan[key[0]] = place[key]
    return plan


def _keys(columns: Columns) -> list[tuple[int, ...]]:
    return list(zip(*(getattr(columns, name).tolist() for name in _KEY_NAMES), strict=True))


def relieved(task: Task, plan: Whole) -> float:
    """Return the weighted relief of a plan: ``plan`` holds the column of each project, or ``WAITS``."""
    return float(task.value[plan[plan >= 0]].sum())


def preference(task: Task) -> Floats:
    """Return for each column by how little it goes before others where plans relieve the same.

    Less than nothing where it relieves nothing: such works are never done for their own sake.

    It hangs on the order of projects alone, and no two sets of projects have the same sum of it: of the
    fractions of the multiples of the golden ratio. So equal plans have one that is chosen, and a fault
    that gets worse changes nothing in that.
    """
    share = ((task.columns.project + 1) * _GOLDEN) % 1.0
    return np.asarray(LEAST_RELIEF * np.where(task.columns.relief > 0, share, -1.0))


def preferred(task: Task, plan: Whole) -> float:
    """Return the weighted relief of a plan and what it is preferred by."""
    return relieved(task, plan) + float(preference(task)[plan[plan >= 0]].sum())


def start_years(task: Task, plan: Whole) -> Whole:
    """Return the start year of each project, -1 where it waits."""
    if not len(task.columns.year):
        return np.full(len(plan), -1)
    return np.where(plan >= 0, task.columns.year[plan], -1)


def spending(task: Task, plan: Whole) -> Whole:
    """Return the cents that fall due in each year."""
    years = len(task.budget_cents)
    spent = np.zeros(years, dtype=np.int64)
    taken = plan[plan >= 0]
    for step in range(task.columns.payments_cents.shape[1]):
        when = task.columns.year[taken] + step
        paid = task.columns.payments_cents[taken, step]
        inside = (when < years) & (paid > 0)
        np.add.at(spent, when[inside], paid[inside])
    return spent


def keeps_rules(task: Task, plan: Whole) -> bool:
    """Tell whether a plan keeps every rule, in whole cents."""
    start = start_years(task, plan)
    taken = np.flatnonzero(plan >= 0)
    years, districts = len(task.budget_cents), len(task.floor_cents)
    begun = np.zeros((districts, years), dtype=np.int64)
    np.add.at(begun, (task.district[taken], start[taken]), 1)
    locked = task.locked_year >= 0
    return bool(
        (task.columns.project[plan[taken]] == taken).all()
        and (start[taken] >= task.ready_year[taken]).all()
        and (start[taken] + task.work_years[taken] <= years).all()
        and (start[locked] == task.locked_year[locked]).all()
        and (start[task.locked_year == LOCKED_OUT] < 0).all()
        and (begun <= task.start_limit).all()
        and (left_over(task, spending(task, plan)) >= 0).all()
        and not broken_floors(task, plan).size
    )


def broken_floors(task: Task, plan: Whole) -> Whole:
    """Return the districts that get less than their floor."""
    taken = plan[plan >= 0]
    got = np.zeros(len(task.floor_cents), dtype=np.int64)
    cost = task.columns.payments_cents[taken].sum(axis=1)
    np.add.at(got, task.district[task.columns.project[taken]], cost)
    return np.flatnonzero(got < task.floor_cents)


def left_over(task: Task, spent: Whole) -> Whole:
    """Return what is left of each year's budget and of what was carried into it."""
    carried, left = 0, []
    for year, amount in enumerate(spent.tolist()):
        left.append(int(task.budget_cents[year]) + carried - amount)
        carried = max(0, min(left[-1], int(task.carry_limit_cents[year])))
    return np.array(left, dtype=np.int64)
