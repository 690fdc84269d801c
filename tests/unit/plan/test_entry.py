"""What would bring a project in, and what the plan loses without one, beside every plan there is."""

from dataclasses import fields, replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.highs import Effort
from pipeline.pages.entry_words import entry_words
from pipeline.plan.entry import Entries, entries, upper_bound
from pipeline.plan.entry_budget import Wanted, auctioned, budgets_of_entry
from pipeline.plan.schedule import Schedule, choose
from pipeline.plan.task import Columns, Task, start_years

MILLION = 10**8  # in cents
EXACT = Effort(0.0, 10_000)
YEARS = 2


def task_of(
    relief: list[float], million: list[float], budget: list[float], **rules: object
) -> Task:
    """Return projects of one district that do all their works in one year, or wait."""
    count = len(relief)
    whole = {
        "work_years": np.ones(count, dtype=int),
        "district": np.zeros(count, dtype=int),
        "ready_year": np.zeros(count, dtype=int),
        "locked_year": np.full(count, -1),
        "budget_cents": np.round(np.array(budget) * MILLION).astype(int),
        "carry_limit_cents": np.zeros(len(budget), dtype=int),
        "floor_cents": np.array([0]),
        "start_limit": np.full((1, len(budget)), count),
        "year_weight": 0.9 ** np.arange(len(budget)),
    } | rules
    nothing = columns_of(np.zeros((0, len(relief))), np.zeros(0), np.zeros(0, dtype=int))
    task = Task(columns=nothing, **whole)
    cents = np.round(np.array(million) * MILLION).astype(int)
    return replace(task, columns=columns_of(task.may_start.T, np.array(relief, float), cents))


def columns_of(may_start: np.ndarray, relief: np.ndarray, cents: np.ndarray) -> Columns:
    """Return a column of all works for each year (row) in which a project may start."""
    year, project = np.nonzero(may_start)
    given = {
        "project": project, "works_count": np.ones(len(project), dtype=int), "year": year,
        "relief": relief[project], "payments_cents": cents[project][:, None],
    }  # fmt: skip
    rest = np.zeros(len(project), dtype=int)
    return Columns(**{one.name: given.get(one.name, rest) for one in fields(Columns)})


def market_of(relief: list[float], million: list[float]) -> object:
    """Return the offers of such projects: one each, all its works, and no other set."""
    return SimpleNamespace(
        bundles=SimpleNamespace(project=np.arange(len(relief))),
        relief=np.array(relief, dtype=float),
        million=np.array(million, dtype=float),
        price=lambda prices, year: np.full(len(relief), prices.budget[year]),
        beyond=lambda prices, worth: 0.0,
    )


def solved(
    relief: list[float], million: list[float], budget: list[float], **rules: object
) -> tuple[Schedule, Entries]:
    schedule = choose(task_of(relief, million, budget, **rules), EXACT)
    return schedule, entries(schedule, market_of(relief, million))  # type: ignore[arg-type]


def best_by_hand(task: Task, relief: list[float], million: list[float], forced: int = -1) -> float:
    """Return what the best of all plans relieves, of those that hold ``forced``."""
    best = -np.inf
    years = range(len(task.budget_cents))
    for plan in product((-1, *years), repeat=len(relief)):
        if forced >= 0 and plan[forced] < 0:
            continue
        begun = [(one, year) for one, year in enumerate(plan) if year >= 0]
        if any(not task.may_start[one, year] for one, year in begun):
            continue
        spent = [sum(million[one] for one, at in begun if at == year) for year in years]
        if any(spent[y] > task.budget_cents[y] / MILLION + 1e-9 for y in years):
            continue
        starts = [sum(at == year for _, at in begun) for year in years]
        if any(starts[year] > task.start_limit[0, year] for year in years):
            continue
        best = max(best, sum(relief[one] * task.year_weight[at] for one, at in begun))
    return best


def test_prices_by_hand() -> None:
    """A 10 for 5 million, B 8 for 5, C 3 for 5, D 2 for 5; 12 million in one year; E is locked out.

    Divided at will, 0.4 of C would fill the budget: a million is worth 3 / 5 = 0.6, and no plan
    relieves more than 10 + 8 + 0.4 × 3 = 19.2; A and B relieve 18, so the plan may be 1.2 short. A is
    worth 10 − 5 × 0.6 = 7 beyond its money, B 5. D enters where 0.6 × cost = 2, at 3.33 million;
    surely where 2 − 1.2 is left, at 1.33; above today's 5 million nothing is shut out, since
    (2 + 1.2) / 0.6 = 5.33.
    """
    relief, million = [10.0, 8.0, 3.0, 2.0, 9.0], [5.0, 5.0, 5.0, 5.0, 1.0]
    locked = np.array([-1, -1, -1, -1, -2])
    schedule, found = solved(relief, million, [12.0], locked_year=locked)
    assert start_years(schedule.task, schedule.plan).tolist() == [0, 0, -1, -1, -1]
    market = market_of(relief, million)
    assert upper_bound(schedule.task, market, schedule.prices) == pytest.approx(19.2)  # type: ignore[arg-type]
    assert found.kind.tolist() == ["", "", "margin", "cost", "none"]
    assert found.replacement[:2] == pytest.approx([7.0, 5.0])
    assert found.replacement_low[:2] == pytest.approx([5.8, 3.8])
    assert found.public[3] == pytest.approx(10 / 3 * MILLION)
    assert found.public_low[3] == pytest.approx(4 / 3 * MILLION)
    assert found.public_high[3] == found.public_now[3] == 5 * MILLION
    assert np.isnan(found.public[[0, 1, 4]]).all()
    # 10 million are spent on A and B, 15 once C is worth its money and 20 once D is; 2 % on top
    assert found.budget[2:4] == pytest.approx([12 * 1.52 * MILLION, 12 * 2.02 * MILLION])
    assert np.isnan(found.budget[[0, 1, 4]]).all()


def test_starts_get_the_price_at_which_no_more_are_wanted_than_there_are() -> None:
    """Four projects, a start in each of two years. P0 is worth 9 or 8, P1 7 or 3, P2 5 or 4, P3 1 or 0:
    P1 first and P0 then relieve 15, the most; a start of the first year then costs at least the 5 that
    P2 would pay, one of the second 4."""
    worth = np.array([[9.0, 8.0], [7.0, 3.0], [5.0, 4.0], [1.0, 0.0]])
    nobody = np.zeros(4, dtype=bool)
    wanted = Wanted(worth, np.ones((4, 2)), np.zeros(4, dtype=int), nobody)
    year, price = auctioned(wanted, np.ones((1, 2), dtype=int), np.zeros((1, 2)))
    assert year.tolist() == [1, 0, -1, -1]
    assert (price[0] >= [5.0, 4.0]).all()
    forced = replace(wanted, must=np.array([False, False, False, True]))
    year, _ = auctioned(forced, np.ones((1, 2), dtype=int), np.zeros((1, 2)))
    assert year[3] >= 0
    never = budgets_of_entry([wanted], np.ones((1, 2), dtype=int), np.zeros((1, 2)))
    assert np.isnan(never).tolist() == [False, False, True, True]


def test_consent_and_capacity_by_hand() -> None:
    """Two years, a start each. A begins first, B then; C is worth more than B and ready too late.

    With 20 million a year money is no matter: a start in the second year is worth what the next
    project would relieve in it.
    """
    relief, million = [10.0, 4.0, 8.0, 3.0], [1.0, 1.0, 1.0, 1.0]
    schedule, found = solved(
        relief, million, [20.0, 20.0], start_limit=np.ones((1, 2), int),
        ready_year=np.array([0, 0, 9, 0]),
    )  # fmt: skip
    assert start_years(schedule.task, schedule.plan).tolist() == [0, 1, -1, -1]
    assert found.kind.tolist()[2:] == ["consent", "capacity"]
    assert found.ready_year.tolist()[2] == 1
    assert best_by_hand(task_of(relief, million, [20.0, 20.0], start_limit=np.ones((1, 2), int)),
                        relief, million) > schedule.relieved  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_what_is_proved_holds_beside_every_plan(seed: int) -> None:
    """Above the proved cost no plan with the project is better; without a planned project none
    relieves more than the plan less what it loses at least."""
    chance = np.random.default_rng(seed)
    count = 5
    relief = chance.integers(1, 40, count).astype(float).tolist()
    million = chance.integers(2, 12, count).astype(float).tolist()
    rules = {"start_limit": np.full((1, YEARS), 2), "ready_year": chance.integers(0, YEARS, count)}
    schedule, found = solved(relief, million, [9.0, 7.0], **rules)
    task = schedule.task
    assert schedule.relieved == pytest.approx(best_by_hand(task, relief, million))
    waits = start_years(task, schedule.plan) < 0
    assert waits.any()
    for one in range(count):
        if waits[one] and found.public_high[one] < found.public_now[one]:
            dear = [*million]
            dear[one] = found.public_high[one] / MILLION * 1.001
            assert best_by_hand(task, relief, dear, forced=one) <= schedule.relieved + 1e-6
        if waits[one]:
            assert found.public_low[one] <= found.public[one] <= found.public_high[one]
        if not waits[one]:
            without = [*relief]
            without[one] = 0.0
            loss = schedule.relieved - best_by_hand(task, without, million)
            assert found.replacement_low[one] <= loss + 1e-6


def row(**changes: object) -> dict[str, object]:
    return {
        "project_id": "P1", "wait_reason_code": "budget", "entry_type": "cost",
        "public_cny": 3_900_000.0,
        "entry_public_now_cny": 3_900_000.0, "entry_public_cny": 3_198_000.0,
        "entry_public_low_cny": 0.0, "entry_public_high_cny": 3_450_000.0,
        "entry_budget_cny": np.nan, "entry_ready_year": None, "entry_consent_year": None,
    } | changes  # fmt: skip


def test_the_words_say_cost_bound_budget_and_date() -> None:
    said = entry_words(row())
    assert said is not None
    assert (
        said.zh == "财政负担由390.00万元降至约319.80万元（少18%）即可列入，高于345.00万元则不列入"
    )
    assert said.en == (
        "would be planned if its public cost fell from 3.90 to about 3.20 million yuan (18% less), "
        "and surely is not above 3.45"
    )
    more = entry_words(row(entry_budget_cny=1.234e9, entry_public_high_cny=3_900_000.0))
    assert more is not None
    assert more.zh.endswith("（少18%）即可列入；或各年财政预算同比例增至合计约12.34亿元")
    refused = entry_words(row(wait_reason_code="refused"))
    assert refused is not None
    assert refused.zh.startswith("同意率达标后，")
    part = entry_words(row(public_cny=5e6, entry_public_cny=3_899_000.0))
    assert part is not None
    assert part.zh.startswith(
        "只做效益最高的部分改造，财政负担由390.00万元降至约389.90万元（少<1%）"
    )
    dated = entry_words(row(entry_type="consent", entry_ready_year=2028, entry_consent_year=2027))
    assert dated is not None
    assert dated.zh == "2027年底前同意率达标、2028年具备开工条件，即可按现有造价列入"
    assert entry_words(row(entry_type=None)) is None
    assert entry_words(row(entry_type="none")) is None
