"""OpenStreetMap PBF: ways with their points, whole or not."""

from pathlib import Path

import osmium
import pytest
from osmium.osm.mutable import Node, Way

from pipeline.store.pbf import read_pbf


@pytest.fixture
def streets(tmp_path: Path) -> Path:
    path = tmp_path / "streets.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        writer.add_node(Node(id=1, location=(106.5, 29.5)))
        writer.add_node(Node(id=2, location=(106.6, 29.5), tags={"highway": "elevator"}))
        writer.add_node(Node(id=3, location=(107.5, 29.5)))
        for key, nodes in ((10, [1, 2]), (11, [1]), (12, []), (13, [2, 9]), (14, [3, 3, 1])):
            writer.add_way(Way(id=key, nodes=nodes, tags={"highway": "steps", "name": "梯坎"}))
    return path


def test_every_way_keeps_its_points_and_tags_also_with_one_or_none_or_absent_ones(
    streets: Path,
) -> None:
    found = read_pbf(streets)
    assert [(way.id, way.node_ids) for way in found.ways] == [
        (10, (1, 2)), (11, (1,)), (12, ()), (13, (2, 9)), (14, (3, 3, 1))
    ]  # fmt: skip
    assert found.ways[0].tags == {"highway": "steps", "name": "梯坎"}
    assert found.node_tags == {2: {"highway": "elevator"}}
    assert found.node_id.tolist() == [1, 2, 3]
    assert found.node_x.tolist() == [106.5, 106.6, 107.5]
    assert found.node_y.tolist() == [29.5, 29.5, 29.5]
    assert found.element_count == 8


def test_in_a_box_are_the_ways_that_touch_it_with_all_their_points(streets: Path) -> None:
    found = read_pbf(streets, (107.0, 29.0, 108.0, 30.0))
    assert [way.id for way in found.ways] == [14]
    assert found.node_id.tolist() == [1, 3]
