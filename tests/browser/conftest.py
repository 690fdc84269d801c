"""A real browser without a network, and the page of the small town in it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.atlas.stage import run
from tests.atlas import town
from tests.conftest import Project

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip


def found_browser() -> str:
    """Return a browser's path, or skip; in CI its absence is a failure."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    reason = f"no browser found: none of {', '.join(BROWSERS)} is installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, headless."""
    path = found_browser()
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def town_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small town's page as a file."""
    path = tmp_path_factory.mktemp("atlas") / "index.html"
    path.write_text(
        run(town.inputs(is_synthetic=True)).pages["index.html"], encoding="utf-8", newline=""
    )
    return path


@pytest.fixture(scope="session")
def yuzhong(tmp_path_factory: pytest.TempPathFactory, yuzhong_raw: Path) -> Project:
    """Yuzhong, ranked in a project of its own."""
    project = Project(tmp_path_factory.mktemp("yuzhong"))
    result = project.run("rank", "--city", "yuzhong", "--raw", str(yuzhong_raw))
    assert result.returncode == 0, result.stderr
    return project


class Opened:
    """A page opened as a person would, with what it asked for and complained of."""

    def __init__(self, browser: Any, path: Path, *, width: int = 1366, height: int = 768) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, offline=True
        )
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.faults: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.faults.append(message.text) if message.type == "error" else None,
        )
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))
        self.address = path.as_uri()

    def open(self) -> Any:
        """Load the page and wait until it is drawn."""
        self.page.goto(self.address)
        self.page.wait_for_selector("html[data-ready-ms]")
        return self.page


def opened_by(browser: Any, path: Path, address: str) -> Opened:
    """Return a page opened by what stands behind its ``#``."""
    one = Opened(browser, path)
    one.page.goto(f"{one.address}#{address}")
    one.page.wait_for_selector("html[data-ready-ms]")
    return one


@pytest.fixture
def opened(browser: Any, town_file: Path) -> Iterator[Opened]:
    """The small town, drawn; nothing may have been asked for or gone wrong by the end."""
    one = Opened(browser, town_file)
    one.open()
    yield one
    one.context.close()
    assert one.faults == []
    assert one.requests == [one.address]


@pytest.fixture
def page(opened: Opened) -> Any:
    """The small town's page."""
    return opened.page
