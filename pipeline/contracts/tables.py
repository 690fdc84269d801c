"""Every table: its key, its columns, its geometry, and where it lives."""

from pipeline.contracts.plan_columns import SOURCE_NAMES
from pipeline.contracts.site_tables import LIFT_CURVE as LIFT_CURVE
from pipeline.contracts.site_tables import LIFT_SITES as LIFT_SITES
from pipeline.contracts.table import CITY as CITY
from pipeline.contracts.table import SCENARIO as SCENARIO
from pipeline.contracts.table import Table as Table

_AREA = ("Polygon", "MultiPolygon")

DISTRICTS = Table("districts", ("district_id",), ("district_id", "district_name"), _AREA)

BUILDINGS = Table(
    "buildings",
    ("building_id",),
    (
        "building_id", "source_name", "source_row", "building_name", "building_use_type",
        "is_housing", "housing_origin", "is_overlapping", "district_id", "district_name",
        "estate_id", "estate_name", "storey_count", "storey_count_origin", "height_m", "has_lift",
        "construction_year_text", "construction_year_low", "construction_year_high",
        "construction_year", "construction_year_origin", "construction_year_source_name",
        "recorded_floor_area_m2",
        "recorded_floor_area_origin", "household_count", "stairwell_count", "entry_storey_number",
        "hazard_grade_code", "manager_name", "management_type", "building_structure_type",
        "shop_floor_area_m2", "is_registered", "subdistrict_name", "community_id", "community_name",
        "elder_share", "heritage_name", "heritage_class_text", "{}_fault_share", "inspection_year",
        "renovated_year", "is_in_clearance_plan", "clearance_year", "clearance_status_text",
    ),
    _AREA,
)  # fmt: skip

STREET_NODES = Table(
    "street_nodes", ("node_id",), ("node_id", "lift_type", "is_shut_gate"), ("Point",)
)

STREET_EDGES = Table(
    "street_edges",
    ("edge_id",),
    (
        "edge_id", "from_node_id", "to_node_id", "highway_type", "structure_type", "road_name",
        "is_main_road", "is_forward_open", "is_backward_open", "length_m", "rise_steps",
        "incline_grade", "incline_type",
    ),
    ("LineString",),
)  # fmt: skip

AMENITIES = Table(
    "amenities",
    ("amenity_id",),
    ("amenity_id", "amenity_type", "amenity_name", "source_name", "source_row"),
    ("Point",),
    may_have_no_rows=True,
)

WATER = Table("water", ("water_id",), ("water_id",), _AREA, may_have_no_rows=True)

ESTATES = Table(
    "estates",
    ("estate_id",),
    ("estate_id", "estate_name", "source_name", "source_row"),
    _AREA,
    may_have_no_rows=True,
)

ESTATE_FACTS = Table(
    "estate_facts",
    ("estate_id",),
    (
        "estate_id", "estate_name", "parking_space_count", "charging_space_count",
        "idle_room_area_m2", "is_walled",
    ),
    may_have_no_rows=True,
)  # fmt: skip

CONSENTS = Table(
    "consents",
    ("building_id", "measure_type", "survey_round_number"),
    (
        "building_id", "measure_type", "survey_round_number", "survey_year", "owner_count",
        "voting_owner_count", "favour_owner_count", "voting_area_share", "favour_area_share",
    ),
    may_have_no_rows=True,
)  # fmt: skip

REJECTS = Table(
    "rejects",
    (),
    ("source_name", "source_row", "scope_type", "field_name", "reason_code", "detail_text"),
    may_have_no_rows=True,
)

MEASUREMENTS = Table(
    "measurements",
    ("building_id",),
    (
        "building_id", "road_name", "cell_id", "footprint_area_m2", "floor_area_m2",
        "floor_area_origin", "construction_year_{}", "built_by_cutoff_share",
        "construction_year_basis_type", "construction_year_regime_type", "nearest_known_year_m",
        "age_yr", "elevation_m", "elevation_lowest_m", "elevation_highest_m",
        "elevation_error_m", "slope_deg", "relief_m", "landform_type", "storeys_above_entry_count",
        "storeys_below_entry_count", "storeys_climbed_count", "parking_gap_share", "access_m",
        "has_street_access", "{}_walk_out_min", "{}_walk_back_min", "{}_walk_m", "{}_gap_m",
        "{}_climb_m", "{}_min_count", "main_road_elder_back_min", "main_road_path_point_number",
        "longitude_deg", "latitude_deg",
    ),
)  # fmt: skip

MAIN_ROAD_PATHS = Table(
    "main_road_paths",
    ("path_point_number",),
    ("path_point_number", "next_path_point_number", "path_elevation_m"),
    ("Point",),
    may_have_no_rows=True,
)

RANKING = Table(
    "ranking",
    ("building_id",),
    (
        "building_id", "track_type", "track_reason_code", "rank", "tier_number", "is_lifted",
        "lifted_by_code", "score_points", "{}_points", "{}_need_share", "{}_origin",
        "stand_in_count", "rank_p05", "rank_p50", "rank_p95", "top_share",
        "consent_share", "readiness_share", "quadrant_type",
    ),
    home=SCENARIO,
)  # fmt: skip

BUILDING_RANKING = Table(
    "building_ranking",
    ("building_id",),
    (
        "rank", "building_id", "track_type", "track_reason_code", "tier_number", "score_points",
        "rank_p05", "rank_p50", "rank_p95", "top_share", "funded_share", "is_lifted",
        "lifted_by_code", "quadrant_type", "readiness_share", "consent_share", "building_name",
        "district_name", "subdistrict_name", "community_id", "community_name", "estate_id",
        "estate_name", "road_name", "{}_points", "{}_origin", "stand_in_count",
        "building_use_type", "housing_origin", "storey_count", "storey_count_origin",
        "footprint_area_m2", "floor_area_m2", "floor_area_origin", "household_count",
        "shop_floor_area_m2", "hazard_grade_code", "manager_name", "management_type",
        "building_structure_type", "construction_year", "construction_year_low",
        "construction_year_high", "construction_year_origin", "construction_year_source_name",
        "construction_year_{}", "construction_year_basis_type", "construction_year_regime_type",
        "nearest_known_year_m", "built_by_cutoff_share", "age_yr",
        "elevation_m", "elevation_lowest_m", "elevation_highest_m", "elevation_error_m",
        "slope_deg", "relief_m",
        "landform_type", "has_lift", "storeys_above_entry_count", "storeys_below_entry_count",
        "storeys_climbed_count", "parking_gap_share", "access_m", "has_street_access",
        "{}_walk_out_min", "{}_walk_back_min", "{}_walk_m", "{}_gap_m", "{}_climb_m",
        "{}_min_count", "main_road_elder_back_min", "{}_fault_share", "inspection_year",
        "renovated_year",
        "is_in_clearance_plan", "clearance_year", "clearance_status_text", "heritage_name",
        "heritage_class_text", "elder_share", "is_overlapping",
        "project_id", "planned_year", "batch_type", "wait_reason_code", "planned_works_codes",
        "longitude_deg", "latitude_deg", "source_name", "source_row", "data_origin",
    ),
    home=SCENARIO,
    order=("rank", "building_id"),
    empty_last=True,
    csv_leaves_out=(
        "{}_walk_out_min", "{}_walk_back_min", "{}_min_count", "{}_climb_m",
        "main_road_elder_back_min", "construction_year_{}",
    ),
)  # fmt: skip

_AREA_TOTALS = (
    "building_count", "ranked_count", "reserve_count", "hazard_count", "excluded_count",
    "score_mean_points", "score_median_points", "rank_best", "rank_p05_median", "rank_p95_median",
    "top_share", "readiness_share", "tier_{}_household_count", "tier_{}_floor_area_m2",
    "tier_{}_count", "footprint_area_sum_m2", "floor_area_sum_m2", "floor_area_known_share",
    "household_sum_count", "planned_project_count", "planned_household_count", "planned_cost_cny",
    "planned_public_cny", "first_planned_year", "asked_household_share", "agreed_household_share",
    "longitude_deg", "latitude_deg", "area_id", "data_origin",
)  # fmt: skip

DISTRICT_PRIORITY = Table(
    "district_priority",
    ("area_id",),
    ("district_rank", "district_name", "row_type", "area_rank", "area_name", *_AREA_TOTALS),
    home=SCENARIO,
    order=("district_rank", "area_rank"),
)

ESTATE_PRIORITY = Table(
    "estate_priority",
    ("area_id",),
    ("district_name", "area_rank", "row_type", "area_name", *_AREA_TOTALS),
    home=SCENARIO,
    order=("district_name", "area_rank"),
)

COMMUNITY_PRIORITY = Table(
    "community_priority",
    ("area_id",),
    ("district_name", "area_rank", "row_type", "area_name", *_AREA_TOTALS),
    home=SCENARIO,
    may_have_no_rows=True,
    order=("district_name", "area_rank"),
)

DISTRICT_BUILDINGS = Table(
    "district_buildings",
    ("building_id",),
    (
        "rank", "building_id", "track_type", "track_reason_code", "tier_number", "score_points",
        "rank_p05", "rank_p95", "top_share", "funded_share", "is_lifted", "quadrant_type",
        "readiness_share", "consent_share", "building_name", "subdistrict_name", "community_name",
        "estate_name", "road_name", "{}_points", "stand_in_count", "storey_count",
        "floor_area_m2", "household_count", "construction_year", "construction_year_low",
        "construction_year_high", "construction_year_origin", "longitude_deg", "latitude_deg",
        "data_origin",
    ),
    home=SCENARIO,
    order=("rank", "building_id"),
    empty_last=True,
)  # fmt: skip

_SOURCES_CNY = tuple(f"{name}_cny" for name in SOURCE_NAMES)

PLAN_PROJECTS = Table(
    "plan_projects",
    ("project_id",),
    (
        "project_id", "project_name", "project_origin", "district_name", "subdistrict_name",
        "community_name", "estate_id", "estate_name", "building_count", "household_plan_count",
        "floor_area_plan_m2", "estimated_share", "construction_year_earliest",
        "construction_year_latest", "renovation_class_type", "renovation_route_type",
        "package_type", "works_count", "works_called_count", "lifted_count", "is_first_for_safety",
        "lift_count", "lift_waiting_count", "called_cost_cny",
        "cost_cny", "unit_cost_cny_per_m2", *_SOURCES_CNY, "public_cny", "yearly_revenue_cny",
        "payback_term_year", "net_present_cny", "residual_public_cny", "need_households",
        "relievable_households", "relief_households", "score_mean_points", "tier_number",
        "funded_share", "readiness_type",
        "favour_owner_share", "ready_year", "planned_year",
        "batch_type", "wait_reason_code", "entry_type", "entry_public_now_cny",
        "entry_public_cny", "entry_public_low_cny", "entry_public_high_cny", "entry_budget_cny",
        "entry_ready_year", "entry_consent_year", "replacement_households",
        "replacement_low_households", "pilot_building_id", "pilot_reason_code",
        "management_type", "heritage_name", "hazard_grade_code", "data_origin",
    ),
    home=SCENARIO,
    may_have_no_rows=True,
)  # fmt: skip

PLAN_LINES = Table(
    "plan_lines",
    ("project_id", "plan_year"),
    (
        "project_id", "plan_year", "project_name", "district_name", "payment_cny", *_SOURCES_CNY,
        "public_cny", "carry_over_cny", "data_origin",
    ),
    home=SCENARIO,
    may_have_no_rows=True,
)  # fmt: skip

PLAN_WORKS = Table(
    "plan_works",
    ("project_id", "works_type"),
    (
        "project_id", "works_type", "renovation_class_type", "works_quantity", "called_quantity",
        "unit_name", "cost_cny", "called_cost_cny", "relief_households", "data_origin",
    ),
    home=SCENARIO,
    may_have_no_rows=True,
)  # fmt: skip

PLAN_SUMMARY = Table(
    "plan_summary",
    ("district_name", "plan_year"),
    (
        "plan_year", "district_name", "project_count", "underway_count", "begun_building_count",
        "household_plan_count", "floor_area_plan_m2", "need_households",
        "relief_households", "lift_count", "payment_cny", *_SOURCES_CNY, "public_cny", "budget_cny",
        "budget_left_cny", "data_origin",
    ),
    home=SCENARIO,
    may_have_no_rows=True,
    order=("plan_year", "district_name"),
)  # fmt: skip

_LISTED = {
    "row_number": "序号", "list_year": "年度", "project_id": "项目编号", "project_name": "项目名称",
    "district_name": "区县", "subdistrict_name": "街道", "community_name": "社区",
    "estate_name": "小区", "batch_text": "状态", "progress_text": "进度",
    "listed_building_count": "栋数(仅首行)", "listed_household_count": "户数(仅首行)",
    "listed_floor_area_m2": "建筑面积(m²，仅首行)", "listed_lift_count": "加装电梯台数(仅首行)",
    "construction_years_text": "建成年代", "construction_basis_text": "年代来源",
    "renovation_class_text": "改造类别", "renovation_route_text": "改造方式",
    "works_text": "主要改造内容", "unit_cost_cny_per_m2": "单方造价(元/m²)",
    "payment_wan_cny": "本年度计划投资(万元)", "central_wan_cny": "本年度中央资金(万元)",
    "municipal_wan_cny": "本年度市级资金(万元)", "district_wan_cny": "本年度区县资金(万元)",
    "special_bond_wan_cny": "本年度专项债(万元)", "private_wan_cny": "本年度社会资本(万元)",
    "resident_wan_cny": "本年度居民出资(万元)", "maintenance_fund_wan_cny": "本年度维修资金(万元)",
    "basic_wan_cny": "本年度基础类(万元)", "improving_wan_cny": "本年度完善类(万元)",
    "upgrading_wan_cny": "本年度提升类(万元)",
    "next_year_wan_cny": "结转下年(万元)",
    "project_total_wan_cny": "本项目总投资(万元，仅首行)",
    "waiting_cost_wan_cny": "未列入项目估算投资(万元)",
    "start_month_text": "计划开工", "end_month_text": "计划竣工", "implementer_name": "实施主体",
    "management_text": "物业管理落实", "consent_text": "居民同意率",
    "heritage_text": "历史保护约束", "hazard_grade_code": "危房等级",
    "score_mean_points": "优先级得分", "tier_number": "优先级分档", "safety_text": "安全优先",
    "funded_share": "入选稳健度", "wait_text": "未列入原因", "entry_text": "列入条件",
    "replacement_households": "替代损失(户，仅首行)",
    "estimated_share": "估算数据占比", "data_origin": "数据性质",
}  # fmt: skip

ANNUAL_LIST = Table(
    "annual_list",
    ("row_number",),
    tuple(_LISTED),
    home=SCENARIO,
    may_have_no_rows=True,
    headers=tuple(_LISTED.values()),
)

COMPARISON = Table(
    "comparison",
    ("building_id",),
    (
        "building_id", "outcome_type", "cause_type", "cause_criterion_name", "track_before_type",
        "track_after_type", "rank_before", "rank_after", "rank_gain_count", "score_before_points",
        "score_after_points", "score_change_points", "data_change_points", "weight_change_points",
        "building_name", "district_name", "subdistrict_name", "community_name", "estate_name",
        "{}_data_points", "{}_weight_points", "data_origin",
    ),
    order=("rank_after", "rank_before", "building_id"),
    empty_last=True,
)  # fmt: skip

WHAT_IF = Table(
    "what_if",
    ("building_id", "facility_type"),
    (
        "building_id", "building_name", "district_name", "estate_name", "road_name",
        "facility_type", "outcome_type", "walk_out_before_min", "walk_out_after_min",
        "walk_out_saved_min", "walk_back_before_min", "walk_back_after_min", "walk_back_saved_min",
        "climb_before_m", "climb_after_m", "climb_saved_m", "climb_out_before_m",
        "climb_out_after_m", "climb_out_saved_m", "walk_before_m", "walk_after_m", "walk_saved_m",
        "data_origin",
    ),
    may_have_no_rows=True,
)  # fmt: skip
