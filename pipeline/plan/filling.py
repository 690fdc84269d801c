"""Plans made by taking columns one after the other, as long as they fit: no solver, never optimal.

They stand beside the programme's plan for comparison, and turn the solution of its relaxation into a
plan of whole projects.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.geo.raster import Floats
from pipeline.plan.task import WAITS, Task, Whole


class Filling:
    """A plan in the making: which column each project has, and the room that is left."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.plan = [WAITS] * task.project_count
        self.years = len(task.budget_cents)
        self._budget = task.budget_cents.tolist()
        self._carry = task.carry_limit_cents.tolist()
        self._spent = [0] * self.years
        self._room = task.start_limit.tolist()
        self._got = [0] * len(task.floor_cents)
        self._district = task.district.tolist()
        self._project = task.columns.project.tolist()
        self._year = task.columns.year.tolist()
        self._payments = task.columns.payments_cents.tolist()

    def take(self, column: int) -> bool:
        """Take a column, in place of the one its project has, if it fits; tell whether it did."""
        project, year = self._project[column], self._year[column]
        district, old = self._district[project], self.plan[project]
        change = [0] * self.years
        self._add(change, column, 1)
        if old >= 0:
            self._add(change, old, -1)
        if (old < 0 or self._year[old] != year) and self._room[district][year] <= 0:
            return False
        carried = 0
        for when in range(self.years):
            left = self._budget[when] + carried - self._spent[when] - change[when]
            if left < 0:
                return False
            carried = left if left < self._carry[when] else self._carry[when]
        for when in range(self.years):
            self._spent[when] += change[when]
        if old >= 0:
            self._room[district][self._year[old]] += 1
        self._room[district][year] -= 1
        self._got[district] += sum(change)
        self.plan[project] = column
        return True

    def _add(self, change: list[int], column: int, sign: int) -> None:
        year = self._year[column]
        for step, paid in enumerate(self._payments[column]):
            if paid:
                change[year + step] += sign * paid

    def fill(self, columns: Sequence[int], *, below_floor: bool = False) -> None:
        """Take columns in this order for projects that have none yet."""
        for column in columns:
            project = self._project[column]
            if self.plan[project] >= 0:
                continue
            if below_floor:
                district = self._district[project]
                if self._got[district] >= int(self.task.floor_cents[district]):
                    continue
            self.take(column)

    def enlarge(self, merit: Floats) -> None:
        """Exchange columns for dearer ones of the same year, by relief per yuan more.

        ``merit`` is what each column counts for.
        """
        columns = self.task.columns
        mine = np.array(self.plan, dtype=np.int64)[columns.project]
        paid = columns.payments_cents.sum(axis=1)
        bigger = np.flatnonzero(
            (mine >= 0)
            & (columns.year == columns.year[mine])
            & (merit > merit[mine])
            & (paid >= paid[mine])
        )
        gain = merit[bigger] - merit[mine[bigger]]
        cost = np.maximum(paid[bigger] - paid[mine[bigger]], 1)
        for place in np.argsort(-gain / cost, kind="stable").tolist():
            column = int(bigger[place])
            now = self.plan[self._project[column]]
            if merit[column] > merit[now]:
                self.take(column)

    def result(self) -> Whole:
        """Return the plan."""
        return np.array(self.plan, dtype=np.int64)


def locked_columns(task: Task) -> list[int]:
    """Return the smallest column of each locked project, in order of project."""
    columns = task.columns
    mine = np.flatnonzero(task.locked_year[columns.project] >= 0)
    order = mine[np.lexsort((columns.works_count[mine], columns.project[mine]))]
    first = np.ones(len(order), dtype=bool)
    first[1:] = columns.project[order][1:] != columns.project[order][:-1]
    return [int(one) for one in order[first]]


def filled(task: Task, order: Sequence[int], first: Sequence[int] = ()) -> Whole:
    """Return a plan: locks, then ``first``, then ``order``, districts below their floor before others.

    It keeps budgets, limits, readiness and locks; it may miss a floor or a lock.
    """
    made = Filling(task)
    made.fill(first)
    made.fill(locked_columns(task))
    if task.floor_cents.any():
        made.fill(order, below_floor=True)
    made.fill([one for one in order if task.columns.relief[one] > 0])
    made.enlarge(task.value)
    return made.result()


def greedy(task: Task) -> Whole:
    """Return the plan that takes columns by relief per yuan."""
    cost = np.maximum(task.columns.payments_cents.sum(axis=1), 1)
    order = np.lexsort((task.columns.year, -task.value / cost))
    return filled(task, order.tolist())
