"""Numbers that could be heights and are none: feet nobody declared, slopes delivered as terrain."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from numpy.typing import NDArray

from pipeline.check.losses import told_losses
from pipeline.geo.raster import Raster
from pipeline.geo.terrain import slope_deg
from pipeline.intake.road_grades import steep_road_account
from pipeline.problem import Problem
from pipeline.store.height_doubts import are_whole_metres_in_feet, unrelated
from pipeline.store.looks import look_into
from tests import crs_town
from tests.conftest import real_data
from tests.unit.test_heights import read
from tests.unit.test_losses import RULE
from tests.unit.test_words import SOURCE

FOOT = np.float32(0.3048)


def terrains() -> dict[str, Raster]:
    """Return real terrains with cells in metres."""
    found = {}
    for name, path in (
        ("yuzhong", "dem/srtm_utm48n_30m.tif"), ("slopes", "OeirasCOPERNICUS_clip.tif"),
    ):  # fmt: skip
        with rasterio.open(real_data(name) / path) as file:
            values = file.read(1, masked=True).astype(np.float32).filled(np.nan)
            found[name] = Raster(values, 0.0, 0.0, file.transform.a, crs_town.CRS)
    return found


def hills(size: int = 160) -> NDArray[np.float32]:
    """Return two hills of 90 m above a plain at 200 m, heights of whole metres."""
    y, x = np.mgrid[:size, :size] / size
    far = [(x - a) ** 2 + (y - b) ** 2 for a, b in ((0.3, 0.4), (0.8, 0.7))]
    heights = 200 + 90 * np.exp(-30 * far[0]) + 90 * np.exp(-20 * far[1]) + 20 * y
    return np.round(heights).astype(np.float32)


def test_real_terrains_are_heights_and_their_slopes_are_not() -> None:
    for name, terrain in terrains().items():
        slopes = slope_deg(terrain).values
        per_cent = np.tan(np.radians(slopes)) * 100
        assert unrelated(terrain.values) == "", name
        assert unrelated(terrain.values - np.nanmin(terrain.values)) == "", name
        assert not are_whole_metres_in_feet(terrain.values), name
        for strange in (slopes, per_cent, slopes[40:130, 40:130], np.round(slopes)):
            assert "hardly heights" in unrelated(strange.astype(np.float32)), name


def test_whole_metres_in_feet_are_known_rounded_or_not() -> None:
    metres = hills()
    assert not are_whole_metres_in_feet(metres)
    for feet in (metres / FOOT, np.round(metres / FOOT), metres * np.float32(3.28084)):
        assert are_whole_metres_in_feet(feet)
    assert not are_whole_metres_in_feet(np.round(hills() * 3.3 + 0.4))
    assert not are_whole_metres_in_feet(np.full((9, 9), 328.084, np.float32))


def test_feet_that_nobody_declared_stop_a_run_until_stated(tmp_path: Path) -> None:
    metres = hills(90)
    crs_town.write_terrain(tmp_path / "dem.tif", metres / FOOT)
    with pytest.raises(Problem, match="heights are feet") as stopped:
        read(tmp_path)
    assert stopped.value.fix.endswith("height_unit: ft")
    assert np.allclose(read(tmp_path, height_unit="ft").values, metres, atol=1e-3)
    (look,), _ = look_into(tmp_path)
    assert (look.height_unit, look.not_terrain) == ("ft", "")
    assert look.values == pytest.approx((metres.min(), metres.max()))


def test_slopes_are_no_terrain_unless_a_person_says_so(tmp_path: Path) -> None:
    slopes = slope_deg(terrains()["yuzhong"]).values[20:110, 20:110]
    crs_town.write_terrain(tmp_path / "dem.tif", slopes.astype(np.float32))
    with pytest.raises(Problem, match="slopes or the like, hardly heights") as stopped:
        read(tmp_path)
    assert stopped.value.fix.endswith("height_unit: m")
    (look,), _ = look_into(tmp_path)
    assert "hardly heights" in look.not_terrain
    assert np.array_equal(read(tmp_path, height_unit="m").values, slopes.astype(np.float32))


def roads(grades: list[float]) -> tuple[gpd.GeoDataFrame, Raster]:
    """Return straight roads of 200 m each up its own plane, 1 km apart, and the terrain."""
    terrain = np.zeros((40, 100 * len(grades)), np.float32)
    for number, grade in enumerate(grades):
        terrain[:, 100 * number : 100 * (number + 1)] = grade * (395 - 10 * np.arange(40))[:, None]
    lines = [shapely.LineString([(500 + 1000 * n, 100), (500 + 1000 * n, 300)])
             for n in range(len(grades))]  # fmt: skip
    edges = gpd.GeoDataFrame(
        {"highway_type": "residential", "structure_type": "ground"}, geometry=lines,
        index=range(len(lines)),
    )  # fmt: skip
    return edges, Raster(terrain, 0.0, 400.0, 10.0, crs_town.CRS)


def test_roads_that_no_vehicle_climbs_are_told_with_the_unit_to_state() -> None:
    """Grades of 2 to 10 % in metres are 7 to 33 % with feet taken for metres."""
    edges, metres = roads([0.02, 0.05, 0.08, 0.10])
    for terrain, steep_m in ((metres, 0), (metres.with_values(metres.values / FOOT), 400)):
        account = steep_road_account(edges, terrain, ["residential"], 0.2)
        assert account == {"looked_at_m": 800, "steep_m": steep_m}
        ledger = {"sources": {}, "steep_roads": account}
        for unit in (None, "m"):
            source = SOURCE.model_copy(update={"role": "terrain", "height_unit": unit})
            told = [one.en for one in told_losses(ledger, {"dem": source}, RULE)]
            assert len(told) == (1 if steep_m and unit is None else 0)
            assert not told or ("50% of 0.8 km" in told[0] and "dem.height_unit: ft" in told[0])
    bridge = edges.assign(structure_type="bridge")
    assert steep_road_account(bridge, metres, ["residential"], 0.2)["looked_at_m"] == 0
