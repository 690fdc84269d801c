"""What works relieve: need before minus need after, by the value functions and weights of the score.

Relief is counted in need-households, as need is: a household at 100 points is one. What no work
touches (age, slope, the way to the metro) ranks a building and is relieved by nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.need.value_functions import need_share
from pipeline.need.weights import WEIGHT_UNITS, weight_units, weighting
from pipeline.plan.cost import WHOLE_PROJECT, Works, trigger_values
from pipeline.problem import Problem
from pipeline.settings.plan import Effect, PlanMeasure
from pipeline.settings.score import Criterion, ScoreSettings

NEED_ENDING = "_need_share"


@dataclass(frozen=True)
class Weighed:
    """The criteria that the ranking counts, in its order, with their weights; these sum to 1."""

    criteria: Mapping[str, Criterion]
    weights: Floats


@dataclass(frozen=True)
class Relief:
    """What single works take away, one entry for each work, building and criterion.

    ``need_households`` is households (or what config multiplies need by) × need taken away, before the
    weight of the criterion. Entries are sorted by work.
    """

    work: NDArray[np.int64]
    building: NDArray[np.int64]
    criterion: NDArray[np.int64]
    need_households: Floats
    size: Floats
    """Households of each building, or what else config multiplies need by."""

    def by_work(self, weights: Floats, count: int) -> Floats:
        """Return the relief of each of ``count`` works under weights of the criteria."""
        part = weights[self.criterion] * self.need_households
        return np.asarray(np.bincount(self.work, weights=part, minlength=count), dtype=float)


def weighed(ranking_columns: Sequence[str], settings: ScoreSettings) -> Weighed:
    """Return the criteria whose need the ranking shows, weighted as it weights them."""
    used = {n: c for n, c in settings.criteria.items() if f"{n}{NEED_ENDING}" in ranking_columns}
    given = weighting(settings).weights
    units = weight_units({name: given[name] for name in used})
    return Weighed(used, np.array(list(units.values()), dtype=float) / WEIGHT_UNITS)


def refuse_unknown_columns(
    measures: Mapping[str, PlanMeasure],
    criteria: Mapping[str, Criterion],
    columns: Collection[str],
) -> None:
    """Refuse effects on columns that no criterion and none of the ``columns`` of the tables has.

    Raises
    ------
    Problem
        It names the measure and the column.
    """
    known = {criterion.measure for criterion in criteria.values()} | set(columns)
    for key, measure in measures.items():
        for effect in measure.effects:
            if effect.column not in known:
                raise Problem(
                    f"plan.measures.{key}.effects",
                    f"{effect.column} is no column of measurements or buildings",
                    expected="what a criterion measures, for example main_road_climb_m",
                    fix="correct the column; data/README.md lists all of them",
                )


def relief_of(
    works: Works,
    rows: pd.DataFrame,
    project: NDArray[np.int64],
    size: Floats,
    measures: Sequence[PlanMeasure],
    weights: Weighed,
) -> Relief:
    """Return what each work would relieve if it were done alone.

    ``rows`` are the planned buildings with their measurements and a need share for every criterion
    that is touched, ``project`` the project of each, ``size`` its households. A work for a whole
    project serves all buildings of the project.
    """
    of_project = _Members(project)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], int, Floats]] = []
    for number, measure in enumerate(measures):
        mine = np.flatnonzero(works.measure == number)
        if not mine.size:
            continue
        whole = works.building[mine] == WHOLE_PROJECT
        alone, together = mine[~whole], mine[whole]
        served, of_work = of_project.of(works.project[together])
        work = np.concatenate([alone, together[of_work]])
        building = np.concatenate([works.building[alone], served])
        for place, (name, criterion) in enumerate(weights.criteria.items()):
            for effect in measure.effects:
                if effect.column == criterion.measure:
                    value = trigger_values(rows, effect.column)[building]
                    before = rows[f"{name}{NEED_ENDING}"].to_numpy(dtype=float)[building]
                    taken = np.maximum(before - need_after(effect, value, before, criterion), 0.0)
                    parts.append((work, building, place, size[building] * taken))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Relief(none, none, none, np.zeros(0), size)
    work = np.concatenate([part[0] for part in parts])
    building = np.concatenate([part[1] for part in parts])
    which = np.repeat([part[2] for part in parts], [len(part[0]) for part in parts])
    amount = np.concatenate([part[3] for part in parts])
    order = np.lexsort((which, building, work))
    order = order[amount[order] > 0]
    return Relief(work[order], building[order], which[order], amount[order], size)


def need_after(effect: Effect, value: Floats, before: Floats, criterion: Criterion) -> Floats:
    """Return the need after an effect; an unknown measurement keeps its need under a share."""
    after = need_share(value_after(effect, value), criterion)
    return np.where(np.isnan(after), before, after)


def value_after(effect: Effect, value: Floats) -> Floats:
    """Return the measurement after an effect, NaN where that cannot be told."""
    return value * effect.becomes if effect.is_share else np.full(len(value), effect.becomes)


class _Members:
    """The buildings of each project."""

    def __init__(self, project: NDArray[np.int64]) -> None:
        self.order = np.argsort(project, kind="stable")
        self.sorted = project[self.order]

    def of(self, projects: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the buildings of all these projects, and which of ``projects`` each is of."""
        first = np.searchsorted(self.sorted, projects, side="left")
        size = np.searchsorted(self.sorted, projects, side="right") - first
        which = np.repeat(np.arange(len(projects)), size)
        place = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size) + first[which]
        return self.order[place], which
