"""Ending early: one line, no child, no half-written file, and 128 + the signal's number.

A thread waits for the signals, since the main course may be in a library for seconds. Ending is done by
it alone: nothing else is unwound, so no other thread can write in the meantime.
"""

import io
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from threading import RLock, Thread
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import subprocess

naming = RLock()
"""Held while files get their names, and while files and children are told here: a stop takes it."""
half_written: set[str] = set()
"""Files under partial names, and folders for a moment's use, that a stop removes."""
children: set[Any] = set()
"""Processes, as ``subprocess.Popen`` gives them, that a stop ends first."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WAIT_S = 10.0
_once = RLock()


def install() -> None:
    """From now on, end as described on interrupt, termination, hang-up and a reader that left.

    A signal that was ignored when this process began (``nohup``) stays ignored.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for one in _ENDING:
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, lambda *_: None)
    Thread(target=_wait, args=(reader,), daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    if sys.stdout is not None and hasattr(sys.stdout, "fileno"):
        sys.stdout = _output(sys.stdout)


class _Output(io.FileIO):
    """Standard output: when nobody reads it any more, the process ends."""

    def write(self, content: Any, /) -> int:
        try:
            return super().write(content) or 0
        except BrokenPipeError:
            stop(signal.SIGPIPE)


def _output(stream: Any) -> io.TextIOWrapper:
    """Return the same stream, ending with its reader; a sign that it cannot show becomes ``?``."""
    raw = io.BufferedWriter(_Output(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(
        raw, encoding=stream.encoding, errors="replace", line_buffering=stream.line_buffering
    )


def use_utf8() -> None:
    """Start this program anew if the locale spells file names in anything but UTF-8.

    Names of outputs hold Chinese; they must be the same whoever runs the command.
    """
    if sys.getfilesystemencoding().lower() in ("utf-8", "utf8") or sys.flags.utf8_mode:
        return
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    os.environ.setdefault("PYTHONIOENCODING", f"{encoding}:replace")
    os.environ["PYTHONUTF8"] = "1"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def stop(number: int) -> NoReturn:
    """End this process and its children at once; never returns."""
    with _once:
        _say(number)
        naming.acquire(timeout=_WAIT_S)
        _end_children()
        code = 128 + number
        # SQLite writes a journal beside a file
        names = [name + more for name in set(half_written) for more in ("", "-journal", "-wal")]
        if names:  # also what a thread is about to make
            _remove_and_exit(sorted(names), code)
        os._exit(code)


def start(words: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
    """Start a process that does not hear what a terminal sends to all: a stop of this one ends it."""
    import subprocess

    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP))
    try:
        with naming:  # a stop waits until it knows of this child
            process = subprocess.Popen(words, **options)
            children.add(process)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def leave(code: object) -> NoReturn:
    """End a process whose work is done, without taking its objects apart: that takes long."""
    number = code if isinstance(code, int) else int(code is not None)
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            stop(signal.SIGPIPE)
        except (OSError, ValueError):
            number = number or 1
    _end_children()
    os._exit(number)


def _wait(reader: int) -> None:
    while True:
        for number in os.read(reader, 1):
            if number in _ENDING:
                stop(number)


def _say(number: int) -> None:
    if number == signal.SIGPIPE:
        why = "nobody reads its output any more"
    else:
        why = f"by {signal.Signals(number).name}"
    try:
        if os.isatty(1):  # a live line hides the cursor
            os.write(1, b"\r\x1b[2K\x1b[?25h")
        os.write(2, f"shancheng: stopped, {why}; what was finished is kept\n".encode())
    except OSError:
        pass


def _end_children() -> None:
    """Kill every process that this one started, and wait until they are gone."""
    left: list[Any] = list(children)
    if "multiprocessing.process" in sys.modules:
        from multiprocessing import active_children

        left += active_children()
    for child in left:
        child.kill()
    for child in left:
        if hasattr(child, "wait"):
            child.wait(_WAIT_S)
        else:
            child.join(_WAIT_S)


def _remove_and_exit(paths: Iterable[str], code: int) -> None:
    """Become a program that removes the paths: this ends the threads that could write them anew."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    program = f'rm -rf -- "$@"; exit {code}'
    try:
        os.execv("/bin/sh", ["sh", "-c", program, "sh", *paths])
    except OSError:
        os._exit(code)
