"""What words of the tables are called in both languages; a word that is not listed shows as it is."""

from collections.abc import Mapping
from typing import Protocol

from pipeline.pages.words import Words

ROLES: Mapping[str, Words] = {
    "boundary": Words("行政区界", "district boundaries"),
    "footprints": Words("建筑轮廓", "building footprints"),
    "streets": Words("道路", "streets"),
    "amenities": Words("公共服务设施", "facilities"),
    "terrain": Words("地形", "terrain"),
    "housing_register": Words("住房登记册", "housing register"),
    "estates": Words("小区范围", "estate outlines"),
    "subdistricts": Words("街道范围", "subdistricts"),
    "communities": Words("社区范围", "communities"),
    "heritage_areas": Words("历史文化保护范围", "heritage areas"),
    "census": Words("人口普查", "census"),
    "inspection": Words("城市体检", "inspection"),
    "renovations": Words("已改造台账", "past renovations"),
    "clearance": Words("征收计划", "clearance plans"),
    "consent": Words("居民意愿", "owners' consent"),
    "estate_survey": Words("小区调查", "estate survey"),
    "built_up_year": Words("建成区年份影像", "year of built-up land"),
}

SCENARIOS: Mapping[str, Words] = {"base": Words("基准", "base")}

REASONS: Mapping[str, Words] = {
    "area_contradicted": Words(
        "面积与轮廓和层数不符，不采信", "area contradicts footprint × storeys, not believed"
    ),
    "area_factor_ten": Words("面积疑差十倍，不采信", "area off by a factor of ten, not believed"),
    "area_in_mu": Words("面积单位为亩，已换算", "area given in mu, converted"),
    "area_in_wan_m2": Words("面积单位为万平方米，已换算", "area given in 10,000 m², converted"),
    "crossed_wall": Words("道路穿墙而无门，在此断开", "a wall without a gate ends the street"),
    "duplicate_facility": Words("重复设施", "same facility twice"),
    "duplicate_footprint": Words("重复轮廓", "same footprint twice"),
    "duplicate_row": Words("重复行", "same row twice"),
    "error_cell": Words("单元格为错误值", "the cell holds a spreadsheet's error"),
    "footprint_too_large": Words("轮廓过大", "footprint too large"),
    "footprint_too_small": Words("轮廓过小", "footprint too small"),
    "impossible_area": Words("面积不合理", "impossible area"),
    "impossible_height": Words("高度不合理", "impossible height"),
    "impossible_number": Words("数目不合理", "impossible number"),
    "impossible_storeys": Words("层数不合理", "impossible number of storeys"),
    "impossible_vote": Words("票数不合理", "impossible vote"),
    "impossible_year": Words("年份不合理", "impossible year"),
    "limited_hours": Words("限时开放", "open at certain hours only"),
    "mapping_default": Words("疑为制图默认值，置空", "a mapping default, set to missing"),
    "member_absent": Words("缺少成员", "a member is absent"),
    "merged_total": Words(
        "合并单元格为多栋合计，不采信", "a total merged over several buildings, not believed"
    ),
    "misplaced_feature": Words("远离城区的要素", "feature far from all others"),
    "no_area": Words("没有面积", "no area"),
    "no_data_row": Words("合计行或重复的表头", "a total, or the header again"),
    "no_footprint": Words("没有对应轮廓", "no footprint of this number"),
    "no_key": Words("没有编号", "no number"),
    "no_outer_ring": Words("没有外环", "no outer ring"),
    "no_shape": Words("没有图形", "no shape"),
    "not_housing": Words("不按住宅处理", "not housing"),
    "not_walkable": Words("不可步行的道路", "street closed to walkers"),
    "outline_repaired": Words("轮廓自相交，已修复", "outline crossed itself, repaired"),
    "in_two_registers": Words("两册登记册都有，以后者为准", "in two registers, the later counts"),
    "on_border": Words("跨区界，按重心归属", "crosses a border, counted where its centroid lies"),
    "parts_far_apart": Words("同一建筑各部分相距很远", "parts of one building far apart"),
    "similar_building_id": Words(
        "楼栋编号仅大小写、全半角或空格不同", "numbers that differ only in case, width or blanks"
    ),
    "outside_reach": Words("离研究区太远，走不到", "too far off to be walked to"),
    "outside_study_area": Words("在研究区外", "outside the study area"),
    "overlap": Words("轮廓重叠", "footprints overlap"),
    "passed_wall": Words(
        "道路与墙相交而无公共点，仍计入", "crosses a wall without a shared point, walked"
    ),
    "point_absent": Words("缺少节点", "a point is absent"),
    "point_without_outline": Words("只有点、没有轮廓", "a point without an outline"),
    "position_contradicted": Words("位置与轮廓不符", "position contradicts the footprint"),
    "position_unusable": Words("位置不可用", "position unusable"),
    "repeated_building_id": Words("楼栋编号重复", "building number repeated"),
    "repeated_facility": Words("重复设施", "repeated facility"),
    "repeated_key": Words("编号重复", "number repeated"),
    "repeated_water": Words("重复水域", "repeated water"),
    "repeated_way": Words("重复道路", "repeated street"),
    "repeated_outline": Words("重复轮廓（关系已含）", "outline drawn by a relation too"),
    "ring_not_closed": Words("环线不闭合", "ring not closed"),
    "shut_barrier": Words("关闭的门或障碍，在此断开", "a shut gate or barrier ends the street"),
    "rows_differ": Words("同一编号的多行内容不同", "rows of one number differ"),
    "sum_incomplete": Words("部分行缺值，无法合计", "a part of the sum is missing"),
    "swapped_coordinates": Words("坐标颠倒，已调正", "coordinates swapped, put right"),
    "swapped_lon_lat": Words("经纬度颠倒", "longitude and latitude swapped"),
    "too_few_points": Words("点数不足", "too few points"),
    "type_not_used": Words("不用的设施类别", "kind of facility not used"),
    "unknown_street_class": Words(
        "道路类别不明，未计入步行网", "unknown class of street, not walked"
    ),
    "unknown_word": Words("用词不明", "unknown word"),
    "unreadable_number": Words("数字无法识别", "unreadable number"),
    "unreadable_outline": Words("轮廓无法读取", "unreadable outline"),
    "unreadable_year": Words("年份无法识别", "unreadable year"),
    "year_contradicted": Words("年份来源互相矛盾", "sources contradict each other on the year"),
}

SCOPES: Mapping[str, Words] = {
    "row": Words("整行剔除", "row left out"),
    "value": Words("数值置空或换算", "value set to missing or converted"),
    "notice": Words("仅提示", "notice only"),
}

ORIGINS: Mapping[str, Words] = {
    "recorded": Words("有记录", "recorded"),
    "vague": Words("记录含糊（区间）", "recorded vaguely (interval)"),
    "bounded": Words("只知上下限", "only bounded"),
    "inferred": Words("推断", "inferred"),
    "baseline": Words("推断（仅据周边或分组年份）", "inferred (nearby or district years only)"),
    "from_height": Words("由高度推算", "from the height"),
    "converted": Words("换算（万平方米、亩）", "converted from 万m² or 亩"),
    "derived": Words("轮廓 × 层数", "footprint × storeys"),
    "unknown": Words("不明", "unknown"),
}

YEAR_REGIMES: Mapping[str, Words] = {
    "known": Words("有年份", "year known"),
    "sibling": Words("同小区有已知年份", "known years in the same estate"),
    "vague_sibling": Words("同小区只有含糊年份", "only vague years in the same estate"),
    "neighbour": Words("周边有已知年份", "known years around"),
    "isolated": Words("成片缺年份", "in an area without known years"),
    "unknown": Words("已知年份太少", "too few known years"),
}

GROUPS: Mapping[str, Words] = {
    "building": Words("设施健康度", "state of the building"),
    "people": Words("社会需求度", "people's need"),
    "service": Words("服务覆盖度", "services in reach"),
    "feasibility": Words("经济可行性", "economic feasibility"),
}

TRACKS: Mapping[str, Words] = {
    "ranked": Words("参与排序", "ranked"),
    "reserve": Words("储备（截止年后建成）", "reserve (built after the cut-off)"),
    "hazard": Words("危房（修缮或重建）", "hazard (repair or rebuild)"),
    "excluded": Words("不纳入（已改造或征收）", "excluded (renovated or to be cleared)"),
}

SHORT_TRACKS: Mapping[str, Words] = {
    "ranked": Words("参与排序", "ranked"),
    "reserve": Words("储备", "reserve"),
    "hazard": Words("危房", "hazard grade"),
    "excluded": Words("不纳入", "excluded"),
}

TRACK_REASONS: Mapping[str, Words] = {
    "hazard_grade_C": Words("危房 C 级", "hazard grade C"),
    "hazard_grade_D": Words("危房 D 级", "hazard grade D"),
    "in_clearance_plan": Words("在征收计划内", "in a clearance plan"),
    "renovated_recently": Words("近年已改造", "renovated of late"),
    "built_after_reserve": Words("晚于储备年限建成", "built after the reserve years"),
    "built_after_cutoff": Words("截止年后建成", "built after the cut-off year"),
    "year_unknown": Words("建成年份不明", "year unknown"),
    "built_by_cutoff": Words("截止年前建成", "built by the cut-off year"),
    "probably_built_by_cutoff": Words("很可能截止年前建成", "probably built by the cut-off year"),
}

QUADRANTS: Mapping[str, Words] = {
    "act": Words("急需且就绪：实施", "needy and ready: act"),
    "prepare": Words("急需未就绪：动员", "needy, not ready: prepare"),
    "survey": Words("急需、意愿未调查", "needy, owners not asked"),
    "later_ready": Words("不急但就绪", "less needy, ready"),
    "later": Words("不急未就绪", "less needy, not ready"),
    "later_unknown": Words("不急、意愿未调查", "less needy, owners not asked"),
}

BATCHES: Mapping[str, Words] = {
    "implement": Words("实施", "implement"),
    "plan": Words("谋划", "plan"),
    "reserve": Words("储备", "reserve"),
}

READINESS: Mapping[str, Words] = {
    "agreed": Words("已同意", "agreed"),
    "forecast": Words("预计同意", "expected to agree"),
    "not_asked": Words("未调查或不全", "not asked, or in part"),
    "refused": Words("同意无望", "no majority in sight"),
}

WAITS: Mapping[str, Words] = {
    "refused": Words("同意率不足，多轮工作后仍难达标", "no majority in sight"),
    "not_asked": Words("尚未征求业主意见", "owners not asked"),
    "ready_late": Words("规划期内尚不具备开工条件", "ready after the last year"),
    "works_too_long": Words("工期超出规划期", "works too long for the years left"),
    "nothing_to_relieve": Words("现有改造措施不能解除其需求", "no works relieve what it needs"),
    "locked_out": Words("指定不列入", "locked out"),
    "capacity": Words("区县开工能力已满", "its district can begin no more projects"),
    "budget": Words(
        "资金有限，按需求与成本排后", "the budget goes to others that relieve more for it"
    ),
}

ENTRIES: Mapping[str, Words] = {
    "cost": Words("降低财政负担或增加预算", "a lower public cost, or more budget"),
    "consent": Words("业主及时同意", "agreement of its owners in time"),
    "capacity": Words("区县增加开工名额", "more starts in its district"),
    "capacity_and_cost": Words("增加开工名额并降低财政负担", "more starts and a lower cost"),
    "margin": Words(
        "与最后列入者相当，零头资金不够", "as good as the last planned; too little is left"
    ),
    "none": Words("现有措施下无法列入", "nothing, with the works and rules there are"),
}

FUNDS: Mapping[str, Words] = {
    "central": Words("中央", "central"),
    "municipal": Words("市级", "municipal"),
    "district": Words("区县", "district"),
    "special_bond": Words("专项债", "special bond"),
    "private": Words("社会资本", "private"),
    "resident": Words("居民出资", "residents"),
    "maintenance_fund": Words("维修资金", "maintenance fund"),
}

ROW_TYPES: Mapping[str, Words] = {
    "estate": Words("小区", "estate"),
    "road": Words("道路", "road"),
    "grid_cell": Words("网格", "grid cell"),
    "project": Words("项目", "project"),
}

UNITS: Mapping[str, Words] = {
    "yr": Words("年", "yr"),
    "storeys": Words("层", "storeys"),
    "households": Words("户", "households"),
    "m": Words("米", "m"),
    "m²": Words("平方米", "m²"),
    "min": Words("分钟", "min"),
    "°": Words("°", "°"),
}


class Labelled(Protocol):
    """Anything of the settings that has a name in both languages."""

    @property
    def label_zh(self) -> str:
        """Chinese name."""

    @property
    def label_en(self) -> str:
        """English name."""


def named(one: Labelled) -> Words:
    """Return what a criterion, facility, tier or rule of the settings is called."""
    return Words(one.label_zh, one.label_en)


def term(words: Mapping[str, Words], code: object) -> Words:
    """Return what a code is called; as it is, without underscores, where nobody has listed it."""
    known = words.get(str(code))
    return known or Words(str(code).replace("_", " "), str(code).replace("_", " "))
