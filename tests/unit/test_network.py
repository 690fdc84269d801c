"""Walks on networks small enough to add up by hand, and against networkx."""

from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest
import shapely

from pipeline.geo.lifts import with_landings
from pipeline.geo.network import (
    NO_SPURS,
    Penalties,
    StreetPoint,
    WalkGraph,
    cut_links,
    nearest,
    walk_graph,
)
from pipeline.geo.profile import (
    Heights,
    StreetLinks,
    link_profiles,
    stair_minutes,
    terrain_heights,
    walk_minutes,
)
from pipeline.geo.raster import Raster
from pipeline.settings.measure import ElderRule, EvenTerrainRule, WalkingRule

WALKING = WalkingRule(
    even_terrain=EvenTerrainRule(believed_m=1, limited_m=2),
    planning_speed_m_per_min=60,
    flat_speed_m_per_min=60,
    tobler_steepness=3.5,
    tobler_peak_grade=-0.05,
    max_grade=0.6,
    max_stair_grade=1.2,
    stairs_up_m_per_min=12,
    stairs_down_m_per_min=16,
    riser_height_m=0.15,
    lift_min=1.5,
    lift_level_gap_m=3,
    escalator_speed_m_per_min=30,
    profile_spacing_m=15,
    profile_noise_m=0,
    climb_penalty_min_per_m=0.1,
    climb_penalty_spread=0.5,
    counted_climb="larger",
    elder=ElderRule(
        flat_speed_m_per_min=48,
        stairs_up_m_per_min=8.5,
        stairs_down_m_per_min=9.5,
        climb_penalty_min_per_m=0.2,
    ),
    max_drivable_grade={"primary": 0.08, "service": 0.15},
    high_error_weight=2,
)
PENALTIES = Penalties.of(WALKING)


@dataclass(frozen=True)
class Walked:
    """Minutes home and out, and metres climbed on the way home, for every node."""

    back_min: np.ndarray
    back_ascent_m: np.ndarray
    out_min: np.ndarray


def walked(graph: WalkGraph, targets: list[int]) -> Walked:
    home = nearest(graph, np.array(targets)).minutes_and_climb(PENALTIES)
    out = nearest(graph.reverse, np.array(targets)).minutes_and_climb(PENALTIES)
    return Walked(home[0], home[1], out[0])


def terrain_of(links: StreetLinks, terrain: Raster) -> Heights:
    return terrain_heights(links, terrain, WALKING.profile_spacing_m)


def hill(grade: float = 0.1) -> Raster:
    """Return ground that rises to the east."""
    x = 10.0 * (np.arange(200) + 0.5) - 500
    return Raster(
        np.tile((200 + grade * x).astype(np.float32), (100, 1)), -500, 500, 10, "EPSG:32648"
    )


def links_of(
    nodes: list[tuple[float, float]],
    pairs: list[tuple[int, int, str]],
    one_way: tuple[int, ...] = (),
    rise_m: list[float] | None = None,
) -> StreetLinks:
    position = np.array(nodes, dtype=float)
    backward = np.ones(len(pairs), dtype=bool)
    backward[list(one_way)] = False
    return StreetLinks(
        np.array([a for a, _, _ in pairs]),
        np.array([b for _, b, _ in pairs]),
        np.array([shapely.LineString([nodes[a], nodes[b]]) for a, b, _ in pairs], dtype=object),
        np.array([kind for _, _, kind in pairs], dtype=object),
        np.ones(len(pairs), dtype=bool),
        backward,
        np.array(rise_m) if rise_m else np.full(len(pairs), np.nan),
        position[:, 0],
        position[:, 1],
    )


def graph_of(links: StreetLinks, terrain: Raster) -> WalkGraph:
    none = StreetPoint(np.zeros(0, dtype=np.int64), np.zeros(0))
    pieces, _ = cut_links(links, none)
    profiles = link_profiles(links, terrain_of(links, terrain), WALKING)
    return walk_graph(pieces, links, profiles, links.node_count, NO_SPURS, PENALTIES)


def test_tobler_matches_its_published_values() -> None:
    # Tobler 1993: 6 km/h at a grade of -0.05, 5.037 km/h on the flat
    fastest = walk_minutes(np.array([100.0]), np.array([-5.0]), WALKING)
    flat = walk_minutes(np.array([100.0]), np.array([0.0]), WALKING)
    assert flat[0] == pytest.approx(100 / 60)
    assert flat[0] / fastest[0] == pytest.approx(6 / 5.037, rel=1e-4)
    up = walk_minutes(np.array([100.0]), np.array([10.0]), WALKING)
    assert up[0] / flat[0] == pytest.approx(5.0367 / 3.5493, rel=1e-3)  # 6·exp(-3.5·0.15) = 3.5493


def test_stairs_cost_by_height_and_never_less_than_the_flat() -> None:
    run, rise = np.array([20.0, 20.0, 600.0]), np.array([12.0, -16.0, 1.0])
    assert stair_minutes(run, rise, WALKING).tolist() == [1.0, 1.0, 10.0]


def test_the_way_out_and_the_way_home_differ_on_a_slope() -> None:
    links = links_of([(0, 0), (300, 0)], [(0, 1, "ground")])
    graph = graph_of(links, hill(0.1))
    near = walked(graph, [0])
    assert near.back_min[1] == pytest.approx(5 * np.exp(3.5 * 0.10), rel=1e-4)  # home is uphill
    assert near.out_min[1] == pytest.approx(5.0, rel=1e-4)  # −0.1 lies as far from −0.05 as 0
    assert near.back_ascent_m[1] == pytest.approx(30, abs=0.01)


def test_a_bridge_does_not_follow_the_valley() -> None:
    valley = hill(0.0)
    valley.values[:, 60:80] = 150  # x from 100 to 300
    links = links_of(
        [(0, 0), (50, 0), (200, 0), (350, 0), (400, 0)],
        [(0, 1, "ground"), (1, 2, "bridge"), (2, 3, "bridge"), (3, 4, "ground")],
    )
    graph = graph_of(links, valley)
    near = walked(graph, [0])
    assert near.back_ascent_m[4] == pytest.approx(0, abs=1e-3)
    assert near.back_min[4] == pytest.approx(400 / 60, rel=1e-6)


def test_an_escalator_has_one_direction_and_no_climb() -> None:
    links = links_of([(0, 0), (60, 0)], [(0, 1, "escalator")], one_way=(0,))
    graph = graph_of(links, hill(0.3))
    near = walked(graph, [0])
    assert near.back_min[1] == pytest.approx(2.0)
    assert near.back_ascent_m[1] == 0
    assert np.isinf(near.out_min[1])


def test_no_way_is_infinite_and_never_a_number() -> None:
    links = links_of([(0, 0), (50, 0), (0, 90), (50, 90)], [(0, 1, "ground"), (2, 3, "ground")])
    graph = graph_of(links, hill())
    near = walked(graph, [0])
    assert np.isinf(near.back_min[2:]).all()
    assert np.isinf(near.back_ascent_m[2:]).all()


def test_cutting_a_link_changes_no_walk() -> None:
    links = links_of([(0, 0), (300, 0)], [(0, 1, "ground")])
    points = StreetPoint(np.array([0, 0, 0]), np.array([0.7, 0.0, 0.25]))
    pieces, node = cut_links(links, points)
    assert node.tolist() == [2, 3, 4]
    assert pieces.from_node.tolist() == [0, 3, 4, 2]
    assert pieces.to_node.tolist() == [3, 4, 2, 1]
    assert pieces.start.tolist() == [0, 0, 0.25, 0.7]
    assert pieces.end.tolist() == [0, 0.25, 0.7, 1]
    assert pieces.holding(StreetPoint(np.array([0, 0]), np.array([0.3, 1.0]))).tolist() == [2, 3]
    profiles = link_profiles(links, terrain_of(links, hill()), WALKING)
    graph = walk_graph(pieces, links, profiles, 5, NO_SPURS, PENALTIES)
    near = walked(graph, [0])
    whole = graph_of(links, hill())
    expected = walked(whole, [0])
    assert near.back_min[1] == pytest.approx(expected.back_min[1])
    assert near.back_ascent_m[1] == pytest.approx(30, abs=0.01)


def test_walks_equal_networkx_on_a_random_network() -> None:
    random = np.random.default_rng(11)
    nodes = [tuple(p) for p in random.uniform(-450, 450, (60, 2))]
    pairs = [(int(a), int(b), "ground") for a, b in random.integers(0, 60, (150, 2)) if a != b]
    links = links_of(nodes, pairs)
    terrain = hill(0.2)
    graph = graph_of(links, terrain)
    targets = [3, 17, 40]
    near = walked(graph, targets)

    walk = nx.MultiDiGraph()
    for a, b, _ in pairs:
        (xa, ya), (xb, yb) = nodes[a], nodes[b]
        run, rise = np.hypot(xb - xa, yb - ya), 0.2 * (xb - xa)
        for begin, end, up in ((a, b, rise), (b, a, -rise)):
            minutes = run / 60 * np.exp(3.5 * (abs(up / run + 0.05) - 0.05))
            walk.add_edge(begin, end, minutes=minutes, ascent=max(up, 0))
    # least cost at penalties of 0.05, 0.1 and 0.15 min/m
    for arcs in walk.edges(data=True):
        arcs[2]["low"] = arcs[2]["minutes"] + 0.05 * arcs[2]["ascent"]
        arcs[2]["middle"] = arcs[2]["minutes"] + 0.1 * arcs[2]["ascent"]
        arcs[2]["high"] = arcs[2]["minutes"] + 0.15 * arcs[2]["ascent"]
    home, out = (
        {
            price: nx.multi_source_dijkstra_path_length(way, set(targets), weight=price)
            for price in ("low", "middle", "high")
        }
        for way in (walk, walk.reverse())
    )
    for node in home["low"]:
        climb = (home["high"][node] - home["low"][node]) / 0.1
        assert near.back_ascent_m[node] == pytest.approx(climb, abs=0.1)
        assert near.back_min[node] == pytest.approx(home["middle"][node] - 0.1 * climb, rel=1e-3)
        climb_out = (out["high"][node] - out["low"][node]) / 0.1
        assert near.out_min[node] == pytest.approx(out["middle"][node] - 0.1 * climb_out, rel=1e-3)
    missing = set(range(60)) - set(home["low"])
    assert all(np.isinf(near.back_min[node]) for node in missing)


def test_steps_counted_on_the_map_cost_by_their_own_height() -> None:
    links = links_of([(0, 0), (30, 0)], [(0, 1, "steps")], rise_m=[12.0])
    graph = graph_of(links, hill(0.1))  # the terrain says 3 m
    near = walked(graph, [0])
    assert near.back_ascent_m[1] == pytest.approx(12.0)
    assert near.back_min[1] == pytest.approx(1.0)
    assert near.out_min[1] == pytest.approx(0.75)


def test_a_lift_mapped_as_a_point_is_taken_apart() -> None:
    # a cliff of 40 m at x = 0; the lift stands at its foot, a way leaves it below and one above
    cliff = hill(0.0)
    cliff.values[:, 50:] = 240
    nodes = [(-100.0, 0.0), (-4.0, 0.0), (100.0, 0.0)]
    links = links_of(nodes, [(0, 1, "ground"), (1, 2, "bridge")])
    heights = terrain_of(links, cliff)
    is_lift = np.array([False, True, False])
    parted = with_landings(links, heights, is_lift, is_lift, 3.0)
    assert parted.links.node_count == 4
    assert parted.links.structure.tolist() == ["ground", "bridge", "lift"]
    assert parted.heights.node_m.tolist() == pytest.approx([200, 200, 240, 240])
    none = StreetPoint(np.zeros(0, dtype=np.int64), np.zeros(0))
    pieces, _ = cut_links(parted.links, none)
    profiles = link_profiles(parted.links, parted.heights, WALKING)
    graph = walk_graph(pieces, parted.links, profiles, 4, NO_SPURS, PENALTIES)
    near = walked(graph, [0])
    assert near.back_ascent_m[2] == pytest.approx(0, abs=0.01)
    assert near.back_min[2] == pytest.approx(96 / 60 + 1.5 + 104 / 60)

    closed = with_landings(links, heights, is_lift, np.zeros(3, dtype=bool), 3.0)
    profiles = link_profiles(closed.links, closed.heights, WALKING)
    graph = walk_graph(
        cut_links(closed.links, none)[0], closed.links, profiles, 4, NO_SPURS, PENALTIES
    )
    near = walked(graph, [0])
    assert np.isinf(near.back_min[2])


def test_a_lift_that_all_ways_leave_at_one_level_stays_a_node() -> None:
    links = links_of([(-50, 0), (0, 0), (50, 0)], [(0, 1, "ground"), (1, 2, "ground")])
    is_lift = np.array([False, True, False])
    heights = terrain_of(links, hill(0.0))
    parted = with_landings(links, heights, is_lift, is_lift, 3.0)
    assert parted.links is links
    assert len(parted.lift_node) == 0


def two_ways(level_m: float, climb_m: float) -> Walked:
    """Return the walk from node 0 to node 1: a level detour, or stairs up and a lift down again."""
    links = links_of(
        [(0, 0), (0, level_m / 2), (40, 0), (60, 0)],
        [(0, 1, "ground"), (1, 3, "ground"), (0, 2, "steps"), (2, 3, "lift")],
        rise_m=[np.nan, np.nan, climb_m, np.nan],
    )
    return walked(graph_of(links, hill(0.0)), [0])


def test_a_way_with_less_climb_is_chosen_where_it_costs_few_minutes() -> None:
    # 36 m of stairs at 12 m/min and 1.5 min in the lift: 4.5 min, which cost 8.1 with 0.1 min a metre
    near_by, far = two_ways(300, 36), two_ways(1200, 36)
    assert near_by.back_ascent_m[3] == 0
    assert near_by.back_min[3] == pytest.approx((150 + np.hypot(60, 150)) / 60)
    assert far.back_ascent_m[3] == pytest.approx(36)
    assert far.back_min[3] == pytest.approx(4.5)


def test_ways_that_are_nearly_as_good_share_a_walk_and_do_not_flip() -> None:
    level_min = (240 + np.hypot(60, 240)) / 60
    exact = (level_min - 1.5) / (1 / 12 + 0.1)  # climb at which both cost the same at 0.1 min/m
    less, same, more = (two_ways(480, exact + change) for change in (-0.01, 0.0, 0.01))
    # half of the penalties from 0.05 to 0.15 take the stairs
    assert same.back_ascent_m[3] == pytest.approx(exact / 2, rel=1e-6)
    stairs_min = exact / 12 + 1.5
    assert same.back_min[3] == pytest.approx((stairs_min + level_min) / 2, rel=1e-6)
    for other in (less, more):
        assert other.back_ascent_m[3] == pytest.approx(same.back_ascent_m[3], abs=0.05)
        assert other.back_min[3] == pytest.approx(same.back_min[3], abs=0.01)


def test_an_elder_walks_at_an_elders_pace_on_the_flat_and_on_stairs() -> None:
    links = links_of([(0, 0), (96, 0), (126, 0)], [(0, 1, "ground"), (1, 2, "steps")],
                     rise_m=[np.nan, 17.0])  # fmt: skip
    profiles = link_profiles(links, terrain_of(links, hill(0.0)), WALKING)
    pieces, _ = cut_links(links, StreetPoint(np.zeros(0, dtype=np.int64), np.zeros(0)))
    penalties = Penalties.of(WALKING.of_elder())
    assert (penalties.low, penalties.middle, penalties.high) == pytest.approx((0.1, 0.2, 0.3))
    graph = walk_graph(pieces, links, profiles, 3, NO_SPURS, penalties, "elder_")
    minutes, climb = nearest(graph, np.array([0])).minutes_and_climb(penalties)
    assert minutes[2] == pytest.approx(96 / 48 + 17 / 8.5)
    assert climb[2] == pytest.approx(17)
    out, _ = nearest(graph.reverse, np.array([0])).minutes_and_climb(penalties)
    assert out[2] == pytest.approx(96 / 48 + 17 / 9.5)
