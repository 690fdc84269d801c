"""Large files: whole ones that go on where they broke off, and single ranges of remote ones."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from pipeline.fetch.client import Client, Fault, Reply, http_date, refuse_bad_status
from pipeline.store.files import os_problem
from pipeline.store.places import PARTIAL

_BLOCK_BYTES = 1 << 16


def download(client: Client, what: str, url: str, path: Path, check: Callable[[Path], None]) -> str:
    """Bring a whole file to ``path`` and return its date; what broke off earlier goes on.

    Only a complete file that passes the check gets its name. A half-file is taken up again only if
    the server confirms that it still has the same one.

    Raises
    ------
    Problem
        After the last try, if the disk is full, or if the check refuses the file.
    NotThere
        If the server does not have it.
    """
    partial = path.with_name(path.stem + PARTIAL + path.suffix)
    note = partial.with_name(partial.name + ".json")

    def attempt() -> str:
        mark = _mark(note) if partial.is_file() else ""
        have = partial.stat().st_size if mark else 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": mark}
        with client.ask(url, headers=headers) as answer:
            if answer.status_code == 416:
                partial.unlink(missing_ok=True)
                raise Fault("the half-file no longer fits; it is fetched anew")
            refuse_bad_status(answer)
            goes_on = answer.status_code == 206 and _range_begin(answer) == have
            if answer.status_code == 206 and not goes_on:
                partial.unlink(missing_ok=True)
                raise Fault("it answers with another part than asked for")
            if not goes_on:
                note.write_text(json.dumps({"url": url, "mark": _strong_mark(answer)}))
            else:
                client.tell(f"  接着下载 going on after {have:,} bytes")
            with partial.open("ab" if goes_on else "wb") as file:
                for piece in client.pieces(answer):
                    file.write(piece)
            date = http_date(answer.headers.get("Last-Modified") or answer.headers.get("Date"))
        try:
            check(partial)
        except Fault:
            partial.unlink(missing_ok=True)
            raise
        return date

    def _mark(file: Path) -> str:
        try:
            known = json.loads(file.read_text())
        except (OSError, ValueError):
            return ""
        return str(known["mark"]) if known.get("url") == url else ""

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        date = client.tried(what, url, attempt)
        partial.replace(path)
        note.unlink(missing_ok=True)
    except OSError as error:
        raise os_problem(path, error) from None
    return date


def _strong_mark(answer: requests.Response) -> str:
    mark = str(answer.headers.get("ETag", ""))
    return "" if mark.startswith("W/") else mark or str(answer.headers.get("Last-Modified", ""))


def _range_begin(answer: requests.Response) -> int:
    try:
        return int(answer.headers.get("Content-Range", "").split()[1].split("-")[0])
    except (IndexError, ValueError):
        return -1


class RemoteFile(io.RawIOBase):
    """A remote file of which only the parts that are read travel; for reading windows of rasters.

    GDAL's C code calls it and cannot pass an exception on, so a failure is kept in ``failure`` and the
    read comes out empty.
    """

    def __init__(self, client: Client, what: str, url: str) -> None:
        super().__init__()
        self._client, self._what, self._url = client, what, url
        self._blocks: dict[int, bytes] = {}
        self._place = 0
        self._mark = ""
        self.length = 0
        self.date = ""
        self.failure: Exception | None = None
        self._load(0, 0)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that any place can be read."""
        return True

    def tell(self) -> int:
        """Return the place of the next read."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.length}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Return bytes from the current place."""
        end = self.length if size is None or size < 0 else min(self._place + size, self.length)
        if self.failure is not None or end <= self._place:
            return b""
        first, last = self._place // _BLOCK_BYTES, (end - 1) // _BLOCK_BYTES
        absent = [block for block in range(first, last + 1) if block not in self._blocks]
        try:
            if absent:
                self._load(absent[0], absent[-1])
        except Exception as error:  # whatever it is, it must not pass through GDAL
            self.failure = error
            return b""
        whole = b"".join(self._blocks[block] for block in range(first, last + 1))
        begin = self._place - first * _BLOCK_BYTES
        found = whole[begin : begin + end - self._place]
        self._place = end
        return found

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the current place."""
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def _load(self, first: int, last: int) -> None:
        begin, end = first * _BLOCK_BYTES, (last + 1) * _BLOCK_BYTES - 1

        def attempt() -> Reply:
            headers = {"Accept-Encoding": "identity", "Range": f"bytes={begin}-{end}"}
            with self._client.ask(self._url, headers=headers) as answer:
                refuse_bad_status(answer)
                if answer.status_code != 206 or _range_begin(answer) != begin:
                    raise Fault(
                        "it cannot send parts of a file; set reading: whole in config/fetch.yaml",
                        is_passing=False,
                    )
                mark = _strong_mark(answer)
                if self._mark and mark != self._mark:
                    raise Fault("the file changed while it was read", is_passing=False)
                total = _total(answer)
                content = b"".join(self._client.pieces(answer))
                if len(content) != min(end + 1, total) - begin:
                    raise Fault(f"the answer breaks off after {len(content):,} bytes")
                self._mark, self.length = mark, total
                self.date = http_date(answer.headers.get("Last-Modified"))
                return Reply(content, self.date)

        content = self._client.tried(self._what, self._url, attempt).content
        for block in range(first, last + 1):
            place = (block - first) * _BLOCK_BYTES
            self._blocks[block] = content[place : place + _BLOCK_BYTES]


def _total(answer: requests.Response) -> int:
    try:
        return int(answer.headers.get("Content-Range", "").rsplit("/", 1)[1])
    except (IndexError, ValueError):
        raise Fault(
            "it does not say how long the file is; set reading: whole in config/fetch.yaml",
            is_passing=False,
        ) from None
