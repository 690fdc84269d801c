"""Which of GDAL's drivers may open which of our formats: there is no other way into GDAL.

GDAL opens by content: what is called ``.tif`` or ``.geojson`` may be a description that makes it open
other files, or ask the network. So a file is opened by the one driver of its stated format.
"""

import re
import warnings
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.problem import Problem
from pipeline.store.archives import ARCHIVE_FAULTS, member_in_zip, not_unpacked
from pipeline.store.contents import RASTER, check_content

DRIVERS = {
    "shapefile": "ESRI Shapefile", "geojson": "GeoJSON", "topojson": "TopoJSON",
    "geopackage": "GPKG", "flatgeobuf": "FlatGeobuf", "file_geodatabase": "OpenFileGDB",
    "kml": "LIBKML", "gml": "GML", "mapinfo_tab": "MapInfo File", "mapinfo_mif": "MapInfo File",
    "dxf": "DXF",
}  # fmt: skip
"""Vector formats → GDAL's driver."""

ENDINGS = {
    "shapefile": (".shp",), "geojson": (".geojson", ".json"), "topojson": (".topojson", ".json"),
    "geopackage": (".gpkg",), "flatgeobuf": (".fgb",), "file_geodatabase": (".gdb",),
    "kml": (".kml", ".kmz"), "gml": (".gml", ".xml"), "mapinfo_tab": (".tab",),
    "mapinfo_mif": (".mif",), "dxf": (".dxf",),
}  # fmt: skip
"""Vector formats → endings of their files, the usual one first."""

RASTER_DRIVERS = {"geotiff": "GTiff", "srtm_hgt": "SRTMHGT", "esri_ascii_grid": "AAIGrid"}
"""Raster formats → GDAL's driver."""
RASTER_DRIVER = RASTER_DRIVERS[RASTER]
"""That of what is fetched."""
RASTER_ENDINGS = {
    "geotiff": (".tif", ".tiff"), "srtm_hgt": (".hgt",), "esri_ascii_grid": (".asc",),
}  # fmt: skip
"""Raster formats → endings of their files."""
_HGT_NAME = re.compile(r"[NS]\d\d[EW]\d\d\d(\.[\w.-]+)?\.hgt", re.I)
_HGT_BYTES = tuple(
    2 * rows * columns for rows, columns in ((1201, 1201), (3601, 3601), (3601, 1801))
)
"""Tiles of one degree in 3 and 1 arc seconds, and from 50° on in 1 by 2."""
_ALONE = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO", "GDAL_CACHEMAX": 64,
}  # fmt: skip
"""Overviews, masks and metadata that lie beside a raster would be opened by whatever fits them."""
_CHANGING = ("NoDataValue", "SRS", "GeoTransform", "Scale", "Offset", "OVERVIEW_FILE", "ColorTable")


def open_raster(path: Path, kind: str = RASTER, layer: str | None = None) -> Any:
    """Return an opened raster (rasterio), alone or in a zip; nothing beside it is read but a .prj.

    ``layer`` names one of several in a zip, without its ending.

    Raises
    ------
    Problem
        If it is not of the format, or a file beside it would change what is read.
    Exception
        One of ``raster_faults``, if it is damaged.
    """
    import rasterio

    member = None
    if path.suffix.lower() == ".zip":
        member = member_in_zip(path, RASTER_ENDINGS[kind], layer)
    try:
        if kind == "srtm_hgt":
            _check_tile_of_degree(path, member)
        else:
            check_content(path, kind, member)
    except ARCHIVE_FAULTS as error:
        if member is None:
            raise
        raise not_unpacked(path, member, error) from None
    _refuse_metadata_beside(path)
    inside = path if member is None else f"/vsizip/{path.absolute()}/{member}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.Env(**_ALONE):
            file = rasterio.open(inside, driver=RASTER_DRIVERS[kind])
        elsewhere = sorted(file.tags(ns="OVERVIEWS").values())
    if elsewhere:
        file.close()
        raise Problem(
            path, f"says that its overviews are kept elsewhere ({elsewhere[0][:100]})",
            expected="a GeoTIFF that holds all of it itself",
            fix="copy it with gdal_translate, without its metadata (-nomd)",
        )  # fmt: skip
    return file


def raster_faults() -> tuple[type[Exception], ...]:
    """Return what rasterio raises for a damaged raster, opened or asked for any part of it."""
    from rasterio._err import CPLE_BaseError  # some of its properties pass GDAL's own errors on
    from rasterio.errors import RasterioError

    return RasterioError, CPLE_BaseError, OSError, ValueError, OverflowError


def _check_tile_of_degree(path: Path, member: str | None) -> None:
    """Stop if a file is no .hgt tile: its name tells the place, its size the grid."""
    if member is None:
        name, size = path.name, path.stat().st_size
    else:
        with zipfile.ZipFile(path) as archive:
            name, size = PurePosixPath(member).name, archive.getinfo(member).file_size
    label = path if member is None else f"{path} ({member})"
    if not _HGT_NAME.fullmatch(name):
        raise Problem(
            label, "is a .hgt tile whose name does not tell where it lies",
            expected="the south-western corner in whole degrees, such as N29E106.hgt",
            fix="give the file its first name back",
        )  # fmt: skip
    if size not in _HGT_BYTES:
        raise Problem(
            label, f"has {size:,} bytes, so it is no whole .hgt tile",
            expected=" or ".join(f"{one:,}" for one in _HGT_BYTES), fix="copy the file again",
        )  # fmt: skip


def _refuse_metadata_beside(path: Path) -> None:
    for beside in (path.with_name(f"{path.name}.aux.xml"), path.with_suffix(".aux.xml")):
        if not beside.is_file():
            continue
        with beside.open("rb") as file:
            text = file.read(1_000_000)
        found = [word for word in _CHANGING if word.encode() in text]
        if found:
            raise Problem(
                path, f"{beside.name} beside it says more of it ({', '.join(found)})",
                expected="a GeoTIFF that says all of it itself",
                fix="join both with gdal_translate, or delete that file if it may be left out",
            )  # fmt: skip
