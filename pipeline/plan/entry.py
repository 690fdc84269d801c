"""What would bring a waiting project in, and what a plan loses without one that it holds.

Both follow from the prices of the programme (dual values): what a million yuan of each year, and a
start in each district and year, would relieve elsewhere. A project enters where its works relieve more
than their money and their start are worth. Prices hold for small changes; how far the plan itself may
be from the best bounds what can be said for sure.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.plan.entry_budget import SCALES, Wanted, budgets_of_entry
from pipeline.plan.offers import Market
from pipeline.plan.programme import MILLION_YUAN_IN_CENTS, Prices
from pipeline.plan.schedule import Schedule
from pipeline.plan.task import LOCKED_OUT, Task, Whole, start_years
from pipeline.settings.plan import PlanSettings

NO_YEAR = -1
_Allowed = NDArray[np.bool_]


@dataclass(frozen=True)
class Entries:
    """One entry for each project; NaN, ``NO_YEAR`` or "" where nothing is to be said.

    Money is public and in cents. Years count from the first of the plan.
    """

    kind: NDArray[np.object_]
    """What would bring a waiting project in: a lower ``cost`` (or more budget), ``consent`` in time,
    ``capacity`` of its district, ``capacity_and_cost``; ``margin``: it is worth as much as the last
    that are planned and did not fit; ``none``: no works relieve it, or config keeps it out."""
    public_now: Floats
    """What the works with which it would enter cost the public today."""
    public: Floats
    """At which it enters, by the prices."""
    public_low: Floats
    """At which it enters by more than the plan may be short of the best; 0: no cost is low enough."""
    public_high: Floats
    """Above which no plan better than this one holds it."""
    budget: Floats
    """Public budgets of all years together at which it enters, all years raised alike."""
    ready_year: Whole
    """Last year in which it could start and be planned at today's cost, if it were ready by then."""
    replacement: Floats
    """Weighted relief that the plan loses without a planned project, by the prices; below 0 where a
    lock, or safety, puts it before others that would relieve more."""
    replacement_low: Floats
    """What the plan loses at least."""


def entries(schedule: Schedule, market: Market) -> Entries:
    """Return what would bring each waiting project in, and what each planned one is worth.

    ``market`` makes the offers of ``schedule``. Only ``public_high`` is proved: with the project at a
    higher cost, the prices bound every plan that holds it to less than the plan relieves.
    """
    task, prices = schedule.task, schedule.prices
    waits = start_years(task, schedule.plan) < 0
    slack = max(upper_bound(task, market, prices) - schedule.relieved, 0.0)
    offers = _Offers(task, market, prices)
    fits = _fits(task)
    can = np.asarray(task.may_start.any(axis=1))
    best = offers.best(np.where(can[:, None], task.may_start, fits))
    said = waits & (best.place >= 0) & (task.locked_year != LOCKED_OUT)
    now = np.where(said, offers.million(best) * MILLION_YUAN_IN_CENTS, np.nan)
    public, low, high = (
        np.where(said, now * np.clip(offers.share_at(best, more), 0.0, 1.0), np.nan)
        for more in (0.0, -slack, slack)
    )
    last = np.where(said, offers.last_paying(fits & ~task.may_start), NO_YEAR)
    unlimited = offers.without_limits(task.may_start)
    kind = np.select(
        [~waits, ~said, ~can & (last >= 0), can & (best.share >= 1), can & (unlimited >= 1),
         best.share > 0],
        ["", "none", "consent", "margin", "capacity", "cost"],
        "capacity_and_cost",
    ).astype(object)  # fmt: skip
    is_bought = said & can & (best.share > 0)
    wanted = [offers.wanted(scale) for scale in SCALES]
    times = budgets_of_entry(wanted, task.start_limit, prices.limit)
    budget = np.where(is_bought, times * float(task.budget_cents.sum()), np.nan)
    value = np.zeros(task.project_count)
    value[~waits] = task.value[schedule.plan[~waits]]
    worth = np.minimum(offers.worth(task.may_start), value)
    # what nothing holds in the plan goes before the plan loses by it
    worth = np.where(task.locked_year < 0, np.maximum(worth, 0.0), worth)
    loss = np.where(waits, np.nan, worth)
    least = np.maximum(loss - slack, np.minimum(loss, 0.0))
    return Entries(kind, now, public, low, high, budget, last, loss, least)


def upper_bound(task: Task, market: Market, prices: Prices) -> float:
    """Return what no plan can relieve more than, by the prices alone (Lagrangian bound).

    What every project is worth at its best beyond its money and its start, and the worth of all money
    and starts. Money may be carried on, so a year's is worth no less than the limit of it next year.
    """
    million = task.budget_cents / MILLION_YUAN_IN_CENTS
    carried = task.carry_limit_cents[:-1] / MILLION_YUAN_IN_CENTS
    of_rules = float(prices.budget @ million)
    of_rules += float(np.maximum(prices.budget[1:] - prices.budget[:-1], 0.0) @ carried)
    of_rules += float(prices.floor @ task.floor_cents) / MILLION_YUAN_IN_CENTS
    of_rules += float((prices.limit * task.start_limit).sum())
    worth = _Offers(task, market, prices).worth(task.may_start)
    best = np.where(task.locked_year < 0, np.maximum(worth, 0.0), worth)
    best = np.where(np.isfinite(best), best, 0.0)
    # offers are first parts of rows of works; other sets of works may be worth more
    return of_rules + float(best.sum()) + market.beyond(prices, best)


def with_entries(projects: pd.DataFrame, found: Entries, settings: PlanSettings) -> pd.DataFrame:
    """Return ``plan_projects`` with what would bring each waiting project in, in yuan and years."""
    rule = settings.readiness
    ready = pd.Series(found.ready_year + settings.schedule.first_year, projects.index, "Int64")
    ready = ready.mask(found.ready_year == NO_YEAR)
    heritage = projects["heritage_name"].notna().astype("int64") * rule.heritage_wait_yr
    return projects.assign(
        entry_type=pd.Series(found.kind, projects.index).replace("", None),
        entry_public_now_cny=np.round(found.public_now) / 100,
        entry_public_cny=np.floor(found.public) / 100,
        entry_public_low_cny=np.floor(found.public_low) / 100,
        entry_public_high_cny=np.ceil(found.public_high) / 100,
        entry_budget_cny=np.ceil(found.budget / 1e6) * 1e4,  # whole 万元: no more is known
        entry_ready_year=ready,
        entry_consent_year=ready - rule.vote_to_start_yr - heritage,
        replacement_households=found.replacement,
        replacement_low_households=found.replacement_low,
    )


@dataclass(frozen=True)
class _Best:
    """The offer of each project that enters first: its place in the market, -1 if there is none."""

    place: Whole
    year: Whole
    share: Floats
    """Of its cost today, at which it enters; -inf if there is none."""


class _Offers:
    """All that projects offer at the prices: a row for each year, an entry for each bundle."""

    def __init__(self, task: Task, market: Market, prices: Prices) -> None:
        self.task, self.project, self.market = task, market.bundles.project, market
        years = range(len(task.year_weight))
        self.gain = np.stack([task.year_weight[year] * market.relief for year in years])
        self.money = np.stack(
            [market.price(prices, year)[self.project] * market.million for year in years]
        )
        self.start = prices.limit[task.district].T[:, self.project]

    def best(self, allowed: _Allowed) -> _Best:
        """Return the offer of each project that enters at the largest share of its cost.

        ``allowed`` is projects by years. Offers that relieve nothing are left out.
        """
        relieves = allowed.T[:, self.project] & (self.market.relief > 0)
        share = np.where(relieves, _shares(self.gain - self.start, self.money), -np.inf)
        top, year = share.max(axis=0), share.argmax(axis=0)
        there = np.flatnonzero(relieves.any(axis=0))
        order = there[np.lexsort((there, -top[there], self.project[there]))]
        has, first = np.unique(self.project[order], return_index=True)
        count = self.task.project_count
        place, years, shares = np.full(count, -1), np.full(count, NO_YEAR), np.full(count, -np.inf)
        place[has] = order[first]
        years[has], shares[has] = year[place[has]], top[place[has]]
        return _Best(place, years, shares)

    def million(self, best: _Best) -> Floats:
        """Return what the offers cost the public in million yuan, NaN where there is none."""
        found = np.full(len(best.place), np.nan)
        has = best.place >= 0
        found[has] = self.market.million[best.place[has]]
        return found

    def share_at(self, best: _Best, more: float) -> Floats:
        """Return the shares of offers if they relieved so much more than they do; NaN: no offer."""
        found = np.full(len(best.place), np.nan)
        has = best.place >= 0
        at = best.year[has], best.place[has]
        found[has] = _shares(self.gain[at] - self.start[at] + more, self.money[at])
        return found

    def worth(self, allowed: _Allowed) -> Floats:
        """Return what the best offer of each project is worth beyond its money and start.

        ``-inf`` where a project has none.
        """
        return self._top(self.gain - self.start - self.money, allowed)

    def without_limits(self, allowed: _Allowed) -> Floats:
        """Return the largest share of its cost at which each project paid if starts had no limit."""
        return self._top(_shares(self.gain, self.money), allowed)

    def last_paying(self, allowed: _Allowed) -> Whole:
        """Return the last of the allowed years in which an offer of each project pays."""
        last = np.full(self.task.project_count, NO_YEAR)
        for year in range(len(self.gain)):
            pays = self.gain[year] - self.start[year] - self.money[year] > 0
            last[self.project[pays & allowed[self.project, year]]] = year
        return last

    def wanted(self, scale: float) -> Wanted:
        """Return what each project is worth in each year if money had this share of its price."""
        task, shape = self.task, (self.task.project_count, len(self.gain))
        worth, million = np.full(shape, -np.inf), np.zeros(shape)
        has, first = np.unique(self.project, return_index=True)
        group = np.repeat(np.arange(len(has)), np.diff(np.append(first, len(self.project))))
        for year in range(shape[1] if len(has) else 0):
            each = self.gain[year] - scale * self.money[year]
            top = np.maximum.reduceat(each, first)
            place = np.flatnonzero(each >= top[group])
            worth[has, year] = top
            million[self.project[place], year] = self.market.million[place]
        worth[~task.may_start] = -np.inf
        return Wanted(worth, million, task.district, task.locked_year >= 0)

    def _top(self, amount: Floats, allowed: _Allowed) -> Floats:
        """Return the largest amount of each project over its offers and allowed years."""
        there = np.where(allowed.T[:, self.project], amount, -np.inf).max(axis=0, initial=-np.inf)
        top = np.full(self.task.project_count, -np.inf)
        np.maximum.at(top, self.project, there)
        return top


def _shares(gain: Floats, money: Floats) -> Floats:
    """Return the share of its money at which each offer pays; without end where money is free."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = gain / money
    return np.asarray(np.where(money > 0, share, np.where(gain > 0, np.inf, -np.inf)))


def _fits(task: Task) -> _Allowed:
    """Return projects by years: where works would end within the plan, whoever agrees."""
    when = np.arange(len(task.budget_cents))[None, :]
    return np.asarray(when + task.work_years[:, None] <= len(task.budget_cents))
