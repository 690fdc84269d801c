"""The annual plan: from buildings to projects, their cost, who pays, and when each starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.tables import (
    BUILDINGS,
    CONSENTS,
    ESTATE_FACTS,
    MEASUREMENTS,
    RANKING,
)
from pipeline.geo.raster import Floats
from pipeline.plan import contradiction, rules
from pipeline.plan.cost import Cents, Works, works
from pipeline.plan.funding import IS_PUBLIC, Funding, by_year, funding
from pipeline.plan.projects import projects_of
from pipeline.plan.quantities import quantities
from pipeline.plan.readiness import Readiness, agreements, pilots, readiness, votes_of
from pipeline.plan.schedule import (
    Effort,
    Infeasible,
    Schedule,
    Task,
    Undecided,
    choose,
)
from pipeline.problem import Problem
from pipeline.settings.consent import ConsentSettings
from pipeline.settings.plan import PlanSettings

_WALK_ENDINGS = ("_walk_out_min", "_walk_back_min", "_walk_m", "_climb_m", "_gap_m", "_min_count")
_OF_RANKING = ("building_id", "track_type", "score_points", "tier_number", "funded_share")


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
    tables: Mapping[Any, Any],
    settings: PlanSettings,
    consent_rules: ConsentSettings,
    known: Sequence[pd.Series] = (),
) -> AnnualPlan | None:
    """Return the plan of all buildings on the planned tracks, or nothing if there are none.

    ``known`` are planned years by project id of earlier plans, to do no worse than.

    Raises
    ------
    Problem
        If the rules of the schedule contradict each other; it names the smallest one to relax.
    """
    rows = _planned_buildings(tables, settings)
    if rows.empty:
        return None
    ids, number = np.unique(rows["project_id"].to_numpy(dtype=object), return_inverse=True)
    votes = votes_of(
        tables[CONSENTS],
        rows[["building_id", "project_id", "household_count", "floor_area_m2"]],
        consent_rules,
    )
    projects = _projects(rows, ids, number, tables[ESTATE_FACTS], settings)
    has_heritage = projects["heritage_name"].notna().to_numpy(dtype=bool)
    ready = readiness(votes, ids, has_heritage, settings, consent_rules)
    agrees = agreements(
        votes, rows["building_id"], rows["project_id"], ready, settings, consent_rules
    )
    done = works(rows, number, agrees, settings)
    paid_by = funding(projects, done, settings)
    kind = rules.works_rule_numbers(projects["floor_area_m2"], settings.works)
    paid = _paid(paid_by.by_source, kind, settings)
    length = np.array([len(one.payment_shares) for one in settings.works])[kind]
    districts = sorted(set(projects["district_name"]))
    public = paid[:, :, IS_PUBLIC].sum(axis=2)
    task = rules.task_of(projects, districts, public, length, ready, settings.schedule)
    schedule = _chosen(task, projects, districts, settings, known)
    shown = pilots(votes, rows, rows["project_id"], settings).reindex(ids)
    lifts = _lift_counts(rows, number, done, settings)
    projects = projects.assign(
        pilot_building_id=shown["pilot_building_id"].to_numpy(),
        pilot_reason_code=shown["pilot_reason_code"].to_numpy(),
        lift_count=lifts[0],
        lift_waiting_count=lifts[1],
    )
    return AnnualPlan(
        rows, projects, done, paid_by, ready, task, schedule, paid,
        rules.wait_reasons(task, schedule.start_year, ready), kind,
    )  # fmt: skip


def cut_to_read(tables: Mapping[Any, Any], settings: PlanSettings) -> dict[Any, Any]:
    """Return what ``annual_plan`` reads of the tables, to hand it to another interpreter.

    Of the walks only those that make a measure necessary.
    """
    buildings, ranking = tables[BUILDINGS], tables[RANKING][list(_OF_RANKING)]
    triggers = {measure.trigger for measure in settings.measures.values()}
    measured = tables[MEASUREMENTS]
    kept = [n for n in measured.columns if n in triggers or not n.endswith(_WALK_ENDINGS)]
    ranked = buildings["building_id"].isin(ranking["building_id"])
    cut = {BUILDINGS: buildings[ranked].reset_index(drop=True), RANKING: ranking}
    cut |= {table: tables[table] for table in (CONSENTS, ESTATE_FACTS)}
    return cut | {MEASUREMENTS: measured[kept]}


def _planned_buildings(tables: Mapping[Any, Any], settings: PlanSettings) -> pd.DataFrame:
    """Return quantities of the buildings on the planned tracks, with project and score."""
    ranking = tables[RANKING]
    buildings = tables[BUILDINGS]
    ranked = set(ranking["building_id"].tolist())
    housing = buildings[[one in ranked for one in buildings["building_id"].tolist()]]
    road = tables[MEASUREMENTS].set_index("building_id")["road_name"]
    projects = projects_of(housing.reset_index(drop=True), road, settings.projects)
    planned = ranking[ranking["track_type"].isin(settings.schedule.tracks)]
    wanted = set(planned["building_id"].tolist())
    kept = [one in wanted for one in housing["building_id"].tolist()]
    chosen = housing[kept].reset_index(drop=True)
    rows = quantities(chosen, tables[MEASUREMENTS], settings.stand_ins)
    rows = rows.merge(projects, on="building_id", validate="one_to_one")
    scores = planned[[name for name in _OF_RANKING if name != "track_type"]]
    return rows.merge(scores, on="building_id", validate="one_to_one")


def _projects(
    rows: pd.DataFrame,
    ids: NDArray[np.object_],
    number: NDArray[np.int64],
    facts: pd.DataFrame,
    settings: PlanSettings,
) -> pd.DataFrame:
    """Return one row for each project: names, sums, need, what is known of its estate."""
    of = rows.groupby(number, sort=True)
    first = of[["project_name", "project_origin", "estate_id", "estate_name"]].first()
    biggest = rows.assign(_number=number).sort_values(
        ["_number", "floor_area_m2", "building_id"], ascending=[True, False, True]
    )
    # an estate on a border belongs to the district that holds most of its floor area
    areas = biggest.groupby(["_number", "district_name"], sort=True)["floor_area_m2"].sum()
    main = areas.reset_index().sort_values(
        ["_number", "floor_area_m2", "district_name"], ascending=[True, False, True]
    )
    district = main.drop_duplicates("_number")["district_name"].to_numpy()
    sums = of[["building_count", "household_count", "floor_area_m2", "shop_floor_area_m2"]].sum()
    size = rows[settings.schedule.need_of].to_numpy(dtype=float)
    need = size * rows["score_points"].to_numpy(dtype=float) / 100
    estimated = rows["floor_area_m2"].to_numpy() * rows["is_estimated"].to_numpy()
    one_of = biggest.groupby("_number", sort=True)[
        ["subdistrict_name", "community_name", "management_type"]
    ].first()
    estate_facts = facts.drop_duplicates("estate_id").set_index("estate_id")
    estate_facts = estate_facts.reindex(first["estate_id"])
    count = len(ids)
    area = sums["floor_area_m2"].to_numpy(dtype=float)
    score = _by(number, rows["score_points"].to_numpy(dtype=float), count)
    return pd.DataFrame(
        {
            "project_id": ids,
            "project_name": first["project_name"].to_numpy(),
            "project_origin": first["project_origin"].to_numpy(),
            "district_name": district,
            "subdistrict_name": one_of["subdistrict_name"].to_numpy(),
            "community_name": one_of["community_name"].to_numpy(),
            "management_type": one_of["management_type"].to_numpy(),
            "estate_id": first["estate_id"].to_numpy(),
            "estate_name": first["estate_name"].to_numpy(),
            "building_count": sums["building_count"].to_numpy(dtype=float).astype(np.int64),
            "household_count": sums["household_count"].to_numpy(dtype=float),
            "floor_area_m2": area,
            "shop_floor_area_m2": sums["shop_floor_area_m2"].to_numpy(dtype=float),
            "parking_space_count": estate_facts["parking_space_count"].to_numpy(dtype=float),
            "idle_room_area_m2": estate_facts["idle_room_area_m2"].to_numpy(dtype=float),
            "estimated_share": np.minimum(_by(number, estimated, count) / area, 1.0),
            "construction_year_earliest": of["construction_year_p50"].min().to_numpy(),
            "construction_year_latest": of["construction_year_p50"].max().to_numpy(),
            "construction_basis": _distinct(rows["construction_year_basis_type"], number, count),
            "heritage_name": of["heritage_name"].first().to_numpy(),
            "hazard_grade_code": of["hazard_grade_code"].max().to_numpy(),
            "score_mean_points": score / sums["building_count"].to_numpy(dtype=float),
            "tier_number": of["tier_number"].min().to_numpy(),
            "funded_share": of["funded_share"].mean().to_numpy(),
            "need_households": _by(number, need, count),
        }
    )


def _by(number: NDArray[np.int64], amount: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(number, weights=amount, minlength=count), dtype=float)


def _distinct(kinds: pd.Series, number: NDArray[np.int64], count: int) -> NDArray[np.object_]:
    """Return the different words of each project, sorted, with | between them."""
    pairs = pd.DataFrame({"number": number, "kind": kinds.to_numpy(dtype=object)}).dropna()
    pairs = pairs.drop_duplicates().sort_values(["number", "kind"])
    texts = np.full(count, "", dtype=object)
    for one, kind in pairs.itertuples(index=False, name=None):
        texts[one] += f"|{kind}" if texts[one] else kind
    return texts


def _paid(by_source: Cents, kind: NDArray[np.int64], settings: PlanSettings) -> Cents:
    """Return cents by project, year of works and source."""
    span = max(len(one.payment_shares) for one in settings.works)
    paid = np.zeros((len(kind), span, by_source.shape[1]), dtype=np.int64)
    for which, rule in enumerate(settings.works):
        of = np.flatnonzero(kind == which)
        paid[of, : len(rule.payment_shares)] = by_year(by_source[of], tuple(rule.payment_shares))
    return paid


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


def _lift_counts(
    rows: pd.DataFrame, number: NDArray[np.int64], done: Works, settings: PlanSettings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return lifts added, and stairwells that call for one but whose building has not agreed."""
    from pipeline.plan.cost import calls_for

    count = int(number.max()) + 1
    keys = list(settings.measures)
    added, called = np.zeros(count), np.zeros(count)
    for position, key in enumerate(keys):
        measure = settings.measures[key]
        if measure.consent != "lift":
            continue
        mine = done.measure == position
        added += np.bincount(done.project[mine], weights=done.quantity[mine], minlength=count)
        known = calls_for(rows, measure) * rows["stairwell_count"].to_numpy(dtype=float)
        called += np.bincount(number, weights=known, minlength=count)
    whole = np.round(added).astype(np.int64)
    return whole, np.maximum(np.round(called).astype(np.int64) - whole, 0)
