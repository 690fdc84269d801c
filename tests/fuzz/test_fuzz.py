"""Whatever is done to a file: one clear message or a sound reading, in bounded time and memory."""

from pathlib import Path

from tests.fuzz.trial import summary, trials


def test_spoiled_files_end_in_a_message_or_a_reading(tmp_path: Path) -> None:
    found = trials(tmp_path, 200, 1)
    assert not [one for one in found if one.is_fault], summary(found)
    assert sum(one.kind == "told" for one in found) > 70
    told = [one.text for one in found if one.kind == "told"]
    assert all(len(text) < 9000 for text in told)
