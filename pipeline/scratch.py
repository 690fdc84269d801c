"""Folders for a moment's use; a run removes those that killed ones left."""

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline import stopping

_PREFIX = "shancheng-"
_NAME = re.compile(rf"{_PREFIX}(\d{{1,10}})-\w+")
_held: dict[Path, int] = {}
"""Folders of this process → descriptors that hold their locks, which end with the process."""


def make_folder() -> Path:
    """Return a new folder of this process; a stop removes it, ``remove_folder`` does otherwise."""
    with stopping.naming:
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        stopping.half_written.add(str(folder))
    _held[folder] = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(_held[folder], fcntl.LOCK_EX)
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder of ``make_folder`` with all that lies in it."""
    shutil.rmtree(folder, ignore_errors=True)
    os.close(_held.pop(folder))
    stopping.half_written.discard(str(folder))


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder, and remove it at the end."""
    folder = make_folder()
    try:
        yield folder
    finally:
        remove_folder(folder)


def remove_left() -> None:
    """Remove the folders of processes of this user that were killed.

    A process is dead if no process has its number and nobody holds the folder's lock: one in another
    container that shares the folder has a number that is not known here.
    """
    try:
        with os.scandir(tempfile.gettempdir()) as entries:
            named = [(entry, _NAME.fullmatch(entry.name)) for entry in entries]
    except OSError:
        return
    for entry, found in named:
        if found and not _is_alive(int(found[1])) and _is_own_folder(entry):
            _remove_if_unlocked(entry.path)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _is_own_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _remove_if_unlocked(path: str) -> None:
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # another run was faster
        return
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        pass
    finally:
        os.close(folder)
