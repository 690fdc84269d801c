"""Where lifts go, on a cliff worked out on paper (``tests/cliff.py``) and on random towns beside it.

By hand, house at y = 0, main road below: home takes 8.5 min and climbs 40 m, out 7.667 min; with a lift
from (-60, 0) to (60, 0) both take 3.667 min and climb nothing. At 0.1 min a metre on average that is
29/6 + 4 + 4 = 12.833 min relieved.
"""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.check import conform, inspect
from pipeline.contracts.tables import (
    BUILDINGS,
    ESTATE_FACTS,
    ESTATES,
    LIFT_SITES,
    MEASUREMENTS,
    WATER,
    Table,
)
from pipeline.geo.network import Penalties
from pipeline.measure.change import change_spans
from pipeline.measure.what_if import what_if
from pipeline.problem import Problem
from pipeline.settings.change import Change
from pipeline.settings.whole import Settings
from pipeline.siting.lift_choice import choose
from pipeline.siting.lift_sites import LiftSearch, lift_proposals, search, type_weights
from pipeline.siting.lift_walks import walk_changes
from pipeline.siting.proposals import Proposals
from pipeline.siting.walking_city import WalkingCity, walking_city
from pipeline.store.configuration import change_text, read_change
from tests import cliff
from tests.properties.test_what_if import RULE, streets_of, town, world_of

LIFT = cliff.SETTINGS.sites.lifts.kinds["lift"].model_copy(update={"least_grade": 0.0})
SPLIT = {
    "lower south": [(-60, -300), (-60, 0)],
    "lower north": [(-60, 0), (-60, 300)],
    "stair": [(-60, 300), (60, 300)],
    "upper south": [(60, -300), (60, 0)],
    "upper north": [(60, 0), (60, 300)],
}  # fmt: skip


def settings(**lifts: Any) -> Settings:
    told = {
        "type_weights": {"main_road": 1.0},
        "kinds": {"lift": LIFT},
        "max_apart_m": 121.0,
    } | lifts
    sites = cliff.SETTINGS.sites.model_copy(
        update={"lifts": cliff.SETTINGS.sites.lifts.model_copy(update=told)}
    )
    return cliff.SETTINGS.model_copy(update={"sites": sites})


def with_registers(tables: dict[Table, Any], *, households: int = 1) -> dict[Table, Any]:
    buildings = tables[BUILDINGS].assign(household_count=households, elder_share=0.25)
    measured = tables[MEASUREMENTS].assign(elevation_error_m=4.0)
    facts = pd.DataFrame({"estate_id": [], "is_walled": []})
    estates = tables[WATER].rename(columns={"water_id": "estate_id"})
    return tables | {
        BUILDINGS: buildings, MEASUREMENTS: measured, ESTATE_FACTS: facts, ESTATES: estates,
    }  # fmt: skip


def city_of(tables: dict[Table, Any], told: Settings, step_m: float = 40.0) -> WalkingCity:
    return walking_city(with_registers(tables), cliff.ground(step_m), told)


def proposed(tables: dict[Table, Any], told: Settings, step_m: float = 40.0) -> Proposals:
    found = lift_proposals(city_of(tables, told, step_m), told)
    for table, frame in found.tables.items():
        inspect(table, conform(table, frame), stage_name="sites", crs=cliff.CRS)
    return found


def test_the_lift_at_the_house_relieves_what_was_worked_out_by_hand() -> None:
    first = proposed(cliff.tables(SPLIT), settings()).tables[LIFT_SITES].iloc[0]
    assert (first["lower_road_name"][:5], first["upper_road_name"][:5]) == ("lower", "upper")
    assert first["relief_single_min"] == pytest.approx(29 / 6 + 4 + 4, abs=1e-3)
    assert first["home_saved_min"] == pytest.approx(29 / 6, abs=1e-3)
    assert first["out_saved_min"] == pytest.approx(4.0, abs=1e-3)
    assert first["home_climb_saved_m"] == pytest.approx(40, abs=1e-3)
    assert first["out_climb_saved_m"] == pytest.approx(0, abs=1e-3)
    assert (first["site_rise_m"], first["site_ride_min"]) == pytest.approx((40, 3.5), abs=1e-3)
    # 1.5 million and 120,000 a metre of height and 50,000 a metre of bridge
    assert first["site_cost_cny"] == 1.5e6 + 40 * 1.2e5 + 120 * 5e4
    assert first["is_site_chosen"] and not first["is_benefit_unsure"]
    # an elder takes 40 m up at 8.5 m/min, 310 m at 48 m/min, and minds a metre as 0.2 min
    elder_home = 40 / 8.5 + 310 / 48 + 8 - (1.5 + 2 + 10 / 48)
    elder_out = 40 / 9.5 + 310 / 48 - (1.5 + 2 + 10 / 48)
    assert first["elder_relief_min"] == pytest.approx(0.25 * (elder_home + elder_out), abs=1e-3)


def test_a_rise_within_the_terrains_error_is_unsure_and_never_first() -> None:
    measure = cliff.SETTINGS.measure
    terrain = measure.terrain.model_copy(update={"vertical_error_m": 50.0})
    told = settings().model_copy(
        update={"measure": measure.model_copy(update={"terrain": terrain})}
    )
    found = proposed(cliff.tables(SPLIT), told)
    sites = found.tables[LIFT_SITES]
    assert len(sites) and sites["is_benefit_unsure"].all() and not sites["is_site_chosen"].any()
    assert any("terrain's error" in line for line in found.told)
    assert found.ledger["chosen"] == []


def test_no_candidate_too_little_money_and_unmapped_types_are_told_in_plain_words() -> None:
    flat = proposed(cliff.tables(SPLIT), settings(), step_m=0.0)
    assert "none proposed" in flat.told[0] and flat.tables[LIFT_SITES].empty and not flat.changes
    poor = proposed(cliff.tables(SPLIT), settings(budget_cny=1e6, place_spacing_m=400.0))
    assert any("buys none" in line and "1,230 万元" in line for line in poor.told)
    assert not poor.tables[LIFT_SITES]["is_site_chosen"].any()
    for weights, words in (
        ({"hospital": 1.0}, "no facility type that weighs something is mapped here: hospital"),
        ({"hospitals": 1.0}, "hospitals: no such facility type"),
    ):
        told = settings(type_weights=weights)
        with pytest.raises(Problem, match=words):
            type_weights(city_of(cliff.tables(SPLIT), told), told)


def search_of(seed: int, **lifts: Any) -> tuple[dict[Table, Any], WalkingCity, LiftSearch | None]:
    told = settings(
        type_weights={"main_road": 1.0, "market": 2.0}, max_apart_m=250.0, alike_m=30.0,
        place_spacing_m=150.0, candidate_count=7, **lifts,
    )  # fmt: skip
    tables = with_registers(town(seed), households=3)
    city = walking_city(tables, cliff.ground(), told)
    return tables, city, search(city, told.sites.lifts, type_weights(city, told))


def built(city: WalkingCity, found: LiftSearch, rows: tuple[int, ...]) -> Change:
    ends = found.candidates.ends
    return cliff.change(
        *(
            {
                "add_lift": {
                    "name": str(row),
                    "from": [ends.longitude[low], ends.latitude[low]],
                    "to": [ends.longitude[high], ends.latitude[high]],
                }
            }
            for row in rows
            for low, high in ((found.candidates.lower[row], found.candidates.upper[row]),)
        )
    )


def relief_by_rebuilding(
    tables: dict[Table, Any], city: WalkingCity, found: LiftSearch, rows: tuple[int, ...]
) -> float:
    """Return the benefit of lifts by building the whole network anew with them."""
    streets = streets_of(tables)
    change = built(city, found, rows)
    spans, _ = change_spans(city.world, streets, change, RULE, file="try")
    shapes = tables[BUILDINGS].geometry.to_numpy()
    saved = 0.0
    from pipeline.measure.streets import access_table

    before = access_table(shapes, world_of(streets, tables), city.rule).cost_min
    after = access_table(shapes, world_of(streets, tables, spans), city.rule).cost_min
    for name, weight in (("main_road", 1 / 3), ("market", 2 / 3)):
        gain = before[name] - after[name]
        saved += 3 * weight * float(gain[np.isfinite(before[name])].sum())
    return saved


@pytest.mark.parametrize("seed", [2, 5])
def test_the_best_two_are_those_of_trying_all_pairs_on_networks_built_anew(seed: int) -> None:
    tables, city, found = search_of(seed)
    assert found is not None and found.candidates.count >= 4
    cost = found.candidates.cost_cny
    every = [*combinations(range(len(cost)), 1), *combinations(range(len(cost)), 2)]
    tried = {rows: relief_by_rebuilding(tables, city, found, rows) for rows in every}
    for rows, value in tried.items():
        assert found.relief.of(rows) == pytest.approx(value, abs=1e-6), rows
    sure = np.ones(len(cost), dtype=bool)
    for budget in (np.inf, float(np.sort(cost)[:3].sum())):
        for most in (1, 2):
            best = max(
                value
                for rows, value in tried.items()
                if len(rows) <= most and cost[list(rows)].sum() <= budget
            )
            choice = choose(
                found.relief, cost, sure, budget=budget, most_count=most, exact_count=2,
                node_limit=1000,
            )  # fmt: skip
            assert choice.benefit == pytest.approx(best, abs=1e-6)
            assert choice.bound == pytest.approx(best, abs=1e-6)
            greedy_only = choose(
                found.relief, cost, sure, budget=budget, most_count=most, exact_count=0,
                node_limit=1,
            )  # fmt: skip
            assert greedy_only.bound >= best - 1e-6


def test_what_is_told_of_a_site_is_what_a_what_if_tells_building_for_building(tmp_path) -> None:
    tables, city, found = search_of(9)
    assert found is not None
    told = cliff.SETTINGS
    rows = np.argsort(-found.single)[:3]
    names, compared = list(found.relief.routes.names), 0
    for row in rows.tolist():
        change = built(city, found, (row,))
        (tmp_path / "changes").mkdir(exist_ok=True)
        (tmp_path / "changes" / "try.yaml").write_bytes(change_text(change))
        _, change = read_change(tmp_path, "try")
        table = what_if(tables, cliff.ground(), told, change, file="try").table
        mine = walk_changes(found.relief, row, Penalties.of(told.measure.walking))
        kind, house = np.nonzero(mine.counts(told.measure.walking.planning_speed_m_per_min))
        keys = city.housing["building_id"].to_numpy()[mine.houses[house]]
        told_there = {
            (one["building_id"], one["facility_type"]): one for one in table.to_dict("records")
        }
        assert {(key, names[at]) for key, at in zip(keys, kind, strict=True)} == set(told_there)
        for key, at, place in zip(keys, kind, house, strict=True):
            theirs = told_there[key, names[at]]
            if theirs["outcome_type"] == "gains_way":
                continue
            ours = (
                mine.out.saved_min[at, place], mine.home.saved_min[at, place],
                mine.out.saved_climb_m[at, place], mine.home.saved_climb_m[at, place],
            )  # fmt: skip
            fields = (
                "walk_out_saved_min",
                "walk_back_saved_min",
                "climb_out_saved_m",
                "climb_saved_m",
            )
            assert ours == pytest.approx([theirs[field] for field in fields], abs=1e-5)
            compared += 1
    assert compared > 5
