"""Time the inference of years: the city, ten cities side by side, and a random forest beside it.

Each is also run in a process of its own, to tell its memory and whether threads change its bytes:
``python -m tests.bench.years facts.pickle``.
"""

import hashlib
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.measure.years import year_facts
from pipeline.settings.measure import YearRule
from pipeline.years.facts import YearFacts
from pipeline.years.infer import infer_years

GROUND = ["elevation_m", "slope_deg", "relief_m"]


def years(
    housing: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    measured: pd.DataFrame,
    rule: YearRule,
    timed: Callable[..., tuple[float, Any]],
) -> None:
    """Print seconds for what tells the years, for one city and for ten, and for a usual choice."""
    ground = measured.set_index("building_id").loc[housing["building_id"], GROUND]
    columns = {name: ground[name].to_numpy() for name in GROUND}
    shapes = buildings.geometry.to_numpy()
    everywhere = shapely.get_coordinates(shapely.centroid(shapes)), shapely.area(shapes)
    points = shapely.get_coordinates(shapely.centroid(housing.geometry.to_numpy()))
    _, facts = timed(
        "form and surroundings", lambda: year_facts(housing, points, everywhere, columns)
    )
    base, _ = timed(
        f"fit, calibrate and predict {len(housing):,}", lambda: infer_years(facts, rule)
    )
    timed("ten such cities side by side", lambda: infer_years(tiled(facts, 10), rule), base)
    timed("random forest of 200 trees, no intervals", lambda: _forest(facts), base)
    for count, threads in ((1, 1), (1, 2), (10, 1)):
        _apart(tiled(facts, count) if count > 1 else facts, rule, count, threads)


def _apart(facts: YearFacts, rule: YearRule, count: int, threads: int) -> None:
    """Print CPU seconds, peak memory and a digest of a run in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.pickle"
        path.write_bytes(pickle.dumps((facts, rule)))
        limits = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.years", str(path)],
            env=os.environ | limits, capture_output=True, text=True, check=True,
        )  # fmt: skip
    print(f"  {count} × the city alone, {threads} threads: {done.stdout.strip()}", flush=True)


def _run_alone(path: Path) -> None:
    facts, rule = pickle.loads(path.read_bytes())
    begin = time.process_time()
    found = infer_years(facts, rule)
    seconds = time.process_time() - begin
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ends = (found.quantiles, found.first_year, found.last_year, found.by_cutoff_share)
    digest = hashlib.sha256(b"".join(array.tobytes() for array in ends)).hexdigest()[:12]
    print(f"{seconds:.2f} s CPU, {memory_mb:.0f} MB with all libraries, result {digest}")


def tiled(facts: YearFacts, count: int) -> YearFacts:
    """Return the same town many times, 200 km apart, with keys of its own each time."""
    units = int(facts.unit_of_building.max()) + 1
    rng = np.random.default_rng(1)
    turns = rng.integers(1, 2**63, count, dtype=np.uint64)
    far = np.repeat(np.arange(count), len(facts.points))[:, None] * [200_000.0, 0.0]

    def many(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values] * count)

    return replace(
        facts,
        known_year=many(facts.known_year),
        low_year=many(facts.low_year),
        high_year=many(facts.high_year),
        unit_of_building=np.concatenate([facts.unit_of_building + units * n for n in range(count)]),
        unit_key=np.concatenate([facts.unit_key ^ turn for turn in turns]),
        building_key=np.concatenate([facts.building_key ^ turn for turn in turns]),
        points=many(facts.points) + far,
        district=many(facts.district),
        columns={name: many(values) for name, values in facts.columns.items()},
    )


def _forest(facts: YearFacts) -> np.ndarray:
    from sklearn.ensemble import RandomForestRegressor

    columns = np.nan_to_num(np.column_stack(list(facts.columns.values())), nan=-1)
    known = np.isfinite(facts.known_year)
    forest = RandomForestRegressor(200, n_jobs=-1, random_state=1)
    return forest.fit(columns[known], facts.known_year[known]).predict(columns[~known])


if __name__ == "__main__":
    _run_alone(Path(sys.argv[1]))
