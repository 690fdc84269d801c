"""Nothing vanishes: borders, parts far apart, numbers that look alike, twins of two layers."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.raw import FeatureTable, OsmExtract, OsmWay
from pipeline.intake.amenities import amenities_from_features, amenities_from_osm
from pipeline.intake.footprints import footprints_from_features
from pipeline.intake.losses import column_accounts, taken_counts
from pipeline.intake.reach import Reach, within_reach
from pipeline.intake.rejects import Rejects, balance
from pipeline.intake.singles import in_districts, single
from pipeline.settings.city import Source
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

CRS = "EPSG:32648"
INTAKE = read_settings(REPOSITORY / "config", "yuzhong", "base").intake
DISTRICTS = gpd.GeoDataFrame(
    {"district_id": ["1", "2"], "district_name": ["west", "east"]},
    geometry=[shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)],
    crs=CRS,
)


def layer(role: str, **columns: list[str]) -> Source:
    return Source(
        path="x.gpkg", role=role, format="geopackage", datum="wgs84", crs=CRS, encoding=None,
        publisher="p", licence="l", attribution="a", date="2026", columns=columns,
    )  # fmt: skip


FOOTPRINTS = layer(
    "footprints", building_id=["id"], building_use_type=["use"], storey_count=["levels"],
    construction_year_text=["year"],
)  # fmt: skip


def table(shapes: list[shapely.Geometry | None], **fields: list[str]) -> FeatureTable:
    filled = np.empty(len(shapes), dtype=object)
    filled[:] = shapes
    return FeatureTable(pd.DataFrame(fields, dtype="str"), filled)


def standing(
    layers: dict[str, FeatureTable],
) -> tuple[gpd.GeoDataFrame, dict[str, Rejects], dict[str, pd.DataFrame]]:
    """Buildings of some layers after districts and twins, as intake takes them."""
    rejects = {name: Rejects(name) for name in layers}
    parts = {
        name: footprints_from_features(one, name, FOOTPRINTS, INTAKE, CRS, rejects[name])
        for name, one in layers.items()
    }
    stacked = pd.concat([part.buildings for part in parts.values()], ignore_index=True)
    whole = gpd.GeoDataFrame(stacked, geometry="geometry", crs=CRS)
    if not len(whole):
        return whole, rejects, {name: part.stated for name, part in parts.items()}
    placed = in_districts(whole, DISTRICTS, rejects)
    kept = single(placed, INTAKE.footprints, rejects) if len(placed) else placed
    return kept, rejects, {name: part.stated for name, part in parts.items()}


def told(rejects: Rejects) -> list[tuple[str, str]]:
    return [(row, reason) for row, _, _, reason, _ in rejects.records]


def test_a_building_on_a_border_is_counted_where_its_centroid_lies() -> None:
    shapes = [
        shapely.box(995, 10, 1015, 20),  # a quarter in the west, the rest in the east
        shapely.box(-4, 10, 16, 20),  # a fifth outside
        shapely.box(-16, 30, 4, 40),  # a fifth inside
        shapely.box(990, 50, 1000, 60),  # touches the border with a wall
        shapely.box(500, 50, 510, 60),
    ]
    one = table(shapes, id=list("abcde"), use=["house"] * 5, levels=["6"] * 5, year=["1990"] * 5)
    kept, rejects, _ = standing({"one": one})
    assert dict(zip(kept["building_id"], kept["district_name"], strict=True)) == {
        "a": "east", "b": "west", "d": "west", "e": "west",
    }  # fmt: skip
    found = {row: (reason, detail) for row, _, _, reason, detail in rejects["one"].records}
    assert found == {
        "1": ("on_border", "75% of it in east, which holds its centroid"),
        "2": ("on_border", "80% of it in west, which holds its centroid"),
        "3": ("outside_study_area", "its centroid lies outside every district, 20% of it inside"),
    }


def test_ids_that_look_alike_far_parts_and_twins_of_two_layers_are_told() -> None:
    parts = shapely.MultiPolygon([shapely.box(10, 10, 20, 20), shapely.box(300, 10, 310, 20)])
    wings = shapely.MultiPolygon([shapely.box(10, 50, 20, 60), shapely.box(30, 50, 40, 60)])
    first = table(
        [parts, wings, shapely.box(100, 100, 120, 120), shapely.box(200, 100, 220, 120)],
        id=["A1", "B,2\n", "C3", "D4"], use=["house"] * 4, levels=["6"] * 4, year=["1990"] * 4,
    )  # fmt: skip
    second = table(
        [shapely.box(100, 100, 120, 120), shapely.box(400, 100, 420, 120),
         shapely.box(500, 500, 510, 510)],
        id=["X9", "ａ 1", "D4"], use=["house"] * 3, levels=["", "6", "6"], year=["", "", ""],
    )  # fmt: skip
    kept, rejects, _ = standing({"first": first, "second": second})
    assert kept["building_id"].tolist() == ["A1", "B,2\n", "C3", "D4", "ａ 1"]
    assert told(rejects["first"]) == [("1", "parts_far_apart")]
    assert rejects["first"].records[0][4] == "2 parts, up to 280 m apart"
    assert sorted(told(rejects["second"])) == [
        ("1", "duplicate_footprint"), ("2", "similar_building_id"), ("3", "repeated_building_id"),
    ]  # fmt: skip
    details = {row: detail for row, _, _, _, detail in rejects["second"].records}
    assert details["1"] == "same outline as C3 of first"
    assert details["3"] == "D4 stands there already of first"


SHAPES = st.sampled_from(
    [
        shapely.box(10, 10, 20, 20), shapely.box(10, 10, 20, 20.1), shapely.box(15, 10, 25, 20),
        shapely.box(995, 10, 1015, 20), shapely.box(-16, 30, 4, 40), shapely.box(5000, 0, 5010, 10),
        shapely.box(0, 0, 1, 1), shapely.box(0, 0, 1000, 1000), None, shapely.Point(3, 3),
        shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)]), shapely.Polygon(),
        shapely.MultiPolygon([shapely.box(50, 50, 60, 60), shapely.box(350, 50, 360, 60)]),
        shapely.transform(shapely.box(0, 0, 9, 9), lambda xy: xy + np.inf),
    ]
)  # fmt: skip
ROWS = st.lists(
    st.tuples(
        SHAPES,
        st.sampled_from(["", "A1", "a1", " A1", "A,1", "A\n1", "B2", "Ａ1"]),
        st.sampled_from(["house", "House", "综合楼", "", "yes", "office"]),
        st.sampled_from(["", "6", "many", "1", "900", "6层"]),
        st.sampled_from(["", "-", "1990", "9999", "soon", "八十年代"]),
    ),
    max_size=8,
)


@given(ROWS, ROWS)
@settings(max_examples=60, deadline=None)
def test_every_row_and_value_is_accounted_for(one: list[tuple], other: list[tuple]) -> None:  # type: ignore[type-arg]
    layers = {
        name: table(
            [row[0] for row in rows],
            **{
                key: [row[n] for row in rows]
                for n, key in enumerate(("id", "use", "levels", "year"), 1)
            },
        )
        for name, rows in (("one", one), ("other", other))
    }  # fmt: skip
    kept, rejects, stated = standing(layers)
    assert not kept.get("building_id", pd.Series(dtype=str)).duplicated().any()
    for name, raw in layers.items():
        mine = kept[kept["source_name"] == name]
        balance(raw.row_count, 0, len(mine), rejects[name])  # raises where a row vanished
        rows = {*mine["source_row"], *rejects[name].left_out}
        assert rows == {str(number + 1) for number in range(raw.row_count)}
        # what the rejects explain is what the table holds: no value is lost without a word
        by_rejects = column_accounts(stated[name], rejects[name])
        counted = taken_counts(mine, list(FOOTPRINTS.columns))
        if len(mine):
            assert {column: by_rejects[column]["taken"] for column in counted} == counted


HOSPITALS = [(1900, 500), (2023, 500), (2000 + 4990, 500), (2000 + 5010, 500), (90_000, 500)]


def test_facilities_count_within_the_margin_whatever_their_format() -> None:
    """By hand: the study area ends at x = 2,000 m, so 6,990 m is within 5,000 m and 7,010 m is not."""
    reach = Reach(shapely.union_all(DISTRICTS.geometry.to_numpy()), 5000)
    points = [shapely.Point(xy) for xy in HOSPITALS]
    source = layer("amenities", amenity_type=["kind"], amenity_name=["name"])
    names = [f"h{number}" for number in range(5)]
    features = table(points, kind=["Hospital", "HOSPITAL ", *["hospital"] * 3], name=names)
    rejects = Rejects("layer")
    found = amenities_from_features(features, "layer", source, ["hospital"], CRS, reach, rejects)
    assert found["amenity_name"].tolist() == ["h0", "h1", "h2"]
    assert told(rejects) == [("4", "outside_reach"), ("5", "outside_reach")]
    balance(5, 0, len(found), rejects)
    xy = np.array(HOSPITALS, dtype=float)
    tags = {n + 1: {"amenity": "hospital", "name": names[n]} for n in range(5)}
    extract = OsmExtract(np.arange(1, 6), xy[:, 0], xy[:, 1], tags)
    osm_rejects = Rejects("osm")
    osm, _ = amenities_from_osm(
        extract, xy, "osm", source.model_copy(update={"columns": {"amenity_name": ["name"]}}),
        {"hospital": ["amenity=hospital"]}, 2026, CRS, reach, osm_rejects, set(),
    )  # fmt: skip
    assert osm["amenity_name"].tolist() == found["amenity_name"].tolist()
    assert told(osm_rejects) == [("node/4", "outside_reach"), ("node/5", "outside_reach")]


def test_streets_wholly_beyond_the_margin_are_told_and_those_that_lead_there_stay() -> None:
    reach = Reach(shapely.union_all(DISTRICTS.geometry.to_numpy()), 5000)
    xy = np.array([(1000.0, 0), (7500, 0), (8000, 0), (9000, 0)])
    ways = (
        OsmWay(1, (1, 2), {"highway": "footway"}),
        OsmWay(2, (2, 3), {"highway": "footway"}),
        OsmWay(3, (3, 4), {"natural": "water"}),
        OsmWay(4, (3, 99), {"highway": "steps"}),
        OsmWay(5, (99, 98), {"highway": "steps"}),
    )
    rejects = Rejects("streets")
    near = within_reach(
        OsmExtract(np.arange(1, 5), xy[:, 0], xy[:, 1], {}, ways), xy, reach, rejects
    )
    assert [way.id for way in near.ways] == [1, 3, 5]
    assert told(rejects) == [("way/2", "outside_reach"), ("way/4", "outside_reach")]


@pytest.mark.parametrize("kind", [[], ["hospital"]])
def test_no_position_is_told(kind: list[str]) -> None:
    reach = Reach(shapely.box(0, 0, 10, 10), 5000)
    rejects = Rejects("layer")
    source = layer("amenities", amenity_type=["kind"])
    features = table([None, shapely.Point()], kind=["hospital", "hospital"])
    found = amenities_from_features(features, "layer", source, kind, CRS, reach, rejects)
    assert not len(found)
    assert rejects.row_count == 2
