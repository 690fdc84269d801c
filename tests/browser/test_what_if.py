"""What a meeting may change: the page's order is Python's, a link and a file bring it back."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.need.weights import weight_units
from pipeline.rules.rank_order import POINT_UNITS, point_units, ranks, tier_numbers
from pipeline.store.configuration import read_settings
from tests.browser.conftest import Opened
from tests.conftest import Project

LIVE = """() => {
  const model = shancheng.model, found = {};
  for (let row = 0; row < model.count; row += 1) {
    found[shancheng.idOf(row)] = [model.rank[row], model.score[row], model.tier[row]];
  }
  return found;
}"""


@pytest.fixture
def city(browser: Any, yuzhong: Project) -> Iterator[Opened]:
    """Yuzhong's page, drawn."""
    one = Opened(browser, yuzhong.root / "maps" / "yuzhong" / "base" / "index.html")
    one.open()
    yield one
    one.context.close()
    assert one.faults == []
    assert {address.split("#")[0] for address in one.requests} <= {one.address}


def tables(project: Project, scenario: str = "base") -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = project.root / "data" / "processed" / "yuzhong"
    return (
        pd.read_parquet(folder / scenario / "ranking.parquet"),
        pd.read_parquet(folder / "measurements.parquet"),
    )


def python_order(project: Project, weights: dict[str, float]) -> pd.DataFrame:
    """Return rank, score in thousandths and tier by the score stage's own functions."""
    ranking, measured = tables(project)
    settings = read_settings(project.root / "config", "yuzhong", "base").score
    units = weight_units({name: weight for name, weight in weights.items() if weight > 0})
    score = np.zeros(len(ranking), dtype=np.int64)
    for name, unit in units.items():
        need = (ranking[f"{name}_need_share"].to_numpy() * 10_000 + 0.5).astype(np.int64)
        score += point_units(need, unit)
    measured = measured.set_index("building_id").reindex(ranking["building_id"])
    breaks = [measured[name].to_numpy(dtype=float) for name in settings.tie_breaks]
    is_ranked = ranking["rank"].notna().to_numpy()
    rank = np.zeros(len(ranking), dtype=np.int64)
    tier = rank.copy()
    rank[is_ranked] = ranks(
        score[is_ranked], [b[is_ranked] for b in breaks], ranking["building_id"][is_ranked]
    )
    tier[is_ranked] = tier_numbers(rank[is_ranked], settings.tier_upper_rank_shares)
    return pd.DataFrame(
        {"rank": rank, "score": score, "tier": tier}, index=ranking["building_id"].to_numpy()
    )


def page_order(page: Any) -> pd.DataFrame:
    found = page.evaluate(LIVE)
    return pd.DataFrame.from_dict(found, orient="index", columns=["rank", "score", "tier"])


def assert_same(page: Any, expected: pd.DataFrame) -> None:
    found = page_order(page).reindex(expected.index)
    assert (found == expected).all(axis=None), found[(found != expected).any(axis=1)].head()


def test_the_order_is_that_of_python_for_any_weights(city: Opened, yuzhong: Project) -> None:
    names = city.page.evaluate("shancheng.model.page.criteria.map((item) => item.name)")
    chance = random.Random(8)
    trials = [{name: 1.0 for name in names}]
    trials += [
        {name: chance.choice([0, 1, 3, 700, 2315, 6000]) for name in names} for _ in range(12)
    ]
    trials += [{name: float(name == only) for name in names} for only in names[:3]]
    for weights in trials:
        if not any(weights.values()):
            continue
        city.page.evaluate("(raw) => shancheng.settle(raw)", [weights[name] for name in names])
        assert_same(city.page, python_order(yuzhong, weights))


def test_a_saved_scenario_gives_the_very_same_order(
    city: Opened, yuzhong: Project, yuzhong_raw: Path
) -> None:
    page = city.page
    page.click("#what-if-tab")
    assert page.is_disabled("#what-if-reset")
    for _ in range(4):
        page.press("#weight-slope", "PageUp")
    page.press("#weight-climb", "Home")
    page.press("#weight-climb", "ArrowRight")
    page.press("#weight-hospital", "Shift+ArrowRight")
    page.fill("#scenario-name", "more slope!")
    with page.expect_download() as download:
        page.click("#scenario-save")
    assert download.value.suggested_filename == "more_slope.yaml"
    target = yuzhong.root / "config" / "scenarios" / "more_slope.yaml"
    download.value.save_as(target)
    before, expected = tables(yuzhong)[0].set_index("building_id"), page_order(page)
    result = yuzhong.run(
        "rank", "--city", "yuzhong", "--raw", str(yuzhong_raw), "--scenario", "more_slope"
    )
    assert result.returncode == 0, result.stderr
    ranking = tables(yuzhong, "more_slope")[0].set_index("building_id")
    assert (ranking["rank"] != before["rank"]).mean() > 0.5, "the sliders did move"
    assert (expected["rank"].reindex(ranking.index) == ranking["rank"].fillna(0)).all()
    score = (ranking["score_points"] * POINT_UNITS).round().astype(int)
    assert (expected["score"].reindex(ranking.index) == score).all()

    again = Opened(page.context.browser, yuzhong.root / "maps/yuzhong/more_slope/index.html")
    other = again.open()
    assert_same(other, expected)
    other.click("#what-if-tab")
    other.press("#weight-rail_walk", "PageUp")
    moved = page_order(other)
    with other.expect_download() as download:
        other.click("#scenario-save")
    download.value.save_as(yuzhong.root / "config" / "scenarios" / "on_top.yaml")
    again.context.close()
    result = yuzhong.run(
        "rank", "--city", "yuzhong", "--raw", str(yuzhong_raw), "--scenario", "on_top"
    )
    assert result.returncode == 0, result.stderr
    ranking = tables(yuzhong, "on_top")[0].set_index("building_id")
    assert (moved["rank"].reindex(ranking.index) == ranking["rank"].fillna(0)).all()


def test_a_link_brings_back_what_was_seen(city: Opened, browser: Any) -> None:
    page = city.page
    page.click("#what-if-tab")
    page.press("#weight-climb", "PageDown")
    page.select_option("#colour-by", "planned")
    page.select_option("#filter-tier", "2")
    page.fill("#search", "500103" if page.locator("#found button").count() else "路")
    page.press("#search", "Enter")
    page.click("#pin")
    page.click("#language-button")
    page.wait_for_timeout(600)
    link = page.evaluate("location.hash")
    expected = page_order(page)
    other = Opened(browser, Path("/"))
    other.address = city.address + link
    copy = other.open()
    assert_same(copy, expected)
    assert copy.evaluate("shancheng.model.colouring.key") == "planned"
    assert copy.evaluate("document.documentElement.lang") == "en"
    assert copy.input_value("#filter-tier") == "2"
    assert copy.inner_text("#panel h2") == page.inner_text("#panel h2")
    assert copy.evaluate("shancheng.map.getZoom()") == page.evaluate("shancheng.map.getZoom()")
    other.context.close()


@pytest.mark.parametrize(
    "link", ["#w=climb:x,no:5,slope:999999&b=gold:3&g=zz&v=a/b/c&i=none&c=need.99", "#%", "#w=&=&&"]
)
def test_a_broken_link_opens_the_page_all_the_same(
    browser: Any, town_file: Path, link: str
) -> None:
    one = Opened(browser, town_file)
    one.address += link
    page = one.open()
    assert page.evaluate("shancheng.model.colouring.key") == "tier"
    assert one.faults == []
    one.context.close()


def test_bands_are_those_of_the_table(city: Opened, yuzhong: Project) -> None:
    ranking = tables(yuzhong)[0].dropna(subset=["rank"]).set_index("building_id")
    shown = city.page.evaluate(
        """() => Object.fromEntries([...shancheng.model.byRank]
          .map((row) => [shancheng.idOf(row), shancheng.bandOf(row)]))"""
    )
    told = {key: [row.rank_p05, row.rank_p95] for key, row in ranking.iterrows()}
    assert len(told) > 1000 and shown == told


def test_movers_are_counted_by_district_and_reset_brings_the_order_back(page: Any) -> None:
    page.click("#what-if-tab")
    assert "与发布的次序相同" in page.inner_text("#moves")
    page.press("#weight-climb", "Home")  # by slope alone: B1 and B2 both 100 points
    page.wait_for_timeout(250)
    assert "第一档：进 0 栋，出 0 栋" in page.inner_text("#moves"), "B1 climbs more than B2"
    page.press("#weight-slope", "Home")
    assert page.evaluate("shancheng.model.units") == [0, 10_000], "one criterion must count"
    page.click("#what-if-reset")
    assert page.evaluate("shancheng.model.units") == [6000, 4000]
    assert "与发布的次序相同" in page.inner_text("#moves")
    assert page.is_disabled("#what-if-reset")
