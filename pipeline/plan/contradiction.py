"""When no plan keeps all rules: the smallest rule, or set of rules, to relax, in words with names."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.plan.programme import (
    MILLION_YUAN_IN_CENTS,
    Effort,
    Programme,
    Slack,
    Solution,
    Status,
)
from pipeline.plan.task import Task

_WAN_IN_MILLIONS = 0.01
_MAX_PAIRED_RULES = 8


@dataclass(frozen=True)
class Names:
    """What people call the numbers of a task, and how config states floors."""

    projects: Sequence[str]
    districts: Sequence[str]
    first_year: int
    floor_share: float
    """Share behind the floors of all districts that ``named_floors`` does not hold."""
    named_floors: frozenset[int]
    """Districts whose floor config states in yuan."""
    first_for_safety: frozenset[int] = frozenset()
    """Projects whose year is not config's but that of safety first."""


@dataclass(frozen=True)
class _Rule:
    words: str
    setting: str
    slack: Slack
    kind: str
    base: float = 0.0


def explain(task: Task, names: Names, effort: Effort) -> tuple[str, str]:
    """Return which rules to relax by how much, and the settings where they stand.

    Single rules are tried first, and of those that suffice the one that gives way least by its own
    measure; then pairs of those rules that give way when all may; then all of these together. What
    could not be decided within the effort is named as such.
    """
    never = _hopeless_locks(task, names)
    if never:
        return never
    programme = Programme(task)
    rules = _rules(task, programme, names)
    unsure: list[str] = []
    found = _least(programme, [(rule,) for rule in rules], effort, unsure)
    if found:
        return _words("smallest rule to relax", found)
    every = programme.solve(effort, integral=False, slacks=[rule.slack for rule in rules])
    if every.values is None:
        return (
            "relaxing budgets, floors, limits and locks is not enough",
            "plan.schedule",
        )
    giving = [
        rule
        for rule, amount in zip(rules, every.values[-len(rules) :], strict=True)
        if amount > 1e-6
    ]
    pairs = list(combinations(giving[:_MAX_PAIRED_RULES], 2))
    found = _least(programme, pairs, effort, unsure)
    if found:
        return _words("no single rule is enough; relax both", found)
    found = _least(programme, [tuple(giving)], effort, unsure)
    if found:
        return _words("no two rules are enough; relax together", found)
    open_ones = "; ".join(unsure[:3]) or "none"
    return f"undecided within {effort.node_limit} nodes: {open_ones}", "plan.schedule"


_Found = tuple[tuple[_Rule, ...], Sequence[float]]


def _least(
    programme: Programme, groups: Sequence[tuple[_Rule, ...]], effort: Effort, unsure: list[str]
) -> _Found | None:
    """Return the group of rules that suffices and gives way least, with the amounts."""
    best: tuple[float, _Found] | None = None
    for group in groups:
        slacks = [rule.slack for rule in group]
        relaxed = programme.solve(effort, integral=False, slacks=slacks)
        if relaxed.status is Status.IMPOSSIBLE or _cannot_beat(relaxed, best):
            continue
        found = programme.solve(effort, integral=True, slacks=slacks)
        if found.values is None:
            if found.status is not Status.IMPOSSIBLE:
                unsure.append(" and ".join(rule.words for rule in group))
            continue
        given = found.values[-len(group) :].tolist()
        share = sum(rule.slack.weight * amount for rule, amount in zip(group, given, strict=True))
        if best is None or share < best[0]:
            best = share, (group, given)
    return best[1] if best else None


def _cannot_beat(relaxed: Solution, best: tuple[float, _Found] | None) -> bool:
    """Tell whether even the relaxation gives way more than the best group so far."""
    return best is not None and -relaxed.bound >= best[0]


def _words(which: str, found: _Found) -> tuple[str, str]:
    group, given = found
    told = [_told(rule, amount) for rule, amount in zip(group, given, strict=True)]
    settings = ", ".join(dict.fromkeys(rule.setting for rule in group))
    return f"{which}: {'; '.join(told)}", settings


def _told(rule: _Rule, amount: float) -> str:
    if rule.kind in ("budget", "floor"):
        wan = np.ceil(round(amount / _WAN_IN_MILLIONS, 6))
        verb = "raise" if rule.kind == "budget" else "lower"
        return f"{rule.words}, {verb} it by {wan * 10_000:,.0f} yuan"
    if rule.kind == "floor share":
        return f"{rule.words}, lower it to {np.floor(rule.base * (1 - amount) * 1000) / 1000:g}"
    if rule.kind == "limit":
        return f"{rule.words}, raise it to {rule.base + np.ceil(amount - 1e-6):,.0f}"
    return f"drop {rule.words}"


def _rules(task: Task, programme: Programme, names: Names) -> list[_Rule]:
    most = float(task.columns.payments_cents.sum()) / MILLION_YUAN_IN_CENTS + 1
    rules = []
    for year, cents in enumerate(task.budget_cents.tolist()):
        budget = cents / MILLION_YUAN_IN_CENTS
        slack = Slack((programme.budget_row + year,), (-1.0,), 1 / max(budget, 1e-3), most)
        words = f"the budget of {names.first_year + year}"
        rules.append(_Rule(words, "plan.schedule.budget_cny", slack, "budget"))
    floors = task.floor_cents / MILLION_YUAN_IN_CENTS
    shared = [one for one in np.flatnonzero(floors > 0).tolist() if one not in names.named_floors]
    if shared:
        rows = tuple(programme.floor_row + one for one in shared)
        slack = Slack(rows, tuple(floors[shared].tolist()), 1.0, 1.0)
        words = f"the floor of every district ({names.floor_share:g} of its part)"
        setting = "plan.schedule.district_floor_share"
        rules.append(_Rule(words, setting, slack, "floor share", names.floor_share))
    for one in sorted(names.named_floors):
        slack = Slack((programme.floor_row + one,), (1.0,), 1 / max(floors[one], 1e-3), floors[one])
        words = f"the floor of {names.districts[one]}"
        rules.append(_Rule(words, "plan.schedule.district_floors_cny", slack, "floor"))
    for one in np.flatnonzero(task.locked_year >= 0).tolist():
        year = names.first_year + int(task.locked_year[one])
        slack = Slack((programme.project_row + one,), (1.0,), 1.0, 1.0)
        if one in names.first_for_safety:
            words = f"the start of {names.projects[one]}, for safety, in {year}"
            rules.append(_Rule(words, "plan.schedule.safety_first", slack, "lock"))
            continue
        words = f"the start of {names.projects[one]} locked in {year}"
        rules.append(_Rule(words, "plan.schedule.locked_in", slack, "lock"))
    limit = int(task.start_limit.max(initial=0))
    if limit < task.project_count:
        rows = tuple(range(programme.limit_row, programme.row_count))
        slack = Slack(rows, (-1.0,) * len(rows), 1 / max(limit, 1), float(task.project_count))
        words = f"the limit of {limit} starts a district and year"
        setting = "plan.schedule.max_starts_per_district_year"
        rules.append(_Rule(words, setting, slack, "limit", limit))
    return rules


def _hopeless_locks(task: Task, names: Names) -> tuple[str, str] | None:
    """Return words for a lock that readiness or the horizon alone make impossible."""
    years = len(task.budget_cents)
    for one in np.flatnonzero(task.locked_year >= 0).tolist():
        year, who = int(task.locked_year[one]), names.projects[one]
        shown = names.first_year + year
        if year < task.ready_year[one]:
            ready = int(task.ready_year[one])
            when = f"before {names.first_year + ready}" if ready < years else "within the plan"
            return (
                f"{who} is locked in for {shown} but cannot start {when}: consent or procedure",
                "plan.schedule.locked_in",
            )
        if year + task.work_years[one] > years:
            last = names.first_year + years - 1
            return (
                f"{who} is locked in for {shown} but its works would end after {last}",
                "plan.schedule.locked_in",
            )
    return None
