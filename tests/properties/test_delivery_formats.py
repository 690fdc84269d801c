"""However a town is delivered, new-city finds the same layers and the same buildings come out."""

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import AMENITIES, BUILDINGS, STREET_EDGES
from pipeline.intake.stage import run
from pipeline.new_city.profile import new_city
from pipeline.settings.city import Source
from pipeline.store.configuration import read_new_city_words, read_settings
from pipeline.store.looks import look_into
from pipeline.store.sources import read_sources
from pipeline.store.vectors import read_features
from tests import crs_town
from tests.conftest import REPOSITORY, Project
from tests.minitown import formats, make

LAYERS: dict[str, Callable[[], gpd.GeoDataFrame]] = {
    "房屋": formats.buildings, "道路": formats.streets, "设施": formats.facilities,
    "区界": formats.district,
}  # fmt: skip
DELIVERED = sorted(set(formats.EXPORTS) - {"csv", "excel", "geopackage of several layers"})


def named(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a layer with names of fields that config/new_city.yaml knows."""
    known = {
        "编号": "编号", "年代": "建成年代", "等级": "道路等级", "路名": "道路名称", "桥": "bridge",
        "准入": "access",
    }  # fmt: skip
    return frame.rename(columns={**known, "编号": "楼栋编号" if "层数" in frame else "编号"})


def written(raw: Path, kinds: dict[str, str]) -> Path:
    """Write the town, each layer in its format."""
    raw.mkdir(parents=True, exist_ok=True)
    for stem, layer in LAYERS.items():
        formats.EXPORTS[kinds[stem]](named(layer()), raw, stem)
        for extra in (*raw.glob("*_parts"), *raw.glob("*_zipped.gdb")):
            shutil.rmtree(extra)
    make.write_terrain(raw / "高程.tif")
    return raw


def found(raw: Path, config: Path) -> dict[str, pd.DataFrame]:
    """Return what intake makes of a folder that new-city wrote the profile for."""
    words = read_new_city_words(config)
    base = read_settings(config, "reference", "base")
    looks, unread = look_into(raw)
    city = new_city("town", looks, unread, words, base.intake, base.consent.measures, "wgs84")
    assert city.missing_roles == (), (city.unused, city.questions)
    assert [role for _, role in city.unused if "xsd" not in role] == [
        "of a kind that is not read" for path, _ in city.unused if path.endswith(".xsd")
    ]
    (config / "cities" / "town.yaml").write_text(city.text, encoding="utf-8")
    own = read_settings(config, "town", "base")
    read = read_sources(raw, own.sources, own.city.crs, own.intake.region_margin_m)
    outputs = run(Inputs({}, read, {}, own, {}, ""))
    wanted = {
        BUILDINGS: ["building_id", "building_name", "storey_count", "construction_year"],
        AMENITIES: ["amenity_type", "amenity_name"],
        STREET_EDGES: ["highway_type", "structure_type", "road_name"],
    }  # fmt: skip
    tables = {}
    for table, columns in wanted.items():
        frame = outputs.tables[table]
        middle = frame.geometry.centroid if "geometry" in frame else None
        plain = pd.DataFrame(frame[[one for one in columns if one in frame]])
        if middle is not None:
            plain = plain.assign(x=np.round(middle.x, 1), y=np.round(middle.y, 1))
        tables[table.name] = plain.sort_values(list(plain.columns)).reset_index(drop=True)
    return tables


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("formats") / "config"
    shutil.copytree(REPOSITORY / "config", folder)
    return folder


@pytest.fixture(scope="session")
def plain(config: Path) -> dict[str, pd.DataFrame]:
    tables = found(written(config.parent / "plain", dict.fromkeys(LAYERS, "geojson")), config)
    assert len(tables["buildings"]) == 32
    assert set(tables["street_edges"]["highway_type"]) >= {
        "primary",
        "steps",
        "residential",
        "footway",
    }
    assert (tables["amenities"]["amenity_type"] == "convenience_shop").sum() == 6
    return tables


@given(kinds=st.fixed_dictionaries({stem: st.sampled_from(DELIVERED) for stem in LAYERS}))
@settings(
    max_examples=6, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_any_mixture_of_formats_is_the_same_town(
    kinds: dict[str, str], plain: dict[str, pd.DataFrame], config: Path
) -> None:
    raw = config.parent / "_".join(str(DELIVERED.index(kind)) for kind in kinds.values())
    tables = found(written(raw, kinds), config)
    for name, frame in plain.items():
        pd.testing.assert_frame_equal(frame, tables[name], check_exact=False, atol=0.11)


def test_a_delivery_in_office_formats_ranks_as_the_plain_one(tmp_path: Path) -> None:
    """From the folder to the list, with the commands that a person types."""
    mixed = {"房屋": "mapinfo tab", "道路": "kmz", "设施": "mapinfo mif", "区界": "gml"}
    project, raw = Project(tmp_path / "project"), written(tmp_path / "raw", mixed)
    for words in (("new-city", "--name"), ("check", "--city"), ("rank", "--city")):
        ended = project.run(*words, "town", "--raw", str(raw))
        assert ended.returncode == 0, ended.stdout + ended.stderr
    folder = project.root / "data" / "processed" / "town" / "base"
    listed = pd.read_parquet(folder / "building_ranking.parquet").set_index("building_id")["rank"]
    raw = written(tmp_path / "plain", dict.fromkeys(LAYERS, "geojson"))
    own, _ = crs_town.profile_of(raw, project.root / "config", "plain")
    assert own is not None
    ranked = crs_town.ranking(raw, own)["rank"].dropna()
    assert len(ranked) > 15
    assert listed.dropna().astype(int).to_dict() == ranked.astype(int).to_dict()


def source(**changes: Any) -> Source:
    whole = {
        "path": "x", "role": "footprints", "datum": "wgs84", "crs": "EPSG:32648", "encoding": None,
        "constants": {"building_use_type": "residential"}, "publisher": "nobody", "licence": "CC0",
        "attribution": "none", "date": "2026",
    }  # fmt: skip
    return Source.model_validate(whole | changes)


def dxf(path: Path, encoding: str) -> Path:
    """Write a drawing by hand: two houses, one of them not marked closed, and a road, by layers."""

    def line(layer: str, points: list[tuple[int, int]], *, is_closed: bool) -> list[str]:
        head = ["0", "LWPOLYLINE", "8", layer, "90", str(len(points)), "70", str(int(is_closed))]
        return head + [text for x, y in points for text in ("10", f"{x}", "20", f"{y}")]

    house = [(650_000, 3_270_000), (650_010, 3_270_000), (650_010, 3_270_012), (650_000, 3_270_012)]
    moved = [(x + 50, y) for x, y in house]
    body = [
        *line("居民地", house, is_closed=True), *line("居民地", [*moved, moved[0]], is_closed=False),
        *line("道路", [(649_990, 3_269_990), (650_090, 3_269_990)], is_closed=False),
    ]  # fmt: skip
    page = {"gbk": "ANSI_936", "utf-8": "ANSI_1252"}[encoding]
    head = ["0", "SECTION", "2", "HEADER", "9", "$DWGCODEPAGE", "3", page, "0", "ENDSEC"]
    text = [*head, "0", "SECTION", "2", "ENTITIES", *body, "0", "ENDSEC", "0", "EOF"]
    path.write_bytes(("\r\n".join(text) + "\r\n").encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_closed_lines_of_a_drawing_are_outlines_by_layer(encoding: str, tmp_path: Path) -> None:
    path = dxf(tmp_path / "x.dxf", encoding)
    looks, _ = look_into(tmp_path)
    assert {(one.layer, one.geometry, one.row_count) for one in looks} == {
        ("居民地", "polygon", 2), ("道路", "line", 1),
    }  # fmt: skip
    houses = read_features(path, "x", source(format="dxf", layer="居民地"))
    assert shapely.area(houses.shapes).tolist() == [120.0, 120.0]
    roads = read_features(path, "x", source(format="dxf", layer="道路", role="streets"))
    assert shapely.length(roads.shapes).tolist() == [100.0]


def test_arcs_come_as_lines_near_them(tmp_path: Path) -> None:
    """A circle of 10 m has 314.16 m²; within a tenth of a per cent is asked."""
    path = tmp_path / "x.gpkg"
    gpd.GeoDataFrame(
        {"a": [1, 2]}, geometry=[shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)], crs="EPSG:32648"
    ).to_file(path, layer="x")
    number = np.array([10], "<u4").tobytes()
    ring = np.array([0, 10, 10, 0, 0, -10, -10, 0, 0, 10], "<f8")
    circle = b"\x01" + number + np.array([1], "<u4").tobytes() + b"\x01" + np.array(
        [8, 5], "<u4"
    ).tobytes() + ring.tobytes()  # fmt: skip
    head = b"GP\x00\x01" + np.array([32648], "<i4").tobytes()
    with sqlite3.connect(path) as database:
        for (trigger,) in database.execute(
            "select name from sqlite_master where type = 'trigger'"
        ).fetchall():
            database.execute(f'drop trigger "{trigger}"')
        database.execute("update x set geom = ? where fid = 1", [head + circle])
        database.execute("update gpkg_geometry_columns set geometry_type_name = 'GEOMETRY'")
    database.close()
    areas = shapely.area(read_features(path, "x", source(format="geopackage")).shapes)
    assert areas[0] == pytest.approx(np.pi * 100, rel=1e-3)
    assert areas[1] == 1.0


def test_gb2312_is_read_as_the_wider_set_that_is_written_for_it(tmp_path: Path) -> None:
    """璟 and 镕 are in GBK and not in GB2312."""
    frame = gpd.GeoDataFrame(
        {"名称": ["璟尚镕园", "住宅"]}, geometry=[shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)],
        crs="EPSG:32648",
    )  # fmt: skip
    path = tmp_path / "x.shp"
    frame.to_file(path, encoding="gbk")
    for said in ("GB2312", "gb_2312-80", "GB-2312"):
        path.with_suffix(".cpg").write_text(said)
        assert read_features(path, "x", source(format="shapefile")).fields["名称"][0] == "璟尚镕园"
    path.with_suffix(".cpg").unlink()
    stated = source(format="shapefile", encoding="gb2312")
    assert read_features(path, "x", stated).fields["名称"].tolist() == ["璟尚镕园", "住宅"]


def test_kinds_of_shapes_are_counted_apart(tmp_path: Path, config: Path) -> None:
    rows = [{"highway": "residential", "name": f"路{n}"} for n in range(5)]
    shapes = [shapely.LineString([(0, n), (9, n)]) for n in range(4)] + [shapely.box(0, 0, 1, 1)]
    gpd.GeoDataFrame(rows, geometry=shapes, crs="EPSG:4326").to_file(tmp_path / "export.geojson")
    looks, _ = look_into(tmp_path)
    assert looks[0].kind_counts == {"line": 4, "polygon": 1}
    base = read_settings(config, "reference", "base")
    words = read_new_city_words(config)
    city = new_city("x", looks, [], words, base.intake, base.consent.measures, "wgs84")
    assert [guess.role for _, guess in city.sources] == ["streets"]
    assert any("4 line, 1 polygon" in question for question in city.questions)


def test_a_layer_and_its_copy_are_asked_about(tmp_path: Path, config: Path) -> None:
    path = tmp_path / "房屋.gpkg"
    for layer in ("房屋", "房屋_备份"):
        named(formats.buildings()).to_file(path, layer=layer)
    looks, _ = look_into(tmp_path)
    base = read_settings(config, "reference", "base")
    words = read_new_city_words(config)
    city = new_city("x", looks, [], words, base.intake, base.consent.measures, "wgs84")
    assert [(guess.role, guess.look.layer) for _, guess in city.sources] == [("footprints", "房屋")]
    assert any("房屋 or 房屋.gpkg 房屋_备份" in question for question in city.questions)


def test_topojson_with_a_transform_is_laid_out(tmp_path: Path) -> None:
    whole = {
        "type": "Topology", "transform": {"scale": [0.5, 0.5], "translate": [100, 20]},
        "objects": {"a": {"type": "GeometryCollection", "geometries": [
            {"type": "Polygon", "arcs": [[0]], "properties": {"编号": "007"}}]}},
        "arcs": [[[0, 0], [4, 0], [0, 2], [-4, 0], [0, -2]]],
    }  # fmt: skip
    path = tmp_path / "x.json"
    path.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
    looks, _ = look_into(tmp_path)
    assert (looks[0].format, looks[0].bounds) == ("topojson", (100.0, 20.0, 102.0, 21.0))
    table = read_features(path, "x", source(format="topojson", crs="EPSG:4326"))
    assert shapely.area(table.shapes).tolist() == [2.0]
    assert table.fields["编号"].tolist() == ["007"]


def test_of_a_kmz_the_document_is_read_and_pictures_are_left(tmp_path: Path) -> None:
    formats.facilities().to_file(tmp_path / "a.kml", driver="KML")
    path = tmp_path / "x.kmz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "a.kml", "doc.kml")
        archive.writestr("files/icon.png", b"\x89PNG")
        archive.writestr("files/more.kml", "<kml/>")
    table = read_features(path, "x", source(format="kml", crs="EPSG:4326", role="amenities"))
    assert table.fields["编号"].tolist() == [f"F{n}" for n in range(7)]
    assert not {"tessellate", "extrude", "icon"} & set(table.fields.columns)
