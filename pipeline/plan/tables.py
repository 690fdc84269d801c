"""The plan as tables: projects, their works, what falls due each year, and sums by district."""

import numpy as np
import pandas as pd

from pipeline.plan.annual import AnnualPlan
from pipeline.plan.cost import WHOLE_PROJECT
from pipeline.plan.funding import IS_PUBLIC
from pipeline.plan.packages import package_names
from pipeline.plan.readiness import NEVER
from pipeline.plan.task import left_over, spending
from pipeline.settings.plan import SOURCES, PlanSettings

CITY_ROW = "全市 all"
_CLASSES = ("basic", "improving", "upgrading")
# works on the buildings themselves; an estate without any is a matter of management
_ON_BUILDINGS = ("floor_area_m2", "facade_area_m2", "household_count", "stairwell_count")


def plan_projects(plan: AnnualPlan, settings: PlanSettings) -> pd.DataFrame:
    """Return one row for each project, planned or waiting."""
    table, money = plan.projects, plan.funding
    total = money.by_source.sum(axis=1)
    area = table["floor_area_m2"].to_numpy(dtype=float)
    start = plan.start_year
    rule = settings.schedule
    planned = pd.Series(start + rule.first_year, dtype="Int64").mask(start < 0)
    ready = pd.Series(plan.ready.year, dtype="Int64").mask(plan.ready.year >= NEVER)
    return table.rename(
        columns={"household_count": "household_plan_count", "floor_area_m2": "floor_area_plan_m2"}
    ).assign(
        household_plan_count=table["household_count"].round().astype("Int64"),
        floor_area_plan_m2=table["floor_area_m2"].round(2),
        construction_year_earliest=table["construction_year_earliest"].round().astype("Int64"),
        construction_year_latest=table["construction_year_latest"].round().astype("Int64"),
        renovation_class_type=_classes(plan, settings),
        renovation_route_type=_routes(plan, settings),
        package_type=_packages(plan, settings),
        works_count=plan.works_count,
        works_called_count=plan.row.count,
        lifted_count=table["lifted_count"].astype("int64"),
        is_first_for_safety=plan.first_for_safety,
        lift_count=_lifts(plan, settings),
        lift_waiting_count=np.maximum(
            table["lift_called_count"].to_numpy() - _lifts(plan, settings), 0
        ),
        cost_cny=total / 100,
        unit_cost_cny_per_m2=np.round(total / 100 / area, 2),
        **{f"{name}_cny": money.by_source[:, i] / 100 for i, name in enumerate(SOURCES)},
        public_cny=money.public_cents / 100,
        yearly_revenue_cny=money.revenue_cents / 100,
        payback_term_year=pd.array(
            [None if np.isnan(y) else int(y) for y in money.payback_year], dtype="Int64"
        ),
        net_present_cny=money.net_present_cents / 100,
        residual_public_cny=money.residual_public_cents / 100,
        readiness_type=plan.ready.kind,
        favour_owner_share=plan.ready.favour_owner_share,
        ready_year=ready.array,
        planned_year=planned.array,
        batch_type=batch_types(plan, settings),
        wait_reason_code=pd.Series(plan.wait_reason).replace("", pd.NA).to_numpy(),
    )


def batch_types(plan: AnnualPlan, settings: PlanSettings) -> np.ndarray:
    """Return the batch of each project: implement soon, plan later, reserve."""
    start = plan.start_year
    soon = start < settings.schedule.implement_year_count
    return np.select([start < 0, soon], ["reserve", "implement"], "plan").astype(object)


def taken_works(plan: AnnualPlan) -> tuple[np.ndarray, np.ndarray]:
    """Return the works that projects do (of those that wait: all in their row), and their relief."""
    return plan.row.work[plan.is_done], plan.row.relief[plan.is_done]


def building_works(plan: AnnualPlan, settings: PlanSettings) -> pd.Series:
    """Return the works planned in each building, or for its whole project: keys with | between.

    In the order of config; empty where nothing is planned.
    """
    keys = list(settings.measures)
    work, _ = taken_works(plan)
    work = work[plan.start_year[plan.works.project[work]] >= 0]
    whole = plan.works.building[work] == WHOLE_PROJECT
    texts = np.full(len(plan.buildings), "", dtype=object)
    for number, key in enumerate(keys):
        mine = work[plan.works.measure[work] == number]
        has = np.zeros(len(plan.buildings), dtype=bool)
        alone = mine[plan.works.building[mine] != WHOLE_PROJECT]
        has[plan.works.building[alone]] = True
        together = work[whole & (plan.works.measure[work] == number)]
        has |= np.isin(plan.number, plan.works.project[together])
        texts[has] = texts[has] + f"|{key}"
    found = pd.Series(texts, index=plan.buildings.index, dtype="str").str[1:]
    return found.mask(found == "")


def plan_works(plan: AnnualPlan, settings: PlanSettings) -> pd.DataFrame:
    """Return one row for each kind of work of each project.

    What is done, of those that wait what is called for; beside it all that is called for, and what the
    works relieve.
    """
    keys, measures = list(settings.measures), list(settings.measures.values())
    ids = plan.projects["project_id"].to_numpy(dtype=object)
    work, relief = taken_works(plan)
    row = plan.row
    called = _by_measure(plan, row.work, row.relief)
    done = _by_measure(plan, work, relief).reindex(called.index, fill_value=0)
    of = called.index.get_level_values("measure").to_numpy()
    return pd.DataFrame(
        {
            "project_id": ids[called.index.get_level_values("project").to_numpy()],
            "works_type": np.array(keys, dtype=object)[of],
            "renovation_class_type": np.array(
                [one.renovation_class for one in measures], dtype=object
            )[of],
            "works_quantity": done["quantity"].round(2).to_numpy(),
            "called_quantity": called["quantity"].round(2).to_numpy(),
            "unit_name": np.array([one.unit_zh for one in measures], dtype=object)[of],
            "cost_cny": done["cents"].to_numpy() / 100,
            "called_cost_cny": called["cents"].to_numpy() / 100,
            "relief_households": done["relief"].to_numpy(),
        }
    )


def _by_measure(plan: AnnualPlan, work: np.ndarray, relief: np.ndarray) -> pd.DataFrame:
    works = plan.works
    return (
        pd.DataFrame(
            {
                "project": works.project[work],
                "measure": works.measure[work],
                "quantity": works.quantity[work],
                "cents": works.cents[work],
                "relief": relief,
            }
        )
        .groupby(["project", "measure"], sort=True)
        .sum()
    )


def plan_lines(plan: AnnualPlan, settings: PlanSettings) -> pd.DataFrame:
    """Return what each planned project pays in each year of its works, by source."""
    start, kind = plan.start_year, plan.works_rule
    length = np.array([len(one.payment_shares) for one in settings.works])[kind]
    taken = np.flatnonzero(start >= 0)
    project = np.repeat(taken, length[taken])
    step = np.concatenate([np.arange(n) for n in length[taken]]) if taken.size else taken
    paid = plan.paid[project, step]
    due = paid.sum(axis=1)
    so_far = np.cumsum(plan.paid.sum(axis=2), axis=1)[project, step]
    total = plan.funding.by_source.sum(axis=1)[project]
    named = plan.projects[["project_id", "project_name", "district_name"]].iloc[project]
    return named.reset_index(drop=True).assign(
        plan_year=settings.schedule.first_year + start[project] + step,
        payment_cny=due / 100,
        **{f"{name}_cny": paid[:, i] / 100 for i, name in enumerate(SOURCES)},
        public_cny=paid[:, IS_PUBLIC].sum(axis=1) / 100,
        carry_over_cny=(total - so_far) / 100,
    )


def plan_summary(
    plan: AnnualPlan, projects: pd.DataFrame, lines: pd.DataFrame, settings: PlanSettings
) -> pd.DataFrame:
    """Return sums for each year: the city, then each district.

    Projects, households, area, need and lifts count in the year in which works start; money in the
    year in which it falls due. Budgets are the city's.
    """
    rule = settings.schedule
    years = range(rule.first_year, rule.first_year + rule.year_count)
    districts = sorted(set(projects["district_name"]))
    index = pd.MultiIndex.from_product(
        [years, [CITY_ROW, *districts]], names=["plan_year", "district_name"]
    )
    begun = projects[projects["planned_year"].notna()].rename(columns={"planned_year": "plan_year"})
    begun = begun.assign(project_count=1, begun_building_count=begun["building_count"]).astype(
        {"plan_year": "int64"}
    )
    counted = [
        "project_count", "begun_building_count", "household_plan_count", "floor_area_plan_m2",
        "need_households", "relief_households", "lift_count",
    ]  # fmt: skip
    money = ["payment_cny", *(f"{name}_cny" for name in SOURCES), "public_cny"]
    cents = lines.assign(**{name: (lines[name] * 100).round() for name in money})
    parts = [
        _with_city(begun, counted, index),
        _with_city(cents.assign(underway_count=1), ["underway_count"], index),
        _with_city(cents, money, index) / 100,
    ]
    table = pd.concat(parts, axis=1).reset_index()
    task = plan.schedule.task
    left = left_over(task, spending(task, plan.schedule.plan))
    is_city = table["district_name"] == CITY_ROW
    number = table["plan_year"].to_numpy() - rule.first_year
    return table.assign(
        budget_cny=np.where(is_city, task.budget_cents[number] / 100, np.nan),
        budget_left_cny=np.where(is_city, left[number] / 100, np.nan),
    )


def _with_city(rows: pd.DataFrame, names: list[str], index: pd.MultiIndex) -> pd.DataFrame:
    """Return sums by year and district, with a row for the whole city, 0 where nothing is."""
    both = pd.concat([rows, rows.assign(district_name=CITY_ROW)])
    plain = (
        both[names]
        .astype("float64")
        .assign(
            plan_year=both["plan_year"].to_numpy(), district_name=both["district_name"].to_numpy()
        )
    )
    return plain.groupby(["plan_year", "district_name"])[names].sum().reindex(index, fill_value=0.0)


def _classes(plan: AnnualPlan, settings: PlanSettings) -> np.ndarray:
    rank = np.array([_CLASSES.index(one.renovation_class) for one in settings.measures.values()])
    work, _ = taken_works(plan)
    highest = np.zeros(len(plan.projects), dtype=np.int64)
    np.maximum.at(highest, plan.works.project[work], rank[plan.works.measure[work]])
    return np.array(_CLASSES, dtype=object)[highest]


def _routes(plan: AnnualPlan, settings: PlanSettings) -> np.ndarray:
    on = np.array(
        [
            one.trigger is not None and one.quantity in _ON_BUILDINGS and key != "management"
            for key, one in settings.measures.items()
        ]
    )
    work, _ = taken_works(plan)
    has = np.zeros(len(plan.projects), dtype=bool)
    has[plan.works.project[work[on[plan.works.measure[work]]]]] = True
    return np.where(has, "comprehensive", "management").astype(object)


def _packages(plan: AnnualPlan, settings: PlanSettings) -> np.ndarray:
    names = package_names(plan.is_done, plan.works.measure[plan.row.work], plan.row, settings)
    names[names == ""] = None
    return names


def _lifts(plan: AnnualPlan, settings: PlanSettings) -> np.ndarray:
    is_lift = np.array([one.consent == "lift" for one in settings.measures.values()])
    work, _ = taken_works(plan)
    mine = work[is_lift[plan.works.measure[work]]]
    count = np.bincount(
        plan.works.project[mine], weights=plan.works.quantity[mine], minlength=len(plan.projects)
    )
    return np.round(count).astype(np.int64)
