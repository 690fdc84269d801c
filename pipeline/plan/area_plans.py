"""What is planned in each area: projects, households, money, the first year, and what owners said."""

from collections.abc import Mapping

import pandas as pd

from pipeline.contracts.tables import PLAN_LINES, PLAN_PROJECTS, Table
from pipeline.plan.lists import community_area_id

_COUNTS = ("planned_project_count", "planned_household_count")
_MONEY = {"planned_cost_cny": "payment_cny", "planned_public_cny": "public_cny"}
_SEEN = ("first_planned_year", "asked_household_share", "agreed_household_share")


def area_plans(
    placed: pd.DataFrame, of_buildings: pd.DataFrame, tables: Mapping[Table, pd.DataFrame]
) -> pd.DataFrame:
    """Return what is planned in each district, area and community, indexed by ``area_id``.

    ``placed`` comes from ``with_areas``, ``of_buildings`` and ``tables`` are of ``Planned``. A project
    counts once at each of the three levels, in its own district and there where most of its floor area
    stands, so that sums over districts, and over areas, are those of the plan. The first year and what
    owners said go by building. Areas without a building on the planned tracks are absent.
    """
    projects = _planned_projects(tables)
    areas = placed[["building_id", "district_name", "area_id", "community_id"]]
    places = _places(areas.join(of_buildings, on="building_id", how="inner"))
    keys = ["level", "project_id", "district_name", "area_id"]
    floor = places.groupby(keys, sort=True)["floor_area_m2"].sum().reset_index()
    main = floor.sort_values(
        ["level", "project_id", "floor_area_m2", "area_id"], ascending=[True, True, False, True]
    )
    main = main.merge(projects, on=["project_id", "district_name"])
    main = main.drop_duplicates(["level", "project_id"])
    sums = main.groupby("area_id")[[*_COUNTS, *_MONEY]].sum()
    sums[[*_MONEY]] = sums[[*_MONEY]] / 100
    return sums.join(_seen(places), how="outer")


def with_plans(sums: pd.DataFrame, plans: pd.DataFrame) -> pd.DataFrame:
    """Return sums of areas with the columns of ``area_plans``: nothing planned is 0."""
    joined = sums.join(plans, on="area_id")
    return joined.assign(**{name: joined[name].fillna(0) for name in (*_COUNTS, *_MONEY)})


def _planned_projects(tables: Mapping[Table, pd.DataFrame]) -> pd.DataFrame:
    """Return id, district and figures of each planned project; money in cents."""
    lines = tables[PLAN_LINES]
    cents = (lines[[*_MONEY.values()]].astype("float64") * 100).round().astype("int64")
    cents = cents.groupby(lines["project_id"]).sum()
    projects = tables[PLAN_PROJECTS]
    projects = projects[projects["planned_year"].notna()]
    return projects[["project_id", "district_name"]].assign(
        planned_project_count=1,
        planned_household_count=projects["household_plan_count"].astype("int64"),
        # without a planned project the map of no ids would be a column of texts
        **{
            name: projects["project_id"].map(cents[of]).astype("float64")
            for name, of in _MONEY.items()
        },
    )


def _places(members: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each building and each of the areas that it belongs to."""
    kept = ["project_id", "district_name", "floor_area_m2", "household_count", "is_asked",
            "has_agreed", "planned_year"]  # fmt: skip
    levels = {
        "district": members["district_name"],
        "area": members["area_id"],
        "community": community_area_id(members),
    }
    rows = [members[kept].assign(level=name, area_id=one) for name, one in levels.items()]
    both = pd.concat(rows, ignore_index=True)
    return both[both["area_id"].notna()]


def _seen(places: pd.DataFrame) -> pd.DataFrame:
    """Return the first year of works, and the shares of households asked and of those who agreed."""
    households = places["household_count"].astype("float64")
    parts = places.assign(
        _all=households,
        _asked=households.where(places["is_asked"].astype(bool), 0.0),
        _agreed=households.where(places["has_agreed"].astype(bool), 0.0),
        planned_year=places["planned_year"].astype("Float64"),
    ).groupby("area_id")
    sums = parts[["_all", "_asked", "_agreed"]].sum()
    known = sums["_all"].where(sums["_all"] > 0)
    found = (parts["planned_year"].min(), sums["_asked"] / known, sums["_agreed"] / known)
    return pd.concat(found, axis=1, keys=_SEEN)
