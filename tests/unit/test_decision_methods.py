"""AHP, entropy, TOPSIS, VIKOR against published tables; sampled weights against their known law."""

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pipeline.need.ahp import combined, judged, pairwise_matrix
from pipeline.need.drawn_weights import simplex_weights
from pipeline.score.second_opinions import agreement, entropy_weights, topsis, vikor
from tests.conftest import real_data


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    listed = json.loads((real_data("mcda") / "tables.json").read_text(encoding="utf-8"))
    return {table["id"]: table for table in listed}


def numbers(table: dict[str, Any], name: str) -> np.ndarray:
    return np.array(table[name], dtype=float)


def test_ahp_gives_saatys_weights_and_consistency(tables: dict[str, Any]) -> None:
    table = tables["ahp_saaty2008_drinks"]
    found = judged(table["items"], table["pairs"])
    for name, weight in table["expected"].items():
        assert found.weights[name] == pytest.approx(weight, abs=table["tol"]), name
    assert found.consistency_ratio == pytest.approx(table["cr"], abs=0.001)


def test_parties_that_judge_opposite_ways_cancel_out() -> None:
    found = combined(["a", "b"], [{"a>b": 9.0}, {"b>a": 9.0}])
    assert found.weights == pytest.approx({"a": 0.5, "b": 0.5})


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ({}, "not judged: a>b"),
        ({"a>b": 0.0}, "must be above 0"),
        ({"a>c": 2.0}, "expected two of a, b"),
        ({"a>b": 2.0, "b>a": 0.5}, "is judged twice"),
    ],
)
def test_judgments_that_cannot_be_are_refused(pairs: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pairwise_matrix(["a", "b"], pairs)


def test_entropy_weights_are_the_published_ones(tables: dict[str, Any]) -> None:
    table = tables["entropy_elsayed2017"]
    found = entropy_weights(numbers(table, "matrix"))
    assert found.weights == pytest.approx(numbers(table, "expected"), abs=table["tol"])


def test_topsis_is_the_published_one(tables: dict[str, Any]) -> None:
    table = tables["topsis_tzeng2011"]
    types = np.array(table["types"])
    found = topsis(numbers(table, "matrix"), numbers(table, "weights"), types)
    assert found == pytest.approx(numbers(table, "expected"), abs=table["tol"])


def test_vikor_is_the_published_one(tables: dict[str, Any]) -> None:
    table = tables["vikor_yang2020"]
    types = np.array(table["types"])
    found = vikor(numbers(table, "matrix"), numbers(table, "weights"), types)
    assert found == pytest.approx(numbers(table, "expected"), abs=table["tol"])


def test_topsis_and_vikor_are_those_of_pymcdm() -> None:
    from pymcdm.methods import TOPSIS, VIKOR
    from pymcdm.normalizations import minmax_normalization, vector_normalization

    random = np.random.default_rng(5)
    matrix, weights = random.random((60, 7)), random.dirichlet(np.ones(7))
    types = np.ones(7, dtype=np.int64)
    assert topsis(matrix, weights, types) == pytest.approx(
        TOPSIS(vector_normalization)(matrix, weights, types)
    )
    assert vikor(matrix, weights, types) == pytest.approx(VIKOR()(matrix, weights, types))
    mixed = np.array([1, -1, 1, 1, -1, 1, 1])
    assert topsis(matrix, weights, mixed, normalisation="min_max") == pytest.approx(
        TOPSIS(minmax_normalization)(matrix, weights, mixed)
    )


def test_topsis_by_min_and_max_by_hand() -> None:
    """Two columns, the second a cost: normalised (0, 0.5), (1, 1), (0.5, 0); weights one half each."""
    matrix = np.array([[0.0, 20.0], [10.0, 30.0], [5.0, 10.0]])
    found = topsis(matrix, np.ones(2), np.array([1, -1]), normalisation="min_max")
    # to the best (1, 0) and the worst (0, 1): √1.25 and 0.5; 1 and 1; 0.5 and √1.25
    assert found == pytest.approx([0.5 / (0.5 + 1.25**0.5), 0.5, 1.25**0.5 / (0.5 + 1.25**0.5)])


def test_agreement_of_an_order_with_itself_and_its_reverse() -> None:
    scores = np.arange(100.0)
    assert agreement(scores, scores).rank_correlation == pytest.approx(1)
    assert agreement(scores, -scores).rank_correlation == pytest.approx(-1)


def test_sampled_weights_are_uniform_on_the_simplex() -> None:
    """Each of n uniform weights on the simplex follows Beta(1, n − 1)."""
    weights = simplex_weights(5, 4000, np.random.default_rng(3))
    assert weights.shape == (4000, 5)
    assert weights.sum(axis=1) == pytest.approx(np.ones(4000))
    for column in weights.T:
        assert stats.kstest(column, stats.beta(1, 4).cdf).pvalue > 0.001
    assert np.corrcoef(weights.T)[0, 1] == pytest.approx(-1 / 4, abs=0.05)
