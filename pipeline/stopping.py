"""Ending early: one line, no child, no half-written file, and 128 + the signal's number.

A thread waits for the signals, since the main course may be in a library for seconds. Ending is done by
it alone: nothing else is unwound, so no other thread can write in the meantime.
"""

import os
import signal
import sys
from collections.abc import Iterable
from threading import RLock, Thread

naming = RLock()
"""Held while finished files get their names: a stop waits until all of a batch have theirs."""
half_written: set[str] = set()
"""Files under partial names, and folders for a moment's use, that a stop removes."""
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


def stop(number: int) -> None:
    """End this process and its children at once; never returns."""
    with _once:
        _say(number)
        _end_children()
        naming.acquire(timeout=_WAIT_S)
        code = 128 + number
        # SQLite writes a journal beside a file
        names = [name + more for name in set(half_written) for more in ("", "-journal", "-wal")]
        left = sorted(name for name in names if os.path.lexists(name))
        if left:
            _remove_and_exit(left, code)
        os._exit(code)


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
    """Kill the other interpreters of this one and wait until they are gone."""
    if "multiprocessing.process" not in sys.modules:
        return
    from multiprocessing import active_children

    children = active_children()
    for child in children:
        child.kill()
    for child in children:
        child.join(_WAIT_S)


def _remove_and_exit(paths: Iterable[str], code: int) -> None:
    """Become a program that removes the paths: other threads could write them anew, an end ends them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    program = f'rm -rf -- "$@"; exit {code}'
    try:
        os.execv("/bin/sh", ["sh", "-c", program, "sh", *paths])
    except OSError:
        os._exit(code)
