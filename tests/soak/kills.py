"""Kill whole runs of a small town at random moments, and see that nothing is lost."""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import fingerprints
from tests.conftest import REPOSITORY, Project, load_commands, new_project
from tests.soak.running import Running, in_copy, in_session, started

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
_WORDS = ("rank", "--city", "minitown")
_WHOLE_RUN_EVERY = 10
_PROGRAM_SHARE, _SECOND_SHARE = 0.1, 0.3
"""Runs that are programs of their own, and copies of this process that start a second interpreter.

The other copies are what a small town's run is, without loading what is loaded here already: most of a
program's second and a half would go into that, and nothing is written then.
"""
_BY_ITSELF = "ended by themselves"


@dataclass
class Kills:
    """What was done and how it ended."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    judged_count: int = 0
    """Whole runs whose bytes were compared."""

    @property
    def kill_count(self) -> int:
        """Runs that a signal ended; those that ended before it came are none."""
        return self.counts.total() - self.counts[_BY_ITSELF]

    def summary(self) -> str:
        """Return counts and each fault."""
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        head = f"{self.kill_count} killed runs: {told}; bytes compared {self.judged_count} times; "
        return "\n".join([head + f"{len(self.faults)} faults", *(f"--- {x}" for x in self.faults)])


class _Length:
    """How long runs of a kind take under the machine's load: told by how many outrun their signal."""

    def __init__(self, whole_s: float) -> None:
        self.whole_s = whole_s

    def learn(self, *, outran: bool) -> None:
        """Keep about one run in nine ending before its signal."""
        self.whole_s *= 0.92 if outran else 1.01


def kill_runs(
    folder: Path, count: int, seed: int, tell: Callable[[str], object] = lambda _: None
) -> Kills:
    """Kill so many runs; judge how each ended, and at intervals that the next run gives the same bytes.

    Before each kill some outputs are removed or cut short, so that stages have work; the run goes on
    from whatever those killed before it left. One that ends before its signal does not count. Every
    kill is judged by exit code, what it said, the processes and files that it left and by what no run
    may change; every tenth is followed by a whole run, which must give the same bytes and leave nothing
    of what kills left, in the project and among temporary files.

    Parameters
    ----------
    tell
        Gets each fault at once, and the counts at intervals.
    """
    chance, found = random.Random(seed), Kills()
    project = new_project(folder / "project")
    project.edit("config/default.yaml", "draws: 1000", "draws: 20")
    load_commands()
    temporary = folder / "temporary"
    temporary.mkdir()
    prepared = _prepared(project)
    run = _copy(project, temporary, prepared, is_second_wanted=False)
    begin = time.monotonic()
    assert run.wait(600) == 0, run.told()
    whole_s = time.monotonic() - begin
    lengths: dict[tuple[bool, int], _Length] = defaultdict(lambda: _Length(whole_s))
    wanted = project.outputs()
    number = 0
    while found.kill_count < count:
        kind = _spoil(project, chance)
        before, known = _kept(project), len(found.faults)
        of_others = set(_partial_files(project))  # of runs that were killed outright before
        of_others |= set(_names(temporary))
        is_program = chance.random() < _PROGRAM_SHARE
        start, length = _program if is_program else _copy, lengths[is_program, kind]
        first_s = _FIRST_MOMENT_S if is_program else 0.0
        one, moment_s = chance.choice(SIGNALS), chance.uniform(first_s, length.whole_s)
        to_all = chance.random() < 0.5
        run = start(project, temporary, prepared, is_second_wanted=chance.random() < _SECOND_SHARE)
        if run.wait(moment_s) is None:
            run.send(one, to_all=to_all and one != signal.SIGKILL)
        code = run.wait(60)
        length.learn(outran=code == 0)
        number += 1
        what = f"run {number}, seed {seed}, {one.name} after {moment_s:.2f} s"
        _judge(found, run, code, one, what)
        left = {*_partial_files(project), *_names(temporary)} - of_others
        if left and code != -signal.SIGKILL:
            found.faults.append(f"{what}: left {sorted(left)}")
        if _kept(project) != before:
            found.faults.append(f"{what}: raw files, config or kept runs changed")
        if number % _WHOLE_RUN_EVERY == 0 or found.kill_count >= count:
            run = _copy(project, temporary, prepared, is_second_wanted=False)
            code, now = run.wait(600), project.outputs()
            found.judged_count += 1
            if code or now != wanted:
                differing = sorted(
                    k for k in wanted.keys() | now.keys() if wanted.get(k) != now.get(k)
                )
                found.faults.append(f"after {what}: other bytes in {differing}\n{run.told()}")
            if still := [*_partial_files(project), *_names(temporary)]:
                found.faults.append(f"after {what} a whole run still leaves {still}")
            tell(found.summary().splitlines()[0])
        for fault in found.faults[known:]:
            tell(f"--- {fault}")
    return found


def _prepared(project: Project) -> object:
    """Return the settings of the town, and look the code over.

    Both take a third of a run, in which nothing is written.
    """
    from pipeline.flow import STAGES
    from pipeline.store.configuration import read_settings

    for stage in STAGES:
        fingerprints._code(stage.name, reads_sources=stage.reads_sources)
    return read_settings(project.root / "config", "minitown", "base")


def _program(project: Project, temporary: Path, _: object, *, is_second_wanted: bool) -> Running:
    """Start a run as a program, always with a second interpreter."""
    return started(
        [sys.executable, "-c", _PROGRAM, *_WORDS], project.root,
        os.environ | {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(temporary)},
    )  # fmt: skip


def _copy(
    project: Project, temporary: Path, settings: object, *, is_second_wanted: bool
) -> Running:
    """Start a run in a copy of this process."""

    def command() -> None:
        from pipeline import flow, stopping
        from pipeline.command.app import main
        from pipeline.store import configuration

        stopping.install()
        os.environ |= {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(temporary)}
        tempfile.tempdir = None
        configuration.read_settings = lambda *_: settings  # type: ignore[assignment]
        if is_second_wanted:
            flow.LARGE_RAW_BYTES = 0
        try:
            main()
        except SystemExit as end:
            stopping.leave(end.code)
        stopping.leave(0)

    return in_copy(command, project.root, _WORDS)


def _spoil(project: Project, chance: random.Random) -> int:
    """Give the next run something to do; return which of four kinds."""
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
    return kind


def _kept(project: Project) -> dict[str, bytes]:
    """Return what no run may change."""
    return {
        path.relative_to(project.root).as_posix(): path.read_bytes()
        for folder in ("config", "data/raw")
        for path in sorted((project.root / folder).rglob("*"))
        if path.is_file()
    }


def _judge(found: Kills, run: Running, code: int | None, one: signal.Signals, what: str) -> None:
    told = run.told()
    lines = [line for line in told.splitlines() if line.startswith(("shancheng", "Traceback"))]
    found.counts[_BY_ITSELF if code == 0 else one.name] += 1
    if one == signal.SIGKILL:
        is_right = code in (0, -signal.SIGKILL) and not lines
    else:
        is_right = code == 0 or (code == 128 + one and len(lines) == 1)
    if not is_right or "Traceback" in told:
        found.faults.append(f"{what}: exit code {code}\n{told[-800:]}")
    until = time.monotonic() + (2 if one == signal.SIGKILL else 0.2)
    while (alive := in_session(run.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    if alive:
        found.faults.append(f"{what}: still running {alive}")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _partial_files(project: Project) -> list[str]:
    return sorted(path.name for path in project.root.rglob("*.partial*"))
