"""What stands beside each setting in config/: the file it comes from and the words on its line.

A policy number has its source on its line, so a reader of the results can see on what it rests
without opening the files.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.settings.load import flatten
from pipeline.settings.plan import PlanSettings
from pipeline.store.yaml_nodes import composed

_REMARK = re.compile(r"^[\s,\]}]*#\s*(.*?)\s*$")


class Remark(NamedTuple):
    """Where a setting stands and what is said of it."""

    file_name: str
    text: str
    """Empty if nobody said anything."""


def read_remarks(config_folder: Path, city: str, scenario: str) -> dict[str, Remark]:
    """Return the remark of each setting by its dotted key.

    The files are those of ``read_settings``, later ones before earlier ones; they have been read
    without a fault before.
    """
    found: dict[str, Remark] = {}
    for name in ("default", f"cities/{city}", f"scenarios/{scenario}"):
        path = config_folder / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        for key, remark in remarks_of(text).items():
            earlier = found.get(key)
            kept = remark or (earlier.text if earlier else "")
            found[key] = Remark(f"{name}.yaml", kept)
    return found


def of_prices(plan: PlanSettings) -> dict[str, Remark]:
    """Return the source of each price of the price list, by dotted key."""
    return {
        f"plan.prices.{key}": Remark(plan.price_list, price.source)
        for works, by_district in plan.prices.items()
        for district, years in by_district.items()
        for year, price in years.items()
        for key in flatten(price.model_dump(), f"{works}.{district}.{year}")
    }


def remarks_of(text: str) -> dict[str, str]:
    """Return what a YAML text says beside each value, by dotted key.

    A value on a line of several shares that line's remark; one without any takes that of the mapping
    it stands in, and the ``source`` of a mapping speaks for all of it.
    """
    root = composed(text)
    found: dict[str, str] = {}
    if root is not None:
        _visit(root, "", "", text.splitlines(), found)
    return found


def _visit(node: Any, key: str, around: str, lines: list[str], found: dict[str, str]) -> None:
    if node.id != "mapping":
        found[key] = _behind(node, lines) or around
        return
    own = _own_source(node) or (_behind(node, lines) if node.flow_style else "") or around
    if not node.value:
        found[key] = own
    for name, value in node.value:
        inside = own
        if value.id == "mapping" and not value.flow_style:
            inside = _behind(name, lines, after=":") or own
        child = f"{key}.{name.value}" if key else str(name.value)
        _visit(value, child, inside, lines, found)


def _behind(node: Any, lines: list[str], *, after: str = "") -> str:
    mark = node.end_mark
    if mark.line >= len(lines):
        return ""
    rest = lines[mark.line][mark.column :].lstrip().removeprefix(after)
    match = _REMARK.match(rest)
    return match[1] if match else ""


def _own_source(node: Any) -> str:
    for name, value in node.value:
        if name.value == "source" and value.id == "scalar":
            return str(value.value)
    return ""


def plain(remarks: dict[str, Remark]) -> dict[str, object]:
    """Return remarks as settings are kept on record, so that a changed one is a reason to run."""
    return flatten({"remark": {key: list(remark) for key, remark in remarks.items()}})
