"""Raw sources in memory, before intake has looked at them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class OsmWay:
    """An OpenStreetMap way: its nodes in order and its tags."""

    id: int
    node_ids: tuple[int, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class OsmMember:
    """One member of a relation."""

    type: str
    id: int
    role: str


@dataclass(frozen=True)
class OsmRelation:
    """An OpenStreetMap relation: its members and its tags."""

    id: int
    members: tuple[OsmMember, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class OsmExtract:
    """Nodes (sorted by id), ways and relations as delivered.

    ``node_tags`` holds the tagged nodes only.
    """

    node_id: NDArray[np.int64]
    node_x: NDArray[np.float64]
    node_y: NDArray[np.float64]
    node_tags: Mapping[int, Mapping[str, str]]
    ways: tuple[OsmWay, ...] = ()
    relations: tuple[OsmRelation, ...] = ()
    repeated_count: int = 0
    notes: tuple[str, ...] = field(default=())
    centers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Where ways and relations lie that come without their points, by ``way/…`` or ``relation/…``."""

    @property
    def element_count(self) -> int:
        """Elements in the reply, repeated ones included."""
        return len(self.node_id) + len(self.ways) + len(self.relations) + self.repeated_count


@dataclass(frozen=True)
class FeatureTable:
    """Features of a vector file: fields as text (empty where missing), shapes in the file's CRS."""

    fields: pd.DataFrame
    shapes: NDArray[np.object_]

    @property
    def row_count(self) -> int:
        """How many features there are."""
        return len(self.shapes)
