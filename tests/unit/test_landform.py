"""Ground under roofs, slopes of known surfaces, and what a building stands on."""

import numpy as np
import pytest

from pipeline.geo.landform import ground, is_too_coarse, landform, surroundings
from pipeline.geo.raster import Raster
from pipeline.geo.terrain import slope_deg
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

RULE = read_settings(REPOSITORY / "config", "yuzhong", "base").measure.terrain
CELL = 30.0


def raster(z: np.ndarray) -> Raster:
    rows = z.shape[0]
    return Raster(z.astype(np.float32), 0.0, CELL * rows, CELL, "EPSG:32648")


def grid(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    x = CELL * (np.arange(count) + 0.5)
    return np.meshgrid(x, x[::-1])


def test_an_even_slope_is_all_ground() -> None:
    x, y = grid()
    plane = raster(200 + 0.3 * x - 0.2 * y)
    estimate, error = ground(plane, RULE)
    np.testing.assert_allclose(estimate.values, plane.values, atol=0.01)
    np.testing.assert_allclose(error.values, RULE.vertical_error_m, atol=0.01)


def test_a_tower_block_is_taken_off_and_raises_the_error() -> None:
    x, _ = grid()
    bare = 200 + 0.1 * x
    built = bare.copy()
    built[30, 30] += 20
    estimate, error = ground(raster(built), RULE)
    assert abs(estimate.values[30, 30] - bare[30, 30]) < 3.5
    assert error.values[30, 30] > 8
    assert error.values[5, 5] == pytest.approx(RULE.vertical_error_m, abs=0.05)
    assert (estimate.values <= built + 1e-3).all()


def test_a_wide_terrace_stays_and_empty_cells_stay_empty() -> None:
    x, _ = grid()
    terraces = 200 + 15 * np.floor(x / 450)
    terraces[10:20, 10:20] = np.nan
    estimate, error = ground(raster(terraces), RULE)
    assert (np.isnan(estimate.values) == np.isnan(terraces)).all()
    assert (np.isnan(error.values) == np.isnan(terraces)).all()
    middle = terraces[40, (x[0] % 450 > 150) & (x[0] % 450 < 300)]
    np.testing.assert_allclose(
        estimate.values[40, (x[0] % 450 > 150) & (x[0] % 450 < 300)], middle, atol=0.5
    )


@pytest.mark.parametrize(("cell_m", "width_m"), [(10.0, 60.0), (20.0, 60.0), (30.0, 60.0)])
def test_what_is_as_wide_as_the_window_is_taken_off_in_any_cells(
    cell_m: float, width_m: float
) -> None:
    z = np.full((90, 90), 200.0)
    across = round(width_m / cell_m)
    z[40 : 40 + across, 40 : 40 + across] += 20
    surface = Raster(z.astype(np.float32), 0.0, 90 * cell_m, cell_m, "EPSG:32648")
    estimate, _ = ground(surface, RULE)
    assert not is_too_coarse(RULE, cell_m)
    assert estimate.values[40 : 40 + across, 40 : 40 + across].max() < 210
    wide = round(4 * RULE.opening_window_m / cell_m)
    z[20 : 20 + wide, 20 : 20 + wide] = 220
    kept, _ = ground(surface.with_values(z), RULE)
    assert kept.values[20 + wide // 2, 20 + wide // 2] > 215


@pytest.mark.parametrize("cell_m", [40.0, 90.0, 250.0])
def test_a_hill_of_coarse_cells_is_left_and_said_to_be(cell_m: float) -> None:
    z = np.full((30, 30), 200.0)
    z[15, 15:17] = 240
    surface = Raster(z.astype(np.float32), 0.0, 30 * cell_m, cell_m, "EPSG:32648")
    assert is_too_coarse(RULE, cell_m)
    estimate, _ = ground(surface, RULE)
    np.testing.assert_array_equal(estimate.values, surface.values)


def test_without_a_filter_nothing_changes() -> None:
    x, _ = grid()
    surface = raster(200 + 0.1 * x)
    estimate, _ = ground(surface, RULE.model_copy(update={"ground_filter": "none"}))
    assert estimate is surface


def test_slope_of_a_sinusoid_is_exactly_horns() -> None:
    # along x the difference over two cells of A·sin(kx) is A·cos(kx)·sin(kh)/h, for any k
    x, _ = grid()
    k, height = 2 * np.pi / 400, 40.0
    slope = slope_deg(raster(200 + height * np.sin(k * x))).values
    exact = np.degrees(np.arctan(np.abs(height * np.cos(k * x) * np.sin(k * CELL) / CELL)))
    np.testing.assert_allclose(slope[1:-1, 1:-1], exact[1:-1, 1:-1], atol=2e-3)


def test_slope_of_a_cone_is_the_same_all_round() -> None:
    x, y = grid(101)
    far = np.hypot(x - x.mean(), y - y.mean())
    slope = slope_deg(raster(1000 - 0.5 * far)).values
    ring = (far > 900) & (far < 1300)
    np.testing.assert_allclose(slope[ring], 26.565, atol=0.02)  # arctan 0.5


def test_surroundings_by_hand() -> None:
    z = np.full((20, 20), 100.0)
    z[:, 10:] = 130.0
    x, y = np.array([45.0, 285.0, 5000.0]), np.array([300.0, 300.0, 0.0])
    low, high, steep = surroundings(raster(z), slope_deg(raster(z)), x, y, radius_m=60)
    assert (low[0], high[0]) == (100, 100)
    assert (low[1], high[1]) == (100, 130)
    assert steep[1] == pytest.approx(26.565, abs=0.01)  # 30 m over two cells
    assert np.isnan([low[2], high[2], steep[2]]).all()


def test_landforms() -> None:
    elevation = np.array([100.0, 100.0, 100.0, 130.0, 101.0, np.nan])
    slope = np.array([2.0, 15.0, 3.0, 5.0, 5.0, 5.0])
    low = np.array([99.0, 90.0, 85.0, 100.0, 100.0, 100.0])
    high = np.array([101.0, 110.0, 115.0, 131.0, 131.0, 131.0])
    steep = np.array([3.0, 20.0, 30.0, 45.0, 45.0, 45.0])
    found = landform(elevation, slope, (low, high, steep), RULE).tolist()
    assert found == ["flat", "slope", "terrace", "cliff_edge", "cliff_foot", None]
