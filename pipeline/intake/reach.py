"""How far around the city streets and facilities count: people walk over its border.

The same margin holds for every format. What lies beyond it is left out and told.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.contracts.raw import OsmExtract
from pipeline.geo.raster import Floats
from pipeline.intake.rejects import Rejects
from pipeline.problem import Problem
from pipeline.settings.city import Source

OUTSIDE_REACH = "outside_reach"
_CORNER_SEGMENTS = 4


def elsewhere(name: str, source: Source, found: str) -> Problem:
    """Return what to tell of a source of which nothing lies where the city does."""
    return Problem(
        source.path,
        found,
        expected=f"coordinates in {source.crs[:60]}, as sources.{name}.crs says, east before north",
        fix=f"correct sources.{name}.crs or datum (make check tries others and names the one that "
        "fits), or take the source out of the profile",
    )


def refuse_elsewhere(
    name: str, source: Source, used_count: int, rejects: Rejects, margin_m: float
) -> None:
    """Stop if facilities of the types that count are there, and all of them beyond reach."""
    beyond = rejects.counts("row").get(OUTSIDE_REACH, 0)
    if beyond and not used_count:
        raise elsewhere(
            name,
            source,
            f"none of its {beyond:,} facilities lies within {margin_m:,.0f} m of the city",
        )


@dataclass(frozen=True)
class Reach:
    """The study area in the working CRS and a margin around it, metres."""

    study_area: shapely.Geometry
    margin_m: float

    @cached_property
    def _around(self) -> shapely.Geometry:
        around = shapely.buffer(self.study_area, self.margin_m, quad_segs=_CORNER_SEGMENTS)
        shapely.prepare(around)
        return around

    def holds(self, xy: Floats) -> NDArray[np.bool_]:
        """Return whether each position of an (n, 2) array lies within; not-a-number does not."""
        return np.asarray(shapely.contains_xy(self._around, xy[:, 0], xy[:, 1]))

    @property
    def told(self) -> str:
        """What the list of rejects says of a place beyond."""
        return f"more than {self.margin_m:,.0f} m from the study area (intake.region_margin_m)"


def within_reach(
    extract: OsmExtract, position: Floats, reach: Reach, rejects: Rejects
) -> OsmExtract:
    """Return a street map without the streets of which no point lies within reach; those are told.

    ``position`` holds the extract's nodes in the working CRS. A street without any known point stays,
    for its own reader to tell.
    """
    is_near = reach.holds(position)
    is_far = ~is_near & np.isfinite(position).all(axis=1)
    if not is_far.any():
        return extract
    streets = [number for number, way in enumerate(extract.ways) if "highway" in way.tags]
    node_ids = [extract.ways[number].node_ids for number in streets]
    owner = np.repeat(np.arange(len(streets)), [len(ids) for ids in node_ids])
    wanted = np.fromiter((node for ids in node_ids for node in ids), dtype=np.int64)
    place = np.searchsorted(extract.node_id, wanted).clip(max=len(extract.node_id) - 1)
    is_there = extract.node_id[place] == wanted
    has_near, has_far = (np.zeros(len(streets), dtype=bool) for _ in range(2))
    has_near[owner[is_there & ~is_far[place]]] = True
    has_far[owner[is_there & is_far[place]]] = True
    beyond = {streets[number] for number in np.flatnonzero(has_far & ~has_near).tolist()}
    for number in sorted(beyond):
        rejects.row(f"way/{extract.ways[number].id}", OUTSIDE_REACH, reach.told)
    ways = tuple(way for number, way in enumerate(extract.ways) if number not in beyond)
    return replace(extract, ways=ways)
