"""The drawn walk home follows the streets, bend by bend."""

import numpy as np
import shapely

from pipeline.geo.profile import StreetLinks, link_profiles, terrain_heights
from pipeline.measure.access import doors, usable_links
from pipeline.measure.paths import path_tree
from pipeline.measure.walks import MAIN_ROAD, BuildingWalks, walk_network
from tests.unit.test_access import NO_KINDS, NO_WATER, RULE, ground

# a main road, a lane that leaves its end and bends, and an alley that goes on from the lane
LINES = [
    [(0, 0), (300, 0)],
    [(300, 0), (300, 100), (400, 100)],
    [(400, 100), (400, 150), (450, 150), (450, 300)],
]
NODES = np.array([(0, 0), (300, 0), (400, 100), (450, 300)], dtype=float)


def chain(tree, building: int) -> list[tuple[float, float]]:
    point, found = int(tree.building_point[building]), []
    while point >= 0:
        found.append((round(float(tree.x[point])), round(float(tree.y[point]))))
        point = int(tree.next_point[point])
    return found


def test_every_walk_leads_back_to_the_main_road_along_the_bends() -> None:
    links = StreetLinks(
        np.array([0, 1, 2]),
        np.array([1, 2, 3]),
        np.array([shapely.LineString(line) for line in LINES], dtype=object),
        np.array(["ground"] * 3, dtype=object),
        np.ones(3, dtype=bool),
        np.ones(3, dtype=bool),
        np.full(3, np.nan),
        NODES[:, 0],
        NODES[:, 1],
    )
    terrain = ground(0.0, at_x=990)
    profiles = link_profiles(links, terrain_heights(links, terrain, 15), RULE.walking)
    usable = usable_links(links)
    houses = np.array(
        [
            shapely.box(370, 105, 380, 115),  # on the lane, beyond its bend
            shapely.box(455, 200, 465, 210),  # on the alley, beyond its two bends
            shapely.box(100, 5, 110, 15),  # on the main road itself
            shapely.box(900, 900, 910, 910),  # nowhere
        ]
    )
    args = (links, usable, profiles, terrain, NO_WATER, RULE.access, RULE.walking)
    network = walk_network(
        links, profiles, np.array([True, False, False]), NO_KINDS,
        doors(np.zeros(0, dtype=object), *args), RULE,
    )  # fmt: skip
    walks = BuildingWalks(network, doors(houses, *args))
    tree = path_tree(walks, walks.chosen(MAIN_ROAD), links.node_x, links.node_y)
    assert chain(tree, 0)[1:] == [(300, 100), (300, 0)]
    assert chain(tree, 0)[0][1] == 100
    assert chain(tree, 1)[1:] == [(450, 150), (400, 150), (400, 100), (300, 100), (300, 0)]
    assert len(chain(tree, 2)) == 1
    assert tree.building_point[3] == -1
    table = tree.table("EPSG:32648")
    assert table["next_path_point_number"].isna().sum() == (tree.next_point < 0).sum()
