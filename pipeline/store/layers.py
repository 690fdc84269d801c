"""Layers of vector files, opened in the reader process by the driver of their format alone."""

import codecs
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from pipeline.problem import Problem
from pipeline.scratch import scratch_folder
from pipeline.store.archives import (
    ARCHIVE_FAULTS,
    member_bytes,
    member_in_zip,
    not_unpacked,
    unpacked,
    zip_members,
)
from pipeline.store.contents import check_content
from pipeline.store.encodings import encoding_of
from pipeline.store.fence import Unreadable, in_reader
from pipeline.store.gdal_drivers import DRIVERS, ENDINGS

ARCHIVES = (".zip", ".kmz")
_TAKEN_OUT = ("geopackage", "gml", "kml")
"""Read from a copy: SQLite reads badly in a zip, and GML takes files beside it for its schema."""
_OPTIONS = {"gml": {"WRITE_GFS": "NO", "DOWNLOAD_SCHEMA": "NO"}}
_ABOUT_DRAWING = {
    "kml": ("altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon"),
    "gml": ("lowerCorner", "upperCorner"), "dxf": ("SubClasses", "PaperSpace"),
}  # fmt: skip
"""Columns that GDAL makes of how a feature is drawn."""
DRAWING_LAYER = "Layer"
_BYTE_BY_BYTE = "ISO-8859-1"
"""In Latin-1 every byte is a sign."""
_WRITTEN_BESIDE = ("-wal", "-journal")
_SAMPLE_BYTES = 20_000_000
_OWN_TABLES = ("layer_styles",)
"""Tables of QGIS."""


@dataclass(frozen=True)
class VectorFile:
    """A vector file whose content was looked at, ready for the reader process."""

    path: Path
    """As the person knows it."""
    inside: str
    """As GDAL shall open it."""
    format: str
    size_bytes: int
    member: str = ""
    """Its name in a zip."""

    @property
    def driver(self) -> str:
        """Name of the one driver that may open it."""
        return DRIVERS[self.format]


@dataclass(frozen=True)
class Layer:
    """Fields with their own types, shapes (None: the layer has none), CRS (None: not stated)."""

    fields: pd.DataFrame
    shapes: np.ndarray | None
    crs: Any


@contextmanager
def vector_file(path: Path, kind: str, layer: str | None = None) -> Iterator[VectorFile]:
    """Look at a file, or the one dataset in a zip, and hand it on for reading.

    Raises
    ------
    Problem
        If it is not of the format, or makes its reader open something else.
    """
    is_archive = path.is_file() and path.suffix.lower() in ARCHIVES
    if kind != "gml" and not (is_archive and kind in _TAKEN_OUT):  # nothing is put aside for it
        nowhere = Path()
        yield (_in_archive if is_archive else _plain)(path, kind, layer, nowhere)
        return
    with scratch_folder() as folder:
        yield (_in_archive if is_archive else _plain)(path, kind, layer, folder)


def layer_names(file: VectorFile) -> list[str]:
    """Return the layers that hold shapes, QGIS's own tables left out."""
    if file.format == "dxf":
        return list(drawing_layers(read_layer(file, None)))
    answer, _ = in_reader("layers", file.driver, file.size_bytes, inside=file.inside)
    shaped = [name for name, kind in answer["layers"] if kind is not None]
    return [name for name in shaped if name not in _OWN_TABLES]


def about_layer(file: VectorFile, layer: str | None, encoding: str | None = None) -> dict[str, Any]:
    """Return ``count``, ``bounds`` (None if there are none) and ``date`` of a layer."""

    def about(read_as: str | None) -> dict[str, Any]:
        answer, _ = in_reader(
            "about", file.driver, file.size_bytes, inside=file.inside, layer=layer, encoding=read_as
        )
        return answer

    try:
        return about(encoding)
    except UnicodeError:
        if not _may_be_cut(file, encoding):
            raise
        return about(_BYTE_BY_BYTE)


def read_layer(
    file: VectorFile,
    layer: str | None,
    *,
    encoding: str | None = None,
    columns: list[str] | None = None,
    with_shapes: bool = True,
    most_rows: int | None = None,
) -> Layer:
    """Return a layer; curves come as lines of short pieces.

    Raises
    ------
    Unreadable, UnicodeError, LookupError, shapely.errors.GEOSException
        If it is damaged, or in another encoding.
    """
    try:
        return _read(file, layer, encoding, columns, with_shapes, most_rows)
    except UnicodeError:
        if not _may_be_cut(file, encoding):
            raise
        return _whole_signs(_read(file, layer, _BYTE_BY_BYTE, columns, with_shapes, most_rows))


def _may_be_cut(file: VectorFile, encoding: str | None) -> bool:
    """Return whether texts may end within a sign, as the 10 bytes of a shapefile's names do."""
    return file.format == "shapefile" and (encoding or "utf-8").lower() in ("utf-8", "utf8")


def _whole_signs(found: Layer) -> Layer:
    """Return a layer read byte by byte with its texts as UTF-8, without the bytes of a sign cut short.

    Raises
    ------
    UnicodeError
        If a text is no UTF-8 before its end.
    """

    def whole(text: str) -> str:
        return codecs.getincrementaldecoder("utf-8")().decode(text.encode("latin-1"))

    frame = found.fields.copy()
    for name in frame.columns[[isinstance(one, pd.StringDtype) for one in frame.dtypes]]:
        number, texts = pd.factorize(frame[name])
        told = pd.array([whole(text) for text in texts], dtype="str")
        frame[name] = told.take(number, allow_fill=True)
    names: list[str] = []
    for name in map(str, frame.columns):
        plain = whole(name)
        names.append(plain if plain not in names else f"{plain}_{len(names) + 1}")
    return Layer(frame.set_axis(names, axis="columns"), found.shapes, found.crs)


def _read(
    file: VectorFile,
    layer: str | None,
    encoding: str | None,
    columns: list[str] | None,
    with_shapes: bool,
    most_rows: int | None,
) -> Layer:
    is_drawing = file.format == "dxf"
    answer, table = in_reader(
        "read", file.driver, file.size_bytes, inside=file.inside, layer=None if is_drawing else layer,
        encoding=None if is_drawing else encoding,
        columns=columns, with_shapes=with_shapes, most_rows=most_rows,
        options=_OPTIONS.get(file.format, {}),
        settings={"DXF_ENCODING": _encoding_of_drawing(file, encoding)} if is_drawing else {},
    )  # fmt: skip
    shapes, place = None, answer["geometry"]
    if place is not None:
        shapes = np.asarray(shapely.from_wkb(table.column(place).to_numpy()), dtype=object)
        table = table.remove_column(place)
    unwanted = set(_ABOUT_DRAWING.get(file.format, ())) & set(table.column_names)
    fields = table.drop_columns(sorted(unwanted)).to_pandas()
    for name in answer["dated"]:
        try:
            fields[name] = pd.to_datetime(fields[name], format="ISO8601")
        except ValueError:  # of several zones, or before 1677: as the file writes it
            fields[name] = fields[name].astype("str")
    if fields.columns.empty and shapes is not None:
        fields = pd.DataFrame(index=range(len(shapes)))
    found = Layer(fields, shapes, _crs(answer["crs"]))
    return drawing_layers(found).get(layer, found) if is_drawing and layer else found


def drawing_layers(whole: Layer) -> dict[str, Layer]:
    """Return the layers of a drawing: GDAL tells them in a column of its one layer."""
    if DRAWING_LAYER not in whole.fields or whole.shapes is None:
        return {}
    names = whole.fields[DRAWING_LAYER].fillna("").astype("str")
    found = {}
    for name in sorted(set(names)):
        rows = (names == name).to_numpy()
        fields = whole.fields[rows].reset_index(drop=True)
        found[name] = Layer(fields, whole.shapes[rows], whole.crs)
    return found


def _encoding_of_drawing(file: VectorFile, stated: str | None) -> str:
    """Return the encoding of a DXF's texts: by its bytes, since its header often names another."""
    if stated and stated.lower() not in ("utf-8", "utf8"):
        return stated
    if file.member:
        start = member_bytes(file.path, file.member, _SAMPLE_BYTES)
    else:
        with file.path.open("rb") as plain:
            start = plain.read(_SAMPLE_BYTES)
    found, _ = encoding_of(start.splitlines()[:-1])
    return {"utf-8": "UTF-8"}.get(found, "GB18030")


def _crs(told: str | None) -> Any:
    from pyproj import CRS

    return None if told is None else CRS.from_user_input(told)


def _plain(path: Path, kind: str, _: str | None, folder: Path) -> VectorFile:
    if kind == "file_geodatabase":
        if not path.is_dir() or not list(path.glob("a0000000*.gdbtable")):
            raise Problem(
                path, "is no File Geodatabase", expected="a folder with files a00000001.gdbtable …",
                fix="copy the whole .gdb folder again, or zip it",
            )  # fmt: skip
        beside = list(path.rglob("*"))
    else:
        check_content(path, kind)
        beside = list(path.parent.glob(f"{_escaped(path.stem)}.*"))
    _refuse_pipes(path, beside)
    parts = [part for part in beside if part.is_file()]
    _refuse_links(path, parts)
    size = sum(part.stat().st_size for part in parts)
    if kind == "geopackage":
        _refuse_written_beside(path)
    if kind == "gml":
        alone = folder / "data.gml"
        alone.symlink_to(path.resolve())
        return VectorFile(path, str(alone), kind, size)
    return VectorFile(path, str(path.absolute()), kind, size)


def _in_archive(path: Path, kind: str, layer: str | None, folder: Path) -> VectorFile:
    endings = tuple(ending for ending in ENDINGS[kind] if ending not in ARCHIVES)
    member = member_in_zip(path, endings, layer)
    members = zip_members(path)
    if kind == "file_geodatabase":
        if not any(
            name.startswith(f"{member}/") and name.endswith(".gdbtable") for name in members
        ):
            raise Problem(
                path, f"{member[:100]!r} in it is no File Geodatabase",
                expected="a folder with files a00000001.gdbtable …",
                fix="zip the whole .gdb folder again",
            )  # fmt: skip
    else:
        try:
            check_content(path, kind, member)
        except ARCHIVE_FAULTS as error:
            raise not_unpacked(path, member, error) from None
    beside = [name for name in members if name in {member + end for end in _WRITTEN_BESIDE}]
    if kind == "geopackage" and beside:
        raise _unfinished(path, beside[0])
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
    inside = f"/vsizip/{path.absolute()}/{member}"
    if kind in _TAKEN_OUT:
        inside = str(unpacked(path, member, folder))
    return VectorFile(path, inside, kind, size, member)


def _escaped(stem: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in stem)


def _refuse_pipes(path: Path, parts: list[Path]) -> None:
    """Stop at a part whose reading may never end."""
    for part in parts:
        if part.exists() and not (part.is_file() or part.is_dir()):
            raise Problem(
                path, f"its part {part.name} is a pipe or a device", expected="a file",
                fix="copy the file itself there",
            )  # fmt: skip


def _refuse_links(path: Path, parts: list[Path]) -> None:
    """Stop at a part that is a link to somewhere else: the profile names the first file only."""
    home = path.resolve() if path.is_dir() else path.resolve().parent
    for part in parts:
        if part != path and part.is_symlink() and not part.resolve().is_relative_to(home):
            raise Problem(
                path, f"its part {part.name} is a link to another folder", expected="the file itself",
                fix="copy the file that is meant beside the others",
            )  # fmt: skip


def _refuse_written_beside(path: Path) -> None:
    for ending in _WRITTEN_BESIDE:
        beside = path.with_name(path.name + ending)
        if beside.exists() and beside.stat().st_size:
            raise _unfinished(path, beside.name)


def _unfinished(path: Path, beside: str) -> Problem:
    return Problem(
        path, f"{beside} beside it holds changes that are not yet in the file",
        expected="a GeoPackage that no program has open",
        fix="close the program that has it open (QGIS …), or save the layer anew as GeoPackage",
    )  # fmt: skip


def unreadable(path: Path, kind: str, error: Unreadable | Exception, file: VectorFile) -> Problem:
    """Return the message for a file that the reader process, or shapely, could not take."""
    told = str(error).replace(file.inside, path.name)[:300] or type(error).__name__
    parts = {
        "shapefile": ", with all its parts (.shp .shx .dbf .prj)",
        "mapinfo_tab": ", with all its parts (.tab .dat .map .id)",
        "mapinfo_mif": ", with both its parts (.mif .mid)",
    }  # fmt: skip
    return Problem(
        path, f"cannot be read as {kind} ({told})",
        fix=f"copy the file again{parts.get(kind, '')}, or save it anew",
    )  # fmt: skip
