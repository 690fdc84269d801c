"""How the city grew: which land is built on, with what, and from when.

Every district grows outwards from its centres until its share of the programme stands; the older
types lie near the centres and along the rivers, later ones at the edge.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from pipeline.reference.blocks import Blocks, make_blocks
from pipeline.reference.chance import Bools, Floats, Ints, noise_field, pick, stream
from pipeline.reference.districts import district_numbers
from pipeline.reference.lots import Lots, join, lay_lots, overlapping
from pipeline.reference.mesh import Lattice, base_lattice, main_roads, sound_cells
from pipeline.reference.settings import BuildingType, ReferenceSettings
from pipeline.reference.terrain import Terrain

_BUILDINGS_PER_CELL = 2.3  # programme buildings on an average cell, all uses together
_MAX_ATTEMPTS = 6
_MAX_RELIEF_M = 9.5  # three storeys: more than that is not built over


@dataclass(frozen=True)
class Growth:
    """The built land: lattice, used cells and the lots on them.

    ``lots`` has one row per building with ``kind``, ``is_programme``, ``parcel``, ``outline``
    (polygon), ``footprint_area_m2``, ``relief_m``, ``x_m``, ``y_m``, ``length_m``, ``depth_m``,
    ``angle_rad``, ``shape``, ``age_score`` (0 old – 1 new). ``parcels`` has ``district``, ``kind``
    and ``rank_share``.
    """

    lattice: Lattice
    blocks: Blocks
    built: Bools
    lots: pd.DataFrame
    parcels: pd.DataFrame
    sides: list[shapely.Polygon]


def candidate_cells(
    settings: ReferenceSettings,
    terrain: Terrain,
    corners: Floats,
    sides: list[shapely.Polygon],
    cell_count: float,
    tile: int,
) -> tuple[Bools, Ints, Floats]:
    """Return cells that may be built on, their district and their rank from the centre, 0–1."""
    rng = stream(settings.seed, "growth", tile)
    frame = terrain.frame
    shape = corners.shape[:2]
    sound = sound_cells(corners, settings.mesh)
    x, y = corners[..., 0], corners[..., 1]
    dry = (terrain.river_m(x, y) > 45).all(axis=2) & frame.holds(x, y, 240).all(axis=2)
    centre = corners.mean(axis=2)
    centre_x, centre_y = centre[..., 0].ravel(), centre[..., 1].ravel()
    east, north = terrain.smooth_gradient(centre_x, centre_y)
    grade = np.hypot(east, north)
    level = (grade < 0.50) & (terrain.ridge_rise_m(centre_x, centre_y) < 55)
    usable = np.flatnonzero(sound.ravel() & dry.ravel() & level)
    district, away = district_numbers(settings, frame, sides, centre_x[usable], centre_y[usable])
    x, y = centre_x[usable], centre_y[usable]
    score = away + 1.5 * grade[usable]
    for wavelength, weight in ((3200.0, 0.75), (1100.0, 0.42)):
        reach = max(400.0, wavelength * frame.size_share)
        score = score + weight * noise_field(rng, frame.bounds_m, wavelength_m=reach)(x, y)

    chosen = np.zeros(sound.size, dtype=bool)
    number = np.full(sound.size, -1)
    rank = np.full(sound.size, np.inf)
    for index, unit in enumerate(settings.districts):
        mine = np.flatnonzero(district == index)
        wanted = round(cell_count * unit.programme_share + 30)
        best = mine[np.argsort(score[mine], kind="stable")][:wanted]
        rows = usable[best]
        chosen[rows] = True
        number[rows] = index
        rank[rows] = np.arange(rows.size) / max(rows.size, 1)
    return chosen.reshape(shape), number.reshape(shape), rank.reshape(shape)


def lots_per_cell(kind: BuildingType) -> float:
    """Return about how many buildings of a type fit on one cell."""
    pitch = (np.mean(kind.length_m) + kind.gap_m) * (np.mean(kind.depth_m) + kind.yard_m)
    return float(0.75 * 95 * 65 * kind.keep_share / pitch)


def _programme_kinds(
    settings: ReferenceSettings, rng: np.random.Generator, age_score: Floats, cells: Floats
) -> np.ndarray:
    """Return the type of each programme parcel: oldest scores get the oldest types."""
    kinds = {name: kind for name, kind in settings.building_types.items() if kind.share > 0}
    land = {name: kind.share / lots_per_cell(kind) for name, kind in kinds.items()}
    total = sum(land.values())
    spread = "point_tower"  # towers of the 1990s were put up anywhere
    result = np.full(age_score.size, spread, dtype=object)
    rest = np.flatnonzero(rng.random(age_score.size) >= land.get(spread, 0.0) / total)
    order = rest[np.argsort(age_score[rest], kind="stable")]
    names = [name for name in kinds if name != spread]
    ends = np.cumsum([land[name] for name in names]) / sum(land[name] for name in names)
    place = (np.cumsum(cells[order]) - 0.5 * cells[order]) / max(cells[order].sum(), 1)
    result[order] = np.array(names, dtype=object)[np.searchsorted(ends[:-1], place)]
    return result


def plan_parcels(
    settings: ReferenceSettings,
    terrain: Terrain,
    blocks: Blocks,
    district: Ints,
    rank: Floats,
    tile: int,
) -> pd.DataFrame:
    """Return one row per parcel: district, rank, kind, whether programme, and age score."""
    rng = stream(settings.seed, "parcels use", tile)
    use = settings.land_use
    frame = pd.DataFrame(
        {
            "parcel": blocks.parcel,
            "district": district,
            "rank_share": rank,
            "x_m": blocks.centre[:, 0],
            "y_m": blocks.centre[:, 1],
            "cell_count": 1.0,
        }
    )
    parcels = frame.groupby("parcel").agg(
        {
            "district": "first",
            "rank_share": "mean",
            "x_m": "mean",
            "y_m": "mean",
            "cell_count": "sum",
        }
    )
    count = len(parcels)
    x, y = parcels["x_m"].to_numpy(), parcels["y_m"].to_numpy()
    noise = noise_field(
        rng, terrain.frame.bounds_m, wavelength_m=max(350.0, 1500 * terrain.frame.size_share)
    )
    share = parcels["rank_share"].to_numpy()
    shift = np.array([unit.age_shift for unit in settings.districts])[parcels["district"]]
    bank = np.exp(-np.clip(terrain.river_m(x, y), 0, None) / (900 * terrain.frame.size_share))
    score = share + shift + use.age_noise * 0.5 * noise(x, y) - 0.22 * bank
    score += rng.normal(0, 0.10, count)
    slope = use.programme_share_edge - use.programme_share_core
    is_programme = rng.random(count) < use.programme_share_core + slope * share
    kind = pick(rng, use.others, count)
    # works stand by the water, schools and towers do not
    by_water = (kind == "towers") & (rng.random(count) < 0.30 * bank)
    kind[by_water] = "factory"
    cells = parcels["cell_count"].to_numpy()
    too_big = (cells > 4) & np.isin(kind, ["shops", "school", "hospital"])
    kind[too_big] = np.where(rng.random(too_big.sum()) < 0.72, "towers", "selfbuilt")
    # the outermost candidates will mostly stay fields, so they count little in the mix of types
    weight = cells * np.clip((0.95 - share) / 0.3, 0.05, 1)
    kind[is_programme] = _programme_kinds(settings, rng, score[is_programme], weight[is_programme])
    position = np.argsort(np.argsort(score, kind="stable"), kind="stable") / max(count, 1)
    return parcels.assign(kind=kind, is_programme=is_programme, age_score=position)


def fill_blocks(settings: ReferenceSettings, blocks: Blocks, kinds: np.ndarray, tile: int) -> Lots:
    """Return the lots of all blocks; ``kinds`` has the type of each block."""
    rng = stream(settings.seed, "lots", tile)
    parts = []
    for name, kind in settings.building_types.items():
        rows = np.flatnonzero(kinds == name)
        if rows.size == 0:
            continue
        laid = lay_lots(
            rng, kind, rows, blocks.polygons[rows], blocks.centre[rows], blocks.angle_rad[rows]
        )
        parts.append(laid)
    return join(parts)


def relief_m(terrain: Terrain, lots: Lots) -> Floats:
    """Return the height difference of the ground under each lot's rectangle."""
    cos, sin = np.cos(lots.angle_rad), np.sin(lots.angle_rad)
    heights = []
    for along, across in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (0, 0)):
        east, north = along * lots.length_m, across * lots.depth_m
        x, y = lots.x_m + east * cos - north * sin, lots.y_m + east * sin + north * cos
        heights.append(terrain.ground_m(x, y))
    return np.asarray(np.ptp(np.array(heights), axis=0))


def _cut_at_quota(
    settings: ReferenceSettings, parcels: pd.DataFrame, counts: pd.Series, building_count: int
) -> tuple[pd.DataFrame, pd.Series]:
    """Return the parcels that get built and how many programme lots each may keep."""
    supply = parcels.assign(count=counts.reindex(parcels.index).fillna(0).astype(int))
    available = supply.groupby("district")["count"].sum()
    room_of = available.reindex(range(len(settings.districts))).fillna(0).to_numpy()
    shares = np.array([unit.programme_share for unit in settings.districts])
    quota = np.floor(shares * building_count)
    quota = np.minimum(quota, room_of)
    while quota.sum() < building_count:
        room = room_of - quota
        missing = building_count - quota.sum()
        step = np.minimum(room, np.ceil(missing * room / room.sum()))
        step = np.where(
            np.cumsum(step) <= missing, step, np.maximum(0, missing - np.cumsum(step) + step)
        )
        quota += step
    kept = []
    for index, limit in enumerate(quota.astype(int)):
        mine = supply[supply["district"] == index].sort_values(["rank_share"], kind="stable")
        before = mine["count"].cumsum() - mine["count"]
        mine = mine.assign(allowed=(limit - before).clip(lower=0))
        kept.append(mine[before < limit])
    built = pd.concat(kept)
    return built, built["allowed"]


def grow(
    settings: ReferenceSettings,
    terrain: Terrain,
    sides: list[shapely.Polygon],
    building_count: int,
    tile: int,
) -> Growth:
    """Return the built city with exactly ``building_count`` programme lots."""
    x, y = base_lattice(settings, terrain, tile)
    cell_count = building_count / _BUILDINGS_PER_CELL * settings.mesh.overshoot
    for _ in range(_MAX_ATTEMPTS):
        growth = _grown_on(settings, terrain, sides, (x, y), cell_count, building_count, tile)
        if growth is not None:
            return growth
        cell_count *= 1.25
    raise ValueError(
        f"reference: no room for {building_count:,} programme buildings. "
        "Usual cause: building types too large, or a scale below 0.005."
    )


def _grown_on(
    settings: ReferenceSettings,
    terrain: Terrain,
    sides: list[shapely.Polygon],
    lattice_m: tuple[Floats, Floats],
    cell_count: float,
    building_count: int,
    tile: int,
) -> Growth | None:
    """Return the city on about ``cell_count`` candidate cells, None when they are too few."""
    x, y = lattice_m
    raw = Lattice(x, y, np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int64))
    chosen, district, rank = candidate_cells(
        settings, terrain, raw.cell_corners(), sides, cell_count, tile
    )
    lattice = main_roads(settings, terrain, x, y, chosen)
    chosen &= sound_cells(lattice.cell_corners(), settings.mesh)
    blocks = make_blocks(settings.seed, settings.mesh, lattice, chosen, tile)
    cell = (blocks.row, blocks.column)
    parcels = plan_parcels(settings, terrain, blocks, district[cell], rank[cell], tile)
    kinds = parcels["kind"].reindex(blocks.parcel).to_numpy()
    lots = fill_blocks(settings, blocks, kinds, tile)
    relief = relief_m(terrain, lots)
    lots, relief = lots.take(np.flatnonzero(relief < _MAX_RELIEF_M)), relief[relief < _MAX_RELIEF_M]
    outlines = lots.outlines()
    clear = np.setdiff1d(np.arange(outlines.size), overlapping(outlines))
    lots, relief, outlines = lots.take(clear), relief[clear], outlines[clear]

    parcel = blocks.parcel[lots.block]
    table = pd.DataFrame(
        {
            "parcel": parcel,
            "block": lots.block,
            "kind": kinds[lots.block],
            "is_programme": parcels["is_programme"].reindex(parcel).to_numpy(),
            "age_score": parcels["age_score"].reindex(parcel).to_numpy(),
            "x_m": lots.x_m,
            "y_m": lots.y_m,
            "length_m": lots.length_m,
            "depth_m": lots.depth_m,
            "angle_rad": lots.angle_rad,
            "shape": lots.shape,
            "relief_m": relief,
            "footprint_area_m2": shapely.area(outlines),
            "outline": outlines,
        }
    )
    counts = table[table["is_programme"]].groupby("parcel").size()
    if counts.sum() < building_count:
        return None
    built, allowed = _cut_at_quota(settings, parcels, counts, building_count)
    table = table[table["parcel"].isin(built.index)]
    serial = table.groupby("parcel").cumcount()
    keep = ~table["is_programme"] | (serial < allowed.reindex(table["parcel"]).to_numpy())
    table = table[keep].reset_index(drop=True)
    used = np.isin(blocks.parcel, built.index)
    cells = np.zeros(chosen.shape, dtype=bool)
    cells[blocks.row[used], blocks.column[used]] = True
    return Growth(lattice, blocks, cells, table, built.drop(columns=["count", "allowed"]), sides)
