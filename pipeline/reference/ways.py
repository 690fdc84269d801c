"""From links to OpenStreetMap: ways with tags, public lifts, escalators, stops and stations."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from pipeline.reference.chance import Bools, Floats, Ints, stream
from pipeline.reference.districts import place_names
from pipeline.reference.settings import ReferenceSettings
from pipeline.reference.streets import MAIN_HIGHWAYS, Streets
from pipeline.reference.terrain import Terrain

SOURCE = "合成 synthetic"
_RISER_M = 0.15
_LONGEST_WAY = 16


@dataclass
class Network:
    """Nodes and ways ready to be written; node numbers start at 0."""

    x_m: Floats
    y_m: Floats
    node_tags: dict[int, Mapping[str, str]] = field(default_factory=dict)
    ways: list[tuple[Ints, Mapping[str, str]]] = field(default_factory=list)

    def add_node(self, x_m: float, y_m: float, tags: Mapping[str, str]) -> int:
        """Append a tagged node and return its number."""
        self.x_m = np.append(self.x_m, x_m)
        self.y_m = np.append(self.y_m, y_m)
        self.node_tags[self.x_m.size - 1] = tags
        return self.x_m.size - 1


def make_network(
    settings: ReferenceSettings, streets: Streets, terrain: Terrain, town: Bools, tile: int
) -> Network:
    """Return the network and the rivers; ``town`` says which nodes have houses nearby."""
    rng = stream(settings.seed, "ways", tile)
    network = Network(streets.x_m, streets.y_m)
    names = place_names(rng, 6000)
    _add_ways(rng, network, streets, names)
    _add_lifts(rng, network, streets, names)
    _add_stops(rng, network, streets, town, names, settings.scale)
    _add_rivers(network, terrain)
    return network


def _add_rivers(network: Network, terrain: Terrain) -> None:
    """Append each river's water as closed ways, its banks drawn to about 4 m."""
    frame = terrain.frame
    right_m = frame.left_m + frame.column_count * frame.cell_size_m
    top_m = frame.bottom_m + frame.row_count * frame.cell_size_m
    land = shapely.box(frame.left_m, frame.bottom_m, right_m, top_m)
    for river, name in zip(terrain.rivers, ("长江", "嘉陵江"), strict=True):
        lines = shapely.linestrings(np.stack([river.points[:-1], river.points[1:]], axis=1))
        widths = np.maximum(river.half_width_m[:-1], river.half_width_m[1:])
        water = shapely.union_all(shapely.buffer(lines, widths, quad_segs=6)).simplify(4.0)
        parts = shapely.get_parts(shapely.intersection(water, land))
        for part in parts[shapely.get_type_id(parts) == 3]:
            ring = shapely.get_coordinates(part.exterior)[:-1]
            first = network.x_m.size
            network.x_m = np.append(network.x_m, ring[:, 0])
            network.y_m = np.append(network.y_m, ring[:, 1])
            node_ids = np.append(first + np.arange(len(ring)), first)
            tags = {"natural": "water", "water": "river", "name": name, "source": SOURCE}
            network.ways.append((node_ids, tags))


def _way_starts(links: pd.DataFrame, group: Ints) -> Ints:
    """Return the first link of each way: where a run along one line is broken."""
    start, end = links["start"].to_numpy(), links["end"].to_numpy()
    broken = np.ones(len(links), dtype=bool)
    broken[1:] = start[1:] != end[:-1]
    for name in ("highway", "is_bridge", "is_tunnel", "chain"):
        values = links[name].to_numpy()
        broken[1:] |= values[1:] != values[:-1]
    broken[1:] |= group[1:] != group[:-1]
    starts = np.flatnonzero(broken)
    run = np.arange(len(links)) - np.repeat(starts, np.diff(np.append(starts, len(links))))
    return np.flatnonzero(broken | (run % _LONGEST_WAY == 0))


def _add_ways(
    rng: np.random.Generator, network: Network, streets: Streets, names: list[str]
) -> None:
    links = streets.links
    group = links["line"].to_numpy() * 1000 + links["place"].to_numpy() // 9
    chain = links["chain"].to_numpy()
    group = np.where(chain >= 0, -1 - chain, group)
    _, label = np.unique(group, return_inverse=True)
    name_of = rng.permutation(label.max() + 1) % len(names)
    is_named = rng.random(label.max() + 1) < 0.5
    starts = _way_starts(links, group)
    ends = np.append(starts[1:], len(links))
    start, end = links["start"].to_numpy(), links["end"].to_numpy()
    highway = links["highway"].to_numpy()
    bridge, tunnel = links["is_bridge"].to_numpy(), links["is_tunnel"].to_numpy()
    chances = rng.random((starts.size, 3))
    for row, (first, last) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        nodes = np.append(start[first:last], end[last - 1])
        kind = highway[first]
        tags = {"highway": kind, "source": SOURCE}
        of = label[first]
        if kind in MAIN_HIGHWAYS:
            tags["name"] = names[name_of[of]] + {"trunk": "大道", "primary": "大道"}.get(kind, "路")
            tags["lanes"] = {"trunk": "6", "primary": "4", "secondary": "4"}.get(kind, "2")
            if kind == "trunk":  # avenues with houses along them, no expressways
                tags["sidewalk"] = "both"
        elif is_named[of] and kind not in ("service", "footway"):
            tags["name"] = names[name_of[of]] + ("街" if of % 3 else "巷" if of % 2 else "路")
        if kind == "steps":
            _tag_steps(tags, streets.z_m[nodes[-1]] - streets.z_m[nodes[0]], chances[row])
        if bridge[first]:
            tags |= {"bridge": "yes", "layer": "1"}
        if tunnel[first]:
            tags |= {"tunnel": "yes", "layer": "-1"}
        network.ways.append((nodes, tags))


def _tag_steps(tags: dict[str, str], rise_m: float, chances: Floats) -> None:
    if chances[0] < 0.55:
        tags["step_count"] = str(max(3, round(abs(rise_m) / _RISER_M)))
    if chances[1] < 0.6:
        tags["incline"] = "up" if rise_m > 0 else "down"
    if chances[2] < 0.2:
        tags["handrail"] = "yes"


def _add_lifts(
    rng: np.random.Generator, network: Network, streets: Streets, names: list[str]
) -> None:
    """Add public lifts as ways and as nodes, and escalators, beside the highest stairs."""
    links = streets.links
    steep = links[links["edge"].isin(links.loc[links["highway"] == "steps", "edge"])]
    ends = steep.groupby("edge").agg(start=("start", "first"), end=("end", "last"))
    low, high = ends["start"].to_numpy(), ends["end"].to_numpy()
    rise = streets.z_m[high] - streets.z_m[low]
    low, high = np.where(rise > 0, low, high), np.where(rise > 0, high, low)
    tallest = np.argsort(-np.abs(rise), kind="stable")[: max(9, rise.size // 12)]
    chosen = rng.permutation(tallest)
    each = int(np.clip(rise.size // 90, 2, 14))
    for order, edge in enumerate(chosen[: 3 * each].tolist()):
        bottom, top = int(low[edge]), int(high[edge])
        name = names[(7 * order) % len(names)]
        if order < each:
            tags = {"highway": "elevator", "name": f"{name}电梯", "wheelchair": "yes"}
            network.ways.append((np.array([bottom, top]), tags | {"source": SOURCE}))
        elif order < 2 * each:
            x = 0.12 * network.x_m[bottom] + 0.88 * network.x_m[top]
            y = 0.12 * network.y_m[bottom] + 0.88 * network.y_m[top]
            cabin = network.add_node(x, y, {"highway": "elevator", "name": f"{name}公共电梯"})
            foot = {"highway": "footway", "source": SOURCE}
            network.ways.append(
                (np.array([bottom, cabin]), foot | {"tunnel": "yes", "layer": "-1"})
            )
            network.ways.append((np.array([cabin, top]), foot | {"bridge": "yes", "layer": "1"}))
        else:
            tags = {"highway": "steps", "conveying": "forward", "incline": "up"}
            tags |= {"name": f"{name}扶梯", "source": SOURCE}
            network.ways.append((np.array([bottom, top]), tags))


def _add_stops(
    rng: np.random.Generator,
    network: Network,
    streets: Streets,
    town: Bools,
    names: list[str],
    scale: float,
) -> None:
    links = streets.links
    main = links[links["highway"].isin(MAIN_HIGHWAYS) & ~links["is_bridge"] & ~links["is_tunnel"]]
    nodes = np.unique(main[["start", "end"]].to_numpy())
    nodes = nodes[town[nodes]]
    points = np.column_stack([streets.x_m, streets.y_m])
    x, y, tags = [], [], []
    for node in nodes[rng.random(nodes.size) < 0.11].tolist():
        turn = rng.uniform(0, 2 * np.pi)
        x.append(points[node, 0] + 7 * np.cos(turn))
        y.append(points[node, 1] + 7 * np.sin(turn))
        tags.append({"highway": "bus_stop", "name": f"{names[node % len(names)]}站"})
    spacing = 1150 * max(0.3, min(1.0, np.sqrt(scale)))
    tree = cKDTree(points)
    free = np.zeros(points.shape[0], dtype=bool)
    free[nodes] = True
    stations: list[int] = []
    for node in rng.permutation(nodes).tolist():
        if free[node]:
            stations.append(node)
            free[tree.query_ball_point(points[node], spacing)] = False
    for order, node in enumerate(stations):
        name = f"{names[(order * 13) % len(names)]}站"
        x.append(points[node, 0])
        y.append(points[node, 1])
        tags.append({"railway": "station", "station": "subway", "name": name})
        around = np.array(sorted(tree.query_ball_point(points[node], 170)))
        doors = rng.permutation(around)[: int(rng.integers(2, 5))]
        for number, door in enumerate(doors.tolist(), start=1):
            x.append(points[door, 0] + 4.0)
            y.append(points[door, 1] - 3.0)
            tags.append({"railway": "subway_entrance", "name": name, "ref": str(number)})
    base = network.x_m.size
    network.x_m, network.y_m = np.append(network.x_m, x), np.append(network.y_m, y)
    network.node_tags |= {base + k: each for k, each in enumerate(tags)}
