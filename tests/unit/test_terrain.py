"""Terrain arithmetic on surfaces whose answers are known."""

import exactextract
import geopandas as gpd
import numpy as np
import pytest
import shapely
from exactextract.raster import NumPyRasterSource
from pyproj import CRS

from pipeline.geo.raster import Raster, bilinear
from pipeline.geo.terrain import cell_coverage, hillshade, slope_deg, zonal_mean, zonal_range

WKT = CRS.from_epsg(32648).to_wkt()


def plane(east: float, north: float, *, count: int = 12, cell_m: float = 10.0) -> Raster:
    """Return z = 100 + east·x + north·y at cell centres."""
    x = cell_m * (np.arange(count) + 0.5)
    y = cell_m * count - x
    z = 100 + east * x[None, :] + north * y[:, None]
    return Raster(z.astype(np.float32), 0.0, cell_m * count, cell_m, "EPSG:32648")


@pytest.mark.parametrize(
    ("east", "north", "degrees"),
    [(0, 0, 0), (1, 0, 45), (0, -1, 45), (0.75, 1, 51.3401917), (0.5, 0, 26.5650512)],
)
def test_slope_of_a_plane(east: float, north: float, degrees: float) -> None:
    slope = slope_deg(plane(east, north)).values
    assert slope[1:-1, 1:-1] == pytest.approx(degrees, abs=1e-4)


def test_slope_is_empty_at_the_edge_and_beside_empty_cells() -> None:
    raster = plane(1, 0)
    raster.values[5, 5] = np.nan
    slope = slope_deg(raster).values
    assert np.isnan(slope[0]).all()
    assert np.isnan(slope[:, -1]).all()
    assert np.isnan(slope[4:7, 4:7]).all()
    assert not np.isnan(slope[3, 3])


def test_bilinear_on_a_plane_is_the_plane() -> None:
    x, y = np.array([5.0, 33.3, 60.0, 114.9]), np.array([5.0, 71.7, 60.0, 114.9])
    assert bilinear(plane(2, 1), x, y) == pytest.approx(100 + 2 * x + y, abs=1e-3)


def test_bilinear_outside_and_beside_empty_cells_is_empty() -> None:
    raster = plane(0, 0)
    raster.values[0, 0] = np.nan
    x, y = np.array([-1.0, 121.0, 12.0, 60.0]), np.array([60.0, 60.0, 108.0, 60.0])
    assert np.isnan(bilinear(raster, x, y)).tolist() == [True, True, True, False]


def test_a_square_over_four_cells_takes_a_quarter_of_each() -> None:
    values = np.array([[1, 2], [3, 4]], dtype=np.float32)
    raster = Raster(values, 0, 20, 10, "EPSG:32648")
    coverage = cell_coverage(np.array([shapely.box(5, 5, 15, 15)]), raster)
    assert coverage.area_share.tolist() == [0.25, 0.25, 0.25, 0.25]
    assert zonal_mean(coverage, raster).tolist() == [2.5]
    lowest, highest = zonal_range(coverage, raster)
    assert (lowest[0], highest[0]) == (1, 4)


def test_a_footprint_outside_or_on_empty_cells_stays_empty() -> None:
    raster = Raster(np.full((2, 2), np.nan, np.float32), 0, 20, 10, "EPSG:32648")
    shapes = np.array([shapely.box(2, 2, 4, 4), shapely.box(100, 100, 110, 110)])
    coverage = cell_coverage(shapes, raster)
    assert np.isnan(zonal_mean(coverage, raster)).all()
    assert np.isnan(zonal_range(coverage, raster)[0]).all()


def test_zonal_means_equal_exactextract() -> None:
    random = np.random.default_rng(5)
    values = random.uniform(150, 400, (40, 50)).astype(np.float32)
    values[10:14, 20:25] = np.nan
    raster = Raster(values, 1000, 3000, 30, "EPSG:32648")
    middle = random.uniform([1050, 1850], [2450, 2950], (300, 2))
    shapes = shapely.buffer(shapely.points(middle), random.uniform(3, 80, 300), quad_segs=3)
    source = NumPyRasterSource(
        values.astype(float), 1000, 1800, 2500, 3000, nodata=np.nan, srs_wkt=WKT
    )
    frame = gpd.GeoDataFrame(geometry=shapes, crs="EPSG:32648")
    expected = exactextract.exact_extract(source, frame, ["mean", "min", "max"], output="pandas")
    coverage = cell_coverage(shapes, raster)
    lowest, highest = zonal_range(coverage, raster)
    # exactextract keeps shares of cells in single precision
    np.testing.assert_allclose(zonal_mean(coverage, raster), expected["mean"], rtol=1e-7)
    np.testing.assert_array_equal(lowest, expected["min"])
    np.testing.assert_array_equal(highest, expected["max"])


def test_light_from_the_north_west_falls_on_the_north_west_slope() -> None:
    towards = hillshade(plane(1, -1), azimuth_deg=315, altitude_deg=45, exaggeration=1)
    away = hillshade(plane(-1, 1), azimuth_deg=315, altitude_deg=45, exaggeration=1)
    flat = hillshade(plane(0, 0), azimuth_deg=315, altitude_deg=45, exaggeration=1)
    assert flat == pytest.approx(np.sqrt(0.5))
    assert towards.min() > flat.max() > away.max()
