"""Work beside the main course, in a second interpreter: threads take turns at one interpreter's lock.

``beside.call(function, …)`` hands work over and returns a ``Task``; its ``result()`` waits for it. In a
small run, or where no second interpreter is to be had, ``result()`` does the work itself: so both ways
give the same.
"""

import gc
import importlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class _Place:
    """Where the second interpreter keeps a result."""

    number: int


class Task(Generic[T]):
    """Something to be worked out, here or beside."""

    def __init__(
        self,
        work: Callable[[], T],
        future: "Future[T] | None" = None,
        place: _Place | None = None,
    ) -> None:
        self._work = work
        self._future = future
        self.place = place
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
        self._numbers = count()
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
        """Hand over a function of a module, with arguments that can be copied; tasks run in turn.

        In place of an argument may stand a task; one of ``keep`` is not waited for.
        """
        known = [_place_of(one) for one in args]
        future = self._sent(_called, function, known, kwargs)
        task = Task(lambda: function(*_worked_out(args), **kwargs), future)
        later, self._later = self._later, ()
        self.load(later)
        return task

    def keep(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Task[T]:
        """Do as ``call``, but leave the result there, for one later call that takes the task.

        Asking this task itself for its result does the work here.
        """
        place = _Place(next(self._numbers))
        self._sent(_keep, place.number, function, args, kwargs)
        return Task(lambda: function(*args, **kwargs), place=place)

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
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=_begin)
        try:
            return self._pool.submit(function, *args, **kwargs)
        except BrokenProcessPool:
            self.is_there = False
            return None


def _begin() -> None:
    """In the second interpreter: let the collector rest, as the flow does, and end with the first.

    A first one that is killed cannot say so, and the second would wait for work forever.
    """
    gc.disable()
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _load(modules: tuple[str, ...]) -> None:
    for name in modules:
        importlib.import_module(name)


_kept: dict[int, Any] = {}
"""In the second interpreter: what ``keep`` left there, or the error that came instead."""


def _keep(number: int, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
    try:
        _kept[number] = function(*args, **kwargs)
    except Exception as error:
        _kept[number] = error


def _called(function: Callable[..., T], args: Sequence[Any], kwargs: Any) -> T:
    found = [_kept.pop(one.number) if isinstance(one, _Place) else one for one in args]
    for one in found:
        if isinstance(one, Exception):
            raise one
    return function(*found, **kwargs)


def _place_of(argument: Any) -> Any:
    if not isinstance(argument, Task):
        return argument
    return argument.place or argument.result()


def _worked_out(args: Sequence[Any]) -> list[Any]:
    return [one.result() if isinstance(one, Task) else one for one in args]
