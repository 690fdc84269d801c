"""OpenStreetMap in every dress: what is drawn is the same, however it was asked for and saved."""

import bz2
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from pipeline.contracts.raw import OsmExtract
from pipeline.intake.osm_areas import Outline, node_locator, outlines
from pipeline.new_city.osm import osm_roles
from pipeline.problem import Problem
from pipeline.store.looks import look_into
from pipeline.store.osm_elements import check_shapes, from_elements, within
from pipeline.store.osm_xml import read_osm_xml
from pipeline.store.pbf import read_pbf
from pipeline.store.replies import overpass_extract, read_json

POINTS = {1: (106.5, 29.5), 2: (106.501, 29.5), 3: (106.501, 29.501), 4: (106.5, 29.501)}
STREET, SCHOOL = {"highway": "footway"}, {"amenity": "school"}


def reply(*elements: dict[str, Any], **more: Any) -> OsmExtract:
    return overpass_extract(Path("reply.json"), {"elements": list(elements), **more})


def point(key: int) -> dict[str, float]:
    return {"lon": POINTS[key][0], "lat": POINTS[key][1]}


def nodes(*keys: int) -> list[dict[str, Any]]:
    return [{"type": "node", "id": key, **point(key)} for key in keys]


def line(extract: OsmExtract, key: int) -> list[tuple[float, float]]:
    at = dict(
        zip(extract.node_id.tolist(), zip(extract.node_x, extract.node_y, strict=True), strict=True)
    )
    return [at[one] for one in next(way for way in extract.ways if way.id == key).node_ids]


WAY = {"type": "way", "id": 9, "tags": STREET}
DRESSES = {
    "out body with its points": [*nodes(1, 2, 3), {**WAY, "nodes": [1, 2, 3]}],
    "points after the ways": [{**WAY, "nodes": [1, 2, 3]}, *nodes(1, 2, 3)],
    "out geom": [{**WAY, "nodes": [1, 2, 3], "geometry": [point(1), point(2), point(3)]}],
    "out tags geom": [{**WAY, "geometry": [point(1), point(2), point(3)]}],
    "body, then again without tags": [
        {**WAY, "nodes": [1, 2, 3]}, *nodes(1, 2, 3), {"type": "way", "id": 9, "nodes": [1, 2, 3]},
    ],
    "geom clipped to a box": [
        {**WAY, "nodes": [7, 1, 2, 3, 8], "geometry": [None, point(1), point(2), point(3), None]},
    ],
}  # fmt: skip


@pytest.mark.parametrize("dress", DRESSES)
def test_a_way_is_the_same_in_every_dress(dress: str) -> None:
    found = reply(*DRESSES[dress])
    assert line(found, 9) == [POINTS[1], POINTS[2], POINTS[3]]
    assert [way.tags for way in found.ways] == [STREET]


def test_a_relation_with_the_geometry_of_its_members_is_an_area() -> None:
    half = [[point(1), point(2), point(3)], [point(3), point(4), point(1)]]
    told = [{"type": "way", "ref": 20 + n, "role": "outer", "geometry": half[n]} for n in range(2)]
    square = {"type": "relation", "id": 99, "members": told}
    found = buildings({**square, "tags": {"type": "multipolygon", "building": "yes"}})
    assert found["R99"].area.shape.area == pytest.approx(0.001**2)


def test_ways_with_geometry_but_without_numbers_meet_where_they_touch() -> None:
    other = {"type": "way", "id": 10, "tags": STREET, "geometry": [point(3), point(4)]}
    found = reply({**WAY, "geometry": [point(1), point(3)]}, other)
    one, two = found.ways
    assert one.node_ids[-1] == two.node_ids[0]
    assert len(found.node_id) == 3


def test_of_the_same_element_the_higher_version_counts_whatever_the_order() -> None:
    old = {**WAY, "version": 2, "nodes": [1, 2, 3], "tags": {"highway": "construction"}}
    new = {**WAY, "version": 10, "nodes": [1, 2]}
    for told in ([old, new], [new, old]):
        found = reply(*nodes(1, 2, 3), *told)
        assert [(way.node_ids, way.tags) for way in found.ways] == [((1, 2), STREET)]
        assert found.element_count == 5
    replies = [{"elements": [*nodes(1, 2), old]}, {"elements": [*nodes(2, 3), new]}]
    merged = overpass_extract(Path("x"), replies)
    assert merged.ways[0].node_ids == (1, 2)
    assert merged.node_id.tolist() == [1, 2, 3]


def test_a_centre_is_a_place_for_a_facility_and_no_line_for_a_street() -> None:
    school = {"type": "way", "id": 5, "nodes": [1, 2, 3, 1], "tags": SCHOOL, "center": point(4)}
    found = reply(school, {"type": "relation", "id": 6, "tags": SCHOOL, "center": point(3)})
    assert found.centers == {"way/5": POINTS[4], "relation/6": POINTS[3]}
    check_shapes(Path("x"), found, "amenities")
    with pytest.raises(Problem, match="out geom"):
        check_shapes(Path("x"), found, "streets")


@pytest.mark.parametrize(
    "elements",
    [
        [{**WAY, "nodes": [1, 2, 3]}],
        [WAY],
        [
            {**WAY, "nodes": [1, 2, 3]},
            {"type": "node", "id": 77, "lon": 1, "lat": 1, "tags": SCHOOL},
        ],
        [{"type": "relation", "id": 1, "tags": SCHOOL, "members": [{"type": "way", "ref": 9}]}],
    ],
    ids=["out body alone", "out tags", "other points", "relations alone"],
)
def test_without_any_point_the_message_says_how_to_ask(elements: list[dict[str, Any]]) -> None:
    with pytest.raises(Problem, match="out geom"):
        reply(*elements)


def test_a_reply_of_counts_is_told() -> None:
    with pytest.raises(Problem, match="counts"):
        reply({"type": "count", "id": 0, "tags": {"total": "8"}})


XML = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6" generator="{generator}">
  <note>from www.openstreetmap.org</note><meta osm_base="2026-04-24T00:00:00Z"/>
  <bounds minlat="29.5" minlon="106.5" maxlat="29.6" maxlon="106.6"/>
  <node id="1" lat="29.5" lon="106.5" version="1"/><node id="2" lat="29.5" lon="106.501"/>
  <node id="3" lat="29.501" lon="106.501"><tag k="barrier" v="gate"/></node>
  {way}{more}
</osm>
"""
XML_WAY = '<way id="9"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="footway"/></way>'


def written(folder: Path, name: str, text: str) -> Path:
    path, content = folder / name, text.encode()
    pack = gzip.compress if name.endswith(".gz") else bz2.compress if name.endswith("2") else bytes
    path.write_bytes(pack(content))
    return path


@pytest.mark.parametrize("name", ["map.osm", "map.osm.gz", "map.osm.bz2", "export.xml"])
def test_xml_is_read_plain_and_packed(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, XML.format(generator="CGImap", way=XML_WAY, more=""))
    found = read_osm_xml(path)
    assert line(found, 9) == [POINTS[1], POINTS[2], POINTS[3]]
    assert found.node_tags == {3: {"barrier": "gate"}}
    looks, unread = look_into(tmp_path)
    assert [(look.format, look.date, unread) for look in looks] == [("osm_xml", "2026-04-24", [])]


def test_overpass_xml_with_geometry_and_centres_is_read(tmp_path: Path) -> None:
    spoken = "".join(
        f'<nd ref="{k}" lat="{POINTS[k][1]}" lon="{POINTS[k][0]}"/>' for k in (2, 3, 4)
    )
    way = f'<way id="9">{spoken}<tag k="highway" v="steps"/></way>'
    school = '<way id="5"><center lat="29.501" lon="106.5"/><tag k="amenity" v="school"/></way>'
    path = written(tmp_path, "x.osm", XML.format(generator="Overpass API", way=way, more=school))
    found = read_osm_xml(path)
    assert line(found, 9) == [POINTS[2], POINTS[3], POINTS[4]]
    assert found.centers == {"way/5": POINTS[4]}


def test_what_josm_marks_as_deleted_is_gone_and_new_things_have_negative_numbers(
    tmp_path: Path,
) -> None:
    more = (
        "<node id='-7' action='modify' lat='29.501' lon='106.5'/>"
        "<way id='-8' action='modify'><nd ref='3'/><nd ref='-7'/><tag k='highway' v='path'/></way>"
        "<way id='11' action='delete'><nd ref='1'/><nd ref='3'/><tag k='highway' v='path'/></way>"
    )
    path = written(tmp_path, "j.osm", XML.format(generator="JOSM", way=XML_WAY, more=more))
    found = read_osm_xml(path)
    assert [way.id for way in found.ways] == [-8, 9]
    assert line(found, -8) == [POINTS[3], POINTS[4]]


def _varint(value: int) -> bytes:
    told = b""
    while value > 127:
        told, value = told + bytes([value & 127 | 128]), value >> 7
    return told + bytes([value])


def _signed(value: int) -> bytes:
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _o5m() -> bytes:
    """Return points 1 to 3 and way 9, by the description of the format in OpenStreetMap's wiki."""

    def item(code: int, body: bytes) -> bytes:
        return bytes([code]) + _varint(len(body)) + body

    told, before = b"\xff" + item(0xE0, b"o5m2"), (0, 0, 0)
    for key in (1, 2, 3):
        now = (key, *(round(degree * 1e7) for degree in POINTS[key]))
        steps = [_signed(new - old) for new, old in zip(now, before, strict=True)]
        told, before = told + item(0x10, steps[0] + b"\0" + steps[1] + steps[2]), now
    refs = _signed(1) * 3
    body = _signed(9) + b"\0" + _varint(len(refs)) + refs + b"\0highway\0footway\0"
    return told + b"\xff" + item(0x11, body) + b"\xfe"


def test_o5m_is_read(tmp_path: Path) -> None:
    (tmp_path / "map.o5m").write_bytes(_o5m())
    found = read_pbf(tmp_path / "map.o5m")
    assert line(found, 9) == [POINTS[1], POINTS[2], POINTS[3]]
    assert found.ways[0].tags == STREET
    looks, _ = look_into(tmp_path)
    assert [look.format for look in looks] == ["osm_o5m"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("x.osc", "<osmChange><modify/></osmChange>", "change file"),
        ("x.osm", "<osmChange><modify/></osmChange>", "change file"),
        ("x.osm", "<kml/>", "another kind"),
        ("x.osm", '{"elements": []}', "JSON"),
        ("x.osm", "", "empty"),
        ("x.osm", XML.format(generator="x", way=XML_WAY, more="")[:400], "cut short"),
        ("x.osm", "<!DOCTYPE html><html/>", "document type"),
        ("x.osm", '<!DOCTYPE osm [<!ENTITY a "b">]><osm/>', "document type"),
        ("x.osm", "<osm/>", "no elements"),
        ("x.osm", XML.format(generator="x", way="", more="<remark>runtime error: timeout</remark>"),
         "the server reports"),
        ("x.osm", XML.format(generator="x", way='<way id="z"/>', more=""), "malformed"),
    ],
)  # fmt: skip
def test_xml_that_cannot_be_a_map_is_told(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(Problem, match=told):
        read_osm_xml(written(tmp_path, name, text))


def test_a_damaged_pack_and_xml_declared_as_json_are_told(tmp_path: Path) -> None:
    whole = written(tmp_path, "x.osm.gz", XML.format(generator="x", way=XML_WAY, more=""))
    whole.write_bytes(whole.read_bytes()[:120])
    with pytest.raises(Problem, match=r"unpacked|cut short"):
        read_osm_xml(whole)
    saved = written(tmp_path, "x.json", XML.format(generator="x", way=XML_WAY, more=""))
    with pytest.raises(Problem, match="osm_xml"):
        read_json(saved, "utf-8")


def test_files_that_are_not_the_map_are_named_by_new_city(tmp_path: Path) -> None:
    written(tmp_path, "a.osm", XML.format(generator="x", way=XML_WAY, more=""))
    written(tmp_path, "day.osc", "<osmChange/>")
    written(tmp_path, "poi.csv", "@id\t@lat\t@lon\tname\n1\t29.5\t106.5\tx\n2\t29.5\t106.5\ty\n")
    written(tmp_path, "body.json", json.dumps({"elements": [{**WAY, "nodes": [1, 2]}]}))
    _, unread = look_into(tmp_path)
    told = dict(unread)
    assert "change file" in told["day.osc"]
    assert "out:json" in told["poi.csv"]
    assert "out geom" in told["body.json"]


def test_a_map_is_cut_to_a_box_with_its_ways_and_outlines_whole() -> None:
    ring = {"type": "way", "id": 5, "nodes": [1, 2, 3, 1], "tags": {}}
    far = {"type": "way", "id": 6, "nodes": [3, 4], "tags": STREET}
    area = {"type": "relation", "id": 1, "tags": {"type": "multipolygon", "building": "yes"},
            "members": [{"type": "way", "ref": 5, "role": "outer"}]}  # fmt: skip
    found = within(reply(*nodes(1, 2, 3, 4), ring, far, area), (106.4, 29.4, 106.5001, 29.5001))
    assert [way.id for way in found.ways] == [5]
    assert found.node_id.tolist() == [1, 2, 3]
    assert [one.id for one in found.relations] == [1]


# Outlines. Squares of a side of 40, 30, 20, 10: areas by hand.
def ring(
    key: int, x: float, y: float, width: float, height: float, **tags: str
) -> list[dict[str, Any]]:
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    told = [
        {"type": "node", "id": key * 10 + n, "lon": one, "lat": two}
        for n, (one, two) in enumerate(corners)
    ]
    ids = [node["id"] for node in told]
    return [*told, {"type": "way", "id": key, "nodes": [*ids, ids[0]], "tags": tags}]


def multipolygon(*members: tuple[int, str], **tags: str) -> dict[str, Any]:
    told = [{"type": "way", "ref": ref, "role": role} for ref, role in members]
    return {"type": "relation", "id": 99, "members": told, "tags": {"type": "multipolygon", **tags}}


def buildings(*elements: dict[str, Any]) -> dict[str, Outline]:
    extract = from_elements(Path("x"), elements)
    xy = shapely.get_coordinates(shapely.points(extract.node_x, extract.node_y))
    found = outlines(extract, node_locator(extract, xy), lambda tags: "building" in tags)
    return {one.key: one for one in found}


def area(*elements: dict[str, Any], key: str = "R99") -> float:
    shape = buildings(*elements)[key].area.shape
    return float("nan") if shape is None else float(shape.area)


HOUSE = {"building": "yes"}
YARD = (*ring(1, 0, 0, 50, 40), *ring(2, 5, 5, 40, 30))
ISLAND = ring(3, 20, 15, 10, 10)


def test_an_island_in_a_yard_counts() -> None:
    roles = (1, "outer"), (2, "inner"), (3, "outer")
    assert area(*YARD, *ISLAND, multipolygon(*roles, **HOUSE)) == 2000 - 1200 + 100


@pytest.mark.parametrize(
    "roles", [("outer", "outer"), ("", ""), ("outer", "enclave"), ("inner", "outer")]
)
def test_a_hole_is_a_hole_whatever_its_role(roles: tuple[str, str]) -> None:
    told = multipolygon((1, roles[0]), (2, roles[1]), **HOUSE)
    assert area(*YARD, told) == 800


def test_rings_that_touch_or_stand_apart_or_are_listed_twice() -> None:
    holes = (*ring(2, 5, 5, 10, 10), *ring(3, 15, 5, 10, 10))
    touching = multipolygon((1, "outer"), (2, "inner"), (3, "inner"), **HOUSE)
    assert area(*ring(1, 0, 0, 50, 40), *holes, touching) == 1800
    apart = multipolygon((1, "outer"), (2, "outer"), **HOUSE)
    assert area(*ring(1, 0, 0, 10, 10), *ring(2, 20, 0, 10, 10), apart) == 200
    twice = multipolygon((1, "outer"), (1, "outer"), (2, "inner"), **HOUSE)
    assert area(*YARD, twice) == 800


def test_outer_rings_that_overlap_are_joined() -> None:
    both = multipolygon((1, "outer"), (2, "outer"), **HOUSE)
    assert area(*ring(1, 0, 0, 20, 10), *ring(2, 10, 0, 20, 10), both) == 300


def _halves() -> list[dict[str, Any]]:
    whole = ring(1, 0, 0, 50, 40)
    one = {"type": "way", "id": 5, "nodes": [10, 11, 12]}
    return [*whole[:-1], one, {"type": "way", "id": 6, "nodes": [10, 13, 12]}]


def test_a_ring_split_over_ways_is_joined_and_one_that_gapes_is_told() -> None:
    both = multipolygon((5, "outer"), (6, "outer"), (2, "inner"), **HOUSE)
    assert area(*_halves(), *ring(2, 5, 5, 40, 30), both) == 800
    half = buildings(*_halves(), multipolygon((5, "outer"), **HOUSE))["R99"].area
    assert (half.fault, half.detail.split("(")[1]) == ("ring_not_closed", "a gap of 64.0 m)")


def test_two_outlines_that_share_a_side_of_its_own_way_are_one_area() -> None:
    corners = [(0, 0), (10, 0), (20, 0), (20, 10), (10, 10), (0, 10)]
    told = [{"type": "node", "id": n, "lon": x, "lat": y} for n, (x, y) in enumerate(corners)]
    lines = ((5, [4, 5, 0, 1]), (6, [1, 2, 3, 4]), (7, [1, 4]))
    ways = [{"type": "way", "id": key, "nodes": ids} for key, ids in lines]
    assert (
        area(*told, *ways, multipolygon((5, "outer"), (6, "outer"), (7, "outer"), **HOUSE)) == 200
    )


def test_tags_on_the_outer_way_are_the_old_style() -> None:
    outer = ring(1, 0, 0, 50, 40, **HOUSE)
    old = multipolygon((1, "outer"), (2, "inner"))
    assert area(*outer, *ring(2, 5, 5, 40, 30), old, key="W1") == 800
    both = buildings(
        *outer, *ring(2, 5, 5, 40, 30), multipolygon((1, "outer"), (2, "inner"), **HOUSE)
    )
    assert both["W1"].area.fault == "repeated_outline"
    assert both["R99"].area.shape.area == 800
    # a meadow with a house for its outline is no building with holes
    meadow = multipolygon((1, "outer"), (2, "inner"), landuse="grass")
    assert area(*outer, *ring(2, 5, 5, 40, 30), meadow, key="W1") == 2000


def test_of_a_building_relation_the_outline_counts_and_its_parts_do_not() -> None:
    parts = (*ring(2, 0, 0, 10, 10, **{"building:part": "yes"}), *ring(3, 0, 0, 30, 10))
    whole = multipolygon((1, "outline"), (2, "part"), (3, "part"))
    whole["tags"] = {"type": "building", "building": "yes"}
    assert area(*ring(1, 0, 0, 50, 40), *parts, whole) == 2000
    tagged = buildings(*ring(1, 0, 0, 50, 40, **HOUSE), *parts, whole)
    assert {key: one.area.fault for key, one in tagged.items()} == {
        "W1": "",
        "R99": "repeated_outline",
    }
    whole["members"] = whole["members"][1:]
    assert area(*ring(1, 0, 0, 50, 40), *parts, whole) == 300


def test_a_whole_map_is_footprints_streets_and_facilities_and_a_map_of_places_is_not() -> None:
    facility = {"school": ["amenity=school"]}
    house, lone = {"building": "apartments"}, {"amenity": "school", "building": "yes"}
    region = [house] * 400 + [STREET] * 300 + [SCHOOL] * 900
    assert set(osm_roles(region, facility)) == {"streets", "footprints", "amenities"}
    assert set(osm_roles([SCHOOL] * 900 + [lone] * 30, facility)) == {"amenities"}
