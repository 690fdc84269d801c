"""Judge the year method under several patterns of gaps, each dealt anew several times."""

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.command.report import console
from pipeline.command.years_eval import Findings
from pipeline.years.evaluate import BASELINES, calibration_error, judge
from pipeline.years.patterns import PATTERNS, pattern_parts

_LEAST_IN_REGIME = 100


def gap_table(found: Findings, deal_count: int) -> pd.DataFrame:
    """Return a row for each pattern of gaps and deal: errors, how often intervals hold, and chances.

    Columns: pattern, deal (from 1), errors of the method and both baselines in years, share of the
    90 % intervals that hold, their median width, error of the chance to be built by the cut-off year
    (overall, and in the worst regime of a hundred buildings), groups within the 99 % binomial band,
    and of how many.
    """
    facts, rule = found.known.facts, found.rule
    rows = []
    for pattern in PATTERNS:
        for deal in range(1, deal_count + 1):
            parts = pattern_parts(
                pattern, facts.points, facts.district,
                side_m=found.block_m, part_count=rule.model.fold_count, seed=deal,
            )  # fmt: skip
            if parts is None or len(np.unique(parts)) < 2:
                continue
            one = replace(found, blocked=judge(facts, parts, rule))
            inside, of = one.in_band()
            rows.append(
                {
                    "gap_pattern": pattern,
                    "deal_number": deal,
                    "error_yr": round(one.error("model"), 2),
                    **{f"{name}_error_yr": round(one.error(name), 2) for name in BASELINES},
                    "held_share": round(float(one.is_covered.mean()), 4),
                    "median_width_yr": round(float(np.median(one.width_yr)), 1),
                    "chance_error": round(
                        calibration_error(one.blocked.by_cutoff_share, one.is_by_cutoff), 4
                    ),
                    "worst_regime_chance_error": round(_worst_regime(one), 4),
                    "groups_in_band_count": inside,
                    "group_count": of,
                }
            )
    return pd.DataFrame(rows)


def _worst_regime(found: Findings) -> float:
    share, is_in, regime = found.blocked.by_cutoff_share, found.is_by_cutoff, found.blocked.regime
    names, counts = np.unique(regime, return_counts=True)
    wide = names[counts >= _LEAST_IN_REGIME]
    return max(
        (calibration_error(share[regime == n], is_in[regime == n]) for n in wide), default=0.0
    )


def show_gaps(table: pd.DataFrame) -> None:
    """Print the means over all deals of each pattern, and the range of what intervals hold."""
    from rich.table import Table

    shown = Table(
        "gaps 缺失方式", "error (yr)", "group median", "10 nearest", "held", "from–to",
        "chance off", "worst regime", "groups in band",
    )  # fmt: skip
    for pattern in PATTERNS:
        rows = table[table["gap_pattern"] == pattern]
        if not len(rows):
            continue
        mean = rows.drop(columns="gap_pattern").mean()
        shown.add_row(
            pattern, f"{mean['error_yr']:.2f}",
            *(f"{mean[f'{name}_error_yr']:.2f}" for name in BASELINES),
            f"{mean['held_share']:.1%}",
            f"{rows['held_share'].min():.1%}–{rows['held_share'].max():.1%}",
            f"{mean['chance_error']:.3f}", f"{mean['worst_regime_chance_error']:.3f}",
            f"{rows['groups_in_band_count'].sum()} of {rows['group_count'].sum()}",
        )  # fmt: skip
    console().print(shown)
