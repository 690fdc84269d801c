"""A second reader of the page's pack, written from the description of the format alone."""

import base64
import gzip
import json
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
            values.append(total * entry["quantum"])
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

    def polygons(self, name: str) -> list[list[list[tuple[int, int]]]]:
        points = list(zip(self.numbers(f"{name}.x"), self.numbers(f"{name}.y"), strict=True))
        rings = []
        for count in self.numbers(f"{name}.points"):
            rings.append(points[:count])
            points = points[count:]
        found = []
        for count in self.numbers(f"{name}.rings"):
            found.append(rings[:count])
            rings = rings[count:]
        assert not points and not rings
        return found


def pack_of(page: str) -> Unpacked:
    """Return the pack inside a page."""
    found = re.search(r'id="pack">([A-Za-z0-9+/=]*)</script>', page)
    assert found
    return Unpacked(base64.b64decode(found.group(1)))
