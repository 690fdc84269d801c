"""Bytes made few: pieces of a deflate stream by the better of two ways; and then made text."""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LETTERS = "".join(chr(code) for code in range(1, 128) if chr(code) not in "\r<&{")
"""All of one byte that mean nothing inside a script element or a jinja template."""
BYTES_A_GROUP, LETTERS_A_GROUP = 6, 7
CLEARLY_LESS, FAR_LESS = 0.9, 0.75
"""Below these shares of the estimate of the other way a way is taken untried, and taken."""
USUAL_EFFORT, LESS_EFFORT = 6, 4
"""Levels of zlib: less takes half the time for 2 % more bytes."""
REPEATS, LETTERS_ONLY = zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY


def byte_planes(values: NDArray[np.uint32]) -> list[bytes]:
    """Return as many planes of bytes as the largest value needs, lowest bytes first."""
    largest = int(values.max()) if len(values) else 0
    count = max(1, (largest.bit_length() + 7) // 8)
    as_bytes = values.astype("<u4").view(np.uint8).reshape(-1, 4)
    return [as_bytes[:, plane].tobytes() for plane in range(count)]


@dataclass(frozen=True)
class Estimate:
    """About how many bytes a text takes: with a search for repeats, and letter by letter."""

    by_repeats: float
    by_letters: float

    @property
    def least(self) -> float:
        """Bytes that the better way takes."""
        return min(self.by_repeats, self.by_letters)


def estimated(data: bytes, by_letters: float) -> Estimate:
    """Return about how long ``squeezed`` would be, at a quarter of its cost: to choose between ways."""
    engine = zlib.compressobj(1, zlib.DEFLATED, -15, 9)
    return Estimate(len(engine.compress(data)) + len(engine.flush()), by_letters)


def letter_bytes(data: bytes) -> float:
    """Return how many bytes a text takes by how often each letter stands in it (Shannon 1948)."""
    counts = np.bincount(np.frombuffer(data, dtype=np.uint8))
    counts = counts[counts > 0]
    return float((counts * np.log2(len(data) / counts)).sum() / 8) if len(data) else 0.0


def squeezed(
    data: bytes, likely: Estimate | None = None, effort: int = USUAL_EFFORT
) -> tuple[bytes, int]:
    """Return a piece of a deflate stream (RFC 1951) that ends at a byte and looks at no other.

    Also returns whether ``REPEATS`` or ``LETTERS_ONLY`` gave it. Where an estimate tells one to be
    far better, the other is not tried.
    """
    if likely is not None:
        # a code for single letters has none below one bit
        if likely.by_repeats < CLEARLY_LESS * max(likely.by_letters, len(data) / 8):
            return deflated(data, REPEATS, effort), REPEATS
        by_letters = deflated(data, LETTERS_ONLY, effort)
        if len(by_letters) < FAR_LESS * likely.by_repeats:
            return by_letters, LETTERS_ONLY
    else:
        by_letters = deflated(data, LETTERS_ONLY, effort)
    by_repeats = deflated(data, REPEATS, effort)
    if len(by_repeats) <= len(by_letters):
        return by_repeats, REPEATS
    return by_letters, LETTERS_ONLY


def deflated(data: bytes, strategy: int, effort: int) -> bytes:
    """Return what ``squeezed`` does, with a given strategy of zlib."""
    engine = zlib.compressobj(effort, zlib.DEFLATED, -15, 9, strategy)
    return engine.compress(data) + engine.flush(zlib.Z_SYNC_FLUSH)


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
