"""How well a layer fits the footprints or roads, where it lies and where another datum would put it.

Streets and borders run between buildings, facilities stand in or beside them, bus stops stand beside
drivable roads. A layer that lies
right fits better than the same layer moved a hundred metres in any direction; one in the wrong
place fits no better than its surroundings. So a position is judged by its own ring of moved copies:
no number has to be known of how a city is built.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely

from pipeline.check.layers import POINTS
from pipeline.geo.raster import Floats

BESIDE_M = 20.0
"""A facility this close to a footprint stands at it."""
ROADSIDE_M = 15.0
"""A stop this close to the axis of a road stands at it: half a road of four lanes, and the kerb."""
_RING_M = (90.0, 150.0)
_DIRECTIONS = 8


@dataclass(frozen=True)
class Fit:
    """How a layer fits at one position.

    ``share`` is the share of points beside a footprint, or of street length outside all footprints;
    ``around`` the same for copies moved 90 to 150 m; ``excess`` how many standard deviations of
    those copies lie between.
    """

    share: float
    around: float
    excess: float
    hits: np.ndarray
    """For each sampled position whether it fits."""


class Footprints:
    """Footprints that layers are laid over, in the working CRS."""

    def __init__(self, shapes: np.ndarray) -> None:
        self._tree = shapely.STRtree(shapes)

    def hits(self, points: Floats, kind: str) -> np.ndarray:
        """Return for each position whether it fits: beside a footprint, or outside all of them."""
        places = shapely.points(points)
        if kind == POINTS:
            near = self._tree.query(places, predicate="dwithin", distance=BESIDE_M)[0]
            found = np.zeros(len(points), dtype=bool)
            found[near] = True
            return found
        found = np.ones(len(points), dtype=bool)
        found[self._tree.query(places, predicate="intersects")[0]] = False
        return found

    def fit(self, points: Floats, kind: str) -> Fit:
        """Return how positions fit, beside how they would when moved a little."""
        return fit_in_ring(lambda move: self.hits(points + move, kind))


class Lines:
    """Lines that positions are laid beside, in the working CRS: roads or borders."""

    def __init__(self, shapes: np.ndarray, near_m: float) -> None:
        self._tree = shapely.STRtree(shapes)
        self._near_m = near_m

    def fit(self, points: Floats) -> Fit:
        """Return how many positions lie beside a line, beside how many would when moved a little."""

        def hits(move: Floats) -> np.ndarray:
            found = np.zeros(len(points), dtype=bool)
            places = shapely.points(points + move)
            near = self._tree.query(places, predicate="dwithin", distance=self._near_m)[0]
            found[near] = True
            return found

        return fit_in_ring(hits)


def fit_in_ring(hits: Callable[[Floats], np.ndarray]) -> Fit:
    """Return a position's hits beside those of its copies moved 90 to 150 m in 16 ways.

    Parameters
    ----------
    hits
        Gives for each sampled position whether it fits when the layer is moved by a vector, metres.
    """
    here = hits(np.zeros(2))
    moved = [
        hits(radius * np.array([np.cos(angle), np.sin(angle)])).mean()
        for radius in _RING_M
        for angle in np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS + radius
    ]
    share, around = float(here.mean()), float(np.mean(moved))
    least = np.sqrt(max(around * (1 - around), 1 / len(here)) / len(here))
    spread = max(float(np.std(moved, ddof=1)), float(least))
    return Fit(share, around, (share - around) / spread, here)
