"""Seeded chance: one independent stream for each part of the city, and smooth random fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# spread of a cubic B-spline through unit normal knots, midway between its extremes
_SPLINE_SPREAD = 0.48


def stream(seed: int, part: str, tile: int = 0) -> np.random.Generator:
    """Return the generator of one part, so that changing one part never shifts another."""
    return np.random.default_rng(np.random.SeedSequence([seed, crc32(part.encode()), tile]))


def pick(rng: np.random.Generator, mix: Mapping[str, float], count: int) -> NDArray[Any]:
    """Return ``count`` keys of ``mix`` drawn with its shares, as an object array."""
    keys = np.array(list(mix), dtype=object)
    return keys[rng.choice(len(keys), size=count, p=np.array(list(mix.values()), dtype=float))]


def exact_sample(rng: np.random.Generator, size: int, share: float) -> Ints:
    """Return ``round(size * share)`` distinct row numbers, at least one, in rising order."""
    count = min(size, max(1, round(size * share))) if share > 0 else 0
    return np.sort(rng.choice(size, size=count, replace=False))


@dataclass(frozen=True)
class NoiseField:
    """A smooth random surface of about unit spread, defined over a rectangle."""

    knots: Floats
    left_m: float
    bottom_m: float
    wavelength_m: float

    def __call__(self, x_m: Floats, y_m: Floats) -> Floats:
        """Return the field at points; same shape as ``x_m``."""
        column = (x_m - self.left_m) / self.wavelength_m + 3
        row = (y_m - self.bottom_m) / self.wavelength_m + 3
        values = map_coordinates(
            self.knots, [row, column], order=3, prefilter=False, mode="nearest"
        )
        return np.asarray(values / _SPLINE_SPREAD)


def noise_field(
    rng: np.random.Generator, bounds_m: tuple[float, float, float, float], *, wavelength_m: float
) -> NoiseField:
    """Return a noise field over ``bounds_m`` (left, bottom, right, top)."""
    left, bottom, right, top = bounds_m
    shape = (int((top - bottom) / wavelength_m) + 8, int((right - left) / wavelength_m) + 8)
    return NoiseField(rng.standard_normal(shape), left, bottom, wavelength_m)
