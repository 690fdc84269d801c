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

from pipeline.geo.profile import mean_grade
from pipeline.geo.raster import Raster, bilinear
from pipeline.geo.terrain import slope_deg
from tests.conftest import real_data


def read_grid(path: Path) -> Raster:
    with rasterio.open(path) as file:
        band = file.read(1, masked=True).astype(np.float32).filled(np.nan)
        return Raster(band, file.transform.c, file.transform.f, file.transform.a, str(file.crs))


def test_published_street_slopes_of_oeiras_are_reproduced() -> None:
    folder = real_data("slopes")
    streets = gpd.read_file(folder / "RedeViariaOeiras_declivesEU.gpkg").explode()
    grid = read_grid(folder / "OeirasCOPERNICUS_clip.tif")
    in_grid = shapely.get_coordinates(streets.to_crs("EPSG:3035").geometry.to_numpy())
    measured = streets.to_crs("EPSG:3763").geometry.to_numpy()
    metres = shapely.get_coordinates(measured)
    ours = mean_grade(
        measured,
        bilinear(grid, in_grid[:, 0], in_grid[:, 1]),
        np.hypot(*np.diff(metres, axis=0).T),
    )
    published = streets["slope"].to_numpy(dtype=float)
    both = ~np.isnan(ours) & ~np.isnan(published)
    assert both.sum() >= 11_400
    assert np.corrcoef(ours[both], published[both])[0, 1] >= 0.999
    assert np.abs(ours[both] - published[both]).mean() <= 0.0005


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
