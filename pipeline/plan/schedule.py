"""Which projects start in which year: a mixed-integer programme on HiGHS.

Maximises need relieved under yearly budgets with limited carry-over, district floors, starts per
district and year, readiness and locks. A project is whole or not at all, and once begun its works
go on without a break.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.geo.raster import Floats

LOCKED_OUT = -2
FREE = -1


@dataclass(frozen=True)
class Task:
    """What is to be scheduled. Money is whole cents (分); years count from 0.

    ``payments_cents`` has a row per project and a column per year of works, ``work_years`` how many
    of these its works last; ``ready_year`` is the first year it may start (a number past the
    horizon: never); ``locked_year`` is a year, ``FREE`` or ``LOCKED_OUT``; ``year_weight`` is what
    relief in each year counts for.
    """

    need: Floats
    payments_cents: np.ndarray
    work_years: np.ndarray
    district: np.ndarray
    ready_year: np.ndarray
    locked_year: np.ndarray
    budget_cents: np.ndarray
    carry_limit_cents: np.ndarray
    floor_cents: np.ndarray
    start_limit: np.ndarray
    year_weight: Floats


@dataclass(frozen=True)
class Effort:
    """When to stop: by gap or nodes, never by a clock, so that the same input gives the same plan."""

    relative_gap: float
    node_limit: int


@dataclass(frozen=True)
class Schedule:
    """Start year of each project, -1 if it waits, and how good that is proved to be."""

    start_year: np.ndarray
    relieved: float
    bound: float
    greedy_relieved: float
    method: str

    @property
    def gap_share(self) -> float:
        """How far the bound lies above the plan, as a share of the plan."""
        if self.bound <= self.relieved:
            return 0.0
        return (self.bound - self.relieved) / self.relieved if self.relieved > 0 else float("inf")


class Infeasible(Exception):
    """No plan keeps all rules."""


class Undecided(Exception):
    """No plan was found within the effort, and none was shown to be impossible."""


def choose(task: Task, effort: Effort, known: Sequence[np.ndarray] = ()) -> Schedule:
    """Return the best plan found and its bound.

    The greedy plan, plans ``known`` from before and the rounded linear relaxation come first: the
    bound of the relaxation may already prove one of them good enough. Else HiGHS goes on from the
    best. The result is never worse than a known plan that keeps the rules.

    Raises
    ------
    Infeasible
        If the rules contradict each other.
    Undecided
        If the nodes are used up before any plan is found.
    """
    from pipeline.plan.programme import Programme, Status

    programme = Programme(task)
    relaxed = programme.solve(effort, integral=False)
    if relaxed.status is Status.IMPOSSIBLE:
        raise Infeasible
    by_greedy = greedy(task)
    tried = [by_greedy, *known]
    if relaxed.values is not None:
        tried.append(greedy(task, first=programme.taken(relaxed.values, least=1 - 1e-6)))
    kept = [plan for plan in tried if keeps_rules(task, plan)]
    best = max(kept, key=lambda plan: relieved(task, plan)) if kept else None
    greedy_value = relieved(task, by_greedy) if keeps_rules(task, by_greedy) else 0.0
    if best is not None:
        found = Schedule(best, relieved(task, best), relaxed.bound, greedy_value, "linear bound")
        if found.gap_share <= effort.relative_gap:
            return found
    solved = programme.solve(effort, integral=True, hint=best)
    if solved.status is Status.IMPOSSIBLE:
        raise Infeasible
    if solved.values is not None:
        whole = programme.taken(solved.values, least=0.5)
        if keeps_rules(task, whole) and (
            best is None or relieved(task, whole) > relieved(task, best)
        ):
            best = whole
    if best is None:
        raise Undecided(f"no plan was found within {effort.node_limit} nodes")
    bound = min(relaxed.bound, solved.bound)
    method = "mixed integer" if solved.status is Status.SOLVED else "node limit"
    return Schedule(best, relieved(task, best), bound, greedy_value, method)


def relieved(task: Task, start: np.ndarray) -> float:
    """Return the weighted need of the projects that start."""
    taken = start >= 0
    return float((task.need[taken] * task.year_weight[start[taken]]).sum())


def spending(task: Task, start: np.ndarray) -> np.ndarray:
    """Return the cents that fall due in each year."""
    years = len(task.budget_cents)
    spent = np.zeros(years, dtype=np.int64)
    taken = np.flatnonzero(start >= 0)
    for step in range(task.payments_cents.shape[1]):
        when = start[taken] + step
        paid = task.payments_cents[taken, step]
        inside = (when < years) & (paid > 0)
        np.add.at(spent, when[inside], paid[inside])
    return spent


def keeps_rules(task: Task, start: np.ndarray) -> bool:
    """Tell whether a plan keeps every rule, in whole cents."""
    taken = np.flatnonzero(start >= 0)
    when = start[taken]
    years, districts = len(task.budget_cents), len(task.floor_cents)
    begun = np.zeros((districts, years), dtype=np.int64)
    np.add.at(begun, (task.district[taken], when), 1)
    locked = task.locked_year >= 0
    return bool(
        (when >= task.ready_year[taken]).all()
        and (when + task.work_years[taken] <= years).all()
        and (start[locked] == task.locked_year[locked]).all()
        and (start[task.locked_year == LOCKED_OUT] < 0).all()
        and (begun <= task.start_limit).all()
        and within_budget(task, spending(task, start))
        and not broken_floors(task, start).size
    )


def broken_floors(task: Task, start: np.ndarray) -> np.ndarray:
    """Return the districts that get less than their floor."""
    cost = task.payments_cents.sum(axis=1) * (start >= 0)
    got = np.zeros(len(task.floor_cents), dtype=np.int64)
    np.add.at(got, task.district, cost)
    return np.flatnonzero(got < task.floor_cents)


def within_budget(task: Task, spent: np.ndarray) -> bool:
    """Tell whether yearly spending keeps the budgets; what is left over carries up to the limit."""
    return bool((left_over(task, spent) >= 0).all())


def left_over(task: Task, spent: np.ndarray) -> np.ndarray:
    """Return what is left of each year's budget and of what was carried into it."""
    carried, left = 0, []
    for year, amount in enumerate(spent.tolist()):
        left.append(int(task.budget_cents[year]) + carried - amount)
        carried = max(0, min(left[-1], int(task.carry_limit_cents[year])))
    return np.array(left, dtype=np.int64)


def greedy(task: Task, first: np.ndarray | None = None) -> np.ndarray:
    """Return start years: locks, ``first``, then by need per yuan, districts below floor first.

    It keeps budgets, limits, readiness and locks; it may miss a floor or a lock.
    """
    years = len(task.budget_cents)
    cost = task.payments_cents.sum(axis=1)
    payments, length = task.payments_cents.tolist(), task.work_years.tolist()
    budget, carry = task.budget_cents.tolist(), task.carry_limit_cents.tolist()
    ready, district = task.ready_year.tolist(), task.district.tolist()
    room = task.start_limit.tolist()
    spent, got = [0] * years, [0] * len(task.floor_cents)
    start = [-1] * len(task.need)

    def fits(one: int, year: int) -> bool:
        if year + length[one] > years or year < ready[one] or room[district[one]][year] <= 0:
            return False
        carried, paid = 0, payments[one]
        for when in range(years):
            step = when - year
            due = paid[step] if 0 <= step < len(paid) else 0
            left = budget[when] + carried - spent[when] - due
            if left < 0:
                return False
            carried = left if left < carry[when] else carry[when]
        return True

    def take(one: int, year: int) -> None:
        for step, due in enumerate(payments[one][: years - year]):
            spent[year + step] += due
        room[district[one]][year] -= 1
        got[district[one]] += int(cost[one])
        start[one] = year

    for one in np.flatnonzero(task.locked_year >= 0).tolist():
        if fits(one, int(task.locked_year[one])):
            take(one, int(task.locked_year[one]))
    order = np.argsort(-task.need / np.maximum(cost, 1), kind="stable").tolist()
    free = [one for one in order if task.locked_year[one] == FREE]
    if first is not None:
        for one in free:
            if first[one] >= 0 and fits(one, int(first[one])):
                take(one, int(first[one]))
    floors = task.floor_cents.tolist()
    for only_below_floor in (True, False):
        if only_below_floor and not any(floors):
            continue
        for one in free:
            below = got[district[one]] < floors[district[one]]
            if start[one] >= 0 or (only_below_floor and not below):
                continue
            for year in range(max(ready[one], 0), years):
                if fits(one, year):
                    take(one, year)
                    break
    return np.array(start)
