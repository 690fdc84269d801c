"""START HERE: the five stages in order, and the loop that runs them.

A stage never opens a file. For each stage whose inputs, settings or code changed, the loop has
``store`` load what the stage declares, calls its ``run``, inspects the result against the contracts
and has ``store`` save it, all files together.
"""

import gc
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.contracts.stage import Inputs, Outputs, Stage
from pipeline.contracts.tables import (
    AMENITIES,
    BUILDING_RANKING,
    BUILDINGS,
    CITY,
    COMMUNITY_PRIORITY,
    CONSENTS,
    DISTRICT_PRIORITY,
    DISTRICTS,
    ESTATE_FACTS,
    ESTATE_PRIORITY,
    ESTATES,
    MAIN_ROAD_PATHS,
    MEASUREMENTS,
    RANKING,
    REJECTS,
    SCENARIO,
    STREET_EDGES,
    STREET_NODES,
    WATER,
    Table,
)
from pipeline.settings.load import flatten
from pipeline.settings.whole import Settings
from pipeline.store import files, state
from pipeline.store.places import Places

STAGES = (
    Stage(
        name="intake",
        title="clean tables from the raw files",
        home=CITY,
        settings=("city", "sources", "intake", "measure"),
        reads_sources=True,
        writes=(
            DISTRICTS,
            BUILDINGS,
            STREET_NODES,
            STREET_EDGES,
            AMENITIES,
            WATER,
            ESTATES,
            ESTATE_FACTS,
            CONSENTS,
            REJECTS,
        ),
        writes_rasters=("terrain",),
    ),
    Stage(
        name="measure",
        title="size, age, ground and walks",
        home=CITY,
        settings=("city", "measure"),
        reads=(BUILDINGS, STREET_NODES, STREET_EDGES, AMENITIES, WATER, ESTATE_FACTS),
        reads_rasters=("terrain",),
        writes=(MEASUREMENTS, MAIN_ROAD_PATHS),
        writes_rasters=("ground",),
    ),
    Stage(
        name="score",
        title="need, weights, points and ranks",
        home=SCENARIO,
        settings=("consent", "measure", "score"),
        reads=(BUILDINGS, MEASUREMENTS, CONSENTS),
        writes=(RANKING,),
    ),
    Stage(
        name="plan",
        title="lists of buildings and districts",
        home=SCENARIO,
        settings=("city", "plan"),
        reads=(BUILDINGS, MEASUREMENTS, RANKING, REJECTS),
        writes=(BUILDING_RANKING, ESTATE_PRIORITY, COMMUNITY_PRIORITY, DISTRICT_PRIORITY),
        csv_copies=(
            BUILDING_RANKING,
            ESTATE_PRIORITY,
            COMMUNITY_PRIORITY,
            DISTRICT_PRIORITY,
            REJECTS,
        ),
        lists=("districts/*.csv",),
    ),
    Stage(
        name="atlas",
        title="maps",
        home=SCENARIO,
        settings=("city", "sources", "measure", "score", "atlas"),
        reads=(
            DISTRICTS,
            BUILDINGS,
            WATER,
            STREET_EDGES,
            MEASUREMENTS,
            MAIN_ROAD_PATHS,
            RANKING,
            BUILDING_RANKING,
            DISTRICT_PRIORITY,
        ),
        reads_rasters=("terrain",),
        map_files=("ranking.gpkg",),
        pages=("index.html",),
    ),
)

SHARED_ROOMS = ("consent", "contracts", "geo", "pages", "settings", "store", "years")
PACKAGES = (
    "geopandas",
    "numpy",
    "pandas",
    "pyarrow",
    "pyogrio",
    "rasterio",
    "scikit-learn",
    "scipy",
    "shapely",
    "folium",
    "threadpoolctl",
    "branca",
    "jinja2",
    "xstatic-leaflet",
)
CODE_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Step:
    """What became of one stage in a run."""

    stage: Stage
    reasons: tuple[str, ...]
    seconds: float

    @property
    def has_run(self) -> bool:
        """Whether the stage was run, or was up to date."""
        return bool(self.reasons)


Watch = Callable[[Stage, tuple[str, ...]], None]


def run_stages(places: Places, settings: Settings, watch: Watch) -> list[Step]:
    """Bring every table, list and page of a city and scenario up to date.

    ``watch`` is called with each stage and the reasons why it runs before it does so.

    Raises
    ------
    Problem
        If a source, a setting or the machine stands in the way; earlier stages stay done, the stage
        at fault leaves its old outputs untouched.
    """
    files.make_folder(places.city_folder)
    with state.single_run(places.lock_file):
        files.remove_partial(places.city_folder)
        files.remove_partial(places.maps_folder)
        steps = []
        for stage in STAGES:
            begin = time.perf_counter()
            record = _record(stage, places, settings)
            reasons = tuple(state.reasons_to_run(places.state_file, record))
            if reasons:
                watch(stage, reasons)
                with _collector_resting():
                    _run(stage, places, settings)
                wrote = tuple(places.outputs(stage))  # families are known only now
                state.remember(places.state_file, replace(record, outputs=wrote))
            steps.append(Step(stage, reasons, time.perf_counter() - begin))
        _write_ledger(places, settings)
    return steps


def why(places: Places, settings: Settings) -> dict[str, list[str]]:
    """Return for each stage why it would run now, without running anything.

    A stage that reads what an earlier one will write anew may have to follow; that is known only
    once the earlier one has run, so it is said as a possibility.
    """
    told: dict[str, list[str]] = {}
    stale: dict[str, str] = {}
    for stage in STAGES:
        record = _record(stage, places, settings)
        reasons = (
            state.reasons_to_run(places.state_file, record)
            if places.state_file.exists()
            else ["it has not run yet"]
        )
        if not reasons:
            waits = sorted({stale[t.name] for t in stage.reads if t.name in stale})
            reasons = [f"if {name} changes what it writes" for name in waits]
        if reasons:
            stale |= {table.name: stage.name for table in stage.writes}
        told[stage.name] = reasons
    return told


def _record(stage: Stage, places: Places, settings: Settings) -> state.StageRecord:
    from pipeline.store.raw_folder import source_path

    dumped = settings.model_dump(include=set(stage.settings))
    scenario = f":{places.scenario}" if stage.home == SCENARIO else ""
    paths = [source_path(places.raw, source) for source in settings.sources.values()]
    return state.StageRecord(
        name=stage.name + scenario,
        inputs=tuple(places.inputs(stage, sorted(set(paths)))),
        outputs=tuple(places.outputs(stage)),
        settings=flatten(dumped),
        code=_code_digests(stage.name) | _versions(),
    )


@cache
def _code_digests(room: str) -> dict[str, str]:
    own = [CODE_FOLDER / "flow.py", CODE_FOLDER / "problem.py"]
    for name in (room, *SHARED_ROOMS):
        own += sorted(path for path in (CODE_FOLDER / name).rglob("*") if _is_code(path))
    return {path.relative_to(CODE_FOLDER).as_posix(): state.digest(path) for path in own}


def _is_code(path: Path) -> bool:
    return path.is_file() and path.suffix in (".py", ".js", ".css", ".html", ".j2")


@cache
def _versions() -> dict[str, str]:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"python": python, **{name: version(name) for name in PACKAGES}}


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Let the search for reference cycles rest: over millions of small objects it costs a quarter.

    Reference counting goes on freeing memory; tables hold hardly any cycles.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _run(stage: Stage, places: Places, settings: Settings) -> None:
    inputs = _load(stage, places, settings)
    outputs: Outputs = importlib.import_module(f"pipeline.{stage.name}.stage").run(inputs)
    _save(stage, places, settings, outputs)


def _load(stage: Stage, places: Places, settings: Settings) -> Inputs:
    sources: dict[str, Any] = {}
    if stage.reads_sources:
        from pipeline.store.sources import read_sources

        sources = read_sources(places.raw, settings.sources)
    earlier = STAGES[: STAGES.index(stage)]
    return Inputs(
        tables={table: _table(places, table) for table in stage.reads},
        sources=sources,
        rasters={name: files.read_raster(places.raster(name)) for name in stage.reads_rasters},
        settings=settings,
        ledgers={one.name: files.read_json(places.ledger(one)) for one in earlier},
        scenario=places.scenario if stage.home == SCENARIO else "",
    )


def _table(places: Places, table: Table) -> Any:
    return files.read_parquet(places.table(table), has_geometry=bool(table.geometry))


def _save(stage: Stage, places: Places, settings: Settings, outputs: Outputs) -> None:
    from pipeline.contracts.check import conform, inspect
    from pipeline.store.csv import csv_bytes
    from pipeline.store.geopackage import write_geopackage

    _same_names(stage, outputs)
    tables = {}
    for table, frame in outputs.tables.items():
        tables[table] = conform(table, frame)
        inspect(table, tables[table], stage_name=stage.name, crs=settings.city.crs)
    copies = {}
    for table in stage.csv_copies:
        copies[table] = tables[table] if table in tables else _table(places, table)
    parts = {name: (table, conform(table, rows)) for name, (table, rows) in outputs.lists.items()}
    for table, rows in parts.values():
        inspect(table, rows, stage_name=stage.name, crs=settings.city.crs)
    with files.Batch() as batch, ThreadPoolExecutor(os.cpu_count()) as threads:
        # Arrow writes without holding the interpreter, so tables and lists are written side by side
        lists = threads.map(lambda table: csv_bytes(table, copies[table]), copies)
        family = threads.map(lambda part: csv_bytes(*part), parts.values())
        for table, content in zip(
            tables, threads.map(files.parquet_bytes, tables.values()), strict=True
        ):
            batch.add(places.table(table), content)
        for table, content in zip(copies, lists, strict=True):
            batch.add(places.csv(table), content)
        for name, content in zip(parts, family, strict=True):
            batch.add(places.list_file(name), content)
        for name, raster in outputs.rasters.items():
            batch.add(places.raster(name), files.raster_bytes(raster))
        for name, text in outputs.pages.items():
            batch.add(places.maps_folder / name, text.encode())
        written = {places.maps_folder / name for name in outputs.pages}
        written |= {places.list_file(name) for name in parts}
        for path in [*places.family_pages(stage), *places.family_lists(stage)]:
            if path not in written:
                batch.remove(path)
        for name, layers in outputs.map_layers.items():
            path = places.map_file(name)
            write_geopackage(batch.partial(path), path, layers)
        batch.add(places.ledger(stage), files.json_bytes(outputs.ledger))


def _same_names(stage: Stage, outputs: Outputs) -> None:
    """Stop if a stage hands back something else than it declares."""
    declared = (
        set(stage.writes),
        set(stage.writes_rasters),
        set(stage.pages) - set(stage.page_families),
        set(stage.map_files),
    )
    single = {name for name in outputs.pages if not _is_of_family(name, stage.page_families)}
    strays = [name for name in outputs.lists if not _is_of_family(name, stage.lists)]
    if strays:
        raise AssertionError(f"{stage.name} does not declare the lists {strays}")
    found = (set(outputs.tables), set(outputs.rasters), single, set(outputs.map_layers))
    if declared != found:
        raise AssertionError(f"{stage.name} declares {declared} but hands back {found}")


def _is_of_family(name: str, families: tuple[str, ...]) -> bool:
    return any(PurePosixPath(name).match(family) for family in families)


def read_ledgers(places: Places) -> dict[str, dict[str, Any]]:
    """Return what each stage put on record."""
    return {stage.name: files.read_json(places.ledger(stage)) for stage in STAGES}


def _write_ledger(places: Places, settings: Settings) -> None:
    """Write the ledger of the whole run, unless it stands there already."""
    sources = {
        name: {
            "path": source.path,
            "publisher": source.publisher,
            "licence": source.licence,
            "date": source.date,
        }
        for name, source in sorted(settings.sources.items())
    }
    content = {
        "city": settings.city.name_en,
        "city_zh": settings.city.name_zh,
        "is_synthetic": settings.city.is_synthetic,
        "scenario": places.scenario,
        "sources": sources,
        "stages": read_ledgers(places),
    }
    path, text = places.scenario_folder / "ledger.json", files.json_bytes(content)
    if not path.exists() or path.read_bytes() != text:
        with files.Batch() as batch:
            batch.add(path, text)
