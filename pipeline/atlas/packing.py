"""Columns of whole numbers and texts as few bytes, for the page to unpack.

A pack is one gzip of: the length of the head (four bytes, little end first), the head (JSON in
UTF-8), then the columns one after the other. A column of numbers is zigzag coded, as it stands or
as differences, whichever is smaller, and laid out in byte planes: all lowest bytes, then all second
ones, and so on. A column of texts is its lines joined by line feeds.

Every plane is squeezed by itself, with or without a search for repeats, whichever is smaller: in
noise that search only costs. In the page the bytes stand as text, six in seven letters.

Packs that share their ``ways`` write a column as the first of them found best.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pipeline.atlas.squeezing import (
    REPEATS,
    USUAL_EFFORT,
    Estimate,
    byte_planes,
    deflated,
    estimated,
    letter_bytes,
    squeezed,
)

WHOLE_LIMIT = 2**31
MAX_LISTED = 512
LOOKED_UP = 1 << 16
"""Numbers that spread no wider than their count and this are looked up, not searched."""
LISTED_COST = 3
"""Bytes that a number in the list takes in the squeezed head, about."""
OWN_NUMBER = "\x01"
"""Stands for an id without its first letter."""
MOST_DIGITS = 9
DIGITS_MARK = "\x02"
"""Stands, with one more letter for their count, for up to nine digits of a code."""
WORTH_A_LOOK = 1.15
"""A way that takes more than this many times the bytes of the best, letter by letter, is left."""
Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
Steps = NDArray[np.signedinteger[Any]]
_GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
_CONTROL_SIGNS = {chr(code) for code in (*range(32), 127, 0x2028, 0x2029)}
_CONTROLS = {code: " " for code in (*range(32), 127, 0x2028, 0x2029)}


def zigzag(values: NDArray[np.integer[Any]]) -> NDArray[np.uint32]:
    """Return 0, −1, 1, −2, 2 … as 0, 1, 2, 3, 4 …, so that small numbers stay small."""
    small = values.astype(np.int32, copy=False)
    return ((small << 1) ^ (small >> 31)).view(np.uint32)


def differences(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return how far each number lies from the one before it, the first from 0."""
    steps = values.copy()
    steps[1:] -= values[:-1]
    return steps


def listed_places(values: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the sorted different numbers and each row's place among them; empty if too many."""
    none = values[:0]
    low, high = int(values.min()), int(values.max())
    if high - low >= len(values) + LOOKED_UP:
        listed = np.unique(values[:LOOKED_UP])
        if len(listed) > MAX_LISTED:
            return none, none
        listed = np.unique(values)
        if len(listed) > MAX_LISTED:
            return none, none
        return listed, np.searchsorted(listed, values).astype(np.int32)
    from_low = values - np.int32(low)
    is_there = np.zeros(high - low + 1, dtype=bool)
    is_there[from_low] = True
    listed = np.flatnonzero(is_there).astype(np.int32)
    if len(listed) > MAX_LISTED:
        return none, none
    place = np.zeros(len(is_there), dtype=np.int32)
    place[listed] = np.arange(len(listed), dtype=np.int32)
    return listed + np.int32(low), place[from_low]


def steps_of(values: Floats, decimals: int) -> Steps:
    """Return real numbers as steps of the last decimal, the lowest number of its type where NaN."""
    known = ~np.isnan(values)
    scaled = np.floor(np.where(known, values, 0) * 10**decimals + 0.5).astype(np.int64)
    steps = small(scaled)
    steps[~known] = empty_step(steps)
    return steps


def empty_step(steps: "Steps | pd.Series[Any]") -> int:
    """Return what stands for an empty value in a column of steps."""
    return int(np.iinfo(steps.dtype).min)  # type: ignore[type-var, arg-type]


def known_steps(steps: "pd.Series[Any]") -> Whole:
    """Return steps with 0 where empty."""
    return np.where(steps != empty_step(steps), steps, 0).astype(np.int64)


def small(values: Whole) -> Steps:
    """Return whole numbers in the smallest type that has room for them, and for one lower yet."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    for kind in (np.int8, np.int16, np.int32):
        if low > np.iinfo(kind).min and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values.copy()


def split_codes(lines: list[str]) -> tuple[list[str], list[Whole]]:
    """Return what stands between runs of digits, a mark for each run, and the runs as numbers.

    A run has nine digits at most. There are as many columns of runs as the line with the most has;
    0 stands where a line has fewer.
    """
    letters = np.frombuffer("\n".join(lines).encode("utf-32-le"), dtype=np.uint32)
    is_digit = (letters >= ord("0")) & (letters <= ord("9"))
    at = np.arange(len(letters))
    begins = is_digit & ~np.concatenate([[False], is_digit[:-1]])[: len(letters)]
    place = at - np.maximum.accumulate(np.where(begins, at, 0))
    is_first = is_digit & (place % MOST_DIGITS == 0)
    first = np.flatnonzero(is_first)
    digits = np.flatnonzero(is_digit)
    run_of = np.cumsum(is_first)[digits] - 1
    size = np.bincount(run_of, minlength=len(first))
    power = size[run_of] - 1 - place[digits] % MOST_DIGITS
    worth = (letters[digits] - ord("0")).astype(np.int64) * 10**power
    number = np.zeros(len(first), dtype=np.int64)
    if len(first):
        number = np.add.reduceat(worth, np.flatnonzero(is_first[digits]))

    told = letters.copy()
    told[first] = ord(DIGITS_MARK)
    twice = np.repeat(told, np.where(is_first, 2, ~is_digit))
    mark = np.flatnonzero(np.repeat(is_first, np.where(is_first, 2, ~is_digit)))[1::2]
    twice[mark] = ord("0") + size
    patterns = twice.tobytes().decode("utf-32-le").split("\n") if lines else []

    line_of = np.cumsum(letters == ord("\n"))[first]
    count = np.bincount(line_of, minlength=len(lines))
    column = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    runs = np.zeros((int(count.max()) if len(count) else 0, len(lines)), dtype=np.int64)
    runs[column, line_of] = number
    return patterns, list(runs)


def one_line(text: str) -> str:
    """Return a text without line breaks, control marks or half characters."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")


def one_lines(texts: Iterable[str]) -> list[str]:
    """Return ``one_line`` of each text."""
    given = list(texts)
    joined = "".join(given)
    if joined.isprintable():
        return given
    signs = set(joined)
    is_plain = signs.isdisjoint(_CONTROL_SIGNS) and max(signs, default="") < "\ud800"
    return given if is_plain else [one_line(text) for text in given]


@dataclass(frozen=True)
class Way:
    """How a column is written."""

    strategies: tuple[int, ...]
    """What squeezes each plane."""
    is_delta: bool = False
    is_listed: bool = False


Written = tuple[dict[str, Any], list[bytes]]
"""What the head tells of a column of numbers, and its planes."""


@dataclass
class Pack:
    """Collects the columns of a page."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    ways: dict[str, Way] = field(default_factory=dict)
    """By column; those that stand here already are taken without a trial of others."""
    effort: int = USUAL_EFFORT

    def numbers(self, name: str, values: ArrayLike, *, quantum: int = 1) -> None:
        """Add a column of whole numbers within ±2³⁰, to the nearest multiple of ``quantum``.

        Few different numbers are listed in the head, and the column tells their places.
        """
        wide = np.asarray(values, dtype=np.int64)
        if quantum != 1:
            wide = (wide + quantum // 2) // quantum
        if len(wide) and max(-int(wide.min()), int(wide.max())) >= WHOLE_LIMIT // 2:
            raise ValueError(f"{name} holds numbers beyond ±2³⁰")
        whole = wide.astype(np.int32)
        way = self.ways.get(name)
        if way is None:
            entry, planes, way, pieces = _best(whole, quantum, self.effort)
            self.ways[name] = way
        else:
            entry, planes = _as_before(whole, quantum, way)
            strategies = way.strategies + (REPEATS,) * (len(planes) - len(way.strategies))
            pieces = [
                deflated(plane, how, self.effort)
                for plane, how in zip(planes, strategies, strict=False)
            ]
        head = {"count": len(whole), "planes": len(planes) if len(whole) else 0, **entry}
        self._append(name, b"".join(planes), head, b"".join(pieces))

    def measures(self, name: str, values: ArrayLike, *, decimals: int) -> None:
        """Add a column of real numbers, rounded; empty where NaN."""
        self.steps(
            name, steps_of(np.asarray(values, dtype=np.float64), decimals), decimals=decimals
        )

    def steps(
        self, name: str, steps: Steps, *, decimals: int, expected: Whole | None = None
    ) -> None:
        """Add a column of real numbers as ``steps_of`` returns them.

        The page reads ``(stored − 1 + low) / 10^decimals``, and 0 as empty. With ``expected``, whole
        numbers that the page can calculate itself, stored − 1 is the zigzag code of how far the
        value lies from them.
        """
        known = steps != empty_step(steps)
        told: dict[str, Any] = {"decimals": decimals}
        if expected is None:
            low = int(steps[known].min()) if known.any() else 0
            off = steps.astype(np.int64) - low
            told = {"low": low, **told}
        else:
            off = zigzag(np.where(known, steps, 0) - expected).astype(np.int64)
            told |= {"expected": True}
        self.numbers(name, np.where(known, off + 1, 0))
        self.entries[-1] |= told

    def texts(self, name: str, values: Iterable[str]) -> None:
        """Add a column of texts, one line each."""
        lines = one_lines(values)
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
        lines = one_lines(values)
        if ids is not None:
            pairs = sorted(zip(ids, lines, strict=True))
            lines = [
                line.replace(key[1:], OWN_NUMBER, 1) if key[1:] else line for key, line in pairs
            ]
        patterns, runs = split_codes(lines)
        places, words = pd.factorize(np.array(patterns, dtype=object), sort=True)
        self._append(f"{name}.words", "\n".join(words).encode("utf-8"), {"lines": len(words)})
        self.numbers(name, places + 1)
        self.entries[-1] |= {"runs": len(runs)}
        for place, numbers in enumerate(runs):
            self.numbers(f"{name}.{place}", numbers)

    def categories(self, name: str, values: "pd.Series[Any]") -> list[str]:
        """Add a column of texts that repeat: the sorted list of words, and each row's place in it.

        0 stands for an empty value, 1 for the first word. Returns the words.
        """
        if isinstance(values.dtype, pd.CategoricalDtype):
            places = values.cat.codes.to_numpy().astype(np.int64)
            known = values.cat.categories
            is_used = np.zeros(len(known), dtype=bool)
            is_used[places[places >= 0]] = True
            words = known[is_used].tolist()
            codes = np.append(np.cumsum(is_used) - 1, -1)[places]
        else:
            codes, found = pd.factorize(values.astype("str").where(values.notna()), sort=True)
            words = list(found)
        self.texts(f"{name}.words", words)
        self.numbers(name, codes + 1)
        return words

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
        return b"".join([_GZIP_HEAD, squeezed(head_bytes)[0], *self.pieces, end, tail])

    def _append(
        self, name: str, data: bytes, entry: dict[str, Any], piece: bytes | None = None
    ) -> None:
        if piece is None:
            way = self.ways.get(name)
            if way is None:
                piece, strategy = squeezed(data, effort=self.effort)
                self.ways[name] = Way((strategy,))
            else:
                piece = deflated(data, way.strategies[0], self.effort)
        self.entries.append({"name": name, "bytes": len(data), **entry})
        self.parts.append(data)
        self.pieces.append(piece)


def _best(
    whole: NDArray[np.int32], quantum: int, effort: int
) -> tuple[dict[str, Any], list[bytes], Way, list[bytes]]:
    """Return numbers written the shortest way, that way, and the planes squeezed."""
    ways = [_told(whole, is_delta=is_delta, quantum=quantum) for is_delta in (False, True)]
    if len(ways[0][1]) > 1:
        listed, places = listed_places(whole)
        if len(listed):
            values = (listed.astype(np.int64) * quantum).tolist()
            ways += [_told(places, is_delta=is_delta, values=values) for is_delta in (False, True)]
    letters = [[letter_bytes(plane) for plane in planes] for _, planes in ways]
    listing = [LISTED_COST * len(entry.get("values", ())) for entry, _ in ways]
    likely = [sum(sizes) + extra for sizes, extra in zip(letters, listing, strict=True)]
    found: dict[int, list[Estimate]] = {
        way: list(map(estimated, ways[way][1], letters[way]))
        for way, size in enumerate(likely)
        if size <= WORTH_A_LOOK * min(likely)
    }
    best = min(found, key=lambda way: sum(one.least for one in found[way]) + listing[way])
    entry, planes = ways[best]
    pieces, strategies = zip(
        *(squeezed(plane, one, effort) for plane, one in zip(planes, found[best], strict=True)),
        strict=True,
    )
    return entry, planes, Way(strategies, entry["delta"], "values" in entry), list(pieces)


def _as_before(whole: NDArray[np.int32], quantum: int, way: Way) -> Written:
    if way.is_listed and len(whole):
        listed, places = listed_places(whole)
        if len(listed):
            values = (listed.astype(np.int64) * quantum).tolist()
            return _told(places, is_delta=way.is_delta, values=values)
    return _told(whole, is_delta=way.is_delta, quantum=quantum)


def _told(numbers: NDArray[np.int32], *, is_delta: bool, **more: Any) -> Written:
    planes = byte_planes(zigzag(differences(numbers) if is_delta else numbers))
    return {"delta": is_delta, **more}, planes
