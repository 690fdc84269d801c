"""The annual list that finance asks for: a row for each project and year, in Chinese, in 万元."""

import numpy as np
import pandas as pd

from pipeline.plan.annual import AnnualPlan
from pipeline.plan.tables import plan_works, taken_works
from pipeline.settings.plan import SOURCES, PlanSettings

CLASSES = {"basic": "基础类", "improving": "完善类", "upgrading": "提升类"}
ROUTES = {"comprehensive": "综合改造", "management": "管理提升"}
BATCHES = {"implement": "实施", "plan": "谋划", "reserve": "储备"}
WAITS = {
    "refused": "同意率不足，多轮工作后仍难达标",
    "not_asked": "尚未征求业主意见",
    "ready_late": "规划期内尚不具备开工条件",
    "works_too_long": "工期超出规划期",
    "nothing_to_relieve": "现有改造措施不能解除其需求",
    "locked_out": "指定不列入",
    "capacity": "区县开工能力已满",
    "budget": "资金有限，按需求与成本排后",
}
_MANAGEMENT = {"company": "有物业企业", "community": "社区代管", "none": "无"}
_BASES = {
    "recorded": "登记", "vague": "登记（约）", "inferred": "推断", "baseline": "邻近推断",
    "unknown": "不详",
}  # fmt: skip


def annual_list(
    plan: AnnualPlan,
    projects: pd.DataFrame,
    lines: pd.DataFrame,
    settings: PlanSettings,
) -> pd.DataFrame:
    """Return the list: every year's projects in order of district and need, then the reserve.

    ``projects`` and ``lines`` come from ``plan_projects`` and ``plan_lines``. A project whose works
    last several years stands in each of them, with what falls due and what is carried over.
    """
    waiting = projects.loc[projects["planned_year"].isna(), ["project_id"]]
    rows = pd.concat(
        [
            lines[["project_id", "plan_year", "payment_cny", "carry_over_cny"]],
            waiting.assign(plan_year=np.nan, payment_cny=0.0, carry_over_cny=0.0),
        ],
        ignore_index=True,
    ).merge(_described(plan, projects, settings), on="project_id", validate="many_to_one")
    rows = rows.sort_values(
        ["plan_year", "district_name", "need_households", "project_id"],
        ascending=[True, True, False, True],
        na_position="last",
    ).reset_index(drop=True)
    return rows.assign(
        row_number=np.arange(1, len(rows) + 1),
        list_year=rows["plan_year"].astype("Int64"),
        payment_wan_cny=_wan(rows["payment_cny"]),
        carry_over_wan_cny=_wan(rows["carry_over_cny"]),
    )


def works_texts(plan: AnnualPlan, settings: PlanSettings) -> np.ndarray:
    """Return the main works of each project in the order of config: inside before face."""
    texts = np.full(len(plan.projects), "", dtype=object)
    works = plan_works(plan, settings)
    keys = settings.measures
    place = {name: number for number, name in enumerate(plan.projects["project_id"])}
    done = works[works["works_quantity"] > 0]
    for project_id, key, quantity in done[
        ["project_id", "works_type", "works_quantity"]
    ].itertuples(index=False, name=None):
        one, project = keys[key], place[project_id]
        amount = f"{max(quantity, 1):,.0f}"
        texts[project] += f"{'、' if texts[project] else ''}{one.label_zh}{amount}{one.unit_zh}"
    return texts


def _described(plan: AnnualPlan, projects: pd.DataFrame, settings: PlanSettings) -> pd.DataFrame:
    month_count = np.array([one.month_count for one in settings.works])[plan.works_rule]
    begin = (projects["planned_year"].astype("Float64") * 12) + settings.schedule.start_month - 1
    heritage = projects["heritage_name"]
    managed = projects["management_type"].map(_MANAGEMENT).fillna("不详")
    set_up = np.zeros(len(projects), dtype=bool)
    keys = list(settings.measures)
    if "management" in keys:
        work, _ = taken_works(plan)
        mine = work[plan.works.measure[work] == keys.index("management")]
        set_up[plan.works.project[mine]] = True
    low, high = projects["construction_year_earliest"], projects["construction_year_latest"]
    low_text, high_text = low.astype("str"), high.astype("str")
    years = low_text.where((low == high).fillna(False).astype(bool), low_text + "–" + high_text)
    bases = projects["construction_basis"].map(
        lambda text: "、".join(_BASES[part] for part in text.split("|") if part)
    )
    return projects.assign(
        construction_years_text=years.where(low.notna() & high.notna()),
        construction_basis_text=bases,
        renovation_class_text=projects["renovation_class_type"].map(CLASSES),
        renovation_route_text=projects["renovation_route_type"].map(ROUTES),
        works_text=works_texts(plan, settings),
        cost_wan_cny=_wan(projects["cost_cny"]),
        **{f"{name}_wan_cny": _wan(projects[f"{name}_cny"]) for name in SOURCES},
        start_month_text=_months(begin),
        end_month_text=_months(begin + month_count - 1),
        implementer_name=[
            settings.implementer_zh.replace("{district_name}", name)
            for name in projects["district_name"]
        ],
        management_text=np.where(
            set_up & (managed != "有物业企业"), managed + "，随改造落实", managed
        ),
        heritage_text=heritage,
        batch_text=projects["batch_type"].map(BATCHES),
        wait_text=projects["wait_reason_code"].map(WAITS),
    )


def _wan(cny: pd.Series) -> pd.Series:
    """Return yuan as 万元: six decimals keep the cent."""
    return (cny / 10_000).round(6)


def _months(number: pd.Series) -> pd.Series:
    known = number.notna()
    text = pd.Series(pd.NA, index=number.index, dtype="str")
    whole = number[known].astype("int64")
    text[known] = (whole // 12).astype("str") + "-" + (whole % 12 + 1).astype("str").str.zfill(2)
    return text
