"""Ways to spoil a file, from a seed: what disks, networks, spreadsheets and strangers do to data."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from rasterio.transform import Affine, from_origin

Random = np.random.Generator
Mutation = Callable[[bytes, Random], bytes]
HUGE = [
    b"1e999", b"-1e308", b"NaN", b"Infinity", b"-Infinity", b"9" * 400, b"9" * 6000,
    b"18446744073709551616", b"-0", b"null", b"true", b"[]", b"{}", b'"x"',
]  # fmt: skip


def _some(random: Random, count: int) -> int:
    return int(random.integers(0, max(count, 1)))


def truncate(content: bytes, random: Random) -> bytes:
    return content[: _some(random, len(content))]


def flip_bytes(content: bytes, random: Random) -> bytes:
    spoiled = bytearray(content)
    for _ in range(int(random.choice([1, 3, 20, 200]))):
        if spoiled:
            spoiled[_some(random, len(spoiled))] = _some(random, 256)
    return bytes(spoiled)


def flip_header(content: bytes, random: Random) -> bytes:
    spoiled = bytearray(content)
    for _ in range(8):
        if spoiled:
            spoiled[_some(random, min(len(spoiled), 120))] = _some(random, 256)
    return bytes(spoiled)


def fill_block(content: bytes, random: Random) -> bytes:
    start, size = _some(random, len(content)), 1 + _some(random, 400)
    fill = bytes([int(random.choice([0, 255, 65]))]) * size
    return content[:start] + fill + content[start + size :]


def cut_block(content: bytes, random: Random) -> bytes:
    start = _some(random, len(content))
    return content[:start] + content[start + 1 + _some(random, 400) :]


def repeat_block(content: bytes, random: Random) -> bytes:
    start = _some(random, len(content))
    block = content[start : start + 1 + _some(random, 2000)]
    return content[:start] + block * int(random.choice([2, 50])) + content[start:]


def huge_integers(content: bytes, random: Random) -> bytes:
    spoiled = bytearray(content)
    value = int(random.choice([2**31 - 1, 2**32 - 1, 0x7F7FFFFF, 0, 1 << 30]))
    form = str(random.choice(["<I", ">I"]))
    for _ in range(3):
        place = _some(random, max(len(spoiled) - 4, 1))
        spoiled[place : place + 4] = struct.pack(form, value)
    return bytes(spoiled)


def strange_doubles(content: bytes, random: Random) -> bytes:
    spoiled = bytearray(content)
    for _ in range(10):
        place = _some(random, max(len(spoiled) - 8, 1))
        value = float(random.choice([np.nan, np.inf, -np.inf, 1e308, -1e300, 1e-308]))
        spoiled[place : place + 8] = struct.pack("<d", value)
    return bytes(spoiled)


def strange_numbers(content: bytes, random: Random) -> bytes:
    """Replace numbers in text by what is none, or too large."""
    places = [i for i, one in enumerate(content) if 48 <= one <= 57]
    for _ in range(int(random.choice([1, 5]))):
        if places:
            start = places[_some(random, len(places))]
            end = start
            while end < len(content) and content[end : end + 1] in b"0123456789.eE+-":
                end += 1
            content = content[:start] + HUGE[_some(random, len(HUGE))] + content[end:]
    return content


def long_name(content: bytes, random: Random) -> bytes:
    start = _some(random, len(content))
    return content[:start] + b"A" * int(random.choice([300, 70_000, 2_000_000])) + content[start:]


def strange_signs(content: bytes, random: Random) -> bytes:
    for _ in range(4):
        start = _some(random, len(content))
        signs = [b"\x00", b"\xff\xfe", b'"', b"\r", b"\n", b"\xed\xa0\x80", b",", b"\xe2\x80\xae"]
        content = content[:start] + signs[_some(random, len(signs))] + content[start:]
    return content


def empty(content: bytes, random: Random) -> bytes:
    return [b"", b" ", b"\n\n", b"\x00" * 4096, content[:1]][_some(random, 5)]


def nested(_: bytes, random: Random) -> bytes:
    depth = int(random.choice([100, 5_000, 200_000]))
    return [
        b"[" * depth, b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth,
        b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":'
        + b"[" * depth + b"]" * depth + b'},"geometry":{"type":"Polygon","coordinates":'
        + b"[" * depth + b"]" * depth + b"}}]}",
        b'{"elements":[{"type":"way","id":1,"nodes":' + b"[" * depth + b"]" * depth + b"}]}",
    ][_some(random, 5)]  # fmt: skip


def web_page(_: bytes, random: Random) -> bytes:
    return [
        b"<html><title>504 Gateway Time-out</title></html>",
        b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource>'
        b"</OGRVRTLayer></OGRVRTDataSource>",
        b'<VRTDataset rasterXSize="100000" rasterYSize="100000"><VRTRasterBand/></VRTDataset>',
    ][_some(random, 3)]  # fmt: skip


def json_of_wrong_types(content: bytes, random: Random) -> bytes:
    """Replace values anywhere in a JSON document by values of another type."""
    try:
        document = json.loads(content)
    except ValueError:
        return flip_bytes(content, random)
    strange = [
        None,
        True,
        -1,
        1e300,
        "x",
        "",
        [],
        {},
        [[]],
        {"a": None},
        2**70,
        "9" * 5000,
        ["\ud800"],
    ]

    def walk(value: object, depth: int) -> object:
        if random.random() < 0.02 * depth:
            return strange[_some(random, len(strange))]
        if isinstance(value, dict):
            return {
                key: walk(one, depth + 1) for key, one in value.items() if random.random() > 0.01
            }
        if isinstance(value, list):
            return [walk(one, depth + 1) for one in value[:200]]
        return value

    return json.dumps(walk(document, 0)).encode()


def zip_bomb(_: bytes, random: Random) -> bytes:
    buffer = io.BytesIO()
    name = ["x.shp", "x.gdb/a00000001.gdbtable", "xl/sharedStrings.xml", "0"][_some(random, 4)]
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for number in range(3):
            with archive.open(
                f"{number}/{name}" if number else name, "w", force_zip64=True
            ) as file:
                for _ in range(40):
                    file.write(bytes(1_000_000))
    return buffer.getvalue()


def zip_that_leads_out(content: bytes, random: Random) -> bytes:
    buffer = io.BytesIO()
    name = [
        "../../evil.shp",
        "/tmp/evil.shp",
        "a/../../../evil.shp",
        "..\\evil.shp",
        "C:\\evil.shp",
    ]
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name[_some(random, len(name))], content[:1000])
    return buffer.getvalue()


def zip_rewritten(content: bytes, random: Random) -> bytes:
    """Spoil one member of a zip, or lie about it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError):
        return flip_bytes(content, random)
    names = sorted(members)
    chosen = names[_some(random, len(names))]
    change = [flip_bytes, truncate, strange_numbers, long_name, empty, fill_block][_some(random, 6)]
    members[chosen] = change(members[chosen], random)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            if name != chosen or random.random() > 0.2:
                archive.writestr(name, members[name])
    return buffer.getvalue()


def workbook_bomb(content: bytes, random: Random) -> bytes:
    """Return a workbook with entities, a cell far out, or a sheet that unfolds."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError):
        return zip_bomb(content, random)
    sheets = [name for name in members if name.startswith("xl/worksheets/")]
    if not sheets:
        return zip_bomb(content, random)
    head = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    tail = b"</sheetData></worksheet>"
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    far = b'<row r="1"><c r="A1"><v>1</v></c></row>'
    far += b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    many = b'<row><c t="str"><v>x</v></c></row>' * 400_000
    body = [
        b'<!DOCTYPE x [<!ENTITY l0 "lol">' + entities + b"]>" + head
        + b'<row r="1"><c r="A1" t="str"><v>&l9;</v></c></row>' + tail,
        head + far + tail, head + many + tail,
        head + b'<row r="1"><c r="A1" t="s"><v>99999999</v></c></row>' + tail,
        head + b'<row r="1"><c r="A1"><v>1e999</v></c><c r="B1" s="9999"><v>x</v></c></row>' + tail,
    ][_some(random, 5)]  # fmt: skip
    for sheet in sheets:
        members[sheet] = body
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            archive.writestr(name, members[name])
    return buffer.getvalue()


def odd_parquet(content: bytes, random: Random) -> bytes:
    """Return Parquet whose columns have types that no bureau would choose."""
    count = 40
    geo = {
        "version": "1.0.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB"}},
    }
    told = [
        geo,
        {},
        [],
        None,
        {"primary_column": 3},
        {"columns": []},
        geo | {"columns": {"geometry": 1}},
    ]
    shapes = [
        pa.array([b"\x01\x01\x00\x00\x00" + struct.pack("<dd", 106.6, 29.5)] * count),
        pa.array(range(count)), pa.nulls(count), pa.array([b"garbage"] * count),
        pa.array([{"x": 1.0, "y": 2.0}] * count), pa.array([[1.0, 2.0]] * count),
        pa.array(["POINT (1 2)"] * count),
    ]  # fmt: skip
    odd = [
        pa.array([[1, None]] * count), pa.array([{"a": [1]}] * count), pa.nulls(count),
        pa.array([1.5] * count, pa.float16()),
        pa.array(["x", None] * (count // 2)).dictionary_encode(),
        pa.array([10**17] * count, pa.timestamp("ns")),
        pa.array([[("k", 1)]] * count, pa.map_(pa.string(), pa.int8())),
        pa.array([2**63] * count, pa.uint64()), pa.array([float("nan"), float("inf")] * (count // 2)),
        pa.array([b"\xff\xfe"] * count), pa.array(["1.23"] * count).cast(pa.decimal128(20, 2)),
        pa.array([1] * count, pa.duration("s")), pa.array([1] * count, pa.date64()),
    ]  # fmt: skip
    names = ["编号", "名称", "用途", "层数", "年代"]
    columns = {name: odd[_some(random, len(odd))] for name in names}
    columns["geometry"] = shapes[_some(random, len(shapes))]
    table = pa.table(columns)
    what = told[_some(random, len(told))]
    text = b"{not json" if what is None else json.dumps(what).encode()
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({b"geo": text}), buffer)
    return buffer.getvalue()


def odd_raster(_: bytes, random: Random) -> bytes:
    """Return a GeoTIFF that is vast, turned, complex, without CRS, or of strange cells."""
    plain = from_origin(654200, 3270800, 20, 20)
    grids = [
        plain, Affine(20, 5, 654200, 5, -20, 3270800), Affine(20, 0, 654200, 0, 20, 3270800),
        Affine(1e-300, 0, 0, 0, -1e-300, 0), Affine(0.5, 0, 1e300, 0, -0.5, 1e300),
        from_origin(654200, 3270800, 1e-6, 1e-6), from_origin(654200, 3270800, 1e9, 1e9),
    ]  # fmt: skip
    size = int(random.choice([1, 80, 30_000, 200_000, 2_000_000]))
    kind = str(random.choice(["float32", "complex64", "uint8", "int16", "float64"]))
    crs = [None, "EPSG:32648", "EPSG:4326", "EPSG:32649"][_some(random, 4)]
    with rasterio.io.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=size, height=min(size, 30_000), count=1, dtype=kind, crs=crs,
            transform=grids[_some(random, len(grids))], SPARSE_OK=True, BIGTIFF="YES",
            tiled=size > 100, blockxsize=512, blockysize=512,
        ) as file:  # fmt: skip
            if size <= 80:
                with np.errstate(all="ignore"):
                    cells = random.choice([np.nan, np.inf, 1e38, 200.0, -32768.0], (size, size))
                    file.write(np.nan_to_num(cells, nan=7.0).astype(kind), 1)
        return bytes(memory.read())


def garbage(_: bytes, random: Random) -> bytes:
    head = [
        b"", b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x7c", b"\x7f\xff\xff\xff", b"fgb\x03fgb\x00",
        b"SQLite format 3\x00", b"PAR1", b"II*\x00", b"PK\x03\x04", b"\x00\x00\x27\x0a",
    ]  # fmt: skip
    return head[_some(random, len(head))] + random.bytes(int(random.choice([10, 1000, 100_000])))


ANY: tuple[Mutation, ...] = (
    truncate, flip_bytes, flip_header, fill_block, cut_block, repeat_block, huge_integers, long_name,
    empty, garbage, web_page, strange_signs,
)  # fmt: skip
TEXT: tuple[Mutation, ...] = (strange_numbers, strange_numbers, nested, strange_signs)
JSON: tuple[Mutation, ...] = (*TEXT, json_of_wrong_types, json_of_wrong_types, json_of_wrong_types)
ZIP: tuple[Mutation, ...] = (zip_bomb, zip_that_leads_out, zip_rewritten, zip_rewritten)
BY_FORMAT: dict[str, tuple[Mutation, ...]] = {
    "overpass_json": JSON, "nominatim_json": JSON, "geojson": JSON, "csv": TEXT,
    "excel": (*ZIP, workbook_bomb, workbook_bomb),
    "geoparquet": (odd_parquet, odd_parquet, strange_doubles),
    "geotiff": (odd_raster, odd_raster, strange_doubles), "osm_pbf": (), "osm_o5m": (), "osm_xml": TEXT,
    "shapefile": (strange_doubles,), "geopackage": (strange_doubles,),
    "flatgeobuf": (strange_doubles,), "file_geodatabase": (strange_doubles,),
    "kml": TEXT, "gml": TEXT, "mapinfo_tab": (strange_doubles,), "mapinfo_mif": TEXT, "topojson": JSON,
}  # fmt: skip


def spoil(folder: Path, format_name: str, random: Random) -> str:
    """Spoil one file of a source in place; return what was done."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = files[_some(random, len(files))]
    is_zip = path.suffix in (".zip", ".kmz")
    own = ZIP if is_zip else BY_FORMAT[format_name]
    if len(files) > 1 and random.random() < 0.1:
        path.unlink()
        return f"{path.name} removed"
    chosen = own if own and random.random() < 0.5 else ANY
    mutation = chosen[_some(random, len(chosen))]
    path.write_bytes(mutation(path.read_bytes(), random))
    return f"{path.name}: {mutation.__name__}"
