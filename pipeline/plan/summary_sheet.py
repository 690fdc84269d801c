"""The sheet 汇总: money by year and source, by class, by district; all by formulas over the lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.plan.annual_list import CLASSES, SOURCE_WORDS
from pipeline.plan.list_sheet import ListSheet, total_of
from pipeline.plan.schedule import Schedule
from pipeline.settings.plan import PUBLIC_SOURCES, SOURCES

NAME = "汇总"
_YEARS_TOP = 3
_WAN = "(万元)"
_COUNTED = {
    "listed_building_count": "开工栋数", "listed_household_count": "开工户数",
    "listed_floor_area_m2": "开工建筑面积(m²)", "listed_lift_count": "开工加装电梯台数",
}  # fmt: skip
_SIZES = ("building_count", "household_plan_count", "floor_area_plan_m2", "lift_count")


@dataclass(frozen=True)
class Told:
    """What the workbook says besides config."""

    city: str
    is_synthetic: bool
    scenario: str
    schedule: Schedule

    @property
    def note(self) -> str:
        """What stands below every printed page."""
        invented = "合成数据 SYNTHETIC，非真实项目" if self.is_synthetic else ""
        return "　".join(part for part in (f"{self.city} 年度改造计划", invented) if part)


@dataclass(frozen=True)
class Sheets:
    """The lists of the workbook."""

    years: Mapping[int, ListSheet]
    projects: ListSheet
    reserve: ListSheet
    lines: ListSheet

    @property
    def every(self) -> Sequence[ListSheet]:
        """In their order in the workbook."""
        return (*self.years.values(), self.projects, self.reserve, self.lines)


@dataclass(frozen=True)
class _Cell:
    value: float | str
    kind: str = "text"
    formula: str = ""


_NOTHING = _Cell("")


def write_summary(
    book: Any, sheet: Any, styles: dict[str, Any], lists: Sheets, summary: pd.DataFrame, told: Told
) -> None:
    """Write the sums; ``summary`` comes from ``plan_summary`` and tells the budgets."""
    title = f"{told.city} 年度改造计划（{told.scenario}）"
    sheet.write_string(0, 0, title, styles["title"])
    if told.is_synthetic:
        words = "合成数据 SYNTHETIC DATA：虚构城市，非真实项目"
        sheet.write_string(1, 0, words, styles["warning"])
    sheet.write_string(2, 0, "单位：万元，六位小数即到分。各表每一金额列之和都列在本表。")
    budget = summary.dropna(subset="budget_cny").set_index("plan_year")["budget_cny"]
    years = [
        _year_row(lists, year, budget[year], row)
        for row, year in enumerate(lists.years, _YEARS_TOP + 1)
    ]
    top = _write(sheet, styles, _YEARS_TOP, _year_heads(), years, not_summed=("在建项目",))
    total = f"I{top}"
    heads = ["改造类别", *(f"{year}年{_WAN}" for year in lists.years), f"计划项目总投资{_WAN}",
             f"未列入项目估算投资{_WAN}"]  # fmt: skip
    top = _write(sheet, styles, top + 1, heads, _class_rows(lists))
    top = _write(sheet, styles, top + 1, ["项目", "项目数", "栋数", "户数", "建筑面积(m²)",
                 "加装电梯台数", f"总投资或估算投资{_WAN}"], _size_rows(lists))  # fmt: skip
    heads = ["区县", *(f"{year}年{_WAN}" for year in lists.years), f"合计{_WAN}",
             f"未列入项目估算投资{_WAN}"]  # fmt: skip
    top = _write(sheet, styles, top + 1, heads, _district_rows(lists, top + 2))
    top = _write(
        sheet, styles, top + 1, ["核对", f"差额{_WAN}，应为零"], _checks(lists, total), total=""
    )
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, len(_year_heads()) - 1, 16)
    _chart(book, sheet, len(years), top + 1)


def _year_heads() -> list[str]:
    return [
        "年度", *(f"{word}{_WAN}" for word in SOURCE_WORDS.values()), f"合计{_WAN}",
        f"其中财政资金{_WAN}", f"当年新增财政预算{_WAN}", f"结转下年{_WAN}", f"开工项目总投资{_WAN}",
        "开工项目", "在建项目", *_COUNTED.values(),
    ]  # fmt: skip


def _year_row(lists: Sheets, year: int, budget_cny: float, row: int) -> list[_Cell]:
    """Return the sums of a year, for the row of this number (the first is 0)."""
    lines, projects, own = lists.lines, lists.projects, lists.years[year]
    now = lines.rows[lines.rows["plan_year"] == year]
    begun = projects.rows[projects.rows["planned_year"] == year]
    of_year = f"{lines.cells('plan_year')},$A{row + 1}"
    begun_in = f"{projects.cells('planned_year')},$A{row + 1}"
    paid = {name: total_of(now[f"{name}_wan_cny"]) for name in SOURCES}
    places = dict(zip(SOURCES, "BCDEFGH", strict=True))
    public = ",".join(f"{places[name]}{row + 1}" for name in PUBLIC_SOURCES)
    return [
        _Cell(year, "year"),
        *(
            _Cell(paid[name], "money", f"=SUMIFS({lines.cells(f'{name}_wan_cny')},{of_year})")
            for name in SOURCES
        ),
        _Cell(total_of(pd.Series(paid)), "money", f"=SUM(B{row + 1}:H{row + 1})"),
        _Cell(total_of(pd.Series(paid)[[*PUBLIC_SOURCES]]), "money", f"=SUM({public})"),
        _Cell(round(float(budget_cny) / 1e4, 6), "money"),
        _sum(own, "next_year_wan_cny", "money"),
        _Cell(
            total_of(begun["cost_wan_cny"]),
            "money",
            f"=SUMIFS({projects.cells('cost_wan_cny')},{begun_in})",
        ),
        _Cell(len(begun), "whole", f"=COUNTIFS({begun_in})"),
        _Cell(len(now), "whole", f"=COUNTIFS({of_year})"),
        *(_sum(own, name, "area" if name.endswith("_m2") else "whole") for name in _COUNTED),
    ]


def _class_rows(lists: Sheets) -> list[list[_Cell]]:
    return [
        [
            _Cell(word),
            *(_sum(own, f"{name}_wan_cny", "money") for own in lists.years.values()),
            _sum(lists.projects, f"{name}_wan_cny", "money"),
            _sum(lists.reserve, f"{name}_wan_cny", "money"),
        ]
        for name, word in CLASSES.items()
    ]


def _size_rows(lists: Sheets) -> list[list[_Cell]]:
    return [
        [
            _Cell(word),
            _Cell(len(one.rows), "whole", f"=COUNTA({one.cells('project_id')})"),
            *(_sum(one, name, "area" if name.endswith("_m2") else "whole") for name in _SIZES),
            _sum(one, "cost_wan_cny", "money"),
        ]
        for word, one in (("列入计划", lists.projects), ("未列入（储备）", lists.reserve))
    ]


def _district_rows(lists: Sheets, top: int) -> list[list[_Cell]]:
    from xlsxwriter.utility import xl_col_to_name

    lines, reserve = lists.lines, lists.reserve
    names = sorted({*lines.rows["district_name"], *reserve.rows["district_name"]})
    rows = []
    for row, name in enumerate(names, top + 1):
        mine = lines.rows[lines.rows["district_name"] == name]
        waiting = reserve.rows[reserve.rows["district_name"] == name]
        of_district = f"{lines.cells('district_name')},$A{row}"
        due = f"{lines.cells('payment_wan_cny')},{lines.cells('plan_year')}"
        paid = {
            year: total_of(mine.loc[mine["plan_year"] == year, "payment_wan_cny"])
            for year in lists.years
        }
        end = xl_col_to_name(len(paid))
        rows.append(
            [
                _Cell(name),
                *(
                    _Cell(one, "money", f"=SUMIFS({due},{year},{of_district})")
                    for year, one in paid.items()
                ),
                _Cell(total_of(pd.Series(paid)), "money", f"=SUM(B{row}:{end}{row})"),
                _Cell(
                    total_of(waiting["cost_wan_cny"]),
                    "money",
                    f"=SUMIFS({reserve.cells('cost_wan_cny')},"
                    f"{reserve.cells('district_name')},$A{row})",
                ),
            ]
        )
    return rows


def _checks(lists: Sheets, total: str) -> list[list[_Cell]]:
    """Return differences that are nothing as long as nobody changes one list and not the others."""
    projects, reserve = lists.projects, lists.reserve
    of_years, years_of_classes = (
        "+".join(f"SUM({one.cells(name)})" for one in lists.years.values() for name in names)
        for names in (["payment_wan_cny"], [f"{name}_wan_cny" for name in CLASSES])
    )
    of_projects, of_classes, of_reserve = (
        "+".join(f"SUM({sheet.cells(f'{name}_wan_cny')})" for name in names)
        for sheet, names in (
            (projects, [f"{name}_total" for name in SOURCES]), (projects, CLASSES), (reserve, CLASSES),
        )
    )  # fmt: skip
    cost, waiting = (f"SUM({one.cells('cost_wan_cny')})" for one in (projects, reserve))
    pairs = {
        "各年清单投资 − 本表合计": (of_years, total),
        "各年清单三类 − 本表合计": (years_of_classes, total),
        "项目表总投资 − 本表合计": (cost, total),
        "项目表资金来源 − 总投资": (of_projects, cost),
        "项目表三类 − 总投资": (of_classes, cost),
        "储备三类 − 估算投资": (of_reserve, waiting),
        "分年资金合计 − 本表合计": (f"SUM({lists.lines.cells('payment_wan_cny')})", total),
    }
    return [
        [_Cell(words), _Cell(0.0, "money", f"=ROUND({one}-{other},6)")]
        for words, (one, other) in pairs.items()
    ]


def _sum(one: ListSheet, column: str, kind: str) -> _Cell:
    return _Cell(total_of(one.rows[column]), kind, f"=SUM({one.cells(column)})")


def _write(
    sheet: Any,
    styles: dict[str, Any],
    top: int,
    heads: Sequence[str],
    rows: Sequence[Sequence[_Cell]],
    *,
    total: str = "合计",
    not_summed: Sequence[str] = (),
) -> int:
    """Write a block of header, rows and their total below, and return the number of the row after."""
    from xlsxwriter.utility import xl_col_to_name

    sheet.write_row(top, 0, heads, styles["head"])
    for number, row in enumerate(rows, top + 1):
        for place, cell in enumerate(row):
            _write_cell(sheet, styles, (number, place), cell, "")
    end = top + 1 + len(rows)
    if not total:
        return end
    _write_cell(sheet, styles, (end, 0), _Cell(total), " total")
    for place in range(1, len(heads)):
        if heads[place] in not_summed or not rows:
            _write_cell(sheet, styles, (end, place), _NOTHING, " total")
            continue
        letter = xl_col_to_name(place)
        known = total_of(pd.Series([float(row[place].value) for row in rows]))
        formula = f"=SUM({letter}{top + 2}:{letter}{end})"
        cell = _Cell(known, rows[0][place].kind, formula)
        _write_cell(sheet, styles, (end, place), cell, " total")
    return end + 1


def _write_cell(
    sheet: Any, styles: dict[str, Any], where: tuple[int, int], cell: _Cell, suffix: str
) -> None:
    style = styles[f"{cell.kind}{suffix}"]
    if cell.formula:
        sheet.write_formula(*where, cell.formula, style, cell.value)
    elif isinstance(cell.value, str):
        sheet.write_string(*where, cell.value, style)
    else:
        sheet.write_number(*where, cell.value, style)


def _chart(book: Any, sheet: Any, year_count: int, row: int) -> None:
    chart = book.add_chart({"type": "column", "subtype": "stacked"})
    first, last = _YEARS_TOP + 1, _YEARS_TOP + year_count
    for number in range(1, 1 + len(SOURCES)):
        chart.add_series(
            {
                "name": [NAME, _YEARS_TOP, number],
                "categories": [NAME, first, 0, last, 0],
                "values": [NAME, first, number, last, number],
            }
        )
    chart.set_title({"name": "分年资金来源（万元）"})
    chart.set_size({"width": 820, "height": 360})
    sheet.insert_chart(row, 0, chart)
