"""Stage 3, score: each measurement becomes need, weighted need becomes points, points the rank."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import BUILDINGS, MEASUREMENTS, RANKING
from pipeline.geo.raster import Floats
from pipeline.problem import Problem
from pipeline.score.need import NEED_UNITS, QUANTILE_MASS, expected_need_units, need_units
from pipeline.score.rank import POINT_UNITS, point_units, ranks, tier_numbers
from pipeline.score.weights import WEIGHT_UNITS, known_shares, left_out, weight_units
from pipeline.settings.score import ScoreSettings


def run(inputs: Inputs) -> Outputs:
    """Return the ranking and what made it."""
    settings: ScoreSettings = inputs.settings.score
    table = measured_table(inputs.tables[MEASUREMENTS], inputs.tables[BUILDINGS])
    _check_measures(table, settings)
    known = known_shares(table, settings.criteria)
    absent = left_out(known, settings)
    used = {name: c for name, c in settings.criteria.items() if name not in absent}
    if not used:
        raise Problem(
            "score.criteria", "no criterion has data for this city",
            expected=f"one known for at least {settings.min_known_share:.0%} of the buildings",
            fix="add sources to the city profile, or give a weight to a criterion that has data",
        )  # fmt: skip
    weights = weight_units({name: criterion.weight for name, criterion in used.items()})

    columns: dict[str, Any] = {"building_id": table["building_id"]}
    score = np.zeros(len(table), dtype=np.int64)
    stand_ins = np.zeros(len(table), dtype=np.int64)
    for name, criterion in used.items():
        measured = plain_numbers(table[criterion.measure])
        spread = quantiles_of(table, criterion.measure)
        need = expected_need_units(spread, criterion) if spread else need_units(measured, criterion)
        points = point_units(need, weights[name])
        score += points
        stand_ins += np.isnan(measured)
        columns[f"{name}_points"] = points / POINT_UNITS
        columns[f"{name}_need_share"] = need / NEED_UNITS
        columns[f"{name}_origin"] = origins(table, criterion.measure)
    tie_breaks = [plain_numbers(table[name]) for name in settings.tie_breaks]
    rank = ranks(score, tie_breaks, table["building_id"])
    columns["rank"] = rank
    columns["tier_number"] = tier_numbers(rank, settings.tier_upper_rank_shares)
    columns["score_points"] = score / POINT_UNITS
    columns["stand_in_count"] = stand_ins
    ledger = {
        "rows_in": len(table),
        "rows_out": len(table),
        "weights": {name: weights[name] / WEIGHT_UNITS for name in used},
        "known_share": {name: round(known[name], 4) for name in settings.criteria},
        "criteria_left_out": absent,
    }
    return Outputs(tables={RANKING: pd.DataFrame(columns)}, ledger=ledger)


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


def origins(table: pd.DataFrame, measure: str) -> NDArray[np.str_]:
    """Return whether each value was measured, inferred, or is missing and takes the stand-in."""
    is_missing = table[measure].isna().to_numpy()
    basis = table["construction_year_basis_type"]
    is_inferred = basis.isin(["inferred", "baseline"]).to_numpy() & (measure == "age_yr")
    return np.where(is_missing, "stand_in", np.where(is_inferred, "inferred", "measured"))


def plain_numbers(column: pd.Series) -> Floats:
    """Return a column as floats, NaN where empty."""
    return np.asarray(column.astype("Float64").to_numpy(dtype=float, na_value=np.nan), dtype=float)


def measured_table(measurements: pd.DataFrame, buildings: pd.DataFrame) -> pd.DataFrame:
    """Return measurements with the numeric attributes of the buildings beside them."""
    numeric = buildings[["building_id", "storey_count", "height_m", "construction_year"]]
    return measurements.merge(pd.DataFrame(numeric), on="building_id", validate="one_to_one")


def _check_measures(table: pd.DataFrame, settings: ScoreSettings) -> None:
    numbers = [name for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]
    wanted = {f"score.criteria.{n}.measure": c.measure for n, c in settings.criteria.items()}
    wanted |= {f"score.tie_breaks[{i}]": name for i, name in enumerate(settings.tie_breaks)}
    for key, measure in wanted.items():
        if measure not in numbers:
            raise Problem(
                "config", f"{key} = {measure!r} is not a measurement",
                expected="one of: " + ", ".join(sorted(numbers)), fix=f"correct {key}",
            )  # fmt: skip
