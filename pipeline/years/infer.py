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
from pipeline.years.conformal import LEVELS, local_quantiles, share_by, within
from pipeline.years.estimate import estimate_units
from pipeline.years.selection import unseen_odds
from pipeline.years.siblings import sibling_quantiles, siblings_of
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

    ``basis`` tells how each was found: recorded, vague, inferred, baseline or unknown.
    """

    quantiles: Floats
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
        found.quantiles[back], found.by_cutoff_share[back], found.basis[back], found.report
    )


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
    share = np.full(count, np.nan)
    there = np.isfinite(quantiles[:, 0])
    share[there] = share_by(quantiles[there], rule.cutoff_year)
    certain = is_known
    evenly = (rule.cutoff_year - facts.low_year + 1) / (facts.high_year - facts.low_year + 1)
    share[certain] = np.clip(evenly[certain], 0, 1)
    return Inference(quantiles, share, basis, report)


def _inferred(
    facts: YearFacts, missing: Ints, rule: YearRule
) -> tuple[Floats, NDArray[np.str_], dict[str, Any]]:
    units = units_of(facts.unit_of_building, facts.known_year, facts.points)
    has_sibling = units.has_year[facts.unit_of_building[missing]]
    found = np.full((len(missing), len(LEVELS)), np.nan)
    how = np.full(len(missing), "inferred", dtype="<U8")
    alone = missing[~has_sibling]
    estimate, errors, told = _units_estimated(facts, units, rule)
    if len(alone):
        found[~has_sibling] = estimate[facts.unit_of_building[alone], None] + _model_errors(
            facts, units, estimate, alone, errors, rule
        )
        if told["verdict"] != "model":
            how[~has_sibling] = "baseline"
    with_sibling = missing[has_sibling]
    if len(with_sibling):
        siblings = siblings_of(with_sibling, facts.unit_of_building, facts.known_year, facts.points)
        ends = np.asarray(rule.era_ends, dtype=float)
        era = np.searchsorted(ends, siblings.year_mean, side="right")
        found[has_sibling] = sibling_quantiles(
            siblings,
            (facts.district[with_sibling], era),
            facts.unit_of_building,
            facts.known_year,
            facts.points,
            facts.building_key,
            facts.is_exact,
            (facts.district, ends),
            seed=rule.model.seed,
            min_effective_count=rule.min_group_count,
        )
    told |= {"with_known_sibling": len(with_sibling), "without_known_sibling": len(alone)}
    return found, how, told


def _units_estimated(
    facts: YearFacts, units: Units, rule: YearRule
) -> tuple[Floats, Floats, dict[str, Any]]:
    """Return an estimate of each unit made without its own year, its weight, and what to tell."""
    near = neighbour_columns(units.middle, units.year_mean)
    own = unit_means(facts.unit_of_building, np.column_stack(list(facts.columns.values())))
    lost = 1 - units.known_count / units.building_count
    lost_share = np.where(units.building_count > 1, lost, np.nan)
    columns = np.column_stack(
        [near["near_weighted_year"], *near.values(), own, np.log(units.building_count), lost_share]
    )
    weight = np.zeros(len(units.building_count))
    seen = units.has_year
    weight[seen] = unseen_odds(
        units.year_mean[seen],
        units.building_count[seen],
        units.known_count[seen],
        highest=rule.max_unseen_odds,
    )
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
    wanted = estimate[facts.unit_of_building[alone]]
    return local_quantiles(
        centre,
        error,
        mass,
        wanted,
        bandwidth_yr=rule.bandwidth_yr,
        min_effective_count=rule.min_local_count,
    )


def _first(values: Ints, owner: Ints) -> Ints:
    first = np.full(int(owner.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, owner, values)
    return first
