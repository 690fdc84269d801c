"""What works relieve, on numbers worked by hand; packages; safety; what a worse fault does."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.highs import Effort
from pipeline.plan.cost import WHOLE_PROJECT, Works
from pipeline.plan.offers import Bundles, Ledger, Market
from pipeline.plan.packages import Row, must_do, package_steps, row_of
from pipeline.plan.relief import Weighed, refuse_unknown_columns, relief_of
from pipeline.plan.rules import safety_years
from pipeline.plan.schedule import choose
from pipeline.plan.task import FREE, Task, start_years
from pipeline.problem import Problem
from pipeline.settings.plan import PackageRule, PlanMeasure, PlanSettings
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

WHOLE = read_settings(REPOSITORY / "config", "yuzhong", "base")
SETTINGS: PlanSettings = WHOLE.plan
MEASURES = SETTINGS.measures
CRITERIA = WHOLE.score.criteria
MILLION = 10**8  # in cents
EXACT = Effort(0.0, 10_000)


def weighed(**weights: float) -> Weighed:
    return Weighed({name: CRITERIA[name] for name in weights}, np.array(list(weights.values())))


def changed(**changes: Any) -> PlanSettings:
    return SETTINGS.model_copy(update=changes)


def works_of(*lines: tuple[int, int, int, int]) -> Works:
    """Return works from (project, measure, building, million yuan)."""
    project, measure, building, cost = np.array(lines).T
    return Works(project, measure, building, np.ones(len(lines)), cost * MILLION)


def test_pipes_and_a_lift_relieve_what_they_touch() -> None:
    """30 households with worn pipes (need 1) at weight 0.2 and 20 storey-climbers: a lift leaves 1 of
    5 storeys climbed, need (5 - 2) / 6 = 0.5 becomes 0, at weight 0.4: 6 and 20 x 0.5 x 0.4 = 4."""
    rows = pd.DataFrame(
        {
            "pipes_fault_share": [1.0, 0.0], "pipes_need_share": [1.0, 0.0],
            "storeys_climbed_count": [1.0, 5.0], "storeys_need_share": [0.0, 0.5],
        }
    )  # fmt: skip
    weights = weighed(pipes=0.2, storeys=0.4)
    measures = [MEASURES["pipes"], MEASURES["lift"], MEASURES["environment"]]
    works = works_of((0, 0, 0, 1), (0, 1, 1, 1), (0, 2, 0, 1))
    size = np.array([30.0, 20.0])
    found = relief_of(works, rows, np.zeros(2, dtype=int), size, measures, weights)
    assert found.by_work(weights.weights, 3).tolist() == pytest.approx([6.0, 4.0, 0.0])


def test_a_path_for_the_whole_project_serves_all_its_buildings() -> None:
    """A fifth off 30 m and 18 m of climb, none at 3 m, worst at 30: 6 / 27 and 3.6 / 27 of need."""
    rows = pd.DataFrame(
        {"main_road_climb_m": [30.0, 18.0, 9.0], "climb_need_share": [1.0, 15 / 27, 6 / 27]}
    )
    works = works_of((0, 0, WHOLE_PROJECT, 1))
    project, size = np.array([0, 0, 1]), np.array([10.0, 20.0, 40.0])
    weights = weighed(climb=0.5)
    found = relief_of(works, rows, project, size, [MEASURES["hillside_path"]], weights)
    by_hand = 0.5 * (10 * 6 / 27 + 20 * 3.6 / 27)
    assert found.by_work(weights.weights, 1).tolist() == pytest.approx([by_hand])


def test_a_need_that_two_works_touch_is_relieved_once() -> None:
    """The cheaper path takes 6 m off 30 (6/27); the other, a half of the 24 left: 12/27; not 15/27."""
    path = MEASURES["hillside_path"]
    half = path.model_copy(
        update={"effects": [path.effects[0].model_copy(update={"becomes": 0.5})]}
    )
    settings = changed(measures={"path": path, "half": half})
    rows = pd.DataFrame({"main_road_climb_m": [30.0], "climb_need_share": [1.0]})
    works = works_of((0, 0, WHOLE_PROJECT, 1), (0, 1, WHOLE_PROJECT, 10))
    weights, one = weighed(climb=1.0), np.zeros(1, dtype=int)
    found = relief_of(works, rows, one, np.array([27.0]), [path, half], weights)
    assert found.by_work(weights.weights, 2).tolist() == pytest.approx([6.0, 15.0])
    must = np.zeros(2, dtype=bool)
    row = row_of(works, found, rows, must, settings, weights, 1)
    assert row.relief.tolist() == pytest.approx([6.0, 12.0])


def test_enabling_works_stand_first_and_single_works_follow_by_relief_per_yuan() -> None:
    settings = changed(measures={n: MEASURES[n] for n in ("environment", "pipes", "gas")})
    rows = pd.DataFrame(
        {
            "pipes_fault_share": [1.0, 1.0], "pipes_need_share": [1.0, 1.0],
            "gas_fault_share": [1.0, 0.0], "gas_need_share": [1.0, 0.0],
        }
    )  # fmt: skip
    works = works_of((0, 0, 0, 5), (0, 1, 0, 4), (0, 1, 1, 2), (0, 2, 0, 1))
    weights, one = weighed(pipes=0.5, gas=0.5), np.zeros(2, dtype=int)
    size = np.array([10.0, 10.0])
    relief = relief_of(works, rows, one, size, list(settings.measures.values()), weights)
    must = must_do(works, {}, settings, {})
    assert must.tolist() == [True, False, False, False]
    row = row_of(works, relief, rows, must, settings, weights, 1)
    assert row.work.tolist() == [0, 3, 2, 1]
    assert row.may_end.tolist() == [True, True, True, True]
    whole = settings.packages.model_copy(update={"choice": "packages"})
    row = row_of(works, relief, rows, must, changed(
        measures=settings.measures, packages=whole), weights, 1)  # fmt: skip
    assert row.may_end.tolist() == [True, False, False, True]  # enabling, then all basic works


def test_compulsory_classes_and_what_a_veto_lifts_cannot_be_left_out() -> None:
    settings = changed(measures={n: MEASURES[n] for n in ("pipes", "gas", "lift")})
    works = works_of((0, 0, 0, 1), (0, 1, 0, 1), (0, 1, 1, 1), (0, 2, 0, 1))
    vetoes = {"gas": next(iter(WHOLE.score.vetoes.values()))}
    lifted = {"gas": np.array([False, True])}
    assert must_do(works, lifted, settings, vetoes).tolist() == [False, False, True, False]
    rule = settings.packages.model_copy(update={"compulsory_classes": ["basic"]})
    settings = settings.model_copy(update={"packages": rule})
    assert must_do(works, {}, settings, {}).tolist() == [True, True, True, False]


def test_what_config_may_not_say() -> None:
    rule = SETTINGS.packages.model_dump()
    rule["offered"]["basic"]["contains"] = ["upgrading"]
    with pytest.raises(ValidationError, match=r"contains itself .basic → upgrading → improving"):
        PackageRule.model_validate(rule)
    idle = MEASURES["pipes"].model_dump() | {"effects": []}
    with pytest.raises(ValidationError, match="has no effects, so it would relieve nothing"):
        PlanMeasure.model_validate(idle)
    for column in ("pipez", "pipe_fault_share"):
        effect = MEASURES["pipes"].effects[0].model_copy(update={"column": column})
        wrong = MEASURES["pipes"].model_copy(update={"effects": [effect]})
        with pytest.raises(Problem, match=f"{column} is no column"):
            refuse_unknown_columns({"pipes": wrong}, CRITERIA, ["pipes_fault_share"])


def test_a_measure_belongs_to_the_first_package_that_holds_it() -> None:
    keys = ["pipes", "lift", "elder_care", "management"]
    steps = package_steps([MEASURES[key] for key in keys], keys, SETTINGS.packages)
    assert steps.tolist() == [0, 1, 2, 0]


class Town:
    """Four projects of two buildings: pipes and stairs, faults 0, 0.5 or 1; four of 9 budgets."""

    def __init__(self, seed: int, worse: tuple[int, str] | None = None) -> None:
        chance = np.random.default_rng(seed)
        self.project = np.repeat(np.arange(4), 2)
        faults = {n: chance.integers(0, 3, 8) / 2 for n in ("pipes", "stairs")}
        if worse is not None:
            faults[worse[1]][worse[0]] = 1.0
        self.rows = pd.DataFrame(
            {f"{n}_fault_share": v for n, v in faults.items()}
            | {f"{n}_need_share": v for n, v in faults.items()}
        )
        size, cost = chance.integers(5, 40, 8).astype(float), chance.integers(1, 9, (2, 8))
        settings = changed(measures={n: MEASURES[n] for n in ("environment", "pipes", "stairs")})
        lines = [(p, 0, WHOLE_PROJECT, 2) for p in range(4)]
        for number, name in enumerate(("pipes", "stairs")):
            lines += [(int(self.project[b]), number + 1, b, int(cost[number, b]))
                      for b in range(8) if faults[name][b] >= 0.5]  # fmt: skip
        works = works_of(*sorted(lines))
        weights = weighed(pipes=0.6, stairs=0.4)
        measures = list(settings.measures.values())
        relief = relief_of(works, self.rows, self.project, size, measures, weights)
        row = row_of(
            works, relief, self.rows, must_do(works, {}, settings, {}), settings, weights, 4
        )
        table = pd.DataFrame(
            dict.fromkeys(
                ("floor_area_m2", "shop_floor_area_m2", "parking_space_count", "idle_room_area_m2"),
                np.zeros(4),
            )
        )
        ledger = Ledger(row, works, table, np.zeros(4), np.zeros(4, dtype=int), settings)
        task = Task(
            columns=ledger.columns(Bundles(np.zeros(0, int), np.zeros(0, int)), np.zeros(0, int)),
            work_years=np.ones(4, dtype=int), district=np.zeros(4, dtype=int),
            ready_year=chance.integers(0, 2, 4), locked_year=np.full(4, FREE),
            budget_cents=chance.integers(5, 20, 2) * MILLION,
            carry_limit_cents=np.zeros(2, dtype=int), floor_cents=np.zeros(1, dtype=int),
            start_limit=np.full((1, 2), 4), year_weight=np.array([1.0, 0.97]),
        )  # fmt: skip
        shares = np.ones((4, 1))
        self.market = Market(ledger, task.may_start, task.district, task.year_weight, shares)
        of = every_set(row, range(4))
        every, year = np.nonzero(task.may_start[of.project])
        of = Bundles(of.project[every], of.works_count[every], of.skipped[every])
        self.first = replace(task, columns=self.market.first_columns(20.0))
        self.task = replace(task, columns=ledger.columns(of, year))

    def begun(self) -> tuple[float, np.ndarray]:
        """Return what the plan relieves, and which projects begin."""
        found = choose(self.first, EXACT, offers=self.market)
        return found.relieved, start_years(found.task, found.plan) >= 0


def every_set(row: Row, projects: Iterable[int]) -> Bundles:
    """Return every set of works that holds what must be done, by going through all of them."""
    lines = []
    for project in projects:
        must = int(row.must_count[project])
        for bits in product((0, 1), repeat=int(row.count[project]) - must):
            done = [1] * must + list(bits)
            while done and not done[-1]:
                done.pop()
            if done:
                out = sum(1 << place for place, is_in in enumerate(done) if not is_in)
                lines.append((project, len(done), out))
    return Bundles(*np.unique(np.array(lines), axis=0).T)


@pytest.mark.parametrize("seed", range(12))
def test_columns_made_at_prices_find_what_every_set_of_works_finds(seed: int) -> None:
    town = Town(seed)
    best = choose(town.task, EXACT)
    found = choose(town.first, EXACT, offers=town.market)
    assert found.relieved == pytest.approx(best.relieved)
    assert best.relieved - 1e-6 <= found.bound <= best.relieved + 1e-4


@pytest.mark.parametrize("seed", range(14))
def test_a_worse_fault_never_removes_its_project_nor_relief(seed: int) -> None:
    """For every fault of every building in turn."""
    before, begun = Town(seed).begun()
    for building, name in product(range(8), ("pipes", "stairs")):
        after, begun_then = Town(seed, (building, name)).begun()
        project = building // 2
        assert begun_then[project] or not begun[project], (building, name)
        assert after >= before - 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_more_budget_never_relieves_less(seed: int) -> None:
    town, reliefs = Town(seed), []
    for more in range(0, 30, 3):
        budget = town.first.budget_cents + more * MILLION
        richer = replace(town.first, budget_cents=budget)
        reliefs.append(choose(richer, EXACT, offers=town.market).relieved)
    assert (np.diff(reliefs) >= -1e-6).all()
    assert reliefs[-1] > reliefs[0]


def test_what_is_first_for_safety_starts_as_soon_as_money_allows() -> None:
    """Project 3 relieves least, and is first; with it in the first year only the second has room for
    the next that is first."""
    town = Town(3)
    columns = town.task.columns
    least = np.array([columns.payments_cents[columns.project == p].sum(axis=1).min()
                      for p in range(4)])  # fmt: skip
    task = replace(
        town.task, ready_year=np.zeros(4, dtype=int),
        budget_cents=np.array([least[3] + least[2] - 1, least[2]]),
    )  # fmt: skip
    of = town.market.bundles
    every, year = np.nonzero(task.may_start[of.project])
    of = Bundles(of.project[every], of.works_count[every])
    task = replace(task, columns=town.market.ledger.columns(of, year))
    assert safety_years(task, [3, 2]).tolist() == [FREE, FREE, 1, 0]
