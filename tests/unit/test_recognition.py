"""What a layer is, told by its name, its fields and its words, in the manners of several countries."""

import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pytest
import shapely
from pydantic import ValidationError

from pipeline.contracts.source_columns import field
from pipeline.new_city.file_names import facility_of_file, other_ground
from pipeline.new_city.placing import join_tiles
from pipeline.new_city.roles import guesses
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.configuration import read_new_city_words, read_settings
from pipeline.store.gdal_drivers import open_raster
from pipeline.store.looks import Look, look_into
from pipeline.store.vectors import check_fields
from tests import national_towns
from tests.conftest import REPOSITORY

CONFIG = REPOSITORY / "config"
WORDS = read_new_city_words(CONFIG)
TAGS = read_settings(CONFIG, "yuzhong", "base").intake.facility_tags
COMMON: dict[str, Any] = {
    "path": "x.gpkg", "role": "footprints", "format": "geopackage", "datum": "wgs84",
    "crs": "EPSG:4326", "encoding": None, "publisher": "p", "licence": "l", "attribution": "a",
    "date": "2025",
}  # fmt: skip


def layer(path: str, count: int = 60, size_m: float = 20.0, **cells: str) -> Look:
    """Return a look at square areas, with one word in each field."""
    fields = {name: [word] * count for name, word in cells.items()}
    return Look(
        path, "geopackage", "EPSG:32648", "utf-8", geometry="polygon", row_count=count,
        fields=pd.DataFrame(fields, index=range(count), dtype="string"), median_area=size_m**2,
        bounds=(640_000.0, 3_270_000.0, 642_000.0, 3_272_000.0),
    )  # fmt: skip


def role(look: Look) -> str:
    return next((guess.role for guess in guesses(look, WORDS, TAGS)), "")


@pytest.mark.parametrize(
    ("path", "kind"),
    [("公交站.csv", "bus_stop"), ("渝中区公交站点位数据2024.csv", "bus_stop"),
     ("设施/医院.csv", "hospital"),
     ("幼儿园.xlsx", "kindergarten"), ("养老服务站.shp", "elder_care_station"),
     ("学校（含民办）.csv", "school"), ("中小学.csv", "school"), ("小学名单.csv", "primary_school"),
     ("医院_gcj02.csv", "hospital"), ("hospitals.geojson", "hospital"),
     ("BusStops_2024.csv", "bus_stop"), ("bus-stops.geojson", "bus_stop"),
     ("escolas.csv", "school"),
     ("écoles.geojson", "school"), ("ecoles-elementaires.csv", "primary_school"),
     ("Kitas.csv", "nursery"),
     ("Krankenhäuser.geojson", "hospital"), ("pharmacies.csv", "pharmacy"), ("药店.csv", "pharmacy"),
     ("city_parks.gpkg", "activity_ground"), ("primary_schools.csv", "primary_school"),
     # not the noun of the name, or two at once
     ("公园停车场.csv", ""), ("医院周边道路.shp", ""), ("学校教学楼.shp", ""),
     ("幼儿园和小学.csv", ""), ("schools_and_hospitals.csv", ""), ("embankment.csv", ""),
     ("supermarkets.csv", "convenience_shop"), ("poi_2024.csv", "")],
)  # fmt: skip
def test_a_file_is_a_list_of_what_its_name_says(path: str, kind: str) -> None:
    assert facility_of_file(Look(path, "csv"), WORDS)[0] == kind


def test_a_name_with_two_kinds_is_told() -> None:
    assert "several kinds" in facility_of_file(Look("幼儿园和小学.csv", "csv"), WORDS)[1]


def test_a_column_of_types_counts_more_than_the_name(tmp_path: Path) -> None:
    stops = national_towns.stops(6)
    stops.assign(类型=["小学", "中学"] * 3).to_csv(tmp_path / "学校.csv", index=False)
    stops.assign(类型=["公办", "民办"] * 3).to_csv(tmp_path / "医院.csv", index=False)
    stops.to_excel(tmp_path / "幼儿园.xlsx", index=False)
    stops.drop(columns="lon").to_csv(tmp_path / "诊所.csv", index=False)
    looks, _ = look_into(tmp_path)
    found = {look.path: guesses(look, WORDS, TAGS) for look in looks}
    (school,), (hospital,), (kindergarten,) = (
        found[name] for name in ("学校.csv", "医院.csv", "幼儿园.xlsx")
    )
    assert not school.constants
    assert school.values["amenity_type"] == {"小学": "primary_school", "中学": "middle_school"}
    assert hospital.constants == {"amenity_type": "hospital"}
    assert kindergarten.constants == {"amenity_type": "kindergarten"}
    assert not found["诊所.csv"]  # nothing says where they are


@pytest.mark.parametrize(
    ("look", "kind"),
    [(layer("HYDROGRAPHIE/SURFACE_EAU.shp", NATURE="Lac"), "water"),
     (layer("surface_hydrographique.gpkg", nature="x"), "water"),
     (layer("a.gpkg", NATURE="Plan d'eau"), "water"), (layer("湖泊.shp", 名称="x"), "water"),
     (layer("gis_osm_water_a_free_1.shp", fclass="reservoir"), "water"),
     (layer("Gewässer.shp", name="x"), "water"), (layer("a.shp", DLMC="水田"), "land"),
     (layer("gis_osm_landuse_a_free_1.shp", fclass="residential"), "land"),
     (layer("土地利用现状.shp", 用途="住宅用地"), "land"), (layer("CLC2018.gpkg", code="112"), "land"),
     (layer("CIMETIERE.shp", NATURE="x"), "land"), (layer("停车场.shp", 名称="x"), "land"),
     (layer("宗地.shp", 用途="住宅"), "parcels"), (layer("Parcels.shp", APN="1"), "parcels"),
     (layer("export.gpkg", APN="1", USECODE="11", STORIES="2"), "parcels"),
     (layer("cadastre-75056-parcelles.shp", commune="x"), "parcels"),
     (layer("Flurstücke.shp", nenner="1"), "parcels"), (layer("绿地.shp", 名称="x"), "green"),
     (layer("espaces_verts.shp", nom="x"), "green"), (layer("quartiers.shp", name="x"), "admin"),
     (layer("FG-GML-533946-WA.shp", orgGILvl="2500", type="水面"), "water"),
     (layer("AX_Wohnbauflaeche.shp", gml_id="x"), "land"),
     (layer("53_luse.gpkg", orgLandUse="211"), "land"),
     (layer("export.shp", BBL="1", YearBuilt="1920", NumFloors="4"), "parcels")],
    ids=lambda one: one.path if isinstance(one, Look) else one,
)  # fmt: skip
def test_other_areas_are_no_buildings_however_many(look: Look, kind: str) -> None:
    assert other_ground(look, WORDS) == kind
    assert role(look) == ""


@pytest.mark.parametrize(
    "look",
    [layer("buildings.gpkg"), layer("cadastre-batiments.shp", type="01"),
     layer("建筑用地.shp", 层数="6"), layer("outlines.gpkg", floors="6", year_built="1980"),
     layer("parcels/bldg.shp", height="12"), layer("water_lots_buildings.shp", levels="2"),
     layer("lake_town.gpkg", 楼栋编号="1", 层数="6", 用途="住宅")],
    ids=lambda one: one.path,
)  # fmt: skip
def test_buildings_stay_buildings(look: Look) -> None:
    expected = "" if look.path == "lake_town.gpkg" else "footprints"
    assert role(look) == expected


def test_what_is_taken_by_size_alone_is_asked() -> None:
    (guess,) = guesses(layer("chongqing.geojson"), WORDS, TAGS)
    assert guess.role == "footprints" and "by number and size" in guess.doubts[0]
    (guess,) = guesses(layer("buildings.geojson"), WORDS, TAGS)
    assert not guess.doubts


def test_districts_by_name_are_still_a_boundary() -> None:
    look = layer("quartiers.shp", count=12, size_m=2000, name="x", code="1")
    assert role(look) in ("boundary", "subdistricts")


LAYOUTS: list[tuple[dict[str, str], dict[str, str], str, str]] = [
    ({"gfkzshh": "31001_1010", "anzahlgs": "3", "oid": "DE1"},
     {"building_use_type": "gfkzshh", "storey_count": "anzahlgs", "building_id": "oid"},
     "31001_1010", "house"),
    ({"gebaeudefunktion": "1100", "anzahlDerOberirdischenGeschosse": "4", "baujahr": "1962"},
     {"building_use_type": "gebaeudefunktion", "storey_count": "anzahlDerOberirdischenGeschosse",
      "construction_year_text": "baujahr"}, "1100", "apartments"),
    ({"gml_id": "b1", "usage": "412", "measuredHeight": "9.3", "storeysAboveGround": "3",
      "yearOfConstruction": "1979"},
     {"building_use_type": "usage", "height_m": "measuredHeight", "storey_count": "storeysAboveGround",
      "construction_year_text": "yearOfConstruction"}, "412", "apartments"),
    ({"localId": "1", "currentUse": "4_1_office", "conditionOfConstruction": "functional",
      "numberOfDwellings": "0", "beginning": "1960-01-01T00:00:00"},
     {"building_use_type": "currentUse", "construction_year_text": "beginning"},
     "4_1_office", "office"),
    ({"cleabs": "B1", "usage_1": "Résidentiel", "nombre_d_etages": "4", "hauteur": "12.1",
      "date_d_apparition": "1955-01-01"},
     {"building_use_type": "usage_1", "storey_count": "nombre_d_etages", "height_m": "hauteur",
      "construction_year_text": "date_d_apparition", "building_id": "cleabs"},
     "Résidentiel", "residential"),
    ({"batiment_groupe_id": "bdnb-bg-1", "ffo_bat_usage_niveau_1_txt": "Résidentiel collectif",
      "ffo_bat_nb_niveau": "5", "ffo_bat_annee_construction": "1962"},
     {"building_use_type": "ffo_bat_usage_niveau_1_txt", "storey_count": "ffo_bat_nb_niveau",
      "construction_year_text": "ffo_bat_annee_construction", "building_id": "batiment_groupe_id"},
     "Résidentiel collectif", "apartments"),
    ({"OI": "DENW1", "GFK": "31001_1010", "AKTUALITAE": "2022-01-01"},
     {"building_use_type": "GFK", "building_id": "OI"}, "31001_1010", "house"),
    ({"num_pisos": "4", "epoca_construcao": "1946-1960", "utilizacao": "Habitação"},
     {"storey_count": "num_pisos", "construction_year_text": "epoca_construcao"},
     "Habitação", "residential"),
    ({"LOKALNYID": "x", "FUNOGOLNABUDYNKU": "budynki mieszkalne", "LICZBAKONDYGNACJI": "4"},
     {"storey_count": "LICZBAKONDYGNACJI"}, "budynki mieszkalne", "residential"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "columns", "word", "ours"), LAYOUTS)
def test_layouts_of_countries(
    cells: dict[str, str], columns: dict[str, str], word: str, ours: str
) -> None:
    (guess,) = guesses(layer("export.gpkg", **cells), WORDS, TAGS)
    assert guess.role == "footprints" and "the layout of" in guess.why
    assert {
        ours: fields[0] for ours, (fields, _) in guess.columns.items()
    }.items() >= columns.items()
    assert guess.values["building_use_type"] == {word: ours}


def test_codes_of_an_assessor_are_not_taken_for_those_of_china() -> None:
    """11 is housing in GB/T 17986.1, and may be anything in a county."""
    look = layer("building_outlines.shp", YEARBUILT="1950", STORIES="2", USECODE="11")
    (guess,) = guesses(look, WORDS, TAGS)
    assert guess.columns["building_use_type"][0] == ["USECODE"]
    assert "building_use_type" not in guess.values


def test_a_joined_class_is_told_by_pairs_and_else_by_its_first_word() -> None:
    columns = {"building_use_type": ["类别", "子类"]}
    values = {
        "building_use_type": {
            "综合 > 食堂": "civic",
            "综合>住宅楼": "residential",
            "住宅": "residential",
        }
    }
    source = Source(**COMMON, columns=columns, joined=["building_use_type"], values=values)
    rows = pd.DataFrame(
        {"类别": ["综合", "综合", "综合", "住宅", "住宅", "", "综合"],
         "子类": ["食堂", "住宅楼", "仓库", "高层", "", "住宅", " 食堂 "]}
    )  # fmt: skip
    assert field(rows, source, "building_use_type").tolist() == [
        "civic", "residential", "综合", "residential", "residential", "residential", "civic",
    ]  # fmt: skip
    plain = Source(**COMMON, columns=columns)
    assert field(rows, plain, "building_use_type").tolist() == ["综合"] * 3 + ["住宅"] * 3 + [
        "综合"
    ]


def test_a_joined_column_needs_all_its_fields() -> None:
    with pytest.raises(ValidationError, match="two fields or more"):
        Source(**COMMON, columns={"building_use_type": ["类别"]}, joined=["building_use_type"])
    source = Source(**COMMON, columns={"height_m": ["a", "b"]}, joined=["height_m"])
    with pytest.raises(Problem, match="has no field b"):
        check_fields(Path("x"), "x", source, pd.DataFrame({"a": ["1"]}))


def test_a_tile_of_heights_alone_and_zipped(tmp_path: Path) -> None:
    """The tile's rows run from 39° to 38° N; a void is empty, and its sign is no height."""
    for zipped in (False, True):
        folder = tmp_path / str(zipped)
        folder.mkdir()
        national_towns.write_tile(folder, zipped=zipped)
        (look,), unread = look_into(folder)
        assert (look.format, look.crs, look.not_terrain, unread) == (
            "srtm_hgt",
            "EPSG:4326",
            "",
            [],
        )
        half = 0.5 / 1200
        assert look.bounds == pytest.approx((-10 - half, 38 - half, -9 + half, 39 + half))
        assert look.values is not None and look.values[0] == -100  # as made, not -32768
        (guess,) = guesses(look, WORDS, TAGS)
        assert guess.role == "terrain"


@pytest.mark.parametrize("cells", [1201, 3601])
def test_tiles_of_both_sizes_are_opened(cells: int, tmp_path: Path) -> None:
    path = tmp_path / "s30W071.hgt"
    np.full((cells, cells), 258, dtype=">i2").tofile(
        path
    )  # 258 is 513 when its bytes change places
    with open_raster(path, "srtm_hgt") as file:
        assert file.shape == (cells, cells)
        assert file.read(1, out_shape=(2, 2)).tolist() == [[258, 258], [258, 258]]


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [("heights.hgt", 2 * 1201 * 1201, "name does not tell where it lies"),
     ("N29E106.hgt", 1000, "no whole .hgt tile"), ("N29E106.hgt", 0, "no whole .hgt tile"),
     ("grid.asc", 20, "this is not a esri_ascii_grid")],
)  # fmt: skip
def test_what_is_no_tile_is_told(name: str, size: int, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(bytes(size))
    with pytest.raises(Problem, match=said):
        open_raster(path, "srtm_hgt" if name.endswith(".hgt") else "esri_ascii_grid")


def test_tiles_on_both_sides_of_a_seam_are_one_terrain(tmp_path: Path) -> None:
    """West and east of 0°, in names of either case: what differs is the place alone."""
    heights = np.tile(np.arange(1201, dtype=">i2"), (1201, 1)).tobytes()
    for name in ("N44W001.hgt", "n44e000.HGT", "N43E000.SRTMGL3.hgt"):
        (tmp_path / name).write_bytes(heights)
    looks, unread = look_into(tmp_path)
    found = [guess for look in looks for guess in guesses(look, WORDS, TAGS)]
    join_tiles(found)
    (one,) = found
    assert not unread
    assert {one.look.path, *one.more_paths} == {look.path for look in looks} and len(looks) == 3


def test_several_tiles_in_a_zip_are_asked_for(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "srtm.zip", "w") as archive:
        for name in ("N38W010.hgt", "N38W009.hgt"):
            archive.writestr(name, b"")
    with pytest.raises(Problem, match="holds 2 files"):
        look_into(tmp_path)


def test_an_extract_of_a_region_is_footprints_too(tmp_path: Path) -> None:
    """Streets, houses, lakes and stops of a region in one .osm.pbf: three roles, no lake among them."""
    writer = osmium.SimpleWriter(str(tmp_path / "region.osm.pbf"))
    make = osmium.osm.mutable
    tags: list[dict[str, str]] = [
        *[{"highway": "residential"}] * 60, *[{"building": "house"}] * 40, *[{"natural": "water"}] * 50,
    ]  # fmt: skip
    for key in range(len(tags)):
        x, y = 106.5 + 0.001 * (key % 20), 29.5 + 0.001 * (key // 20)
        for n, (a, b) in enumerate(((0, 0), (2e-4, 0), (2e-4, 2e-4), (0, 2e-4))):
            writer.add_node(make.Node(id=4 * key + n + 1, location=(x + a, y + b)))
    for n in range(8):
        bus = {"highway": "bus_stop"}
        writer.add_node(make.Node(id=9000 + n, location=(106.5, 29.5 + n * 1e-3), tags=bus))
    for key, told in enumerate(tags):
        nodes = [4 * key + n + 1 for n in range(4)]
        writer.add_way(make.Way(id=key + 1, nodes=[*nodes, nodes[0]], tags=told))
    writer.close()
    (look,), _ = look_into(tmp_path)
    found = {guess.role: guess.score for guess in guesses(look, WORDS, TAGS)}
    assert found == {"streets": 60, "footprints": 40, "amenities": 8}


def test_lakes_beside_houses_are_left_out_of_a_geopackage(tmp_path: Path) -> None:
    path = tmp_path / "bdtopo.gpkg"
    national_towns.ponds(70, nature="Mare").to_file(path, layer="surface_hydrographique")
    houses = gpd.GeoDataFrame(
        {"usage_1": ["Résidentiel"] * 60, "hauteur": [9.5] * 60},
        geometry=[shapely.box(20 * n, 0, 20 * n + 12, 10) for n in range(60)], crs="EPSG:2154",
    )  # fmt: skip
    houses.to_file(path, layer="batiment")
    looks, _ = look_into(tmp_path)
    assert {look.layer: role(look) for look in looks} == {
        "surface_hydrographique": "", "batiment": "footprints",
    }  # fmt: skip
