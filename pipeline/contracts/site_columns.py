"""Columns of sites: where a facility or lift could stand, whom it would serve, what is proposed."""

from pipeline.contracts.column import EMPTY, flag, real, text, whole

SITE_COLUMNS = (
    text("site_place_id", "estate, square of houses or existing facility: a place for a site"),
    text(
        "site_origin",
        "what the place is: idle room of an estate, its ground, a square of houses without an estate, "
        "or a facility that exists",
        allowed=("idle_room", "estate", "square", "existing", "lift"),
    ),
    text("existing_amenity_type", "facility type of what exists already", **EMPTY),
    text("host_building_id", "building in or beside which it would stand", **EMPTY),
    real("room_area_m2", "m²", 0, 1_000_000, "idle rooms there, as surveyed", **EMPTY),
    real("site_walk_out_min", "min", 0, 60, "walk from home to the site", decimals=4),
    real("site_walk_back_min", "min", 0, 60, "walk from the site home", decimals=4),
    real("site_quantity", "as unit_name", 0, 1e6, "how much is built: one, or parking spaces"),
    real(
        "site_cost_factor", "ratio", 0.1, 100, "its cost, of the price list's", decimals=3, **EMPTY
    ),
    real("stated_cost_cny", "yuan", 0, 1e12, "whole cost; empty: by the price list", **EMPTY),
    flag("is_capacity_known", "the room is surveyed; else its size, and so who fits, is a range"),
    whole("capacity_count", "households", 0, 10_000_000, "room for households (parking: spaces)"),
    whole("capacity_low_count", "households", 0, 10_000_000, "the same, in the smallest room"),
    whole("capacity_high_count", "households", 0, 10_000_000, "the same, in the largest room"),
    whole("capacity_used_count", "households", 0, 10_000_000, "of the capacity, what is used"),
    whole("served_household_count", "households", 0, 10_000_000, "households it serves, no other"),
    whole("served_low_household_count", "households", 0, 10_000_000, "in the smallest room"),
    whole("served_high_household_count", "households", 0, 10_000_000, "in the largest room"),
    whole(
        "served_elder_count", "residents", 0, 10_000_000, "residents of 65 and more there", **EMPTY
    ),
    real("site_walk_before_min", "min", 0, 2000, "slower way to the nearest today, mean", **EMPTY),
    real("site_walk_after_min", "min", 0, 60, "slower way to the site, mean", **EMPTY),
    text("facility_label_text", "kind of works, Chinese and English"),
    text("site_name", "estate, else building, where it would stand"),
    real(
        "site_total_cny", "yuan", 0, 1e12, "whole cost; empty: no planned project hosts it", **EMPTY
    ),
    text("effect_column_name", "measurement of a building that the site changes"),
    real("value_after", "as the column", -1e6, 1e6, "what it becomes", decimals=4),
)

PROPOSED_SITE_NAMES = (
    "site_id", "works_type", "site_place_id", "site_origin", "host_building_id",
    "site_quantity", "site_cost_factor", "stated_cost_cny", "is_capacity_known",
    "capacity_count", "capacity_low_count", "capacity_high_count", "capacity_used_count",
    "served_household_count", "served_low_household_count", "served_high_household_count",
    "served_elder_count", "site_walk_before_min", "site_walk_after_min",
)  # fmt: skip

FACILITY_SITE_NAMES = (
    "works_type", "facility_label_text", "site_id", "site_name", "district_name",
    "subdistrict_name", "community_name", "site_origin", "host_building_id", "project_id",
    "site_quantity", "unit_name", "site_total_cny", "served_household_count",
    "served_low_household_count", "served_high_household_count", "served_elder_count",
    "site_walk_before_min", "site_walk_after_min", "capacity_used_count", "capacity_count",
    "is_capacity_known", "capacity_low_count", "capacity_high_count", "planned_year",
    "batch_type", "readiness_type", "favour_owner_share", "data_origin",
)  # fmt: skip

FACILITY_SITE_HEADERS = (
    "类型编码 works_type", "设施类型 facility", "编号 site_id", "地点 site", "区县 district",
    "街道 subdistrict", "社区 community", "场地 place", "所在楼栋 host_building_id",
    "项目 project_id", "数量 quantity", "单位 unit", "估算投资(元) cost_cny",
    "服务户数 households_served", "服务户数下限 households_low", "服务户数上限 households_high",
    "服务65岁以上人数 elders_served", "现步行(分钟) minutes_before",
    "建成后步行(分钟) minutes_after", "已用容量 capacity_used", "容量 capacity",
    "容量已核实 capacity_known", "容量下限 capacity_low", "容量上限 capacity_high",
    "计划年度 year", "批次 batch", "居民意愿 consent", "同意业主占比 owners_in_favour",
    "数据来源 data_origin",
)  # fmt: skip
"""Chinese and English, one for each of ``FACILITY_SITE_NAMES``."""
