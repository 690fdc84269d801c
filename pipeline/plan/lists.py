"""The building list, and the lists of estates, communities and districts that sum it up."""

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.contracts.tables import BUILDING_RANKING
from pipeline.settings.plan import PlanSettings

TRACKS = ("ranked", "reserve", "hazard", "excluded")
TIERS = (1, 2, 3, 4, 5)


def building_list(
    buildings: gpd.GeoDataFrame, measurements: pd.DataFrame, ranking: pd.DataFrame
) -> pd.DataFrame:
    """Return everything known of each building in one row: by rank, then those without one by id."""
    told = pd.DataFrame(buildings.drop(columns="geometry"))
    others = ("cell_id", "main_road_path_point_number")
    scored = [name for name in ranking.columns if not name.endswith("_need_share")]
    measured = [name for name in measurements.columns if name not in others]
    ordered = ranking[scored].sort_values(["rank", "building_id"]).reset_index(drop=True)
    known = (measurements[measured], told[_told_columns(told)])
    beside = [_of_buildings(table, ordered["building_id"]) for table in known]
    return pd.concat([ordered, *beside], axis=1)


def _of_buildings(table: pd.DataFrame, building_id: pd.Series) -> pd.DataFrame:
    """Return the rows of these buildings in their order, without the id; a copy less than a merge."""
    place = pd.Index(table["building_id"]).get_indexer(pd.Index(building_id))
    if (place < 0).any():
        raise AssertionError(f"{(place < 0).sum()} ranked buildings are in no other table")
    return table.drop(columns="building_id").take(place).reset_index(drop=True)


def _told_columns(told: pd.DataFrame) -> list[str]:
    """Return the columns of the buildings that the list shows."""
    shown = BUILDING_RANKING.column_names
    return [name for name in told.columns if name in shown or name.endswith("_fault_share")]


def with_areas(listed: pd.DataFrame, cell_id: pd.Series) -> pd.DataFrame:
    """Return the list with the area each building is counted in: estate, else road, else grid cell.

    Estates go by their key, so two of one name stay two.
    """
    estate, road = listed["estate_id"], listed["road_name"]
    kind = np.where(estate.notna(), "estate", np.where(road.notna(), "road", "grid_cell"))
    row_type = pd.Series(kind, index=listed.index, dtype="str")
    area_key = estate.fillna(road).fillna(cell_id).astype("str")
    area_name = listed["estate_name"].where(estate.notna()).fillna(area_key)
    area_id = listed["district_name"].astype("str") + "/" + row_type + "/" + area_key
    return listed.assign(row_type=row_type, area_name=area_name, area_id=area_id)


def estate_priority(listed: pd.DataFrame) -> pd.DataFrame:
    """Return every area of ``with_areas``, in order of mean need within its district."""
    return _in_order(_totals(listed))


def community_priority(listed: pd.DataFrame) -> pd.DataFrame:
    """Return every community, in order of mean need within its district; empty if none is known."""
    rows = listed[listed["community_id"].notna()]
    return _in_order(
        _totals(
            rows.assign(
                row_type="community",
                area_id=community_area_id(rows),
                area_name=rows["community_name"].fillna(rows["community_id"]),
            )
        )
    )


def community_area_id(listed: pd.DataFrame) -> pd.Series:
    """Return the key of each building's community, empty where it is not known."""
    return listed["district_name"].astype("str") + "/community/" + listed["community_id"]


def district_priority(
    listed: pd.DataFrame, areas: pd.DataFrame, settings: PlanSettings
) -> pd.DataFrame:
    """Return one row for each district, then its top areas, in order of mean need.

    ``areas`` comes from ``estate_priority``. Areas with too few ranked buildings are counted in their
    district only.
    """
    districts = _totals(
        listed.assign(
            row_type="district",
            area_id=listed["district_name"],
            area_name=listed["district_name"],
        )
    )
    districts["district_rank"] = _order(districts)
    districts["area_rank"] = pd.array([pd.NA] * len(districts), dtype="Int64")
    top = areas[areas["ranked_count"] >= settings.min_area_building_count]
    top = top.merge(districts[["district_name", "district_rank"]], on="district_name")
    top = top.assign(area_rank=_order(top, by="district_name").astype("Int64"))
    top = top[top["area_rank"] <= settings.top_area_count]
    both = pd.concat([districts, top], ignore_index=True)
    both["_line"] = both["area_rank"].fillna(0)
    both = both.sort_values(["district_rank", "_line"], kind="stable")
    return both.drop(columns="_line").reset_index(drop=True)


def _in_order(totals: pd.DataFrame) -> pd.DataFrame:
    ordered = totals.assign(area_rank=_order(totals, by="district_name").astype("Int64"))
    return ordered.sort_values(["district_name", "area_rank"]).reset_index(drop=True)


def _totals(rows: pd.DataFrame) -> pd.DataFrame:
    """Return sums and means of each area; need, ranks and tiers are those of its ranked buildings."""
    track, tier = rows["track_type"], rows["tier_number"]
    is_ranked = track == "ranked"
    floor, households = rows["floor_area_m2"], rows["household_count"].astype("Float64")
    parts: dict[str, pd.Series] = {f"{name}_count": track == name for name in TRACKS}
    known: dict[str, pd.Series] = {}
    for number in TIERS:
        inside = (tier == number).fillna(False).astype(bool)
        parts[f"tier_{number}_count"] = inside
        known[f"tier_{number}_household_count"] = households.where(inside)
        known[f"tier_{number}_floor_area_m2"] = floor.where(inside)
    grouped = rows.assign(
        **parts,
        **known,
        _floor_known=floor.notna(),
        _score=rows["score_points"].where(is_ranked),
        _ready=rows["readiness_share"],
    ).groupby(["district_name", "row_type", "area_id"], sort=True)
    totals = grouped.agg(
        area_name=("area_name", "first"),
        building_count=("building_id", "size"),
        **{name: (name, "sum") for name in parts},
        score_mean_points=("_score", "mean"),
        score_median_points=("_score", "median"),
        rank_best=("rank", "min"),
        rank_p05_median=("rank_p05", "median"),
        rank_p95_median=("rank_p95", "median"),
        top_share=("top_share", "mean"),
        readiness_share=("_ready", "mean"),
        footprint_area_sum_m2=("footprint_area_m2", "sum"),
        floor_area_known_share=("_floor_known", "mean"),
        longitude_deg=("longitude_deg", "mean"),
        latitude_deg=("latitude_deg", "mean"),
    ).reset_index()
    totals["floor_area_sum_m2"] = grouped["floor_area_m2"].sum(min_count=1).to_numpy()
    totals["household_sum_count"] = grouped["household_count"].sum(min_count=1).to_numpy()
    for name in known:
        tier_count = totals[f"{name[: len('tier_1')]}_count"]
        summed = pd.Series(grouped[name].sum(min_count=1).to_numpy(), dtype="Float64")
        totals[name] = summed.mask(tier_count == 0, 0)
    whole = ["rank_p05_median", "rank_p95_median", "household_sum_count"]
    whole += [name for name in totals.columns if name.endswith("_count")]
    for name in dict.fromkeys(whole):
        totals[name] = totals[name].astype("Float64").round().astype("Int64")
    for name in ("score_mean_points", "score_median_points"):
        totals[name] = totals[name].round(3)
    return totals


def _order(totals: pd.DataFrame, by: str | None = None) -> pd.Series:
    """Return 1 for the highest mean need, within each group of ``by`` if given; none ranked is last."""
    arranged = totals.sort_values(
        ["score_mean_points", "rank_best", "area_id"], ascending=[False, True, True]
    )
    if by is None:
        number = pd.Series(np.arange(1, len(arranged) + 1), index=arranged.index)
    else:
        number = arranged.groupby(by).cumcount() + 1
    return number.reindex(totals.index)
