"""How buildings reach the street: over cliffs, across water, by which door."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.tables import AMENITIES, BUILDINGS, STREET_EDGES, STREET_NODES, WATER
from pipeline.geo.profile import Names, StreetLinks, link_profiles, terrain_heights
from pipeline.geo.raster import Raster
from pipeline.measure.access import Doors, doors, usable_links
from pipeline.measure.counts import facility_counts
from pipeline.measure.entry import lowest_outline_m, storeys_from_entry
from pipeline.measure.streets import access_table, street_world
from pipeline.measure.walks import BuildingWalks, walk_network
from pipeline.store.configuration import read_settings
from tests import cliff
from tests.conftest import REPOSITORY
from tests.unit.test_network import links_of

RULE = read_settings(REPOSITORY / "config", "yuzhong", "base").measure
NO_WATER: Names = np.zeros(0, dtype=object)
NO_KINDS: Names = np.zeros(0, dtype=object)


def ground(step_m: float = 0.0, *, at_x: float = 0.0) -> Raster:
    """Return flat ground at 200 m that stands ``step_m`` higher east of ``at_x``; cells of 10 m."""
    x = 10.0 * (np.arange(200) + 0.5) - 1000
    row = np.where(x > at_x, 200.0 + step_m, 200.0).astype(np.float32)
    return Raster(np.tile(row, (200, 1)), -1000, 1000, 10, "EPSG:32648")


def ways_of(
    place: shapely.Geometry, links: StreetLinks, terrain: Raster, water: Names = NO_WATER
) -> Doors:
    profiles = link_profiles(links, terrain_heights(links, terrain, 15), RULE.walking)
    return doors(
        np.array([place]), links, usable_links(links), profiles, terrain, water,
        RULE.access, RULE.walking,
    )  # fmt: skip


STREET = links_of([(-60, -300), (-60, 300)], [(0, 1, "ground")])


def test_a_building_reaches_the_middle_of_a_street_not_its_node() -> None:
    found = ways_of(shapely.box(-50, 20, -40, 30), STREET, ground())
    assert found.access_m.tolist() == [10]
    assert 320 <= found.fraction[0] * 600 <= 330
    assert found.home_min[0] == pytest.approx(10 / 60)


@pytest.mark.parametrize("turn", [-1e-6, 0.0, 1e-6])
def test_a_front_along_a_street_opens_in_its_middle_however_it_is_turned(turn: float) -> None:
    front = shapely.Polygon([(-50, 0), (-40, 0), (-40, 40), (-50 + 40 * turn, 40)])
    found = ways_of(front, STREET, ground())
    assert found.fraction[0] * 600 == pytest.approx(320, abs=0.01)


def test_an_oblique_house_opens_at_its_nearest_corner() -> None:
    for house, at_m in (
        ([(-50, 0), (-30, -20), (-10, 0), (-30, 20)], 300),
        ([(-50, 30), (-40, -30), (-30, -30), (-40, 30)], 330),
    ):
        found = ways_of(shapely.Polygon(house), STREET, ground())
        assert found.fraction[0] * 600 == pytest.approx(at_m)


@pytest.mark.parametrize("off", [-1e-4, 1e-4])
def test_a_house_over_a_street_opens_in_the_middle_of_what_lies_beneath_it(off: float) -> None:
    found = ways_of(shapely.box(-70, 0, -50, 30), STREET, ground())
    assert found.fraction[0] * 600 == pytest.approx(315)
    assert found.access_m.tolist() == [0]
    # a wall that a hair parts from a street, or crosses it
    along = ways_of(shapely.Polygon([(-60 + off, 0), (-50, 0), (-50, 30), (-60 - off, 30)]), STREET,
                    ground())  # fmt: skip
    assert along.fraction[0] * 600 == pytest.approx(315, abs=0.5)


def test_a_building_on_a_cliff_is_not_snapped_to_the_road_forty_metres_below() -> None:
    on_cliff = shapely.box(20, 0, 30, 10)
    assert ways_of(on_cliff, STREET, ground(0.0)).has_access.tolist() == [True]
    assert ways_of(on_cliff, STREET, ground(40.0)).has_access.tolist() == [False]
    at_the_edge = shapely.box(-45, 0, -30, 10)
    assert ways_of(at_the_edge, STREET, ground(40.0, at_x=-50)).has_access.tolist() == [False]


def test_a_step_of_a_storey_is_no_cliff_and_counts_as_climb() -> None:
    found = ways_of(shapely.box(20, 0, 30, 10), STREET, ground(3.0))
    assert found.has_access.tolist() == [True]
    assert found.home_ascent_m[0] == pytest.approx(3.0, abs=0.3)
    assert found.away_ascent_m[0] == pytest.approx(0.0, abs=0.01)


def test_nobody_walks_across_water() -> None:
    river = np.array([shapely.box(-20, -500, -10, 500)])
    beyond = shapely.box(0, 0, 10, 10)
    assert ways_of(beyond, STREET, ground()).has_access.tolist() == [True]
    assert ways_of(beyond, STREET, ground(), river).has_access.tolist() == [False]


def test_too_far_is_no_access_and_never_a_guess() -> None:
    far = shapely.box(70, 0, 80, 10)  # 130 m
    assert ways_of(far, STREET, ground()).has_access.tolist() == [False]
    assert ways_of(far, STREET, ground()).place_count == 1


def test_doors_open_neither_onto_bridges_nor_onto_islands_of_footway() -> None:
    links = links_of(
        [(-60, -300), (-60, 0), (-60, 300), (5, 5), (5, 15)],
        [(0, 1, "bridge"), (1, 2, "ground"), (3, 4, "ground")],
    )
    found = ways_of(shapely.box(8, -100, 18, -90), links, ground())
    assert found.link.tolist() == [1] or not found.has_access[0]
    assert 0 not in found.link.tolist()
    assert 2 not in found.link.tolist()


def walk_minutes_by_facility(
    links: StreetLinks,
    terrain: Raster,
    buildings: list[shapely.Geometry],
    shops: list[shapely.Geometry],
) -> BuildingWalks:
    rule = RULE.model_copy(
        update={"access": RULE.access.model_copy(update={"min_facility_count": 1})}
    )
    profiles = link_profiles(links, terrain_heights(links, terrain, 15), rule.walking)
    usable = usable_links(links)
    shop_doors, house_doors = (
        doors(np.array(p), links, usable, profiles, terrain, NO_WATER, rule.access, rule.walking)
        for p in (shops, buildings)
    )
    kinds = np.full(len(shops), "market", dtype=object)
    none_main = np.zeros(links.count, dtype=bool)
    return BuildingWalks(
        walk_network(links, profiles, none_main, kinds, shop_doors, rule), house_doors
    )


def test_house_and_shop_on_one_link_do_not_go_round_by_its_ends() -> None:
    links = links_of([(-300, 0), (300, 0)], [(0, 1, "ground")])
    house, shop = shapely.box(-5, 10, 5, 20), shapely.Point(60, -10)
    found = walk_minutes_by_facility(links, ground(at_x=900), [house], [shop]).walks("market")
    # 10 m to the street, 55 to 65 m along it, 10 m to the shop
    assert 75 / 60 <= found.home_min[0] <= 85 / 60
    assert found.out_min[0] == pytest.approx(found.home_min[0])


def test_two_banks_without_a_bridge_stay_apart() -> None:
    links = links_of(
        [(-200, -100), (-200, 100), (200, -100), (200, 100), (200, 300)],
        [(0, 1, "ground"), (2, 3, "ground"), (3, 4, "ground")],
    )
    west, east = shapely.box(-190, 0, -180, 10), shapely.box(180, 0, 190, 10)
    shop = shapely.Point(210, 50)
    found = walk_minutes_by_facility(links, ground(at_x=900), [west, east], [shop])
    walks = found.walks("market")
    assert np.isnan(walks.out_min[0])
    assert np.isnan(walks.home_min[0])
    assert np.isnan(walks.climb_m[0])
    assert found.chosen("market").home_door.tolist() == [-1, 0]
    assert np.isfinite(walks.out_min[1])


def test_counts_within_minutes_by_hand() -> None:
    links = links_of([(-900, 0), (900, 0)], [(0, 1, "ground")])
    house = shapely.box(-5, 6, 5, 16)
    # straight along the street at 60 m/min: 2, 4.9, 5.3, 9 and 14 minutes, one out of reach
    shops = [shapely.Point(x, 0) for x in (110, -285, 310, 530, -830, 899)]
    found = walk_minutes_by_facility(links, ground(at_x=990), [house], shops)
    own = found.network.graph.node_count
    street = own - len(links.node_x) - len(shops)
    x = np.concatenate([links.node_x, np.zeros(street), np.zeros(len(shops))])
    door = [110, -285, 310, 530, -830, 899]
    x[2 : 2 + len(shops)] = door
    x[2 + len(shops) :] = door
    counts = facility_counts(found, x, np.zeros(own), [5, 10, 15])
    assert counts["market"].tolist() == [[2, 4, 5]]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_closing_a_lift_never_makes_anyones_walk_better(seed: int) -> None:
    random = np.random.default_rng(seed)
    nodes = [tuple(p) for p in random.uniform(-400, 400, (25, 2))]
    pairs = [(int(a), int(b), "ground") for a, b in random.integers(0, 25, (60, 2)) if a != b]
    lifts = [(int(a), int(b), "lift") for a, b in random.integers(0, 25, (3, 2)) if a != b]
    terrain = ground(60.0)
    houses = [shapely.box(x, y, x + 9, y + 9) for x, y in random.uniform(-380, 380, (20, 2))]
    shops = [shapely.Point(x, y) for x, y in random.uniform(-380, 380, (4, 2))]
    opened = walk_minutes_by_facility(links_of(nodes, pairs + lifts), terrain, houses, shops)
    closed = walk_minutes_by_facility(links_of(nodes, pairs), terrain, houses, shops)
    if (opened.doors.link.tolist(), len(opened.network.targets["market"])) != (
        closed.doors.link.tolist(),
        len(closed.network.targets["market"]),
    ):
        return  # the lift joined two parts of the network: other doors
    one, two = opened.walks("market"), closed.walks("market")
    for good, bad in (
        (one.out_min + 0.1 * one.out_climb_m, two.out_min + 0.1 * two.out_climb_m),
        (one.home_min + 0.1 * one.climb_m, two.home_min + 0.1 * two.climb_m),
    ):
        reached = ~np.isnan(bad)
        assert (good[reached] <= bad[reached] + 1e-9).all()


def test_a_house_below_the_main_road_climbs_as_much_as_one_above() -> None:
    """Thousands climbed 30 m to the main road at 中山二路: home they went down."""
    high, low = [(60, -300), (60, 300)], [(-60, -300), (-60, 300)]
    stair = [(-60, 300), (60, 300)]
    for road, lane, house, climbs in (
        (low, high, [(70, 0), (80, 5), (80, -5)], (40, 0)),
        (high, low, [(-70, 0), (-80, 5), (-80, -5)], (0, 40)),
    ):
        tables = cliff.tables({"lower": road, "stair": stair, "upper": lane}, houses=[house])
        access = access_table(
            tables[BUILDINGS].geometry.to_numpy(),
            street_world(
                tables[STREET_NODES], tables[STREET_EDGES], tables[AMENITIES], tables[WATER],
                cliff.ground(), cliff.SETTINGS.measure,
            ),
            cliff.SETTINGS.measure,
        )  # fmt: skip
        told = access.home_climb_m["main_road"], access.out_climb_m["main_road"]
        assert [one[0] for one in told] == pytest.approx(climbs, abs=1e-3)
        assert access.columns["main_road_climb_m"][0] == pytest.approx(40, abs=1e-3)


def test_the_entrance_lies_at_mid_height_of_a_building_on_a_slope() -> None:
    # twelve storeys of 3 m, the street 12 m above the lowest ground: 4 below, 7 above
    inside = storeys_from_entry(
        np.array([12.0, 12.0, 6.0, np.nan, 12.0]),
        pd.Series([False, True, None, False, False], dtype="boolean"),
        np.array([np.nan, np.nan, np.nan, np.nan, 3.0]),
        np.array([212.0, 212.0, 190.0, 212.0, 212.0]),
        np.array([200.0, 200.0, 200.0, 200.0, 200.0]),
        3.0,
    )
    assert inside["storeys_below_entry_count"].tolist()[:3] == [4, 4, 0]
    assert inside["storeys_above_entry_count"].tolist()[:3] == [7, 7, 5]
    assert inside["storeys_climbed_count"].tolist()[:2] == [7, 0]
    assert inside["storeys_climbed_count"].isna().tolist() == [False, False, True, True, False]
    assert inside["storeys_above_entry_count"].isna().tolist() == [False] * 3 + [True, False]
    # the register says: entered on the third storey, 2 below and 9 above
    assert inside.iloc[4].tolist() == [9, 2, 9]


def test_the_lowest_ground_along_an_outline() -> None:
    x = 10.0 * (np.arange(200) + 0.5) - 1000
    slope = Raster(np.tile((200 + 0.2 * x).astype(np.float32), (200, 1)), -1000, 1000, 10, "")
    shapes = np.array([shapely.box(0, 0, 20, 10), shapely.box(5000, 0, 5010, 10)])
    lowest = lowest_outline_m(shapes, slope)
    assert lowest[0] == pytest.approx(200.0, abs=1e-3)
    assert np.isnan(lowest[1])
