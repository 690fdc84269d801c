"""Blocks of an OpenStreetMap PBF file, looked at before anything is unpacked.

Format: https://wiki.openstreetmap.org/wiki/PBF_Format. A file is a row of blocks: the length of a
header (4 bytes, big-endian), the header with the length of what follows, and that, packed or not. What
it unpacks to is stated there.
"""

from pathlib import Path

_DATA_SIZE, _RAW_SIZE = 3, 2
"""Numbers of fields: in the header the bytes that follow; in these what they unpack to."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_HEADER_BYTES = 64 * 1024
_START_BYTES = 64


def unpacked_bytes(path: Path) -> int:
    """Return what the blocks of a file say they unpack to; a damaged one ends the count."""
    total = 0
    with path.open("rb") as file:
        while len(head := file.read(4)) == 4:
            size = int.from_bytes(head, "big")
            if size > _MOST_HEADER_BYTES:
                break
            data_size = _number(file.read(size), _DATA_SIZE)
            if data_size is None:
                break
            start = file.read(min(_START_BYTES, data_size))
            plain = _number(start, _RAW_SIZE)
            total += data_size if plain is None else plain
            file.seek(data_size - len(start), 1)
    return total


def _number(message: bytes, wanted: int) -> int | None:
    """Return a number among the first fields of a message; none if it is not there."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        field, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            if field == wanted:
                return value
        elif kind == _BYTES:
            length, at = _varint(message, at)
            at += length
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            return None
    return None


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            break
    return value, at
