"""What moved a building, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.score.compare import Run, comparison


def run(rows: list[tuple[str, int | None, float, float]], weights: tuple[float, float]) -> Run:
    """Rows of id, rank, need of age, need of climb; points follow."""
    ids = [row[0] for row in rows]
    age, climb = (np.array([row[n] for row in rows]) for n in (2, 3))
    points = {"age_points": 100 * weights[0] * age, "climb_points": 100 * weights[1] * climb}
    ranking = pd.DataFrame(
        {
            "building_id": ids,
            "rank": pd.array([row[1] for row in rows], dtype="Int64"),
            "track_type": ["ranked" if row[1] else "excluded" for row in rows],
            "score_points": sum(points.values()),
            "age_need_share": age,
            "climb_need_share": climb,
            **points,
        }
    )
    listed = pd.DataFrame({"building_id": ids}).assign(
        building_name=None, district_name="区", subdistrict_name=None, community_name=None,
        estate_name=None,
    )  # fmt: skip
    return Run(ranking, listed, dict(zip(("age", "climb"), weights, strict=True)))


BEFORE = run([("A", 1, 0.8, 0.2), ("B", 2, 0.4, 0.4), ("C", None, 0.1, 0.1)], (0.5, 0.5))
AFTER = run([("A", 2, 0.8, 0.2), ("B", 1, 0.4, 0.9), ("D", 3, 0.0, 0.1)], (0.25, 0.75))


def test_points_move_by_data_and_by_weights_and_add_up() -> None:
    table = comparison(BEFORE, AFTER, top_share=0.3).set_index("building_id")
    b = table.loc["B"]
    # climb: 50 × 0.4 = 20 points become 75 × 0.9 = 67.5; data: mean weight 62.5 × 0.5 = 31.25,
    # weights: mean need 0.65 × 25 = 16.25
    assert (b["climb_data_points"], b["climb_weight_points"]) == (31.25, 16.25)
    assert (b["age_data_points"], b["age_weight_points"]) == (0.0, -10.0)
    assert b["score_change_points"] == pytest.approx(31.25 + 16.25 - 10)
    assert (b["cause_type"], b["cause_criterion_name"]) == ("data", "climb")
    a = table.loc["A"]
    assert (a["data_change_points"], a["weight_change_points"]) == (0.0, -15.0)
    assert (a["cause_type"], a["cause_criterion_name"]) == ("weight", "age")


def test_outcomes() -> None:
    table = comparison(BEFORE, AFTER, top_share=0.5).set_index("building_id")
    assert table["outcome_type"].to_dict() == {
        "B": "entered_top", "A": "left_top", "D": "new", "C": "gone",
    }  # fmt: skip
    assert table.loc["A", "rank_gain_count"] == -1
    assert pd.isna(table.loc["D", "score_change_points"])


def test_a_run_beside_itself_moves_nobody() -> None:
    table = comparison(BEFORE, BEFORE, top_share=0.5)
    assert set(table["outcome_type"]) == {"same", "never_ranked"}
    assert set(table["cause_type"]) == {"none"}
    assert (table["score_change_points"] == 0).all()


def test_who_is_passed_by_others_is_told_so() -> None:
    after = run([("A", 2, 0.8, 0.2), ("B", 3, 0.4, 0.4), ("E", 1, 1.0, 1.0)], (0.5, 0.5))
    table = comparison(BEFORE, after, top_share=0.1).set_index("building_id")
    assert table.loc["B", "cause_type"] == "others"
    assert table.loc["B", "outcome_type"] == "fell"
