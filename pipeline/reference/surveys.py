"""Surveys and plans: inspection, consent, ledger, clearance, heritage, census, estates."""

import numpy as np
import pandas as pd
import shapely

from pipeline.reference.chance import Floats, exact_sample, stream
from pipeline.reference.districts import Communities, place_names
from pipeline.reference.registers import NOTE
from pipeline.reference.settings import ReferenceSettings

_FAULTS = {
    "燃气隐患": 0.16,
    "楼梯隐患": 0.12,
    "外墙隐患": 0.20,
    "管网隐患": 0.30,
    "消防通道隐患": 0.18,
}
_MEASURES = {"管网改造": 0.16, "外墙修缮": 0.06, "加装电梯": -0.12}
_STREET_EDGE_M = 5.0
_GRADES = np.array(["无", "轻微", "严重"], dtype=object)


def inspection(settings: ReferenceSettings, buildings: pd.DataFrame, tile: int) -> pd.DataFrame:
    """Return the 体检 table: five faults per inspected building as 无, 轻微 or 严重."""
    rng = stream(settings.seed, "inspection", tile)
    rows = buildings[buildings["is_programme"]].reset_index(drop=True)
    rows = rows.iloc[exact_sample(rng, len(rows), settings.surveys.inspected_share)]
    age = (settings.surveys.reference_year - rows["construction_year"].to_numpy()) / 35
    frailty = rng.normal(0, 0.5, len(rows))
    table = pd.DataFrame({"楼栋编号": rows["building_id"].to_numpy()})
    table["体检日期"] = _days(rng, len(rows), 2023, 2024)
    for name, share in _FAULTS.items():
        pull = (
            np.log(share / (1 - share)) + 1.3 * (age - 1) + frailty + rng.logistic(0, 1, len(rows))
        )
        table[name] = _GRADES[(pull > 0).astype(int) + (pull > 1.6)]
        # an inspector who could not get in leaves the field open
        table.loc[rng.random(len(rows)) < 0.03, name] = ""
    table["备注"] = NOTE
    return table


def _days(rng: np.random.Generator, count: int, first_year: int, last_year: int) -> np.ndarray:
    year = rng.integers(first_year, last_year + 1, count)
    month, day = rng.integers(1, 13, count), rng.integers(1, 29, count)
    return np.array(
        [f"{y}-{m:02d}-{d:02d}" for y, m, d in zip(year, month, day, strict=True)], dtype=object
    )


def consent(settings: ReferenceSettings, buildings: pd.DataFrame, tile: int) -> pd.DataFrame:
    """Return consent per building, measure and round; support mostly grows from round to round."""
    rng = stream(settings.seed, "consent", tile)
    rows = buildings[buildings["is_programme"]]
    group = np.unique(rows["parcel"].to_numpy(), return_inverse=True)[1]
    estate_count = int(group.max()) + 1
    surveyed = rng.random(estate_count) < settings.surveys.consent_surveyed_share
    mood, round_count = rng.normal(0.62, 0.16, estate_count), settings.surveys.consent_round_count
    rounds = np.where(surveyed, rng.integers(1, round_count + 1, estate_count), 0)
    start = rng.integers(2021, 2024, estate_count)
    parts = []
    for number in range(1, round_count + 1):
        for measure, lean in _MEASURES.items():
            asked = rounds[group] >= number
            if measure == "加装电梯":
                asked &= ((rows["storey_count"] >= 4) & ~rows["has_lift"]).to_numpy()
            here = rows[asked]
            of = group[asked]
            count = len(here)
            owners = here["household_count"].to_numpy()
            turnout = np.clip(rng.normal(0.70 + 0.08 * number, 0.12, count), 0.2, 1)
            took_part = np.clip(np.round(owners * turnout), 1, owners).astype(int)
            # door-to-door work after the first round wins people over
            favour = np.clip(
                mood[of] + lean + 0.09 * (number - 1) + rng.normal(0, 0.10, count), 0.03, 1
            )
            agreed = np.round(took_part * favour).astype(int)
            area_asked = np.clip(took_part / owners + rng.normal(0, 0.015, count), 0.01, 1)
            area_agreed = np.clip(agreed / owners + rng.normal(0, 0.015, count), 0, 1)
            parts.append(
                pd.DataFrame(
                    {
                        "楼栋编号": here["building_id"].to_numpy(),
                        "调查轮次": number,
                        "调查日期": [f"{y + number - 1}-{3 * number:02d}-15" for y in start[of]],
                        "改造事项": measure,
                        "业主户数": owners,
                        "参与表决户数": took_part,
                        "同意户数": agreed,
                        "参与面积占比": np.round(area_asked, 3),
                        "同意面积占比": np.round(np.minimum(area_agreed, area_asked), 3),
                        "备注": "synthetic",
                    }
                )
            )
    table = pd.concat(parts)
    return table.sort_values(["楼栋编号", "调查轮次", "改造事项"], kind="stable").reset_index(
        drop=True
    )


def renovation_ledger(
    settings: ReferenceSettings, buildings: pd.DataFrame, estates: pd.DataFrame, tile: int
) -> pd.DataFrame:
    """Return what has been renovated: whole estates, and some single buildings of others."""
    rng = stream(settings.seed, "ledger", tile)
    surveys = settings.surveys
    done = estates.iloc[exact_sample(rng, len(estates), surveys.renovated_estate_share)]
    area = buildings[buildings["is_programme"]].groupby("estate_id")["housing_area_m2"].sum()
    rest = buildings[buildings["is_programme"] & ~buildings["estate_id"].isin(done["estate_id"])]
    single = rest.iloc[exact_sample(rng, len(rest), 0.004)]
    floor = np.concatenate(
        [area.reindex(done["estate_id"]).to_numpy(), single["housing_area_m2"].to_numpy()]
    )
    count = floor.size
    kind = np.array(["基础类", "完善类", "提升类"], dtype=object)[
        rng.choice(3, count, p=[0.55, 0.35, 0.1])
    ]
    years = rng.integers(surveys.first_renovation_year, surveys.last_renovation_year + 1, count)
    return pd.DataFrame(
        {
            "小区编号": np.concatenate([done["estate_id"], single["estate_id"]]),
            "楼栋编号": np.concatenate(
                [np.full(len(done), "", dtype=object), single["building_id"]]
            ),
            "改造年份": years,
            "改造类别": kind,
            "投资(万元)": np.round(floor * rng.uniform(250, 800, count) / 1e4, 1),
            "备注": NOTE,
        }
    )


def clearance_plans(settings: ReferenceSettings, estates: pd.DataFrame, tile: int) -> pd.DataFrame:
    """Return the estates in a shanty clearance plan (棚改): older, unmanaged ones."""
    rng = stream(settings.seed, "clearance", tile)
    pull = (
        estates["age_score"].to_numpy()
        + 0.3 * estates["is_managed"]
        + rng.gumbel(0, 0.12, len(estates))
    )
    count = max(1, round(settings.surveys.clearance_estate_share * len(estates)))
    chosen = estates.iloc[np.sort(np.argsort(pull, kind="stable")[:count])]
    return pd.DataFrame(
        {
            "小区编号": chosen["estate_id"],
            "小区名称": chosen["estate_name"],
            "计划年度": rng.integers(2024, 2028, count),
            "征收状态": np.array(["拟征收", "已启动", "签约中"], dtype=object)[
                rng.integers(0, 3, count)
            ],
            "备注": NOTE,
        }
    )


def heritage_areas(settings: ReferenceSettings, buildings: pd.DataFrame, tile: int) -> pd.DataFrame:
    """Return heritage areas around old courtyards: ``polygon`` in the working CRS, and grade."""
    rng = stream(settings.seed, "heritage", tile)
    old = buildings[buildings["kind"] == "courtyard"].groupby("parcel")["outline"]
    parcels = [shapely.union_all(part.to_numpy()) for _, part in old]
    chosen = rng.permutation(len(parcels))[: settings.surveys.heritage_area_count]
    polygons = [
        shapely.convex_hull(shapely.buffer(parcels[k], rng.uniform(12, 40))) for k in chosen
    ]
    names = place_names(rng, max(1, len(polygons)))
    grades = ("历史文化街区", "传统风貌区", "历史地段")
    return pd.DataFrame(
        {
            "名称": [f"{name}{grades[k % 3]}" for k, name in enumerate(names[: len(polygons)])],
            "保护类别": [grades[k % 3] for k in range(len(polygons))],
            "备注": NOTE,
            "polygon": pd.Series(polygons, dtype=object),
        }
    )


def census(
    settings: ReferenceSettings, buildings: pd.DataFrame, communities: Communities, tile: int
) -> pd.DataFrame:
    """Return people and people aged 65 and over by community; older stock houses older people."""
    rng = stream(settings.seed, "census", tile)
    size = len(communities.names)
    homes = buildings[buildings["household_count"] > 0]
    of = homes["community"].to_numpy()
    households = np.bincount(of, weights=homes["household_count"], minlength=size)
    years = np.bincount(
        of, weights=homes["household_count"] * homes["construction_year"], minlength=size
    )
    mean_year = years / np.maximum(households, 1)
    people = np.round(
        households * settings.people.persons_per_household * rng.normal(1, 0.05, size)
    )
    share = settings.people.elder_share + 0.003 * np.clip(1998 - mean_year, -20, 30)
    share = np.clip(share + rng.normal(0, settings.people.elder_share_spread, size), 0.04, 0.45)
    names = np.array([unit.name for unit in settings.districts], dtype=object)
    return pd.DataFrame(
        {
            "社区编号": communities.codes,
            "社区名称": communities.names,
            "街道": communities.street_names[communities.street],
            "区县": names[communities.district],
            "户数": households.astype(int),
            "常住人口": people.astype(int),
            "65岁及以上人口": np.round(people * share).astype(int),
            "备注": NOTE,
        }
    )


def estate_survey(
    settings: ReferenceSettings, buildings: pd.DataFrame, estates: pd.DataFrame, tile: int
) -> pd.DataFrame:
    """Return parking, charging and idle rooms by estate, open estates included."""
    rng = stream(settings.seed, "estate survey", tile)
    households = buildings[buildings["is_programme"]].groupby("estate_id")["household_count"].sum()
    homes = households.reindex(estates["estate_id"]).to_numpy(dtype=float)
    rate = np.clip(
        0.04 + 0.55 * estates["age_score"].to_numpy() ** 2 + rng.normal(0, 0.04, homes.size), 0, 1
    )
    spaces = np.round(homes * rate).astype(int)
    idle: Floats = np.where(
        rng.random(homes.size) < 0.4, np.round(rng.gamma(2, 90, homes.size), 1), 0.0
    )
    return pd.DataFrame(
        {
            "小区编号": estates["estate_id"],
            "小区名称": estates["estate_name"],
            "停车位": spaces,
            "充电车位": np.round(spaces * rng.uniform(0, 0.12, homes.size)).astype(int),
            "闲置公房面积(平方米)": idle,
            "有无围墙": np.where(estates["has_polygon"], "有", "无"),
            "备注": NOTE,
        }
    )


def estate_polygons(corners: Floats, parcel: np.ndarray, estates: pd.DataFrame) -> np.ndarray:
    """Return the outline of each estate that has one, up to the edge of its streets, else None.

    ``corners`` is n × 4 × 2 for all blocks and ``parcel`` the parcel of each.
    """
    cells = shapely.polygons(corners)
    order = np.argsort(parcel, kind="stable")
    starts = np.searchsorted(parcel[order], estates["parcel"].to_numpy(), side="left")
    ends = np.searchsorted(parcel[order], estates["parcel"].to_numpy(), side="right")
    result = np.empty(len(estates), dtype=object)
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if estates["has_polygon"].iloc[row]:
            land = shapely.union_all(cells[order[start:end]])
            result[row] = shapely.buffer(land, -_STREET_EDGE_M, join_style="mitre")
    return result
