"""Districts, streets (街道) and communities (社区): nested polygons that rivers divide."""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import cKDTree

from pipeline.reference.chance import Floats, Ints, stream
from pipeline.reference.settings import ReferenceSettings
from pipeline.reference.terrain import Frame, River

SIDES = ("north", "between", "south")
_SEED_PLACES_KM = {"north": (-1.0, 9.0), "between": (-4.0, -0.6), "south": (3.0, -9.0)}


def river_sides(frame: Frame, rivers: tuple[River, River]) -> list[shapely.Polygon]:
    """Return the land north of, between and south of the rivers, clipped to the frame."""
    left, bottom, right, top = frame.bounds_m
    box = shapely.box(left, bottom, right, top)
    lines = shapely.union_all([rivers[0].line, rivers[1].line, box.exterior])
    parts = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.node(lines))))
    parts = shapely.intersection(parts, box)
    parts = parts[shapely.area(parts) > 1]
    marks = frame.place(np.array([_SEED_PLACES_KM[side] for side in SIDES]))
    whole = [int(np.argmin(shapely.distance(parts, shapely.Point(mark)))) for mark in marks]
    sides = [parts[number] for number in whole]
    for number, part in enumerate(parts):
        if number not in whole and part.within(box):
            # a bend that leaves and re-enters the frame cuts off a sliver: it joins its neighbour
            shared = [shapely.length(shapely.intersection(part, side)) for side in sides]
            sides[int(np.argmax(shared))] = shapely.union(sides[int(np.argmax(shared))], part)
    return sides


@dataclass(frozen=True)
class Communities:
    """The smallest units, with their street and district.

    Arrays have one entry per community; ``district`` and ``street`` are numbers into the settings'
    districts and into ``street_names``.
    """

    polygons: np.ndarray
    seed_points: Floats
    side: Ints
    district: Ints
    street: Ints
    names: np.ndarray
    codes: np.ndarray
    street_names: np.ndarray
    street_codes: np.ndarray
    side_polygons: list[shapely.Polygon]

    def locate(self, x_m: Floats, y_m: Floats) -> Ints:
        """Return the community number at points."""
        found = np.full(x_m.shape, 0, dtype=np.int64)
        side = point_sides(self.side_polygons, x_m, y_m)
        for number in range(len(SIDES)):
            mine, here = np.flatnonzero(self.side == number), side == number
            if here.any() and mine.size:
                points = np.column_stack([x_m[here], y_m[here]])
                found[here] = mine[cKDTree(self.seed_points[mine]).query(points)[1]]
        return found


def point_sides(sides: list[shapely.Polygon], x_m: Floats, y_m: Floats) -> Ints:
    """Return 0 north, 1 between or 2 south of the rivers."""
    result = np.full(x_m.shape, 2, dtype=np.int64)
    for number in (0, 1):
        shapely.prepare(sides[number])
        result[shapely.contains_xy(sides[number], x_m, y_m)] = number
    return result


def district_numbers(
    settings: ReferenceSettings,
    frame: Frame,
    sides: list[shapely.Polygon],
    x_m: Floats,
    y_m: Floats,
) -> tuple[Ints, Floats]:
    """Return each point's district and the distance to its nearest centre, km of layout."""
    side = point_sides(sides, x_m, y_m)
    turn = np.radians(settings.land.strike_deg)
    best = np.full(x_m.shape, np.inf)
    number = np.zeros(x_m.shape, dtype=np.int64)
    for index, district in enumerate(settings.districts):
        for centre in frame.place(np.array(district.centres_km, dtype=float)):
            east, north = x_m - centre[0], y_m - centre[1]
            # the valleys are long and narrow, and so are the towns in them
            along = 0.78 * (east * np.sin(turn) + north * np.cos(turn))
            across = 1.25 * (east * np.cos(turn) - north * np.sin(turn))
            away = np.hypot(along, across) / 1000 / frame.size_share
            # a district keeps to its side of the rivers; Beibei alone lives on both banks
            foreign = side != SIDES.index(district.side)
            if district.english == "Beibei":
                foreign &= side != SIDES.index("north")
            away = away + np.where(foreign, 60.0, 0.0)
            number = np.where(away < best, index, number)
            best = np.minimum(best, away)
    return number, best


def make_communities(
    settings: ReferenceSettings,
    sides: list[shapely.Polygon],
    x_m: Floats,
    y_m: Floats,
    district: Ints,
    tile: int,
) -> Communities:
    """Return communities seeded among built places (``x_m``, ``y_m``, ``district`` of each)."""
    rng = stream(settings.seed, "districts", tile)
    side = point_sides(sides, x_m, y_m)
    points, of_district, of_street, of_side = [], [], [], []
    street_names: list[str] = []
    street_codes: list[str] = []
    names = iter(place_names(rng, 4000))
    for index, unit in enumerate(settings.districts):
        mine = np.flatnonzero(district == index)
        if mine.size == 0:
            continue
        street_count = min(unit.streets, mine.size)
        count = min(mine.size, street_count * settings.communities_per_street)
        seeds = np.sort(rng.choice(mine, size=count, replace=False))
        capitals = seeds[np.sort(rng.choice(count, size=street_count, replace=False))]
        tree = cKDTree(np.column_stack([x_m[capitals], y_m[capitals]]))
        street = tree.query(np.column_stack([x_m[seeds], y_m[seeds]]))[1]
        of_street.append(street + len(street_names))
        street_names += [f"{next(names)}街道" for _ in range(street_count)]
        street_codes += [f"{_code(unit.code, tile)}{k + 1:03d}" for k in range(street_count)]
        points.append(np.column_stack([x_m[seeds], y_m[seeds]]))
        of_district.append(np.full(count, index))
        of_side.append(side[seeds])
    seed_points, sided = np.vstack(points), np.concatenate(of_side)
    street_of = np.concatenate(of_street)
    polygons = np.empty(len(seed_points), dtype=object)
    for number, land in enumerate(sides):
        rows = np.flatnonzero(sided == number)
        if rows.size == 0:
            continue
        polygons[rows] = _voronoi(seed_points[rows], land)
    place_in_street = np.zeros(len(seed_points), dtype=np.int64)
    for number in range(len(street_names)):
        rows = np.flatnonzero(street_of == number)
        place_in_street[rows] = np.arange(rows.size) + 1
    codes = [f"{street_codes[s]}{k:03d}" for s, k in zip(street_of, place_in_street, strict=True)]
    return Communities(
        polygons,
        seed_points,
        sided,
        np.concatenate(of_district),
        street_of,
        np.array([f"{next(names)}社区" for _ in seed_points], dtype=object),
        np.array(codes, dtype=object),
        np.array(street_names, dtype=object),
        np.array(street_codes, dtype=object),
        sides,
    )


def _voronoi(seeds: Floats, land: shapely.Polygon) -> np.ndarray:
    if len(seeds) == 1:
        return np.array([land], dtype=object)
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=land.envelope)
    )
    owner = cKDTree(seeds).query(shapely.get_coordinates(shapely.point_on_surface(cells)))[1]
    result = np.empty(len(seeds), dtype=object)
    shapely.prepare(land)
    inside = shapely.contains_properly(land, cells)
    clipped = np.array(cells, dtype=object)
    clipped[~inside] = shapely.intersection(cells[~inside], land)
    result[owner] = clipped
    return result


def _code(code: str, tile: int) -> str:
    """Return a district code of a tile; the first tile keeps the real one."""
    return f"{int(code[:4]) + tile:04d}{code[4:]}"


def tile_code(code: str, tile: int) -> str:
    """Return the six-digit district code used in a tile's numbers."""
    return _code(code, tile)


_FIRST = (
    "龙凤鹤松柏梅竹兰桂榆柳枫杨石岩江河溪泉湖云霞霁虹晴曙新光明华兴隆安宁康福禄寿永和平顺祥瑞"
    "锦玉金银铜铁红紫翠碧青黄白沧澜嘉渝巴蜀"
)
_LAST = "溪沟坝坪湾嘴岩坡岗岭坎堡井池塘桥门街场园庙寺阁楼台滩浩沱碛垭冲坳林村苑庭"


def place_names(rng: np.random.Generator, count: int) -> list[str]:
    """Return invented place names such as 松石坪, all different."""
    pool = [a + b + c for a in _FIRST for b in _FIRST[::2] for c in _LAST if a != b]
    pool += [a + c for a in _FIRST for c in _LAST]
    return [pool[k] for k in rng.choice(len(pool), size=count, replace=False)]
