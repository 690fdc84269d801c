"""How far one weight can move before the top of the ranking changes."""

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
    order = np.argpartition(-(whole + lift), top_count - 1)
    kept_count = int((1 - change) * top_count + 1e-9) + 1

    def reach(column: int) -> Reach:
        weight = float(weights[column])
        if weight >= 1:
            return Reach(weight, None, None)
        own = need[order, column]
        rest = (whole[order] - weight * own) / (1 - weight)

        def stays(moved_weight: float) -> bool:
            """Return whether enough of the top stays: so few of the others pass the last of these."""
            if kept_count > top_count:
                return False
            moved = (1 - moved_weight) * rest + moved_weight * own + lift[order]
            last = np.partition(moved[:top_count], top_count - kept_count)[top_count - kept_count]
            return int((moved[top_count:] > last).sum()) <= top_count - kept_count

        def bound(end: float) -> float | None:
            if stays(end):
                return None
            good, bad = weight, end
            for _ in range(_STEPS):
                middle = (good + bad) / 2
                good, bad = (middle, bad) if stays(middle) else (good, middle)
            return good

        return Reach(weight, bound(0.0), bound(1.0))

    return [reach(column) for column in range(len(weights))]
