"""Which projects start in which year with which works: as much relief as the money can buy.

The linear relaxation is solved over the columns made so far; at its prices the best first part of every
project's row is looked up, and columns that would pay are added, until none does (column generation,
Gilmore & Gomory 1961). What the prices then allow, with works split where that is worth more, bounds
every plan from above. Where few columns could be in a better plan, all of these are made and the best
plan is found exactly; plans of the same relief are told apart by a preference among projects that
hangs on their order alone. So a project that gets more to choose from is never left out for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from pipeline.geo.raster import Floats
from pipeline.plan.filling import filled, greedy
from pipeline.plan.programme import (
    MILLION_YUAN_IN_CENTS,
    Effort,
    Prices,
    Programme,
    Solution,
    Status,
)
from pipeline.plan.task import (
    LEAST_RELIEF,
    Columns,
    Task,
    Whole,
    joined,
    keeps_rules,
    plan_of,
    preferred,
    relieved,
)

_ROUNDS = 40
_FEW_PROJECTS = 2000
"""With more, a plan that the bound proves good enough is taken as it is."""
_GOOD_ENOUGH_SHARE = 1e-6


@dataclass(frozen=True)
class Schedule:
    """The task with every column made, the column each project takes, and how good that is proved."""

    task: Task
    plan: Whole
    relieved: float
    bound: float
    greedy_relieved: float
    method: str
    prices: Prices

    @property
    def gap_share(self) -> float:
        """How far the bound lies above the plan, as a share of the plan."""
        if self.bound <= self.relieved:
            return 0.0
        return (self.bound - self.relieved) / self.relieved if self.relieved > 0 else float("inf")


class Offers(Protocol):
    """Makes columns that pay at given prices."""

    def paying(self, prices: Prices, worth: Floats) -> tuple[Columns, float]:
        """Return columns worth more than ``worth`` of their project, and by how much in all.

        The amount is the sum over projects of what their best column is worth beyond that.
        """

    def beyond(self, prices: Prices, worth: Floats) -> float:
        """Return how much more than ``worth`` all projects could be worth if works could be split."""

    def near(self, prices: Prices, worth: Floats, short: float) -> tuple[Columns, bool]:
        """Return columns worth no less than ``worth`` of their project less ``short``.

        All sets of works where these are few, and True; else first parts of rows only, and False: then
        the plan is proved good among first parts.
        """


class Infeasible(Exception):
    """No plan keeps all rules."""


class Undecided(Exception):
    """No plan was found within the effort, and none was shown to be impossible."""


def choose(
    task: Task, effort: Effort, known: Sequence[Whole] = (), offers: Offers | None = None
) -> Schedule:
    """Return the best plan found and its bound.

    The greedy plan, plans ``known`` from before (columns of ``task``) and the rounded relaxation come
    first. HiGHS goes on from the best: to the last where few columns are left that could be in a better
    plan, else only if the bound does not yet prove it good enough. The result is never worse than a
    known plan that keeps the rules. Without ``offers`` the columns of ``task`` are all there are.

    Raises
    ------
    Infeasible
        If the rules contradict each other.
    Undecided
        If the nodes are used up before any plan is found.
    """
    before = [task.columns.taken(plan[plan >= 0]) for plan in known]
    task, relaxed, prices, bound = _relaxed(task, effort, offers)
    programme = Programme(task)
    worth = worth_of(task, prices)
    order = np.argsort(-worth, kind="stable").tolist()
    by_greedy = greedy(task)
    tried = [by_greedy, *(plan_of(task, columns) for columns in before)]
    if relaxed is not None:
        whole = programme.taken(relaxed, least=1 - 1e-6)
        tried.append(filled(task, order, first=whole[whole >= 0].tolist()))
    kept = [plan for plan in tried if keeps_rules(task, plan)]
    best = max(kept, key=lambda plan: relieved(task, plan)) if kept else None
    at_greedy = relieved(task, by_greedy) if keeps_rules(task, by_greedy) else 0.0
    if best is None and offers is not None:
        best = _whole(task, programme, programme.solve(effort, integral=True))
    if best is not None:
        found = Schedule(task, best, relieved(task, best), bound, at_greedy, "linear bound", prices)
        is_near = found.gap_share <= effort.relative_gap
        if is_near and (offers is None or task.project_count > _FEW_PROJECTS):
            return found
        if offers is not None:
            # whatever falls short by more than the gap is in no plan better than this one
            short = bound - found.relieved + LEAST_RELIEF * task.project_count
            near, is_few = offers.near(prices, worth_by_project(task, prices), short)
            if is_near and not is_few:
                return found
            if is_few:
                effort = replace(effort, relative_gap=0.0)
            mine = task.columns.taken(best[best >= 0])
            task = replace(task, columns=joined(task.columns, near))
            best, programme = plan_of(task, mine), Programme(task)
    solved = programme.solve(effort, integral=True, hint=best)
    if solved.status is Status.IMPOSSIBLE:
        raise Infeasible("the rules contradict each other")
    last = _whole(task, programme, solved)
    if last is not None and (best is None or preferred(task, last) > preferred(task, best)):
        best = last
    if best is None:
        raise Undecided(f"no plan was found within {effort.node_limit} nodes")
    bound = min(bound, max(solved.bound, relieved(task, best)))
    method = "mixed integer" if solved.status is Status.SOLVED else "node limit"
    return Schedule(task, best, relieved(task, best), bound, at_greedy, method, prices)


def _whole(task: Task, programme: Programme, solved: Solution) -> Whole | None:
    """Return the plan that was found, if any was and it keeps the rules to the cent."""
    if solved.values is None:
        return None
    whole = programme.taken(solved.values, least=0.5)
    return whole if keeps_rules(task, whole) else None


def _relaxed(
    task: Task, effort: Effort, offers: Offers | None
) -> tuple[Task, Floats | None, Prices, float]:
    """Return the task with all columns that pay, its relaxation, the prices and the bound."""
    for round_number in range(_ROUNDS):
        solved = Programme(task).solve(effort, integral=False)
        if solved.status is Status.IMPOSSIBLE:
            raise Infeasible("the rules contradict each other")
        if solved.prices is None:
            years, districts = len(task.budget_cents), len(task.floor_cents)
            none = Prices(np.zeros(years), np.zeros(districts), np.zeros((districts, years)))
            return task, None, none, float("inf")
        prices = solved.prices
        if offers is None:
            return task, solved.values, prices, solved.bound
        columns, missing = offers.paying(prices, worth_by_project(task, prices))
        is_small = missing <= _GOOD_ENOUGH_SHARE * abs(solved.bound)
        if is_small or not len(columns.project) or round_number == _ROUNDS - 1:
            missing = max(missing, 0.0) + offers.beyond(prices, worth_by_project(task, prices))
            break
        task = replace(task, columns=joined(task.columns, columns))
    return task, solved.values, prices, solved.bound + missing


def worth_of(task: Task, prices: Prices) -> Floats:
    """Return what each column adds beyond what its money and start are worth elsewhere."""
    columns = task.columns
    million = columns.payments_cents / MILLION_YUAN_IN_CENTS
    district = task.district[columns.project]
    worth = task.value - prices.floor[district] * million.sum(axis=1)
    worth -= prices.limit[district, columns.year]
    for step in range(million.shape[1]):
        when = np.minimum(columns.year + step, len(prices.budget) - 1)
        worth -= prices.budget[when] * million[:, step]
    return np.asarray(worth)


def worth_by_project(task: Task, prices: Prices) -> Floats:
    """Return what the best column of each project is worth; 0 where it had better wait and may."""
    worth = np.where(task.locked_year >= 0, -np.inf, 0.0)
    np.maximum.at(worth, task.columns.project, worth_of(task, prices))
    return worth
