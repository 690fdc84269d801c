"""The folder of raw files as delivered; nothing in it is ever changed."""

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.problem import Problem
from pipeline.settings.city import Source

_PARTS = {
    "shapefile": (".shx", ".dbf", ".prj", ".cpg"), "mapinfo_tab": (".dat", ".map", ".id", ".ind"),
    "mapinfo_mif": (".mid",), "esri_ascii_grid": (".prj",),
}  # fmt: skip
"""Formats of several files → endings of those that lie beside the one that the profile names."""
_DATA_ENDINGS = {
    ".shp", ".geojson", ".json", ".topojson", ".gpkg", ".fgb", ".parquet", ".geoparquet", ".gdb",
    ".kml", ".kmz", ".gml", ".tab", ".mif", ".dxf", ".csv", ".tsv", ".xls", ".xlsx", ".xlsm", ".xlsb",
    ".ods", ".tif", ".tiff", ".hgt", ".asc", ".osm", ".pbf", ".o5m", ".zip",
}  # fmt: skip
_OWN_RECORDS = ("fetched.json", "made_from.json")


def check_raw_folder(raw_folder: Path, city: str, sources: Mapping[str, Source]) -> None:
    """Stop if the raw folder or a source file is absent, all absent ones in one message."""
    if not raw_folder.is_dir():
        raise Problem(
            raw_folder, "there is no such folder", expected=f"the raw files of {city}",
            fix=f"put them there, or say where they are: make rank CITY={city} RAW=folder",
        )  # fmt: skip
    absent = [
        f"{path} (source '{name}')"
        for name, source in sorted(sources.items())
        for path in source_paths(raw_folder, source)
        if not is_there(path, source)
    ]
    if absent:
        raise Problem(
            absent[0] if len(absent) == 1 else raw_folder,
            "the file is absent"
            if len(absent) == 1
            else "files are absent:\n    " + "\n    ".join(absent),
            fix=f"put it there, or correct sources.*.path in config/cities/{city}.yaml",
        )


def is_there(path: Path, source: Source) -> bool:
    """Return whether a source's file, or folder where its format is one, exists."""
    return path.is_file() or (source.format == "file_geodatabase" and path.is_dir())


def source_paths(raw_folder: Path, source: Source) -> list[Path]:
    """Return where a source lies, patterns filled in; it may not point outside the raw folder.

    A pattern that matches nothing is returned as it is, to be told as absent.

    Raises
    ------
    Problem
        If a path is absolute or climbs, or a link on the way leads out of the folder: what the folder
        of a delivery holds must not decide which files of the machine are read.
    """
    found: dict[Path, None] = {}
    root = raw_folder.resolve()
    for text in (source.path, *source.more_paths):
        if Path(text).is_absolute() or ".." in Path(text).parts or "\0" in text:
            raise Problem(
                text, "points outside the raw folder", expected="a path below it",
                fix="put the file into that folder, or give the folder with RAW=",
            )  # fmt: skip
        plain = root / text
        matches = [plain]
        if "*" in text and not os.path.lexists(plain):
            matches = _matching(root, text) or [plain]
        for path in matches:
            found[inside(path, root)] = None
    return list(found)


def _matching(root: Path, pattern: str) -> list[Path]:
    try:
        return sorted(root.glob(pattern))
    except (ValueError, NotImplementedError) as error:
        raise Problem(
            pattern, f"is no pattern of names ({error})", expected="e.g. dem/*.tif"
        ) from None


def inside(path: Path, root: Path) -> Path:
    """Return where a path really lies.

    Raises
    ------
    Problem
        If that is not below ``root``, which must be resolved.
    """
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:  # links in a circle, a name too long
        reason = getattr(error, "strerror", None) or "links in a circle"
        raise Problem(path, f"cannot be found ({reason})") from None
    if not real.is_relative_to(root):
        raise Problem(
            path, f"is a link that points outside the raw folder, to {real}",
            expected="a file below the folder",
            fix="put the file itself there; RAW= may name a link to a whole folder",
        )  # fmt: skip
    return real


def source_files(raw_folder: Path, source: Source) -> list[Path]:
    """Return every file that a source is made of: all parts of a layer, all of a folder."""
    found: list[Path] = []
    root = raw_folder.resolve()
    for path in source_paths(raw_folder, source):
        if path.is_dir():
            found += sorted(part for part in path.rglob("*") if part.is_file())
        elif source.format in _PARTS and path.is_file() and path.suffix.lower() != ".zip":
            beside = (
                part for part in sorted(path.parent.iterdir())
                if part.stem == path.stem and part.suffix.lower() in _PARTS[source.format]
            )  # fmt: skip
            found += [path, *(part for part in beside if part.is_file())]
        else:
            found.append(path)
    for path in found:
        inside(path, root)
    return found


def unused_files(raw_folder: Path, sources: Mapping[str, Source]) -> list[str]:
    """Return the data files below the raw folder that no source is made of, sorted, as paths below it.

    Told by their endings; hidden ones, and what lies in a geodatabase, do not count.
    """
    root = raw_folder.resolve()
    used = {path for source in sources.values() for path in source_files(root, source)}
    used |= {path for source in sources.values() for path in source_paths(root, source)}
    found = []
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        is_inner = any(part.startswith(".") or part.lower().endswith(".gdb") for part in parts[:-1])
        if is_inner or parts[-1].startswith(".") or parts[-1] in _OWN_RECORDS:
            continue
        if path.suffix.lower() in _DATA_ENDINGS and path not in used and path.resolve() not in used:
            found.append("/".join(parts))
    return found
