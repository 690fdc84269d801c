"""Outlines, storeys, housing and repeated footprints."""

import numpy as np
import pytest
import shapely

from pipeline.contracts.raw import OsmExtract, OsmMember, OsmRelation, OsmWay
from pipeline.intake.attributes import attributes, construction_year, housing, storeys
from pipeline.intake.osm_areas import node_locator, relation_area, repaired, way_area
from pipeline.intake.overlaps import duplicates, overlaps
from pipeline.intake.rejects import Rejects
from pipeline.intake.words import UseWords
from pipeline.settings.intake import HousingRule, StoreyRule
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

CORNERS = [(0, 0), (10, 0), (10, 10), (0, 10), (4, 4), (6, 4), (6, 6), (4, 6)]
XY = np.array(CORNERS, dtype=float)
EXTRACT = OsmExtract(np.arange(1, 9), XY[:, 0], XY[:, 1], {})
LOCATE = node_locator(EXTRACT, XY)


def member(key: int, role: str) -> OsmMember:
    return OsmMember("way", key, role)


def test_a_closed_way_is_its_area() -> None:
    area = way_area(OsmWay(1, (1, 2, 3, 4, 1), {}), LOCATE)
    assert area.shape is not None
    assert shapely.area(area.shape) == 100
    assert not area.is_repaired


@pytest.mark.parametrize(
    ("nodes", "fault"),
    [
        ((1, 2, 3, 4), "ring_not_closed"),
        ((1, 2, 1), "too_few_points"),
        ((1, 2, 99, 1), "point_absent"),
        ((1, 2, 2, 1), "no_area"),
    ],
)
def test_what_is_no_area_tells_why(nodes: tuple[int, ...], fault: str) -> None:
    area = way_area(OsmWay(1, nodes, {}), LOCATE)
    assert (area.shape, area.fault) == (None, fault)


def test_a_relation_joins_its_outer_ways_and_cuts_its_holes() -> None:
    ways = {
        1: OsmWay(1, (1, 2, 3), {}),
        2: OsmWay(2, (1, 4, 3), {}),  # the other half, the other way round
        3: OsmWay(3, (5, 6, 7, 8, 5), {}),
    }
    members = (member(1, "outer"), member(2, ""), member(3, "inner"))
    area = relation_area(OsmRelation(9, members, {}), ways, LOCATE)
    assert area.shape is not None
    assert shapely.area(area.shape) == 96
    assert len(area.shape.interiors) == 1


def test_a_relation_with_an_open_ring_or_absent_member_tells_why() -> None:
    ways = {1: OsmWay(1, (1, 2, 3), {})}
    opened = relation_area(OsmRelation(9, (member(1, "outer"),), {}), ways, LOCATE)
    absent = relation_area(OsmRelation(9, (member(7, "outer"),), {}), ways, LOCATE)
    empty = relation_area(OsmRelation(9, (), {}), ways, LOCATE)
    assert (opened.fault, absent.fault, empty.fault) == (
        "ring_not_closed", "member_absent", "no_outer_ring",
    )  # fmt: skip


def test_a_bow_tie_is_repaired_to_its_two_halves() -> None:
    area = repaired(shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]))
    assert area.shape is not None
    assert area.is_repaired
    assert shapely.area(area.shape) == 50


RULE = StoreyRule(default_counts=[1], highest_count=120, storey_height_m=3.0)


@pytest.mark.parametrize(
    ("count", "height", "storeys_found", "origin", "reasons"),
    [
        ("6", None, 6, "recorded", []),
        ("6层", "30", 6, "recorded", []),
        ("1", None, None, "unknown", ["mapping_default"]),
        ("1", "27.5", 9, "from_height", ["mapping_default"]),
        (None, "30 m", 10, "from_height", []),
        ("900", None, None, "unknown", ["impossible_storeys"]),
        ("many", None, None, "unknown", ["unreadable_number"]),
        (None, "9999", None, "unknown", ["impossible_height"]),
        (None, None, None, "unknown", []),
    ],
)
def test_storeys_and_their_origin(
    count: str | None,
    height: str | None,
    storeys_found: int | None,
    origin: str,
    reasons: list[str],
) -> None:
    found = storeys(count, height, RULE)
    values = found.values
    assert (values["storey_count"], values["storey_count_origin"]) == (storeys_found, origin)
    assert [reason for _, reason, _ in found.faults] == reasons


def test_housing_follows_the_rule_of_the_profile() -> None:
    rule = HousingRule(
        recorded_use_types=["apartments"],
        assumed_use_types=["yes"],
        other_use_types=["roof"],
        unspecific_use_types=[],
        must_be_registered=False,
        other_use_fields=["shop"],
    )
    words = UseWords(rule, {})
    assert housing("apartments", True, words).values["housing_origin"] == "recorded"
    assert housing("yes", False, words).values["housing_origin"] == "assumed"
    assert housing("yes", True, words).values["is_housing"] is False
    assert housing("roof", False, words).values["housing_origin"] == "not_housing"


def test_a_vague_year_keeps_its_bounds_and_a_wide_one_has_no_middle() -> None:
    rule = read_settings(REPOSITORY / "config", "reference", "base").intake.years
    vague = construction_year("八十年代", rule).values
    assert (vague["construction_year"], vague["construction_year_origin"]) == (1984, "vague")
    wide = construction_year("1990年前", rule).values
    assert (wide["construction_year"], wide["construction_year_origin"]) == (None, "bounded")
    assert wide["construction_year_high"] == 1990
    nothing = construction_year("-", rule)
    assert nothing.values["construction_year_origin"] == "unknown"
    assert not nothing.faults


def test_rows_that_write_the_same_fault_are_each_told() -> None:
    settings = read_settings(REPOSITORY / "config", "reference", "base").intake
    rejects = Rejects("test")
    texts = {"storey_count": ["6", "many", "many"], "building_use_type": ["apartments", None, "x"]}
    found = attributes(texts, [False, False, True], settings, ["a", "b", "c"], rejects, {})
    assert found["storey_count"] == [6, None, None]
    assert found["is_housing"] == [True, False, False]
    assert [(row, reason) for row, _, _, reason, _ in rejects.records] == [
        ("b", "unreadable_number"), ("c", "unreadable_number"),
    ]  # fmt: skip


def test_the_same_outline_twice_keeps_the_richer_one() -> None:
    shapes = np.array(
        [shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 10.1), shapely.box(9, 0, 19, 10)]
    )
    pairs = overlaps(shapes)
    assert list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == [
        (0, 1), (0, 2), (1, 2),
    ]  # fmt: skip
    assert pairs.smaller_share[1] == pytest.approx(0.1)
    assert duplicates(pairs, np.array([0, 2, 0]), 0.9) == {0: 1}
    assert duplicates(pairs, np.array([0, 0, 0]), 0.9) == {1: 0}


def test_neighbours_that_share_a_wall_do_not_overlap() -> None:
    shapes = np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
    assert len(overlaps(shapes).first) == 0
