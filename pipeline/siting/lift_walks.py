"""Who walks how much less with one lift: minutes and metres, as a what-if tells them."""

from dataclasses import dataclass

import numpy as np

from pipeline.geo.network import Costs, Penalties
from pipeline.geo.profile import Flags, Integers
from pipeline.geo.raster import Floats
from pipeline.measure.what_if import METRES_THAT_COUNT_M, MINUTES_THAT_COUNT_MIN
from pipeline.siting.lift_gain import Relief
from pipeline.siting.lift_routes import DIRECTIONS, PENALTIES


@dataclass(frozen=True)
class Walked:
    """Walks in one direction: minutes and metres climbed before and after; rows are facility types."""

    before_min: Floats
    after_min: Floats
    before_climb_m: Floats
    after_climb_m: Floats

    @property
    def saved_min(self) -> Floats:
        """Minutes less; zero where there is no way before or after."""
        return _less(self.before_min, self.after_min)

    @property
    def saved_climb_m(self) -> Floats:
        """Metres climbed less."""
        return _less(self.before_climb_m, self.after_climb_m)


def _less(before: Floats, after: Floats) -> Floats:
    known = np.isfinite(before) & np.isfinite(after)
    return np.where(known, np.where(known, before, 0) - np.where(known, after, 0), 0.0)


@dataclass(frozen=True)
class WalkChanges:
    """The walks of all buildings that a lift touches, by direction; columns are ``houses``."""

    houses: Integers
    home: Walked
    out: Walked

    def counts(self, speed_m_per_min: float) -> Flags:
        """Return which walks differ enough to be told, as a what-if does."""
        both = (self.home, self.out)
        minutes = np.maximum(*(np.abs(one.saved_min) for one in both))
        climb = np.maximum(*(np.abs(one.saved_climb_m) for one in both))
        slower = (
            np.maximum(self.home.before_min, self.out.before_min),
            np.maximum(self.home.after_min, self.out.after_min),
        )
        metres = np.abs(_less(*slower)) * speed_m_per_min
        opened = np.isinf(slower[0]) & np.isfinite(slower[1])
        return np.asarray(
            (minutes > MINUTES_THAT_COUNT_MIN)
            | (climb > METRES_THAT_COUNT_M)
            | (metres > METRES_THAT_COUNT_M)
            | opened
        )


def walk_changes(relief: Relief, one: int, penalties: Penalties) -> WalkChanges:
    """Return what one lift changes; ``relief`` must know all three penalties."""
    _, changes = relief.more(relief.today(), [], one)
    width = len(relief.household_weight)
    touched = [np.unique(change.houses % width) for change in changes]
    houses = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *touched]))
    costs: dict[tuple[str, str], tuple[Floats, Floats]] = {}
    for mode, change in zip(relief.routes.modes, changes, strict=True):
        before = mode.house_cost_min[:, houses]
        after = before.copy()
        row, house = np.divmod(change.houses, width)
        after[row, np.searchsorted(houses, house)] = change.house_cost_min
        costs[mode.direction, mode.penalty] = before, after

    def walked(direction: str) -> Walked:
        parts = []
        for when in (0, 1):
            of_each = Costs(*(costs[direction, penalty][when] for penalty in PENALTIES))
            parts.append(of_each.minutes_and_climb(penalties))
        (before, climb_before), (after, climb_after) = parts
        return Walked(before, after, climb_before, climb_after)

    home, out = (walked(direction) for direction in DIRECTIONS)
    return WalkChanges(houses, home, out)
