"""The annual list as a workbook: a sheet a year, projects, reserve, assumptions, and one that sums up.

Every formula carries its value, so that a reader that does not calculate shows the same numbers.
Text is written as text and never runs. The same plan gives the same bytes: no clock goes in.
"""

import datetime
import io
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from pipeline.contracts.tables import ANNUAL_LIST
from pipeline.plan.annual_list import CLASSES, SOURCE_WORDS, wan
from pipeline.plan.list_sheet import ListSheet, new_sheet, styles_of, write_list
from pipeline.plan.summary_sheet import NAME, Sheets, Told, write_summary
from pipeline.settings.plan import SOURCES, PlanSettings

_CALLED = dict(zip(ANNUAL_LIST.column_names, ANNUAL_LIST.headers, strict=True))
_NOT_ON_YEARS = (
    "row_number", "list_year", "unit_cost_cny_per_m2", "project_total_wan_cny",
    "replacement_households", "waiting_cost_wan_cny", "wait_text", "entry_text",
    "estimated_share", "data_origin",
)  # fmt: skip
_ON_YEARS = {name: called for name, called in _CALLED.items() if name not in _NOT_ON_YEARS} | {
    "listed_building_count": "开工栋数", "listed_household_count": "开工户数",
    "listed_floor_area_m2": "开工建筑面积(m²)", "listed_lift_count": "开工加装电梯台数",
}  # fmt: skip
_NAMES = {
    name: _CALLED[name]
    for name in (
        "project_id", "project_name", "district_name", "subdistrict_name", "community_name",
        "estate_name",
    )
}  # fmt: skip
_SIZES = {
    "building_count": "栋数", "household_plan_count": "户数", "floor_area_plan_m2": "建筑面积(m²)",
    "lift_count": "加装电梯台数",
}  # fmt: skip
_JUDGED = {
    name: _CALLED[name] for name in ("consent_text", "score_mean_points", "tier_number")
}  # fmt: skip
_ON_RESERVE = {
    **_NAMES, **_SIZES, "renovation_class_text": "改造类别", "works_text": "主要改造内容",
    "cost_wan_cny": _CALLED["waiting_cost_wan_cny"],
    **{f"{name}_wan_cny": f"未列入项目{word}(万元)" for name, word in CLASSES.items()},
    **_JUDGED, "funded_share": _CALLED["funded_share"], "wait_text": _CALLED["wait_text"],
    "entry_text": _CALLED["entry_text"],
}  # fmt: skip
_ON_LINES = {
    "plan_year": "年度", "district_name": "区县", "project_id": "项目编号", "project_name": "项目名称",
    **{f"{name}_wan_cny": f"{word}(万元)" for name, word in SOURCE_WORDS.items()},
    "payment_wan_cny": "合计(万元)",
}  # fmt: skip
_FIXED_DATE = datetime.datetime(2026, 1, 1)


def workbook_bytes(
    listed: pd.DataFrame,
    projects: pd.DataFrame,
    lines: pd.DataFrame,
    summary: pd.DataFrame,
    settings: PlanSettings,
    told: Told,
) -> bytes:
    """Return the workbook: ``listed`` is the annual list, ``projects`` what ``listed_projects`` gives.

    Money is in 万元 with the six decimals that keep the cent.
    """
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"title": f"{told.city} 年度改造计划", "created": _FIXED_DATE})
    styles = styles_of(book)
    top = new_sheet(book, NAME, told.note)
    sheets = sheets_of(listed, projects, lines, settings)
    for sheet in sheets.every:
        write_list(book, styles, sheet, told.note)
    write_summary(book, top, styles, sheets, summary, told)
    _assumptions(book, styles, settings, told)
    book.close()
    return buffer.getvalue()


def sheets_of(
    listed: pd.DataFrame, projects: pd.DataFrame, lines: pd.DataFrame, settings: PlanSettings
) -> Sheets:
    """Return the lists of the workbook: a sheet a year, planned projects, the reserve, all payments."""
    rule = settings.schedule
    years = range(rule.first_year, rule.first_year + rule.year_count)
    is_planned = projects["planned_year"].notna()
    ordered = projects.sort_values(
        ["planned_year", "district_name", "need_households", "project_id"],
        ascending=[True, True, False, True],
    )
    due = lines.sort_values(["plan_year", "district_name", "project_id"])
    due = due.assign(
        **{f"{name}_wan_cny": wan(due[f"{name}_cny"]) for name in (*SOURCES, "payment")}
    )
    return Sheets(
        years={
            year: ListSheet(f"{year}年", listed[listed["list_year"] == year], _ON_YEARS)
            for year in years
        },
        projects=ListSheet("项目表", ordered[is_planned[ordered.index]], _on_projects(years)),
        reserve=ListSheet("储备", ordered[~is_planned[ordered.index]], _ON_RESERVE),
        lines=ListSheet("分年资金", due, _ON_LINES, frozen_count=4),
    )


def _on_projects(years: Iterable[int]) -> dict[str, str]:
    return {
        **_NAMES, "planned_year": "计划开工年", "start_month_text": "计划开工",
        "end_month_text": "计划竣工", "batch_text": "状态", **_SIZES,
        "renovation_class_text": "改造类别", "renovation_route_text": "改造方式",
        "unit_cost_cny_per_m2": _CALLED["unit_cost_cny_per_m2"],
        "cost_wan_cny": "本项目总投资(万元)",
        **{f"{name}_wan_cny": f"其中{word}(万元)" for name, word in CLASSES.items()},
        **{f"{name}_total_wan_cny": f"{word}(万元)" for name, word in SOURCE_WORDS.items()},
        **{f"{year}_wan_cny": f"{year}年(万元)" for year in years},
        **_JUDGED, "funded_share": _CALLED["funded_share"], "replacement_households": "替代损失(户)",
    }  # fmt: skip


def empty_workbook(told_of_city: str) -> bytes:
    """Return a workbook that says that no building is on a planned track."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": _FIXED_DATE})
    book.add_worksheet(NAME).write_string(0, 0, f"{told_of_city}：没有可列入计划的楼栋")
    book.close()
    return buffer.getvalue()


def _assumptions(book: Any, styles: dict[str, Any], settings: PlanSettings, told: Told) -> None:
    sheet = new_sheet(book, "假设", told.note)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 6, 16)
    sheet.set_column(7, 7, 80)
    schedule, rule = told.schedule, settings.schedule
    rows: list[Sequence[Any]] = [
        ("价格年份 price year", settings.price_year),
        ("价格上涨 rise a year", settings.price_rise_share),
        ("工程建设其他费 soft costs", settings.soft_cost_share),
        ("预备费 contingency", settings.contingency_share),
        ("规划年份 years", f"{rule.first_year}–{rule.first_year + rule.year_count - 1}"),
        ("目标 objective", f"{rule.need_of} × need（户数×需求）"),
        ("解除需求 need relieved", round(schedule.relieved, 1)),
        ("上界 bound", round(schedule.bound, 1)),
        ("最优差距 gap", f"{schedule.gap_share:.4%}"),
        ("贪心方案 greedy", round(schedule.greedy_relieved, 1)),
        ("求解 method", schedule.method),
        (
            "百万元财政资金的边际效益(户) price of money by year",
            "、".join(f"{price:.3f}" for price in schedule.prices.budget),
        ),
        ("结转上限 carry-over", rule.carry_over_share),
        ("区县保底 district floor", rule.district_floor_share),
        ("中央补助 central pot, yuan/m²", settings.funding.central.pot_cny_per_m2),
        ("社会资本上限 private, at most", settings.funding.private_max_share),
        ("专项债比例 special bonds", settings.funding.special_bond_share),
        ("市级比例 municipal", settings.funding.municipal_share),
        ("回收年限 term, years", settings.revenue.term_yr),
        ("折现率 discount", settings.revenue.discount_share),
    ]
    for number, (name, value) in enumerate(rows):
        sheet.write_string(number, 0, name)
        if isinstance(value, str):
            sheet.write_string(number, 1, value)
        else:
            sheet.write_number(number, 1, value)
    top = len(rows) + 1
    heads = ["改造内容 works", "类别 class", "单位 unit", "单价 yuan", "价格年份 year",
             "居民分担 residents", "维修资金 fund", "来源 source", "区县 district", "低价 low",
             "高价 high", "可信度 how sure"]  # fmt: skip
    sheet.write_row(top, 0, heads, styles["head"])
    listed = [
        (settings.measures[key], district, year, price)
        for key, by_district in settings.prices.items()
        for district, years in by_district.items()
        for year, price in years.items()
    ]
    for number, (one, district, year, price) in enumerate(listed, top + 1):
        sheet.write_string(number, 0, f"{one.label_zh} {one.label_en}")
        sheet.write_string(number, 1, CLASSES[one.renovation_class])
        sheet.write_string(number, 2, one.unit_zh)
        sheet.write_number(number, 3, price.middle_cny, styles["area"])
        sheet.write_number(number, 4, year, styles["year"])
        sheet.write_number(number, 5, one.resident_share, styles["share"])
        sheet.write_number(number, 6, one.maintenance_fund_share, styles["share"])
        sheet.write_string(number, 7, price.source)
        sheet.write_string(number, 8, district)
        sheet.write_number(number, 9, price.low_cny, styles["area"])
        sheet.write_number(number, 10, price.high_cny, styles["area"])
        sheet.write_string(number, 11, price.how_sure)
    sheet.freeze_panes(1, 0)
