"""Work in a second interpreter comes out as it would here, faults included."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.beside import Beside
from pipeline.problem import Problem


def who(number: int) -> tuple[int, int]:
    """Return the number and the process that says it."""
    return number, os.getpid()


def refuse(where: str) -> None:
    """Raise what a user may meet."""
    raise Problem(where, "holds nothing", expected="something", fix="add it")


def killed_there(here: int) -> int:
    """Die in any process but the one named."""
    if os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return here


def test_without_a_second_interpreter_work_is_done_here_when_asked_for() -> None:
    """Nothing is started for a small run."""
    done = []
    task = Beside().call(done.append, 1)
    assert done == []
    assert task.result() is None
    assert task.result() is None
    assert done == [1]


def test_faults_and_results_come_back_from_the_other_process() -> None:
    """A Problem keeps its parts; the other process is another."""
    with Beside(is_wanted=True) as beside:
        beside.load(("json",))
        beside.load(("decimal",), after_next_call=True)
        numbers = [beside.call(who, number) for number in range(3)]
        refused = beside.call(refuse, "roads.geojson, row 4")
        found = [task.result() for task in numbers]
        with pytest.raises(Problem) as caught:
            refused.result()
    assert [number for number, _ in found] == [0, 1, 2]
    assert {process for _, process in found} != {os.getpid()}
    assert caught.value.text() == (
        "roads.geojson, row 4: holds nothing\n  expected: something\n  fix: add it"
    )


def test_a_result_left_there_is_taken_by_a_later_call() -> None:
    """The second call sees what the first one made, in the same process; so without that process."""
    with Beside(is_wanted=True) as beside:
        left = beside.keep(who, 4)
        number, process = beside.call(tuple, left).result()
        assert (number, process != os.getpid()) == (4, True)
        assert left.result() == (4, os.getpid())
        assert beside.call(tuple, beside.call(who, 6)).result() == (6, process)
    alone = Beside()
    assert alone.call(tuple, alone.keep(who, 5)).result() == (5, os.getpid())


def test_a_fault_in_work_left_there_comes_out_of_the_later_call() -> None:
    with Beside(is_wanted=True) as beside:
        refused = beside.call(list, beside.keep(refuse, "consents.csv, row 2"))
        with pytest.raises(Problem, match=r"consents\.csv, row 2"):
            refused.result()


def test_goes_on_here_when_the_other_process_is_killed() -> None:
    """A machine short of memory kills one process: its work and what follows is done here."""
    here = os.getpid()
    with Beside(is_wanted=True) as beside:
        tasks = [beside.call(killed_there, here), beside.call(killed_there, here)]
        assert [task.result() for task in tasks] == [here, here]
        assert beside.call(str, beside.keep(killed_there, here)).result() == str(here)
        assert beside.call(who, 7).result() == (7, here)


STARTS_A_SECOND = """
import os, time
from pipeline.beside import Beside
with Beside(is_wanted=True) as beside:
    print(beside.call(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def is_running(process: int) -> bool:
    """Return whether a process is there and not merely unburied."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_the_other_process_ends_when_the_first_one_is_killed() -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", STARTS_A_SECOND], stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    with first.stdout:
        second = int(first.stdout.readline())
    assert is_running(second)
    first.kill()
    first.wait()
    until = time.monotonic() + 20
    while is_running(second) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(second)
