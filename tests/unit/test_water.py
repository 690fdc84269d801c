"""Rivers and lakes are taken from every street map, whichever of its files holds them."""

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from pipeline.contracts.raw import OsmExtract, OsmMember, OsmRelation, OsmWay
from pipeline.intake.mapped import mapped
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

CRS = "EPSG:32648"
WEST, SOUTH = 650_000.0, 3_270_000.0
SIDE_M = 100.0


def extract(ways: dict[int, tuple[int, ...]], tags: dict[int, dict[str, str]]) -> OsmExtract:
    """Return ways over a grid of points, 100 m apart: point 10 y + x lies at x, y."""
    ids = np.arange(100)
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform(WEST + SIDE_M * (ids % 10), SOUTH + SIDE_M * (ids // 10))
    kept = tuple(OsmWay(key, nodes, tags.get(key, {})) for key, nodes in ways.items())
    return OsmExtract(ids, lon, lat, {}, kept)


@pytest.mark.parametrize("kind", [{"waterway": "riverbank"}, {"natural": "water"}])
def test_water_of_a_file_of_streets_or_of_facilities_is_taken_once(kind: dict[str, str]) -> None:
    settings = read_settings(REPOSITORY / "config", "yuzhong", "base")
    square = (0, 3, 33, 30, 0)  # 300 m × 300 m
    streets = extract({1: (50, 51, 52), 2: square}, {1: {"highway": "footway"}, 2: kind})
    # a river in two halves, 200 m × 100 m, by its relation; and the square once more
    halves = {3: (60, 62, 72), 4: (72, 70, 60), 2: square}
    facilities = extract(halves, {2: kind})
    members = (OsmMember("way", 3, "outer"), OsmMember("way", 4, "outer"))
    relation = OsmRelation(9, members, {"type": "multipolygon", **kind})
    facilities = OsmExtract(
        facilities.node_id, facilities.node_x, facilities.node_y, {}, facilities.ways, (relation,)
    )
    found = mapped(
        {"streets": streets, "rail": facilities},
        [("streets", settings.sources["streets_walk"])],
        [("rail", settings.sources["rail"])],
        settings.intake,
        CRS,
        shapely.box(WEST, SOUTH, WEST + 1000, SOUTH + 1000),
    )
    areas = {
        key: shape.area
        for frame in found.water
        for key, shape in zip(frame["water_id"], frame.geometry, strict=True)
    }
    assert areas == pytest.approx({"W2": 90_000, "R9": 20_000}, rel=1e-3)
    assert [record[3] for record in found.rejects["rail"].records] == ["repeated_water"]
    for line in found.ledger.values():
        assert line["rows_in"] == line["rows_supporting"] + line["rows_out"] + line["rows_rejected"]
