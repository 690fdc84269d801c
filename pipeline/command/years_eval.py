"""Judge the year method on any file of footprints with known years: a table and a page."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.command.report import console
from pipeline.command.years_file import KnownYears, known_years
from pipeline.geo.raster import Floats
from pipeline.problem import Problem
from pipeline.settings.measure import YearRule
from pipeline.settings.whole import Settings
from pipeline.years.evaluate import (
    BASELINES,
    Judged,
    band_share,
    calibration_error,
    judge,
    reliability,
    square_blocks,
)
from pipeline.years.gaps import even_folds

_MOST_GROUPS, _LEAST_IN_GROUP = 60, 100


@dataclass(frozen=True)
class Findings:
    """Everything that table and page show."""

    file: str
    known: KnownYears
    rule: YearRule
    blocked: Judged
    random: Judged
    block_count: int
    block_m: float

    @property
    def verdict(self) -> str:
        """Return model, or the name of the baseline that the model does not beat clearly."""
        model, *rest = (self.error(name) for name in ("model", *BASELINES))
        best = min(zip(rest, BASELINES, strict=True))
        is_better = model < best[0] and model <= best[0] * (1 - self.rule.model.min_gain_share)
        return "model" if is_better else best[1]

    def error(self, name: str, *, blocked: bool = True) -> float:
        """Return the mean absolute error of the model or a baseline, years."""
        judged = self.blocked if blocked else self.random
        said = judged.model if name == "model" else judged.baselines[name]
        return float(np.mean(np.abs(said - self.known.year)))

    @property
    def is_covered(self) -> np.ndarray:
        """Return whether each blocked 90 % interval holds the year."""
        year = self.known.year
        return (self.blocked.first_year <= year) & (year <= self.blocked.last_year)

    @property
    def width_yr(self) -> Floats:
        """Return how wide each interval is."""
        return self.blocked.last_year - self.blocked.first_year

    @property
    def is_by_cutoff(self) -> Floats:
        """Return 1 for each building that was built by the cut-off year."""
        return (self.known.year <= self.rule.cutoff_year).astype(float)

    def rows_by(
        self, groups: np.ndarray
    ) -> list[tuple[str, int, float, float, float, float, float]]:
        """Return name, buildings, three errors, coverage and width of each group."""
        year, judged = self.known.year, self.blocked
        table = pd.DataFrame(
            {
                "row_name": groups,
                "model": np.abs(judged.model - year),
                **{name: np.abs(judged.baselines[name] - year) for name in BASELINES},
                "covered": self.is_covered,
                "width": self.width_yr,
            }
        )
        found = table.groupby("row_name", sort=True).agg(
            count=("model", "size"),
            model=("model", "mean"),
            group_median=(BASELINES[0], "mean"),
            nearest=(BASELINES[1], "mean"),
            covered=("covered", "mean"),
            width=("width", "median"),
        )
        return [
            (str(name), int(row.iloc[0]), *(round(float(v), 3) for v in row.iloc[1:]))  # type: ignore[misc]
            for name, row in found.iterrows()
        ]

    def in_band(self) -> tuple[int, int]:
        """Return of how many groups of a hundred the intervals hold as often as chance allows, of all.

        Groups are those named, eras inferred and regimes; the band is the 99 % binomial one.
        """
        rows = [
            *self.group_rows(),
            *self.era_rows(self.blocked.model),
            *self.rows_by(self.blocked.regime),
        ]
        wide = [row for row in rows if row[1] >= _LEAST_IN_GROUP]
        hold = 1 - self.rule.miss_share
        return sum(abs(row[5] - hold) <= band_share(row[1], hold) for row in wide), len(wide)

    def group_rows(self) -> list[tuple[str, int, float, float, float, float, float]]:
        """Return ``rows_by`` for the largest groups, the rest as one."""
        names, of, counts = np.unique(self.known.group, return_inverse=True, return_counts=True)
        shown = np.argsort(-counts, kind="stable")[:_MOST_GROUPS]
        small = ~np.isin(np.arange(len(names)), shown)
        labels = names.astype(object)
        labels[small] = f"… {int(small.sum())}"
        return self.rows_by(labels[of].astype(str))

    def era_rows(self, year: Floats) -> list[tuple[str, int, float, float, float, float, float]]:
        """Return ``rows_by`` for spans of years: of the true ones, or of those predicted."""
        edges = np.unique(np.quantile(self.known.year, np.linspace(0, 1, 7)).astype(int))
        edges = edges if len(edges) > 1 else np.array([edges[0], edges[0] + 1])
        place = np.clip(np.searchsorted(edges, year, side="right") - 1, 0, len(edges) - 2)
        names = np.array([f"{a}–{b - (b < edges[-1])}" for a, b in pairwise(edges)])
        return self.rows_by(names[place])


def evaluate(path: Path, year_field: str, group_field: str, settings: Settings) -> Findings:
    """Return how the method fares on a file, held out by squares of ground and at random.

    Raises
    ------
    Problem
        If the file cannot be used, or holds too few buildings of known year.
    """
    from pipeline.store.footprint_files import read_footprint_file

    rule = settings.measure.years
    frame = read_footprint_file(path)
    known = known_years(frame, str(path), year_field, group_field, settings.intake.years)
    count = len(known.year)
    if count < rule.model.min_known_count:
        raise Problem(
            path, f"{count} buildings with a usable year are too few to judge or to infer",
            expected=f"at least {rule.model.min_known_count} (measure.years.model.min_known_count)",
            fix="keep what is recorded; rows not used: " + _counts(known.told),
        )  # fmt: skip
    block, side_m = square_blocks(known.points, side_m=rule.block_m, min_count=rule.min_block_count)
    fold = even_folds(block, rule.model.fold_count)
    if len(np.unique(fold)) < 2:
        raise Problem(path, "all buildings stand in one place", expected="a town, not a point")
    facts = known.facts
    smallest = count - int(np.bincount(fold).max())
    if smallest < rule.model.min_known_count:
        raise Problem(
            path, f"{count} buildings with a usable year are too few to judge: with a part held out "
            f"{smallest} are left to learn from",
            expected=f"at least {rule.model.min_known_count} (measure.years.model.min_known_count)",
            fix="keep what is recorded; rows not used: " + _counts(known.told),
        )  # fmt: skip
    blocked = judge(facts, fold, rule)
    # by other digits of the key than the method deals its own parts by
    lot = facts.building_key // np.uint64(1_000_003) % np.uint64(rule.model.fold_count)
    random = judge(facts, lot.astype(np.int64), rule)
    return Findings(path.name, known, rule, blocked, random, int(block.max()) + 1, side_m)


def _counts(told: dict[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in told.items() if isinstance(count, int))


def page_folder_name(path: Path) -> str:
    """Return a folder name made from a file's name, letters, digits, - and _ only."""
    return re.sub(r"[^\w\-]+", "_", path.stem)[:60] or "file"


def show(found: Findings, page: Path) -> None:
    """Print the findings as a short table."""
    from rich.markup import escape
    from rich.table import Table

    out = console()
    out.print(escape(f"{found.file}: {_counts(found.known.told)}"))
    for _, words in found.known.notes:
        out.print(escape(words))
    table = Table("mean error, years", "blocked", "random (flatters)")
    labels = {"model": "this method", "group": "group median", "nearest_10": "10 nearest"}
    for name, label in labels.items():
        table.add_row(label, *(f"{found.error(name, blocked=b):.2f}" for b in (True, False)))
    out.print(table)
    error = calibration_error(found.blocked.by_cutoff_share, found.is_by_cutoff)
    out.print(
        f"90 % intervals hold {found.is_covered.mean():.1%} of the years, "
        f"{np.median(found.width_yr):.1f} years wide in the middle; chance of being built by "
        f"{found.rule.cutoff_year}: off by {error:.3f} on average"
    )
    inside, of = found.in_band()
    if of:
        out.print(
            f"in {inside} of {of} groups, eras and regimes of {_LEAST_IN_GROUP} buildings or more they "
            "hold within the 99 % binomial band about 90 %"
        )
    best = min(found.error(name) for name in BASELINES)
    gain = 1 - found.error("model") / best if best else 0.0
    if found.verdict == "model":
        out.print(f"worth it: {gain:.0%} less error than the better baseline 值得推断")
    else:
        out.print(
            f"[bold]not worth it[/bold]: {gain:.0%} less error than the better baseline "
            f"({found.verdict}); keep that baseline 不值得推断，用基线"
        )
    out.print(escape(f"page 报告: {page}"))


def reliability_rows(found: Findings) -> list[tuple[float, float, int]]:
    """Return stated and observed share and buildings of each bin of the chance to be in."""
    return reliability(found.blocked.by_cutoff_share, found.is_by_cutoff)
