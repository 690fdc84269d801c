"""The plan as a mixed-integer programme on HiGHS: one variable for each column of each project.

Rows: each project once; each year's budget, with what is carried over; each district's floor; the
starts of each district and year. Money is in million yuan, so that numbers stay near one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from pipeline.geo.raster import Floats
from pipeline.highs import Effort, silent_solver
from pipeline.plan.task import WAITS, Task, Whole, preference

MILLION_YUAN_IN_CENTS = 1e8


class Status(Enum):
    """What the solver can say."""

    SOLVED = "solved"
    IMPOSSIBLE = "impossible"
    OPEN = "open"


@dataclass(frozen=True)
class Prices:
    """What one unit more of each rule would add to the relief (dual values).

    ``budget`` and ``floor`` by million yuan, ``limit`` by one start.
    """

    budget: Floats
    floor: Floats
    limit: Floats


@dataclass(frozen=True)
class Solution:
    """Values of the columns, if any were found, the bound on the relief, and prices of the rules."""

    values: Floats | None
    bound: float
    status: Status
    prices: Prices | None = None


@dataclass(frozen=True)
class Slack:
    """A rule that may give way: its rows, what one unit adds to each, and what a unit counts for."""

    rows: tuple[int, ...]
    coefficients: tuple[float, ...]
    weight: float
    most: float


class Programme:
    """The rows and columns of a task."""

    def __init__(self, task: Task) -> None:
        self.task = task
        years = len(task.budget_cents)
        self.project_row = 0
        self.budget_row = task.project_count
        self.floor_row = self.budget_row + years
        self.limit_row = self.floor_row + len(task.floor_cents)
        self.row_count = self.limit_row + len(task.floor_cents) * years

    def taken(self, values: Floats, least: float) -> Whole:
        """Return the column of each project whose value is at least ``least``."""
        plan = np.full(self.task.project_count, WAITS)
        whole = np.flatnonzero(values[: len(self.task.columns.project)] >= least)
        plan[self.task.columns.project[whole]] = whole
        return plan

    def solve(
        self,
        effort: Effort,
        *,
        integral: bool,
        hint: Whole | None = None,
        slacks: Sequence[Slack] = (),
    ) -> Solution:
        """Solve; with ``slacks``, ignore need and find how little those rules must give way."""
        import highspy

        solver = silent_solver(effort)
        solver.setOptionValue("solve_relaxation", not integral)
        model = self._model(highspy, slacks)
        if integral and not slacks and effort.relative_gap == 0:
            model.col_cost_ = self._told_apart(np.array(model.col_cost_))
        solver.passModel(model)
        model_value = np.array(model.col_cost_)
        if hint is not None:
            column = np.zeros(len(self.task.columns.project))
            column[hint[hint >= 0]] = 1.0
            solver.setSolution(len(column), np.arange(len(column), dtype=np.int32), column)
        solver.run()
        info, state = solver.getInfo(), solver.getModelStatus()
        if state == highspy.HighsModelStatus.kInfeasible:
            return Solution(None, -np.inf, Status.IMPOSSIBLE)
        bound = info.mip_dual_bound if integral else info.objective_function_value
        done = state in (
            highspy.HighsModelStatus.kOptimal,
            highspy.HighsModelStatus.kObjectiveBound,
        )
        status = Status.SOLVED if done else Status.OPEN
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            bound = float(bound) if integral and np.isfinite(bound) else np.inf
            return Solution(None, bound, status)
        if not integral and not done:
            bound = np.inf
        found = solver.getSolution()
        values = np.array(found.col_value)
        told = info.objective_function_value
        if hint is not None and float(model_value @ values) < told - 1e-6 * max(1.0, abs(told)):
            # where presolve alone finds the best, HiGHS 1.16 gives back the hint under its objective
            return self.solve(effort, integral=integral, slacks=slacks)
        prices = None if integral else self._prices(np.array(found.row_dual))
        return Solution(values, float(bound), status, prices)

    def _told_apart(self, value: Floats) -> Floats:
        """Return values that tell apart plans of the same relief."""
        value[: len(self.task.columns.project)] += preference(self.task)
        return value

    def _prices(self, dual: Floats) -> Prices:
        years = len(self.task.budget_cents)
        return Prices(
            dual[self.budget_row : self.floor_row],
            dual[self.floor_row : self.limit_row],
            dual[self.limit_row :].reshape(-1, years),
        )

    def _model(self, highspy: Any, slacks: Sequence[Slack]) -> Any:
        from scipy import sparse  # only the solving interpreter needs it, and it takes long to load

        task, made = self.task, self.task.columns
        project, year = made.project, made.year
        years, count, options = len(task.budget_cents), task.project_count, len(project)
        column, when = np.arange(options), np.arange(years)
        scale = 1 / MILLION_YUAN_IN_CENTS
        rows, columns = [project], [column]
        values: list[Floats] = [np.ones(options)]
        for step in range(made.payments_cents.shape[1]):
            paid = made.payments_cents[:, step]
            kept = (paid > 0) & (year + step < years)
            rows.append(self.budget_row + year[kept] + step)
            columns.append(column[kept])
            values.append(np.asarray(paid[kept] * scale, dtype=float))
        rows += [self.budget_row + when, self.budget_row + when[1:]]
        columns += [options + when, options + when[:-1]]
        values += [np.ones(years), -np.ones(years - 1)]
        rows += [self.floor_row + task.district[project]]
        columns.append(column)
        values.append(np.asarray(made.payments_cents.sum(axis=1) * scale, dtype=float))
        rows.append(self.limit_row + task.district[project] * years + year)
        columns.append(column)
        values.append(np.ones(options))
        if slacks:
            sizes = [len(one.rows) for one in slacks]
            rows.append(np.concatenate([one.rows for one in slacks]))
            columns.append(np.repeat(options + years + np.arange(len(slacks)), sizes))
            values.append(np.concatenate([one.coefficients for one in slacks]))
        shape = (self.row_count, options + years + len(slacks))
        place = (np.concatenate(rows), np.concatenate(columns))
        matrix = sparse.csc_matrix((np.concatenate(values), place), shape=shape)
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = shape
        need = np.zeros(options) if slacks else task.value
        lp.col_cost_ = np.r_[need, np.zeros(years), [-one.weight for one in slacks]]
        lp.col_lower_ = np.zeros(shape[1])
        lp.col_upper_ = np.r_[
            np.ones(options), task.carry_limit_cents * scale, [one.most for one in slacks]
        ]
        districts = len(task.floor_cents)
        lp.row_lower_ = np.r_[
            np.where(task.locked_year >= 0, 1.0, 0.0),
            np.full(years, -np.inf),
            task.floor_cents * scale,
            np.full(districts * years, -np.inf),
        ]
        lp.row_upper_ = np.r_[
            np.ones(count),
            task.budget_cents * scale,
            np.full(districts, np.inf),
            task.start_limit.ravel().astype(float),
        ]
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
        lp.a_matrix_.value_ = matrix.data
        lp.sense_ = highspy.ObjSense.kMaximize
        whole = [highspy.HighsVarType.kInteger] * options
        lp.integrality_ = whole + [highspy.HighsVarType.kContinuous] * (years + len(slacks))
        return lp
