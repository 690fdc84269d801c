"""Which works each project may choose: a row of single works, of which any set may be taken.

What must be done once a project begins stands first: enabling works, compulsory classes, and what
mends the fault for which a veto lifts a building. The others follow by relief per public yuan, so at
a price of relief that is the same for each yuan a first part of the row is best. With whole packages
the row goes by package instead, and ends only where a package does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.plan.cost import WHOLE_PROJECT, Flags, Works, trigger_values
from pipeline.plan.relief import NEED_ENDING, Relief, Weighed, need_after, value_after
from pipeline.settings.plan import PackageRule, PlanMeasure, PlanSettings
from pipeline.settings.score import Veto


@dataclass(frozen=True)
class Row:
    """The works of all projects in order, project by project.

    ``work`` numbers the works; of project ``p`` they are ``work[first[p] : first[p + 1]]``.
    ``may_end`` is set on every work after which a project may stop.
    """

    work: NDArray[np.int64]
    project: NDArray[np.int64]
    first: NDArray[np.int64]
    relief: Floats
    """What each work adds to what the works before it relieve: each criterion is relieved once."""
    may_end: Flags
    may_skip: Flags
    """Set where a work may be left out while later ones are done: neither one that the project must do,
    nor one that touches a need which a later one touches too."""
    alone: Floats
    """What each work would relieve if it were the only one."""
    must_count: NDArray[np.int64]
    """How many works at the head of each project's row it must do."""

    @property
    def count(self) -> NDArray[np.int64]:
        """Works of each project."""
        return np.diff(self.first)

    def sums(self, by_work: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return for each place in the row the sum over the project up to and with that place."""
        total = np.concatenate([[0.0], np.cumsum(by_work.astype(float))])
        return total[1:] - total[self.first[self.project]]


def must_do(
    works: Works, is_lifted: Mapping[str, Flags], settings: PlanSettings, vetoes: Mapping[str, Veto]
) -> Flags:
    """Return the works that a project cannot leave out once it begins.

    ``is_lifted`` tells for each veto which buildings it lifts.
    """
    measures = list(settings.measures.values())
    wanted = np.array(
        [
            one.is_enabling or one.renovation_class in settings.packages.compulsory_classes
            for one in measures
        ]
    )
    found = wanted[works.measure]
    if not settings.schedule.safety_first:
        return found
    in_building = works.building != WHOLE_PROJECT
    for name, veto in vetoes.items():
        mends = np.array(
            [any(effect.column in veto.at_least for effect in one.effects) for one in measures]
        )
        found |= in_building & mends[works.measure] & is_lifted[name][works.building]
    return np.asarray(found)


def row_of(
    works: Works,
    relief: Relief,
    rows: pd.DataFrame,
    is_must: Flags,
    settings: PlanSettings,
    weights: Weighed,
    project_count: int,
) -> Row:
    """Return the works of each project in the order in which they are taken."""
    measures = list(settings.measures.values())
    alone = relief.by_work(weights.weights, len(works.project))
    with np.errstate(divide="ignore"):
        merit = alone / (works.cents * public_shares(measures)[works.measure])
    if settings.packages.choice == "works":
        kept = np.flatnonzero(is_must | (alone > 0))
        step = np.zeros(len(works.project), dtype=np.int64)
    else:
        step = package_steps(measures, list(settings.measures), settings.packages)[works.measure]
        kept = np.flatnonzero(is_must | (step < len(settings.packages.offered)))
    step = np.where(is_must, -1, step)
    order = kept[
        np.lexsort(
            (
                works.building[kept], works.measure[kept], -merit[kept], step[kept],
                works.project[kept],
            )
        )
    ]  # fmt: skip
    project = works.project[order]
    first = np.searchsorted(project, np.arange(project_count + 1))
    last_of_step = np.ones(len(order), dtype=bool)
    last_of_step[:-1] = (project[1:] != project[:-1]) | (step[order][1:] != step[order][:-1])
    free = settings.packages.choice == "works"
    may_end = last_of_step | (free & ~is_must[order])
    added, is_shared = _added_relief(order, relief, rows, works, measures, weights)
    may_skip = free & ~is_must[order] & ~is_shared
    must_count = np.bincount(project[is_must[order]], minlength=project_count)
    return Row(order, project, first, added, may_end, may_skip, alone[order], must_count)


def package_steps(
    measures: Sequence[PlanMeasure], keys: Sequence[str], rule: PackageRule
) -> NDArray[np.int64]:
    """Return for each measure the number of the first package that holds it; their count if none."""
    names = list(rule.offered)
    steps = np.full(len(measures), len(names), dtype=np.int64)
    for number, name in reversed(list(enumerate(names))):
        for place, (key, measure) in enumerate(zip(keys, measures, strict=True)):
            if _holds(name, key, measure, rule):
                steps[place] = number
    return steps


def _holds(name: str, key: str, measure: PlanMeasure, rule: PackageRule) -> bool:
    package = rule.offered[name]
    return (
        key in package.measures
        or measure.renovation_class in package.classes
        or any(_holds(inner, key, measure, rule) for inner in package.contains)
    )


def public_shares(measures: Sequence[PlanMeasure]) -> Floats:
    """Return the share of each measure's cost that residents and the maintenance fund do not pay."""
    paid = [one.resident_share + one.maintenance_fund_share for one in measures]
    return np.maximum(1 - np.array(paid), 1e-6)


def _added_relief(
    order: NDArray[np.int64],
    relief: Relief,
    rows: pd.DataFrame,
    works: Works,
    measures: Sequence[PlanMeasure],
    weights: Weighed,
) -> tuple[Floats, Flags]:
    """Return what each work of ``order`` adds, in that order, and which a later one shares a need with.

    Only where several works touch the same need of a building does this differ from what they relieve
    alone: the later one relieves what the earlier ones left.
    """
    place = np.full(len(works.project), -1)
    place[order] = np.arange(len(order))
    at = place[relief.work]
    inside = np.flatnonzero(at >= 0)
    inside = inside[np.lexsort((at[inside], relief.criterion[inside], relief.building[inside]))]
    building, criterion = relief.building[inside], relief.criterion[inside]
    amount = relief.need_households[inside]
    again = np.zeros(len(inside), dtype=bool)
    again[1:] = (building[1:] == building[:-1]) & (criterion[1:] == criterion[:-1])
    is_shared = np.zeros(len(order), dtype=bool)
    is_shared[at[inside[:-1][again[1:]]]] = True
    if again.any():
        amount = _once(inside, again, relief, rows, works, measures, weights)
    part = weights.weights[criterion] * amount
    added = np.bincount(at[inside], weights=part, minlength=len(order))
    return np.asarray(added, dtype=float), is_shared


def _once(
    inside: NDArray[np.int64],
    again: Flags,
    relief: Relief,
    rows: pd.DataFrame,
    works: Works,
    measures: Sequence[PlanMeasure],
    weights: Weighed,
) -> Floats:
    """Return the amounts with each need relieved once.

    Entries stand by building, criterion and order; ``again`` is set where the need is that of the
    entry before.
    """
    group = np.cumsum(~again) - 1
    start = np.flatnonzero(~again)
    depth = np.arange(len(inside)) - start[group]
    building, criterion = relief.building[inside], relief.criterion[inside]
    measure = works.measure[relief.work[inside]]
    value, need = np.full(len(start), np.nan), np.full(len(start), np.nan)
    for number, (name, one) in enumerate(weights.criteria.items()):
        mine = np.flatnonzero(criterion[start] == number)
        value[mine] = trigger_values(rows, one.measure)[building[start[mine]]]
        need[mine] = rows[f"{name}{NEED_ENDING}"].to_numpy(dtype=float)[building[start[mine]]]
    amount = np.zeros(len(inside))
    for level in range(int(depth.max()) + 1):
        here = np.flatnonzero(depth == level)
        for number, one in enumerate(weights.criteria.values()):
            for which in np.unique(measure[here[criterion[here] == number]]).tolist():
                mine = here[(criterion[here] == number) & (measure[here] == which)]
                effect = next(e for e in measures[which].effects if e.column == one.measure)
                of = group[mine]
                left = np.minimum(need_after(effect, value[of], need[of], one), need[of])
                amount[mine] = relief.size[building[mine]] * (need[of] - left)
                value[of], need[of] = value_after(effect, value[of]), left
    return amount


def package_names(
    inside: Flags, measure: NDArray[np.int64], row: Row, settings: PlanSettings
) -> NDArray[np.object_]:
    """Return the smallest package that holds the works taken by each project, "" where none are.

    ``inside`` and ``measure`` tell for each place in the row whether it is taken, and its measure.
    """
    keys, rule = list(settings.measures), settings.packages
    steps = package_steps(list(settings.measures.values()), keys, rule)
    highest = np.full(len(row.count), -1)
    np.maximum.at(highest, row.project[inside], steps[measure[inside]])
    names = np.array(["", *rule.offered, ""], dtype=object)
    return names[highest + 1]
