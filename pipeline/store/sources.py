"""Read raw files as delivered; every fault names the file and what to do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.problem import Problem
from pipeline.settings.city import (
    LAYERED_FORMATS,
    REGISTER_FORMATS,
    SHAPE_COLUMNS,
    VECTOR_FORMATS,
    Source,
)
from pipeline.store.raw_folder import is_there, source_paths
from pipeline.store.study_area import StudyArea, study_area


def read_sources(
    raw_folder: Path, sources: Mapping[str, Source], working_crs: str, margin_m: float
) -> dict[str, Any]:
    """Return every source in memory; a file that serves several sources is read once.

    Files of a whole region are cut to the boundary, or else the footprints, and ``margin_m`` around.

    Raises
    ------
    Problem
        Of the first source that cannot be read.
    """
    found, faults = read_each_source(raw_folder, sources, working_crs, margin_m, stops=True)
    assert not faults
    return found


def read_each_source(
    raw_folder: Path,
    sources: Mapping[str, Source],
    working_crs: str,
    margin_m: float,
    *,
    stops: bool = False,
) -> tuple[dict[str, Any], dict[str, Problem]]:
    """Return the sources that can be read, and why each of the others cannot."""
    read: dict[tuple[object, ...], Any] = {}
    found: dict[str, Any] = {}
    faults: dict[str, Problem] = {}
    area = StudyArea(working_crs)
    bounds = _bounding(sources)
    in_order = sorted(sources.items(), key=lambda item: (item[0] not in bounds, item[0]))
    for number, (name, source) in enumerate(in_order):
        if bounds and number == len(bounds):
            placed = [(sources[one], found[one]) for one in bounds if one in found]
            area = study_area(placed, working_crs, margin_m)
        key = reading_key(source)
        try:
            if key not in read:
                read[key] = read_source(raw_folder, name, source, area)
            found[name] = read[key]
        except Problem as problem:
            if stops:
                raise
            faults[name] = problem
    return {name: found[name] for name in sorted(found)}, faults


def _bounding(sources: Mapping[str, Source]) -> list[str]:
    """Return the sources that tell where the city is: its boundary, else its footprints."""
    bounds = [name for name, source in sources.items() if source.role == "boundary"]
    return sorted(bounds) or sorted(
        name for name, source in sources.items()
        if source.role == "footprints" and source.format in VECTOR_FORMATS
    )  # fmt: skip


def reading_key(source: Source) -> tuple[object, ...]:
    """Return what decides how a file is read: sources that share it are read once."""
    shaped = tuple(tuple(source.columns.get(name, ())) for name in SHAPE_COLUMNS)
    return (
        source.path, *source.more_paths, source.format, source.layer, source.encoding, source.crs,
        source.nodata, source.datum, shaped,
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
    if len(paths) > 1 and source.format != "geotiff":
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
    if source.format == "geotiff":
        from pipeline.store.grids import read_terrain

        return read_terrain(paths, name, source, area)
    if source.format == "osm_pbf":
        from pipeline.store.pbf import read_pbf

        return read_pbf(path, area.box_in(source.crs, source.datum))
    if source.format in LAYERED_FORMATS:
        from pipeline.store.vectors import read_features

        return read_features(path, name, source)
    if source.format in REGISTER_FORMATS:
        from pipeline.store.registers import read_rows

        rows = read_rows(path, name, source)
        if set(SHAPE_COLUMNS).isdisjoint(source.columns):
            return rows
        from pipeline.store.vectors import features_from_rows

        return features_from_rows(path, rows, source)
    from pipeline.store.replies import nominatim_places, overpass_extract, read_json

    reply = read_json(path, source.encoding or "utf-8")
    if source.format == "nominatim_json":
        return nominatim_places(path, reply)
    return overpass_extract(path, reply)
