"""Deliveries that went wrong for their CRS or their heights, with the values that are right.

The made-up district lies on a plane of 11.31°; the middle of its buildings is at 260 m.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely

from pipeline.check.losses import told_losses
from pipeline.contracts.stage import Inputs
from pipeline.intake.features import projected
from pipeline.intake.stage import run
from pipeline.problem import Problem
from pipeline.store.configuration import read_settings
from pipeline.store.sources import read_each_source, read_source
from pipeline.store.study_area import StudyArea
from tests import crs_town
from tests.conftest import REPOSITORY, real_data


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / "config"
    shutil.copytree(REPOSITORY / "config", folder)
    return folder


@pytest.mark.parametrize(
    ("case", "asked"),
    [("dem-scale-offset/dem_scale", ""),
     ("dem-compound-crs/dem_compound", ""),
     ("dem-photo/dem_ortho", "is a picture of 3 bands"),
     ("dem-undeclared-nodata/dem_m9999", "-9999 应为空值"),
     ("gpkg-cartesian/gpkg_srs_cartesian", "does not state its CRS; EPSG:32648 fits"),
     ("geojson-metres/geojson_projected", "does not state its CRS"),
     ("prj-name-other-parameters/crs_local_ellipsoid", "raised by 300 m")],
)  # fmt: skip
def test_the_plane_comes_out_as_it_is(case: str, asked: str, config: Path) -> None:
    raw = real_data("cases") / case
    settings, questions = crs_town.profile_of(raw, config, "told")
    assert settings is not None
    assert any(asked in one for one in questions)
    found = crs_town.ranking(raw, settings)
    assert len(found) == 60
    assert found["slope_deg"].median() == pytest.approx(11.31, abs=0.005)
    assert found["elevation_m"].median() == pytest.approx(260.0, abs=0.5)


def test_two_resolutions_of_one_place_are_a_question(config: Path) -> None:
    raw = real_data("cases") / "dem-tiles" / "dem_two_res"
    settings, questions = crs_town.profile_of(raw, config, "told")
    assert settings is None
    assert any(
        "which terrain? dem_05m.tif, dem_10m.tif lie over each other" in q for q in questions
    )


def test_a_footprint_at_zero_zero_is_rejected_by_name(config: Path) -> None:
    raw = real_data("cases") / "null-island" / "fp_null_island"
    settings, questions = crs_town.profile_of(raw, config, "told")
    assert settings is not None and settings.city.crs == "EPSG:32648"
    assert any("1 of 60 features lie far from all others" in one for one in questions)
    found = crs_town.ranking(raw, settings)
    assert len(found) == 59
    assert found.attrs["rejects"] == {"misplaced_feature": 1}


def test_yuzhong_on_a_raised_ellipsoid_lies_where_it_lies(config: Path) -> None:
    folder = real_data("cases") / "prj-name-other-parameters"
    middles = []
    for name in ("yz_local", "yz_right"):
        settings, _ = crs_town.profile_of(folder / name, config, "told")
        assert settings is not None
        source, area = settings.sources["footprints"], StudyArea("EPSG:32648")
        shapes = read_source(folder / name, "footprints", source, area).shapes
        middles.append(
            shapely.get_coordinates(shapely.centroid(projected(shapes, source, "EPSG:32648")))
        )
    assert len(middles[0]) > 1000
    assert np.abs(middles[0] - middles[1]).max() < 0.01  # it was 154 m


def test_yuzhong_in_beijing_1954_is_asked_about_and_not_ranked(config: Path) -> None:
    raw = real_data("cases") / "beijing54-ballpark" / "yz_bj54"
    settings, questions = crs_town.profile_of(raw, config, "told")
    assert settings is not None
    assert any("no transformation from its datum, Beijing 1954" in one for one in questions)
    with pytest.raises(Problem, match="no transformation from its datum, Beijing 1954"):
        crs_town.ranking(raw, settings)


def test_empty_cells_of_a_profile_by_hand_are_named(config: Path) -> None:
    folder = real_data("cases") / "dem-undeclared-nodata"
    shutil.copy(folder / "dem_m9999.yaml", config / "cities" / "hand.yaml")
    with pytest.raises(Problem, match=r"holds -9999 as height in 2\.3% of its cells"):
        crs_town.ranking(folder / "dem_m9999", read_settings(config, "hand", "base"))


def test_a_terrain_that_is_empty_under_buildings_is_told(config: Path, tmp_path: Path) -> None:
    """Its edges hold all buildings, its holes 18 of them: they have no height, and that is said."""
    raw = tmp_path / "raw"
    shutil.copytree(real_data("cases") / "dem-compound-crs" / "dem_compound", raw)
    with rasterio.open(raw / "dem.tif", "r+") as file:
        heights = file.read(1)
        x, y = file.transform * np.meshgrid(*(np.arange(n) + 0.5 for n in reversed(heights.shape)))
        heights[(x > 651000) & (x < 651200) & (y > 3270900) & (y < 3271500)] = -9999
        file.nodata = -9999
        file.write(heights, 1)
    settings, _ = crs_town.profile_of(raw, config, "holes")
    assert settings is not None
    sources = read_each_source(raw, settings.sources, settings.city.crs, 5000.0)[0]
    ledger = run(Inputs({}, sources, {}, settings, {}, "")).ledger
    told = [one.en for one in told_losses(ledger, settings.sources, settings.intake.losses)]
    of_buildings, of_streets = told
    assert of_buildings == "terrain: empty at 18 of 60 buildings, whose slope and climb are missing"
    assert "empty under 31% of 5.7 km of streets by buildings" in of_streets
