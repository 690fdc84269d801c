"""The same town in every format makes the same tables, whatever the format."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.warp import Resampling, calculate_default_transform, reproject

from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import AMENITIES, BUILDINGS, DISTRICTS, STREET_EDGES, STREET_NODES
from pipeline.intake.stage import run
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_settings
from pipeline.store.sources import read_sources
from tests.conftest import REPOSITORY, Project
from tests.minitown import formats, make

LAYERS = {
    "boundary": (formats.district, "boundary", {"district_name": ["名称"]}),
    "buildings": (
        formats.buildings, "footprints", {ours: [theirs] for ours, theirs in formats.FIELDS.items()},
    ),
    "pois": (
        formats.facilities, "amenities",
        {"amenity_id": ["编号"], "amenity_type": ["类别"], "amenity_name": ["名称"]},
    ),
}  # fmt: skip
ORIGIN = {"publisher": "nobody", "licence": "CC0", "attribution": "© nobody", "date": "2026"}


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings]:
    project = Project(tmp_path_factory.mktemp("formats") / "project")
    (project.root / "config" / "cities" / "minitown.yaml").write_text(make.profile(), "utf-8")
    make.write(project.raw)
    return project.raw, read_settings(project.root / "config", "minitown", "base")


def _source(role: str, told: Mapping[str, Any], columns: Mapping[str, list[str]]) -> Source:
    whole = {"role": role, "datum": "wgs84", "crs": "EPSG:4326", "encoding": None, **ORIGIN, **told}
    whole["columns"] = {**columns, **told.get("columns", {})}
    return Source.model_validate(whole)


def exported(raw: Path, settings: Settings, kind: str) -> Settings:
    """Write Minitown's layers in a format and return the settings that read them."""
    folder = raw / kind.replace(" ", "_")
    folder.mkdir(exist_ok=True)
    sources = dict(settings.sources)
    for stem, (layer, role, columns) in LAYERS.items():
        told = formats.EXPORTS[kind](layer(), folder, stem)
        told["path"] = f"{folder.name}/{told['path']}"
        sources[stem] = _source(role, told, columns)
    return settings.model_copy(update={"sources": sources})


def intake(raw: Path, settings: Settings) -> Outputs:
    read = read_sources(raw, settings.sources, settings.city.crs, settings.intake.region_margin_m)
    return run(Inputs({}, read, {}, settings, {}, ""))


def tables(outputs: Outputs) -> dict[str, pd.DataFrame]:
    """Return what must not depend on the format: all but the number of the row."""
    wanted = (DISTRICTS, BUILDINGS, AMENITIES, STREET_EDGES)
    frames = {table.name: outputs.tables[table] for table in wanted}
    return {
        name: frame.drop(columns="source_row", errors="ignore")
        .sort_values(str(frame.columns[0]))
        .reset_index(drop=True)
        for name, frame in frames.items()
    }


def _same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name, frame in one.items():
        if isinstance(frame, gpd.GeoDataFrame):
            # a File Geodatabase, KML and MapInfo round coordinates, below a millimetre
            apart = shapely.hausdorff_distance(frame.geometry, other[name].geometry)
            assert (apart < 1e-3).all(), name
            frame, two = frame.drop(columns="geometry"), other[name].drop(columns="geometry")
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(two))


@pytest.fixture(scope="session")
def plain(town: tuple[Path, Settings]) -> dict[str, pd.DataFrame]:
    found = tables(intake(town[0], exported(*town, "geojson")))
    assert len(found["buildings"]) == 32
    assert found["amenities"]["amenity_type"].tolist().count("convenience_shop") == 6
    return found


@pytest.mark.parametrize("kind", sorted(set(formats.EXPORTS) - {"geojson"}))
def test_every_format_makes_the_same_tables(
    kind: str, town: tuple[Path, Settings], plain: dict[str, pd.DataFrame]
) -> None:
    found = tables(intake(town[0], exported(*town, kind)))
    assert found.keys() == plain.keys()
    _same(plain, found)


def test_a_region_as_pbf_is_cut_to_the_town(town: tuple[Path, Settings]) -> None:
    raw, settings = town
    before = tables(intake(raw, settings))
    formats.write_pbf(raw / "region.osm.pbf", make.streets(), far_away=500)
    formats.write_pbf(raw / "buildings.osm.pbf", make.buildings())
    changed = {
        name: settings.sources[name].model_copy(
            update={"path": path, "format": "osm_pbf", "encoding": None}
        )
        for name, path in (("streets", "region.osm.pbf"), ("buildings", "buildings.osm.pbf"))
    }
    whole = settings.model_copy(update={"sources": {**settings.sources, **changed}})
    after = intake(raw, whole)
    assert after.ledger["sources"]["streets"]["rows_in"] < 50
    found = tables(after)
    edges = ["edge_id", "from_node_id", "to_node_id", "structure_type", "road_name"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(before["street_edges"][edges]), pd.DataFrame(found["street_edges"][edges])
    )
    assert np.allclose(before["street_edges"].length, found["street_edges"].length, atol=0.02)
    assert before["buildings"]["building_id"].tolist() == found["buildings"]["building_id"].tolist()
    everything = read_sources(raw, {"streets": changed["streets"]}, settings.city.crs, 1.0)
    assert len(everything["streets"].ways) == 6 + 499


@pytest.mark.parametrize("kind", ["geojson", "shapefile in GBK without .cpg", "csv"])
def test_streets_kept_as_lines_make_the_same_network(
    kind: str, town: tuple[Path, Settings]
) -> None:
    raw, settings = town
    lines = formats.streets()
    folder = raw / f"streets_{kind.replace(' ', '_')}"
    folder.mkdir()
    told = formats.EXPORTS[kind](lines, folder, "streets")
    columns = {
        "highway_type": ["等级"],
        "road_name": ["路名"],
        "bridge": ["桥"],
        "access": ["准入"],
    }
    source = _source("streets", told | {"path": f"{folder.name}/{told['path']}"}, columns)
    words = {"highway_type": {"主干路": "primary", "梯道": "steps"}}
    source = source.model_copy(update={"values": words})
    whole = settings.model_copy(update={"sources": {**settings.sources, "streets": source}})
    before, after = intake(raw, settings), intake(raw, whole)
    shown = ["highway_type", "structure_type", "road_name", "is_main_road"]
    both = [
        outputs.tables[STREET_EDGES].assign(length=lambda t: t.length.round(1))
        for outputs in (before, after)
    ]
    one, two = (
        edges[[*shown, "length"]].sort_values([*shown, "length"]).reset_index(drop=True)
        for edges in both
    )
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(two))
    assert len(both[1]) == 6
    assert len(before.tables[STREET_NODES]) == len(after.tables[STREET_NODES])


def test_tiles_of_a_terrain_model_are_one_model(town: tuple[Path, Settings]) -> None:
    raw, settings = town
    whole = read_sources(raw, {"terrain": settings.sources["terrain"]}, make.CRS, 1.0)["terrain"]
    (raw / "dem").mkdir()
    with rasterio.open(raw / "terrain.tif") as file:
        for number, (row, column) in enumerate([(0, 0), (0, 40), (40, 0), (40, 40)]):
            window = rasterio.windows.Window(column, row, 40, 40)
            meta = file.profile | {
                "width": 40, "height": 40, "transform": file.window_transform(window),
            }  # fmt: skip
            with rasterio.open(raw / "dem" / f"tile{number}.tif", "w", **meta) as tile:
                tile.write(file.read(1, window=window), 1)
    tiles = settings.sources["terrain"].model_copy(update={"path": "dem/*.tif"})
    mosaic = read_sources(raw, {"terrain": tiles}, make.CRS, 1.0)["terrain"]
    assert np.array_equal(mosaic.values, whole.values)
    assert mosaic.bounds == whole.bounds


def test_a_terrain_model_in_degrees_is_brought_into_the_working_crs(
    town: tuple[Path, Settings],
) -> None:
    raw, settings = town
    plain = read_sources(raw, {"terrain": settings.sources["terrain"]}, make.CRS, 1.0)["terrain"]
    with rasterio.open(raw / "terrain.tif") as file:
        grid, width, height = calculate_default_transform(
            file.crs, "EPSG:4326", file.width, file.height, *file.bounds, resolution=(2e-4, 1.5e-4)
        )
        there = np.full((height, width), np.nan, np.float32)
        reproject(
            rasterio.band(file, 1), there, dst_transform=grid, dst_crs="EPSG:4326",
            dst_nodata=np.nan, resampling=Resampling.bilinear,
        )  # fmt: skip
    with rasterio.open(
        raw / "degrees.tif", "w", driver="GTiff", width=width, height=height, count=1,
        dtype="float32", crs="EPSG:4326", transform=grid, nodata=np.nan,
    ) as out:  # fmt: skip
        out.write(there, 1)
    source = settings.sources["terrain"].model_copy(
        update={"path": "degrees.tif", "crs": "EPSG:4326"}
    )
    found = read_sources(raw, {"terrain": source}, make.CRS, 1.0)["terrain"]
    assert found.crs == make.CRS
    x, y = make.ORIGIN[0] + np.linspace(-300, 300, 20), make.ORIGIN[1] + np.linspace(-400, 400, 20)
    from pipeline.geo.raster import bilinear

    assert np.abs(bilinear(found, x, y) - bilinear(plain, x, y)).max() < 1.0


def test_a_file_of_several_layers_asks_for_one(town: tuple[Path, Settings]) -> None:
    raw, settings = town
    whole = exported(raw, settings, "geopackage of several layers")
    source = whole.sources["buildings"].model_copy(update={"layer": None})
    with pytest.raises(Problem, match=r"holds 3 layers: .*图层"):
        read_sources(raw, {"buildings": source}, make.CRS, 1.0)
    source = source.model_copy(update={"layer": "nope"})
    with pytest.raises(Problem, match="has no layer 'nope'"):
        read_sources(raw, {"buildings": source}, make.CRS, 1.0)


def test_the_repository_profiles_need_no_new_key() -> None:
    for city in ("reference", "yuzhong"):
        assert read_settings(REPOSITORY / "config", city, "base").sources


def test_street_layers_meet_where_they_touch(town: tuple[Path, Settings]) -> None:
    raw, settings = town
    lines = formats.streets()
    sources = dict(settings.sources)
    for name, part in (("streets", lines.iloc[:1]), ("steps", lines.iloc[1:3])):
        told = dict(formats.EXPORTS["geojson"](part, raw, f"only_{name}"))
        told["values"] = {"highway_type": {"主干路": "primary", "梯道": "steps"}}
        sources[name] = _source("streets", told, {"highway_type": ["等级"], "road_name": ["路名"]})
    edges = intake(raw, settings.model_copy(update={"sources": sources})).tables[STREET_EDGES]
    main, steps = (
        set(part["from_node_id"]) | set(part["to_node_id"])
        for part in (edges[edges["road_name"] == "山脚路"], edges[edges["road_name"] == "十八梯"])
    )
    assert len(main & steps) == 1
    assert edges["edge_id"].is_unique
