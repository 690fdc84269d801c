"""What whoever keeps the data should do about each kind of fault that intake tells."""

from pipeline.pages.words import Words

_CLEAN_ONCE = Words("删去多余的一份", "remove the copy")
_REDRAW = Words("在原数据中重画轮廓", "redraw the outline in the source")
_CHECK_CELL = Words("核对该单元格并更正", "look the cell up and correct it")
_WHOLE_FILE = Words("重新导出完整文件", "export the file again, whole")

FIXES: dict[str, Words] = {
    "area_contradicted": Words("核对面积与层数", "compare area and storeys with the file's record"),
    "area_factor_ten": Words("核对小数点", "look for a slipped decimal point"),
    "area_in_mu": Words("统一改用平方米", "write every area in m²"),
    "area_in_wan_m2": Words("统一改用平方米", "write every area in m²"),
    "duplicate_facility": _CLEAN_ONCE,
    "duplicate_footprint": _CLEAN_ONCE,
    "crossed_wall": Words(
        "如有门或缺口，请标 barrier=gate 或 entrance",
        "tag the point barrier=gate or entrance if there is a way through",
    ),
    "duplicate_row": _CLEAN_ONCE,
    "error_cell": Words("更正公式或填写数值", "correct the formula or type the value"),
    "footprint_too_large": Words(
        "查是否把地块画成建筑", "look whether a site was drawn as a building"
    ),
    "footprint_too_small": Words("查是否为棚、亭", "look whether it is a shed or a kiosk"),
    "impossible_area": _CHECK_CELL,
    "impossible_height": _CHECK_CELL,
    "impossible_number": _CHECK_CELL,
    "impossible_storeys": _CHECK_CELL,
    "impossible_vote": Words("核对票数与户数", "compare the votes with the count of owners"),
    "impossible_year": _CHECK_CELL,
    "mapping_default": Words("补录真实层数", "record the true number of storeys"),
    "member_absent": _WHOLE_FILE,
    "merged_total": Words("逐栋填写", "state the value of each building"),
    "misplaced_feature": Words(
        "核对坐标，查是否为 0, 0 或外地", "look whether it is at 0, 0 or in another city"
    ),
    "no_area": _REDRAW,
    "no_footprint": Words("核对楼栋编号，或补画轮廓", "correct the number, or draw the footprint"),
    "no_key": Words("补填编号", "fill in the number"),
    "no_outer_ring": _REDRAW,
    "no_shape": _REDRAW,
    "not_housing": Words("如是住宅请更正用途", "correct the use if it is housing"),
    "outline_repaired": _REDRAW,
    "in_two_registers": Words("合并登记册", "make one register of the two"),
    "on_border": Words("核对区界", "look which side it belongs to"),
    "parts_far_apart": Words("查是否为几栋楼", "look whether it is several buildings"),
    "similar_building_id": Words("统一编号写法", "write each number in one way"),
    "outside_reach": Words(
        "核对坐标与坐标系", "check its coordinates and CRS if it should be near"
    ),
    "outside_study_area": Words(
        "核对区界与坐标系", "check boundary and CRS if it should be inside"
    ),
    "overlap": _REDRAW,
    "point_absent": _WHOLE_FILE,
    "point_without_outline": _REDRAW,
    "position_contradicted": Words("核对编号与坐标", "compare number and coordinates"),
    "position_unusable": Words("补填坐标", "fill in the coordinates"),
    "repeated_building_id": Words("每栋一个编号", "give each building its own number"),
    "repeated_key": Words("每行一个编号", "give each row its own number"),
    "ring_not_closed": _REDRAW,
    "shut_barrier": Words("如行人可通过，请标 foot=yes", "tag foot=yes if people pass there"),
    "rows_differ": Words(
        "核对多行，或在配置中注明 one_row_per",
        "compare the rows, or state one_row_per in the profile",
    ),
    "sum_incomplete": Words(
        "补填各单元或各户的数值", "fill in the value of each stairwell or flat"
    ),
    "swapped_coordinates": Words("把经纬度换回来", "exchange longitude and latitude"),
    "swapped_lon_lat": Words("把经纬度换回来", "exchange longitude and latitude"),
    "too_few_points": _REDRAW,
    "type_not_used": Words(
        "如需使用，请在配置 values 中对应", "map the word under values if it is needed"
    ),
    "unknown_key": Words("核对编号", "correct the number"),
    "unknown_street_class": Words(
        "在配置 values.highway_type 中对应该类别，或列入 intake.streets",
        "map the class under values.highway_type, or list it in intake.streets",
    ),
    "unknown_word": Words("在配置 values 中对应该词", "map the word under values in the profile"),
    "unreadable_number": _CHECK_CELL,
    "unreadable_outline": _WHOLE_FILE,
    "unreadable_year": _CHECK_CELL,
    "year_contradicted": Words("核对两个来源的年份", "compare the years of both sources"),
}
"""Reasons that ask for nothing (a street closed to walkers, a repeated element) are not listed."""
NOTHING_TO_DO = Words("无需处理", "nothing to do")
