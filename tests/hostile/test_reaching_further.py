"""Files that try to reach further: each is refused by name, nothing else is opened, nobody is asked."""

import os
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from pipeline.contracts.raw import FeatureTable
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store import fence
from pipeline.store.gdal_drivers import open_raster
from pipeline.store.looks import look_into
from pipeline.store.replies import read_json
from pipeline.store.sources import read_source
from pipeline.store.study_area import StudyArea
from pipeline.store.vectors import read_features
from tests.conftest import real_data

SECRET = "must never be read"
PORT = 18080
FORMATS = {
    ".shp": "shapefile", ".geojson": "geojson", ".gpkg": "geopackage", ".fgb": "flatgeobuf",
    ".kml": "kml", ".kmz": "kml", ".gml": "gml", ".tab": "mapinfo_tab", ".mif": "mapinfo_mif",
    ".dxf": "dxf", ".topojson": "topojson", ".parquet": "geoparquet", ".gdb": "file_geodatabase",
}  # fmt: skip


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Serve on the loopback whatever is asked for, and note it."""
    found: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.append(self.path)
            self.send_response(404)
            self.end_headers()

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    ThreadingHTTPServer.allow_reuse_address = True
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def read(path: Path, kind: str = "", **changes: object) -> FeatureTable:
    told = {
        "path": path.name, "role": "amenities", "format": kind or FORMATS[path.suffix.lower()],
        "datum": "wgs84", "crs": "EPSG:4326", "encoding": None, "publisher": "nobody",
        "licence": "CC0", "attribution": "none", "date": "2026",
    }  # fmt: skip
    return read_features(path, "x", Source.model_validate(told | changes))


def houses(count: int = 3) -> gpd.GeoDataFrame:
    shapes = [shapely.box(106.5 + n / 100, 29.5, 106.505 + n / 100, 29.505) for n in range(count)]
    rows = {"building": ["apartments"] * count}
    return gpd.GeoDataFrame(rows, geometry=shapes, crs="EPSG:4326")


def is_refused(path: Path, words: str, kind: str = "", **changes: object) -> bool:
    """Return whether the message that reading ends in has these words and the file's name."""
    with pytest.raises(Problem) as told:
        read(path, kind, **changes)
    return re.search(words, str(told.value)) is not None and path.name in str(told.value)


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("fuzz_fgb_segfault", "cannot be read as flatgeobuf"),
        ("fuzz_zip_empty_member_name", "without a proper name"),
        ("gdal_geojson_crs_link", "its crs is a link"),
        ("gdal_geojson_gdalg_file", "GDAL pipeline"),
        ("gdal_geojson_gdalg_net", "GDAL pipeline"),
        ("gdal_gpkg_as_vrt_plain", "virtual file"),
        ("gdal_tif_vrt_file", "virtual file"),
        ("gdal_tif_wcs", "web coverage service"),
        ("gdal_tif_wmts", "web map service"),
        ("gdal_zip_gpkg_vrt_file", "virtual file"),
        ("gdal_zip_gpkg_vrt_net", "virtual file"),
        ("gpkg_endless_view", "its view v calls itself"),
        ("gpkg_wal", "x.gpkg-wal beside it holds changes"),
    ],
)
def test_every_file_of_the_collection_is_refused(
    folder: str, words: str, asked: list[str], tmp_path: Path
) -> None:
    place = tmp_path / folder
    shutil.copytree(real_data("hostile") / folder, place, copy_function=shutil.copyfile)
    place.chmod(0o755)
    shutil.copyfile(real_data("hostile") / "secret.geojson", tmp_path / "secret.geojson")
    (path,) = (
        one for one in sorted(place.iterdir())
        if not one.name.endswith((".txt", ".xml", "-wal"))
    )  # fmt: skip
    if path.suffix == ".tif":
        with pytest.raises(Problem, match=words) as told:
            open_raster(path)
        assert "x.tif" in str(told.value)
    else:
        kinds = {"pois.zip": "shapefile", "a.zip": "geopackage"}
        assert is_refused(path, words, kinds.get(path.name, ""))
    with pytest.raises(Problem) as told:  # new-city looks at it too
        look_into(place)
    assert path.name in str(told.value)
    assert SECRET not in str(told.value)
    assert asked == []


VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{source}</SrcDataSource>'
    "</OGRVRTLayer></OGRVRTDataSource>"
)
RASTER_VRT = (
    '<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Float32" band="1">'
    "<SimpleSource><SourceFilename>{source}</SourceFilename><SourceBand>1</SourceBand>"
    "</SimpleSource></VRTRasterBand></VRTDataset>"
)
URL = f"/vsicurl/http://127.0.0.1:{PORT}/secret.geojson"


@pytest.mark.parametrize("ending", sorted(set(FORMATS) - {".gdb", ".kmz"}))
@pytest.mark.parametrize(
    "before", ["", "\ufeff", "\n\t ", "<!-- kml gml -->", "<?xml version='1.0'?>"]
)
def test_a_virtual_file_is_no_layer_whatever_its_name(
    ending: str, before: str, asked: list[str], tmp_path: Path
) -> None:
    path = tmp_path / f"x{ending}"
    for source in (str(secret(tmp_path)), URL):
        path.write_text(before + VRT.format(source=source), encoding="utf-8")
        assert is_refused(path, "virtual file")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(path, f"数据/{path.name}")
    if ending != ".parquet":
        assert is_refused(tmp_path / "x.zip", "virtual file", FORMATS[ending])
    assert asked == []


def secret(folder: Path) -> Path:
    path = folder / "secret.geojson"
    houses().assign(building=SECRET).to_file(path)
    return path


def test_a_description_in_utf16_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.geojson"
    path.write_bytes(VRT.format(source=URL).encode("utf-16"))
    assert is_refused(path, "virtual file")


@pytest.mark.parametrize("before", ["", "\ufeff", "\n\t ", "<?xml version='1.0'?>\n"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RASTER_VRT.format(source=URL), "virtual file"),
        ("<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1:18080/</ServerUrl></Service>"
         "</GDAL_WMS>", "web map service"),
        ("<GDALTileIndexDataset></GDALTileIndexDataset>", "index of tiles"),
        ("<MRF_META></MRF_META>", "raster kept elsewhere"),
        ('{"type": "FeatureCollection", "stac_version": "1.0.0", "features": []}', "this is"),
        ("WMTS:http://127.0.0.1:18080/", "this is"),
    ],
)  # fmt: skip
def test_a_description_is_no_terrain(
    text: str, words: str, before: str, asked: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "dem.tif"
    path.write_text(before + text, encoding="utf-8")
    with pytest.raises(Problem, match=words) as told:
        open_raster(path)
    assert "dem.tif" in str(told.value)
    assert asked == []


def terrain(path: Path) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", width=20, height=20, count=1, dtype="float32", crs="EPSG:32648",
        transform=from_origin(650_000, 3_270_000, 10, 10),
    ) as file:  # fmt: skip
        file.write(np.full((20, 20), 7, np.float32), 1)
    return path


def test_nothing_beside_a_terrain_is_read(tmp_path: Path) -> None:
    path = terrain(tmp_path / "dem.tif")
    for ending in (".ovr", ".msk"):
        (tmp_path / f"dem.tif{ending}").write_text(RASTER_VRT.format(source=URL), encoding="utf-8")
    with open_raster(path) as file:
        assert (file.read(1, masked=True) == 7).all()
        assert file.read(1, out_shape=(2, 2)).tolist() == [[7, 7], [7, 7]]
        assert file.overviews(1) == []
    plain = tmp_path / "dem.tif.aux.xml"
    plain.write_text(
        "<PAMDataset><Metadata><MDI key='STATISTICS_MAXIMUM'>7</MDI></Metadata></PAMDataset>"
    )
    open_raster(path).close()
    plain.write_text("<PAMDataset><Metadata domain='OVERVIEWS'><MDI key='OVERVIEW_FILE'>/etc/x</MDI>"
                     "</Metadata></PAMDataset>")  # fmt: skip
    with pytest.raises(
        Problem, match=r"dem.tif.aux.xml beside it says more of it \(OVERVIEW_FILE\)"
    ):
        open_raster(path)


def test_overviews_kept_elsewhere_are_refused(asked: list[str], tmp_path: Path) -> None:
    path = terrain(tmp_path / "dem.tif")
    with rasterio.open(path, "r+") as file:
        file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=URL)
    with pytest.raises(Problem, match=r"dem.tif: says that its overviews are kept elsewhere"):
        open_raster(path)
    assert asked == []


@pytest.mark.parametrize(("rows", "columns"), [(1, 50), (50, 1), (2, 2)])
def test_a_terrain_of_one_row_is_told(rows: int, columns: int, tmp_path: Path) -> None:
    path = tmp_path / "dem.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype="float32",
        crs="EPSG:32648", transform=from_origin(650_000, 3_270_000, 10, 10),
    ) as file:  # fmt: skip
        file.write(np.full((rows, columns), 7, np.float32), 1)
    told = Source.model_validate({
        "path": "dem.tif", "role": "terrain", "format": "geotiff", "datum": "wgs84",
        "crs": "EPSG:32648", "encoding": None, "publisher": "nobody", "licence": "CC0",
        "attribution": "none", "date": "2026",
    })  # fmt: skip
    with pytest.raises(Problem, match=f"dem.tif: has {rows} × {columns} cells"):
        read_source(tmp_path, "terrain", told, StudyArea("EPSG:32648"))


def test_a_log_beside_a_geopackage_is_told_and_an_empty_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "x.gpkg"
    houses().to_file(path)
    for ending in ("-wal", "-journal"):
        beside = tmp_path / f"x.gpkg{ending}"
        beside.write_bytes(b"")
        assert read(path).row_count == 3
        beside.write_bytes(b"x" * 40)
        assert is_refused(path, f"x.gpkg{ending} beside it holds changes")
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.write(path, path.name)
            archive.write(beside, beside.name)
        assert is_refused(tmp_path / "x.zip", f"x.gpkg{ending} beside it", "geopackage")
        beside.unlink()


def with_sql(path: Path, *statements: str, name: str = "v") -> Path:
    """Return a GeoPackage of one layer ``x``, with more in it, registered as a layer of shapes."""
    houses(200).to_file(path, layer="x")
    with sqlite3.connect(path) as database:
        for statement in statements:
            database.execute(statement)
        database.execute(
            "insert into gpkg_contents (table_name, data_type, identifier, srs_id) "
            "values (?, 'features', ?, 4326)", [name, name],
        )  # fmt: skip
        database.execute(
            "insert into gpkg_geometry_columns values (?, 'geom', 'POLYGON', 4326, 0, 0)", [name]
        )
    database.close()
    return path


def test_a_view_of_an_office_is_read_and_one_without_end_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select = "create view v as select fid as ogc_fid, geom, building from x where fid <= 5"
    path = with_sql(tmp_path / "office.gpkg", select)
    assert read(path, layer="v").row_count == 5
    assert is_refused(path, "holds 2 layers: v, x|holds 2 layers: x, v")
    crossed = "x a, x b, x c, x d, x e, x f"
    endless = f"select a.fid as ogc_fid, a.geom, a.building from {crossed} where a.fid + f.fid < 0"
    path = with_sql(tmp_path / "endless.gpkg", f"create view v as {endless}")
    monkeypatch.setattr(fence, "_CPU_S", 1.0)
    assert is_refused(path, "did not end within", layer="v")
    assert read(tmp_path / "office.gpkg", layer="x").row_count == 200  # the next reader works


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("create view v as with recursive c(i) as (select 1 union all select i + 1 from c) "
         "select i as fid, (select geom from x limit 1) as geom from c", "calls itself"),
        ("create view v as select fid, geom, ogr_geocode(building) as place from x",
         "calls ogr_geocode"),
        ("create view v as select fid, geom, gdal_get_pixel_value('/x.tif', 1, 'pixel', 0, 0) as z "
         "from x", "calls gdal_get_pixel_value"),
    ],
)  # fmt: skip
def test_a_view_that_reaches_out_is_refused(
    statement: str, words: str, asked: list[str], tmp_path: Path
) -> None:
    assert is_refused(with_sql(tmp_path / "x.gpkg", statement), words)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(tmp_path / "x.gpkg", "x.gpkg")
    assert is_refused(tmp_path / "x.zip", words, "geopackage")
    assert asked == []


def test_a_table_kept_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gpkg"
    houses().to_file(path, layer="x")
    with sqlite3.connect(path) as database:
        database.execute("pragma writable_schema = 1")
        database.execute(
            "insert into sqlite_master values ('table', 'v', 'v', 0, "
            "'CREATE VIRTUAL TABLE v USING VirtualOGR(''/etc/passwd'')')"
        )
    database.close()
    assert is_refused(path, "kept elsewhere")


@pytest.mark.parametrize(
    "crs",
    [
        '{"type": "link", "properties": {"href": "http://127.0.0.1:18080/x", "type": "proj4"}}',
        '{"type": "url", "properties": {"url": "http://127.0.0.1:18080/x"}}',
        '{"type": "name", "properties": {"name": "http://127.0.0.1:18080/x"}}',
        '{"type": "link", "properties": {"href": "../secret.prj"}}',
        '{"properties": {"href": "file:///etc/x"}, "type": "link"}',
    ],
)
def test_a_crs_that_is_a_link_is_refused_wherever_it_stands(
    crs: str, asked: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "x.geojson"
    houses(400).to_file(path)
    text = path.read_text(encoding="utf-8")
    for whole in (
        text.replace('"features":', f'"crs" : {crs}, "features":', 1),
        text.rstrip()[:-1] + f', "crs":{crs}' + "}",
    ):
        path.write_text(whole, encoding="utf-8")
        assert is_refused(path, "its crs is a link")
    path.write_text(text.replace('"features":', f'"cr\\u0073": {crs}, "features":', 1), "utf-8")
    try:
        assert read(path).row_count == 400  # spelt so that it is not seen: then nobody follows it
    except Problem as problem:
        assert "x.geojson" in str(problem)
    assert asked == []


KML = (
    '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{more}<Placemark><name>a</name><Point>'
    "<coordinates>106.5,29.5</coordinates></Point></Placemark></Document></kml>"
)
GML = (
    '<ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xsi:schemaLocation="{schema}"><gml:featureMember><ogr:x><ogr:geom><gml:Point srsName="{crs}">'
    "<gml:coordinates>106.5,29.5</gml:coordinates></gml:Point></ogr:geom><ogr:number>007</ogr:number>"
    "{more}</ogr:x></gml:featureMember></ogr:FeatureCollection>"
)
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY a{n} "{("&a" + (str(n - 1) if n else "") + ";") * 10}">' for n in range(9)
) + "]>"  # fmt: skip
OUTSIDE = '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:18080/x">]>'


@pytest.mark.parametrize("ending", [".kml", ".gml"])
@pytest.mark.parametrize("type_of_document", [BOMB, OUTSIDE, "<!-- <kml> <x> -->" + OUTSIDE])
def test_entities_are_refused(
    ending: str, type_of_document: str, asked: list[str], tmp_path: Path
) -> None:
    text = KML.format(more="<name>&a8;</name>") if ending == ".kml" else (
        GML.format(schema="", crs="EPSG:4326", more="<ogr:name>&e;</ogr:name>")
    )  # fmt: skip
    path = tmp_path / f"x{ending}"
    path.write_text(type_of_document + text, encoding="utf-8")
    assert is_refused(path, "declares a document type")
    assert asked == []


def test_a_link_of_a_kml_is_told_with_its_address(asked: list[str], tmp_path: Path) -> None:
    path = tmp_path / "x.kml"
    link = "<NetworkLink><Link><href>http://127.0.0.1:18080/more.kml</href></Link></NetworkLink>"
    path.write_text(KML.format(more=link), encoding="utf-8")
    assert is_refused(path, r"NetworkLink\): http://127.0.0.1:18080/more.kml")
    with zipfile.ZipFile(tmp_path / "x.kmz", "w") as archive:
        archive.write(path, "doc.kml")
    assert is_refused(tmp_path / "x.kmz", "NetworkLink")
    path.write_text(KML.format(more=""), encoding="utf-8")
    assert read(path).row_count == 1
    assert asked == []


@pytest.mark.parametrize(
    "schema",
    [
        "http://x http://127.0.0.1:18080/x.xsd",
        "http://x ../secret.xsd",
        "http://x file:///etc/passwd",
    ],
)
def test_schema_crs_and_parts_of_a_gml_elsewhere_are_not_followed(
    schema: str, asked: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "x.gml"
    part = '<ogr:part xlink:href="http://127.0.0.1:18080/part.gml#a"/>'
    path.write_text(GML.format(schema=schema, crs="EPSG:4326", more=part), encoding="utf-8")
    (tmp_path / "x.gfs").write_text("<GMLFeatureClassList></GMLFeatureClassList>", encoding="utf-8")
    found = read(path)
    assert found.fields["number"].tolist() == ["007"]  # what looks like a number stays as written
    path.write_text(
        GML.format(schema=schema, crs="http://127.0.0.1:18080/crs.xml#1", more=""), encoding="utf-8"
    )
    try:
        read(path)
    except Problem as problem:
        assert "x.gml" in str(problem)
    assert asked == []
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "x.gfs",
        "x.gml",
    ]  # nothing is written


@pytest.mark.parametrize(
    "text",
    [
        '!table\n!version 300\n\nDefinition Table\n  File "../secret.dat"\n  Type NATIVE',
        "!table\n!version 100\n\nOpen Table \"../secret\" Hide\nCreate View x As Select * From secret",
        '!table\n!version 300\n\nDefinition Table\n  Type LINKED\n  begin_metadata\n',
        '!table\n!version 300\nDefinition Table\n Type NATIVE\n"\\IsSeamless" = "TRUE"\n',
    ],
)  # fmt: skip
def test_a_mapinfo_table_of_others_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.tab"
    path.write_text(text, encoding="utf-8")
    assert is_refused(path, "made of other files")


def test_parts_that_are_links_to_elsewhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "raw").mkdir()
    for ending in (".shp", ".tab"):
        houses().to_file(tmp_path / "elsewhere" / f"x{ending}")
        for part in (tmp_path / "elsewhere").iterdir():
            if part.suffix == ending or part.suffix in (".shx", ".prj", ".cpg", ".map", ".id"):
                shutil.copy(part, tmp_path / "raw" / part.name)
        table = ".dbf" if ending == ".shp" else ".dat"
        (tmp_path / "raw" / f"x{table}").symlink_to(tmp_path / "elsewhere" / f"x{table}")
        assert is_refused(tmp_path / "raw" / f"x{ending}", f"its part x{table} is a link")
        (tmp_path / "raw" / f"x{table}").unlink()
    houses().to_file(tmp_path / "elsewhere" / "x.gdb", driver="OpenFileGDB")
    shutil.copytree(tmp_path / "elsewhere" / "x.gdb", tmp_path / "raw" / "x.gdb")
    part = tmp_path / "raw" / "x.gdb" / "a00000004.gdbtable"
    part.unlink()
    part.symlink_to(tmp_path / "elsewhere" / "x.gdb" / part.name)
    assert is_refused(tmp_path / "raw" / "x.gdb", "is a link to another folder")


def test_a_link_out_of_the_folder_is_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "x.geojson").symlink_to(secret(tmp_path))
    houses().to_file(tmp_path / "raw" / "own.geojson")
    looks, others = look_into(tmp_path / "raw")
    assert [look.path for look in looks] == ["own.geojson"]
    assert others == [("x.geojson", "a link that leads out of the folder")]


def _zip(write: Callable[[zipfile.ZipFile], None], path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        write(archive)
    return path


def test_zips_that_are_not_what_they_seem_are_refused(tmp_path: Path) -> None:
    plain = tmp_path / "x.geojson"
    houses().to_file(plain)
    inner = _zip(lambda archive: archive.write(plain, "x.geojson"), tmp_path / "inner.zip")
    outer = _zip(lambda archive: archive.write(inner, "inner.zip"), tmp_path / "outer.zip")
    assert is_refused(outer, r"but another archive: inner\.zip", "geojson")

    def twice(archive: zipfile.ZipFile) -> None:
        archive.writestr("x.geojson", plain.read_bytes())
        archive.writestr("X/../x.geojson".replace("X/../", ""), VRT.format(source=URL))

    with pytest.warns(UserWarning, match="Duplicate name"):
        _zip(twice, tmp_path / "twice.zip")
    assert is_refused(tmp_path / "twice.zip", "twice by the same name", "geojson")

    def link(archive: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("x.geojson")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")

    assert is_refused(_zip(link, tmp_path / "link.zip"), "a link instead of a file", "geojson")
    odd = _zip(lambda archive: archive.writestr("a\nb.geojson", b"{}"), tmp_path / "odd.zip")
    assert is_refused(odd, "without a proper name", "geojson")
    for name, kind in (("x.gpkg", "geopackage"), ("x.shp", "shapefile"), ("x.fgb", "flatgeobuf")):
        (tmp_path / name).write_bytes(inner.read_bytes())
        assert is_refused(tmp_path / name, "this is a zip archive", kind)
    fake = _zip(lambda archive: archive.writestr("x.gdb/a.vrt", VRT), tmp_path / "fake.zip")
    assert is_refused(fake, "no File Geodatabase", "file_geodatabase")


def test_a_format_is_read_by_its_own_driver_only(tmp_path: Path) -> None:
    """A whole file of one format under the name of another is told for what it is."""
    houses().to_file(tmp_path / "a.gpkg")
    houses().to_file(tmp_path / "a.fgb")
    houses().to_file(tmp_path / "a.geojson")
    for ending in (".shp", ".fgb", ".geojson", ".kml", ".gml", ".tab", ".dxf", ".topojson"):
        path = tmp_path / f"b{ending}"
        shutil.copy(tmp_path / "a.gpkg", path)
        assert is_refused(path, "this is a geopackage")
    shutil.copy(tmp_path / "a.geojson", tmp_path / "c.gpkg")
    assert is_refused(tmp_path / "c.gpkg", "this is a geojson")


@pytest.mark.parametrize("ending", [".dbf", ".prj", ".cpg"])
def test_a_pipe_in_place_of_a_part_is_told_at_once(ending: str, tmp_path: Path) -> None:
    """Reading it would never end."""
    path = tmp_path / "x.shp"
    houses().to_file(path)
    path.with_suffix(ending).unlink(missing_ok=True)
    os.mkfifo(path.with_suffix(ending))
    assert is_refused(path, f"its part x{ending} is a pipe or a device")


def test_pipes_in_a_folder_are_told_and_not_read(tmp_path: Path) -> None:
    houses().to_file(tmp_path / "own.geojson")
    for name in ("a.geojson", "b.csv", "c.tif", "d.xml"):
        os.mkfifo(tmp_path / name)
    houses().to_file(tmp_path / "e.gdb", driver="OpenFileGDB")
    part = tmp_path / "e.gdb" / "a00000004.gdbtable"
    part.unlink()
    os.mkfifo(part)
    looks, others = look_into(tmp_path)
    assert [look.path for look in looks] == ["own.geojson"]
    assert {name for name, told in others if "pipe or a device" in told} == {
        "a.geojson", "b.csv", "c.tif", "d.xml", "e.gdb",
    }  # fmt: skip


def test_a_reply_larger_than_any_memory_is_told_unread(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b'{"elements": [')
    os.truncate(path, 40_000_000_000)  # of holes: it takes no room
    with pytest.raises(Problem, match="is larger than") as told:
        read_json(path, "utf-8")
    assert "x.json" in str(told.value)
