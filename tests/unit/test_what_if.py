"""What-ifs on a cliff that one can work out on paper (``tests/cliff.py``).

Before: from the main road home are 40 m of steps at 12 m/min, 300 m of street and 10 m to the door, at
60 m/min: 3.333 + 5 + 0.167 = 8.5 min; out, down the steps at 16 m/min: 2.5 + 5.167 = 7.667 min.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.check import conform, inspect
from pipeline.contracts.tables import BUILDINGS, STREET_NODES, WHAT_IF
from pipeline.measure.what_if import WhatIf, what_if
from pipeline.problem import Problem
from tests import cliff

LIFT = {"add_lift": {"name": "崖梯", "from": cliff.degrees(-60, 0), "to": cliff.degrees(60, 0)}}


def asked(tables: dict[Any, Any], *actions: dict[str, Any]) -> WhatIf:
    change = cliff.change(*actions)
    found = what_if(tables, cliff.ground(), cliff.SETTINGS, change, file="try.yaml")
    table = conform(WHAT_IF, found.table)
    inspect(WHAT_IF, table, stage_name="what-if", crs=cliff.CRS)
    return WhatIf(table, found.ledger)


def row_of(found: WhatIf, facility: str) -> dict[str, Any]:
    rows = found.table[found.table["facility_type"] == facility].to_dict("records")
    assert len(rows) == 1
    return rows[0]


def near(value: float) -> Any:
    return pytest.approx(value, abs=1e-4)


def test_a_lift_saves_the_minutes_and_climb_worked_out_by_hand() -> None:
    found = asked(cliff.tables(), LIFT)
    row = row_of(found, "main_road")
    # 1.5 min in the lift, 120 m on the level to reach and leave it, 10 m to the door
    assert (row["walk_back_before_min"], row["walk_back_after_min"]) == (near(8.5), near(11 / 3))
    assert (row["walk_out_before_min"], row["walk_out_after_min"]) == (near(23 / 3), near(11 / 3))
    assert row["walk_back_saved_min"] == near(29 / 6)
    assert row["walk_out_saved_min"] == near(4.0)
    assert (row["climb_before_m"], row["climb_after_m"], row["climb_saved_m"]) == (
        near(40), near(0), near(40),
    )  # fmt: skip
    assert (row["walk_before_m"], row["walk_after_m"], row["walk_saved_m"]) == (
        near(510), near(220), near(290),
    )  # fmt: skip
    assert row["outcome_type"] == "better"
    (record,) = found.ledger["actions"]
    assert (record["rise_m"], record["length_m"], record["there_min"]) == (40, 120, 3.5)
    assert (record["from"]["edge_id"], record["to"]["edge_id"]) == ("lower", "upper")
    assert found.ledger["better_count"] == 1
    assert found.ledger["home_saved_min"] == pytest.approx(29 / 6, abs=1e-3)
    assert found.ledger["climb_saved_m"] == pytest.approx(40, abs=1e-3)
    assert found.ledger["by_road_name"]["upper"]["climb_saved_m"] == pytest.approx(40, abs=1e-3)


def test_boarding_time_of_a_lift_may_be_given() -> None:
    quick = {"add_lift": LIFT["add_lift"] | {"boarding_min": 0.5}}
    assert row_of(asked(cliff.tables(), quick), "main_road")["walk_back_after_min"] == near(8 / 3)


SPLIT = {
    "lower south": [(-60, -300), (-60, 0)],
    "lower north": [(-60, 0), (-60, 300)],
    "stair": [(-60, 300), (60, 300)],
    "upper south": [(60, -300), (60, 0)],
    "upper north": [(60, 0), (60, 300)],
}


def test_closing_a_lift_mapped_as_a_point_restores_the_walk_by_the_stair() -> None:
    streets = SPLIT | {"way in": [(-60, 0), (0, 0)], "way out": [(0, 0), (60, 0)]}
    tables = cliff.tables(streets, lifts={(0, 0): "open"})
    nodes = tables[STREET_NODES]
    lift = nodes["node_id"][nodes["lift_type"] == "open"].iloc[0]
    found = asked(tables, {"close": {"node_id": lift}})
    row = row_of(found, "main_road")
    # the same numbers as when that lift is added, the other way round
    assert (row["walk_back_before_min"], row["walk_back_after_min"]) == (near(11 / 3), near(8.5))
    assert (row["climb_before_m"], row["climb_after_m"], row["climb_saved_m"]) == (
        near(0), near(40), near(-40),
    )  # fmt: skip
    assert row["outcome_type"] == "worse"
    assert found.ledger["worse_count"] == 1
    assert found.ledger["actions"][0]["rise_m"] == 40
    assert (nodes["lift_type"] == "open").sum() == 1  # the given table is untouched


def test_closing_a_lift_mapped_as_a_way_by_its_edge() -> None:
    tables = cliff.tables(SPLIT | {"lift": [(-60, 0), (60, 0)]}, {"lift": "lift"})
    row = row_of(asked(tables, {"close": {"edge_id": "lift"}}), "main_road")
    assert (row["walk_back_before_min"], row["walk_back_after_min"]) == (near(5 / 3), near(8.5))


def test_closing_the_only_stair_cuts_the_house_off() -> None:
    found = asked(cliff.tables(), {"close": {"edge_id": "stair"}})
    row = row_of(found, "main_road")
    assert row["outcome_type"] == "loses_way"
    assert np.isnan(row["walk_back_after_min"])
    assert np.isnan(row["walk_back_saved_min"])
    assert (found.ledger["loses_way_count"], found.ledger["home_saved_min"]) == (1, 0)


def test_what_is_closed_and_built_again_changes_nothing_but_what_differs() -> None:
    stair = {
        "name": "梯",
        "kind": "steps",
        "from": cliff.degrees(-60, 300),
        "to": cliff.degrees(60, 300),
    }
    found = asked(cliff.tables(), {"close": {"edge_id": "stair"}}, {"add_link": stair})
    assert found.table.empty


def test_an_escalator_runs_one_way() -> None:
    riding = {
        "name": "扶梯",
        "kind": "escalator",
        "from": cliff.degrees(-60, 0),
        "to": cliff.degrees(60, 0),
    }
    row = row_of(asked(cliff.tables(), {"add_link": riding}), "main_road")
    # 120 m at 30 m/min and 10 m to the door; going out stays as it is
    assert row["walk_back_after_min"] == near(4 + 1 / 6)
    assert row["walk_out_after_min"] == near(23 / 3)
    assert row["climb_after_m"] == near(0)


def test_a_new_market_nearer_by() -> None:
    new = {"add_amenity": {"type": "market", "name": "新市场", "at": cliff.degrees(60, 60)}}
    found = asked(cliff.tables(), new)
    row = row_of(found, "market")
    # 290 m and 10 m before, 60 m and 10 m after
    assert (row["walk_back_before_min"], row["walk_back_after_min"]) == (near(5), near(7 / 6))
    assert (row["walk_before_m"], row["walk_after_m"]) == (near(300), near(70))
    assert set(found.table["facility_type"]) == {"market"}


def test_a_market_that_closes() -> None:
    tables = cliff.tables(markets=[(60, 290), (60, 60)])
    row = row_of(asked(tables, {"close": {"amenity_id": "M1"}}), "market")
    assert (row["walk_back_before_min"], row["walk_back_after_min"]) == (near(7 / 6), near(5))
    assert row["outcome_type"] == "worse"


def test_closing_the_last_market_is_told_as_a_lost_way() -> None:
    row = row_of(asked(cliff.tables(), {"close": {"amenity_id": "M0"}}), "market")
    assert row["outcome_type"] == "loses_way"


def test_closing_the_street_at_a_facility_moves_its_door() -> None:
    streets = SPLIT | {"lane": [(60, 300), (100, 300)], "lane 2": [(100, 300), (100, 0)]}
    tables = cliff.tables(streets, markets=[(65, 150)])
    row = row_of(asked(tables, {"close": {"edge_id": "upper north"}}), "market")
    # the market gets a way of 35 m to the lane, the house has one of 20 m from the middle of its front
    assert row["walk_back_after_min"] == near((35 + 150 + 20) / 60)


def test_a_change_that_touches_nothing_is_an_empty_table() -> None:
    far = {"add_amenity": {"type": "market", "name": "远市场", "at": cliff.degrees(60, -299)}}
    found = asked(cliff.tables(), far)
    assert found.table.empty
    assert found.table.columns.tolist() == list(WHAT_IF.column_names)
    assert found.ledger["changed_buildings"] == 0
    assert found.ledger["by_facility_type"] == {}


def test_a_facility_type_that_is_not_mapped_tells_who_comes_within_its_radius() -> None:
    houses = [cliff.HOUSE, [(70, 290), (80, 295), (80, 285)]]
    new = {"add_amenity": {"type": "health_station", "name": "站", "at": cliff.degrees(60, -60)}}
    found = asked(cliff.tables(houses=houses), new)
    row = row_of(found, "health_station")  # 70 m from the first house, 360 m from the second
    assert (row["building_id"], row["outcome_type"]) == ("B0", "first_mapped")
    assert np.isnan(row["walk_back_before_min"])
    assert row["walk_after_m"] == near(70)
    assert "health_station" in found.ledger["notes"][0]


def test_one_of_few_facilities_that_closes_does_not_unmap_its_type() -> None:
    five = [(60, 290), (60, 60), (60, 200), (60, 210), (60, 220)]
    access = cliff.SETTINGS.measure.access.model_copy(update={"min_facility_count": 5})
    measure = cliff.SETTINGS.measure.model_copy(update={"access": access})
    whole = cliff.SETTINGS.model_copy(update={"measure": measure})
    change = cliff.change({"close": {"amenity_id": "M1"}})
    found = what_if(cliff.tables(markets=five), cliff.ground(), whole, change, file="try.yaml")
    assert row_of(found, "market")["walk_back_after_min"] == near(210 / 60)


def test_households_weigh_where_they_are_known() -> None:
    tables = cliff.tables()
    tables[BUILDINGS] = tables[BUILDINGS].assign(household_count=30)
    found = asked(tables, LIFT)
    assert found.ledger["weighted_by"] == "households"
    assert found.ledger["climb_saved_m"] == pytest.approx(1200, abs=0.01)


def test_unknown_households_are_left_out_or_every_building_counts_once() -> None:
    tables = cliff.tables(houses=[cliff.HOUSE, [(70, -2), (80, 3), (80, -7)]])
    # both are within two metres of the lift, each saves its whole climb of 40 m
    for households, unit, climb, missing in (
        ([30, None], "households", 1200, 1),
        ([None, None], "buildings", 80, 0),
    ):
        tables[BUILDINGS] = tables[BUILDINGS].assign(
            household_count=pd.array(households, dtype="Int64")
        )
        ledger = asked(tables, LIFT).ledger
        assert ledger["weighted_by"] == unit
        assert ledger["climb_saved_m"] == pytest.approx(climb, abs=0.01)
        assert ledger["buildings_without_weight"] == missing


ACROSS = {"from": cliff.degrees(-60, 0), "to": cliff.degrees(60, 0)}
REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "edge": ({"close": {"edge_id": "uper"}}, ["actions.0.close.edge_id = 'uper'", "upper"]),
    "lift": ({"close": {"node_id": "N1"}}, ["actions.0.close.node_id = 'N1'", "no public lift"]),
    "facility": ({"close": {"amenity_id": "M9"}}, ["close.amenity_id = 'M9'", "M0"]),
    "type": (
        {"add_amenity": {"type": "casino", "name": "x", "at": cliff.degrees(60, 0)}},
        ["add_amenity.type = 'casino'", "one of: ", "market"],
    ),
    "main road": (
        {"add_amenity": {"type": "main_road", "name": "x", "at": cliff.degrees(60, 0)}},
        ["add_amenity.type = 'main_road'"],
    ),
    "far": (
        {"add_lift": {"name": "x", "from": cliff.degrees(-60, 0), "to": cliff.degrees(400, 0)}},
        ["actions.0.add_lift.to: no open street within 120 m"],
    ),
    "far facility": (
        {"add_amenity": {"type": "market", "name": "x", "at": cliff.degrees(400, 0)}},
        ["actions.0.add_amenity.at", "within 120 m"],
    ),
    "same place": (
        {"add_lift": {"name": "x", "from": cliff.degrees(60, 0), "to": cliff.degrees(80, 0)}},
        ["both ends meet the streets at the same place"],
    ),
    "too steep": (
        {"add_link": {"name": "x", "kind": "ground", **ACROSS}},
        ["too steep for kind ground", "40 m between ends 120 m apart", "0.6"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_is_refused_in_words(name: str) -> None:
    action, words = REFUSED[name]
    with pytest.raises(Problem) as problem:
        asked(cliff.tables(), action)
    for one in ("try.yaml", *words):
        assert one in problem.value.text()
