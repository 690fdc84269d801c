"""What a project may do at a price: the works of its row that are worth most together."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.plan.cost import Cents, Works
from pipeline.plan.funding import (
    IS_PUBLIC,
    Bills,
    Funding,
    bends,
    bill_shares,
    by_year,
    funding,
    public_part,
    revenue_worth_cents,
)
from pipeline.plan.packages import Row
from pipeline.plan.programme import MILLION_YUAN_IN_CENTS, Prices
from pipeline.plan.subsets import MOST_WORKS, undominated
from pipeline.plan.task import Columns, Whole
from pipeline.settings.plan import PlanSettings

_PAYS = 1e-7
_CENT = 1.0
_FEW_PROJECTS = 2000
"""With more, single sets are not looked at: the linear bound proves the plan close enough."""
FEW_COLUMNS = 300
"""So many columns are solved to the last in a moment."""
_MOST_SETS = 2000
"""Undominated sets of one project that are looked at; with more only first parts of its row are."""


@dataclass(frozen=True)
class Bundles:
    """Works that projects may do: the project of each, how far down its row, and what is left out.

    Bit ``k`` of ``left_out`` is set where place ``k`` of the row is not done; without it none is.
    """

    project: Whole
    works_count: Whole
    left_out: Whole | None = None

    @property
    def skipped(self) -> Whole:
        """What is left out, also where nothing is."""
        return np.zeros(len(self.project), np.int64) if self.left_out is None else self.left_out

    @property
    def done_count(self) -> Whole:
        """How many works are done."""
        return self.works_count - np.bitwise_count(self.skipped).astype(np.int64)


class Ledger:
    """What any works of a project cost together, and who pays for them."""

    def __init__(
        self,
        row: Row,
        works: Works,
        projects: pd.DataFrame,
        central_most: Floats,
        works_rule: NDArray[np.int64],
        settings: PlanSettings,
    ) -> None:
        self.row, self.projects, self.settings = row, projects, settings
        self._works_rule = works_rule
        cents = works.cents[row.work].astype(float)
        measure = works.measure[row.work]
        self.central = central_most
        self.private = revenue_worth_cents(projects, settings)
        shares = bill_shares(settings)
        self.rest = cents * (1 - shares["resident"] - shares["maintenance_fund"])[measure]
        """Cents of each work of the row that neither residents nor the maintenance fund pay."""
        self._sums = {
            name: np.concatenate([[0.0], np.cumsum(cents * share[measure])])
            for name, share in shares.items()
        }
        self._relief = np.concatenate([[0.0], np.cumsum(row.relief)])

    def relief(self, of: Bundles) -> Floats:
        """Return what bundles relieve."""
        return self._sum(self._relief, of)

    def funding(self, of: Bundles) -> Funding:
        """Return who pays for bundles."""
        bills = Bills(**{name: self._sum(sums, of) for name, sums in self._sums.items()})
        projects = self.projects.iloc[of.project]
        return funding(projects, bills, self.central[of.project], self.settings)

    def _sum(self, sums: Floats, of: Bundles) -> Floats:
        """Return sums over the works of bundles; ``sums`` runs over the whole row and begins with 0."""
        first, skipped = self.row.first[of.project], of.skipped
        found = np.asarray(sums[first + of.works_count] - sums[first])
        for place in range(int(skipped.max(initial=0)).bit_length()):
            out = np.flatnonzero((skipped >> place) & 1)
            at = first[out] + place
            found[out] -= sums[at + 1] - sums[at]
        return found

    def cost(self, of: Bundles) -> Floats:
        """Return what the works of bundles cost in cents, whoever pays."""
        return self._sum(self._sums["total"], of)

    def done(self, of: Bundles) -> NDArray[np.bool_]:
        """Return for each place of the row whether the one bundle of its project does that work."""
        place = np.arange(len(self.row.work)) - self.row.first[self.row.project]
        bit = np.minimum(place, MOST_WORKS)
        is_out = (of.skipped[self.row.project] >> bit) & 1 > 0
        return np.asarray((place < of.works_count[self.row.project]) & ~is_out)

    def paid(self, of: Bundles, money: Funding) -> Cents:
        """Return cents by bundle, year of works and source; years past the works hold zeros."""
        kind, rules = self._works_rule[of.project], self.settings.works
        span = max(len(one.payment_shares) for one in rules)
        paid = np.zeros((len(kind), span, money.by_source.shape[1]), dtype=np.int64)
        for which, rule in enumerate(rules):
            mine = np.flatnonzero(kind == which)
            shares = tuple(rule.payment_shares)
            paid[mine, : len(shares)] = by_year(money.by_source[mine], shares)
        return paid

    def columns(self, of: Bundles, year: Whole) -> Columns:
        """Return the columns of bundles begun in these years."""
        paid = self.paid(of, self.funding(of))
        public = paid[:, :, IS_PUBLIC].sum(axis=2)
        return Columns(of.project, of.works_count, year, self.relief(of), public, of.skipped)


class Market:
    """Looks up what each project would best do at given prices of money and starts."""

    def __init__(
        self,
        ledger: Ledger,
        may_start: NDArray[np.bool_],
        district: Whole,
        year_weight: Floats,
        payment_shares: Floats,
    ) -> None:
        """``payment_shares`` has a row for each project and an entry for each year of its works."""
        self.ledger, self.may_start, self.district = ledger, may_start, district
        self.year_weight, self.payment_shares = year_weight, payment_shares
        row = ledger.row
        ends = np.flatnonzero(row.may_end)
        self.bundles = Bundles(row.project[ends], ends - row.first[row.project[ends]] + 1)
        self.relief = ledger.relief(self.bundles)
        public = ledger.funding(self.bundles).public_cents
        self.million = public / MILLION_YUAN_IN_CENTS
        self.has, self.start = np.unique(self.bundles.project, return_index=True)

    def price(self, prices: Prices, year: int) -> Floats:
        """Return what a million yuan of each project costs, in relief, if it begins in a year."""
        when = np.minimum(year + np.arange(self.payment_shares.shape[1]), len(prices.budget) - 1)
        return np.asarray(self.payment_shares @ prices.budget[when] + prices.floor[self.district])

    def near(self, prices: Prices, worth: Floats, short: float) -> tuple[Columns, bool]:
        """Return columns worth no less than ``worth`` of their project less ``short``.

        All sets of works where these are few, and True; else first parts of rows only, and False.
        """
        of, is_all = self._sets()
        columns = self._near(of, prices, worth, short)
        if is_all and len(columns.project) <= FEW_COLUMNS:
            return columns, True
        return self._near(self.bundles, prices, worth, short), False

    def _near(self, of: Bundles, prices: Prices, worth: Floats, short: float) -> Columns:
        relief = self.ledger.relief(of)
        million = self.ledger.funding(of).public_cents / MILLION_YUAN_IN_CENTS
        places: list[Whole] = []
        years: list[Whole] = []
        project = of.project
        for year in range(len(self.year_weight)):
            price = self.price(prices, year)[project]
            found = self.year_weight[year] * relief - price * million
            found -= prices.limit[self.district[project], year]
            # a cent is rounded when the column is made
            close = np.flatnonzero(
                (found >= worth[project] - short - _PAYS) & self.may_start[project, year]
            )
            places.append(close)
            years.append(np.full(close.size, year))
        place = np.concatenate(places)
        which = Bundles(of.project[place], of.works_count[place], of.skipped[place])
        return self.ledger.columns(which, np.concatenate(years))

    def bundles_like(self, project: Whole, done_count: Whole, cents: Floats) -> Bundles:
        """Return for each project the bundle of as many works at that cost, or at the nearest to it."""
        row = self.ledger.row
        whole = Bundles(project, np.minimum(done_count, row.count[project]))
        if (np.abs(self.ledger.cost(whole) - cents) < _CENT).all():
            return whole
        of, _ = self._sets()
        cost, count, skipped = self.ledger.cost(of), whole.works_count.copy(), whole.skipped
        for place in range(len(project)):
            mine = np.flatnonzero((of.project == project[place]) & (of.done_count == count[place]))
            if mine.size:
                best = mine[np.argmin(np.abs(cost[mine] - cents[place]))]
                count[place], skipped[place] = of.works_count[best], of.skipped[best]
        return Bundles(project, count, skipped)

    def _sets(self) -> tuple[Bundles, bool]:
        """Return all bundles that no other of their project outdoes, and whether these are all."""
        row, of = self.ledger.row, self.bundles
        if not row.may_skip.any():
            return of, True
        if len(self.has) > _FEW_PROJECTS:
            return of, False
        parts, is_all = [of], True
        for project in self.has.tolist():
            mine = slice(int(row.first[project]), int(row.first[project + 1]))
            found = None
            if mine.stop - mine.start <= MOST_WORKS:
                found = undominated(
                    self.ledger.rest[mine], row.relief[mine], int(row.must_count[project]),
                    row.may_skip[mine], at_most=_MOST_SETS,
                )  # fmt: skip
            if found is None:
                is_all = False
                continue
            some = found.left_out > 0
            count = int(some.sum())
            parts.append(
                Bundles(np.full(count, project), found.works_count[some], found.left_out[some])
            )
        return (
            Bundles(
                np.concatenate([one.project for one in parts]),
                np.concatenate([one.works_count for one in parts]),
                np.concatenate([one.skipped for one in parts]),
            ),
            is_all,
        )

    def beyond(self, prices: Prices, worth: Floats) -> float:
        """Return how much more than ``worth`` all projects could be worth if works could be split.

        No set of works is worth more than the best part of the row of which one work is done in part.
        Public cost has bends where private money begins and ends to take its share: only there can
        such a part be worth more than whole works.
        """
        if not self.ledger.row.may_skip.any():
            return 0.0
        row, funding_rule = self.ledger.row, self.ledger.settings.funding
        central, private = self.ledger.central[self.has], self.ledger.private[self.has]
        spent = np.concatenate([[0.0], np.cumsum(self.ledger.rest)])
        gained = np.concatenate([[0.0], np.cumsum(row.alone)])
        first, last = row.first[self.has], row.first[self.has + 1]
        begins = spent[first + row.must_count[self.has]] - spent[first]
        best = np.full(len(self.has), -np.inf)
        for bend in bends(central, private, funding_rule):
            inside = (bend > begins) & (bend < spent[last] - spent[first])
            gain = np.interp(spent[first] + bend, spent, gained) - gained[first]
            million = public_part(bend, central, private, funding_rule) / MILLION_YUAN_IN_CENTS
            best = np.maximum(best, np.where(inside, self._most(gain, million, prices), -np.inf))
        return float(np.maximum(best - worth[self.has], 0.0).sum())

    def _most(self, gain: Floats, million: Floats, prices: Prices) -> Floats:
        """Return what relief and money of each project of ``has`` are worth in its best year."""
        best = np.full(len(self.has), -np.inf)
        with np.errstate(invalid="ignore"):
            for year, weight in enumerate(self.year_weight):
                worth = weight * gain - self.price(prices, year)[self.has] * million
                worth = worth - prices.limit[self.district[self.has], year]
                best = np.where(self.may_start[self.has, year], np.fmax(best, worth), best)
        return best

    def worth(self, prices: Prices, year: int) -> tuple[Floats, Whole]:
        """Return for each project of ``has`` what its best bundle is worth, and which it is.

        ``-inf`` where it may not start in that year.
        """
        price = self.price(prices, year)
        worth, place = self._best(self.year_weight[year], price)
        worth = worth - prices.limit[self.district[self.has], year]
        return np.where(self.may_start[self.has, year], worth, -np.inf), place

    def _best(self, weight: float, price: Floats) -> tuple[Floats, Whole]:
        """Return the best bundle of each project by relief less price × money: its worth and place."""
        worth = weight * self.relief - price[self.bundles.project] * self.million
        if not worth.size:
            return np.zeros(0), np.zeros(0, dtype=np.int64)
        top = np.maximum.reduceat(worth, self.start)
        group = np.repeat(np.arange(len(self.start)), np.diff(np.append(self.start, len(worth))))
        is_top = np.flatnonzero(worth >= top[group])
        return top, is_top[np.unique(group[is_top], return_index=True)[1]]

    def paying(self, prices: Prices, worth: Floats) -> tuple[Columns, float]:
        """Return columns worth more than ``worth`` of their project, and by how much the best are."""
        most = np.zeros(len(self.has))
        places: list[Whole] = []
        years: list[Whole] = []
        for year in range(len(self.year_weight)):
            found, place = self.worth(prices, year)
            beyond = found - worth[self.has]
            pays = np.flatnonzero(beyond > _PAYS)
            places.append(place[pays])
            years.append(np.full(pays.size, year))
            most = np.maximum(most, beyond)
        which = self._bundles(np.concatenate(places))
        return self.ledger.columns(which, np.concatenate(years)), float(most.sum())

    def first_columns(self, budget_million: float) -> Columns:
        """Return columns to begin with: what is best at prices about the one that spends the budget.

        The smallest and the largest bundle of each project are among them.
        """
        even = np.ones(self.payment_shares.shape[0])
        can = self.may_start[self.has].any(axis=1)
        low, high = 1e-9, 1e9
        for _ in range(80):
            middle = float(np.sqrt(low * high))
            worth, place = self._best(1.0, middle * even)
            spent = self.million[place][can & (worth > 0)].sum()
            low, high = (middle, high) if spent > budget_million else (low, middle)
        last = np.append(self.start[1:], len(self.relief))[: len(self.start)] - 1
        places = [self._best(1.0, high * factor * even)[1] for factor in (0.5, 1.0, 1.6)]
        place = np.unique(np.concatenate([self.start, last, *places]))
        of = self._bundles(place)
        which, year = np.nonzero(self.may_start[of.project])
        return self.ledger.columns(Bundles(of.project[which], of.works_count[which]), year)

    def best_at(self, price: Floats) -> Whole:
        """Return the place of the best bundle of each project at a price of a million yuan each."""
        return self._best(1.0, price)[1]

    def _bundles(self, place: Whole) -> Bundles:
        return Bundles(self.bundles.project[place], self.bundles.works_count[place])
