"""Zip files that were sent by others: looked at before anything is unpacked, read in place."""

import zipfile
from pathlib import Path, PurePosixPath

from pipeline.problem import Problem

MOST_UNPACKED_BYTES = 4_000_000_000
MOST_MEMBERS = 20_000
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
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise Problem(
            path, f"cannot be read as zip ({error})", expected="a whole zip file",
            fix="copy the file again",
        ) from None  # fmt: skip
    total = sum(info.file_size for info in infos)
    for info in infos:
        parts = PurePosixPath(info.filename.replace("\\", "/"))
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
    """Return GDAL's path of the one dataset with a suffix inside a zip.

    A folder (``.gdb``) counts by its name. Of several the one called ``layer`` is taken.
    """
    names = set()
    for name in zip_members(path):
        parts = PurePosixPath(name).parts
        for end in range(len(parts)):
            if parts[end].lower().endswith(suffix):
                names.add("/".join(parts[: end + 1]))
                break
    chosen = sorted(names)
    if len(chosen) > 1 and layer:
        chosen = [name for name in chosen if PurePosixPath(name).stem == layer] or chosen
    if not chosen:
        raise Problem(
            path, f"holds no {suffix}", fix="check the file, or its format in the profile"
        )
    if len(chosen) > 1:
        raise Problem(
            path, f"holds {len(chosen)} files {suffix}: {', '.join(chosen[:8])}",
            fix="name one of them (without its ending) as layer in the profile",
        )  # fmt: skip
    return f"/vsizip/{path}/{chosen[0]}"
