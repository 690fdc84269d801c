"""Where the next public lift, inclined lift or escalator goes."""

from dataclasses import dataclass

import numpy as np

from pipeline.geo.network import Penalties
from pipeline.geo.profile import Flags
from pipeline.geo.raster import Floats
from pipeline.measure.walks import BuildingWalks
from pipeline.problem import Problem
from pipeline.settings.sites import LiftSites
from pipeline.settings.whole import Settings
from pipeline.siting.lift_candidates import Candidates, lift_candidates, unlike
from pipeline.siting.lift_choice import Bound, Choice, Steps, choose, greedy
from pipeline.siting.lift_gain import Relief, arcs_of
from pipeline.siting.lift_lists import Listed, lists
from pipeline.siting.lift_routes import Joined, joined, routes
from pipeline.siting.lift_walks import walk_changes
from pipeline.siting.proposals import Proposals
from pipeline.siting.walking_city import WalkingCity

_WALKED = ("_walk_m", "_gap_m", "_climb_m")


@dataclass(frozen=True)
class LiftSearch:
    """Candidates with what each relieves, and the network on which that was reckoned."""

    candidates: Candidates
    relief: Relief
    single: Floats
    """What each alone relieves, household-minutes."""
    low: Floats
    """The same, less what the terrain's error could make."""
    is_sure: Flags
    pair_count: int
    """Pairs of places that were looked at."""


def lift_proposals(city: WalkingCity, settings: Settings) -> Proposals:
    """Return the lifts that would relieve most, with their lists.

    Raises
    ------
    Problem
        If config weighs a facility type that is none.
    """
    rule = settings.sites.lifts
    weights = type_weights(city, settings)
    found = search(city, rule, weights)
    if found is None:
        line = (
            f"lifts 电梯: none proposed 无可选位置: no two places on the streets within "
            f"{rule.max_apart_m:g} m differ by {rule.min_rise_m:g} m in height and shorten a walk"
        )
        return lists(city, settings, None, (line,))
    candidates, relief = found.candidates, found.relief
    budget = rule.budget_cny
    choice = choose(
        relief, candidates.cost_cny, found.is_sure, budget=budget, most_count=rule.max_count,
        exact_count=rule.exact_count, node_limit=rule.node_limit,
    )  # fmt: skip
    order, curve = (
        greedy(
            relief, candidates.cost_cny, found.is_sure, budget=np.inf,
            most_count=rule.max_count, by_cost=by_cost,
        )
        for by_cost in (False, True)
    )  # fmt: skip
    bounds = Bound(relief, candidates.cost_cny, found.is_sure)
    spent = np.cumsum(candidates.cost_cny[list(curve.lifts)])
    curve_bound = np.array(
        [
            bounds.most(curve.lifts[: number + 1], float(money), rule.max_count)
            for number, money in enumerate(spent)
        ]
    )
    penalties = Penalties.of(city.rule.walking)
    rows = _listed_rows(order, choice, found, rule.max_count)
    listed = Listed(
        candidates=candidates,
        rows=np.array(rows, dtype=np.int64),
        added=_added(relief, rows, order),
        single=found.single,
        low=found.low,
        is_sure=found.is_sure,
        choice=choice,
        changes=[walk_changes(relief, row, penalties) for row in rows],
        elder_relief=_elder_relief(city, candidates, rows, weights),
        curve=curve,
        curve_bound=curve_bound,
    )
    return lists(city, settings, listed, _told(found, choice, rule, weights, city))


def type_weights(city: WalkingCity, settings: Settings) -> dict[str, float]:
    """Return what a walk to each mapped facility type weighs; all together one.

    Raises
    ------
    Problem
        If config weighs what is no facility type, or nothing that is mapped.
    """
    stated = settings.sites.lifts.type_weights
    known = settings.measure.facilities
    if stated is None:
        weights = {name: 0.0 for name in known}
        for criterion in settings.score.criteria.values():
            for name in known:
                if criterion.measure in [f"{name}{ending}" for ending in _WALKED]:
                    weights[name] += criterion.weight
    else:
        foreign = sorted(set(stated) - set(known))
        if foreign:
            raise Problem(
                "sites.lifts.type_weights", f"{', '.join(foreign)}: no such facility type",
                expected=f"some of: {', '.join(known)}", fix="correct the type",
            )  # fmt: skip
        weights = dict(stated)
    mapped = {name: weights.get(name, 0.0) for name in city.rule.facilities}
    whole = sum(mapped.values())
    if whole <= 0:
        wanted = [name for name, weight in weights.items() if weight > 0]
        raise Problem(
            "sites.lifts.type_weights",
            f"no facility type that weighs something is mapped here: {', '.join(wanted) or 'none'}",
            expected=f"a weight for one of those that are: {', '.join(mapped)}",
            fix="weigh one of these, or bring the places of another",
        )
    return {name: weight / whole for name, weight in mapped.items()}


def search(city: WalkingCity, rule: LiftSites, weights: dict[str, float]) -> LiftSearch | None:
    """Return the candidates and what each relieves; nothing where no lift shortens a walk.

    Each pair of places is first judged by itself, by the middle one of how people mind a climb; the
    best of each place are the candidates, which are then reckoned with exactly, together.
    """
    pairs = lift_candidates(city, rule)
    if not pairs.count:
        return None
    names, weight = tuple(weights), np.array(list(weights.values()))
    net = joined(city, pairs.ends.point)
    walks = BuildingWalks(net.network, city.doors)
    first = Relief(
        routes(walks, net, names, arcs_of(pairs), penalties=("middle",), is_one_only=True),
        arcs_of(pairs), weight, city.households,
    )  # fmt: skip
    worth = _singles(first)
    kept = unlike(pairs, worth, rule.alike_m)
    kept = np.sort(kept[np.argsort(-worth[kept], kind="stable")[: rule.candidate_count]])
    if not len(kept):
        return None
    candidates = pairs.chosen(kept)
    relief = Relief(
        routes(walks, net, names, arcs_of(candidates)), arcs_of(candidates), weight, city.households
    )
    single, low = _with_error(relief, candidates, city, rule)
    error = rule.error_factor * candidates.error_m
    is_sure = (low > 0) & (candidates.rise_m > error)
    return LiftSearch(candidates, relief, single, low, is_sure, pairs.count)


def _singles(relief: Relief) -> Floats:
    costs = relief.today()
    return np.array([relief.more(costs, [], one)[0] for one in range(relief.count)])


def _with_error(
    relief: Relief, candidates: Candidates, city: WalkingCity, rule: LiftSites
) -> tuple[Floats, Floats]:
    """Return what each lift relieves, and that less what an error of the rise could make of it.

    Every walk that gains is taken to climb the error less today, at the speed of stairs.
    """
    walking = city.rule.walking
    per_metre = walking.climb_penalty_min_per_m + 1 / walking.stairs_up_m_per_min
    error_min = rule.error_factor * candidates.error_m * per_metre
    costs = relief.today()
    single, low = np.zeros(relief.count), np.zeros(relief.count)
    for one in range(relief.count):
        single[one], changes = relief.more(costs, [], one)
        touched = sum(
            float(relief.worth_of_entries(number, change.houses).sum())
            for number, change in enumerate(changes)
        )
        low[one] = single[one] - error_min[one] * touched
    return single, low


def _listed_rows(order: Steps, choice: Choice, found: LiftSearch, most: int) -> list[int]:
    """Return the sites to list: by what each adds, then those that are unsure."""
    rows = list(order.lifts)
    rows += [one for one in choice.lifts if one not in rows]
    unsure = np.flatnonzero(~found.is_sure & (found.single > 0))
    unsure = unsure[np.argsort(-found.single[unsure], kind="stable")]
    return rows + unsure[: max(most - len(rows), 0)].tolist()


def _added(relief: Relief, rows: list[int], order: Steps) -> Floats:
    """Return what each listed site adds to those before it; unsure ones add to all that are sure."""
    added = dict(zip(order.lifts, order.added, strict=True))
    missing = [row for row in rows if row not in added]
    costs = relief.today()
    built: list[int] = []
    for row in order.lifts if missing else ():
        _, changes = relief.more(costs, built, row)
        relief.build(costs, changes)
        built.append(row)
    for row in missing:
        added[row], changes = relief.more(costs, built, row)
        relief.build(costs, changes)
        built.append(row)
    return np.array([added[row] for row in rows])


def _elder_relief(
    city: WalkingCity, candidates: Candidates, rows: list[int], weights: dict[str, float]
) -> Floats:
    """Return what each listed site alone relieves elders, at their pace and dislike of climbing."""
    if not city.elders.any():
        return np.full(len(rows), np.nan)
    listed = candidates.chosen(np.array(rows, dtype=np.int64))
    used, place = np.unique(np.concatenate([listed.lower, listed.upper]), return_inverse=True)
    net: Joined = joined(city, listed.ends.point.at(used))
    lower, upper = np.split(place, 2)
    own = arcs_of(listed)
    arcs = type(own)(np.concatenate([lower, upper]), np.concatenate([upper, lower]), own.cost_min)
    walks = BuildingWalks(net.network, city.doors, is_elder=True)
    relief = Relief(
        routes(walks, net, tuple(weights), arcs, is_one_only=True),
        arcs, np.array(list(weights.values())), city.elders,
    )  # fmt: skip
    return _singles(relief)


def _told(
    found: LiftSearch, choice: Choice, rule: LiftSites, weights: dict[str, float], city: WalkingCity
) -> tuple[str, ...]:
    """Return what the terminal says of the search, before the list."""
    cost = found.candidates.cost_cny
    lines = [
        f"lifts 电梯: {found.pair_count:,} pairs of places ≤ {rule.max_apart_m:g} m apart and "
        f"≥ {rule.min_rise_m:g} m in height; {found.candidates.count:,} candidates, of which "
        f"{int((~found.is_sure).sum()):,} unsure 不确定 (within the terrain's error)"
    ]
    silent = [name for name, weight in weights.items() if weight == 0]
    if silent:
        lines.append(f"weigh nothing in the ranking 未计权重: {', '.join(silent)}")
    if choice.lifts:
        spent = float(cost[list(choice.lifts)].sum())
        lines.append(
            f"chosen 入选: {len(choice.lifts)} for {spent / 1e4:,.0f} of {rule.budget_cny / 1e4:,.0f} "
            f"万元; relief 效益 {choice.benefit:,.1f} {city.weighted_by}-minutes, proved bound 上界 "
            f"{choice.bound:,.1f}, gap 差距 {choice.gap:.1%} ({choice.method})"
        )
    elif not found.is_sure.any():
        lines.append(
            "NOTE 注意: no candidate's benefit exceeds the terrain's error: none is chosen 未选"
        )
    else:
        lines.append(
            f"NOTE 注意: the budget of {rule.budget_cny / 1e4:,.0f} 万元 buys none 预算不足: "
            f"the cheapest candidate costs {float(cost[found.is_sure].min()) / 1e4:,.0f} 万元"
        )
    return tuple(lines)
