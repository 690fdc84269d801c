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
    90 % intervals that hold, their median width, blocks hidden as wholes, error of the chance to be
    built by the cut-off year, the error that right chances would show by luck on the same blocks (in
    the mean and in one case of 20), the error in the worst regime of a hundred buildings, how far
    intervals of one block hold or miss together, groups within the 99 % binomial band, within the
    band of blocks, and of how many.
    """
    facts, rule = found.known.facts, found.rule
    rows = []
    for pattern in PATTERNS:
        for deal in range(1, deal_count + 1):
            dealt = pattern_parts(
                pattern, facts.points, facts.district,
                side_m=found.block_m, part_count=rule.model.fold_count, seed=deal,
            )  # fmt: skip
            if dealt is None or len(np.unique(dealt.part)) < 2:
                continue
            one = replace(found, blocked=judge(facts, dealt.part, rule), block=dealt.block)
            bands, floor = one.bands(), one.chance_floor
            rows.append(
                {
                    "gap_pattern": pattern,
                    "deal_number": deal,
                    "error_yr": round(one.error("model"), 2),
                    **{f"{name}_error_yr": round(one.error(name), 2) for name in BASELINES},
                    "held_share": round(float(one.is_covered.mean()), 4),
                    "median_width_yr": round(float(np.median(one.width_yr)), 1),
                    "hidden_block_count": one.block_count,
                    "chance_error": round(one.chance_error, 4),
                    "chance_error_by_luck": round(floor.mean, 4),
                    "chance_error_by_luck_p95": round(floor.usual, 4),
                    "worst_regime_chance_error": round(_worst_regime(one), 4),
                    "miss_correlation": round(bands.correlation, 3),
                    "groups_in_band_count": bands.binomial_count,
                    "groups_in_block_band_count": bands.block_count,
                    "group_count": bands.group_count,
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
        "chance off", "by luck", "worst regime", "in binomial band", "in band of blocks",
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
            f"{mean['chance_error']:.3f}", f"{mean['chance_error_by_luck']:.3f}",
            f"{mean['worst_regime_chance_error']:.3f}",
            *(
                f"{rows[f'groups_in_{name}_count'].sum()} of {rows['group_count'].sum()}"
                for name in ("band", "block_band")
            ),
        )  # fmt: skip
    console().print(shown)
