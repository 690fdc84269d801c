"""Which source's year counts; every expected value worked out by hand."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.contracts.raw import FeatureTable
from pipeline.geo.raster import Raster
from pipeline.intake.rejects import Rejects
from pipeline.intake.year_sources import YearSources
from pipeline.settings.city import Source
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

RULE = read_settings(REPOSITORY / "config", "reference", "base").intake.years


def town(texts: list[str | None]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "building_id": [f"B{n}" for n in range(len(texts))],
            "source_name": "osm",
            "source_row": [f"way/{n}" for n in range(len(texts))],
            "estate_id": pd.Series(["E1"] * len(texts), dtype="str"),
            "construction_year_text": pd.Series(texts, dtype=object),
        },
        geometry=[shapely.box(x, 0, x + 1, 1) for x in range(0, 10 * len(texts), 10)],
        crs="EPSG:32648",
    )


def estates(year: str, listed: str) -> tuple[FeatureTable, Source]:
    fields = pd.DataFrame({"id": ["E1"], "y": [year], "l": [listed]}, dtype="str")
    columns = {"estate_id": ["id"], "construction_year_text": ["y"], "listing_year": ["l"]}
    source = Source(
        path="x", role="estates", format="geojson", datum="wgs84", crs="EPSG:4326", encoding=None,
        columns=columns, publisher="p", licence="l", attribution="a", date="2026",
    )  # fmt: skip
    return FeatureTable(fields, np.array([shapely.box(0, 0, 1, 1)], dtype=object)), source


def rejects() -> dict[str, Rejects]:
    return {name: Rejects(name) for name in ("osm", "register", "estates", "raster")}


def test_the_register_counts_and_the_contradiction_is_told_not_averaged() -> None:
    told, own = rejects(), town(["1990", "1990", None])
    sources = YearSources(own, RULE)
    after = own.assign(construction_year_text=["1975", "hello", "八十年代"])
    sources.add_register("register", after)
    found = sources.fused(after, told)
    assert found["construction_year"].tolist() == [1975, 1990, 1984]
    assert found["construction_year_origin"].tolist() == ["recorded", "recorded", "vague"]
    assert found["construction_year_source_name"].tolist() == ["register", "osm", "register"]
    assert [record[0] for record in told["osm"].records] == ["way/0"]
    assert told["osm"].counts("notice") == {"year_contradicted": 1}


def test_an_estate_s_record_goes_before_the_footprint_and_a_listing_after_it() -> None:
    told, own = rejects(), town(["1990", None])
    sources = YearSources(own, RULE)
    sources.add_estates("estates", *estates("", "2003"), own, told["estates"])
    found = sources.fused(own, told)
    assert found["construction_year"].tolist() == [1990, 2003]
    assert found["construction_year_low"].tolist() == [1990, 1998]
    assert found["construction_year_origin"].tolist() == ["recorded", "vague"]
    sources = YearSources(own, RULE)
    sources.add_estates("estates", *estates("1988", ""), own, told["estates"])
    found = sources.fused(own, told)
    assert found["construction_year"].tolist() == [1988, 1988]
    assert found["construction_year_high"].tolist() == [1990, 1990]


def test_a_raster_bounds_the_year_from_below_only_and_is_blind_before_1985() -> None:
    told, own = rejects(), town([None, None, "1980"])
    sources = YearSources(own, RULE)
    years = np.array([[1999, 1985, 1999]], dtype=np.float32)
    sources.add_built_up("raster", Raster(years, 0, 10, 10, "EPSG:32648"), own)
    found = sources.fused(own, told)
    assert found["construction_year_origin"].tolist() == ["bounded", "unknown", "recorded"]
    assert found["construction_year_low"].tolist() == [1996, None, 1980]
    assert found["construction_year"].tolist() == [None, None, 1980]
    assert told["raster"].counts("notice") == {"year_contradicted": 1}
