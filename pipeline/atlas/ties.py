"""The order of the page: places among equal scores, and a check that it is the order of the tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.problem import Problem
from pipeline.rules.rank_order import ranks, tier_numbers


def tie_places(table: pd.DataFrame, tie_breaks: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each row if all scores were equal: larger tie breaks first, then the id."""
    keys = [real_numbers(table[name]) for name in tie_breaks]
    return ranks(np.zeros(len(table), dtype=np.int64), keys, table["building_id"]) - 1


def tie_shift(place: NDArray[np.int64], keys: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the true place among ties minus the one that whole-number keys tell, rows deciding last.

    The page knows the keys already, so that only what their rounding hides must be told.
    """
    rows = np.arange(len(place))
    return place - places(np.lexsort([rows, *(-key for key in reversed(keys))]))


def places(order: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the place of each row in an order of all rows."""
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.arange(len(order))
    return found


def check_order(
    table: pd.DataFrame, rank: Floats, score: NDArray[np.int64], place: NDArray[np.int64]
) -> None:
    """Stop if the page would put the buildings in another order than ``rank``; NaN is unranked."""
    lifted = flags(table, "is_lifted")
    has_rank = np.flatnonzero(~np.isnan(rank))
    order = has_rank[np.lexsort([place[has_rank], -score[has_rank], ~lifted[has_rank]])]
    _stop_at(table, order[rank[order] != np.arange(1, len(order) + 1)], "rank")


def check_tiers(table: pd.DataFrame, upper_rank_shares: Sequence[float]) -> None:
    """Stop if the page would put a building in another tier than the table."""
    rank = real_numbers(table["rank"])
    has_rank = ~np.isnan(rank)
    tier = np.zeros(len(table))
    tier[has_rank] = tier_numbers(
        rank[has_rank].astype(np.int64), upper_rank_shares, flags(table, "is_lifted")[has_rank]
    )
    is_wrong = has_rank & (tier != real_numbers(table["tier_number"]))
    _stop_at(table, np.flatnonzero(is_wrong), "tier_number")


def _stop_at(table: pd.DataFrame, rows: NDArray[np.intp], column: str) -> None:
    if len(rows):
        row, stated = rows[0], real_numbers(table[column])
        raise Problem(
            f"atlas ← ranking.{column}",
            f"{len(rows):,} of {len(table):,} rows stand elsewhere than score and tie breaks tell "
            f"(first: {table['building_id'].iloc[row]}, {column} {stated[row]:.0f})",
            expected="the same order in the table and on the page",
            fix="delete this city's data/processed and run again; if it stays, report this",
        )


def flags(table: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Return a yes/no column; no where it is empty or not there."""
    if name not in table.columns:
        return np.zeros(len(table), dtype=bool)
    return np.asarray(table[name].fillna(False).to_numpy(dtype=bool))


def real_numbers(values: "pd.Series[Any]") -> Floats:
    """Return a column as floats, NaN where empty."""
    if values.dtype == np.float64:
        return np.asarray(values.to_numpy())
    numbers = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    return np.asarray(numbers, dtype=np.float64)
