"""Zips, workbooks, tables with coordinates and folders of parts, as strangers send them."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.archives import path_in_zip, zip_members
from pipeline.store.raw_folder import source_files, source_paths
from pipeline.store.registers import read_rows
from pipeline.store.sources import read_source
from pipeline.store.study_area import StudyArea

NOWHERE = StudyArea("EPSG:32648")


def source(**changes: object) -> Source:
    whole = {
        "path": "x.csv", "role": "amenities", "format": "csv", "datum": "wgs84", "crs": "EPSG:4326",
        "encoding": None, "columns": {"x": ["经度"], "y": ["纬度"], "amenity_type": ["类别"]},
        "publisher": "nobody", "licence": "CC0", "attribution": "none", "date": "2026",
    }  # fmt: skip
    return Source.model_validate(whole | changes)


def test_a_zip_that_leads_out_or_unfolds_to_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    for name in ("../evil.shp", "/etc/evil.shp", "a/../../evil.shp", "C:/evil.shp"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, b"x")
        with pytest.raises(Problem, match="leads out of it"):
            zip_members(path)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.shp", "w") as f,
    ):
        for _ in range(100):
            f.write(bytes(1_000_000))
    with pytest.raises(Problem, match="would unpack from"):
        zip_members(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(Problem, match="cannot be read as zip"):
        zip_members(path)


def test_of_several_shapefiles_in_a_zip_the_profile_names_one(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("数据/房屋.shp", "数据/道路.SHP", "数据/房屋.dbf"):
            archive.writestr(name, b"x")
    with pytest.raises(Problem, match=r"holds 2 files \.shp"):
        path_in_zip(path, ".shp", None)
    assert path_in_zip(path, ".shp", "房屋").endswith("x.zip/数据/房屋.shp")
    with pytest.raises(Problem, match=r"holds no \.gpkg"):
        path_in_zip(path, ".gpkg", None)


def test_cells_of_a_workbook_come_as_they_are_written(tmp_path: Path) -> None:
    rows = {"编号": ["00123", "=1+1"], "年": [1998, None], "面积": [85.5, 7.0],
            "日期": pd.to_datetime(["1998-05-01", "2001-12-31"])}  # fmt: skip
    path = tmp_path / "x.xlsx"
    plain = {"options": {"strings_to_formulas": False}}
    with pd.ExcelWriter(path, engine="xlsxwriter", engine_kwargs=plain) as book:
        pd.DataFrame({"a": ["b"]}).to_excel(book, sheet_name="封面", index=False)
        pd.DataFrame(rows).to_excel(book, sheet_name="名册", index=False)
    told = source(format="excel", layer="名册", columns={"amenity_id": ["编号"]})
    found = read_rows(path, "x", told)
    assert found.to_numpy().tolist() == [
        ["00123", "1998", "85.5", "1998-05-01"],
        ["=1+1", "", "7", "2001-12-31"],
    ]
    with pytest.raises(Problem, match="holds several sheets"):
        read_rows(path, "x", told.model_copy(update={"layer": None}))
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    with pytest.raises(Problem, match="cannot be read as excel"):
        read_rows(path, "x", told)


def test_rows_without_readable_coordinates_keep_their_place(tmp_path: Path) -> None:
    text = "经度,纬度,类别\n106.55,29.56,bank\n,29.5,bank\nabc,29.5,bank\n"
    (tmp_path / "x.csv").write_text(text, "utf-8")
    table = read_source(tmp_path, "x", source(), NOWHERE)
    assert table.row_count == 3
    assert shapely.is_missing(table.shapes).tolist() == [False, True, True]
    assert shapely.get_coordinates(table.shapes[0]).tolist() == [[106.55, 29.56]]
    (tmp_path / "x.csv").write_text("经度,纬度,类别\nabc,,bank\n", "utf-8")
    with pytest.raises(Problem, match="no row has readable coordinates"):
        read_source(tmp_path, "x", source(), NOWHERE)
    shape = "POLYGON ((0 0, 1 0, 1 1, 0 0))"
    (tmp_path / "x.csv").write_text(f'类别,形状\nbank,"{shape}"\nbank,POLYGON((\n', "utf-8")
    told = source(columns={"wkt": ["形状"], "amenity_type": ["类别"]})
    table = read_source(tmp_path, "x", told, NOWHERE)
    assert shapely.to_wkt(table.shapes[0]) == shape
    assert table.shapes[1] is None


def test_every_part_of_a_source_counts_as_its_file(tmp_path: Path) -> None:
    for name in ("x.shp", "x.dbf", "x.shx", "x.prj", "other.dbf", "y.gdb/a1", "y.gdb/a2", "d/1.tif",
                 "d/2.tif", "d/2.txt"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    def names(**told: object) -> list[str]:
        found = source_files(tmp_path, source(**told))
        return sorted(path.relative_to(tmp_path).as_posix() for path in found)

    assert names(format="shapefile", path="x.shp") == ["x.dbf", "x.prj", "x.shp", "x.shx"]
    assert names(format="file_geodatabase", path="y.gdb") == ["y.gdb/a1", "y.gdb/a2"]
    tiles = {"format": "geotiff", "role": "terrain", "columns": {}}
    assert names(path="d/*.tif", **tiles) == ["d/1.tif", "d/2.tif"]
    assert names(path="d/1.tif", more_paths=["d/2.tif"], **tiles) == ["d/1.tif", "d/2.tif"]
    with pytest.raises(Problem, match="outside the raw folder"):
        source_paths(tmp_path, source(path="../*.tif", **tiles))
    (tmp_path / "d" / "3.tif").symlink_to("/etc/hostname")
    with pytest.raises(Problem, match="outside the raw folder"):
        source_paths(tmp_path, source(path="d/*.tif", **tiles))


def test_a_terrain_model_in_feet_or_too_vast_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    told = source(path="x.tif", format="geotiff", role="terrain", crs="EPSG:32648", columns={})
    grid = from_origin(600_000, 3_300_000, 30, 30)

    def write(size: int, unit: str) -> None:
        with rasterio.open(
            path, "w", driver="GTiff", width=size, height=size, count=1, dtype="float32",
            crs="EPSG:32648", transform=grid, SPARSE_OK=True, BIGTIFF="YES",
        ) as file:  # fmt: skip
            if unit:
                file.units = (unit,)
                file.write(np.full((size, size), 900, np.float32), 1)

    write(5, "foot")
    with pytest.raises(Problem, match="heights are in feet"):
        read_source(tmp_path, "x", told, NOWHERE)
    write(5, "metre")
    assert read_source(tmp_path, "x", told, NOWHERE).values.max() == 900
    write(100_000, "")
    with pytest.raises(Problem, match="100,000 × 100,000 cells"):
        read_source(tmp_path, "x", told, NOWHERE)
