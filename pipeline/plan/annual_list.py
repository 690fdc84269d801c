"""The annual list that finance asks for: a row for each project and year, in Chinese, in 万元.

A row holds the money of its year. What a project comes to as a whole stands on its first row only,
and what a waiting project would cost in a column of its own, so that every column may be summed.
"""

import numpy as np
import pandas as pd

from pipeline.pages.entry_words import entry_words
from pipeline.pages.terms import BATCHES, WAITS
from pipeline.plan.annual import AnnualPlan
from pipeline.plan.cost import Cents
from pipeline.plan.funding import split_years
from pipeline.settings.plan import SOURCES, PlanSettings

CLASSES = {"basic": "基础类", "improving": "完善类", "upgrading": "提升类"}
SOURCE_WORDS = {
    "central": "中央资金", "municipal": "市级资金", "district": "区县资金", "special_bond": "专项债",
    "private": "社会资本", "resident": "居民出资", "maintenance_fund": "维修资金",
}  # fmt: skip
ROUTES = {"comprehensive": "综合改造", "management": "管理提升"}
_VOTES = {
    "agreed": "已达标",
    "forecast": "未达标（预计可达标）",
    "refused": "未达标",
    "not_asked": "征求结果不全",
}
_NOBODY_ASKED = "未征求"
_MANAGEMENT = {"company": "有物业企业", "community": "社区代管", "none": "无"}
_BASES = {
    "recorded": "登记", "vague": "登记（约）", "inferred": "推断", "baseline": "邻近推断",
    "unknown": "不详",
}  # fmt: skip
_COUNTED = {
    "listed_building_count": "building_count",
    "listed_household_count": "household_plan_count",
    "listed_floor_area_m2": "floor_area_plan_m2",
    "listed_lift_count": "lift_count",
}
_CLASS_WAN = {f"{name}_wan_cny": name for name in CLASSES}
_OF_PLANNED = ("project_total_wan_cny", "replacement_households")


def listed_projects(
    plan: AnnualPlan,
    projects: pd.DataFrame,
    lines: pd.DataFrame,
    works: pd.DataFrame,
    settings: PlanSettings,
    asked: frozenset[str],
) -> pd.DataFrame:
    """Return one row for each project, planned or waiting: texts, and totals over all years in 万元.

    ``projects``, ``lines`` and ``works`` come from ``plan_projects``, ``plan_lines`` and
    ``plan_works``; ``asked`` are the projects any of whose owners were asked whether they agree.
    Money: ``cost_wan_cny``, the same by class of works (``basic_wan_cny`` …) and by source
    (``central_total_wan_cny`` …), and what falls due in each year of the plan (``2026_wan_cny`` …).
    """
    month_count = np.array([one.month_count for one in settings.works])[plan.works_rule]
    begin = (projects["planned_year"].astype("Float64") * 12) + settings.schedule.start_month - 1
    managed = projects["management_type"].map(_MANAGEMENT).fillna("不详")
    done = works[works["works_quantity"] > 0]
    of_management = done.loc[done["works_type"] == "management", "project_id"]
    set_up = projects["project_id"].isin(of_management)
    low, high = projects["construction_year_earliest"], projects["construction_year_latest"]
    low_text, high_text = low.astype("str"), high.astype("str")
    years = low_text.where((low == high).fillna(False).astype(bool), low_text + "–" + high_text)
    bases = projects["construction_basis"].map(
        lambda text: "、".join(_BASES[part] for part in text.split("|") if part)
    )
    totals = {f"{name}_total_wan_cny": wan(projects[f"{name}_cny"]) for name in SOURCES}
    by_class = _class_costs(projects["project_id"], works)
    return projects.assign(
        construction_years_text=years.where(low.notna() & high.notna()),
        construction_basis_text=bases,
        renovation_class_text=_class_texts(by_class),
        renovation_route_text=projects["renovation_route_type"].map(ROUTES),
        works_text=projects["project_id"].map(works_texts(done, settings)),
        cost_wan_cny=wan(projects["cost_cny"]),
        **{f"{name}_wan_cny": wan(by_class[name]) for name in CLASSES},
        **totals,
        **_yearly(projects["project_id"], lines, settings),
        start_month_text=_months(begin),
        end_month_text=_months(begin + month_count - 1),
        implementer_name=[
            settings.implementer_zh.replace("{district_name}", name)
            for name in projects["district_name"]
        ],
        management_text=np.where(
            set_up & (managed != "有物业企业"), managed + "，随改造落实", managed
        ),
        consent_text=[
            consent_text(kind, share, is_asked=one in asked)
            for one, kind, share in zip(
                projects["project_id"],
                projects["readiness_type"],
                projects["favour_owner_share"].astype("float64"),
                strict=True,
            )
        ],
        heritage_text=projects["heritage_name"],
        batch_text=projects["batch_type"].map({code: one.zh for code, one in BATCHES.items()}),
        wait_text=projects["wait_reason_code"].map({code: one.zh for code, one in WAITS.items()}),
        safety_text=_safety_texts(projects),
        entry_text=pd.Series(
            [
                words.zh if words else None
                for words in map(entry_words, projects.to_dict("records"))
            ],
            projects.index,
            dtype="str",
        ),
    )


def annual_list(described: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Return the list: every year's projects in order of district and need, then the reserve.

    ``described`` comes from ``listed_projects``, ``lines`` from ``plan_lines``. A project whose works
    last several years stands in each of them, with what falls due then. A project of the reserve has
    one row, which holds no planned money.
    """
    paid = lines[["project_id", "plan_year"]].assign(
        payment_wan_cny=wan(lines["payment_cny"]),
        next_year_wan_cny=wan(_next_year(lines)),
        **{f"{name}_wan_cny": wan(lines[f"{name}_cny"]) for name in SOURCES},
        **_classes_by_year(described, lines),
    )
    waiting = described.loc[described["planned_year"].isna(), ["project_id"]]
    rows = pd.concat([paid, waiting], ignore_index=True).merge(
        described.drop(columns=[*_CLASS_WAN]).rename(
            columns={"cost_wan_cny": "project_total_wan_cny"}
        ),
        on="project_id",
        validate="many_to_one",
    )
    rows = rows.sort_values(
        ["plan_year", "district_name", "need_households", "project_id"],
        ascending=[True, True, False, True],
        na_position="last",
    ).reset_index(drop=True)
    is_waiting = rows["plan_year"].isna()
    is_first = ~rows["project_id"].duplicated()
    return rows.assign(
        row_number=np.arange(1, len(rows) + 1),
        list_year=rows["plan_year"].astype("Int64"),
        progress_text=pd.Series(np.where(is_first, "新开工", "续建"), rows.index, "str").mask(
            is_waiting
        ),
        **{name: rows[of].where(is_first) for name, of in _COUNTED.items()},
        **{name: rows[name].where(is_first & ~is_waiting) for name in _OF_PLANNED},
        waiting_cost_wan_cny=rows["project_total_wan_cny"].where(is_waiting),
    )


def consent_text(readiness_type: str, favour_owner_share: float, *, is_asked: bool) -> str:
    """Return what owners said: the share in favour of all owners, and whether the vote carries.

    Never empty: 未征求 where nobody was asked.
    """
    if readiness_type == "not_asked" and not is_asked:
        return _NOBODY_ASKED
    share = "" if np.isnan(favour_owner_share) else f"{favour_owner_share:.1%}，"
    return share + _VOTES[readiness_type]


def works_texts(works: pd.DataFrame, settings: PlanSettings) -> pd.Series:
    """Return the works that are done by project id in the order of config: inside before face."""
    amount = works["works_quantity"].clip(lower=1).map("{:,.0f}".format)
    label = works["works_type"].map({key: one.label_zh for key, one in settings.measures.items()})
    place = works["works_type"].map({key: i for i, key in enumerate(settings.measures)})
    text = label + amount + works["unit_name"]
    ordered = text.iloc[np.argsort(place.to_numpy(), kind="stable")]
    return ordered.groupby(works["project_id"]).agg("、".join)


def _safety_texts(projects: pd.DataFrame) -> pd.Series:
    """Return for each project how many of its buildings a veto lifts, and whether it starts first."""
    lifted, first = projects["lifted_count"], projects["is_first_for_safety"].to_numpy(dtype=bool)
    is_planned = projects["planned_year"].notna()
    what = pd.Series(np.where(is_planned, "，按一般次序", "，未列入"), projects.index)
    text = lifted.astype("str") + "栋有严重安全隐患" + what.mask(first, "，优先开工")
    return text.where(lifted > 0, "无")


def _classes_by_year(described: pd.DataFrame, lines: pd.DataFrame) -> dict[str, pd.Series]:
    """Return what falls due for each class of works in the year of each line, in 万元.

    No plan says which works of a project come first: every year pays for each class its part of what
    is left to pay for it. Rounded so that sums over years and classes are exact to the cent.
    """
    ids, project = np.unique(lines["project_id"].to_numpy(dtype=object), return_inverse=True)
    step = lines["plan_year"].to_numpy(dtype=np.int64)
    first = pd.Series(step).groupby(project).min().to_numpy(dtype=np.int64)
    step = step - first[project] if len(ids) else step
    yearly = np.zeros((len(ids), int(step.max(initial=0)) + 1), dtype=np.int64)
    yearly[project, step] = _whole_cents(lines["payment_cny"])
    of = described.set_index("project_id").reindex(ids)
    parts = np.column_stack([_whole_cents(of[name] * 10_000) for name in _CLASS_WAN])
    split = split_years(parts, yearly)
    return {
        name: pd.Series(split[project, step, place] / 1e6, lines.index)
        for place, name in enumerate(_CLASS_WAN)
    }


def _whole_cents(cny: pd.Series) -> Cents:
    return np.asarray((cny * 100).round().to_numpy(dtype=np.int64))


def _class_costs(project_id: pd.Series, works: pd.DataFrame) -> pd.DataFrame:
    """Return the cost of each project in yuan by class of works, 0 where it has none."""
    cents = (works["cost_cny"] * 100).round().astype("int64")
    found = {}
    for name in CLASSES:
        of = works["renovation_class_type"] == name
        found[name] = project_id.map(cents[of].groupby(works["project_id"]).sum()).fillna(0) / 100
    return pd.DataFrame(found)


def _class_texts(by_class: pd.DataFrame) -> pd.Series:
    """Return the names of all classes on which money is spent, empty where a project has no works."""
    words = [*CLASSES.values()]
    texts = [
        "、".join(word for word, one in zip(words, row, strict=True) if one)
        for row in (by_class.to_numpy() > 0).tolist()
    ]
    return pd.Series(texts, by_class.index, dtype="str").where(by_class.sum(axis=1) > 0)


def _yearly(
    project_id: pd.Series, lines: pd.DataFrame, settings: PlanSettings
) -> dict[str, pd.Series]:
    """Return what falls due of each project in each year of the plan in 万元, empty where nothing."""
    rule = settings.schedule
    found = {}
    for year in range(rule.first_year, rule.first_year + rule.year_count):
        due = lines[lines["plan_year"] == year].set_index("project_id")["payment_cny"]
        found[f"{year}_wan_cny"] = wan(project_id.map(due).astype("float64"))
    return found


def _next_year(lines: pd.DataFrame) -> pd.Series:
    """Return what falls due for the project in the year after each line, 0 after its last."""
    due = lines.set_index(["project_id", "plan_year"])["payment_cny"]
    after = pd.MultiIndex.from_arrays([lines["project_id"], lines["plan_year"] + 1])
    return pd.Series(due.reindex(after).fillna(0.0).to_numpy(), lines.index)


def wan(cny: pd.Series) -> pd.Series:
    """Return yuan as 万元: six decimals keep the cent."""
    return (cny / 10_000).round(6)


def _months(number: pd.Series) -> pd.Series:
    known = number.notna()
    text = pd.Series(pd.NA, index=number.index, dtype="str")
    whole = number[known].astype("int64")
    text[known] = (whole // 12).astype("str") + "-" + (whole % 12 + 1).astype("str").str.zfill(2)
    return text
