"""What comes from others: needed, under known licences, and byte for byte what was looked at."""

import base64
import hashlib
import re
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from importlib.resources import files

import pytest

from tests.conftest import REPOSITORY

MODULES = {
    "python-calamine": "calamine", "ruamel-yaml": "ruamel", "scikit-learn": "sklearn",
    "xstatic-leaflet": "xstatic",
}  # fmt: skip
USED_BY_NAME = {
    "openpyxl": "pandas reads workbooks with it",
    "python-calamine": "pandas reads old and open spreadsheets with it",
}
PERMISSIVE = {
    "0BSD", "AFL-2.1", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT",
    "MIT-CMU", "PSF-2.0", "Zlib",
}  # fmt: skip
SHARE_ALIKE = {
    "certifi": "MPL-2.0", "hypothesis": "MPL-2.0", "pathspec": "MPL-2.0",
    "pandana": "AGPL-3.0-or-later",
}  # fmt: skip
"""Licences that ask something of who passes changed copies on; we change and pass on none."""
ONLY_FOR_TESTS = {"hypothesis", "pathspec", "pandana"}
LOOKED_UP = {
    "matplotlib": "PSF-2.0",  # its own licence, based on the PSF's
    "kiwisolver": "BSD-3-Clause", "scipy": "BSD-3-Clause", "cycler": "BSD-3-Clause",
    "exactextract": "Apache-2.0",  # its whole text
    "xstatic-leaflet": "BSD-2-Clause",  # "(same as Leaflet)"
}  # fmt: skip
SPELLINGS = {
    "MIT License": "MIT", "The MIT License (MIT)": "MIT", "BSD License": "BSD",
    "New BSD": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause", "BSD 2-Clause License": "BSD-2-Clause",
    "Apache License": "Apache-2.0", "Apache 2.0": "Apache-2.0", "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC", "ISC License": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}  # fmt: skip
LEAFLET = {
    "leaflet.js": "WBkoXOwTeyKclOHuWtc+i2uENFpDZ9YPdf5Hf+D7ewM=",
    "leaflet.css": "kLaT2GOSpHechhsozzB+flnD+zUyjE2LlfWPgU04xyI=",
}
"""SHA-256 as leafletjs.com prints them in the tags of release 1.9.3."""


def locked(file: str) -> set[str]:
    """Return the packages of a lock file."""
    lines = (REPOSITORY / file).read_text(encoding="utf-8").splitlines()
    return {line.split("==")[0] for line in lines if re.match(r"[a-z0-9]", line)}


@cache
def licences(package: str) -> frozenset[str]:
    """Return the licences that an installed package states, by their SPDX names."""
    if package in LOOKED_UP:
        return frozenset({LOOKED_UP[package]})
    told = metadata(package)
    classified = [
        one.split("::")[-1].strip()
        for one in told.get_all("Classifier") or []
        if one.startswith("License")
    ]
    text = told.get("License-Expression") or told.get("License") or ""
    if len(text) > 60 or SPELLINGS.get(text, text) not in PERMISSIVE | set(SHARE_ALIKE.values()):
        text = text if told.get("License-Expression") or re.fullmatch(r"[\w. -]{,60}", text) else ""
        text = text or " AND ".join(classified)
    return frozenset(SPELLINGS.get(one, one) for one in re.split(r" AND | OR |, ", text) if one)


def installed(file: str) -> list[str]:
    """Return the packages of a lock file that this machine needs and has."""
    found = []
    for package in sorted(locked(file)):
        try:
            metadata(package)
        except PackageNotFoundError:  # for another system or Python
            continue
        found.append(package)
    return found


def test_every_locked_package_has_a_licence_that_is_known() -> None:
    packages = installed("requirements-dev.lock")
    assert len(packages) > 80
    strange = {}
    for package in packages:
        allowed = PERMISSIVE | {SHARE_ALIKE.get(package, "")}
        if not licences(package) or not licences(package) <= allowed:
            strange[package] = sorted(licences(package))
    assert strange == {}


def test_what_a_user_installs_is_free_of_the_gpl() -> None:
    """AGPL code (pandana) serves for comparison in tests alone."""
    assert not locked("requirements.lock") & ONLY_FOR_TESTS
    every = set().union(*(licences(package) for package in installed("requirements.lock")))
    assert not [one for one in every if "GPL" in one]


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_every_package_is_locked_by_digest(file: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", (REPOSITORY / file).read_text(encoding="utf-8"))
    assert all("==" in one and "--hash=sha256:" in one for one in entries)


def test_every_requirement_is_used() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in (REPOSITORY / "pipeline").rglob("*.py")
    )
    unused = []
    for requirement in project["dependencies"]:
        package = re.split(r"[>=\[;]", requirement)[0]
        module = MODULES.get(package, package)
        if package not in USED_BY_NAME and not re.search(
            rf"^\s*(import|from) {module}\b|[\"']{module}[\"'.]", code, re.MULTILINE
        ):
            unused.append(package)
    assert unused == []


def test_leaflet_is_the_published_release() -> None:
    for name, wanted in LEAFLET.items():
        content = (files("xstatic.pkg.leaflet") / "data" / name).read_bytes()
        assert base64.b64encode(hashlib.sha256(content).digest()).decode() == wanted
