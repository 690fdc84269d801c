"""What has been fetched: one record beside the files, believed only while their bytes agree."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

from pipeline.problem import Problem
from pipeline.settings.fetch import Publication
from pipeline.store.files import Batch, json_bytes
from pipeline.store.raw_folder import inside
from pipeline.store.state import digest

RECORD = "fetched.json"


@dataclass(frozen=True)
class Fetched:
    """One file, or one reply that held nothing (then ``sha256`` is empty and there is no file)."""

    path: str
    url: str
    request_sha256: str
    sha256: str
    byte_count: int
    element_count: int | None
    date: str
    """Date of the data, as the reply or the settings say; empty if neither does."""
    publisher: str
    licence: str
    attribution: str

    @property
    def is_empty(self) -> bool:
        """Whether the place holds nothing of this kind."""
        return not self.sha256


@dataclass(frozen=True)
class Record:
    """The place and every file fetched for it."""

    place: str = ""
    crs: str = ""
    names: tuple[str, str, str] = ("", "", "")
    """Chinese, English, and the district's own name."""
    files: Mapping[str, Fetched] = ()  # type: ignore[assignment]
    """By source."""

    def with_file(self, name: str, one: Fetched) -> "Record":
        """Return the record with one more source."""
        return replace(self, files={**dict(self.files), name: one})


def read_record(folder: Path) -> Record:
    """Return the record of a raw folder, empty if there is none yet."""
    path = folder / RECORD
    if not path.is_file():
        return Record(files={})
    try:
        content = json.loads(path.read_bytes())
        files = {name: Fetched(**one) for name, one in content["files"].items()}
        for one in files.values():
            if PurePosixPath(one.path).is_absolute() or ".." in PurePosixPath(one.path).parts:
                raise ValueError(one.path)
        names = tuple(str(one) for one in content["names"])
        if len(names) != 3:
            raise ValueError(names)
        return Record(str(content["place"]), str(content["crs"]), names, files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(
            path, f"is no record of fetched files ({type(error).__name__})",
            fix="delete it to fetch everything anew",
        ) from None  # fmt: skip


def write_record(folder: Path, record: Record) -> None:
    """Write the record, whole."""
    content = {
        "place": record.place,
        "crs": record.crs,
        "names": list(record.names),
        "files": {name: asdict(one) for name, one in sorted(record.files.items())},
    }
    with Batch() as batch:
        batch.add(folder / RECORD, json_bytes(content))


def still_there(folder: Path, one: Fetched | None, request_sha256: str) -> bool:
    """Return whether a source was fetched with the same request and its file has not changed."""
    if one is None or one.request_sha256 != request_sha256:
        return False
    path = inside(folder / one.path, folder.resolve())
    return one.is_empty or (path.is_file() and digest(path) == one.sha256)


def terms(one: Publication) -> dict[str, str]:
    """Return the words that go with every file of a service."""
    return {"publisher": one.publisher, "licence": one.licence, "attribution": one.attribution}
