"""How much a set of lifts relieves: exact, with all that one lift does to another.

The benefit of a set is the sum over households of what their walks out and home cost less: minutes, and
metres climbed as they are weighed when a way is chosen, the mean over how people mind a climb. Each
facility type counts by its weight. Households without any way today are not summed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.geo.profile import Integers
from pipeline.geo.raster import Floats
from pipeline.siting.lift_candidates import Candidates
from pipeline.siting.lift_routes import Arcs, Mode, Near, Routes

_NEAR_MIN = 1e-9


def arcs_of(candidates: Candidates) -> Arcs:
    """Return the lifts both ways: first all upwards, then all downwards."""
    return Arcs(
        np.concatenate([candidates.lower, candidates.upper]),
        np.concatenate([candidates.upper, candidates.lower]),
        np.tile(candidates.there_min, 2),
    )


@dataclass(frozen=True)
class Change:
    """What further lifts do to the walks of one mode: entries of its costs, and what they become."""

    houses: Integers
    house_cost_min: Floats
    ends: Integers
    end_cost_min: Floats


class Relief:
    """The benefit of sets of lifts.

    Parameters
    ----------
    routes
        What lies around the ends of the lifts.
    lifts
        The lifts as arcs, both ways, as ``arcs_of`` gives them.
    type_weight
        Of each facility type of ``routes``.
    household_weight
        Of each building.
    """

    def __init__(
        self, routes: Routes, lifts: Arcs, type_weight: Floats, household_weight: Floats
    ) -> None:
        self.routes = routes
        self.lifts = lifts
        self.count = len(lifts.begin) // 2
        self.end_count = routes.modes[0].end_cost_min.shape[1]
        self.type_weight = type_weight / max(len(routes.modes) // 2, 1)
        self.household_weight = household_weight
        self._is_counted = [np.isfinite(mode.house_cost_min) for mode in routes.modes]

    def today(self) -> list[tuple[Floats, Floats]]:
        """Return the costs of buildings and ends as they are, mode by mode; they may be changed."""
        return [
            (mode.house_cost_min.copy(), mode.end_cost_min.copy()) for mode in self.routes.modes
        ]

    def of(self, chosen: Sequence[int]) -> float:
        """Return the benefit of a set, household-minutes."""
        costs, gained = self.today(), 0.0
        built: list[int] = []
        for one in chosen:
            more, changes = self.more(costs, built, one)
            gained += more
            self.build(costs, changes)
            built.append(one)
        return gained

    def more(
        self, costs: list[tuple[Floats, Floats]], built: Sequence[int], one: int
    ) -> tuple[float, list[Change]]:
        """Return what one lift adds to those that are built, and the new costs."""
        gained, changes = 0.0, []
        for number, (mode, (house, end)) in enumerate(zip(self.routes.modes, costs, strict=True)):
            change = self._change(mode, house, end, [*built, one])
            saved = house.ravel()[change.houses] - change.house_cost_min
            gained += self._worth(number, change.houses, saved)
            changes.append(change)
        return gained, changes

    def build(self, costs: list[tuple[Floats, Floats]], changes: Sequence[Change]) -> None:
        """Put new costs in the place of the old."""
        for (house, end), change in zip(costs, changes, strict=True):
            house.ravel()[change.houses] = change.house_cost_min
            end.ravel()[change.ends] = change.end_cost_min

    def most(self, one: int) -> list[tuple[Integers, Floats]]:
        """Return which entries of each mode one lift could improve, and by how much at most.

        In any set to which it belongs a way whose last lift it is costs no less than with all lifts
        built up to there.
        """
        found = []
        for mode in self.routes.modes:
            seeds: dict[int, Floats] = {}
            for arc in (one, one + self.count):
                begin, finish = int(self.lifts.begin[arc]), int(self.lifts.finish[arc])
                seeds[finish] = mode.least_end_cost_min[:, begin] + self.lifts.cost_min[arc]
            entries, cost = _spread(mode.houses, seeds, mode.house_cost_min)
            found.append((entries, mode.house_cost_min.ravel()[entries] - cost))
        return found

    def worth_of_entries(self, number: int, entries: Integers) -> Floats:
        """Return what a minute less in entries of a mode is worth."""
        row, house = np.divmod(entries, len(self.household_weight))
        worth = self.type_weight[row] * self.household_weight[house]
        return np.where(self._is_counted[number].ravel()[entries], worth, 0.0)

    def _worth(self, number: int, entries: Integers, saved: Floats) -> float:
        worth = self.worth_of_entries(number, entries)
        return float((worth[worth > 0] * saved[worth > 0]).sum())

    def _change(self, mode: Mode, house: Floats, end: Floats, lifts: Sequence[int]) -> Change:
        """Return what the last of some lifts improves, through all of them."""
        pending = [lifts[-1], lifts[-1] + self.count]
        near: dict[int, Floats] = {}
        through: dict[int, Floats] = {}
        while pending:
            arc = pending.pop(0)
            begin, finish = int(self.lifts.begin[arc]), int(self.lifts.finish[arc])
            cost = near.get(begin, end[:, begin]) + self.lifts.cost_min[arc]
            before = np.minimum(near.get(finish, end[:, finish]), through.get(finish, np.inf))
            if not (cost < before - _NEAR_MIN).any():
                continue
            through[finish] = np.minimum(cost, through.get(finish, np.inf))
            around = mode.ends.of(finish)
            for other in lifts:
                for onward in (other, other + self.count):
                    start = int(self.lifts.begin[onward])
                    if onward == arc:
                        continue
                    at = np.searchsorted(mode.ends.what[around], start)
                    if at >= around.stop - around.start or mode.ends.what[around][at] != start:
                        continue
                    reached = through[finish] + mode.ends.cost_min[around][at]
                    known = near.get(start, end[:, start])
                    if (reached < known - _NEAR_MIN).any():
                        near[start] = np.minimum(reached, known)
                        pending.append(onward)
        return Change(*_spread(mode.houses, through, house), *_spread(mode.ends, through, end))


def _spread(around: Near, through: dict[int, Floats], cost: Floats) -> tuple[Integers, Floats]:
    """Return the entries of a table of costs that are less by way of some ends."""
    width = cost.shape[1]
    entries, costs = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for finish, seed in through.items():
        own = around.of(finish)
        what, leg = around.what[own], around.cost_min[own]
        whole = seed[:, None] + leg
        row, place = np.nonzero(whole < cost[:, what] - _NEAR_MIN)
        entries.append(row * width + what[place])
        costs.append(whole[row, place])
    entry, whole = np.concatenate(entries), np.concatenate(costs)
    if len(through) > 1:
        order = np.lexsort((whole, entry))
        entry, whole = entry[order], whole[order]
        first = np.append(True, np.diff(entry) > 0)[: len(entry)]
        entry, whole = entry[first], whole[first]
    return entry, whole
