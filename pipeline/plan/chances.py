"""How sure a project is of its money: the plan solved again while what is not known is drawn.

In each draw the weights are drawn by the rule of the ranking, years (whether a building belongs to the
programme), faults that nobody inspected, and by measure the prices and what works relieve. The plan
is then its linear bound: prices of money by year as in the plan, scaled until the money of all years
is spent; a project is taken if its best works are worth their money in some year. Projects that are
locked, or first for safety, are taken in every draw.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.numbers import plain_numbers
from pipeline.geo.raster import Floats
from pipeline.need.drawn_weights import drawn_weights
from pipeline.plan.annual import AnnualPlan
from pipeline.plan.cost import WHOLE_PROJECT, trigger_values
from pipeline.plan.packages import public_shares
from pipeline.plan.task import spending
from pipeline.settings.plan import PlanMeasure, PlanSettings
from pipeline.settings.score import ScoreSettings

_SCALES = np.geomspace(0.25, 4.0, 13)
_STEPS = 14


@dataclass(frozen=True)
class Chances:
    """One entry for each project."""

    funded_share: Floats
    """Share of the draws in which the plan takes it."""
    agreement_share: float
    """Share of all projects that the linear bound and the plan, without any draw, treat alike."""


def chances(plan: AnnualPlan, settings: PlanSettings, score: ScoreSettings) -> Chances:
    """Return how often each project is taken."""
    bound = _Bound(plan, settings)
    taken = bound.taken(bound.row.relief, bound.cents)
    planned = plan.start_year >= 0
    rule = settings.chances
    random = np.random.default_rng(score.robustness.seed)
    weight_rule = score.robustness.model_copy(update={"draws": rule.draws})
    weights = drawn_weights(list(plan.weights.criteria), plan.weights.weights, weight_rule, random)
    count = np.zeros(len(planned), dtype=np.int64)
    for row in weights:
        count += bound.drawn(row, random, rule.price_spread_share, rule.relief_spread_share)
    return Chances(count / len(weights), float((taken == planned).mean()))


def _spent_cents(plan: AnnualPlan) -> int:
    """Return the public money that a plan of the same rules can spend.

    Where money has a price that is what this plan spends: the budget of a year in which nothing is
    ready to start, and what cannot be carried on from it, buys nothing in another one. Where no money
    has a price there is enough of it in all years together.
    """
    task = plan.schedule.task
    if (plan.schedule.prices.budget > 0).any():
        return int(spending(task, plan.schedule.plan).sum())
    return int(task.budget_cents.sum())


class _Bound:
    """The linear bound of a plan over the bundles that are best at some price of money."""

    def __init__(self, plan: AnnualPlan, settings: PlanSettings) -> None:
        self.plan, self.row = plan, plan.row
        works, measures = plan.works, list(settings.measures.values())
        self.measure = works.measure[self.row.work]
        self.building = works.building[self.row.work]
        self.cents = works.cents[self.row.work].astype(float)
        self.public_share = public_shares(measures)[self.measure]
        self.measure_count = len(measures)
        self.base_relief = plan.relief.by_work(plan.weights.weights, len(works.project))
        self.called_share = self._called_shares(measures)
        in_share = plain_numbers(plan.buildings["built_by_cutoff_share"])
        self.in_share = np.where(np.isnan(in_share), 1.0, in_share)
        task, market = plan.schedule.task, plan.market
        self.budget = _spent_cents(plan) / 1e8
        self.must = (task.locked_year >= 0) & task.may_start.any(axis=1)
        prices = plan.schedule.prices
        self.price = np.stack([market.price(prices, year) for year in range(len(task.year_weight))])
        found = [market.best_at(np.full(task.project_count, scale * self.price.mean()))
                 for scale in _SCALES]  # fmt: skip
        place = np.unique(np.concatenate([market.start, *found]))
        self.project = market.bundles.project[place]
        self.end = self.row.first[self.project] + market.bundles.works_count[place]
        self.has, self.start = np.unique(self.project, return_index=True)
        self.group = np.repeat(
            np.arange(len(self.start)), np.diff(np.append(self.start, len(self.project)))
        )
        self.million = market.million[place]
        self.rest = self._at_ends(self.cents * self.public_share)
        # a start that uses up a district's capacity costs what another start there would relieve
        self.free = np.where(task.may_start.T, -prices.limit[task.district].T, -np.inf)

    def _called_shares(self, measures: list[PlanMeasure]) -> Floats:
        """Return for each work the share with which it is called for: below 1 where nobody knows."""
        share = np.ones(len(self.measure))
        for number, measure in enumerate(measures):
            mine = np.flatnonzero((self.measure == number) & (self.building != WHOLE_PROJECT))
            if measure.trigger is not None and mine.size and 0 < measure.unknown_share < 1:
                value = trigger_values(self.plan.buildings, measure.trigger)
                unknown = np.isnan(value[self.building[mine]])
                share[mine[unknown]] = measure.unknown_share
        return share

    def _at_ends(self, by_place: Floats) -> Floats:
        total = np.concatenate([[0.0], np.cumsum(by_place)])
        return np.asarray(total[self.end] - total[self.row.first[self.project]])

    def drawn(
        self,
        weights: Floats,
        random: np.random.Generator,
        price_spread: float,
        relief_spread: float,
    ) -> NDArray[np.int64]:
        """Return 1 for each project that one draw takes."""
        plan = self.plan
        relief = plan.relief.by_work(weights, len(plan.works.project))
        with np.errstate(invalid="ignore", divide="ignore"):
            change = np.where(self.base_relief > 0, relief / self.base_relief, 0.0)[self.row.work]
        inside = random.random(len(self.in_share)) < self.in_share
        stays = np.where(self.building == WHOLE_PROJECT, True, inside[self.building])
        called = random.random(len(self.called_share)) < self.called_share
        done = stays * called / self.called_share
        price = np.exp(price_spread * random.standard_normal(self.measure_count))
        effect = np.exp(relief_spread * random.standard_normal(self.measure_count))
        return self.taken(
            self.row.relief * change * done * effect[self.measure],
            self.cents * done * price[self.measure],
        ).astype(np.int64)

    def taken(self, relief: Floats, cents: Floats) -> NDArray[np.bool_]:
        """Return the projects that the bound takes at the scale of prices that spends the money."""
        gain = self._at_ends(relief)
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = np.where(
                self.rest > 0, self._at_ends(cents * self.public_share) / self.rest, 1.0
            )
        million = self.million * rate
        low, high = 0.05, 20.0
        for _ in range(_STEPS):
            scale = float(np.sqrt(low * high))
            spent = self._at(scale, gain, million)[1]
            low, high = (scale, high) if spent > self.budget else (low, scale)
        return self._at(high, gain, million)[0]

    def _at(self, scale: float, gain: Floats, million: Floats) -> tuple[NDArray[np.bool_], float]:
        best = np.full(len(self.has), -np.inf)
        money = np.zeros(len(self.has))
        for year, weight in enumerate(self.plan.schedule.task.year_weight):
            worth = weight * gain - scale * self.price[year][self.project] * million
            highest = np.maximum.reduceat(worth, self.start)
            top = highest + self.free[year][self.has]
            better = top > best
            if better.any():
                is_top = worth >= highest[self.group]
                first = np.maximum.reduceat(np.where(is_top, million, -np.inf), self.start)
                money = np.where(better, first, money)
                best = np.where(better, top, best)
        taken = np.zeros(len(self.must), dtype=bool)
        must = self.must[self.has]
        taken[self.has] = (best > 0) | must
        spent = float(money[(best > 0) | (must & np.isfinite(best))].sum())
        return taken, spent
