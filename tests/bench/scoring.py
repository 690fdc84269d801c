"""Time the scoring: all of it, its bands beside rankings by sorting, and one weight changed."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import BUILDINGS, CONSENTS, MEASUREMENTS, RANKING
from pipeline.score.stage import run
from pipeline.settings.whole import Settings


def scoring(tables: Path, settings: Settings, timed: Callable[..., tuple[float, Any]]) -> None:
    """Print seconds of the stage with its draws, and of the same draws ranked by the usual calls."""
    inputs = Inputs(
        {
            BUILDINGS: gpd.read_parquet(tables / "buildings.parquet"),
            MEASUREMENTS: pd.read_parquet(tables / "measurements.parquet"),
            CONSENTS: pd.read_parquet(tables / "consents.parquet"),
        },
        {},
        {},
        settings,
    )
    draws = settings.score.robustness.draws
    base, found = timed(f"ours: need, tracks, points, {draws:,} draws", lambda: run(inputs))
    ranking = found.tables[RANKING]
    needs = [name for name in ranking.columns if name.endswith("_need_share")]
    matrix = ranking.loc[ranking["rank"].notna(), needs].to_numpy()
    weights = np.random.default_rng(1).dirichlet(np.ones(len(needs)), 50)
    for label, ranks in (
        ("scipy rankdata", _by_scipy),
        ("numpy argsort", lambda scores: np.argsort(-scores)),
    ):
        seconds, _ = timed(
            f"{label}: 50 draws of weights alone",
            lambda ranks=ranks: _ranked(matrix, weights, ranks),
        )
        whole = seconds * draws / 50
        print(
            f"    for {draws:,} draws, by proportion {whole:.1f} s, {whole / base:.1f} × the whole"
        )


def _ranked(matrix: np.ndarray, weights: np.ndarray, ranks: Callable[..., Any]) -> None:
    for weight in weights:
        ranks(matrix @ weight)


def _by_scipy(scores: np.ndarray) -> Any:
    from scipy.stats import rankdata

    return rankdata(-scores)


def one_weight(root: Path, raw: Path) -> None:
    """Print the seconds from one changed weight to new lists, and to new maps."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        shutil.copytree(root / "config", project / "config")
        _rank(project, root, raw)
        config = project / "config" / "default.yaml"
        text = config.read_text(encoding="utf-8")
        changed = text.replace("main_road_climb_m, weight: 0.13", "main_road_climb_m, weight: 0.20")
        assert changed != text
        config.write_text(changed, encoding="utf-8")
        begin = time.time()
        said = _rank(project, root, raw)
        whole_s = time.time() - begin
        stages = re.search(r"stages run: (.*)", said)
        folder_of_lists = project / "data" / "processed" / "reference" / "base"
        lists = [*folder_of_lists.rglob("*.csv"), *folder_of_lists.rglob("*.xlsx")]
        lists_s = max(path.stat().st_mtime for path in lists) - begin
        print(f"  {'one weight changed, until all new lists stand there':58} {lists_s:8.2f} s")
        print(f"  {'… and all of make rank':58} {whole_s:8.2f} s")
        print(f"    {stages[1] if stages else ''}")


def _rank(project: Path, root: Path, raw: Path) -> str:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "rank", "--city", "reference", "--raw", str(raw)],
        cwd=project, env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
