"""The reader process: its death is a message, and it dies with the process that started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from pipeline.store import fence
from pipeline.store.fence import Unreadable, close_reader, in_reader
from tests.conftest import REPOSITORY

_ASKING = """
import sys
from pipeline.store import fence
fence.in_reader("layers", "GPKG", 0, inside=sys.argv[1])
print(fence._reader[0]._process.pid, flush=True)
{then}
"""


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326")
    path = tmp_path / "x.gpkg"
    frame.to_file(path, layer="x")
    return path


def asked(path: Path) -> list[list[str]]:
    return in_reader("layers", "GPKG", 0, inside=str(path))[0]["layers"]


def is_alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(number: int) -> bool:
    for _ in range(100):
        if not is_alive(number):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("number", "words"),
    [(signal.SIGSEGV, "crashes the reader"), (signal.SIGKILL, "stopped by the system")],
)
def test_a_reader_that_dies_is_told_and_the_next_file_is_read(
    number: int, words: str, layer: Path
) -> None:
    assert asked(layer) == [["x", "Polygon"]]
    os.kill(fence._reader[0]._process.pid, number)
    with pytest.raises(Unreadable, match=words):
        for _ in range(3):  # the pipe may take a request more
            asked(layer)
            time.sleep(0.1)
    assert asked(layer) == [["x", "Polygon"]]


def test_too_much_memory_is_told(layer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    close_reader()
    monkeypatch.setattr(fence, "_MEMORY_BYTES", 1_000_000)
    with pytest.raises(Unreadable):
        asked(layer)
    monkeypatch.undo()
    assert asked(layer) == [["x", "Polygon"]]


@pytest.mark.parametrize("then", ["", "import time; time.sleep(60)"])
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None])
def test_no_reader_outlives_its_process(then: str, by: signal.Signals | None, layer: Path) -> None:
    if (by is None) != (then == ""):
        pytest.skip("one waits to be killed, the other ends by itself")
    process = subprocess.Popen(
        [sys.executable, "-c", _ASKING.format(then=then), str(layer)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=REPOSITORY,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        reader = int(process.stdout.readline())
        if by is not None:
            assert is_alive(reader)
            process.send_signal(by)
        process.wait(10)
    assert gone(reader)


def test_a_reader_at_work_ends_with_its_process_too(layer: Path, tmp_path: Path) -> None:
    """While C code of GDAL runs, nothing in Python could notice."""
    import sqlite3

    with sqlite3.connect(layer) as database:
        many = "(select 1 n union select 2 union select 3 union select 4 union select 5)"
        joined = ", ".join(f"{many} t{n}" for n in range(20))
        database.execute(
            f"create view v as select 1 as ogc_fid, geom from x, {joined} where t0.n + t19.n > 99"
        )
        database.execute("insert into gpkg_contents (table_name, data_type, srs_id) "
                         "values ('v', 'features', 4326)")  # fmt: skip
        database.execute(
            "insert into gpkg_geometry_columns values ('v', 'geom', 'POLYGON', 4326, 0, 0)"
        )
    database.close()
    plain = tmp_path / "plain.gpkg"
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326").to_file(plain)
    then = f"fence.in_reader('about', 'GPKG', 0, inside={str(layer)!r}, layer='v', encoding=None)"
    process = subprocess.Popen(
        [sys.executable, "-c", _ASKING.format(then=then), str(plain)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=REPOSITORY,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        reader = int(process.stdout.readline())
        time.sleep(0.7)
        assert is_alive(reader)
        process.kill()
        process.wait(10)
    assert gone(reader)


def test_a_copy_of_the_process_starts_a_reader_of_its_own(layer: Path) -> None:
    assert asked(layer) == [["x", "Polygon"]]
    number = fence._reader[0]._process.pid
    child = os.fork()
    if not child:
        fine = asked(layer) == [["x", "Polygon"]] and fence._reader[0]._process.pid != number
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert asked(layer) == [["x", "Polygon"]]
    assert fence._reader[0]._process.pid == number
