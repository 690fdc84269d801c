"""Fetching Yuzhong from a server on the loopback that replays its real replies."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from rasterio.warp import Resampling, reproject

from pipeline.fetch.client import Client, retry_after_s
from pipeline.fetch.profile import fetched_profile
from pipeline.fetch.record import Record
from pipeline.fetch.run import fetch
from pipeline.problem import Problem
from pipeline.store.configuration import read_fetch_settings
from pipeline.store.places import PARTIAL
from tests.conftest import REPOSITORY, Project
from tests.loopback import Loopback, serving

FILES = {
    "nominatim/yuzhong.json", "overpass/buildings.json", "overpass/walk.json", "overpass/drive.json",
    "overpass/pois.json", "overpass/rail.json", "dem/srtm_utm48n_30m.tif",
}  # fmt: skip
PLACE = "渝中区, 重庆"
DEM = "srtm_utm48n_30m.tif"


@pytest.fixture
def server(yuzhong_raw: Path) -> Iterator[Loopback]:
    with serving(yuzhong_raw) as state:
        yield state


@pytest.fixture
def town(tmp_path: Path, server: Loopback) -> Project:
    """A project whose fetch.yaml points at the loopback."""
    project = Project(tmp_path / "town")
    server.configure(project.root)
    return project


def make(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the Makefile in a project, with this interpreter."""
    for name in ("Makefile", ".setup", "requirements.lock"):
        shutil.copy(REPOSITORY / name, project.root / name)
    environment = project.root / ".venv" / "bin"
    environment.mkdir(parents=True)
    shutil.copy(REPOSITORY / "requirements.lock", environment.parent / "requirements.lock")
    (environment / "python").write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    (environment / "python").chmod(0o755)
    return subprocess.run(
        ["make", *words], cwd=project.root, text=True, capture_output=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


def folder(project: Project, city: str = "yuzhong") -> Path:
    return project.root / "data" / "raw" / city


def test_fetch_rank_and_map_equal_the_run_on_the_raw_files(
    town: Project, yuzhong_raw: Path, tmp_path: Path
) -> None:
    """With the hand-written profile every byte agrees; with the fetched one, all but its own words."""
    result = make(town, "fetch", "CITY=yuzhong", f"PLACE={PLACE}")
    assert result.returncode == 0, result.stderr
    assert "stays" in result.stdout
    for path in FILES:
        assert (folder(town) / path).read_bytes() == (yuzhong_raw / path).read_bytes(), path
    ranked = town.run("rank", "--city", "yuzhong")
    assert ranked.returncode == 0, ranked.stderr
    plain = Project(tmp_path / "plain")
    assert plain.run("rank", "--city", "yuzhong", "--raw", str(yuzhong_raw)).returncode == 0
    assert town.outputs() == plain.outputs()

    again = town.run("fetch", "--city", "fetched", "--place", PLACE)
    assert again.returncode == 0, again.stderr
    # that trunks are closed to walkers here is what a person knows
    known = (town.root / "config/cities/yuzhong.yaml").read_text("utf-8").partition("  streets:")[2]
    profile = town.root / "config/cities/fetched.yaml"
    start, intake, rest = profile.read_text("utf-8").partition("\nintake:\n")
    assert intake
    profile.write_text(
        f"{start}{intake}  streets:{known.partition('  housing:')[0]}{rest}", encoding="utf-8"
    )
    assert town.run("rank", "--city", "fetched").returncode == 0
    one, other = (
        pd.read_csv(town.root / "data/processed" / city / "base" / "building_ranking.csv")
        for city in ("yuzhong", "fetched")
    )
    pd.testing.assert_frame_equal(one, other)


class Run:
    """Fetches in this process, with waits that are noted instead of slept."""

    def __init__(self, project: Project, server: Loopback, **http: object) -> None:
        server.configure(project.root, **http)
        self.project, self.server = project, server
        server.shorten()
        self.said: list[str] = []
        self.waits: list[float] = []
        self.raw = folder(project, "town")

    def __call__(self, place: str = PLACE, box: str = "") -> Record:
        settings = read_fetch_settings(self.project.root / "config")
        asker = Client(settings.http, self.said.append, sleep=self.waits.append)
        return fetch(self.raw, "town", place, box, settings, asker)

    def files(self) -> set[str]:
        """Files that a later run could take for whole ones."""
        every = {path for path in self.raw.rglob("*") if path.is_file() and path.name[0] != "."}
        return {p.relative_to(self.raw).as_posix() for p in every if PARTIAL not in p.name}


FAULTS = [
    "truncated", "cut JSON", "reset", "429 1", "504", "500", "garbage", "html", "empty", "remark",
    "never",
]  # fmt: skip
SAID = {
    "truncated": "breaks off", "cut JSON": "cut short", "reset": "breaks off", "429 1": "429",
    "504": "504", "500": "500", "garbage": "not JSON", "html": "web page", "empty": "empty",
    "remark": "timed out", "never": "no answer",
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("route", ["search", "rail"])
def test_a_fault_that_passes_ends_in_success(
    fault: str, route: str, town: Project, server: Loopback
) -> None:
    if (route, fault) == ("search", "remark"):
        fault = "empty"  # Nominatim knows no remarks
    run = Run(town, server, read_timeout_s=0.3)
    server.fail(route, fault, fault)
    record = run()
    assert server.count(route) == 3
    for one in record.files.values():
        route = one.path.rsplit("/", 1)[1].replace("town.json", "search").removesuffix(".json")
        content = (run.raw / one.path).read_bytes()
        assert content == server.content(route)
        assert one.sha256 == hashlib.sha256(content).hexdigest()
    assert run.waits == ([1.0, 1.0] if fault == "429 1" else [0.01, 0.02])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("route", ["search", "rail"])
def test_a_fault_that_stays_ends_in_one_message_and_is_taken_up_later(
    fault: str, route: str, town: Project, server: Loopback
) -> None:
    if (route, fault) == ("search", "remark"):
        fault = "empty"
    run = Run(town, server, read_timeout_s=0.3)
    server.fail(route, fault, "…")
    with pytest.raises(Problem) as caught:
        run()
    text = str(caught.value)
    assert SAID[fault] in text and "127.0.0.1" in text and "fix:" in text
    assert ("rail" if route == "rail" else "boundary") in text
    done = run.files()
    assert done <= {"fetched.json", "nominatim/town.json", *FILES}
    assert not any("rail" in path for path in done)
    assert ("overpass/walk.json" in done) == (route == "rail")
    server.fail(route)
    run()
    assert server.count("walk") == server.count("buildings") == 1  # what was done is kept


@pytest.mark.parametrize(
    ("fault", "words"),
    [("truncated", "breaks off"), ("reset", "breaks off"), ("garbage", "no raster"),
     ("html", "no raster"), ("empty", "no raster"), ("429 1", "429"),
     ("never", "no answer"), ("404", "404")],
)  # fmt: skip
def test_faults_of_a_raster_end_in_a_message_and_later_in_success(
    fault: str, words: str, town: Project, server: Loopback, yuzhong_raw: Path
) -> None:
    run = Run(town, server, read_timeout_s=0.3)
    server.fail(DEM, *[fault] * (1 if fault == "404" else 3))
    if fault == "truncated":  # each try goes on where the one before broke off
        server.fail(DEM, fault, fault)
        run()
        assert "接着下载" in "".join(run.said)
    else:
        with pytest.raises(Problem, match=words):
            run()
        assert "dem/" not in "".join(run.files())
        run()
    raw = yuzhong_raw / "dem" / DEM
    assert (run.raw / "dem" / DEM).read_bytes() == raw.read_bytes()


def test_a_download_goes_on_after_the_program_has_ended(town: Project, server: Loopback) -> None:
    run = Run(town, server, try_count=1)
    server.fail(DEM, "truncated")
    with pytest.raises(Problem, match="breaks off"):
        run()
    assert not any(path.startswith("dem/") for path in run.files())
    whole = len(server.files[DEM])
    run()
    asked = [headers for route, headers in server.asked if route == DEM][-1]
    begin = int(asked["Range"].removeprefix("bytes=").rstrip("-"))
    assert 0 < begin < whole
    assert (run.raw / "dem" / DEM).read_bytes() == server.files[DEM]


def test_a_half_file_of_another_state_is_not_glued(
    town: Project, server: Loopback, yuzhong_raw: Path
) -> None:
    run = Run(town, server, try_count=1)
    server.fail(DEM, "truncated")
    with pytest.raises(Problem, match="breaks off"):
        run()
    with rasterio.open(yuzhong_raw / "dem" / DEM) as file:
        values, profile = file.read(1), file.profile
    with MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(values + 1, 1)
        server.files[DEM] = memory.read()
    run()
    assert (run.raw / "dem" / DEM).read_bytes() == server.files[DEM]


def test_killed_in_the_middle_nothing_half_done_is_believed(
    town: Project, server: Loopback
) -> None:
    server.shorten()
    server.configure(town.root, read_timeout_s=60.0)
    server.fail("drive", "never")
    words = [sys.executable, "-m", "pipeline", "fetch", "--city", "killed", "--place", PLACE]
    process = subprocess.Popen(
        words, cwd=town.root, env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not server.count("drive") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert server.count("drive") == 1
    assert not (town.root / "config" / "cities" / "killed.yaml").exists()
    ranked = town.run("rank", "--city", "killed")
    assert ranked.returncode == 2
    assert "there is no CITY=killed" in ranked.stderr
    again = town.run("fetch", "--city", "killed")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("there already") == 3
    assert server.count("buildings") == server.count("walk") == 1


def test_the_command_line_tells_a_fault_once_and_ends_with_2(
    town: Project, server: Loopback
) -> None:
    server.shorten()
    server.fail("walk", "504", "…")
    result = town.run("fetch", "--city", "yz", "--place", PLACE)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.count("shancheng:") == 1
    assert f"walking network 步行网络 from {server.url[7:]}" in result.stderr
    assert "asked 3 times" in result.stderr


def test_a_file_that_was_changed_is_fetched_again(town: Project, server: Loopback) -> None:
    run = Run(town, server)
    run()
    (run.raw / "overpass" / "rail.json").write_text("{}")
    run()
    assert server.count("rail") == 2
    assert server.count("walk") == server.count(DEM) == 1


def test_an_empty_layer_is_left_out_if_it_may_be_and_stops_the_run_if_not(
    town: Project, server: Loopback
) -> None:
    run = Run(town, server)
    server.fail("rail", "no elements", "…")
    record = run()
    assert record.files["rail"].is_empty
    assert "rail:" not in fetched_profile(record, run.raw)
    run()
    assert server.count("rail") == 1
    server.fail("buildings", "no elements")
    run.raw = folder(town, "none")
    with pytest.raises(Problem, match="holds no elements"):
        run()


def test_long_waits_and_refusals_end_the_run_at_once(town: Project, server: Loopback) -> None:
    run = Run(town, server, max_wait_s=5.0)
    server.fail("search", "429 7200")
    with pytest.raises(Problem, match="asks to wait 7200 s"):
        run()
    server.fail("search", "403")
    with pytest.raises(Problem, match="403"):
        run()
    assert server.count("search") == 2
    assert run.waits == []


def test_answers_without_end_are_cut(town: Project, server: Loopback) -> None:
    run = Run(town, server, total_timeout_s=0.5, try_count=2)
    server.fail("rail", "drip", "drip")
    with pytest.raises(Problem, match="took longer"):
        run()
    run = Run(town, server, max_file_bytes=1000)
    run.raw = folder(town, "small")
    with pytest.raises(Problem, match="longer than 1,000 bytes"):
        run()
    assert server.count("search") == 2  # once by each run: another try would not help


def test_a_box_and_a_window_of_tiles_lead_to_a_ranking(
    town: Project, server: Loopback, yuzhong_raw: Path
) -> None:
    """No place name, no rail mapped, terrain from a tile in degrees: the made profile still ranks."""
    tile = rasterio.Affine(1 / 3600, 0, 106.4, 0, -1 / 3600, 29.65)
    values = np.full((720, 1080), np.nan, dtype="float32")
    with rasterio.open(yuzhong_raw / "dem" / DEM) as dem:
        reproject(
            rasterio.band(dem, 1), values, dst_transform=tile, dst_crs="EPSG:4326", dst_nodata=np.nan,
            resampling=Resampling.bilinear,
        )  # fmt: skip
    with MemoryFile() as plain, MemoryFile() as optimised:
        with plain.open(
            driver="GTiff", width=1080, height=720, count=1, dtype="float32", crs="EPSG:4326",
            transform=tile, nodata=np.nan,
        ) as file:  # fmt: skip
            file.write(values, 1)
        with plain.open() as file:
            copy(file, optimised.name, driver="COG", blocksize=256)
        server.files["N29E106.tif"] = optimised.read()
    url = f"{server.url}/files/{{ns}}{{lat:02d}}{{ew}}{{lon:03d}}.tif"
    town.edit("config/fetch.yaml", f"{server.url}/files/{DEM}", url)
    town.edit("config/fetch.yaml", "  reading: whole", "  reading: window")
    server.fail("rail", "no elements")
    box = "106.50,29.535,106.58,29.565"
    result = town.run("fetch", "--city", "box", "--bbox", box)
    assert result.returncode == 0, result.stderr
    assert "none mapped here" in result.stdout
    ranked = town.run("rank", "--city", "box")
    assert ranked.returncode == 0, ranked.stderr
    found = pd.read_parquet(town.root / "data/processed/box/buildings.parquet")
    assert len(found) > 1000
    measured = pd.read_parquet(town.root / "data/processed/box/measurements.parquet")
    assert measured["elevation_m"].between(150, 420).mean() > 0.99
    boundary = json.loads((folder(town, "box") / "boundary" / "bbox.geojson").read_bytes())
    ring = boundary["features"][0]["geometry"]["coordinates"][0]
    assert sorted({tuple(point) for point in ring}) == [
        (106.5, 29.535), (106.5, 29.565), (106.58, 29.535), (106.58, 29.565),
    ]  # fmt: skip


def test_without_a_place_the_profile_of_that_name_says_which(
    town: Project, server: Loopback
) -> None:
    """Yuzhong is a county in Gansu too: the profile that stands there knows better than CITY."""
    server.shorten()
    result = town.run("fetch", "--city", "yuzhong")
    assert result.returncode == 0, result.stderr
    assert "looking for: 重庆市渝中区" in result.stdout
    result = town.run("fetch", "--city", "reference", "--place", "Chongqing")
    assert result.returncode == 2 and "is made, not fetched" in " ".join(result.stderr.split())


def test_requests_are_polite(town: Project, server: Loopback) -> None:
    run = Run(town, server, pause_s=1.5, user_agent="planner@example.org")
    run()
    assert {headers["User-Agent"] for _, headers in server.asked} == {"planner@example.org"}
    assert len(run.waits) == len(server.asked) - 1  # all but the first wait for the same host
    assert all(0 < wait <= 1.5 for wait in run.waits)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "120"}, 120.0), ({"Retry-After": "soon"}, None), ({}, None),
     ({"Retry-After": "Mon, 27 Apr 2026 08:01:30 GMT", "Date": "Mon, 27 Apr 2026 08:00:00 GMT"}, 90.0),
     ({"Retry-After": "-5"}, None)],
)  # fmt: skip
def test_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def test_what_is_asked_covers_the_place_and_what_hills_need(
    town: Project, server: Loopback, yuzhong_raw: Path
) -> None:
    """The outline asked for holds the whole boundary; ways come with their nodes and all tags."""
    Run(town, server)()
    reply = json.loads((yuzhong_raw / "nominatim" / "yuzhong.json").read_bytes())
    boundary = shapely.geometry.shape(reply[0]["geojson"])
    for route, query in server.queries.items():
        assert query.startswith("[out:json][timeout:180]")
        assert query.endswith("(._;>;);out body;")
        ring = re.search(r'poly:"([^"]+)"', query)[1].split()  # type: ignore[index]
        lat, lon = np.array(ring, dtype=float).reshape(-1, 2).T
        asked = shapely.Polygon(zip(lon, lat, strict=True))
        assert asked.contains(boundary), route
        margin = asked.exterior.hausdorff_distance(boundary.exterior)
        assert (margin < 0.004) == (route == "buildings")  # degrees: some 300 m against 1,000 m
    walk = server.queries["walk"]
    assert 'node["highway"="elevator"]' in walk
    for kept in ("steps", "footway", "corridor"):
        assert kept not in walk  # not left out by name


def test_places_of_the_same_name_are_told_and_points_refused(
    town: Project, server: Loopback, yuzhong_raw: Path
) -> None:
    run = Run(town, server)
    reply = json.loads((yuzhong_raw / "nominatim" / "yuzhong.json").read_bytes())
    other = reply[0] | {"osm_id": 7, "display_name": "another Yuzhong"}
    point = reply[0] | {"geojson": {"type": "Point", "coordinates": [106.5, 29.5]}, "osm_id": 8}
    server.override["search"] = json.dumps([point, *reply, other]).encode()
    record = run()
    assert server.count("lookup") == 1
    assert "PLACE=R7" in "".join(run.said)
    assert record.names == ("渝中区, 重庆", "Yuzhong District", "渝中区")
    run.raw = folder(town, "point")
    server.override["search"] = json.dumps([point]).encode()
    with pytest.raises(Problem, match="none with an outline"):
        run()
    server.override["search"] = b"[]"
    with pytest.raises(Problem, match="knows no such place"):
        run()


@pytest.mark.parametrize(
    "box", ["1,2,3", "107,29,106,30", "29.5,106.4,29.6,206", "a,b,c,d", "nan,1,2,3"]
)
def test_a_box_that_is_none_is_refused(box: str, town: Project, server: Loopback) -> None:
    with pytest.raises(Problem, match="is no bounding box"):
        Run(town, server)(place="", box=box)


def test_one_folder_holds_one_place_and_areas_have_a_limit(town: Project, server: Loopback) -> None:
    run = Run(town, server)
    run()
    with pytest.raises(Problem, match="holds the files of"):
        run(place="Chengdu")
    run.raw = folder(town, "large")
    with pytest.raises(Problem, match="regional extract"):
        run(place="", box="105,28,108,31")


def test_a_profile_changed_by_hand_is_never_overwritten(town: Project, server: Loopback) -> None:
    server.shorten()
    words = ("fetch", "--city", "yz", "--place", PLACE)
    assert town.run(*words).returncode == 0
    path = town.root / "config" / "cities" / "yz.yaml"
    made = path.read_text(encoding="utf-8")
    assert town.run(*words).returncode == 0
    assert path.read_text(encoding="utf-8") == made
    changed = made.replace("name_en: Yuzhong District", "name_en: My District")
    path.write_text(changed, encoding="utf-8")
    assert "changed by hand" in town.run(*words).stdout
    assert path.read_text(encoding="utf-8") == changed
    assert (folder(town, "yz") / "profile.yaml").read_text("utf-8") in made
