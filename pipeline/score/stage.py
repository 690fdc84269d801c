"""Stage 3, score: each measurement becomes need, weighted need becomes points, points the rank."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipeline.contracts.numbers import plain_numbers
from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import BUILDINGS, CONSENTS, MEASUREMENTS, RANKING
from pipeline.geo.raster import Floats
from pipeline.need.drawn_weights import drawn_weights
from pipeline.need.value_functions import (
    NEED_UNITS,
    Units,
    expected_need_units,
    left_out_need,
    need_units,
)
from pipeline.need.weights import (
    WEIGHT_UNITS,
    Weighting,
    known_shares,
    left_out,
    weight_units,
    weighting,
)
from pipeline.problem import Problem
from pipeline.rules.rank_order import POINT_UNITS, point_units, ranks, tier_numbers
from pipeline.rules.tracks import TRACKS, tracks
from pipeline.rules.vetoes import lifted_by
from pipeline.score.notices import notices
from pipeline.score.readiness import QUADRANTS, consent_share, quadrants, readiness_share
from pipeline.score.robustness import Bands, rank_bands
from pipeline.score.second_opinions import cross_checks
from pipeline.score.sensitivity import weight_reach
from pipeline.score.uncertain import uncertain_need
from pipeline.settings.score import QUANTILE_MASS, Criterion, ScoreSettings

FAULT_ENDING = "_fault_share"
_FACTS = (
    "building_id", "district_name", "estate_id", "storey_count", "height_m", "construction_year",
    "household_count", "elder_share", "shop_floor_area_m2", "hazard_grade_code", "management_type",
    "heritage_name", "renovated_year", "is_in_clearance_plan",
)  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """Need, points and score of every building, whatever its track."""

    used: dict[str, Criterion]
    weights: dict[str, int]
    needs: dict[str, Units]
    points: dict[str, Units]

    @property
    def score(self) -> Units:
        """Thousandths of a point."""
        return np.sum(list(self.points.values()), axis=0)

    def need_matrix(self, rows: NDArray[np.bool_]) -> Floats:
        """Need from 0 to 1 of some buildings, one column a criterion."""
        return np.stack([need[rows] / NEED_UNITS for need in self.needs.values()], axis=1)


def run(inputs: Inputs) -> Outputs:
    """Return the ranking and what made it."""
    settings: ScoreSettings = inputs.settings.score
    reference_year = inputs.settings.measure.reference_year
    table = measured_table(
        inputs.tables[MEASUREMENTS], inputs.tables[BUILDINGS], wanted_measures(settings).values()
    )
    _check_measures(table, settings)
    given = weighting(settings)
    known = known_shares(table, settings.criteria)
    scored, absent = _scored(table, settings, given, known)

    way = tracks(table, settings.tracks, reference_year=reference_year)
    is_ranked = way.is_ranked
    lifted = np.where(is_ranked, lifted_by(table, settings.vetoes), "")
    consent = consent_share(inputs.tables[CONSENTS], table["building_id"], inputs.settings.consent)
    ready = readiness_share(consent, table, settings.readiness)
    columns = _columns(table, scored)
    columns |= {
        "track_type": way.track_type,
        "track_reason_code": way.reason_code,
        "is_lifted": lifted != "",
        "lifted_by_code": pd.Series(lifted, dtype="str").mask(lifted == ""),
        "consent_share": consent.to_numpy(),
        "readiness_share": ready,
        "quadrant_type": quadrants(scored.score / POINT_UNITS, ready, settings.readiness),
    }
    rows = table[is_ranked].reset_index(drop=True)
    rank = ranks(
        scored.score[is_ranked],
        [plain_numbers(rows[name]) for name in settings.tie_breaks],
        rows["building_id"],
        (lifted != "")[is_ranked],
    )
    tier = tier_numbers(rank, settings.tier_upper_rank_shares, (lifted != "")[is_ranked])
    bands, told = _second_look(
        rows, scored, is_ranked, (lifted != "")[is_ranked], settings, inputs.settings.measure
    )
    ranked_columns = {"rank": rank, "tier_number": tier, **vars(bands)}
    for name, values in ranked_columns.items():
        columns[name] = _spread(values, is_ranked)
    ranking = pd.DataFrame(columns)
    ledger = {
        "rows_in": len(table),
        "rows_out": len(ranking),
        "tracks": {name: int((way.track_type == name).sum()) for name in TRACKS},
        "track_reasons": _counts(way.reason_code),
        "lifted": _counts(lifted[lifted != ""]),
        "quadrants": {n: int((columns["quadrant_type"] == n).sum()) for n in QUADRANTS},
        "weights": {name: units / WEIGHT_UNITS for name, units in scored.weights.items()},
        "judgments_consistency": {k: round(v, 4) for k, v in given.consistency.items()},
        "known_share": {name: round(known[name], 4) for name in settings.criteria},
        "criteria_left_out": absent,
        "notices": notices(
            scored.need_matrix(is_ranked), scored.weights, rows, scored.used, given.consistency,
            settings.notices, {n: s for n, s in known.items()
                               if n in scored.weights and s < settings.coverage.notice_below_share},
        ),
        **told,
        "robustness": _robustness_told(ranking[is_ranked], settings),
    }  # fmt: skip
    return Outputs(tables={RANKING: ranking}, ledger=ledger)


def _scored(
    table: pd.DataFrame, settings: ScoreSettings, given: Weighting, known: Mapping[str, float]
) -> tuple[Scored, dict[str, str]]:
    """Return need and points by criterion, and the criteria left out with the reason."""
    absent = left_out(known, given.weights, settings.coverage.min_known_share)
    used = {name: c for name, c in settings.criteria.items() if name not in absent}
    if not used:
        raise Problem(
            "score.criteria", "no criterion has data for this city",
            expected=f"one known for at least {settings.coverage.min_known_share:.0%} of the buildings",
            fix="add sources to the city profile, or give a weight to a criterion that has data",
        )  # fmt: skip
    weights = weight_units({name: given.weights[name] for name in used})
    needs: dict[str, Units] = {}
    gaps: dict[str, NDArray[np.bool_]] = {}
    for name, criterion in used.items():
        measured = plain_numbers(table[criterion.measure])
        spread = quantiles_of(table, criterion.measure)
        needs[name] = (
            expected_need_units(spread, criterion) if spread else need_units(measured, criterion)
        )
        gaps[name] = np.isnan(measured) & (criterion.missing == "leave_out")
    if any(gap.any() for gap in gaps.values()):
        others = left_out_need(list(needs.values()), list(weights.values()), list(gaps.values()))
        needs = {name: np.where(gaps[name], others, need) for name, need in needs.items()}
    points = {name: point_units(need, weights[name]) for name, need in needs.items()}
    return Scored(used, weights, needs, points), absent


def _columns(table: pd.DataFrame, scored: Scored) -> dict[str, Any]:
    columns: dict[str, Any] = {"building_id": table["building_id"]}
    stand_ins = np.zeros(len(table), dtype=np.int64)
    for name, criterion in scored.used.items():
        columns[f"{name}_points"] = scored.points[name] / POINT_UNITS
        columns[f"{name}_need_share"] = scored.needs[name] / NEED_UNITS
        columns[f"{name}_origin"] = origins(table, criterion.measure)
        stand_ins += table[criterion.measure].isna().to_numpy()
    columns["score_points"] = scored.score / POINT_UNITS
    columns["stand_in_count"] = stand_ins
    return columns


def _second_look(
    rows: pd.DataFrame,
    scored: Scored,
    is_ranked: NDArray[np.bool_],
    is_lifted: NDArray[np.bool_],
    settings: ScoreSettings,
    measure: Any,
) -> tuple[Bands, dict[str, Any]]:
    """Return the bands of the ranked buildings, and what other methods and weights would say."""
    rule = settings.robustness
    names = list(scored.weights)
    shares = np.array(list(scored.weights.values())) / WEIGHT_UNITS
    matrix = scored.need_matrix(is_ranked)
    need = uncertain_need(
        rows,
        scored.used,
        {name: units[is_ranked] for name, units in scored.needs.items()},
        {n: quantiles_of(rows, c.measure) for n, c in scored.used.items() if c.measure == "age_yr"},
        {name: rule.errors[name] for name in names if name in rule.errors},
        cutoff_year=measure.years.cutoff_year,
    )
    weights = drawn_weights(names, shares, rule, np.random.default_rng(rule.seed))
    bands = rank_bands(need, weights, is_lifted, rule)
    # one BLAS thread each: so small products keep a second one waiting longer than they take
    with threadpool_limits(1), ThreadPoolExecutor(1) as pool:
        checked = pool.submit(cross_checks, matrix, shares, names)
        reach = weight_reach(
            matrix, shares, is_lifted,
            top_share=rule.top_share, change=rule.sensitivity_change_share,
        )  # fmt: skip
        told = {name: _rounded(asdict(one)) for name, one in zip(names, reach, strict=True)}
        return bands, {"weight_reach": told, "cross_checks": checked.result()}


def _robustness_told(ranked: pd.DataFrame, settings: ScoreSettings) -> dict[str, Any]:
    rule = settings.robustness
    told: dict[str, Any] = {
        "draws": rule.draws,
        "weight_rule": rule.weight_rule,
        "interval_share": rule.interval_share if rule.weight_rule == "intervals" else None,
    }
    if not len(ranked):
        return told
    rank = ranked["rank"].astype(float)
    inside = rank.between(ranked["rank_p05"].astype(float), ranked["rank_p95"].astype(float))
    width = (ranked["rank_p95"] - ranked["rank_p05"]).astype(float)
    is_top = rank <= max(1, int(rule.top_share * len(ranked) + 1e-9))
    held = float(inside.mean())
    told |= {
        "base_rank_in_band_share": round(held, 4),
        "median_band_width_share": round(float(width.median()) / len(ranked), 4),
        "top_count": int(is_top.sum()),
        "surely_top_count": int((ranked["top_share"] >= 0.95).sum()),
        "top_never_below_half_count": int((ranked["top_share"][is_top] >= 0.5).sum()),
    }
    if held < 0.8:
        told["band_reason_zh"] = "权重抽样的中心不在所用权重上，或未知年份把建筑移出改造范围"
        told["band_reason_en"] = (
            "the drawn weights are not centred on the weights in use, or unknown years move "
            "buildings out of the programme"
        )
    return told


def _spread(values: Any, rows: NDArray[np.bool_]) -> pd.Series:
    """Return values of some rows in a column of all, empty elsewhere."""
    whole = np.full(len(rows), np.nan)
    whole[rows] = values
    is_whole = np.issubdtype(np.asarray(values).dtype, np.integer)
    return pd.Series(whole).astype("Int64") if is_whole else pd.Series(whole)


def _counts(codes: NDArray[np.str_]) -> dict[str, int]:
    names, counts = np.unique(codes, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _rounded(reach: Mapping[str, float | None]) -> dict[str, float | None]:
    return {key: None if value is None else round(value, 4) for key, value in reach.items()}


def quantiles_of(table: pd.DataFrame, measure: str) -> dict[str, Floats]:
    """Return the quantiles of a measurement that is a distribution: of age, from those of the year.

    Empty for every other measurement. An old quantile of the year is a large one of the age.
    """
    if measure != "age_yr":
        return {}
    middle = plain_numbers(table["age_yr"])
    year = plain_numbers(table["construction_year_p50"])
    return {
        name: np.maximum(middle + year - plain_numbers(table[f"construction_year_{name}"]), 0)
        for name in QUANTILE_MASS
    }


def origins(table: pd.DataFrame, measure: str) -> Any:
    """Return whether each value was measured, inferred, or is missing and takes the stand-in.

    As an array of texts: taking them from the three words is ten times faster than making them.
    """
    code = np.zeros(len(table), dtype=np.intp)
    if measure == "age_yr":
        code[table["construction_year_basis_type"].isin(["inferred", "baseline"])] = 1
    code[table[measure].isna()] = 2
    return pd.array(["measured", "inferred", "stand_in"], dtype="str").take(code)


def measured_table(
    measurements: pd.DataFrame, buildings: pd.DataFrame, measures: Collection[str]
) -> pd.DataFrame:
    """Return measurements with what registers and surveys know of the buildings beside them.

    Faults among ``measures`` that no inspection reported stand there empty. Sorted by id, so that what
    is drawn for a building does not depend on the order of rows.
    """
    faults = [name for name in buildings.columns if name.endswith(FAULT_ENDING)]
    facts = pd.DataFrame(buildings[[*_FACTS, *faults]])
    absent = [name for name in measures if name.endswith(FAULT_ENDING) and name not in faults]
    facts = facts.assign(**dict.fromkeys(absent, np.nan))
    ordered = measurements.sort_values("building_id").reset_index(drop=True)
    return ordered.merge(facts, on="building_id", validate="one_to_one")


def wanted_measures(settings: ScoreSettings) -> dict[str, str]:
    """Return every measurement that the settings name, by its key in them."""
    wanted = {f"score.criteria.{n}.measure": c.measure for n, c in settings.criteria.items()}
    wanted |= {f"score.tie_breaks[{i}]": name for i, name in enumerate(settings.tie_breaks)}
    for name, veto in settings.vetoes.items():
        wanted |= {f"score.vetoes.{name}.at_least.{measure}": measure for measure in veto.at_least}
    return wanted


def _check_measures(table: pd.DataFrame, settings: ScoreSettings) -> None:
    numbers = [name for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]
    for key, measure in wanted_measures(settings).items():
        if measure not in numbers:
            near = get_close_matches(measure, numbers, n=5)
            raise Problem(
                "config", f"{key} = {measure!r} is not a measurement",
                expected="for example " + ", ".join(near or sorted(numbers)[:5])
                + "; data/README.md lists all columns of measurements and buildings",
                fix=f"correct {key}",
            )  # fmt: skip
