"""Walks on the real network against a slow, independent answer by networkx.

Built again from the tables: own interpolation, own profiles, own graph, building by building.
"""

import itertools
import math
from pathlib import Path

import geopandas as gpd
import networkx as nx
import pandas as pd
import pytest
import rasterio
from scipy.ndimage import map_coordinates
from shapely.geometry import LineString
from shapely.ops import nearest_points

from tests.conftest import Project

FLAT, UP, DOWN, LIFT, ESCALATOR, CAP, STAIR_CAP = 60.0, 12.0, 16.0, 1.5, 30.0, 0.6, 1.2
SPACING, REACH, EXTRA, MOST, WALL = 15.0, 120.0, 50.0, 6, 4.0


class Slow:
    """The walking world of Yuzhong in plain Python."""

    def __init__(self, folder: Path) -> None:
        with rasterio.open(folder / "ground.tif") as file:
            self.z, self.transform = file.read(1).astype(float), file.transform
        nodes = gpd.read_parquet(folder / "street_nodes.parquet").set_index("node_id")
        edges = gpd.read_parquet(folder / "street_edges.parquet")
        self.lifts = set(nodes.index[nodes["lift_type"] != "none"])
        self.at = {key: (point.x, point.y) for key, point in nodes.geometry.items()}
        self.edges = list(edges.itertuples())
        self.height = self.node_heights()
        self.walk = nx.MultiDiGraph()
        self.ends: dict[int, tuple[object, object]] = {
            i: (edge.from_node_id, edge.to_node_id) for i, edge in enumerate(self.edges)
        }
        self.part_lifts()
        self.profile = [self.edge_profile(i) for i in range(len(self.edges))]
        for i, (begin, end) in self.ends.items():
            steps = self.profile[i]
            self.add(begin, end, sum(s[0] for s in steps), sum(s[2] for s in steps))
            self.add(end, begin, sum(s[1] for s in steps), sum(s[3] for s in steps))
        plain = nx.Graph((begin, end) for begin, end in self.ends.values())
        self.main = max(nx.connected_components(plain), key=len)

    def add(self, begin: object, end: object, minutes: float, ascent: float) -> None:
        self.walk.add_edge(begin, end, minutes=minutes, ascent=ascent)

    def ground(self, x: float, y: float) -> float:
        column, row = ~self.transform * (x, y)
        if not (0 <= column <= self.z.shape[1] and 0 <= row <= self.z.shape[0]):
            return math.nan
        return float(
            map_coordinates(self.z, [[row - 0.5], [column - 0.5]], order=1, mode="nearest")[0]
        )

    def node_heights(self) -> dict[str, float]:
        """Bridges and tunnels relaxed by repeated averaging between the ground at their ends."""
        on_ground = {e for edge in self.edges if edge.structure_type == "ground"
                     for e in (edge.from_node_id, edge.to_node_id)}  # fmt: skip
        degree: dict[str, int] = {}
        beside: dict[str, list[tuple[str, float]]] = {}
        for edge in self.edges:
            for one, other in (
                (edge.from_node_id, edge.to_node_id), (edge.to_node_id, edge.from_node_id),
            ):  # fmt: skip
                degree[one] = degree.get(one, 0) + 1
                if edge.structure_type in ("bridge", "tunnel"):
                    beside.setdefault(one, []).append((other, 1 / max(edge.length_m, 0.1)))
        height = {key: self.ground(*xy) for key, xy in self.at.items()}
        free = [n for n in beside if n not in on_ground and degree[n] > 1]
        dead = {n for n, z in height.items() if math.isnan(z) and n not in set(free)}
        beside = {
            node: [(other, w) for other, w in others if other not in dead]
            for node, others in beside.items()
            if node not in dead
        }
        joined = nx.Graph((a, b) for a, others in beside.items() for b, _ in others)
        loose = {node for node in free if not beside.get(node)}
        for part in nx.connected_components(joined):
            if all(node in set(free) for node in part):
                loose |= part
        free = [node for node in free if node not in loose]
        for node in free:
            height[node] = 250.0
        for _ in range(20_000):
            moved = 0.0
            for node in free:
                weight = sum(w for _, w in beside[node])
                z = sum(height[other] * w for other, w in beside[node]) / weight
                moved = max(moved, abs(z - height[node]))
                height[node] = z
            if moved < 1e-7:
                break
        return height

    def part_lifts(self) -> None:
        leaving: dict[str, list[tuple[float, int, int]]] = {}
        for i, edge in enumerate(self.edges):
            for side, node in ((0, edge.from_node_id), (1, edge.to_node_id)):
                if node in self.lifts:
                    far = (edge.to_node_id, edge.from_node_id)[side]
                    z = self.height[far]
                    if edge.structure_type == "ground" and edge.length_m > 30:
                        line = edge.geometry if side == 0 else edge.geometry.reverse()
                        z = self.ground(*line.interpolate(30).coords[0])
                    leaving.setdefault(node, []).append((z, i, side))
        for node, ends in leaving.items():
            ends.sort()
            levels = [[ends[0]]]
            for end in ends[1:]:
                if end[0] - levels[-1][-1][0] <= 3.0:
                    levels[-1].append(end)
                else:
                    levels.append([end])
            if len(levels) < 2:
                continue
            for number, level in enumerate(levels):
                name = (node, number)
                self.height[name] = sum(end[0] for end in level) / len(level)  # type: ignore[index]
                for _, i, side in level:
                    pair = list(self.ends[i])
                    pair[side] = name
                    self.ends[i] = (pair[0], pair[1])
                if number:
                    self.add((node, number - 1), name, LIFT, 0)
                    self.add(name, (node, number - 1), LIFT, 0)

    def edge_profile(self, i: int) -> list[tuple[float, float, float, float]]:
        """Return (forward, backward, up, down) of each even step along a link."""
        edge, (begin, end) = self.edges[i], self.ends[i]
        kind, length = edge.structure_type, edge.geometry.length
        count = max(1, math.ceil(length / SPACING)) if kind == "ground" else 1
        z = [self.height[begin]]  # type: ignore[index]
        for k in range(1, count):
            z.append(self.ground(*edge.geometry.interpolate(k / count, normalized=True).coords[0]))
        z.append(self.height[end])  # type: ignore[index]
        steps = []
        for low, high in itertools.pairwise(z):
            rise, run = known(high - low), length / count
            if kind == "steps":
                if (edge.incline_type == "up" and rise < 0) or (
                    edge.incline_type == "down" and rise > 0
                ):
                    rise = -rise
                rise = max(-STAIR_CAP * run, min(STAIR_CAP * run, rise))
                flat = run / FLAT
                there = max(rise / UP if rise > 0 else -rise / DOWN, flat)
                back = max(-rise / UP if rise < 0 else rise / DOWN, flat)
            elif kind == "escalator":
                there = run / ESCALATOR if edge.is_forward_open else math.inf
                back = run / ESCALATOR if edge.is_backward_open else math.inf
                rise = 0.0
            elif kind == "lift":
                there = back = LIFT
                rise = 0.0
            else:
                rise = max(-CAP * run, min(CAP * run, rise))
                there, back = tobler(run, rise), tobler(run, -rise)
            steps.append((there, back, max(rise, 0), max(-rise, 0)))
        return steps

    def doors(self, shape: object) -> list[tuple[int, float, list[float], float]]:
        """Return (link, fraction, rises of the five parts of the leg, length of a part)."""
        usable = [
            (edge.geometry.distance(shape), edge.edge_id, i)
            for i, edge in enumerate(self.edges)
            if edge.structure_type in ("ground", "steps") and self.ends[i][0] in self.main
        ]
        usable = sorted(one for one in usable if one[0] <= REACH)
        if not usable:
            return []
        usable = [one for one in usable if one[0] <= usable[0][0] + EXTRA][:MOST]
        found = []
        for _, _, i in usable:
            line: LineString = self.edges[i].geometry
            own, touch = nearest_points(shape, line)
            fraction = line.project(touch, normalized=True)
            z = [
                self.ground(own.x + (touch.x - own.x) * k / 5, own.y + (touch.y - own.y) * k / 5)
                for k in range(5)
            ]
            z.append(self.street_height(i, fraction))
            run = own.distance(touch) / 5
            rises = [known(b - a) for a, b in itertools.pairwise(z)]
            wall = any(abs(r) > CAP * run and abs(r) > WALL for r in rises)
            whole = known(z[-1] - z[0])
            if wall or (abs(whole) > CAP * run * 5 and abs(whole) > WALL):
                continue
            found.append((i, fraction, [max(-CAP * run, min(CAP * run, r)) for r in rises], run))
        return found

    def street_height(self, i: int, fraction: float) -> float:
        edge, (begin, end) = self.edges[i], self.ends[i]
        count = len(self.profile[i])
        if edge.structure_type != "ground" or count == 1:
            return self.height[begin] * (1 - fraction) + self.height[end] * fraction  # type: ignore[index]
        z = [self.height[begin]]  # type: ignore[index]
        for k in range(1, count):
            z.append(self.ground(*edge.geometry.interpolate(k / count, normalized=True).coords[0]))
        z.append(self.height[end])  # type: ignore[index]
        k = min(int(fraction * count), count - 1)
        part = fraction * count - k
        return z[k] * (1 - part) + z[k + 1] * part

    def between(self, i: int, low: float, high: float) -> tuple[float, float, float, float]:
        """Return minutes and metres of the part of a link between two fractions."""
        steps = self.profile[i]
        total = [0.0, 0.0, 0.0, 0.0]
        for k, step in enumerate(steps):
            share = min(high, (k + 1) / len(steps)) - max(low, k / len(steps))
            if share > 0:
                for n in range(4):
                    total[n] += step[n] * share * len(steps)
        return total[0], total[1], total[2], total[3]


def known(rise: float) -> float:
    """Where the terrain is empty the way is taken as flat."""
    return 0.0 if math.isnan(rise) else rise


def tobler(run: float, rise: float) -> float:
    if run <= 0:
        return 0.0
    return run / FLAT * math.exp(3.5 * (abs(rise / run + 0.05) - 0.05))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, yuzhong_raw: Path) -> Path:
    project = Project(tmp_path_factory.mktemp("walks"))
    result = project.run("rank", "--city", "yuzhong", "--raw", str(yuzhong_raw))
    assert result.returncode == 0, result.stderr
    return project.root / "data" / "processed" / "yuzhong"


def test_walks_to_main_road_and_rail_equal_networkx_for_200_buildings(folder: Path) -> None:
    slow = Slow(folder)
    amenities = gpd.read_parquet(folder / "amenities.parquet")
    rail = amenities[amenities["amenity_type"] == "rail_entrance"]
    main = {node for i, edge in enumerate(slow.edges) if edge.is_main_road for node in slow.ends[i]}
    graph = slow.walk.copy()
    for item in rail.itertuples():
        best = min(slow.doors(item.geometry), key=lambda d: (leg_sum(d), d[0]), default=None)
        if best:
            join(slow, graph, item.amenity_id, best)
    split_shared_links(slow, graph)

    buildings = gpd.read_parquet(folder / "buildings.parquet")
    housing = buildings[buildings["is_housing"]].sample(200, random_state=20)
    measured = pd.read_parquet(folder / "measurements.parquet").set_index("building_id")
    reverse = graph.reverse(copy=False)
    targets = {"main_road": main, "rail_entrance": set(rail["amenity_id"]) & set(graph)}
    home = {k: nx.multi_source_dijkstra(graph, t, weight="minutes") for k, t in targets.items()}
    out = {
        k: nx.multi_source_dijkstra_path_length(reverse, t, weight="minutes")
        for k, t in targets.items()
    }
    compared = 0
    for building in housing.itertuples():
        ours = measured.loc[building.building_id]
        doors = slow.doors(building.geometry)
        if not doors:
            assert not ours["has_street_access"]
            continue
        for kind in targets:
            theirs = quickest(slow, graph, doors, home[kind], out[kind], kind == "main_road")
            assert ours[f"{kind}_walk_back_min"] == pytest.approx(theirs[0], rel=1e-5, abs=1e-5)
            assert ours[f"{kind}_walk_out_min"] == pytest.approx(theirs[1], rel=1e-5, abs=1e-5)
            assert ours[f"{kind}_climb_m"] == pytest.approx(theirs[2], abs=0.01)
            compared += 1
    assert compared > 380


JOINED: dict[int, list[tuple[float, object]]] = {}


def leg_sum(door: tuple[int, float, list[float], float]) -> float:
    _, _, rises, run = door
    return sum(tobler(run, r) + tobler(run, -r) for r in rises)


def join(slow: Slow, graph: nx.MultiDiGraph, name: object, door: tuple) -> None:
    i, fraction, rises, run = door
    node = ("street", name)
    JOINED.setdefault(i, []).append((fraction, node))
    to_street, to_place = (sum(tobler(run, s * r) for r in rises) for s in (1, -1))
    graph.add_edge(node, name, minutes=to_place, ascent=sum(max(-r, 0) for r in rises))
    graph.add_edge(name, node, minutes=to_street, ascent=sum(max(r, 0) for r in rises))


def split_shared_links(slow: Slow, graph: nx.MultiDiGraph) -> None:
    for i, points in JOINED.items():
        begin, end = slow.ends[i]
        chain = [(0.0, begin), *sorted(points, key=lambda p: p[0]), (1.0, end)]
        for (low, one), (high, two) in itertools.pairwise(chain):
            there, back, up, down = slow.between(i, low, high)
            graph.add_edge(one, two, minutes=there, ascent=up)
            graph.add_edge(two, one, minutes=back, ascent=down)


def quickest(slow, graph, doors, home, out, to_main) -> tuple[float, float, float]:
    homes, outs = [], []
    times, paths = home
    for i, fraction, rises, run in doors:
        to_street, to_place = (sum(tobler(run, s * r) for r in rises) for s in (1, -1))
        climb_in = sum(max(-r, 0) for r in rises)
        if to_main and slow.edges[i].is_main_road:
            homes.append((to_place, climb_in))
            outs.append(to_street)
            continue
        begin, end = slow.ends[i]
        points = sorted(JOINED.get(i, []), key=lambda p: p[0])
        left = max([(0.0, begin), *[p for p in points if p[0] <= fraction]], key=lambda p: p[0])
        right = min([(1.0, end), *[p for p in points if p[0] > fraction]], key=lambda p: p[0])
        for node, low, high, is_left in (
            (left[1], left[0], fraction, True), (right[1], fraction, right[0], False),
        ):  # fmt: skip
            there, back, up, down = slow.between(i, low, high)
            if node in times:
                ascent = path_ascent(graph, paths[node]) + (up if is_left else down) + climb_in
                homes.append((times[node] + (there if is_left else back) + to_place, ascent))
            if node in out:
                outs.append(out[node] + (back if is_left else there) + to_street)
    best = min(homes)
    return best[0], min(outs), best[1]


def path_ascent(graph: nx.MultiDiGraph, path: list[object]) -> float:
    return sum(
        min(graph[a][b].values(), key=lambda arc: arc["minutes"])["ascent"]
        for a, b in itertools.pairwise(path)
    )
