"""The part of the quality page about the data: sources, faults, coverage, years."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from pipeline.atlas.quality_facts import (
    CriterionLine,
    Fault,
    Shares,
    SourceLine,
    criterion_lines,
    district_shares,
    faults,
    shares,
    source_lines,
)
from pipeline.pages.charts import bars
from pipeline.pages.document import details, figure, heading, paragraph, table
from pipeline.pages.stacks import Part, share_bars
from pipeline.pages.terms import ORIGINS, REASONS, ROLES, SCOPES, named, term
from pipeline.pages.words import Words
from pipeline.settings.city import Source
from pipeline.settings.measure import Facility
from pipeline.settings.score import Criterion

YEAR_ORIGINS = ("recorded", "vague", "inferred", "baseline", "unknown")
STOREY_ORIGINS = ("recorded", "from_height", "unknown")
FLOOR_ORIGINS = ("recorded", "converted", "derived", "unknown")
_MANY_DISTRICTS = 40


def sources_part(
    ledger: Mapping[str, Mapping[str, Any]], sources: Mapping[str, Source]
) -> list[Markup]:
    """Return the table of all sources: rows in, out and left out, publisher, licence, date."""
    lines = {line.name: line for line in source_lines(ledger)}
    head = (
        Words("来源", "source"), Words("内容", "content"), Words("读入行", "rows in"),
        Words("辅助行", "supporting"), Words("采用行", "rows used"), Words("剔除行", "left out"),
        Words("数值修正", "values mended"), Words("提示", "notices"), Words("对平", "adds up"),
        Words("发布者", "publisher"), Words("许可", "licence"), Words("日期", "date"),
    )  # fmt: skip
    called = source_words(sources)
    rows = [
        (called[name], *_source_row(source, lines.get(name)))
        for name, source in sorted(sources.items())
    ]
    caption = Words(
        "各来源的行数：读入 = 辅助 + 采用 + 剔除",
        "rows of each source: in = supporting + used + left out",
    )
    said = Words(
        "“辅助行”只提供坐标等（如折点），不是要素。栅格没有行数。",
        "Supporting rows only give coordinates (points of outlines). Rasters have no rows.",
    )
    return [
        heading(Words("来源与行数", "Sources and rows"), anchor="sources"),
        paragraph(said),
        table(head, rows, caption=caption),
        *_lost_values(ledger, called),
    ]


def _lost_values(
    ledger: Mapping[str, Mapping[str, Any]], called: Mapping[str, Words]
) -> list[Markup]:
    """Return the table of columns of which values were stated and not taken; none if all were."""
    rows = [
        (called.get(name, name), column, one["stated"], one["stated_in_used_rows"], one["taken"])
        for name, account in sorted(ledger.items())
        for column, one in account.get("columns", {}).items()
        if one["taken"] < one["stated_in_used_rows"]
    ]
    head = (
        Words("来源", "source"), Words("列", "column"), Words("文件中有值", "values in the file"),
        Words("采用行中有值", "values in the rows used"), Words("采用值", "values taken"),
    )  # fmt: skip
    caption = Words("未全部采用的列（原因见下表）", "columns not taken whole (reasons below)")
    return [table(head, rows, caption=caption)] if rows else []


def _source_row(source: Source, line: SourceLine | None) -> tuple[object, ...]:
    counts: tuple[object, ...] = (None,) * 7
    if line is not None:
        adds_up = Words("是", "yes") if line.is_balanced else Words("否！", "NO")
        counts = (
            line.rows_in, line.rows_supporting, line.rows_out, line.rows_rejected,
            line.value_count, line.notice_count, adds_up,
        )  # fmt: skip
    role = term(ROLES, source.role)
    return role, *counts, source.publisher, source.licence, source.date


def source_words(sources: Mapping[str, Source]) -> dict[str, Words]:
    """Return what each source is called: its key, and in Chinese its role, numbered where shared."""
    by_role: dict[str, list[str]] = {}
    for name in sorted(sources):
        by_role.setdefault(sources[name].role, []).append(name)
    return {
        name: Words(
            term(ROLES, role).zh + (f" {place}" if len(names) > 1 else ""),
            name,
        )
        for role, names in by_role.items()
        for place, name in enumerate(names, 1)
    }


def faults_part(rejects: pd.DataFrame, sources: Mapping[str, Source]) -> list[Markup]:
    """Return every kind of fault with its count and first cases."""
    found, called = faults(rejects), source_words(sources)
    head = (
        Words("原因", "reason"), Words("来源", "source"), Words("字段", "field"),
        Words("次数", "count"), Words("例（行号）", "cases (row: what)"),
    )  # fmt: skip
    said = Words(
        "没有一行无声消失；全部案例在 rejects.csv。",
        "No row vanishes silently; all cases are in rejects.csv.",
    )
    parts = [heading(Words("发现的问题", "Faults found"), anchor="faults"), paragraph(said)]
    for scope, title in SCOPES.items():
        rows = [_fault_row(fault, called) for fault in found if fault.scope_type == scope]
        if rows:
            parts.append(table(head, rows, caption=title))
    if not found:
        parts.append(paragraph(Words("没有发现问题。", "No fault was found.")))
    return parts


def _fault_row(fault: Fault, called: Mapping[str, Words]) -> tuple[object, ...]:
    cases = "; ".join(f"{row}: {detail}" if detail else row for row, detail in fault.examples)
    rows = "、".join(row for row, _ in fault.examples)
    more = " …" if fault.count > len(fault.examples) else ""
    return (
        term(REASONS, fault.reason_code), called.get(fault.source_name, fault.source_name),
        ", ".join(fault.field_names) or None, fault.count, Words(rows + more, cases + more),
    )  # fmt: skip


def coverage_part(
    listed: pd.DataFrame, measured: Mapping[str, Any], facilities: Mapping[str, Facility]
) -> list[Markup]:
    """Return how years, storeys, floor area and access are known, for the whole and by district."""
    title = Words("覆盖程度：有多少是真实记录", "Coverage: how much is recorded")
    return [
        heading(title, anchor="coverage"),
        *_origin_charts(
            listed, "construction_year_basis_type", YEAR_ORIGINS,
            Words("建成年份的来历", "how the year of construction is known"),
        ),
        *_origin_charts(
            listed, "storey_count_origin", STOREY_ORIGINS,
            Words("层数的来历", "how the storeys are known"), by_district=False,
        ),
        *_origin_charts(
            listed, "floor_area_origin", FLOOR_ORIGINS,
            Words("建筑面积的来历", "how the floor area is known"), by_district=False,
        ),
        _known_table(listed, measured, facilities),
    ]  # fmt: skip


def _origin_charts(
    listed: pd.DataFrame,
    column: str,
    order: Sequence[str],
    title: Words,
    *,
    by_district: bool = True,
) -> list[Markup]:
    found = shares(listed[column], listed["floor_area_m2"], order)
    kept = [n for n in range(len(found.origins)) if found.buildings[n] or found.floor_area_m2[n]]
    names = [found.origins[n] for n in kept]
    labels = [Words("按栋数", "by buildings"), Words("按建筑面积", "by floor area")]
    parts = [
        Part(term(ORIGINS, found.origins[n]), (found.buildings[n], found.floor_area_m2[n]))
        for n in kept
    ]
    floor = sum(found.floor_area_m2)
    totals = [f"{sum(found.buildings):,}", f"{floor / 10_000:,.0f} 万㎡" if floor else "–"]
    chart = share_bars(labels, parts, totals=totals, label_width=110, inks=_inks(names))
    drawn = [
        heading(title, level=3),
        figure(chart, caption=Words("各来历所占比例", "shares by origin")),
        _origin_table(found, kept, title),
    ]
    areas = district_shares(listed, column, names)
    if by_district and 1 < len(areas) <= _MANY_DISTRICTS:
        rows = list(areas)
        split = [
            Part(term(ORIGINS, name), [areas[row][n] for row in rows])
            for n, name in enumerate(names)
        ]
        counted = [f"{sum(areas[row]):,}" for row in rows]
        chart = share_bars(rows, split, totals=counted, label_width=110, inks=_inks(names))
        caption = Words(f"{title.zh}：各区（栋）", f"{title.en}, by district (buildings)")
        drawn.append(figure(chart, caption=caption))
    return drawn


_ORIGIN_INKS = {
    "recorded": "#1f3a5f", "vague": "#5b84b1", "converted": "#5b84b1", "derived": "#a9c4de",
    "from_height": "#a9c4de", "inferred": "#c9a227", "baseline": "#ecd98f", "unknown": "#f7f7f7",
}  # fmt: skip


def _inks(names: Sequence[str]) -> list[str]:
    return [_ORIGIN_INKS.get(name, "#8a8a8a") for name in names]


def _origin_table(found: Shares, kept: Sequence[int], title: Words) -> Markup:
    count, floor = sum(found.buildings), sum(found.floor_area_m2)
    head = (
        Words("来历", "origin"), Words("栋", "buildings"), Words("占栋数", "share"),
        Words("建筑面积（㎡）", "floor area (m²)"), Words("占面积", "share of floor area"),
    )  # fmt: skip
    rows = [
        (
            term(ORIGINS, found.origins[n]), found.buildings[n], _share(found.buildings[n], count),
            round(found.floor_area_m2[n]), _share(found.floor_area_m2[n], floor),
        )
        for n in kept
    ]  # fmt: skip
    return details(Words("数字", "numbers"), [table(head, rows, caption=title)])


def _known_table(
    listed: pd.DataFrame, measured: Mapping[str, Any], facilities: Mapping[str, Facility]
) -> Markup:
    count = len(listed)
    known = [
        (Words("户数", "households"), int(listed["household_count"].notna().sum())),
        (Words("有无电梯", "lift or none"), int(listed["has_lift"].notna().sum())),
        (Words("危房等级", "hazard grade"), int(listed["hazard_grade_code"].notna().sum())),
        (Words("物业管理", "management"), int(listed["management_type"].notna().sum())),
        (Words("改造意愿", "owners' consent"), int(listed["consent_share"].notna().sum())),
        (
            Words("接入步行网络", "reached by a mapped street"),
            int(listed["has_street_access"].sum()),
        ),
    ]
    head = (Words("内容", "what"), Words("已知（栋）", "known (buildings)"), Words("占比", "share"))
    rows = [(words, number, _share(number, count)) for words, number in known]
    unmapped = measured.get("facility_types_not_mapped", {})
    parts = [table(head, rows, caption=Words("其他内容的覆盖", "coverage of other facts"))]
    if unmapped:
        named = [facilities[name] for name in sorted(unmapped) if name in facilities]
        zh, en = "、".join(one.label_zh for one in named), ", ".join(one.label_en for one in named)
        parts.append(paragraph(Words(
            f"数据中几乎没有、因而不计的设施类别：{zh}",
            f"kinds of facility hardly mapped and so left out: {en}",
        )))  # fmt: skip
    return Markup("").join(parts)


def missing_part(
    listed: pd.DataFrame,
    criteria: Mapping[str, Criterion],
    used: Sequence[str],
    left_out: Mapping[str, str],
    known_share: Mapping[str, float],
) -> list[Markup]:
    """Return for each criterion how many values are measured, inferred, or replaced by a stand-in."""
    every = criterion_lines(listed, used)
    whole = [one for one in every if not (one.stand_in or one.inferred)]
    lines = sorted((one for one in every if one not in whole), key=lambda one: -one.stand_in)
    labels = [named(criteria[one.name]) for one in lines]
    parts = [
        Part(Words("实测或登记", "measured"), [one.measured for one in lines]),
        Part(Words("推断", "inferred"), [one.inferred for one in lines]),
        Part(Words("缺测，采用替代值", "missing: stand-in"), [one.stand_in for one in lines]),
    ]
    chart = share_bars(
        labels, parts, inks=("#1f3a5f", "#c9a227", "#f7f7f7"),
        totals=[f"{one.stand_in:,}" for one in lines],
    )  # fmt: skip
    title = Words(
        "各指标数值的来历（右侧数字：采用替代值的栋数）",
        "where each criterion's values come from (number at the right: buildings with a stand-in)",
    )
    head = (
        Words("未计入的指标", "criterion left out"), Words("原因", "reason"),
        Words("有数据的占比", "known for"),
    )  # fmt: skip
    rows = [
        (
            named(criteria[name]) if name in criteria else name,
            _left_out_reason(reason, known_share.get(name)),
            _share(known_share[name], 1) if name in known_share else None,
        )
        for name, reason in left_out.items()
    ]
    said = Words(
        "缺测不等于没有需求：采用配置中的替代值，绝不按最好情况计，并在清单中逐行标注。",
        "Missing does not mean no need: a stand-in from config is taken, never the best case, and "
        "marked on the row.",
    )
    drawn = [
        heading(Words("缺测与替代值", "Missing values and stand-ins"), anchor="missing"),
        paragraph(said),
        *([figure(chart, caption=title)] if lines else []),
        *_whole_told(whole, criteria),
    ]
    if rows:
        caption = Words("未计入的指标", "criteria left out")
        drawn.append(table(head, rows, caption=caption))
    return drawn


def _whole_told(lines: Sequence[CriterionLine], criteria: Mapping[str, Criterion]) -> list[Markup]:
    if not lines:
        return []
    zh = "、".join(criteria[one.name].label_zh for one in lines)
    en = ", ".join(criteria[one.name].label_en for one in lines)
    count = len(lines)
    return [paragraph(Words(
        f"对每栋都有实测或登记值的 {count} 项：{zh}。",
        f"Measured or registered for every building ({count}): {en}.",
    ))]  # fmt: skip


def _left_out_reason(reason: str, known: float | None) -> Words:
    if known == 0:
        return Words("没有数据", reason)
    if known is not None and "known for" in reason:
        return Words("有数据的建筑太少", "known for too few buildings")
    if "weight" in reason:
        return Words("权重为 0", reason)
    return Words(reason, reason)


_YEAR_LABELS = {
    "model": Words("本方法", "this method"),
    "group": Words("分组中位数", "group median"),
    "nearest": Words("最近邻", "nearest neighbours"),
    "around": Words("周边与分组混合", "neighbours and district mixed"),
}
_VERDICTS = {
    "model": Words(
        "推断优于简单基线，采用推断。", "Inference beats the simple baselines and is used."
    ),
    "nearest": Words(
        "模型不优于周边年份，采用周边年份。", "A model is no better than years around, which are used."
    ),
    "group": Words(
        "模型不优于分组年份，采用分组年份。", "A model is no better than district years: they are used."
    ),
    "too_few_known": Words(
        "已知年份太少，不推断；年份保持缺失。", "Too few years are known to infer; they stay missing."
    ),
}  # fmt: skip


def years_part(years: Mapping[str, Any]) -> list[Markup]:
    """Return how the inference of years did, from the ledger of measure."""
    parts = [heading(Words("年份推断", "Inference of years"), anchor="years")]
    if not years:
        return [*parts, paragraph(Words("未计算。", "Not computed."))]
    verdict = str(years.get("verdict", ""))
    if verdict:
        said = _VERDICTS.get(verdict, term({}, verdict))
        parts.append(paragraph(said, is_warning=verdict != "model"))
    errors = years.get("mean_error_yr") or {}
    if errors:
        names = sorted(errors, key=lambda name: (float(errors[name]), name))
        chart = bars(
            [_YEAR_LABELS.get(name, term({}, name)) for name in names],
            [float(errors[name]) for name in names],
        )
        caption = Words(
            "平均绝对误差（年），按缺失的样子留出检验",
            "mean absolute error (years), hidden the way years are missing",
        )
        parts.append(figure(chart, caption=caption))
    known_words = {
        "known": Words("已知年份（栋）", "years known (buildings)"),
        "missing": Words("缺年份（栋）", "years missing (buildings)"),
        "units": Words("小区（单元）数", "estates (units)"),
        "units_without_any_year": Words("完全没有年份的小区", "estates without any year"),
        "with_known_sibling": Words("同小区有已知年份（栋）", "with a known year in the estate"),
        "with_vague_siblings_only": Words(
            "同小区只有含糊年份（栋）", "with vague years there only"
        ),
        "with_known_neighbours": Words("仅周边有已知年份（栋）", "with known years around only"),
        "isolated": Words("成片缺年份（栋）", "in areas without known years"),
        "hidden_side_m": Words(
            "检验时成片隐去的方格边长（米）", "squares hidden to judge areas (m)"
        ),
        "median_width_yr": Words(
            "90% 区间宽度中位数（年）", "median width of the 90 % interval (yr)"
        ),
    }
    rows = [
        (known_words.get(key, term({}, key)), value)
        for key, value in years.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if rows:
        head = (Words("项目", "item"), Words("数值", "value"))
        parts.append(table(head, rows, caption=Words("推断的底数", "what it rests on")))
    return parts


def _share(part: float, whole: float) -> str | None:
    return f"{part / whole:.1%}" if whole else None
