"""``make check CITY=…``: read everything, change nothing, say whether a ranking would be right."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeline import flow
from pipeline.check.facts import SourceFacts, heights_in_feet, source_facts
from pipeline.check.layers import layer_of
from pipeline.check.losses import Loss, losses
from pipeline.check.misplaced import Misplaced
from pipeline.check.placing import misplaced_layers
from pipeline.command.report import strayed_totals
from pipeline.contracts.check import conform
from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import REJECTS
from pipeline.problem import Problem
from pipeline.settings.whole import Settings
from pipeline.store.places import Places
from pipeline.store.sources import read_each_source

_LAST_STAGE = "plan"
WRONG, UNREADABLE = 1, 2


@dataclass(frozen=True)
class Checked:
    """Everything that a check found."""

    settings: Settings
    facts: tuple[SourceFacts, ...]
    unreadable: Mapping[str, Problem]
    """Source → why it cannot be read."""
    misplaced: tuple[Misplaced, ...]
    in_feet: Mapping[str, float]
    """Source → what a storey would measure in metres."""
    stopped: Problem | None
    """Why the run would stop, if it would."""
    ledgers: Mapping[str, Mapping[str, Any]]
    """What each stage that ran would put on record."""
    rejects: pd.DataFrame
    strayed: tuple[str, ...] = field(default=())

    @property
    def can_rank(self) -> bool:
        """Whether a ranking would come out at all."""
        return not self.unreadable and self.stopped is None

    @property
    def losses(self) -> list[Loss]:
        """Notable losses of rows and values, as far as the stages got."""
        if "intake" not in self.ledgers:
            return []
        return losses(self.ledgers["intake"], self.settings.intake.losses.notable_share)

    @property
    def lost_whole(self) -> list[Loss]:
        """Sources and columns of which nothing came through."""
        return [loss for loss in self.losses if loss.is_whole]

    @property
    def exit_code(self) -> int:
        """2 if a file cannot be read, 1 if a ranking would be wrong or none comes out, else 0."""
        if self.unreadable:
            return UNREADABLE
        wrong = self.stopped or self.misplaced or self.in_feet or self.strayed or self.lost_whole
        return WRONG if wrong else 0


def check_data(places: Places, settings: Settings) -> Checked:
    """Read every source, compare them, and run the stages up to the lists in memory."""
    raw, unreadable = read_each_source(
        places.raw, settings.sources, settings.city.crs, settings.intake.region_margin_m
    )
    crs, year = settings.city.crs, settings.measure.reference_year
    layers = {name: layer_of(name, settings.sources[name], raw[name]) for name in raw}
    facts = tuple(
        source_facts(name, settings.sources[name], raw[name], layers[name], crs, year)
        for name in sorted(raw)
    )
    known = [layer for _, layer in sorted(layers.items()) if layer is not None]
    feet = {name: heights_in_feet(settings.sources[name], raw[name]) for name in sorted(raw)}
    ledgers: dict[str, Mapping[str, Any]] = {}
    rejects = pd.DataFrame(columns=list(REJECTS.column_names))
    stopped = None
    if not unreadable:
        try:
            rejects = _try_stages(raw, settings, places.scenario, ledgers)
        except Problem as problem:
            stopped = problem
    return Checked(
        settings, facts, unreadable, tuple(misplaced_layers(known, crs)),
        {name: one for name, one in feet.items() if one is not None},
        stopped, ledgers, rejects,
        tuple(strayed_totals(settings, ledgers)) if _LAST_STAGE in ledgers else (),
    )  # fmt: skip


def _try_stages(
    raw: Mapping[str, Any],
    settings: Settings,
    scenario: str,
    ledgers: dict[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """Run the stages up to the lists without saving; return the rejects, fill in the ledgers."""
    tables: dict[Any, Any] = {}
    rasters: dict[str, Any] = {}
    for stage in flow.STAGES:
        inputs = Inputs(
            tables={table: tables[table] for table in stage.reads},
            sources=raw if stage.reads_sources else {},
            rasters={name: rasters[name] for name in stage.reads_rasters},
            settings=settings,
            ledgers=dict(ledgers),
            scenario=scenario,
        )
        outputs = importlib.import_module(f"pipeline.{stage.name}.stage").run(inputs)
        # copied, since a table put together column by column is slow to use until it was saved
        tables |= {table: conform(table, frame).copy() for table, frame in outputs.tables.items()}
        rasters |= outputs.rasters
        ledgers[stage.name] = outputs.ledger
        if stage.name == _LAST_STAGE:
            break
    return tables[REJECTS]
