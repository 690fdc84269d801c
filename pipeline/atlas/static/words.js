// Words of the data that have a translation, and how numbers are written.
const UNIT_WORDS = {
  zh: { yr: "年", storeys: "层", households: "户", m: "米", "m²": "平方米", min: "分钟", "°": "°" },
  en: { yr: "years", storeys: "storeys", households: "households", m: "m", "m²": "m²", min: "min", "°": "°" },
};

const USE_WORDS = {
  yes: "未注明", residential: "住宅", apartments: "公寓", house: "独栋住宅", dormitory: "宿舍",
  terrace: "联排住宅", detached: "独立住宅", hospital: "医院", school: "学校", office: "办公",
  commercial: "商业", retail: "零售", hotel: "酒店", roof: "棚顶", train_station: "车站",
  transportation: "交通", tower: "塔", historic: "历史建筑", stadium: "体育场", temple: "寺庙",
  museum: "博物馆", construction: "在建", garage: "车库", university: "大学", church: "教堂",
  kindergarten: "幼儿园", industrial: "工业", warehouse: "仓库", public: "公共建筑",
};

const REJECT_WORDS = {
  zh: {
    duplicate_footprint: "重复轮廓", footprint_too_small: "轮廓过小", footprint_too_large: "轮廓过大",
    mapping_default: "疑为默认值，置空", overlap: "轮廓重叠（提示）", not_walkable: "不可步行的道路",
    repeated_way: "重复道路", repeated_facility: "重复设施", outside_study_area: "在研究区外",
    outside_reach: "离研究区太远", on_border: "跨区界（提示）", in_two_registers: "两册登记册都有（提示）", parts_far_apart: "各部分相距很远（提示）", similar_building_id: "编号近似（提示）",
    unreadable_number: "数字无法识别", unreadable_year: "年份无法识别", ring_not_closed: "环线不闭合",
    outline_repaired: "轮廓已修复", too_few_points: "点数不足", no_outer_ring: "没有外环",
    impossible_height: "高度不合理", impossible_storeys: "层数不合理", member_absent: "缺少成员",
    position_unusable: "位置不可用", repeated_water: "重复水域", not_housing: "不按住宅处理",
    no_area: "没有面积", unreadable_outline: "轮廓无法读取", point_absent: "缺少节点", point_without_outline: "只有点、没有轮廓",
    duplicate_row: "重复行", rows_differ: "同一编号的多行内容不同", sum_incomplete: "部分行缺值，无法合计",
    error_cell: "单元格为错误值", merged_total: "合并单元格为多栋合计，不采信", no_data_row: "合计行或重复的表头", no_key: "没有编号", no_footprint: "没有对应轮廓", unknown_word: "用词不明",
    impossible_year: "年份不合理", impossible_number: "数目不合理", impossible_area: "面积不合理",
    area_in_wan_m2: "面积单位疑为万平方米，已换算", area_in_mu: "面积单位疑为亩，已换算",
    area_factor_ten: "面积疑差十倍，不采信", area_contradicted: "面积与轮廓和层数不符，不采信",
    swapped_lon_lat: "经纬度颠倒", position_contradicted: "位置与轮廓不符",
    swapped_coordinates: "坐标颠倒，已调正（提示）", duplicate_facility: "重复设施",
    type_not_used: "不用的设施类别", repeated_building_id: "楼栋编号重复", repeated_key: "编号重复",
    no_shape: "没有图形", repeated_outline: "重复轮廓（关系已含）", limited_hours: "限时开放（提示）",
    shut_barrier: "关闭的门或障碍（提示）", crossed_wall: "穿墙而无门（提示）", passed_wall: "与墙相交（提示）", unknown_street_class: "道路类别不明",
  },
  en: {},
};

let language = "zh";

function text(key, ...values) {
  // A word that this page does not know is shown as it is: it must never cost the map.
  const pattern = TEXTS[language][key] ?? String(key);
  return pattern.replace(/\{(\d)\}/g, (_, place) => String(values[place]));
}

function inLanguage(pair) {
  return language === "zh" ? pair.zh : pair.en;
}

// As Intl.NumberFormat("en-US") writes it, whose first use would cost as much as drawing the legend.
function grouped(number, decimals = 0) {
  if (!Number.isFinite(number) || Math.abs(number) >= 1e15) return String(number);
  let [whole, part = ""] = plainDigits(Math.abs(number)).split(".");
  if (part.length > decimals) {
    const raised = String(Number(whole + part.slice(0, decimals)) + (part[decimals] >= "5" ? 1 : 0)).padStart(decimals + 1, "0");
    whole = raised.slice(0, raised.length - decimals);
    part = raised.slice(raised.length - decimals);
  }
  const sign = number < 0 ? "-" : "";
  const told = sign + whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return decimals ? told + "." + part.padEnd(decimals, "0") : told;
}

// The shortest digits that tell the number, without an exponent.
function plainDigits(number) {
  return number < 1e-6 ? "0" : String(number);
}

function withUnit(number, unit, decimals) {
  return grouped(number, decimals) + unitWord(unit);
}

function unitWord(unit) {
  const word = UNIT_WORDS[language][unit] || unit;
  return word === "°" || word === "" ? word : "\u00a0" + word;
}

// A share that is nearly all or nearly nothing is not told as such.
function shareWords(share) {
  const hundreds = Math.round(share * 1e5) / 1e3;
  return grouped(hundreds, Number.isInteger(hundreds) ? 0 : 1) + " %";
}

function percent(share, decimals = 0) {
  return grouped(share * 100, decimals);
}

function useWord(use) {
  return language === "zh" && USE_WORDS[use] ? USE_WORDS[use] : use.replace(/_/g, " ");
}

function rejectWord(reason) {
  return REJECT_WORDS[language][reason] || reason.replace(/_/g, " ");
}
