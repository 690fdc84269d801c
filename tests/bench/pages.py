"""The map in Chromium: size, time to the drawn page, frames, clicks, heap, beside folium.GeoJson.

Also with the city's tables ten times over. Times are of this machine and of what else it does.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline import flow
from pipeline.atlas.map_page import Neighbours, map_page
from pipeline.atlas.points import used_criteria
from pipeline.atlas.scene import city_scene, footprint_parts, footprints
from pipeline.beside import Beside
from pipeline.contracts.stage import Inputs
from pipeline.rules.rank_order import ranks, tier_numbers
from pipeline.store.configuration import read_settings
from pipeline.store.places import Places
from tests.browser.conftest import FLAGS, found_browser

SIZE = {"width": 1920, "height": 1080}
TIMES = 10
OPENINGS = 5
TOLD_BY_FOLIUM = [
    "building_id", "rank", "tier_number", "score_points", "building_name", "district_name",
    "estate_name", "road_name", "floor_area_m2", "construction_year", "geometry",
]  # fmt: skip
"""Far fewer facts than our page shows of each building."""
APART_M = 60_000.0

GAPS = """async ({ moves }) => {
  const { map } = shancheng, gaps = [];
  let last = performance.now(), isOn = true;
  const tick = (now) => { gaps.push(now - last); last = now; if (isOn) requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  for (const [kind, x, y] of moves) {
    if (kind === 'pan') map.panBy([x, y], { duration: 0.4 });
    else map.setZoom(map.getZoom() + x);
    await rest(600);
  }
  isOn = false;
  return gaps.slice(2);
}"""
MOVES = [
    ["zoom", 1, 0], ["pan", 300, 120], ["pan", -200, 200], ["zoom", 1, 0], ["pan", 400, 0],
    ["pan", 0, -300], ["zoom", 2, 0], ["pan", 300, 300], ["pan", -500, 0], ["zoom", 1, 0],
    ["pan", 200, -200], ["zoom", -2, 0], ["pan", -300, 200], ["zoom", -2, 0],
]  # fmt: skip
SLIDE = """async () => {
  document.querySelector('#what-if-tab').click();
  const slider = document.querySelector('#weight-climb');
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve()));
  const waits = [];
  for (let i = 0; i < 40; i += 1) {
    slider.value = String(500 + 100 * i);
    const begin = performance.now();
    slider.dispatchEvent(new Event('input'));
    await frame();
    await new Promise((resolve) => setTimeout(resolve));
    waits.push(performance.now() - begin);
  }
  return waits;
}"""
CLICK = """async (row) => {
  const { map, model } = shancheng;
  const { box } = model.ranked;
  const latlng = shancheng.placeOf(row);
  map.setView(latlng, 17, { animate: false });
  await new Promise((resolve) => setTimeout(resolve, 400));
  const begin = performance.now();
  map.fire('click', { latlng });
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return performance.now() - begin;
}"""


def inputs_of(root: Path) -> Inputs:
    """Return what the atlas gets of the built-in city as it lies on disk."""
    settings = read_settings(root / "config", "reference", "base")
    places = Places(root, root / "data/raw/reference", "reference", "base")
    stage = next(one for one in flow.STAGES if one.name == "atlas")
    return flow._load(stage, places, settings, flow.Kept(flow.recorded(places)), Beside())


def ten_times(
    shown: gpd.GeoDataFrame, rest: gpd.GeoDataFrame, inputs: Inputs
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the footprints of the city ten times side by side, ranked as one."""
    copies, others = [], []
    for number in range(TIMES):
        x, y = APART_M * (number % 4), APART_M * (number // 4)
        part = shown.copy()
        part["building_id"] = f"{number}" + part["building_id"]
        part.geometry = part.geometry.translate(x, y)
        if number:
            part["main_road_path_point_number"] = np.nan
        copies.append(part)
        others.append(rest.set_geometry(rest.geometry.translate(x, y)))
    table = gpd.GeoDataFrame(pd.concat(copies, ignore_index=True), crs=shown.crs)
    rule = inputs.settings.score
    is_in = table["rank"].notna().to_numpy()
    lifted = table["is_lifted"].fillna(False).to_numpy(dtype=bool)[is_in]
    score = (table["score_points"].to_numpy(dtype=float)[is_in] * 1000 + 0.5).astype(np.int64)
    breaks = [table[name].to_numpy(dtype=float)[is_in] for name in rule.tie_breaks]
    rank = ranks(score, breaks, table["building_id"][is_in], lifted)
    table.loc[is_in, "rank"] = rank
    table.loc[is_in, "tier_number"] = tier_numbers(rank, rule.tier_upper_rank_shares, lifted)
    joined = pd.concat(others, ignore_index=True)
    return table, gpd.GeoDataFrame(joined, crs=rest.crs)


def _p95(values: list[float]) -> float:
    return float(np.percentile(values, 95))


def ready_ms(playwright: Any, path: Path) -> float:
    """Open a page in a fresh browser and return when it said that it is ready."""
    browser = playwright.chromium.launch(executable_path=found_browser(), args=FLAGS)
    page = browser.new_context(viewport=SIZE, offline=True).new_page()
    page.set_default_timeout(120_000)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready-ms]")
    found = float(page.evaluate("document.documentElement.dataset.readyMs"))
    browser.close()
    return found


def measured(playwright: Any, path: Path) -> dict[str, float]:
    """Open a page in a fresh browser and return what was measured there."""
    flags = [*FLAGS, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
    browser = playwright.chromium.launch(executable_path=found_browser(), args=flags)
    page = browser.new_context(viewport=SIZE, offline=True).new_page()
    page.set_default_timeout(120_000)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready-ms]")
    page.wait_for_timeout(300)
    gaps = page.evaluate(GAPS, {"moves": MOVES})
    found = {"gap_p95_ms": _p95(gaps), "gap_max_ms": max(gaps)}
    page.evaluate("shancheng.fit()")
    page.wait_for_timeout(800)
    slides = page.evaluate(SLIDE)
    found |= {"slider_p95_ms": _p95(slides), "slider_median_ms": float(np.median(slides))}
    clicks = [page.evaluate(CLICK, row) for row in (1, 777, 9_999, 20_000, 40_000)]
    found["click_max_ms"] = max(clicks)
    page.evaluate("window.gc()")
    found["heap_mb"] = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    browser.close()
    return found


def folium_ready_ms(playwright: Any, path: Path) -> float:
    """Open a page of folium.GeoJson; Leaflet is served from its package, everything else empty.

    Ready is when a frame has passed after the last building was added.
    """
    browser = playwright.chromium.launch(executable_path=found_browser(), args=FLAGS)
    page = browser.new_context(viewport=SIZE).new_page()
    page.set_default_timeout(120_000)
    leaflet = files("xstatic.pkg.leaflet") / "data"

    def serve(route: Any) -> None:
        name = route.request.url.rsplit("/", 1)[-1]
        is_leaflet = name in ("leaflet.js", "leaflet.css")
        route.fulfill(body=(leaflet / name).read_text("utf-8") if is_leaflet else "")

    page.route("http*://**/*", serve)
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelectorAll('path.leaflet-interactive').length > 0")
    ready = page.evaluate("new Promise((r) => requestAnimationFrame(() => r(performance.now())))")
    browser.close()
    return float(ready)


def pages(root: Path, timed: Callable[..., Any]) -> None:
    """Print size and speed of the map of the built-in city, and of ten such cities in one."""
    from playwright.sync_api import sync_playwright

    inputs = inputs_of(root)
    used = used_criteria(inputs.settings.score.criteria, inputs.ledgers["score"]["weights"])
    near = Neighbours((), {})
    _, scene = timed("ours: scene of the city", lambda: city_scene(inputs, used))
    _, (text, _) = timed("ours: its map", lambda: map_page(scene, inputs, used, near))
    shown, rest = footprints(inputs)
    big_shown, big_rest = ten_times(shown, rest, inputs)
    big = replace(scene, **footprint_parts(big_shown, big_rest, inputs, used))
    _, (big_text, _) = timed(
        f"ours: the same of {len(big.buildings):,} buildings",
        lambda: map_page(big, inputs, used, near),
    )
    whole = dict.fromkeys(("rank", "tier_number", "construction_year"), "Int64")
    shapes = pd.concat([shown[TOLD_BY_FOLIUM].astype(whole), rest], ignore_index=True)
    shapes = gpd.GeoDataFrame(shapes, crs=shown.crs).to_crs("EPSG:4326")
    _, plain = timed("folium.GeoJson of all footprints, ten facts each", lambda: _plain(shapes))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        paths = {}
        for name, content in (("ours", text), ("ten times", big_text), ("folium", plain)):
            paths[name] = Path(folder) / f"{name}.html"
            paths[name].write_text(content, encoding="utf-8", newline="")
        size = {name: path.stat().st_size for name, path in paths.items()}
        times = size["folium"] / size["ours"]
        print(f"  page {size['ours'] / 1e6:.2f} MB, ten times {size['ten times'] / 1e6:.1f} MB")
        print(f"  folium's {size['folium'] / 1e6:.1f} MB, {times:.1f} times")
        # in turn, so that a slow minute is everybody's
        turns = [
            (ready_ms(playwright, paths["ours"]), folium_ready_ms(playwright, paths["folium"]))
            for _ in range(OPENINGS)
        ]
        ours, theirs = (sorted(times) for times in zip(*turns, strict=True))
        print(f"  ready after {_listed(ours)} ms; folium.GeoJson {_listed(theirs)} ms")
        print(f"    medians: {np.median(theirs) / np.median(ours):.1f} times")
        for name in ("ours", "ten times"):
            told = {"ready_ms": ready_ms(playwright, paths[name])}
            told |= measured(playwright, paths[name])
            print(f"  {name}: " + ", ".join(f"{key} {value:.0f}" for key, value in told.items()))


def _listed(times: list[float]) -> str:
    return ", ".join(f"{one:.0f}" for one in times)


def _plain(shapes: gpd.GeoDataFrame) -> str:
    middle = shapes.total_bounds
    page = folium.Map([(middle[1] + middle[3]) / 2, (middle[0] + middle[2]) / 2], zoom_start=11)
    folium.GeoJson(shapes).add_to(page)
    return str(page.get_root().render())
