"""``make soak``: kills and mutated inputs, as many as asked for; hours, never part of the tests."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.trial import summary, trials
from tests.soak.kills import kill_runs
from tests.soak.texts import spoil_texts

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    is_fine = True
    with tempfile.TemporaryDirectory() as folder:
        if chosen.kills:
            kills = kill_runs(Path(folder), chosen.kills, chosen.seed)
            print(kills.summary(), flush=True)
            is_fine &= not kills.faults
        if chosen.inputs:
            texts = spoil_texts(Path(folder) / "texts", chosen.inputs // 2, chosen.seed)
            print(texts.summary(), flush=True)
            found = trials(Path(folder) / "files", chosen.inputs - chosen.inputs // 2, chosen.seed)
            print(summary(found))
            is_fine &= not texts.faults and not any(one.is_fault for one in found)
    sys.exit(not is_fine)
