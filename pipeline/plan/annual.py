"""The annual plan: which works of each project start when, by relief, readiness, safety and budget."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.highs import Effort
from pipeline.plan import contradiction, rules
from pipeline.plan.cost import Cents, Works
from pipeline.plan.funding import Funding
from pipeline.plan.offers import Bundles, Ledger, Market
from pipeline.plan.packages import Row, must_do, row_of
from pipeline.plan.priced import Priced, sum_by
from pipeline.plan.readiness import Readiness, pilots
from pipeline.plan.relief import (
    NEED_ENDING,
    Relief,
    Weighed,
    refuse_unknown_columns,
    relief_of,
    weighed,
)
from pipeline.plan.schedule import Infeasible, Schedule, Undecided, choose
from pipeline.plan.task import Task, joined, plan_of, start_years
from pipeline.problem import Problem
from pipeline.settings.plan import PlanSettings
from pipeline.settings.score import ScoreSettings

_OF_RANKING = (
    "building_id", "track_type", "score_points", "tier_number", "rank", "lifted_by_code",
)  # fmt: skip


def of_ranking(columns: Sequence[str]) -> list[str]:
    """Return the columns of the ranking that the plan looks at, of those that there are.

    The need of every criterion is among them: its presence tells that the criterion counts.
    """
    return [n for n in columns if n in _OF_RANKING or n.endswith(NEED_ENDING)]


@dataclass(frozen=True)
class AnnualPlan:
    """Projects in order of their id; every array has an entry for each of them."""

    buildings: pd.DataFrame
    """Planned buildings: quantities, scores and ``project_id``."""
    number: NDArray[np.int64]
    """The project of each planned building."""
    projects: pd.DataFrame
    works: Works
    relief: Relief
    row: Row
    works_count: NDArray[np.int64]
    """How many works of its row each project does if it starts; for those that wait, all of them."""
    is_done: NDArray[np.bool_]
    """For each place of the row whether that work is one of them."""
    funding: Funding
    ready: Readiness
    schedule: Schedule
    market: Market
    weights: Weighed
    paid: Cents
    """Cents by project, year of works and source; years past a project's works hold zeros."""
    wait_reason: NDArray[np.object_]
    works_rule: NDArray[np.int64]
    first_for_safety: NDArray[np.bool_]

    @property
    def start_year(self) -> NDArray[np.int64]:
        """Start year of each project, counted from 0; -1 where it waits."""
        return start_years(self.schedule.task, self.schedule.plan)


def annual_plan(
    found: Priced,
    ranking: pd.DataFrame,
    settings: PlanSettings,
    score: ScoreSettings,
    known: Sequence[pd.DataFrame] = (),
) -> AnnualPlan:
    """Return the plan of all projects.

    ``ranking`` has the columns ``of_ranking``; ``known`` are earlier plans to do no worse than, with
    ``planned_year``, ``works_count`` and ``cost_cny`` by project id.

    Raises
    ------
    Problem
        If the rules of the schedule contradict each other; it names the smallest one to relax.
    """
    rows = _with_scores(found.buildings, ranking, settings)
    weights = weighed(ranking.columns.tolist(), score)
    refuse_unknown_columns(settings.measures, score.criteria, rows.columns)
    projects = _with_need(found, rows, settings)
    size = rows[settings.schedule.need_of].to_numpy(dtype=float)
    measures = list(settings.measures.values())
    relief = relief_of(found.works, rows, found.number, size, measures, weights)
    lifted = {name: (rows["lifted_by_code"] == name).to_numpy(bool) for name in score.vetoes}
    is_must = must_do(found.works, lifted, settings, score.vetoes)
    row = row_of(found.works, relief, rows, is_must, settings, weights, len(projects))
    ledger = Ledger(row, found.works, projects, found.central_most, found.works_rule, settings)
    whole = Bundles(np.arange(len(projects)), row.count)
    all_done = ledger.funding(whole)
    districts = sorted(set(projects["district_name"]))
    task, market = _task(found, projects, districts, ledger, all_done, settings)
    first = _safety_order(rows, found, lifted) if settings.schedule.safety_first else []
    locked = rules.safety_years(task, first)
    for_safety = locked != task.locked_year
    task = _only(replace(task, locked_year=locked))
    market.may_start = task.may_start
    schedule = _chosen(task, market, projects, districts, settings, known, for_safety)
    taken = schedule.plan
    bundles = _taken(schedule, row)
    money = ledger.funding(bundles)
    shown = pilots(found.votes, rows, rows["project_id"], settings)
    shown = shown.reindex(projects["project_id"])
    projects = projects.assign(
        pilot_building_id=shown["pilot_building_id"].to_numpy(),
        pilot_reason_code=shown["pilot_reason_code"].to_numpy(),
        relief_households=ledger.relief(bundles),
        relievable_households=ledger.relief(whole),
        called_cost_cny=all_done.by_source.sum(axis=1) / 100,
        lifted_count=sum_by(found.number, _any(lifted, len(rows)).astype(float), len(projects)),
    )
    return AnnualPlan(
        rows, found.number, projects, found.works, relief, row, bundles.done_count,
        ledger.done(bundles), money, found.ready, schedule, market, weights,
        ledger.paid(bundles, money), rules.wait_reasons(schedule.task, taken, found.ready),
        found.works_rule, for_safety,
    )  # fmt: skip


def _task(
    found: Priced,
    projects: pd.DataFrame,
    districts: list[str],
    ledger: Ledger,
    all_done: Funding,
    settings: PlanSettings,
) -> tuple[Task, Market]:
    """Return the task with the columns to begin with, and the market that makes more."""
    rule = settings.schedule
    years = rule.year_count
    length = np.array([len(one.payment_shares) for one in settings.works])[found.works_rule]
    span = max(len(one.payment_shares) for one in settings.works)
    shares = np.array(
        [[*one.payment_shares, *[0.0] * (span - len(one.payment_shares))] for one in settings.works]
    )
    district = np.searchsorted(np.array(districts), projects["district_name"].to_numpy(dtype=str))
    locked = rules.locked_years(projects, districts, rule)
    ready_year = np.maximum(found.ready.year - rule.first_year, 0)
    budget = rules.budget_cents(rule, int(all_done.public_cents.sum()))
    can_start = (ready_year + length <= years) & (locked != rules.LOCKED_OUT)
    most = rule.max_starts_per_district_year
    limit = len(projects) if most is None else most
    relievable = ledger.relief(Bundles(np.arange(len(projects)), ledger.row.count))
    can_start &= relievable > 0
    none = np.zeros(0, dtype=np.int64)
    task = Task(
        columns=ledger.columns(Bundles(none, none), none),
        work_years=length,
        district=district,
        ready_year=ready_year,
        locked_year=locked,
        budget_cents=budget,
        carry_limit_cents=np.floor(budget * rule.carry_over_share).astype(np.int64),
        floor_cents=rules.floor_cents(
            rule,
            budget,
            projects["need_households"].to_numpy(dtype=float),
            district,
            all_done.public_cents,
            can_start,
            districts,
        ),
        start_limit=np.full((len(districts), years), limit),
        year_weight=rule.year_weight_share ** np.arange(years, dtype=float),
    )
    market = Market(ledger, task.may_start, district, task.year_weight, shares[found.works_rule])
    return replace(task, columns=market.first_columns(float(budget.sum()) / 1e8)), market


def _safety_order(
    rows: pd.DataFrame, found: Priced, lifted: dict[str, NDArray[np.bool_]]
) -> list[int]:
    """Return the projects with a building that a veto lifts: by readiness, then by its best rank."""
    is_lifted = _any(lifted, len(rows))
    table = pd.DataFrame(
        {
            "project": found.number[is_lifted],
            "rank": rows["rank"].to_numpy(dtype=float)[is_lifted],
        }
    )
    best = table.groupby("project")["rank"].min().reset_index()
    best = best.assign(ready=found.ready.year[best["project"].to_numpy()])
    return [int(one) for one in best.sort_values(["ready", "rank", "project"])["project"]]


def _taken(schedule: Schedule, row: Row) -> Bundles:
    """Return what each project does if it starts; for those that wait, all works of their row."""
    plan, columns = schedule.plan, schedule.task.columns
    place = np.flatnonzero(plan >= 0)
    count, left_out = row.count.copy(), np.zeros(len(plan), dtype=np.int64)
    count[place] = columns.works_count[plan[place]]
    left_out[place] = columns.left_out[plan[place]]
    return Bundles(np.arange(len(plan)), count, left_out)


def _any(lifted: dict[str, NDArray[np.bool_]], count: int) -> NDArray[np.bool_]:
    """Return the buildings that some veto lifts."""
    return np.any([np.zeros(count, dtype=bool), *lifted.values()], axis=0)


def _only(task: Task) -> Task:
    """Return the task without the columns of years to which its projects may no longer start."""
    kept = task.may_start[task.columns.project, task.columns.year]
    return replace(task, columns=task.columns.taken(np.flatnonzero(kept)))


def _with_scores(rows: pd.DataFrame, ranking: pd.DataFrame, settings: PlanSettings) -> pd.DataFrame:
    """Return the planned buildings with their scores; they are those the ranking has on the tracks."""
    is_planned = ranking["track_type"].isin(settings.schedule.tracks)
    scores = ranking.loc[is_planned].drop(columns="track_type")
    joined_rows = rows.merge(scores, on="building_id", validate="one_to_one")
    if not len(rows) == len(joined_rows) == len(scores):
        raise AssertionError(f"{len(rows)} buildings priced, {len(scores)} ranked to be planned")
    return joined_rows


def _with_need(found: Priced, rows: pd.DataFrame, settings: PlanSettings) -> pd.DataFrame:
    """Return the projects with what the scores of their buildings say."""
    of, count = rows.groupby(found.number, sort=True), len(found.projects)
    score = rows["score_points"].to_numpy(dtype=float)
    size = rows[settings.schedule.need_of].to_numpy(dtype=float)
    return found.projects.assign(
        score_mean_points=sum_by(found.number, score, count)
        / found.projects["building_count"].to_numpy(dtype=float),
        tier_number=of["tier_number"].min().to_numpy(),
        need_households=sum_by(found.number, size * score / 100, count),
    )


def _chosen(
    task: Task,
    market: Market,
    projects: pd.DataFrame,
    districts: list[str],
    settings: PlanSettings,
    known: Sequence[pd.DataFrame],
    for_safety: NDArray[np.bool_],
) -> Schedule:
    rule = settings.schedule
    effort = Effort(rule.relative_gap, rule.node_limit)
    task, plans = _with_known(task, market, projects, rule.first_year, known)
    try:
        return choose(task, effort, plans, market)
    except (Infeasible, Undecided) as error:
        names = contradiction.Names(
            [
                f"{n} ({i})"
                for n, i in zip(projects["project_name"], projects["project_id"], strict=True)
            ],
            districts,
            rule.first_year,
            rule.district_floor_share,
            frozenset(districts.index(name) for name in rule.district_floors_cny),
            frozenset(np.flatnonzero(for_safety).tolist()),
        )
        words, setting = contradiction.explain(task, names, effort)
        raise Problem(
            "plan.schedule", f"{error}; {words}", fix=f"change {setting} in config/, or BUDGET"
        ) from None


def _with_known(
    task: Task,
    market: Market,
    projects: pd.DataFrame,
    first_year: int,
    known: Sequence[pd.DataFrame],
) -> tuple[Task, list[NDArray[np.int64]]]:
    """Return the task with the columns of earlier plans, and these plans; no longer possible: none."""
    earlier = []
    for one in known:
        told = one.reindex(projects["project_id"])
        year = told["planned_year"].astype("float64").to_numpy() - first_year
        count = told["works_count"].astype("float64").fillna(0).to_numpy().astype(np.int64)
        mine = np.flatnonzero((year >= 0) & (year < len(task.budget_cents)) & (count > 0))
        mine = mine[task.may_start[mine, year[mine].astype(np.int64)]]
        cents = np.round(told["cost_cny"].to_numpy(dtype=np.float64)[mine] * 100)
        columns = market.ledger.columns(
            market.bundles_like(mine, count[mine], cents), year[mine].astype(np.int64)
        )
        task = replace(task, columns=joined(task.columns, columns))
        earlier.append(columns)
    return task, [plan_of(task, columns) for columns in earlier]
