"""Give every building without a year an estimate, a distribution and a chance to be in.

Two regimes: a building whose estate holds others of known year follows its siblings; a whole estate
(or a single building) of unknown year follows a model of what it is and what stands around it.
Everything is learned from all buildings delivered, so choosing a part of the map afterwards changes no
year; radii and bandwidths are fixed, and no result depends on the order of rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.settings.measure import YearRule
from pipeline.years.conformal import LEVELS, effective_count, local_quantiles, share_by, within
from pipeline.years.estimate import estimate_units
from pipeline.years.intervals import errors_together, miss_shares, whole_year_ends
from pipeline.years.selection import Losses, losses
from pipeline.years.siblings import hinted_quantiles, sibling_quantiles, siblings_of
from pipeline.years.units import Ints, Units, neighbour_columns, unit_means, units_of


@dataclass(frozen=True)
class YearFacts:
    """What is known of each building, n rows in any order.

    ``known_year`` is NaN where no year is known or the text is too vague; ``low_year`` and
    ``high_year`` are what a text allows, NaN where it says nothing.
    """

    known_year: Floats
    low_year: Floats
    high_year: Floats
    unit_of_building: Ints
    unit_key: NDArray[np.uint64]
    """A number that belongs to each unit whatever else is in the data, to deal it into a fold."""
    building_key: NDArray[np.uint64]
    """The same for each building, to deal it a place among its siblings."""
    points: Floats
    district: Ints
    columns: Mapping[str, Floats]
    """Shape, surroundings, structure and people; NaN where empty."""

    def at(self, rows: Ints) -> "YearFacts":
        """Return the same with rows in another order."""
        return YearFacts(
            self.known_year[rows], self.low_year[rows], self.high_year[rows],
            self.unit_of_building[rows], self.unit_key, self.building_key[rows], self.points[rows],
            self.district[rows], {name: values[rows] for name, values in self.columns.items()},
        )  # fmt: skip

    @property
    def is_exact(self) -> NDArray[np.bool_]:
        """Whose year is known exactly: only these can tell how far off an estimate is."""
        return np.isfinite(self.known_year) & (self.low_year == self.high_year)


@dataclass(frozen=True)
class Inference:
    """Distributions of the year, n × ``LEVELS``, NaN where nothing could be said.

    ``first_year`` and ``last_year`` are the ends of the interval stated. ``basis`` tells how each was
    found: recorded, vague, inferred, baseline or unknown.
    """

    quantiles: Floats
    first_year: Floats
    last_year: Floats
    by_cutoff_share: Floats
    basis: NDArray[np.str_]
    report: dict[str, Any]


def infer_years(facts: YearFacts, rule: YearRule) -> Inference:
    """Return the distribution of every building's year, rows as they come.

    Sums depend on the order of their parts, so rows are worked on in the order of their keys.

    A recorded year is certain; a text of several years spreads evenly over them; the rest is
    inferred, within what a text still allows. With fewer known years than config asks for nothing is
    inferred.
    """
    order = np.argsort(facts.building_key, kind="stable")
    back = np.argsort(order, kind="stable")
    found = _in_order(facts.at(order), rule)
    return Inference(
        found.quantiles[back], found.first_year[back], found.last_year[back],
        found.by_cutoff_share[back], found.basis[back], found.report,
    )  # fmt: skip


def _in_order(facts: YearFacts, rule: YearRule) -> Inference:
    count = len(facts.known_year)
    quantiles = np.full((count, len(LEVELS)), np.nan)
    basis = np.full(count, "unknown", dtype="<U8")
    is_known = np.isfinite(facts.known_year)
    is_exact = facts.is_exact
    quantiles[is_exact] = facts.known_year[is_exact, None]
    basis[is_exact] = "recorded"
    vague = is_known & ~is_exact
    span = facts.high_year[vague] - facts.low_year[vague] + 1
    first_year, last_year = (
        np.where(is_known, ends, np.nan) for ends in (facts.low_year, facts.high_year)
    )
    quantiles[vague] = facts.low_year[vague, None] - 0.5 + LEVELS * span[:, None]
    basis[vague] = "vague"
    report: dict[str, Any] = {"known": int(is_known.sum()), "missing": int((~is_known).sum())}
    if is_known.sum() < rule.model.min_known_count:
        report["verdict"] = "too_few_known"
    elif not is_known.all():
        missing = np.flatnonzero(~is_known)
        found, how, told = _inferred(facts, missing, rule)
        cut = within(found, facts.low_year[missing], facts.high_year[missing])
        quantiles[missing] = np.maximum.accumulate(cut, axis=1)
        basis[missing] = how
        report |= told
        first_year[missing], last_year[missing] = _stated(facts, missing, quantiles[missing], rule)
    evenly = (rule.cutoff_year - facts.low_year + 1) / (facts.high_year - facts.low_year + 1)
    share = np.where(is_known, np.clip(evenly, 0, 1), np.nan)
    judged = ~is_known & np.isfinite(quantiles[:, 0])
    share[judged] = share_by(quantiles[judged], rule.cutoff_year)
    return Inference(quantiles, first_year, last_year, share, basis, report)


def _stated(
    facts: YearFacts, missing: Ints, quantiles: Floats, rule: YearRule
) -> tuple[Floats, Floats]:
    """Return the ends of the intervals: nine of ten hold in each district and each inferred era."""
    middle = quantiles[:, np.argmin(np.abs(LEVELS - 0.5))]
    era = np.searchsorted(np.asarray(rule.era_ends, dtype=float), middle, side="right")
    unit = facts.unit_of_building
    exact_count = np.bincount(unit, facts.is_exact, int(unit.max()) + 1).astype(np.float64)
    share = miss_shares(
        errors_together(unit, missing, exact_count),
        (facts.district[missing], era),
        rule.miss_share,
        rule.highest_miss_share,
    )
    return whole_year_ends(quantiles, share, facts.building_key[missing])


def _inferred(
    facts: YearFacts, missing: Ints, rule: YearRule
) -> tuple[Floats, NDArray[np.str_], dict[str, Any]]:
    exact_year = np.where(facts.is_exact, facts.known_year, np.nan)
    has_exact = _has_any(facts, facts.is_exact)[facts.unit_of_building]
    # a decade says little beside a year: vague siblings count only where no other speaks
    telling = np.where(has_exact, exact_year, facts.known_year)
    units = units_of(facts.unit_of_building, telling, facts.points)
    has_any = units.has_year[facts.unit_of_building]
    lost_years = _losses(units, rule)
    estimate, weight, told = _units_estimated(facts, units, lost_years, rule)
    found = np.full((len(missing), len(LEVELS)), np.nan)
    how = np.full(len(missing), "inferred", dtype="<U8")
    alone = ~has_any[missing]
    if alone.any():
        rows = missing[alone]
        found[alone] = estimate[facts.unit_of_building[rows], None] + _model_errors(
            facts, units, estimate, rows, weight, rule
        )
        if told["verdict"] != "model":
            how[alone] = "baseline"
    beside = has_exact[missing]
    if beside.any():
        found[beside] = _beside_exact(
            facts, exact_year, missing[beside], lost_years.growth_per_yr, rule
        )
    hinted = ~alone & ~beside
    if hinted.any():
        found[hinted] = hinted_quantiles(
            missing[hinted], facts.unit_of_building, facts.known_year,
            (facts.low_year, facts.high_year), facts.building_key,
            min_effective_count=rule.min_local_count,
        )  # fmt: skip
    told |= {
        "with_known_sibling": int(beside.sum()),
        "with_vague_siblings_only": int(hinted.sum()),
        "without_known_sibling": int(alone.sum()),
    }
    return found, how, told


def _has_any(facts: YearFacts, flag: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.bincount(facts.unit_of_building, flag, int(facts.unit_of_building.max()) + 1) > 0


def _beside_exact(
    facts: YearFacts, exact_year: Floats, rows: Ints, loss_growth_per_yr: float, rule: YearRule
) -> Floats:
    siblings = siblings_of(rows, facts.unit_of_building, exact_year, facts.points)
    ends = np.asarray(rule.era_ends, dtype=float)
    era = np.searchsorted(ends, siblings.year_mean, side="right")
    return sibling_quantiles(
        siblings,
        (facts.district[rows], era),
        facts.unit_of_building,
        exact_year,
        facts.points,
        facts.building_key,
        (facts.district, ends),
        loss_growth_per_yr=loss_growth_per_yr,
        seed=rule.model.seed,
        min_effective_count=rule.min_group_count,
    )


def _losses(units: Units, rule: YearRule) -> Losses:
    seen = units.has_year
    return losses(
        units.year_mean[seen],
        units.building_count[seen],
        units.known_count[seen],
        highest=rule.max_unseen_odds,
    )


def _units_estimated(
    facts: YearFacts, units: Units, lost_years: Losses, rule: YearRule
) -> tuple[Floats, Floats, dict[str, Any]]:
    """Return an estimate of each unit made without its own year, its weight, and what to tell."""
    near = neighbour_columns(units.middle, units.year_mean)
    own = unit_means(facts.unit_of_building, np.column_stack(list(facts.columns.values())))
    lost = 1 - units.known_count / units.building_count
    lost_share = np.where(units.building_count > 1, lost, np.nan)
    columns = np.column_stack(
        [near["near_weighted_year"], *near.values(), own, np.log(units.building_count), lost_share]
    )
    weight, seen = np.zeros(len(units.building_count)), units.has_year
    weight[seen] = lost_years.unseen_odds
    fold = (facts.unit_key % np.uint64(rule.model.fold_count)).astype(np.int64)
    district = _first(facts.district, facts.unit_of_building)
    result = estimate_units(
        columns, units.year_mean, district, fold, weight + rule.base_weight, rule.model
    )
    told = {
        "verdict": result.method_name,
        "mean_error_yr": {k: round(v, 2) for k, v in sorted(result.mean_errors_yr.items())},
        "units": len(units.building_count),
        "units_without_any_year": int((~seen).sum()),
    }
    return result.year, weight, told


def _model_errors(
    facts: YearFacts, units: Units, estimate: Floats, alone: Ints, weight: Floats, rule: YearRule
) -> Floats:
    """Return error quantiles of units estimated, by how near in year those estimates lie."""
    known = np.flatnonzero(facts.is_exact)
    unit = facts.unit_of_building[known]
    centre = estimate[unit]
    error = facts.known_year[known] - centre
    mass = weight[unit] * units.building_count[unit] / units.known_count[unit]
    if not mass.any():
        mass = 1 / units.known_count[unit]
    # a house that stands alone errs otherwise than an estate
    of = facts.unit_of_building[alone]
    is_single, wants_single = units.building_count[unit] == 1, units.building_count[of] == 1
    found = np.empty((len(alone), len(LEVELS)))
    for single in (True, False):
        takes, counts = wants_single == single, is_single == single
        if effective_count(mass[counts]) < rule.min_group_count:
            counts = np.ones(len(known), dtype=bool)
        if takes.any():
            found[takes] = local_quantiles(
                centre[counts],
                error[counts],
                mass[counts],
                estimate[of[takes]],
                bandwidth=rule.bandwidth_yr,
                min_effective_count=rule.min_local_count,
            )
    return found


def _first(values: Ints, owner: Ints) -> Ints:
    first = np.full(int(owner.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, owner, values)
    return first
