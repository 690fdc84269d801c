"""Heights of roads on networks small enough to solve by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.geo.empty_ground import over_holes
from pipeline.geo.lifts import with_landings
from pipeline.geo.profile import Heights, StreetLinks, link_profiles, terrain_heights
from pipeline.geo.raster import Raster
from pipeline.geo.road_heights import road_segments, within_grades
from pipeline.geo.terrain import unevenness_m
from tests.unit.test_network import WALKING, links_of

REACH_M = 30.0


def surface(z: np.ndarray) -> Raster:
    """Return ground in cells of 10 m that is the same from south to north, from x = -500."""
    return Raster(np.tile(z.astype(np.float32), (100, 1)), -500, 500, 10, "EPSG:32648")


def east(step: float = 10.0) -> np.ndarray:
    return step * (np.arange(100) + 0.5) - 500


def moved(
    links: StreetLinks, terrain: Raster, grades: list[float], high_error_weight: float = 2.0
) -> Heights:
    heights = terrain_heights(links, terrain, 15.0)
    return within_grades(
        links, heights, np.array(grades), high_error_weight, REACH_M, blurred(terrain), (1.0, 2.0)
    )


def blurred(terrain: Raster) -> Raster:
    """Return a terrain that is uneven everywhere, so that every limit holds."""
    return terrain.with_values(np.full(terrain.values.shape, 9.0))


def steepest(links: StreetLinks, heights: Heights, grades: list[float]) -> float:
    """Return by how many metres the worst stretch rises more than it may."""
    segments = road_segments(links, heights, np.array(grades))
    z = np.concatenate([heights.node_m, heights.station_m])
    return float((np.abs(z[segments.end] - z[segments.begin]) - segments.most_m).max())


def test_a_road_within_its_grade_stays_as_the_terrain_has_it() -> None:
    links = links_of([(-200, 0), (200, 0)], [(0, 1, "ground")])
    terrain = surface(200 + 0.07 * east())
    before = terrain_heights(links, terrain, 15.0)
    limits = np.array([0.08])
    assert within_grades(links, before, limits, 2.0, REACH_M, blurred(terrain), (1, 2)) is before


def test_a_street_over_a_hole_of_the_terrain_rises_evenly_and_beyond_its_edge_stays_empty() -> None:
    """The ground rises by 1 in 10 and is empty from 0 to 100 m; a street crosses that at a crossing.

    By hand: 195 m at -50, 205 m at 50 (the empty crossing), 215 m at 150; its blind arm, which no other
    height tells, is as high as the crossing. What leads out of the terrain (to 600) has no height.
    """
    z = 200 + 0.1 * east()
    holed = surface(np.where((east() > 0) & (east() < 100), np.nan, z))
    links = links_of(
        [(-50, 0), (50, 0), (150, 0), (50, 40), (600, 0)],
        [(0, 1, "ground"), (1, 2, "ground"), (1, 3, "ground"), (2, 4, "ground")],
    )
    before = terrain_heights(links, holed, 15.0)
    assert np.isnan(before.node_m).tolist() == [False, True, False, True, True]
    found = over_holes(links, before, holed)
    assert found.node_m[:4] == pytest.approx([195, 205, 215, 205], abs=1e-6)
    assert np.isnan(found.node_m[4])
    crossing = found.stations.link < 2
    along = -50 + 100 * (found.stations.link + found.stations.fraction)[crossing]
    assert found.station_m[crossing] == pytest.approx(200 + 0.1 * along, abs=0.6)
    whole = terrain_heights(links, surface(z), 15.0)
    assert over_holes(links, whole, holed) is whole


def test_on_an_even_slope_a_road_is_as_steep_as_the_terrain() -> None:
    """Nothing is smeared on a plane; a step of 12 m in it is, and a road of 25 % takes 240 m for it."""
    links = links_of([(-300, 0), (300, 0)], [(0, 1, "ground")])
    plane = surface(200 + 0.2 * east())
    heights = terrain_heights(links, plane, 15.0)
    even = unevenness_m(plane, 3)
    assert np.nanmax(even.values) < 1e-3
    kept = within_grades(links, heights, np.array([0.08]), 2.0, REACH_M, even, (1.0, 2.0))
    assert kept is heights
    step = surface(200 + 0.2 * east() + np.where(east() > 0, 12.0, 0.0))
    heights = terrain_heights(links, step, 15.0)
    moved_only_there = within_grades(
        links, heights, np.array([0.25]), 2.0, REACH_M, unevenness_m(step, 3), (1.0, 2.0)
    )
    assert steepest(links, moved_only_there, [0.25]) < 1e-6
    x = moved_only_there.stations.x
    far = np.abs(x) > 245
    assert moved_only_there.station_m[far] == pytest.approx(heights.station_m[far])


def test_unevenness_of_a_step_by_hand() -> None:
    """The same from south to north, so a line through seven cells is the plane: numpy's own fit."""
    z = np.where(np.arange(100) >= 50, 7.0, 0.0)
    found = unevenness_m(surface(z), 3).values[50]
    steps = np.arange(-3, 4)
    values = z[47:54]  # around cell 50
    residual = values - np.polyval(np.polyfit(steps, values, 1), steps)
    assert found[50] == pytest.approx(np.sqrt((residual**2).mean()), abs=1e-4)
    assert found[40] == pytest.approx(0, abs=1e-4)


def test_a_roof_under_a_level_road_is_taken_off() -> None:
    z = np.full(100, 200.0)
    z[50:53] = 225
    links = links_of([(-300, 0), (300, 0)], [(0, 1, "ground")])
    found = moved(links, surface(z), [0.08])
    assert steepest(links, found, [0.08]) < 1e-6
    # the level road on both sides pins it: 30 m of roof hold it up by two steps of 15 m at most
    assert found.station_m.max() <= 200 + 2 * 15 * 0.08 + 1e-6
    assert found.station_correction_m.min() < -22.5
    assert found.node_m.tolist() == pytest.approx([200, 200])


def test_a_pit_counts_more_than_a_roof_as_wide() -> None:
    """The road drops by 30 m for as long as it stands: downwards is cheaper by the weight alone."""
    z = np.where(east() < 0, 200.0, 230.0)
    links = links_of([(-400, 0), (400, 0)], [(0, 1, "ground")])
    even, low = (moved(links, surface(z), [0.1], weight) for weight in (1.0, 4.0))
    for found in (even, low):
        assert steepest(links, found, [0.1]) < 1e-6
    middle = [np.interp(0.5, found.stations.fraction, found.station_m) for found in (even, low)]
    # symmetric: half-way up; four to one: a ramp of 300 m, a fifth of it below, four above the step
    assert middle[0] == pytest.approx(215, abs=1.5)
    assert middle[1] == pytest.approx(206, abs=1.5)


def test_a_bridge_keeps_its_ends_and_rises_evenly_between() -> None:
    z = np.full(100, 200.0)
    z[45:55] = 150
    nodes = [(-300.0, 0.0), (-100.0, 0.0), (0.0, 0.0), (100.0, 0.0), (300.0, 0.0)]
    pairs = [(0, 1, "ground"), (1, 2, "bridge"), (2, 3, "bridge"), (3, 4, "ground")]
    links = links_of(nodes, pairs)
    found = moved(links, surface(z), [0.08] * 4)
    assert found.node_m.tolist() == pytest.approx([200] * 5)


def test_a_path_beside_a_moved_road_moves_with_it_and_one_further_off_does_not() -> None:
    z = np.full(100, 200.0)
    z[50:53] = 225
    nodes = [(-300.0, 0.0), (300.0, 0.0), (-20.0, 12.0), (60.0, 12.0), (-20.0, 90.0), (60.0, 90.0)]
    links = links_of(nodes, [(0, 1, "ground"), (2, 3, "ground"), (4, 5, "ground")])
    # as blurred as the reach says
    blurred = np.convolve(np.pad(z, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    found = moved(links, surface(blurred), [0.08, np.nan, np.nan])
    near, far = found.stations.link == 1, found.stations.link == 2
    # two steps of road as above, and what the ground rises on half a step: 5 m in 10 m
    assert found.station_m[near].max() <= 200 + 2.4 + 3.75 + 0.01
    assert found.station_m[far].max() >= 214
    assert (found.station_correction_m[far] == 0).all()


def test_a_path_half_way_between_two_points_of_a_road_takes_the_mean_of_both() -> None:
    z = np.full(100, 200.0)
    z[50:53] = 225
    for off in (-1e-5, 1e-5):
        nodes = [(-300.0, 0.0), (300.0, 0.0), (22.5 + off, 12.0), (22.5 + off, 42.0)]
        links = links_of(nodes, [(0, 1, "ground"), (2, 3, "ground")])
        found = moved(links, surface(z), [0.08, np.nan])
        road = found.stations.x[found.stations.link == 0]
        own = found.station_correction_m[found.stations.link == 0]
        beside = own[np.abs(road - 22.5) < 8]
        assert len(beside) == 2
        assert abs(beside[0] - beside[1]) > 2
        assert found.node_correction_m[2] == pytest.approx(beside.mean(), abs=1e-3)


def test_a_street_added_elsewhere_moves_no_road() -> None:
    """What two roofs as heavy as the pit between them do to a road must not hang on numbers."""
    random = np.random.default_rng(1)
    rough = Raster(random.choice([200.0, 210.0], (100, 100)).astype(np.float32), -500, 500, 10,
                   "EPSG:32648")  # fmt: skip
    nodes = [(float(x), float(y)) for y in range(-400, 401, 100) for x in range(-400, 401, 100)]
    pairs = [(i, i + 1, "ground") for i in range(80) if i % 9 < 8]
    pairs += [(i, i + 9, "ground") for i in range(72)]
    before = moved(links_of(nodes, pairs), rough, [0.08] * len(pairs))
    more = [(0, 10, "ground"), *pairs]
    after = moved(links_of(nodes, more), rough, [np.nan, *[0.08] * len(pairs)])
    assert np.abs(before.node_correction_m).max() > 1
    np.testing.assert_allclose(after.node_m, before.node_m, atol=1e-6)


@pytest.mark.parametrize(
    ("hump_m", "felt_m"), [(1.9, 0), (-1.9, 0), (3, 1.5), (-3, -1.5), (4, 4), (25, 25)]
)
def test_a_hump_between_bends_counts_where_the_terrain_errs_less(
    hump_m: float, felt_m: float
) -> None:
    z = 200 + np.where(np.abs(east()) < 10, hump_m, 0.0)
    heights = terrain_heights(links_of([(-60, 0), (60, 0)], [(0, 1, "ground")]), surface(z), 15, 2)
    assert heights.stations.x[3] == pytest.approx(0)
    assert heights.station_m[3] == pytest.approx(200 + felt_m, abs=1e-4)
    assert heights.station_correction_m[3] == pytest.approx(felt_m - hump_m, abs=1e-4)
    bent = links_of([(-60, 0), (0, 0), (60, 0)], [(0, 1, "ground"), (1, 2, "ground")])
    assert terrain_heights(bent, surface(z), 15, 2).node_m[1] == pytest.approx(
        200 + hump_m, abs=1e-4
    )


def test_steps_between_bends_do_not_hang_on_the_last_digit_of_a_length() -> None:
    for length in (45 - 1e-9, 45.0, 45 + 1e-9):
        links = links_of([(0.0, 0.0), (length, 0.0)], [(0, 1, "ground")])
        heights = terrain_heights(links, surface(np.full(100, 200.0)), 15.0)
        assert heights.stations.fraction == pytest.approx([1 / 3, 2 / 3])


def test_stairs_may_be_steep_and_meet_the_roads_where_they_join() -> None:
    z = np.where(east() < 0, 200.0, 240.0)
    nodes = [(-20.0, -300.0), (-20.0, 300.0), (30.0, -300.0), (30.0, 300.0)]
    links = links_of(nodes, [(0, 1, "ground"), (2, 3, "ground"), (1, 3, "steps")])
    found = moved(links, surface(z), [0.08, 0.08, np.nan])
    profiles = link_profiles(links, found, WALKING)
    rise = profiles.at("ascent_m", np.array([2]), np.ones(1)) - profiles.at(
        "ascent_m", np.array([2]), np.zeros(1)
    )
    assert rise[0] == pytest.approx(40)
    assert len(profiles.clipped_links) == 0


def test_where_the_terrain_is_empty_nothing_is_made_up() -> None:
    z = np.full(100, 200.0)
    z[50:53] = 225
    z[60:] = np.nan
    links = links_of([(-300, 0), (300, 0)], [(0, 1, "ground")])
    found = moved(links, surface(z), [0.08])
    before = terrain_heights(links, surface(z), 15.0)
    assert (np.isnan(found.station_m) == np.isnan(before.station_m)).all()
    assert np.nanmax(found.station_m) <= 200 + 2 * 15 * 0.08 + 1e-6
    assert np.isnan(found.node_m).tolist() == [False, True]
    assert not np.isnan(found.station_correction_m).any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_no_road_is_steeper_than_its_limit_and_a_centimetre_moves_no_road_by_more_than_a_few(
    seed: int,
) -> None:
    random = np.random.default_rng(seed)
    nodes = [tuple(p) for p in random.uniform(-450, 450, (18, 2))]
    pairs = [(int(a), int(b)) for a, b in random.integers(0, 18, (40, 2)) if a != b]
    kinds = random.choice(["ground", "ground", "ground", "bridge", "tunnel"], len(pairs))
    links = links_of(nodes, [(a, b, str(k)) for (a, b), k in zip(pairs, kinds, strict=True)])
    grades = random.choice([0.06, 0.1, 0.15, np.nan], len(pairs)).tolist()
    rough = Raster(
        random.uniform(200, 260, (100, 100)).astype(np.float32), -500, 500, 10, "EPSG:32648"
    )
    found = moved(links, rough, grades)
    if not np.isnan(grades).all():
        assert steepest(links, found, grades) < 1e-5
    nudge = random.uniform(-0.01, 0.01, rough.values.shape)
    again = moved(links, rough.with_values(rough.values + nudge), grades)
    assert np.abs(again.station_m - found.station_m).max() < 0.5


def test_the_ways_out_of_a_lift_run_evenly_through_its_blur() -> None:
    """A lift at the foot of a cliff: the path from its top crosses cells that are half-way up."""
    z = np.full(100, 200.0)
    z[50:53] = [210, 220, 230]
    z[53:] = 240
    links = links_of(
        [(-100.0, 0.0), (-2.0, 0.0), (120.0, 0.0)], [(0, 1, "ground"), (1, 2, "ground")]
    )
    heights = terrain_heights(links, surface(z), 15.0)
    is_lift = np.array([False, True, False])
    parted = with_landings(links, heights, is_lift, is_lift, 3.0)
    profiles = link_profiles(parted.links, parted.heights, WALKING)
    low, high = parted.heights.node_m[[1, 3]]
    at = np.linspace(0, 30 / 122, 5)
    upper = profiles.at("elevation_m", np.ones(5, dtype=np.int64), at)
    assert low == pytest.approx(200, abs=0.5)
    assert high > 225
    assert np.ptp(upper) < 2
