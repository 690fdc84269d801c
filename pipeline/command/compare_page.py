"""The page of a comparison: who entered and left the top, and what moved whom."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from pipeline.pages.bands import moves
from pipeline.pages.document import figure, heading, page, paragraph, table
from pipeline.pages.stacks import Part, signed_stacks
from pipeline.pages.words import Words
from pipeline.settings.whole import Settings

_SHOWN = 20
_PARTS = 9
OUTCOMES = {
    "entered_top": Words("进入前列", "entered the top"),
    "left_top": Words("退出前列", "left the top"),
    "rose": Words("上升", "rose"),
    "fell": Words("下降", "fell"),
    "same": Words("不变", "same rank"),
    "gained_rank": Words("新参与排序", "ranked now"),
    "lost_rank": Words("不再参与排序", "ranked no more"),
    "new": Words("新增", "new"),
    "gone": Words("消失", "gone"),
    "never_ranked": Words("均未参与排序", "ranked in neither"),
}
CAUSES = {
    "data": Words("数据变化", "data changed"),
    "weight": Words("权重变化", "weights changed"),
    "track": Words("类别变化", "track changed"),
    "others": Words("其他建筑移动", "others moved"),
    "none": Words("无", "none"),
}


def compare_page(
    names: tuple[str, str],
    moved: pd.DataFrame,
    weights: tuple[Mapping[str, float], Mapping[str, float]],
    settings: Settings,
) -> str:
    """Return the page of a comparison; ``moved`` is the table of ``COMPARISON``."""
    city = settings.city
    top = settings.score.robustness.top_share
    banner = Words("合成数据，不代表真实建筑", "synthetic data") if city.is_synthetic else None
    title = Words(
        f"{city.name_zh}：{names[0]} 与 {names[1]} 比较",
        f"{city.name_en}: {names[0]} and {names[1]} compared",
    )
    entered, left = (moved[moved["outcome_type"] == name] for name in ("entered_top", "left_top"))
    parts = [
        paragraph(
            Words(
                f"前列指排序的前{top:.0%}。进入{len(entered):,}栋，退出{len(left):,}栋。",
                f"The top is the first {top:.0%} of the ranking: {len(entered):,} buildings entered, "
                f"{len(left):,} left.",
            )
        ),
        _counts(moved),
        _by_district(moved),
        _weights(weights, settings),
        *_movers(Words("进入前列", "Entered the top"), entered, settings),
        *_movers(Words("退出前列", "Left the top"), left, settings),
    ]
    links = [(f"../{names[1]}/index.html", Words("地图", "map"))]
    return page(title, parts, banner=banner, links=links)


def _counts(moved: pd.DataFrame) -> Markup:
    counts = pd.crosstab(moved["outcome_type"], moved["cause_type"])
    causes = [name for name in CAUSES if name in counts.columns]
    table_of = counts.to_dict("index")
    rows = [
        [words, *(table_of[key][name] for name in causes), sum(table_of[key].values())]
        for key, words in OUTCOMES.items()
        if key in table_of
    ]
    head = [Words("结果", "outcome"), *(CAUSES[name] for name in causes), Words("合计", "all")]
    return table(
        head, rows, caption=Words("栋数，按主要原因", "buildings, by what moved them most")
    )


def _by_district(moved: pd.DataFrame) -> Markup:
    kinds = ("entered_top", "left_top")
    inside = moved[moved["outcome_type"].isin(kinds)]
    counts = pd.crosstab(inside["district_name"], inside["outcome_type"])
    counts = counts.reindex(columns=list(kinds), fill_value=0)
    rows = [
        [name, row["entered_top"], row["left_top"], row["entered_top"] - row["left_top"]]
        for name, row in counts.to_dict("index").items()
    ]
    head = [
        Words("区县", "district"), OUTCOMES["entered_top"], OUTCOMES["left_top"],
        Words("净变化", "net"),
    ]  # fmt: skip
    return table(head, rows, caption=Words("各区进出前列", "in and out of the top by district"))


def _weights(
    weights: tuple[Mapping[str, float], Mapping[str, float]], settings: Settings
) -> Markup:
    rows = []
    for name in dict.fromkeys([*weights[0], *weights[1]]):
        before, after = (100 * one.get(name, 0.0) for one in weights)
        rows.append([_label(name, settings), f"{before:.2f} %", f"{after:.2f} %",
                     f"{after - before:+.2f}"])  # fmt: skip
    head = [
        Words("指标", "criterion"), Words("之前权重", "weight before"),
        Words("之后权重", "weight after"), Words("变化", "change"),
    ]  # fmt: skip
    return table(head, rows, caption=Words("权重", "weights"))


def _movers(title: Words, rows: pd.DataFrame, settings: Settings) -> list[Markup]:
    """Return the largest moves of some buildings: ranks, and what their points changed by."""
    if not len(rows):
        return []
    size = rows["rank_gain_count"].abs().fillna(0).astype(int)
    order = np.lexsort([rows["building_id"].to_numpy(dtype=str), -size.to_numpy()])
    most = rows.iloc[order[:_SHOWN]]
    labels = [_name(row) for row in most.to_dict("records")]
    ranks = [most[f"rank_{side}"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
             for side in ("before", "after")]  # fmt: skip
    parts = _largest_parts(most, settings)
    shown = Words(f"变化最大的{len(most)}栋", f"the {len(most)} largest moves")
    return [
        heading(title),
        figure(
            moves(labels, *[one.tolist() for one in ranks], x_label=Words("名次", "rank")),
            caption=Words(f"{title.zh}：{shown.zh}（○之前，●之后）",
                          f"{title.en}: {shown.en} (○ before, ● after)"),
        ),
        figure(
            signed_stacks(labels, parts, x_label=Words("得分变化", "change of points")),
            caption=Words("得分变化的来源", "what the points changed by"),
        ),
    ]  # fmt: skip


def _largest_parts(rows: pd.DataFrame, settings: Settings) -> list[Part]:
    """Return the criteria that move these buildings most, and all others as one part."""
    sizes: dict[str, Any] = {}
    for name in rows.columns:
        for ending in ("_data_points", "_weight_points"):
            if name.endswith(ending):
                sizes[name] = rows[name].fillna(0.0).to_numpy()
    ordered = sorted(sizes, key=lambda name: (-float(np.abs(sizes[name]).sum()), name))
    ordered = [name for name in ordered if np.abs(sizes[name]).sum() > 0]
    parts = []
    for name in ordered[:_PARTS]:
        kind = "data" if name.endswith("_data_points") else "weight"
        label = _label(name.rsplit("_", 2)[0], settings)
        said = Words("数据", "data") if kind == "data" else Words("权重", "weight")
        parts.append(Part(Words(f"{label.zh}（{said.zh}）", f"{label.en} ({said.en})"),
                          sizes[name].tolist()))  # fmt: skip
    rest = ordered[_PARTS:]
    if rest:
        others = np.sum([sizes[name] for name in rest], axis=0)
        parts.append(Part(Words("其他", "others"), others.tolist()))
    return parts


def _label(name: str, settings: Settings) -> Words:
    criterion = settings.score.criteria.get(name)
    return Words(criterion.label_zh, criterion.label_en) if criterion else Words(name, name)


def _name(row: Mapping[Any, Any]) -> str:
    places = (row["estate_name"], row["building_name"], row["building_id"])
    known = [str(one) for one in places if isinstance(one, str)]
    return " ".join(dict.fromkeys(known))
