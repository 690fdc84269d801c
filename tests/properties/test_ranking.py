"""What is always true of the ranking, whatever the data."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import BUILDINGS, MEASUREMENTS, RANKING
from pipeline.score.need import need_units
from pipeline.score.stage import run
from pipeline.settings.score import ScoreSettings
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

WHOLE = read_settings(REPOSITORY / "config", "yuzhong", "base")
MEASURES = ["slope_deg", "main_road_climb_m", "rail_entrance_walk_m", "hospital_walk_m"]
TOP = {"slope_deg": 60.0, "main_road_climb_m": 90.0}


@st.composite
def cities(draw: st.DrawFn) -> pd.DataFrame:
    count = draw(st.integers(3, 25))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"building_id": [f"B{i:03d}" for i in range(count)]})
    for name in MEASURES:
        # coarse values make ties, some are missing
        values = np.round(random.uniform(0, TOP.get(name, 4000.0), count), -1)
        frame[name] = np.where(random.uniform(size=count) < 0.15, np.nan, values)
    if "age_yr" in frame:
        # half of the years are recorded, the others spread over up to twenty years
        spread = np.where(random.uniform(size=count) < 0.5, 0, random.uniform(0, 10, count))
        for share, place in (("p05", -1), ("p25", -0.4), ("p50", 0), ("p75", 0.4), ("p95", 1)):
            frame[f"construction_year_{share}"] = 2026 - frame["age_yr"] + place * spread
    basis = np.where(random.uniform(size=count) < 0.5, "recorded", "inferred")
    return frame.assign(construction_year_basis_type=basis)


def with_criteria(weights: dict[str, float]) -> Settings:
    criteria = {
        name: criterion.model_copy(update={"weight": weights.get(name, 0.0)})
        for name, criterion in WHOLE.score.criteria.items()
        if criterion.measure in MEASURES
    }
    score = ScoreSettings.model_construct(
        criteria=criteria,
        min_known_share=0.0,
        tier_upper_rank_shares=WHOLE.score.tier_upper_rank_shares,
        tie_breaks=["main_road_climb_m", "slope_deg"],
    )
    return WHOLE.model_copy(update={"score": score})


EQUAL = {"slope": 1.0, "climb": 2.0, "rail_walk": 1.0, "hospital": 1.0}


def ranking(city: pd.DataFrame, weights: dict[str, float] | None = None) -> pd.DataFrame:
    buildings = pd.DataFrame(
        {
            "building_id": city["building_id"],
            "storey_count": pd.array([None] * len(city), dtype="Int64"),
            "height_m": np.nan,
            "construction_year": pd.array([None] * len(city), dtype="Int64"),
        }
    )
    tables = {MEASUREMENTS: city, BUILDINGS: buildings}
    inputs = Inputs(tables, {}, {}, with_criteria(weights or EQUAL))
    return run(inputs).tables[RANKING].sort_values("rank").reset_index(drop=True)


@settings(max_examples=60, deadline=None)
@given(cities(), st.randoms())
def test_row_order_never_matters(city: pd.DataFrame, random: object) -> None:
    shuffled = city.sample(frac=1, random_state=random.randint(0, 999))  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(ranking(city), ranking(shuffled.reset_index(drop=True)))


@settings(max_examples=60, deadline=None)
@given(cities(), st.data())
def test_a_building_more_or_less_never_reorders_the_rest(
    city: pd.DataFrame, data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(city["building_id"].tolist()))
    fewer = city[city["building_id"] != gone].reset_index(drop=True)
    if any(fewer[name].isna().all() for name in MEASURES):
        return  # a criterion without any data is left out
    all_ids = [key for key in ranking(city)["building_id"] if key != gone]
    assert ranking(fewer)["building_id"].tolist() == all_ids


@settings(max_examples=60, deadline=None)
@given(cities())
def test_a_weight_of_zero_moves_no_rank(city: pd.DataFrame) -> None:
    city = city.assign(slope_deg=city["slope_deg"].fillna(0.0))
    without = {**EQUAL, "hospital": 0.0}
    changed = city.assign(hospital_walk_m=city["hospital_walk_m"].to_numpy()[::-1])
    one, two = ranking(city, without), ranking(changed, without)
    assert one["building_id"].tolist() == two["building_id"].tolist()
    assert "hospital_points" not in one.columns


@settings(max_examples=60, deadline=None)
@given(cities())
def test_points_add_up_and_scores_lie_between_0_and_100(city: pd.DataFrame) -> None:
    table = ranking(city)
    parts = [c for c in table.columns if c.endswith("_points") and c != "score_points"]
    total = sum((table[c] * 1000).round().astype(int) for c in parts)
    assert (total == (table["score_points"] * 1000).round().astype(int)).all()
    assert table["score_points"].between(0, 100.002).all()
    assert table["rank"].tolist() == list(range(1, len(city) + 1))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(WHOLE.score.criteria)),
    st.floats(-100, 10_000, allow_nan=False),
    st.floats(0, 5_000, allow_nan=False),
)
def test_need_never_falls_as_the_measurement_worsens(name: str, value: float, more: float) -> None:
    criterion = WHOLE.score.criteria[name]
    direction = 1 if criterion.worst_at > criterion.none_at else -1
    better, worse = need_units(np.array([value, value + direction * more]), criterion)
    assert 0 <= better <= worse <= 10_000
