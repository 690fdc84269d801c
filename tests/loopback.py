"""A server on this machine that replays Yuzhong's real replies, and fails on demand.

It stands for Nominatim (/nominatim), Overpass (/overpass) and a bucket of files (/files) that knows
ranges and entity tags. ``fail`` puts faults before the next answers of a route.
"""

import hashlib
import json
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ruamel.yaml import YAML

DAY = "Mon, 27 Apr 2026 08:00:00 GMT"
HTML = b"<!DOCTYPE html><html><body>The server is too busy to handle your request.</body></html>"
# The words in a query that tell which of the replies it wants
_LAYERS = {
    "buildings": 'way["building"]', "walk": 'node["highway"="elevator"]', "pois": '"tourism"',
    "rail": "subway_entrance", "drive": "living_street",
}  # fmt: skip


class Loopback:
    """The server's state: what it serves, what it was asked, how it will fail."""

    def __init__(self, replies: Path, files: dict[str, bytes]) -> None:
        self.replies = replies
        self.files = files
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.queries: dict[str, str] = {}
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.override: dict[str, bytes] = {}
        self.stop = threading.Event()
        self.url = ""

    def shorten(self) -> None:
        """Serve the first elements of each reply only: enough for tests of manners."""
        for route in _LAYERS:
            reply = json.loads(self.content(route) or b"")
            reply["elements"] = reply["elements"][:40]
            self.override[route] = json.dumps(reply).encode()

    def fail(self, route: str, *faults: str) -> None:
        """Answer the next requests of a route with faults, one each; "…" repeats the last."""
        self.faults[route] = list(faults)

    def count(self, route: str) -> int:
        """Return how often a route was asked."""
        return sum(name == route for name, _ in self.asked)

    def content(self, route: str) -> bytes | None:
        """Return what a route serves."""
        if route in self.override:
            return self.override[route]
        if route in ("search", "lookup"):
            return (self.replies / "nominatim" / "yuzhong.json").read_bytes()
        if route in _LAYERS:
            return (self.replies / "overpass" / f"{route}.json").read_bytes()
        return self.files.get(route)

    def configure(self, root: Path, **http: object) -> None:
        """Point a project's config/fetch.yaml at this server, with short waits."""
        path = root / "config" / "fetch.yaml"
        yaml = YAML()
        settings = yaml.load(path.read_text(encoding="utf-8"))
        quick = {
            "connect_timeout_s": 2.0, "read_timeout_s": 2.0, "first_wait_s": 0.01, "max_wait_s": 5.0,
            "pause_s": 0.0, "try_count": 3,
        }  # fmt: skip
        settings["http"].update(quick | http)
        settings["boundary"]["url"] = f"{self.url}/nominatim"
        settings["osm"]["url"] = f"{self.url}/overpass"
        whole = {"url": f"{self.url}/files/srtm_utm48n_30m.tif", "reading": "whole"}
        settings["elevation"].update(whole)
        with path.open("w", encoding="utf-8") as file:
            yaml.dump(settings, file)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, address: object) -> None:
        """Clients that break off are part of the game."""


@contextmanager
def serving(replies: Path, files: dict[str, bytes] | None = None) -> Iterator[Loopback]:
    """Serve on 127.0.0.1 while the context lasts."""
    dem = (replies / "dem" / "srtm_utm48n_30m.tif").read_bytes()
    state = Loopback(replies, {"srtm_utm48n_30m.tif": dem, **(files or {})})
    server = _Quiet(("127.0.0.1", 0), _handler(state))
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield state
    finally:
        state.stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(state: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *words: object) -> None:
            """Keep the terminal still."""

        def date_time_string(self, timestamp: float | None = None) -> str:
            return DAY

        def do_GET(self) -> None:
            self.answer(urlsplit(self.path).path.rsplit("/", 1)[-1])

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            query = parse_qs(body)["data"][0]
            route = next((name for name, words in _LAYERS.items() if words in query), "?")
            state.queries[route] = query
            self.answer(route)

        def answer(self, route: str) -> None:
            state.asked.append((route, dict(self.headers.items())))
            waiting = state.faults[route]
            fault = waiting[0] if waiting else ""
            if waiting and not (len(waiting) == 2 and waiting[1] == "…"):
                waiting.pop(0)
            content = state.content(route)
            try:
                if content is None:
                    self.send(404, b"no such file")
                elif fault:
                    self.fail(fault, content)
                elif route in state.files:
                    self.send_file(content)
                else:
                    self.send(200, content)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def send_file(self, content: bytes, breaks_off: bool = False) -> None:
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            headers = {"ETag": tag, "Last-Modified": DAY, "Accept-Ranges": "bytes"}
            asked = self.headers.get("Range", "")
            begin, end, status = 0, len(content), 200
            if asked and self.headers.get("If-Range", tag) == tag:
                first, last = asked.removeprefix("bytes=").split("-")
                begin, end = int(first), min(int(last or len(content)) + 1, len(content))
                status = 206
                headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(content)}"
            part = content[begin:end]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(part[: len(part) // 2] if breaks_off else part)
            self.close_connection |= breaks_off

        def fail(self, fault: str, content: bytes) -> None:
            words = fault.split()
            if words[0].isdigit():
                headers = {"Retry-After": words[1]} if len(words) > 1 else {}
                self.send(int(words[0]), HTML, headers)
            elif fault == "truncated":
                self.send_file(content, breaks_off=True)
            elif fault == "cut JSON":
                self.send(200, content[: len(content) // 2])
            elif fault == "reset":
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.connection.close()
                self.close_connection = True
            elif fault == "garbage":
                self.send(200, hashlib.shake_128(b"garbage").digest(5000))
            elif fault == "html":
                self.send(200, HTML)
            elif fault == "empty":
                self.send(200, b"")
            elif fault == "no elements":
                self.send(200, _envelope([], ""))
            elif fault == "remark":
                remark = (
                    'runtime error: Query timed out in \\"query\\" at line 1 after 180 seconds.'
                )
                self.send(200, _envelope([], remark))
            elif fault == "drip":  # a byte now and then, for ever
                self.send_response(200)
                self.end_headers()
                while not state.stop.wait(0.05):
                    self.wfile.write(b" ")
            elif fault == "never":
                state.stop.wait(60)
                self.close_connection = True
            else:
                raise AssertionError(fault)

    return Handler


def _envelope(elements: list[object], remark: str) -> bytes:
    assert not elements
    tail = f', "remark": "{remark}"' if remark else ""
    stamp = '"osm3s": {"timestamp_osm_base": "2026-04-24T03:28:19Z"}'
    return f'{{"version": 0.6, {stamp}, "elements": []{tail}}}'.encode()
