"""Chances corrected by what came true, and what a judgement on few blocks can tell."""

import numpy as np
import pytest

from pipeline.years.chance import corrected_chances
from pipeline.years.evaluate import calibration_error
from pipeline.years.precision import block_band_share, calibration_floor, together


def test_chances_that_are_too_sure_are_drawn_to_what_came_true() -> None:
    """Stated 0.1 … 0.9, true in 0.3 … 0.7 of the cases: 200 blocks of 25 singly drawn buildings."""
    rng = np.random.default_rng(1)
    stated = rng.uniform(0, 1, 5000)
    came_true = (rng.random(5000) < 0.25 + 0.5 * stated) * 1.0
    block = np.arange(5000) // 25
    asked = np.array([0.2, 0.5, 0.8])
    found = corrected_chances(stated, came_true, np.ones(5000), block, asked)
    assert found == pytest.approx([0.35, 0.5, 0.65], abs=0.04)
    rising = corrected_chances(stated, came_true, np.ones(5000), block, np.sort(stated))
    assert (np.diff(rising) >= 0).all()


def test_few_blocks_that_are_in_or_out_as_wholes_correct_little() -> None:
    """Right chances, ten blocks each in or out at once: the luck of a block is not taken for a rule."""
    rng = np.random.default_rng(2)
    block = np.repeat(np.arange(10), 100)
    stated = np.clip(np.repeat(rng.uniform(0.3, 0.7, 10), 100) + rng.normal(0, 0.02, 1000), 0, 1)
    moved = [
        np.abs(corrected_chances(
            stated, np.repeat(rng.random(10) < stated[::100], 100) * 1.0, np.ones(1000), block, stated
        ) - stated).mean()
        for _ in range(30)
    ]  # fmt: skip
    singly = np.abs(rng.binomial(1, stated[::100], (30, 10)) - stated[::100]).mean()
    assert np.mean(moved) < 0.3 * singly


def test_one_block_and_one_outcome_correct_without_harm() -> None:
    stated = np.linspace(0.9, 1.0, 50)
    found = corrected_chances(stated, np.ones(50), np.ones(50), np.zeros(50, int), stated)
    assert ((found >= stated - 1e-9) & (found <= 1)).all()


def test_the_floor_is_the_error_that_right_chances_show() -> None:
    """Blocks of 30 in or out at once, 40 of them, chances right: the floor meets the errors drawn."""
    rng = np.random.default_rng(3)
    block = np.repeat(np.arange(40), 30)
    share = np.repeat(rng.uniform(0, 1, 40), 30)
    drawn = [np.repeat(rng.random(40) < share[::30], 30) * 1.0 for _ in range(40)]
    errors = [calibration_error(share, one) for one in drawn]
    floors = [calibration_floor(share, one, block) for one in drawn]
    assert np.mean([one.mean for one in floors]) == pytest.approx(np.mean(errors), rel=0.25)
    assert all(one.usual > one.mean for one in floors)
    singly = [calibration_floor(share, one, np.arange(1200)).mean for one in drawn[:5]]
    assert np.mean(singly) < 0.5 * np.mean(errors), "single buildings would tell far more"
    assert np.isnan(calibration_floor(share, drawn[0], np.zeros(1200, int)).mean)


def test_intervals_of_a_block_hold_together_wholly_half_or_not_at_all() -> None:
    rng = np.random.default_rng(4)
    block = np.repeat(np.arange(400), 10)
    whole = np.repeat(rng.random(400) < 0.9, 10)
    single = rng.random(4000) < 0.9
    # two of a block agree where both follow it, one time in four
    half = np.where(rng.random(4000) < 0.5, whole, single)
    assert together(whole, block) == pytest.approx(1)
    assert together(single, block) == pytest.approx(0, abs=0.03)
    assert together(half, block) == pytest.approx(0.25, abs=0.06)
    assert together(single, np.arange(4000)) == 0


def test_the_band_widens_by_the_design_effect() -> None:
    """Ten blocks of ten at ρ = 0.25: 1 + 9 × 0.25 = 3.25; 2.576 √(0.09 × 3.25 / 100)."""
    block = np.repeat(np.arange(10), 10)
    assert block_band_share(block, 0.25) == pytest.approx(2.576 * np.sqrt(0.09 * 3.25 / 100))
    assert block_band_share(block, 0.0) == pytest.approx(2.576 * 0.03)
