"""CRS compared by their parameters, and which datums have a known way to WGS-84."""

from pathlib import Path

import numpy as np
import pytest
from pyproj import CRS

from pipeline.geo.crs import differences, horizontal, length_scale, parsed, stated, way_to_wgs84
from pipeline.geo.strays import main_bounds, strays
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.placement import refuse_other_crs, refuse_unknown_way

CHONGQING, LISBON = (106.5, 29.5, 106.6, 29.6), (-9.3, 38.6, -9.1, 38.8)
RAISED = (
    'PROJCS["CGCS2000_3_Degree_GK_CM_108E",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",'
    'DATUM["D_China_2000",SPHEROID["CGCS2000",6378437.0,298.257222101]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],'
    'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",108.0],PARAMETER["Scale_Factor",1.0],'
    'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)


def source(**changes: object) -> Source:
    whole = {
        "path": "x.shp", "role": "footprints", "format": "shapefile", "datum": "cgcs2000",
        "crs": "EPSG:4545", "encoding": "gbk", "publisher": "nobody", "licence": "CC0",
        "attribution": "none", "date": "2026",
    }  # fmt: skip
    return Source.model_validate(whole | changes)


@pytest.mark.parametrize(
    "code",
    ["EPSG:4326", "EPSG:4490", "EPSG:4545", "EPSG:4524", "EPSG:32719", "EPSG:3857", "EPSG:3035",
     "EPSG:2227", "EPSG:2154", "EPSG:27700", "EPSG:2056", "EPSG:5514", "EPSG:6677", "EPSG:20790",
     "EPSG:2433", "ESRI:102025"],
)  # fmt: skip
@pytest.mark.parametrize("version", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"])
def test_every_writing_of_a_crs_is_the_code_it_was_written_from(code: str, version: str) -> None:
    crs = CRS.from_user_input(code)
    text = CRS.from_wkt(crs.to_wkt(version))
    assert differences(text, crs, strict=True) == []
    assert stated(text) == code


def test_one_name_with_other_parameters_is_another_crs() -> None:
    other = CRS.from_wkt(RAISED)
    assert differences(other, CRS("EPSG:4545")) == ["semi-major axis 6378437 m, not 6378137 m"]
    text = stated(other)
    assert "6378437" in text
    assert differences(CRS.from_wkt(text), other, strict=True) == []
    shifted = RAISED.replace("6378437.0", "6378137.0").replace("108.0", "106.5", 1)
    shifted = shifted.replace('False_Northing",0.0', 'False_Northing",-3000000.0')
    assert differences(CRS.from_wkt(shifted), CRS("EPSG:4545")) == [
        "false northing -3000000 m, not 0 m",
        "longitude of natural origin 106.5°, not 108°",
    ]
    with pytest.raises(Problem, match=r"semi-major axis 6378437 m, not 6378137 m") as told:
        refuse_other_crs(Path("x.shp"), "footprints", source(), other)
    assert "called like EPSG:4545, it is another" in told.value.found
    assert "6378437" in told.value.fix


def test_datums_on_one_ellipsoid_are_not_one() -> None:
    """ED50 and Lisbon both stand on Hayford's ellipsoid, some 200 m apart."""
    told = differences(CRS("EPSG:4230"), CRS("EPSG:4207"))
    assert told == ["datum 'European Datum 1950', not 'Lisbon 1937'"]


def test_parts_that_are_no_place_count_as_none() -> None:
    local = CRS.from_wkt('LOCAL_CS["Undefined Cartesian SRS",UNIT["Meter",1]]')
    undefined = CRS.from_wkt(
        'GEOGCS["Undefined geographic SRS",DATUM["unknown",SPHEROID["unknown",6378137,298.257223563]],'
        'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]'
    )
    for crs in (local, undefined, CRS("EPSG:5773"), None):
        assert horizontal(crs) is None and stated(crs) == ""
    assert stated(CRS("EPSG:32648+5773")) == "EPSG:32648"
    assert stated(CRS("EPSG:4979")) == "EPSG:4326"
    refuse_other_crs(Path("x.gpkg"), "footprints", source(), local)
    for text in ("EPSG:99999", "EPSG:5773", "PROJCS[nonsense]"):
        with pytest.raises(ValueError, match=r"."):
            parsed(text)


@pytest.mark.parametrize(
    ("code", "around"),
    [("EPSG:4326", CHONGQING), ("EPSG:4490", CHONGQING), ("EPSG:4545", CHONGQING),
     ("EPSG:3035", LISBON), ("EPSG:3763", LISBON), ("EPSG:31983", (-43.3, -23, -43.1, -22.8)),
     ("EPSG:26910", (-122.5, 37.7, -122.3, 37.9)), ("EPSG:6677", (139.6, 35.5, 139.9, 35.8)),
     ("EPSG:7856", (151, -34, 151.2, -33.8)), ("EPSG:3826", (121, 25, 121.2, 25.2)),
     ("EPSG:5186", (127, 37.4, 127.2, 37.6))],
)  # fmt: skip
def test_geocentric_datums_raise_no_alarm(
    code: str, around: tuple[float, float, float, float]
) -> None:
    way = way_to_wgs84(CRS(code), around)
    assert way.is_known and not way.note
    assert way.accuracy_m is not None and way.accuracy_m <= 4


def test_datums_without_a_published_way_are_unknown_and_others_say_how_good_theirs_is() -> None:
    for code in ("EPSG:2433", "EPSG:4610", "EPSG:2383", "EPSG:4555"):
        assert not way_to_wgs84(CRS(code), CHONGQING).is_known, code
        assert way_to_wgs84(CRS(code), CHONGQING).name in (
            "Beijing 1954",
            "Xian 1980",
            "New Beijing",
        )
    for code, datum in (
        ("EPSG:23029", "European"),
        ("EPSG:27493", "Datum 73"),
        ("EPSG:20790", "Lisbon"),
    ):
        way = way_to_wgs84(CRS(code), LISBON)
        assert way.is_known and datum in way.note and way.accuracy_m is not None
        assert 1 <= way.accuracy_m <= 5
    raised = way_to_wgs84(CRS.from_wkt(RAISED), CHONGQING)
    assert raised.is_known and "raised by 300 m" in raised.note
    krassowsky = CRS.from_wkt(RAISED.replace("6378437.0,298.257222101", "6378545.0,298.3"))
    assert not way_to_wgs84(krassowsky, CHONGQING).is_known
    # the placeholder of zeros is no transformation
    zeros = (
        "+proj=tmerc +lon_0=108 +x_0=500000 +ellps=krass +towgs84=0,0,0,0,0,0,0 +units=m +type=crs"
    )
    with pytest.raises(Problem, match="no transformation from its datum"):
        refuse_unknown_way(Path("x.shp"), "a", source(crs=zeros), (353e3, 3269e3, 362e3, 3273e3))
    told = source(crs="EPSG:2433", towgs84=[15.8, -154.4, -82.3])
    refuse_unknown_way(Path("x.shp"), "a", told, (353e3, 3269e3, 362e3, 3273e3))


def test_web_mercator_makes_lengths_too_long() -> None:
    """By 1 / cos φ: 1.15 at 29.56°."""
    assert length_scale(parsed("EPSG:3857"), 106.55, 29.56) == pytest.approx(
        1 / np.cos(np.radians(29.56)), rel=0.003
    )
    assert length_scale(parsed("EPSG:32648"), 106.55, 29.56) == pytest.approx(0.9999, abs=3e-4)


def test_a_few_features_far_away_are_strays_and_a_second_town_is_none() -> None:
    random = np.random.default_rng(3)
    town = random.uniform(0, 4000, (60, 2)) + np.array([651_000, 3_271_000])
    far = np.vstack([town, [[0, 0]], [[400_000, 4_400_000]]])
    assert strays(far).tolist() == [False] * 60 + [True, True]
    hamlet = np.vstack([town, town[:2] + np.array([9_000, 0])])
    assert not strays(hamlet).any()
    other_town = np.vstack([town, town[:20] + np.array([300_000, 0])])
    assert not strays(other_town).any()
    assert not strays(np.array([[0.0, 0.0], [1e6, 0.0]])).any()
    degrees = np.column_stack([random.uniform(106.5, 106.6, 60), random.uniform(29.5, 29.6, 60)])
    edges = np.vstack([np.hstack([degrees, degrees]), [[0, 0, 0.0001, 0.0001]], [[np.nan] * 4]])
    west, south, east, north = main_bounds(edges)
    assert 106.5 <= west < east <= 106.6 and 29.5 <= south < north <= 29.6
