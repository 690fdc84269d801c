"""Zip files that were sent by others: looked at before anything is unpacked, read in place."""

import lzma
import shutil
import stat
import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath

from pipeline.problem import Problem

MOST_UNPACKED_BYTES = 4_000_000_000
MOST_MEMBERS = 20_000
ARCHIVE_FAULTS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, ValueError, RuntimeError, EOFError,
)  # fmt: skip
"""What zipfile raises while a damaged member is unpacked."""
_ALWAYS_FINE_BYTES = 64_000_000
_MOST_RATIO = 200
"""A table of blanks shrinks to a fiftieth; what shrinks further is made to fill the memory."""


def zip_members(path: Path) -> list[str]:
    """Return the names of a zip's files.

    Raises
    ------
    Problem
        If it is no zip, would unpack to more than can be meant, or holds a name that leads out of it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise Problem(
            path, f"cannot be read as zip ({error})", expected="a whole zip file",
            fix="copy the file again",
        ) from None  # fmt: skip
    total = sum(info.file_size for info in infos)
    names = Counter(info.filename.replace("\\", "/") for info in infos)
    for info in infos:
        parts = PurePosixPath(info.filename.replace("\\", "/"))
        if not parts.parts or not info.filename.isprintable() or names[str(parts)] > 1:
            told = "twice by the same name" if names[str(parts)] > 1 else "without a proper name"
            raise Problem(
                path, f"holds a file {told}: {info.filename[:100]!r}",
                expected="files with different, plain names", fix="zip the files again",
            )  # fmt: skip
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Problem(
                path, f"holds a link instead of a file: {info.filename[:100]!r}",
                expected="the file itself", fix="zip the files again",
            )  # fmt: skip
        if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0]:
            raise Problem(
                path, f"holds a file that leads out of it: {info.filename[:100]!r}",
                expected="plain names", fix="do not trust this file; ask for it anew",
            )  # fmt: skip
        if info.flag_bits & 1:
            raise Problem(path, "is locked with a password", fix="save it without one")
    packed = path.stat().st_size
    if total > MOST_UNPACKED_BYTES or len(infos) > MOST_MEMBERS or (
        total > _ALWAYS_FINE_BYTES and total > _MOST_RATIO * packed
    ):  # fmt: skip
        raise Problem(
            path, f"would unpack from {packed:,} to {total:,} bytes in {len(infos):,} files",
            expected=f"less than {MOST_UNPACKED_BYTES:,}, and not {_MOST_RATIO} times its size",
            fix="unpack it yourself if you trust it, and name the file inside in the profile",
        )  # fmt: skip
    return [info.filename for info in infos]


def path_in_zip(path: Path, suffix: str, layer: str | None) -> str:
    """Return GDAL's path of the one dataset with a suffix inside a zip, see ``member_in_zip``."""
    return f"/vsizip/{path}/{member_in_zip(path, (suffix,), layer)}"


def member_in_zip(path: Path, suffixes: tuple[str, ...], layer: str | None) -> str:
    """Return the name of the one dataset with one of the endings inside a zip.

    A folder (``.gdb``) counts by its name. Of several the one called ``layer`` is taken, or ``doc``
    of a KMZ.
    """
    names = set()
    members = zip_members(path)
    for name in members:
        parts = PurePosixPath(name).parts
        for end in range(len(parts)):
            if parts[end].lower().endswith(suffixes):
                names.add("/".join(parts[: end + 1]))
                break
    chosen = sorted(names)
    if len(chosen) > 1:
        named = (layer, "doc") if ".kml" in suffixes else (layer,)
        for stem in named:
            fitting = [name for name in chosen if PurePosixPath(name).stem == stem]
            chosen = fitting or chosen
    told = " or ".join(suffixes)
    if not chosen:
        inner = [name for name in members if name.lower().endswith((".zip", ".rar", ".7z"))]
        raise Problem(
            path, f"holds no {told}" + (f", but another archive: {inner[0][:100]}" if inner else ""),
            fix="unpack it, and zip what is in the inner one" if inner
            else "check the file, or its format in the profile",
        )  # fmt: skip
    if len(chosen) > 1:
        raise Problem(
            path, f"holds {len(chosen)} files {told}: {', '.join(chosen[:8])}",
            fix="name one of them (without its ending) as layer in the profile",
        )  # fmt: skip
    return chosen[0]


def unpacked(path: Path, member: str, folder: Path) -> Path:
    """Unpack one member of a zip into a folder, under a plain name, and return where it lies."""
    target = folder / ("data" + PurePosixPath(member).suffix.lower())
    try:
        with (
            zipfile.ZipFile(path) as archive,
            archive.open(member) as packed,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(packed, file, 1 << 20)
    except ARCHIVE_FAULTS as error:
        raise not_unpacked(path, member, error) from None
    return target


def member_bytes(path: Path, member: str, most_bytes: int) -> bytes:
    """Return the begin of one member of a zip; empty if there is none of that name, in any case.

    Raises
    ------
    Problem
        If it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.lower(): name for name in archive.namelist()}
            if member.lower() not in names:
                return b""
            with archive.open(names[member.lower()]) as packed:
                return packed.read(most_bytes)
    except ARCHIVE_FAULTS as error:
        raise not_unpacked(path, member, error) from None


def not_unpacked(path: Path, member: str, error: Exception) -> Problem:
    """Return the message for a member of a zip that is damaged."""
    return Problem(
        path, f"{member[:100]!r} in it cannot be unpacked ({error})", expected="a whole zip file",
        fix="copy the file again, and see that the disk is not full",
    )  # fmt: skip
