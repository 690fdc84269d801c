"""What changed since the last run, by content; and one run at a time.

One JSON file of a city holds for every stage the content of each input, the settings and the code that
the stage saw, and the content of what it wrote. This module turns that record into reasons in words.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from pipeline.problem import Problem
from pipeline.store import files

_one_at_a_time = Lock()
"""The record is read while another thread writes it down."""
_FIELDS = {"inputs", "settings", "code", "outputs"}


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
    saved = _read(state_file).get(record.name)
    if saved is None:
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
    saved = _read(state_file).get(record.name, {}).get("inputs", {})
    wanted = {str(path) for path in record.inputs}
    there = {str(path): digest(path) for path in record.inputs if path.exists()}
    told = {
        "changed": {path for path, one in there.items() if saved.get(path, one) != one},
        "is new": there.keys() - saved.keys(),
        "is gone": saved.keys() - wanted,
        "is missing": wanted - there.keys(),
    }
    return [f"input {short(Path(one))} {what}" for what in told for one in sorted(told[what])]


def recorded_outputs(state_file: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the digests of what the stages of these names wrote, by short name of the file."""
    saved = _read(state_file)
    each = (saved[name]["outputs"] for name in names if name in saved)
    return {path: one for outputs in each for path, one in outputs.items()}


def remember(state_file: Path, record: StageRecord) -> None:
    """Record that a stage has run and what it wrote."""
    stage = {
        "inputs": {str(path): digest(path) for path in record.inputs},
        "settings": _plain(record.settings),
        "code": dict(record.code),
        "outputs": _digests(record.outputs),
    }
    with _one_at_a_time, files.Batch() as batch:
        content = _saved(state_file) | {record.name: stage}
        batch.add(state_file, json.dumps(content).encode())  # names that are no text stay readable


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


def _read(state_file: Path) -> dict[str, Any]:
    with _one_at_a_time:
        return _saved(state_file)


def _saved(state_file: Path) -> dict[str, Any]:
    """Return what is on record by stage; of a damaged file nothing, so that all is built again."""
    try:
        found = state_file.stat()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise files.os_problem(state_file, error) from None
    return _parsed(state_file, found.st_ino, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=4)
def _parsed(state_file: Path, _inode: int, _changed_ns: int, _size: int) -> dict[str, Any]:
    try:
        content = json.loads(state_file.read_bytes())
    except OSError as error:
        raise files.os_problem(state_file, error) from None
    except (ValueError, RecursionError):
        return {}
    return content if _is_record(content) else {}


def _is_record(content: Any) -> bool:
    stages = content.values() if isinstance(content, dict) else [None]
    return all(
        isinstance(stage, dict)
        and stage.keys() == _FIELDS
        and all(isinstance(part, dict) for part in stage.values())
        for stage in stages
    )


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
