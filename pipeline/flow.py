"""START HERE: the six stages in order, and the loop that runs them.

A stage never opens a file. For each stage whose inputs, settings or code changed, the loop has
``store`` load what the stage declares, calls its ``run``, inspects the result against the contracts
and has ``store`` save it, all files together.
"""

import gc
import importlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline import scratch
from pipeline.beside import Beside, Task
from pipeline.contracts.stage import Inputs, Stage
from pipeline.contracts.tables import (
    AMENITIES,
    ANNUAL_LIST,
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
    PLAN_LINES,
    PLAN_PROJECTS,
    PLAN_SUMMARY,
    PLAN_WORKS,
    RANKING,
    REJECTS,
    SCENARIO,
    STREET_EDGES,
    STREET_NODES,
    WATER,
)
from pipeline.fingerprints import remarks_of, stage_record
from pipeline.handover import Kept, Saver, checked
from pipeline.problem import Problem
from pipeline.settings.whole import Settings
from pipeline.store import files, state
from pipeline.store.places import Places
from pipeline.store.recorded import Recorded

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
        title="lists of buildings and districts, and the annual plan",
        home=SCENARIO,
        settings=("city", "consent", "measure.reference_year", "plan", "score"),
        reads=(DISTRICTS, BUILDINGS, MEASUREMENTS, RANKING, REJECTS, ESTATE_FACTS, CONSENTS),
        prepares_from=(DISTRICTS, BUILDINGS, MEASUREMENTS, ESTATE_FACTS, CONSENTS),
        writes=(
            BUILDING_RANKING,
            ESTATE_PRIORITY,
            COMMUNITY_PRIORITY,
            DISTRICT_PRIORITY,
            PLAN_PROJECTS,
            PLAN_LINES,
            PLAN_WORKS,
            PLAN_SUMMARY,
            ANNUAL_LIST,
        ),
        workbooks=("annual_list.xlsx",),
        csv_copies=(
            BUILDING_RANKING,
            ESTATE_PRIORITY,
            COMMUNITY_PRIORITY,
            DISTRICT_PRIORITY,
            REJECTS,
            PLAN_PROJECTS,
            PLAN_LINES,
            PLAN_WORKS,
            PLAN_SUMMARY,
            ANNUAL_LIST,
        ),
        lists=("districts/*.csv",),
    ),
    Stage(
        name="gis",
        title="layers for QGIS",
        home=SCENARIO,
        settings=("atlas",),
        reads=(DISTRICTS, BUILDINGS, BUILDING_RANKING),
        map_files=("ranking.gpkg",),
    ),
    Stage(
        name="atlas",
        title="maps",
        home=SCENARIO,
        settings=("city", "sources", "intake", "measure", "consent", "score", "plan", "atlas"),
        reads_remarks=True,
        reads=(
            DISTRICTS,
            BUILDINGS,
            ESTATES,
            WATER,
            STREET_EDGES,
            MEASUREMENTS,
            MAIN_ROAD_PATHS,
            RANKING,
            BUILDING_RANKING,
            DISTRICT_PRIORITY,
            PLAN_PROJECTS,
            PLAN_SUMMARY,
            REJECTS,
        ),
        reads_rasters=("terrain",),
        pages=("index.html", "quality.html", "districts/*.html", "briefs/*.html"),
    ),
)

USED_BESIDE = {
    "measure": ("sklearn.ensemble", "pipeline.measure.land", "pipeline.measure.years"),
    "score": (
        "pipeline.plan.priced",
        "scipy.sparse.csgraph",
        "pipeline.plan.outputs",
        "highspy",
        "xlsxwriter",
    ),
    "gis": ("pipeline.atlas.stage", "pipeline.atlas.frame", "pipeline.atlas.spelling"),
}
"""Modules that take long to load, by the stage during which a second interpreter has time for it."""
LARGE_RAW_BYTES = 15_000_000
"""From here on a second interpreter is worth its start; this changes no result."""


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
        scratch.remove_left()
        steps = []
        kept = Kept(recorded(places))
        begun: dict[str, Task[Any]] = {}
        beside = Beside(is_wanted=_is_large(places, settings))
        with _collector_resting(), beside, Saver(places) as saver:
            for number, stage in enumerate(STAGES):
                begin = time.perf_counter()
                record = stage_record(stage, places, settings)
                reasons = tuple(_reasons(record, places, saver))
                if reasons:
                    watch(stage, reasons)
                    if (
                        stage.reads_sources
                    ):  # its first call shall not wait for what later ones need
                        beside.load(sum(USED_BESIDE.values(), ()), after_next_call=True)
                    beside.load(USED_BESIDE.get(stage.name, ()))
                    for one in STAGES[number : number + 2]:
                        if one.name not in begun and _can_begin(one, stage):
                            begun[one.name] = _begin(one, settings, kept, beside)
                    task = begun.get(stage.name)
                    inputs = _load(stage, places, settings, kept, beside, task)
                    run = importlib.import_module(f"pipeline.{stage.name}.stage").run
                    product = checked(stage, settings, run(inputs), kept)
                    kept.put(product, STAGES[number + 1 :])
                    saver.put(product, record)
                steps.append(Step(stage, reasons, time.perf_counter() - begin))
        _refuse_removed(places)
        _write_ledger(places, settings)
    return steps


def _refuse_removed(places: Places) -> None:
    """Stop if something removed outputs while the run went on: they must not be thought to be there."""
    for stage in STAGES:
        for path in [places.state_file, *places.outputs(stage)]:
            if not path.exists():
                raise Problem(
                    path, "was removed while the run went on", fix="run the same command again"
                )


def _reasons(record: state.StageRecord, places: Places, saver: Saver) -> list[str]:
    """Return why a stage runs; what it reads is looked at only if nothing else makes it run.

    So a stage that must run anyway need not wait for the files of the one before.
    """
    reasons = state.own_reasons(places.state_file, record)
    if not reasons:
        saver.wait()
        reasons = state.input_reasons(places.state_file, record)
    return reasons


def why(places: Places, settings: Settings) -> dict[str, list[str]]:
    """Return for each stage why it would run now, without running anything.

    A stage that reads what an earlier one will write anew may have to follow; that is known only
    once the earlier one has run, so it is said as a possibility.
    """
    told: dict[str, list[str]] = {}
    stale: dict[str, str] = {}
    for stage in STAGES:
        record = stage_record(stage, places, settings)
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


def _can_begin(stage: Stage, running: Stage) -> bool:
    """Return whether a stage has something to prepare that does not hang on the one that runs."""
    return bool(stage.prepares_from) and not set(stage.prepares_from) & set(running.writes)


def _begin(stage: Stage, settings: Settings, kept: Kept, beside: Beside) -> Task[Any]:
    tables = {table: kept.table(table) for table in stage.prepares_from}
    prepare = importlib.import_module(f"pipeline.{stage.name}.stage").prepare
    task: Task[Any] = prepare(tables, settings, beside)
    return task


def _load(
    stage: Stage,
    places: Places,
    settings: Settings,
    kept: Kept,
    beside: Beside,
    prepared: Task[Any] | None = None,
) -> Inputs:
    sources: Mapping[str, Any] = {}
    if stage.reads_sources:
        from pipeline.store.sources import RawSources

        sources = RawSources(
            places.raw, settings.sources, settings.city.crs, settings.intake.region_margin_m
        )
    earlier = STAGES[: STAGES.index(stage)]
    return Inputs(
        tables={table: kept.table(table) for table in stage.reads},
        sources=sources,
        rasters={name: kept.raster(name) for name in stage.reads_rasters},
        settings=settings,
        ledgers={one.name: kept.ledger(one) for one in earlier},
        remarks=remarks_of(places, settings) if stage.reads_remarks else {},
        scenario=places.scenario if stage.home == SCENARIO else "",
        beside=beside,
        prepared=prepared,
    )


def _is_large(places: Places, settings: Settings) -> bool:
    """Return whether the raw files hold enough for two interpreters, and there are two cores."""
    from pipeline.store.raw_folder import source_files

    sources = settings.sources.values()
    paths = {path for source in sources for path in source_files(places.raw, source)}
    total = sum(path.stat().st_size for path in paths if path.exists())
    return total >= LARGE_RAW_BYTES and (os.cpu_count() or 1) > 1


def read_ledgers(places: Places) -> dict[str, dict[str, Any]]:
    """Return what each stage put on record."""
    found = recorded(places)
    return {stage.name: found.ledger(stage) for stage in STAGES}


def recorded(places: Places) -> Recorded:
    """Return what finished runs wrote, to be read by a command."""
    return Recorded(places, STAGES)


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
