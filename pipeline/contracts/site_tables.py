"""Tables of sites that are proposed."""

from pipeline.contracts.table import SCENARIO, Table

_LIFTS = {
    "site_rank": "序号", "site_id": "编号", "site_kind_type": "类型", "site_kind_text": "类型名称",
    "is_site_chosen": "预算内入选", "is_benefit_unsure": "效益不确定(地形误差内)",
    "lower_road_name": "下端道路", "upper_road_name": "上端道路", "district_name": "区县",
    "site_distance_m": "水平距离(m)", "site_rise_m": "高差(m)", "site_rise_error_m": "高差误差(m)",
    "site_ride_min": "乘坐时间(分钟)", "site_cost_cny": "建设投资(元)",
    "site_upkeep_cny": "年运维费(元)", "site_year": "可开通年份", "site_consent_type": "需征求同意",
    "crossed_building_count": "跨越建筑栋数", "running_hours": "每日运行(小时)",
    "available_share": "可用率", "relieved_building_count": "受益栋数",
    "relieved_households": "受益户数", "relieved_elder_households": "其中老年户(折算)",
    "relief_single_min": "单独建设效益(户·分钟)", "relief_added_min": "新增效益(户·分钟)",
    "relief_low_min": "效益下限(户·分钟)", "relief_expected_min": "计可用率效益(户·分钟)",
    "elder_relief_min": "老年人效益(户·分钟)", "home_saved_min": "回家省时(户·分钟)",
    "out_saved_min": "出门省时(户·分钟)", "home_climb_saved_m": "回家少爬(户·m)",
    "out_climb_saved_m": "出门少爬(户·m)", "lower_longitude_deg": "下端经度",
    "lower_latitude_deg": "下端纬度", "upper_longitude_deg": "上端经度",
    "upper_latitude_deg": "上端纬度", "data_origin": "数据性质",
}  # fmt: skip

LIFT_SITES = Table(
    "lift_sites",
    ("site_id",),
    tuple(_LIFTS),
    home=SCENARIO,
    may_have_no_rows=True,
    headers=tuple(f"{label} {name}" for name, label in _LIFTS.items()),
    order=("site_rank",),
)

LIFT_CURVE = Table(
    "lift_curve",
    ("curve_site_count",),
    (
        "curve_site_count", "site_id", "curve_cost_cny", "curve_relief_min", "curve_bound_min",
        "data_origin",
    ),
    home=SCENARIO,
    may_have_no_rows=True,
)  # fmt: skip
