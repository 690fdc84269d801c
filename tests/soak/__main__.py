"""``make soak``: kills and mutated inputs, as many as asked for; hours, never part of the tests."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from pipeline.atlas.stage import run
from tests.atlas import town
from tests.browser.conftest import FLAGS, found_browser, opened_by
from tests.fuzz.trial import summary, trials
from tests.soak.addresses import Addresses, spoil_addresses
from tests.soak.kills import SIGNALS, kill_runs
from tests.soak.texts import spoil_texts


def tell(line: str) -> None:
    """Print at once, also into a file."""
    print(line, flush=True)


def _spoil_addresses(folder: Path, count: int, seed: int) -> Addresses:
    from playwright.sync_api import sync_playwright

    path = folder / "index.html"
    page = run(town.inputs(is_synthetic=True)).pages["index.html"]
    path.write_text(page, encoding="utf-8", newline="")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found_browser(), args=FLAGS)
        return spoil_addresses(lambda address: opened_by(browser, path, address), count, seed, tell)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--addresses", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    is_fine = True
    for one in SIGNALS[
        1:
    ]:  # started by nohup or in the background, some are ignored, by children too
        signal.signal(one, signal.SIG_DFL)
    with tempfile.TemporaryDirectory() as folder:
        if chosen.kills:
            kills = kill_runs(Path(folder), chosen.kills, chosen.seed, tell)
            tell(kills.summary())
            is_fine &= not kills.faults
        if chosen.inputs:
            texts = spoil_texts(Path(folder) / "texts", chosen.inputs // 2, chosen.seed)
            tell(texts.summary())
            found = trials(
                Path(folder) / "files", chosen.inputs - chosen.inputs // 2, chosen.seed, tell
            )
            tell(summary(found))
            is_fine &= not texts.faults and not any(one.is_fault for one in found)
        if chosen.addresses:
            addresses = _spoil_addresses(Path(folder), chosen.addresses, chosen.seed)
            tell(addresses.summary())
            is_fine &= not addresses.faults
    sys.exit(not is_fine)
