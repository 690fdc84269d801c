"""How many values each column of a source states, and how many of them intake takes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.raw import FeatureTable
from pipeline.contracts.source_columns import distinct, field
from pipeline.intake.features import as_list
from pipeline.intake.rejects import Rejects
from pipeline.intake.words import UseWords
from pipeline.intake.years import says_no_year
from pipeline.settings.city import SHAPE_COLUMNS, Source
from pipeline.settings.intake import HousingRule

_COLUMN_OF = {"construction_year": "construction_year_text"}
"""What a reject calls a column that the profile calls otherwise."""
_STAYS = {
    "area_in_mu", "area_in_wan_m2", "position_contradicted", "swapped_lon_lat", "year_contradicted",
}  # fmt: skip
"""Told of a value that is converted, or that serves as a check only."""
_TAKEN_AS = {"construction_year_text": "construction_year_low"}
_UNTOLD = ("building_id", "building_use_type")
"""Columns that are always filled, whatever was understood of them."""


def stated_texts(raw: Any, source: Source) -> pd.DataFrame:
    """Return the cells of a table or layer by our columns, as written; its row number is the index."""
    table = raw.fields if isinstance(raw, FeatureTable) else raw
    columns = [c for c in source.columns if c not in (*SHAPE_COLUMNS, *source.constants)]
    texts = {column: field(table, source, column) for column in sorted(columns)}
    return pd.DataFrame(texts, index=table.index).set_axis(
        [str(number + 1) for number in range(len(table))]
    )


def column_accounts(
    texts: pd.DataFrame, rejects: Rejects, taken: Mapping[str, int] | None = None
) -> dict[str, dict[str, Any]]:
    """Return for each column how many rows state something, and what became of it.

    Parameters
    ----------
    texts
        Cells by our columns, the row's name as index; empty or missing where nothing stands.
    taken
        Column → values counted in the tables that intake made; where a column is absent, what the
        rejects leave.

    Returns
    -------
    Column → ``stated`` in the whole file, ``stated_in_used_rows``, ``taken``, and where values were
    lost ``reasons`` with their counts and ``examples``, the first row of each.
    """
    left_out = rejects.left_out
    is_used = ~texts.index.isin(list(left_out))
    lost: dict[str, list[tuple[str, str, str]]] = {}
    for row, scope, name, reason, detail in rejects.records:
        if scope == "value" and name and reason not in _STAYS and row not in left_out:
            lost.setdefault(_COLUMN_OF.get(name, name), []).append((reason, row, detail))
    accounts: dict[str, dict[str, Any]] = {}
    for column in texts.columns:
        is_stated = (texts[column].notna() & (texts[column] != "")).to_numpy()
        if column == "construction_year_text":
            said, place = distinct(texts[column])
            is_stated = (
                is_stated & ~np.array([says_no_year(text) for text in said], dtype=bool)[place]
            )
        mine = lost.get(column, [])
        in_used = int((is_stated & is_used).sum())
        found = (taken or {}).get(column, in_used - len({row for _, row, _ in mine}))
        accounts[column] = {
            "stated": int(is_stated.sum()),
            "stated_in_used_rows": in_used,
            "taken": min(max(found, 0), in_used),
        }
        if mine:
            counted = Counter(reason for reason, _, _ in mine)
            accounts[column]["reasons"] = dict(sorted(counted.items()))
            first = {reason: f"{row}: {detail[:80]}" for reason, row, detail in reversed(mine)}
            accounts[column]["examples"] = dict(sorted(first.items()))
    return accounts


def taken_counts(buildings: pd.DataFrame, columns: Sequence[str]) -> dict[str, int]:
    """Return how many buildings have a value of each column, as the table says."""
    counts = {}
    for column in columns:
        name = _TAKEN_AS.get(column, column)
        if column in _UNTOLD or name not in buildings:
            continue
        known = buildings[name].notna()
        if column == "storey_count":  # from the height is not stated
            known &= buildings["storey_count_origin"] == "recorded"
        if column == "construction_year_text":
            known |= buildings["construction_year_high"].notna()
        counts[column] = int(known.sum())
    return counts


def use_counts(
    buildings: pd.DataFrame, rule: HousingRule, values: Mapping[str, str]
) -> dict[str, int]:
    """Return how many buildings of a source are housing, something else, or state no use.

    ``unknown`` counts those whose words nobody declared. Unspecific words such as OpenStreetMap's
    ``yes`` state no use; those that the profile assumes are housing.
    """
    words = UseWords(rule, values)
    found = dict.fromkeys(("housing", "other", "not_stated", "unknown"), 0)
    uses = as_list(buildings["building_use_type"].astype("str"))
    counted = Counter(zip(uses, buildings["is_housing"].tolist(), strict=True))
    for (use, is_housing), count in counted.items():
        if is_housing:
            kind = "housing"
        elif not use.strip() or words.kind(use) == "unspecific":
            kind = "not_stated"
        else:
            kind = "unknown" if words.housing(use, False)[1] else "other"
        found[kind] += count
    return found
