"""What a project may do at a price: the first part of its row of works that is worth most."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.plan.cost import Cents, Works
from pipeline.plan.funding import IS_PUBLIC, Bills, Funding, bill_shares, by_year, funding
from pipeline.plan.packages import Row
from pipeline.plan.programme import MILLION_YUAN_IN_CENTS, Prices
from pipeline.plan.task import Columns, Whole
from pipeline.settings.plan import PlanSettings

_PAYS = 1e-7


@dataclass(frozen=True)
class Bundles:
    """First parts of rows of works: the project of each, and how many works it takes."""

    project: Whole
    works_count: Whole


class Ledger:
    """What any first part of the row of a project costs, and who pays for it."""

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
        self._central, self._works_rule = central_most, works_rule
        cents = works.cents[row.work].astype(float)
        measure = works.measure[row.work]
        self._sums = {
            name: np.concatenate([[0.0], np.cumsum(cents * share[measure])])
            for name, share in bill_shares(settings).items()
        }
        self._relief = np.concatenate([[0.0], np.cumsum(row.relief)])

    def relief(self, of: Bundles) -> Floats:
        """Return what bundles relieve."""
        first = self.row.first[of.project]
        return np.asarray(self._relief[first + of.works_count] - self._relief[first])

    def funding(self, of: Bundles) -> Funding:
        """Return who pays for bundles."""
        first = self.row.first[of.project]
        bills = Bills(
            **{
                name: sums[first + of.works_count] - sums[first]
                for name, sums in self._sums.items()
            }
        )
        projects = self.projects.iloc[of.project]
        return funding(projects, bills, self._central[of.project], self.settings)

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
        return Columns(of.project, of.works_count, year, self.relief(of), public)


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

    def near(self, prices: Prices, worth: Floats, short: float) -> Columns:
        """Return all columns worth no less than ``worth`` of their project less ``short``."""
        places: list[Whole] = []
        years: list[Whole] = []
        project = self.bundles.project
        for year in range(len(self.year_weight)):
            price = self.price(prices, year)[project]
            found = self.year_weight[year] * self.relief - price * self.million
            found -= prices.limit[self.district[project], year]
            # a cent is rounded when the column is made
            close = np.flatnonzero(
                (found >= worth[project] - short - _PAYS) & self.may_start[project, year]
            )
            places.append(close)
            years.append(np.full(close.size, year))
        return self.ledger.columns(self._bundles(np.concatenate(places)), np.concatenate(years))

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
