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
_ESTIMATES = {
    "model": ("模型：形状、属性与周边", "model of form, attributes and surroundings"),
    "nearest_10_year": ("最近 10 栋均值", "mean of the nearest 10"),
    "near_weighted_year": ("最近 12 栋，近者权重大", "nearest 12, nearer ones count more"),
    "near_median_year": ("最近 12 栋中位数", "median of the nearest 12"),
    "group_median_year": ("分组中位数", "group median"),
}


def reason_words(key: str) -> Words:
    """Return what became of rows, or why a column is not used; an unknown key as it is."""
    return Words(_REASONS.get(key, key), key)


def estimate_words(key: str) -> Words:
    """Return the name of an estimate that the inferred year is mixed from."""
    return Words(*_ESTIMATES.get(key, (key, key)))
