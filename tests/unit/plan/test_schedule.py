"""Small schedules equal brute force; a pay-back worked by hand."""

from itertools import product

import numpy as np
import pytest

from pipeline.plan.cashflow import cash_flow
from pipeline.plan.schedule import FREE, Effort, Infeasible, Task, choose


def small_task(seed: int, floor: int = 0) -> Task:
    chance = np.random.default_rng(seed)
    first, second = chance.integers(1, 30, 6) * 10**8, chance.integers(0, 2, 6) * 5 * 10**8
    return Task(
        chance.integers(1, 50, 6).astype(float), np.c_[first, second], np.arange(6) % 2,
        chance.integers(0, 2, 6), np.full(6, FREE), np.array([25, 25]) * 10**8,
        np.array([5, 5]) * 10**8, np.array([floor, 0]), np.full((2, 2), 2), np.array([1.0, 0.9]),
    )  # fmt: skip


def best_by_hand(task: Task) -> float:
    best = 0.0
    for plan in product((-1, 0, 1), repeat=6):
        paid, value, begun, good = [0, 0], 0.0, {}, True
        for one, year in enumerate(plan):
            if year < 0:
                continue
            a, b = (int(x) for x in task.payments_cents[one])
            good &= year >= task.ready_year[one] and not (year == 1 and b)
            paid[year] += a
            paid[1] += b if year == 0 else 0
            begun[one % 2, year] = begun.get((one % 2, year), 0) + 1
            value += float(task.need[one]) * (1.0, 0.9)[year]
        left = 25 * 10**8 - paid[0]
        if good and left >= 0 and paid[1] <= 25 * 10**8 + min(left, 5 * 10**8):
            if max(begun.values(), default=0) <= 2:
                best = max(best, value)
    return best


@pytest.mark.parametrize("seed", range(20))
def test_small_cases_equal_brute_force(seed: int) -> None:
    task = small_task(seed)
    assert choose(task, Effort(0.0, 10_000)).relieved == pytest.approx(best_by_hand(task))


def test_clashing_floor_is_named() -> None:
    with pytest.raises(Infeasible, match="floor of district number 1"):
        choose(small_task(1, floor=10**13), Effort(0.0, 10_000))


def test_370_million_over_11_years_breaks_even_in_year_7() -> None:
    flow = cash_flow(370_000_000_00, (53_000_000_00,) * 11, 0.0)
    assert flow.running_cents[5:7] == (-52_000_000_00, 1_000_000_00)
    assert (flow.payback_year, flow.net_present_cents) == (7, 213_000_000_00)
