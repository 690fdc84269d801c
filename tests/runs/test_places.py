"""Odd folders, locales and rights; outputs that vanish under a run."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pipeline.problem import Problem
from pipeline.store.state import StageRecord, own_reasons
from tests.conftest import REPOSITORY, Project, new_project
from tests.unit.test_scratch import killed


def test_the_same_bytes_come_out_in_an_odd_place(tmp_path: Path, ranked_once: Project) -> None:
    """A name full of signs, no home, no UTF-8, a narrow umask, another time zone."""
    project = new_project(tmp_path / 'it\'s 山城 a;b 50% #1 $HOME "q"')
    odd = {
        "HOME": "/nowhere", "TZ": "Asia/Chongqing", "LC_ALL": "C", "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    result = project.rank(env=odd, preexec_fn=lambda: os.umask(0o077))
    assert result.returncode == 0, result.stderr
    assert project.outputs() == ranked_once.outputs()


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    dropping = []
    if os.geteuid() == 0:  # who may do anything is not held by rights
        if shutil.which("setpriv") is None:
            pytest.skip("run as root without setpriv to give rights up with")
        dropping = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    folders = [path for path in project.root.rglob("*") if path.is_dir()]
    for folder in (project.root, *folders):
        folder.chmod(0o555)
    for words in (("rank",), ("check",), ("keep", "--name", "x")):
        result = subprocess.run(
            [*dropping, sys.executable, "-m", "pipeline", *words, "--city", "minitown"],
            cwd=project.root, env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            capture_output=True, text=True,
        )  # fmt: skip
        assert result.returncode == 2, words
        assert result.stderr.count("shancheng: ") == 1
        assert "Traceback" not in result.stderr
        assert "cannot be written" in result.stderr or words[0] == "keep"
    for folder in (project.root, *folders):
        folder.chmod(0o755)


def test_outputs_removed_under_a_run_are_told_and_come_back(
    project: Project, ranked_once: Project
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "rank", "--city", "minitown"], cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 120
    while not (project.lists.parent / "buildings.parquet").exists() and time.monotonic() < until:
        time.sleep(0.01)
    shutil.rmtree(project.lists.parent, ignore_errors=True)
    _, told = process.communicate()
    assert process.returncode == 2, told
    assert "Traceback" not in told
    assert "run the same command again" in told or "cannot be written" in told
    assert project.rank().returncode == 0
    assert project.outputs() == ranked_once.outputs()


def test_a_path_too_long_for_the_machine_is_told(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["l" * 200] * 30)
    record = StageRecord("intake", (), (), {}, {})
    with pytest.raises(Problem, match="too long"):
        own_reasons(folder / ".state.json", record)


def test_a_run_removes_what_a_killed_one_left(
    ranked_once: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = killed(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = ranked_once.run_in_copy("rank", "--city", "minitown")
    assert result.returncode == 0, result.stderr
    assert not left.exists()
