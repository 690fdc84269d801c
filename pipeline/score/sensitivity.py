"""How far one weight can move before the top of the ranking changes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats

_STEPS = 10


@dataclass(frozen=True)
class Reach:
    """Bounds of a weight between which the top stays nearly the same.

    ``None`` where even 0, or the whole weight, changes too little.
    """

    weight: float
    lowest: float | None
    highest: float | None


def weight_reach(
    need: Floats, weights: Floats, is_lifted: NDArray[np.bool_], *, top_share: float, change: float
) -> list[Reach]:
    """Return for each criterion how far its weight can move, the others keeping their proportions.

    The top changes when ``change`` of it is replaced. Found by bisection to a thousandth of the way,
    on the supposition that a farther move never changes less.
    """
    count = len(need)
    if not count:
        return [Reach(float(weight), None, None) for weight in weights]
    top_count = max(1, int(top_share * count + 1e-9))
    lift = np.where(is_lifted, 10.0, 0.0)
    whole = need @ weights
    base = np.zeros(count, dtype=bool)
    base[_top(whole + lift, top_count)] = True
    spare = int((1 - change) * top_count + 1e-9)

    def stays(column: int, weight: float) -> bool:
        own = need[:, column]
        rest = (whole - weights[column] * own) / (1 - weights[column])
        moved = (1 - weight) * rest + weight * own + lift
        return int(base[_top(moved, top_count)].sum()) > spare

    def bound(column: int, end: float) -> float | None:
        if stays(column, end):
            return None
        good, bad = float(weights[column]), end
        for _ in range(_STEPS):
            middle = (good + bad) / 2
            good, bad = (middle, bad) if stays(column, middle) else (good, middle)
        return good

    def reach(column: int) -> Reach:
        weight = float(weights[column])
        if weight >= 1:
            return Reach(weight, None, None)
        return Reach(weight, bound(column, 0.0), bound(column, 1.0))

    with ThreadPoolExecutor() as threads:
        return list(threads.map(reach, range(len(weights))))


def _top(score: Floats, count: int) -> NDArray[np.int64]:
    return np.argpartition(-score, count - 1)[:count]
