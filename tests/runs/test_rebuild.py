"""Only what changed is rebuilt; whatever happens, the same bytes come out."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from tests.conftest import REPOSITORY, Project, new_project

STAGES = ["intake", "measure", "siting", "score", "plan", "gis", "atlas"]


def stages_run(output: str) -> list[str]:
    """Return the stages that a run says it ran."""
    line = next(line for line in output.splitlines() if line.startswith("stages run:"))
    return [name for name in STAGES if f"{name} " in line]


def why(project: Project) -> dict[str, str]:
    """Return what ``why`` tells of each stage."""
    result = project.run("why", "--city", "minitown")
    assert result.returncode == 0, result.stderr
    told: dict[str, str] = {}
    for line in result.stdout.splitlines():
        name, reason = line.split(": ", 1)
        told[name] = told.get(name, "") + reason + "\n"
    return told


def test_a_second_run_rebuilds_nothing(project: Project) -> None:
    first = project.rank()
    assert stages_run(first.stdout) == STAGES
    assert set(why(project)) == set(STAGES)
    assert all(reason == "up to date\n" for reason in why(project).values())
    assert stages_run(project.rank().stdout) == []


def test_one_weight_reruns_score_and_what_follows_and_why_names_the_key(project: Project) -> None:
    project.rank()
    project.edit(
        "config/default.yaml", "main_road_climb_m, weight: 0.13", "main_road_climb_m, weight: 0.25"
    )
    told = why(project)
    assert "setting score.criteria.climb.weight changed: 0.13 → 0.25" in told["score"]
    assert told["intake"] == told["measure"] == "up to date\n"
    assert told["gis"] == "if plan changes what it writes\n"
    assert stages_run(project.rank().stdout) == ["score", "plan", "gis", "atlas"]


def test_a_change_of_comment_reruns_nothing(project: Project) -> None:
    project.rank()
    project.edit("config/default.yaml", "# Complete settings.", "# All settings.")
    assert stages_run(project.rank().stdout) == []


def test_a_changed_source_of_a_number_is_told_on_the_page_alone(project: Project) -> None:
    project.rank()
    project.edit(
        "config/default.yaml", "# GB 50180-2018: a 5-minute walk is 300 m", "# a new source"
    )
    assert "remark.measure.walking.planning_speed_m_per_min changed" in why(project)["atlas"]
    assert stages_run(project.rank().stdout) == ["atlas"]
    page = project.root / "maps" / "minitown" / "base" / "quality.html"
    assert "a new source" in page.read_text(encoding="utf-8")


def test_a_lost_brief_comes_back_and_a_stray_one_goes(project: Project) -> None:
    project.rank()
    before = project.outputs()
    briefs = project.root / "maps" / "minitown" / "base" / "briefs"
    lost = next(briefs.iterdir())
    lost.unlink()
    (briefs / "stray.html").write_text("left over from an earlier run")
    assert f"briefs/{lost.name} is missing" in why(project)["atlas"]
    assert "briefs/stray.html was added by hand" in why(project)["atlas"]
    assert stages_run(project.rank().stdout) == ["atlas"]
    assert project.outputs() == before


def test_a_deleted_table_comes_back_the_same(project: Project) -> None:
    project.rank()
    before = project.outputs()
    (project.lists.parent / "measurements.parquet").unlink()
    assert "measurements.parquet is missing" in why(project)["measure"]
    assert stages_run(project.rank().stdout) == ["measure"]
    assert project.outputs() == before


def test_a_list_changed_by_hand_is_put_right(project: Project) -> None:
    project.rank()
    before = project.outputs()
    ranking = project.lists / "building_ranking.csv"
    ranking.write_bytes(ranking.read_bytes().replace(b'"W128"', b'"W129"'))
    assert "building_ranking.csv was changed by hand" in why(project)["plan"]
    assert "plan" in stages_run(project.rank().stdout)
    assert project.outputs() == before


def test_a_changed_source_is_named(project: Project) -> None:
    project.rank()
    pois = project.raw / "pois.json"
    pois.write_text(pois.read_text(encoding="utf-8").replace("店1", "店九"), encoding="utf-8")
    assert "pois.json changed" in why(project)["intake"]
    assert stages_run(project.rank().stdout)[0] == "intake"


def test_a_second_scenario_shares_the_measurements(project: Project) -> None:
    project.rank()
    result = project.rank("--scenario", "steep_first")
    assert stages_run(result.stdout) == ["siting", "score", "plan", "gis", "atlas"]
    assert stages_run(project.rank().stdout) == []


def test_two_runs_from_nothing_give_the_same_bytes(tmp_path: Path, ranked_once: Project) -> None:
    other = new_project(tmp_path / "another place")
    assert other.rank(env={"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}).returncode == 0
    assert other.outputs() == ranked_once.outputs()


def test_a_second_interpreter_changes_no_byte(tmp_path: Path, ranked_once: Project) -> None:
    """Large cities use one; here the size from which they do is set to nothing."""
    project = new_project(tmp_path / "again")
    program = (
        "import pipeline.flow as flow; flow.LARGE_RAW_BYTES = 0\n"
        "from pipeline.command.app import main; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, "rank", "--city", "minitown"],
        cwd=project.root, env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert project.outputs() == ranked_once.outputs()


@pytest.mark.parametrize(
    "damage", [b"no record" * 100, b'{"intake": {"settings": 1}}', b"[" * 99_999]
)
def test_a_damaged_record_costs_work_but_no_result(project: Project, damage: bytes) -> None:
    project.rank()
    before = project.outputs()
    (project.lists.parent / ".state.json").write_bytes(damage)
    result = project.rank()
    assert result.returncode == 0, result.stderr
    assert stages_run(result.stdout) == STAGES
    assert project.outputs() == before


def test_killed_at_any_moment_the_next_run_gives_the_same_bytes(
    project: Project, ranked_once: Project
) -> None:
    moments = random.Random(3)
    started = time.monotonic()
    assert project.rank().returncode == 0
    whole_s = time.monotonic() - started
    for _ in range(10):
        for path in moments.sample(sorted(project.lists.parent.rglob("*.parquet")), k=2):
            path.unlink()
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "rank", "--city", "minitown"],
            cwd=project.root,
            env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moments.uniform(0.1, whole_s))
        process.send_signal(signal.SIGKILL)
        process.wait()
    result = project.rank()
    assert result.returncode == 0, result.stderr
    assert project.outputs() == ranked_once.outputs()


def test_two_runs_at_once_the_second_is_told(project: Project) -> None:
    folder = project.root / "data" / "processed" / "minitown"
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"):
        result = project.rank()
    assert result.returncode == 2
    assert "another run is writing here" in result.stderr
    assert "Traceback" not in result.stderr
    assert project.outputs() == {}
    assert project.rank().returncode == 0


@pytest.mark.parametrize("limit_bytes", [2_000, 20_000, 90_000])
def test_a_full_disk_is_told_and_leaves_the_old_outputs(project: Project, limit_bytes: int) -> None:
    assert project.rank().returncode == 0
    before = project.outputs()
    project.edit("config/cities/minitown.yaml", "default_counts: [1]", "default_counts: [1, 6]")

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    result = project.rank(preexec_fn=small_files)
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert "disk is full" in result.stderr or "cannot be written" in result.stderr
    assert not list(project.root.rglob("*.partial*"))
    after = project.outputs()
    assert set(after) == set(before)
    for path in after:
        if path.startswith("maps/") or path.endswith(".gpkg"):
            assert after[path] == before[path]
    result = project.rank()
    assert result.returncode == 0, result.stderr
