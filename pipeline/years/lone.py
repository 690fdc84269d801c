"""Buildings of whose estate no year is known: what they are and what stands around them tell.

Where single years are missing, known years are hidden one by one to learn how far off an estimate is;
where areas lack years, by areas (``gaps``). Either way the model, the mixture, the scale of errors,
the intervals and the chances all come from years hidden so.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.settings.measure import YearRule
from pipeline.years.chance import corrected_chances
from pipeline.years.conformal import LEVELS, local_quantiles, share_by
from pipeline.years.estimate import Estimates, UnitTable, estimate_units
from pipeline.years.facts import YearFacts
from pipeline.years.gaps import area_folds, district_folds, gaps_of
from pipeline.years.groups import class_columns, quantile_classes, stretches
from pipeline.years.siblings import within_year
from pipeline.years.units import Ints, Units, unit_means

_LOW, _HIGH = (int(np.argmin(np.abs(LEVELS - share))) for share in (0.05, 0.95))
_DENSITY_CLASSES, _LEAST_REACH_YR, _FEW_SHARE, _DISTRICTS_PER_PART = 5, 0.5, 0.1, 2


@dataclass(frozen=True)
class LoneYears:
    """Quantiles of each building asked for, its regime, and whether a baseline served.

    ``by_cutoff_share`` is the chance of being built by the cut-off year, corrected by hidden years.
    """

    quantiles: Floats
    by_cutoff_share: Floats
    regime: NDArray[np.str_]
    is_baseline: NDArray[np.bool_]
    report: dict[str, Any]
    """Of single years or of areas, whichever is asked for more."""


def lone_years(
    facts: YearFacts, units: Units, rows: Ints, unseen_odds: Floats, rule: YearRule
) -> LoneYears:
    """Return the year quantiles of buildings ``rows``, whose units hold no known year.

    ``unseen_odds`` tells for each unit of known year how many like it lack every year.
    """
    model = rule.model
    table, mass = _table(facts, units, unseen_odds, rule)
    gaps = gaps_of(units.middle, units.has_year)
    asked = np.zeros(len(units.building_count), dtype=bool)
    asked[facts.unit_of_building[rows]] = True
    quantiles = np.full((len(rows), len(LEVELS)), np.nan)
    share = np.full(len(rows), np.nan)
    is_baseline = np.zeros(len(rows), dtype=bool)
    of = facts.unit_of_building[rows]
    report: dict[str, Any] = {}
    # rims of areas are hidden with them, so a few single ones beside areas ask no folds of their own
    in_area = gaps.in_area | ((asked & ~gaps.in_area).sum() < _FEW_SHARE * asked.sum())
    unseen = _in_unseen_district(table, asked & in_area, model.fold_count)
    for name, wanted in (
        ("single", asked & ~in_area),
        ("area", asked & in_area & ~unseen),
        ("district", unseen),
    ):
        if not wanted.any():
            continue
        if name == "area":
            areas = area_folds(
                units.middle, units.has_year, gaps.nearest_known_m[wanted],
                model.fold_count,
            )  # fmt: skip
            fold, block = areas.fold, areas.block
            report["hidden_side_m"] = round(areas.side_m)
        elif name == "district":
            fold = district_folds(table.district, units.has_year, model.fold_count)
            block = table.district
        else:
            fold = (facts.unit_key % np.uint64(model.fold_count)).astype(np.int64)
            block = np.arange(len(fold))
        found = estimate_units(table, fold, wanted, model)
        takes = wanted[of]
        quantiles[takes], share[takes] = _quantiles_and_chances(
            facts, units, found, (fold, block), mass, rows[takes], rule
        )  # fmt: skip
        is_baseline[takes] = found.method_name != "model"
        if takes.sum() > len(rows) / 2 or not report.get("verdict"):
            report["verdict"] = found.method_name
            report["mean_error_yr"] = {
                k: round(v, 2) for k, v in sorted(found.mean_errors_yr.items())
            }
            report["mixture"] = {k: round(v, 1) for k, v in found.shares.items() if v}
    regime = np.where(gaps.is_isolated[of], "isolated", "neighbour")
    return LoneYears(quantiles, share, regime, is_baseline, report)


def _in_unseen_district(
    table: UnitTable, wanted: NDArray[np.bool_], fold_count: int
) -> NDArray[np.bool_]:
    """Return which wanted units lie in a district where no year is known, none where too few do.

    They are judged by whole districts only where enough of those are known to be dealt into parts.
    """
    known = np.unique(table.district[table.is_known])
    unseen = wanted & ~np.isin(table.district, known)
    enough = len(known) >= _DISTRICTS_PER_PART * fold_count
    if not enough or unseen.sum() < _FEW_SHARE * wanted.sum():
        return np.zeros(len(wanted), dtype=bool)
    return unseen


def _table(
    facts: YearFacts, units: Units, unseen_odds: Floats, rule: YearRule
) -> tuple[UnitTable, Floats]:
    """Return the units to estimate, and how many unseen buildings each stands for."""
    own = unit_means(facts.unit_of_building, np.column_stack(list(facts.columns.values())))
    columns = dict(zip(facts.columns, own.T, strict=True))
    if (units.building_count > 1).any():
        lost = 1 - units.known_count / units.building_count
        columns["building_count_log"] = np.log(units.building_count)
        columns["lost_share"] = np.where(units.building_count > 1, lost, np.nan)
    mass = np.zeros(len(units.building_count))
    mass[units.has_year] = unseen_odds
    names = {name: _first(code, facts.unit_of_building) for name, code in facts.names.items()}
    district = _first(facts.district, facts.unit_of_building)
    table = UnitTable(
        units.middle, units.year_mean, district, columns, names, mass + rule.base_weight
    )
    return table, mass


def _quantiles_and_chances(
    facts: YearFacts,
    units: Units,
    found: Estimates,
    dealt: tuple[Ints, Ints],
    mass: Floats,
    rows: Ints,
    rule: YearRule,
) -> tuple[Floats, Floats]:
    """Return year quantiles of ``rows`` and their chances to be built by the cut-off year.

    Both come from the errors of buildings of exact year.

    ``dealt`` tells for each unit the part that it was hidden with, and within it the block.
    """
    known = np.flatnonzero(facts.is_exact)
    chosen = np.random.default_rng(rule.model.seed).permutation(len(known))
    known = np.sort(known[chosen[: rule.model.max_unit_count]])
    unit, asked = facts.unit_of_building[known], facts.unit_of_building[rows]
    centre, spread = found.year[unit], found.spread[unit]
    error = facts.known_year[known] + within_year(facts.building_key[known]) - centre
    weight = mass[unit] * units.building_count[unit] / units.known_count[unit]
    if not weight.any():
        weight = 1 / units.known_count[unit]
    part, block = (one[unit] for one in dealt)
    own = np.empty((len(known), len(LEVELS)))
    for number in np.unique(part):
        held = part == number
        own[held] = _local(
            centre[~held], (error / spread)[~held], weight[~held], block[~held], centre[held], rule
        )
    told = _local(centre, error / spread, weight, block, found.year[asked], rule)
    kinds = _kinds(facts, found, known, rows, np.log(np.abs(error / spread) + 0.1), rule)
    low, high = (
        np.maximum(sign * own[:, level] * spread, _LEAST_REACH_YR)
        for sign, level in ((-1, _LOW), (1, _HIGH))
    )
    strain = np.where(error > 0, error / high, -error / low)
    of_known, stretch = stretches(
        strain, weight, unit, [kind[0] for kind in kinds], [kind[1] for kind in kinds],
        hold_share=1 - rule.miss_share, shrunk_by=rule.min_group_count,
    )  # fmt: skip
    quantiles = found.year[asked, None] + told * (found.spread[asked] * stretch)[:, None]
    hidden = centre[:, None] + own * (spread * of_known)[:, None]
    chance = corrected_chances(
        share_by(hidden, rule.cutoff_year),
        (facts.known_year[known] <= rule.cutoff_year).astype(np.float64),
        weight, block, share_by(quantiles, rule.cutoff_year),
    )  # fmt: skip
    return quantiles, chance


def _local(
    centre: Floats, scaled: Floats, weight: Floats, block: Ints, wanted: Floats, rule: YearRule
) -> Floats:
    return local_quantiles(
        centre, scaled, weight, wanted,
        bandwidth=rule.bandwidth_yr, min_effective_count=rule.min_local_count, block=block,
    )  # fmt: skip


def _kinds(
    facts: YearFacts, found: Estimates, known: Ints, rows: Ints, error_log: Floats, rule: YearRule
) -> list[tuple[Ints, Ints]]:
    """Return group numbers of known and of asked buildings, by each kind of group."""
    year = found.year[facts.unit_of_building]
    everyone = np.zeros(len(year), dtype=np.int64)
    era = quantile_classes(year, known, len(rule.era_ends) + 1)
    kinds = [everyone, facts.district, era]
    is_single = np.bincount(facts.unit_of_building)[facts.unit_of_building] == 1
    kinds.append(is_single.astype(np.int64))
    first = np.unique(facts.unit_of_building[known], return_index=True)[1]
    kinds += class_columns(facts.columns, known[first], error_log[first]).values()
    for name in ("built_250_share",):
        if name in facts.columns:
            kinds.append(quantile_classes(facts.columns[name], known, _DENSITY_CLASSES))
    return [(kind[known], kind[rows]) for kind in kinds]


def _first(values: Ints, owner: Ints) -> Ints:
    first = np.full(int(owner.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, owner, values)
    return first
