"""Files damaged in places where libraries raise what they do not document."""

import gzip
import struct
import time
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.encodings import shapefile_encoding
from pipeline.store.osm_xml import is_osm_xml, read_osm_xml
from pipeline.store.sources import read_source
from pipeline.store.study_area import StudyArea

KEY = struct.Struct("<4H")
"""An entry of a GeoTIFF's directory of keys: id, where its value stands, count, value."""


def test_damaged_keys_of_a_geotiff_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=40, height=40, count=1, dtype="float32", crs="EPSG:32648",
        transform=rasterio.Affine(30, 0, 654_000, 0, -30, 3_271_500),
    ) as file:  # fmt: skip
        file.write(np.full((40, 40), 200, dtype="float32"), 1)
    whole = path.read_bytes()
    for sound, damaged in (
        (KEY.pack(3072, 0, 1, 32648), KEY.pack(3072, 0, 34817, 32648)),
        (struct.pack("<2d", 30, 30), struct.pack("<2d", 0, 30)),  # size of a cell
    ):
        assert sound in whole
        whole = whole.replace(sound, damaged)
    path.write_bytes(whole)
    terrain = Source(
        path="x.tif", role="terrain", format="geotiff", datum="wgs84", crs="EPSG:32648", encoding=None,
        publisher="x", licence="x", attribution="x", date="2026",
    )  # fmt: skip
    with pytest.raises(Problem, match="cannot be read as a raster"):
        read_source(tmp_path, "terrain", terrain, StudyArea("EPSG:32648"))


def test_a_table_of_millions_of_columns_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("building_id" + "," * 1_000_000 + "\n1\n")
    register = Source(
        path="x.csv", role="housing_register", format="csv", datum="wgs84", crs="EPSG:4326",
        encoding=None, columns={"building_id": ["building_id"]},
        publisher="x", licence="x", attribution="x", date="2026",
    )  # fmt: skip
    begin = time.process_time()
    with pytest.raises(Problem, match=r"has a line of 1,000,001 cells"):
        read_source(tmp_path, "register", register, StudyArea("EPSG:32648"))
    assert time.process_time() - begin < 3


def test_a_shapefile_whose_encoding_is_no_name_is_read_by_its_bytes(tmp_path: Path) -> None:
    gpd.GeoDataFrame(
        {"n": ["山城"]}, geometry=[shapely.Point(106.5, 29.5)], crs="EPSG:4326"
    ).to_file(tmp_path / "x.shp", encoding="gbk")
    (tmp_path / "x.cpg").write_bytes(b"../../etc/passwd\0%n")
    assert shapefile_encoding(tmp_path / "x.shp")[0] in ("gbk", "gb18030")


@pytest.mark.parametrize("part", ["prj", "cpg", "shp"])
def test_a_zip_whose_parts_have_other_names_within_is_told(part: str, tmp_path: Path) -> None:
    gpd.GeoDataFrame({"n": ["a"]}, geometry=[shapely.Point(106.5, 29.5)], crs="EPSG:4326").to_file(
        tmp_path / "x.shp", encoding="gbk"
    )
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for path in sorted(tmp_path.glob("x.[!z]*")):
            archive.write(path, path.name)
    whole = (tmp_path / "x.zip").read_bytes()
    name = f"x.{part}".encode()
    whole = whole.replace(name, b"y" + name[1:], 1)  # the directory keeps the name
    (tmp_path / "x.zip").write_bytes(whole)
    told = Source(
        path="x.zip", role="amenities", format="shapefile", datum="wgs84", crs="EPSG:4326",
        encoding=None, publisher="x", licence="x", attribution="x", date="2026",
    )  # fmt: skip
    with pytest.raises(Problem, match=f"x.{part}' in it cannot be unpacked"):
        read_source(tmp_path, "pois", told, StudyArea("EPSG:32648"))


@pytest.mark.parametrize("encoding", ["UKF-8", "gbk", "A" * 5000])
def test_osm_xml_in_an_encoding_that_expat_knows_not_is_told(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "x.osm"
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?><osm><node id="1"/></osm>')
    with pytest.raises(Problem, match="states an encoding that cannot be read") as told:
        read_osm_xml(path)
    assert len(str(told.value)) < 500


@pytest.mark.parametrize("place", range(20, 200, 20))
def test_a_damaged_packed_osm_xml_is_told(place: int, tmp_path: Path) -> None:
    nodes = "".join(f'<node id="{n}" lat="29.{n}" lon="106.{n}"/>' for n in range(1, 300))
    whole = bytearray(gzip.compress(f"<osm>{nodes}</osm>".encode()))
    whole[place : place + 8] = b"\xff" * 8
    path = tmp_path / "x.osm.gz"
    path.write_bytes(whole)
    is_osm_xml(path)
    with pytest.raises(Problem, match=r"x\.osm\.gz"):
        read_osm_xml(path)
