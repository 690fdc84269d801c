"""Bands against rankings drawn one by one; reach of weights and uncertain years by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.need.drawn_weights import drawn_weights, interval_weights, ordered_weights
from pipeline.score.robustness import band_edges, rank_bands
from pipeline.score.sensitivity import weight_reach
from pipeline.score.uncertain import LEVELS, UncertainNeed, uncertain_need
from pipeline.settings.score import RobustnessSettings
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

SCORE = read_settings(REPOSITORY / "config", "reference", "base").score
NAMES = ["age", "climb", "slope", "elders"]


def rule(**changes: object) -> RobustnessSettings:
    return SCORE.robustness.model_copy(update=changes)


def certain(need: np.ndarray) -> UncertainNeed:
    return UncertainNeed(need.astype(np.float32), (), ())


def test_bands_are_the_quantiles_of_rankings_drawn_one_by_one() -> None:
    random = np.random.default_rng(4)
    need, weights = random.random((200, 4)), random.dirichlet(np.ones(4), 500)
    found = rank_bands(certain(need), weights, np.zeros(200, dtype=bool), rule())
    ranks = np.argsort(np.argsort(-(weights @ need.T), axis=1), axis=1) + 1
    ranks.sort(axis=0)
    # of 500 draws the 25th, 250th and 475th; scores within a hundredth of a point share a rank
    for band, place in ((found.rank_p05, 24), (found.rank_p50, 249), (found.rank_p95, 474)):
        assert np.abs(band - ranks[place]).max() <= 2
    assert np.abs(found.top_share - (ranks <= 20).mean(axis=0)).max() <= 0.02


def test_the_same_draws_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(4)
    need, weights = random.random((300, 4)), random.dirichlet(np.ones(4), 200)
    none = np.zeros(300, dtype=bool)
    found = []
    for count in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda count=count: count)
        found.append(rank_bands(certain(need), weights, none, rule()))
    for name, values in vars(found[0]).items():
        assert np.array_equal(values, getattr(found[1], name)), name


def test_what_is_lifted_is_first_in_every_draw() -> None:
    random = np.random.default_rng(1)
    need, weights = random.random((50, 4)), random.dirichlet(np.ones(4), 100)
    lifted = np.arange(50) == need.sum(axis=1).argmin()
    found = rank_bands(certain(need), weights, lifted, rule())
    assert (found.rank_p95[lifted] == 1).all()
    assert (found.top_share[lifted] == 1).all()


def test_bands_of_ranks_are_single_at_the_top_and_cover_all() -> None:
    edges = band_edges(43_500)
    assert edges[:10].tolist() == list(range(10))
    assert (edges[0], edges[-1]) == (0, 43_500)
    assert len(edges) <= 257
    assert (np.diff(edges) > 0).all()


@pytest.mark.parametrize("weight_rule", ["simplex", "intervals", "order"])
def test_weights_are_drawn_by_the_rule(weight_rule: str) -> None:
    base = np.array([0.4, 0.3, 0.2, 0.1])
    settings = rule(weight_rule=weight_rule, order=[["age"], ["climb", "slope"]], draws=400)
    weights = drawn_weights(NAMES, base, settings, np.random.default_rng(2))
    assert weights.shape == (400, 4)
    assert weights.sum(axis=1) == pytest.approx(np.ones(400))
    assert weights.min() >= 0
    if weight_rule == "intervals":
        assert (np.abs(weights - base) <= 0.5 * base + 1e-9).all()
    if weight_rule == "order":
        # age before climb and slope, in any order, before what is not named
        assert (weights[:, 0] >= weights[:, 1:3].max(axis=1)).all()
        assert (weights[:, 1:3].min(axis=1) >= weights[:, 3]).all()
        assert (weights[:, 1] > weights[:, 2]).mean() == pytest.approx(0.5, abs=0.1)


def test_ordered_weights_have_the_known_means() -> None:
    # the largest of three uniform weights has the mean (1 + 1/2 + 1/3) / 3, and so on
    weights = ordered_weights([[0], [1], [2]], 3, 20_000, np.random.default_rng(0))
    assert weights.mean(axis=0) == pytest.approx([11 / 18, 5 / 18, 2 / 18], abs=0.005)


def test_weights_within_intervals_are_uniform_there() -> None:
    # two weights that sum to 1, the first between 0.2 and 0.6: uniform, so a quarter below 0.3
    low, high = np.array([0.2, 0.0]), np.array([0.6, 1.0])
    weights = interval_weights(np.array([0.5, 0.5]), low, high, 20_000, np.random.default_rng(0))
    assert weights[:, 0].min() >= 0.2
    assert weights[:, 0].max() <= 0.6
    assert (weights[:, 0] < 0.3).mean() == pytest.approx(0.25, abs=0.01)


def test_how_far_a_weight_moves_is_where_two_buildings_change_places() -> None:
    # the top is one building of three; with weight w on the first criterion the scores are
    # w and 0.7 (1 − w): they are equal at w = 7/17, below that the second building leads
    need = np.array([[1.0, 0.0], [0.0, 0.7], [0.0, 0.0]])
    first, second = weight_reach(
        need, np.array([0.5, 0.5]), np.zeros(3, dtype=bool), top_share=1 / 3, change=0.1
    )
    assert first.lowest == pytest.approx(7 / 17, abs=1e-3)
    assert first.highest is None
    assert second.highest == pytest.approx(10 / 17, abs=1e-3)


def test_a_year_that_may_lie_outside_pushes_its_building_below_all() -> None:
    """One of two equal buildings was built between 1995 and 2005: half of its draws are outside."""
    years = {"p05": 1995.0, "p25": 1998.0, "p50": 2001.0, "p75": 2004.0, "p95": 2005.0}
    table = pd.DataFrame(
        {
            "building_id": ["A", "B"],
            "estate_id": ["1", None],
            "age_yr": [46.0, 25.0],
            "construction_year_p50": [1980.0, 2001.0],
        }
    )
    ages = {name: np.array([46.0, 2026 - year]) for name, year in years.items()}
    criteria = {"age": SCORE.criteria["age"]}
    # ages of 46 and about 25 on the line from 20 to 60
    needs = {"age": np.array([6500, 1250])}
    need = uncertain_need(table, criteria, needs, {"age": ages}, {}, cutoff_year=2000)
    (drawn,) = need.drawn
    assert drawn.rows.tolist() == [1]
    assert drawn.first_out is not None
    assert len(drawn.change) == LEVELS
    outside = 1 - drawn.first_out[0] / LEVELS
    assert outside == pytest.approx(0.5, abs=0.06)
    weights = np.ones((400, 1))
    found = rank_bands(need, weights, np.zeros(2, dtype=bool), rule())
    assert found.rank_p50.tolist() == [1, 2]
