"""Words of the page of ``make years-eval`` for what the judgement names by keys."""

from pipeline.pages.document import Words

_REASONS = {
    "rows": "文件行数",
    "used": "采用",
    "no year": "无年份",
    "not one year": "不是一个年份",
    "impossible year": "不可能的年份",
    "no usable shape": "无可用图形",
    "same shape as an earlier row": "图形与前面某行相同",
    "its name speaks of time": "列名涉及时间",
    "its name is that of a key": "列名是编号",
    "neither number nor word": "既非数字也非文字",
    "empty or constant": "空或全相同",
    "looks like a year": "像年份",
    "restates the year": "重复年份信息",
    "every row another whole number: a key": "每行一个不同整数：编号",
    "too many different words": "文字种类过多",
}
_COLUMNS = {
    "nearest_year": ("最近一栋的年份", "year of the nearest"),
    "nearest_3_year": ("最近 3 栋均值", "mean of the nearest 3"),
    "nearest_10_year": ("最近 10 栋均值", "mean of the nearest 10"),
    "near_mean_year": ("最近 12 栋均值", "mean of the nearest 12"),
    "near_median_year": ("最近 12 栋中位数", "median of the nearest 12"),
    "near_weighted_year": ("最近 12 栋，近者权重大", "nearest 12, nearer ones count more"),
    "near_low_year": ("最近 6 栋中最早", "oldest of the nearest 6"),
    "near_high_year": ("最近 6 栋中最晚", "newest of the nearest 6"),
    "near_wide_year": ("最近 50 栋均值", "mean of the nearest 50"),
    "nearest_m": ("到最近已知楼的距离", "distance to the nearest known"),
    "nearest_3_m": ("到第三近已知楼的距离", "distance to the third nearest known"),
    "core_m": ("到老城中心的距离", "distance to the oldest part"),
    "group_median_year": ("所在分组中位数", "median of its group"),
    "area_log": ("占地面积", "area of the outline"),
    "perimeter_m": ("周长", "perimeter"),
    "depth_m": ("进深", "depth"),
    "compactness_share": ("紧凑度", "compactness"),
    "fill_share": ("凸度", "share of its convex hull"),
    "lies_east_share": ("东西向程度", "how far it lies from east to west"),
    "lies_northeast_share": ("东北向程度", "how far it lies from north-east to south-west"),
    "courtyard_count": ("天井数", "courtyards"),
    "corner_count": ("轮廓点数", "corners of the outline"),
    "built_60_share": ("60 米内建筑密度", "built share within 60 m"),
    "built_250_share": ("250 米内建筑密度", "built share within 250 m"),
    "neighbour_1_m": ("到最近建筑的距离", "distance to the nearest building"),
    "neighbour_8_m": ("到第八近建筑的距离", "distance to the eighth nearest"),
    "east_m": ("东西位置", "place, east"),
    "north_m": ("南北位置", "place, north"),
    "all_columns": ("模型：全部列", "model of all columns"),
    "without_place": ("模型：不含坐标", "model without coordinates"),
    "group": ("分组中位数", "group median"),
}


def reason_words(key: str) -> Words:
    """Return what became of rows, or why a column is not used; an unknown key as it is."""
    return Words(_REASONS.get(key, key), key)


def column_words(key: str) -> Words:
    """Return the name of a column or estimate; a column of the file keeps its own name."""
    if key.startswith("file: "):
        return Words(f"文件：{key[6:]}", key)
    return Words(*_COLUMNS.get(key, (key, key)))
