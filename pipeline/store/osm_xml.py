"""Read OpenStreetMap XML: from openstreetmap.org, JOSM or an Overpass server, plain or compressed."""

import bz2
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast
from xml.etree import ElementTree

from pipeline.contracts.raw import OsmExtract
from pipeline.problem import Problem
from pipeline.store.osm_elements import AGAIN, from_elements, within
from pipeline.store.study_area import Box

XML_ENDINGS = (".osm", ".osm.xml", ".osm.gz", ".osm.bz2")
_FAULTS = (OSError, EOFError, zlib.error)
"""What is raised while a damaged file is unpacked."""
MOST_BYTES = 2_000_000_000
"""Unpacked; a larger file takes many minutes as XML and few as PBF."""
_ALWAYS_FINE_BYTES, _MOST_RATIO = 32_000_000, 25
"""OSM XML packs to a fifteenth (gzip) or twentieth (bzip2)."""
_TO_PBF = "turn it into PBF: osmium cat FILE -o FILE.osm.pbf"
_HEAD_BYTES = 4096


def read_osm_xml(path: Path, box: Box | None = None) -> OsmExtract:
    """Return the elements of an OSM XML file, cut to a box (west, south, east, north in degrees).

    Raises
    ------
    Problem
        If the file is none, cut short, a change file, or a server's report of an error.
    """
    extract = from_elements(path, xml_elements(path))
    if not extract.element_count:
        raise Problem(path, "holds no elements", fix="check the area asked for, then " + AGAIN)
    found = within(extract, box)
    if not found.element_count:
        raise Problem(path, "holds no elements in the study area", fix="check the extract's area")
    return found


def xml_date(path: Path) -> str:
    """Return the day of the data, where an Overpass reply says it."""
    for event, element in _events(path):
        if element.tag == "meta":
            return str(element.get("osm_base", ""))[:10]
        if event == "start" and element.tag in ("node", "way", "relation"):
            break
    return ""


def is_osm_xml(path: Path) -> bool:
    """Return whether a file begins as OSM XML does."""
    try:
        with _unpacked(path) as file:
            return b"<osm" in file.read(_HEAD_BYTES)
    except _FAULTS:
        return False


def xml_elements(path: Path) -> Iterator[dict[str, Any]]:
    """Return each element of a file as Overpass writes it in JSON."""
    for event, element in _events(path):
        if event == "start":
            continue
        if element.tag == "remark" and "error" in (element.text or "").lower():
            raise Problem(
                path, f"the server reports: {(element.text or '').strip()[:200]}",
                expected="a complete reply",
                fix="ask for a smaller area or allow more time, then " + AGAIN,
            )  # fmt: skip
        if element.tag in ("node", "way", "relation"):
            try:
                yield _told(element)
            except (KeyError, TypeError, ValueError) as error:
                raise Problem(
                    path, f"{element.tag} {element.get('id')} is malformed ({error})", fix=AGAIN
                ) from None


def _events(path: Path) -> Iterator[tuple[str, ElementTree.Element]]:
    depth, root = 0, None
    try:
        with _unpacked(path) as file:
            for event, element in ElementTree.iterparse(_Bounded(path, file), ("start", "end")):
                if root is None:
                    root = element
                    _check_root(path, element.tag)
                depth += 1 if event == "start" else -1
                if depth == 1 and event == "end":
                    yield event, element
                    root.clear()
                elif depth == 2 and event == "start":
                    yield event, element
    except ElementTree.ParseError as error:
        line, column = error.position
        raise Problem(
            path, f"the XML is cut short or damaged at line {line}, column {column + 1}",
            expected="one complete OSM XML document", fix=AGAIN,
        ) from None  # fmt: skip
    except (LookupError, ValueError) as error:  # of several bytes a sign, or by a name unknown
        raise Problem(
            path, f"states an encoding that cannot be read ({str(error)[:80]})",
            expected="OSM XML in UTF-8", fix=AGAIN,
        ) from None  # fmt: skip
    except _FAULTS as error:
        if isinstance(error, PermissionError):
            raise
        raise Problem(
            path, f"cannot be unpacked ({str(error)[:100]})", expected="a whole file", fix=AGAIN
        ) from None


def _check_root(path: Path, tag: str) -> None:
    if tag == "osmChange":
        raise Problem(
            path, "is a change file (osmChange): what was edited, not what is there",
            expected="the map itself (.osm, .osm.pbf)",
            fix="download an extract, or apply the changes to one: osmium apply-changes",
        )  # fmt: skip
    if tag != "osm":
        raise Problem(
            path, f"is XML of another kind (<{tag[:40]}>)", expected="OSM XML (<osm>)", fix=AGAIN
        )


def _unpacked(path: Path) -> IO[bytes]:
    name = path.name.lower()
    if name.endswith(".gz"):
        return cast(IO[bytes], gzip.open(path))
    return bz2.open(path) if name.endswith(".bz2") else path.open("rb")


class _Bounded:
    """A stream that ends with a message where it grows too large or declares a document type."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file, self._count = path, file, 0
        self._most = min(max(_ALWAYS_FINE_BYTES, _MOST_RATIO * path.stat().st_size), MOST_BYTES)

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(size)
        if self._count == 0 and not part.strip():
            raise Problem(self._path, "the file is empty", expected="OSM XML", fix=AGAIN)
        if self._count == 0 and part.lstrip()[:1] in (b"{", b"["):
            raise Problem(
                self._path, "this is JSON, not XML", expected="OSM XML (<osm>)",
                fix="name it .json; the format of an Overpass reply is overpass_json",
            )  # fmt: skip
        if b"<!DOCTYPE" in part or b"<!ENTITY" in part:
            raise Problem(
                self._path, "declares a document type, which OSM XML has not (a web page?)",
                expected="OSM XML (<osm>)", fix=AGAIN,
            )  # fmt: skip
        self._count += len(part)
        if self._count > self._most:
            raise Problem(
                self._path, f"unpacks to more than {self._most:,} bytes of XML",
                expected=f"at most {_MOST_RATIO} times its size, and {MOST_BYTES:,} bytes", fix=_TO_PBF,
            )  # fmt: skip
        return part


def _told(element: ElementTree.Element) -> dict[str, Any]:
    """Return one element as a mapping."""
    told: dict[str, Any] = {"type": element.tag, "id": int(element.attrib["id"])}
    told |= {key: element.attrib[key] for key in _KEPT if key in element.attrib}
    tags: dict[str, str] = {}
    refs: list[ElementTree.Element] = []
    members = []
    for child in element:
        if child.tag == "tag":
            tags[child.attrib["k"]] = child.attrib["v"]
        elif child.tag == "nd":
            refs.append(child)
        elif child.tag == "member":
            members.append(_member(child))
        elif child.tag in ("center", "bounds"):
            told[child.tag] = dict(child.attrib)
    if element.tag == "way":
        told["nodes"] = [int(one.attrib["ref"]) for one in refs if "ref" in one.attrib]
        told["geometry"] = _geometry(refs)
    if element.tag == "relation":
        told["members"] = members
    told["tags"] = tags
    return told


_KEPT = ("lon", "lat", "version", "action", "visible")


def _member(child: ElementTree.Element) -> dict[str, Any]:
    return {
        "type": child.attrib["type"], "ref": int(child.attrib["ref"]),
        "role": child.get("role", ""), "geometry": _geometry(list(child)),
    }  # fmt: skip


def _geometry(points: list[ElementTree.Element]) -> list[Any]:
    """Return where points lie, None for each that is not told; nothing if none is."""
    if not any("lat" in one.attrib for one in points):
        return []
    return [dict(one.attrib) if "lat" in one.attrib else None for one in points]
