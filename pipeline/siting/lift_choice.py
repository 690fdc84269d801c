"""Which lifts together relieve most for the money, and how far from the best that can be at most.

Two lifts may serve the same walk, and one may lead to another, so benefits are never added up. A set's
benefit f is exact (``lift_gain``). It is at most g, the benefit if each lift could be reached as if
all candidates were built and each walk took the best last lift of the set: g adds less to a larger
set (it is submodular), as in siting facilities. So for any set S no set within the money exceeds
g(S) + what the best lifts add to S, taken singly, as much as the money allows (Nemhauser, Wolsey and
Fisher 1978, doi 10.1007/BF01588971). The least such bound over several S, lowered by subgradient steps
on what each walk pays for its lift (the Lagrangean dual of siting facilities; Cornuéjols, Fisher and
Nemhauser 1977, doi 10.1287/mnsc.23.8.789), is the proof; small sets are searched by branch and bound.

Chosen is the best of three: most benefit first, most benefit per yuan first (each exactly greedy; a
benefit added before is looked at again only if it can still be the largest, Minoux 1978), and the best
small set. Where no lift leads to another the better of the first two relieves at least 0.316 of the
best (half of 1 − 1/e; Leskovec et al. 2007, doi 10.1145/1281192.1281239); the bound holds always.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np

from pipeline.geo.profile import Flags, Integers
from pipeline.geo.raster import Floats
from pipeline.siting.lift_gain import Change, Relief

_NEAR = 1e-6
_STEPS = 120
_PATIENCE = 8


@dataclass(frozen=True)
class Steps:
    """Lifts in the order in which they were taken, and what each added."""

    lifts: tuple[int, ...]
    added: tuple[float, ...]

    @property
    def total(self) -> float:
        """What all relieve together."""
        return float(sum(self.added))


@dataclass(frozen=True)
class Choice:
    """The best set that was found, its benefit, and what no set can exceed."""

    lifts: tuple[int, ...]
    benefit: float
    bound: float
    method: str

    @property
    def gap(self) -> float:
        """Share by which a better set could exceed this one at most."""
        return max(self.bound / self.benefit - 1, 0.0) if self.benefit > 0 else 0.0


def greedy(
    relief: Relief,
    cost: Floats,
    allowed: Flags,
    *,
    budget: float,
    most_count: int,
    by_cost: bool,
) -> Steps:
    """Return lifts taken one by one, always the one that adds most (per yuan) and can be paid."""
    costs = relief.today()
    price = cost if by_cost else np.ones(len(cost))
    queue = [(-np.inf, int(one), -1) for one in np.flatnonzero(allowed & (cost <= budget))]
    heapify(queue)
    lifts: list[int] = []
    added: list[float] = []
    left = budget
    while queue and len(lifts) < most_count:
        _, one, seen = heappop(queue)
        if cost[one] > left + _NEAR:
            continue
        more, changes = relief.more(costs, lifts, one)
        if seen < len(lifts):
            if more > _NEAR:
                heappush(queue, (-more / price[one], one, len(lifts)))
            continue
        moved = _moved_ends(relief, changes)
        relief.build(costs, changes)
        lifts.append(one)
        added.append(more)
        left -= cost[one]
        queue = [
            (-np.inf if _is_nearer(relief, other, moved) else key, other, when)
            for key, other, when in queue
        ]
        heapify(queue)
    return Steps(tuple(lifts), tuple(added))


def _moved_ends(relief: Relief, changes: Sequence[Change]) -> Flags:
    """Return which ends a new lift brings nearer: only lifts that begin there can now add more."""
    moved = np.zeros(relief.end_count, dtype=bool)
    for change in changes:
        moved[change.ends % relief.end_count] = True
    return moved


def _is_nearer(relief: Relief, one: int, moved: Flags) -> bool:
    return bool(moved[relief.lifts.begin[one]] or moved[relief.lifts.finish[one]])


class Bound:
    """The upper bound g on the benefit of sets of lifts."""

    def __init__(self, relief: Relief, cost: Floats, allowed: Flags) -> None:
        self.cost = cost
        self.allowed = np.flatnonzero(allowed)
        sizes = [mode.house_cost_min.size for mode in relief.routes.modes]
        first = np.cumsum([0, *sizes])
        self._size = int(first[-1])
        self._entries: dict[int, tuple[Integers, Floats]] = {}
        for one in self.allowed.tolist():
            entries, worth = [], []
            for number, (where, saved) in enumerate(relief.most(one)):
                weight = relief.worth_of_entries(number, where)
                counted = weight > 0
                entries.append(where[counted] + first[number])
                worth.append(saved[counted] * weight[counted])
            self._entries[one] = np.concatenate(entries), np.concatenate(worth)

    def of(self, lifts: Sequence[int]) -> tuple[float, Floats]:
        """Return g of a set and, for every entry, what its best lift relieves."""
        best = np.zeros(self._size)
        for one in lifts:
            where, worth = self._entries[one]
            best[where] = np.maximum(best[where], worth)
        return float(best.sum()), best

    def added(self, best: Floats, lifts: Sequence[int]) -> Floats:
        """Return what each lift would add to a set, zero where it is not allowed."""
        added = np.zeros(len(self.cost))
        for one in lifts:
            where, worth = self._entries[one]
            added[one] = np.maximum(worth - best[where], 0).sum()
        return added

    def most(self, start: Sequence[int], budget: float, most_count: int) -> float:
        """Return what no set within the money can exceed, by way of the set ``start``."""
        whole, best = self.of(start)
        added = self.added(best, self.allowed.tolist())
        return whole + _fractional(added, self.cost, budget, most_count)

    def lowered(self, start: Sequence[int], budget: float, most_count: int, target: float) -> float:
        """Return a lower bound of the same kind, by paying each walk another price.

        At prices p no set exceeds the sum of p and what the lifts earn above p, taken singly. The best
        lift's worth in ``start`` is the first price; ``target`` is a benefit that is reached.
        """
        lifts = self.allowed.tolist()
        if not lifts:
            return 0.0
        where = np.concatenate([self._entries[one][0] for one in lifts])
        worth = np.concatenate([self._entries[one][1] for one in lifts])
        size = np.array([len(self._entries[one][0]) for one in lifts])
        owner = np.repeat(np.arange(len(lifts)), size)
        used, where = np.unique(where, return_inverse=True)
        price = self.of(start)[1][used]
        cost, best, step = self.cost[self.allowed], np.inf, 1.0
        for number in range(_STEPS):
            above = np.maximum(worth - price[where], 0)
            earned = np.bincount(owner, above, len(lifts)).astype(float)
            share = _shares(earned, cost, budget, most_count)
            bound = float(price.sum() + _fractional(earned, cost, budget, most_count))
            if bound < best - _NEAR:
                best = bound
            elif number % _PATIENCE == _PATIENCE - 1:
                step /= 2
            slope = 1 - np.bincount(where, (above > 0) * share[owner], len(used))
            slope = np.where((price <= 0) & (slope > 0), 0, slope)
            length = float((slope**2).sum())
            if length <= 0 or bound <= target + _NEAR:
                break
            price = np.maximum(price - step * (bound - target) / length * slope, 0)
        return best


def _shares(added: Floats, cost: Floats, budget: float, most_count: int) -> Floats:
    """Return which lifts, or what part of them, earn most within the money and the number."""
    can = (added > 0) & (cost <= budget + _NEAR)
    order = np.argsort(-np.where(can, added / np.maximum(cost, _NEAR), -1), kind="stable")
    spent = np.cumsum(np.where(can, cost, 0)[order])
    part = np.clip((budget - (spent - cost[order])) / np.maximum(cost[order], _NEAR), 0, 1)
    part = np.where(can[order] & (np.cumsum(can[order]) <= most_count), part, 0)
    share = np.zeros(len(cost))
    share[order] = part
    return share


def _fractional(added: Floats, cost: Floats, budget: float, most_count: int) -> float:
    """Return the most that can be added, parts of lifts allowed, within the money and the number."""
    can = (added > 0) & (cost <= budget + _NEAR)
    added, cost = added[can], cost[can]
    by_count = float(np.sort(added)[::-1][:most_count].sum())
    order = np.argsort(-added / np.maximum(cost, _NEAR), kind="stable")
    spent = np.cumsum(cost[order])
    share = np.clip((budget - (spent - cost[order])) / np.maximum(cost[order], _NEAR), 0, 1)
    return min(by_count, float((added[order] * share).sum()))


def choose(
    relief: Relief,
    cost: Floats,
    allowed: Flags,
    *,
    budget: float,
    most_count: int,
    exact_count: int,
    node_limit: int,
) -> Choice:
    """Return the best set of lifts within the money, with its bound; none where none can be paid."""
    found = [
        (f"greedy{' per yuan' if by_cost else ''}", greedy(
            relief, cost, allowed, budget=budget, most_count=most_count, by_cost=by_cost
        ))
        for by_cost in (False, True)
    ]  # fmt: skip
    method, best = max(found, key=lambda pair: pair[1].total)
    lifts, benefit = best.lifts, best.total
    bounds = Bound(relief, cost, allowed)
    starts = {steps.lifts[:size] for _, steps in found for size in _sizes(len(steps.lifts))}
    bound = min(bounds.most(start, budget, most_count) for start in sorted(starts))
    bound = min(bound, bounds.lowered(lifts, budget, most_count, benefit))
    if exact_count:
        small = best_small(
            relief, bounds, budget=budget, most_count=min(exact_count, most_count),
            node_limit=node_limit,
        )  # fmt: skip
        if small.benefit > benefit + _NEAR:
            lifts, benefit, method = small.lifts, small.benefit, small.method
        if most_count <= exact_count or _none_can_be_added(cost, allowed, budget, exact_count):
            bound = min(bound, small.bound)
    return Choice(lifts, benefit, max(bound, benefit), method)


def _sizes(count: int) -> list[int]:
    return sorted({0, 1, 2, count // 4, count // 2, count})


def _none_can_be_added(cost: Floats, allowed: Flags, budget: float, count: int) -> bool:
    """Return whether more lifts than a number cannot be paid."""
    cheapest = np.sort(cost[allowed])[: count + 1]
    return len(cheapest) <= count or float(cheapest.sum()) > budget + _NEAR


def best_small(
    relief: Relief, bounds: Bound, *, budget: float, most_count: int, node_limit: int
) -> Choice:
    """Return the best set of at most so many lifts, by branch and bound.

    Sets are looked at in the order of their bound; what more than ``node_limit`` sets leave open
    stands between the benefit and the bound.
    """
    best: tuple[int, ...] = ()
    benefit, left_open, looked = 0.0, 0.0, 0
    queue: list[tuple[float, tuple[int, ...], tuple[int, ...]]] = []

    def branch(chosen: tuple[int, ...], others: tuple[int, ...]) -> None:
        nonlocal left_open
        whole, entries = bounds.of(chosen)
        spent = sum(bounds.cost[one] for one in chosen)
        room = most_count - len(chosen)
        can = [one for one in others if spent + bounds.cost[one] <= budget + _NEAR]
        added = bounds.added(entries, can)
        can.sort(key=lambda one: (-added[one], one))
        for place, one in enumerate(can):
            # the rest of the set comes from behind this one in the row
            rest = added[can[place + 1 : place + room]].sum()
            most = whole + added[one] + float(rest)
            if most > benefit + _NEAR:
                heappush(queue, (-most, (*chosen, one), tuple(can[place + 1 :])))

    branch((), tuple(bounds.allowed.tolist()))
    while queue:
        most, chosen, others = heappop(queue)
        if -most <= benefit + _NEAR:
            break
        if looked >= node_limit:
            left_open = -most
            break
        looked += 1
        value = relief.of(chosen)
        if value > benefit + _NEAR:
            best, benefit = chosen, value
        if len(chosen) < most_count:
            branch(chosen, others)
    return Choice(best, benefit, max(benefit, left_open), "branch and bound")
