"""What all tests share: a project folder of their own, real data where it lies, no network."""

import functools
import importlib
import os
import pkgutil
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NoReturn

import pytest

from tests.minitown import make

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> object:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0] if isinstance(address, tuple) else ""
            if not str(host).startswith("127.") and host not in ("localhost", "::1"):
                raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def real_data(name: str) -> Path:
    """Return a folder of real data, or skip; in CI its absence is a failure."""
    folder = SHARED / name
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} must be there in CI")
        pytest.skip(f"real data not found at {folder}")
    return folder


@pytest.fixture(scope="session")
def yuzhong_raw() -> Path:
    """Raw replies of the real district."""
    return real_data("yuzhong")


class Project:
    """A project folder with its own config, in which the command line runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(REPOSITORY / "config", root / "config")

    def run(
        self, *words: str, env: dict[str, str] | None = None, **more: object
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a new process, as a person would."""
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *words],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | (env or {}),
            capture_output=True,
            text=True,
            **more,  # type: ignore[call-overload]
        )

    def run_in_copy(
        self, *words: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a copy of this process: what it would load is there already.

        For what a command says and does; how a program starts and ends needs ``run``.
        """
        load_commands()
        with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as faults:
            child = os.fork()
            if child == 0:
                os.chdir(self.root)
                os.environ.update(env or {})
                _be_command(words, told.fileno(), faults.fileno())
            _, status = os.waitpid(child, 0)
            said = []
            for file in (told, faults):
                file.seek(0)
                said.append(file.read().decode())
        code = os.waitstatus_to_exitcode(status)
        return subprocess.CompletedProcess([*words], code, said[0], said[1])

    def rank(self, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
        """Rank Minitown."""
        return self.run("rank", "--city", "minitown", *words, **more)  # type: ignore[arg-type]

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a text file; the old text must be there."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    @property
    def lists(self) -> Path:
        """Where the base scenario's lists lie."""
        return self.root / "data" / "processed" / "minitown" / "base"

    @property
    def raw(self) -> Path:
        """Minitown's raw files."""
        return self.root / "data" / "raw" / "minitown"

    def outputs(self) -> dict[str, bytes]:
        """Return every output file by its path, the run's own records left out."""
        found = {}
        for folder in ("data/processed", "maps"):
            for path in sorted((self.root / folder).rglob("*")):
                if path.is_file() and not path.name.startswith("."):
                    found[path.relative_to(self.root).as_posix()] = path.read_bytes()
        return found


@functools.cache
def load_commands() -> None:
    """Load what commands load when they need it, once for all copies."""
    import pipeline

    for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not module.name.endswith(("__main__", "gdal_reader")):
            importlib.import_module(module.name)
    for name in (
        "geopandas",
        "pyarrow.csv",
        "pyarrow.parquet",
        "pyogrio",
        "rasterio",
        "scipy.stats",
    ):
        importlib.import_module(name)


def _be_command(words: tuple[str, ...], output: int, faults: int) -> NoReturn:
    """In a copy of the process: be the command line, and end."""
    code: object = 1
    try:
        for number, file in ((1, output), (2, faults)):
            os.dup2(file, number)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8") for number in (1, 2))
        sys.argv = ["pipeline", *words]
        from pipeline.command.app import main

        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def new_project(root: Path) -> Project:
    """Return a project with Minitown's profile and raw files."""
    root.mkdir(parents=True, exist_ok=True)
    project = Project(root)
    (root / "config" / "cities" / "minitown.yaml").write_text(make.profile(), encoding="utf-8")
    make.write(project.raw)
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh project with Minitown, nothing run yet."""
    return new_project(tmp_path / "project")


@pytest.fixture(scope="session")
def ranked_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which Minitown has been ranked; tests must not change it."""
    project = new_project(tmp_path_factory.mktemp("ranked") / "project")
    result = project.rank()
    assert result.returncode == 0, result.stderr
    return project
