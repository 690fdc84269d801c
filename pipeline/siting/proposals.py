"""What a search for sites hands back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Proposals:
    """Lists by file name, what is put on record, and lines that the terminal tells."""

    files: Mapping[str, bytes]
    ledger: Mapping[str, Any]
    told: tuple[str, ...]
