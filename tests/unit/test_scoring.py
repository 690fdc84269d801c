"""Need, weights, points and ranks against sums done by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.need.value_functions import left_out_need, need_units
from pipeline.need.weights import weight_units
from pipeline.rules.rank_order import point_units, ranks, tier_numbers
from pipeline.rules.vetoes import lifted_by
from pipeline.settings.score import Criterion, Veto


def criterion(**changes: object) -> Criterion:
    whole = {
        "measure": "main_road_climb_m", "weight": 1.0, "none_at": 3.0, "between": [],
        "worst_at": 33.0, "missing": "population",
        "stand_in_need_quantiles": [0.0, 0.25, 0.5, 0.75, 1.0], "group": "people",
        "label_zh": "爬升", "label_en": "climb",
        "unit": "m", "source": "test",
    }  # fmt: skip
    return Criterion.model_validate(whole | changes)


@pytest.mark.parametrize(
    ("climb_m", "need"), [(0, 0), (3, 0), (18, 5000), (33, 10000), (80, 10000), (6, 1000)]
)
def test_need_is_straight_between_the_bounds(climb_m: float, need: int) -> None:
    assert need_units(np.array([float(climb_m)]), criterion()).tolist() == [need]


def test_bounds_may_fall() -> None:
    falling = criterion(none_at=2000.0, worst_at=1980.0)
    assert need_units(np.array([2001.0, 1995.0, 1950.0]), falling).tolist() == [0, 2500, 10000]


def test_a_missing_value_takes_the_stand_in_and_never_the_best_case() -> None:
    assert need_units(np.array([np.nan]), criterion()).tolist() == [5000]


def test_a_bent_line_is_followed_from_bend_to_bend() -> None:
    bent = criterion(between=[[13.0, 0.8]])
    # 3 → 0, 13 → 0.8, 33 → 1: 8 lies half of the way to the bend, 23 half of the way behind it
    climb = np.array([3.0, 8.0, 13.0, 23.0, 33.0, 50.0])
    assert need_units(climb, bent).tolist() == [0, 4000, 8000, 9000, 10000, 10000]
    falling = criterion(none_at=33.0, between=[[13.0, 0.8]], worst_at=3.0)
    assert need_units(np.array([23.0, 8.0]), falling).tolist() == [4000, 9000]


@pytest.mark.parametrize("between", [[[50.0, 0.5]], [[13.0, 0.8], [20.0, 0.5]], [[13.0, 1.2]]])
def test_a_line_that_turns_back_is_refused(between: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="between must lead"):
        criterion(between=between)


def test_what_is_missing_takes_the_policy_of_its_criterion() -> None:
    gap = np.array([np.nan])
    assert need_units(gap, criterion(missing="worst")).tolist() == [10000]
    skewed = criterion(stand_in_need_quantiles=[0.0, 0.0, 0.0, 0.5, 1.0])
    # 22.5 % of the stored distribution at 0.5 and 15 % at 1
    assert need_units(gap, skewed).tolist() == [2625]


def test_what_is_left_out_takes_the_mean_of_the_rest() -> None:
    needs = [np.array([10000, 10000]), np.array([0, 0]), np.array([0, 4000])]
    out = [np.array([False, False]), np.array([False, False]), np.array([True, False])]
    # (10,000 × 6,000 + 0 × 2,000) / 8,000 = 7,500: the score that the other two alone would give
    assert left_out_need(needs, [6000, 2000, 2000], out).tolist()[0] == 7500


def test_weights_sum_to_the_whole() -> None:
    assert weight_units({"a": 1, "b": 1, "c": 1}) == {"a": 3334, "b": 3333, "c": 3333}
    assert weight_units({"a": 0.3, "b": 0.7}) == {"a": 3000, "b": 7000}
    assert weight_units({"a": 5}) == {"a": 10000}


def test_points_are_thousandths_rounded_half_up() -> None:
    # 30 % of the weight × need 0.5 = 15 points; 33.33 % × 0.0001 = 0.003333 points
    assert point_units(np.array([5000]), 3000).tolist() == [15_000]
    assert point_units(np.array([1]), 3333).tolist() == [3]
    assert point_units(np.array([10000]), 10000).tolist() == [100_000]
    assert point_units(np.array([1, 1]), 500).tolist() == [1, 1]  # 0.0005 points


def test_equal_scores_are_ordered_by_the_tie_breaks_then_by_id() -> None:
    score = np.array([10, 20, 10, 10, 10])
    climb = np.array([5.0, 0.0, 7.0, np.nan, 5.0])
    ids = pd.Series(["d", "c", "b", "a", "B"])
    assert ranks(score, [climb], ids).tolist() == [4, 1, 2, 5, 3]


def test_what_a_veto_lifts_stands_first_and_in_the_first_tier() -> None:
    score = np.array([50, 40, 30, 20])
    lifted = np.array([False, False, True, True])
    ids = pd.Series(["a", "b", "c", "d"])
    rank = ranks(score, [], ids, lifted)
    assert rank.tolist() == [3, 4, 1, 2]
    assert tier_numbers(rank, [0.25, 0.5, 0.75, 0.9, 1.0], lifted).tolist() == [3, 5, 1, 1]


def test_tiers_end_at_their_shares() -> None:
    tiers = tier_numbers(np.arange(1, 21), [0.05, 0.2, 0.5, 0.8, 1.0])
    assert tiers.tolist() == [1] + [2] * 3 + [3] * 6 + [4] * 6 + [5] * 4
    assert tier_numbers(np.array([1]), [0.05, 0.2, 0.5, 0.8, 1.0]).tolist() == [5]


def test_a_veto_whose_measure_is_missing_lifts_nobody() -> None:
    rules = {
        "gas": {"gas_fault_share": 0.5},
        "steep": {"climb_m": 30.0, "gas_fault_share": 0.1},
        "high": {"climb_m": 40.0},
    }
    vetoes = {
        name: Veto(at_least=least, label_zh=name, label_en=name, source="test")
        for name, least in rules.items()
    }
    climbs = pd.DataFrame({"climb_m": [50.0, 35.0, np.nan]})
    assert lifted_by(climbs, vetoes).tolist() == ["high", "", ""]
    both = climbs.assign(gas_fault_share=[0.6, 0.2, np.nan])
    assert lifted_by(both, vetoes).tolist() == ["gas", "steep", ""]
