"""No value behind make runs a command, and none leaves the folders of the project."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Project, new_project

TRICKS = (
    "x'; touch ran; '",
    'x"; touch ran; "',
    "x; touch ran",
    "$(shell touch ran)",
    "${shell touch ran}",
    "$(eval $(shell touch ran))",
    "$$(touch ran)",
    "$(touch ran)",
    "`touch ran`",
    "x\ntouch ran\n",
    "x\n\ttouch ran",
    "x & touch ran",
    "x | touch ran",
    "x > ran",
    "x \\\n; touch ran",
    "#",
    "-h",
    "../../../ran",
    "\x1b[2Jx",
)
VALUES = (
    "CITY", "SCENARIO", "RAW", "CHANGE", "BUDGET", "CASE", "A", "B", "NAME", "FILE", "YEAR", "GROUP",
    "DEALS", "PLACE", "BBOX", "DATUM", "PYTHON",
)  # fmt: skip
REFUSED_BY = {
    "CITY": "why", "SCENARIO": "why", "RAW": "check", "CHANGE": "what-if", "BUDGET": "plan",
    "CASE": "cash-flow", "A": "compare", "B": "compare", "NAME": "keep", "FILE": "years-eval",
    "YEAR": "years-eval", "DEALS": "years-eval", "BBOX": "fetch", "DATUM": "new-city",
}  # fmt: skip
OTHERS = {
    "CITY": "minitown", "A": "base", "B": "base", "FILE": "data/raw/minitown/buildings.json",
    "YEAR": "year", "NAME": "other", "CHANGE": "lift",
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with its Makefile, in which the pipeline only says what it was given."""
    project = new_project(tmp_path_factory.mktemp("make") / "project")
    for name in ("Makefile", ".setup"):
        shutil.copy(REPOSITORY / name, project.root / name)
    told = project.root / ".venv" / "bin"
    told.mkdir(parents=True)
    (told / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$*"\nexec env -0\n')
    (told / "python").chmod(0o755)
    for lock in ("requirements.lock", "requirements-dev.lock"):
        shutil.copy(REPOSITORY / lock, project.root / lock)
        shutil.copy(REPOSITORY / lock, project.root / ".venv" / lock)
    return project


def make(project: Project, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run make in a project."""
    return subprocess.run(
        ["make", *words], cwd=project.root, capture_output=True, text=True,
        env={"PATH": os.environ["PATH"]} | env,
    )  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_make_hands_values_over_and_runs_nothing_in_them(place: Project, trick: str) -> None:
    """Typed behind make, also under names that make itself uses, and found in the environment."""
    before = sorted(place.root.rglob("*"))
    typed = [f"{name}={trick}" for name in (*VALUES, "PY", "LOCKING", "ANYTHING")]
    for words, given in ((typed, {}), ([], dict.fromkeys(VALUES, trick))):
        result = make(place, "why", *words, **given)
        assert sorted(place.root.rglob("*")) == before
        assert result.stdout.startswith("-m pipeline why\n"), result.stderr
        for name in VALUES:
            assert f"SHANCHENG_{name}={trick}\0" in result.stdout


def test_the_interpreter_named_is_one_word(place: Project) -> None:
    """The set-up takes the whole text for the name of a program."""
    lock = place.root / ".venv" / "requirements.lock"
    lock.rename(lock.with_suffix(".old"))
    before = sorted(place.root.rglob("*"))
    for trick in TRICKS:
        subprocess.run(
            ["/bin/sh", ".setup", "requirements.lock"], cwd=place.root, capture_output=True,
            env={"PATH": "/nonexistent", "SHANCHENG_PYTHON": trick},
        )  # fmt: skip
        assert sorted(place.root.rglob("*")) == before
    lock.with_suffix(".old").rename(lock)


def test_help_and_a_dry_run_work(place: Project) -> None:
    assert "make rank" in make(place, "help").stdout
    dry = make(place, "-n", "rank", "CITY=$(shell touch ran)")
    assert dry.returncode == 0
    assert "-m pipeline rank" in dry.stdout
    assert not (place.root / "ran").exists()


@pytest.mark.parametrize("variable", REFUSED_BY)
def test_the_pipeline_refuses_a_strange_value_in_one_message(
    project: Project, variable: str
) -> None:
    before = sorted(project.root.parent.rglob("*"))
    trick = "../../x'; touch ran; '$(touch ran)`touch ran`\n\x1b[2J*"
    given = OTHERS | ({"RAW": str(project.raw)} if variable == "DATUM" else {}) | {variable: trick}
    env = {f"SHANCHENG_{key}": value for key, value in given.items()}
    result = project.run_in_copy(REFUSED_BY[variable], env=env)
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.startswith("shancheng: ")
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.stderr
    after = [path for path in project.root.parent.rglob("*") if path.name != ".lock"]
    assert sorted(after) == before


def test_a_value_that_is_not_given_is_asked_for(project: Project) -> None:
    for target, variable in (("keep", "NAME"), ("compare", "A"), ("what-if", "CHANGE"),
                             ("years-eval", "FILE"), ("new-city", "NAME")):  # fmt: skip
        result = project.run_in_copy(target, env={"SHANCHENG_CITY": "minitown"})
        assert result.returncode == 2
        assert result.stderr.startswith(f"shancheng: {variable}: is not given")


def test_an_option_wins_over_the_environment(project: Project) -> None:
    result = project.run_in_copy("why", "--city", "minitown", env={"SHANCHENG_CITY": "reference"})
    assert result.returncode == 0, result.stderr
    assert "it has not run yet" in result.stdout


def test_quotes_blanks_and_dollars_in_a_folder_are_part_of_its_name(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / 'it\'s 山城; `id` $HOME 50% #1\n"x" *'
    project.raw.rename(folder)
    result = project.run_in_copy("check", "--city", "minitown", env={"SHANCHENG_RAW": str(folder)})
    assert result.returncode == 0, result.stdout + result.stderr
