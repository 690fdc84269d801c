"""A stop at any moment: one line, 128 + n, no child, nothing half-written, whatever goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.soak.running import in_session

BEGINS = "from pipeline import stopping; stopping.install(); print('ready', flush=True)\n"
SITUATIONS = {
    "in a library that takes long": """
import re; re.fullmatch('(a+)+b', 'a' * 12); import numpy as np
while True: np.linalg.svd(np.random.default_rng(1).random((400, 400)))
""",
    "while the second interpreter works": """
import time
from pipeline.beside import Beside
with Beside(is_wanted=True) as beside:
    beside.call(time.sleep, 60).result()
""",
    "while a file is written by a thread": """
import time
from pathlib import Path
from threading import Thread
from pipeline.store.files import Batch
def write(path):
    while True:
        path.write_bytes(b'x' * 1000)
with Batch() as batch:
    for number in range(3):
        Thread(target=write, args=(batch.partial(Path(f'{number}.csv')),), daemon=True).start()
    time.sleep(60)
""",
    "while sleeping under a lock": """
import time
from pathlib import Path
from pipeline.store.state import single_run
with single_run(Path('.lock')): time.sleep(60)
""",
}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start(program: str, folder: Path, **more: object) -> "subprocess.Popen[str]":
    """Start a program in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **more,
    )  # type: ignore[call-overload, no-any-return] # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_signal_ends_it_in_one_line(tmp_path: Path, situation: str) -> None:
    """As a terminal sends it, to all processes, and to the first one alone."""
    for number in SIGNALS:
        process = start(BEGINS + SITUATIONS[situation], tmp_path)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.5)
        begin = time.monotonic()
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        _, told = process.communicate(timeout=30)
        assert process.returncode == 128 + number, told
        assert told == f"shancheng: stopped, by {number.name}; what was finished is kept\n"
        assert time.monotonic() - begin < 5
        assert in_session(process.pid) == []
        assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == []


def test_a_hang_up_that_was_ignored_stays_ignored(tmp_path: Path) -> None:
    """As under nohup."""
    program = f"import time\n{BEGINS}time.sleep(1); print('done', flush=True)"
    process = start(
        program, tmp_path, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    told, _ = process.communicate()
    assert (process.returncode, told) == (0, "done\n")


def test_a_batch_gets_all_its_names_or_none(tmp_path: Path) -> None:
    """The stop comes between two renamings, and waits."""
    program = (
        BEGINS
        + """
import os, signal, time
from pathlib import Path
from pipeline.store.files import Batch
replace = Path.replace
def slow(self, target):
    os.kill(os.getpid(), signal.SIGTERM); time.sleep(0.1)
    return replace(self, target)
Path.replace = slow
with Batch() as batch:
    for name in 'abc': batch.add(Path(name + '.csv'), b'1')
time.sleep(60)
"""
    )
    process = start(program, tmp_path)
    _, told = process.communicate()
    assert process.returncode == 143, told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv", "c.csv"]


def test_files_that_threads_begin_while_it_stops_are_removed_too(tmp_path: Path) -> None:
    program = (
        BEGINS
        + """
import os, signal, time
from pathlib import Path
from threading import Thread
from pipeline.store.files import Batch
remove = stopping._remove_and_exit
def slow(paths, code):
    (Path("begun")).touch(); time.sleep(0.3); remove([*paths, "begun"], code)
stopping._remove_and_exit = slow
def late(batch, told):
    while not Path("begun").exists(): time.sleep(0.001)
    told.touch()
    batch.partial(Path("later.csv")).touch()
with Batch() as batch:
    batch.add(Path("there.csv"), b"1")
    Thread(target=late, args=(batch, batch.partial(Path("told.csv"))), daemon=True).start()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
"""
    )
    process = start(program, tmp_path)
    _, told = process.communicate()
    assert process.returncode == 143, told
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_ends_it_with_141(tmp_path: Path) -> None:
    process = start(BEGINS + "while True: print('more ' * 100)", tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    told = process.stderr.read()
    assert process.wait() == 141
    assert told.count("\n") == 1
    assert "nobody reads" in told
    process.stderr.close()


@pytest.mark.parametrize("locale", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"LC_ALL": "zh_CN.GBK"}])
def test_file_names_are_utf8_in_every_locale(tmp_path: Path, locale: dict[str, str]) -> None:
    program = BEGINS + "stopping.use_utf8(); open('\\u5c71\\u57ce.csv', 'w'); print('m\\xb2')"
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONCOERCECLOCALE": "0"} | locale,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    assert os.listdir(bytes(tmp_path)) == ["山城.csv".encode()]  # noqa: PTH208


def test_it_ends_in_one_line_while_the_command_line_is_loaded(tmp_path: Path) -> None:
    """As ``__main__`` does it: what leaves otherwise dies of an interrupt while Python ends."""
    program = f"{BEGINS}import sys; sys.argv[1:] = ['--help']\n"
    program += "from pipeline.command.app import main\n"
    program += "try: main()\nexcept SystemExit as end: stopping.leave(end.code)"
    for moment_s in (0.0, 0.05, 0.1, 0.2, 0.4):
        process = start(program, tmp_path)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment_s)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
        assert process.returncode in (0, 130), told
        assert told.count("\n") <= 1
