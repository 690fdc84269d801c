"""Small schedules equal brute force; contradictions are told by name; more money, never less."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.highs import Effort
from pipeline.plan.contradiction import Names, explain
from pipeline.plan.schedule import Infeasible, Schedule, choose
from pipeline.plan.task import FREE, LOCKED_OUT, Columns, Task, keeps_rules, start_years

EXACT = Effort(0.0, 10_000)
NAMES = Names([f"P{n}" for n in range(6)], ["江北区", "渝中区"], 2026, 0.5, frozenset({0, 1}))
MILLION = 10**8  # in cents


def small_task(seed: int, **changes: np.ndarray) -> Task:
    chance = np.random.default_rng(seed)
    first, second = chance.integers(1, 30, 6) * MILLION, chance.integers(0, 2, 6) * 5 * MILLION
    whole = {
        "need": chance.integers(1, 50, 6).astype(float),
        "payments_cents": np.c_[first, second],
        "work_years": np.where(second > 0, 2, 1),
        "district": np.arange(6) % 2,
        "ready_year": chance.integers(0, 2, 6),
        "locked_year": np.full(6, FREE),
        "budget_cents": np.array([25, 25]) * MILLION,
        "carry_limit_cents": np.array([5, 5]) * MILLION,
        "floor_cents": np.array([0, 0]),
        "start_limit": np.full((2, 2), 2),
        "year_weight": np.array([1.0, 0.9]),
    }
    return task_of(**(whole | changes))


def task_of(*, need: np.ndarray, payments_cents: np.ndarray, **rules: np.ndarray) -> Task:
    """Return the task of projects that may do all their works or none."""
    none = np.zeros(0, dtype=int)
    empty = Columns(none, none, none, np.zeros(0), payments_cents[:0], none)
    task = Task(columns=empty, **rules)
    project, year = np.nonzero(task.may_start)
    one = np.ones(len(project), dtype=int)
    return replace(
        task, columns=Columns(project, one, year, need[project], payments_cents[project], 0 * one)
    )


def starts(found: Schedule) -> np.ndarray:
    return start_years(found.task, found.plan)


def small_payments(seed: int) -> np.ndarray:
    chance = np.random.default_rng(seed)
    first, second = chance.integers(1, 30, 6) * MILLION, chance.integers(0, 2, 6) * 5 * MILLION
    return np.c_[first, second]


def best_by_hand(task: Task) -> float:
    best = 0.0
    need, payments = np.zeros(6), np.zeros((6, 2), dtype=int)
    need[task.columns.project] = task.columns.relief
    payments[task.columns.project] = task.columns.payments_cents
    for plan in product((-1, 0, 1), repeat=6):
        paid, value, begun, good = [0, 0], 0.0, {}, True
        got = [0, 0]
        for one, year in enumerate(plan):
            good &= task.locked_year[one] in (FREE, year) or (
                task.locked_year[one] == LOCKED_OUT and year < 0
            )
            if year < 0:
                continue
            good &= bool(task.may_start[one, year])
            a, b = (int(x) for x in payments[one])
            good &= year >= task.ready_year[one] and not (year == 1 and b)
            paid[year] += a
            paid[1] += b if year == 0 else 0
            got[one % 2] += a + b
            begun[one % 2, year] = begun.get((one % 2, year), 0) + 1
            value += float(need[one]) * (1.0, 0.9)[year]
        left = int(task.budget_cents[0]) - paid[0]
        within = left >= 0 and paid[1] <= task.budget_cents[1] + min(left, 5 * MILLION)
        floors = all(got[d] >= task.floor_cents[d] for d in (0, 1))
        if good and within and floors and max(begun.values(), default=0) <= 2:
            best = max(best, value)
    return best


@pytest.mark.parametrize("seed", range(20))
def test_small_cases_equal_brute_force(seed: int) -> None:
    task = small_task(seed)
    found = choose(task, EXACT)
    assert found.relieved == pytest.approx(best_by_hand(task))
    assert keeps_rules(task, found.plan)


@pytest.mark.parametrize("seed", range(20, 40))
def test_floors_and_locks_equal_brute_force(seed: int) -> None:
    locked = np.full(6, FREE)
    locked[seed % 6] = LOCKED_OUT
    floors = np.array([6, 3]) * MILLION
    task = small_task(seed, locked_year=locked, floor_cents=floors)
    best = best_by_hand(task)
    if best:
        assert choose(task, EXACT).relieved == pytest.approx(best)
    else:
        with pytest.raises(Infeasible):
            choose(task, EXACT)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 20), st.integers(0, 1))
def test_more_budget_never_relieves_less_need(seed: int, more: int, year: int) -> None:
    task = small_task(seed)
    budget = task.budget_cents.copy()
    budget[year] += more * MILLION
    richer = small_task(seed, budget_cents=budget)
    assert choose(richer, EXACT).relieved >= choose(task, EXACT).relieved - 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 5), st.integers(1, 100))
def test_raising_one_need_never_drops_that_project(seed: int, one: int, more: int) -> None:
    task = small_task(seed)
    if starts(choose(task, EXACT))[one] < 0:
        return
    relief = task.columns.relief + np.where(task.columns.project == one, more, 0)
    raised = replace(task, columns=replace(task.columns, relief=relief))
    assert starts(choose(raised, EXACT))[one] >= 0


def test_what_relieves_nothing_is_not_begun_for_a_tie() -> None:
    task = small_task(4, need=np.zeros(6))
    one = replace(task, columns=replace(task.columns, relief=(task.columns.project == 2) * 3.0))
    assert (starts(choose(task, EXACT)) < 0).all()
    assert np.flatnonzero(starts(choose(one, EXACT)) >= 0).tolist() == [2]


def test_a_known_plan_is_never_bettered_by_a_worse_one() -> None:
    task = small_task(3)
    best = choose(task, EXACT)
    rough = choose(task, Effort(1.0, 1), known=[best.plan])
    assert rough.relieved >= best.relieved


def told(task: Task) -> str:
    with pytest.raises(Infeasible):
        choose(task, EXACT)
    return explain(task, NAMES, EXACT)[0]


def test_a_floor_that_nobody_can_reach_is_named_with_its_amount() -> None:
    words = told(small_task(1, floor_cents=np.array([10**13, 1])))
    most = int(small_payments(1)[::2].sum())
    assert "smallest rule to relax: the floor of 江北区, lower it by" in words
    # the rest of the floor is what the budget can buy there: never more than all its projects
    lowered = float(words.split("by ")[1].split(" yuan")[0].replace(",", ""))
    assert 10**11 - most / 100 <= lowered <= 10**11


def test_two_rules_that_must_give_way_together() -> None:
    """22 million in each district at most, 30 and 40 asked for: both floors are too high."""
    payments = np.array([[20, 0], [20, 0], [1, 0], [1, 0], [1, 0], [1, 0]]) * MILLION
    words = told(
        small_task(
            1,
            payments_cents=payments,
            work_years=np.ones(6, dtype=int),
            ready_year=np.zeros(6, dtype=int),
            floor_cents=np.array([30, 40]) * MILLION,
            budget_cents=np.array([50, 50]) * MILLION,
            start_limit=np.full((2, 2), 6),
        )
    )
    assert "no single rule is enough; relax both" in words
    assert "the floor of 江北区, lower it by 8,000,000 yuan" in words
    assert "the floor of 渝中区, lower it by 18,000,000 yuan" in words


def test_a_limit_of_starts_is_named_as_one_rule() -> None:
    words = told(
        small_task(
            1, floor_cents=np.array([1, 1]), start_limit=np.zeros((2, 2), dtype=int),
            ready_year=np.zeros(6, dtype=int),
        )
    )  # fmt: skip
    assert "the limit of 0 starts a district and year, raise it to 1" in words


def test_floors_that_follow_from_a_share_give_way_together() -> None:
    payments = np.array([[20, 0], [20, 0], [1, 0], [1, 0], [1, 0], [1, 0]]) * MILLION
    task = small_task(
        1, payments_cents=payments, work_years=np.ones(6, dtype=int),
        ready_year=np.zeros(6, dtype=int), floor_cents=np.array([21, 22]) * MILLION,
        budget_cents=np.array([21, 21]) * MILLION, carry_limit_cents=np.zeros(2, dtype=int),
        start_limit=np.full((2, 2), 6),
    )  # fmt: skip
    with pytest.raises(Infeasible):
        choose(task, EXACT)
    names = Names(NAMES.projects, NAMES.districts, 2026, 0.5, frozenset())
    words, setting = explain(task, names, EXACT)
    # 42 a year's worth for 43 asked: the second district can have 21 of 22, both shares fall by 1/22
    assert "the budget of 2026, raise it by 1,000,000 yuan" in words or "lower it to 0.477" in words
    assert setting in ("plan.schedule.budget_cny", "plan.schedule.district_floor_share")


def test_a_lock_before_the_project_is_ready_is_named() -> None:
    locked = np.full(6, FREE)
    locked[2] = 0
    words = told(small_task(1, locked_year=locked, ready_year=np.array([0, 0, 1, 0, 0, 0])))
    assert "P2 is locked in for 2026 but cannot start before 2027" in words


def test_locks_that_cost_more_than_the_budget_are_told_by_how_much() -> None:
    locked = np.full(6, FREE)
    locked[:2] = 0
    payments = np.array([[20, 0], [10, 0], [1, 0], [1, 0], [1, 0], [1, 0]]) * MILLION
    task = small_task(
        1, locked_year=locked, payments_cents=payments, work_years=np.ones(6, dtype=int),
        ready_year=np.zeros(6, dtype=int),
    )  # fmt: skip
    # 30 million wanted, 25 there: the budget gives way by a fifth, less than dropping a lock
    assert "the budget of 2026, raise it by 5,000,000 yuan" in told(task)
