"""Give every building without a year an estimate, a distribution and a chance to be in.

A building whose estate holds others of known year follows its siblings; a whole estate (or a single
building) of unknown year follows a model of what it is and what stands around it, judged by years
hidden as years are missing: one by one, or by areas.
Everything is learned from all buildings delivered, so choosing a part of the map afterwards changes no
year; radii and bandwidths are fixed, and no result depends on the order of rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.geo.raster import Floats
from pipeline.settings.measure import YearRule
from pipeline.years.conformal import LEVELS, share_by, within
from pipeline.years.facts import YearFacts
from pipeline.years.intervals import errors_together, miss_shares, whole_year_ends
from pipeline.years.lone import lone_years
from pipeline.years.selection import Losses, losses
from pipeline.years.siblings import hinted_quantiles, sibling_quantiles, siblings_of
from pipeline.years.units import Ints, Units, units_of


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
    regime: NDArray[np.str_]
    """What it rests on: known, sibling, vague_sibling, neighbour, isolated or unknown."""
    nearest_known_m: Floats
    """From a building without a year to the nearest of known year; NaN for others."""
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
        found.by_cutoff_share[back], found.basis[back], found.regime[back],
        found.nearest_known_m[back], found.report,
    )  # fmt: skip


def _in_order(facts: YearFacts, rule: YearRule) -> Inference:
    count = len(facts.known_year)
    quantiles = np.full((count, len(LEVELS)), np.nan)
    basis = np.full(count, "unknown", dtype="<U8")
    regime = np.where(np.isfinite(facts.known_year), "known", "unknown").astype("<U13")
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
    corrected = np.full(count, np.nan)
    report: dict[str, Any] = {"known": int(is_known.sum()), "missing": int((~is_known).sum())}
    if is_known.sum() < rule.model.min_known_count:
        report["verdict"] = "too_few_known"
    elif not is_known.all():
        missing = np.flatnonzero(~is_known)
        found = _inferred(facts, missing, rule)
        cut = within(found.quantiles, facts.low_year[missing], facts.high_year[missing])
        quantiles[missing] = np.maximum.accumulate(cut, axis=1)
        basis[missing], regime[missing] = found.basis, found.regime
        # a text cuts the distribution, and with it the chance
        says_nothing = np.isnan(facts.low_year[missing]) & np.isnan(facts.high_year[missing])
        corrected[missing] = np.where(says_nothing, found.corrected_share, np.nan)
        report |= found.report
        first_year[missing], last_year[missing] = _stated(facts, missing, quantiles[missing], rule)
    evenly = (rule.cutoff_year - facts.low_year + 1) / (facts.high_year - facts.low_year + 1)
    share = np.where(is_known, np.clip(evenly, 0, 1), np.nan)
    judged = ~is_known & np.isfinite(quantiles[:, 0])
    share[judged] = share_by(quantiles[judged], rule.cutoff_year)
    share = np.where(np.isfinite(corrected), corrected, share)
    return Inference(
        quantiles, first_year, last_year, share, basis, regime, nearest_known_m(facts), report
    )


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


@dataclass(frozen=True)
class _Found:
    """Quantiles of each missing building, how they were found, in which regime, and what to report.

    ``corrected_share`` is the chance to be built by the cut-off year where hidden years corrected it.
    """

    quantiles: Floats
    corrected_share: Floats
    basis: NDArray[np.str_]
    regime: NDArray[np.str_]
    report: dict[str, Any]


def _inferred(facts: YearFacts, missing: Ints, rule: YearRule) -> _Found:
    exact_year = np.where(facts.is_exact, facts.known_year, np.nan)
    has_exact = _has_any(facts, facts.is_exact)[facts.unit_of_building]
    # a decade says little beside a year: vague siblings count only where no other speaks
    telling = np.where(has_exact, exact_year, facts.known_year)
    units = units_of(facts.unit_of_building, telling, facts.points)
    has_any = units.has_year[facts.unit_of_building]
    lost_years = _losses(units, rule)
    found = np.full((len(missing), len(LEVELS)), np.nan)
    share = np.full(len(missing), np.nan)
    how = np.full(len(missing), "inferred", dtype="<U8")
    regime = np.full(len(missing), "sibling", dtype="<U13")
    beside = has_exact[missing]
    if beside.any():
        found[beside] = _beside_exact(
            facts, exact_year, missing[beside], lost_years.growth_per_yr, rule
        )
    hinted = has_any[missing] & ~beside
    if hinted.any():
        regime[hinted] = "vague_sibling"
        found[hinted] = hinted_quantiles(
            missing[hinted], facts.unit_of_building, facts.known_year,
            (facts.low_year, facts.high_year), facts.building_key,
            min_effective_count=rule.min_local_count,
        )  # fmt: skip
    told: dict[str, Any] = {
        "units": len(units.building_count),
        "units_without_any_year": int((~units.has_year).sum()),
        "verdict": "model",
    }
    alone = np.flatnonzero(~has_any[missing])
    if len(alone):
        lone = lone_years(facts, units, missing[alone], lost_years.unseen_odds, rule)
        found[alone], regime[alone] = lone.quantiles, lone.regime
        share[alone] = lone.by_cutoff_share
        how[alone] = np.where(lone.is_baseline, "baseline", "inferred")
        told |= lone.report
    told |= {
        "with_known_sibling": int(beside.sum()),
        "with_vague_siblings_only": int(hinted.sum()),
        "with_known_neighbours": int((regime == "neighbour").sum()),
        "isolated": int((regime == "isolated").sum()),
    }
    return _Found(found, share, how, regime, told)


def nearest_known_m(facts: YearFacts) -> Floats:
    """Return how far the nearest building of known year is from each that lacks one, else NaN."""
    is_known = np.isfinite(facts.known_year)
    found = np.full(len(is_known), np.nan)
    if is_known.any() and not is_known.all():
        found[~is_known] = cKDTree(facts.points[is_known]).query(facts.points[~is_known])[0]
    return found


def _has_any(facts: YearFacts, flag: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.bincount(facts.unit_of_building, flag, int(facts.unit_of_building.max()) + 1) > 0


def _beside_exact(
    facts: YearFacts, exact_year: Floats, rows: Ints, loss_growth_per_yr: float, rule: YearRule
) -> Floats:
    siblings = siblings_of(rows, facts.unit_of_building, exact_year, facts.points)
    return sibling_quantiles(
        siblings,
        facts.district[rows],
        facts.unit_of_building,
        exact_year,
        facts.points,
        facts.building_key,
        facts.district,
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
