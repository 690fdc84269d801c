"""The walks home from the main road, as the page draws them.

All walks share one tree of street points that leads back to the main roads. It is packed depth
first, so that the next point on the way out is mostly the one before; each building adds the one
point where its own access meets the street.
"""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from pipeline.atlas.mercator import WEB_MERCATOR, Outlines, Whole, curve_order, units
from pipeline.atlas.packing import Pack
from pipeline.geo.raster import Floats

WALK_QUANTUM_UNITS = 8
HEIGHT_STEPS_PER_M = 2


@dataclass(frozen=True)
class Tree:
    """Street points of all walks, as whole numbers."""

    ahead: Whole
    """Row of the next point towards the road, −1 at the road."""
    positions: NDArray[np.int32]
    """x, y and height in packed steps, one row a point."""
    is_unknown: NDArray[np.bool_]
    """Whether its height is."""

    def part(self, start: Whole) -> tuple["Tree", Whole]:
        """Return the points on the walks from these rows (−1: no walk), and the new rows of these."""
        is_kept = np.zeros(len(self.ahead), dtype=bool)
        ahead = np.unique(start[start >= 0])
        while len(ahead):
            ahead = ahead[~is_kept[ahead]]
            is_kept[ahead] = True
            ahead = np.unique(self.ahead[ahead])
            ahead = ahead[ahead >= 0]
        row = np.append(np.cumsum(is_kept) - 1, -1)
        kept = Tree(row[self.ahead[is_kept]], self.positions[is_kept], self.is_unknown[is_kept])
        return kept, row[start]


def tree_of(points: gpd.GeoDataFrame, begin: "pd.Series[Any]") -> tuple[Tree, Whole]:
    """Return the table ``main_road_paths`` as a tree, and the row at which each building begins.

    ``begin`` is ``main_road_path_point_number`` of each; without one the row is −1.
    """
    number = points["path_point_number"].to_numpy(dtype=np.int64)
    if len(number) and (np.diff(number) <= 0).any():
        raise ValueError("path points are not in the order of their numbers")
    ahead, start = (_rows(number, one) for one in (points["next_path_point_number"], begin))
    unknown = points["path_elevation_m"].isna().to_numpy()
    return Tree(ahead, _positions(points, ahead), unknown), start


def _rows(number: Whole, wanted: "pd.Series[Any]") -> Whole:
    real = wanted.to_numpy(dtype=float, na_value=np.nan)
    found = np.searchsorted(number, np.nan_to_num(real, nan=-1).astype(np.int64))
    return np.where(np.isnan(real), -1, np.minimum(found, len(number) - 1))


def add_walks(pack: Pack, tree: Tree, start: Whole, shapes: Outlines) -> dict[str, int]:
    """Pack the tree of walks and where each building joins it; return how many there are.

    A point of the tree tells how many places before it the next one towards the road stands (0: it
    is at the road), and x, y in ``WALK_QUANTUM_UNITS`` and height in ``1 / HEIGHT_STEPS_PER_M`` m as
    steps from that point; points at the road as steps from the one at the road before. A building
    tells 2 + the number of the tree point it walks to, and its own steps from there; 1 where its own
    point is at the road already, with steps from the middle of its box and in height from the last
    building of that kind; 0: no way. ``tree.unknown`` and ``walk.unknown`` mark unknown heights.

    Parameters
    ----------
    start
        Row of the point at which each building's walk begins, −1 for none; in the page's order.
    shapes
        Outlines of the packed buildings.
    """
    following, values = tree.ahead, tree.positions.astype(np.int64)
    joined = np.where(start >= 0, following[start], -1) if len(following) else start

    inner = np.unique(np.append(following, joined))
    inner = inner[inner >= 0]
    number = np.full(len(following), -1, dtype=np.int64)
    number[inner] = np.arange(len(inner))
    parent = np.where(following[inner] >= 0, number[following[inner]], -1)
    order = depth_first(parent, curve_order(values[inner, 0], values[inner, 1]))
    new_number = np.empty(len(inner), dtype=np.int64)
    new_number[order] = np.arange(len(inner))
    inner = inner[order]
    above = parent[order]
    is_root = above < 0
    above = np.where(is_root, 0, new_number[above])

    own = values[inner]
    from_values = own[above] if len(own) else own
    from_values[is_root] = np.concatenate([np.zeros((1, 3), np.int64), own[is_root]])[:-1]
    up = np.where(is_root, 0, np.arange(len(inner)) - above)
    _add(pack, "tree", up, own - from_values)
    pack.numbers("tree.unknown", tree.is_unknown[inner])
    has_way, is_at_road = start >= 0, (start >= 0) & (joined < 0)
    link = np.where(joined >= 0, new_number[number[joined]] + 2, 0) if len(inner) else 0 * start
    base = values[joined] if len(values) else np.zeros((len(start), 3), dtype=np.int64)
    base = np.where(is_at_road[:, None], _middles(shapes), base)
    steps = np.where(has_way[:, None], values[start] - base, 0) if len(values) else base
    steps[is_at_road, 2] = np.diff(steps[is_at_road, 2], prepend=0)
    _add(pack, "walk", link + is_at_road, steps)
    pack.numbers("walk.unknown", tree.is_unknown[start] & has_way if len(values) else 0 * start)
    return {"points": len(inner), "buildings": int(has_way.sum())}


def depth_first(parent: Whole, preference: Whole) -> Whole:
    """Return all numbers of a forest, each tree whole, parents first, short branches before long.

    Parameters
    ----------
    parent
        Number of each point's parent, −1 for roots.
    preference
        All numbers in the order in which roots, and branches of equal size, come.
    """
    count = len(parent)
    ranked = np.empty(count, dtype=np.int64)
    ranked[preference] = np.arange(count)
    size = _tree_sizes(parent)
    by_parent = np.lexsort((ranked, -size * (parent >= 0), parent))
    first = np.searchsorted(parent[by_parent], np.arange(-1, count + 1)).tolist()
    children = by_parent.tolist()
    waiting = children[first[0] : first[1]][::-1]
    order = []
    while waiting:
        point = waiting.pop()
        order.append(point)
        waiting += children[first[point + 1] : first[point + 2]]
    return np.array(order, dtype=np.int64)


def _tree_sizes(parent: Whole) -> Whole:
    """Return how many points hang on each, itself included."""
    size = np.ones(len(parent), dtype=np.int64)
    open_children = np.bincount(parent[parent >= 0], minlength=len(parent))
    ready = np.flatnonzero(open_children == 0)
    while len(ready):
        ready = ready[parent[ready] >= 0]
        above = parent[ready]
        np.add.at(size, above, size[ready])
        np.subtract.at(open_children, above, 1)
        above = np.unique(above)
        ready = above[open_children[above] == 0]
    return size


def _middles(shapes: Outlines) -> Whole:
    """Return x and y of the middles of the packed boxes, in packed steps, and 0, one row a shape."""
    corners = np.cumsum(shapes.points)
    last = corners[np.cumsum(shapes.rings) - 1]
    first = np.append(0, last[:-1])[: len(last)]
    twice = 2 * WALK_QUANTUM_UNITS
    middles = [
        (np.minimum.reduceat(side, first) + np.maximum.reduceat(side, first)) * shapes.quantum // twice
        for side in (shapes.x.astype(np.int64), shapes.y.astype(np.int64))
    ]  # fmt: skip
    return np.stack([*middles, 0 * middles[0]], axis=1)


def _positions(points: gpd.GeoDataFrame, following: Whole) -> NDArray[np.int32]:
    """Return x, y and height of each point in packed steps, one row a point."""
    own = points.geometry.to_numpy()
    forward = Transformer.from_crs(points.crs, WEB_MERCATOR, always_xy=True)
    x, y = units(*forward.transform(shapely.get_x(own), shapely.get_y(own)))
    half = WALK_QUANTUM_UNITS // 2
    height = np.floor(_filled_heights(points, following) * HEIGHT_STEPS_PER_M + 0.5)
    return np.stack(
        [
            (x + half) // WALK_QUANTUM_UNITS,
            (y + half) // WALK_QUANTUM_UNITS,
            height.astype(np.int64),
        ],
        axis=1,
    ).astype(np.int32)


def _filled_heights(points: gpd.GeoDataFrame, following: Whole) -> Floats:
    """Return heights in metres; those unknown repeat the next known one on the way, or else 0.

    They only keep the steps small: the page leaves them out of the profile.
    """
    height = points["path_elevation_m"].to_numpy(dtype=float, na_value=np.nan, copy=True)
    unknown = np.flatnonzero(np.isnan(height))
    ahead = following[unknown]
    while (ahead >= 0).any():
        height[unknown] = np.where(ahead >= 0, height[ahead], np.nan)
        ahead = np.where((ahead >= 0) & np.isnan(height[unknown]), following[ahead], -1)
    return np.where(np.isnan(height), 0, height)


def _add(pack: Pack, name: str, link: Whole, steps: Whole) -> None:
    pack.numbers(f"{name}.link", link)
    for column, axis in enumerate("xyz"):
        pack.numbers(f"{name}.{axis}", steps[:, column])
