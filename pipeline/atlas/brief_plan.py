"""What the annual plan means for a district: works begun and money by year, and for each area."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

WAN_CNY = 10_000


@dataclass(frozen=True)
class PlanYear:
    """One year of the plan in one district."""

    year: int
    begun_building_count: int
    payment_cny: float
    public_cny: float


@dataclass(frozen=True)
class AreaPlan:
    """When the works of an area are planned, and what they cost."""

    first_year: int | None
    """Empty if none of its buildings is in the plan."""
    last_year: int | None
    planned_building_count: int
    cost_cny: float | None
    """Of the projects in the plan that lie wholly in the area; empty if there is none."""


def plan_years(summary: pd.DataFrame, district_name: str) -> tuple[PlanYear, ...]:
    """Return the years of the plan in a district, from the plan's summary, in their order."""
    rows = summary[summary["district_name"] == district_name].sort_values("plan_year")
    return tuple(
        PlanYear(
            int(row["plan_year"]),
            int(row["begun_building_count"]),
            float(row["payment_cny"]),
            float(row["public_cny"]),
        )
        for row in rows.to_dict("records")
    )


def area_plans(
    listed: pd.DataFrame, projects: pd.DataFrame, area_ids: Sequence[str]
) -> dict[str, AreaPlan]:
    """Return the plan of each area by its id.

    Parameters
    ----------
    listed
        The whole building list with ``area_id``, ``project_id`` and ``planned_year``.
    projects
        The plan's projects.
    """
    shown = list(dict.fromkeys(area_ids))
    place = pd.Index(shown).get_indexer(pd.Index(listed["area_id"]))
    area_of = listed["area_id"].to_numpy(dtype=object)
    project_of = listed["project_id"].to_numpy(dtype=object)
    year_of = listed["planned_year"].to_numpy(dtype=float, na_value=np.nan)
    has_project = listed["project_id"].notna().to_numpy()
    areas_of: dict[str, set[str]] = {key: set() for key in project_of[has_project & (place >= 0)]}
    for project, area in zip(project_of[has_project], area_of[has_project], strict=True):
        if project in areas_of:
            areas_of[project].add(area)
    planned = projects[projects["planned_year"].notna()]
    cost = dict(zip(planned["project_id"], planned["cost_cny"], strict=True))
    found = {}
    for number, area_id in enumerate(shown):
        is_here = place == number
        if not is_here.any():
            continue
        years = year_of[is_here & ~np.isnan(year_of)]
        inside = [
            cost[project]
            for project in sorted(set(project_of[is_here & has_project]))
            if len(areas_of[project]) == 1 and project in cost
        ]
        found[str(area_id)] = AreaPlan(
            int(years.min()) if len(years) else None,
            int(years.max()) if len(years) else None,
            len(years),
            float(np.array(inside).sum()) if inside else None,
        )
    return found
