"""Columns of whole numbers and texts as few bytes, for the page to unpack.

A pack is one gzip of: the length of the head (four bytes, little end first), the head (JSON in
UTF-8), then the columns one after the other. A column of numbers is zigzag coded, as it stands or
as differences, whichever is smaller, and laid out in byte planes: all lowest bytes, then all second
ones, and so on. A column of texts is its lines joined by line feeds.
"""

import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

WHOLE_LIMIT = 2**31
OWN_NUMBER = "\x01"
"""Stands for an id without its first letter."""
_CONTROLS = {code: " " for code in (*range(32), 127, 0x2028, 0x2029)}


def zigzag(values: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return 0, −1, 1, −2, 2 … as 0, 1, 2, 3, 4 …, so that small numbers stay small."""
    return ((values << 1) ^ (values >> 63)).astype(np.uint32)


def byte_planes(values: NDArray[np.uint32]) -> bytes:
    """Return as many planes of bytes as the largest value needs, lowest bytes first."""
    largest = int(values.max()) if len(values) else 0
    count = max(1, (largest.bit_length() + 7) // 8)
    as_bytes = values.astype("<u4").view(np.uint8).reshape(-1, 4)
    return as_bytes[:, :count].T.tobytes()


def one_line(text: str) -> str:
    """Return a text without line breaks, control marks or half characters."""
    return text.translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")


@dataclass
class Pack:
    """Collects the columns of a page."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    def numbers(self, name: str, values: ArrayLike, *, quantum: int = 1) -> None:
        """Add a column of whole numbers within ±2³⁰, to the nearest multiple of ``quantum``."""
        whole = np.asarray(values, dtype=np.int64)
        if quantum != 1:
            whole = (whole + quantum // 2) // quantum
        if len(whole) and np.abs(whole).max() >= WHOLE_LIMIT // 2:
            raise ValueError(f"{name} holds numbers beyond ±2³⁰")
        plain = byte_planes(zigzag(whole))
        steps = byte_planes(zigzag(np.diff(whole, prepend=0)))
        is_delta = len(zlib.compress(steps, 6)) < len(zlib.compress(plain, 6))
        data = steps if is_delta else plain
        planes = len(data) // len(whole) if len(whole) else 0
        entry = {"count": len(whole), "planes": planes, "delta": is_delta, "quantum": quantum}
        self._append(name, data, entry)

    def measures(self, name: str, values: ArrayLike, *, decimals: int) -> None:
        """Add a column of real numbers, rounded; empty where NaN.

        The page reads ``(stored − 1 + low) / 10^decimals``, and 0 as empty.
        """
        real = np.asarray(values, dtype=np.float64)
        known = ~np.isnan(real)
        scaled = np.floor(np.where(known, real, 0) * 10**decimals + 0.5).astype(np.int64)
        low = int(scaled[known].min()) if known.any() else 0
        self.numbers(name, np.where(known, scaled - low + 1, 0))
        self.entries[-1] |= {"low": low, "decimals": decimals}

    def texts(self, name: str, values: Iterable[str]) -> None:
        """Add a column of texts, one line each."""
        lines = [one_line(value) for value in values]
        self._append(name, "\n".join(lines).encode("utf-8"), {"lines": len(lines)})

    def texts_beside(self, name: str, values: Iterable[str], ids: Iterable[str]) -> None:
        """Add texts that often repeat the number in the row's id: ``OWN_NUMBER`` stands for it."""
        pairs = ((one_line(value), key[1:]) for value, key in zip(values, ids, strict=True))
        lines = [text.replace(own, OWN_NUMBER, 1) if own else text for text, own in pairs]
        self._append(name, "\n".join(lines).encode("utf-8"), {"lines": len(lines)})

    def categories(self, name: str, values: "pd.Series[Any]") -> None:
        """Add a column of texts that repeat: the sorted list of words, and each row's place in it.

        0 stands for an empty value, 1 for the first word.
        """
        text = values.astype("str")
        known = values.notna().to_numpy()
        words = sorted(set(text[known]))
        place = {word: number + 1 for number, word in enumerate(words)}
        self.texts(f"{name}.words", words)
        self.numbers(name, np.where(known, text.map(place).fillna(0), 0))

    def to_bytes(self, page: dict[str, Any]) -> bytes:
        """Return the pack with what else the page must know; same content, same bytes."""
        head = {"columns": self.entries, "page": page}
        text = json.dumps(head, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        data = text.encode("utf-8", "replace")
        whole = len(data).to_bytes(4, "little") + data + b"".join(self.parts)
        return gzip.compress(whole, compresslevel=9, mtime=0)

    def _append(self, name: str, data: bytes, entry: dict[str, Any]) -> None:
        self.entries.append({"name": name, "bytes": len(data), **entry})
        self.parts.append(data)
