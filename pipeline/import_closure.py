"""Which modules of this package a module leads to, by the import statements of their source text."""

import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = "pipeline"
FOLDER = Path(__file__).parent
_IMPORT = re.compile(
    r"\bfrom[ \t]+(?P<source>[\w.]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n#;]+)"
    r"|^[ \t]*import[ \t]+(?P<modules>[^\n#;]+)",
    re.MULTILINE,
)
_NAME = re.compile(r"(\w+)(?:[ \t]+as[ \t]+\w+)?")


@dataclass(frozen=True)
class Closure:
    """What a stage's code consists of."""

    files: tuple[Path, ...]
    """Source files of modules, and what lies beside a module that reads files of its package."""
    packages: tuple[str, ...]
    """Top-level names of what is imported from outside this package and the standard library."""


def import_closure(roots: Collection[str], without: Collection[str] = ()) -> Closure:
    """Return everything that some modules import, directly or through others.

    An import counts wherever it stands: at the head, within a function, or in a line of code that is
    handed to another interpreter. A module that reads files through ``importlib.resources`` counts
    with all that its package holds beside Python.

    Parameters
    ----------
    roots
        Dotted names of modules.
    without
        Modules that are left out, with what only they lead to.
    """
    seen: dict[str, Path] = {}
    outside: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        path = _source(module)
        if path is None or module in seen or module in without:
            continue
        seen[module] = path
        for name in _imports(path):
            if name.split(".")[0] == PACKAGE:
                waiting += [name, name.rpartition(".")[0]]
            else:
                outside.add(name.split(".")[0])
    assets = {asset for path in seen.values() for asset in _assets(path)}
    return Closure(
        tuple(sorted({*seen.values(), *assets})), tuple(sorted(outside - sys.stdlib_module_names))
    )


def room_imports() -> dict[str, set[str]]:
    """Return for each room (a folder of the package, or a module beside them) the rooms it imports."""
    found: dict[str, set[str]] = {}
    for path in sorted(FOLDER.rglob("*.py")):
        room = path.relative_to(FOLDER).with_suffix("").parts[0]
        names = (name.split(".") for name in _imports(path))
        found.setdefault(room, set()).update(n[1] for n in names if n[0] == PACKAGE and len(n) > 1)
    return {
        room: {one for one in imported if one in found} - {room}
        for room, imported in found.items()
        if not room.startswith("__")
    }


@cache
def _source(module: str) -> Path | None:
    path = FOLDER.parent.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(_named(path.read_text(encoding="utf-8")))


def _named(text: str) -> Iterator[str]:
    for statement in _IMPORT.finditer(text):
        if source := statement["source"]:
            yield source
            if source.split(".")[0] == PACKAGE:
                names = _NAME.findall(statement["names"].strip("()"))
                yield from (f"{source}.{name}" for name in names)
        else:
            yield from (one.split(" as ")[0].strip() for one in statement["modules"].split(","))


@cache
def _assets(path: Path) -> tuple[Path, ...]:
    if "importlib.resources" not in _imports(path):
        return ()
    beside = (one for one in path.parent.rglob("*") if one.is_file())
    return tuple(one for one in beside if one.suffix not in (".py", ".pyc"))
