"""Which of GDAL's drivers may open which of our formats: there is no other way into GDAL.

GDAL opens by content: what is called ``.tif`` or ``.geojson`` may be a description that makes it open
other files, or ask the network. So a file is opened by the one driver of its stated format.
"""

import warnings
from pathlib import Path
from typing import Any

from pipeline.problem import Problem
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

RASTER_DRIVER = "GTiff"
_ALONE = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"}
"""Overviews, masks and metadata that lie beside a raster would be opened by whatever fits them."""
_CHANGING = ("NoDataValue", "SRS", "GeoTransform", "Scale", "Offset", "OVERVIEW_FILE", "ColorTable")


def open_raster(path: Path) -> Any:
    """Return an opened GeoTIFF (rasterio); nothing beside it is read.

    Raises
    ------
    Problem
        If it is no GeoTIFF, or a file beside it would change what is read.
    rasterio.errors.RasterioError
        If it is damaged.
    """
    import rasterio

    check_content(path, RASTER)
    _refuse_metadata_beside(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.Env(**_ALONE):
            file = rasterio.open(path, driver=RASTER_DRIVER)
        elsewhere = sorted(file.tags(ns="OVERVIEWS").values())
    if elsewhere:
        file.close()
        raise Problem(
            path, f"says that its overviews are kept elsewhere ({elsewhere[0][:100]})",
            expected="a GeoTIFF that holds all of it itself",
            fix="copy it with gdal_translate, without its metadata (-nomd)",
        )  # fmt: skip
    return file


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
