"""One town, its footprints in every form of CRS: the same ranking comes out, or a question."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS, Transformer

from pipeline.problem import Problem
from tests import crs_town
from tests.conftest import REPOSITORY

Write = Callable[[gpd.GeoDataFrame, Path], None]
BEIJING54_TO_WGS84 = (15.8, -154.4, -82.3)
"""EPSG:1247, as an example of three parameters; they hold in another part of China."""


def on_own_ellipsoid(crs: CRS) -> Callable[[Any, Any], Any]:
    """Return the way from the town's CRS that leaves longitude and latitude as WGS 84 has them."""
    to_degrees = Transformer.from_crs(crs_town.CRS, "EPSG:4326", always_xy=True)
    project = Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    return lambda x, y: project.transform(*to_degrees.transform(x, y))


def shapefile(crs: Any, prj: str | None = None, *, own: bool = False) -> Write:
    """Return how to write a shapefile whose .prj is a text; none: without one."""

    def write(houses: gpd.GeoDataFrame, folder: Path) -> None:
        via = on_own_ellipsoid(CRS.from_user_input(crs)) if own else None
        path = folder / "房屋.shp"
        crs_town.moved(houses, crs, via=via).to_file(path, encoding="utf-8")
        path.with_suffix(".prj").unlink(missing_ok=True)
        if prj:
            path.with_suffix(".prj").write_text(prj, encoding="utf-8")

    return write


def geojson(crs: Any, member: Any = None) -> Write:
    def write(houses: gpd.GeoDataFrame, folder: Path) -> None:
        path = folder / "房屋.geojson"
        moved = crs_town.moved(houses, crs)
        text = json.loads(moved.to_json(drop_id=True))
        text.pop("crs", None)
        if member is not None:
            text["crs"] = member
        path.write_text(json.dumps(text, ensure_ascii=False), encoding="utf-8")

    return write


def gdal(suffix: str, crs: Any, *, own: bool = False) -> Write:
    def write(houses: gpd.GeoDataFrame, folder: Path) -> None:
        via = on_own_ellipsoid(CRS.from_user_input(crs)) if own else None
        moved = crs_town.moved(houses, crs, via=via)
        path = folder / f"房屋{suffix}"
        moved.to_parquet(path) if suffix == ".parquet" else moved.to_file(path)

    return write


def undefined(number: int) -> Write:
    """Return how to write a GeoPackage with one of the standard's two undefined CRS."""

    def write(houses: gpd.GeoDataFrame, folder: Path) -> None:
        gdal(".gpkg", crs_town.CRS)(houses, folder)
        with sqlite3.connect(folder / "房屋.gpkg") as base:
            base.execute("update gpkg_contents set srs_id = ?", (number,))
            base.execute("update gpkg_geometry_columns set srs_id = ?", (number,))

    return write


def local(a: str = "6378137.0", rf: str = "298.257222101", **changes: object) -> str:
    """Return a .prj of a transverse Mercator; by default CGCS2000 / 3-degree, 108° E."""
    told = {
        "name": "CGCS2000_3_Degree_GK_CM_108E", "east": 500000.0, "north": 0.0, "middle": 108.0,
        "scale": 1.0, "unit": '"Meter",1.0', "datum": "D_China_2000",
    } | changes  # fmt: skip
    return (
        'PROJCS["{name}",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["{datum}",'
        'SPHEROID["CGCS2000",{a},{rf}]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
        'PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",{east}],PARAMETER["False_Northing",'
        '{north}],PARAMETER["Central_Meridian",{middle}],PARAMETER["Scale_Factor",{scale}],'
        'PARAMETER["Latitude_Of_Origin",0.0],UNIT[{unit}]]'
    ).format(a=a, rf=rf, **told)


def by_prj(text: str, *, own: bool = True) -> Write:
    return shapefile(text, text, own=own)


def bound(houses: gpd.GeoDataFrame, folder: Path) -> None:
    """Write Beijing 1954 with the three parameters to WGS-84 in the .prj itself."""
    shift = ",".join(map(str, (*BEIJING54_TO_WGS84, 0, 0, 0, 0)))
    plain = CRS("EPSG:2433").to_wkt("WKT1_GDAL")
    text = plain.replace(
        'SPHEROID["Krassowsky 1940",6378245,298.3,AUTHORITY["EPSG","7024"]]',
        f'SPHEROID["Krassowsky 1940",6378245,298.3,AUTHORITY["EPSG","7024"]],TOWGS84[{shift}]',
    )
    assert "TOWGS84" in text
    shapefile(text, text)(houses, folder)


RANKED, EITHER, ASKED = "ranked", "either", "asked"
LEGACY = {"type": "name", "properties": {"name": "EPSG:4545"}}
URN = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4545"}}
FORMS: dict[str, tuple[str, Write]] = {
    "number": (RANKED, gdal(".gpkg", "EPSG:4545")),
    "degrees of CGCS2000": (RANKED, gdal(".gpkg", "EPSG:4490")),
    "zone in the false easting": (RANKED, gdal(".gpkg", "EPSG:4524")),
    "six-degree zone": (RANKED, gdal(".fgb", "EPSG:4509")),
    "web mercator": (RANKED, gdal(".gpkg", "EPSG:3857")),
    "Esri's number": (RANKED, gdal(".gpkg", "ESRI:102025")),
    "compound": (RANKED, gdal(".gpkg", "EPSG:32648+5773")),
    "PROJJSON": (RANKED, gdal(".parquet", "EPSG:4545")),
    "PROJJSON of a local grid": (RANKED, gdal(".parquet", CRS(local(middle=106.5)), own=True)),
    "WKT1 of Esri": (RANKED, shapefile("EPSG:4545", CRS("EPSG:4545").to_wkt("WKT1_ESRI"))),
    "WKT1 of GDAL": (RANKED, shapefile("EPSG:4545", CRS("EPSG:4545").to_wkt("WKT1_GDAL"))),
    "WKT2": (RANKED, shapefile("EPSG:4545", CRS("EPSG:4545").to_wkt("WKT2_2019"))),
    "URN": (RANKED, geojson("EPSG:4545", URN)),
    "old crs member": (RANKED, geojson("EPSG:4545", LEGACY)),
    "GeoJSON in degrees": (RANKED, geojson("EPSG:4326")),
    "raised ellipsoid": (RANKED, by_prj(local(a="6378437.0"))),
    "raised ellipsoid called UTM": (
        RANKED,
        by_prj(CRS("EPSG:32648").to_wkt("WKT1_ESRI").replace("6378137.0", "6378437.0")),
    ),
    "raised ellipsoid in a GeoPackage": (
        RANKED, gdal(".gpkg", CRS(local(a="6378437.0")), own=True),
    ),
    "other meridian and origin by the same name": (
        RANKED, by_prj(local(middle=106.5, north=-3000000.0, east=50000.0)),
    ),
    "kilometres": (RANKED, by_prj(local(unit='"Kilometer",1000.0', east=500.0, name="X"))),
    "datum without a name": (RANKED, by_prj(local(datum="D_Unknown", name="Local"))),
    "TOWGS84": (RANKED, bound),
    "Beijing 1954": (ASKED, gdal(".gpkg", "EPSG:2433")),
    "Xian 1980": (ASKED, gdal(".gpkg", "EPSG:2383")),
    "a city's own datum": (ASKED, by_prj(local(a="6378245.0", rf="298.3", datum="D_Chongqing"))),
    "no .prj": (EITHER, shapefile("EPSG:4545")),
    "local .prj": (EITHER, shapefile("EPSG:4545", 'LOCAL_CS["x",UNIT["Meter",1.0]]')),
    "GeoJSON in metres": (EITHER, geojson("EPSG:4545")),
    "undefined Cartesian": (EITHER, undefined(-1)),
    "undefined geographic": (EITHER, undefined(0)),
}  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """A project's config beside streets and terrain, and the ranking in the town's own CRS."""
    root = tmp_path_factory.mktemp("town")
    shutil.copytree(REPOSITORY / "config", root / "config")
    crs_town.write_others(root / "others")
    raw = root / "right"
    shutil.copytree(root / "others", raw)
    crs_town.houses().to_file(raw / "房屋.gpkg")
    settings, _ = crs_town.profile_of(raw, root / "config", "right")
    assert settings is not None
    found = crs_town.ranking(raw, settings)
    assert len(found) == crs_town.COUNT
    assert found["slope_deg"].between(8.52, 8.54).all()  # atan 0.15
    return root, found


@pytest.mark.parametrize("form", FORMS)
def test_the_same_town_in_any_crs_is_ranked_alike_or_asked_about(
    form: str, town: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    root, right = town
    wanted, write = FORMS[form]
    raw = tmp_path / "raw"
    shutil.copytree(root / "others", raw)
    write(crs_town.houses(), raw)
    settings, asked = crs_town.profile_of(raw, root / "config", "told")
    about = [one for one in asked if "房屋" in one]
    if settings is None:
        assert wanted != RANKED and about
        return
    try:
        found = crs_town.ranking(raw, settings)
    except Problem as problem:
        assert wanted == ASKED, problem.text()
        # whoever read what new-city said has been told of it
        assert any("transformation from its datum" in one for one in about)
        assert "no transformation from its datum" in problem.text()
        return
    assert wanted != ASKED
    if wanted == EITHER:
        assert any("does not state its CRS" in one for one in about)
    off_m = ((found[["longitude", "latitude"]] - right[["longitude", "latitude"]]) * 111e3).abs()
    assert off_m.max().max() < 1.0, f"{settings.sources['footprints'].crs}"
    pd.testing.assert_series_equal(found["rank"], right["rank"])
    pd.testing.assert_series_equal(found["score_points"], right["score_points"], atol=0.05, rtol=0)


def test_a_datum_is_ranked_once_a_person_states_its_parameters(
    town: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    root, right = town
    raw = tmp_path / "raw"
    shutil.copytree(root / "others", raw)
    houses = crs_town.houses()
    shift = ",".join(map(str, BEIJING54_TO_WGS84))
    there = CRS(
        f"+proj=tmerc +lon_0=108 +x_0=500000 +ellps=krass +towgs84={shift} +units=m +type=crs"
    )
    via = Transformer.from_crs(crs_town.CRS, there, always_xy=True).transform
    crs_town.moved(houses, "EPSG:2433", via=via).to_file(raw / "房屋.gpkg")
    settings, _ = crs_town.profile_of(raw, root / "config", "told")
    assert settings is not None
    source = settings.sources["footprints"]
    assert (source.crs, source.datum) == ("EPSG:2433", "of_crs")
    stated = source.model_copy(update={"towgs84": list(BEIJING54_TO_WGS84)})
    sources = {**settings.sources, "footprints": stated}
    found = crs_town.ranking(raw, settings.model_copy(update={"sources": sources}))
    pd.testing.assert_series_equal(found["rank"], right["rank"])
    off_m = ((found[["longitude", "latitude"]] - right[["longitude", "latitude"]]) * 111e3).abs()
    assert off_m.max().max() < 0.01


def test_a_footprint_at_zero_zero_is_told_and_stretches_nothing(
    town: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    root, right = town
    raw = tmp_path / "raw"
    shutil.copytree(root / "others", raw)
    houses = crs_town.moved(crs_town.houses(), "EPSG:4326")
    places = houses.geometry.to_numpy().copy()
    lost = {"YZ0005": (0.0, 0.0), "YZ0031": (116.4, 39.9)}  # one in Beijing
    for key, (x, y) in lost.items():
        number = int(houses.index[houses["bldg_id"] == key][0])
        places[number] = shapely.box(x, y, x + 0.0002, y + 0.0001)
    houses.set_geometry(places, crs="EPSG:4326").to_file(raw / "房屋.gpkg")
    settings, asked = crs_town.profile_of(raw, root / "config", "told")
    assert settings is not None and settings.city.crs == crs_town.CRS
    assert any("2 of 56 features lie far from all others" in one for one in asked)
    found = crs_town.ranking(raw, settings)
    assert sorted(set(right.index) - set(found.index)) == sorted(lost)
    kept = right.loc[found.index]
    pd.testing.assert_series_equal(found["main_road_walk_m"], kept["main_road_walk_m"], atol=0.1)
    assert found.attrs["rejects"] == {"misplaced_feature": 2}


def test_a_working_crs_that_falsifies_lengths_is_refused(
    town: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    """Web Mercator makes everything 15 % longer at 29.6° N."""
    root, _ = town
    raw = root / "right"
    settings, _ = crs_town.profile_of(raw, root / "config", "right")
    assert settings is not None
    told = {"EPSG:3857": "lengths 1.15", "EPSG:2433": "Beijing 1954", "EPSG:4326": "is in degrees"}
    for code, said in told.items():
        city = settings.city.model_copy(update={"crs": code})
        with pytest.raises(Problem, match=said):
            crs_town.ranking(raw, settings.model_copy(update={"city": city}))


EXCHANGED = "its axes are exchanged"
ELSEWHERE = r"where the city does|usable building|covers 0\.0% of the buildings|makes lengths"
LAYERS = ("房屋.gpkg", "道路.gpkg")


def in_front(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    zone = np.array([36e6, 0.0])
    return redrawn(crs_town.moved(frame, "EPSG:4545"), lambda xy: xy + zone)


SPOILT: dict[str, tuple[str, Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]]] = {
    "latitude before longitude": (EXCHANGED, lambda frame: redrawn(
        crs_town.moved(frame, "EPSG:4326"), lambda xy: xy[:, ::-1])),
    "the next zone": (ELSEWHERE, lambda frame: frame.set_crs("EPSG:32649", allow_override=True)),
    "zone number in front, of a CRS without": (ELSEWHERE, in_front),
    "feet": (ELSEWHERE, lambda frame: redrawn(frame, lambda xy: xy / 0.3048)),
}  # fmt: skip


def redrawn(frame: gpd.GeoDataFrame, change: Callable[[Any], Any]) -> gpd.GeoDataFrame:
    shapes = shapely.transform(frame.geometry.to_numpy(), change)
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_layer_read_the_wrong_way_stops_with_what_to_correct(
    spoilt: str, layer: str, town: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    """The other layers lie right; nothing is ranked without this one, and no traceback ends it."""
    root, _ = town
    said, change = SPOILT[spoilt]
    raw = tmp_path / "raw"
    shutil.copytree(root / "right", raw)
    frame = change(gpd.read_file(raw / layer))
    (raw / layer).unlink()
    frame.to_file(raw / layer)
    settings, asked = crs_town.profile_of(raw, root / "config", "told")
    assert settings is not None
    assert said != EXCHANGED or any(EXCHANGED in one and layer in one for one in asked)
    with pytest.raises(Problem, match=said) as stop:
        crs_town.ranking(raw, settings)
    assert stop.value.fix


@pytest.mark.parametrize("change", ["heights on the shapes", "each layer in its own CRS"])
def test_what_says_where_it_lies_is_ranked_alike(
    change: str, town: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    root, right = town
    raw = tmp_path / "raw"
    shutil.copytree(root / "right", raw)
    for layer, crs in zip(LAYERS, ("EPSG:4545", "EPSG:4490"), strict=True):
        frame = gpd.read_file(raw / layer)
        (raw / layer).unlink()
        if change == "heights on the shapes":
            frame = frame.set_geometry(
                gpd.GeoSeries(shapely.force_3d(frame.geometry.to_numpy(), 250.0), crs=frame.crs)
            )
        else:
            frame = crs_town.moved(frame, crs)
        frame.to_file(raw / layer)
    settings, _ = crs_town.profile_of(raw, root / "config", "told")
    assert settings is not None
    found = crs_town.ranking(raw, settings)
    pd.testing.assert_series_equal(found["rank"], right["rank"])
