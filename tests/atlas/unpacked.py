"""A second reader of the page's pack, written from the description of the format alone."""

import gzip
import json
import math
import re
from typing import Any


class Unpacked:
    """The columns of a pack as plain lists."""

    def __init__(self, packed: bytes) -> None:
        whole = gzip.decompress(packed)
        length = int.from_bytes(whole[:4], "little")
        head = json.loads(whole[4 : 4 + length])
        self.page: dict[str, Any] = head["page"]
        self.columns: dict[str, tuple[dict[str, Any], bytes]] = {}
        start = 4 + length
        for entry in head["columns"]:
            self.columns[entry["name"]] = (entry, whole[start : start + entry["bytes"]])
            start += entry["bytes"]
        assert start == len(whole)

    def numbers(self, name: str) -> list[int]:
        entry, data = self.columns[name]
        values, total = [], 0
        for place in range(entry["count"]):
            code = sum(
                data[plane * entry["count"] + place] * 256**plane
                for plane in range(entry["planes"])
            )
            value = code // 2 if code % 2 == 0 else -(code + 1) // 2
            total = total + value if entry["delta"] else value
            listed = entry.get("values")
            values.append(listed[total] if listed else total * entry["quantum"])
        return values

    def measures(self, name: str) -> list[float | None]:
        entry, _ = self.columns[name]
        scale = 10 ** entry["decimals"]
        return [None if v == 0 else (v - 1 + entry["low"]) / scale for v in self.numbers(name)]

    def texts(self, name: str) -> list[str]:
        entry, data = self.columns[name]
        return data.decode().split("\n") if entry["lines"] else []

    def categories(self, name: str) -> list[str | None]:
        words = self.texts(f"{name}.words")
        return [None if place == 0 else words[place - 1] for place in self.numbers(name)]

    def codes(self, name: str) -> list[str]:
        entry, _ = self.columns[name]
        runs = [self.numbers(f"{name}.{place}") for place in range(entry["runs"])]
        found = []
        for row, pattern in enumerate(self.categories(name)):
            head, *pieces = (pattern or "").split("\x02")
            for place, piece in enumerate(pieces):
                head += str(runs[place][row]).zfill(int(piece[0])) + piece[1:]
            found.append(head)
        return found

    def paths(self, name: str) -> list[list[tuple[int, int]]]:
        """Return the points of each ring or line."""
        entry = self.columns[f"{name}.points"][0]
        grid = entry["grid"]
        first, steps, last = (
            iter(list(zip(self.numbers(f"{name}.x{k}"), self.numbers(f"{name}.y{k}"), strict=True)))
            for k in ("0", "", "1")
        )
        turns: Any = iter(())
        if entry["closed"]:
            parts = [self.numbers(f"{name}.{part}") for part in ("across", "miss_x", "miss_y")]
            turns = iter(list(zip(*parts, strict=True)))
        found = []
        for count in self.numbers(f"{name}.points"):
            has_corner = entry["closed"] and count >= 4
            points = [next(first)]
            for place in range(count - 1 - has_corner):
                if entry["closed"] and place:
                    (ax, ay), (bx, by) = points[-2:]
                    length = max(math.sqrt((bx - ax) ** 2 + (by - ay) ** 2), 1)
                    across, x, y = next(turns)
                    x += math.floor(-across * (by - ay) / length + 0.5)
                    y += math.floor(across * (bx - ax) / length + 0.5)
                else:
                    x, y = next(steps)
                points.append((points[-1][0] + x, points[-1][1] + y))
            if has_corner:
                (ax, ay), (bx, by), (cx, cy) = points[0], points[1], points[-1]
                side = (bx - ax) ** 2 + (by - ay) ** 2 or 1
                along = ((ax - cx) * (bx - ax) + (ay - cy) * (by - ay)) / side
                x, y = next(last)
                x += math.floor(cx + along * (bx - ax) + 0.5)
                y += math.floor(cy + along * (by - ay) + 0.5)
                points.append((x, y))
            found.append([(x * grid, y * grid) for x, y in points])
        assert not [*steps, *first, *last, *turns]
        return found

    def polygons(self, name: str) -> list[list[list[tuple[int, int]]]]:
        rings = self.paths(name)
        found = []
        for count in self.numbers(f"{name}.rings"):
            found.append(rings[:count])
            rings = rings[count:]
        assert not rings
        return found


def bytes_of(letters: str, count: int) -> bytes:
    """Return so many bytes of what seven letters for six bytes stand for."""
    alphabet = [chr(code) for code in range(1, 128) if chr(code) not in "\r<&{"]
    place = {letter: number for number, letter in enumerate(alphabet)}
    found = bytearray()
    for start in range(0, len(letters), 7):
        number = 0
        for letter in letters[start : start + 7]:
            number = number * 123 + place[letter]
        found += number.to_bytes(6, "big")
    return bytes(found[:count])


def pack_of(page: str) -> Unpacked:
    """Return the two packs inside a page as one."""
    found = re.findall(r'data-bytes="([0-9]+)" id="pack(?:-later)?">([^<]*)</script>', page)
    first, later = (Unpacked(bytes_of(letters, int(count))) for count, letters in found)
    assert first.page["later"] == list(later.columns)
    assert not first.columns.keys() & later.columns.keys()
    first.columns |= later.columns
    return first
