"""Planners that break one rule each, for the checker of plans to catch."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.contracts.tables import BUILDINGS, CONSENTS, ESTATE_FACTS, MEASUREMENTS
from pipeline.plan.annual import of_ranking
from pipeline.plan.outputs import Planned, planned
from pipeline.plan.priced import Priced, cut_to_read, priced
from pipeline.plan.readiness import NEVER
from pipeline.store.configuration import read_settings

Mutation = Callable[[Any, Any, Any], tuple[Any, Any, Any]]


class SmallCity:
    """A ranked city, to be planned by a planner that may be wrong."""

    def __init__(self, root: Path) -> None:
        folder = root / "data" / "processed" / "reference"
        told = read_settings(root / "config", "reference", "base")
        # near enough for rules, and soon there
        self.settings = with_rule("schedule", relative_gap=0.02)(told, None, None)[0]
        tables = {
            BUILDINGS: gpd.read_parquet(folder / "buildings.parquet"),
            MEASUREMENTS: pd.read_parquet(folder / "measurements.parquet"),
            CONSENTS: pd.read_parquet(folder / "consents.parquet"),
            ESTATE_FACTS: pd.read_parquet(folder / "estate_facts.parquet"),
        }
        found = priced(cut_to_read(tables, self.settings.plan), self.settings)
        assert found is not None
        self.priced = found
        year = pd.Series(found.ready.year, dtype="float64")
        self.ready_year = year.mask(year >= NEVER).to_numpy()
        self.ranking = pd.read_parquet(folder / "base" / "ranking.parquet")
        home = found.buildings["building_id"]
        self.values = found.buildings.set_index("building_id")
        self.needs = (
            self.ranking.set_index("building_id").filter(like="_need_share").loc[home]
        ).rename(columns=lambda name: name.removesuffix("_need_share"))

    def config(self, section: str = "schedule", **changes: object) -> dict[str, Any]:
        """Return the settings as plain text would give them, some of the plan's changed."""
        told = with_rule(section, **changes)(self.settings, None, None)[0]
        plain: dict[str, Any] = told.model_dump(mode="json")
        return plain

    def plan(self, mutation: Mutation | None = None) -> Planned:
        """Return the plan, of a planner that mistakes settings, prices or ranking as told."""
        seen = (self.settings, self.priced, self.ranking)
        settings, found, ranking = mutation(*seen) if mutation else seen
        return planned(found, ranking[of_ranking(ranking.columns.tolist())], settings, "base")

    def tables(self, plan: Planned) -> dict[str, pd.DataFrame]:
        """Return the tables that the checker looks at."""
        lifted = self.ranking[["building_id", "lifted_by_code"]]
        by_name = {table.name: frame for table, frame in plan.tables.items()}
        return {
            "projects": by_name["plan_projects"],
            "works": by_name["plan_works"],
            "lines": by_name["plan_lines"],
            "buildings": plan.by_building.reset_index().merge(lifted, on="building_id"),
        }


def with_rule(section: str, **changes: object) -> Mutation:
    """Return a planner that takes other settings of a section of the plan for true."""

    def mutation(settings: Any, found: Priced, ranking: pd.DataFrame) -> Any:
        rule = getattr(settings.plan, section).model_copy(update=changes)
        plan = settings.plan.model_copy(update={section: rule})
        return settings.model_copy(update={"plan": plan}), found, ranking

    return mutation


def without_enabling(settings: Any, found: Priced, ranking: pd.DataFrame) -> Any:
    """Take works that others need for works like any other, with a little relief of their own."""
    measures = {
        key: one.model_copy(update={"is_enabling": False})
        for key, one in settings.plan.measures.items()
    }
    plan = settings.plan.model_copy(update={"measures": measures})
    return settings.model_copy(update={"plan": plan}), found, ranking


def without_votes(settings: Any, found: Priced, ranking: pd.DataFrame) -> Any:
    """Take every project for ready in the first year."""
    first = np.full(len(found.ready.year), settings.plan.schedule.first_year)
    told = pd.Series(found.ready.year)
    ready = replace(found.ready, year=first)
    assert (told > first).any()
    return settings, replace(found, ready=ready), ranking


def with_free_money(settings: Any, found: Priced, ranking: pd.DataFrame) -> Any:
    """Plan with half as much again as there is in every year."""
    more = [1.5 * one for one in settings.plan.schedule.budget_cny]
    return with_rule("schedule", budget_cny=more)(settings, found, ranking)
