"""Notes of config in Chinese: where the bounds and weights of criteria come from.

Config states sources in English, in phrases set apart by semicolons. A note of which any phrase is
not known here, such as a city's own, is shown as it was written.
"""

import re
from collections.abc import Mapping

from pipeline.pages.words import Words

PHRASES: Mapping[str, str] = {
    "bounds: built by 2005 / 1965, after 国办发〔2020〕23号": (
        "界限：2005 年 / 1965 年以前建成，依据国办发〔2020〕23号"
    ),
    "weight illustrative": "权重为示例",
    "worst illustrative": "上限为示例",
    "bounds and weight illustrative": "界限和权重为示例",
    "worst and weight illustrative": "上限和权重为示例",
    "illustrative": "示例",
    "lifts are asked for from 4 storeys (3 climbed)": "四层以上（爬三层）住宅有加装电梯要求",
    "8 or 9 storeys climbed at 中山二路 (Liaowang, 2022-03-28)": (
        "中山二路须爬八九层楼（《瞭望》2022-03-28）"
    ),
    "inspection 城市体检: none 0, slight 0.5, grave 1": "城市体检：无 0，轻微 0.5，严重 1",
    "stand-in after the built-in city": "替代值取自内置城市",
    "† 25° is the usual limit for building land": "† 25° 为建设用地常用上限",
    "bounds about the 5th and 95th per cent of the built-in city": (
        "界限约为内置城市的 5 % 和 95 % 分位"
    ),
    "Chongqing 2020 census: 17 % of 65 and more †": "重庆 2020 年人口普查：65 岁以上占 17 % †",
    "30 m is the climb that 中山二路's public lift removed (Liaowang, 2022-03-28)": (
        "30 米为中山二路公共电梯消除的爬升（《瞭望》2022-03-28）"
    ),
    "5-minute circle 300 m": "五分钟生活圈 300 米",
    "10-minute circle 500 m, TD/T 1062-2021": "十分钟生活圈 500 米，TD/T 1062-2021",
    "15-minute circle 1,000 m, TD/T 1062-2021": "十五分钟生活圈 1,000 米，TD/T 1062-2021",
    "300 m, GB 50180-2018": "300 米，GB 50180-2018",
    "500 m, GB 50180-2018": "500 米，GB 50180-2018",
    "1,000 m, GB 50180-2018": "1,000 米，GB 50180-2018",
    "300 m, GB 50180-2018 and 完整居住社区": "300 米，GB 50180-2018、完整居住社区",
    "300 m, 完整居住社区": "300 米，完整居住社区",
    "5-minute tier, 完整居住社区": "五分钟一级，完整居住社区",
    "as a primary school": "同小学",
    "share of the norm that is lacking, measure.parking": "缺口占配建标准的比例",
    "left out where nobody inspected": "未体检的城市不计入",
    "revenue room makes works feasible, domain practice of 造血点 (Liaowang, 2022-03-28)": (
        "有经营空间便于实施，“造血点”做法（《瞭望》2022-03-28）"
    ),
}


def note(text: str) -> Words:
    """Return a note of config in both languages."""
    parts = [PHRASES.get(part) for part in re.split(r";\s*", text)]
    known = [part for part in parts if part is not None]
    return Words("；".join(known) if len(known) == len(parts) else text, text)
