"""What killed runs leave among temporary files goes with the next run, and nothing else does."""

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline import scratch
from tests.conftest import REPOSITORY

KILLED = """
import os, signal
from pipeline import scratch
folder = scratch.make_folder()
(folder / "part").write_text("x")
print(folder.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(folder: Path) -> Path:
    """Return what a process leaves that was killed outright."""
    ended = subprocess.run(
        [sys.executable, "-c", KILLED], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(folder)},
    )  # fmt: skip
    assert ended.returncode == -9, ended.stderr
    return folder / ended.stdout.strip()


def test_only_folders_of_dead_runs_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = killed(tmp_path)
    assert [path.name for path in left.iterdir()] == ["part"]
    dead = left.name.split("-")[1]  # a number that no process has
    own = scratch.make_folder()
    held = tmp_path / f"shancheng-{dead}-held"  # of a process in another container
    kept = tmp_path / "kept"
    for folder in (held, kept, tmp_path / f"shancheng-{dead}", tmp_path / f"other-{dead}-x"):
        folder.mkdir()
    (kept / "file").write_text("x")
    (tmp_path / f"shancheng-{dead}-link").symlink_to(kept)
    (tmp_path / f"shancheng-{dead}-file").write_text("x")
    lock = os.open(held, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    before = {path.name for path in tmp_path.iterdir()}
    scratch.remove_left()
    assert {path.name for path in tmp_path.iterdir()} == before - {left.name}
    assert (kept / "file").exists()
    os.close(lock)
    scratch.remove_left()
    assert not held.exists()
    scratch.remove_folder(own)
    assert not own.exists()


def test_a_temporary_folder_that_cannot_be_read_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    scratch.remove_left()
    assert list(tmp_path.iterdir()) == []
