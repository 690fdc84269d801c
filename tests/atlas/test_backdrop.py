"""The backdrop lies where the ground lies."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from pipeline.atlas.backdrop import (
    contours,
    label_points,
    lit,
    shade,
    smoothed,
    street_class,
    street_lines,
)
from pipeline.geo.raster import Raster
from tests.atlas.town import CRS, ORIGIN, settings, square

CELL_M = 30.0


def _grid(height: np.ndarray) -> Raster:
    return Raster(height.astype(np.float32), ORIGIN[0], ORIGIN[1], CELL_M, CRS)


def _distance_m(rows: int, columns: int, x_m: float, y_m: float) -> np.ndarray:
    x = (np.arange(columns) + 0.5) * CELL_M
    y = -(np.arange(rows) + 0.5) * CELL_M
    return np.hypot(x[None, :] - x_m, y[:, None] - y_m)


def test_a_hill_is_shaded_where_it_stands() -> None:
    hill = _grid(200 + 100 * np.exp(-((_distance_m(90, 160, 3600, -1050) / 300) ** 2)))
    picture = shade(lit(hill, settings().atlas))
    # light from the north-west: the brightest and the darkest place lie evenly about the top
    places = []
    for value in (picture.grey.max(), picture.grey[picture.grey > 0].min()):
        row, column = (index.mean() for index in np.nonzero(picture.grey == value))
        places.append(
            (
                picture.west_m + (column + 0.5) * picture.cell_m,
                picture.north_m - (row + 0.5) * picture.cell_m,
            )
        )
    bright, dark = places
    assert bright[0] < dark[0] and bright[1] > dark[1]
    x, y = Transformer.from_crs("EPSG:3857", CRS, always_xy=True).transform(
        *np.mean(places, axis=0)
    )
    assert x - ORIGIN[0] == pytest.approx(3600, abs=CELL_M)
    assert y - ORIGIN[1] == pytest.approx(-1050, abs=CELL_M)


def test_ground_outside_the_terrain_is_left_open() -> None:
    height = np.full((40, 40), 200.0)
    height[:, 20:] = np.nan
    grey = shade(lit(_grid(height), settings().atlas)).grey
    half = grey.shape[1] // 2
    assert (grey[5:-5, 5 : half - 5] > 0).all()
    assert (grey[:, half + 5 :] == 0).all()


def test_contours_of_a_cone_are_circles() -> None:
    cone = _grid(400 - 0.2 * _distance_m(120, 120, 1800, -1800))
    lines, heights = contours(cone, interval_m=50)
    radius_m = {350.0: 250, 300.0: 500, 250.0: 750, 200.0: 1000, 150.0: 1250}
    assert set(radius_m) <= set(heights)
    for line, height in zip(lines, heights, strict=True):
        if height in radius_m:
            distance = shapely.get_coordinates(line) - [ORIGIN[0] + 1800, ORIGIN[1] - 1800]
            assert np.abs(np.hypot(*distance.T) - radius_m[height]).max() < CELL_M / 2
            assert shapely.is_closed(line)


def test_level_ground_has_no_contours() -> None:
    lines, heights = contours(_grid(np.full((20, 20), 207.0)), interval_m=20)
    assert len(lines) == len(heights) == 0


def test_smoothing_keeps_a_plane_and_leaves_gaps_open() -> None:
    plane = np.add.outer(np.arange(9) * 2.0, np.arange(9) * 3.0)
    plane[4, 4] = np.nan
    smooth = smoothed(_grid(plane)).values
    assert np.isnan(smooth[4, 4]) and np.isnan(smooth).sum() == 1
    assert smooth[1, 1:3] == pytest.approx(plane[1, 1:3])


def test_streets_are_classed_by_what_people_see() -> None:
    rows = [
        ("primary", "ground", True),
        ("primary", "ground", False),
        ("footway", "ground", False),
        ("service", "bridge", False),
        ("footway", "steps", False),
        ("corridor", "lift", False),
    ]
    edges = pd.DataFrame(rows, columns=["highway_type", "structure_type", "is_main_road"])
    assert street_class(edges).tolist() == ["main", "minor", "foot", "service", "steps", "steps"]


def test_pieces_of_a_street_are_joined() -> None:
    pieces = [shapely.LineString([(k * 100, 0), (k * 100 + 100, 0)]) for k in range(3)]
    columns = {
        "highway_type": "primary",
        "structure_type": "ground",
        "is_main_road": True,
        "road_name": "山脚路",
    }
    edges = gpd.GeoDataFrame(columns, geometry=pieces, crs=CRS, index=range(3))
    lines = street_lines(edges)
    assert len(lines) == 1
    assert lines.geometry[0].length == 300


def test_a_district_is_named_where_there_is_room() -> None:
    districts = gpd.GeoDataFrame(geometry=[square(0, 0, 1000)], crs=CRS)
    west = [square(x, y, 10) for x in range(0, 500, 20) for y in range(0, 1000, 20)]
    place = label_points(districts, shapely.get_coordinates(shapely.centroid(west))).iloc[0]
    assert districts.geometry[0].contains(place)
    assert place.x - ORIGIN[0] > 600
