"""Packing keeps every number within its quantum and every text whole."""

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from pipeline.atlas.mercator import (
    WORLD_UNITS,
    add_lines,
    add_polygons,
    mercator_shapes,
    outlines_of,
    units,
)
from pipeline.atlas.packing import (
    OWN_NUMBER,
    Pack,
    Way,
    empty_step,
    one_line,
    steps_of,
)
from pipeline.atlas.squeezing import LESS_EFFORT, as_letters
from tests.atlas.town import CRS, ORIGIN, shapes, square
from tests.atlas.unpacked import Unpacked, bytes_of


@pytest.mark.parametrize(
    "values",
    [[], [0], [-1, 1, -2, 2], [2**30 - 1, -(2**30) + 1, 0], list(range(1000, 3000, 7)), [5] * 300],
)
def test_whole_numbers_come_back(values: list[int]) -> None:
    pack = Pack()
    pack.numbers("n", values)
    assert Unpacked(pack.to_bytes({})).numbers("n") == values


def test_numbers_too_large_are_refused() -> None:
    with pytest.raises(ValueError, match="beyond"):
        Pack().numbers("n", [2**30])


def test_a_quantum_moves_a_number_by_half_of_it_at_most() -> None:
    pack = Pack()
    values = np.arange(-50, 51)
    pack.numbers("n", values, quantum=8)
    back = np.array(Unpacked(pack.to_bytes({})).numbers("n"))
    assert np.abs(back - values).max() <= 4
    assert (back % 8 == 0).all()


def test_measures_keep_their_decimals_and_their_gaps() -> None:
    pack = Pack()
    pack.measures("m", [12.34, np.nan, -3.25, 0.0], decimals=1)
    assert Unpacked(pack.to_bytes({})).measures("m") == [12.3, None, -3.2, 0.0]


def test_a_column_without_a_value_is_empty_throughout() -> None:
    pack = Pack()
    pack.measures("m", [np.nan, np.nan], decimals=2)
    assert Unpacked(pack.to_bytes({})).measures("m") == [None, None]


@pytest.mark.parametrize(
    "later",
    [[], [7], [-70_000, 3], list(range(0, 5000, 7)), [10**6, 5] * 200, [2**30 - 1, -(2**30) + 1]],
)
@pytest.mark.parametrize("first", [[], [1, 2, 3], [10**6, 5] * 200, list(range(900, 70_000, 3))])
def test_numbers_come_back_from_a_pack_that_writes_like_another(
    first: list[int], later: list[int]
) -> None:
    ways: dict[str, Way] = {}
    for values in (first, later):
        pack = Pack(ways=ways, effort=LESS_EFFORT)
        pack.numbers("n", values)
        pack.texts("t", [str(value) for value in values])
        back = Unpacked(pack.to_bytes({}))
        assert back.numbers("n") == values
        assert back.texts("t") == [str(value) for value in values] or not values


def test_steps_are_small_and_never_the_one_that_stands_for_empty() -> None:
    for values in ([-128.0, 127.0], [-127.0, np.nan], [1e5, np.nan], [32_767.0, np.nan]):
        steps = steps_of(np.array(values), 0)
        is_empty = steps == empty_step(steps)
        assert is_empty.tolist() == np.isnan(values).tolist()
        assert [float(step) for step in steps[~is_empty]] == [v for v in values if v == v]
    assert [steps_of(np.array([v]), 0).dtype for v in (127.0, -128.0, 1e5)] == [
        np.int8, np.int16, np.int32,
    ]  # fmt: skip


def test_texts_come_back_on_one_line_each() -> None:
    pack = Pack()
    pack.texts("t", ["红楼", "a\nb\u2028c", "", "\ud800"])
    pack.texts("none", [])
    back = Unpacked(pack.to_bytes({}))
    assert back.texts("t") == ["红楼", "a b c", "", "?"]
    assert back.texts("none") == []
    assert one_line("\r\n\t") == "   "


def test_categories_come_back_with_their_gaps() -> None:
    pack = Pack()
    pack.categories("c", pd.Series(["b", None, "a", "b"], dtype="str"))
    assert Unpacked(pack.to_bytes({})).categories("c") == ["b", None, "a", "b"]


def test_codes_come_back_with_their_zeros_and_the_id_is_told_once() -> None:
    pack = Pack()
    codes = ["500103-0017-002", "W9", "", "1234567890123", "\x02\x01"]
    pack.codes("c", codes)
    pack.codes("r", ["way/123", "page 07", "x"], ["W123", "B9", "A"])
    back = Unpacked(pack.to_bytes({}))
    assert back.codes("c") == [*codes[:4], "  "]
    assert back.codes("r") == ["x", "page 07", f"way/{OWN_NUMBER}"], "in the order of ids"


@pytest.mark.parametrize("count", [1, 5, 6, 7, 1000])
def test_bytes_come_back_from_letters(count: int) -> None:
    data = bytes(range(256)) * 4
    letters = as_letters(data[:count])
    assert bytes_of(letters, count) == data[:count]
    assert not set(letters) & set("&<{\r\0")
    assert len(letters.encode()) == -(-count // 6) * 7


def test_the_same_content_gives_the_same_bytes() -> None:
    def made() -> bytes:
        pack = Pack()
        pack.numbers("n", [1, 2, 3])
        return pack.to_bytes({"b": 1, "a": "红"})

    assert made() == made()


def test_units_are_those_of_the_web_map_square() -> None:
    edge_m = 20_037_508.342789244  # half the equator of the sphere of radius 6,378,137 m
    x, y = units(np.array([-edge_m, 0.0, edge_m]), np.array([edge_m, 0.0, -edge_m]))
    assert x.tolist() == y.tolist() == [0, WORLD_UNITS // 2, WORLD_UNITS]


def test_polygons_keep_holes_parts_and_places() -> None:
    frame = gpd.GeoDataFrame(geometry=shapes()[:2], crs=CRS)
    pack = Pack()
    add_polygons(pack, "p", mercator_shapes(frame))
    ring, pair = Unpacked(pack.to_bytes({})).polygons("p")
    assert [len(points) for points in ring] == [4, 4]
    assert [len(points) for points in pair] == [4, 4]
    turns = [math.copysign(1, _area(points)) for points in ring]
    assert turns[0] == -turns[1], "a hole turns the other way"
    # a unit is 2πR cos φ / 2²⁸ metres on the ground, φ = 29.55°
    unit_m2 = (2 * math.pi * 6_378_137 * math.cos(math.radians(29.55)) / 2**28) ** 2
    assert sum(_area(points) for points in ring) * unit_m2 == pytest.approx(-3200, rel=0.02) or (
        sum(_area(points) for points in ring) * unit_m2 == pytest.approx(3200, rel=0.02)
    )
    corners = {point for points in ring for point in points}
    degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    for corner in shapely.get_coordinates(square(0, 0, 60)):
        assert min(math.dist(_slippy(*degrees.transform(*corner)), c) for c in corners) <= 1


def test_outlines_cut_to_some_shapes_are_those_of_these_shapes() -> None:
    every = mercator_shapes(gpd.GeoDataFrame(geometry=shapes(), crs=CRS))
    is_kept = np.arange(len(every)) % 2 == 1
    cut, own = outlines_of(every, quantum=3).part(is_kept), outlines_of(every[is_kept], quantum=3)
    for name in ("rings", "points", "x", "y"):
        assert getattr(cut, name).tolist() == getattr(own, name).tolist()


def test_lines_keep_their_points_within_the_quantum() -> None:
    line = shapely.LineString([ORIGIN, (ORIGIN[0] + 500, ORIGIN[1] + 300)])
    frame = gpd.GeoDataFrame(geometry=[line], crs=CRS)
    pack = Pack()
    add_lines(pack, "l", mercator_shapes(frame), quantum=8)
    back = Unpacked(pack.to_bytes({}))
    degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    (points,) = back.paths("l")
    for found, point in zip(points, line.coords, strict=True):
        x, y = _slippy(*degrees.transform(*point))
        assert abs(found[0] - x) <= 4.5
        assert abs(found[1] - y) <= 4.5


def _slippy(lon: float, lat: float) -> tuple[float, float]:
    """The tile formula of the OpenStreetMap wiki, at zoom 28."""
    x = (lon + 180) / 360 * 2**28
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**28
    return x, y


def _area(points: list[tuple[int, int]]) -> float:
    ahead = points[1:] + points[:1]
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, ahead, strict=True)) / 2
