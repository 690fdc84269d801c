"""Columns of whole numbers and texts as few bytes, for the page to unpack.

A pack is one gzip of: the length of the head (four bytes, little end first), the head (JSON in
UTF-8), then the columns one after the other. A column of numbers is zigzag coded, as it stands or
as differences, whichever is smaller, and laid out in byte planes: all lowest bytes, then all second
ones, and so on. A column of texts is its lines joined by line feeds.

Every plane is squeezed by itself, with or without a search for repeats, whichever is smaller: in
noise that search only costs. In the page the bytes stand as text, six in seven letters.
"""

import json
import os
import re
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

WHOLE_LIMIT = 2**31
MAX_LISTED = 512
LISTED_COST = 3
"""Bytes that a number in the list takes in the squeezed head, about."""
OWN_NUMBER = "\x01"
"""Stands for an id without its first letter."""
DIGITS_MARK = "\x02"
"""Stands, with one more letter for their count, for up to nine digits of a code."""
LETTERS = "".join(chr(code) for code in range(1, 128) if chr(code) not in "\r<&{")
"""All of one byte that mean nothing inside a script element or a jinja template."""
BYTES_A_GROUP, LETTERS_A_GROUP = 6, 7
Whole = NDArray[np.int64]
_DIGITS = re.compile("([0-9]{1,9})")
_GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
_CONTROLS = {code: " " for code in (*range(32), 127, 0x2028, 0x2029)}


def zigzag(values: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return 0, −1, 1, −2, 2 … as 0, 1, 2, 3, 4 …, so that small numbers stay small."""
    return ((values << 1) ^ (values >> 63)).astype(np.uint32)


def byte_planes(values: NDArray[np.uint32]) -> list[bytes]:
    """Return as many planes of bytes as the largest value needs, lowest bytes first."""
    largest = int(values.max()) if len(values) else 0
    count = max(1, (largest.bit_length() + 7) // 8)
    as_bytes = values.astype("<u4").view(np.uint8).reshape(-1, 4)
    return [as_bytes[:, plane].tobytes() for plane in range(count)]


def squeezed(data: bytes) -> bytes:
    """Return a piece of a deflate stream (RFC 1951) that ends at a byte and looks at no other."""
    found = []
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY):
        engine = zlib.compressobj(6, zlib.DEFLATED, -15, 9, strategy)
        found.append(engine.compress(data) + engine.flush(zlib.Z_SYNC_FLUSH))
    return min(found, key=len)


def rough_size(data: bytes) -> float:
    """Return about how long ``squeezed`` would be, at a quarter of its cost: to choose between ways."""
    engine = zlib.compressobj(1, zlib.DEFLATED, -15, 9)
    counts = np.bincount(np.frombuffer(data, dtype=np.uint8))
    counts = counts[counts > 0]
    by_letter = float((counts * np.log2(len(data) / counts)).sum() / 8) if len(data) else 0.0
    return min(len(engine.compress(data)) + len(engine.flush()), by_letter)


def as_letters(data: bytes) -> str:
    """Return bytes as text: six as a number, high byte first, in seven ``LETTERS``, high place first.

    The last group is filled with zero bytes.
    """
    raw = np.frombuffer(data + bytes(-len(data) % BYTES_A_GROUP), dtype=np.uint8)
    whole = np.zeros(len(raw) // BYTES_A_GROUP, dtype=np.uint64)
    for column in raw.reshape(-1, BYTES_A_GROUP).T:
        whole = (whole << np.uint64(8)) | column
    places = np.empty((len(whole), LETTERS_A_GROUP), dtype=np.uint8)
    for place in reversed(range(LETTERS_A_GROUP)):
        whole, places[:, place] = np.divmod(whole, np.uint64(len(LETTERS)))
    return np.frombuffer(LETTERS.encode(), dtype=np.uint8)[places].tobytes().decode("ascii")


def _pattern(pieces: list[str]) -> Iterable[str]:
    """Return what stands between runs of digits, with a mark for each run."""
    for place, piece in enumerate(pieces):
        yield f"{DIGITS_MARK}{len(piece)}" if place % 2 else piece


def one_line(text: str) -> str:
    """Return a text without line breaks, control marks or half characters."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")


@dataclass
class Pack:
    """Collects the columns of a page."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(os.cpu_count()))
    """Compression leaves the interpreter free, so that planes are squeezed side by side."""

    def numbers(self, name: str, values: ArrayLike, *, quantum: int = 1) -> None:
        """Add a column of whole numbers within ±2³⁰, to the nearest multiple of ``quantum``.

        Few different numbers are listed in the head, and the column tells their places.
        """
        whole = np.asarray(values, dtype=np.int64)
        if quantum != 1:
            whole = (whole + quantum // 2) // quantum
        if len(whole) and np.abs(whole).max() >= WHOLE_LIMIT // 2:
            raise ValueError(f"{name} holds numbers beyond ±2³⁰")
        ways: list[tuple[dict[str, Any], list[bytes]]] = [
            ({"delta": is_delta, "quantum": quantum}, byte_planes(zigzag(values)))
            for is_delta, values in ((False, whole), (True, np.diff(whole, prepend=0)))
        ]
        listed = np.unique(whole) if len(ways[0][1]) > 1 else whole[:0]
        if 0 < len(listed) <= MAX_LISTED:
            values = (listed * quantum).tolist()
            places = np.searchsorted(listed, whole)
            for is_delta, told in ((False, places), (True, np.diff(places, prepend=0))):
                ways.append(({"delta": is_delta, "values": values}, byte_planes(zigzag(told))))
        sizes = iter(
            self.threads.map(rough_size, [plane for _, planes in ways for plane in planes])
        )
        costs = [
            sum(next(sizes) for _ in planes) + LISTED_COST * len(entry.get("values", ()))
            for entry, planes in ways
        ]
        entry, planes = ways[costs.index(min(costs))]
        joined = b"".join(self.threads.map(squeezed, planes))
        count = len(planes) if len(whole) else 0
        head = {"count": len(whole), "planes": count, **entry}
        self._append(name, b"".join(planes), head, joined)

    def measures(
        self, name: str, values: ArrayLike, *, decimals: int, expected: Whole | None = None
    ) -> None:
        """Add a column of real numbers, rounded; empty where NaN.

        The page reads ``(stored − 1 + low) / 10^decimals``, and 0 as empty. With ``expected``, whole
        numbers that the page can calculate itself, stored − 1 is the zigzag code of how far the
        value lies from them.
        """
        real = np.asarray(values, dtype=np.float64)
        known = ~np.isnan(real)
        scaled = np.floor(np.where(known, real, 0) * 10**decimals + 0.5).astype(np.int64)
        if expected is not None:
            off = zigzag(scaled - expected).astype(np.int64)
            self.numbers(name, np.where(known, off + 1, 0))
            self.entries[-1] |= {"decimals": decimals, "expected": True}
            return
        low = int(scaled[known].min()) if known.any() else 0
        self.numbers(name, np.where(known, scaled - low + 1, 0))
        self.entries[-1] |= {"low": low, "decimals": decimals}

    def texts(self, name: str, values: Iterable[str]) -> None:
        """Add a column of texts, one line each."""
        lines = [one_line(value) for value in values]
        self._append(name, "\n".join(lines).encode("utf-8"), {"lines": len(lines)})

    def whole_text(self, name: str, text: str) -> None:
        """Add one text as it stands, line breaks and all."""
        self._append(name, text.encode("utf-8"), {"lines": 0})

    def codes(self, name: str, values: Iterable[str], ids: Iterable[str] | None = None) -> None:
        """Add a column of texts that differ by their numbers, such as ``500103-0017-002``.

        Digits are taken out, nine at most together, into the columns ``name.0``, ``name.1`` …; what
        is left is a category with ``DIGITS_MARK`` and their count in each place. Where ``ids`` are
        given, rows stand in the order of these, and ``OWN_NUMBER`` for an id without its first
        letter.
        """
        lines = [one_line(value) for value in values]
        if ids is not None:
            pairs = sorted(zip(ids, lines, strict=True))
            lines = [
                line.replace(key[1:], OWN_NUMBER, 1) if key[1:] else line for key, line in pairs
            ]
        split = [_DIGITS.split(line) for line in lines]
        runs = [pieces[1::2] for pieces in split]
        patterns = ["".join(_pattern(pieces)) for pieces in split]
        places, words = pd.factorize(np.array(patterns, dtype=object), sort=True)
        self._append(f"{name}.words", "\n".join(words).encode("utf-8"), {"lines": len(words)})
        self.numbers(name, places + 1)
        most = max((len(run) for run in runs), default=0)
        for place in range(most):
            numbers = [int(run[place]) if place < len(run) else 0 for run in runs]
            self.numbers(f"{name}.{place}", numbers)
        self.entries[-1 - most] |= {"runs": most}

    def categories(self, name: str, values: "pd.Series[Any]") -> list[str]:
        """Add a column of texts that repeat: the sorted list of words, and each row's place in it.

        0 stands for an empty value, 1 for the first word. Returns the words.
        """
        codes, words = pd.factorize(values.astype("str").where(values.notna()), sort=True)
        self.texts(f"{name}.words", list(words))
        self.numbers(name, codes + 1)
        return list(words)

    def extend(self, other: "Pack") -> None:
        """Add the columns of another pack after these."""
        self.entries += other.entries
        self.parts += other.parts
        self.pieces += other.pieces

    def to_bytes(self, page: dict[str, Any]) -> bytes:
        """Return the pack with what else the page must know; same content, same bytes."""
        head = {"columns": self.entries, "page": page}
        text = json.dumps(head, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        data = text.encode("utf-8", "replace")
        head_bytes = len(data).to_bytes(4, "little") + data
        check, length = zlib.crc32(head_bytes), len(head_bytes)
        for part in self.parts:
            check, length = zlib.crc32(part, check), length + len(part)
        end = zlib.compressobj(6, zlib.DEFLATED, -15).flush(zlib.Z_FINISH)
        tail = check.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little")
        return b"".join([_GZIP_HEAD, squeezed(head_bytes), *self.pieces, end, tail])

    def _append(
        self, name: str, data: bytes, entry: dict[str, Any], piece: bytes | None = None
    ) -> None:
        self.entries.append({"name": name, "bytes": len(data), **entry})
        self.parts.append(data)
        self.pieces.append(squeezed(data) if piece is None else piece)
