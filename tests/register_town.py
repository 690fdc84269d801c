"""A town of thirty houses whose housing register is written as offices write them.

Three estates of ten houses; house n has 4 + n % 6 storeys over 20 m × 15 m, so that its floor area is
0.9 × 300 m² × storeys. Everything but the register stays the same.
"""

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.transform import from_origin

CRS = "EPSG:32648"
WEST, SOUTH = 655_000.0, 3_270_000.0
COUNT = 30
HEADER = ["楼栋编号", "小区名称", "建成年代", "层数", "户数", "建筑面积", "有无电梯", "物业公司"]
MANAGERS = ["安居物业", "无", "社区代管"]
Row = list[str]


def year_of(number: int) -> int:
    """Return when a house was built."""
    return 1975 + 5 * (number // 10) if number % 10 else 1990


def rows(years: Sequence[int] | None = None) -> list[Row]:
    """Return the register, a row a house, each cell as one would type it."""
    found = []
    for number in range(COUNT):
        storeys = 4 + number % 6
        found.append([
            f"YZ{number + 1:04d}", f"小区{number // 10 + 1}",
            str(years[number] if years else 1971 + number), str(storeys), str(8 * storeys),
            f"{0.9 * 300 * storeys + 0.25 * (number % 4):.2f}".rstrip("0").rstrip("."),
            "有" if storeys > 7 else "无", MANAGERS[number // 10],
        ])  # fmt: skip
    return found


def write_town(folder: Path, ids: Sequence[str] = ()) -> None:
    """Write footprints, streets, a few facilities and the terrain."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = list(ids) or [row[0] for row in rows()]
    houses = [
        shapely.box(x, y, x + 20, y + 15)
        for x, y in ((WEST + 30 * (n % 10), SOUTH + 40 * (n // 10)) for n in range(COUNT))
    ]
    frame = gpd.GeoDataFrame({"楼栋编号": keys, "用途": ["住宅"] * COUNT}, geometry=houses, crs=CRS)
    frame.to_file(folder / "建筑轮廓.gpkg")
    lines = [
        shapely.LineString([(WEST - 50, SOUTH - 20), (WEST + 400, SOUTH - 20)]),
        shapely.LineString([(WEST + 150, SOUTH - 20), (WEST + 150, SOUTH + 140)]),
    ]
    gpd.GeoDataFrame(
        {"道路等级": ["主干道", "支路"], "道路名称": ["大路", "小路"]}, geometry=lines, crs=CRS
    ).to_file(folder / "道路.gpkg")
    cells = np.tile(np.linspace(230, 200, 40, dtype="float32")[:, None], (1, 50))
    with rasterio.open(
        folder / "dem.tif", "w", driver="GTiff", width=50, height=40, count=1, dtype="float32",
        crs=CRS, transform=from_origin(WEST - 300, SOUTH + 500, 20, 20),
    ) as file:  # fmt: skip
        file.write(cells, 1)


def write_text(
    path: Path, table: Sequence[Row], *, separator: str = ",", encoding: str = "utf-8-sig",
    ends: str = "\r\n", before: str = "",
) -> None:  # fmt: skip
    """Write a register as text."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=ends).writerows(table)
    path.write_bytes((before + text.getvalue()).encode(encoding))


def write_ods(path: Path, table: Sequence[Row], *, name: str = "台账") -> None:
    """Write a register as LibreOffice does, every cell as text."""
    body = "".join(
        "<table:table-row>" + "".join(
            '<table:table-cell office:value-type="string"><text:p>'
            f"{escape(cell)}</text:p></table:table-cell>" if cell else "<table:table-cell/>"
            for cell in row
        ) + "</table:table-row>"
        for row in table
    )  # fmt: skip
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}>'
        f'<office:body><office:spreadsheet><table:table table:name="{name}">{body}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        kind = "application/vnd.oasis.opendocument.spreadsheet"
        archive.writestr("mimetype", kind, zipfile.ZIP_STORED)
        manifest = (
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
            "</manifest:manifest>"
        )
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)


def write_ledger(path: Path) -> None:
    """Write a workbook for the eye: title, header of two rows, merged cells, years as dates, marks."""
    from datetime import date, timedelta

    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("台账")
        as_year = book.add_format({"num_format": "yyyy"})
        sheet.merge_range("A1:H1", "某区房屋台账")
        sheet.merge_range("B2:D2", "基本情况")
        sheet.merge_range("E2:F2", "规模")
        for column in (0, 6, 7):
            sheet.merge_range(1, column, 2, column, HEADER[column])
        sheet.write_row(2, 1, HEADER[1:6])
        for number, row in enumerate(rows()):
            at = number + 3
            sheet.write(at, 0, row[0])
            sheet.write(at, 2, date(1899, 12, 30) + timedelta(days=int(row[2])), as_year)
            for column in (3, 4, 5):
                sheet.write_number(at, column, float(row[column]))
            sheet.write(at, 6, "√" if row[6] == "有" else "")
            if number % 10 == 0:
                for column in (1, 7):
                    sheet.merge_range(at, column, at + 9, column, row[column])
