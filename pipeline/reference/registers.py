"""The housing register and the footprint table as a bureau would keep them, before any dirt."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import Transformer

from pipeline.reference.chance import Floats, Ints, pick, stream
from pipeline.reference.districts import Communities
from pipeline.reference.settings import ReferenceSettings

NOTE = "合成数据 synthetic"
_NUMERALS = {
    0: "零",
    1: "一",
    2: "二",
    3: "三",
    4: "四",
    5: "五",
    6: "六",
    7: "七",
    8: "八",
    9: "九",
}
USES = {
    "towers": "住宅",
    "shops": "商业",
    "offices": "办公",
    "school": "学校",
    "hospital": "医院",
    "factory": "工业",
    "selfbuilt": "自建房",
}


def lon_lat(x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """Return WGS-84 longitude and latitude of EPSG:32648 coordinates, rounded to 1e-7°."""
    to_degrees = Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(x_m, y_m)
    return np.round(longitude, 7), np.round(latitude, 7)


def year_texts(
    settings: ReferenceSettings, rng: np.random.Generator, year: Ints
) -> NDArray[np.object_]:
    """Return years written in all the ways clerks write them; each text is true of its year."""
    formats = pick(rng, {str(k): v for k, v in settings.year_formats.items()}, year.size)
    month, day = rng.integers(1, 13, year.size), rng.integers(1, 29, year.size)
    back, ahead = rng.integers(0, 3, year.size), rng.integers(0, 3, year.size)
    drawn = (formats, year, month, day, back, ahead)
    texts = [_year_text(*row) for row in zip(*(each.tolist() for each in drawn), strict=True)]
    return np.array(texts, dtype=object)


def _year_text(form: str, year: int, month: int, day: int, back: int, ahead: int) -> str:
    decade = year // 10 * 10
    if form in ("decade", "short") and (year < 1930 or year >= 2000):
        form = "year_sign"  # 零几年 would be read as another century
    if form == "century_decade" and year >= 2000:
        form = "plain"
    match form:
        case "plain":
            return f"{year}"
        case "year_sign":
            return f"{year}年"
        case "date":
            return f"{year}-{month:02d}-{day:02d}"
        case "month":
            return f"{year}.{month}"
        case "decade":
            return f"{_NUMERALS[decade % 100 // 10]}十年代"
        case "century_decade":
            return f"20世纪{decade % 100}年代"
        case "short":
            return f"{year % 100:02d}年"
        case "before":
            return f"{year // 10 * 10 + 10}年前"
        case _:
            return f"{year - back}-{min(year + ahead, 2005)}"


def missing_years(
    settings: ReferenceSettings, rng: np.random.Generator, buildings: pd.DataFrame, managed: Floats
) -> Ints:
    """Return the rows whose year is missing: older and unmanaged ones more often."""
    group = np.unique(buildings["parcel"].to_numpy(), return_inverse=True)[1]
    estate = rng.normal(0, 1.3, group.max() + 1)[group]
    age = (1988 - buildings["construction_year"].to_numpy()) / 12
    pull = 0.85 * age - 1.2 * managed + estate + rng.logistic(0, 0.8, group.size)
    count = round(settings.surveys.year_missing_share * group.size)
    return np.sort(np.argsort(-pull, kind="stable")[:count])


def housing_register(
    settings: ReferenceSettings,
    buildings: pd.DataFrame,
    estates: pd.DataFrame,
    communities: Communities,
    tile: int,
) -> tuple[pd.DataFrame, Ints]:
    """Return the register of the programme, one row per building, and the rows without a year."""
    rng = stream(settings.seed, "register", tile)
    rows = buildings[buildings["is_programme"]].reset_index(drop=True)
    known = estates.set_index("estate_id").reindex(rows["estate_id"])
    names = np.array([unit.name for unit in settings.districts], dtype=object)
    managed = known["is_managed"].fillna(False).to_numpy(dtype=bool).astype(float)
    texts = year_texts(settings, rng, rows["construction_year"].to_numpy())
    blank = missing_years(settings, rng, rows, managed)
    texts[blank] = pick(rng, settings.missing_tokens, blank.size)
    longitude, latitude = lon_lat(rows["x_m"].to_numpy(), rows["y_m"].to_numpy())
    street = communities.street_names[communities.street[rows["community"]]]
    door = rng.integers(1, 399, len(rows)).astype(str)
    district = names[rows["district"]]
    address = district + street + pd.Series(door).to_numpy(dtype=object) + "号"
    register = pd.DataFrame(
        {
            "楼栋编号": rows["building_id"],
            "小区编号": rows["estate_id"],
            "小区名称": known["estate_name"].fillna("").to_numpy(),
            "区县": district,
            "街道": street,
            "社区": communities.names[rows["community"]],
            "地址": address,
            "建成年代": texts,
            "地上层数": rows["storey_count"].astype(str),
            "平街层": rows["entrance_storey_number"].astype(str),
            "单元数": rows["stairwell_count"].astype(str),
            "户数": rows["household_count"].astype(str),
            "住宅面积(平方米)": _decimals(rows["housing_area_m2"]),
            "商业面积(平方米)": _decimals(rows["shop_area_m2"]),
            "有无电梯": np.where(rows["has_lift"], "有", "无"),
            "结构类型": rows["structure"],
            "危房等级": rows["hazard_grade"],
            "物业服务企业": known["manager_name"].fillna("").to_numpy(),
            "经度": longitude,
            "纬度": latitude,
            "备注": NOTE,
        }
    )
    return register, blank


def _decimals(values: pd.Series) -> list[str]:
    return [f"{value:.2f}" for value in values]


def footprint_table(buildings: pd.DataFrame) -> pd.DataFrame:
    """Return the footprints in the working CRS: outline, number, use, storeys and height."""
    use = buildings["kind"].map(USES).fillna("住宅")
    return pd.DataFrame(
        {
            "楼栋编号": buildings["building_id"],
            "小区编号": buildings["estate_id"],
            "建筑用途": use,
            "地上层数": buildings["storey_count"].astype("int32"),
            "建筑高度": (buildings["storey_count"] * 3.0).round(1),
            "备注": NOTE,
            "outline": buildings["outline"],
        }
    )
