"""The annual list as a workbook: a sheet a year, totals by formula, assumptions, a chart.

Every formula carries its value, so that a reader that does not calculate shows the same numbers.
Text is written as text and never runs. The same plan gives the same bytes: no clock goes in.
"""

import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import ANNUAL_LIST
from pipeline.plan.schedule import Schedule
from pipeline.plan.tables import CITY_ROW
from pipeline.settings.plan import SOURCES, PlanSettings

SOURCE_WORDS = {
    "central": "中央资金", "municipal": "市级资金", "district": "区县资金", "special_bond": "专项债",
    "private": "社会资本", "resident": "居民出资", "maintenance_fund": "维修资金",
}  # fmt: skip
_CALLED = dict(zip(ANNUAL_LIST.column_names, ANNUAL_LIST.headers, strict=True))
_ON_YEARS = tuple(
    name
    for name in ANNUAL_LIST.column_names
    if name not in ("row_number", "list_year", "wait_text", "data_origin")
)
_ON_RESERVE = (
    "project_id", "project_name", "district_name", "subdistrict_name", "estate_name",
    "building_count", "household_plan_count", "floor_area_plan_m2", "renovation_class_text",
    "cost_wan_cny", "favour_owner_share", "score_mean_points", "tier_number", "wait_text",
)  # fmt: skip
_SUMMED = (
    "building_count", "household_plan_count", "floor_area_plan_m2", "lift_count",
)  # fmt: skip
_FUNDING = "分年资金"
_WIDTHS = {"works_text": 44, "project_name": 20, "project_id": 15, "implementer_name": 20}
_FIXED_DATE = datetime.datetime(2026, 1, 1)


@dataclass(frozen=True)
class Told:
    """What the sheet of assumptions says besides config."""

    city: str
    is_synthetic: bool
    scenario: str
    schedule: Schedule


def workbook_bytes(
    annual_list: pd.DataFrame,
    lines: pd.DataFrame,
    summary: pd.DataFrame,
    settings: PlanSettings,
    told: Told,
) -> bytes:
    """Return the workbook. Money is in 万元 with six decimals kept, two shown."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"title": f"{told.city} 年度改造计划", "created": _FIXED_DATE})
    styles = _styles(book)
    rule = settings.schedule
    years = [rule.first_year + number for number in range(rule.year_count)]
    top = _sheet(book, "汇总")
    for year in years:
        _list_sheet(
            book, styles, f"{year}年", annual_list[annual_list["list_year"] == year], _ON_YEARS
        )
    _list_sheet(book, styles, "储备", annual_list[annual_list["list_year"].isna()], _ON_RESERVE)
    _funding_sheet(book, styles, lines)
    _summary_sheet(book, top, styles, summary, len(lines), years, told)
    _assumptions(book, styles, settings, told)
    book.close()
    return buffer.getvalue()


def empty_workbook(told_of_city: str) -> bytes:
    """Return a workbook that says that no building is on a planned track."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": _FIXED_DATE})
    book.add_worksheet("汇总").write_string(0, 0, f"{told_of_city}：没有可列入计划的楼栋")
    book.close()
    return buffer.getvalue()


def _styles(book: Any) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "head": {
            "bold": True,
            "text_wrap": True,
            "bg_color": "#DDE6F0",
            "border": 1,
            "valign": "top",
        },
        "title": {"bold": True, "font_size": 14},
        "total": {"bold": True, "top": 1},
        "text": {},
        "whole": {"num_format": "#,##0"},
        "year": {"num_format": "0"},
        "money": {"num_format": "#,##0.00"},
        "share": {"num_format": "0.0%"},
        "points": {"num_format": "0.0"},
        "warning": {"bold": True, "font_color": "#B00000"},
    }
    made = {name: book.add_format(form) for name, form in kinds.items()}
    for name in ("whole", "money"):
        made[f"{name} total"] = book.add_format({**kinds[name], **kinds["total"]})
    return made


def _sheet(book: Any, name: str) -> Any:
    """Return a sheet that prints on A3 across, as wide as the page, its header on every page."""
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    return sheet


def _style_of(name: str) -> str:
    kind, unit = COLUMNS[name].kind, COLUMNS[name].unit
    if kind == "text":
        return "text"
    if unit == "share":
        return "share"
    if unit == "points":
        return "points"
    return "whole" if kind == "whole" else "money"


def _list_sheet(
    book: Any, styles: dict[str, Any], name: str, rows: pd.DataFrame, columns: Sequence[str]
) -> None:
    sheet = _sheet(book, name)
    headers = [_CALLED[column] for column in columns]
    kinds = [_style_of(column) for column in columns]
    sheet.write_row(0, 0, headers, styles["head"])
    for number, column in enumerate(columns):
        sheet.set_column(number, number, _WIDTHS.get(column, 12), styles[kinds[number]])
        _write_column(sheet, 1, number, rows[column].tolist(), kinds[number])
    sheet.freeze_panes(1, 2)
    if not len(rows):
        return
    sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    end = len(rows) + 1
    sheet.write_string(end, 0, "合计", styles["total"])
    for number, column in enumerate(columns):
        if column in _SUMMED or column.endswith("_wan_cny"):
            _total(sheet, styles, end, number, rows[column], kinds[number])


def _write_column(sheet: Any, top: int, number: int, values: list[Any], kind: str) -> None:
    """Write what is known; empty cells stay empty. Text is written as text, whatever it begins with."""
    if kind == "text":
        for row, value in enumerate(values, top):
            if isinstance(value, str):
                sheet.write_string(row, number, value)
        return
    for row, value in enumerate(values, top):
        if value is not None and value is not pd.NA and value == value:
            sheet.write_number(row, number, value)


def _total(
    sheet: Any, styles: dict[str, Any], end: int, number: int, values: pd.Series, kind: str
) -> None:
    from xlsxwriter.utility import xl_col_to_name

    letter = xl_col_to_name(number)
    known = round(float(values.sum()), 6)
    sheet.write_formula(
        end, number, f"=SUM({letter}2:{letter}{end})", styles[f"{kind} total"], known
    )


def _funding_sheet(book: Any, styles: dict[str, Any], lines: pd.DataFrame) -> None:
    """Write what falls due by project and year; the summary adds this sheet up."""
    sheet = _sheet(book, _FUNDING)
    heads = ["年度", "区县", "项目编号", "项目名称", *SOURCE_WORDS.values(), "合计(万元)"]
    sheet.write_row(0, 0, heads, styles["head"])
    sheet.freeze_panes(1, 4)
    sheet.set_column(0, 0, 8, styles["year"])
    sheet.set_column(1, 3, 16)
    sheet.set_column(4, 4 + len(SOURCES), 13, styles["money"])
    ordered = lines.sort_values(["plan_year", "district_name", "project_id"])
    _write_column(sheet, 1, 0, ordered["plan_year"].tolist(), "year")
    for number, name in enumerate(("district_name", "project_id", "project_name"), 1):
        _write_column(sheet, 1, number, ordered[name].tolist(), "text")
    for number, name in enumerate(SOURCES, 4):
        wan = (ordered[f"{name}_cny"] / 1e4).round(6)
        _write_column(sheet, 1, number, wan.tolist(), "money")
    due = (ordered["payment_cny"] / 1e4).round(6).tolist()
    for row, value in enumerate(due, 1):
        sheet.write_formula(row, 4 + len(SOURCES), f"=SUM(E{row + 1}:K{row + 1})", None, value)


def _summary_sheet(
    book: Any,
    sheet: Any,
    styles: dict[str, Any],
    summary: pd.DataFrame,
    line_count: int,
    years: Sequence[int],
    told: Told,
) -> None:
    """Money by year and source, by district and year: every number a formula over ``分年资金``."""
    from xlsxwriter.utility import xl_col_to_name

    sheet.write_string(0, 0, f"{told.city} 年度改造计划（{told.scenario}）", styles["title"])
    if told.is_synthetic:
        sheet.write_string(1, 0, "合成数据 SYNTHETIC DATA：虚构城市，非真实项目", styles["warning"])
    last = line_count + 1
    is_city = summary["district_name"] == CITY_ROW
    city: dict[Any, dict[Any, Any]] = summary[is_city].set_index("plan_year").to_dict("index")
    heads = ["年度", *(f"{word}(万元)" for word in SOURCE_WORDS.values()), "合计(万元)",
             "财政预算(万元)", "开工项目", "开工户数"]  # fmt: skip
    sheet.write_row(3, 0, heads, styles["head"])
    sheet.set_column(0, len(heads), 14)
    for row, year in enumerate(years, 4):
        sheet.write_number(row, 0, year, styles["year"])
        for number, name in enumerate(SOURCES, 1):
            letter = xl_col_to_name(3 + number)
            sum_of = (
                f"=SUMIFS({_FUNDING}!{letter}$2:{letter}${last},"
                f"{_FUNDING}!$A$2:$A${last},$A{row + 1})"
            )
            known = round(float(city[year][f"{name}_cny"]) / 1e4, 6)
            sheet.write_formula(row, number, sum_of, styles["money"], known)
        known = round(float(city[year]["payment_cny"]) / 1e4, 6)
        sheet.write_formula(row, 8, f"=SUM(B{row + 1}:H{row + 1})", styles["money"], known)
        budget = float(city[year]["budget_cny"]) / 1e4
        sheet.write_number(row, 9, round(budget, 6), styles["money"])
        sheet.write_number(row, 10, int(city[year]["project_count"]), styles["whole"])
        sheet.write_number(row, 11, int(city[year]["household_plan_count"]), styles["whole"])
    end = 4 + len(years)
    sheet.write_string(end, 0, "合计", styles["total"])
    names = [*(f"{name}_cny" for name in SOURCES), "payment_cny", "budget_cny"]
    for number in range(1, 12):
        letter = xl_col_to_name(number)
        if number < 10:
            known, kind = _sum(city, names[number - 1]) / 1e4, "money"
        else:
            name = ("project_count", "household_plan_count")[number - 10]
            known, kind = _sum(city, name), "whole"
        sheet.write_formula(
            end, number, f"=SUM({letter}5:{letter}{end})", styles[f"{kind} total"], round(known, 6)
        )
    _district_block(sheet, styles, summary, line_count, years, end + 3)
    chart = book.add_chart({"type": "column", "subtype": "stacked"})
    for number in range(1, 8):
        chart.add_series(
            {
                "name": ["汇总", 3, number],
                "categories": ["汇总", 4, 0, end - 1, 0],
                "values": ["汇总", 4, number, end - 1, number],
            }
        )
    chart.set_title({"name": "分年资金来源（万元）"})
    chart.set_size({"width": 820, "height": 360})
    sheet.insert_chart(end + 6 + summary["district_name"].nunique(), 0, chart)


def _sum(city: dict[Any, dict[Any, Any]], name: str) -> float:
    return float(sum(round(row[name] * 100) for row in city.values()) / 100)


def _district_block(
    sheet: Any,
    styles: dict[str, Any],
    summary: pd.DataFrame,
    line_count: int,
    years: Sequence[int],
    top: int,
) -> None:
    from xlsxwriter.utility import xl_col_to_name

    last, total = line_count + 1, xl_col_to_name(4 + len(SOURCES))
    heads = ["区县", *(f"{year}年(万元)" for year in years), "合计(万元)"]
    sheet.write_row(top, 0, heads, styles["head"])
    paid: dict[str, dict[int, float]] = {}
    for one in summary.to_dict("records"):
        paid.setdefault(one["district_name"], {})[one["plan_year"]] = one["payment_cny"]
    districts = [name for name in sorted(paid) if name != CITY_ROW]
    for row, name in enumerate(districts, top + 1):
        sheet.write_string(row, 0, name)
        for number, year in enumerate(years, 1):
            sum_of = (
                f"=SUMIFS({_FUNDING}!{total}$2:{total}${last},{_FUNDING}!$A$2:$A${last},{year},"
                f"{_FUNDING}!$B$2:$B${last},$A{row + 1})"
            )
            known = round(paid[name][year] / 1e4, 6)
            sheet.write_formula(row, number, sum_of, styles["money"], known)
        letter = xl_col_to_name(len(years))
        known = round(sum(paid[name].values()) / 1e4, 6)
        sheet.write_formula(
            row, len(years) + 1, f"=SUM(B{row + 1}:{letter}{row + 1})", styles["money"], known
        )


def _assumptions(book: Any, styles: dict[str, Any], settings: PlanSettings, told: Told) -> None:
    sheet = _sheet(book, "假设")
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
        sheet.write_string(number, 1, one.renovation_class)
        sheet.write_string(number, 2, one.unit_zh)
        sheet.write_number(number, 3, price.middle_cny, styles["money"])
        sheet.write_number(number, 4, year, styles["year"])
        sheet.write_number(number, 5, one.resident_share, styles["share"])
        sheet.write_number(number, 6, one.maintenance_fund_share, styles["share"])
        sheet.write_string(number, 7, price.source)
        sheet.write_string(number, 8, district)
        sheet.write_number(number, 9, price.low_cny, styles["money"])
        sheet.write_number(number, 10, price.high_cny, styles["money"])
        sheet.write_string(number, 11, price.how_sure)
    sheet.freeze_panes(1, 0)
