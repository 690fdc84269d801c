"""Street slopes and terrain slopes against published answers and GDAL."""

import os
import shutil
import subprocess
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer

from pipeline.geo.landform import ground
from pipeline.geo.profile import StreetLinks, link_profiles, mean_grade, sampled_heights
from pipeline.geo.raster import Raster, bilinear
from pipeline.geo.terrain import slope_deg
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY, real_data


def read_grid(path: Path) -> Raster:
    with rasterio.open(path) as file:
        band = file.read(1, masked=True).astype(np.float32).filled(np.nan)
        return Raster(band, file.transform.c, file.transform.f, file.transform.a, str(file.crs))


RULE = read_settings(REPOSITORY / "config", "yuzhong", "base").measure
INTO_GRID = Transformer.from_crs("EPSG:3763", "EPSG:3035", always_xy=True)


def street_slopes(links: StreetLinks, grid: Raster) -> np.ndarray:
    """Return the mean grades by the profiles that are walked, heights taken from a grid in its CRS."""

    def height_at(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return bilinear(grid, *map(np.asarray, INTO_GRID.transform(x, y)))

    walking = RULE.walking
    heights = sampled_heights(links, height_at, walking.profile_spacing_m, walking.profile_noise_m)
    return mean_grade(link_profiles(links, heights, walking), links)


def off(ours: np.ndarray, published: np.ndarray) -> tuple[float, float, int]:
    """Return correlation, mean difference and how many streets have both."""
    both = ~np.isnan(ours) & ~np.isnan(published)
    correlation = np.corrcoef(ours[both], published[both])[0, 1]
    return float(correlation), float(np.abs(ours - published)[both].mean()), int(both.sum())


def test_the_profiles_that_are_walked_have_the_published_slopes_of_oeiras() -> None:
    folder = real_data("slopes")
    streets = gpd.read_file(folder / "RedeViariaOeiras_declivesEU.gpkg").explode()
    grid = read_grid(folder / "OeirasCOPERNICUS_clip.tif")
    shapes = streets.to_crs("EPSG:3763").geometry.to_numpy()
    count, point = len(shapes), shapely.get_point
    ends = np.concatenate([point(shapes, 0), point(shapes, -1)])
    links = StreetLinks(
        np.arange(count),
        np.arange(count, 2 * count),
        shapes,
        np.full(count, "ground", dtype=object),
        np.ones(count, dtype=bool),
        np.ones(count, dtype=bool),
        np.full(count, np.nan),
        shapely.get_x(ends),
        shapely.get_y(ends),
    )
    published = streets["slope"].to_numpy(dtype=float)
    # the publisher takes heights at the bends only
    correlation, error, both = off(street_slopes(links, grid), published)
    assert both >= 11_400
    assert correlation >= 0.999
    assert error <= 0.0005
    # what the filter takes for roofs and trees, it takes from the slopes of open hills too
    filtered = ground(grid, RULE.terrain)[0]
    correlation, error, _ = off(street_slopes(links, filtered), published)
    assert correlation >= 0.98
    assert error <= 0.0035


def test_terrain_slope_of_yuzhong_equals_gdal(tmp_path: Path, yuzhong_raw: Path) -> None:
    if not shutil.which("gdaldem"):
        if os.environ.get("CI"):
            pytest.fail("gdaldem must be installed in CI")
        pytest.skip("gdaldem is not installed")
    dem = yuzhong_raw / "dem" / "srtm_utm48n_30m.tif"
    subprocess.run(
        ["gdaldem", "slope", "-alg", "Horn", str(dem), str(tmp_path / "slope.tif"), "-q"],
        check=True,
    )
    with rasterio.open(tmp_path / "slope.tif") as file:
        theirs = file.read(1, masked=True).filled(np.nan)
    ours = slope_deg(read_grid(dem)).values
    # both leave the outermost cells empty
    assert (np.isnan(ours) == np.isnan(theirs)).all()
    np.testing.assert_allclose(ours[1:-1, 1:-1], theirs[1:-1, 1:-1], atol=2e-4)
