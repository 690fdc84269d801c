"""Settings and data that are legal but silly, told before anyone trusts the ranking."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.keys import changed_by_spreadsheets
from pipeline.geo.raster import Floats
from pipeline.settings.score import Criterion, NoticeSettings

Notice = dict[str, Any]


def notices(
    need: Floats,
    weights: Mapping[str, int],
    table: pd.DataFrame,
    criteria: Mapping[str, Criterion],
    consistency: Mapping[str, float],
    settings: NoticeSettings,
    barely_known: Mapping[str, float],
) -> list[Notice]:
    """Return what a reader should know before the ranking, each with a code and both languages.

    ``need`` has a column for each criterion of ``weights``; rows are those of ``table``;
    ``barely_known`` is the share known of criteria that count though hardly any building has data.
    Empty if nothing is odd.
    """
    names = list(weights)
    share = np.array([weights[name] for name in names], dtype=float)
    spread = need.std(axis=0) if len(need) else np.zeros(len(names))
    return [
        *_dominant(names, share * spread, criteria, settings),
        *_constant(names, spread, criteria),
        *_without_data(names, table, criteria),
        *_same(names, need, spread, criteria, settings),
        *_equal_weights(names, share, criteria),
        *_barely_known(barely_known, criteria),
        *_contradictory(consistency, settings.max_consistency_ratio),
        *_changed_ids(table),
    ]


def _dominant(
    names: list[str], carried: Floats, criteria: Mapping[str, Criterion], settings: NoticeSettings
) -> list[Notice]:
    total = carried.sum()
    if total == 0 or len(names) < 2:
        return []
    top = int(carried.argmax())
    share = carried[top] / total
    if share < settings.dominant_spread_share:
        return []
    one = criteria[names[top]]
    return [_told(
        "dominant_criterion", [names[top]],
        f"“{one.label_zh}”一项占得分差异的{share:.0%}，其他指标几乎不起作用",
        f"{one.label_en} alone carries {share:.0%} of the spread of scores; the others hardly count",
    )]  # fmt: skip


def _constant(names: list[str], spread: Floats, criteria: Mapping[str, Criterion]) -> list[Notice]:
    flat = [name for name, one in zip(names, spread, strict=True) if one == 0]
    return [_told(
        "constant_criterion", [name],
        f"“{criteria[name].label_zh}”对所有建筑相同，不影响排序",
        f"{criteria[name].label_en} is the same for every building and orders nothing",
    ) for name in flat]  # fmt: skip


def _without_data(
    names: list[str], table: pd.DataFrame, criteria: Mapping[str, Criterion]
) -> list[Notice]:
    told = []
    for name in names:
        known = table[criteria[name].measure].notna().groupby(table["district_name"]).any()
        empty = sorted(known.index[~known])
        if empty and known.any():
            listed = "、".join(empty)
            told.append(_told(
                "district_without_data", [name],
                f"{listed}没有“{criteria[name].label_zh}”数据，全部采用替代值",
                f"{listed}: no data on {criteria[name].label_en}, all buildings take the stand-in",
            ))  # fmt: skip
    return told


def _barely_known(
    barely_known: Mapping[str, float], criteria: Mapping[str, Criterion]
) -> list[Notice]:
    return [_told(
        "barely_known", [name],
        f"“{criteria[name].label_zh}”只有{share:.1%}的建筑有数据，其余采用替代值，难以据此排序",
        f"{criteria[name].label_en} is known for {share:.1%} of the buildings, all others take the "
        "stand-in: set score.coverage.min_known_share to leave it out",
    ) for name, share in barely_known.items()]  # fmt: skip


def _same(
    names: list[str],
    need: Floats,
    spread: Floats,
    criteria: Mapping[str, Criterion],
    settings: NoticeSettings,
) -> list[Notice]:
    varied = np.flatnonzero(spread > 1e-9)  # a plane's slopes differ in the last digit
    if len(varied) < 2:
        return []
    table = np.atleast_2d(np.corrcoef(need[:, varied].T))
    told = []
    for a, b in combinations(range(len(varied)), 2):
        if abs(table[a, b]) >= settings.same_correlation:
            one, two = names[varied[a]], names[varied[b]]
            told.append(_told(
                "same_criteria", [one, two],
                f"“{criteria[one].label_zh}”与“{criteria[two].label_zh}”几乎相同（相关系数"
                f"{table[a, b]:.2f}），同一问题被计两次",
                f"{criteria[one].label_en} and {criteria[two].label_en} say the same "
                f"(correlation {table[a, b]:.2f}): one thing counts twice",
            ))  # fmt: skip
    return told


def _equal_weights(
    names: list[str], share: Floats, criteria: Mapping[str, Criterion]
) -> list[Notice]:
    if len(names) < 2:
        return []
    if np.ptp(share) <= 1:
        return [_told(
            "equal_weights", names,
            "所有权重相等：没有说明哪项更重要",
            "all weights are equal: nobody has said what matters more",
        )]  # fmt: skip
    tiny = [name for name, one in zip(names, share, strict=True) if one == 0]
    return [_told(
        "vanishing_weight", [name],
        f"“{criteria[name].label_zh}”的权重小于万分之一，不起作用",
        f"the weight of {criteria[name].label_en} is below 0.0001 and has no effect",
    ) for name in tiny]  # fmt: skip


def _contradictory(consistency: Mapping[str, float], most: float) -> list[Notice]:
    return [_told(
        "inconsistent_judgments", [name],
        f"判断矩阵 {name} 的一致性比率为{ratio:.2f}，大于{most:.2f}，应重新判断",
        f"judgments {name} contradict each other: consistency ratio {ratio:.2f}, above {most:.2f}",
    ) for name, ratio in consistency.items() if not ratio <= most]  # fmt: skip


def _changed_ids(table: pd.DataFrame) -> list[Notice]:
    found = [
        key for name in ("building_id", "estate_id") if name in table
        for key in changed_by_spreadsheets(table[name].dropna().astype("str"))
    ]  # fmt: skip
    if not found:
        return []
    return [_told(
        "ids_changed_by_spreadsheets", [],
        f"用表格软件直接打开 CSV 会改变编号（{found[0]} 等 {len(found):,} 个）：请导入并将该列设为文本",
        f"a spreadsheet that opens the CSV lists changes {len(found):,} numbers (e.g. {found[0]}): "
        "import them with that column as text; the .xlsx, .parquet and .gpkg files keep them",
    )]  # fmt: skip


def _told(code: str, names: list[str], text_zh: str, text_en: str) -> Notice:
    return {"code": code, "criteria": names, "text_zh": text_zh, "text_en": text_en}
