"""The folder of raw files as delivered; nothing in it is ever changed."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.problem import Problem
from pipeline.settings.city import Source


def check_raw_folder(raw_folder: Path, city: str, sources: Mapping[str, Source]) -> None:
    """Stop if the raw folder or a source file is absent, all absent ones in one message."""
    if not raw_folder.is_dir():
        raise Problem(
            raw_folder, "there is no such folder", expected=f"the raw files of {city}",
            fix=f"put them there, or say where they are: make rank CITY={city} RAW=folder",
        )  # fmt: skip
    absent = [
        f"{source_path(raw_folder, source)} (source '{name}')"
        for name, source in sorted(sources.items())
        if not source_path(raw_folder, source).is_file()
    ]
    if absent:
        raise Problem(
            absent[0] if len(absent) == 1 else raw_folder,
            "the file is absent"
            if len(absent) == 1
            else "files are absent:\n    " + "\n    ".join(absent),
            fix=f"put it there, or correct sources.*.path in config/cities/{city}.yaml",
        )


def source_path(raw_folder: Path, source: Source) -> Path:
    """Return where a source lies; it may not point outside the raw folder."""
    path = (raw_folder / source.path).resolve()
    if not path.is_relative_to(raw_folder.resolve()):
        raise Problem(source.path, "points outside the raw folder", expected="a path below it")
    return path
