"""The drawing and the table of rooms in ``docs/architecture.md``, made from the code's imports."""

import importlib
import inspect
from collections.abc import Mapping

from pipeline.flow import STAGES
from pipeline.import_closure import PACKAGE, room_imports

BEGIN, END = "<!-- rooms: made by `make documents` -->", "<!-- end of rooms -->"
_STAGE_ORDER = {stage.name: number for number, stage in enumerate(STAGES, start=1)}


def with_rooms(text: str) -> str:
    """Return the document with a fresh drawing and table between its two marks.

    Raises
    ------
    ValueError
        If the marks are absent.
    """
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"docs/architecture.md lacks {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{_drawing()}\n\n{_table()}\n\n{END}{after}"


def reduced(imports: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the imports without those that also follow from others; there must be no circle."""
    reach: dict[str, set[str]] = {}

    def all_below(room: str) -> set[str]:
        if room not in reach:
            below = imports.get(room, set())
            reach[room] = below.union(*(all_below(one) for one in below))
        return reach[room]

    return {
        room: {one for one in below if not any(one in all_below(other) for other in below)}
        for room, below in imports.items()
    }


def _drawing() -> str:
    lines = ["```mermaid", "flowchart TD"]
    lines += [
        f"  {room} --> {one}"
        for room, below in sorted(reduced(room_imports()).items())
        for one in sorted(below)
    ]
    lines += [f"  flow -. runs {number} .-> {name}" for name, number in _STAGE_ORDER.items()]
    return "\n".join([*lines, "```"])


def _table() -> str:
    lines = ["| room | what it is | leads to |", "| --- | --- | --- |"]
    for room, below in sorted(room_imports().items()):
        about = inspect.getdoc(importlib.import_module(f"{PACKAGE}.{room}")) or ""
        first = about.split("\n\n")[0].replace("\n", " ")
        leads = ", ".join(f"`{one}`" for one in sorted(below))
        lines.append(f"| `{room}` | {first} | {leads} |")
    return "\n".join(lines)
