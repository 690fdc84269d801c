"""What a stage made: checked, kept in memory for the next one, written behind its back.

The next stage need not wait until tables and lists are on the disk, nor read them again. Files of one
stage appear together, stage after stage; if one cannot be written, none of a later stage is.
"""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from pipeline.beside import Task
from pipeline.contracts.stage import ListFamily, MapLayer, Outputs, Stage
from pipeline.contracts.tables import Table
from pipeline.settings.whole import Settings
from pipeline.store import files, state
from pipeline.store.places import Places
from pipeline.store.recorded import Recorded


@dataclass(frozen=True)
class Product:
    """What a stage made, with the types of its contracts and ready to be written."""

    stage: Stage
    tables: Mapping[Table, Any]
    copies: Mapping[Table, Any]
    """Tables of this or an earlier stage that people also get as CSV."""
    lists: tuple[ListFamily, ...]
    rasters: Mapping[str, Any]
    pages: Mapping[str, str]
    map_layers: Mapping[str, tuple[MapLayer, ...]]
    workbooks: Mapping[str, Task[bytes]]
    ledger: Mapping[str, Any]


@dataclass
class Kept:
    """Tables, rasters and ledgers by name: those of this run from memory, others read once."""

    recorded: Recorded
    _tables: dict[Table, Any] = field(default_factory=dict)
    _rasters: dict[str, Any] = field(default_factory=dict)
    _ledgers: dict[str, Any] = field(default_factory=dict)

    def put(self, product: Product, later: Iterable[Stage]) -> None:
        """Keep what a later stage reads, and let go of what none does."""
        later = list(later)
        tables = {table for stage in later for table in (*stage.reads, *stage.csv_copies)}
        rasters = {name for stage in later for name in stage.reads_rasters}
        self._tables = {t: frame for t, frame in self._tables.items() if t in tables}
        # a copy lays columns of one type side by side again, as reading them would
        self._tables |= {t: f.copy() for t, f in product.tables.items() if t in tables}
        layers = self._rasters | dict(product.rasters)
        self._rasters = {name: raster for name, raster in layers.items() if name in rasters}
        self._ledgers[product.stage.name] = product.ledger

    def table(self, table: Table) -> Any:
        """Return a table; changing it in place would not change what is written."""
        if table not in self._tables:
            self._tables[table] = self.recorded.table(table)
        return self._tables[table].copy(deep=False)

    def raster(self, name: str) -> Any:
        """Return a raster."""
        if name in self._rasters:
            return self._rasters[name]
        return self.recorded.raster(name)

    def ledger(self, stage: Stage) -> Mapping[str, Any]:
        """Return what a stage put on record."""
        if stage.name in self._ledgers:
            return dict(self._ledgers[stage.name])
        return self.recorded.ledger(stage)


class Saver:
    """Writes products in the background, in their order, and remembers each stage once it is done.

    Use as a context: leaving it waits for all, and raises what went wrong.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._thread = ThreadPoolExecutor(1)
        self._futures: list[Future[None]] = []

    def __enter__(self) -> "Saver":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self._thread.shutdown(wait=True)

    def put(self, product: Product, record: state.StageRecord) -> None:
        """Write a product, unless an earlier one could not be written.

        Raises
        ------
        Problem
            If an earlier one could not be written.
        """
        self._raise()
        self._futures.append(self._thread.submit(self._write, product, record))

    def wait(self) -> None:
        """Wait until all is written.

        Raises
        ------
        Problem
            If something could not be written.
        """
        for future in self._futures:
            future.result()

    def _raise(self) -> None:
        for future in self._futures:
            if future.done():
                future.result()

    def _write(self, product: Product, record: state.StageRecord) -> None:
        if any(future.done() and future.exception() for future in self._futures):
            return
        _write(product, self._places)
        wrote = tuple(self._places.outputs(product.stage))  # families are known only now
        state.remember(self._places.state_file, replace(record, outputs=wrote))


def checked(stage: Stage, settings: Settings, outputs: Outputs, kept: Kept) -> Product:
    """Return what a stage handed back as its contracts want it.

    Raises
    ------
    Problem
        If a table breaks its contract.
    """
    from pipeline.contracts.check import conform, inspect

    _same_names(stage, outputs)
    tables = {}
    for table, frame in outputs.tables.items():
        tables[table] = conform(table, frame)
        inspect(table, tables[table], stage_name=stage.name, crs=settings.city.crs)
    lists = tuple(_in_order(family) for family in outputs.lists)
    for family in lists:
        inspect(family.table, family.rows, stage_name=stage.name, crs=settings.city.crs)
    copies = {table: tables.get(table) for table in stage.csv_copies}
    copies = {t: kept.table(t) if frame is None else frame for t, frame in copies.items()}
    # as the files will hold them, so that a later stage sees the same either way
    rasters = {name: files.as_stored(raster) for name, raster in outputs.rasters.items()}
    return Product(
        stage, tables, copies, lists, rasters, outputs.pages, outputs.map_layers,
        outputs.workbooks, json.loads(files.json_bytes(outputs.ledger)),
    )  # fmt: skip


def _in_order(family: ListFamily) -> ListFamily:
    """Return a family as its contract wants it, all files together: nine tenths less to look at."""
    from pipeline.contracts.check import conform

    rows = conform(family.table, family.rows.assign(_file_name=family.names))
    return ListFamily(family.table, rows.drop(columns="_file_name"), rows["_file_name"])


def _write(product: Product, places: Places) -> None:
    from pipeline.store.csv import write_csv

    stage = product.stage
    lists = {
        name: partial(write_csv, family.table, family.rows[family.names == name])
        for family in product.lists
        for name in sorted(family.names.unique())
    }
    fills: dict[Any, files.Fill] = {
        places.csv(table): partial(write_csv, table, frame)
        for table, frame in product.copies.items()
    }
    fills |= {places.list_file(name): fill for name, fill in lists.items()}
    fills |= {
        places.table(table): partial(files.write_parquet, frame)
        for table, frame in product.tables.items()
    }
    with files.Batch() as batch:
        batch.write(fills)
        for name, raster in product.rasters.items():
            batch.add(places.raster(name), files.raster_bytes(raster))
        for name, text in product.pages.items():
            batch.add(places.maps_folder / name, text.encode())
        written = {places.maps_folder / name for name in product.pages}
        written |= {places.list_file(name) for name in lists}
        for path in [*places.family_pages(stage), *places.family_lists(stage)]:
            if path not in written:
                batch.remove(path)
        for name, workbook in product.workbooks.items():
            batch.add(places.map_file(name), workbook.result())
        for name, layers in product.map_layers.items():
            from pipeline.store.geopackage import write_geopackage  # takes long to load

            path = places.map_file(name)
            write_geopackage(batch.partial(path), path, layers)
        batch.add(places.ledger(stage), files.json_bytes(product.ledger))


def _same_names(stage: Stage, outputs: Outputs) -> None:
    """Stop if a stage hands back something else than it declares."""
    declared = (
        set(stage.writes),
        set(stage.writes_rasters),
        set(stage.pages) - set(stage.page_families),
        {*stage.map_files, *stage.workbooks},
    )
    single = {name for name in outputs.pages if not _is_of_family(name, stage.page_families)}
    names = {name for family in outputs.lists for name in family.names.unique()}
    strays = sorted(name for name in names if not _is_of_family(name, stage.lists))
    if strays:
        raise AssertionError(f"{stage.name} does not declare the lists {strays}")
    found = (
        set(outputs.tables),
        set(outputs.rasters),
        single,
        {*outputs.map_layers, *outputs.workbooks},
    )
    if declared != found:
        raise AssertionError(f"{stage.name} declares {declared} but hands back {found}")


def _is_of_family(name: str, families: tuple[str, ...]) -> bool:
    return any(PurePosixPath(name).match(family) for family in families)
