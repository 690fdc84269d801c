"""Small schedules equal brute force; contradictions are told by name; more money, never less."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.plan.contradiction import Names, explain
from pipeline.plan.schedule import FREE, LOCKED_OUT, Effort, Infeasible, Task, choose, keeps_rules

EXACT = Effort(0.0, 10_000)
NAMES = Names([f"P{n}" for n in range(6)], ["江北区", "渝中区"], 2026)
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
    return Task(**(whole | changes))


def best_by_hand(task: Task) -> float:
    best = 0.0
    for plan in product((-1, 0, 1), repeat=6):
        paid, value, begun, good = [0, 0], 0.0, {}, True
        got = [0, 0]
        for one, year in enumerate(plan):
            good &= task.locked_year[one] in (FREE, year) or (
                task.locked_year[one] == LOCKED_OUT and year < 0
            )
            if year < 0:
                continue
            a, b = (int(x) for x in task.payments_cents[one])
            good &= year >= task.ready_year[one] and not (year == 1 and b)
            paid[year] += a
            paid[1] += b if year == 0 else 0
            got[one % 2] += a + b
            begun[one % 2, year] = begun.get((one % 2, year), 0) + 1
            value += float(task.need[one]) * (1.0, 0.9)[year]
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
    assert keeps_rules(task, found.start_year)


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
    if choose(task, EXACT).start_year[one] < 0:
        return
    need = task.need.copy()
    need[one] += more
    assert choose(small_task(seed, need=need), EXACT).start_year[one] >= 0


def test_a_known_plan_is_never_bettered_by_a_worse_one() -> None:
    task = small_task(3)
    best = choose(task, EXACT)
    rough = choose(task, Effort(1.0, 1), known=[best.start_year])
    assert rough.relieved >= best.relieved


def told(task: Task) -> str:
    with pytest.raises(Infeasible):
        choose(task, EXACT)
    return explain(task, NAMES, EXACT)[0]


def test_a_floor_that_nobody_can_reach_is_named_with_its_amount() -> None:
    task = small_task(1)
    most = int(task.payments_cents[::2].sum())
    words = told(small_task(1, floor_cents=np.array([10**13, 0])))
    assert "smallest rule to relax: the floor of 江北区, lower it by" in words
    # the rest of the floor is what the budget can buy there: never more than all its projects
    lowered = float(words.split("by ")[1].split(" yuan")[0].replace(",", ""))
    assert 10**11 - most / 100 <= lowered <= 10**11


def test_two_rules_that_must_give_way_together() -> None:
    """Each district needs 20 of its own, but the limit of starts lets neither begin."""
    payments = np.array([[20, 0], [20, 0], [1, 0], [1, 0], [1, 0], [1, 0]]) * MILLION
    words = told(
        small_task(
            1,
            payments_cents=payments,
            work_years=np.ones(6, dtype=int),
            ready_year=np.zeros(6, dtype=int),
            floor_cents=np.array([20, 20]) * MILLION,
            start_limit=np.array([[0, 0], [0, 0]]),
        )
    )
    assert "no single rule is enough" in words
    assert "江北区" in words
    assert "渝中区" in words


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
    assert "the budget of 2026, raise it by 5,000,000.00 yuan" in told(task)
