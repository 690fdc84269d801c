"""What is always true of a what-if: building helps nobody less, closing helps nobody more.

Minutes alone may grow where climb is saved by more: what never gets worse is what ways are chosen by.
"""

from typing import Any

import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.contracts.tables import AMENITIES, BUILDINGS, STREET_EDGES, STREET_NODES, WATER, Table
from pipeline.measure.change import Streets, change_spans, changed_streets
from pipeline.measure.streets import StreetWorld, access_table, street_world
from pipeline.measure.walks import NO_SPANS, Spans
from pipeline.problem import Problem
from pipeline.settings.change import Change
from tests import cliff

RULE = cliff.SETTINGS.measure.model_copy(update={"count_within_min": []})
LINK_KINDS = ("ground", "ground", "ground", "steps", "bridge", "tunnel", "lift", "escalator")
ADDED = ("add_lift", "ground", "steps", "bridge", "tunnel", "escalator")


def town(seed: int) -> dict[Table, Any]:
    """Return a random town of 40 streets on both sides of a cliff, one of them a main road."""
    random = np.random.default_rng(seed)
    points = [(float(x), float(y)) for x, y in random.uniform(-350, 350, (22, 2)).round(1)]
    pairs = [(int(a), int(b)) for a, b in random.integers(0, 22, (40, 2)) if a != b]
    kinds = random.choice(LINK_KINDS, len(pairs))
    names = [f"{'lower' if number == 0 else 'street'} {number}" for number in range(len(pairs))]
    kinds[0] = "ground"
    streets = {name: [points[a], points[b]] for name, (a, b) in zip(names, pairs, strict=True)}
    lifts = {points[0]: "open", points[1]: "open"}
    markets = [(float(x), float(y)) for x, y in random.uniform(-330, 330, (3, 2)).round(1)]
    houses = [
        [(x, y), (x + 9, y + 1), (x + 8, y + 9)]
        for x, y in random.uniform(-330, 330, (15, 2)).round(1).tolist()
    ]
    of = dict(zip(names, kinds.tolist(), strict=True))
    return cliff.tables(streets, of, lifts=lifts, markets=markets, houses=houses)


def streets_of(tables: dict[Table, Any]) -> Streets:
    return Streets(tables[STREET_NODES], tables[STREET_EDGES], tables[AMENITIES])


def world_of(streets: Streets, tables: dict[Table, Any], spans: Spans = NO_SPANS) -> StreetWorld:
    return street_world(
        streets.nodes, streets.edges, streets.amenities, tables[WATER], cliff.ground(), RULE, spans
    )


def costs(tables: dict[Table, Any], world: StreetWorld) -> np.ndarray:
    """Return minutes + penalty × climb, out and home, to main road, then market; inf: none."""
    access = access_table(tables[BUILDINGS].geometry.to_numpy(), world, RULE)
    found = [
        minutes + RULE.walking.climb_penalty_min_per_m * climb
        for name in ("main_road", "market")
        for minutes, climb in (
            (access.columns[f"{name}_walk_out_min"], access.out_climb_m[name]),
            (access.columns[f"{name}_walk_back_min"], access.home_climb_m[name]),
        )
    ]
    return np.nan_to_num(np.array(found), nan=np.inf)


def with_change(tables: dict[Table, Any], change: Change) -> tuple[StreetWorld, StreetWorld]:
    """Return the town today and changed."""
    today = world_of(streets_of(tables), tables)
    changed = changed_streets(streets_of(tables), change, RULE, file="try.yaml")
    try:
        spans, _ = change_spans(today, changed, change, RULE, file="try.yaml")
    except Problem:
        assume(False)
    return today, world_of(changed, tables, spans)


@st.composite
def additions(draw: st.DrawFn) -> dict[str, Any]:
    place = st.floats(-340, 340).map(lambda value: round(value, 1))
    ends = {key: cliff.degrees(draw(place), draw(place)) for key in ("from", "to")}
    kind = draw(st.sampled_from(ADDED))
    if kind == "add_lift":
        return {"add_lift": {"name": "x", **ends}}
    return {"add_link": {"name": "x", "kind": kind, **ends}}


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 100_000), st.lists(additions(), min_size=1, max_size=3))
def test_what_is_built_makes_nobodys_walk_worse(seed: int, added: list[dict[str, Any]]) -> None:
    tables = town(seed)
    today, later = with_change(tables, cliff.change(*added))
    # joining two parts of the network opens doors onto other streets
    assume((today.usable == later.usable).all())
    assert (costs(tables, later) <= costs(tables, today) + 1e-6).all()


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 100_000), st.integers(0, 39), st.booleans())
def test_what_is_closed_makes_nobodys_walk_better(seed: int, number: int, is_lift: bool) -> None:
    tables = town(seed)
    nodes, edges = tables[STREET_NODES], tables[STREET_EDGES]
    if is_lift:
        lifts = nodes["node_id"][nodes["lift_type"] == "open"].tolist()
        assume(lifts)
        close = {"node_id": lifts[number % len(lifts)]}
    else:
        close = {"edge_id": edges["edge_id"].iloc[number % len(edges)]}
    today, later = with_change(tables, cliff.change({"close": close}))
    # a facility whose street is closed is entered from another one, which may suit somebody better
    assume(np.array_equal(today.node_x, later.node_x))
    assert (costs(tables, later) >= costs(tables, today) - 1e-6).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.floats(-340, 340), st.floats(-340, 340))
def test_a_market_more_makes_no_walk_to_a_market_worse(seed: int, x: float, y: float) -> None:
    tables = town(seed)
    at = cliff.degrees(x, y)
    today, later = with_change(
        tables, cliff.change({"add_amenity": {"type": "market", "name": "x", "at": at}})
    )
    assert (costs(tables, later)[2:] <= costs(tables, today)[2:] + 1e-6).all()


def test_the_random_towns_have_something_to_lose() -> None:
    """The properties would hold in towns where nobody reaches anything."""
    reached = np.mean(
        [np.isfinite(costs(t, world_of(streets_of(t), t))).mean() for t in map(town, range(20))]
    )
    assert reached > 0.3
    assert shapely.is_valid(town(1)[BUILDINGS].geometry.to_numpy()).all()
