"""The page of ``make check CITY=…``, and what the terminal says of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup
from rich.markup import escape
from rich.table import Table

from pipeline.check.facts import OLD_YR, SourceFacts
from pipeline.check.fixes import FIXES, NOTHING_TO_DO
from pipeline.check.losses import told_losses
from pipeline.check.misplaced import Misplaced
from pipeline.command.data_check import UNREADABLE, Checked
from pipeline.command.loss_block import show_used
from pipeline.command.report import by_reason, console
from pipeline.pages.document import Words, figure, heading, page, paragraph, table
from pipeline.pages.extents import extent_map
from pipeline.pages.terms import REASONS, SCOPES

_SHOWN_EXAMPLES = 3


def check_page(checked: Checked) -> str:
    """Return the whole page."""
    city = checked.settings.city
    title = Words(f"数据检查：{city.name_zh}", f"Data check: {city.name_en}")
    banner = Words("合成数据，不代表真实建筑", "Synthetic data, no real building")
    parts = [*_verdict(checked), *_overview(checked)]
    for facts in checked.facts:
        parts += _source(checked, facts)
    return page(title, parts, banner=banner if city.is_synthetic else None)


def show_check(checked: Checked, page_path: Path) -> None:
    """Print the same, short."""
    out = console()
    listed = Table(title=f"{checked.settings.city.name_zh} {checked.settings.city.name_en}")
    for name in ("source 来源", "rows 行数", "most missing 缺失最多", "faults 问题", "date 日期"):
        listed.add_column(name, justify="right" if name[0] == "r" else "left")
    for facts in checked.facts:
        worst = max(facts.missing, key=lambda one: one[2], default=None)
        gap = f"{worst[0]} {worst[2]:.0%}" if worst and worst[2] > 0 else "–"
        told = _faults_of(checked.rejects, facts.name)
        found = f"{sum(len(rows) for _, rows in told):,}" if told else "–"
        old = f" ({facts.age_yr} yr old)" if facts.is_old else ""
        listed.add_row(
            escape(facts.name), f"{facts.row_count:,} {facts.unit}", escape(gap), found,
            escape(facts.source.date + old),
        )  # fmt: skip
    out.print(listed)
    for words, is_bad in _sentences(checked):
        out.print(words.en, markup=False, style="bold red" if is_bad else "")
    if "intake" in checked.ledgers:
        show_used(out, checked.ledgers["intake"], checked.losses)
    out.print(f"page 网页: {page_path.as_posix()}", markup=False)


def _verdict(checked: Checked) -> list[Markup]:
    return [
        heading(Words("结论", "Verdict")),
        *(paragraph(words, is_warning=is_bad) for words, is_bad in _sentences(checked)),
    ]


def _sentences(checked: Checked) -> list[tuple[Words, bool]]:
    """Return what must be known before ranking, worst first, and whether each is a fault."""
    told: list[tuple[Words, bool]] = []
    for name, problem in sorted(checked.unreadable.items()):
        told.append(
            (Words(f"{name} 无法读取：{problem.text()}", f"{name}: {problem.text()}"), True)
        )
    told += [(_misplaced(one), True) for one in checked.misplaced]
    for name, storey_m in checked.in_feet.items():
        told.append((_in_feet(name, storey_m), True))
    if checked.stopped is not None:
        text = checked.stopped.text()
        told.append((Words(f"无法排序：{text}", f"cannot be ranked: {text}"), True))
    told += [(Words(line, line), True) for line in checked.strayed]
    for facts in checked.facts:
        if facts.datum_note:
            key = f"sources.{facts.name}"
            told.append(
                (Words(f"{key}：坐标基准 {facts.datum_note}", f"{key}: {facts.datum_note}"), False)
            )
    lost = _lost(checked)
    told += [(words, True) for words in lost]
    if checked.can_rank:
        ranked = checked.ledgers["score"]["rows_out"]
        told.append(
            (Words(f"可以评分：{ranked:,} 栋。", f"Can be scored: {ranked:,} buildings."), False)
        )
        names = by_reason(checked.ledgers["score"]["criteria_left_out"])
        if names:
            told.append((Words(f"未计入的指标：{names}", f"Criteria left out: {names}"), False))
    if checked.exit_code == 0 and lost:
        told.insert(
            0,
            (
                Words(
                    "可以排序，但有数据未被采用：请先看以下各条。",
                    "A ranking can be made, but data was lost on the way: look at what follows first.",
                ),
                True,
            ),
        )
    elif checked.exit_code == 0:
        told.insert(
            0,
            (
                Words(
                    "未发现会使排序出错的问题。", "Nothing found that would make a ranking wrong."
                ),
                False,
            ),
        )
    elif checked.exit_code == UNREADABLE:
        told.insert(0, (Words("有文件无法读取。", "Some files cannot be read."), True))
    else:
        told.insert(0, (Words("按现状排序会出错。", "A ranking made now would be wrong."), True))
    return told  # fmt: skip


def _lost(checked: Checked) -> list[Words]:
    """Return what was stated and not used, and what nobody explains."""
    if "intake" not in checked.ledgers:
        return []
    settings = checked.settings
    return told_losses(checked.ledgers["intake"], settings.sources, settings.intake.losses)


def _misplaced(one: Misplaced) -> Words:
    key = f"sources.{one.source_name}"
    others = ", ".join(one.against)
    if one.better is None:
        away = "" if one.move_m is None else f"，相距约 {one.move_m / 1000:,.0f} 千米"
        far = "" if one.move_m is None else f", some {one.move_m / 1000:,.0f} km away"
        return Words(
            f"{key}：不在其他图层（{others}）所在之处{away}；"
            "没有试出合适的坐标系。请核对 crs、datum 与坐标列。",
            f"{key}: does not lie where the other layers ({others}) lie{far}; no other CRS that was "
            "tried puts it there. Check crs, datum and the coordinate columns.",
        )
    change = one.better.differs_from(one.declared)
    moved = "" if one.move_m is None else f"（移动约 {one.move_m:,.0f} 米）"
    move = "" if one.move_m is None else f" (about {one.move_m:,.0f} m)"
    shares = f"{one.share:.1%} → {one.better_share:.1%}"
    zh = f"{key}：应为 {change}{moved}。依据：{_MEASURED[one.measured]}，{shares}，对照 {others}。"
    en = f"{key}: fits as {change}{move}. Evidence: {one.measured}, {shares}, against {others}."
    if one.or_else:
        zh += f"或者是 {', '.join(one.or_else)} 的位置错了。"
        en += f" Or else it is {', '.join(one.or_else)} that lies wrong."
    return Words(zh, en)


_MEASURED = {
    "share of its places within 20 m of a footprint": "距建筑轮廓 20 米以内的设施比例",
    "share of its places in a footprint": "位于建筑轮廓内的地点比例",
    "share of its places within 15 m of a drivable road": "距机动车道 15 米以内的设施比例",
    "share of buildings in the area that they name": "位于其登记所属区域内的建筑比例",
    "share of footprints within it": "位于边界以内的建筑轮廓比例",
    "share of its borders within 10 m of theirs": "与其他边界相距 10 米以内的边界长度比例",
    "share of street length outside footprints": "不压建筑的道路长度比例",
    "share of its borders outside footprints": "不压建筑的边界长度比例",
    "share within the other layers' area": "落在其他图层范围内的比例",
}


def _in_feet(name: str, storey_m: float) -> Words:
    return Words(
        f"sources.{name}：每层高 {storey_m:.1f} 米，height_m 像是英尺；请换算为米。",
        f"sources.{name}: {storey_m:.1f} m per storey, so height_m looks like feet; convert it "
        "to metres.",
    )


def _overview(checked: Checked) -> list[Markup]:
    rows = [
        (
            facts.name, facts.source.path, facts.row_count, facts.unit, facts.source.date,
            facts.age_yr, facts.source.publisher, facts.source.licence,
        )
        for facts in checked.facts
    ]  # fmt: skip
    head = (
        Words("来源", "source"), Words("文件", "file"), Words("数量", "count"), Words("单位", "of"),
        Words("日期", "date"), Words("年龄（年）", "age (yr)"),
        Words("发布者", "publisher"), Words("许可", "licence"),
    )  # fmt: skip
    notes = {
        number: Words(f"早于基准年 {OLD_YR} 年以上", f"more than {OLD_YR} years old")
        for number, facts in enumerate(checked.facts)
        if facts.is_old
    }
    parts = [
        heading(Words("来源", "Sources")),
        table(head, rows, caption=Words("读到的内容", "what was read"), notes=notes),
    ]
    totals = _totals(checked)
    if totals:
        columns = ("", Words("本次", "found"), Words("配置预期", "expected by the profile"))
        parts.append(table(columns, totals, caption=Words("总量", "totals")))
    return parts


def _totals(checked: Checked) -> list[tuple[Words, object, object]]:
    if "plan" not in checked.ledgers:
        return []
    plan, expected = checked.ledgers["plan"], checked.settings.city.expected
    floor = expected.floor_area_m2
    buildings = Words("列入的建筑（栋）", "buildings listed")
    area = Words("建筑面积（平方米）", "floor area (m²)")
    return [
        (buildings, plan["rows_out"], expected.ranked_building_count),
        (area, plan["floor_area_known_m2"], None if floor is None else round(floor)),
    ]


def _source(checked: Checked, facts: SourceFacts) -> list[Markup]:
    parts = [heading(Words(facts.name, facts.name))]
    if len(facts.points):
        around = [
            (float(x), float(y))
            for other in checked.facts
            if other.source.role in ("boundary", "footprints")
            for x, y in other.points
        ]
        drawn = extent_map([(float(x), float(y)) for x, y in facts.points], around)
        caption = Words(
            "红：本来源；灰：区界与建筑", "red: this source; grey: boundary and buildings"
        )
        parts.append(figure(drawn, caption=caption))
    if facts.missing:
        rows = [(ours, theirs or None, f"{share:.1%}") for ours, theirs, share in facts.missing]
        head = (Words("列", "column"), Words("原字段", "field"), Words("缺失", "missing"))
        parts.append(table(head, rows, caption=Words("缺失比例", "share missing")))
    faults = _faults_of(checked.rejects, facts.name)
    if faults:
        parts.append(_fault_table(faults))
    balance: Mapping[str, Any] = checked.ledgers.get("intake", {}).get("sources", {})
    columns = balance.get(facts.name, {}).get("columns", {})
    if columns:
        parts.append(_known_table(columns))
    if facts.name in balance:
        told = balance[facts.name]
        parts.append(
            paragraph(
                Words(
                    f"读入 {told['rows_in']:,}，采用 {told['rows_out']:,}，"
                    f"辅助 {told['rows_supporting']:,}，剔除 {told['rows_rejected']:,}。",
                    f"in {told['rows_in']:,} = used {told['rows_out']:,} + supporting "
                    f"{told['rows_supporting']:,} + left out {told['rows_rejected']:,}.",
                )
            )
        )
    return parts


def _known_table(columns: Mapping[str, Mapping[str, Any]]) -> Markup:
    head = (
        Words("列", "column"), Words("文件中有值", "values in the file"),
        Words("所用行中有值", "values in the rows used"), Words("采用", "taken"),
    )  # fmt: skip
    rows = [
        (column, one["stated"], one["stated_in_used_rows"], one["taken"])
        for column, one in columns.items()
    ]
    return table(head, rows, caption=Words("采用前后", "before and after reading"))


def _faults_of(rejects: pd.DataFrame, name: str) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    mine = rejects[rejects["source_name"] == name]
    grouped = [
        ((str(scope), str(reason)), rows)
        for (scope, reason), rows in mine.groupby(["scope_type", "reason_code"], sort=True)
    ]
    return sorted(grouped, key=lambda item: (-len(item[1]), item[0]))


def _fault_table(faults: list[tuple[tuple[str, str], pd.DataFrame]]) -> Markup:
    rows = []
    for (scope, reason), told in faults:
        examples = [
            f"{row.source_row}: {row.detail_text}"
            for row in told.head(_SHOWN_EXAMPLES).itertuples(index=False)
        ]
        rows.append(
            (
                REASONS.get(reason, reason), SCOPES[scope], len(told),
                " | ".join(examples), FIXES.get(reason, NOTHING_TO_DO),
            )
        )  # fmt: skip
    head = (
        Words("问题", "fault"), Words("后果", "effect"), Words("数量", "count"),
        Words("例（行：内容）", "examples (row: what)"),
        Words("如何处理", "what to do"),
    )  # fmt: skip
    return table(head, rows, caption=Words("问题", "faults"))
