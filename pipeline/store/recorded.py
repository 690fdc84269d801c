"""What finished stages wrote, believed only while its bytes are those on record.

Every command reads tables, rasters and ledgers of a run through here.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.contracts.stage import Stage
from pipeline.contracts.tables import Table
from pipeline.problem import Problem
from pipeline.store import files, state
from pipeline.store.places import Places

DIGESTS = "digests.json"
"""Beside a kept ranking: SHA-256 of each of its files."""


class Recorded:
    """The outputs of a city and scenario.

    Every method raises ``Problem`` if a file is absent, was cut short, or differs from what its stage
    wrote.
    """

    def __init__(self, places: Places, stages: Iterable[Stage]) -> None:
        self.places = places
        self._names = tuple(places.record_name(stage) for stage in stages)
        self._digests: Mapping[str, str] = {}

    def table(self, table: Table) -> Any:
        """Return a table."""
        content = io.BytesIO(self.content(self.places.table(table)))
        return files.read_parquet(content, has_geometry=bool(table.geometry))

    def raster(self, name: str) -> Any:
        """Return a raster."""
        return files.read_raster(io.BytesIO(self.content(self.places.raster(name))))

    def ledger(self, stage: Stage) -> dict[str, Any]:
        """Return what a stage put on record."""
        return dict(json.loads(self.content(self.places.ledger(stage))))

    def content(self, path: Path) -> bytes:
        """Return the bytes of a file."""
        wanted = self._digest_of(path)
        return believed(path, wanted, self._mend)

    def refuse_changed(self, stages: Iterable[Stage]) -> None:
        """Stop if any file that the stages wrote is absent or differs."""
        for stage in stages:
            for path in self.places.outputs(stage):
                wanted = self._digest_of(path)
                try:
                    is_same = state.digest(path) == wanted
                except FileNotFoundError:
                    raise _absent(path, self._mend) from None
                if not is_same:
                    raise _differs(path, self._mend)

    def _digest_of(self, path: Path) -> str:
        name = state.short(path)
        if name not in self._digests:  # a stage may have been done since
            self._digests = state.recorded_outputs(self.places.state_file, self._names)
        if name not in self._digests:
            raise Problem(path, "no finished run has this file on record", fix=self._mend)
        return self._digests[name]

    @property
    def _mend(self) -> str:
        scenario = "" if self.places.scenario == "base" else f" SCENARIO={self.places.scenario}"
        return f"make rank CITY={self.places.city}{scenario} writes it anew"


def believed(path: Path, digest: str, mend: str) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    Problem
        If it is absent, or its SHA-256 is another; ``mend`` says what helps.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise _absent(path, mend) from None
    except OSError as error:
        raise Problem(path, f"cannot be read ({error.strerror or error})", fix=mend) from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise _differs(path, mend)
    return content


def _absent(path: Path, mend: str) -> Problem:
    return Problem(path, "the file is absent, though a finished run wrote it", fix=mend)


def _differs(path: Path, mend: str) -> Problem:
    return Problem(path, "differs from what was written: cut short, or changed by hand", fix=mend)
