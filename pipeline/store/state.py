"""What changed since the last run, by content; and one run at a time.

doit keeps the record: the content of every input, the settings and the code that a stage saw, and the
content of what it wrote. This module turns that record into reasons in words.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from doit.dependency import DatabaseException, Dependency, MD5Checker, SqliteDB
from doit.task import Task

from pipeline.problem import Problem

_one_at_a_time = Lock()
"""The record is read while another thread writes it down."""


class _ByDigest(MD5Checker):
    """Tells files apart by the digest that outputs have too: what two stages see is read once."""

    def check_modified(self, file_path: str, file_stat: os.stat_result, state: Any) -> bool:
        """Tell whether a file is another than the one on record, by time, then size, then content."""
        saved_time, size, saved = state
        if file_stat.st_mtime == saved_time:
            return False
        return file_stat.st_size != size or digest(Path(file_path)) != saved

    def get_state(self, dep: str, current_state: Any) -> Any:
        """Return what to put on record of a file; nothing if its time is the recorded one."""
        found = Path(dep).stat()
        if current_state and current_state[0] == found.st_mtime:
            return None
        return found.st_mtime, found.st_size, digest(Path(dep))


@dataclass(frozen=True)
class StageRecord:
    """Everything that decides whether a stage must run."""

    name: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    settings: Mapping[str, Any]
    """Dotted key → value."""
    code: Mapping[str, str]
    """Source file or package → digest or version."""


def own_reasons(state_file: Path, record: StageRecord) -> list[str]:
    """Return why a stage must run whatever it reads: never run, its outputs, settings or code."""
    with _open(state_file) as dependency:
        saved = dependency.get_values(record.name)
        if not saved:
            return ["it has not run yet"]
        wrote = saved["outputs"]
        there = {_short(path): path for path in record.outputs if path.exists()}
        wanted = {_short(path) for path in record.outputs} | wrote.keys()
        reasons = [f"{name} is missing" for name in sorted(wanted - there.keys())]
        reasons += [f"{name} was added by hand" for name in sorted(there.keys() - wrote.keys())]
        reasons += _differences("setting", saved["settings"], _plain(record.settings))
        reasons += _differences("code", saved["code"], dict(record.code), show_values=False)
        reasons += [
            f"{name} was changed by hand"
            for name, path in there.items()
            if name in wrote and wrote[name] != digest(path)
        ]
        return reasons


def reasons_to_run(state_file: Path, record: StageRecord) -> list[str]:
    """Return why a stage must run, in words; empty when nothing changed."""
    reasons = own_reasons(state_file, record)
    if reasons == ["it has not run yet"]:
        return reasons
    return list(dict.fromkeys(reasons + input_reasons(state_file, record)))


def input_reasons(state_file: Path, record: StageRecord) -> list[str]:
    """Return what changed of the files that a stage reads."""
    reasons: list[str] = []
    with _open(state_file) as dependency:
        status = dependency.get_status(_task(record), None, get_log=True)
        for path in sorted(status.reasons.get("changed_file_dep") or []):
            reasons.append(f"input {_short(Path(path))} changed")
        for word, key in (("new", "added_file_dep"), ("gone", "removed_file_dep")):
            for path in status.reasons.get(key) or []:
                reasons.append(f"input {_short(Path(path))} is {word}")
        for path in status.reasons.get("missing_file_dep") or []:
            reasons.append(f"input {_short(Path(path))} is missing")
        return list(dict.fromkeys(reasons))


def remember(state_file: Path, record: StageRecord) -> None:
    """Record that a stage has run and what it wrote."""
    task = _task(record)
    task.values = {
        "settings": _plain(record.settings),
        "code": dict(record.code),
        "outputs": _digests(record.outputs),
    }
    with _open(state_file) as dependency:
        dependency.remove_success(task)
        dependency.save_success(task)


@contextmanager
def single_run(lock_file: Path) -> Iterator[None]:
    """Hold the city for one run; a second one is told so at once."""
    from filelock import FileLock, Timeout

    lock = FileLock(lock_file, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise Problem(
            lock_file.parent,
            "another run is writing here",
            fix="wait until it ends, then try again",
        ) from None
    except OSError as error:
        raise Problem(
            lock_file.parent, f"cannot be written ({error.strerror or error})",
            fix="give yourself write permission, or free the folder",
        ) from None  # fmt: skip
    try:
        yield
    finally:
        lock.release()


def _digests(paths: Iterable[Path]) -> dict[str, str]:
    """Return the digest of each file by its short name; hashing leaves the interpreter free."""
    listed = list(paths)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(digest, listed)
        return {_short(path): one for path, one in zip(listed, found, strict=True)}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content; one that has not changed since is not read again."""
    found = path.stat()
    return _digest(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=4096)
def _digest(path: Path, _changed_ns: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _task(record: StageRecord) -> Task:
    return Task(record.name, None, file_dep=[str(path) for path in record.inputs], uptodate=(True,))


@contextmanager
def _open(state_file: Path) -> Iterator[Dependency]:
    with _one_at_a_time, _opened(state_file) as dependency:
        yield dependency


@contextmanager
def _opened(state_file: Path) -> Iterator[Dependency]:
    try:
        dependency = Dependency(SqliteDB, str(state_file), _ByDigest)
    except DatabaseException:
        # The record only saves work; without it everything is built again.
        state_file.unlink()
        dependency = Dependency(SqliteDB, str(state_file), _ByDigest)
    try:
        yield dependency
        dependency.close()
    except sqlite3.OperationalError as error:
        raise Problem(
            state_file, f"cannot be written ({error})", fix="free some disk space, then run again"
        ) from None


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(settings)))


def _differences(
    what: str, before: Mapping[str, Any], now: Mapping[str, Any], *, show_values: bool = True
) -> list[str]:
    told = []
    for key in sorted(before.keys() | now.keys()):
        if key not in before:
            told.append(f"{what} {key} is new")
        elif key not in now:
            told.append(f"{what} {key} is gone")
        elif before[key] != now[key]:
            change = f": {before[key]} → {now[key]}" if show_values else ""
            told.append(f"{what} {key} changed{change}")
    return told


def _short(path: Path) -> str:
    return "/".join(path.parts[-3:])
