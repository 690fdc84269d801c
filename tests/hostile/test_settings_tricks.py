"""Settings and price lists made to take for ever, or to read something else."""

import os
import time
from pathlib import Path

import pytest

from pipeline.problem import Problem
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY, Project, new_project

TENFOLD = "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
MERGED = "".join(
    f"  a{n}: &a{n}\n    <<: [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return new_project(tmp_path_factory.mktemp("tricks"))


def told(project: Project, scenario: bytes) -> str:
    path = project.root / "config" / "scenarios" / "trick.yaml"
    path.write_bytes(scenario)
    begin = time.process_time()
    with pytest.raises(Problem) as problem:
        read_settings(project.root / "config", "minitown", "trick")
    path.unlink()
    assert time.process_time() - begin < 3
    assert problem.value.text().isprintable() or "\n" in problem.value.text()
    return problem.value.text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("score: &s\n  weights: *s\n", "leads back to what it is part of"),
        ("score: &s [*s]\n", "leads back to what it is part of"),
        ("score:\n  a0: &a0 [x, x]\n" + TENFOLD, "unfold to more than 50,000 values"),
        ("score:\n  a0: &a0 {k: v}\n" + MERGED, "unfold to more than 50,000 values"),
        ("score: 0x" + "f" * 100_000, "a value of 100,002 signs"),
        ("score: " + "9" * 100_000, "a value of 100,000 signs"),
        ("score: " + "[" * 3_000, "RecursionError"),
        ("# nothing\n" * 60_000, "is of 600,000 bytes"),
        ("score: !!python/object/apply:os.system ['touch ran']\n", "could not determine a constructor"),
        ("score: {}\n---\nplan: {}\n", "another document"),
        ("score:\x00 1\n", "not valid YAML"),
        ("? {a: b}\n: 1\n", "unhashable key"),
        ("plan: &p {}\nscore:\n  <<: {rank_ties: 1}\n", "unknown key score.rank_ties"),
    ],
)  # fmt: skip
def test_a_scenario_that_never_ends_is_told(text: str, words: str, project: Project) -> None:
    assert words in told(project, text.encode())


def test_an_alias_that_says_a_thing_once_is_read(project: Project) -> None:
    path = project.root / "config" / "scenarios" / "twice.yaml"
    path.write_text("plan: &p {price_list: prices/default.csv}\n", encoding="utf-8")
    assert read_settings(project.root / "config", "minitown", "twice").plan.prices


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (lambda path: os.mkfifo(path), "there is no such price list"),
        (lambda path: path.symlink_to("/dev/zero"), "is not below"),
        (lambda path: path.symlink_to("/etc/passwd"), "is not below"),
        (lambda path: (path.touch(), os.truncate(path, 20 << 30)), "is of 21,474,836,480 bytes"),
        (lambda path: path.write_bytes(b"\x00" * 9), "is no text"),
        (lambda path: path.write_text("," * 1_000_000 + "\n"), "holds no rows"),
    ],
)
def test_a_price_list_that_is_something_else_is_told(
    put: object, words: str, project: Project
) -> None:
    path = project.root / "config" / "prices" / "trick.csv"
    put(path)  # type: ignore[operator]
    try:
        assert words in told(project, b"plan: {price_list: prices/trick.csv}\n")
    finally:
        path.unlink()


@pytest.mark.parametrize(
    "price", ["=cmd|' /C calc'!A0", "@SUM(A1)", "1e999", "-5", "nan", "\x1b[31m5"]
)
def test_a_price_that_is_a_formula_or_no_number_is_told(price: str, project: Project) -> None:
    path = project.root / "config" / "prices" / "trick.csv"
    lines = (REPOSITORY / "config" / "prices" / "default.csv").read_text("utf-8-sig").splitlines()
    place = lines[0].split(",").index("middle_cny")
    cells = lines[1].split(",")
    path.write_text("\n".join([lines[0], ",".join([*cells[:place], price, *cells[place + 1 :]])]))
    found = told(project, b"plan: {price_list: prices/trick.csv}\n")
    assert "row 2: middle_cny = " in found
    assert "\x1b" not in found


def test_a_file_of_settings_larger_than_the_disk_is_not_read(project: Project) -> None:
    path = project.root / "config" / "scenarios" / "vast.yaml"
    path.touch()
    os.truncate(path, 50 << 30)
    with pytest.raises(Problem, match=r"vast\.yaml: is of 53,687,091,200 bytes"):
        read_settings(project.root / "config", "minitown", "vast")
    path.unlink()


def test_names_of_files_cannot_move_the_cursor(project: Project, tmp_path: Path) -> None:
    path = project.root / "config" / "cities" / "a\x1b[2J\nb.yaml"
    path.write_text("city: {}\n", encoding="utf-8")
    with pytest.raises(Problem) as problem:
        read_settings(project.root / "config", "nobody", "base")
    assert "\x1b" not in problem.value.text()
    path.unlink()
