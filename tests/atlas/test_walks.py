"""The tree of walks: order, and towns where nobody has a way."""

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.atlas.stage import run
from pipeline.atlas.walks import Tree, depth_first
from pipeline.contracts.tables import BUILDING_RANKING, MAIN_ROAD_PATHS, MEASUREMENTS
from tests.atlas import town
from tests.atlas.unpacked import Unpacked, pack_of


def test_short_branches_come_before_long_ones_and_parents_before_children() -> None:
    #   0 ─ 1 ─ 2 ─ 3      5 is a second root
    #    └ 4
    parent = np.array([-1, 0, 1, 2, 0, -1])
    assert depth_first(parent, np.arange(6)).tolist() == [0, 4, 1, 2, 3, 5]
    assert depth_first(parent, np.arange(6)[::-1]).tolist()[0] == 5
    assert depth_first(parent[:0], parent[:0]).tolist() == []


def test_a_part_of_the_tree_holds_the_walks_of_its_buildings_alone() -> None:
    # walks lead 0 → 2 → 3 and 1 → 2; 4 → 5 is another
    tree = Tree(
        np.array([2, 2, 3, -1, 5, -1]),
        np.arange(18, dtype=np.int32).reshape(6, 3),
        np.array([False, True, False, False, True, False]),
    )
    part, start = tree.part(np.array([1, -1, 3]))
    assert part.positions[:, 0].tolist() == [3, 6, 9]
    assert part.ahead.tolist() == [1, 2, -1]
    assert part.is_unknown.tolist() == [True, False, False]
    assert start.tolist() == [0, -1, 2]


def packed(paths: bool, **columns: object) -> Unpacked:
    inputs = town.inputs()
    tables = dict(inputs.tables)
    points = tables[MAIN_ROAD_PATHS].assign(**columns)
    tables[MAIN_ROAD_PATHS] = points if paths else points.iloc[:0]
    if not paths:
        for table in (MEASUREMENTS, BUILDING_RANKING):
            tables[table] = tables[table].assign(
                main_road_path_point_number=pd.array([None] * 6, dtype="Int64")
            )
    return pack_of(run(replace(inputs, tables=tables)).pages["index.html"])


def test_a_town_without_any_walk_is_drawn() -> None:
    pack = packed(False)
    assert pack.numbers("tree.link") == []
    assert pack.numbers("walk.link") == [0] * 6


def test_unknown_heights_are_marked() -> None:
    heights = [250.0, np.nan, 270.5, np.nan, 274.0, 249.0]
    pack = packed(True, path_elevation_m=heights)
    assert pack.numbers("tree.unknown") == [0, 0, 1, 0]
    place = {key: row for row, key in enumerate(pack.codes("building_id"))}
    unknown = pack.numbers("walk.unknown")
    assert [unknown[place[key]] for key in ("B1", "B3", "B4")] == [1, 0, 0]
