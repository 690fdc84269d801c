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
from contextlib import closing, contextmanager
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
_LONGEST_PATH_BYTES = 500
_sound: set[Path] = set()
"""Records that this process has found to be readable."""


class _ByDigest(MD5Checker):
    """Tells files apart by the digest that outputs have too: what two stages see is read once."""

    def check_modified(self, file_path: str, file_stat: os.stat_result, state: Any) -> bool:
        """Tell whether a file is another than the one on record; times can be copied with a file."""
        _, size, saved = state
        return bool(file_stat.st_size != size or digest(Path(file_path)) != saved)

    def get_state(self, dep: str, _current_state: Any) -> Any:
        """Return what to put on record of a file."""
        found = Path(dep).stat()
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
        there = {short(path): path for path in record.outputs if path.exists()}
        wanted = {short(path) for path in record.outputs} | wrote.keys()
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
            reasons.append(f"input {short(Path(path))} changed")
        for word, key in (("new", "added_file_dep"), ("gone", "removed_file_dep")):
            for path in status.reasons.get(key) or []:
                reasons.append(f"input {short(Path(path))} is {word}")
        for path in status.reasons.get("missing_file_dep") or []:
            reasons.append(f"input {short(Path(path))} is missing")
        return list(dict.fromkeys(reasons))


def recorded_outputs(state_file: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the digests of what the stages of these names wrote, by short name of the file."""
    if not state_file.is_file():
        return {}
    with _open(state_file) as dependency:
        saved = [dependency.get_values(name) for name in names]
    return {path: one for each in saved if each for path, one in each["outputs"].items()}


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
        return {short(path): one for path, one in zip(listed, found, strict=True)}


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
        _remove_if_damaged(state_file)
        dependency = Dependency(SqliteDB, str(state_file), _ByDigest)
        yield dependency
        dependency.close()
    except (DatabaseException, sqlite3.Error) as error:
        if len(os.fsencode(state_file)) > _LONGEST_PATH_BYTES:
            raise Problem(
                state_file, "its path is longer than SQLite can open",
                expected=f"at most {_LONGEST_PATH_BYTES} bytes", fix="move the project further up",
            ) from None  # fmt: skip
        reason = error.__context__ if isinstance(error, DatabaseException) else error
        raise Problem(
            state_file, f"cannot be written or read ({reason})",
            fix="free some disk space and see that no other run goes on, then run again",
        ) from None  # fmt: skip


def _remove_if_damaged(state_file: Path) -> None:
    """Remove a record that cannot be read: it only saves work, without it everything is built again."""
    if state_file in _sound or not state_file.is_file():
        return
    try:
        with closing(sqlite3.connect(state_file)) as database:
            for (content,) in database.execute("select task_data from doit"):
                json.loads(content)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "no such column" in str(error):
            state_file.unlink()
    except (sqlite3.DatabaseError, ValueError, TypeError):
        state_file.unlink()
    _sound.add(state_file)


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


def short(path: Path) -> str:
    """Return the name of an output in the record and in messages: its last three parts."""
    return "/".join(path.parts[-3:])
