"""Legal but silly: each thing is told when it is there, and only then."""

import numpy as np
import pandas as pd

from pipeline.need.weights import weighting
from pipeline.score.notices import notices
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

SCORE = read_settings(REPOSITORY / "config", "reference", "base").score
NAMES = ["age", "climb", "slope"]
CRITERIA = {name: SCORE.criteria[name] for name in NAMES}
COUNT = 200


def codes(need: np.ndarray, weights: list[int], **changes: object) -> list[str]:
    table = pd.DataFrame({SCORE.criteria[name].measure: np.ones(COUNT) for name in NAMES})
    table["district_name"] = np.where(np.arange(COUNT) < 50, "甲区", "乙区")
    table = table.assign(**changes)
    found = notices(
        need, dict(zip(NAMES, weights, strict=True)), table, CRITERIA, {}, SCORE.notices, {}
    )
    return [one["code"] for one in found]


def spread(*columns: float) -> np.ndarray:
    return np.random.default_rng(0).random((COUNT, len(columns))) * np.array(columns)


def test_nothing_odd_is_nothing_told() -> None:
    assert codes(spread(1, 1, 1), [5000, 3000, 2000]) == []


def test_one_criterion_that_carries_nearly_all() -> None:
    assert codes(spread(1, 1, 1), [9600, 300, 100]) == ["dominant_criterion"]


def test_a_constant_column() -> None:
    assert codes(spread(1, 1, 0), [5000, 3000, 2000]) == ["constant_criterion"]


def test_two_that_say_the_same() -> None:
    need = spread(1, 1, 1)
    need[:, 1] = need[:, 0] * 0.9 + 0.01
    assert codes(need, [5000, 3000, 2000]) == ["same_criteria"]


def test_a_district_without_data() -> None:
    gap = np.where(np.arange(COUNT) < 50, np.nan, 1.0)
    assert codes(spread(1, 1, 1), [5000, 3000, 2000], age_yr=gap) == ["district_without_data"]


def test_weights_no_one_can_tell_apart() -> None:
    assert codes(spread(1, 1, 1), [3334, 3333, 3333]) == ["equal_weights"]


def test_a_criterion_that_hardly_any_building_has_data_for() -> None:
    table = pd.DataFrame({SCORE.criteria[name].measure: np.ones(COUNT) for name in NAMES})
    weights = dict(zip(NAMES, [5000, 3000, 2000], strict=True))
    found = notices(
        spread(1, 1, 1), weights, table.assign(district_name="区"), CRITERIA, {}, SCORE.notices,
        {"age": 0.007},
    )  # fmt: skip
    assert [one["code"] for one in found] == ["barely_known"]
    assert "0.7%" in found[0]["text_zh"]


def test_judgments_that_contradict_each_other() -> None:
    found = notices(
        spread(1, 1, 1), dict(zip(NAMES, [5000, 3000, 2000], strict=True)),
        pd.DataFrame({"district_name": ["甲区"] * COUNT} | {
            SCORE.criteria[name].measure: np.ones(COUNT) for name in NAMES
        }),
        CRITERIA, {"bureau/groups": 0.25, "residents/groups": 0.05}, SCORE.notices, {},
    )  # fmt: skip
    assert [(one["code"], one["criteria"]) for one in found] == [
        ("inconsistent_judgments", ["bureau/groups"])
    ]


def test_judged_groups_share_their_weight_out_among_their_criteria() -> None:
    judged = read_settings(REPOSITORY / "config", "reference", "judged").score
    found = weighting(judged)
    assert sum(found.weights.values()) == 1 or abs(sum(found.weights.values()) - 1) < 1e-9
    by_group = {"building": 0.0, "people": 0.0, "service": 0.0, "feasibility": 0.0}
    for name, weight in found.weights.items():
        by_group[judged.criteria[name].group] += weight
    # the two parties judge building and people the other way round, so neither outweighs by much
    assert by_group["building"] > by_group["service"] > by_group["feasibility"]
    assert 0.8 < by_group["building"] / by_group["people"] < 1.25
    # nobody judged within service: its criteria keep the proportions of the direct weights
    ratio = found.weights["elder_care"] / found.weights["market"]
    assert ratio == judged.criteria["elder_care"].weight / judged.criteria["market"].weight or (
        abs(ratio - 3) < 1e-9
    )
    assert set(found.consistency) == {
        "housing_bureau/groups", "residents/groups", "all/groups", "residents/people",
    }  # fmt: skip


def test_numbers_that_a_spreadsheet_would_change() -> None:
    """00002 becomes 2, 1-1 the first of January, a number of 18 digits loses three."""
    ids = np.array([f"B{n}" for n in range(COUNT)], dtype=object)
    need, weights = spread(1, 1, 1), [5000, 3000, 2000]
    assert codes(need, weights, building_id=ids) == []
    for strange in ("00002", "1-1", "500103001001000012", "12E5"):
        ids[7] = strange
        assert codes(need, weights, building_id=ids) == ["ids_changed_by_spreadsheets"], strange
