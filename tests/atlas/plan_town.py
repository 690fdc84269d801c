"""The small town with an annual plan, as the plan stage would hand it on."""

import dataclasses

import pandas as pd

from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import (
    BUILDING_RANKING,
    DISTRICT_PRIORITY,
    PLAN_PROJECTS,
    PLAN_SUMMARY,
)
from tests.atlas import town


def inputs() -> Inputs:
    """Return the town with ten areas of long names, two projects, one planned, over five years."""
    base = town.inputs(is_synthetic=True)
    listed = base.tables[BUILDING_RANKING]
    planned = listed["building_id"].isin(["B1", "B2"])
    listed = listed.assign(
        project_id=["P1" if one else "P2" for one in planned],
        planned_year=pd.array([2027 if one else None for one in planned], dtype="Int64"),
    )
    projects = pd.DataFrame(
        {
            "project_id": ["P1", "P2"],
            "planned_year": pd.array([2027, None], dtype="Int64"),
            "cost_cny": [1_234_000.0, 9_999_000.0],
            "unit_cost_cny_per_m2": [500.0, 700.0],
        }
    )
    summary = pd.DataFrame(
        {
            "district_name": "<i>区</i>",
            "plan_year": [2026, 2027, 2028, 2029, 2030],
            "begun_building_count": [0, 2, 0, 0, 0],
            "payment_cny": [0.0, 1_000_000.0, 234_000.0, 0.0, 0.0],
            "public_cny": [0.0, 700_000.0, 100_000.0, 0.0, 0.0],
        }
    )
    areas = base.tables[DISTRICT_PRIORITY]
    ten = pd.concat([areas[:1], *[areas[1:]] * 10], ignore_index=True)
    ten["area_rank"] = pd.array([None, *range(1, 11)], dtype="Int64")
    ten["area_name"] = [town.NAMES["B6"] if number % 2 else town.ROAD * 9 for number in range(11)]
    tables = {
        **base.tables,
        BUILDING_RANKING: listed,
        DISTRICT_PRIORITY: ten,
        PLAN_PROJECTS: projects,
        PLAN_SUMMARY: summary,
    }
    return dataclasses.replace(base, tables=tables)
