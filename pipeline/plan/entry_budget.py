"""At which budget a waiting project enters: the plan by its prices, as money gets cheaper.

All years' prices of money fall alike. What projects then are worth taking costs more, until the
starts of their district and year are used up; a start gets the price at which no more projects want it
than may have it (an ascending auction, as in Bertsekas 1988 for assignments).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.plan.task import WAITS, Whole

SCALES = np.geomspace(1.0, 0.05, 61)
"""Prices of money that are looked at, as shares of today's."""
_MARGIN_SHARE = 0.02
"""Put on top: a plan near the best may pass over a project that is just worth its money."""
_ROUNDS = 200
_STEP = 0.01
"""Need-households by which a start gets dearer at least; twice as many after every 20 rounds, since
projects worth the same elsewhere bid each other up step by step."""


@dataclass(frozen=True)
class Wanted:
    """What projects (rows) are worth if they begin in each year (columns), and what that costs.

    ``worth`` is relief beyond money, without the start; -inf where a project may not begin. ``must`` is
    set where it begins whatever it is worth.
    """

    worth: Floats
    million: Floats
    district: Whole
    must: NDArray[np.bool_]


def auctioned(wanted: Wanted, limit: Whole, price: Floats) -> tuple[Whole, Floats]:
    """Return the year that each project takes, ``WAITS`` if none, and the prices of starts.

    ``limit`` and ``price`` are districts by years; prices only rise from where they are.
    """
    price = price.copy()
    rows = np.arange(len(wanted.district))
    for number in range(_ROUNDS):
        left = wanted.worth - price[wanted.district]
        year = left.argmax(axis=1)
        best = left[rows, year]
        takes = (best > 0) | (wanted.must & np.isfinite(best))
        count = np.zeros(limit.shape, dtype=np.int64)
        np.add.at(count, (wanted.district[takes], year[takes]), 1)
        over = np.argwhere(count > limit)
        if not len(over):
            break
        others = left.copy()
        others[rows, year] = -np.inf
        margin = best - np.maximum(others.max(axis=1, initial=-np.inf), 0.0)
        margin[wanted.must] = 1e9
        step = _STEP * 2 ** (number // 20)
        for district, when in over.tolist():
            mine = takes & (wanted.district == district) & (year == when)
            excess = int(count[district, when] - limit[district, when])
            price[district, when] += np.sort(margin[mine])[excess - 1] + step
    return np.where(takes, year, WAITS), price


def budgets_of_entry(wanted: list[Wanted], limit: Whole, price: Floats) -> Floats:
    """Return the money at which each project is first taken, as a multiple of today's.

    NaN where no money brings it in, since all starts of its district are wanted by others. ``wanted``
    holds what projects want at each of ``SCALES``; ``price`` are today's prices of starts.
    """
    found = np.full(len(wanted[0].district), np.nan)
    today = spent = 0.0
    for one in wanted:
        year, price = auctioned(one, limit, price)
        taken = np.flatnonzero(year != WAITS)
        spent = max(spent, float(one.million[taken, year[taken]].sum()))
        today = today or max(spent, 1e-9)
        new = taken[np.isnan(found[taken])]
        found[new] = spent / today + _MARGIN_SHARE
    return found
