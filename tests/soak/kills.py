"""Kill whole runs of a small town at random moments, and see that nothing is lost."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import REPOSITORY, Project, new_project

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_PROGRAM = """
from pipeline import stopping
stopping.install()
import pipeline.flow
pipeline.flow.LARGE_RAW_BYTES = 0  # a second interpreter, as in large runs
from pipeline.command.app import main
try:
    main()
except SystemExit as end:
    stopping.leave(end.code)
stopping.leave(0)
"""
"""What ``python -m pipeline`` does: whoever leaves otherwise dies of an interrupt while Python ends."""
_FIRST_MOMENT_S = 0.06
"""Python itself begins before; there an interrupt ends in Python's own traceback."""

_WHOLE_RUN_EVERY = 10
_BY_ITSELF = "ended by themselves"


@dataclass
class Kills:
    """What was done and how it ended."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def kill_count(self) -> int:
        """Runs that a signal ended; those that ended before it came are none."""
        return self.counts.total() - self.counts[_BY_ITSELF]

    def summary(self) -> str:
        """Return counts and each fault."""
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        head = f"{self.kill_count} killed runs: {told}; {len(self.faults)} faults"
        return "\n".join([head, *(f"--- {one}" for one in self.faults)])


def kill_runs(
    folder: Path, count: int, seed: int, tell: Callable[[str], object] = lambda _: None
) -> Kills:
    """Kill so many runs; judge how each ended, and at intervals that the next run gives the same bytes.

    Before each kill some outputs are removed or cut short, so that stages have work. A run that ends
    before its signal comes does not count. Every kill is judged by exit code, what it said, the
    processes and files that it left and by what no run may change; every tenth is followed by a
    whole run, which must give the same bytes and leave nothing of what kills left.

    Parameters
    ----------
    tell
        Gets each fault at once, and the counts at intervals.
    """
    chance, found = random.Random(seed), Kills()
    project = new_project(folder / "project")
    assert project.rank().returncode == 0
    wanted = project.outputs()
    shutil.rmtree(project.lists.parent)
    begin = time.monotonic()  # not of the first run, which may have to compile the program
    assert project.rank().returncode == 0
    whole_s = time.monotonic() - begin
    temporary = folder / "temporary"
    temporary.mkdir()
    number = 0
    while found.kill_count < count:
        _spoil(project, chance)
        before, known = _kept(project), len(found.faults)
        of_others = set(_partial_files(project))  # of runs that were killed outright before
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, "rank", "--city", "minitown"], cwd=project.root,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(temporary)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        one, moment_s = chance.choice(SIGNALS), chance.uniform(_FIRST_MOMENT_S, whole_s)
        to_all = chance.random() < 0.5
        try:  # shorter than a sleep if it ends by itself
            process.wait(moment_s)
        except subprocess.TimeoutExpired:
            (os.killpg if to_all and one != signal.SIGKILL else os.kill)(process.pid, one)
        _, told = process.communicate(timeout=60)
        number += 1
        what = f"run {number}, seed {seed}, {one.name} after {moment_s:.2f} s"
        _judge(found, process, one, told, what)
        left = [*sorted(set(_partial_files(project)) - of_others), *_names(temporary)]
        if left and process.returncode != -signal.SIGKILL:
            found.faults.append(f"{what}: left {left}")
        for path in temporary.iterdir():
            shutil.rmtree(path)
        if _kept(project) != before:
            found.faults.append(f"{what}: raw files, config or kept runs changed")
        is_last = found.kill_count >= count
        if number % _WHOLE_RUN_EVERY == 0 or is_last:
            result = project.rank()
            now = project.outputs()
            if result.returncode or now != wanted:
                differing = sorted(
                    k for k in wanted.keys() | now.keys() if wanted.get(k) != now.get(k)
                )
                found.faults.append(f"after {what}: other bytes in {differing}\n{result.stderr}")
            if left := _partial_files(project):
                found.faults.append(f"after {what} a whole run still leaves {left}")
            tell(found.summary().splitlines()[0])
        for fault in found.faults[known:]:
            tell(f"--- {fault}")
    return found


def _spoil(project: Project, chance: random.Random) -> None:
    """Give the next run something to do."""
    folder, kind = project.lists.parent, chance.randrange(4)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    if kind == 0 or not files:
        shutil.rmtree(folder, ignore_errors=True)
    elif kind == 1:
        chance.choice(files).unlink()
    elif kind == 2:
        path = chance.choice(files)
        path.write_bytes(path.read_bytes()[: chance.randrange(100)])
    else:
        shutil.rmtree(project.root / "maps", ignore_errors=True)


def _kept(project: Project) -> dict[str, bytes]:
    """Return what no run may change."""
    return {
        path.relative_to(project.root).as_posix(): path.read_bytes()
        for folder in ("config", "data/raw")
        for path in sorted((project.root / folder).rglob("*"))
        if path.is_file()
    }


def _judge(
    found: Kills, process: "subprocess.Popen[str]", one: signal.Signals, told: str, what: str
) -> None:  # fmt: skip
    code = process.returncode
    lines = [line for line in told.splitlines() if line.startswith(("shancheng", "Traceback"))]
    found.counts[_BY_ITSELF if code == 0 else one.name] += 1
    if one == signal.SIGKILL:
        is_right = code in (0, -signal.SIGKILL) and not lines
    else:
        is_right = code == 0 or (code == 128 + one and len(lines) == 1)
    if not is_right or "Traceback" in told:
        found.faults.append(f"{what}: exit code {code}\n{told[-800:]}")
    until = time.monotonic() + (2 if one == signal.SIGKILL else 0.2)
    while (alive := in_session(process.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    if alive:
        found.faults.append(f"{what}: still running {alive}")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _partial_files(project: Project) -> list[str]:
    return sorted(path.name for path in project.root.rglob("*.partial*"))


def in_session(session: int) -> list[str]:
    """Return the processes of a session that are alive."""
    told = subprocess.run(
        ["ps", "-o", "stat=,pid=,args=", "-s", str(session)], capture_output=True, text=True
    ).stdout
    return [line for line in told.splitlines() if not line.startswith("Z")]
