"""What a search for sites hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts.tables import Table
from pipeline.settings.change import Change


@dataclass(frozen=True)
class Proposals:
    """Lists by file name or table, what is put on record, and lines that the terminal tells.

    ``changes`` are what-ifs by name: ``make what-if CHANGE=name`` asks them.
    """

    files: Mapping[str, bytes]
    ledger: Mapping[str, Any]
    told: tuple[str, ...]
    tables: Mapping[Table, Any] = field(default_factory=dict)
    changes: Mapping[str, Change] = field(default_factory=dict)
