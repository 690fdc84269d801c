"""The reader process: what opens files of others, so that a crash there is a message here.

One for each interpreter, started by the first file that needs it. It ends when this process does,
whatever ends that: its input closes.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Lock, Timer
from typing import Any

from pipeline import stopping

_CPU_S, _CPU_S_PER_MB = 8.0, 1.0
_CLOCK_RATIO = 8.0
"""A busy machine gives a process an eighth of its time, seldom less."""
_MEMORY_BYTES, _MEMORY_PER_BYTE = 2_000_000_000, 12
_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "HOME",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
)
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
_NOWHERE = "http://127.0.0.1:9"
_CLOSED_OFF = {
    "GDAL_DRIVER_PATH": "disable", "OGR_DRIVER_PATH": "disable", "GDAL_CONFIG_FILE": "",
    "PROJ_NETWORK": "OFF", "GDAL_HTTP_PROXY": _NOWHERE, "GDAL_HTTPS_PROXY": _NOWHERE,
    "http_proxy": _NOWHERE, "https_proxy": _NOWHERE, "ALL_PROXY": _NOWHERE,
    "GDAL_HTTP_MAX_RETRY": "0", "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "none", "GML_DOWNLOAD_SCHEMA": "NO",
    "GML_SKIP_RESOLVE_ELEMS": "ALL", "LIBKML_RESOLVE_STYLE": "NO", "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "GML_FIELDTYPES": "ALWAYS_STRING",
}  # fmt: skip


class Unreadable(Exception):
    """A file that the reader process could not read, told in words."""


class Stopped(Unreadable):
    """The reader process was ended by a limit or from outside: the file itself may be whole."""


class _ReaderProcess:
    def __init__(self) -> None:
        self.owner = os.getpid()
        told = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        packages = str(Path(__file__).resolve().parents[2])
        far_end, near_end = os.pipe()
        self._held_open = os.fdopen(near_end, "wb", buffering=0)
        """Closed with this process, which ends the other one."""
        serve = f"from pipeline.store.gdal_reader import serve; serve({far_end})"
        with os.fdopen(far_end, "rb"):
            self._process = stopping.start(
                [sys.executable, "-P", "-c", serve], pass_fds=(far_end,),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env={**told, **_CLOSED_OFF, "PYTHONPATH": packages, "PYTHONUTF8": "1"},
            )  # fmt: skip

    def ask(self, request: dict[str, Any], clock_s: float) -> tuple[dict[str, Any], Any]:
        """Return the answer and its table; EOFError if the process ended."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        timer = Timer(clock_s, process.kill)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                raise EOFError
            answer = json.loads(line)
            table = None
            if answer.pop("has_table", False):
                import pyarrow as pa

                try:
                    with pa.ipc.open_stream(process.stdout) as stream:
                        table = stream.read_all()
                except (pa.ArrowException, OSError):
                    if process.poll() is None:
                        raise
                    raise EOFError from None
            return answer, table
        except (BrokenPipeError, ValueError):
            raise EOFError from None
        finally:
            timer.cancel()

    def end(self) -> int:
        """End the process and return its exit code; it is not ours in a copy of this one."""
        process = self._process
        if self.owner != os.getpid():
            return 0
        stopping.children.discard(process)
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            return process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
        finally:
            self._held_open.close()


_lock = Lock()
_reader: list[_ReaderProcess] = []


def in_reader(
    work: str, driver: str, size_bytes: int, **request: Any
) -> tuple[dict[str, Any], Any]:
    """Let the reader process do some work (see ``gdal_reader``); return its answer and table.

    Parameters
    ----------
    size_bytes
        Of the file with all its parts: a large one may take more time and memory.

    Raises
    ------
    Unreadable
        If the file cannot be read, or the reader crashed.
    Stopped
        If it took more than a file of this size can need, or something ended the reader.
    UnicodeDecodeError, LookupError
        If its text is in another encoding.
    """
    cpu_s = _CPU_S + _CPU_S_PER_MB * size_bytes / 1e6
    memory_bytes = min(_MEMORY_BYTES + _MEMORY_PER_BYTE * size_bytes, _most_memory_bytes())
    whole = {
        "work": work, "driver": driver, "cpu_s": cpu_s, "memory_bytes": memory_bytes, **request,
    }  # fmt: skip
    with _lock:
        if _reader and _reader[0].owner != os.getpid():
            _reader.clear()
        if not _reader:
            _reader.append(_ReaderProcess())
        try:
            answer, table = _reader[0].ask(whole, cpu_s * _CLOCK_RATIO)
        except EOFError:
            code = _reader.pop().end()
            raise _ending(-code, cpu_s) from None
        except BaseException:  # interrupted: what is still to come is no answer to the next request
            close_reader()
            raise
    fault = answer.get("fault")
    if fault == "memory":
        _fresh()
        raise Stopped(f"reading it would take more than {memory_bytes / 1e9:.0f} GB of memory")
    if fault == "UnicodeDecodeError":
        raise UnicodeError(answer["told"])
    if fault == "LookupError":
        raise LookupError(answer["told"])
    if fault is not None:
        _fresh()  # a reader that read past an end may have written there too
        raise Unreadable(answer["told"])
    return answer, table


def _most_memory_bytes() -> int:
    """Return three quarters of the machine's memory: a file may claim any size (a sparse one)."""
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return max(_MEMORY_BYTES, pages * page_bytes * 3 // 4)


def close_reader() -> None:
    """End the reader process of this interpreter, if there is one."""
    if _reader:
        _reader.pop().end()


def _fresh() -> None:
    with _lock:
        close_reader()


def _ending(signal_number: int, cpu_s: float) -> Unreadable:
    if signal_number in _CRASHES:
        return Unreadable(
            f"it is damaged in a way that crashes the reader (signal {signal_number})"
        )
    if signal_number in (signal.SIGXCPU, signal.SIGKILL):
        return Stopped(
            f"reading it did not end within {cpu_s:.0f} s of work, or was stopped by the system"
        )
    if signal_number == signal.SIGABRT:  # what libraries do that get no memory
        return Stopped("it ended the reader, for want of memory or because it is damaged")
    return Stopped(f"the process that reads it ended ({signal_number})")


atexit.register(close_reader)
