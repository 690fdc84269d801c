"""Streets: which lines of the mesh become roads, lanes and stairways, and how high they lie.

A link is a straight piece between two nodes. Steep lanes are cut into thirds, so that stairs stand
where the cliff is and the rest stays a footway.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree

from pipeline.reference.chance import Bools, Floats, Ints, stream
from pipeline.reference.growth import Growth
from pipeline.reference.mesh import MAJOR
from pipeline.reference.settings import ReferenceSettings
from pipeline.reference.terrain import Terrain

PUBLIC, INNER = 1, 2
MAIN_HIGHWAYS = ("trunk", "primary", "secondary", "tertiary")


@dataclass(frozen=True)
class Streets:
    """The network in the working CRS.

    ``links`` has ``start``, ``end`` (node numbers), ``highway``, ``is_bridge``, ``is_tunnel``,
    ``line`` and ``place`` (links of one line stand together, in order), ``chain`` and ``length_m``.
    ``z_m`` is the height of the path: the ground, or the deck of a bridge.
    """

    x_m: Floats
    y_m: Floats
    z_m: Floats
    links: pd.DataFrame


def _neighbour_parcels(growth: Growth) -> tuple[Ints, Ints]:
    """Return the parcels on the two sides of every lattice edge, −1 where nothing is built."""
    rows, columns = growth.lattice.shape
    parcel = np.full((rows + 1, columns + 1), -1, dtype=np.int64)
    blocks = growth.blocks
    used = growth.built[blocks.row, blocks.column]
    parcel[blocks.row[used] + 1, blocks.column[used] + 1] = blocks.parcel[used]
    along = (parcel[:-1, 1:-1], parcel[1:, 1:-1])
    across = (parcel[1:-1, :-1], parcel[1:-1, 1:])
    left = np.concatenate([along[0].ravel(), across[0].ravel()])
    right = np.concatenate([along[1].ravel(), across[1].ravel()])
    return left, right


def _pruned(edges: Ints, is_main: Bools, anchored: Bools) -> Bools:
    """Return main edges without the branches that end in open country."""
    kept = is_main.copy()
    for _ in range(3000):
        degree = np.bincount(edges[kept].ravel(), minlength=anchored.size)
        loose = (degree == 1) & ~anchored
        gone = kept & (loose[edges[:, 0]] | loose[edges[:, 1]])
        if not gone.any():
            break
        kept &= ~gone
    return kept


def select_edges(
    settings: ReferenceSettings, growth: Growth, rng: np.random.Generator
) -> tuple[Ints, Ints, Bools]:
    """Return the lattice edges that exist: their numbers, ``PUBLIC`` or ``INNER``, and if main."""
    lattice, mesh = growth.lattice, settings.mesh
    edges = lattice.edges
    left, right = _neighbour_parcels(growth)
    beside = (left >= 0) | (right >= 0)
    inner = (left == right) & beside
    size = lattice.x_m.size
    town = np.zeros(size, dtype=bool)
    town[edges[beside].ravel()] = True
    is_main = _pruned(edges, lattice.road_level > 0, town)
    public = beside & ~inner
    chance = rng.random(len(edges))
    kept = is_main | (public & (chance < mesh.kept_local_share))
    # a dropped line comes back where it is the only link of a quarter to the rest
    offered = np.flatnonzero(is_main | public)
    weight = np.where(kept[offered], 1.0, 2.0)
    tree = minimum_spanning_tree(
        coo_matrix((weight, edges[offered].T), shape=(size, size)).tocsr()
    ).tocoo()
    pairs = np.minimum(tree.row, tree.col).astype(np.int64) * size + np.maximum(tree.row, tree.col)
    numbers = edges[:, 0] * size + edges[:, 1]
    kept |= np.isin(numbers, pairs) & (is_main | public)
    inner_kept = inner & (chance < mesh.inner_service_share + mesh.inner_footway_share)
    found = np.flatnonzero(kept | inner_kept)
    _, component = connected_components(
        coo_matrix((np.ones(found.size), edges[found].T), shape=(size, size)), directed=False
    )
    member = component[edges[found, 0]]
    found = found[member == np.bincount(member).argmax()]
    return found, np.where(kept[found], PUBLIC, INNER), is_main[found]


def _main_highways(
    rng: np.random.Generator, edges: Ints, level: Ints, in_town: Bools, size: int
) -> tuple[np.ndarray, Ints]:
    """Return the class of each main edge and its chain (the stretch between two junctions)."""
    degree = np.bincount(edges.ravel(), minlength=size)
    order = np.arange(len(edges))
    through = np.flatnonzero(degree == 2)
    ends = np.concatenate([edges[:, 0], edges[:, 1]])
    owner = np.concatenate([order, order])
    by_node = np.argsort(ends, kind="stable")
    first = np.searchsorted(ends[by_node], through)
    pairs = np.column_stack([owner[by_node][first], owner[by_node][first + 1]])
    same = level[pairs[:, 0]] == level[pairs[:, 1]]
    _, chain = connected_components(
        coo_matrix((np.ones(same.sum()), pairs[same].T), shape=(order.size,) * 2), directed=False
    )
    draw = rng.random(chain.max() + 1 if chain.size else 0)[chain]
    high = np.where(draw < 0.72, "primary", "trunk").astype(object)
    high[(draw >= 0.5) & ~in_town] = "trunk"
    low = np.where(draw < 0.42, "secondary", "tertiary").astype(object)
    return np.where(level == MAJOR, high, low), chain.astype(np.int64)


def make_streets(
    settings: ReferenceSettings, terrain: Terrain, growth: Growth, tile: int
) -> Streets:
    """Return the streets of the built city."""
    rng = stream(settings.seed, "streets", tile)
    lattice = growth.lattice
    found, role, is_main = select_edges(settings, growth, rng)
    edges = lattice.edges[found]
    x, y = lattice.x_m.ravel(), lattice.y_m.ravel()
    size = x.size
    along_count = lattice.shape[0] * (lattice.shape[1] - 1)
    is_along = found < along_count
    left, right = _neighbour_parcels(growth)
    in_town = (left[found] >= 0) | (right[found] >= 0)

    chain = np.full(found.size, -1, dtype=np.int64)
    highway = np.full(found.size, "residential", dtype=object)
    highway[is_main], chain[is_main] = _main_highways(
        rng, edges[is_main], lattice.road_level[found][is_main], in_town[is_main], size
    )
    draw = rng.random(found.size)
    local = ~is_main & (role == PUBLIC)
    highway[local & (draw > 0.80)] = "service"
    highway[local & (draw > 0.92)] = "unclassified"
    highway[local & (draw > 0.955)] = "living_street"
    highway[local & ~is_along & (draw < 0.22)] = "footway"
    inner_total = settings.mesh.inner_service_share + settings.mesh.inner_footway_share
    as_service = draw < settings.mesh.inner_service_share / max(inner_total, 1e-9)
    highway[~is_main & (role == INNER)] = "footway"
    highway[~is_main & (role == INNER) & as_service] = "service"

    # every edge gets two inner points: a curve on the contour, a straight line up the slope
    points = np.column_stack([x, y])
    thirds = _thirds(points, lattice.shape, edges, is_along & ~is_main)
    heights = terrain.ground_m(
        np.concatenate([x[edges[:, 0]], thirds[:, 0, 0], thirds[:, 1, 0], x[edges[:, 1]]]),
        np.concatenate([y[edges[:, 0]], thirds[:, 0, 1], thirds[:, 1, 1], y[edges[:, 1]]]),
    ).reshape(4, -1)
    length = np.hypot(*(points[edges[:, 1]] - points[edges[:, 0]]).T)
    grade = np.abs(np.diff(heights, axis=0)) / np.maximum(length / 3, 1)
    steep = ~is_main & (
        (grade.max(axis=0) > 1.25 * settings.mesh.steps_grade)
        | (np.abs(heights[3] - heights[0]) / length > settings.mesh.steps_grade)
    )
    sag = heights[1:3].mean(axis=0) - (heights[0] + heights[3]) / 2
    wet = terrain.river_m(x, y) < 18
    deep = terrain.ridge_rise_m(x, y) > 75 * np.sqrt(terrain.frame.size_share)
    over_water = wet[edges[:, 0]] | wet[edges[:, 1]]
    through_hill = deep[edges[:, 0]] & deep[edges[:, 1]] & ~in_town
    is_bridge = is_main & (over_water | (sag < -6))
    is_tunnel = is_main & ~is_bridge & (through_hill | (sag > 8))

    inner_number = size + np.arange(2 * found.size).reshape(-1, 2)
    straight = is_main & (is_bridge | is_tunnel)
    parts = []
    for part in range(3):
        first = edges[:, 0] if part == 0 else inner_number[:, part - 1]
        last = edges[:, 1] if part == 2 else inner_number[:, part]
        kind = highway.copy()
        kind[steep] = "footway"
        kind[steep & (grade[part] > settings.mesh.steps_grade)] = "steps"
        if part:
            keep = ~straight
        else:
            keep, last = np.ones(found.size, dtype=bool), np.where(straight, edges[:, 1], last)
        parts.append(
            pd.DataFrame(
                {
                    "edge": found,
                    "part": part,
                    "start": first,
                    "end": last,
                    "highway": kind,
                    "is_bridge": is_bridge,
                    "is_tunnel": is_tunnel,
                    "chain": chain,
                    "line": _line_of(lattice.shape, found),
                    "place": _place_of(lattice.shape, found),
                }
            )[keep]
        )
    links = (
        pd.concat(parts).sort_values(["line", "edge", "part"], kind="stable").reset_index(drop=True)
    )
    all_points = np.vstack([points, thirds.reshape(-1, 2)])
    ground = terrain.ground_m(all_points[:, 0], all_points[:, 1])
    deck = np.zeros(ground.size, dtype=bool)
    deck[: x.size] = wet | deep
    links["length_m"] = np.hypot(
        *(all_points[links["end"].to_numpy()] - all_points[links["start"].to_numpy()]).T
    )
    height = _deck_heights(links, ground, deck)
    return _renumbered(all_points, height, links)


def _line_of(shape: tuple[int, int], found: Ints) -> Ints:
    """Return a number shared by the edges of one row or one column of the lattice."""
    along_count = shape[0] * (shape[1] - 1)
    row = found // (shape[1] - 1)
    column = (found - along_count) % shape[1]
    return np.where(found < along_count, row, shape[0] + column)


def _place_of(shape: tuple[int, int], found: Ints) -> Ints:
    """Return the position of edges along their row or column."""
    along_count = shape[0] * (shape[1] - 1)
    return np.where(found < along_count, found % (shape[1] - 1), (found - along_count) // shape[1])


def _thirds(points: Floats, shape: tuple[int, int], edges: Ints, curved: Bools) -> Floats:
    """Return the points at one and two thirds of each edge, edges × 2 × 2.

    Curved edges follow the cubic through the neighbouring vertices of their row.
    """
    start, end = points[edges[:, 0]], points[edges[:, 1]]
    column = edges[:, 0] % shape[1]
    before = points[np.where(column > 0, edges[:, 0] - 1, edges[:, 0])]
    after = points[np.where(column < shape[1] - 2, edges[:, 1] + 1, edges[:, 1])]
    result = np.empty((len(edges), 2, 2))
    for number, t in enumerate((1 / 3, 2 / 3)):
        weights = (
            -t * (1 - t) ** 2 / 2,
            (2 - 5 * t * t + 3 * t**3) / 2,
            (t + 4 * t * t - 3 * t**3) / 2,
            -t * t * (1 - t) / 2,
        )
        curve = weights[0] * before + weights[1] * start + weights[2] * end + weights[3] * after
        line = start + t * (end - start)
        bend = curve - line
        # the street keeps clear of the houses beside it
        reach = np.hypot(bend[:, 0], bend[:, 1])
        bend *= np.minimum(1, 3.2 / np.maximum(reach, 1e-9))[:, None]
        result[:, number] = line + np.where(curved[:, None], bend, 0)
    return result


def _deck_heights(links: pd.DataFrame, ground: Floats, deck: Bools) -> Floats:
    """Return heights where decks and tunnels run evenly between the ground at their ends."""
    start, end = links["start"].to_numpy(), links["end"].to_numpy()
    used = np.zeros(ground.size, dtype=bool)
    used[start] = used[end] = True
    special = (links["is_bridge"] | links["is_tunnel"]).to_numpy()
    floating = np.zeros(ground.size, dtype=bool)
    floating[start[special]] = floating[end[special]] = True
    floating &= deck & used
    ones = np.ones(special.sum())
    near = csr_matrix((ones, (start[special], end[special])), shape=(ground.size,) * 2)
    near = near + near.T
    degree = np.maximum(np.asarray(near.sum(axis=1)).ravel(), 1)
    height = ground.copy()
    for _ in range(400):
        height[floating] = (near @ height / degree)[floating]
    return height


def _renumbered(points: Floats, height: Floats, links: pd.DataFrame) -> Streets:
    used, flat = np.unique(links[["start", "end"]].to_numpy(), return_inverse=True)
    pairs = flat.reshape(-1, 2)
    links = links.assign(start=pairs[:, 0], end=pairs[:, 1])
    return Streets(points[used, 0], points[used, 1], height[used], links)


def climb_to_main_m(streets: Streets) -> tuple[Floats, Floats]:
    """Return the ascent and the descent on the way from every node to a main road.

    The way is the one with the least length plus ten metres for each metre of height; a main road
    is one of ``MAIN_HIGHWAYS`` that is neither bridge nor tunnel. NaN where no way exists.
    """
    links, size = streets.links, streets.x_m.size
    start, end = links["start"].to_numpy(), links["end"].to_numpy()
    rise = np.abs(streets.z_m[end] - streets.z_m[start])
    cost = links["length_m"].to_numpy() + 10 * rise
    on_main = links["highway"].isin(MAIN_HIGHWAYS) & ~links["is_bridge"] & ~links["is_tunnel"]
    goals = np.unique(links.loc[on_main, ["start", "end"]].to_numpy())
    matrix = csr_matrix((cost, (start, end)), shape=(size, size))
    reach, toward, _ = dijkstra(
        matrix, directed=False, indices=goals, min_only=True, return_predecessors=True
    )
    up, down = np.zeros(size), np.zeros(size)
    order = np.argsort(reach, kind="stable")
    hop = np.maximum(toward, 0)
    step = np.where(toward >= 0, streets.z_m[hop] - streets.z_m, 0.0)
    # nearer nodes are finished first, so one pass in order of distance adds up whole ways
    for node in order[toward[order] >= 0]:
        up[node] = up[hop[node]] + max(step[node], 0.0)
        down[node] = down[hop[node]] + max(-step[node], 0.0)
    missing = ~np.isfinite(reach)
    up[missing] = down[missing] = np.nan
    return up, down
