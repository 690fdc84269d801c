"""What is always true of the ranking, whatever the data."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import BUILDINGS, CONSENTS, MEASUREMENTS, RANKING
from pipeline.need.value_functions import need_units
from pipeline.score.stage import run
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

WHOLE = read_settings(REPOSITORY / "config", "yuzhong", "base")
MEASURES = ["age_yr", "slope_deg", "main_road_climb_m", "rail_entrance_walk_m", "hospital_walk_m"]
TOP = {"age_yr": 80.0, "slope_deg": 60.0, "main_road_climb_m": 90.0}


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
    share = np.where(frame["age_yr"].isna(), np.nan, random.choice([0.0, 0.4, 0.7, 1.0], count))
    return frame.assign(
        construction_year_basis_type=basis,
        built_by_cutoff_share=share,
        floor_area_m2=np.where(random.uniform(size=count) < 0.1, np.nan, 1000.0),
        hazard_grade_code=random.choice(np.array(["A", "B", "C", None], dtype=object), count),
        renovated_year=np.where(random.uniform(size=count) < 0.1, 2024.0, np.nan),
        gas_fault_share=random.choice([0.0, 1.0, np.nan], count),
        stairs_fault_share=0.0,
        fire_access_fault_share=random.choice([0.0, 1.0], count),
        management_type=random.choice(np.array(["company", "none", None], dtype=object), count),
    )


def with_criteria(weights: dict[str, float]) -> Settings:
    criteria = {
        name: criterion.model_copy(update={"weight": weights.get(name, 0.0)})
        for name, criterion in WHOLE.score.criteria.items()
        if criterion.measure in MEASURES
    }
    score = WHOLE.score.model_copy(
        update={
            "criteria": criteria,
            "robustness": WHOLE.score.robustness.model_copy(update={"draws": 60, "errors": {}}),
        }
    )
    return WHOLE.model_copy(update={"score": score})


EQUAL = {"age": 1.0, "slope": 1.0, "climb": 2.0, "rail_walk": 1.0, "hospital": 1.0}


OF_REGISTERS = (
    "hazard_grade_code", "renovated_year", "gas_fault_share", "stairs_fault_share",
    "fire_access_fault_share", "management_type",
)  # fmt: skip
VOTES = pd.DataFrame({name: pd.Series(dtype="float64") for name in CONSENTS.column_names}).astype(
    {"building_id": "str", "measure_type": "str"}
)


def scored(city: pd.DataFrame, weights: dict[str, float] | None = None) -> Outputs:
    buildings = city[["building_id", *OF_REGISTERS]].assign(
        district_name="区", estate_id=city["building_id"].str[:3], storey_count=np.nan,
        height_m=np.nan, construction_year=np.nan, household_count=np.nan, elder_share=np.nan,
        shop_floor_area_m2=np.nan, heritage_name=None, is_in_clearance_plan=None,
    )  # fmt: skip
    tables = {
        MEASUREMENTS: city.drop(columns=list(OF_REGISTERS)),
        BUILDINGS: buildings,
        CONSENTS: VOTES,
    }
    return run(Inputs(tables, {}, {}, with_criteria(weights or EQUAL)))


def ranking(city: pd.DataFrame, weights: dict[str, float] | None = None) -> pd.DataFrame:
    table = scored(city, weights).tables[RANKING]
    return table.sort_values(["rank", "building_id"]).reset_index(drop=True)


def order(table: pd.DataFrame) -> list[str]:
    return table.loc[table["rank"].notna(), "building_id"].tolist()


@settings(max_examples=25, deadline=None)
@given(cities(), st.randoms())
def test_row_order_never_matters(city: pd.DataFrame, random: object) -> None:
    shuffled = city.sample(frac=1, random_state=random.randint(0, 999))  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(ranking(city), ranking(shuffled.reset_index(drop=True)))


@settings(max_examples=25, deadline=None)
@given(cities(), st.data())
def test_a_building_more_or_less_never_reorders_the_rest(
    city: pd.DataFrame, data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(city["building_id"].tolist()))
    fewer = city[city["building_id"] != gone].reset_index(drop=True)
    if any(fewer[name].isna().all() for name in MEASURES):
        return  # a criterion without any data is left out
    all_ids = [key for key in order(ranking(city)) if key != gone]
    assert order(ranking(fewer)) == all_ids


@settings(max_examples=25, deadline=None)
@given(cities())
def test_a_weight_of_zero_moves_no_rank(city: pd.DataFrame) -> None:
    city = city.assign(slope_deg=city["slope_deg"].fillna(0.0))
    without = {**EQUAL, "hospital": 0.0}
    changed = city.assign(hospital_walk_m=city["hospital_walk_m"].to_numpy()[::-1])
    one, two = ranking(city, without), ranking(changed, without)
    assert one["building_id"].tolist() == two["building_id"].tolist()
    assert "hospital_points" not in one.columns


@settings(max_examples=25, deadline=None)
@given(cities())
def test_points_add_up_and_scores_lie_between_0_and_100(city: pd.DataFrame) -> None:
    table = ranking(city)
    parts = [c for c in table.columns if c.endswith("_points") and c != "score_points"]
    total = sum((table[c] * 1000).round().astype(int) for c in parts)
    assert (total == (table["score_points"] * 1000).round().astype(int)).all()
    assert table["score_points"].between(0, 100.002).all()
    assert order(table) == table["building_id"].tolist()[: len(order(table))]
    assert table["rank"].dropna().tolist() == list(range(1, len(order(table)) + 1))


@settings(max_examples=25, deadline=None)
@given(cities())
def test_tracks_add_up_and_each_has_its_reason(city: pd.DataFrame) -> None:
    found = scored(city)
    table = found.tables[RANKING]
    assert sum(found.ledger["tracks"].values()) == len(city) == len(table)
    assert (table["rank"].notna() == (table["track_type"] == "ranked")).all()
    assert table["track_reason_code"].str.len().min() > 0
    hazard = city.set_index("building_id")["hazard_grade_code"] == "C"
    tracks = table.set_index("building_id")["track_type"]
    assert (tracks[hazard[hazard].index] == "hazard").all()


@settings(max_examples=25, deadline=None)
@given(cities())
def test_bands_are_ordered_and_shares_are_shares(city: pd.DataFrame) -> None:
    table = ranking(city)
    ranked = table[table["rank"].notna()]
    assert (ranked["rank_p05"] <= ranked["rank_p50"]).all()
    assert (ranked["rank_p50"] <= ranked["rank_p95"]).all()
    assert ranked["top_share"].between(0, 1).all()
    assert table.loc[table["rank"].isna(), ["rank_p05", "top_share"]].isna().all(axis=None)


@settings(max_examples=25, deadline=None)
@given(cities())
def test_consent_and_management_never_touch_need(city: pd.DataFrame) -> None:
    managed = city.assign(management_type="company")
    one, two = ranking(city), ranking(managed)
    assert one["score_points"].tolist() == two["score_points"].tolist()
    assert order(one) == order(two)


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
