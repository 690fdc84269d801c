"""Gather what tells a building's age, and lay the inferred years beside the recorded ones."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.geo.raster import Floats
from pipeline.years.conformal import LEVELS
from pipeline.years.facts import YearFacts
from pipeline.years.infer import Inference
from pipeline.years.shape import density_columns, shape_columns

SHOWN_SHARES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
_FURTHEST_M = 1_000_000.0
_NUMBERS = (
    "storey_count",
    "household_count",
    "stairwell_count",
    "elder_share",
    "shop_floor_area_m2",
)
_WORDS = ("building_structure_type", "hazard_grade_code", "management_type")


def year_table(found: Inference) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return quantiles, chance and basis of each year, and what to put on record."""
    return _columns(found), _told(found)


def year_facts(
    housing: gpd.GeoDataFrame,
    points: Floats,
    everywhere: tuple[Floats, Floats],
    ground: Mapping[str, Any],
) -> YearFacts:
    """Return what is known of each building's age and of what may tell it.

    Parameters
    ----------
    housing
        The buildings to be judged.
    points
        The middle of each, n × 2, metres.
    everywhere
        Middle and area of every delivered footprint, for how densely a place is built.
    ground
        Measured columns of the housing: slope, relief, height.
    """
    shapes = housing.geometry.to_numpy()
    unit = housing["estate_id"].fillna("/" + housing["building_id"]).to_numpy(dtype=object)
    keys, of_building = np.unique(unit.astype(str), return_inverse=True)
    area_m2 = shapely.area(shapes)
    columns = shape_columns(shapes)
    columns |= density_columns(points, *everywhere)
    columns |= {name: plain(housing[name]) for name in _NUMBERS}
    columns |= {name: _code(housing[name]) for name in _WORDS}
    with np.errstate(divide="ignore", invalid="ignore"):
        floor_m2 = plain(housing["recorded_floor_area_m2"])
        columns["flat_m2"] = floor_m2 / np.where(
            columns["household_count"] > 0, columns["household_count"], np.nan
        )
        columns["shop_share"] = columns.pop("shop_floor_area_m2") / area_m2
    columns |= {
        "has_lift": plain(housing["has_lift"].astype("boolean").astype("Float64")),
        "is_heritage": housing["heritage_name"].notna().to_numpy(dtype=float),
        **{
            name: plain(pd.Series(ground[name]))
            for name in ("elevation_m", "slope_deg", "relief_m")
        },
        "east_m": points[:, 0],
        "north_m": points[:, 1],
    }
    is_known = housing["construction_year_origin"].isin(["recorded", "vague"]).to_numpy()
    return YearFacts(
        known_year=np.where(is_known, plain(housing["construction_year"]), np.nan),
        low_year=plain(housing["construction_year_low"]),
        high_year=plain(housing["construction_year_high"]),
        unit_of_building=of_building.astype(np.int64),
        unit_key=pd.util.hash_array(keys.astype(object)),
        building_key=pd.util.hash_array(housing["building_id"].to_numpy(dtype=object)),
        points=points,
        district=pd.factorize(housing["district_id"], sort=True)[0].astype(np.int64),
        columns=columns,
    )


def plain(column: pd.Series) -> Floats:
    """Return a column as floats, NaN where empty."""
    return np.asarray(column.astype("Float64").to_numpy(dtype=float, na_value=np.nan), dtype=float)


def _code(words: pd.Series) -> Floats:
    numbers = pd.factorize(words, sort=True)[0].astype(float)
    return np.where(numbers < 0, np.nan, numbers)


def _columns(found: Inference) -> pd.DataFrame:
    ends = {"p05": found.first_year, "p95": found.last_year}
    at = {
        f"construction_year_{name}": ends[name]
        if name in ends
        else np.clip(
            np.round(found.quantiles[:, np.argmin(np.abs(LEVELS - share))], 2),
            found.first_year,
            found.last_year,
        )
        for name, share in SHOWN_SHARES.items()
    }
    share = pd.Series(found.by_cutoff_share).round(4)
    far_m = pd.Series(np.round(np.minimum(found.nearest_known_m, _FURTHEST_M)))
    return pd.DataFrame(
        {
            **at,
            "built_by_cutoff_share": share,
            "construction_year_basis_type": found.basis,
            "construction_year_regime_type": found.regime,
            "nearest_known_year_m": far_m,
        }
    )


def _told(found: Inference) -> dict[str, Any]:
    kinds, counts = np.unique(found.basis, return_counts=True)
    by_basis = dict(zip(kinds.tolist(), counts.tolist(), strict=True))
    width = found.last_year - found.first_year
    inferred = np.isin(found.basis, ["inferred", "baseline"])
    told = {"by_basis": by_basis, **found.report}
    if inferred.any():
        told["median_width_yr"] = round(float(np.median(width[inferred])), 1)
    return told
