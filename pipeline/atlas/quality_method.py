"""The part of the quality page about the method: weights, need, robustness, second opinions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from pipeline.pages.bands import rank_bands
from pipeline.pages.charts import bars
from pipeline.pages.curves import need_curve
from pipeline.pages.document import columns, details, figure, heading, paragraph, table
from pipeline.pages.notes import note
from pipeline.pages.quadrants import quadrants
from pipeline.pages.terms import GROUPS, QUADRANTS, TRACK_REASONS, TRACKS, UNITS, named, term
from pipeline.pages.words import Words
from pipeline.settings.score import Criterion, ScoreSettings

_NOT_COMPUTED = Words("未计算。", "Not computed.")


def tracks_part(scored: Mapping[str, Any], settings: ScoreSettings) -> list[Markup]:
    """Return how many buildings go which way, and why."""
    tracks, reasons = scored.get("tracks") or {}, scored.get("track_reasons") or {}
    parts = [
        heading(Words("去向：每栋一条路", "Tracks: one way for each building"), anchor="tracks")
    ]
    if not tracks:
        return [*parts, paragraph(_NOT_COMPUTED)]
    whole = sum(tracks.values())
    head = (Words("去向", "track"), Words("栋", "buildings"), Words("占比", "share"))
    rows = [(term(TRACKS, name), int(n), f"{n / whole:.1%}" if whole else None)
            for name, n in tracks.items()]  # fmt: skip
    rows.append((Words("合计", "total"), whole, "100%"))
    why = [(term(TRACK_REASONS, name), int(n)) for name, n in reasons.items()]
    lifted = [(_veto(settings, name), int(n)) for name, n in (scored.get("lifted") or {}).items()]
    tables = [
        table(head, rows, caption=Words("去向", "tracks")),
        table(
            (Words("原因", "reason"), Words("栋", "buildings")), why,
            caption=Words("去向的原因", "reasons"),
        ),
    ]  # fmt: skip
    if lifted:
        caption = Words("安全一票提级（不论得分进入第一档）", "lifted into tier 1 by a safety veto")
        tables.append(
            table((Words("规则", "rule"), Words("栋", "buildings")), lifted, caption=caption)
        )
    return [*parts, columns(tables)]


def weights_part(
    criteria: Mapping[str, Criterion],
    weights: Mapping[str, float],
    scored: Mapping[str, Any],
) -> list[Markup]:
    """Return the weights in use by group, what the data would suggest, and where they come from."""
    suggested = (scored.get("cross_checks") or {}).get("weights") or {}
    entropy, critic = suggested.get("entropy") or {}, suggested.get("critic") or {}
    order = sorted(weights, key=lambda name: (-weights[name], name))
    head = (
        Words("指标", "criterion"), Words("类别", "group"), Words("所用权重", "weight in use"),
        Words("熵权法", "entropy"), Words("CRITIC", "CRITIC"), Words("依据", "source"),
    )  # fmt: skip
    rows = [
        (
            named(criteria[name]), term(GROUPS, criteria[name].group), f"{weights[name]:.1%}",
            _percent(entropy.get(name)), _percent(critic.get(name)), note(criteria[name].source),
        )
        for name in order
    ]  # fmt: skip
    chart = bars(
        [named(criteria[name]) for name in order],
        [100 * weights[name] for name in order],
        unit="%", row=20,
    )  # fmt: skip
    groups: dict[str, float] = {}
    for name in order:
        groups[criteria[name].group] = groups.get(criteria[name].group, 0.0) + weights[name]
    parts = [heading(Words("权重", "Weights"), anchor="weights")]
    said_zh = "，".join(f"{term(GROUPS, g).zh} {share:.0%}" for g, share in groups.items())
    said_en = ", ".join(f"{term(GROUPS, g).en} {share:.0%}" for g, share in groups.items())
    parts.append(paragraph(Words(
        f"按类别：{said_zh}。熵权和 CRITIC 只反映数据离散程度，不代表重要性，仅供对照。",
        f"By group: {said_en}. Entropy and CRITIC follow the spread of the data, not importance; they "
        "stand beside for comparison.",
    )))  # fmt: skip
    consistency = scored.get("judgments_consistency") or {}
    if consistency:
        listed = ", ".join(f"{name} {ratio:.3f}" for name, ratio in consistency.items())
        parts.append(
            paragraph(
                Words(
                    f"判断矩阵一致性比率（应低于 0.1）：{listed}",
                    f"Consistency ratios of the judgments (should be below 0.1): {listed}",
                )
            )
        )
    parts.append(figure(chart, caption=Words("所用权重", "weights in use")))
    return [*parts, details(Words("权重表与依据", "table of weights and their sources"), [
        table(head, rows, caption=Words("权重与依据", "weights and sources"))
    ])]  # fmt: skip


def need_part(
    criteria: Mapping[str, Criterion], weights: Mapping[str, float], listed: pd.DataFrame
) -> list[Markup]:
    """Return a small chart of each value function over what was measured."""
    drawn = []
    for name, criterion in criteria.items():
        values: Sequence[float] = []
        if criterion.measure in listed:
            column = listed[criterion.measure].astype("Float64")
            values = column.to_numpy(dtype=float, na_value=np.nan).tolist()
        chart = need_curve(_bends(criterion), values, unit=_unit(criterion.unit))
        share = f"{weights[name]:.1%}"
        caption = Words(
            f"{criterion.label_zh}（权重 {share}）", f"{criterion.label_en} (weight {share})"
        )
        drawn.append(figure(chart, caption=caption, is_above=True))
    said = Words(
        "横轴为测量值，红线为需求（0 无，1 最大），折点由政策界限固定，不随数据变化；"
        "灰柱为本次各建筑的分布。",
        "Across: what is measured. Red line: need (0 none, 1 full); its bends are fixed by policy and "
        "never by the data. Grey: the buildings of this run.",
    )
    title = Words("测量值如何变为需求", "How measurements become need")
    return [heading(title, anchor="need"), paragraph(said), columns(drawn, kind="tiles")]


def _bends(criterion: Criterion) -> list[tuple[float, float]]:
    between = [(float(x), float(y)) for x, y in criterion.between]
    return [(criterion.none_at, 0.0), *between, (criterion.worst_at, 1.0)]


def robustness_part(
    scored: Mapping[str, Any], criteria: Mapping[str, Criterion], settings: ScoreSettings
) -> list[Markup]:
    """Return how sure the ranking is and how far each weight can move."""
    parts = [heading(Words("稳健程度", "How sure the ranking is"), anchor="robustness")]
    told = scored.get("robustness") or {}
    if not told:
        return [*parts, paragraph(_NOT_COMPUTED)]
    parts += [paragraph(words) for words in _robust_words(told, settings)]
    if "band_reason_zh" in told:
        reason = Words(str(told["band_reason_zh"]), str(told["band_reason_en"]))
        parts.append(paragraph(reason, is_warning=True))
    reach = scored.get("weight_reach") or {}
    if reach:
        head = (
            Words("指标", "criterion"), Words("可降至", "may fall to"), Words("所用", "in use"),
            Words("可升至", "may rise to"),
        )  # fmt: skip
        rows = [
            (
                named(criteria[name]) if name in criteria else name,
                _percent(one["lowest"]) or Words("0（任意低）", "0 (any)"),
                _percent(one["weight"]),
                _percent(one["highest"]) or Words("100%（任意高）", "100% (any)"),
            )
            for name, one in reach.items()
        ]
        change = settings.robustness.sensitivity_change_share
        caption = Words(
            f"单项权重变动到何处，前列名单才有 {change:.0%} 更换",
            f"how far one weight can move before {change:.0%} of the top is replaced",
        )
        parts += [
            figure(_reach_chart(reach, criteria), caption=caption),
            details(Words("数字", "numbers"), [table(head, rows, caption=caption)]),
        ]
    return parts


def _reach_chart(
    reach: Mapping[str, Mapping[str, Any]], criteria: Mapping[str, Criterion]
) -> Markup:
    """Return how far each weight can move; one that no height of weight upsets reaches the edge."""
    stated = {name: 100 * float(one["weight"]) for name, one in reach.items()}
    low = [100 * float(one["lowest"] or 0) for one in reach.values()]
    known = [100 * float(one["highest"]) for one in reach.values() if one["highest"] is not None]
    edge = max([*known, *stated.values()])
    high = [
        edge if one["highest"] is None else 100 * float(one["highest"]) for one in reach.values()
    ]
    labels = [named(criteria[name]) if name in criteria else name for name in reach]
    x_label = Words("权重（%）；圆点为所用权重", "weight (%); the dot is the weight in use")
    return rank_bands(labels, low, list(stated.values()), high, x_label=x_label)


def _veto(settings: ScoreSettings, name: str) -> Words:
    veto = settings.vetoes.get(name)
    return named(veto) if veto else term({}, name)


def _robust_words(told: Mapping[str, Any], settings: ScoreSettings) -> list[Words]:
    rule = {
        "intervals": Words(
            f"各权重在 ±{told.get('interval_share') or 0:.0%} 内变动",
            f"each weight varied by ±{told.get('interval_share') or 0:.0%}",
        ),
        "simplex": Words("权重任意组合", "any weights"),
        "order": Words("保持重要性次序的任意权重", "any weights that keep the order of importance"),
    }.get(str(told.get("weight_rule")), Words("", ""))
    said = [
        Words(
            f"抽样 {told['draws']:,} 次：{rule.zh}，年份按其分布、测量误差和替代值一并抽样。",
            f"{told['draws']:,} draws: {rule.en}; years, errors of measurement and stand-ins "
            "are drawn too.",
        )
    ]
    if "top_count" not in told:
        return said
    top = f"{settings.robustness.top_share:.0%}"
    said.append(
        Words(
            f"前 {top} 共 {told['top_count']:,} 栋，其中 {told['surely_top_count']:,} 栋在 95% 的抽样中"
            f"仍在前列，{told['top_never_below_half_count']:,} 栋在半数以上抽样中在前列。",
            f"Of the {told['top_count']:,} buildings in the top {top}, "
            f"{told['surely_top_count']:,} stay there in 95 % of the draws and "
            f"{told['top_never_below_half_count']:,} in half of them.",
        )
    )
    said.append(
        Words(
            f"名次区间（5%–95%）宽度的中位数是全部名次的 {told['median_band_width_share']:.0%}；"
            f"{told['base_rank_in_band_share']:.0%} 的建筑，公布名次落在自己的区间内。",
            f"The middle rank band (5–95 %) is {told['median_band_width_share']:.0%} of the list wide; "
            f"for {told['base_rank_in_band_share']:.0%} of buildings the published rank lies within.",
        )
    )
    return said


_METHODS = {
    "topsis": Words("TOPSIS（同样权重，向量归一）", "TOPSIS (same weights, vector)"),
    "topsis_min_max": Words("TOPSIS（同样权重，极差归一）", "TOPSIS (same weights, min–max)"),
    "vikor": Words("VIKOR（同样权重）", "VIKOR (same weights)"),
    "entropy_weights": Words("本方法，熵权", "our method, entropy weights"),
    "critic_weights": Words("本方法，CRITIC 权重", "our method, CRITIC weights"),
}


def checks_part(scored: Mapping[str, Any]) -> list[Markup]:
    """Return how other methods would order the same buildings."""
    parts = [heading(Words("换一种方法会怎样", "What other methods say"), anchor="checks")]
    agreement = (scored.get("cross_checks") or {}).get("agreement") or {}
    if not agreement:
        return [*parts, paragraph(_NOT_COMPUTED)]
    names = list(agreement)
    chart = bars(
        [_METHODS.get(name, term({}, name)) for name in names],
        [_number(agreement[name].get("top_overlap_share"), 100) for name in names],
        unit="%",
    )
    head = (
        Words("方法", "method"), Words("名次相关系数", "rank correlation"),
        Words("前十分之一重合", "overlap of the top tenth"),
    )  # fmt: skip
    rows = [
        (
            _METHODS.get(name, term({}, name)),
            _hundredths(one.get("rank_correlation")),
            _percent(one.get("top_overlap_share")),
        )
        for name, one in agreement.items()
    ]
    caption = Words("与本排序的一致程度", "agreement with this ranking")
    overlap = Words("前十分之一名单的重合（%）", "overlap of the top tenth (%)")
    said = Words(
        "这些方法不用于排序；重合越高，名单越不取决于方法。低于一半时，应先讨论权重再用名单。",
        "None of these orders the list. The more they overlap the less the list hangs on the method; "
        "below a half, discuss the weights before using the list.",
    )
    least = [one.get("top_overlap_share") for one in agreement.values()]
    is_low = any(share is not None and share < 0.5 for share in least)
    parts.append(paragraph(said, is_warning=is_low))
    return [*parts, figure(chart, caption=overlap), table(head, rows, caption=caption)]


def readiness_part(listed: pd.DataFrame, settings: ScoreSettings) -> list[Markup]:
    """Return the 2 × 2 of need and readiness."""
    title = Words("需求与就绪程度", "Need and readiness")
    parts = [heading(title, anchor="readiness")]
    if "readiness_share" not in listed or not listed["readiness_share"].notna().any():
        said = Words("没有就绪程度数据（意愿、管理、文保）。", "Readiness is not known.")
        return [*parts, paragraph(said)]
    ready = np.asarray(
        listed["readiness_share"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    )
    need = np.asarray(listed["score_points"], dtype=float) / 100
    rule = settings.readiness
    names = (
        term(QUADRANTS, "act"), term(QUADRANTS, "prepare"), term(QUADRANTS, "later_ready"),
        term(QUADRANTS, "later"),
    )  # fmt: skip
    chart = quadrants(
        ready.tolist(), need.tolist(), x_split=rule.ready_from_share,
        y_split=rule.needy_from_points / 100, x_label=Words("就绪程度", "readiness"),
        y_label=Words("需求", "need"), names=names,
    )  # fmt: skip
    unknown = int(np.isnan(ready).sum())
    said = Words(
        f"意愿低不会降低需求，只影响先后；{unknown:,} 栋就绪程度不明，未画入。",
        f"Low consent never lowers need; {unknown:,} buildings of unknown readiness are not drawn.",
    )
    return [*parts, paragraph(said), figure(chart, caption=title)]


def _unit(unit: str) -> Words:
    return term(UNITS, unit) if unit else Words("", "")


def _percent(share: Any) -> str | None:
    return None if share is None else f"{float(share):.1%}"


def _hundredths(value: Any) -> float | None:
    return None if value is None else round(float(value), 2)


def _number(value: Any, scale: float) -> float:
    return float("nan") if value is None else float(value) * scale
