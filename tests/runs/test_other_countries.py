"""A city anywhere: southern or western, no Chinese names, three files and a short profile."""

import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from pyproj import Transformer
from rasterio.transform import from_origin

from tests.conftest import Project, real_data
from tests.minitown import formats, make

PROFILE = """
city:
  {{name_zh: {name}, name_en: {name}, crs: "{crs}", is_synthetic: true, note_zh: prueba, note_en: test}}
sources:
  buildings:
    path: {footprints}
    role: footprints
    format: {format}
    columns: {{building_id: [id], building_use_type: [use], storey_count: [levels]}}
    {degrees}
  streets: {{path: region.osm.pbf, role: streets, format: osm_pbf, {degrees_flow}}}
  facilities: {{path: region.osm.pbf, role: amenities, format: osm_pbf, {degrees_flow}}}
  terrain: {{path: dem.tif, role: terrain, format: geotiff, {terrain_flow}}}
"""
ORIGIN = 'encoding: null, publisher: x, licence: CC0, attribution: x, date: "2025"'


def _profile(project: Project, city: str, terrain_crs: str, **told: str) -> None:
    degrees = "datum: wgs84, crs: EPSG:4326, " + ORIGIN
    text = PROFILE.format(
        degrees="\n    ".join(degrees.split(", ")), degrees_flow=degrees,
        terrain_flow=f"datum: wgs84, crs: {terrain_crs}, {ORIGIN}", **told,
    )  # fmt: skip
    assert len(text.splitlines()) < 40
    (project.root / "config" / "cities" / f"{city}.yaml").write_text(text, encoding="utf-8")


def _ranked(project: Project, city: str) -> pd.DataFrame:
    checked = project.run("check", "--city", city)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    result = project.run("rank", "--city", city)
    assert result.returncode == 0, result.stdout + result.stderr
    folder = project.root / "data" / "processed" / city
    return pd.read_parquet(folder / "measurements.parquet").set_index("building_id")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def test_minitown_in_valparaiso_is_as_steep_as_at_home(
    elsewhere: Project, ranked_once: Project
) -> None:
    """UTM 19 south, western longitude, terrain in degrees, no boundary, no Chinese name."""
    home = Transformer.from_crs("EPSG:4326", make.CRS, always_xy=True)
    away = Transformer.from_crs("EPSG:32719", "EPSG:4326", always_xy=True)
    corner = (257_000.0, 6_340_000.0)

    def moved(longitude: Any, latitude: Any) -> tuple[Any, Any]:
        x, y = home.transform(longitude, latitude)
        return away.transform(x - make.ORIGIN[0] + corner[0], y - make.ORIGIN[1] + corner[1])

    raw = elsewhere.root / "data" / "raw" / "valparaiso"
    raw.mkdir(parents=True)
    town = formats.buildings()
    town = gpd.GeoDataFrame(
        {"id": town["编号"].str.replace("B", "W"), "use": town["用途"], "levels": town["层数"]},
        geometry=shapely.transform(
            town.geometry.to_numpy(), lambda xy: np.column_stack(moved(xy[:, 0], xy[:, 1]))
        ),
        crs="EPSG:4326",
    )
    town.to_file(raw / "casas.geojson", driver="GeoJSON", COORDINATE_PRECISION=10)
    streets, places = make.streets()["elements"], make.places_of_interest()["elements"]
    shifted = [{**one, "id": one["id"] + 5000} for one in places]
    for one in streets + shifted:
        if "lon" in one:
            one["lon"], one["lat"] = moved(one["lon"], one["lat"])
    formats.write_pbf(raw / "region.osm.pbf", {"elements": streets + shifted}, far_away=50)
    _write_hill(raw / "dem.tif", corner)
    _profile(
        elsewhere, "valparaiso", "EPSG:4326",
        name="Valparaíso", crs="EPSG:32719", footprints="casas.geojson", format="geojson",
    )  # fmt: skip
    profile = elsewhere.root / "config" / "cities" / "valparaiso.yaml"
    own = '\nintake: {housing: {assumed_use_types: ["yes"]}, storeys: {default_counts: [1]}}\n'
    profile.write_text(profile.read_text("utf-8") + own, encoding="utf-8")
    found = _ranked(elsewhere, "valparaiso")
    folder = ranked_once.root / "data" / "processed" / "minitown"
    before = pd.read_parquet(folder / "measurements.parquet").set_index("building_id")
    both = found.join(before.add_suffix("_home"), how="inner")
    assert len(both) >= 28
    gap = (both["main_road_climb_m"] - both["main_road_climb_m_home"]).abs()
    assert gap.median() < 0.3  # other cells under the same hill
    assert gap.max() < 2.5
    assert both["main_road_climb_m"].max() > 20


def _write_hill(path: Path, corner: tuple[float, float]) -> None:
    """Write Minitown's ground in degrees, cells of 1 × 0.8 seconds of arc."""
    away = Transformer.from_crs("EPSG:32719", "EPSG:4326", always_xy=True)
    here = Transformer.from_crs("EPSG:4326", "EPSG:32719", always_xy=True)
    west, north = away.transform(corner[0] - 800, corner[1] + 800)
    wide, high, count = 0.8 / 3600, 0.6 / 3600, 90
    x = west + wide * (np.arange(count) + 0.5)
    y = north - high * (np.arange(count) + 0.5)
    metres = here.transform(*np.meshgrid(x, y))[1] - corner[1]
    ground = (make.BASE_M + make.GRADE * np.maximum(metres, 0)).astype(np.float32)
    with rasterio.open(
        path, "w", driver="GTiff", width=count, height=count, count=1, dtype="float32",
        crs="EPSG:4326", transform=from_origin(west, north, wide, high),
    ) as file:  # fmt: skip
        file.write(ground, 1)


def test_houses_along_the_real_streets_of_oeiras(elsewhere: Project) -> None:
    """Real roads as PBF, the European terrain model in its own CRS, made-up houses in GeoPackage."""
    slopes = real_data("slopes")
    raw = elsewhere.root / "data" / "raw" / "oeiras"
    raw.mkdir(parents=True)
    shutil.copy(slopes / "OeirasCOPERNICUS_clip.tif", raw / "dem.tif")
    roads = pyogrio.read_dataframe(
        slopes / "RedeViariaOeiras_declivesEU.gpkg", bbox=(-9.33, 38.69, -9.30, 38.71)
    )
    numbers: dict[tuple[float, float], int] = {}
    nodes, ways = [], []
    for key, (line, highway) in enumerate(zip(roads.geometry, roads["highway"], strict=True), 1):
        refs = []
        for place in shapely.get_coordinates(line).round(7).tolist():
            at = (place[0], place[1])
            if at not in numbers:
                numbers[at] = len(numbers) + 1
                nodes.append({"type": "node", "id": numbers[at], "lon": at[0], "lat": at[1]})
            refs.append(numbers[at])
        ways.append({"type": "way", "id": key, "nodes": refs, "tags": {"highway": highway}})
    formats.write_pbf(raw / "region.osm.pbf", {"elements": nodes + ways})
    lines = roads.to_crs("EPSG:32629").geometry
    sides = [line.parallel_offset(14, "left").interpolate(0.5, normalized=True) for line in lines]
    houses = [shapely.box(p.x - 6, p.y - 5, p.x + 6, p.y + 5) for p in sides if not p.is_empty]
    clear = shapely.STRtree(lines.to_numpy()).query(houses, predicate="intersects")[0]
    kept = [house for number, house in enumerate(houses) if number not in set(clear.tolist())]
    town = gpd.GeoDataFrame(
        {"id": [f"C{n}" for n in range(len(kept))], "use": "apartments", "levels": 4},
        geometry=kept, crs="EPSG:32629",
    )  # fmt: skip
    town.to_crs("EPSG:4326").to_file(raw / "casas.gpkg", layer="casas", driver="GPKG")
    _profile(
        elsewhere, "oeiras", "EPSG:3035",
        name="Oeiras", crs="EPSG:32629", footprints="casas.gpkg", format="geopackage",
    )  # fmt: skip
    found = _ranked(elsewhere, "oeiras")
    assert len(found) > 300
    assert found["main_road_climb_m"].notna().mean() > 0.9
