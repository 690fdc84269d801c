"""Facilities with a 类别 field, placed by population and era, delivered in GCJ-02.

GCJ-02 is the datum of Chinese web maps: WGS-84 bent by a smooth offset of several hundred metres.
The formula is the published one (eviltransform, Tang 2013).
"""

import numpy as np
import pandas as pd

from pipeline.reference.chance import Floats, stream
from pipeline.reference.districts import place_names
from pipeline.reference.registers import NOTE, lon_lat
from pipeline.reference.settings import ReferenceSettings

# people per facility and lean towards new quarters; illustrative, after the tiers of GB 50180-2018
CATEGORIES: dict[str, tuple[str, str, int, float]] = {
    "kindergarten": ("幼儿园", "{}幼儿园", 5200, 1.2),
    "nursery": ("托育机构", "{}托育中心", 14000, 2.0),
    "primary_school": ("小学", "{}小学", 14000, 0.4),
    "middle_school": ("中学", "{}中学", 30000, 0.4),
    "elder_care_station": ("养老服务站", "{}社区养老服务站", 11000, 0.6),
    "health_station": ("卫生服务站", "{}社区卫生服务站", 10000, 0.2),
    "community_service_station": ("社区服务站", "{}便民服务中心", 7500, 0.0),
    "convenience_shop": ("便利店", "{}便利店", 1500, 0.0),
    "activity_ground": ("活动场地", "{}健身活动场", 5200, 1.4),
    "market": ("菜市场", "{}农贸市场", 15000, -0.4),
    "hospital": ("医院", "{}医院", 60000, 0.0),
    "park": ("公园", "{}公园", 28000, 1.0),
    "pharmacy": ("药店", "{}大药房", 4200, 0.0),
    "bus_station": ("公交站", "{}公交站", 6500, 0.3),
    "toilet": ("公共厕所", "{}公厕", 9000, -0.3),
    "parking": ("停车场", "{}停车场", 9000, 1.6),
    "bank": ("银行", "{}储蓄所", 9000, 0.3),
}
_SEMI_MAJOR_M = 6378245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323


def gcj02(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return GCJ-02 degrees of WGS-84 degrees inside China."""
    x, y, pi = longitude - 105.0, latitude - 35.0, np.pi
    wave = (20 * np.sin(6 * x * pi) + 20 * np.sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + wave
    north += (20 * np.sin(y * pi) + 40 * np.sin(y / 3 * pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * pi) + 320 * np.sin(y / 30 * pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + wave
    east += (20 * np.sin(x * pi) + 40 * np.sin(x / 3 * pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * pi) + 300 * np.sin(x / 30 * pi)) * 2 / 3
    bend = 1 - _ECCENTRICITY_SQUARED * np.sin(np.radians(latitude)) ** 2
    meridian_m = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_SQUARED) / bend**1.5
    parallel_m = _SEMI_MAJOR_M / np.sqrt(bend) * np.cos(np.radians(latitude))
    return longitude + np.degrees(east / parallel_m), latitude + np.degrees(north / meridian_m)


def make_amenities(settings: ReferenceSettings, buildings: pd.DataFrame, tile: int) -> pd.DataFrame:
    """Return facilities: number, name, category, area and true place in the working CRS."""
    rng = stream(settings.seed, "amenities", tile)
    people = buildings["household_count"].to_numpy() * settings.people.persons_per_household
    newness = np.clip((buildings["construction_year"].to_numpy() - 1985) / 20, -1, 1.2)
    names = place_names(rng, 12000)
    own = {"primary_school": "school", "middle_school": "school", "hospital": "hospital"}
    parts = []
    for kind, (label, pattern, people_each, lean) in CATEGORIES.items():
        count = max(2, round(people.sum() / people_each))
        sites = np.flatnonzero(buildings["kind"].to_numpy() == own.get(kind, ""))
        weight = people * np.exp(lean * newness * 0.6)
        if sites.size >= count:
            chosen = rng.choice(sites, count, replace=False)
            shift = np.zeros((count, 2))
        else:
            chosen = rng.choice(people.size, count, replace=False, p=weight / weight.sum())
            turn, away = rng.uniform(0, 2 * np.pi, count), rng.uniform(14, 38, count)
            shift = np.column_stack([away * np.cos(turn), away * np.sin(turn)])
        label_of = [pattern.format(names[k]) for k in rng.integers(0, len(names), count)]
        parts.append(
            pd.DataFrame(
                {
                    "amenity_type": kind,
                    "名称": label_of,
                    "类别": label,
                    "面积": np.round(rng.gamma(3, 90, count) + 40, 0),
                    "x_m": buildings["x_m"].to_numpy()[chosen] + shift[:, 0],
                    "y_m": buildings["y_m"].to_numpy()[chosen] + shift[:, 1],
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "设施编号", [f"F{tile:03d}{k + 1:06d}" for k in range(len(table))])
    longitude, latitude = gcj02(*lon_lat(table["x_m"].to_numpy(), table["y_m"].to_numpy()))
    return table.assign(备注=NOTE, longitude=np.round(longitude, 7), latitude=np.round(latitude, 7))
