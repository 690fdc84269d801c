"""The building list and the district list."""

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.contracts.tables import BUILDING_RANKING
from pipeline.settings.plan import PlanSettings


def building_list(
    buildings: gpd.GeoDataFrame, measurements: pd.DataFrame, ranking: pd.DataFrame
) -> pd.DataFrame:
    """Return everything known of each ranked building in one row, sorted by rank."""
    middle = buildings.geometry.representative_point().to_crs("EPSG:4326")
    told = pd.DataFrame(buildings.drop(columns="geometry")).assign(
        longitude_deg=middle.x.round(6), latitude_deg=middle.y.round(6)
    )
    needs = [name for name in ranking.columns if name.endswith("_need_share")]
    joined = (
        ranking.drop(columns=needs)
        .merge(measurements, on="building_id", validate="one_to_one")
        .merge(told[_told_columns(told)], on="building_id", validate="one_to_one")
    )
    others = [name for name in ("cell_id", "main_road_path_point_number") if name in joined]
    return joined.drop(columns=others).sort_values("rank").reset_index(drop=True)


def _told_columns(told: pd.DataFrame) -> list[str]:
    """Return the columns of the buildings that the list shows."""
    shown = BUILDING_RANKING.column_names
    return [name for name in told.columns if name in shown or name.endswith("_fault_share")]


def with_areas(ranked: pd.DataFrame, cell_id: pd.Series) -> pd.DataFrame:
    """Return the list with the area each building is counted in: estate, else road, else grid cell.

    Estates go by their key, so two of one name stay two.
    """
    estate, road = ranked["estate_id"], ranked["road_name"]
    kind = np.where(estate.notna(), "estate", np.where(road.notna(), "road", "grid_cell"))
    row_type = pd.Series(kind, index=ranked.index, dtype="str")
    area_key = estate.fillna(road).fillna(cell_id).astype("str")
    area_name = ranked["estate_name"].where(estate.notna()).fillna(area_key)
    area_id = ranked["district_name"].astype("str") + "/" + row_type + "/" + area_key
    return ranked.assign(row_type=row_type, area_name=area_name, area_id=area_id)


def district_priority(ranked: pd.DataFrame, settings: PlanSettings) -> pd.DataFrame:
    """Return one row for each district, then its top areas, in order of mean score.

    ``ranked`` comes from ``with_areas``. Areas with too few buildings are counted in their district
    only.
    """
    district_rows = ranked.assign(
        row_type="district",
        area_id=ranked["district_name"],
        area_name=ranked["district_name"],
    )
    districts = _totals(district_rows)
    districts["district_rank"] = _order(districts)
    districts["area_rank"] = pd.NA
    areas = _totals(ranked)
    areas = areas[areas["building_count"] >= settings.min_area_building_count]
    areas = areas.merge(districts[["district_name", "district_rank"]], on="district_name")
    areas["area_rank"] = _order(areas, by="district_name")
    areas = areas[areas["area_rank"] <= settings.top_area_count]
    both = pd.concat(
        [districts.astype({"area_rank": "Int64"}), areas.astype({"area_rank": "Int64"})],
        ignore_index=True,
    )
    both["_line"] = both["area_rank"].fillna(0)
    both = both.sort_values(["district_rank", "_line"], kind="stable")
    return both.drop(columns="_line").reset_index(drop=True)


def _totals(rows: pd.DataFrame) -> pd.DataFrame:
    grouped = rows.assign(
        _tier_1=rows["tier_number"] == 1,
        _tier_2=rows["tier_number"] == 2,
        _floor_known=rows["floor_area_m2"].notna(),
    ).groupby(["district_name", "row_type", "area_id"], sort=True)
    totals = grouped.agg(
        area_name=("area_name", "first"),
        building_count=("building_id", "size"),
        tier_1_count=("_tier_1", "sum"),
        tier_2_count=("_tier_2", "sum"),
        score_mean_points=("score_points", "mean"),
        score_median_points=("score_points", "median"),
        rank_best=("rank", "min"),
        footprint_area_sum_m2=("footprint_area_m2", "sum"),
        floor_area_known_share=("_floor_known", "mean"),
        longitude_deg=("longitude_deg", "mean"),
        latitude_deg=("latitude_deg", "mean"),
    ).reset_index()
    totals["floor_area_sum_m2"] = grouped["floor_area_m2"].sum(min_count=1).to_numpy()
    households = grouped["household_count"].sum(min_count=1)
    totals["household_sum_count"] = households.astype("Int64").to_numpy()
    for name in ("score_mean_points", "score_median_points"):
        totals[name] = totals[name].round(3)
    return totals


def _order(totals: pd.DataFrame, by: str | None = None) -> pd.Series:
    """Return 1 for the highest mean score, within each group of ``by`` if given."""
    arranged = totals.sort_values(
        ["score_mean_points", "rank_best", "area_id"], ascending=[False, True, True]
    )
    if by is None:
        number = pd.Series(np.arange(1, len(arranged) + 1), index=arranged.index)
    else:
        number = arranged.groupby(by).cumcount() + 1
    return number.reindex(totals.index)
