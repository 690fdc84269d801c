"""What a stage is: a name, what it reads and writes, the settings it may see, and a pure function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts.tables import Table


@dataclass(frozen=True)
class Inputs:
    """What the flow hands to a stage."""

    tables: Mapping[Table, Any]
    """Tables that the stage declared, by contract."""
    sources: Mapping[str, Any]
    """Raw sources by name; empty but for intake."""
    rasters: Mapping[str, Any]
    """Rasters that the stage declared, by name."""
    settings: Any
    """All settings; ``Stage.settings`` lists the sections that the stage may use."""
    ledgers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What earlier stages put on record, by stage."""


@dataclass(frozen=True)
class Outputs:
    """What a stage hands back."""

    tables: Mapping[Table, Any] = field(default_factory=dict)
    rasters: Mapping[str, Any] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    """File name → text, for maps/."""
    ledger: Mapping[str, Any] = field(default_factory=dict)
    """Counts and notes for people."""


@dataclass(frozen=True)
class Export:
    """A copy of a table in a form that people open."""

    file_name: str
    table: Table


@dataclass(frozen=True)
class Stage:
    """One of the five stages."""

    name: str
    run: Callable[[Inputs], Outputs]
    settings: tuple[str, ...]
    """Sections whose change makes this stage run again."""
    home: str
    """Whether all scenarios of a city share the outputs."""
    reads: tuple[Table, ...] = ()
    writes: tuple[Table, ...] = ()
    reads_rasters: tuple[str, ...] = ()
    writes_rasters: tuple[str, ...] = ()
    exports: tuple[Export, ...] = ()
    pages: tuple[str, ...] = ()
    reads_sources: bool = False
    rooms: tuple[str, ...] = ()
    """Folders of code, besides the stage's own room, whose change makes it run again."""
