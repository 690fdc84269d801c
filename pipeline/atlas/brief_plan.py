"""What the annual plan means for a district: works begun and money by year, and for each area."""

from collections.abc import Sequence
from dataclasses import dataclass

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
    chosen = listed[listed["area_id"].isin(area_ids)]
    members = listed[listed["project_id"].isin(chosen["project_id"].dropna().unique())]
    areas_of = members.groupby("project_id")["area_id"].nunique()
    own = projects[projects["planned_year"].notna()].set_index("project_id")["cost_cny"]
    found = {}
    for area_id, rows in chosen.groupby("area_id", sort=True):
        years = rows["planned_year"].dropna()
        inside = [
            project
            for project in sorted(rows["project_id"].dropna().unique())
            if areas_of[project] == 1 and project in own.index
        ]
        found[str(area_id)] = AreaPlan(
            int(years.min()) if len(years) else None,
            int(years.max()) if len(years) else None,
            len(years),
            float(own[inside].sum()) if inside else None,
        )
    return found
