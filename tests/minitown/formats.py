"""Minitown's buildings, facilities and outline written in every format that a bureau may keep."""

import json
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import osmium
import pandas as pd
import shapely

from tests.minitown import make

FIELDS = {
    "building_id": "编号", "building_name": "名称", "building_use_type": "用途",
    "storey_count": "层数", "construction_year_text": "年代",
}  # fmt: skip
Export = Callable[[gpd.GeoDataFrame, Path, str], dict[str, Any]]


def buildings() -> gpd.GeoDataFrame:
    """Return the closed ways of Minitown that are buildings."""
    elements = make.buildings()["elements"]
    position = {e["id"]: (e["lon"], e["lat"]) for e in elements if e["type"] == "node"}
    rows, shapes = [], []
    for way in elements:
        tags = way.get("tags", {})
        if way["type"] != "way" or "building" not in tags or way["nodes"][0] != way["nodes"][-1]:
            continue
        year, levels = tags.get("start_date"), tags.get("building:levels")
        rows.append((f"B{way['id']}", tags.get("name"), tags["building"], levels, year))
        shapes.append(shapely.Polygon([position[node] for node in way["nodes"]]))
    frame = pd.DataFrame(rows, columns=list(FIELDS.values()))
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4326")


def facilities() -> gpd.GeoDataFrame:
    """Return Minitown's facilities with a type of ours."""
    rows, points = [], []
    for number, node in enumerate(make.places_of_interest()["elements"]):
        kind = "convenience_shop" if "shop" in node["tags"] else "rail_entrance"
        if "tourism" not in node["tags"]:
            rows.append((f"F{number}", kind, node["tags"].get("name", "口")))
            points.append(shapely.Point(node["lon"], node["lat"]))
    frame = pd.DataFrame(rows, columns=["编号", "类别", "名称"])
    return gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4326")


def streets() -> gpd.GeoDataFrame:
    """Return Minitown's streets as a bureau would draw them, with its own words for two classes."""
    elements = make.streets()["elements"]
    position = {e["id"]: (e["lon"], e["lat"]) for e in elements if e["type"] == "node"}
    words = {"primary": "主干路", "steps": "梯道"}
    rows, shapes = [], []
    for way in (one for one in elements if one["type"] == "way"):
        tags = way["tags"]
        kind = words.get(tags["highway"], tags["highway"])
        rows.append((kind, tags.get("name"), tags.get("bridge"), tags.get("access")))
        shapes.append(shapely.LineString([position[node] for node in way["nodes"]]))
    frame = pd.DataFrame(rows, columns=["等级", "路名", "桥", "准入"])
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4326")


def district() -> gpd.GeoDataFrame:
    """Return Minitown's outline."""
    shape = shapely.geometry.shape(make.boundary()[0]["geojson"])
    return gpd.GeoDataFrame({"名称": ["小城"]}, geometry=[shape], crs="EPSG:4326")


def _by_gdal(suffix: str, kind: str, **options: Any) -> Export:
    def write(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
        path = folder / f"{stem}{suffix}"
        frame.to_file(path, engine="pyogrio", **options)
        return {"path": path.name, "format": kind}

    return write


def _geopackage(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    path = folder / f"{stem}.gpkg"
    frame.to_file(path, layer="其他", driver="GPKG")
    frame.iloc[:3].to_file(path, layer="dummy", driver="GPKG", mode="a")
    frame.to_file(path, layer="图层", driver="GPKG", mode="a")
    return {"path": path.name, "format": "geopackage", "layer": "图层"}


def _shapefile(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    frame.to_file(folder / f"{stem}.shp", encoding="gbk")
    (folder / f"{stem}.cpg").unlink()
    return {"path": f"{stem}.shp", "format": "shapefile", "encoding": "gbk"}


def _zipped_shapefile(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    inner = folder / f"{stem}_parts"
    inner.mkdir()
    frame.to_file(inner / "房屋.shp", encoding="gbk")
    with zipfile.ZipFile(folder / f"{stem}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(inner.iterdir()):
            archive.write(part, f"数据/{part.name}")
        archive.writestr("数据/说明.txt", "x")
    return {"path": f"{stem}.zip", "format": "shapefile", "encoding": "gbk"}


def _geodatabase(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    frame.to_file(folder / f"{stem}.gdb", driver="OpenFileGDB", layer="房屋")
    return {"path": f"{stem}.gdb", "format": "file_geodatabase"}


def _zipped_geodatabase(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    _geodatabase(frame, folder, f"{stem}_zipped")
    with zipfile.ZipFile(folder / f"{stem}_gdb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted((folder / f"{stem}_zipped.gdb").iterdir()):
            archive.write(part, f"{stem}.gdb/{part.name}")
    return {"path": f"{stem}_gdb.zip", "format": "file_geodatabase"}


def _geoparquet(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    frame.to_parquet(folder / f"{stem}.parquet")
    return {"path": f"{stem}.parquet", "format": "geoparquet"}


def as_table(frame: gpd.GeoDataFrame) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Return a layer as a table of texts, and the columns of its coordinates."""
    table = pd.DataFrame(frame.drop(columns="geometry"))
    if (frame.geom_type == "Point").all():
        table = table.assign(经度=frame.geometry.x, 纬度=frame.geometry.y)
        return table, {"x": ["经度"], "y": ["纬度"]}
    return table.assign(形状=shapely.to_wkt(frame.geometry, rounding_precision=-1)), {
        "wkt": ["形状"]
    }


def _csv(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    table, columns = as_table(frame)
    table.to_csv(folder / f"{stem}.csv", index=False, encoding="gb18030")
    return {
        "path": f"{stem}.csv", "format": "csv", "encoding": "gb18030", "columns": columns,
    }  # fmt: skip


def _excel(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    table, columns = as_table(frame)
    plain = {"options": {"strings_to_formulas": False, "strings_to_urls": False}}
    path = folder / f"{stem}.xlsx"
    with pd.ExcelWriter(path, engine="xlsxwriter", engine_kwargs=plain) as book:
        pd.DataFrame({"说明": ["x"]}).to_excel(book, sheet_name="封面", index=False)
        table.to_excel(book, sheet_name="数据", index=False)
    return {
        "path": f"{stem}.xlsx", "format": "excel", "layer": "数据", "columns": columns,
    }  # fmt: skip


def _packed(frame: gpd.GeoDataFrame, folder: Path, stem: str, ending: str) -> None:
    """Put the parts of a written file into a zip, or a KMZ."""
    parts = sorted(folder.glob(f"{stem}.*"))
    with zipfile.ZipFile(folder / f"{stem}{ending}", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            archive.write(part, "doc.kml" if ending == ".kmz" else f"数据/{part.name}")
    for part in parts:
        part.unlink()


def _kmz(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    frame.to_file(folder / f"{stem}.kml", driver="KML")
    _packed(frame, folder, stem, ".kmz")
    return {"path": f"{stem}.kmz", "format": "kml"}


def _zipped_mapinfo(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    told = _MAPINFO(frame, folder, stem)
    _packed(frame, folder, stem, ".zip")
    return told | {"path": f"{stem}.zip"}


def _topojson(frame: gpd.GeoDataFrame, folder: Path, stem: str) -> dict[str, Any]:
    """Write every line and ring as an arc of its own, unquantised; GDAL cannot write TopoJSON."""
    arcs: list[list[list[float]]] = []

    def arc(line: shapely.Geometry) -> list[int]:
        arcs.append([list(point) for point in line.coords])
        return [len(arcs) - 1]

    shapes = []
    for shape, row in zip(
        frame.geometry, frame.drop(columns="geometry").to_dict("records"), strict=True
    ):
        one: dict[str, Any] = {"type": shape.geom_type, "properties": row}
        if shape.geom_type == "Point":
            one["coordinates"] = list(shape.coords[0])
        elif shape.geom_type == "LineString":
            one["arcs"] = arc(shape)
        else:
            one["arcs"] = [arc(ring) for ring in (shape.exterior, *shape.interiors)]
        shapes.append(one)
    collection = {"type": "GeometryCollection", "geometries": shapes}
    whole = {"type": "Topology", "objects": {"数据": collection}, "arcs": arcs}
    (folder / f"{stem}.topojson").write_text(
        json.dumps(whole, ensure_ascii=False).replace("NaN", "null"), encoding="utf-8"
    )
    return {"path": f"{stem}.topojson", "format": "topojson"}


_MAPINFO = _by_gdal(
    ".tab", "mapinfo_tab", driver="MapInfo File", ENCODING="CP936", BOUNDS="106,29,107,30"
)  # fmt: skip
EXPORTS: dict[str, Export] = {
    "kml": _by_gdal(".kml", "kml", driver="KML"),
    "kmz": _kmz,
    "gml": _by_gdal(".gml", "gml", driver="GML"),
    "mapinfo tab": _MAPINFO,
    "zipped mapinfo tab": _zipped_mapinfo,
    "mapinfo mif": _by_gdal(
        ".mif", "mapinfo_mif", driver="MapInfo File", FORMAT="MIF", ENCODING="CP936"
    ),
    "topojson": _topojson,
    "geojson": _by_gdal(".geojson", "geojson", driver="GeoJSON", COORDINATE_PRECISION=15),
    "shapefile in GBK without .cpg": _shapefile,
    "zipped shapefile": _zipped_shapefile,
    "geopackage of several layers": _geopackage,
    "flatgeobuf": _by_gdal(".fgb", "flatgeobuf", driver="FlatGeobuf"),
    "file geodatabase": _geodatabase,
    "zipped file geodatabase": _zipped_geodatabase,
    "geoparquet": _geoparquet,
    "csv": _csv,
    "excel": _excel,
}


def write_pbf(path: Path, reply: dict[str, Any], *, far_away: int = 0) -> None:
    """Write an Overpass reply as PBF, with streets of another town added if wanted."""
    with osmium.SimpleWriter(str(path)) as writer:
        elements = sorted(reply["elements"], key=lambda e: ("nwr".index(e["type"][0]), e["id"]))
        last = max(e["id"] for e in elements)
        nodes = [(e["id"], (e["lon"], e["lat"]), e.get("tags", {})) for e in elements if "lon" in e]
        far = [(last + 1 + n, (108.0 + n * 1e-4, 31.0), {}) for n in range(far_away)]
        for key, location, tags in nodes + far:
            writer.add_node(osmium.osm.mutable.Node(id=key, location=location, tags=tags))
        for one in elements:
            if one["type"] == "way":
                writer.add_way(
                    osmium.osm.mutable.Way(id=one["id"], nodes=one["nodes"], tags=one["tags"])
                )
        for (one, *_), (two, *_) in pairwise(far):
            tags = {"highway": "residential"}
            writer.add_way(osmium.osm.mutable.Way(id=last + one, nodes=[one, two], tags=tags))
        for one in elements:
            if one["type"] == "relation":
                members = [(m["type"][0], m["ref"], m["role"]) for m in one["members"]]
                writer.add_relation(
                    osmium.osm.mutable.Relation(id=one["id"], members=members, tags=one["tags"])
                )


def as_text(reply: object) -> str:
    """Return a reply as the server sends it."""
    return json.dumps(reply, ensure_ascii=False)
