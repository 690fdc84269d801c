"""A command that runs in a session of its own, as a program or as a copy of this process."""

import os
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Running:
    """A process that was started here."""

    def __init__(self, pid: int, faults: IO[bytes]) -> None:
        self.pid = pid
        self._faults = faults
        self._code: int | None = None
        self._told = ""

    def wait(self, most_s: float) -> int | None:
        """Return the exit code, -n if signal n killed it; None if it still runs after some time."""
        until = time.monotonic() + most_s
        while self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
                with self._faults:
                    self._faults.seek(0)
                    self._told = self._faults.read().decode(errors="replace")
            elif (left := until - time.monotonic()) > 0:
                time.sleep(min(left, 0.01))
            else:
                break
        return self._code

    def send(self, number: signal.Signals, *, to_all: bool) -> None:
        """Send a signal to it, or to its whole session, as a terminal does."""
        (os.killpg if to_all else os.kill)(self.pid, number)

    def told(self) -> str:
        """Return what it said of faults, once it has ended."""
        return self._told


def started(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Running:
    """Start a program."""
    faults = TemporaryFile()  # noqa: SIM115
    process = subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=faults,
        start_new_session=True,
    )  # fmt: skip
    process.returncode = 0  # waited for here
    return Running(process.pid, faults)


def in_copy(command: Callable[[], object], folder: Path, words: Sequence[str]) -> Running:
    """Start a function in a copy of this process, which must have one thread only.

    Signals wait until the function lets them in.
    """
    faults = TemporaryFile()  # noqa: SIM115
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.chdir(folder)
            nothing = os.open(os.devnull, os.O_WRONLY)
            for number, stream in ((1, nothing), (2, faults.fileno())):
                os.dup2(stream, number)
            sys.stdout, sys.stderr = (open(n, "w", closefd=False) for n in (1, 2))  # noqa: SIM115
            sys.argv = ["pipeline", *words]
            warnings.simplefilter("ignore")  # which tests take for faults
            command()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    while not _leads_session(pid):
        time.sleep(0.001)
    return Running(pid, faults)


def _leads_session(pid: int) -> bool:
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return True


def in_session(session: int) -> list[str]:
    """Return the processes of a session that are alive."""
    told = subprocess.run(
        ["ps", "-o", "stat=,pid=,args=", "-s", str(session)], capture_output=True, text=True
    ).stdout
    return [line for line in told.splitlines() if not line.startswith("Z")]
