"""Vector files as bureaus keep them: GBK without .cpg, cut short, empty, in another CRS."""

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.vectors import read_features


def source(**changes: object) -> Source:
    whole = {
        "path": "x.shp", "role": "footprints", "format": "shapefile", "datum": "cgcs2000",
        "crs": "EPSG:4545", "encoding": "gbk",
        "columns": {"building_use_type": ["建筑用途"], "storey_count": ["层数"]},
        "publisher": "nobody", "licence": "CC0", "attribution": "none", "date": "2026",
    }  # fmt: skip
    return Source.model_validate(whole | changes)


@pytest.fixture
def shapefile(tmp_path: Path) -> Path:
    shapes = [shapely.box(i * 20, 0, i * 20 + 10, 10) for i in range(30)]
    frame = gpd.GeoDataFrame(
        {"建筑用途": ["住宅"] * 30, "层数": range(30)}, geometry=shapes, crs="EPSG:4545"
    )
    path = tmp_path / "x.shp"
    frame.to_file(path, encoding="gbk")
    (tmp_path / "x.cpg").unlink()
    return path


def test_gbk_without_cpg_is_read_as_stated(shapefile: Path) -> None:
    table = read_features(shapefile, "buildings", source())
    assert table.row_count == 30
    assert table.fields["建筑用途"].tolist() == ["住宅"] * 30
    assert table.fields["层数"].tolist()[:3] == ["0", "1", "2"]


def test_a_table_cut_short_is_told_and_not_just_fewer_buildings(shapefile: Path) -> None:
    table = shapefile.with_suffix(".dbf")
    table.write_bytes(table.read_bytes()[: table.stat().st_size // 2])
    with pytest.raises(Problem, match="lists 30 shapes, but only"):
        read_features(shapefile, "buildings", source())


def test_another_crs_an_absent_field_and_an_empty_file_are_told(shapefile: Path) -> None:
    with pytest.raises(Problem, match="its CRS is 4545"):
        read_features(shapefile, "buildings", source(crs="EPSG:32648"))
    with pytest.raises(Problem, match="has no field 用途"):
        read_features(shapefile, "buildings", source(columns={"building_use_type": ["用途"]}))
    shapefile.write_bytes(b"")
    with pytest.raises(Problem, match="the file is empty"):
        read_features(shapefile, "buildings", source())


def test_a_sign_cut_in_half_spoils_only_its_own_cell(shapefile: Path) -> None:
    table = shapefile.with_suffix(".dbf")
    whole, half = "住宅".encode("gbk"), "住".encode("gbk") + b"\xd5 "
    table.write_bytes(table.read_bytes().replace(whole, half, 1))
    found = read_features(shapefile, "buildings", source()).fields["建筑用途"].tolist()
    assert found[0].startswith("住")
    assert found[0] != "住宅"
    assert found[1:] == ["住宅"] * 29
