"""Minitown: thirty buildings on a hillside that one can work out on paper.

The ground is flat at 200 m south of the main road and rises evenly to the north, 0.2 m per metre.
The main road (primary) runs east along y = 0; steps at x = 0 climb to the upper street at y = 200; a
footbridge leaves the upper street's east end. Coordinates below are metres from ``ORIGIN``.
"""

import json
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from rasterio.transform import from_origin

CRS = "EPSG:32648"
ORIGIN = (655_000.0, 3_270_000.0)
GRADE = 0.2
BASE_M = 200.0
_TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)

YEARS = ["1950年", "20世纪20年代", "1947-10-10", "八十年代", "-", "2013", "9999"]
LEVELS = ["1", "6", "7", None, "9", "many"]


def ground_m(y_m: float) -> float:
    """Return the height of the ground at a distance north of the main road."""
    return BASE_M + GRADE * max(y_m, 0.0)


class _Osm:
    """Collects elements as Overpass sends them."""

    def __init__(self) -> None:
        self.nodes: list[dict] = []
        self.others: list[dict] = []
        self._at: dict[tuple[float, float], int] = {}

    def node(self, x: float, y: float, tags: dict | None = None) -> int:
        if (x, y) in self._at and not tags:
            return self._at[(x, y)]
        lon, lat = _TO_DEGREES.transform(ORIGIN[0] + x, ORIGIN[1] + y)
        key = len(self.nodes) + 1
        element = {"type": "node", "id": key, "lat": round(lat, 9), "lon": round(lon, 9)}
        self.nodes.append(element | ({"tags": tags} if tags else {}))
        self._at.setdefault((x, y), key)
        return key

    def way(self, key: int, points: list[tuple[float, float]], tags: dict) -> None:
        nodes = [self.node(x, y) for x, y in points]
        self.others.append({"type": "way", "id": key, "nodes": nodes, "tags": tags})

    def reply(self) -> dict:
        return {"version": 0.6, "elements": [*self.nodes, *self.others]}


def box(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    """Return a closed ring."""
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]


def buildings() -> dict:
    osm = _Osm()
    for number in range(30):
        row, column = divmod(number, 15)
        tags = {"building": "apartments" if number % 3 else "yes"}
        if YEARS[number % 7] != "-" or number == 4:
            tags["start_date"] = YEARS[number % 7]
        if LEVELS[number % 6]:
            tags["building:levels"] = LEVELS[number % 6]
        tags["name"] = f"{number}栋" if number != 7 else "<img src=x onerror=alert(1)>"
        if number == 8:
            tags["name"] = "=HYPERLINK(0)"
        # the lower row stands 20 m above the road, the upper row 20 m below the upper street
        osm.way(100 + number, box(-150 + 22 * column, 20 + 140 * row, 12, 10), tags)
    osm.way(200, box(-150, 20, 12, 10), {"building": "yes"})  # the first building again
    osm.way(201, box(400, 20, 2, 2), {"building": "yes"})  # a kiosk
    osm.way(202, [(450, 20), (460, 20), (460, 30)], {"building": "yes"})  # not closed
    bow = [(300, 60), (320, 80), (320, 60), (300, 80), (300, 60)]
    osm.way(203, bow, {"building": "apartments"})
    osm.way(204, box(5000, 5000, 12, 10), {"building": "yes"})  # outside the district
    osm.way(205, box(240, 20, 30, 30), {"building": "school"})
    osm.way(206, box(350, 350, 40, 40), {})
    osm.way(207, box(360, 360, 10, 10), {})
    members = [
        {"type": "way", "ref": 206, "role": "outer"},
        {"type": "way", "ref": 207, "role": "inner"},
    ]
    tags = {"type": "multipolygon", "building": "residential"}
    osm.others.append({"type": "relation", "id": 300, "members": members, "tags": tags})
    return osm.reply()


def streets() -> dict:
    osm = _Osm()
    main = [(-400, 0), (-200, 0), (0, 0), (200, 0), (400, 0)]
    osm.way(1, main, {"highway": "primary", "name": "山脚路"})
    osm.way(2, [(0, 0), (0, 100), (0, 200)], {"highway": "steps", "name": "十八梯"})
    osm.way(3, [(-300, 200), (0, 200), (300, 200)], {"highway": "residential", "name": "山上街"})
    osm.way(4, [(300, 200), (400, 400)], {"highway": "footway", "bridge": "yes"})
    osm.way(5, [(-400, 0), (-400, -50)], {"highway": "motorway"})
    osm.way(6, [(-200, 0), (-200, -50)], {"highway": "service", "access": "private"})
    return osm.reply()


def places_of_interest() -> dict:
    osm = _Osm()
    for number in range(6):
        osm.node(-200 + 60 * number, 5, {"shop": "convenience", "name": f"店{number}"})
    osm.node(100, 5, {"railway": "subway_entrance", "ref": "1"})
    osm.node(120, 5, {"tourism": "hotel"})
    return osm.reply()


def boundary() -> list[dict]:
    ring = [
        list(_TO_DEGREES.transform(ORIGIN[0] + x, ORIGIN[1] + y))
        for x, y in box(-600, -600, 1200, 1200)
    ]
    outline = {"type": "Polygon", "coordinates": [ring]}
    return [{"osm_type": "relation", "osm_id": 7, "name": "小城", "geojson": outline}]


def write_terrain(path: Path, *, crs: str = CRS, shift_m: float = 0.0, empty: bool = False) -> None:
    """Write the ground as a GeoTIFF of 20 m cells."""
    count, cell = 80, 20.0
    west, north = ORIGIN[0] - 800 + shift_m, ORIGIN[1] + 800
    middle_y = 800 - cell * (np.arange(count) + 0.5)
    column = np.array([ground_m(y) for y in middle_y], dtype=np.float32)
    values = (
        np.full((count, count), -9999, np.float32) if empty else np.tile(column[:, None], count)
    )
    with rasterio.open(
        path, "w", driver="GTiff", width=count, height=count, count=1, dtype="float32", crs=crs,
        nodata=-9999, transform=from_origin(west, north, cell, cell),
    ) as file:  # fmt: skip
        file.write(values, 1)


PROFILE = """
city:
  name_zh: 小城
  name_en: Minitown
  crs: EPSG:32648
  is_synthetic: false
  note_zh: 测试用
  note_en: for tests
sources:
  boundary: {path: boundary.json, role: boundary, format: nominatim_json, %s}
  buildings:
    path: buildings.json
    role: footprints
    format: overpass_json
    columns: {building_name: [name], building_use_type: [building], storey_count: ["building:levels"],
              height_m: [height], construction_year_text: [start_date]}
    %s
  streets: {path: streets.json, role: streets, format: overpass_json, columns: {road_name: [name]}, %s}
  pois: {path: pois.json, role: amenities, format: overpass_json, columns: {amenity_name: [name]}, %s}
  terrain:
    {path: terrain.tif, role: terrain, format: geotiff, datum: wgs84, crs: EPSG:32648, encoding: null,
     publisher: nobody, licence: CC0, attribution: none, date: "2026"}
intake:
  housing: {assumed_use_types: ["yes"]}
  storeys: {default_counts: [1]}
"""
_SOURCE = (
    "datum: wgs84, crs: EPSG:4326, encoding: utf-8, publisher: nobody, licence: CC0, "
    'attribution: "© nobody", date: 2026-01'
)


def profile() -> str:
    """Return the city profile."""
    block = "\n    ".join(part.strip() for part in _SOURCE.split(", "))
    return PROFILE % (_SOURCE, block, _SOURCE, _SOURCE)


def write(folder: Path) -> Path:
    """Write Minitown's raw files into a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    named = {"buildings": buildings(), "streets": streets(), "pois": places_of_interest()}
    for name, content in (named | {"boundary": boundary()}).items():
        text = json.dumps(content, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    write_terrain(folder / "terrain.tif")
    return folder
