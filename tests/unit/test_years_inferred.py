"""Inference of years: parts by hand, the whole on a small made-up town."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

from pipeline.need.value_functions import QUANTILE_MASS, expected_need_units
from pipeline.settings.measure import YearRule
from pipeline.store.configuration import read_settings
from pipeline.years.conformal import (
    LEVELS,
    cautious_levels,
    effective_count,
    share_by,
    weighted_quantiles,
    within,
)
from pipeline.years.estimate import best_shares, seen_columns, stepped
from pipeline.years.evaluate import calibration_error, square_blocks
from pipeline.years.facts import YearFacts
from pipeline.years.gaps import area_folds, district_folds, even_folds, gaps_of
from pipeline.years.groups import class_columns, stretches
from pipeline.years.infer import Inference, infer_years
from pipeline.years.intervals import errors_together, miss_shares, whole_year_ends
from pipeline.years.selection import losses
from pipeline.years.shape import density_columns, shape_columns
from pipeline.years.siblings import error_growth_per_m, siblings_of, thinned
from pipeline.years.units import name_means, neighbour_columns, units_of
from tests.conftest import REPOSITORY

SETTINGS = read_settings(REPOSITORY / "config", "reference", "base")
RULE: YearRule = SETTINGS.measure.years
MIDDLE = int(np.argmin(np.abs(LEVELS - 0.5)))


def test_shapes_of_a_bar_and_of_a_courtyard() -> None:
    bar = shapely.box(0, 0, 40, 10)
    court = shapely.Polygon(bar.exterior.coords, [shapely.box(5, 2, 10, 8).exterior.coords])
    found = shape_columns(np.array([bar, court]))
    assert found["area_log"] == pytest.approx([np.log(400), np.log(370)])
    assert found["depth_m"] == pytest.approx([10, 10])
    assert found["lies_east_share"] == pytest.approx([(40**2 - 10**2) / (40**2 + 10**2)] * 2)
    assert found["lies_northeast_share"] == pytest.approx([0, 0], abs=1e-12)
    assert found["compactness_share"][0] == pytest.approx(4 * np.pi * 400 / 100**2)
    assert found["fill_share"] == pytest.approx([1, 370 / 400])
    assert found["courtyard_count"].tolist() == [0, 1]


def test_what_has_no_area_has_no_form_but_does_not_stop_the_rest() -> None:
    found = shape_columns(np.array([shapely.Polygon(), shapely.box(0, 0, 1, 1)]))
    assert np.isnan(found["depth_m"][0])
    assert found["depth_m"][1] == pytest.approx(1)


@pytest.mark.parametrize("turn_deg", [0, 30, 45, 90, 150])
def test_a_bar_far_from_the_origin_lies_as_it_is_turned(turn_deg: float) -> None:
    bar = shapely.affinity.rotate(shapely.box(0, 0, 40, 10), turn_deg)
    far = shapely.affinity.translate(bar, 650_000, 3_270_000)
    found = shape_columns(np.array([far, shapely.box(0, 0, 9, 9)]))
    strength = (40**2 - 10**2) / (40**2 + 10**2)
    way = np.radians(2 * turn_deg)
    assert found["depth_m"] == pytest.approx([10, 9])
    assert found["lies_east_share"] == pytest.approx([strength * np.cos(way), 0], abs=1e-7)
    assert found["lies_northeast_share"] == pytest.approx([strength * np.sin(way), 0], abs=1e-7)
    assert found["fill_share"] == pytest.approx([1, 1])


def snapped(shapes: np.ndarray, grid_m: float, random: np.random.Generator) -> np.ndarray:
    """Return shapes as a format would give them back that keeps whole multiples of a grid only."""
    start = random.uniform(0, grid_m, 2)
    return shapely.transform(shapes, lambda p: np.round((p - start) / grid_m) * grid_m + start)


def test_outlines_moved_by_a_tenth_of_a_millimetre_keep_their_form() -> None:
    """Squares, and an L with two smallest rectangles, are where other measures jump."""
    ell = shapely.Polygon([(0, 0), (20, 0), (20, 10), (10, 10), (10, 20), (0, 20)])
    plain = np.array([ell, shapely.box(0, 0, 12, 12), shapely.box(0, 0, 60, 12)])
    plain = shapely.transform(plain, lambda p: p + np.array([650_000.0, 3_270_000.0]))
    random = np.random.default_rng(5)
    before = shape_columns(plain)
    for _ in range(20):
        moved = snapped(plain, 1e-4, random)
        after = shape_columns(moved)
        for name, values in before.items():
            assert np.abs(after[name] - values).max() < 1e-3, name


def test_a_model_sees_steps_that_no_round_number_and_no_last_digit_crosses() -> None:
    filled = np.append(np.ones(60), np.linspace(0.6, 0.9, 40))
    years = np.repeat([1950.0, 1960.0, 1975.0, 1990.0], 25)
    one = np.column_stack([filled, years, np.zeros(100), np.full(100, np.nan)])
    other = one.copy()
    other[:60, 0] += np.random.default_rng(2).uniform(-1e-6, 1e-6, 60)
    found = stepped(one)
    assert np.array_equal(found, stepped(other), equal_nan=True)
    assert len(np.unique(found[:, 1])) == 4, "what differs by as much as the rest stays apart"
    assert (found[:, 2] == 0).all()
    assert np.isnan(found[:, 3]).all()


def test_density_counts_what_stands_within_the_radius() -> None:
    everywhere = np.array([[0, 0], [50, 0], [70, 0], [1000, 0]], dtype=float)
    found = density_columns(everywhere[:1], everywhere, np.array([100.0, 200.0, 400.0, 800.0]))
    assert found["built_60_share"][0] == pytest.approx(300 / (np.pi * 60**2))
    assert found["built_250_share"][0] == pytest.approx(700 / (np.pi * 250**2))
    assert found["neighbour_1_m"][0] == 50


def test_the_nearest_known_years_speak_first() -> None:
    known = np.array([[0, 0], [10, 0], [500, 0]], dtype=float)
    found = neighbour_columns(known, np.array([1950.0, 1960.0, 2000.0]), np.array([[7.0, 0.0]]))
    assert (found["nearest_year"][0], found["nearest_m"][0]) == (1960, 3)
    assert found["nearest_10_year"][0] == pytest.approx((1950 + 1960 + 2000) / 3)
    assert found["near_median_year"][0] == 1960


def test_a_street_of_few_known_years_leans_to_the_town() -> None:
    """Two houses of 1990 in a town of mean 1960: (2 × 1990 + 2 × 1960) / 4 = 1975."""
    code = np.array([0, 0, 1, 1, 1, 1])
    year = np.array([1990.0, 1990.0, 1945.0, 1945.0, 1945.0, 1945.0])
    found = name_means(code, year, np.array([0, 1, 2, -1]))
    assert found[:2] == pytest.approx([1975, (4 * 1945 + 2 * 1960) / 6])
    assert np.isnan(found[2:]).all()


def grid(side: int, step_m: float) -> np.ndarray:
    return np.array([[x * step_m, y * step_m] for x in range(side) for y in range(side)])


def test_years_missing_here_and_there_make_no_area_and_a_square_without_any_does() -> None:
    """A grid of 40 × 40 places 20 m apart; one in three years is lost, or a square of 10 × 10."""
    middle = grid(40, 20.0)
    lost = np.random.default_rng(3).random(1600) < 1 / 3
    assert gaps_of(middle, ~lost).is_isolated.mean() < 0.01
    square = (np.abs(middle - 390.0) < 100).all(axis=1)
    found = gaps_of(middle, ~square)
    assert square.sum() == 100
    assert not found.in_area[~square].any()
    assert found.in_area[square].all(), "the rim of a gap belongs to it"
    core = square & (np.abs(middle - 390.0) < 50).all(axis=1)
    assert found.is_isolated[core].all() and not found.is_isolated[~square].any()
    assert found.nearest_known_m[square].max() == pytest.approx(100)


def test_squares_are_hidden_whose_years_lie_as_far_as_the_missing_ones() -> None:
    """Squares of 200 m without years on a grid of 20 m: their places lie 20 to 100 m from the rim."""
    middle = grid(100, 20.0)
    lost = (np.floor(middle / 200).sum(axis=1) % 7 == 3) & (middle[:, 0] > 400)
    gaps = gaps_of(middle, ~lost)
    found = area_folds(middle, ~lost, gaps.nearest_known_m[lost], 5)
    assert 140 <= found.side_m <= 290
    assert set(found.fold[~lost]) == set(range(5)) and (found.fold[lost] == -1).all()
    wide = area_folds(middle, ~lost, gaps.nearest_known_m[lost] * 3, 5)
    assert wide.side_m > 1.4 * found.side_m


def test_districts_are_dealt_into_parts_as_wholes() -> None:
    district = np.repeat(np.arange(12), 10)
    is_known = np.arange(120) % 10 > 2
    fold = district_folds(district, is_known, 5)
    assert set(fold[is_known]) == set(range(5)) and (fold[~is_known] == -1).all()
    assert all(len(np.unique(fold[is_known & (district == d)])) == 1 for d in range(12))


def test_one_large_lost_estate_is_nearly_never_missed() -> None:
    """Estates of 1, 2 and 30: shares as 1 to 1/4 to 1/900, the first cut at a quarter."""
    together = np.repeat([1.0, 2.0, 30.0], 100)
    share = miss_shares(together, (np.zeros(300, dtype=np.int64),), 0.1, 0.25)
    assert share.mean() == pytest.approx(0.1, abs=0.001)
    assert share[together == 30][0] < 0.001 and share[together == 1][0] == pytest.approx(
        0.24, abs=0.01
    )


def test_a_publisher_of_which_no_year_is_known_is_no_class_to_learn_from() -> None:
    publisher = np.repeat([0.0, 1.0, 2.0], 20)
    known = publisher < 2
    columns = {"publisher": publisher, "storeys": np.tile([3.0, 7.0], 30), "area": publisher + 0.5}
    assert list(seen_columns(columns, known, ~known)) == ["storeys", "area"]
    assert list(seen_columns(columns, publisher != 1, publisher == 0)) == list(columns)


def test_a_kind_that_errs_twice_as_much_gets_intervals_twice_as_wide() -> None:
    rng = np.random.default_rng(2)
    kind, other = rng.integers(0, 2, 20_000), rng.integers(0, 3, 20_000)
    strain = np.abs(rng.normal(0, 1, 20_000)) / 1.645 * np.where(kind == 1, 2.0, 1.0)
    of_known, of_wanted = stretches(
        strain, np.ones(20_000), np.arange(20_000), [kind, other], [np.array([0, 1]), np.zeros(2, int)],
        hold_share=0.9, shrunk_by=50.0,
    )  # fmt: skip
    assert of_wanted == pytest.approx([1, 2], rel=0.05)
    held = strain <= of_known
    for groups in (kind, other):
        for group in np.unique(groups):
            assert held[groups == group].mean() == pytest.approx(0.9, abs=0.01)


def test_only_columns_of_few_whole_numbers_are_kinds() -> None:
    rng = np.random.default_rng(4)
    use, storeys = rng.integers(0, 3, 500).astype(float), rng.random(500)
    found = class_columns(
        {"use": use, "metres": storeys, "lone": np.zeros(500)}, np.arange(500), rng.normal(size=500)
    )
    assert list(found) == ["use"]


def test_siblings_tell_mean_range_and_how_near() -> None:
    points = np.array([[0, 0], [30, 0], [0, 40], [9, 9]], dtype=float)
    years = np.array([np.nan, 1980.0, 1984.0, 1900.0])
    found = siblings_of(np.array([0]), np.array([0, 0, 0, 1]), years, points)
    assert (found.year_mean[0], found.range_yr[0], found.count[0]) == (1982, 4, 2)
    assert found.nearest_m[0] == pytest.approx(30), "the nearer building belongs to another estate"


def test_thinning_leaves_the_building_itself_out() -> None:
    years = np.array([1950.0, 1960.0, 1970.0])
    unit, points = np.zeros(3, dtype=np.int64), np.zeros((3, 2))
    keys = np.array([7, 8, 9], dtype=np.uint64)
    rows, left = thinned(2, unit, years, points, keys, seed=1)
    means = dict(zip(rows.tolist(), left.year_mean.tolist(), strict=True))
    assert means == {0: 1965, 1: 1960, 2: 1955}
    assert len(thinned(3, unit, years, points, keys, seed=1)[0]) == 0


def test_weighted_quantiles_lean_to_the_heavy_side() -> None:
    values = np.arange(1001.0)
    even = weighted_quantiles(values, np.ones(1001))
    assert even[MIDDLE] == pytest.approx(500)
    assert weighted_quantiles(values, values)[MIDDLE] == pytest.approx(1000 / np.sqrt(2), abs=2)
    assert weighted_quantiles(values[::-1], np.ones(1001)) == pytest.approx(even)


def test_few_errors_make_wider_intervals() -> None:
    """Of 19 errors the 95 % bound is the largest, 0.95 × 20 = 19th, and the 90 % bound the 18th."""
    found = weighted_quantiles(np.arange(1.0, 20.0), np.ones(19))
    at = {share: found[np.argmin(np.abs(LEVELS - share))] for share in (0.05, 0.1, 0.9, 0.95)}
    assert at == pytest.approx({0.05: 1, 0.1: 2, 0.9: 18, 0.95: 19})
    assert cautious_levels(1e9) == pytest.approx(LEVELS)


def test_effective_count_is_kishs() -> None:
    assert effective_count(np.array([2.0, 2.0, 2.0])) == pytest.approx(3)
    assert effective_count(np.array([3.0, 1.0])) == pytest.approx(16 / 10)


def test_a_text_cuts_the_distribution_and_wins_where_they_disagree() -> None:
    spread = np.array([1960 + 40 * LEVELS, 1960 + 40 * LEVELS])
    cut = within(spread, np.array([np.nan, 1900.0]), np.array([np.nan, 1980.0]))
    assert cut[0] == pytest.approx(spread[0])
    assert cut[1].max() <= 1980.5, "the end of 1980"
    assert cut[1][MIDDLE] == pytest.approx(1970, abs=0.8)
    far = within(spread[:1], np.array([1900.0]), np.array([1909.0]))
    assert 1899.5 <= far.min() <= far.max() <= 1909.5


def test_chance_of_being_in_reads_the_distribution() -> None:
    assert share_by(np.array([1980 + 40 * LEVELS]), 2000) == pytest.approx([0.5125], abs=0.002)
    assert share_by(np.array([np.full(len(LEVELS), 1990.0)]), 2000).tolist() == [1]


def test_old_estates_stand_for_more_unseen_ones() -> None:
    """A thousand estates of eight; a year is missing with chance 0.9 if old, 0.3 if new."""
    rng = np.random.default_rng(3)
    year = np.repeat([1950.0, 1995.0], 500)
    known = rng.binomial(8, np.repeat([0.1, 0.7], 500)).astype(float)
    seen = known > 0
    found = losses(year[seen], np.full(seen.sum(), 8.0), known[seen], highest=100)
    odds = found.unseen_odds
    expected = 0.9**8 / (1 - 0.9**8)
    assert odds[year[seen] == 1950].mean() == pytest.approx(expected, rel=0.4)
    assert odds[year[seen] == 1995].max() < 0.01
    # log-odds of 0.9 and of 0.3, 45 years apart
    assert found.growth_per_yr == pytest.approx((2.197 + 0.847) / 45, rel=0.1)


def test_nothing_missing_means_nothing_unseen() -> None:
    found = losses(np.array([1980.0]), np.array([3.0]), np.array([3.0]), highest=3)
    assert (found.unseen_odds.tolist(), found.growth_per_yr) == ([0], 0)


def test_expected_need_is_not_the_need_of_the_middle() -> None:
    """Ages 10 … 90 about 50: half of the mass beyond 60 years needs no more than all."""
    criterion = SETTINGS.score.criteria["age"].model_copy(update={"none_at": 20, "worst_at": 60})
    ages = {"p05": 90.0, "p25": 60.0, "p50": 40.0, "p75": 30.0, "p95": 10.0}
    found = expected_need_units({n: np.array([a]) for n, a in ages.items()}, criterion)
    assert found[0] == pytest.approx(10_000 * (0.15 + 0.225 + 0.25 * 0.5 + 0.225 * 0.25), abs=1)
    assert sum(QUANTILE_MASS.values()) == pytest.approx(1)


def test_squares_are_halved_until_there_are_enough_and_dealt_evenly() -> None:
    points = np.array([[x * 100.0, y * 100.0] for x in range(10) for y in range(10)])
    block, side_m = square_blocks(points, side_m=1000, min_count=4)
    assert (side_m, block.max() + 1) == (500, 4)
    fold = even_folds(block, 2)
    assert np.bincount(fold).tolist() == [50, 50]
    assert all(len(np.unique(fold[block == number])) == 1 for number in range(4))


def test_calibration_error_is_the_mean_gap() -> None:
    share = np.array([0.1] * 10 + [0.9] * 10)
    truth = np.array([1.0] * 2 + [0.0] * 8 + [1.0] * 10)
    assert calibration_error(share, truth) == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)


def test_a_building_alone_errs_alone_and_a_lost_estate_errs_together() -> None:
    """Estates of 1, 4 (none known) and 4 with 3 more known: 1 + 3/1 = 4 and 1 + 3/4 = 1.75."""
    unit = np.array([0, *[1] * 4, *[2] * 7])
    judged = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8])
    found = errors_together(unit, judged, np.array([0.0, 0.0, 3.0]))
    assert found.tolist() == [1, *[4] * 4, *[1.75] * 4]


def test_shares_that_may_miss_keep_their_mean_in_every_group() -> None:
    rng = np.random.default_rng(2)
    together = rng.choice([1.0, 2.0, 30.0], 900)
    groups = (rng.integers(0, 3, 900), rng.integers(0, 4, 900))
    share = miss_shares(together, groups, 0.1, 0.2)
    for group in groups:
        assert np.bincount(group, share) / np.bincount(group) == pytest.approx(0.1, abs=0.002)
    assert share.max() <= 0.2
    assert share[together == 30].max() < share[together == 1].min()


def test_ends_amid_a_year_take_it_in_by_lot_and_hold_in_proportion() -> None:
    """Years 1980 (30 %) and 1981, evenly within the year: nine of ten hold, not seven or ten."""
    rng = np.random.default_rng(6)
    count = 20_000
    truth = np.where(rng.random(count) < 0.3, 1980, 1981)
    spread = np.interp(LEVELS, [0, 0.3, 1], [1979.5, 1980.5, 1981.5])
    keys = rng.integers(0, 2**63, count, dtype=np.uint64)
    low, high = whole_year_ends(np.tile(spread, (count, 1)), np.full(count, 0.1), keys)
    assert set(low) <= {1980, 1981} and set(high) <= {1980, 1981}
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.9, abs=0.01)


def test_errors_that_do_not_grow_with_distance_are_not_spread_by_it() -> None:
    near, ones = np.linspace(0, 200, 400), np.ones(400)
    assert error_growth_per_m(np.tile([1.0, -1.0], 200), near, ones) == pytest.approx(0, abs=1e-9)
    assert error_growth_per_m(2 + near / 50, near, ones) == pytest.approx(0.01)


def test_a_decade_does_not_speak_beside_a_year_but_does_where_nothing_else_is_said() -> None:
    """Two houses say 1976 and 八十年代; a third unit says only 八十年代."""
    facts = made_town()
    known, low, high = (facts.known_year.copy() for _ in range(3))
    exact, hinted = facts.unit_of_building == 40, facts.unit_of_building == 41
    for at, kind in ((known, 1984), (low, 1980), (high, 1989)):
        at[np.flatnonzero(exact)] = [1976 if kind else np.nan, kind, np.nan, np.nan]
        at[np.flatnonzero(hinted)] = [kind, np.nan, np.nan, np.nan]
    low[np.flatnonzero(exact)[0]] = high[np.flatnonzero(exact)[0]] = 1976
    found = infer_years(replace(facts, known_year=known, low_year=low, high_year=high), RULE)
    beside, lone = np.flatnonzero(exact)[2], np.flatnonzero(hinted)[2]
    assert abs(found.quantiles[beside, MIDDLE] - 1976) < 1
    assert abs(found.quantiles[lone, MIDDLE] - 1984.5) < 1
    assert found.last_year[lone] - found.first_year[lone] >= 7
    assert found.report["with_vague_siblings_only"] == 3


def test_mixing_is_never_worse_than_the_best_and_leaves_fools_out() -> None:
    rng = np.random.default_rng(9)
    year = rng.uniform(1900, 2000, 500)
    one, two = (year + rng.normal(0, 10, 500) for _ in range(2))
    shares = best_shares({"one": one, "two": two, "fool": rng.uniform(1900, 2000, 500)}, year)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["fool"] == 0
    assert 0.3 <= shares["one"] <= 0.7, "two as good ones are mixed by half"


def made_town(count: int = 1200, *, noise: bool = False) -> YearFacts:
    """Estates of four anywhere, storeys telling the year (or nothing); a third unknown."""
    rng = np.random.default_rng(5)
    unit = np.repeat(np.arange(count // 4), 4)
    year = 1950.0 + np.floor(unit / unit.max() * 50) + rng.integers(0, 2, count)
    told = rng.permutation(year) if noise else year
    lost = rng.random(count) < np.where(rng.random(unit.max() + 1) < 0.2, 1.0, 0.2)[unit]
    known = np.where(lost, np.nan, told)
    keys = pd.util.hash_array(np.arange(count))
    place = rng.random((unit.max() + 1, 2))[unit] * 100
    return YearFacts(
        known_year=known, low_year=known, high_year=known, unit_of_building=unit,
        unit_key=pd.util.hash_array(np.arange(unit.max() + 1)), building_key=keys,
        points=place * 100.0, district=(unit % 2).astype(np.int64),
        columns={"storey_count": rng.random(count) if noise else (told - 1940) / 10},
    )  # fmt: skip


@pytest.fixture(scope="module")
def inferred() -> Inference:
    return infer_years(made_town(), RULE)


def test_inference_learns_and_is_honest_about_what_it_knows(inferred: Inference) -> None:
    facts, found = made_town(), inferred
    assert set(found.basis) == {"recorded", "inferred"}
    assert found.report["verdict"] == "model"
    missing = np.isnan(facts.known_year)
    assert (
        np.abs(
            found.quantiles[missing, MIDDLE] - (1950 + facts.unit_of_building[missing] / 299 * 50)
        ).mean()
        < 2.5
    )
    assert (np.diff(found.quantiles, axis=1) >= 0).all()
    assert ((found.by_cutoff_share >= 0) & (found.by_cutoff_share <= 1)).all()


def test_without_gain_the_baseline_is_kept_and_says_so() -> None:
    found = infer_years(made_town(noise=True), RULE)
    assert found.report["verdict"] in ("nearest", "group")
    assert "baseline" in found.basis


def test_too_few_known_years_are_left_alone() -> None:
    found = infer_years(made_town(160), RULE)
    assert found.report["verdict"] == "too_few_known"
    assert set(found.basis) == {"recorded", "unknown"}
    assert np.isnan(found.by_cutoff_share[found.basis == "unknown"]).all()


def test_row_order_changes_nothing(inferred: Inference) -> None:
    facts = made_town()
    turn = np.random.default_rng(1).permutation(len(facts.known_year))
    turned = YearFacts(
        facts.known_year[turn], facts.low_year[turn], facts.high_year[turn],
        facts.unit_of_building[turn], facts.unit_key, facts.building_key[turn], facts.points[turn],
        facts.district[turn], {name: values[turn] for name, values in facts.columns.items()},
    )  # fmt: skip
    one, two = inferred, infer_years(turned, RULE)
    assert one.quantiles[turn].tobytes() == two.quantiles.tobytes()
    assert (one.basis[turn] == two.basis).all()


def test_a_smaller_extent_moves_nothing_recorded_and_siblings_by_less_than_a_year(
    inferred: Inference,
) -> None:
    """Only estates of which nothing is known lean on the rest of the town."""
    facts, whole = made_town(), inferred
    rows = np.flatnonzero(facts.unit_of_building < 200)
    part = replace(facts.at(rows), unit_key=facts.unit_key[:200])
    found = infer_years(part, RULE)
    known = np.isfinite(part.known_year)
    assert (found.quantiles[known] == whole.quantiles[rows][known]).all()
    has_sibling = np.bincount(part.unit_of_building, known)[part.unit_of_building] > 0
    beside = ~known & has_sibling
    moved = np.abs(found.quantiles[beside, MIDDLE] - whole.quantiles[rows][beside, MIDDLE])
    assert beside.sum() > 50 and moved.max() < 1


def test_more_missing_years_far_away_do_not_move_a_recorded_one(inferred: Inference) -> None:
    found = inferred
    recorded = found.basis == "recorded"
    assert (np.ptp(found.quantiles[recorded], axis=1) == 0).all()


def test_units_count_their_known_buildings() -> None:
    units = units_of(
        np.array([0, 0, 1]),
        np.array([1980.0, np.nan, np.nan]),
        np.array([[0.0, 0], [2, 0], [9, 9]]),
    )
    assert units.known_count.tolist() == [1, 0]
    assert units.has_year.tolist() == [True, False]
    assert units.middle[0].tolist() == [1, 0]
