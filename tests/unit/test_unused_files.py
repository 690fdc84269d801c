"""Files of a delivery that no source of the profile reads are named."""

from pathlib import Path

import pytest

from pipeline.settings.city import Source
from pipeline.store.raw_folder import unused_files
from tests.conftest import Project


def source(path: str, kind: str, role: str) -> Source:
    return Source.model_validate(
        {
            "path": path, "role": role, "format": kind, "datum": "wgs84", "crs": "EPSG:32648",
            "encoding": "utf-8", "publisher": "x", "licence": "x", "attribution": "x",
            "date": "2026",
        }
    )  # fmt: skip


def test_only_data_files_that_nothing_reads_are_named(tmp_path: Path) -> None:
    for name in (
        "a.shp", "a.dbf", "a.prj", "a.cpg", "dem/n.tif", "dem/s.tif", "city.gdb/a00000001.gdbtable",
        "医院.csv", "old/a.shp", "readme.txt", ".hidden.csv", "fetched.json", "photo.jpg", "x.ZIP",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    sources = {
        "footprints": source("a.shp", "shapefile", "footprints"),
        "terrain": source("dem/*.tif", "geotiff", "terrain"),
        "estates": source("city.gdb", "file_geodatabase", "estates"),
    }
    assert unused_files(tmp_path, sources) == ["old/a.shp", "x.ZIP", "医院.csv"]


@pytest.mark.parametrize("command", ["rank", "check"])
def test_rank_and_check_name_a_file_that_the_profile_leaves_out(
    command: str, project: Project
) -> None:
    (project.raw / "医院\x1b[2J.csv").write_text("name,x,y\n", "utf-8")
    result = project.run(command, "--city", "minitown")
    assert result.returncode == 0, result.stderr
    assert "files no source reads 未用的文件: 医院\\x1b[2J.csv" in result.stdout
