"""Read raw files as delivered; every fault names the file and what to do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.problem import Problem
from pipeline.settings.city import VECTOR_FORMATS, Source
from pipeline.store.grids import read_geotiff
from pipeline.store.raw_folder import source_path
from pipeline.store.replies import nominatim_places, overpass_extract, read_json


def read_sources(raw_folder: Path, sources: Mapping[str, Source]) -> dict[str, Any]:
    """Return every source in memory; a file that serves several sources is read once."""
    read: dict[tuple[object, ...], Any] = {}
    found = {}
    for name, source in sorted(sources.items()):
        key = (source.path, source.format, source.encoding, source.crs, source.nodata)
        if key not in read:
            read[key] = read_source(raw_folder, name, source)
        found[name] = read[key]
    return found


def read_source(raw_folder: Path, name: str, source: Source) -> Any:
    """Return a source in memory: an OsmExtract, places, a FeatureTable, text rows or a Raster.

    Raises
    ------
    Problem
        If the file is absent, cut short, empty or something else than stated.
    """
    path = source_path(raw_folder, source)
    if not path.is_file():
        raise Problem(
            path,
            f"the file of source '{name}' is absent",
            fix=f"put it there, correct sources.{name}.path in the city profile, or give RAW=folder",
        )
    try:
        if source.format == "geotiff":
            return read_geotiff(path, name, source)
        if source.format == "osm_pbf":
            from pipeline.store.pbf import read_pbf

            return read_pbf(path)
        if source.format in VECTOR_FORMATS:
            from pipeline.store.vectors import read_features

            return read_features(path, name, source)
        if source.format == "csv":
            from pipeline.store.registers import read_rows

            return read_rows(path, name, source)
        reply = read_json(path, source.encoding or "utf-8")
    except PermissionError:
        raise Problem(path, "may not be read", fix="give yourself read permission") from None
    if source.format == "nominatim_json":
        return nominatim_places(path, reply)
    return overpass_extract(path, reply)
