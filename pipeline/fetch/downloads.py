"""Large files: whole ones that go on where they broke off, and single ranges of remote ones."""

import json
from collections.abc import Callable
from pathlib import Path

import requests

from pipeline.fetch.client import Client, Fault, http_date, refuse_bad_status
from pipeline.store.files import os_problem
from pipeline.store.places import PARTIAL

HEADER_BYTES = 1 << 16
"""What is read first of a remote raster: where its blocks lie stands there."""


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
                # a half-file of another state must be gone before the new mark stands there
                partial.unlink(missing_ok=True)
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


class RemoteParts:
    """A remote file of which single parts are brought into a sparse local file, in their places.

    Raises
    ------
    Problem
        If it cannot be had or its server cannot send parts.
    NotThere
        If the server does not have it.
    """

    def __init__(self, client: Client, what: str, url: str, local: Path) -> None:
        self._client, self._what, self._url, self._local = client, what, url, local
        self._mark = ""
        self._have: list[tuple[int, int]] = []
        self.length = 0
        self.date = ""
        local.write_bytes(b"")
        self.bring(0, HEADER_BYTES)

    def bring(self, begin: int, end: int) -> None:
        """Bring the bytes from ``begin`` up to ``end`` unless they are here."""
        if self.length:
            end = min(end, self.length)
        if begin >= end or any(a <= begin and end <= b for a, b in self._have):
            return
        content = self._client.tried(self._what, self._url, lambda: self._part(begin, end))
        with self._local.open("r+b") as file:
            file.truncate(self.length)
            file.seek(begin)
            file.write(content)
        self._have.append((begin, end))

    def _part(self, begin: int, end: int) -> bytes:
        headers = {"Accept-Encoding": "identity", "Range": f"bytes={begin}-{end - 1}"}
        with self._client.ask(self._url, headers=headers) as answer:
            refuse_bad_status(answer)
            if answer.status_code != 206 or _range_begin(answer) != begin:
                raise Fault(
                    "it answers with something else than the part asked for (if it cannot send parts "
                    "of files, set reading: whole in config/fetch.yaml)"
                )
            mark, total = _strong_mark(answer), _total(answer)
            if self.length and (mark, total) != (self._mark, self.length):
                raise Fault("the file changed while it was read", is_passing=False)
            content = b"".join(self._client.pieces(answer))
            if len(content) != min(end, total) - begin:
                raise Fault(f"the answer breaks off after {len(content):,} bytes")
            self._mark, self.length = mark, total
            self.date = http_date(answer.headers.get("Last-Modified"))
            return content


def _total(answer: requests.Response) -> int:
    try:
        return int(answer.headers.get("Content-Range", "").rsplit("/", 1)[1])
    except (IndexError, ValueError):
        raise Fault(
            "it does not say how long the file is; set reading: whole in config/fetch.yaml",
            is_passing=False,
        ) from None
