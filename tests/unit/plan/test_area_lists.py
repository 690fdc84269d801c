"""Sums of areas: what nobody knows is empty, never zero."""

import pandas as pd

from pipeline.plan.lists import community_priority


def test_a_tier_of_unknown_households_has_no_sum_and_one_without_buildings_has_none_to_count() -> (
    None
):
    listed = pd.DataFrame(
        {
            "building_id": ["a", "b", "c", "d"],
            "district_name": "渝中区",
            "community_id": ["1", "1", "1", "1"],
            "community_name": "山城巷",
            "track_type": "ranked",
            "tier_number": pd.array([1, 1, 2, 3], dtype="Int64"),
            "floor_area_m2": [500.0, None, None, 70.0],
            "household_count": pd.array([8, None, None, 2], dtype="Int64"),
            "score_points": [70.0, 60.0, 50.0, 40.0],
            "rank": pd.array([1, 2, 3, 4], dtype="Int64"),
            "rank_p05": pd.array([1, 1, 2, 3], dtype="Int64"),
            "rank_p95": pd.array([2, 3, 4, 4], dtype="Int64"),
            "top_share": 0.5,
            "readiness_share": 0.5,
            "footprint_area_m2": 100.0,
            "longitude_deg": 106.55,
            "latitude_deg": 29.56,
        }
    )
    area = community_priority(listed).iloc[0]
    sums = {
        number: (area[f"tier_{number}_household_count"], area[f"tier_{number}_floor_area_m2"])
        for number in (1, 2, 3, 4)
    }
    assert sums[1] == (8, 500)
    assert pd.isna(sums[2][0]) and pd.isna(sums[2][1])
    assert sums[3] == (2, 70)
    assert sums[4] == (0, 0)
