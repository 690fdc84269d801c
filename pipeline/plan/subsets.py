"""Which sets of a project's works are worth looking at: those that no cheaper set outdoes.

Single works are chosen freely, so a project may leave out any of them. A fault that gets worse adds a
work to choose from or makes one relieve more: every set that could be chosen before can be chosen
still, for the same money and no less relief. So in the best plan no project waits because one of its
faults got worse.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats

MOST_WORKS = 62
"""Places of a row that fit into the bits of a whole number."""


@dataclass(frozen=True)
class Sets:
    """Sets of the works of one project: bit ``k`` of ``done`` is set where place ``k`` is done."""

    done: NDArray[np.int64]

    @property
    def works_count(self) -> NDArray[np.int64]:
        """How far down the row each set goes."""
        return np.frexp(self.done.astype(float))[1].astype(np.int64)

    @property
    def left_out(self) -> NDArray[np.int64]:
        """Which places before that are not done."""
        return np.left_shift(np.int64(1), self.works_count) - 1 - self.done


def undominated(
    cost: Floats,
    relief: Floats,
    must_count: int,
    may_skip: NDArray[np.bool_],
    *,
    at_most: int,
) -> Sets | None:
    """Return the sets of which no other costs no more and relieves as much; none if over ``at_most``.

    ``cost`` and ``relief`` are of single works in their order, of which the first ``must_count`` are
    in every set; one that may not be skipped is in every set that goes further. Nemhauser & Ullmann
    1969: works are added one by one, and only what is undominated so far is kept.
    """
    start = (1 << must_count) - 1
    done = np.array([start], dtype=np.int64)
    spent = np.array([cost[:must_count].sum()])
    gained = np.array([relief[:must_count].sum()])
    ended = [(done[:0], spent[:0], gained[:0])]
    for place in range(must_count, len(cost)):
        bigger = (done | (1 << place), spent + cost[place], gained + relief[place])
        if may_skip[place]:
            done, spent, gained = _kept(*_both((done, spent, gained), bigger))
        else:
            ended.append((done, spent, gained))
            done, spent, gained = bigger
        if len(done) > at_most:
            return None
    for one in ended:
        done, spent, gained = _both((done, spent, gained), one)
    done, spent, gained = _kept(done, spent, gained)
    return Sets(np.sort(done[done > 0]))


_States = tuple[NDArray[np.int64], Floats, Floats]


def _both(one: _States, other: _States) -> _States:
    return (
        np.concatenate([one[0], other[0]]),
        np.concatenate([one[1], other[1]]),
        np.concatenate([one[2], other[2]]),
    )


def _kept(done: NDArray[np.int64], spent: Floats, gained: Floats) -> _States:
    order = np.lexsort((done, -gained, spent))
    best = np.maximum.accumulate(gained[order])
    is_kept = np.ones(len(order), dtype=bool)
    is_kept[1:] = gained[order][1:] > best[:-1]
    kept = order[is_kept]
    return done[kept], spent[kept], gained[kept]
