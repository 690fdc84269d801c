"""Where ways are cut: shut gates at a point, and walls that run through a point."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.raw import OsmExtract, OsmWay
from pipeline.geo.raster import Floats
from pipeline.intake.walkable import is_passage, shut_barrier
from pipeline.settings.intake import StreetRule

Integers = NDArray[np.int64]


def shut_nodes(extract: OsmExtract, rule: StreetRule) -> dict[int, str]:
    """Return the nodes that nobody passes, and the tags that say so. Lifts are not among them."""
    found = {}
    for node, tags in extract.node_tags.items():
        if tags.get("highway") != "elevator":
            reason = shut_barrier(tags, rule)
            if reason:
                found[node] = reason
    return found


def wall_lines(extract: OsmExtract, rule: StreetRule) -> list[OsmWay]:
    """Return the ways that are walls, fences and the like."""
    return [
        way for way in extract.ways
        if way.tags.get("barrier") in rule.wall_types and "highway" not in way.tags
    ]  # fmt: skip


def walls_at(
    walls: Iterable[OsmWay], node_tags: Mapping[int, Mapping[str, str]], used: set[int]
) -> dict[int, tuple[int, int, str]]:
    """Return the used nodes that a wall runs through: the wall's nodes before and after, and its kind.

    Where a wall ends there is a way round it. A gate, a door or a stile on the node is a way through.
    """
    found: dict[int, tuple[int, int, str]] = {}
    for wall in walls:
        for before, node, after in _through(wall.node_ids):
            if node in used and not is_passage(node_tags.get(node, {})):
                found.setdefault(node, (before, after, wall.tags["barrier"]))
    return found


def _through(nodes: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Return each node with the one before and after it; of a ring also where it closes."""
    ring = len(nodes) > 3 and nodes[0] == nodes[-1]
    around = [*nodes, nodes[1]] if ring else list(nodes)
    yield from zip(around, around[1:], around[2:], strict=False)


def side_of(point: Floats, before: Floats, after: Floats, neighbour: Floats) -> int:
    """Return on which side of a wall that bends at a point a neighbour lies: 0 or 1."""

    def angle(to: Floats) -> float:
        return math.atan2(to[1] - point[1], to[0] - point[0])

    start = angle(before)
    turn = (angle(after) - start) % (2 * math.pi)
    return int((angle(neighbour) - start) % (2 * math.pi) > turn)


class Cuts:
    """Parts the ends of links where a gate is shut or a wall stands.

    ``flat`` holds the place of every node of every way, one way after another.
    """

    def __init__(
        self,
        flat: Integers,
        position: Floats,
        is_shut: NDArray[np.bool_],
        walls: Mapping[int, tuple[int, int]],
    ) -> None:
        self._flat, self._position, self._is_shut, self._walls = flat, position, is_shut, walls
        self.new_ends: list[int] = []
        """For each added end: the place of the node it stands at."""

    def at(self) -> NDArray[np.bool_]:
        """Return at which places of ``flat`` a way has to be cut."""
        return self._is_shut[self._flat] | np.isin(self._flat, list(self._walls))

    def parted(self, first: Integers, last: Integers) -> tuple[Integers, Integers]:
        """Return the end nodes of links, added ones where what met is parted.

        ``first`` and ``last`` are the links' places in ``flat``. At a shut gate every link gets an
        end of its own; at a wall those on its far side share one.
        """
        count = len(self._position)
        begins, ends = self._flat[first].copy(), self._flat[last].copy()
        for nodes in (begins, ends):
            for link in np.flatnonzero(self._is_shut[nodes]).tolist():
                self.new_ends.append(int(nodes[link]))
                nodes[link] = count + len(self.new_ends) - 1
        for node, (before, after) in sorted(self._walls.items()):
            incident = [(begins, link, int(self._flat[first[link] + 1]))
                        for link in np.flatnonzero(begins == node).tolist()]  # fmt: skip
            incident += [(ends, link, int(self._flat[last[link] - 1]))
                         for link in np.flatnonzero(ends == node).tolist()]  # fmt: skip
            if any(neighbour in (before, after) for _, _, neighbour in incident):
                continue  # drawn along the wall itself: the map does not say on which side
            far = [
                (nodes, link) for nodes, link, neighbour in incident
                if side_of(*(self._position[one] for one in (node, before, after, neighbour)))
            ]  # fmt: skip
            if far and len(far) < len(incident):
                self.new_ends.append(node)
                for nodes, link in far:
                    nodes[link] = count + len(self.new_ends) - 1
        return begins, ends
