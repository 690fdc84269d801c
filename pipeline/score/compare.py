"""Two rankings side by side: who entered and left the top, and whether data or weights moved whom.

A building's points change by criterion for two reasons: its need changed, or the weight did. The change
of w × n is split at the middle: data at the mean weight, weights at the mean need (Shapley's split of a
product of two), so that the parts add up to the change exactly, whichever ranking comes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.numbers import plain_numbers
from pipeline.geo.raster import Floats

OUTCOMES = (
    "entered_top", "left_top", "rose", "fell", "same", "gained_rank", "lost_rank", "new", "gone",
    "never_ranked",
)  # fmt: skip
_PLACES = (
    "building_name", "district_name", "subdistrict_name", "community_name", "estate_name",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One ranking: its table, its building list and its weights."""

    ranking: pd.DataFrame
    listed: pd.DataFrame
    weights: Mapping[str, float]


def comparison(before: Run, after: Run, *, top_share: float) -> pd.DataFrame:
    """Return a row for each building of either run: ranks, scores, and what its points changed by.

    Sorted by the rank after, then before, then id. ``{}_data_points`` and ``{}_weight_points`` of all
    criteria add up to ``score_change_points``, which is empty for buildings of one run only.
    """
    ids = sorted(set(before.ranking["building_id"]) | set(after.ranking["building_id"]))
    old, new = (run.ranking.set_index("building_id").reindex(ids) for run in (before, after))
    table: dict[str, Any] = {"building_id": ids, **_places(before, after, ids)}
    for side, ranking in (("before", old), ("after", new)):
        table[f"track_{side}_type"] = ranking["track_type"].to_numpy()
        table[f"rank_{side}"] = ranking["rank"].astype("Int64").to_numpy()
        table[f"score_{side}_points"] = plain_numbers(ranking["score_points"])
    criteria = list(dict.fromkeys([*before.weights, *after.weights]))
    parts = _split(old, new, criteria, before.weights, after.weights)
    change = np.round(table["score_after_points"] - table["score_before_points"], 3)
    for name in ("data", "weight"):
        whole = [parts[f"{one}_{name}_points"] for one in criteria]
        table[f"{name}_change_points"] = np.round(np.sum(whole, axis=0), 3)
    frame = pd.DataFrame(table | {"score_change_points": change} | parts)
    frame["rank_gain_count"] = frame["rank_before"] - frame["rank_after"]
    frame["outcome_type"] = _outcomes(frame, old, new, top_share)
    frame["cause_type"], frame["cause_criterion_name"] = _causes(frame, parts)
    return frame.sort_values(
        ["rank_after", "rank_before", "building_id"], kind="stable", na_position="last"
    ).reset_index(drop=True)


def top_count(ranking: pd.DataFrame, top_share: float) -> int:
    """Return how many buildings are the top of a ranking, at least one."""
    return max(1, int(top_share * ranking["rank"].notna().sum() + 1e-9))


def _places(before: Run, after: Run, ids: list[str]) -> dict[str, Any]:
    old, new = (run.listed.set_index("building_id").reindex(ids) for run in (before, after))
    return {name: new[name].fillna(old[name]).to_numpy() for name in _PLACES}


def _split(
    old: pd.DataFrame,
    new: pd.DataFrame,
    criteria: list[str],
    old_weights: Mapping[str, float],
    new_weights: Mapping[str, float],
) -> dict[str, Floats]:
    parts = {}
    for name in criteria:
        w = [weights.get(name, 0.0) for weights in (old_weights, new_weights)]
        need = [_column(side, f"{name}_need_share") for side in (old, new)]
        # a criterion that one run left out has no need there: all of its change is weight
        n = [np.where(np.isnan(one), other, one) for one, other in (need, need[::-1])]
        points = [np.nan_to_num(_column(side, f"{name}_points")) for side in (old, new)]
        is_both = old["score_points"].notna() & new["score_points"].notna()
        data = np.round(100 * (w[0] + w[1]) / 2 * (n[1] - n[0]), 3)
        data = np.where(is_both, np.nan_to_num(data), np.nan)
        parts[f"{name}_data_points"] = data
        # points are rounded, so the weights' part is what is left of their change
        parts[f"{name}_weight_points"] = np.round(points[1] - points[0] - data, 3)
    return parts


def _column(table: pd.DataFrame, name: str) -> Floats:
    return plain_numbers(table[name]) if name in table else np.full(len(table), np.nan)


def _outcomes(
    frame: pd.DataFrame, old: pd.DataFrame, new: pd.DataFrame, top_share: float
) -> NDArray[np.str_]:
    before, after = (plain_numbers(frame[f"rank_{side}"]) for side in ("before", "after"))
    was_there, is_there = (side["score_points"].notna().to_numpy() for side in (old, new))
    with np.errstate(invalid="ignore"):
        was_top = before <= top_count(old, top_share)
        is_top = after <= top_count(new, top_share)
        rose, fell = after < before, after > before
    was_ranked, is_ranked = ~np.isnan(before), ~np.isnan(after)
    return np.select(
        [
            ~was_there,
            ~is_there,
            is_top & ~was_top,
            was_top & ~is_top,
            ~was_ranked & is_ranked,
            was_ranked & ~is_ranked,
            ~was_ranked,
            rose,
            fell,
        ],
        [
            "new", "gone", "entered_top", "left_top", "gained_rank", "lost_rank", "never_ranked",
            "rose", "fell",
        ],
        "same",
    )  # fmt: skip


def _causes(
    frame: pd.DataFrame, parts: Mapping[str, Floats]
) -> tuple[NDArray[np.str_], "pd.Series[Any]"]:
    """Return what moved each building most, and the criterion by which; others, if not itself."""
    names = list(parts)
    sizes = np.abs(np.nan_to_num(np.stack([parts[name] for name in names], axis=1)))
    largest = sizes.argmax(axis=1)
    kind = np.array(["data" if name.endswith("_data_points") else "weight" for name in names])
    owner = np.array([name.rsplit("_", 2)[0] for name in names])
    is_own = sizes.max(axis=1) > 0
    moved = (frame["rank_gain_count"].fillna(0) != 0).to_numpy(dtype=bool)
    track = frame["track_before_type"].fillna("") != frame["track_after_type"].fillna("")
    cause = np.select(
        [track.to_numpy(dtype=bool), is_own, moved], ["track", kind[largest], "others"], "none"
    )
    criterion = pd.Series(owner[largest], dtype="str").where(np.isin(cause, ["data", "weight"]))
    return cause, criterion
