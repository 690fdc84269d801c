"""Facilities of a town of three estates, worked by hand; bad input; what the plan makes of a site."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.contracts.tables import (
    BUILDINGS,
    MEASUREMENTS,
    PROPOSED_SITES,
    SITE_PLACES,
    SITE_SERVICE,
    SITE_WALKS,
)
from pipeline.plan.cost import WHOLE_PROJECT, Works
from pipeline.plan.relief import Weighed, relief_of
from pipeline.plan.sites import NO_WORK, with_sites
from pipeline.problem import Problem
from pipeline.settings.whole import Settings
from pipeline.siting.facility_sites import facility_sites
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

WHOLE = read_settings(REPOSITORY / "config", "yuzhong", "base")


def settings(**changes: Any) -> Settings:
    """Return settings that site care stations only, each for at least 100 households."""
    rule = WHOLE.sites.facilities
    care = rule.types["elder_care"].model_copy(update={"least_count": 100.0} | changes)
    only = rule.model_copy(update={"types": {"elder_care": care}})
    return WHOLE.model_copy(update={"sites": WHOLE.sites.model_copy(update={"facilities": only})})


def town(walk_m: tuple[float, ...] = (900.0, 900.0, 120.0)) -> dict[Any, pd.DataFrame]:
    """Return three buildings of 400, 300 and 200 households, each its own estate.

    The first two reach each other's site, the first in 2 min out and 4 home; the third is alone.
    """
    ids = ["B1", "B2", "B3"]
    buildings = pd.DataFrame(
        {
            "building_id": ids, "estate_id": ["E1", "E2", "E3"], "storey_count": 6,
            "household_count": pd.array([400, 300, 200], dtype="Int64"), "stairwell_count": 4,
            "management_type": None, "elder_share": [0.2, 0.1, 0.3], "district_name": "崖区",
            "geometry": None,
        }
    )  # fmt: skip
    measured = pd.DataFrame(
        {
            "building_id": ids, "floor_area_m2": 20_000.0, "footprint_area_m2": 3_000.0,
            "elder_care_station_walk_m": list(walk_m),
        }
    )  # fmt: skip
    places = pd.DataFrame(
        {
            "site_place_id": ["E1", "E2", "E3"], "site_origin": ["idle_room", "estate", "estate"],
            "existing_amenity_type": pd.array([None] * 3, dtype="str"), "host_building_id": ids,
            "room_area_m2": [160.0, np.nan, 0.0],
        }
    )  # fmt: skip
    walks = pd.DataFrame(
        [("E1", "B1", 0.0, 0.5), ("E1", "B2", 2.0, 4.0), ("E2", "B1", 4.0, 2.0),
         ("E2", "B2", 0.0, 0.5), ("E3", "B3", 0.0, 0.5)],
        columns=["site_place_id", "building_id", "site_walk_out_min", "site_walk_back_min"],
    )  # fmt: skip
    return {BUILDINGS: buildings, MEASUREMENTS: measured, SITE_PLACES: places, SITE_WALKS: walks}


def test_one_station_serves_two_estates_and_nobody_who_has_one() -> None:
    """The idle room of 160 m² holds 160 / 0.2 = 800 households, so it serves 700; the third estate has
    one within 300 m. Elders: (400 x 0.2 + 300 x 0.1) x 2.45; 15 min, then (0.5 x 4 + 4 x 3) / 7."""
    proposed, service, record = facility_sites(town(), settings())
    (row,) = proposed.to_dict("records")
    assert (row["site_id"], row["served_household_count"]) == ("elder_care/E1", 700)
    assert row["served_elder_count"] == round((80 + 30) * 2.45)
    assert row["site_walk_before_min"] == pytest.approx(15)
    assert row["site_walk_after_min"] == pytest.approx(2.0)
    assert (row["capacity_used_count"], row["capacity_count"]) == (700, 800)
    assert row["is_capacity_known"] and row["site_cost_factor"] == 1
    assert service["building_id"].tolist() == ["B1", "B2"]
    assert service["value_after"].tolist() == [30.0, 240.0]
    assert record["elder_care"]["bound"] == record["elder_care"]["value"] == 600
    assert record["elder_care"]["gap_share"] == 0


def test_a_room_nobody_measured_serves_a_range() -> None:
    """Without the survey a station may hold 500 (100 m²) to 2,500 (500 m²), and is built for 500."""
    tables = town()
    tables[SITE_PLACES] = tables[SITE_PLACES].assign(room_area_m2=np.nan)
    rooms = WHOLE.sites.facilities.types["elder_care"].rooms
    assert rooms is not None
    small = rooms.model_copy(update={"smallest_m2": 100.0, "usual_m2": 100.0})
    proposed, service, _ = facility_sites(tables, settings(rooms=small, max_site_count=1))
    (row,) = proposed.to_dict("records")
    assert not row["is_capacity_known"] and row["site_cost_factor"] == 1.2
    assert (row["capacity_low_count"], row["capacity_high_count"]) == (500, 2500)
    names = ("served_low_household_count", "served_household_count", "served_high_household_count")
    assert [row[name] for name in names] == [400, 400, 700]
    assert not service["building_id"].duplicated().any()


def test_what_exists_keeps_its_stated_room() -> None:
    """The third building has a station; one that holds 50 leaves 150 of its 200 to a new one."""
    tables = town()
    there = tables[SITE_PLACES].iloc[[2]].assign(
        site_place_id="existing/1", site_origin="existing", host_building_id=None,
        existing_amenity_type="elder_care_station",
    )  # fmt: skip
    tables[SITE_PLACES] = pd.concat([tables[SITE_PLACES], there], ignore_index=True)
    way = pd.DataFrame([("existing/1", "B3", 2.0, 2.0)], columns=tables[SITE_WALKS].columns)
    tables[SITE_WALKS] = pd.concat([tables[SITE_WALKS], way], ignore_index=True)
    tight, _, _ = facility_sites(tables, settings(existing_household_count=50))
    roomy, _, _ = facility_sites(tables, settings(existing_household_count=250))
    assert "elder_care/E3" in tight["site_id"].tolist()
    assert "elder_care/E3" not in roomy["site_id"].tolist()


def test_types_without_data_are_told_and_propose_nothing() -> None:
    unmapped = town((np.nan, np.nan, np.nan))
    proposed, _, record = facility_sites(unmapped, settings())
    assert proposed.empty and record["elder_care"]["note"] == "not_mapped"
    nowhere = town()
    nowhere[SITE_WALKS] = nowhere[SITE_WALKS].iloc[4:]
    proposed, _, record = facility_sites(nowhere, settings())
    assert proposed.empty and record["elder_care"]["note"] == "no_place"
    _, _, record = facility_sites(town((100.0, 100.0, 100.0)), settings())
    assert record["elder_care"]["note"] == "nobody_asks"


def test_a_budget_below_the_cheapest_site_is_refused() -> None:
    with pytest.raises(Problem, match="below the cheapest site") as told:
        facility_sites(town(), settings(budget_cny=1_000.0))
    assert "sites.facilities.types.elder_care.budget_cny" in str(told.value)


@pytest.mark.parametrize(
    ("key", "facility", "words"),
    [
        ("elder_care", "cafe", "is no facility type of measure.facilities"),
        ("library", "hospital", "plan.measures has no library"),
    ],
)
def test_settings_that_name_nothing_are_refused(key: str, facility: str, words: str) -> None:
    raw = WHOLE.model_dump()
    types = raw["sites"]["facilities"]["types"]
    types[key] = types["elder_care"] | {"facility": facility}
    raw["plan"]["prices"] = {}
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate(raw)


def test_the_plan_relieves_whom_the_site_serves_wherever_they_live() -> None:
    """A station of the first project serves the second project's building too: 900 m become 240 m and
    30 m, both need 1 before and 0 after; 400 + 300 households at weight 0.5 are 350. The third is
    hosted by nobody who is planned, and serves nobody planned."""
    proposed, service, _ = facility_sites(town((900.0, 900.0, 900.0)), settings())
    assert proposed["site_id"].tolist() == ["elder_care/E1", "elder_care/E3"]
    rows = pd.DataFrame(
        {
            "building_id": ["B1", "B2"], "district_name": "崖区", "heritage_name": [None, None],
            "household_count": [400.0, 300.0], "elder_care_station_walk_m": [900.0, 900.0],
            "elder_care_need_share": [1.0, 1.0],
        }
    )  # fmt: skip
    project = np.array([0, 1])
    none = np.zeros(0, dtype=np.int64)
    works = with_sites(
        Works(none, none, none, np.zeros(0), none),
        {PROPOSED_SITES: proposed, SITE_SERVICE: service}, rows, project, WHOLE.plan,
    )  # fmt: skip
    assert works.project.tolist() == [0] and works.building.tolist() == [WHOLE_PROJECT]
    assert works.service.work_of_site.tolist() == [0, NO_WORK]
    weights = Weighed({"elder_care": WHOLE.score.criteria["elder_care"]}, np.array([0.5]))
    measures = list(WHOLE.plan.measures.values())
    found = relief_of(works, rows, project, np.array([400.0, 300.0]), measures, weights)
    assert found.by_work(weights.weights, 1).tolist() == pytest.approx([350.0])
    moved = with_sites(
        Works(none, none, none, np.zeros(0), none),
        {PROPOSED_SITES: proposed.assign(stated_cost_cny=2e6), SITE_SERVICE: service},
        rows.iloc[1:].reset_index(drop=True), np.array([7]), WHOLE.plan,
    )  # fmt: skip
    assert moved.project.tolist() == [7]  # its host is not planned: whom it serves pays
    assert moved.cents.tolist() == [200_000_000]
