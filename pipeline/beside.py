"""Work beside the main course, in a second interpreter: threads take turns at one interpreter's lock.

``beside.call(function, …)`` hands work over and returns a ``Task``; its ``result()`` waits for it. In a
small run, or where no second interpreter is to be had, ``result()`` does the work itself: so both ways
give the same.
"""

import gc
import importlib
import os
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, ParamSpec, TypeVar

from pipeline import scratch, stopping

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
            except _Gone:  # killed, or this program cannot be started twice
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
        self._second: _Second | None = None

    def __enter__(self) -> "Beside":
        return self

    def __exit__(self, *_: object) -> None:
        if self._second is not None:
            self._second.end()

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

    def _sent(self, function: Callable[..., Any], *args: Any) -> "Future[Any] | None":
        if not self.is_there:
            return None
        try:
            self._second = self._second or _Second()
        except OSError:  # no process more is to be had
            self.is_there = False
            return None
        return self._second.send(function, args)


class _Gone(Exception):
    """The second interpreter is no longer there."""


class _Second:
    """The second interpreter, and a pipe to it: it answers each message in its turn.

    ``multiprocessing`` and ``concurrent.futures`` would start a third process and semaphores, which
    outlive an interpreter that is killed.
    """

    def __init__(self) -> None:
        self._pipe, there = Pipe()
        number = there.fileno()
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from pipeline.beside import serve; serve({number})"
        )
        self._folder = scratch.make_folder()  # what it leaves there goes with it
        try:
            # it ends when its input does: the first one, if killed, cannot say so
            self._process = stopping.start(
                [sys.executable, *_warning_flags(), "-c", program],
                stdin=subprocess.PIPE,
                pass_fds=[number],
                env=os.environ | {"TMPDIR": str(self._folder)},
            )
        except OSError:
            scratch.remove_folder(self._folder)
            raise
        finally:
            there.close()
        self._lock = Lock()
        self._is_gone = False
        self._messages: SimpleQueue[tuple[Future[Any], Any] | None] = SimpleQueue()
        self._waiting: deque[Future[Any]] = deque()
        self._threads = [Thread(target=one, daemon=True) for one in (self._post, self._receive)]
        for thread in self._threads:
            thread.start()

    def send(self, function: Callable[..., Any], args: Any) -> "Future[Any]":
        """Hand over a call; the future fails with ``_Gone`` if the other interpreter ends."""
        future: Future[Any] = Future()
        self._messages.put((future, (function, args)))
        return future

    def end(self) -> None:
        """End it at once: it has nothing to save, and taking its objects apart would take long."""
        self._process.kill()
        self._process.wait()
        stopping.children.discard(self._process)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._messages.put(None)
        for thread in self._threads:
            thread.join()
        self._pipe.close()
        scratch.remove_folder(self._folder)

    def _post(self) -> None:
        while (message := self._messages.get()) is not None:
            future, call = message
            try:
                content = ForkingPickler.dumps(call)
            except Exception as error:
                future.set_exception(error)
                continue
            with self._lock:
                self._waiting.append(future)
                is_gone = self._is_gone
            if is_gone:
                self._give_up()
                continue
            try:
                self._pipe.send_bytes(content)
            except OSError:
                self._give_up()

    def _receive(self) -> None:
        while True:
            try:
                is_fine, found = self._pipe.recv()
            except Exception:  # it was killed, perhaps in the middle of an answer
                self._give_up()
                return
            with self._lock:
                if not self._waiting:
                    return
                future = self._waiting.popleft()
            if is_fine:
                future.set_result(found)
            else:
                future.set_exception(found)

    def _give_up(self) -> None:
        with self._lock:
            self._is_gone = True
            left = list(self._waiting)
            self._waiting.clear()
        for future in left:
            future.set_exception(_Gone())


def _warning_flags() -> list[str]:
    return [f"-W{option}" for option in sys.warnoptions]


def serve(number: int) -> None:
    """In the second interpreter: do what comes through a pipe, and end with the first one.

    The collector rests, as it does in the flow.
    """
    gc.disable()
    Thread(target=_end_with_first, daemon=True).start()
    pipe = Connection(number)
    while True:
        try:
            function, args = pipe.recv()
        except (EOFError, OSError):
            os._exit(1)
        except Exception:  # it cannot be done here, e.g. a function of a program typed in
            pipe.send((False, _Gone()))
            continue
        try:
            answer = ForkingPickler.dumps((True, function(*args)))
        except Exception as error:
            error.add_note(traceback.format_exc())
            answer = _fault(error)
        del function, args
        pipe.send_bytes(answer)


def _fault(error: Exception) -> Any:
    try:
        return ForkingPickler.dumps((False, error))
    except Exception:
        return ForkingPickler.dumps((False, RuntimeError(traceback.format_exc())))


def _end_with_first() -> None:
    os.read(0, 1)
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
