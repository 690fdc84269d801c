"""Chinese map datums against published points."""

import numpy as np
import pytest
from pyproj import Geod

from pipeline.geo.datum import (
    bd09_from_gcj02,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    into_working_crs,
    wgs84_from_gcj02,
)

GEOD = Geod(ellps="WGS84")


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        # the test points of the open-source project eviltransform (latitude first there)
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
)
def test_gcj02_equals_published_points(
    wgs84: tuple[float, float], gcj02: tuple[float, float]
) -> None:
    east, north = gcj02_from_wgs84(np.array([wgs84[0]]), np.array([wgs84[1]]))
    _, _, off_m = GEOD.inv(*gcj02, east[0], north[0])
    assert off_m < 0.01


def test_there_and_back_is_where_one_was() -> None:
    random = np.random.default_rng(2)
    east, north = random.uniform(75, 130, 500), random.uniform(5, 50, 500)
    back = wgs84_from_gcj02(*gcj02_from_wgs84(east, north))
    again = gcj02_from_bd09(*bd09_from_gcj02(east, north))
    for x, y in (back, again):
        _, _, off_m = GEOD.inv(east, north, x, y)
        assert np.max(off_m) < 0.01


def test_outside_china_nothing_moves() -> None:
    east, north = gcj02_from_wgs84(np.array([-9.3]), np.array([38.7]))
    assert (east[0], north[0]) == (-9.3, 38.7)


def test_a_declared_datum_brings_points_home() -> None:
    east, north = np.array([106.5516]), np.array([29.5630])
    bent = gcj02_from_wgs84(east, north)
    plain = into_working_crs(east, north, datum="wgs84", crs="EPSG:4326", working_crs="EPSG:32648")
    home = into_working_crs(*bent, datum="gcj02", crs="EPSG:4326", working_crs="EPSG:32648")
    wrong = into_working_crs(*bent, datum="wgs84", crs="EPSG:4326", working_crs="EPSG:32648")
    assert np.hypot(home[0] - plain[0], home[1] - plain[1])[0] < 0.01
    assert np.hypot(wrong[0] - plain[0], wrong[1] - plain[1])[0] > 300
