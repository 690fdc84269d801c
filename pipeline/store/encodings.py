"""Tell the encoding of a text from its bytes: UTF-8 shows itself, GBK is what remains."""

import struct
from pathlib import Path

from pipeline.store.archives import member_bytes

_SAMPLE_ROWS = 2000
_MOST_TABLE_BYTES = 50_000_000
_FITS_SHARE = 0.9
_CODE_PAGES = {
    "utf8": "utf-8", "65001": "utf-8", "936": "gbk", "cp936": "gbk", "54936": "gb18030",
    "gb2312": "gb18030", "gb-2312": "gb18030", "gb2312-80": "gb18030", "euc-cn": "gb18030",
}  # fmt: skip
"""What a ``.cpg`` says → the encoding; GB2312 as GB18030, which holds it and what is written for it."""


def shapefile_encoding(path: Path, inside: str = "") -> tuple[str, bool]:
    """Return the encoding of a shapefile's table and whether that is certain.

    As its ``.cpg`` says, or else the one that its cells fit. ``inside``: its name in a zip.
    """
    said = _part(path, inside, ".cpg").decode("ascii", "replace").strip().lower().replace("_", "-")
    known = _CODE_PAGES.get(said, said)
    try:
        "".encode(known or "none")
    except (LookupError, ValueError):  # a name of no encoding, or no name at all
        return encoding_of(_cells(_part(path, inside, ".dbf")))
    return known, True


def encoding_of(texts: list[bytes]) -> tuple[str, bool]:
    """Return the encoding that texts fit, and whether that is certain: GBK fits much that is not."""
    foreign = [text for text in texts if not text.isascii()]
    if not foreign:
        return "utf-8", True
    for name in ("utf-8", "gbk"):
        if sum(_decodes(text, name) for text in foreign) >= _FITS_SHARE * len(foreign):
            return name, name == "utf-8"
    return "gb18030", False


def _part(path: Path, inside: str, suffix: str) -> bytes:
    """Return the begin of one part of a shapefile, empty if there is none."""
    if not inside:
        part = path.with_suffix(suffix)
        if not part.is_file():
            return b""
        with part.open("rb") as file:
            return file.read(_MOST_TABLE_BYTES)
    return member_bytes(path, inside[: -len(".shp")] + suffix, _MOST_TABLE_BYTES)


def _cells(table: bytes) -> list[bytes]:
    """Return the field names and first cells of a dBase table."""
    if len(table) < 32:
        return []
    start, width = struct.unpack("<HH", table[8:12])
    about = table[32:start]
    places = range(0, len(about) - 31, 32)
    cells = [about[at : at + 11].split(b"\x00")[0] for at in places]
    widths = [about[at + 16] for at in places]
    for row in range(min((len(table) - start) // max(width, 1), _SAMPLE_ROWS)):
        at = start + row * width + 1
        for size in widths:
            cells.append(table[at : at + size].strip())
            at += size
    return cells


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
