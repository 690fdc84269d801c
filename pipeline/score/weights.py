"""Which criteria count, and how much."""

from collections.abc import Mapping

import pandas as pd

from pipeline.settings.score import Criterion, ScoreSettings

WEIGHT_UNITS = 10_000


def known_shares(measurements: pd.DataFrame, criteria: Mapping[str, Criterion]) -> dict[str, float]:
    """Return for each criterion the share of buildings whose measurement is known."""
    return {
        name: float(measurements[criterion.measure].notna().mean())
        for name, criterion in criteria.items()
    }


def left_out(known: Mapping[str, float], settings: ScoreSettings) -> dict[str, str]:
    """Return the criteria that do not count, each with the reason."""
    reasons = {}
    for name, criterion in settings.criteria.items():
        if criterion.weight == 0:
            reasons[name] = "weight 0"
        elif known[name] == 0:
            reasons[name] = "no data"
        elif known[name] < settings.min_known_share:
            reasons[name] = f"known for {known[name]:.1%} of the buildings only"
    return reasons


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
