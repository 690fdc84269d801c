"""Walks on the real network against a slow, independent answer by networkx.

Built again from the tables: own interpolation, own heights of roads (the whole linear programme, by
another solver), own profiles, own graph, building by building.
"""

import itertools
import math
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from scipy import sparse
from scipy.ndimage import map_coordinates
from scipy.optimize import linprog
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY, Project

FLAT, UP, DOWN, LIFT, ESCALATOR, CAP, STAIR_CAP = 60.0, 12.0, 16.0, 1.5, 30.0, 0.6, 1.2
SPACING, REACH, EXTRA, MOST, WALL, FRONT = 15.0, 120.0, 50.0, 6, 4.0, 0.5
LOW, MIDDLE, HIGH = 0.05, 0.1, 0.15
CELL, BLUR, NOISE = 30.0, 30.0, 2.0
LIMITS = read_settings(REPOSITORY / "config", "yuzhong", "base").measure.walking.max_drivable_grade


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
        self.nodes = list(nodes.index)
        self.is_bend: dict[tuple[int, int], bool] = {}
        self.inner = {i: self.stations(i) for i in range(len(self.edges))}
        self.height = self.over_structures({key: self.ground(*xy) for key, xy in self.at.items()})
        self.inner_z = {(i, k): z for i in self.inner for k, z in enumerate(self.without_noise(i))}
        smooth = dict(self.inner_z)
        self.move = dict.fromkeys([*self.height, *self.inner_z], 0.0)
        own = {
            (i, k): self.ground(*xy)
            for i, found in self.inner.items()
            for k, (_, xy) in enumerate(found)
        }
        self.flatten_roads()
        for name, z in own.items():
            self.move[name] += known(smooth[name] - z)
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

    def stations(self, i: int) -> list[tuple[float, tuple[float, float]]]:
        """Return fraction and place of all bends, and of steps between them, of a ground link."""
        edge = self.edges[i]
        if edge.structure_type != "ground":
            return []
        points = list(edge.geometry.coords)
        whole, along, before, found = edge.geometry.length, 0.0, math.inf, []
        for a, b in itertools.pairwise(points):
            run = math.dist(a, b)
            count = max(1, math.ceil((run - 0.1) / SPACING))
            for k in range(count):
                at = along + run * k / count
                if (k or before > 0.1) and 0.1 < at < whole - 0.1:
                    place = (a[0] + (b[0] - a[0]) * k / count, a[1] + (b[1] - a[1]) * k / count)
                    found.append((at / whole, place))
                    self.is_bend[i, len(found) - 1] = k == 0
            along, before = along + run, run
        return found

    def without_noise(self, i: int) -> list[float]:
        """Return the stations' heights; between bends what strays little from straight is straight."""
        edge, inner = self.edges[i], self.inner[i]
        z = [self.ground(*xy) for _, xy in inner]
        fixed = [(0.0, self.height[edge.from_node_id])]
        fixed += [(f, z[k]) for k, (f, _) in enumerate(inner) if self.is_bend[i, k]]
        fixed.append((1.0, self.height[edge.to_node_id]))
        for k, (f, _) in enumerate(inner):
            (a, low), (b, high) = next(
                pair for pair in itertools.pairwise(fixed) if pair[0][0] <= f <= pair[1][0]
            )
            line = low + (f - a) / (b - a) * (high - low)
            if not self.is_bend[i, k] and not math.isnan(line):
                away = abs(z[k] - line)
                z[k] = line + min(max(away - NOISE, 0) / NOISE, 1) * (z[k] - line)
        return z

    def limit(self, i: int) -> float:
        edge = self.edges[i]
        if edge.structure_type not in ("ground", "bridge", "tunnel"):
            return math.nan
        return LIMITS.get(edge.highway_type.removesuffix("_link"), math.nan)

    def flatten_roads(self) -> None:
        """Move heights of roads as little as their limits allow, and what lies beside them."""
        names = [*self.nodes, *self.inner_z]
        number = {name: n for n, name in enumerate(names)}
        before = np.array([self.height[n] if n in self.height else self.inner_z[n] for n in names])
        begin, end, most, ground_m = [], [], [], np.zeros(len(names))
        for i, edge in enumerate(self.edges):
            if math.isnan(self.limit(i)):
                continue
            row = [(0.0, edge.from_node_id)]
            row += [(f, (i, k)) for k, (f, _) in enumerate(self.inner[i])]
            row += [(1.0, edge.to_node_id)]
            for (low, one), (high, two) in itertools.pairwise(row):
                a, b, run = number[one], number[two], (high - low) * edge.geometry.length
                if a == b or math.isnan(before[a] + before[b]):
                    continue
                begin.append(a)
                end.append(b)
                most.append(run * self.limit(i))
                if edge.structure_type == "ground":
                    ground_m[[a, b]] += run / 2
        in_air = self.in_mid_air()
        for name in in_air:
            ground_m[number[name]] = 0
        lies = np.array([self.at[n] if n in self.at else self.inner[n[0]][n[1]][1] for n in names])
        waves = [math.sin(x / 5.1) + math.sin(y / 4.3) + math.sin((x + y) / 17) for x, y in lies]
        weight = (ground_m + 1) * (1.01 + 0.02 * np.array(waves) / 6)
        used = np.unique([begin, end])
        place = {point: n for n, point in enumerate(used.tolist())}
        size, count = len(begin), len(used)
        rows, ends = np.tile(np.arange(size), 2), [place[n] for n in (*end, *begin)]
        signs = np.repeat([1.0, -1.0], size)
        rise = sparse.csr_array((signs, (rows, ends)), shape=(size, 3 * count))
        same = sparse.hstack([sparse.eye(count), -sparse.eye(count), sparse.eye(count)])
        answer = linprog(
            np.concatenate([np.zeros(count), weight[used], weight[used] / 2]),
            A_ub=sparse.vstack([rise, -rise]),
            b_ub=np.concatenate([most, most]),
            A_eq=same,
            b_eq=before[used],
            bounds=[(None, None)] * count + [(0, None)] * (2 * count),
            method="highs-ipm",
        )
        assert answer.status == 0
        after = before.copy()
        after[used] = answer.x[:count]
        roads = [n for n in used.tolist() if names[n] not in in_air]
        others = [n for n in range(len(names)) if n not in place and names[n] not in in_air]
        tree = shapely.STRtree(shapely.points(lies[roads]))
        reached = tree.query(shapely.points(lies[others]), "dwithin", 2 * CELL + CELL / 3)
        beside: dict[int, list[int]] = {}
        for asked, near in reached.T.tolist():
            beside.setdefault(others[asked], []).append(roads[near])
        for n, near in beside.items():
            apart = np.sqrt(((lies[near] - lies[n]) ** 2).sum(axis=1))
            share = min(max(2 - apart.min() / CELL, 0), 1)
            # points up to a third of a cell further than the nearest count too, less and less
            part = np.maximum(1 - (apart - apart.min()) / (CELL / 3), 0)
            after[n] = before[n] + share * (part * (after - before)[near]).sum() / part.sum()
        even = self.over_structures(
            {name: after[number[name]] for name in self.nodes}, known_in_air=True
        )
        held = {name: after[number[name]] for name in self.nodes}
        for part in self.parts_in_air(in_air):
            if any(
                abs(even[edge.from_node_id] - even[edge.to_node_id])
                > self.limit(i) * edge.geometry.length + 1e-6
                for i, edge in enumerate(self.edges)
                if edge.structure_type in ("bridge", "tunnel")
                and {edge.from_node_id, edge.to_node_id} & part
            ):
                even |= {name: held[name] for name in part}
        for name in names:
            now = even[name] if name in even else after[number[name]]
            shift = now - before[number[name]]
            self.move[name] = 0.0 if math.isnan(shift) else shift
            if name in even:
                self.height[name] = now
            else:
                self.inner_z[name] = now

    def in_mid_air(self) -> set[str]:
        on_ground = {e for edge in self.edges if edge.structure_type == "ground"
                     for e in (edge.from_node_id, edge.to_node_id)}  # fmt: skip
        ends = [e for edge in self.edges for e in (edge.from_node_id, edge.to_node_id)]
        often = pd.Series(ends).value_counts()
        return {
            e
            for edge in self.edges
            if edge.structure_type in ("bridge", "tunnel")
            for e in (edge.from_node_id, edge.to_node_id)
            if e not in on_ground and often[e] > 1
        }

    def parts_in_air(self, in_air: set[str]) -> list[set[str]]:
        joined = nx.Graph()
        joined.add_nodes_from(in_air)
        joined.add_edges_from(
            (edge.from_node_id, edge.to_node_id)
            for edge in self.edges
            if edge.structure_type in ("bridge", "tunnel")
            and {edge.from_node_id, edge.to_node_id} <= in_air
        )
        return list(nx.connected_components(joined))

    def over_structures(
        self, height: dict[str, float], *, known_in_air: bool = False
    ) -> dict[str, float]:
        """Bridges and tunnels relaxed by repeated averaging between the ground at their ends."""
        height = dict(height)
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
        for node in free if not known_in_air else []:
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
                    if edge.structure_type == "ground" and edge.geometry.length > BLUR:
                        at = BLUR / edge.geometry.length
                        z = self.height_at(i, at if side == 0 else 1 - at)
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
                self.move[name] = self.move[node] if number == 0 else 0.0  # type: ignore[index]
                for z, i, side in level:
                    length = self.edges[i].geometry.length
                    for k, (fraction, _) in enumerate(self.inner[i]):
                        share = length * (fraction if side == 0 else 1 - fraction)
                        share /= min(BLUR, length)
                        if share < 1:
                            low = self.height[name]  # type: ignore[index]
                            self.inner_z[i, k] = low + (z - low) * share
                    pair = list(self.ends[i])
                    pair[side] = name
                    self.ends[i] = (pair[0], pair[1])
                if number:
                    self.add((node, number - 1), name, LIFT, 0)
                    self.add(name, (node, number - 1), LIFT, 0)

    def edge_profile(self, i: int) -> list[tuple[float, float, float, float]]:
        """Return (forward, backward, up, down) from each station of a link to the next."""
        edge = self.edges[i]
        kind, length = edge.structure_type, edge.geometry.length
        steps = []
        for (a, low), (b, high) in itertools.pairwise(self.along(i)):
            rise, run = known(high - low), (b - a) * length
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

    def along(self, i: int, *, moves: bool = False) -> list[tuple[float, float]]:
        """Return fraction and height of a link's ends and stations, or by how much they were moved."""
        node, inner = (self.move, self.move) if moves else (self.height, self.inner_z)
        begin, end = self.ends[i]
        row = [(f, inner[i, k]) for k, (f, _) in enumerate(self.inner[i])]  # type: ignore[index]
        return [(0.0, node[begin]), *row, (1.0, node[end])]  # type: ignore[index]

    def height_at(self, i: int, fraction: float, *, moves: bool = False) -> float:
        row = self.along(i, moves=moves)
        k = max(n for n in range(len(row) - 1) if row[n][0] <= fraction)
        (a, low), (b, high) = row[k], row[k + 1]
        part = (fraction - a) / (b - a)
        return low if part == 0 else high if part == 1 else low * (1 - part) + high * part

    def doors(self, shape: BaseGeometry) -> list[tuple[int, float, list[float], float]]:
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
            fraction = meeting(shape, line)
            own, touch = nearest_points(shape, line.interpolate(fraction, normalized=True))
            run = own.distance(touch) / 5
            moved = self.height_at(i, fraction, moves=True)
            z = [
                self.ground(own.x + (touch.x - own.x) * k / 5, own.y + (touch.y - own.y) * k / 5)
                + moved * min(max(2 - run * (5 - k) / CELL, 0), 1)
                for k in range(5)
            ]
            z.append(self.height_at(i, fraction))
            rises = [known(b - a) for a, b in itertools.pairwise(z)]
            wall = any(abs(r) > CAP * run and abs(r) > WALL for r in rises)
            whole = known(z[-1] - z[0])
            if wall or (abs(whole) > CAP * run * 5 and abs(whole) > WALL):
                continue
            found.append((i, fraction, [max(-CAP * run, min(CAP * run, r)) for r in rises], run))
        return found

    def between(self, i: int, low: float, high: float) -> tuple[float, float, float, float]:
        """Return minutes and metres of the part of a link between two fractions."""
        total = [0.0, 0.0, 0.0, 0.0]
        row = self.along(i)
        for ((a, _), (b, _)), step in zip(itertools.pairwise(row), self.profile[i], strict=True):
            share = (min(high, b) - max(low, a)) / (b - a)
            if share > 0:
                for n in range(4):
                    total[n] += step[n] * share
        return total[0], total[1], total[2], total[3]


def meeting(shape: BaseGeometry, line: LineString) -> float:
    """Where a way to a street meets it: its nearest point, or the middle of a front along it."""
    nearest = line.project(nearest_points(shape, line)[1])
    inside = shape.intersection(line)
    pieces = [one for one in getattr(inside, "geoms", [inside]) if one.length > 0]
    if pieces:
        middles = [one.length * line.project(one.interpolate(one.length / 2)) for one in pieces]
        nearest = sum(middles) / sum(one.length for one in pieces)
    front = line.project(shape.centroid)
    further = shape.distance(line.interpolate(front)) - shape.distance(line)
    return (nearest + max(1 - further / FRONT, 0) * (front - nearest)) / line.length


def known(rise: float) -> float:
    """Where the terrain is empty the way is taken as flat."""
    return 0.0 if math.isnan(rise) else rise


def tobler(run: float, rise: float) -> float:
    if run <= 0:
        return 0.0
    return run / FLAT * math.exp(3.5 * (abs(rise / run + 0.05) - 0.05))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, yuzhong_raw: Path) -> Project:
    project = Project(tmp_path_factory.mktemp("walks"))
    result = project.run("rank", "--city", "yuzhong", "--raw", str(yuzhong_raw))
    assert result.returncode == 0, result.stderr
    return project


@pytest.fixture(scope="module")
def folder(project: Project) -> Path:
    return project.root / "data" / "processed" / "yuzhong"


def weighed(graph: nx.MultiDiGraph, penalty: float) -> nx.DiGraph:
    """Return the graph with the least minutes + penalty × metres of parallel arcs."""
    plain = nx.DiGraph()
    for begin, end, arc in graph.edges(data=True):
        cost = arc["minutes"] + penalty * arc["ascent"]
        if cost < plain.get_edge_data(begin, end, {"cost": math.inf})["cost"]:
            plain.add_edge(begin, end, cost=cost)
    return plain


@pytest.fixture(scope="module")
def slow(folder: Path) -> Slow:
    return Slow(folder)


def test_no_road_of_yuzhong_is_steeper_than_its_class_and_the_known_heights_come_out(
    slow: Slow,
) -> None:
    for i in range(len(slow.edges)):
        limit, length = slow.limit(i), slow.edges[i].geometry.length
        if not math.isnan(limit):
            for (a, low), (b, high) in itertools.pairwise(slow.along(i)):
                assert known(abs(high - low)) <= limit * (b - a) * length + 1e-4
    # published heights of 32.5 m and 52.7 m
    kaixuan = [z for name, z in slow.height.items() if name[0] == "N6874999324"]
    assert max(kaixuan) - min(kaixuan) == pytest.approx(32.5, abs=3)
    crown = next(edge for edge in slow.edges if edge.edge_id == "W421605016-0")
    rise = slow.height[crown.to_node_id] - slow.height[crown.from_node_id]
    assert rise == pytest.approx(52.7, abs=3)


@pytest.fixture(scope="module")
def joined(folder: Path, slow: Slow) -> tuple[nx.MultiDiGraph, dict[str, set]]:
    """The graph with the rail entrances joined, and where walks to main road and rail may end."""
    amenities = gpd.read_parquet(folder / "amenities.parquet")
    rail = amenities[amenities["amenity_type"] == "rail_entrance"]
    main = {node for i, edge in enumerate(slow.edges) if edge.is_main_road for node in slow.ends[i]}
    graph = slow.walk.copy()
    for item in rail.itertuples():
        best = min(slow.doors(item.geometry), key=lambda d: (leg_sum(d), d[0]), default=None)
        if best:
            join(slow, graph, item.amenity_id, best)
    split_shared_links(slow, graph)
    return graph, {"main_road": main, "rail_entrance": set(rail["amenity_id"]) & set(graph)}


class Answers:
    """Walks by networkx to the nearest of some targets."""

    def __init__(self, slow: Slow, graph: nx.MultiDiGraph, targets: dict[str, set]) -> None:
        self.slow, self.home, self.out = slow, {}, {}
        for penalty in (LOW, MIDDLE, HIGH):
            plain = weighed(graph, penalty)
            for reached, way in ((self.home, plain), (self.out, plain.reverse())):
                for kind, found in targets.items():
                    reached[kind, penalty] = nx.multi_source_dijkstra_path_length(
                        way, found & set(way), weight="cost"
                    )

    def of(self, doors: list, kind: str) -> dict[str, float]:
        """Return minutes and metres climbed home and out by the best of some doors."""
        least = [
            cheapest(
                self.slow, doors, self.home[kind, p], self.out[kind, p], kind == "main_road", p
            )
            for p in (LOW, MIDDLE, HIGH)
        ]
        climb, climb_out = ((least[2][n] - least[0][n]) / (HIGH - LOW) for n in (0, 1))
        return {
            "climb": climb,
            "climb_out": climb_out,
            "back": least[1][0] - MIDDLE * climb,
            "out": least[1][1] - MIDDLE * climb_out,
        }


def test_walks_to_main_road_and_rail_equal_networkx_for_200_buildings(
    folder: Path, slow: Slow, joined: tuple[nx.MultiDiGraph, dict[str, set]]
) -> None:
    buildings = gpd.read_parquet(folder / "buildings.parquet")
    housing = buildings[buildings["is_housing"]].sample(200, random_state=20)
    measured = pd.read_parquet(folder / "measurements.parquet").set_index("building_id")
    answers, targets = Answers(slow, *joined), joined[1]
    compared = 0
    for building in housing.itertuples():
        ours = measured.loc[building.building_id]
        doors = slow.doors(building.geometry)
        if not doors:
            assert not ours["has_street_access"]
            continue
        for kind in targets:
            theirs = answers.of(doors, kind)
            larger = max(theirs["climb"], theirs["climb_out"])
            assert ours[f"{kind}_climb_m"] == pytest.approx(larger, abs=0.02)
            for way in ("back", "out"):
                minutes = pytest.approx(theirs[way], rel=1e-4, abs=1e-3)
                assert ours[f"{kind}_walk_{way}_min"] == minutes
            compared += 1
    assert compared > 380


def test_who_loses_the_crown_escalator_climbs_what_networkx_says(
    project: Project, yuzhong_raw: Path, slow: Slow,
    joined: tuple[nx.MultiDiGraph, dict[str, set]],
) -> None:  # fmt: skip
    """Some climb more than its 52.7 m: the way round goes down to the river road and up again."""
    change = "close_crown_escalator"
    words = "--city", "yuzhong", "--raw", str(yuzhong_raw), "--change", change
    result = project.run_in_copy("what-if", *words)
    assert result.returncode == 0, result.stderr
    home = project.root / "data" / "processed" / "yuzhong"
    closed = pd.read_csv(home / "what_if" / f"{change}.csv", encoding="utf-8-sig")
    closed = closed[closed["facility_type"].isin(joined[1])].set_index("building_id")
    more = -closed[["climb_out_saved_m", "climb_saved_m"]].min(axis=1)
    assert more.max() > 52.7
    graph = joined[0].copy()
    (crown,) = (i for i, edge in enumerate(slow.edges) if edge.edge_id == "W421605016-0")
    begin, end = slow.ends[crown]
    for pair in ((begin, end), (end, begin)):
        assert graph.number_of_edges(*pair) == 1
        graph.remove_edge(*pair)
    before, after = Answers(slow, *joined), Answers(slow, graph, joined[1])
    shapes = gpd.read_parquet(home / "buildings.parquet").set_index("building_id").geometry
    for building_id in more.nlargest(8).index:
        ours, doors = closed.loc[building_id], slow.doors(shapes[building_id])
        for when, answers in (("before", before), ("after", after)):
            theirs = answers.of(doors, ours["facility_type"])
            for way in ("climb", "climb_out"):
                # lists tell decimetres
                assert ours[f"{way}_{when}_m"] == pytest.approx(theirs[way], abs=0.08)


JOINED: dict[int, list[tuple[float, object]]] = {}


def leg_sum(door: tuple[int, float, list[float], float]) -> float:
    _, _, rises, run = door
    return sum(tobler(run, r) + tobler(run, -r) + MIDDLE * abs(r) for r in rises)


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


def cheapest(slow, doors, home, out, to_main, penalty) -> tuple[float, float]:
    """Return the least cost home and out over all doors and both ends of their streets."""
    homes, outs = [], []
    for i, fraction, rises, run in doors:
        leg_out, leg_home = (
            sum(tobler(run, s * r) + penalty * max(s * r, 0) for r in rises) for s in (1, -1)
        )
        if to_main and slow.edges[i].is_main_road:
            homes.append(leg_home)
            outs.append(leg_out)
            continue
        begin, end = slow.ends[i]
        points = sorted(JOINED.get(i, []), key=lambda p: p[0])
        left = max([(0.0, begin), *[p for p in points if p[0] <= fraction]], key=lambda p: p[0])
        right = min([(1.0, end), *[p for p in points if p[0] > fraction]], key=lambda p: p[0])
        for node, low, high, is_left in (
            (left[1], left[0], fraction, True), (right[1], fraction, right[0], False),
        ):  # fmt: skip
            there, back, up, down = slow.between(i, low, high)
            ahead, behind = there + penalty * up, back + penalty * down
            if node in home:
                homes.append(home[node] + (ahead if is_left else behind) + leg_home)
            if node in out:
                outs.append(out[node] + (behind if is_left else ahead) + leg_out)
    return min(homes), min(outs)
