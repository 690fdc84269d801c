"""``make office-lists``: the lists of districts, estates and buildings as a workbook in Chinese.

A spreadsheet that opens a CSV takes 500103001001000012 for 5.00103E+17 and 1-1 for the first of
January. In a workbook a number of a building is text and stays what it is.
"""

import datetime
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import flow
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import BUILDING_RANKING, DISTRICT_PRIORITY, ESTATE_PRIORITY, Table
from pipeline.pages.terms import (
    BATCHES,
    ORIGINS,
    QUADRANTS,
    ROW_TYPES,
    SHORT_TRACKS,
    TRACK_REASONS,
    WAITS,
    YEAR_REGIMES,
    term,
)
from pipeline.pages.words import Words
from pipeline.problem import Problem
from pipeline.settings.whole import Settings
from pipeline.store import files, state
from pipeline.store.places import Places

NAME = "office_lists"
MOST_ROWS = 1_048_575
"""Rows of a sheet below its head: more fit into no spreadsheet."""
_MONEY = "#,##0.00????"
"""万元: room for the digits of the cent, which an amount that has none leaves blank."""
_FIXED_DATE = datetime.datetime(2026, 1, 1)
_SUMS = {
    "building_count": "栋数", "ranked_count": "参与排序栋数", "reserve_count": "储备栋数",
    "hazard_count": "危房栋数", "excluded_count": "不纳入栋数", "score_mean_points": "平均分",
    "rank_best": "最前名次", "tier_1_count": "第一档栋数", "tier_2_count": "第二档栋数",
    "household_sum_count": "户数", "floor_area_sum_m2": "建筑面积（平方米）",
    "floor_area_known_share": "面积已知比例", "readiness_share": "就绪程度",
    "planned_project_count": "计划项目数", "planned_household_count": "计划改造户数",
    "planned_cost_cny": "计划投资（万元）", "planned_public_cny": "其中财政资金（万元）",
    "first_planned_year": "最早开工年", "asked_household_share": "已征求意愿户数比例",
    "agreed_household_share": "同意率已达标户数比例",
}  # fmt: skip
# a sheet of some areas only has no money: its sum would be no sum of the plan
_SUMS_OF_SOME = {name: called for name, called in _SUMS.items() if not name.endswith("_cny")}
SHEETS: Mapping[str, tuple[Table, Mapping[str, str]]] = {
    "区县": (
        DISTRICT_PRIORITY, {"district_rank": "区县次序", "district_name": "区县", **_SUMS},
    ),
    "重点片区": (
        DISTRICT_PRIORITY,
        {
            "district_rank": "区县次序", "district_name": "区县", "row_type": "类别",
            "area_rank": "片区次序", "area_name": "片区", **_SUMS_OF_SOME, "area_id": "片区编号",
        },
    ),
    "小区": (
        ESTATE_PRIORITY,
        {
            "district_name": "区县", "area_rank": "次序", "row_type": "类别",
            "area_name": "小区或片区", **_SUMS, "area_id": "编号",
        },
    ),
    "楼栋": (
        BUILDING_RANKING,
        {
            "rank": "名次", "building_id": "楼栋编号", "track_type": "去向",
            "track_reason_code": "去向原因", "tier_number": "档次", "score_points": "得分",
            "rank_p05": "名次区间下限", "rank_p95": "名次区间上限", "is_lifted": "因安全提前",
            "quadrant_type": "轻重缓急", "readiness_share": "就绪程度", "building_name": "楼栋名称",
            "district_name": "区县", "subdistrict_name": "街道", "community_id": "社区编号",
            "community_name": "社区", "estate_id": "小区编号", "estate_name": "小区",
            "road_name": "道路", "storey_count": "层数", "household_count": "户数",
            "floor_area_m2": "建筑面积（平方米）", "floor_area_origin": "面积来历",
            "construction_year": "建成年份", "construction_year_origin": "年份来历",
            "construction_year_regime_type": "年份推断依据", "slope_deg": "坡度（度）",
            "main_road_climb_m": "爬升（米）", "hazard_grade_code": "危房等级",
            "manager_name": "物业服务企业", "stand_in_count": "替代取值项数",
            "project_id": "项目编号", "planned_year": "计划开工年", "batch_type": "批次",
            "planned_works_codes": "计划改造内容", "wait_reason_code": "未列入原因",
            "funded_share": "入选稳健度",
        },
    ),
}  # fmt: skip
CATEGORIES: Mapping[str, Mapping[str, Words]] = {
    "row_type": ROW_TYPES,
    "track_type": SHORT_TRACKS, "track_reason_code": TRACK_REASONS,
    "quadrant_type": QUADRANTS, "floor_area_origin": ORIGINS,
    "construction_year_origin": ORIGINS, "construction_year_regime_type": YEAR_REGIMES,
    "is_lifted": {"True": Words("是", "yes"), "False": Words("否", "no")},
    "batch_type": BATCHES, "wait_reason_code": WAITS,
}  # fmt: skip
"""Columns whose codes are written in words."""
_WIDTHS = {
    "planned_works_codes": 40, "area_id": 30, "building_id": 22, "estate_id": 22, "project_id": 22,
    "track_reason_code": 20, "wait_reason_code": 26, "quadrant_type": 18, "area_name": 20,
    "planned_cost_cny": 16, "planned_public_cny": 16, "manager_name": 26,
    "construction_year_regime_type": 18,
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """The workbook that was written, and how many rows each of its sheets holds."""

    path: Path
    row_counts: Mapping[str, int]


def write_office_lists(places: Places, settings: Settings) -> Written:
    """Write the workbook of a ranked scenario.

    Raises
    ------
    Problem
        If the scenario has not been ranked, a list was changed since, or a list is longer than a sheet.
    """
    recorded = flow.recorded(places)
    lists = {sheet: recorded.table(table) for sheet, (table, _) in SHEETS.items()}
    # a sheet of its own each, since the sum over a district and its areas would count money twice
    is_district = lists["区县"]["row_type"] == "district"
    lists |= {"区县": lists["区县"][is_district], "重点片区": lists["重点片区"][~is_district]}
    for sheet, frame in lists.items():
        if len(frame) > MOST_ROWS:
            raise Problem(
                sheet, f"holds {len(frame):,} rows", expected=f"at most {MOST_ROWS:,} in a sheet",
                fix="rank the districts as cities of their own",
            )  # fmt: skip
    path = places.list_file(f"{NAME}.xlsx")
    with state.single_run(places.lock_file), files.Batch() as batch:
        works = {key: one.label_zh for key, one in settings.plan.measures.items()}
        made = workbook_bytes(lists, works, is_synthetic=settings.city.is_synthetic)
        batch.add(path, made)
    return Written(path, {sheet: len(frame) for sheet, frame in lists.items()})


def workbook_bytes(
    lists: Mapping[str, pd.DataFrame], works: Mapping[str, str], *, is_synthetic: bool
) -> bytes:
    """Return the workbook: a sheet a list, heads and categories in Chinese, numbers of things as text.

    ``works`` tells what each measure is called. The same lists give the same bytes.
    """
    import xlsxwriter

    buffer = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"title": "山城 改造排序清单", "created": _FIXED_DATE})
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    as_text = book.add_format({"num_format": "@"})
    formats = {form: book.add_format({"num_format": form}) for form in ("0.0%", _MONEY)}
    for name, (_, heads) in SHEETS.items():
        frame = lists[name]
        shown = {column: called for column, called in heads.items() if column in frame.columns}
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.set_paper(8)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        called = [*shown.values(), *(["数据性质"] if is_synthetic else [])]
        sheet.set_column(0, len(called) - 1, 13)
        for place, column in enumerate(shown):
            sheet.set_column(place, place, _WIDTHS.get(column, 13), formats.get(_form(column)))
        sheet.autofilter(0, 0, len(frame), len(called) - 1)
        sheet.write_row(0, 0, called, head)
        columns = [_cells(column, frame[column], works) for column in shown]
        if is_synthetic:
            columns.append(["合成数据，非真实建筑"] * len(frame))
        for row, values in enumerate(zip(*columns, strict=True), 1):
            for place, value in enumerate(values):
                if isinstance(value, str):
                    sheet.write_string(row, place, value, as_text)
                elif value is not None:
                    sheet.write_number(row, place, value)
    book.close()
    return buffer.getvalue()


def _form(name: str) -> str:
    """Return how a column shows its numbers; empty where a spreadsheet's own way will do."""
    if name.endswith("_cny"):
        return _MONEY
    return "0.0%" if name.endswith("_share") else ""


def _cells(name: str, column: pd.Series, works: Mapping[str, str]) -> list[str | float | None]:
    """Return a column as cells: texts, numbers to the decimals of the CSV, None where it is empty.

    Money is in 万元 to the cent.
    """
    words = CATEGORIES.get(name)
    if name == "planned_works_codes":
        return [_named(codes, works) for codes in column]
    if name == "area_id":
        return [_area_number(number) for number in column]
    if name.endswith("_cny"):
        return [round(float(one) / 1e4, 6) for one in column]
    if words is not None:
        said = {code: term(words, code).zh for code in column.dropna().unique()}
        return [said[code] if pd.notna(code) else None for code in column]
    if pd.api.types.is_numeric_dtype(column):
        decimals = COLUMNS[name].decimals if name in COLUMNS else 3
        values = column.astype("Float64").to_numpy(dtype=float, na_value=np.nan).round(decimals)
        return [None if np.isnan(value) else value for value in values.tolist()]
    return [None if pd.isna(text) or text == "" else str(text) for text in column]


def _named(codes: object, works: Mapping[str, str]) -> str | None:
    """Return what the measures of a list of keys are called."""
    return (
        "、".join(works.get(one, one) for one in codes.split("|"))
        if isinstance(codes, str)
        else None
    )


def _area_number(number: str) -> str:
    """Return an area's key with its kind in Chinese, as 渝中区/小区/00007."""
    parts = number.split("/", 2)
    return "/".join([parts[0], ROW_TYPES[parts[1]].zh, parts[2]]) if len(parts) == 3 else number
