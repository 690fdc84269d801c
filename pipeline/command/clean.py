"""The clean command: remove what can be made again, and nothing under a run that goes on."""

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from pipeline.problem import Problem
from pipeline.store.files import os_problem
from pipeline.store.state import single_run

MADE = ("data/processed", "maps")
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
_GOING = ".removed-"


def clean(root: Path) -> None:
    """Remove tables, lists and pages of all cities, and the caches of the tools.

    Raises
    ------
    Problem
        If a run writes a city now, before anything is removed; or if something cannot be removed.
    """
    with ExitStack() as held:
        processed = root / MADE[0]
        for lock in sorted(processed.glob("*/.lock")):
            held.enter_context(single_run(lock))
        # out of the way in one step each: a run that begins now shall not write into what goes
        for folder in MADE:
            for path in sorted((root / folder).glob("*")):
                if not path.name.startswith("."):
                    _told(
                        path,
                        partial(path.rename, path.with_name(f"{_GOING}{os.getpid()}-{path.name}")),
                    )
    for folder in MADE:
        for path in sorted((root / folder).glob(f"{_GOING}*")):
            _remove(path)
    for name in CACHES:
        _remove(root / name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        _told(path, partial(shutil.rmtree, path))
    elif os.path.lexists(path):
        _told(path, path.unlink)


def _told(path: Path, act: Callable[[], object]) -> None:
    try:
        act()
    except FileNotFoundError as error:
        raise Problem(path, f"cannot be removed ({error.strerror})", fix="run it again") from None
    except OSError as error:
        raise os_problem(path, error) from None
