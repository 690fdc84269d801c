"""Which projects start in which year: a mixed-integer programme on HiGHS.

Maximises need relieved under yearly budgets with limited carry-over, district floors, starts per
district and year, readiness and locks. A project is whole or not at all, and once begun its
payments follow each other without a break.
"""

from dataclasses import dataclass, replace

import highspy
import numpy as np
from scipy import sparse

LOCKED_OUT = -2
FREE = -1


@dataclass(frozen=True)
class Task:
    """What is to be scheduled. Money is whole cents (分); years count from 0.

    ``payments_cents`` has a row per project and a column per year of works; ``ready_year`` is the
    first year it may start (a number past the horizon: never); ``locked_year`` is a year, ``FREE``
    or ``LOCKED_OUT``; ``year_weight`` is what relief in each year counts for.
    """

    need: np.ndarray
    payments_cents: np.ndarray
    district: np.ndarray
    ready_year: np.ndarray
    locked_year: np.ndarray
    budget_cents: np.ndarray
    carry_limit_cents: np.ndarray
    floor_cents: np.ndarray
    start_limit: np.ndarray
    year_weight: np.ndarray


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
    """No plan keeps all rules; ``str`` names the smallest rule to relax."""


def choose(task: Task, effort: Effort) -> Schedule:
    """Return the best plan found and its bound.

    The greedy plan and the rounded linear relaxation come first: the bound of the relaxation may
    already prove one of them good enough. Else HiGHS goes on from the better one.

    Raises
    ------
    Infeasible
        If the rules contradict each other.
    """
    project, year = _options(task)
    model = _model(task, project, year)
    relaxed, bound, state = _solve(model, effort, integral=False)
    if relaxed is None:
        raise Infeasible(explain(task, effort))
    by_greedy = greedy(task)
    rounded = greedy(task, first=_rounded(task, project, year, relaxed))
    plans = [plan for plan in (by_greedy, rounded) if broken_floors(task, plan).size == 0]
    best = max(plans, key=lambda plan: relieved(task, plan)) if plans else None
    greedy_value = relieved(task, by_greedy) if broken_floors(task, by_greedy).size == 0 else 0.0
    if best is not None:
        found = Schedule(best, relieved(task, best), bound, greedy_value, "linear bound")
        if found.gap_share <= effort.relative_gap:
            return found
    hint = None if best is None else (best[project] == year).astype(float)
    solved, bound_whole, state = _solve(model, effort, integral=True, hint=hint)
    if solved is None:
        if state == highspy.HighsModelStatus.kInfeasible:
            raise Infeasible(explain(task, effort))
        if best is None:
            raise Infeasible(f"no plan was found within {effort.node_limit} nodes")
        return Schedule(best, relieved(task, best), bound, greedy_value, "node limit")
    start = np.full(len(task.need), -1)
    taken = solved[: len(project)] > 0.5
    start[project[taken]] = year[taken]
    if best is not None and relieved(task, best) > relieved(task, start):
        start = best
    return Schedule(
        start, relieved(task, start), min(bound, bound_whole), greedy_value, "mixed integer"
    )


def relieved(task: Task, start: np.ndarray) -> float:
    """Return the weighted need of the projects that start."""
    taken = start >= 0
    return float((task.need[taken] * task.year_weight[start[taken]]).sum())


def broken_floors(task: Task, start: np.ndarray) -> np.ndarray:
    """Return the districts that get less than their floor."""
    cost = task.payments_cents.sum(axis=1) * (start >= 0)
    got = np.bincount(task.district, weights=cost, minlength=len(task.floor_cents))
    return np.flatnonzero(got < task.floor_cents)


def greedy(task: Task, first: np.ndarray | None = None) -> np.ndarray:
    """Return start years: locks, ``first``, then by need per yuan, districts below floor first."""
    years, span = len(task.budget_cents), task.payments_cents.shape[1]
    cost = task.payments_cents.sum(axis=1)
    start = np.full(len(task.need), -1)
    spent = np.zeros(years, dtype=np.int64)
    begun = np.zeros((len(task.floor_cents), years), dtype=np.int64)
    got = np.zeros(len(task.floor_cents), dtype=np.int64)

    def fits(one: int, year: int) -> bool:
        last = year + int(np.flatnonzero(task.payments_cents[one]).max(initial=0))
        if last >= years or year < task.ready_year[one]:
            return False
        if begun[task.district[one], year] >= task.start_limit[task.district[one], year]:
            return False
        trial = spent.copy()
        used = min(span, years - year)
        trial[year : year + used] += task.payments_cents[one, :used]
        return within_budget(task, trial)

    def take(one: int, year: int) -> None:
        used = min(span, years - year)
        spent[year : year + used] += task.payments_cents[one, :used]
        begun[task.district[one], year] += 1
        got[task.district[one]] += cost[one]
        start[one] = year

    for one in np.flatnonzero(task.locked_year >= 0):
        if fits(one, int(task.locked_year[one])):
            take(one, int(task.locked_year[one]))
    order = np.argsort(-task.need / np.maximum(cost, 1), kind="stable")
    if first is not None:
        chosen = [one for one in order if first[one] >= 0 and start[one] < 0]
        for one in chosen:
            if task.locked_year[one] == FREE and fits(one, int(first[one])):
                take(one, int(first[one]))
    for only_below_floor in (True, False):
        for one in order:
            if start[one] >= 0 or task.locked_year[one] != FREE:
                continue
            district = task.district[one]
            if only_below_floor and got[district] >= task.floor_cents[district]:
                continue
            for year in range(int(max(task.ready_year[one], 0)), years):
                if fits(one, year):
                    take(one, year)
                    break
    return start


def within_budget(task: Task, spent: np.ndarray) -> bool:
    """Tell whether yearly spending keeps the budgets; what is left over carries up to the limit."""
    carried = 0
    for year, amount in enumerate(spent):
        left = int(task.budget_cents[year]) + carried - int(amount)
        if left < 0:
            return False
        carried = min(left, int(task.carry_limit_cents[year]))
    return True


def explain(task: Task, effort: Effort) -> str:
    """Return in words the smallest single rule to relax, or that no single one is enough."""
    tried = []
    for year in range(len(task.budget_cents)):
        more = task.budget_cents.copy()
        more[year] += int(task.payments_cents.sum())
        tried.append((f"the budget of year {year + 1}", "budget", replace(task, budget_cents=more)))
    for district in np.flatnonzero(task.floor_cents > 0):
        lower = task.floor_cents.copy()
        lower[district] = 0
        words = f"the floor of district number {district + 1}"
        tried.append((words, "floor", replace(task, floor_cents=lower)))
    for one in np.flatnonzero(task.locked_year >= 0):
        unlocked = task.locked_year.copy()
        unlocked[one] = FREE
        words = f"the lock of project number {one + 1}"
        tried.append((words, "lock", replace(task, locked_year=unlocked)))
    open_limit = np.full_like(task.start_limit, len(task.need))
    tried.append(("the limit of starts", "limit", replace(task, start_limit=open_limit)))
    enough = [
        (_amount(kind, task, looser, effort), words)
        for words, kind, looser in tried
        if _is_feasible(looser, effort)
    ]
    if not enough:
        return "the rules contradict each other, and no single rule is enough to relax"
    (_, amount), words = min(enough, key=lambda pair: pair[0])
    return f"the rules contradict each other; smallest rule to relax: {words}{amount}"


def _amount(kind: str, task: Task, looser: Task, effort: Effort) -> tuple[float, str]:
    """Return how much must give, as a share of the rule, and in words (by bisection)."""
    name = {"budget": "budget_cents", "floor": "floor_cents"}.get(kind)
    if name is None:
        return 1.0, ""
    tight, loose = getattr(task, name), getattr(looser, name)
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        part = np.round(tight + (loose - tight) * middle).astype(np.int64)
        if _is_feasible(replace(task, **{name: part}), effort):
            high = middle
        else:
            low = middle
    change = float(np.abs(loose - tight).sum()) * high
    base = float(np.abs(tight)[loose != tight].sum())
    sign = "raise" if kind == "budget" else "lower"
    return change / max(base, 1.0), f", {sign} it by {change / 100:,.2f} yuan"


def _is_feasible(task: Task, effort: Effort) -> bool:
    project, year = _options(task)
    free = replace(task, need=np.zeros(len(task.need)))
    return _solve(_model(free, project, year), effort, integral=True)[0] is not None


def _options(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of project and start year that readiness, locks and the horizon allow."""
    years = len(task.budget_cents)
    length = task.payments_cents.shape[1] - np.argmax(task.payments_cents[:, ::-1] > 0, axis=1)
    when = np.arange(years)
    may = (task.locked_year == FREE)[:, None] | (task.locked_year[:, None] == when[None, :])
    may &= when[None, :] >= task.ready_year[:, None]
    may &= when[None, :] + length[:, None] <= years
    project, year = np.nonzero(may)
    return project, year


def _model(task: Task, project: np.ndarray, year: np.ndarray) -> highspy.HighsLp:
    years, districts, count = len(task.budget_cents), len(task.floor_cents), len(task.need)
    options, scale = len(project), 1e-8
    column = np.arange(options)
    rows, columns, values = [project], [column], [np.ones(options)]
    low = [np.where(task.locked_year >= 0, 1.0, 0.0)]
    high = [np.ones(count)]
    for step in range(task.payments_cents.shape[1]):
        paid = task.payments_cents[project, step]
        kept = (paid > 0) & (year + step < years)
        rows.append(count + year[kept] + step)
        columns.append(column[kept])
        values.append(paid[kept] * scale)
    when = np.arange(years)
    rows += [count + when, count + when[1:]]
    columns += [options + when, options + when[:-1]]
    values += [np.ones(years), -np.ones(years - 1)]
    low.append(np.full(years, -np.inf))
    high.append(task.budget_cents * scale)
    total = task.payments_cents.sum(axis=1)
    rows.append(count + years + task.district[project])
    columns.append(column)
    values.append(total[project] * scale)
    low.append(task.floor_cents * scale)
    high.append(np.full(districts, np.inf))
    rows.append(count + years + districts + task.district[project] * years + year)
    columns.append(column)
    values.append(np.ones(options))
    low.append(np.full(districts * years, -np.inf))
    high.append(task.start_limit.ravel().astype(float))
    shape = (count + years + districts + districts * years, options + years)
    place = (np.concatenate(rows), np.concatenate(columns))
    matrix = sparse.csc_matrix((np.concatenate(values), place), shape=shape)
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = shape
    lp.col_cost_ = np.r_[task.need[project] * task.year_weight[year], np.zeros(years)]
    lp.col_lower_ = np.zeros(shape[1])
    lp.col_upper_ = np.r_[np.ones(options), task.carry_limit_cents * scale]
    lp.row_lower_, lp.row_upper_ = np.concatenate(low), np.concatenate(high)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
    lp.a_matrix_.value_ = matrix.data
    lp.sense_ = highspy.ObjSense.kMaximize
    whole = [highspy.HighsVarType.kInteger] * options
    lp.integrality_ = whole + [highspy.HighsVarType.kContinuous] * years
    return lp


def _solve(
    lp: highspy.HighsLp, effort: Effort, integral: bool, hint: np.ndarray | None = None
) -> tuple[np.ndarray | None, float, highspy.HighsModelStatus]:
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("mip_rel_gap", effort.relative_gap)
    solver.setOptionValue("mip_abs_gap", 0.0)
    solver.setOptionValue("mip_max_nodes", effort.node_limit)
    solver.setOptionValue("mip_feasibility_tolerance", 1e-9)
    solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
    solver.setOptionValue("solve_relaxation", not integral)
    solver.passModel(lp)
    if hint is not None:
        index = np.arange(len(hint), dtype=np.int32)
        solver.setSolution(len(hint), index, hint)
    solver.run()
    info, state = solver.getInfo(), solver.getModelStatus()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None, float("inf"), state
    bound = info.mip_dual_bound if integral else info.objective_function_value
    return np.array(solver.getSolution().col_value), float(bound), state


def _rounded(task: Task, project: np.ndarray, year: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the projects that the relaxation takes whole in one year."""
    first = np.full(len(task.need), -1)
    whole = value[: len(project)] > 1 - 1e-6
    first[project[whole]] = year[whole]
    return first
