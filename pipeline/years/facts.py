"""What is known of each building's age, and what may tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.years.units import Ints


@dataclass(frozen=True)
class YearFacts:
    """What is known of each building, n rows in any order.

    ``known_year`` is NaN where no year is known or the text is too vague; ``low_year`` and
    ``high_year`` are what a text allows, NaN where it says nothing.
    """

    known_year: Floats
    low_year: Floats
    high_year: Floats
    unit_of_building: Ints
    unit_key: NDArray[np.uint64]
    """A number that belongs to each unit whatever else is in the data, to deal it into a fold."""
    building_key: NDArray[np.uint64]
    """The same for each building, to deal it a place among its siblings."""
    points: Floats
    district: Ints
    columns: Mapping[str, Floats]
    """Shape, surroundings, structure and people; NaN where empty."""
    names: Mapping[str, Ints] = field(default_factory=dict)
    """Codes of names that several buildings share, such as their street's; −1 for none."""

    def at(self, rows: Ints) -> "YearFacts":
        """Return the same with rows in another order."""
        return YearFacts(
            self.known_year[rows], self.low_year[rows], self.high_year[rows],
            self.unit_of_building[rows], self.unit_key, self.building_key[rows], self.points[rows],
            self.district[rows], {name: values[rows] for name, values in self.columns.items()},
            {name: codes[rows] for name, codes in self.names.items()},
        )  # fmt: skip

    @property
    def is_exact(self) -> NDArray[np.bool_]:
        """Whose year is known exactly: only these can tell how far off an estimate is."""
        return np.isfinite(self.known_year) & (self.low_year == self.high_year)
