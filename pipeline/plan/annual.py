"""The annual plan: when each project starts, by need, readiness and budget."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.plan import contradiction, rules
from pipeline.plan.cost import Cents, Works
from pipeline.plan.funding import IS_PUBLIC, Funding
from pipeline.plan.priced import Priced, sum_by
from pipeline.plan.readiness import Readiness, pilots
from pipeline.plan.schedule import (
    Effort,
    Infeasible,
    Schedule,
    Task,
    Undecided,
    choose,
)
from pipeline.problem import Problem
from pipeline.settings.plan import PlanSettings

OF_RANKING = ("building_id", "track_type", "score_points", "tier_number")
"""Columns of the ranking that the plan looks at."""


@dataclass(frozen=True)
class AnnualPlan:
    """Projects in order of their id; every array has an entry for each of them."""

    buildings: pd.DataFrame
    """Planned buildings: quantities and ``project_id``."""
    projects: pd.DataFrame
    works: Works
    funding: Funding
    ready: Readiness
    task: Task
    schedule: Schedule
    paid: Cents
    """Cents by project, year of works and source; years past a project's works hold zeros."""
    wait_reason: NDArray[np.object_]
    works_rule: NDArray[np.int64]


def annual_plan(
    found: Priced,
    ranking: pd.DataFrame,
    settings: PlanSettings,
    known: Sequence[pd.Series] = (),
) -> AnnualPlan:
    """Return the plan of all projects.

    ``ranking`` has the columns ``OF_RANKING``; ``known`` are planned years by project id of earlier
    plans, to do no worse than.

    Raises
    ------
    Problem
        If the rules of the schedule contradict each other; it names the smallest one to relax.
    """
    rows = _with_scores(found.buildings, ranking, settings)
    projects = _with_need(found, rows, settings)
    length = np.array([len(one.payment_shares) for one in settings.works])[found.works_rule]
    districts = sorted(set(projects["district_name"]))
    public = found.paid[:, :, IS_PUBLIC].sum(axis=2)
    task = rules.task_of(projects, districts, public, length, found.ready, settings.schedule)
    schedule = _chosen(task, projects, districts, settings, known)
    shown = pilots(found.votes, rows, rows["project_id"], settings)
    shown = shown.reindex(projects["project_id"])
    projects = projects.assign(
        pilot_building_id=shown["pilot_building_id"].to_numpy(),
        pilot_reason_code=shown["pilot_reason_code"].to_numpy(),
    )
    return AnnualPlan(
        rows, projects, found.works, found.funding, found.ready, task, schedule, found.paid,
        rules.wait_reasons(task, schedule.start_year, found.ready), found.works_rule,
    )  # fmt: skip


def _with_scores(rows: pd.DataFrame, ranking: pd.DataFrame, settings: PlanSettings) -> pd.DataFrame:
    """Return the planned buildings with their scores; they are those the ranking has on the tracks."""
    is_planned = ranking["track_type"].isin(settings.schedule.tracks)
    scores = ranking.loc[is_planned, [name for name in OF_RANKING if name != "track_type"]]
    joined = rows.merge(scores, on="building_id", validate="one_to_one")
    if not len(rows) == len(joined) == len(scores):
        raise AssertionError(f"{len(rows)} buildings priced, {len(scores)} ranked to be planned")
    return joined


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
    projects: pd.DataFrame,
    districts: list[str],
    settings: PlanSettings,
    known: Sequence[pd.Series],
) -> Schedule:
    rule = settings.schedule
    before = [projects["project_id"].map(years).astype("float64") for years in known]
    starts = [(years - rule.first_year).fillna(-1).to_numpy().astype(int) for years in before]
    effort = Effort(rule.relative_gap, rule.node_limit)
    try:
        return choose(task, effort, starts)
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
        )
        words, setting = contradiction.explain(task, names, effort)
        raise Problem(
            "plan.schedule", f"{error}; {words}", fix=f"change {setting} in config/, or BUDGET"
        ) from None
