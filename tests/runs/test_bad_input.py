"""Every fault ends in one clear message, exit code 2, no traceback, nothing half-written."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.minitown import make

Break = Callable[[Project], None]


def _write(name: str, text: str) -> Break:
    return lambda project: (project.raw / name).write_text(text, encoding="utf-8") and None


def _remove(name: str) -> Break:
    return lambda project: (project.raw / name).unlink()


def _edit(old: str, new: str, path: str = "config/cities/minitown.yaml") -> Break:
    return lambda project: project.edit(path, old, new)


def _cut_short(project: Project) -> None:
    file = project.raw / "buildings.json"
    file.write_bytes(file.read_bytes()[:-500])


def _no_raw_folder(project: Project) -> None:
    project.raw.rename(project.raw.with_name("elsewhere"))


def _lists_in_the_way(project: Project) -> None:
    folder = project.root / "data" / "processed"
    folder.mkdir(parents=True)
    (folder / "minitown").write_text("a file where the folder should be")


def _weights_zero(project: Project) -> None:
    file = project.root / "config" / "default.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"weight: [\d.]+", "weight: 0", text), encoding="utf-8")


def _terrain(**changes: object) -> Break:
    return lambda project: make.write_terrain(project.raw / "terrain.tif", **changes)  # type: ignore[arg-type]


def _scenario(text: str) -> Break:
    def write(project: Project) -> None:
        (project.root / "config" / "scenarios" / "base.yaml").write_text(text, encoding="utf-8")

    return write


ERROR_REPLY = json.dumps(
    {"elements": [], "remark": 'runtime error: Query timed out in "query" at line 3 after 26 s.'}
)
CLIMB = "climb: {measure: main_road_climb_m, weight: 0.13"

CASES: dict[str, tuple[Break, list[str]]] = {
    "missing raw folder": (_no_raw_folder, ["data/raw/minitown", "no such folder", "RAW="]),
    "source file absent": (_remove("pois.json"), ["pois.json", "absent", "'pois'"]),
    "truncated JSON": (_cut_short, ["buildings.json", "cut short", "line 1"]),
    "empty file": (_write("streets.json", " "), ["streets.json", "the file is empty"]),
    "web page": (_write("streets.json", "<html>504</html>"), ["streets.json", "web page"]),
    "not JSON": (_write("pois.json", "{'a': 1}"), ["pois.json", "not valid JSON"]),
    "error reply": (_write("buildings.json", ERROR_REPLY), ["buildings.json", "timed out"]),
    "empty reply": (_write("buildings.json", '{"elements": []}'), ["holds no elements"]),
    "another reply": (_write("buildings.json", "[1, 2]"), ["no list 'elements'"]),
    "malformed element": (
        _write("buildings.json", '{"elements": [{"type": "node", "id": "x", "lat": 1, "lon": 2}]}'),
        ["element 1 is malformed", "whole number"],
    ),
    "no building": (
        _write("buildings.json", '{"elements": [{"type": "node", "id": 1, "lat": 1, "lon": 2}]}'),
        ["no usable building", "columns.building_use_type"],
    ),
    "boundary without outline": (
        _write("boundary.json", '[{"name": "x"}]'),
        ["no 'geojson' outline"],
    ),
    "no place found": (_write("boundary.json", "[]"), ["holds no place"]),
    "terrain in another CRS": (
        _terrain(crs="EPSG:32649"),
        ["terrain.tif", "EPSG:32649", "EPSG:32648"],
    ),
    "terrain elsewhere": (
        _terrain(shift_m=50_000),
        ["terrain.tif", "covers 0.0% of the buildings"],
    ),
    "terrain all nodata": (_terrain(empty=True), ["terrain.tif", "every cell is empty"]),
    "terrain no raster": (
        _write("terrain.tif", "hello"),
        ["terrain.tif", "not a geotiff"],
    ),
    "unknown key": (
        _edit("is_synthetic: false", "is_synthetic: false\n  colour: red"),
        ["minitown.yaml", "unknown key city.colour"],
    ),
    "mistyped key": (
        _edit("weight: 0.13", "wieght: 0.20", "config/default.yaml"),
        ["default.yaml", "score.criteria.climb.wieght", "did you mean weight?"],
    ),
    "weight of NaN": (
        _edit(CLIMB, CLIMB.replace("0.13", ".nan"), "config/default.yaml"),
        ["default.yaml", "score.criteria.climb.weight = nan", "finite number"],
    ),
    "negative weight": (
        _scenario("score: {criteria: {climb: {weight: -1}}}"),
        ["base.yaml", "score.criteria.climb.weight = -1", "greater than or equal to 0"],
    ),
    "contours without end": (
        _edit("contour_interval_m: 20.0", "contour_interval_m: 0.001", "config/default.yaml"),
        ["default.yaml", "atlas.contour_interval_m = 0.001", "greater than or equal to 1"],
    ),
    "a window wider than the land": (
        _edit("opening_window_m: 60", "opening_window_m: 60000000", "config/default.yaml"),
        ["default.yaml", "measure.terrain.opening_window_m", "less than or equal to 2000"],
    ),
    "heights every hair's breadth": (
        _edit("profile_spacing_m: 15.0", "profile_spacing_m: 0.015", "config/default.yaml"),
        ["default.yaml", "measure.walking.profile_spacing_m", "greater than or equal to 1"],
    ),
    "weight as text": (
        _scenario("score: {criteria: {climb: {weight: heavy}}}"),
        ["base.yaml", "score.criteria.climb.weight = 'heavy'", "number"],
    ),
    "weights sum to 0": (
        _weights_zero,
        ["score.criteria", "sum to 0", "at least one must be above 0"],
    ),
    "datum missing": (
        _edit("format: nominatim_json, datum: wgs84,", "format: nominatim_json,"),
        ["minitown.yaml", "sources.boundary.datum is missing"],
    ),
    "unknown datum": (
        _edit("format: nominatim_json, datum: wgs84,", "format: nominatim_json, datum: mars,"),
        ["sources.boundary.datum = 'mars'", "'wgs84'", "'gcj02'"],
    ),
    "scenario that re-measures": (
        _scenario("measure: {reference_year: 2030}"),
        ["base.yaml", "may not change 'measure'", "score, plan, atlas"],
    ),
    "YAML with a fault": (_scenario("score: [1, 2"), ["base.yaml", "not valid YAML at line"]),
    "key twice": (_scenario("score: {}\nscore: {}"), ["base.yaml", "not valid YAML at line 2"]),
    "unknown measure": (
        _scenario("score: {criteria: {climb: {measure: mood}}}"),
        ["score.criteria.climb.measure = 'mood'", "for example", "data/README.md"],
    ),
    "path out of the raw folder": (
        _edit("path: pois.json", "path: ../../secret.json"),
        ["points outside the raw folder"],
    ),
    "output folder not writable": (
        _lists_in_the_way,
        ["data/processed/minitown", "cannot be written"],
    ),
    "no housing": (
        _edit(
            'assumed_use_types: ["yes"]',
            "recorded_use_types: [castle], other_use_types: [apartments, residential, school]",
        ),
        ["intake.housing", "no building counts as housing"],
    ),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_fault_is_one_clear_message(name: str, project: Project) -> None:
    spoil, expected = CASES[name]
    spoil(project)
    result = project.rank()
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert result.stderr.count("shancheng:") == 1
    for words in expected:
        assert words in result.stderr
    partial = [path for path in project.root.rglob("*.partial*")]
    assert not partial
    assert not [path for path in project.outputs() if path.startswith("maps/")]


def test_a_fault_after_a_good_run_leaves_the_old_outputs(project: Project) -> None:
    assert project.rank().returncode == 0
    before = project.outputs()
    _cut_short(project)
    assert project.rank().returncode == 2
    assert project.outputs() == before


@pytest.mark.parametrize(
    "words", [["--city", "nowhere"], ["--city", "../x"], ["--scenario", "nope"]]
)
def test_an_unknown_city_or_scenario_lists_what_there_is(
    words: list[str], project: Project
) -> None:
    result = project.run("rank", *words)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "one of: " in result.stderr or "letters" in result.stderr


def test_another_folder_is_told(tmp_path: Path, project: Project) -> None:
    project.root = tmp_path
    result = project.rank()
    assert result.returncode == 2
    assert "not the project's folder" in result.stderr
