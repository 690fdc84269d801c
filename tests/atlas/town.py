"""A town of six ranked buildings, whose points were worked out by hand.

Weights: climb 0.6, slope 0.4; so need 0.25 and 0.5 give 15 and 20 points. ``B1`` is a square with a
square hole, ``B2`` two squares apart. Coordinates are metres from ``ORIGIN`` in EPSG:32648.
"""

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import (
    BUILDING_RANKING,
    BUILDINGS,
    DISTRICT_PRIORITY,
    DISTRICTS,
    MAIN_ROAD_PATHS,
    MEASUREMENTS,
    PLAN_PROJECTS,
    PLAN_SUMMARY,
    RANKING,
    REJECTS,
    STREET_EDGES,
    WATER,
)
from pipeline.geo.raster import Raster
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

CRS = "EPSG:32648"
ORIGIN = (655_000.0, 3_270_000.0)
CELL_M = 20.0
IDS = ["B1", "B2", "B3", "B4", "B5", "B6"]
NAMES = {
    "B1": "红楼",
    "B2": '=HYPERLINK("http://example.invalid","点")\u202e',
    "B3": "<img src=x onerror=alert(1)>",
    "B4": "{{7*7}} ${1+1}",
    "B5": "</script><script>alert(2)</script>",
    "B6": "长" * 300,
}
ROAD = "<b onclick=alert(3)>十八梯</b>"
NEED = {"climb": [1, 0.5, 0.25, 0.1, 0.0001, 0], "slope": [1, 1, 0.5, 0.2, 0.3333, 0.5]}
POINTS = {"climb": [60, 30, 15, 6, 0.006, 0], "slope": [40, 40, 20, 8, 13.332, 20]}
SCORE = [100, 70, 35, 14, 13.338, 20]
RANK = [1, 2, 3, 5, 6, 4]
TIER = [1, 2, 3, 4, 5, 3]
TIER_SHARES = [0.17, 0.34, 0.67, 0.84, 1.0]
"""Of six buildings: one, one, two, one, one."""
CLIMB_M = [41.2, 16.5, 9.75, 5.7, 3.0027, 1.0]
SLOPE_DEG = [30, 25, 15, 9, 11.666, np.nan]
PATH_POINTS = [(90, -20), (90, 60), (90, 110), (30, -20), (90, 130), (90, 20)]
PATH_NEXT = [None, 5, 1, None, 2, 0]
PATH_ELEVATION_M = [250.0, 262.0, 270.5, 251.0, 274.0, 249.0]
PATH_BEGIN = {"B1": 3, "B3": 2, "B4": 4}
"""Where walks begin: ``B3`` goes down the steps at x = 90, ``B1`` stands at the road."""
WEIGHTS = {"climb": 0.6, "slope": 0.4}


def square(x: float, y: float, side: float) -> shapely.Polygon:
    """Return a square by its south-west corner, metres from ``ORIGIN``."""
    x, y = ORIGIN[0] + x, ORIGIN[1] + y
    return shapely.box(x, y, x + side, y + side)


def shapes() -> list[shapely.Geometry]:
    """Return the outlines of ``IDS`` and of a school."""
    ring = square(0, 0, 60).difference(square(20, 20, 20))
    pair = shapely.MultiPolygon([square(120, 0, 30), square(180, 0, 30)])
    row = [square(100 + 60 * number, 100, 30) for number in range(4)]
    return [ring, pair, *row, square(-100, 0, 50)]


def settings(**city: Any) -> Settings:
    """Return settings with the six criteria's look of the default, and a town of its own."""
    whole = read_settings(REPOSITORY / "config", "yuzhong", "base")
    told = {"name_zh": "小城", "name_en": "Smalltown", "note_zh": "测试", "note_en": "A test."}
    score = whole.score.model_copy(update={"tier_upper_rank_shares": TIER_SHARES})
    told_city = whole.city.model_copy(update=told | city)
    return whole.model_copy(update={"city": told_city, "score": score})


def inputs(**city: Any) -> Inputs:
    """Return what the flow would hand to the stage."""
    measured = _measurements()
    ranking = _ranking()
    buildings = _buildings()
    listed = _building_ranking(buildings, measured, ranking)
    tables = {
        DISTRICTS: _frame(
            {"district_id": ["R1"], "district_name": ["<i>区</i>"]}, [square(-250, -250, 800)]
        ),
        BUILDINGS: buildings,
        STREET_EDGES: _streets(),
        WATER: _frame({"water_id": ["W1"]}, [square(-240, -240, 100)]),
        MEASUREMENTS: measured,
        MAIN_ROAD_PATHS: _paths(),
        RANKING: ranking,
        BUILDING_RANKING: listed,
        DISTRICT_PRIORITY: _areas(),
        PLAN_PROJECTS: pd.DataFrame(
            {
                "project_id": ["P1", "P2"],
                "unit_cost_cny_per_m2": [1000.0, 800.0],
                "planned_year": pd.array([2026, None], dtype="Int64"),
                "cost_cny": [1_500_000.0, 800_000.0],
            }
        ),
    }
    tables |= reported(tables)
    rows = 60
    height = 250 + np.add.outer(np.arange(rows) * -2.0, np.zeros(rows))
    west, north = ORIGIN[0] - 400, ORIGIN[1] + 700
    terrain = Raster(height.astype(np.float32), west, north, CELL_M, CRS)
    ledgers = {
        "intake": {
            "sources": {
                "buildings": {
                    "rows_in": 11,
                    "rows_out": 7,
                    "rows_rejected": 4,
                    "rejected_by_reason": {"footprint_too_small": 4},
                }
            }
        },
        "measure": {"facility_types_not_mapped": {"market": 2}, "without_street_access": []},
        "score": {
            "weights": WEIGHTS,
            "criteria_left_out": {
                "age": "known for 0.7% of the buildings only",
                "market": "no data",
            },
            "known_share": {"age": 0.0075, "market": 0.0},
        },
    }
    return Inputs(tables, {}, {"terrain": terrain}, settings(**city), ledgers, "base")


def _frame(columns: dict[str, Any], geometry: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=CRS)


def _buildings() -> gpd.GeoDataFrame:
    count = len(IDS) + 1
    names = [NAMES.get(key) for key in IDS] + ["一小"]
    columns: dict[str, Any] = {
        "building_id": [*IDS, "S1"],
        "source_name": "buildings",
        "source_row": [f"way/{key[1:]}" for key in [*IDS, "S1"]],
        "building_name": pd.Series(names, dtype="str"),
        "building_use_type": ["apartments"] * len(IDS) + ["school"],
        "is_housing": [True] * len(IDS) + [False],
        "housing_origin": ["recorded"] * len(IDS) + ["not_housing"],
        "is_overlapping": False,
        "district_id": "R1",
        "district_name": "<i>区</i>",
        "estate_id": pd.Series([None] * count, dtype="str"),
        "estate_name": pd.Series([None] * count, dtype="str"),
        "storey_count": pd.array([7, *[None] * (count - 1)], dtype="Int64"),
        "storey_count_origin": ["recorded", *["unknown"] * (count - 1)],
        "height_m": np.nan,
        "construction_year_source_name": pd.Series(
            ["register", *[None] * (count - 1)], dtype="str"
        ),
        "construction_year_text": pd.Series(["八十年代", *[None] * (count - 1)], dtype="str"),
        "construction_year_low": pd.array([1980, *[None] * (count - 1)], dtype="Int64"),
        "construction_year_high": pd.array([1989, *[None] * (count - 1)], dtype="Int64"),
        "construction_year": pd.array([1985, *[None] * (count - 1)], dtype="Int64"),
        "construction_year_origin": ["vague", *["unknown"] * (count - 1)],
        "hazard_grade_code": pd.Series([None] * count, dtype="str"),
        "is_in_clearance_plan": pd.array([None] * count, dtype="boolean"),
        "renovated_year": pd.array([None] * count, dtype="Int64"),
        "gas_fault_share": np.nan,
        "fire_access_fault_share": np.nan,
        "stairs_fault_share": np.nan,
    }
    return _frame(columns, shapes())


def _streets() -> gpd.GeoDataFrame:
    ends = [[(-200, -20), (0, -20)], [(0, -20), (300, -20)], [(90, -20), (90, 150)]]
    lines = [shapely.LineString([(ORIGIN[0] + x, ORIGIN[1] + y) for x, y in line]) for line in ends]
    columns = {
        "edge_id": ["1", "2", "3"],
        "from_node_id": ["a", "b", "c"],
        "to_node_id": ["b", "d", "e"],
        "highway_type": ["primary", "primary", "steps"],
        "structure_type": ["ground", "ground", "steps"],
        "road_name": pd.Series(["山脚路", "山脚路", None], dtype="str"),
        "is_main_road": [True, True, False],
        "is_forward_open": True,
        "is_backward_open": True,
        "length_m": [200.0, 300.0, 170.0],
    }
    return _frame(columns, lines)


def _paths() -> gpd.GeoDataFrame:
    columns = {
        "path_point_number": range(len(PATH_POINTS)),
        "next_path_point_number": pd.array(PATH_NEXT, dtype="Int64"),
        "path_elevation_m": PATH_ELEVATION_M,
    }
    points = [shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y) for x, y in PATH_POINTS]
    return _frame(columns, points)


def _measurements() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "building_id": IDS,
            "road_name": ROAD,
            "cell_id": "c",
            "footprint_area_m2": [3200.0, 1800.0, 900.0, 900.0, 900.0, 900.0],
            "floor_area_m2": [22400.0, *[np.nan] * 5],
            "floor_area_origin": ["derived", *["unknown"] * 5],
            "construction_year_p05": [1980.0, 1975.3, *[np.nan] * 4],
            "construction_year_p25": [1982.5, 1978.0, *[np.nan] * 4],
            "construction_year_p50": [1985.0, 1980.4, *[np.nan] * 4],
            "construction_year_p75": [1987.5, 1982.0, *[np.nan] * 4],
            "construction_year_p95": [1989.0, 1990.8, *[np.nan] * 4],
            "built_by_cutoff_share": [1.0, 0.98, *[np.nan] * 4],
            "construction_year_basis_type": ["vague", "inferred", *["unknown"] * 4],
            "age_yr": [41.0, 45.6, *[np.nan] * 4],
            "elevation_m": 250.5,
            "elevation_lowest_m": 248.0,
            "elevation_highest_m": 253.0,
            "slope_deg": SLOPE_DEG,
            "access_m": 12.0,
            "has_street_access": True,
            "main_road_walk_out_min": 3.0,
            "main_road_walk_back_min": 4.5,
            "main_road_walk_m": 270.0,
            "main_road_climb_m": CLIMB_M,
            "main_road_path_point_number": pd.array(
                [PATH_BEGIN.get(key) for key in IDS], dtype="Int64"
            ),
        }
    )


def _ranking() -> pd.DataFrame:
    columns: dict[str, Any] = {
        "building_id": IDS,
        "rank": RANK,
        "tier_number": TIER,
        "score_points": SCORE,
    }
    for name in WEIGHTS:
        columns[f"{name}_points"] = np.array(POINTS[name], dtype=float)
        columns[f"{name}_need_share"] = np.array(NEED[name], dtype=float)
        columns[f"{name}_origin"] = "measured"
    table = pd.DataFrame(columns)
    table["rank"] = table["rank"].astype("Int64")
    table["tier_number"] = table["tier_number"].astype("Int64")
    table = table.assign(track_type="ranked", track_reason_code="year_unknown", is_lifted=False)
    table.loc[5, "slope_origin"] = "stand_in"
    table["rank_p05"] = pd.array([1, 1, 2, 3, 4, 3], dtype="Int64")
    table["rank_p95"] = pd.array([2, 2, 4, 6, 6, 6], dtype="Int64")
    table["top_share"] = [0.97, 0.6, 0.02, 0.0, 0.0, 0.0]
    table["funded_share"] = [1.0, 0.4, 0.0, 0.0, 0.0, 0.0]
    table["consent_share"] = [0.9, 0.5, np.nan, 0.2, np.nan, np.nan]
    table["readiness_share"] = [0.85, 0.55, np.nan, 0.1, np.nan, np.nan]
    table["quadrant_type"] = pd.Series(["act", "prepare", None, "later", None, None], dtype="str")
    return table.assign(stand_in_count=[0, 0, 0, 0, 0, 1])


def _building_ranking(
    buildings: gpd.GeoDataFrame, measured: pd.DataFrame, ranking: pd.DataFrame
) -> pd.DataFrame:
    middle = buildings.geometry.representative_point().to_crs("EPSG:4326")
    told = pd.DataFrame(buildings.drop(columns=["geometry", "height_m"])).assign(
        longitude_deg=middle.x.round(6), latitude_deg=middle.y.round(6)
    )
    needs = [f"{name}_need_share" for name in WEIGHTS]
    joined = (
        ranking.drop(columns=needs).merge(measured, on="building_id").merge(told, on="building_id")
    )
    joined["project_id"] = joined["building_id"].map({"B1": "P1", "B2": "P1", "B3": "P2"})
    joined["planned_year"] = joined["project_id"].map({"P1": 2026, "P2": 2028}).astype("Int64")
    joined["batch_type"] = pd.Series(None, index=joined.index, dtype="str")
    is_waiting = joined["building_id"] == "B4"
    joined["wait_reason_code"] = pd.Series("budget", index=joined.index).where(is_waiting)
    return joined.sort_values("rank").reset_index(drop=True)


def _areas() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "district_rank": 1,
            "district_name": "<i>区</i>",
            "row_type": ["district", "road"],
            "area_rank": pd.array([None, 1], dtype="Int64"),
            "area_name": ["<i>区</i>", ROAD],
            "building_count": 6,
            "tier_1_count": 1,
            "tier_2_count": 1,
            "score_mean_points": 42.056,
            "score_median_points": 27.5,
            "rank_best": 1,
            "footprint_area_sum_m2": 8600.0,
            "floor_area_sum_m2": np.nan,
            "floor_area_known_share": 0.1667,
            "longitude_deg": 106.6,
            "latitude_deg": 29.55,
            "area_id": ["a", "b"],
        }
    )


def with_tracks(before: Inputs) -> Inputs:
    """Return the town with B2 in a grade of danger and B4 in a clearance plan: neither has a rank."""
    tables = dict(before.tables)
    for table in (RANKING, BUILDING_RANKING):
        frame = tables[table].copy()
        key = frame["building_id"]
        frame["rank"] = key.map({"B1": 1, "B3": 2, "B6": 3, "B5": 4}).astype("Int64")
        frame["tier_number"] = key.map({"B1": 2, "B3": 3, "B6": 4, "B5": 5}).astype("Int64")
        frame["track_type"] = key.map({"B2": "hazard", "B4": "excluded"}).fillna("ranked")
        reasons = {"B2": "hazard_grade_D", "B4": "in_clearance_plan"}
        frame["track_reason_code"] = key.map(reasons).fillna("year_unknown")
        if table == BUILDING_RANKING:
            frame["hazard_grade_code"] = key.map({"B2": "D"}).astype("str").where(key == "B2")
            frame["is_in_clearance_plan"] = (key == "B4").astype("boolean")
        tables[table] = frame
    return replace(before, tables=tables)


def with_two_districts(before: Inputs) -> Inputs:
    """Return the town in two districts: 东区 holds B3, B4, B5 and the rest is 西区."""
    tables = dict(before.tables)
    east = ["B3", "B4", "B5"]
    for table in (BUILDINGS, BUILDING_RANKING):
        frame = tables[table].copy()
        is_east = frame["building_id"].isin(east)
        frame["district_name"] = np.where(is_east, "东区", "西区")
        if table == BUILDINGS:
            frame["district_id"] = np.where(is_east, "E", "W")
        tables[table] = frame
    shapes = [square(80, 50, 300), square(-250, -250, 300)]
    districts = {"district_id": ["E", "W"], "district_name": ["东区", "西区"]}
    tables[DISTRICTS] = _frame(districts, shapes)
    rows = tables[DISTRICT_PRIORITY]
    parts = [
        rows.assign(district_name=name, district_rank=i) for i, name in ((1, "西区"), (2, "东区"))
    ]
    told = pd.concat(parts, ignore_index=True)
    told["area_id"] = [f"{name}{i}" for i, name in enumerate(told["district_name"])]
    is_district = told["row_type"] == "district"
    told.loc[is_district, "area_id"] = told.loc[is_district, "district_name"]
    told.loc[is_district, "area_name"] = told.loc[is_district, "district_name"]
    tables[DISTRICT_PRIORITY] = told
    return replace(before, tables=tables)


def reported(tables: dict[Any, Any]) -> dict[Any, Any]:
    """Return the tables that the plain pages read, with the columns that only they look at."""
    count = len(IDS)
    listed = {
        "track_type": "ranked",
        "household_count": pd.array([70, *[None] * (count - 1)], dtype="Int64"),
        "has_lift": pd.array([None] * count, dtype="boolean"),
        "hazard_grade_code": pd.Series([None] * count, dtype="str"),
        "management_type": pd.Series([None] * count, dtype="str"),
        "consent_share": np.nan,
        "readiness_share": np.nan,
    }
    areas = {
        "row_type": ["district", "road"],
        "area_id": ["<i>区</i>", f"<i>区</i>/road/{ROAD}"],
        "household_sum_count": pd.array([70, 70], dtype="Int64"),
        "rank_p05_median": pd.array([1, 2], dtype="Int64"),
        "rank_p95_median": pd.array([5, 6], dtype="Int64"),
    }
    rejects = {
        "source_name": "buildings",
        "source_row": [f"way/{number}" for number in range(4)],
        "scope_type": "row",
        "field_name": pd.Series([None] * 4, dtype="str"),
        "reason_code": "footprint_too_small",
        "detail_text": [NAMES["B3"], NAMES["B5"], NAMES["B6"], "7.8 m²"],
    }
    return {
        BUILDING_RANKING: tables[BUILDING_RANKING].assign(**listed),
        DISTRICT_PRIORITY: tables[DISTRICT_PRIORITY].assign(**areas),
        REJECTS: pd.DataFrame(rejects),
        PLAN_SUMMARY: pd.DataFrame({"district_name": [], "plan_year": []}),
    }
