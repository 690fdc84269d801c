"""The street mesh: a warped lattice whose rows follow the contours.

Rows run along the strike of the ridges and are pushed up or down the slope until they lie level, so
that lines along a row make streets on the contour and lines across make stairways. Main roads are
cheapest paths between hubs on the same lattice (Mehlhorn's shortest-path Voronoi construction,
Information Processing Letters 27, 1988), so they wind where it is steep and cross rivers where they
are narrow.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree

from pipeline.reference.chance import Bools, Floats, Ints, noise_field, stream
from pipeline.reference.settings import Mesh, ReferenceSettings
from pipeline.reference.terrain import Terrain

_NO_ROAD = 0
MINOR, MAJOR = 1, 2


@dataclass(frozen=True)
class Lattice:
    """Vertices in rows (across the slope) and columns (along the contour).

    ``x_m`` and ``y_m`` have one value per vertex; cell (i, j) lies between vertices (i, j) and
    (i + 1, j + 1). ``road_level`` holds 0, ``MINOR`` or ``MAJOR`` for each edge of ``edges``.
    """

    x_m: Floats
    y_m: Floats
    edges: Ints
    road_level: Ints

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of vertices."""
        return self.x_m.shape[0], self.x_m.shape[1]

    def cell_corners(self) -> Floats:
        """Return the corners of all cells in ring order: rows × columns × 4 × 2."""
        points = np.stack([self.x_m, self.y_m], axis=-1)
        ring = (points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1])
        return np.stack(ring, axis=2)


def base_lattice(settings: ReferenceSettings, terrain: Terrain, tile: int) -> tuple[Floats, Floats]:
    """Return x and y of the warped lattice, already pushed onto the contours."""
    mesh, frame = settings.mesh, terrain.frame
    rng = stream(settings.seed, "mesh", tile)
    left, bottom, right, top = frame.bounds_m
    turn = np.radians(settings.land.strike_deg)
    along = np.array([np.sin(turn), np.cos(turn)])
    across = np.array([np.cos(turn), -np.sin(turn)])
    corners = np.array([[left, bottom], [left, top], [right, bottom], [right, top]])
    u, v = corners @ along, corners @ across
    rows = np.arange(v.min(), v.max() + mesh.across_m, mesh.across_m)
    columns = np.arange(u.min(), u.max() + mesh.along_m, mesh.along_m)
    # lines that follow real slopes are not evenly spaced
    rows = rows + rng.uniform(-0.14, 0.14, rows.size) * mesh.across_m
    columns = columns + rng.uniform(-0.18, 0.18, columns.size) * mesh.along_m
    x = rows[:, None] * across[0] + columns[None, :] * along[0]
    y = rows[:, None] * across[1] + columns[None, :] * along[1]
    for wavelength, reach in ((mesh.warp_wavelength_m, mesh.warp_m), (1300.0, 62.0), (420.0, 12.0)):
        east = noise_field(rng, frame.bounds_m, wavelength_m=wavelength)
        north = noise_field(rng, frame.bounds_m, wavelength_m=wavelength)
        x, y = x + reach * east(x, y), y + reach * north(x, y)
    return _levelled(terrain, x, y)


def _levelled(
    terrain: Terrain, x: Floats, y: Floats, *, round_count: int = 14
) -> tuple[Floats, Floats]:
    for _ in range(round_count):
        height = terrain.smooth_ground_m(x, y)
        padded = np.pad(height, ((0, 0), (1, 1)), mode="edge")
        lift = (padded[:, :-2] + padded[:, 2:]) / 2 - height
        east, north = terrain.smooth_gradient(x, y)
        steepness = np.maximum(np.hypot(east, north), 0.05)
        move = np.clip(0.7 * lift / steepness, -9, 9) / steepness
        x, y = x + move * east, y + move * north
        x, y = _relaxed(x, 0.16), _relaxed(y, 0.16)
    return x, y


def _relaxed(values: Floats, share: float) -> Floats:
    padded = np.pad(values, 1, mode="reflect", reflect_type="odd")
    around = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
    return np.asarray(values + share * (around - values))


def lattice_edges(shape: tuple[int, int]) -> Ints:
    """Return all edges as pairs of vertex numbers, along the rows first."""
    number = np.arange(shape[0] * shape[1]).reshape(shape)
    along = np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()])
    across = np.column_stack([number[:-1].ravel(), number[1:].ravel()])
    return np.vstack([along, across])


def sound_cells(corners: Floats, mesh: Mesh) -> Bools:
    """Return which cells are convex, not too thin and of a buildable size."""
    side = np.roll(corners, -1, axis=2) - corners
    length = np.hypot(side[..., 0], side[..., 1])
    following = np.roll(side, -1, axis=2)
    turn = side[..., 0] * following[..., 1] - side[..., 1] * following[..., 0]
    sine = turn / np.maximum(length * np.roll(length, -1, axis=2), 1e-9)
    handed = np.sign(np.median(sine))
    nominal = mesh.along_m * mesh.across_m
    area = np.abs(np.sum(turn, axis=2)) / 4
    sound = (sine * handed > 0.55).all(axis=2) & (length > 42).all(axis=2)
    return np.asarray(sound & (area > 0.4 * nominal) & (area < 2.2 * nominal))


def travel_cost(terrain: Terrain, x: Floats, y: Floats, edges: Ints) -> tuple[Floats, Bools]:
    """Return the building cost of a road on each edge and whether the edge touches water."""
    flat_x, flat_y = x.ravel(), y.ravel()
    height = terrain.smooth_ground_m(flat_x, flat_y)
    start, end = edges.T
    length = np.hypot(flat_x[end] - flat_x[start], flat_y[end] - flat_y[start])
    grade = np.abs(height[end] - height[start]) / np.maximum(length, 1)
    cost = length * (1 + np.minimum((grade / 0.055) ** 2, 22))
    # under a mountain the road goes through, whatever the slope above
    inside = terrain.ridge_rise_m(flat_x, flat_y) > 75 * np.sqrt(terrain.frame.size_share)
    cost = np.where(inside[start] | inside[end], 4.0 * length, cost)
    wet = terrain.river_m(flat_x, flat_y) < 18
    wet_edge = wet[start] | wet[end]
    outside = ~terrain.frame.holds(flat_x, flat_y, 150)
    cost = np.where(outside[start] | outside[end], 1e6, cost)
    return np.where(wet_edge, 4.5 * length, cost), wet_edge


def hub_paths(
    vertex_count: int, edges: Ints, cost: Floats, hubs: Ints, *, extra_share: float
) -> Bools:
    """Return the edges of cheapest paths that join neighbouring hubs.

    The hubs' minimum spanning tree is always there; ``extra_share`` of the other neighbour links,
    cheapest first, add the loops that a real network has.
    """
    usable = cost < 1e6
    index = np.flatnonzero(usable)
    start, end = edges[index].T
    weights = np.concatenate([cost[index], cost[index]])
    matrix = csr_matrix(
        (weights, (np.concatenate([start, end]), np.concatenate([end, start]))),
        shape=(vertex_count, vertex_count),
    )
    reach, before, source = dijkstra(
        matrix, indices=np.unique(hubs), min_only=True, return_predecessors=True
    )
    crossing = (source[start] != source[end]) & (source[start] >= 0) & (source[end] >= 0)
    rows = np.flatnonzero(crossing)
    low = np.minimum(source[start[rows]], source[end[rows]]).astype(np.int64)
    high = np.maximum(source[start[rows]], source[end[rows]]).astype(np.int64)
    total = reach[start[rows]] + cost[index[rows]] + reach[end[rows]]
    order = np.lexsort((total, high, low))
    first = np.ones(order.size, dtype=bool)
    first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    best = order[first]
    tree = minimum_spanning_tree(
        coo_matrix((total[best], (low[best], high[best])), shape=(vertex_count,) * 2).tocsr()
    ).tocoo()
    in_tree = np.isin(
        low[best] * vertex_count + high[best], tree.row.astype(np.int64) * vertex_count + tree.col
    )
    spare = np.flatnonzero(~in_tree)
    spare = spare[np.argsort(total[best][spare], kind="stable")][: round(spare.size * extra_share)]
    chosen = rows[best[np.concatenate([np.flatnonzero(in_tree), spare])]]

    used = np.zeros(len(edges), dtype=bool)
    used[index[chosen]] = True
    onward = np.unique(np.concatenate([start[chosen], end[chosen]]))
    seen = np.zeros(vertex_count, dtype=bool)
    pairs = []
    while onward.size:
        seen[onward] = True
        parent = before[onward]
        onward, parent = onward[parent >= 0], parent[parent >= 0].astype(np.int64)
        pairs.append(np.column_stack([np.minimum(onward, parent), np.maximum(onward, parent)]))
        onward = np.unique(parent)
        onward = onward[~seen[onward]]
    traced = np.vstack(pairs)
    keys = edges[:, 0] * vertex_count + edges[:, 1]
    used |= np.isin(keys, traced[:, 0] * vertex_count + traced[:, 1])
    return used


def _vertices_of(cells: Bools, shape: tuple[int, int]) -> Bools:
    touched = np.zeros(shape, dtype=bool)
    for up in (slice(None, -1), slice(1, None)):
        for right in (slice(None, -1), slice(1, None)):
            touched[up, right] |= cells
    return touched


def main_roads(
    settings: ReferenceSettings, terrain: Terrain, x: Floats, y: Floats, urban: Bools
) -> Lattice:
    """Return the lattice with its main roads, their corners rounded off."""
    edges = lattice_edges(x.shape)
    cost, wet = travel_cost(terrain, x, y, edges)
    town = _vertices_of(urban, x.shape)
    rows, columns = np.nonzero(town)
    quarters, _ = label(town)
    every = settings.mesh.major_hub_spacing_cells

    def hubs(spacing: int) -> Ints:
        on = (rows % spacing == 0) & (columns % (spacing - spacing // 4) == 0)
        if on.sum() < 2:
            on = np.arange(rows.size) % max(1, rows.size // 4) == 0
        # every separate quarter has a hub, however small it is
        quarter = quarters[rows, columns]
        alone = ~np.isin(quarter, quarter[on])
        _, first = np.unique(np.where(alone, quarter, 0), return_index=True)
        on[first] |= alone[first]
        return np.asarray(rows[on] * x.shape[1] + columns[on])

    level = np.full(len(edges), _NO_ROAD)
    small = max(4, round(every * min(1.0, 2 * terrain.frame.size_share)))
    major = hub_paths(x.size, edges, cost, hubs(2 * small), extra_share=0.8)
    cost = np.where(major, 0.5 * cost, np.where(wet, 1e6, cost))
    minor = hub_paths(x.size, edges, cost, hubs(small), extra_share=0.62)
    level[minor] = MINOR
    level[major] = MAJOR
    new_x, new_y = _rounded(x, y, edges, level, town)
    return Lattice(new_x, new_y, edges, level)


def _rounded(x: Floats, y: Floats, edges: Ints, level: Ints, town: Bools) -> tuple[Floats, Floats]:
    """Return positions with main roads smoothed; off town, bridges and tunnels become straight."""
    on = level > 0
    start, end = edges[on].T
    size = x.size
    ones = np.ones(start.size)
    links = csr_matrix((ones, (start, end)), shape=(size, size))
    links = links + links.T
    degree = np.asarray(links.sum(axis=1)).ravel()
    through = degree == 2
    points = np.column_stack([x.ravel(), y.ravel()])
    origin = points.copy()
    rural = through & ~town.ravel()
    for turn in range(60):
        middle = (links @ points) / np.maximum(degree, 1)[:, None]
        points[rural] += 0.5 * (middle - points)[rural]
        if turn < 6:
            bent = through & ~rural
            points[bent] += 0.36 * (middle - points)[bent]
    # the blocks beside a main road give way a little, so that none is crushed
    moved = (points - origin).reshape(*x.shape, 2)
    fixed = (on_vertices(edges, on, size) | rural).reshape(x.shape)
    spread = moved.copy()
    for _ in range(4):
        spread = np.stack([_relaxed(spread[..., 0], 0.8), _relaxed(spread[..., 1], 0.8)], axis=-1)
        spread[fixed] = moved[fixed]
    return x + spread[..., 0], y + spread[..., 1]


def on_vertices(edges: Ints, chosen: Bools, size: int) -> Bools:
    """Return which vertices touch a chosen edge."""
    touched = np.zeros(size, dtype=bool)
    touched[edges[chosen].ravel()] = True
    return touched
