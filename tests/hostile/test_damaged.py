"""Files damaged in places where libraries raise what they do not document."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import rasterio

from pipeline.problem import Problem
from pipeline.settings.city import Source
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
