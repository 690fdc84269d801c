"""The page on which a ranking can be doubted: what it rests on, what is missing, how sure it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from pipeline.atlas.quality_data import (
    YEAR_ORIGINS,
    coverage_part,
    faults_part,
    missing_part,
    sources_part,
    years_part,
)
from pipeline.atlas.quality_facts import source_lines
from pipeline.atlas.quality_method import (
    checks_part,
    need_part,
    readiness_part,
    robustness_part,
    tracks_part,
    weights_part,
)
from pipeline.atlas.quality_plan import plan_part
from pipeline.atlas.quality_settings import settings_part
from pipeline.pages.document import contents, heading, page, paragraph
from pipeline.pages.drawing import percent
from pipeline.pages.terms import SCENARIOS, term
from pipeline.pages.words import Words
from pipeline.settings.whole import Settings

_CONTENTS = (
    ("sources", Words("来源", "sources")),
    ("faults", Words("问题", "faults")),
    ("coverage", Words("覆盖", "coverage")),
    ("missing", Words("缺测", "missing")),
    ("years", Words("年份", "years")),
    ("tracks", Words("去向", "tracks")),
    ("weights", Words("权重", "weights")),
    ("need", Words("需求", "need")),
    ("readiness", Words("就绪", "readiness")),
    ("robustness", Words("稳健", "robustness")),
    ("checks", Words("对照", "other methods")),
    ("plan", Words("计划", "plan")),
    ("settings", Words("设置", "settings")),
)


@dataclass(frozen=True)
class Evidence:
    """What the page is made from."""

    settings: Settings
    ledgers: Mapping[str, Mapping[str, Any]]
    rejects: pd.DataFrame
    listed: pd.DataFrame
    """The building list."""
    scenario: str
    remarks: Mapping[str, tuple[str, str]]
    """Dotted key of a setting → the file it stands in and what is said beside it."""


def quality_page(evidence: Evidence, *, links: Sequence[tuple[str, Words]]) -> str:
    """Return the whole page; what was not computed is said to be so."""
    city, settings = evidence.settings.city, evidence.settings
    intake = evidence.ledgers.get("intake", {}).get("sources", {})
    measured = evidence.ledgers.get("measure", {})
    scored = evidence.ledgers.get("score", {})
    left_out = scored.get("criteria_left_out", {})
    weights = scored.get("weights", {})
    criteria = settings.score.criteria
    used = {name: criteria[name] for name in weights if name in criteria}
    scenario = term(SCENARIOS, evidence.scenario)
    parts = [
        paragraph(
            Words(
                f"{city.name_zh} · 情景 {scenario.zh}",
                f"{city.name_en} · scenario {scenario.en}",
            )
        ),
        contents(_CONTENTS),
        *_at_a_glance(evidence),
        *sources_part(intake, settings.sources),
        *faults_part(evidence.rejects, settings.sources),
        *coverage_part(evidence.listed, measured, settings.measure.facilities),
        *missing_part(
            evidence.listed, criteria, list(used), left_out, scored.get("known_share", {})
        ),
        *years_part(measured.get("years", {})),
        *tracks_part(scored, settings.score),
        *weights_part(used, weights, scored),
        *need_part(used, weights, evidence.listed),
        *readiness_part(evidence.listed, settings.score),
        *robustness_part(scored, criteria, settings.score),
        *checks_part(scored),
        *plan_part(evidence.ledgers.get("plan", {}).get("annual", {})),
        *settings_part(settings, evidence.remarks),
    ]
    banner = None
    if city.is_synthetic or city.note_zh:
        banner = Words(city.note_zh, city.note_en)
    return page(
        Words("数据质量与方法", "Data quality and method"), parts, banner=banner, links=links
    )


def _at_a_glance(evidence: Evidence) -> list[Markup]:
    said = [paragraph(words, is_warning=warns) for words, warns in _verdicts(evidence)]
    return [heading(Words("一眼看懂", "At a glance"), anchor="glance"), *said]


def _verdicts(evidence: Evidence) -> list[tuple[Words, bool]]:
    """Return what a reader must know first, each with whether it is a warning."""
    scored = evidence.ledgers.get("score", {})
    listed = evidence.listed
    return [
        *((Words(str(n["text_zh"]), str(n["text_en"])), True) for n in scored.get("notices") or ()),
        _rows_told(evidence),
        _years_told(listed),
        _stand_ins_told(listed),
        *_left_out_told(evidence),
        *_sure_told(scored),
    ]


def _rows_told(evidence: Evidence) -> tuple[Words, bool]:
    lines = source_lines(evidence.ledgers.get("intake", {}).get("sources", {}))
    rejected = sum(line.rows_rejected for line in lines)
    mended = sum(line.value_count for line in lines)
    odd = [line.name for line in lines if not line.is_balanced]
    if odd:
        return Words(f"行数对不平：{'、'.join(odd)}", f"Rows do not add up: {', '.join(odd)}"), True
    return Words(
        f"{len(lines)} 个来源的行数全部对平；剔除 {rejected:,} 行，修正或置空 {mended:,} 个数值，"
        "均有原因。",
        f"The rows of all {len(lines)} sources add up; {rejected:,} rows were left out and {mended:,} "
        "values mended or set to missing, each with a reason.",
    ), False  # fmt: skip


def _years_told(listed: pd.DataFrame) -> tuple[Words, bool]:
    basis = listed["construction_year_basis_type"].fillna("unknown")
    shares = basis.value_counts() / max(len(listed), 1)
    recorded, vague, inferred, baseline, unknown = (
        float(shares.get(name, 0.0)) for name in YEAR_ORIGINS
    )
    guessed = inferred + baseline
    words = Words(
        f"建成年份：{percent(recorded)} 的建筑有记录，{percent(vague)} 只有约数，"
        f"{percent(guessed)} 为推断，{percent(unknown)} 不明。",
        f"Year of construction: recorded for {percent(recorded)} of buildings, only about for "
        f"{percent(vague)}, inferred for {percent(guessed)}, unknown for {percent(unknown)}.",
    )
    return words, unknown > 0.5


def _stand_ins_told(listed: pd.DataFrame) -> tuple[Words, bool]:
    some = int((listed["stand_in_count"] > 0).sum())
    share = some / max(len(listed), 1)
    return Words(
        f"{some:,} 栋（{percent(share)}）至少一项缺测、采用替代值。",
        f"{some:,} buildings ({percent(share)}) lack at least one value and take a stand-in.",
    ), False  # fmt: skip


def _left_out_told(evidence: Evidence) -> list[tuple[Words, bool]]:
    criteria = evidence.settings.score.criteria
    left_out = evidence.ledgers.get("score", {}).get("criteria_left_out", {})
    if not left_out:
        return []
    labels = [criteria[name] for name in left_out if name in criteria]
    zh = "、".join(one.label_zh for one in labels)
    en = ", ".join(one.label_en for one in labels)
    count = f"{len(left_out)} / {len(criteria)}"
    is_much = len(left_out) > len(criteria) / 4
    return [
        (
            Words(f"{count} 项指标因缺数据未计入：{zh}。", f"{count} criteria are left out: {en}."),
            is_much,
        )
    ]


def _sure_told(scored: Mapping[str, Any]) -> list[tuple[Words, bool]]:
    told = scored.get("robustness") or {}
    if "top_count" not in told:
        return []
    share = told["surely_top_count"] / max(told["top_count"], 1)
    return [(Words(
        f"排在最前的 {told['top_count']:,} 栋中，{share:.0%} 在 95% 的抽样中都留在前列。",
        f"Of the first {told['top_count']:,} buildings {share:.0%} stay at the top in 95 % of draws.",
    ), False)]  # fmt: skip
