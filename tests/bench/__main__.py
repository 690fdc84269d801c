"""`make bench`: the run by stage with memory, and our parts beside the usual libraries, in one run.

Absolute times depend on the machine and on what else it does; read the ratios. Needs the built-in city
(`make rank` makes it). Never part of the tests.
"""

import gc
import io
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.geo.network import nearest
from pipeline.geo.terrain import cell_coverage, zonal_mean
from pipeline.measure.access import doors
from pipeline.measure.streets import access_table, street_world
from pipeline.store.configuration import read_settings
from pipeline.store.files import read_raster
from tests.bench.pages import pages
from tests.bench.scoring import one_weight, scoring
from tests.bench.years import years

ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT / "data" / "processed" / "reference"
RAW = ROOT / "data" / "raw" / "reference"


def timed(label: str, act: Callable[[], Any], base_s: float | None = None) -> tuple[float, Any]:
    """Run once, print seconds and the ratio to a base, return both seconds and result."""
    begin = time.perf_counter()
    result = act()
    seconds = time.perf_counter() - begin
    ratio = "" if base_s is None else f"{seconds / base_s:8.1f} ×"
    print(f"  {label:58} {seconds:8.2f} s {ratio}", flush=True)
    return seconds, result


def whole_run() -> None:
    """The command line from nothing, on raw files that stand there already."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        shutil.copytree(ROOT / "config", project / "config")
        for label in ("from nothing", "again, nothing changed"):
            begin = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "pipeline", "rank", "--city", "reference", "--raw", str(RAW)],
                cwd=project, env=os.environ | {"PYTHONPATH": str(ROOT)},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            seconds = time.perf_counter() - begin
            stages = re.search(r"stages run: (.*)", done.stdout)
            print(f"  {label:58} {seconds:8.2f} s   {stages[1] if stages else ''}", flush=True)
        page = project / "maps" / "reference" / "base" / "index.html"
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"  peak memory {peak_mb:,.0f} MB, page {page.stat().st_size / 1e6:.2f} MB")


def zonal(housing: gpd.GeoDataFrame) -> None:
    """Mean height under each footprint."""
    import exactextract
    from rasterstats import zonal_stats

    grid = read_raster(io.BytesIO((TABLES / "terrain.tif").read_bytes()))
    shapes = housing.geometry.to_numpy()
    base, ours = timed(
        f"ours, {len(shapes):,} footprints", lambda: zonal_mean(cell_coverage(shapes, grid), grid)
    )
    _, theirs = timed(
        "exactextract, raster-sequential",
        lambda: exactextract.exact_extract(
            str(TABLES / "terrain.tif"), housing[["geometry"]], ["mean"], output="pandas",
            strategy="raster-sequential",
        )["mean"].to_numpy(),
        base,
    )  # fmt: skip
    print(f"  largest difference {np.nanmax(np.abs(ours - theirs)):.1e} m")
    part = housing.iloc[:: max(1, len(housing) // 2000)]
    seconds, _ = timed(
        f"rasterstats, {len(part):,} of them",
        lambda: zonal_stats(
            part.geometry, str(TABLES / "terrain.tif"), stats=["mean"], all_touched=True
        ),
    )
    whole = seconds * len(housing) / len(part)
    print(f"  rasterstats for all of them, by proportion {whole:.0f} s, {whole / base:.0f} ×")


def walking(housing: gpd.GeoDataFrame) -> None:
    """Walks to the nearest facility of every type, out and home."""
    import networkx as nx

    rule = read_settings(ROOT / "config", "reference", "base").measure
    nodes, edges, amenities, water = (
        gpd.read_parquet(TABLES / f"{name}.parquet")
        for name in ("street_nodes", "street_edges", "amenities", "water")
    )
    ground = read_raster(io.BytesIO((TABLES / "ground.tif").read_bytes()))
    shapes = housing.geometry.to_numpy()
    _, world = timed(
        "ours: network with heights and facilities",
        lambda: street_world(nodes, edges, amenities, water, ground, rule),
    )
    timed(
        f"ours: whole access table, {len(rule.facilities)} types, counts",
        lambda: access_table(shapes, world, rule),
    )
    network = world.network
    timed(
        "ours: every building's ways to the street",
        lambda: doors(
            shapes, network.links, world.usable, network.profiles, ground, world.water,
            rule.access, rule.walking,
        ),
    )  # fmt: skip
    kinds = [name for name, targets in network.targets.items() if len(targets)]
    graph_home = network.graph.without_arcs_into(network.facility_nodes)
    base, near = timed(
        f"ours: nearest of {len(kinds)} types, home at two penalties, all nodes",
        lambda: {name: nearest(graph_home, network.targets[name]) for name in kinds},
    )
    minutes = graph_home.low.tocoo()
    arcs = list(zip(minutes.row.tolist(), minutes.col.tolist(), minutes.data.tolist(), strict=True))
    _, graph = timed("networkx: build the graph", lambda: _directed(nx, arcs))

    def by_networkx() -> dict[str, Any]:
        found = {}
        for name in kinds:
            targets = set(network.targets[name].tolist())
            home = nx.multi_source_dijkstra_path_length(graph, targets, weight="minutes")
            back = graph.reverse(copy=False)
            nx.multi_source_dijkstra_path_length(back, targets, weight="minutes")
            found[name] = home
        return found

    _, theirs = timed("networkx: the same", by_networkx, base)
    worst = max(
        abs(near[name].low[node] - value) for name in kinds for node, value in theirs[name].items()
    )
    print(f"  largest difference {worst:.1e} min")
    if find_spec("pandana"):
        timed(
            "pandana: build and nearest of the types, one way",
            lambda: _by_pandana(world, kinds),
            base,
        )
    else:
        print("  pandana has no package for this Python")


def _directed(nx: Any, arcs: list[tuple[int, int, float]]) -> Any:
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(arcs, weight="minutes")
    return graph


def _by_pandana(world: Any, kinds: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandana

        minutes = world.network.graph.minutes.tocoo()
        x, y = pd.Series(world.node_x), pd.Series(world.node_y)
        net = pandana.Network(
            x, y, pd.Series(minutes.row), pd.Series(minutes.col),
            pd.DataFrame({"minutes": minutes.data}), twoway=False,
        )  # fmt: skip
        for name in kinds:
            at = world.network.targets[name]
            net.set_pois(name, 60, 1, x.iloc[at], y.iloc[at])
            net.nearest_pois(60, name, num_pois=1)


def main() -> None:
    """Run all parts."""
    gc.disable()  # as the flow does while a stage runs
    if not (TABLES / "measurements.parquet").is_file():
        sys.exit("the built-in city is not ranked yet: run `make rank` first")
    print("whole run of the built-in city")
    whole_run()
    buildings = gpd.read_parquet(TABLES / "buildings.parquet")
    housing = buildings[buildings["is_housing"]].reset_index(drop=True)
    print("mean height under each footprint")
    zonal(housing)
    print("years that nobody recorded")
    measured = pd.read_parquet(TABLES / "measurements.parquet")
    rule = read_settings(ROOT / "config", "reference", "base").measure.years
    years(housing, buildings, measured, rule, timed)
    print("scoring")
    scoring(TABLES, read_settings(ROOT / "config", "reference", "base"), timed)
    one_weight(ROOT, RAW)
    print("walking")
    walking(housing)
    print("the map in Chromium")
    pages(ROOT, timed)
    print(f"shapely {shapely.__version__}, numpy {np.__version__}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
