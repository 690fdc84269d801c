"""Walks to possible sites on a cliff that one can work out on paper, and the choice they lead to.

The house stands 10 m east of the upper street. The lower street is 130 m away as the crow flies, but
600 m of street and 40 m of steps lie between.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pipeline.contracts.tables import AMENITIES, BUILDINGS, STREET_EDGES, STREET_NODES, WATER
from pipeline.highs import Effort
from pipeline.measure.access import doors
from pipeline.measure.site_places import longest_walk_min, site_places
from pipeline.measure.site_walks import SiteWalks, site_walks
from pipeline.measure.streets import street_world
from pipeline.measure.what_if import what_if
from pipeline.siting.facility_choice import Limits, Reach, Sites, largest_cover, least_walk
from tests import cliff

EXACT = Effort(0.0, 1000)
BELOW, BESIDE = (-60.0, 0.0), (60.0, -200.0)


def near(minutes: float) -> object:
    return pytest.approx(minutes, abs=1e-4)


def walks(limit_min: float, *sites: tuple[float, float]) -> SiteWalks:
    tables, rule = cliff.tables(), cliff.SETTINGS.measure
    world = street_world(
        tables[STREET_NODES], tables[STREET_EDGES], tables[AMENITIES], tables[WATER],
        cliff.ground(), rule,
    )  # fmt: skip
    places = np.array(
        [shapely.Point(cliff.EAST + x, cliff.NORTH + y) for x, y in sites], dtype=object
    )
    site_doors, home_doors = (
        doors(
            shapes, world.network.links, world.usable, world.network.profiles, world.terrain,
            world.water, rule.access, rule.walking,
        )
        for shapes in (places, tables[BUILDINGS].geometry.to_numpy())
    )  # fmt: skip
    return site_walks(world.network, places, site_doors, home_doors, limit_min, rule)


def test_walks_are_those_worked_out_by_hand_and_differ_by_direction() -> None:
    found = walks(20.0, BELOW, BESIDE)
    assert found.site.tolist() == [0, 1] and found.building.tolist() == [0, 0]
    # 600 m of street, 40 m of steps (12 m/min up, 16 down), 10 m to the door; and 210 m on the level
    assert found.home_min.tolist() == [near(600 / 60 + 40 / 12 + 1 / 6), near(3.5)]
    assert found.out_min.tolist() == [near(600 / 60 + 40 / 16 + 1 / 6), near(3.5)]
    assert walks(5.0, BELOW, BESIDE).site.tolist() == [1]  # the other is out of reach
    assert not len(walks(5.0).site)


def test_a_straight_line_chooses_the_wrong_site() -> None:
    found = walks(20.0, BELOW, BESIDE)
    slower = np.maximum(found.home_min, found.out_min)
    straight = np.array([np.hypot(70 - x, y) / 60 for x, y in (BELOW, BESIDE)])
    sites = Sites(np.full(2, np.inf), np.zeros(2), np.ones(2), np.zeros(2, bool))
    chosen = {
        name: least_walk(
            np.array([30.0]), Reach(found.building, found.site, minutes), sites, Limits(1), EXACT
        ).is_chosen.tolist()
        for name, minutes in (("walk", slower), ("line", straight))
    }
    assert chosen == {"walk": [False, True], "line": [True, False]}
    within = slower <= 5.0
    reach = Reach(found.building[within], found.site[within], slower[within])
    covered = largest_cover(np.array([30.0]), reach, sites, Limits(1), EXACT)
    assert covered.is_chosen.tolist() == [False, True] and covered.value == 30


def test_opening_a_site_gives_the_walk_that_a_what_if_tells() -> None:
    found = walks(20.0, (60.0, 250.0), BELOW)
    for site, place in enumerate(((60.0, 250.0), BELOW)):
        change = cliff.change(
            {"add_amenity": {"type": "health_station", "name": "站", "at": cliff.degrees(*place)}}
        )
        told = what_if(
            cliff.tables(markets=()), cliff.ground(), cliff.SETTINGS, change, file="try.yaml"
        ).table
        row = told[told["facility_type"] == "health_station"]
        if len(row):  # within its radius
            assert row["walk_out_after_min"].iloc[0] == near(found.out_min[site])
            assert row["walk_back_after_min"].iloc[0] == near(found.home_min[site])
    assert found.out_min[0] == near(260 / 60)


def test_places_stand_by_estate_else_by_square() -> None:
    """Households pull the middle of an estate to the larger building; bare houses share a square."""
    boxes = [shapely.box(x, y, x + 10, y + 10) for x, y in ((0, 0), (300, 0), (710, 0), (730, 0))]
    housing = gpd.GeoDataFrame(
        {
            "building_id": ["B0", "B1", "B2", "B3"],
            "estate_id": ["E1", "E1", None, None],
            "household_count": pd.array([10, 90, 5, None], dtype="Int64"),
        },
        geometry=boxes,
        crs=cliff.CRS,
    )
    facts = pd.DataFrame({"estate_id": ["E1"], "idle_room_area_m2": [180.0]})
    nothing = gpd.GeoDataFrame({"amenity_id": [], "amenity_type": []}, geometry=[], crs=cliff.CRS)
    rule = cliff.SETTINGS.sites.facilities
    found = site_places(housing, facts, nothing, rule).set_index("site_place_id")
    assert found["host_building_id"].to_dict() == {"E1": "B1", "square/7_0": "B2"}
    assert found["site_origin"].to_dict() == {"E1": "idle_room", "square/7_0": "square"}
    assert found.loc["E1", "room_area_m2"] == 180
    none = site_places(housing, facts, nothing, rule.model_copy(update={"are_sited": False}))
    assert not len(none)
    assert longest_walk_min(rule, cliff.SETTINGS.measure) == 5.0
