"""Fetch everything for a place: boundary, OpenStreetMap, rasters; what is there already stays."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import shapely

from pipeline.fetch.client import Client
from pipeline.fetch.overpass import check_size, elements, query_text
from pipeline.fetch.place import (
    Boundary,
    boundary_by_name,
    boundary_of_box,
    outline_of,
    working_crs,
)
from pipeline.fetch.rasters import whole_raster, window_raster
from pipeline.fetch.record import (
    Fetched,
    Record,
    read_record,
    still_there,
    terms,
    write_record,
)
from pipeline.problem import Problem
from pipeline.settings.fetch import FetchSettings, OsmLayer, RasterService
from pipeline.store.files import Batch, make_folder
from pipeline.store.raw_folder import inside
from pipeline.store.state import digest, single_run

LABELS = {
    "boundary": "boundary 边界",
    "buildings": "buildings 建筑",
    "streets_walk": "walking network 步行网络",
    "streets_drive": "roads 车行道路",
    "shops_and_sights": "facilities 公共服务设施",
    "rail": "rail 轨道站点",
    "terrain": "terrain 高程",
    "built_up_year": "built-up years 建成区年份",
    "age_structure": "age structure 年龄结构",
}


def fetch(
    folder: Path, city: str, place: str, box: str, settings: FetchSettings, client: Client
) -> Record:
    """Bring the raw folder of a place up to date and return its record.

    Raises
    ------
    Problem
        If anything cannot be had; what was finished is kept, and a later run goes on there.
    """
    make_folder(folder)
    with single_run(folder / ".lock"):
        return _Run(folder, settings, client).all(city, place, box)


class _Run:
    def __init__(self, folder: Path, settings: FetchSettings, client: Client) -> None:
        self.folder, self.settings, self.client = folder, settings, client
        self.tell = client.tell
        self.record = read_record(folder)

    def all(self, city: str, place: str, box: str) -> Record:
        outline = self._outline(city, place, box)
        crs = self.record.crs
        area_km2 = check_size(outline, crs, self.settings.osm)
        self.tell(f"  {area_km2:,.1f} km², {crs}")
        for name, layer in self.settings.osm.layers.items():
            self._layer(name, layer, outline)
        for name in ("terrain", "built_up_year", "age_structure"):
            service = self.settings.elevation if name == "terrain" else getattr(self.settings, name)
            if service is not None:
                self._raster(name, service, outline)
        return self.record

    def _outline(self, city: str, place: str, box: str) -> shapely.Geometry:
        wanted = f"bbox {box}" if box else f"place {place}" if place else self.record.place
        if self.record.place and wanted != self.record.place:
            raise Problem(
                self.folder, f"holds the files of {self.record.place!r}, not of {wanted!r}",
                expected="one place per CITY",
                fix="choose another CITY=, or move that folder away",
            )  # fmt: skip
        known = self.record.files.get("boundary")
        request = _sha(f"{self.settings.boundary.url} {wanted}")
        if known is not None and still_there(self.folder, known, request):
            self._tell_kept("boundary", known)
            return outline_of((self.folder / known.path).read_bytes())
        self.tell(f"{LABELS['boundary']} …")
        if wanted.startswith("bbox "):
            found = boundary_of_box(wanted[5:], city)
            path = "boundary/bbox.geojson"
        else:
            service = self.settings.boundary
            found = boundary_by_name(self.client, service, wanted[6:], self.tell)
            path = f"nominatim/{city}.json"
        names = (found.name_zh, found.name_en, found.short_name)
        self.record = replace(
            self.record, place=wanted, crs=working_crs(found.outline), names=names
        )
        self._keep("boundary", path, found.content, self._boundary_facts(found, request))
        return found.outline

    def _boundary_facts(self, found: Boundary, request: str) -> dict[str, Any]:
        words = terms(self.settings.boundary)
        if not found.url:
            own = "the rectangle asked for"
            words = {"publisher": own, "licence": "none needed", "attribution": own}
        return {
            "url": found.url, "request_sha256": request, "element_count": None,
            "date": found.date, **words,
        }  # fmt: skip

    def _layer(self, name: str, layer: OsmLayer, outline: shapely.Geometry) -> None:
        service = self.settings.osm
        query = query_text(outline, self.record.crs, service, layer)
        request = _sha(f"{service.url} {query}")
        known = self.record.files.get(name)
        if known is not None and still_there(self.folder, known, request):
            self._tell_kept(name, known)
            return
        self.tell(f"{_label(name)} …")
        content, date, count = elements(self.client, _label(name), service, query)
        if not count and layer.is_needed:
            raise Problem(
                f"{_label(name)} from {service.url}", "the reply is whole but holds no elements",
                expected="at least one in the area asked for",
                fix="check PLACE or BBOX; if it is right, OpenStreetMap has none there: use files of "
                "your own with make new-city",
            )  # fmt: skip
        facts = {
            "url": service.url, "request_sha256": request, "element_count": count, "date": date,
            **terms(service),
        }  # fmt: skip
        self._keep(name, layer.path, content if count else b"", facts)

    def _raster(self, name: str, service: RasterService, outline: shapely.Geometry) -> None:
        crs = self.record.crs
        plan = service.model_dump_json(
            include={"url", "reading", "cell_m", "resampling", "margin_m"}
        )
        request = _sha(f"{plan} {crs} {shapely.to_wkt(outline)}")
        known = self.record.files.get(name)
        if known is not None and still_there(self.folder, known, request):
            self._tell_kept(name, known)
            return
        self.tell(f"{_label(name)} …")
        facts = {
            "url": service.url, "request_sha256": request, "element_count": None,
            "date": service.date, **terms(service),
        }  # fmt: skip
        if service.reading == "whole":
            path = f"{service.path.split('/')[0]}/{_file_name(service.url)}"
            target = inside(self.folder / path, self.folder.resolve())
            whole_raster(self.client, _label(name), service, target, crs)
            self._note(name, path, facts)
            return
        content, _, absent = window_raster(self.client, _label(name), service, outline, crs)
        if absent:
            self.tell(
                f"  没有的图幅 tiles that are not there (sea, or not published): {', '.join(absent)}"
            )
        self._keep(name, service.path, content, facts)

    def _keep(self, name: str, path: str, content: bytes, facts: dict[str, Any]) -> None:
        """Write a file that is in memory, and record it; one without content is only recorded."""
        target = inside(self.folder / path, self.folder.resolve())
        if content:
            with Batch() as batch:
                batch.add(target, content)
        else:
            target.unlink(missing_ok=True)
        self._note(name, path, facts, is_empty=not content)

    def _note(self, name: str, path: str, facts: dict[str, Any], *, is_empty: bool = False) -> None:
        file = self.folder / path
        one = Fetched(
            path=path,
            sha256="" if is_empty else digest(file),
            byte_count=0 if is_empty else file.stat().st_size,
            **facts,
        )
        self.record = self.record.with_file(name, one)
        write_record(self.folder, self.record)
        if is_empty:
            self.tell(f"  {_label(name)}: 这里没有 none mapped here, left out of the profile")
        else:
            self.tell(f"  {_said(one)}")

    def _tell_kept(self, name: str, known: Fetched) -> None:
        words = "none mapped here" if known.is_empty else _said(known)
        self.tell(f"{_label(name)}: 已有 there already ({words})")


def _said(one: Fetched) -> str:
    count = f"{one.element_count:,} elements, " if one.element_count else ""
    size = (
        f"{one.byte_count / 1e6:,.1f} MB" if one.byte_count > 1e5 else f"{one.byte_count:,} bytes"
    )
    date = f", 数据日期 data of {one.date}" if one.date else ""
    return f"{one.path}: {count}{size}{date}"


def _label(name: str) -> str:
    return LABELS.get(name, name)


def _file_name(url: str) -> str:
    name = url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    kept = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "._-"))
    return kept.lstrip(".") or "raster.tif"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
