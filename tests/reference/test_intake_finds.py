"""Intake against the truth: every planted kind of fault is found, and reported by kind."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from tests.conftest import REPOSITORY, Project

SCALE = "0.05"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small synthetic city taken through the command line: (tables, truth)."""
    project = Project(tmp_path_factory.mktemp("synthetic") / "project")
    # the truth counts tertiary roads as main roads
    project.edit(
        "config/default.yaml",
        "[trunk, primary, secondary]",
        "[trunk, primary, secondary, tertiary]",
    )
    made = project.run("city", "--scale", SCALE, "--folder", str(project.root / "made"))
    assert made.returncode == 0, made.stderr
    raw = project.root / "made" / "raw"
    ranked = project.run("rank", "--city", "reference", "--raw", str(raw))
    assert ranked.returncode == 0, ranked.stderr
    assert "SYNTHETIC" in ranked.stdout
    assert "合成" in ranked.stdout
    assert "WARNING" in ranked.stdout  # a twentieth of the city strays from the expected totals
    return project.root / "data" / "processed" / "reference", project.root / "made" / "truth"


def planted(truth: Path, kind: str) -> pd.DataFrame:
    faults = pd.read_parquet(truth / "planted_faults.parquet")
    rows = faults[faults["fault_kind"] == kind]
    assert len(rows), kind
    return rows


def found(tables: Path, source: str, reason: str) -> pd.DataFrame:
    rejects = pd.read_parquet(tables / "rejects.parquet")
    return rejects[(rejects["source_name"] == source) & (rejects["reason_code"] == reason)]


@pytest.mark.parametrize(
    ("kind", "source", "reason"),
    [
        ("duplicate_row", "housing_register", "duplicate_row"),
        ("impossible_year", "housing_register", "impossible_year"),
        ("area_in_wan_m2", "housing_register", "area_in_wan_m2"),
        ("area_in_mu", "housing_register", "area_in_mu"),
        ("area_factor_ten", "housing_register", "area_factor_ten"),
        ("swapped_lon_lat", "housing_register", "swapped_lon_lat"),
        ("bow_tie_ring", "footprints", "outline_repaired"),
    ],
)
def test_exactly_the_planted_rows_are_told(
    city: tuple[Path, Path], kind: str, source: str, reason: str
) -> None:
    tables, truth = city
    wanted = planted(truth, kind)
    told = found(tables, source, reason)
    rows = {str(number + 1) for number in wanted["row_number"]}
    copies = planted(truth, "duplicate_row")
    copied = {str(n + 1) for n in copies["row_number"]} if source == "housing_register" else set()
    originals = {str(int(n) + 1) for n in copies["true_text"]} if copied else set()
    # of a row and its copy the first in the file stays, and tells the fault
    if kind == "duplicate_row":
        assert len(told) == len(wanted)
        assert set(told["source_row"]) <= copied | originals
    else:
        assert set(told["source_row"]) - copied <= rows
        assert len(rows - set(told["source_row"]) - originals) == 0


def test_every_repeated_footprint_is_left_out(city: tuple[Path, Path]) -> None:
    tables, truth = city
    told = found(tables, "footprints", "duplicate_footprint")
    assert len(told) == len(planted(truth, "duplicate_footprint"))


def test_every_pushed_footprint_is_told_as_overlapping(city: tuple[Path, Path]) -> None:
    tables, truth = city
    buildings = pd.read_parquet(tables / "buildings.parquet").set_index("building_id")
    pushed = planted(truth, "overlapping_footprint")["row_key"]
    assert buildings.loc[pushed, "is_overlapping"].mean() >= 0.95
    share = buildings["is_overlapping"].mean()
    assert share < 0.03


def test_missing_values_are_counted_and_stay_missing(city: tuple[Path, Path]) -> None:
    tables, truth = city
    ledger = json.loads((tables / "intake.ledger.json").read_text(encoding="utf-8"))
    missing = ledger["register_values_missing"]["housing_register"]
    for column, kind in (
        ("storey_count", "storeys_missing"),
        ("household_count", "households_missing"),
    ):
        assert missing[column] == len(planted(truth, kind))
    buildings = pd.read_parquet(tables / "buildings.parquet")
    unknown = buildings["is_registered"] & (buildings["construction_year_origin"] == "unknown")
    blank, impossible = (len(planted(truth, k)) for k in ("year_missing", "impossible_year"))
    assert unknown.sum() == blank + impossible


def test_facilities_are_turned_and_repeated_ones_left_out(city: tuple[Path, Path]) -> None:
    tables, truth = city
    used = set(pd.read_parquet(tables / "amenities.parquet")["amenity_id"])
    rejects = pd.read_parquet(tables / "rejects.parquet")
    unused = set(
        rejects[rejects["reason_code"] == "type_not_used"].query("source_name == 'amenities'")[
            "source_row"
        ]
    )
    for kind, reason in (
        ("swapped_amenity", "swapped_coordinates"), ("duplicate_amenity", "duplicate_facility"),
    ):  # fmt: skip
        wanted = planted(truth, kind)
        rows = {str(n + 1) for n in wanted["row_number"]} - unused
        told = set(found(tables, "amenities", reason)["source_row"])
        if kind == "swapped_amenity":
            assert rows <= told
        else:
            assert len(told) == len(rows)
    place = gpd.read_parquet(tables / "amenities.parquet").set_index("amenity_id").geometry
    told = pd.read_parquet(truth / "amenities.parquet")
    true = gpd.GeoSeries.from_xy(told["x_m"], told["y_m"], crs=place.crs)
    true.index = "amenities-" + told["设施编号"]
    both = place.index.intersection(true.index)
    assert len(both) > 0.9 * sum(name.startswith("amenities-") for name in used)
    assert place.loc[both].distance(true.loc[both]).max() < 1.0  # GCJ-02 unbent


def test_years_storeys_and_areas_equal_the_truth_where_recorded(city: tuple[Path, Path]) -> None:
    tables, truth = city
    ours = gpd.read_parquet(tables / "buildings.parquet").set_index("building_id")
    measured = pd.read_parquet(tables / "measurements.parquet").set_index("building_id")
    true = pd.read_parquet(truth / "buildings.parquet").set_index("building_id")
    programme = true[true["is_programme"]]
    assert set(measured.index) == set(programme.index)
    known = ours.loc[programme.index, "construction_year_low"].notna()
    low = ours.loc[programme.index, "construction_year_low"][known].astype(int)
    high = ours.loc[programme.index, "construction_year_high"][known].astype(int)
    year = programme["construction_year"][known]
    assert ((low <= year) & (year <= high)).mean() > 0.999
    total = measured["floor_area_m2"].sum() / programme["housing_area_m2"].sum()
    assert abs(total - 1) < 0.01


def test_the_ground_is_nearer_the_truth_than_the_surface(city: tuple[Path, Path]) -> None:
    import rasterio

    tables, truth = city
    grids = []
    for path in (tables / "terrain.tif", tables / "ground.tif", truth / "ground_30m.tif"):
        with rasterio.open(path) as file:
            grids.append(file.read(1, masked=True).astype(float).filled(np.nan))
    surface, ground, true = grids
    built = surface - true > 2.0  # cells that roofs or trees raise
    assert np.nanmean(np.abs(ground - true)[built]) < 0.8 * np.nanmean(
        np.abs(surface - true)[built]
    )
    assert np.nanmean(np.abs(ground - true)) < np.nanmean(np.abs(surface - true))


def test_climbs_follow_the_designed_hills(city: tuple[Path, Path]) -> None:
    """The truth walks the designed network on the bare ground, from the nearest corner of it.

    It prefers flat ways more than a quick walker does, so single buildings may differ; a steep home
    must be steep in both, and a flat one flat.
    """
    tables, truth = city
    ours = pd.read_parquet(tables / "measurements.parquet").set_index("building_id")
    true = pd.read_parquet(truth / "buildings.parquet").set_index("building_id")
    # down to the main road is up on the way home
    larger = true[["ascent_to_main_road_m", "descent_to_main_road_m"]].max(axis=1, skipna=False)
    climbs = [ours["main_road_climb_m"], larger]
    both = pd.concat(climbs, axis=1, join="inner").dropna()
    both.columns = pd.Index(["ours", "true"])
    assert len(both) > 2000
    assert (both["ours"] - both["true"]).abs().median() < 3.0
    assert both["ours"][both["true"] >= 30].median() >= 25
    assert both["ours"][both["true"] < 1].median() <= 3


def test_lists_say_synthetic_in_both_languages(city: tuple[Path, Path]) -> None:
    tables, _ = city
    names = {path.name for path in (tables / "base").iterdir()}
    assert "building_ranking_synthetic_合成.csv" in names
    assert "ranking_synthetic_合成.gpkg" in names
    ranking = pd.read_csv(
        tables / "base" / "building_ranking_synthetic_合成.csv", encoding="utf-8-sig"
    )
    assert (ranking["data_origin"] == "合成 synthetic").all()
    page = tables.parents[2] / "maps" / "reference" / "base" / "index.html"
    assert page.is_file()
    assert (REPOSITORY / "config" / "cities" / "reference.yaml").is_file()
