"""Several estimates of a year into one, in shares that served best on ground held out.

In some towns form and size tell a building's age, in others only its neighbours do, and a model that
has seen coordinates may trust them too far. Which of them serve is learned inside the buildings seen:
pairs of parts are held out, so that what is mixed for one part was judged on others alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from pipeline.geo.raster import Floats
from pipeline.years.units import Ints

_STEPS = 10


@dataclass(frozen=True)
class Mixed:
    """An estimate of each row made without its part, and how much of what is in it, by part."""

    year: Floats
    shares: Mapping[int, Mapping[str, float]]

    @property
    def mean_shares(self) -> dict[str, float]:
        """Return the mean share of each estimate over the parts."""
        names = next(iter(self.shares.values()))
        return {
            name: float(np.mean([share[name] for share in self.shares.values()])) for name in names
        }


def mixed(
    year: Floats, fold: Ints, estimates: Callable[[tuple[int, ...]], Mapping[str, Floats]]
) -> Mixed:
    """Return for each row the mixture that served best on the parts other than its own.

    Parameters
    ----------
    year
        Known year of each row.
    fold
        Part of each row; at least two parts.
    estimates
        Given parts to be held out, returns estimates of all rows that did not see those parts.
    """
    parts = [int(part) for part in np.unique(fold)]
    inner: dict[int, dict[str, Floats]] = {part: {} for part in parts}
    for pair in combinations(parts, 2) if len(parts) > 2 else []:
        for name, found in estimates(pair).items():
            for one, other in (pair, pair[::-1]):
                into = inner[one].setdefault(name, np.full(len(year), np.nan))
                into[fold == other] = found[fold == other]
    told, shares = np.full(len(year), np.nan), {}
    for part in parts:
        held = fold == part
        last = estimates((part,))
        judged = inner[part] or {name: np.full(len(year), np.nan) for name in last}
        shares[part] = best_shares({n: v[~held] for n, v in judged.items()}, year[~held])
        told[held] = sum(share * last[name][held] for name, share in shares[part].items() if share)
    return Mixed(told, shares)


def best_shares(estimates: Mapping[str, Floats], year: Floats) -> dict[str, float]:
    """Return shares, in tenths, whose mixture errs least in the mean.

    One after another the estimate is added that lowers the error most (Caruana et al. 2004, ensemble
    selection; † from memory), so the mixture is never worse than the best of them on these rows. Among
    equals the first wins.
    """
    names = list(estimates)
    table: Any = np.column_stack([estimates[name] for name in names])
    total, counts = np.zeros(len(year)), np.zeros(len(names))
    best_error, best_counts = np.inf, counts.copy()
    for step in range(1, _STEPS + 1):
        errors = np.abs((total[:, None] + table) / step - year[:, None]).mean(axis=0)
        errors = np.where(np.isfinite(errors), errors, np.inf)
        number = int(np.argmin(errors))
        total, counts[number] = total + table[:, number], counts[number] + 1
        if errors[number] < best_error:
            best_error, best_counts = errors[number], counts.copy()
    if not best_counts.any():
        best_counts[0] = 1
    return dict(zip(names, (best_counts / best_counts.sum()).tolist(), strict=True))
