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
    calibration_error,
    judge,
    reliability,
    square_blocks,
)
from pipeline.years.gaps import even_folds
from pipeline.years.groups import class_columns
from pipeline.years.precision import (
    Floor,
    band_share,
    block_band_share,
    calibration_floor,
    together,
)
from pipeline.years.units import Ints

_MOST_GROUPS, _LEAST_IN_GROUP = 60, 100


@dataclass(frozen=True)
class Bands:
    """In how many groups intervals hold as often as chance allows, of all groups of a hundred.

    ``binomial_count`` counts as if each building were hidden alone, ``block_count`` with
    ``correlation`` between intervals that were hidden in one block.
    """

    binomial_count: int
    block_count: int
    group_count: int
    correlation: float


@dataclass(frozen=True)
class Findings:
    """Everything that table and page show."""

    file: str
    known: KnownYears
    rule: YearRule
    blocked: Judged
    random: Judged
    block: Ints
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
    def block_count(self) -> int:
        """Return how many blocks of ground were hidden as wholes."""
        return len(np.unique(self.block))

    @property
    def chance_error(self) -> float:
        """Return by how much chances to be built by the cut-off year are off."""
        return calibration_error(self.blocked.by_cutoff_share, self.is_by_cutoff)

    @property
    def chance_floor(self) -> Floor:
        """Return by how much right chances would seem off on the same blocks."""
        return calibration_floor(self.blocked.by_cutoff_share, self.is_by_cutoff, self.block)

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

    def bands(self) -> Bands:
        """Return in how many groups intervals hold within the 99 % band about their share.

        Groups are those named, eras inferred, regimes, and the classes of the file between which
        errors differ most.
        """
        is_held, hold = self.is_covered, 1 - self.rule.miss_share
        error_log = np.log(np.abs(self.blocked.model - self.known.year) + 0.5)
        classes = class_columns(self.known.columns, np.arange(len(error_log)), error_log)
        correlation = together(is_held, self.block)
        inside, inside_blocks, of = 0, 0, 0
        for kind in (
            self._group_labels(),
            self._era_labels(self.blocked.model),
            self.blocked.regime,
            *classes.values(),
        ):
            for name in np.unique(kind):
                rows = kind == name
                if rows.sum() < _LEAST_IN_GROUP:
                    continue
                stray = abs(is_held[rows].mean() - hold)
                of += 1
                inside += stray <= band_share(int(rows.sum()), hold)
                inside_blocks += stray <= block_band_share(self.block[rows], correlation, hold)
        return Bands(inside, inside_blocks, of, correlation)

    def group_rows(self) -> list[tuple[str, int, float, float, float, float, float]]:
        """Return ``rows_by`` for the largest groups, the rest as one."""
        return self.rows_by(self._group_labels())

    def _group_labels(self) -> np.ndarray:
        names, of, counts = np.unique(self.known.group, return_inverse=True, return_counts=True)
        shown = np.argsort(-counts, kind="stable")[:_MOST_GROUPS]
        small = ~np.isin(np.arange(len(names)), shown)
        labels = names.astype(object)
        labels[small] = f"… {int(small.sum())}"
        return np.asarray(labels[of].astype(str))

    def era_rows(self, year: Floats) -> list[tuple[str, int, float, float, float, float, float]]:
        """Return ``rows_by`` for spans of years: of the true ones, or of those predicted."""
        return self.rows_by(self._era_labels(year))

    def _era_labels(self, year: Floats) -> np.ndarray:
        edges = np.unique(np.quantile(self.known.year, np.linspace(0, 1, 7)).astype(int))
        edges = edges if len(edges) > 1 else np.array([edges[0], edges[0] + 1])
        place = np.clip(np.searchsorted(edges, year, side="right") - 1, 0, len(edges) - 2)
        names = np.array([f"{a}–{b - (b < edges[-1])}" for a, b in pairwise(edges)])
        return names[place]


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
    return Findings(path.name, known, rule, blocked, random, block, side_m)


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
    floor = found.chance_floor
    out.print(
        f"90 % intervals hold {found.is_covered.mean():.1%} of the years, "
        f"{np.median(found.width_yr):.1f} years wide in the middle; chance of being built by "
        f"{found.rule.cutoff_year}: off by {found.chance_error:.3f} on average. Right chances would "
        f"seem off by {floor.mean:.3f} ({floor.usual:.3f} in one case of 20) on so few as "
        f"{found.block_count} squares"
    )
    bands = found.bands()
    if bands.group_count:
        out.print(
            f"in {bands.binomial_count} of {bands.group_count} groups, eras, regimes and classes of "
            f"{_LEAST_IN_GROUP} buildings or more they hold within the 99 % binomial band about 90 %; "
            f"in {bands.block_count} within the band of squares that are right or wrong together "
            f"(correlation {bands.correlation:.2f})"
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
