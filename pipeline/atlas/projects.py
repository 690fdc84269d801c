"""The projects of the plan as the page tells them: works, cost and purse, year and why, consent."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.atlas.packing import Pack
from pipeline.atlas.ties import real_numbers
from pipeline.pages.entry_words import entry_words
from pipeline.pages.terms import FUNDS, READINESS, WAITS
from pipeline.pages.words import Words
from pipeline.settings.whole import Settings

MONEY = (
    "cost_cny", "public_cny", "central_cny", "municipal_cny", "district_cny", "special_bond_cny",
    "private_cny", "resident_cny", "maintenance_fund_cny",
)  # fmt: skip
"""Packed in hundreds of yuan, as cents of 万元."""
YUAN_PER_STEP = 100
NUMBERS: tuple[tuple[str, int], ...] = (
    ("household_plan_count", 0),
    ("relief_households", 1),
    ("need_households", 1),
    ("funded_share", 3),
    ("favour_owner_share", 3),
    ("ready_year", 0),
    ("planned_year", 0),
    ("replacement_households", 1),
)
CATEGORIES = ("readiness_type", "wait_reason_code", "pilot_reason_code")
PILOT_REASONS = {
    "agrees_and_neediest": Words("已同意楼栋中需求最大", "neediest of those that agree"),
    "closest_to_agreeing": Words("最接近同意", "closest to agreeing"),
    "neediest_not_asked": Words("未征求意见楼栋中需求最大", "neediest of those not asked"),
}


def add_projects(
    pack: Pack, rows: pd.DataFrame, projects: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Pack the project of each building, and what is told of these projects, by column.

    ``project`` holds the place of a building's project in the columns ``projects.…``, -1 for none.
    Columns that the plan has not are left out. Returns the words that the page needs for them.
    """
    if "project_id" not in rows or not len(projects):
        return {"project_words": {}}
    places, keys = pd.factorize(rows["project_id"])
    pack.numbers("project", places)
    table = projects.set_index("project_id").reindex(keys)
    pack.codes("projects.id", table.index.astype("str"))
    for name in MONEY:
        if name in table:
            pack.measures(f"projects.{name}", real_numbers(table[name]) / YUAN_PER_STEP, decimals=0)
    for name, decimals in NUMBERS:
        if name in table:
            pack.measures(f"projects.{name}", real_numbers(table[name]), decimals=decimals)
    for name in CATEGORIES:
        if name in table:
            pack.categories(f"projects.{name}", table[name])
    if "planned_works_codes" in rows:
        first = np.unique(places[places >= 0], return_index=True)[1]
        own = rows["planned_works_codes"].to_numpy(dtype=object)[places >= 0][first]
        pack.categories("projects.works", pd.Series(own, dtype="object"))
    if "pilot_building_id" in table:
        pack.codes("projects.pilot", table["pilot_building_id"].fillna("").astype("str"))
    if "entry_type" in table:
        told = [entry_words(row) for row in table.reset_index().to_dict("records")]
        for language in ("zh", "en"):
            said = [getattr(words, language) if words else "" for words in told]
            pack.texts(f"projects.entry.{language}", said)
    works = {
        code: {"zh": one.label_zh, "en": one.label_en}
        for code, one in settings.plan.measures.items()
    }
    terms = {"readiness": READINESS, "wait": WAITS, "pilot": PILOT_REASONS, "fund": FUNDS}
    told_words = {
        kind: {code: words._asdict() for code, words in known.items()}
        for kind, known in terms.items()
    }
    return {"project_words": told_words | {"works": works}}
