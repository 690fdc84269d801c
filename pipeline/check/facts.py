"""What there is to say of one source before anything is made of it: rows, gaps, age, extent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.check.layers import Layer, sample
from pipeline.check.readings import declared_reading, placed
from pipeline.contracts.raw import FeatureTable, OsmExtract
from pipeline.geo.crs import parsed, way_to_wgs84
from pipeline.geo.datum import into_working_crs
from pipeline.geo.raster import Floats, Raster
from pipeline.settings.city import SHAPE_COLUMNS, Source

OLD_YR = 5
"""Data of an earlier year than this before the reference year is called old."""
_MAP_POINTS = 400
_FEET_IN_M = 3.28
_LEAST_PAIRS = 30


@dataclass(frozen=True)
class SourceFacts:
    """One source as it was read."""

    name: str
    source: Source
    row_count: int
    unit: str
    """What is counted: rows, elements, cells …"""
    missing: tuple[tuple[str, str, float], ...]
    """Our column, the source's field, the share of rows without a value."""
    points: Floats
    """Some positions in the working CRS, for a small map; none for registers without any."""
    datum_note: str
    """What is to be known of its datum's way to WGS 84, with its accuracy; empty if it is plain."""
    age_yr: int
    """Years between the data and the reference year; negative: from later."""

    @property
    def is_old(self) -> bool:
        """Whether the data is older than ``OLD_YR``."""
        return self.age_yr > OLD_YR


def source_facts(
    name: str, source: Source, raw: Any, layer: Layer | None, working_crs: str, reference_year: int
) -> SourceFacts:
    """Return what there is to say of a source."""
    count, unit = _size(raw)
    points = np.empty((0, 2))
    if layer is not None:
        points = placed(sample(layer, _MAP_POINTS, 1), declared_reading(layer), working_crs)
    elif isinstance(raw, Raster):
        west, south, east, north = raw.bounds
        across, up = np.meshgrid(np.linspace(west, east, 9), np.linspace(south, north, 9))
        points = np.column_stack([across.ravel(), up.ravel()])
    points = points[np.isfinite(points).all(axis=1)]
    return SourceFacts(
        name, source, count, unit, tuple(_missing(source, raw)), points,
        _datum_note(source, points, working_crs), reference_year - int(source.date[:4]),
    )  # fmt: skip


def _datum_note(source: Source, points: Floats, working_crs: str) -> str:
    if not len(points):
        return ""
    if source.towgs84 is not None:
        return f"its datum is brought to WGS 84 by towgs84 {source.towgs84}, as the profile says"
    x, y = into_working_crs(
        points[:, 0], points[:, 1], datum="wgs84", crs=working_crs, working_crs="EPSG:4326"
    )
    around = (float(np.min(x)), float(np.min(y)), float(np.max(x)), float(np.max(y)))
    if not np.isfinite(around).all():
        return ""
    way = way_to_wgs84(parsed(source.crs), around)
    within = "" if way.accuracy_m is None else f", to within {way.accuracy_m:g} m"
    return f"{way.note}{within}" if way.note else ""


def heights_in_feet(source: Source, raw: Any) -> float | None:
    """Return metres per storey if a layer's heights can only be feet, else nothing."""
    if not {"height_m", "storey_count"} <= set(source.columns):
        return None
    pairs = [(_number(one), _number(two)) for one, two in _texts(source, raw)]
    ratios = [height / storeys for height, storeys in pairs if height > 0 and storeys > 0]
    middle = float(np.median(ratios)) if len(ratios) >= _LEAST_PAIRS else 0.0
    return middle if 2.3 * _FEET_IN_M <= middle <= 4.5 * _FEET_IN_M else None


def _texts(source: Source, raw: Any) -> Iterable[tuple[str, str]]:
    height, storeys = source.columns["height_m"], source.columns["storey_count"]
    if isinstance(raw, OsmExtract):
        return [(_first(way.tags, height), _first(way.tags, storeys)) for way in raw.ways]
    fields = raw.fields if isinstance(raw, FeatureTable) else raw
    if not isinstance(fields, pd.DataFrame):
        return []
    return zip(_joined(fields, height), _joined(fields, storeys), strict=True)


def _first(tags: Mapping[str, str], names: list[str]) -> str:
    return next((tags[name] for name in names if tags.get(name)), "")


def _joined(fields: pd.DataFrame, names: list[str]) -> list[str]:
    text = pd.Series("", index=fields.index, dtype="str")
    for name in names:
        if name in fields.columns:
            text = text.where(text != "", fields[name])
    return list(text.to_numpy(dtype=object))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _size(raw: Any) -> tuple[int, str]:
    if isinstance(raw, OsmExtract):
        return raw.element_count, "elements"
    if isinstance(raw, FeatureTable):
        return raw.row_count, "features"
    if isinstance(raw, Raster):
        return int(raw.values.size), "cells"
    return len(raw), "rows" if isinstance(raw, pd.DataFrame) else "places"


def _missing(source: Source, raw: Any) -> list[tuple[str, str, float]]:
    found = []
    shown = {ours: names for ours, names in source.columns.items() if ours not in SHAPE_COLUMNS}
    for ours, names in sorted(shown.items()):
        field = " / ".join(names)
        if isinstance(raw, OsmExtract):
            tagged = _bearing(source, raw)
            if tagged:
                lacking = sum(not _first(tags, names) for tags in tagged)
                found.append((ours, field, lacking / len(tagged)))
        elif isinstance(raw, FeatureTable | pd.DataFrame):
            fields = raw.fields if isinstance(raw, FeatureTable) else raw
            texts = _joined(fields, names)
            found.append((ours, field, sum(text == "" for text in texts) / max(len(texts), 1)))
    if isinstance(raw, Raster):
        found.append(("elevation_m", "", float(np.isnan(raw.values).mean())))
    return found


def _bearing(source: Source, raw: OsmExtract) -> list[Mapping[str, str]]:
    """Return the tags of the elements that the source is read for."""
    ways = [way.tags for way in raw.ways]
    if source.role == "footprints":
        uses = source.columns.get("building_use_type", ["building"])
        every = ways + [one.tags for one in raw.relations]
        return [tags for tags in every if _first(tags, uses)]
    if source.role == "streets":
        return [tags for tags in ways if "highway" in tags]
    return list(raw.node_tags.values())
