"""Which sites to open so that most households come within reach, or all walk least.

Both are the standard models of location science on any matrix of walks, symmetric or not: maximal
covering (Church and ReVelle 1974) and the capacitated p-median (Mulvey and Beck 1984), here with
sites that are open already, and with a price of each further site where their number is not given.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.geo.profile import Flags, Integers
from pipeline.geo.raster import Floats
from pipeline.highs import Effort
from pipeline.siting.facility_solver import Rows, maximised, stacked

NOBODY = -1
"""Stands for the site of a demand that none serves."""


@dataclass(frozen=True)
class Reach:
    """Which sites can serve which demands: parallel arrays, one entry for each pair in reach."""

    demand: Integers
    site: Integers
    walk_min: Floats


@dataclass(frozen=True)
class Sites:
    """What may be opened; one entry for each site.

    ``price`` is what a site must be worth to be opened, in units of the objective; ``cost`` is what
    it takes of the budget; ``capacity`` may be infinite. Sites that ``is_open`` stay so, at no price
    and no cost, and count in no number.
    """

    capacity: Floats
    price: Floats
    cost: Floats
    is_open: Flags


@dataclass(frozen=True)
class Limits:
    """How much may be opened besides what is open: a number of sites, money, both or neither."""

    site_count: int | None = None
    budget: float | None = None


@dataclass(frozen=True)
class Choice:
    """Open sites, the site that serves each demand (``NOBODY``), the objective and its bound.

    ``is_chosen`` includes what was open before. No demand is served twice.
    """

    is_chosen: Flags
    served_by: Integers
    value: float
    bound: float

    @property
    def gap_share(self) -> float:
        """How far the bound lies above the value, as a share of it; 0 where nothing is to be had."""
        size = max(abs(self.value), abs(self.bound))
        return (self.bound - self.value) / size if size > 0 else 0.0


def largest_cover(
    weight: Floats, reach: Reach, sites: Sites, limits: Limits, effort: Effort
) -> Choice:
    """Return the sites that bring most weight within reach, less the price of those opened.

    Demands that the same sites reach are one in the programme. Each is served whole by its nearest
    open site; where capacities bind, so that most weight is served and then walks least.
    """
    reach = _worth_asking(reach, weight[reach.demand], sites)
    group, members = _same_sites(len(weight), reach)
    inside = np.flatnonzero(members[reach.demand] == reach.demand)
    demand, site = group[reach.demand[inside]], reach.site[inside]
    count = int(group.max(initial=-1)) + 1
    of_group = np.bincount(group[group >= 0], weight[group >= 0], count).astype(np.float64)
    total = np.bincount(site, of_group[demand], minlength=len(sites.price))
    is_full = total > sites.capacity
    # columns: groups covered, sites opened, groups' shares at sites that may be full
    share = np.flatnonzero(is_full[site])
    first_site, first_share = count, count + len(sites.price)
    plain = np.flatnonzero(~is_full[site])
    column_of_share = first_share + np.arange(len(share))
    cover = Rows(
        np.concatenate([np.arange(count), demand[plain], demand[share]]),
        np.concatenate([np.arange(count), first_site + site[plain], column_of_share]),
        np.concatenate([np.ones(count), -np.ones(len(plain) + len(share))]),
        np.full(count, -np.inf),
        np.zeros(count),
    )
    blocks = [cover, *_limit_rows(sites, limits, first_site)]
    if len(share):
        blocks += [
            _only_if_open(column_of_share, first_site + site[share]),
            _within_capacity(
                site[share], column_of_share, of_group[demand[share]], sites, first_site
            ),
        ]
    gain = np.concatenate([of_group, -_asked(sites), np.zeros(len(share))])
    is_whole = np.zeros(len(gain), dtype=bool)
    is_whole[first_site:first_share] = True
    least = np.zeros(len(gain))
    least[first_site:first_share] = sites.is_open
    solved = maximised(gain, stacked(blocks), is_whole, least, effort)
    if solved.columns is None:
        raise AssertionError("opening nothing keeps every rule")
    is_chosen = solved.columns[first_site:first_share] > 0.5
    served_by = served(weight, reach, replace(sites, is_open=is_chosen), effort)
    value = float(weight[served_by != NOBODY].sum() - _asked(sites)[is_chosen].sum())
    return Choice(is_chosen, served_by, value, solved.bound)


def least_walk(
    weight: Floats,
    reach: Reach,
    sites: Sites,
    limits: Limits,
    effort: Effort,
    unserved_min: float | None = None,
    *,
    by_shares: bool = False,
) -> Choice:
    """Return the sites for which all weight together walks least: the capacitated p-median.

    Every demand is served whole by one site, within its capacity. With ``unserved_min`` a demand may
    go unserved and then counts as walking so many minutes, and the value is what is saved of them,
    less the prices. Without it all must be served, and the value is what is walked, with the prices,
    as a negative number. ``by_shares`` is for many small capacities: sites are chosen as if demands
    could be split, then whole demands are fitted in, the nearest first; the bound still holds.

    Raises
    ------
    ValueError
        If not all can be served.
    """
    if unserved_min is not None:
        gain = weight[reach.demand] * (unserved_min - reach.walk_min)
        kept = np.flatnonzero(gain > 0)
        reach = _worth_asking(_taken(reach, kept), gain[kept], sites)
    count, pairs = len(weight), len(reach.demand)
    first_site = pairs
    column = np.arange(pairs)
    once = Rows(
        reach.demand,
        column,
        np.ones(pairs),
        np.full(count, 1.0 if unserved_min is None else 0.0),
        np.ones(count),
    )
    total = np.bincount(reach.site, weight[reach.demand], minlength=len(sites.price))
    full = np.flatnonzero((total > sites.capacity)[reach.site])
    blocks = [
        once,
        _only_if_open(column, first_site + reach.site),
        *_limit_rows(sites, limits, first_site, is_exact=unserved_min is None),
    ]
    if len(full):
        blocks.append(
            _within_capacity(reach.site[full], full, weight[reach.demand[full]], sites, first_site)
        )
    nothing = 0.0 if unserved_min is None else unserved_min
    gain = np.concatenate([weight[reach.demand] * (nothing - reach.walk_min), -_asked(sites)])
    is_whole = np.zeros(len(gain), dtype=bool)
    is_whole[first_site:] = True
    is_whole[full] = not by_shares  # where nothing is ever full, whole sites make whole demands
    least = np.concatenate([np.zeros(pairs), sites.is_open])
    solved = maximised(gain, stacked(blocks), is_whole, least, effort)
    if solved.columns is None:
        raise ValueError("not every demand can be served")
    is_chosen = solved.columns[first_site:] > 0.5
    if by_shares and unserved_min is not None:
        open_now = _taken(reach, np.flatnonzero(is_chosen[reach.site]))
        served_by, saved = _fitted(weight, open_now, sites.capacity, unserved_min)
        return Choice(
            is_chosen, served_by, saved - float(_asked(sites)[is_chosen].sum()), solved.bound
        )
    is_free = np.full(pairs, True)
    is_free[full] = False
    served_by = _nearest(count, _taken(reach, np.flatnonzero(is_chosen[reach.site] & is_free)))
    taken = full[solved.columns[full] > 0.5]
    served_by[reach.demand[taken]] = reach.site[taken]
    return Choice(is_chosen, served_by, solved.value, solved.bound)


def _fitted(
    weight: Floats, reach: Reach, capacity: Floats, unserved_min: float
) -> tuple[Integers, float]:
    """Return the site of each demand, shortest walks first while there is room, and what that saves."""
    left = capacity.copy()
    served_by, saved = np.full(len(weight), NOBODY), 0.0
    order = np.lexsort((reach.site, reach.demand, reach.walk_min))
    pairs = zip(
        reach.demand[order].tolist(),
        reach.site[order].tolist(),
        reach.walk_min[order].tolist(),
        strict=True,
    )
    for demand, site, walk in pairs:
        if served_by[demand] == NOBODY and weight[demand] <= left[site]:
            served_by[demand] = site
            left[site] -= weight[demand]
            saved += weight[demand] * (unserved_min - walk)
    return served_by, float(saved)


def served(weight: Floats, reach: Reach, sites: Sites, effort: Effort) -> Integers:
    """Return which of the open sites serves each demand, each whole and within capacity.

    The nearest one where there is room; else so that most weight is served, and then walks least.
    """
    usable = _taken(reach, np.flatnonzero(sites.is_open[reach.site]))
    best = _nearest(len(weight), usable)
    at = np.flatnonzero(best != NOBODY)
    load = np.bincount(best[at], weight[at], minlength=len(sites.price))
    if (load <= sites.capacity).all() or not len(usable.demand):
        return best
    # far above what a walk can outweigh, so that nobody is left out to shorten walks
    longest = float(usable.walk_min.max())
    free = Sites(sites.capacity, np.zeros(len(load)), np.zeros(len(load)), sites.is_open)
    far = 1000 * (longest + 1)
    return least_walk(weight, usable, free, Limits(), effort, unserved_min=far).served_by


def _worth_asking(reach: Reach, gain: Floats, sites: Sites) -> Reach:
    """Return the pairs without sites that would not be worth their price if all came to them alone."""
    most = np.bincount(reach.site, gain, minlength=len(sites.price))
    is_worth = (most > sites.price) | sites.is_open | (sites.price == 0)
    return _taken(reach, np.flatnonzero(is_worth[reach.site]))


def _taken(reach: Reach, which: Integers) -> Reach:
    return Reach(reach.demand[which], reach.site[which], reach.walk_min[which])


def _nearest(count: int, reach: Reach) -> Integers:
    """Return the site of the shortest walk of each demand, the first of equals."""
    order = np.lexsort((reach.site, reach.walk_min, reach.demand))
    demand = reach.demand[order]
    first = order[np.append(True, demand[1:] != demand[:-1])[: len(order)]]
    best = np.full(count, NOBODY)
    best[reach.demand[first]] = reach.site[first]
    return best


def _asked(sites: Sites) -> Floats:
    """Return the price of each site, nothing for those that are open."""
    return np.where(sites.is_open, 0.0, sites.price)


def _same_sites(count: int, reach: Reach) -> tuple[Integers, Integers]:
    """Return the group of each demand (−1: no site reaches it), and the first member of its group."""
    order = np.lexsort((reach.site, reach.demand))
    demand, site = reach.demand[order], reach.site[order]
    start = np.searchsorted(demand, np.arange(count + 1))
    known: dict[bytes, tuple[int, int]] = {}
    group, first = np.full(count, -1), np.full(count, -1)
    for one in np.unique(demand).tolist():
        key = site[start[one] : start[one + 1]].tobytes()
        group[one], first[one] = known.setdefault(key, (len(known), one))
    return group, first


def _only_if_open(column: Integers, site_column: Integers) -> Rows:
    """Return rows by which each column is at most that of its site."""
    row = np.arange(len(column))
    return Rows(
        np.tile(row, 2),
        np.concatenate([column, site_column]),
        np.repeat([1.0, -1.0], len(row)),
        np.full(len(row), -np.inf),
        np.zeros(len(row)),
    )


def _within_capacity(
    site: Integers, column: Integers, weight: Floats, sites: Sites, first_site: int
) -> Rows:
    """Return a row for each of these sites: what its columns serve is at most its capacity."""
    which, row = np.unique(site, return_inverse=True)
    return Rows(
        np.concatenate([row, np.arange(len(which))]),
        np.concatenate([column, first_site + which]),
        np.concatenate([weight, -sites.capacity[which]]),
        np.full(len(which), -np.inf),
        np.zeros(len(which)),
    )


def _limit_rows(
    sites: Sites, limits: Limits, first_site: int, *, is_exact: bool = False
) -> list[Rows]:
    """Return the rows of the number of new sites and of the budget, as far as there are any."""
    new = np.flatnonzero(~sites.is_open)
    rows = []
    for most, amount, least in (
        (limits.site_count, np.ones(len(new)), limits.site_count if is_exact else None),
        (limits.budget, sites.cost[new], None),
    ):
        if most is not None:
            floor = -np.inf if least is None else float(least)
            rows.append(
                Rows(
                    np.zeros(len(new), dtype=np.int64),
                    first_site + new,
                    amount,
                    np.array([floor]),
                    np.array([float(most)]),
                )
            )
    return rows
