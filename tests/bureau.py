"""A folder as a district bureau in Chongqing might send it: every file of another kind.

Ten by ten houses on a slope; the ground rises 0.2 m per metre to the north from 200 m.
"""

import csv
import io
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

CRS = "EPSG:4545"  # CGCS2000, zone of 108° E
WEST, SOUTH, STEP_M, COUNT = 358_000.0, 3_270_500.0, 40.0, 10
_TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def house_key(row: int, column: int) -> str:
    return f"渝中-{row:02d}{column:02d}"


def write(folder: Path) -> None:
    """Write a zipped GBK shapefile, a workbook, a GBK list of places, a GeoPackage and DEM tiles."""
    folder.mkdir(parents=True)
    _footprints(folder)
    _register(folder / "登记册.xlsx")
    _places(folder / "poi_2024.csv")
    _streets_and_border(folder / "底图.gpkg")
    _terrain(folder)


def _houses() -> list[tuple[int, int]]:
    return [(row, column) for row in range(COUNT) for column in range(COUNT)]


def _frame(rows: dict[str, list[object]], shapes: list[BaseGeometry]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=CRS)


def _footprints(folder: Path) -> None:
    shapes = []
    for row, column in _houses():
        x, y = WEST + column * STEP_M + 8, SOUTH + row * STEP_M + 8
        shapes.append(shapely.box(x, y, x + 15, y + 11))
    keys: list[object] = [house_key(*one) for one in _houses()]
    _frame({"楼栋编号": keys, "用途": ["住宅"] * 100}, shapes).to_file(
        folder / "房屋.shp", encoding="gbk"
    )
    with zipfile.ZipFile(folder / "房屋.zip", "w") as archive:
        for ending in (".shp", ".shx", ".dbf", ".prj"):  # as so often, no .cpg
            archive.write(folder / f"房屋{ending}", f"房屋{ending}")
    for path in folder.glob("房屋.[!z]*"):
        path.unlink()


def _register(path: Path) -> None:
    notes = pd.DataFrame({"说明": ["填表日期 2024-05-06"], "备注": ["共100栋"]})
    rows = pd.DataFrame(
        [
            {"楼栋编号": house_key(row, column), "小区名称": f"第{row}院", "建成年代": 1970 + row,
             "层数": 3 + column % 5, "户数": 20, "有无电梯": "无"}
            for row, column in _houses()
        ]
    )  # fmt: skip
    with pd.ExcelWriter(path) as book:
        notes.to_excel(book, sheet_name="说明", index=False)
        rows.to_excel(book, sheet_name="登记", index=False)


def _places(path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["名称", "类型", "经度", "纬度"])
    kinds = [
        "医疗保健服务;诊所;诊所",
        "购物服务;便民商店/便利店;便利店",
        "科教文化服务;学校;小学",
        "餐饮服务;中餐厅",
    ]
    for number, (row, column) in enumerate(_houses()):
        lon, lat = _TO_DEGREES.transform(WEST + column * STEP_M + 4, SOUTH + row * STEP_M + 1)
        writer.writerow([f"点{number}", kinds[number % 4], f"{lon:.6f}", f"{lat:.6f}"])
    path.write_bytes(text.getvalue().encode("gbk"))


def _streets_and_border(path: Path) -> None:
    lines, kinds, names = [], [], []
    edge = COUNT * STEP_M
    for number in range(COUNT + 1):
        stops = [number * STEP_M for number in range(COUNT + 1)]
        along = [(WEST + stop, SOUTH + number * STEP_M) for stop in stops]
        across = [(WEST + number * STEP_M, SOUTH + stop) for stop in stops]
        lines += [shapely.LineString(along), shapely.LineString(across)]
        kinds += ["主干道" if number == 0 else "支路", "梯道" if number % 3 else "内部道路"]
        names += [f"横{number}路", ""]
    _frame({"道路等级": kinds, "路名": names}, lines).to_file(path, layer="道路")
    outline = shapely.box(WEST - 900, SOUTH - 900, WEST + edge + 900, SOUTH + edge + 900)
    _frame({"区县": ["渝中区"]}, [outline]).to_file(path, layer="边界")


def _terrain(folder: Path) -> None:
    cell, size = 1 / 3600, 60
    to_metres = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    west, north = _TO_DEGREES.transform(WEST - 1200, SOUTH + 1600)
    for number in range(2):  # two tiles side by side
        left = west + number * size * cell
        lon = left + (np.arange(size) + 0.5) * cell
        lat = north - (np.arange(2 * size) + 0.5) * cell
        y = to_metres.transform(*np.meshgrid(lon, lat))[1]
        with rasterio.open(
            folder / f"高程_{number + 1}.tif", "w", driver="GTiff", width=size, height=2 * size,
            count=1, dtype="float32", crs="EPSG:4326",
            transform=rasterio.Affine(cell, 0, left, 0, -cell, north),
        ) as file:  # fmt: skip
            file.write((200 + 0.2 * (y - SOUTH)).astype("float32"), 1)
