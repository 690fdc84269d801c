"""The short form of the soak."""

from pathlib import Path

from tests.soak.kills import kill_runs
from tests.soak.texts import spoil_texts


def test_runs_killed_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    found = kill_runs(tmp_path, 3, 5)
    assert not found.faults, found.summary()


def test_spoiled_settings_end_in_a_message_or_are_taken(tmp_path: Path) -> None:
    found = spoil_texts(tmp_path, 60, 1)
    assert not found.faults, found.summary()
    assert found.counts["told"] > 30
