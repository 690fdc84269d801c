"""Inferred years do not depend on how many threads a library may use."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.unit.test_years_inferred import RULE, made_town


def test_threads_change_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "facts.pickle"
    path.write_bytes(pickle.dumps((made_town(), RULE)))
    told = set()
    for threads in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.years", str(path)], cwd=REPOSITORY,
            env=os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        told.add(done.stdout.split("result")[1])
    assert len(told) == 1
