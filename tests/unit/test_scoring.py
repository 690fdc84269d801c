"""Need, weights, points and ranks against sums done by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.score.need import need_units
from pipeline.score.rank import point_units, ranks, tier_numbers
from pipeline.score.weights import weight_units
from pipeline.settings.score import Criterion


def criterion(**changes: object) -> Criterion:
    whole = {
        "measure": "main_road_climb_m", "weight": 1.0, "none_at": 3.0, "worst_at": 33.0,
        "stand_in_need_share": 0.5, "group": "people", "label_zh": "爬升", "label_en": "climb",
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


def test_tiers_end_at_their_shares() -> None:
    tiers = tier_numbers(np.arange(1, 21), [0.05, 0.2, 0.5, 0.8, 1.0])
    assert tiers.tolist() == [1] + [2] * 3 + [3] * 6 + [4] * 6 + [5] * 4
    assert tier_numbers(np.array([1]), [0.05, 0.2, 0.5, 0.8, 1.0]).tolist() == [5]
