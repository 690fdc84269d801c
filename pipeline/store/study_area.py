"""The part of the earth that files of a whole region are cut to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from pipeline.contracts.raw import FeatureTable
from pipeline.geo.crs import crs_of, parsed
from pipeline.geo.datum import into_working_crs
from pipeline.geo.strays import main_bounds
from pipeline.settings.city import Source

Box = tuple[float, float, float, float]
_DATUM_SLACK_DEG = 0.02


@dataclass(frozen=True)
class StudyArea:
    """A box in the working CRS, its margin included; without one nothing is cut."""

    working_crs: str
    box: Box | None = None

    def box_in(self, crs: str, datum: str = "wgs84") -> Box | None:
        """Return the box in another CRS; a Chinese map datum gets some slack."""
        from pyproj import Transformer
        from pyproj.exceptions import ProjError

        if self.box is None:
            return None
        try:
            across = Transformer.from_crs(parsed(self.working_crs), parsed(crs), always_xy=True)
            west, south, east, north = across.transform_bounds(*self.box)
        except ProjError:
            return None
        if not np.isfinite([west, south, east, north]).all():
            return None
        slack = _DATUM_SLACK_DEG if datum in ("gcj02", "bd09") else 0.0
        return west - slack, south - slack, east + slack, north + slack


def study_area(found: Iterable[tuple[Source, Any]], working_crs: str, margin_m: float) -> StudyArea:
    """Return the box around the boundary sources; none if they cannot be placed."""
    boxes = []
    for source, raw in found:
        west, south, east, north = _extent(raw)
        edge = np.linspace(0, 1, 21)
        x = np.concatenate([west + edge * (east - west)] * 2 + [[west] * 21, [east] * 21])
        y = np.concatenate([[south] * 21, [north] * 21] + [south + edge * (north - south)] * 2)
        if not np.isfinite(x).all() or not np.isfinite(y).all():
            return StudyArea(working_crs)
        placed = into_working_crs(
            x, y, datum=source.datum, crs=crs_of(source), working_crs=working_crs
        )
        if not np.isfinite(placed).all():
            return StudyArea(working_crs)
        boxes.append([placed[0].min(), placed[1].min(), placed[0].max(), placed[1].max()])
    if not boxes:
        return StudyArea(working_crs)
    stacked = np.array(boxes)
    low, high = stacked[:, :2].min(axis=0) - margin_m, stacked[:, 2:].max(axis=0) + margin_m
    return StudyArea(working_crs, (float(low[0]), float(low[1]), float(high[0]), float(high[1])))


def _extent(raw: Any) -> Box:
    """Return the outer edges of a source without strays, NaN if it has none."""
    if isinstance(raw, FeatureTable):
        shapes = raw.shapes
    else:
        shapes = np.array([_outline(place) for place in raw], dtype=object)
    return main_bounds(shapely.bounds(shapes))


def _outline(place: Any) -> Any:
    try:
        return shapely.geometry.shape(place["geojson"])
    except (ValueError, TypeError, KeyError, AttributeError, shapely.errors.ShapelyError):
        return None
