"""What a stage is: a name, what it reads and writes, and the settings it may see.

A stage is a plain literal in ``pipeline/flow.py``; its function is ``run`` in
``pipeline/<name>/stage.py``, which takes ``Inputs`` and returns ``Outputs``. A stage that can begin
with less has a function ``prepare`` beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.beside import Beside, Task
from pipeline.contracts.tables import Table


@dataclass(frozen=True)
class Inputs:
    """What the flow hands to a stage."""

    tables: Mapping[Table, Any]
    """Tables that the stage declared, by contract."""
    sources: Mapping[str, Any]
    """Raw sources by name, each read when it is first asked for; empty but for intake."""
    rasters: Mapping[str, Any]
    """Rasters that the stage declared, by name."""
    settings: Any
    """All settings; ``Stage.settings`` lists the sections that the stage may use."""
    ledgers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What earlier stages put on record, by stage."""
    scenario: str = ""
    """Name of the scenario; empty in stages that all scenarios share."""
    remarks: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """For a stage that reads remarks: dotted key of a setting → its file and what stands beside it."""
    beside: Beside = field(default_factory=Beside)
    """Takes work off the stage's hands where there is much of it."""
    prepared: Any = None
    """The ``Task`` that the stage's ``prepare`` began, if ``Stage.prepares_from`` names tables."""


@dataclass(frozen=True)
class MapLayer:
    """One layer of a GeoPackage: its features and how QGIS draws them."""

    name: str
    features: Any
    style_qml: str = ""


@dataclass(frozen=True)
class ListFamily:
    """Rows of one contract that people get as several CSVs, and the file name of each row."""

    table: Table
    rows: Any
    names: Any


@dataclass(frozen=True)
class Outputs:
    """What a stage hands back."""

    tables: Mapping[Table, Any] = field(default_factory=dict)
    rasters: Mapping[str, Any] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    """File name → text, for maps/."""
    lists: tuple[ListFamily, ...] = ()
    """CSVs that no later stage reads."""
    workbooks: Mapping[str, Task[bytes]] = field(default_factory=dict)
    """File name → content, beside the lists."""
    map_layers: Mapping[str, tuple[MapLayer, ...]] = field(default_factory=dict)
    """GeoPackage file name → its layers."""
    ledger: Mapping[str, Any] = field(default_factory=dict)
    """Counts and notes for people."""


@dataclass(frozen=True)
class Stage:
    """One of the seven stages; its name is its room."""

    name: str
    title: str
    """What the terminal says while it runs."""
    home: str
    """Whether all scenarios of a city share the outputs."""
    settings: tuple[str, ...]
    """Sections, or dotted keys in them, whose change makes this stage run again, and the only ones it
    may look at."""
    reads_sources: bool = False
    reads_remarks: bool = False
    """Whether it tells where each setting comes from."""
    reads: tuple[Table, ...] = ()
    prepares_from: tuple[Table, ...] = ()
    """Tables from which ``prepare`` in ``stage.py`` may begin while the stage before still runs."""
    reads_rasters: tuple[str, ...] = ()
    writes: tuple[Table, ...] = ()
    writes_rasters: tuple[str, ...] = ()
    csv_copies: tuple[Table, ...] = ()
    """Tables, read or written, that people also get as CSV."""
    workbooks: tuple[str, ...] = ()
    map_files: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    """File names below maps/; one with a ``*``, such as ``briefs/*.html``, stands for a family: as many
    pages as there are districts, none of an earlier run among them."""

    lists: tuple[str, ...] = ()
    """CSVs beside the tables that no later stage reads; with a ``*`` as many as there are districts."""

    @property
    def page_families(self) -> tuple[str, ...]:
        """Return the pages that stand for many."""
        return tuple(name for name in self.pages if "*" in name)
