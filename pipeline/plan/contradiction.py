"""When no plan keeps all rules: the smallest rule, or pair of rules, to relax, in words with names."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.plan.programme import MILLION_YUAN_IN_CENTS, Programme, Slack, Status
from pipeline.plan.schedule import Effort, Task

_MAX_PAIRS = 400


@dataclass(frozen=True)
class Names:
    """What people call the numbers of a task."""

    projects: Sequence[str]
    districts: Sequence[str]
    first_year: int


@dataclass(frozen=True)
class _Rule:
    words: str
    setting: str
    slack: Slack
    unit: str
    """yuan, starts, or empty where the rule can only be dropped."""


def explain(task: Task, names: Names, effort: Effort) -> tuple[str, str]:
    """Return which rules to relax by how much, and the settings where they stand.

    Single rules are tried first, and of those that suffice the one that gives way least by its own
    measure; then pairs. A rule that could not be decided within the effort is named as such.
    """
    programme = Programme(task)
    rules = _rules(task, programme, names)
    never = _hopeless_locks(task, names)
    if never:
        return never
    unsure = []
    for size in (1, 2):
        enough = []
        for group in list(combinations(rules, size))[:_MAX_PAIRS]:
            slacks = [rule.slack for rule in group]
            if programme.solve(effort, integral=False, slacks=slacks).status is Status.IMPOSSIBLE:
                continue
            found = programme.solve(effort, integral=True, slacks=slacks)
            if found.values is None:
                if found.status is not Status.IMPOSSIBLE:
                    unsure.append(" and ".join(rule.words for rule in group))
                continue
            given = found.values[-size:]
            share = sum(
                rule.slack.weight * amount for rule, amount in zip(group, given, strict=True)
            )
            enough.append((float(share), group, given))
        if enough:
            _, group, given = min(enough, key=lambda one: one[0])
            told = [_told(rule, float(a)) for rule, a in zip(group, given, strict=True)]
            which = (
                "smallest rule to relax" if size == 1 else "no single rule is enough; relax both"
            )
            settings = ", ".join(dict.fromkeys(rule.setting for rule in group))
            return f"the rules contradict each other; {which}: {' and '.join(told)}", settings
    tail = (
        f"; undecided within {effort.node_limit} nodes: {', '.join(unsure[:5])}" if unsure else ""
    )
    return (
        f"the rules contradict each other, and no one or two of them are enough to relax{tail}",
        "plan.schedule",
    )


def _told(rule: _Rule, amount: float) -> str:
    if rule.unit == "yuan":
        cents = int(np.ceil(round(amount * MILLION_YUAN_IN_CENTS, 3)))
        verb = "raise" if rule.slack.sign < 0 else "lower"
        return f"{rule.words}, {verb} it by {cents / 100:,.2f} yuan"
    if rule.unit == "starts":
        return f"{rule.words}, raise it by {int(np.ceil(amount - 1e-6))}"
    return f"drop {rule.words}"


def _rules(task: Task, programme: Programme, names: Names) -> list[_Rule]:
    rules = []
    most = float(task.payments_cents.sum()) / MILLION_YUAN_IN_CENTS + 1

    def weight(value: float) -> float:
        return 1 / max(value / MILLION_YUAN_IN_CENTS, 1e-3)

    for year, budget in enumerate(task.budget_cents.tolist()):
        slack = Slack(programme.budget_row + year, -1, weight(budget), most)
        words = f"the budget of {names.first_year + year}"
        rules.append(_Rule(words, "plan.schedule.budget_cny", slack, "yuan"))
    for district in np.flatnonzero(task.floor_cents > 0).tolist():
        floor = float(task.floor_cents[district])
        slack = Slack(
            programme.floor_row + district, 1, weight(floor), floor / MILLION_YUAN_IN_CENTS
        )
        words = f"the floor of {names.districts[district]}"
        rules.append(_Rule(words, "plan.schedule.district_floors_cny", slack, "yuan"))
    for one in np.flatnonzero(task.locked_year >= 0).tolist():
        year = names.first_year + int(task.locked_year[one])
        words = f"the start of {names.projects[one]} locked in {year}"
        slack = Slack(programme.project_row + one, 1, 1.0, 1.0)
        rules.append(_Rule(words, "plan.schedule.locked_in", slack, ""))
    waiting = np.zeros(task.start_limit.shape, dtype=np.int64)
    np.add.at(waiting, (task.district[programme.project], programme.year), 1)
    for district, year in np.argwhere(task.start_limit < waiting).tolist():
        limit = float(task.start_limit[district, year])
        row = programme.limit_row_of(district, year)
        slack = Slack(row, -1, 1 / max(limit, 1.0), float(waiting[district, year]))
        words = f"the limit of starts in {names.districts[district]} in {names.first_year + year}"
        rules.append(_Rule(words, "plan.schedule.max_starts_per_district_year", slack, "starts"))
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
