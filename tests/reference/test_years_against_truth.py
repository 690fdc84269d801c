"""Inferred years of the built-in city against its truth, which inference never sees."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pipeline.contracts.check import conform
from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import BUILDINGS
from pipeline.geo.landform import ground
from pipeline.intake import stage as intake
from pipeline.measure.land import READ_COLUMNS, land_and_years
from pipeline.store.configuration import read_settings
from pipeline.store.sources import read_sources
from pipeline.years.evaluate import calibration_error, judge, square_blocks
from pipeline.years.facts import YearFacts
from pipeline.years.gaps import even_folds
from pipeline.years.precision import band_share
from pipeline.years.shape import density_columns, shape_columns
from tests.conftest import REPOSITORY

RULE = read_settings(REPOSITORY / "config", "reference", "base").measure.years


@pytest.fixture(scope="module")
def missing(whole) -> pd.DataFrame:
    """Every building whose year had to be inferred, its true year beside it: no walks, no lists."""
    settings = read_settings(REPOSITORY / "config", "reference", "base")
    sources = read_sources(
        whole.raw, settings.sources, settings.city.crs, settings.intake.region_margin_m
    )
    cleaned = intake.run(
        Inputs(
            tables={}, sources=sources, rasters={}, settings=settings, ledgers={}, scenario="base"
        )
    )
    buildings = conform(BUILDINGS, cleaned.tables[BUILDINGS])
    is_housing = buildings["is_housing"].to_numpy(dtype=bool)
    housing = buildings[is_housing].reset_index(drop=True)
    shapes = buildings.geometry.to_numpy()
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    found = land_and_years(
        housing[list(READ_COLUMNS)], middle[is_housing], (middle, shapely.area(shapes)),
        *ground(cleaned.rasters["terrain"], settings.measure.terrain), settings.measure,
    )  # fmt: skip
    truth = pd.read_parquet(whole.truth / "buildings.parquet")
    known = housing[["building_id", "district_name"]].join(found.years).merge(
        truth[["building_id", "construction_year"]].rename(columns={"construction_year": "truth"}),
        on="building_id",
    )  # fmt: skip
    found = known[known["construction_year_basis_type"].isin(["inferred", "baseline"])].copy()
    found["is_held"] = (found["construction_year_p05"] <= found["truth"]) & (
        found["truth"] <= found["construction_year_p95"]
    )
    eras = [0, 1970, 1980, 1990, 1995, 2000, 2100]
    found["era"] = pd.cut(found["construction_year_p50"], eras, right=False).astype(str)
    found["true_era"] = pd.cut(found["truth"], eras, right=False).astype(str)
    return found


def test_nine_in_ten_intervals_hold_the_truth(missing: pd.DataFrame) -> None:
    assert len(missing) > 15_000
    assert 0.88 <= missing["is_held"].mean() <= 0.92
    print(missing.groupby("true_era")["is_held"].agg(["size", "mean"]).round(3))


def test_so_they_do_in_every_district_and_era(missing: pd.DataFrame) -> None:
    """Within the 99 % band as if every building were drawn alone, though estates err as a whole."""
    for name in ("district_name", "era"):
        for group, rows in missing.groupby(name):
            stray = abs(rows["is_held"].mean() - 0.9)
            assert stray <= band_share(len(rows)), (
                f"{name} {group}: {len(rows)}, off by {stray:.4f}"
            )


def test_ends_of_intervals_are_whole_years_around_the_middle(missing: pd.DataFrame) -> None:
    low, high = missing["construction_year_p05"], missing["construction_year_p95"]
    assert (low % 1 == 0).all() and (high % 1 == 0).all()
    assert missing["construction_year_p50"].between(low, high).all()


def test_the_chance_of_being_in_the_programme_is_calibrated(missing: pd.DataFrame) -> None:
    is_in = (missing["truth"] <= 2000).to_numpy(dtype=float)
    assert calibration_error(missing["built_by_cutoff_share"].to_numpy(), is_in) <= 0.02


def facts_of_truth(whole, step: int) -> YearFacts:
    """Return one in ``step`` buildings of the programme with their true years, each standing alone."""
    truth = gpd.read_parquet(whole.truth / "buildings.parquet")
    truth = truth[truth["is_programme"]].sort_values("building_id").iloc[::step]
    middle = truth.geometry.centroid
    points = np.column_stack([middle.x, middle.y])
    columns = shape_columns(truth.geometry.to_numpy())
    columns |= density_columns(points, points, truth.geometry.area.to_numpy())
    columns["storey_count"] = truth["storey_count"].to_numpy(dtype=float)
    columns |= {"east_m": points[:, 0], "north_m": points[:, 1]}
    year = truth["construction_year"].to_numpy(dtype=float)
    key = pd.util.hash_array(truth["building_id"].to_numpy(dtype=object))
    return YearFacts(
        known_year=year, low_year=year, high_year=year, unit_of_building=np.arange(len(year)),
        unit_key=key, building_key=key, points=points,
        district=pd.factorize(truth["district_name"], sort=True)[0].astype(np.int64), columns=columns,
    )  # fmt: skip


def test_held_out_by_squares_the_error_is_well_below_both_baselines_and_intervals_hold(
    whole,
) -> None:
    facts = facts_of_truth(whole, 6)
    block, _ = square_blocks(facts.points, side_m=RULE.block_m, min_count=RULE.min_block_count)
    found = judge(facts, even_folds(block, 5), RULE)
    year = facts.known_year
    error = np.abs(found.model - year).mean()
    for name, said in found.baselines.items():
        assert error < 0.85 * np.abs(said - year).mean(), name
    assert 0.88 <= ((found.first_year <= year) & (year <= found.last_year)).mean() <= 0.92
    assert calibration_error(found.by_cutoff_share, (year <= 2000).astype(float)) <= 0.02
    assert {"neighbour", "isolated"} <= set(found.regime)
