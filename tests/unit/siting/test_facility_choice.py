"""Sites chosen against enumeration and against spopt; whole demands, served once, within capacity.

The optima of ``SPOPT`` were found by spopt 0.7.0 (PuLP 3.3.2, CBC) on the same matrices; where spopt is
installed they are found anew.
"""

from itertools import combinations, product

import numpy as np
import pytest

from pipeline.highs import Effort
from pipeline.siting.facility_choice import NOBODY, Limits, Reach, Sites, largest_cover, least_walk

EXACT = Effort(0.0, 100_000)
SPOPT = {
    "cover": 7641.0, "cover_fixed": 7244.0, "median": 57406.82237319726,
    "median_full": 13989.770681715992,
}  # fmt: skip
RADIUS_MIN = 6.0


def matrix(demands: int, places: int) -> tuple[np.ndarray, np.ndarray]:
    """Return weights, and the slower of the ways out and home on a slope that nobody walks evenly."""
    random = np.random.default_rng(3)
    home, site = random.uniform(0, 2000, (demands, 2)), random.uniform(0, 2000, (places, 2))
    flat = np.hypot(*(home[:, None] - site[None]).transpose(2, 0, 1)) / 60
    up = random.uniform(0, 80, places)[None] - random.uniform(0, 80, demands)[:, None]
    out, back = flat + np.maximum(up, 0) * 0.1, flat + np.maximum(-up, 0) * 0.06
    return random.integers(5, 60, demands).astype(float), np.maximum(out, back)


def reach(walk: np.ndarray, limit: float = np.inf) -> Reach:
    demand, site = np.nonzero(walk <= limit)
    return Reach(demand, site, walk[demand, site])


def free(count: int, capacity: float = np.inf, fixed: tuple[int, ...] = ()) -> Sites:
    is_open = np.isin(np.arange(count), fixed)
    return Sites(np.full(count, capacity), np.zeros(count), np.ones(count), is_open)


def ours() -> dict[str, float]:
    weight, walk = matrix(500, 100)
    near = reach(walk, RADIUS_MIN)
    some, few = matrix(60, 12)
    two = Limits(site_count=8), Limits(site_count=6)
    found = {
        "cover": largest_cover(weight, near, free(100), two[0], EXACT),
        "cover_fixed": largest_cover(weight, near, free(100, fixed=(3, 17)), two[1], EXACT),
        "median": least_walk(weight, reach(walk), free(100), Limits(site_count=40), EXACT),
        "median_full": least_walk(some, reach(few), free(12, 500.0), Limits(site_count=5), EXACT),
    }
    assert all(one.gap_share == pytest.approx(0, abs=1e-9) for one in found.values())
    return {name: abs(one.value) for name, one in found.items()}


def test_the_optimum_is_that_of_spopt() -> None:
    assert ours() == pytest.approx(SPOPT, rel=1e-7)


def test_spopt_itself_still_finds_it() -> None:
    locate = pytest.importorskip("spopt.locate", reason="spopt is not installed here")
    import pulp

    weight, walk = matrix(500, 100)
    some, few = matrix(60, 12)
    fixed = free(100, fixed=(3, 17)).is_open.astype(int)
    cover, median = locate.MCLP.from_cost_matrix, locate.PMedian.from_cost_matrix
    models = {
        "cover": cover(walk, weight, RADIUS_MIN, 8),
        "cover_fixed": cover(walk, weight, RADIUS_MIN, 8, predefined_facilities_arr=fixed),
        "median_full": median(few, some, 5, facility_capacities=np.full(12, 500.0)),
    }
    solver = pulp.PULP_CBC_CMD(msg=False, gapRel=0)
    found = {key: model.solve(solver).problem.objective.value() for key, model in models.items()}
    assert found == pytest.approx({key: SPOPT[key] for key in models}, rel=1e-7)


def served_best(
    weight: np.ndarray, walk: np.ndarray, chosen: tuple[int, ...], room: float
) -> float:
    """Return by enumeration what the chosen sites can serve, each demand whole and by one of them."""
    best = 0.0
    for by in product((NOBODY, *chosen), repeat=len(weight)):
        load = [sum(w for w, one in zip(weight, by, strict=True) if one == j) for j in chosen]
        near = all(j == NOBODY or walk[i, j] <= RADIUS_MIN for i, j in enumerate(by))
        if near and all(one <= room for one in load):
            best = max(best, float(sum(load)))
    return best


@pytest.mark.parametrize(("room", "price"), [(np.inf, 25.0), (60.0, 25.0), (60.0, 0.0)])
def test_a_small_town_gets_what_enumeration_finds(room: float, price: float) -> None:
    weight, walk = matrix(5, 4)
    walk = walk / 2.5
    best = max(
        served_best(weight, walk, chosen, room) - price * len(chosen)
        for count in range(5)
        for chosen in combinations(range(4), count)
    )
    sites = Sites(np.full(4, room), np.full(4, price), np.ones(4), np.zeros(4, bool))
    found = largest_cover(weight, reach(walk, RADIUS_MIN), sites, Limits(), EXACT)
    assert found.value == pytest.approx(best) and found.bound >= best - 1e-9
    load = np.bincount(found.served_by[found.served_by >= 0], weight[found.served_by >= 0], 4)
    assert (load <= room).all() and found.is_chosen[np.flatnonzero(load)].all()


def test_money_buys_what_it_pays_for() -> None:
    walk = np.array([[1.0, 9.0, 9.0], [9.0, 1.0, 9.0], [9.0, 9.0, 1.0]])
    sites = Sites(np.full(3, np.inf), np.zeros(3), np.array([5.0, 3.0, 3.0]), np.zeros(3, bool))
    found = largest_cover(
        np.array([10.0, 6.0, 5.0]), reach(walk, 2.0), sites, Limits(budget=6.0), EXACT
    )
    assert found.is_chosen.tolist() == [False, True, True]


def test_what_is_open_stays_and_only_its_room_counts() -> None:
    """Two sites reach both demands of 10; the open one holds 10, so a second one serves the other."""
    sites = Sites(np.array([10.0, 50.0]), np.full(2, 4.0), np.ones(2), np.array([True, False]))
    found = largest_cover(np.full(2, 10.0), reach(np.full((2, 2), 1.0)), sites, Limits(), EXACT)
    assert found.is_chosen.all() and found.value == pytest.approx(16)
    assert sorted(found.served_by.tolist()) in ([0, 1], [1, 1])


def test_shares_choose_and_whole_demands_are_fitted_in() -> None:
    weight, walk = np.array([30.0, 30.0, 30.0]), np.array([[1.0], [2.0], [3.0]])
    sites = Sites(np.array([70.0]), np.zeros(1), np.ones(1), np.zeros(1, bool))
    found = least_walk(
        weight, reach(walk), sites, Limits(), EXACT, unserved_min=5.0, by_shares=True
    )
    assert found.served_by.tolist() == [0, 0, NOBODY]
    assert (found.value, found.bound) == (pytest.approx(210), pytest.approx(230))


def test_all_must_be_served_or_it_says_so() -> None:
    sites = free(1, capacity=10.0)
    with pytest.raises(ValueError, match="not every demand"):
        least_walk(np.array([6.0, 6.0]), reach(np.ones((2, 1))), sites, Limits(1), EXACT)
