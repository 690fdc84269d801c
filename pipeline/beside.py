"""Work beside the main course, in a second interpreter: threads take turns at one interpreter's lock.

``beside.call(function, …)`` hands work over and returns a ``Task``; its ``result()`` waits for it. In a
small run, or where no second interpreter is to be had, ``result()`` does the work itself: so both ways
give the same.
"""

import gc
import importlib
import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Task(Generic[T]):
    """Something to be worked out, here or beside."""

    def __init__(self, work: Callable[[], T], future: "Future[T] | None" = None) -> None:
        self._work = work
        self._future = future
        self._done: list[T] = []

    def result(self) -> T:
        """Return what came out; what the work raised is raised here."""
        if not self._done:
            self._done.append(self._found())
        return self._done[0]

    def _found(self) -> T:
        if self._future is not None:
            try:
                return self._future.result()
            except BrokenProcessPool:  # killed, or this program cannot be started twice
                pass
        return self._work()


class Beside:
    """One second interpreter, started by the first call; use as a context.

    Parameters
    ----------
    is_wanted
        Whether there is enough to do: its start takes a second of the other core.
    """

    def __init__(self, *, is_wanted: bool = False) -> None:
        self.is_there = is_wanted
        self._later: tuple[str, ...] = ()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Beside":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is None:
            return
        if kind is None:
            # taking its objects apart one by one would hold everybody up for half a second
            with suppress(BrokenProcessPool):
                self._pool.submit(os._exit, 0)
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Task[T]:
        """Hand over a function of a module, with arguments that can be copied; tasks run in turn."""
        task = Task(lambda: function(*args, **kwargs), self._sent(function, *args, **kwargs))
        later, self._later = self._later, ()
        self.load(later)
        return task

    def load(self, modules: tuple[str, ...], *, after_next_call: bool = False) -> None:
        """Load modules there that calls will need, so that these need not wait for them."""
        if after_next_call:
            self._later = modules
        elif modules:
            self._sent(_load, modules)

    def _sent(
        self, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> "Future[Any] | None":
        if not self.is_there:
            return None
        if self._pool is None:
            # the collector rests there too, as in the flow
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=gc.disable)
        try:
            return self._pool.submit(function, *args, **kwargs)
        except BrokenProcessPool:
            self.is_there = False
            return None


def _load(modules: tuple[str, ...]) -> None:
    for name in modules:
        importlib.import_module(name)
