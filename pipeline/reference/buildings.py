"""What every building is: year, storeys, floor area, households, lift, structure, manager.

Floor areas meet the settings' totals exactly to within one storey of one building.
"""

import numpy as np
import pandas as pd

from pipeline.reference.chance import Bools, Floats, Ints, pick, stream
from pipeline.reference.districts import Communities, place_names, tile_code
from pipeline.reference.growth import Growth
from pipeline.reference.settings import ReferenceSettings
from pipeline.reference.terrain import Terrain

STOREY_HEIGHT_M = 3.0
_LOOSE_SERIAL = 0


def number_estates(
    settings: ReferenceSettings,
    growth: Growth,
    communities: Communities,
    share_of_totals: float,
    tile: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return buildings with their numbers, and the estates.

    Buildings gain ``building_id`` (of the register, or a footprint number), ``estate_id`` (empty
    for single buildings), ``community`` and ``district``. Estates have ``estate_id``,
    ``estate_name``, ``community``, ``district``, ``parcel``, ``has_polygon``, ``is_managed`` and
    ``manager_name``.
    """
    rng = stream(settings.seed, "estates", tile)
    lots = growth.lots
    middle = lots.groupby("parcel")[["x_m", "y_m", "is_programme", "age_score"]].mean()
    community = communities.locate(middle["x_m"].to_numpy(), middle["y_m"].to_numpy())
    parcels = middle.assign(community=community, district=communities.district[community])
    parcels["is_programme"] = parcels["is_programme"] > 0.5
    size = lots.groupby("parcel").size().reindex(parcels.index)
    # the smallest clusters count as single buildings, so that the number of estates is met
    weight = size + rng.uniform(0, 3, len(parcels))
    place = weight.where(parcels["is_programme"]).rank(ascending=False, method="first")
    estate_limit = round(settings.totals.estate_count * share_of_totals)
    parcels["is_loose"] = parcels["is_programme"] & ((place > estate_limit) | (size < 2))
    parcels = parcels.sort_values(["district", "community"], kind="stable")
    is_estate = parcels["is_programme"] & ~parcels["is_loose"]
    serial = is_estate.groupby(parcels["district"]).cumsum().where(is_estate, _LOOSE_SERIAL)
    codes = np.array([tile_code(unit.code, tile) for unit in settings.districts], dtype=object)
    of_district = codes[parcels["district"]]
    parcels["prefix"] = [f"{a}-{b:04d}" for a, b in zip(of_district, serial, strict=True)]
    estates = parcels[is_estate].copy()
    estates["estate_id"] = estates["prefix"]
    estates["estate_name"] = _estate_names(rng, estates)
    managed = 1 / (
        1 + np.exp(-(5 * (estates["age_score"] - 0.5) + rng.normal(0, 1.2, len(estates))))
    )
    limit = np.quantile(managed, settings.surveys.unmanaged_share)
    estates["is_managed"] = managed > limit
    estates["manager_name"] = _managers(rng, estates["is_managed"].to_numpy())
    estates["has_polygon"] = rng.random(len(estates)) >= settings.land_use.open_estate_share

    info = parcels.loc[lots["parcel"], ["community", "district", "prefix", "is_loose"]]
    table = lots.assign(**{str(name): info[name].to_numpy() for name in info})
    table = table.sort_values(
        ["prefix", "is_programme", "parcel"], ascending=[True, False, True], kind="stable"
    )
    serial_in_group = table.groupby(["prefix", "is_programme"]).cumcount() + 1
    programme = table["is_programme"].to_numpy()
    numbers = np.where(programme, serial_in_group, 0)
    table["building_id"] = [f"{a}-{b:03d}" for a, b in zip(table["prefix"], numbers, strict=True)]
    others = np.flatnonzero(~programme)
    identities = table["building_id"].to_numpy(dtype=object).copy()
    identities[others] = [
        f"{codes[d]}-Q{k + 1:06d}"
        for d, k in zip(table["district"].to_numpy()[others], range(others.size), strict=True)
    ]
    table["building_id"] = identities
    in_estate = programme & ~table["is_loose"].to_numpy()
    table["estate_id"] = np.where(in_estate, table["prefix"], "")
    return table.reset_index(drop=True), estates.reset_index()


def _estate_names(rng: np.random.Generator, estates: pd.DataFrame) -> list[str]:
    roots = place_names(rng, min(len(estates), 20000))
    old = ("厂家属院", "宿舍", "职工住宅", "村", "大院", "新村")
    late = ("小区", "花园", "苑", "安置小区", "家园", "名居")
    draw = rng.integers(0, 6, len(estates))
    newer = estates["age_score"].to_numpy() + rng.normal(0, 0.12, len(estates)) > 0.55
    return [
        f"{roots[k % len(roots)]}{(late if n else old)[d]}"
        for k, (d, n) in enumerate(zip(draw, newer, strict=True))
    ]


def _managers(rng: np.random.Generator, managed: Bools) -> np.ndarray:
    firms = [f"{name}物业管理有限公司" for name in place_names(rng, 60)]
    named = np.array(firms, dtype=object)[rng.integers(0, len(firms), managed.size)]
    return np.where(
        managed, named, pick(rng, {"无": 0.6, "社区代管": 0.25, "": 0.15}, managed.size)
    )


def describe(
    settings: ReferenceSettings, terrain: Terrain, table: pd.DataFrame, tile: int
) -> pd.DataFrame:
    """Return buildings with year, storeys, shops, structure and height of the ground."""
    rng = stream(settings.seed, "buildings", tile)
    count = len(table)
    kinds = settings.building_types
    kind = table["kind"].to_numpy()

    def of(name: str) -> Floats:
        values = {key: getattr(each, name) for key, each in kinds.items()}
        return np.array([values[key] for key in kind], dtype=float)

    first, last = of("first_year"), of("last_year")
    ends = {key: each.storeys for key, each in kinds.items()}
    low = np.array([ends[key][0] for key in kind])
    high = np.array([ends[key][1] for key in kind])
    # an estate is built in one go or in phases over a few years
    group = np.unique(table["parcel"].to_numpy(), return_inverse=True)[1]
    start = rng.beta(1.6, 1.6, group.max() + 1)[group]
    phase = np.where(rng.random(group.max() + 1) < 0.4, 5.0, 1.2)[group]
    year = first + start * (last - first) + rng.uniform(0, 1, count) * phase
    year = np.clip(np.floor(year), first, last).astype(int)
    tall = rng.random(group.max() + 1)[group]
    storeys = low + np.floor(
        (high - low + 1) * np.clip(tall + rng.normal(0, 0.22, count), 0, 0.999)
    )
    shop_floor = rng.random(count) < of("shop_share")
    shops = np.where(shop_floor, np.where(storeys > 11, 2, 1), 0)
    return table.assign(
        construction_year=year,
        storey_count=storeys.astype(int),
        shop_storey_count=np.where(table["is_programme"], np.minimum(shops, storeys - 1), 0).astype(
            int
        ),
        structure=_structures(rng, settings, kind),
        ground_elevation_m=np.round(
            terrain.ground_m(table["x_m"].to_numpy(), table["y_m"].to_numpy()), 2
        ),
    )


def _structures(
    rng: np.random.Generator, settings: ReferenceSettings, kind: np.ndarray
) -> np.ndarray:
    result = np.empty(kind.size, dtype=object)
    for name, each in settings.building_types.items():
        rows = np.flatnonzero(kind == name)
        result[rows] = pick(rng, each.structures, rows.size)
    return result


def meet_totals(
    settings: ReferenceSettings, table: pd.DataFrame, share_of_totals: float, tile: int
) -> pd.DataFrame:
    """Return buildings whose storeys are moved by one or two until the floor areas add up."""
    rng = stream(settings.seed, "totals", tile)
    totals = settings.totals
    names = [unit.name for unit in settings.districts]
    special = (
        table["is_programme"]
        & (table["district"] == names.index(totals.pre_cutoff_district))
        & (table["construction_year"] <= totals.pre_cutoff_year)
    ).to_numpy()
    rest = table["is_programme"].to_numpy() & ~special
    special_target = totals.pre_cutoff_floor_area_m2 * share_of_totals
    storeys = table["storey_count"].to_numpy().copy()
    area = table["footprint_area_m2"].to_numpy()
    shops = table["shop_storey_count"].to_numpy()
    for rows, target in (
        (special, special_target),
        (rest, totals.housing_floor_area_m2 * share_of_totals - special_target),
    ):
        storeys = _nudged(rng, storeys, shops, area, np.flatnonzero(rows), target)
    programme = table["is_programme"].to_numpy()
    return table.assign(
        storey_count=storeys,
        housing_area_m2=np.where(programme, np.round(area * (storeys - shops), 2), 0.0),
        shop_area_m2=np.where(programme, np.round(area * shops, 2), 0.0),
    )


def _nudged(
    rng: np.random.Generator, storeys: Ints, shops: Ints, area: Floats, rows: Ints, target: float
) -> Ints:
    storeys = storeys.copy()
    for _ in range(6):
        gap = target - float(np.sum(area[rows] * (storeys - shops)[rows]))
        step = 1 if gap > 0 else -1
        # nothing becomes a single storey, and no walk-up of eight grows into a tower
        able = rows[
            (storeys[rows] + step > 1 + shops[rows]) & (storeys[rows] != (9 if step > 0 else 12))
        ]
        order = rng.permutation(able)
        moved = np.cumsum(area[order]) <= abs(gap)
        storeys[order[moved]] += step
        if not moved.all():
            break
    return storeys


def furnish(settings: ReferenceSettings, table: pd.DataFrame, tile: int) -> pd.DataFrame:
    """Return buildings with households, lift, hazard grade and the storey of the entrance."""
    rng = stream(settings.seed, "furnish", tile)
    count = len(table)
    year, storeys = table["construction_year"].to_numpy(), table["storey_count"].to_numpy()
    flats = settings.people.flat_area_m2
    flat = np.select(
        [year < 1980, year < 1998], [flats.before_1980, flats.before_1998], flats.later
    )
    flat = flat * np.exp(rng.normal(0, 0.12, count))
    households = np.maximum(np.round(table["housing_area_m2"].to_numpy() / flat), 2).astype(int)
    lived_in = table["kind"].isin(["towers", "selfbuilt"]).to_numpy()
    built = table["footprint_area_m2"].to_numpy() * storeys
    households = np.where(
        table["is_programme"], households, np.where(lived_in, built / 110, 0)
    ).astype(int)
    shares = {name: each.lift_share for name, each in settings.building_types.items()}
    share = np.array([shares[name] for name in table["kind"]])
    share = np.where((storeys >= 10) & table["is_programme"], np.maximum(share, 0.8), share)
    share = np.where((storeys < 7) & table["is_programme"], 0.0, share)
    hazard = settings.surveys.hazard_share
    frail = (2006 - year) / 20 + 1.6 * table["structure"].isin(["砖木", "木结构"]).to_numpy()
    frail = np.where(table["is_programme"], frail + rng.gumbel(0, 0.9, count), -99)
    worst = np.argsort(-frail, kind="stable")
    programme_count = int(table["is_programme"].sum())
    grade = pick(rng, {"A": 0.30, "B": 0.22, "": 0.48}, count)
    d_count, c_count = (round(programme_count * hazard[key]) for key in ("D", "C"))
    grade[worst[:d_count]] = "D"
    grade[worst[d_count : d_count + c_count]] = "C"
    # a house on a slope may be entered at the height of the upper street
    levels = np.floor(table["relief_m"].to_numpy() / STOREY_HEIGHT_M).astype(int)
    upper = (rng.random(count) < 0.6) & (levels > 0)
    entrance = np.where(upper, 1 + np.minimum(levels, storeys - 1), 1)
    return table.assign(
        household_count=households,
        has_lift=rng.random(count) < share,
        hazard_grade=np.where(table["is_programme"], grade, ""),
        entrance_storey_number=entrance,
        stairwell_count=np.maximum(1, np.round(table["length_m"] / 16).astype(int)),
    )
