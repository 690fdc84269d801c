"""Fetching Yuzhong from a server on the loopback that replays its real replies."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import Project
from tests.loopback import Loopback, serving

FILES = {
    "nominatim/yuzhong.json", "overpass/buildings.json", "overpass/walk.json", "overpass/drive.json",
    "overpass/pois.json", "overpass/rail.json", "dem/srtm_utm48n_30m.tif",
}  # fmt: skip
PLACE = "渝中区, 重庆"


@pytest.fixture
def server(yuzhong_raw: Path) -> Iterator[Loopback]:
    with serving(yuzhong_raw) as state:
        yield state


@pytest.fixture
def town(tmp_path: Path, server: Loopback) -> Project:
    """A project whose fetch.yaml points at the loopback."""
    project = Project(tmp_path / "town")
    server.configure(project.root)
    return project


def folder(project: Project, city: str = "yuzhong") -> Path:
    return project.root / "data" / "raw" / city


def test_fetch_rank_and_map_equal_the_run_on_the_raw_files(
    town: Project, yuzhong_raw: Path, tmp_path: Path
) -> None:
    """With the hand-written profile every byte agrees; with the fetched one, all but its own words."""
    result = town.run("fetch", "--city", "yuzhong", "--place", PLACE)
    assert result.returncode == 0, result.stderr
    assert "stays" in result.stdout
    for path in FILES:
        assert (folder(town) / path).read_bytes() == (yuzhong_raw / path).read_bytes(), path
    ranked = town.run("rank", "--city", "yuzhong")
    assert ranked.returncode == 0, ranked.stderr
    plain = Project(tmp_path / "plain")
    assert plain.run("rank", "--city", "yuzhong", "--raw", str(yuzhong_raw)).returncode == 0
    assert town.outputs() == plain.outputs()

    again = town.run("fetch", "--city", "fetched", "--place", PLACE)
    assert again.returncode == 0, again.stderr
    assert town.run("rank", "--city", "fetched").returncode == 0
    one, other = (
        pd.read_csv(town.root / "data/processed" / city / "base" / "building_ranking.csv")
        for city in ("yuzhong", "fetched")
    )
    pd.testing.assert_frame_equal(one, other)
