"""``python -m tests.fuzz --count 2000``: spoil so many inputs and tell how each reader took it."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.trial import summary, trials

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = trials(
            Path(folder), chosen.count, chosen.seed, lambda line: print(line, flush=True)
        )
    print(summary(found))
    sys.exit(any(one.is_fault for one in found))
