"""Read raw files as delivered; every fault names the file and what to do."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.geo.crs import crs_of
from pipeline.problem import Problem
from pipeline.settings.city import (
    ADDED_COLUMNS,
    KEY_COLUMNS,
    LAYERED_FORMATS,
    OSM_FORMATS,
    RASTER_FORMATS,
    REGISTER_FORMATS,
    SHAPE_COLUMNS,
    VECTOR_FORMATS,
    Source,
)
from pipeline.store.placement import refuse_working_crs
from pipeline.store.raw_folder import is_there, source_paths
from pipeline.store.study_area import StudyArea, study_area


class RawSources(Mapping[str, Any]):
    """Every source by name, read when it is first asked for; a file that serves several is read once.

    Files of a whole region are cut to the boundary, or else the footprints, and ``margin_m`` around.
    A copy for another interpreter holds nothing that was read. Asking raises ``Problem`` if a source
    cannot be read.
    """

    def __init__(
        self, raw_folder: Path, sources: Mapping[str, Source], working_crs: str, margin_m: float
    ) -> None:
        self._told = (raw_folder, dict(sorted(sources.items())), working_crs, margin_m)
        self._read: dict[tuple[object, ...], Any] = {}
        self._area: StudyArea | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return RawSources, self._told

    def __iter__(self) -> Iterator[str]:
        return iter(self._told[1])

    def __len__(self) -> int:
        return len(self._told[1])

    def __getitem__(self, name: str) -> Any:
        raw_folder, sources, crs, _ = self._told
        source = sources[name]
        key = reading_key(source)
        if key not in self._read:
            bounds = _bounding(sources)
            if name not in bounds and self._area is None:
                self._area = self._around(bounds)
            area = self._area if name not in bounds else None
            self._read[key] = read_source(raw_folder, name, source, area or StudyArea(crs))
        if source.format in OSM_FORMATS:
            from pipeline.store.osm_elements import check_shapes

            check_shapes(raw_folder / source.path, self._read[key], source.role)
        return self._read[key]

    def _around(self, bounds: list[str]) -> StudyArea:
        """Return the area of those sources that can be read; who asks for another is told why not."""
        _, sources, crs, margin_m = self._told
        refuse_working_crs(crs)
        placed = []
        for name in bounds:
            with suppress(Problem):
                placed.append((sources[name], self[name]))
        return study_area(placed, crs, margin_m)


def read_sources(
    raw_folder: Path, sources: Mapping[str, Source], working_crs: str, margin_m: float
) -> dict[str, Any]:
    """Return every source in memory.

    Raises
    ------
    Problem
        Of the first source that cannot be read.
    """
    return dict(RawSources(raw_folder, sources, working_crs, margin_m))


def read_each_source(
    raw_folder: Path, sources: Mapping[str, Source], working_crs: str, margin_m: float
) -> tuple[dict[str, Any], dict[str, Problem]]:
    """Return the sources that can be read, and why each of the others cannot."""
    raw = RawSources(raw_folder, sources, working_crs, margin_m)
    found: dict[str, Any] = {}
    faults: dict[str, Problem] = {}
    for name in raw:
        try:
            found[name] = raw[name]
        except Problem as problem:
            faults[name] = problem
    return found, faults


def _bounding(sources: Mapping[str, Source]) -> list[str]:
    """Return the sources that tell where the city is: its boundary, else its footprints."""
    bounds = [name for name, source in sources.items() if source.role == "boundary"]
    return sorted(bounds) or sorted(
        name for name, source in sources.items()
        if source.role == "footprints" and source.format in VECTOR_FORMATS
    )  # fmt: skip


def reading_key(source: Source) -> tuple[object, ...]:
    """Return what decides how a file is read: sources that share it are read once."""
    read = (*SHAPE_COLUMNS, *KEY_COLUMNS, *ADDED_COLUMNS)
    shaped = tuple(tuple(source.columns.get(name, ())) for name in read)
    return (
        source.path, *source.more_paths, source.format, source.layer, source.encoding, source.crs,
        source.nodata, source.height_unit, source.datum, tuple(source.towgs84 or ()), shaped,
        source.separator,
        tuple(source.header_rows), tuple(source.fill_down or ()), tuple(source.joined),
    )  # fmt: skip


def read_source(raw_folder: Path, name: str, source: Source, area: StudyArea) -> Any:
    """Return a source in memory: an OsmExtract, places, a FeatureTable, text rows or a Raster.

    Raises
    ------
    Problem
        If the file is absent, cut short, empty or something else than stated.
    """
    paths = source_paths(raw_folder, source)
    for path in paths:
        if not is_there(path, source):
            raise Problem(
                path,
                f"the file of source '{name}' is absent",
                fix=f"put it there, correct sources.{name}.path in the profile, or give RAW=folder",
            )
    if len(paths) > 1 and source.format not in RASTER_FORMATS:
        raise Problem(
            source.path, f"source '{name}' names {len(paths)} files", expected="one file",
            fix="only tiles of a terrain model may be several; make a source of each file",
        )  # fmt: skip
    try:
        return _read(paths, name, source, area)
    except PermissionError:
        raise Problem(paths[0], "may not be read", fix="give yourself read permission") from None


def _read(paths: list[Path], name: str, source: Source, area: StudyArea) -> Any:
    path = paths[0]
    if source.format in RASTER_FORMATS:
        from pipeline.store.grids import read_terrain

        return read_terrain(paths, name, source, area)
    if source.format in OSM_FORMATS:
        return _read_osm(path, source, area)
    if source.format in LAYERED_FORMATS:
        from pipeline.store.vectors import read_features

        return read_features(path, name, source)
    if source.format in REGISTER_FORMATS:
        from pipeline.store.registers import read_rows

        rows = read_rows(path, name, source)
        if set(SHAPE_COLUMNS).isdisjoint(source.columns):
            return rows
        from pipeline.store.vectors import features_from_rows

        return features_from_rows(path, name, rows, source)
    from pipeline.store.replies import nominatim_places, read_json

    return nominatim_places(path, read_json(path, source.encoding or "utf-8"))


def _read_osm(path: Path, source: Source, area: StudyArea) -> Any:
    box = area.box_in(crs_of(source), source.datum)
    if source.format in ("osm_pbf", "osm_o5m"):
        from pipeline.store.pbf import read_pbf

        return read_pbf(path, box)
    if source.format == "osm_xml":
        from pipeline.store.osm_xml import read_osm_xml

        return read_osm_xml(path, box)
    from pipeline.store.replies import overpass_extract, read_json

    return overpass_extract(path, read_json(path, source.encoding or "utf-8"))
