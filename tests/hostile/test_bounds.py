"""Files that say little and would take much: each has a bound before or while it is read."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import rasterio
from openpyxl import Workbook

from pipeline.geo.raster import row_bands
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store import fence, height_doubts, heights, osm_xml, pbf, raster_cells
from pipeline.store.gdal_reader import refuse_vast
from pipeline.store.osm_xml import read_osm_xml
from pipeline.store.pbf import read_pbf
from pipeline.store.pbf_blocks import unpacked_bytes
from pipeline.store.sources import read_source
from pipeline.store.study_area import StudyArea
from pipeline.store.workbooks import hidden_row_count, read_sheets


def varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def block(kind: bytes, content: bytes) -> bytes:
    body = varint(2 << 3) + varint(len(content)) + field(3, zlib.compress(content))
    head = field(1, kind) + varint(3 << 3) + varint(len(body))
    return struct.pack(">I", len(head)) + head + body


HEAD = block(b"OSMHeader", field(4, b"OsmSchema-V0.6") + field(4, b"DenseNodes"))


def nodes(count: int) -> bytes:
    """Return a block of nodes at one place with one tag each, as the format's page describes it."""
    dense = b"".join((
        field(1, b"\x02" * count), field(8, b"\x00" * count), field(9, b"\x00" * count),
        field(10, b"\x01\x02\x00" * count),
    ))  # fmt: skip
    texts = field(1, field(1, b"") + field(1, b"k") + field(1, b"v"))
    return block(b"OSMData", texts + field(2, field(2, dense)))


def test_blocks_that_unpack_to_a_thousand_times_their_size_are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.osm.pbf"
    path.write_bytes(HEAD + nodes(30))
    assert read_pbf(path).element_count == 30
    filler = block(b"OSMData", bytes(25_000_000))
    path.write_bytes(HEAD + filler * 2)
    assert 50_000_000 < unpacked_bytes(path) < 50_000_100
    with pytest.raises(Problem, match=r"x\.osm\.pbf: would unpack from [\d,]+ to 50,0"):
        read_pbf(path)


def test_more_elements_than_a_file_can_hold_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pbf, "_FREE_PARTS", 1000)
    path = tmp_path / "x.osm.pbf"
    path.write_bytes(HEAD + nodes(5000))
    with pytest.raises(Problem, match="holds far more elements than its size allows for"):
        read_pbf(path)


def test_packed_xml_has_a_bound_by_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osm_xml, "_ALWAYS_FINE_BYTES", 100_000)
    path = tmp_path / "x.osm.gz"
    path.write_bytes(gzip.compress(b"<osm>" + b'<node id="1"/>' * 20_000 + b"</osm>"))
    with pytest.raises(Problem, match=r"x\.osm\.gz: unpacks to more than 100,000 bytes"):
        read_osm_xml(path)


def workbook(path: Path) -> Path:
    book = Workbook()
    for row in (["编号", "层数"], ["007", 6], ["x", "#N/A"]):
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.active.merge_cells("A2:A3")
    book.save(path)
    return path


def test_a_workbook_is_read_within_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "x.xlsx")
    (sheet,) = read_sheets(path, "x")
    assert sheet.rows == [["编号", "层数"], ["007", "6"], ["", "#N/A"]]
    assert (sheet.merges, hidden_row_count(path)) == (((1, 0, 2, 0),), 1)
    fence.close_reader()
    monkeypatch.setattr(fence, "_MEMORY_BYTES", 1_000_000)
    monkeypatch.setattr(fence, "_MEMORY_PER_BYTE", 0)
    monkeypatch.setattr(fence, "_most_memory_bytes", lambda: 1_000_000)
    with pytest.raises(Problem, match=r"x\.xlsx: holds more than can be read"):
        read_sheets(path, "x")


def test_a_table_that_would_fill_the_asker_is_not_sent() -> None:
    wide = pa.table({f"k{number}": pa.nulls(1000, pa.string()) for number in range(1000)})
    assert wide.nbytes > 4_000_000  # a thousand offsets of four bytes in each of a thousand columns
    refuse_vast(wide, 4 * wide.nbytes)
    refuse_vast(None, 0)
    with pytest.raises(MemoryError):
        refuse_vast(wide, 2 * wide.nbytes)


TERRAIN = Source(
    path="x.tif", role="terrain", format="geotiff", datum="wgs84", crs="EPSG:32648", encoding=None,
    publisher="x", licence="x", attribution="x", date="2026",
)  # fmt: skip


def terrain(folder: Path, cells: np.ndarray, **told: object) -> Path:
    path = folder / "x.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=cells.shape[1], height=cells.shape[0], count=1,
        dtype=cells.dtype, crs="EPSG:32648",
        transform=rasterio.Affine(30, 0, 654_000, 0, -30, 3_271_500), **told,
    ) as file:  # fmt: skip
        file.write(cells, 1)
    return path


def test_a_terrain_read_by_bands_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, columns = np.mgrid[:90, :70]
    cells = 300 + 40 * np.sin(rows / 9) + 30 * np.cos(columns / 7)
    cells[40, 60] = np.nan
    terrain(tmp_path, cells)  # 64-bit, so that it is converted
    for module in (heights, height_doubts):
        monkeypatch.setattr(module, "_MOST_AT_ONCE", 500)
    monkeypatch.setattr(raster_cells, "_CELLS_AT_ONCE", 200)
    found = read_source(tmp_path, "terrain", TERRAIN, StudyArea("EPSG:32648"))
    assert np.array_equal(found.values, cells.astype(np.float32), equal_nan=True)
    for spoiled, words in ((-9999.0, "holds -9999 as height in"), (0.0, "holds 0 in")):
        bad = cells.copy()
        bad[70:74, 20:23] = spoiled
        terrain(tmp_path, bad)
        with pytest.raises(Problem, match=words) as told:
            read_source(tmp_path, "terrain", TERRAIN, StudyArea("EPSG:32648"))
        assert "0.2% of its cells" in str(told.value)  # 12 of 6,299


def test_a_terrain_in_one_vast_block_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raster_cells, "_MOST_BLOCK_BYTES", 256 * 256)
    terrain(tmp_path, np.ones((256, 256), np.int16), blockxsize=256, blockysize=256, tiled=True)
    with pytest.raises(Problem, match=r"x\.tif: is packed in blocks of 256 × 256 cells"):
        read_source(tmp_path, "terrain", TERRAIN, StudyArea("EPSG:32648"))


@pytest.mark.parametrize("overlap", [0, 1, 3])
def test_bands_hold_every_pair_of_rows_once(overlap: int) -> None:
    grid = np.arange(40).reshape(20, 2)
    pairs = [
        (int(part[row, 0]), int(part[row + overlap, 0]))
        for part in row_bands(grid, overlap, 12)
        for row in range(len(part) - overlap)
    ]
    assert pairs == [(2 * row, 2 * (row + overlap)) for row in range(20 - overlap)]
