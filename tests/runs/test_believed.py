"""What a command reads is what the last run wrote, byte for byte, or the command says so."""

import os
from pathlib import Path

import pytest

from tests.conftest import Project, new_project

READ = (
    "measurements.parquet", "terrain.tif", "ground.tif", "base/ranking.parquet",
    "base/building_ranking.parquet", "base/score.ledger.json", "base/plan.ledger.json",
)  # fmt: skip
COMMANDS = (
    ("keep", "--name", "spring"),
    ("compare", "--a", "base", "--b", "base"),
    ("plan",),
    ("plan", "--budget", "1亿"),
)


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A ranked project that tests spoil and put right."""
    project = new_project(tmp_path_factory.mktemp("believed") / "project")
    assert project.rank().returncode == 0
    return project


def cut(path: Path) -> None:
    """Cut a file short."""
    path.write_bytes(path.read_bytes()[:-40])


def change(path: Path) -> None:
    """Change one byte and leave size and times as they were."""
    content, times = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("name", READ)
def test_a_cut_or_changed_file_is_named_by_every_command(ranked: Project, name: str) -> None:
    path = ranked.lists.parent / name
    before = path.read_bytes()
    for spoil, words in zip((cut, change), COMMANDS[READ.index(name) % 2 :: 2], strict=True):
        spoil(path)
        result = ranked.run_in_copy(words[0], "--city", "minitown", *words[1:])
        path.write_bytes(before)
        assert result.returncode == 2, (words, result.stdout)
        assert "Traceback" not in result.stderr
        assert path.name in result.stderr
        assert "make rank CITY=minitown" in result.stderr
    assert not (ranked.lists.parent / "kept").exists()


def test_a_kept_run_is_checked_too(ranked: Project) -> None:
    assert ranked.run_in_copy("keep", "--city", "minitown", "--name", "june").returncode == 0
    words = ("compare", "--city", "minitown", "--a", "june", "--b", "base")
    assert ranked.run_in_copy(*words).returncode == 0
    kept = ranked.lists.parent / "kept" / "june"
    change(kept / "ranking.parquet")
    result = ranked.run_in_copy(*words)
    assert result.returncode == 2
    assert "june/ranking.parquet: differs from what was written" in result.stderr
    (kept / "digests.json").unlink()
    assert "nothing says that the run is whole" in ranked.run_in_copy(*words).stderr


def test_a_raw_file_that_kept_its_time_and_size_is_seen_to_have_changed(ranked: Project) -> None:
    pois = ranked.raw / "pois.json"
    change(pois)
    told = ranked.run_in_copy("why", "--city", "minitown").stdout
    assert "pois.json changed" in told


def test_clean_waits_for_nobody_and_removes_nothing_under_a_run(ranked: Project) -> None:
    from filelock import FileLock

    before = ranked.outputs()
    with FileLock(ranked.lists.parent / ".lock"):
        result = ranked.run_in_copy("clean")
    assert result.returncode == 2
    assert "another run is writing here" in result.stderr
    assert ranked.outputs() == before
    assert ranked.run_in_copy("clean").returncode == 0
    assert ranked.outputs() == {}
    assert ranked.raw.is_dir()
