"""A reading that was cut off is told as such: nobody takes the file for empty, or drops it."""

import json
import shutil
import signal
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from pipeline.command.new_city import make_new_city
from pipeline.problem import Problem
from pipeline.store import fence
from pipeline.store.fence import Stopped, Unreadable, close_reader
from pipeline.store.looks import look_into
from tests.conftest import REPOSITORY
from tests.register_town import write_town


def layer(path: Path, name: str = "x") -> Path:
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326")
    frame.to_file(path, layer=name)
    return path


def test_a_request_that_comes_while_another_is_worked_on_ends_no_reader(tmp_path: Path) -> None:
    """On a busy machine the signal of a request arrives after the request was read."""
    path = layer(tmp_path / "x.gpkg")
    close_reader()
    reader = fence._ReaderProcess()
    asked = {
        "work": "layers", "driver": "GPKG", "cpu_s": 8.0, "memory_bytes": 2 * 10**9,
        "inside": str(path),
    }  # fmt: skip
    process = reader._process
    assert process.stdin is not None and process.stdout is not None
    for _ in range(200):
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
    answers = [json.loads(process.stdout.readline()) for _ in range(200)]
    assert all(answer["layers"] == [["x", "Polygon"]] for answer in answers)
    assert reader.end() == 0


@pytest.mark.parametrize(
    ("number", "kind"),
    [(signal.SIGXCPU, Stopped), (signal.SIGKILL, Stopped), (signal.SIGIO, Stopped),
     (signal.SIGABRT, Stopped), (signal.SIGSEGV, Unreadable)],
)  # fmt: skip
def test_only_a_crash_is_the_fault_of_the_file(number: int, kind: type[Exception]) -> None:
    assert type(fence._ending(number, 8)) is kind


@pytest.mark.parametrize("limit", ["_MEMORY_BYTES", "_CLOCK_RATIO"])
def test_new_city_stops_where_a_layer_could_not_be_looked_into(
    limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the profile would name all other files, and say that there are no streets."""
    write_town(tmp_path / "raw")
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    close_reader()
    monkeypatch.setattr(fence, limit, 1_000_000 if limit == "_MEMORY_BYTES" else 1e-6)
    with pytest.raises(Problem, match="cannot be looked into") as stopped:
        make_new_city(tmp_path, "t", tmp_path / "raw", "")
    close_reader()
    assert ".gpkg" in str(stopped.value.where) and "run the same command again" in stopped.value.fix
    assert not (tmp_path / "config" / "cities" / "t.yaml").exists()


def test_a_file_that_cannot_be_read_is_a_question(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write_town(raw)
    whole = (raw / "道路.gpkg").read_bytes()
    (raw / "步道.gpkg").write_bytes(whole[:3000] + bytes(len(whole) - 3000))
    (raw / "台阶.shp").write_bytes(b"")
    (raw / "说明.pdf").write_bytes(b"%PDF-1.4")
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    make_new_city(tmp_path, "t", raw, "")
    profile = (tmp_path / "config" / "cities" / "t.yaml").read_text("utf-8")
    asked = [line for line in profile.splitlines() if "# ask:" in line and "is not used" in line]
    assert len(asked) == 2 and "步道.gpkg" in "".join(asked) and "台阶.shp" in "".join(asked)
    assert "not used: 说明.pdf" in profile


def test_a_layer_that_cannot_be_read_is_told_beside_those_that_can(tmp_path: Path) -> None:
    path = layer(tmp_path / "x.gpkg")
    empty = gpd.GeoDataFrame({"a": []}, geometry=[], crs="EPSG:4326")
    empty.to_file(path, layer="leer", mode="a", geometry_type="Polygon")
    looks, others = look_into(tmp_path)
    assert [look.layer for look in looks] == ["x"]
    assert others == [("x.gpkg leer", "holds no features with a shape")]


def test_every_object_of_a_topojson_is_a_layer_whatever_the_ending(tmp_path: Path) -> None:
    whole = {
        "type": "Topology",
        "objects": {
            name: {"type": "GeometryCollection", "geometries": [
                {"type": kind, "arcs": arcs, "properties": {"n": name}}]}
            for name, kind, arcs in (("房屋", "Polygon", [[0]]), ("道路", "LineString", [0]))
        },
        "arcs": [[[0, 0], [4, 0], [0, 2], [0, 0]]],
    }  # fmt: skip
    for ending in ("json", "topojson"):
        path = tmp_path / ending / f"x.{ending}"
        path.parent.mkdir()
        path.write_text(json.dumps(whole, ensure_ascii=False), "utf-8")
        looks, _ = look_into(path.parent)
        assert {(one.layer, one.geometry) for one in looks} == {
            ("房屋", "polygon"),
            ("道路", "line"),
        }
