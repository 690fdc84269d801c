"""What a file is by its bytes, and what in it reaches beyond it: looked at before a reader opens it."""

import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from pipeline.problem import Problem

RASTER = "geotiff"
START_BYTES = 16_384
_CHUNK_BYTES, _OVERLAP_BYTES = 1 << 20, 4096
_SIGNS = {
    "shapefile": (b"\x00\x00\x27\x0a",),
    "geopackage": (b"SQLite format 3\x00",),
    "flatgeobuf": (b"fgb\x03",),
    "geoparquet": (b"PAR1",),
    RASTER: (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
}
_JSON, _XML = ("geojson", "topojson"), ("kml", "gml")
_OTHER_SIGNS = {
    b"PK\x03\x04": "a zip archive", b"PK\x05\x06": "an empty zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a rar archive", b"7z\xbc\xaf": "a 7z archive", b"\xd0\xcf\x11\xe0": "an old Office file",
    b"%PDF": "a PDF", b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture",
    b"AC10": "a DWG drawing",
}  # fmt: skip
_DESCRIPTIONS = {
    "ogrvrtdatasource": "a virtual file (VRT), which makes the reader open others",
    "vrtdataset": "a virtual file (VRT), which makes the reader open others",
    "gdal_wms": "a description of a web map service (WMS)",
    "wms_tile_service": "a description of a web map service (WMS)",
    "tileservice": "a description of a web map service (WMS)",
    "gdal_wmts": "a description of a web map service (WMTS)",
    "wcs_gdal": "a description of a web coverage service (WCS)",
    "ogrwfsdatasource": "a description of a web feature service (WFS)",
    "gdaltileindexdataset": "an index of tiles (GTI), which makes the reader open others",
    "mrf_meta": "a description of a raster kept elsewhere (MRF)",
    "html": "a web page",
    "wmt_ms_capabilities": "a description of a web service",
    "wms_capabilities": "a description of a web service",
    "wfs_capabilities": "a description of a web service",
    "capabilities": "a description of a web service",
    "serviceexceptionreport": "a server's message of an error",
    "exceptionreport": "a server's message of an error",
}
"""Root elements of XML that makes GDAL open something else, or is no data."""
_GDAL_PIPELINE = re.compile(r'"type"\s*:\s*"gdal_streamed_alg"')
_ROOT = re.compile(r"<\s*(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")
_ROOTS = {
    "kml": re.compile(r"<\s*(\w+:)?kml[\s>]"),
    "gml": re.compile(r"<\s*(\w+:)?\w*(FeatureCollection|CityModel)[\s>]|opengis\.net/gml"),
}
_ASIDES = re.compile(r"<!--.*?(-->|\Z)|<\?.*?(\?>|\Z)", re.S)
_FIRST_TYPE = re.compile(r'"type"\s*:\s*"(\w+)"')
_ASCII_GRID = re.compile(r"(ncols|nrows|[xy]ll(corner|center)|cellsize|d[xy])\s+[-+\d.]", re.I)
_DXF = re.compile(r"\s*(999\s*\r?\n[^\n]*\n\s*)*0\s*\r?\n\s*SECTION", re.I)
_MIF = re.compile(r"\s*version\s+\d", re.I)
_CRS_OF_JSON = re.compile(rb'"crs"\s*:\s*\{([^{}]{0,400}(?:\{[^{}]{0,2000}\})?)')
_ELSEWHERE = re.compile(rb'"type"\s*:\s*"(link|url)"|"(href|url)"\s*:', re.I)
_URL = re.compile(rb'"(?:https?|ftp|file):(?!//www\.opengis\.net/)[^"]*"', re.I)
_NETWORK_LINK = re.compile(rb"<\s*(?:\w+:)?NetworkLink[\s/>]")
_LINK_ADDRESS = re.compile(rb"<\s*(?:\w+:)?href\s*>\s*([^<]{1,200})")
_TAB_OF_OTHERS = re.compile(
    r"create\s+view|\\isseamless\"?\s*=\s*\"?true|type\s+(linked|odbc|wms|wfs)", re.I
)
_NAMED_IN_TAB = re.compile(r"^\s*(?:file|table|open\s+table)\s+\"([^\"]*)\"", re.I | re.M)

Opener = Callable[[], AbstractContextManager[IO[bytes]]]


def check_content(path: Path, kind: str, member: str | None = None) -> None:
    """Stop if a file, or a member of a zip, is not of a format, or makes its reader open others.

    Raises
    ------
    Problem
        That names the file, what it is, and what was expected.
    """
    label = path if member is None else f"{path} ({member})"

    def opened() -> AbstractContextManager[IO[bytes]]:
        return path.open("rb") if member is None else zipfile.ZipFile(path).open(member)

    with opened() as file:
        start = file.read(START_BYTES)
    if not start:
        raise Problem(label, "the file is empty", expected=kind, fix="copy the file again")
    text = as_plain_text(start)
    if not _is_of(kind, start, text):
        raise Problem(
            label, f"this is {what_it_is(start) or f'not a {kind}'}",
            expected=f"a file of the format {kind}",
            fix="correct the format in the profile, or copy the file again",
        )  # fmt: skip
    if kind in _JSON:
        _refuse_linked_crs(label, opened)
    elif kind in _XML:
        _refuse_entities(label, start, text)
        if kind == "kml":
            _refuse_network_links(label, opened)
    elif kind == "mapinfo_tab":
        _refuse_other_tables(label, text)


def what_it_is(start: bytes) -> str:
    """Return what the first bytes of a file show it to be, in words; empty if nothing is known."""
    for sign, told in _OTHER_SIGNS.items():
        if start.startswith(sign):
            return told
    text = as_plain_text(start)
    told = _description(text)
    if told:
        return told
    kind = kind_of(start)
    if kind:
        return f"a {kind}"
    return "XML of another kind" if text[:1] == "<" else ""


def kind_of(start: bytes) -> str:
    """Return which of our formats the first bytes of a file show; empty if none."""
    for kind, signs in _SIGNS.items():
        if start.startswith(signs):
            return kind
    text = as_plain_text(start)
    return "" if _description(text) else text_kind(text)


def _description(text: str) -> str:
    """Return what a text is, if it is one that makes GDAL open something else."""
    if text[:1] == "{" and _GDAL_PIPELINE.search(text):
        return "a GDAL pipeline (GDALG), which makes the reader open other files"
    root = _ROOT.search(_ASIDES.sub("", text)) if text[:1] == "<" else None
    return _DESCRIPTIONS.get(root[1].lower(), "") if root else ""


def text_kind(text: str) -> str:
    """Return which of our text formats a text begins as; empty if none."""
    if text[:1] == "{":
        first = _FIRST_TYPE.search(text)
        return "topojson" if first and first[1] == "Topology" else "geojson"
    if text[:1] == "<":
        bare = _ASIDES.sub("", text)
        return next((kind for kind, root in _ROOTS.items() if root.search(bare)), "")
    if text.lower().startswith("!table"):
        return "mapinfo_tab"
    if _MIF.match(text):
        return "mapinfo_mif"
    if _ASCII_GRID.match(text):
        return "esri_ascii_grid"
    return "dxf" if _DXF.match(text) or text.startswith("AutoCAD Binary DXF") else ""


def as_plain_text(start: bytes) -> str:
    """Return the begin of a file as text, without byte-order mark and leading blanks."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if start.startswith(mark):
            return start[2:].decode(encoding, "ignore").lstrip("\ufeff \t\r\n\x00")
    return start.decode("utf-8", "ignore").lstrip("\ufeff \t\r\n\x00")


def _is_of(kind: str, start: bytes, text: str) -> bool:
    if kind in _SIGNS:
        return start.startswith(_SIGNS[kind])
    if _description(text):
        return False
    if kind in _JSON:
        # a TopoJSON may name its type after its arcs
        return text[:1] == "{" and (kind == "topojson" or text_kind(text) == kind)
    return text_kind(text) == kind


def _chunks(opened: Opener) -> Iterator[bytes]:
    """Yield a file in pieces that overlap, so that a mark on an edge is seen whole once."""
    kept = b""
    with opened() as file:
        while piece := file.read(_CHUNK_BYTES):
            yield kept + piece
            kept = piece[-_OVERLAP_BYTES:]


def _refuse_linked_crs(label: object, opened: Opener) -> None:
    for piece in _chunks(opened):
        if b'"crs"' not in piece:
            continue
        for found in _CRS_OF_JSON.finditer(piece):
            address = _URL.search(found[1])
            if _ELSEWHERE.search(found[1]) or address:
                told = f": {address[0].decode('utf-8', 'replace')[:100]}" if address else ""
                raise Problem(
                    str(label), f"its crs is a link to something else{told}",
                    expected="a CRS by its name, such as urn:ogc:def:crs:EPSG::4545",
                    fix="write the CRS into the file, or save it anew",
                )  # fmt: skip


def _refuse_entities(label: object, start: bytes, text: str) -> None:
    """Stop at a document type: entities may unfold without end, or stand for other files."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Problem(str(label), "is XML in UTF-16", expected="UTF-8", fix="save it as UTF-8")
    bare = _ASIDES.sub("", text)
    root = re.search(r"<\s*[A-Za-z_]", bare)
    ahead = bare[: root.start()] if root else bare
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", ahead, re.I) or root is None:
        raise Problem(
            str(label), "declares a document type (DOCTYPE), whose entities may stand for other files",
            expected="plain XML", fix="save it anew without <!DOCTYPE …>",
        )  # fmt: skip


def _refuse_network_links(label: object, opened: Opener) -> None:
    for piece in _chunks(opened):
        found = _NETWORK_LINK.search(piece)
        if found:
            address = _LINK_ADDRESS.search(piece, found.end())
            told = f": {address[1].decode('utf-8', 'replace').strip()[:100]}" if address else ""
            raise Problem(
                str(label), f"points to other files (NetworkLink){told}",
                expected="the features themselves",
                fix="open it where the link can be reached, and save all of it as one KML",
            )  # fmt: skip


def _refuse_other_tables(label: object, text: str) -> None:
    named = [name for name in _NAMED_IN_TAB.findall(text) if name]
    found = _TAB_OF_OTHERS.search(text)
    if found or named:
        told = f" ({named[0][:80]!r})" if named else ""
        raise Problem(
            str(label), f"is a table made of other files{told}", expected="a native MapInfo table",
            fix="save a copy of it in MapInfo as a native table",
        )  # fmt: skip
