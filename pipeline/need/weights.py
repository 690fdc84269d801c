"""Which criteria count, and how much."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from pipeline.need.ahp import Judged, combined, judged
from pipeline.problem import Problem
from pipeline.settings.score import Criterion, Party, ScoreSettings

WEIGHT_UNITS = 10_000
GROUPS = ("building", "people", "service", "feasibility")


@dataclass(frozen=True)
class Weighting:
    """Weights before they are brought to whole units, and how consistent judgments were."""

    weights: dict[str, float]
    consistency: dict[str, float] = field(default_factory=dict)
    """``party/what was judged`` → consistency ratio; empty without judgments."""


def known_shares(measurements: pd.DataFrame, criteria: Mapping[str, Criterion]) -> dict[str, float]:
    """Return for each criterion the share of buildings whose measurement is known."""
    return {
        name: float(measurements[criterion.measure].notna().mean())
        for name, criterion in criteria.items()
    }


def left_out(
    known: Mapping[str, float], weights: Mapping[str, float], min_known_share: float
) -> dict[str, str]:
    """Return the criteria that do not count, each with the reason."""
    reasons = {}
    for name, weight in weights.items():
        if weight == 0:
            reasons[name] = "weight 0"
        elif known[name] == 0:
            reasons[name] = "no data"
        elif known[name] < min_known_share:
            reasons[name] = f"known for {known[name]:.1%} of the buildings only"
    return reasons


def weighting(settings: ScoreSettings) -> Weighting:
    """Return the weight of every criterion: its own, or from the parties' judgments.

    With judgments a criterion weighs its group's weight times its weight within the group; groups
    and criteria that nobody judges keep the proportions of the direct weights.

    Raises
    ------
    Problem
        If a party's judgments are incomplete or name what is not there.
    """
    direct = {name: criterion.weight for name, criterion in settings.criteria.items()}
    rule = settings.weighting
    if rule.method == "direct":
        return Weighting(direct)
    members = {
        group: [n for n, c in settings.criteria.items() if c.group == group and c.weight > 0]
        for group in GROUPS
    }
    groups = [group for group in GROUPS if members[group]]
    told: dict[str, float] = {}
    of_groups = _judged("groups", groups, rule.parties, told)
    weights = {name: 0.0 for name in direct}
    for group in groups:
        within = _judged(group, members[group], rule.parties, told)
        whole = sum(direct[name] for name in members[group])
        share = of_groups[group] if of_groups else whole / sum(direct.values())
        for name in members[group]:
            weights[name] = share * (within[name] if within else direct[name] / whole)
    return Weighting(weights, told)


def _judged(
    what: str, items: list[str], parties: Mapping[str, Party], told: dict[str, float]
) -> dict[str, float]:
    """Return the parties' weights of the items together, nothing if nobody judged them."""
    pairs = {name: getattr(party, what) for name, party in parties.items()}
    pairs = {name: judgments for name, judgments in pairs.items() if judgments}
    if not pairs or len(items) < 2:
        return {}
    for name, judgments in pairs.items():
        told[f"{name}/{what}"] = _or_problem(name, what, items, judgments).consistency_ratio
    together = combined(items, list(pairs.values()))
    if len(pairs) > 1:
        told[f"all/{what}"] = together.consistency_ratio
    return together.weights


def _or_problem(party: str, what: str, items: list[str], pairs: Mapping[str, float]) -> Judged:
    try:
        return judged(items, pairs)
    except ValueError as error:
        raise Problem(
            f"score.weighting.parties.{party}.{what}", str(error),
            expected=f"one judgment for every two of {', '.join(items)}",
            fix='write each pair once, for example {"building>people": 2}',
        ) from None  # fmt: skip


def weight_units(weights: Mapping[str, float]) -> dict[str, int]:
    """Return weights in ten-thousandths that sum to 10,000 exactly.

    Largest remainders (Hamilton's method) take what rounding leaves; ties go to the earlier one.
    """
    total = sum(weights.values())
    exact = {name: weight / total * WEIGHT_UNITS for name, weight in weights.items()}
    units = {name: int(value) for name, value in exact.items()}
    spare = WEIGHT_UNITS - sum(units.values())
    by_remainder = sorted(exact, key=lambda name: units[name] - exact[name])
    for name in by_remainder[:spare]:
        units[name] += 1
    return units
