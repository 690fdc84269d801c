"""What of a street map may be walked: classes, rights of way, hours, gates, walls, plazas, lifts.

The map of these tests is a footway A–B–C of 100 m each, drawn as one way, unless a test says else.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from pipeline.contracts.raw import OsmExtract
from pipeline.intake.hours import by_day, is_open_at_noon
from pipeline.intake.rejects import Rejects
from pipeline.intake.street_sources import streets_from_osm
from pipeline.intake.streets import street_tables, structure_of
from pipeline.intake.walkable import why_not_walked
from pipeline.settings.city import Source
from pipeline.store.configuration import read_settings
from pipeline.store.osm_elements import from_elements
from tests.conftest import REPOSITORY

SETTINGS = read_settings(REPOSITORY / "config", "reference", "base")
RULE = SETTINGS.intake.streets
SOURCE = Source.model_validate(
    {
        "path": "x.json", "role": "streets", "format": "overpass_json", "datum": "wgs84",
        "crs": "EPSG:32648", "encoding": "utf-8", "publisher": "x", "licence": "x",
        "attribution": "x", "date": "2026",
    }
)  # fmt: skip
FOOTWAY = {"highway": "footway"}


def node(key: int, x: float, y: float, **tags: str) -> dict[str, Any]:
    return {"type": "node", "id": key, "lon": x, "lat": y, "tags": tags}


def way(key: int, nodes: list[int], **tags: str) -> dict[str, Any]:
    return {"type": "way", "id": key, "nodes": nodes, "tags": tags or FOOTWAY}


def relation(key: int, members: list[tuple[int, str]], **tags: str) -> dict[str, Any]:
    told = [{"type": "way", "ref": ref, "role": role} for ref, role in members]
    return {"type": "relation", "id": key, "members": told, "tags": tags}


class Net:
    """The network that elements make; positions are metres."""

    def __init__(self, *elements: dict[str, Any]) -> None:
        extract: OsmExtract = from_elements(Path("x.json"), elements)
        self.rejects = Rejects("streets")
        position = np.column_stack([extract.node_x, extract.node_y])
        self.source = streets_from_osm(extract, position, SOURCE, RULE, self.rejects, set())
        self.nodes, self.edges = street_tables([self.source], RULE, "EPSG:32648")
        rows_in = self.source.supporting_count + self.source.used_count + self.rejects.row_count
        assert rows_in == extract.element_count

    def metres(self, start: tuple[float, float], end: tuple[float, float]) -> float:
        """Return the length of the shortest walk between two places, infinite where there is none."""
        at = {key: row for row, key in enumerate(self.nodes["node_id"])}
        one, two = (self.edges[name].map(at).to_numpy() for name in ("from_node_id", "to_node_id"))
        length, count = self.edges["length_m"].to_numpy(), len(at)
        ahead, back = (self.edges[f"is_{way}_open"].to_numpy() for way in ("forward", "backward"))
        begin, finish = np.append(one[ahead], two[back]), np.append(two[ahead], one[back])
        cost = np.append(length[ahead], length[back])
        best: dict[tuple[int, int], float] = {}
        for link in zip(begin.tolist(), finish.tolist(), cost.tolist(), strict=True):
            best[link[:2]] = min(link[2], best.get(link[:2], np.inf))
        rows, columns = zip(*best, strict=True)
        graph = coo_array((list(best.values()), (rows, columns)), (count, count)).tocsr()
        xy = np.column_stack([self.nodes.geometry.x, self.nodes.geometry.y])
        starts, ends = (np.flatnonzero(np.hypot(*(xy - p).T) < 1e-6) for p in (start, end))
        return float(dijkstra(graph, indices=starts)[:, ends].min())


ABC = (node(1, 0, 0), node(2, 100, 0), node(3, 200, 0))
A, B, C = (0, 0), (100, 0), (200, 0)


def reason(**tags: str) -> str:
    found = why_not_walked(tags, RULE)
    return "" if found is None else found[0]


@pytest.mark.parametrize(
    "kind",
    ["planned", "proposed", "construction", "razed", "abandoned", "no", "disused", "demolished",
     "dismantled", "removed", "bus_guideway", "emergency_bay", "raceway", "escape", "rest_area",
     "motorway", "motorway_link", "busway"],
)  # fmt: skip
def test_classes_that_are_gone_or_for_vehicles_are_not_walked(kind: str) -> None:
    assert reason(highway=kind) == "not_walkable"


def test_unknown_classes_are_not_walked_and_told_with_their_word() -> None:
    assert why_not_walked({"highway": "foootway"}, RULE) == (
        "unknown_street_class", "highway=foootway"
    )  # fmt: skip
    assert Net(*ABC, way(9, [1, 2]), way(10, [2, 3], highway="hoverlane")).rejects.records == [
        ("way/10", "row", None, "unknown_street_class", "highway=hoverlane")
    ]


@pytest.mark.parametrize(
    ("tags", "is_walked"),
    [
        ({"highway": "trunk"}, True),
        ({"highway": "trunk", "motorroad": "yes"}, False),
        ({"highway": "primary", "motorroad": "yes", "sidewalk": "right"}, True),
        ({"highway": "motorway", "sidewalk": "both"}, True),
        ({"highway": "motorway", "sidewalk:left": "yes"}, True),
        ({"highway": "motorway", "sidewalk": "no"}, False),
        ({"highway": "motorway", "sidewalk": "separate"}, False),
        ({"highway": "motorway", "foot": "designated"}, True),
        ({"highway": "construction", "foot": "yes"}, False),
        ({"highway": " Footway "}, True),
        ({"highway": "service", "access": "private"}, False),
        ({"highway": "service", "access": "private", "foot": "yes"}, True),
        ({"highway": "service", "access": "no", "foot": "permissive"}, True),
        ({"highway": "service", "access": "destination"}, True),
        ({"highway": "service", "access": "military"}, False),
        ({"highway": "service", "access": "agricultural;forestry"}, False),
        ({"highway": "residential", "foot": "use_sidepath"}, False),
        ({"highway": "residential", "foot": "private"}, False),
        ({"highway": "path", "disused": "yes"}, False),
        ({"highway": "path", "abandoned": "yes"}, False),
        ({"highway": "footway", "access": "yes @ (Mo-Su 6:30-24:00)"}, True),
        ({"highway": "footway", "access": "no", "access:conditional": "yes @ (06:00-22:00)"}, True),
        ({"highway": "footway", "access": "no", "foot:conditional": "yes @ (22:00-06:00)"}, False),
        ({"highway": "footway", "foot:conditional": "no @ (22:00-06:00)"}, True),
        ({"highway": "footway", "foot:conditional": "no @ (Mo-Fr 09:00-17:00)"}, False),
        ({"highway": "footway", "access:conditional": "no @ snow"}, True),
        ({"highway": "corridor", "opening_hours": "22:00-06:00"}, False),
    ],
)
def test_the_right_of_way_on_foot_goes_before_the_general_one(
    tags: dict[str, str], is_walked: bool
) -> None:
    assert (why_not_walked(tags, RULE) is None) == is_walked


@pytest.mark.parametrize(
    ("hours", "is_open"),
    [
        ("24/7", True), ("Mo-Su 07:30-22:30", True), ("06:00-23:00", True), ("22:00-06:00", False),
        ("Mo-Fr 07:00-09:00,17:00-19:00", False), ("Sa-Su 10:00-18:00", False), ("off", False),
        ("closed", False), ("Mo-Fr 08:00-20:00; PH off", True), ("sunrise-sunset", True),
        ("sunset-sunrise", False), ("Mo－Su 07：00－21：00", True), ("Jun-Aug 10:00-18:00", None),
        ("by appointment", None),
    ],
)  # fmt: skip
def test_hours_are_asked_for_noon_on_a_working_day(hours: str, is_open: bool | None) -> None:
    assert is_open_at_noon(hours) is is_open


def test_a_condition_that_cannot_be_decided_changes_nothing() -> None:
    tags = {"access": "private", "access:conditional": "yes @ (weight<3.5)"}
    assert by_day(tags, "access") == "private"


@pytest.mark.parametrize(
    ("tags", "both"),
    [
        ({"conveying": "yes"}, (True, True)),
        ({"conveying": "reversible"}, (True, True)),
        ({"conveying": "forward"}, (True, False)),
        ({"conveying": "backward"}, (False, True)),
        ({"conveying": "yes", "oneway": "yes"}, (True, False)),
        ({"conveying": "yes", "oneway": "-1"}, (False, True)),
        ({"conveying": "backward", "oneway": "yes"}, (False, True)),
        ({"conveying": "yes", "operational_status": "broken"}, (False, False)),
        ({"conveying": "yes", "access": "private"}, (False, False)),
        ({"conveying": "yes", "opening_hours": "22:00-05:00"}, (False, False)),
        ({"oneway": "yes"}, (True, True)),
        ({"oneway:foot": "yes"}, (True, False)),
    ],
)
def test_directions(tags: dict[str, str], both: tuple[bool, bool]) -> None:
    assert structure_of({"highway": "steps", **tags}, RULE)[1:] == both


@pytest.mark.parametrize(
    ("tags", "passes"),
    [
        ({"barrier": "gate", "access": "private", "locked": "yes"}, False),
        ({"barrier": "gate", "access": "private"}, False),
        ({"barrier": "gate", "locked": "yes"}, False),
        ({"barrier": "gate", "foot": "no"}, False),
        ({"barrier": "gate", "access": "private", "foot": "yes"}, True),
        ({"barrier": "gate"}, True),
        ({"barrier": "gate", "access": "permit"}, True),
        ({"barrier": "gate", "opening_hours": "22:00-06:00"}, False),
        ({"barrier": "lift_gate", "motor_vehicle": "private"}, True),
        ({"barrier": "wall"}, False),
        ({"barrier": "fence"}, False),
        ({"barrier": "wall", "foot": "yes"}, True),
        ({"barrier": "bollard"}, True),
        ({"barrier": "kerb"}, True),
        ({"barrier": "stile"}, True),
        ({"barrier": "hedgehog"}, False),
        ({"barrier": "no"}, True),
        ({"foot": "no"}, False),
        ({"highway": "crossing", "foot": "no"}, False),
        ({"entrance": "yes", "access": "private"}, False),
        ({"amenity": "parking_entrance", "access": "private"}, True),
    ],
)
def test_a_shut_barrier_on_a_node_cuts_the_way_there(tags: dict[str, str], passes: bool) -> None:
    net = Net(node(1, 0, 0), node(2, 100, 0, **tags), node(3, 200, 0), way(9, [1, 2, 3]))
    assert net.metres(A, C) == (200 if passes else np.inf)
    assert (net.rejects.counts("notice").get("shut_barrier", 0) == 0) == passes
    assert net.edges["length_m"].sum() == 200  # both stubs stay


def test_at_a_shut_gate_at_a_crossing_nobody_turns_either() -> None:
    gate = node(2, 100, 0, barrier="gate", access="no")
    net = Net(
        node(1, 0, 0), gate, node(3, 200, 0), node(4, 100, 50), way(9, [1, 2, 3]), way(8, [4, 2])
    )
    assert net.metres(A, (100, 50)) == np.inf
    assert len(net.nodes) == 6


WALL = (node(5, 100, -80), node(6, 100, 80))


@pytest.mark.parametrize("wall_type", ["wall", "fence", "city_wall", "retaining_wall"])
def test_a_wall_through_a_shared_point_ends_the_way(wall_type: str) -> None:
    net = Net(*ABC, *WALL, way(9, [1, 2, 3]), way(7, [5, 2, 6], barrier=wall_type))
    assert net.metres(A, C) == np.inf
    assert net.rejects.counts("notice") == {"crossed_wall": 1}


def test_ways_on_the_same_side_of_a_wall_still_meet() -> None:
    west = node(4, 50, 60)
    net = Net(
        *ABC, *WALL, west, way(9, [1, 2, 3]), way(8, [4, 2]), way(7, [5, 2, 6], barrier="wall")
    )
    assert net.metres(A, (50, 60)) == pytest.approx(100 + np.hypot(50, 60))
    assert net.metres((50, 60), C) == np.inf


@pytest.mark.parametrize(
    ("point", "street"),
    [
        ({"barrier": "gate"}, {}), ({"entrance": "yes"}, {}), ({"barrier": "stile"}, {}),
        ({}, {"tunnel": "building_passage"}), ({}, {"bridge": "yes"}),
    ],
)  # fmt: skip
def test_a_gate_a_tunnel_or_a_bridge_leads_through_a_wall(
    point: dict[str, str], street: dict[str, str]
) -> None:
    middle = node(2, 100, 0, **point)
    net = Net(
        ABC[0], middle, ABC[2], *WALL, way(9, [1, 2, 3], highway="footway", **street),
        way(7, [5, 2, 6], barrier="wall"),
    )  # fmt: skip
    assert net.metres(A, C) == 200


def test_a_wall_that_ends_at_a_way_or_runs_along_it_cuts_nothing() -> None:
    ends = Net(*ABC, *WALL, way(9, [1, 2, 3]), way(7, [5, 2], barrier="wall"))
    along = Net(*ABC, way(9, [1, 2, 3]), way(7, [1, 2, 3], barrier="fence"))
    stairs = Net(
        *ABC, *WALL, way(9, [1, 2, 3], highway="steps"), way(7, [5, 2, 6], barrier="retaining_wall")
    )
    assert [net.metres(A, C) for net in (ends, along, stairs)] == [200] * 3


def test_a_way_drawn_across_a_wall_without_a_shared_point_is_walked_and_told() -> None:
    net = Net(*ABC, *WALL, way(9, [1, 3]), way(7, [5, 6], barrier="wall"))
    assert net.metres(A, C) == 200
    assert net.rejects.records == [
        ("way/9", "notice", None, "passed_wall", "walked across way/7, barrier=wall")
    ]


SQUARE = (node(11, 100, 0), node(12, 200, 0), node(13, 200, 100), node(14, 100, 100))
RING = [11, 12, 13, 14, 11]
WAYS_IN = (node(1, 0, 0), node(2, 300, 100), way(20, [1, 11]), way(21, [13, 2]))


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "pedestrian", "area": "yes"}, {"highway": "footway", "area": "yes"},
        {"place": "square"}, {"place": "square", "highway": "pedestrian"},
        {"highway": "platform"},
    ],
)  # fmt: skip
def test_a_plaza_is_crossed_from_entry_to_entry(tags: dict[str, str]) -> None:
    net = Net(*SQUARE, *WAYS_IN, way(30, RING, **tags))
    assert net.metres((0, 0), (300, 100)) == pytest.approx(100 + np.hypot(100, 100) + 100)
    ring = net.edges[net.edges["edge_id"].str.fullmatch(r"W30-\d+")]
    assert ring["length_m"].sum() == 400  # houses beside it have their doors there


def test_a_ring_that_is_a_line_is_walked_round() -> None:
    net = Net(*SQUARE, *WAYS_IN, way(30, RING, highway="pedestrian"))
    assert net.metres((0, 0), (300, 100)) == 400


def test_a_closed_plaza_is_left_out_and_the_ways_along_it_stay() -> None:
    shut = way(30, RING, highway="pedestrian", area="yes", access="private")
    net = Net(*SQUARE, *WAYS_IN, shut, way(22, [11, 12, 13]))
    assert net.metres((0, 0), (300, 100)) == 400
    assert net.rejects.counts("row") == {"not_walkable": 1}


def test_a_hole_in_a_plaza_is_walked_round() -> None:
    """From corner to corner of 100 m past a block of 60 m in the middle: by its corner."""
    hole = [
        node(15 + n, x, y) for n, (x, y) in enumerate([(120, 20), (180, 20), (180, 80), (120, 80)])
    ]
    net = Net(
        *SQUARE, *hole, *WAYS_IN, way(30, RING[:3], source="x"), way(31, RING[2:], source="x"),
        way(32, [15, 16, 17, 18, 15], source="x"),
        relation(40, [(30, "outer"), (31, "outer"), (32, "inner")], type="multipolygon",
                 highway="pedestrian", name="广场"),
    )  # fmt: skip
    by_corner = 2 * np.hypot(80, 20)
    assert net.metres((0, 0), (300, 100)) == pytest.approx(200 + by_corner)
    assert net.source.used_count == 3
    assert net.edges["edge_id"].is_unique


def test_a_bay_in_the_outline_is_walked_round() -> None:
    """An L: the straight line leaves it, the way turns at its inner corner."""
    corners = [(0, 0), (100, 0), (100, 40), (40, 40), (40, 100), (0, 100)]
    nodes = [node(11 + n, x, y) for n, (x, y) in enumerate(corners)]
    net = Net(
        *nodes, node(1, 100, -50), node(2, -50, 100), way(20, [1, 12]), way(21, [2, 16]),
        way(30, [11, 12, 13, 14, 15, 16, 11], highway="pedestrian", area="yes"),
    )  # fmt: skip
    assert net.metres((100, -50), (-50, 100)) == pytest.approx(100 + 2 * np.hypot(60, 40))


def test_a_way_that_ends_inside_a_plaza_enters_it() -> None:
    inside = node(3, 150, 50)
    net = Net(*SQUARE, *WAYS_IN, inside, node(4, 150, 250), way(22, [4, 3]),
              way(30, RING, highway="pedestrian", area="yes"))  # fmt: skip
    assert net.metres((0, 0), (150, 250)) == pytest.approx(100 + np.hypot(50, 50) + 200)


def test_a_corridor_that_ends_below_a_plaza_does_not_enter_it() -> None:
    under = way(22, [4, 3], highway="corridor", tunnel="yes", layer="-2")
    plaza = way(30, RING, highway="pedestrian", area="yes")
    net = Net(*SQUARE, *WAYS_IN, node(3, 150, 50), node(4, 150, 250), under, plaza)
    assert net.metres((0, 0), (150, 250)) == np.inf


def test_a_lift_drawn_as_an_area_is_one_lift() -> None:
    """Four corners 2 m apart, ways to two of them: they meet in the middle."""
    shaft = [
        node(11 + n, x, y) for n, (x, y) in enumerate([(99, -1), (101, -1), (101, 1), (99, 1)])
    ]
    tags = {"highway": "elevator", "building": "yes"}
    for extra, state in (({}, "open"), ({"operational_status": "closed"}, "closed")):
        net = Net(*shaft, node(1, 0, -1), node(2, 200, 1), way(20, [1, 11]), way(21, [13, 2]),
                  way(30, RING, **tags, **extra))  # fmt: skip
        lifts = net.nodes[net.nodes["lift_type"] != "none"]
        assert lifts["lift_type"].tolist() == [state]
        assert (lifts.geometry.x.iloc[0], lifts.geometry.y.iloc[0]) == (100, 0)
        assert net.metres((0, -1), (200, 1)) == pytest.approx(200, abs=0.1)
        assert not net.edges["structure_type"].eq("lift").any()


def test_hours_of_a_lift_are_told() -> None:
    lift = node(2, 100, 0, highway="elevator", opening_hours="Mo-Su 07:30-22:30")
    net = Net(node(1, 0, 0), lift, node(3, 200, 0), way(9, [1, 2, 3]))
    assert net.rejects.records == [
        ("node/2", "notice", None, "limited_hours", "Mo-Su 07:30-22:30: open by day")
    ]
    night = node(2, 100, 0, highway="elevator", opening_hours="22:00-06:00")
    shut = Net(node(1, 0, 0), night, node(3, 200, 0), way(9, [1, 2, 3])).nodes
    assert shut["lift_type"].tolist() == ["none", "closed", "none"]
