"""Kill whole runs of a small town at random moments, and see that nothing is lost."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import REPOSITORY, Project, new_project

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_PROGRAM = (
    "from pipeline import stopping; stopping.install()\n"
    "import pipeline.flow as flow; flow.LARGE_RAW_BYTES = 0\n"  # a second interpreter, as in large runs
    "from pipeline.command.app import main; main()"
)
_FIRST_MOMENT_S = 0.06
"""Python itself begins before; there an interrupt ends in Python's own traceback."""


@dataclass
class Kills:
    """What was done and how it ended."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return counts and each fault."""
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        return "\n".join([f"killed runs: {told}", *(f"--- {one}" for one in self.faults)])


def kill_runs(folder: Path, count: int, seed: int) -> Kills:
    """Kill so many runs; after each, what stands there must be whole, and after all the same bytes.

    Every few kills the outputs are removed in part, so that stages have work; a run that ends by itself
    is counted as such. A change of a weight between two runs makes old and new files meet.
    """
    chance, found = random.Random(seed), Kills()
    project = new_project(folder / "project")
    begin = time.monotonic()
    assert project.rank().returncode == 0
    whole_s = time.monotonic() - begin
    wanted = project.outputs()
    for number in range(count):
        _spoil(project, chance)
        before = _kept(project)
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, "rank", "--city", "minitown"], cwd=project.root,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        one, moment_s = chance.choice(SIGNALS), chance.uniform(_FIRST_MOMENT_S, 1.2 * whole_s)
        to_all = chance.random() < 0.5
        time.sleep(moment_s)
        if process.poll() is None:
            (os.killpg if to_all and one != signal.SIGKILL else os.kill)(process.pid, one)
        _, told = process.communicate(timeout=60)
        _judge(
            found,
            project,
            process,
            one,
            told,
            f"kill {number}, seed {seed}, {one.name} after {moment_s:.2f} s",
        )
        if _kept(project) != before:
            found.faults.append(f"kill {number}: raw files, config or kept runs changed")
        if number % 20 == 19 or number == count - 1:
            result = project.rank()
            if result.returncode or project.outputs() != wanted:
                now = project.outputs()
                differing = sorted(
                    k for k in wanted.keys() | now.keys() if wanted.get(k) != now.get(k)
                )
                found.faults.append(
                    f"after kill {number}: other bytes in {differing}\n{result.stderr}"
                )
                return found
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
    found: Kills, project: Project, process: "subprocess.Popen[str]", one: signal.Signals,
    told: str, what: str,
) -> None:  # fmt: skip
    code = process.returncode
    lines = [line for line in told.splitlines() if line.startswith(("shancheng", "Traceback"))]
    if code == 0:
        found.counts["ended by themselves"] += 1
    elif one == signal.SIGKILL:
        found.counts[one.name] += 1
        if code != -signal.SIGKILL:
            found.faults.append(f"{what}: exit code {code}\n{told[-800:]}")
    else:
        found.counts[one.name] += 1
        if code != 128 + one or len(lines) != 1 or "Traceback" in told:
            found.faults.append(f"{what}: exit code {code}\n{told[-800:]}")
        left = sorted(path.name for path in project.root.rglob("*.partial*"))
        if left:
            found.faults.append(f"{what}: left {left}")
    until = time.monotonic() + (2 if one == signal.SIGKILL else 0.2)
    while (alive := in_session(process.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    if alive:
        found.faults.append(f"{what}: still running {alive}")


def in_session(session: int) -> list[str]:
    """Return the processes of a session that are alive."""
    told = subprocess.run(
        ["ps", "-o", "stat=,pid=,args=", "-s", str(session)], capture_output=True, text=True
    ).stdout
    return [line for line in told.splitlines() if not line.startswith("Z")]
