"""Write city profiles as a person would: commented, and never over what a person changed."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.problem import Problem
from pipeline.store.files import Batch

_SEAL = "# made by `make {}`; lines below: sha256 {}"
_SEALED = re.compile(r"# made by `make [a-z-]+`; lines below: sha256 ([0-9a-f]{64})\n")
_PLAIN = re.compile(r"[^\W\d_][\w ./()（）·%+-]*")
_WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n", "nan", "inf"}
_WHERE = ("datum", "crs", "encoding")
_COMMON = (*_WHERE, "publisher", "licence", "attribution", "date")
_TWO = ("", "")


@dataclass(frozen=True)
class Noted:
    """A value and the comment behind it."""

    value: Any
    note: str = ""


@dataclass(frozen=True)
class SourceLines:
    """One source of a profile."""

    name: str
    own: Mapping[str, Noted]
    """Path, role, format and what else is this source's own."""
    common: Mapping[str, Noted]
    """Datum, CRS, encoding, publisher, licence, attribution, date: written once where they repeat."""
    columns: Mapping[str, Noted] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    note: str = ""


def profile_text(
    head: Sequence[str],
    city: Mapping[str, Noted],
    sources: Sequence[SourceLines],
    settings: Mapping[str, Mapping[str, Noted]],
    tail: Sequence[str] = (),
) -> str:
    """Return a profile: comments, the city, its sources, and settings such as ``intake.housing``."""
    lines = [f"# {_one_line(text)}" for text in head]
    lines += ["city:", *(_line(2, key, noted) for key, noted in city.items())]
    lines += ["sources:"]
    anchors: list[tuple[str, dict[str, Any]]] = []
    for source in sources:
        lines += _source_lines(source, anchors)
    sections: dict[str, list[str]] = {}
    for path, rules in settings.items():
        section, part = path.split(".")
        sections.setdefault(section, []).append(f"  {part}:")
        sections[section] += [_line(4, key, noted) for key, noted in rules.items()]
    for section, found in sections.items():
        lines += [f"{section}:", *found]
    lines += [f"# {_one_line(text)}" for text in tail]
    return "\n".join(lines) + "\n"


def write_profile(path: Path, command: str, text: str) -> bool:
    """Write a profile unless one stands there that a person wrote or changed; say whether it was.

    The first line seals the others: a profile whose seal does not fit was changed by hand.
    """
    if path.exists() and not _is_sealed(path):
        return False
    sealed = _SEAL.format(command, hashlib.sha256(text.encode()).hexdigest()) + "\n" + text
    with Batch() as batch:
        batch.add(path, sealed.encode())
    return True


def refuse_hand_written(path: Path, name: str) -> None:
    """Stop if a profile stands there that a person wrote or changed."""
    if path.exists() and not _is_sealed(path):
        raise Problem(
            path, "stands there already and was written or changed by hand",
            expected="a new name", fix=f"choose another NAME=, or move that file away ({name})",
        )  # fmt: skip


def _is_sealed(path: Path) -> bool:
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return False
    found = _SEALED.match(text)
    return (
        found is not None and hashlib.sha256(text[found.end() :].encode()).hexdigest() == found[1]
    )


def _source_lines(source: SourceLines, anchors: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Return a source as one mapping, a line for what belongs together, each with its notes.

    What sources have in common stands once; one that differs in a single key refers to the other and
    states that key.
    """
    own = list(source.own.items())
    plain = {key: source.common[key].value for key in _COMMON if key in source.common}
    best: tuple[str, list[str]] | None = None
    for name, known in anchors:
        differing = [key for key, value in plain.items() if known.get(key, ...) != value]
        if set(known) == set(plain) and len(differing) < len(best[1] if best else _TWO):
            best = name, differing
    lines = [(f"  {source.name}: {{{_pairs(own)}", _notes(own, source.note))]
    if best:
        name, differing = best
        rest = [(key, source.common[key]) for key in differing]
        told = _notes([(key, source.common[key]) for key in plain])
        lines.append((f"    <<: *{name}" + (f", {_pairs(rest)}" if rest else ""), told))
    else:
        where, whose = (
            [(key, source.common[key]) for key in plain if (key in _WHERE) == is_where]
            for is_where in (True, False)
        )
        anchors.append((f"given{len(anchors) + 1}", plain))
        lines.append((f"    <<: &{anchors[-1][0]} {{{_pairs(where)}", _notes(where)))
        lines.append((f"      {_pairs(whose)}}}", _notes(whose)))
    columns = list(source.columns.items())
    if any(noted.note for _, noted in columns):
        lines.append(("    columns: {", ""))
        lines += [(f"      {_pairs([one])}", _notes([one])) for one in columns]
        lines[-1] = lines[-1][0] + "}", lines[-1][1]
    elif columns:
        lines.append((f"    columns: {{{_pairs(columns)}}}", ""))
    if source.values:
        words = [(key, Noted(dict(said))) for key, said in source.values.items()]
        lines.append((f"    values: {{{_pairs(words)}}}", ""))
    last = len(lines) - 1
    return [
        text + ("}" if number == last else "" if text.endswith("{") else ",") + note
        for number, (text, note) in enumerate(lines)
    ]


def _pairs(group: Sequence[tuple[str, Noted]]) -> str:
    return ", ".join(f"{key}: {_flow(noted.value)}" for key, noted in group)


def _notes(group: Sequence[tuple[str, Noted]], first: str = "") -> str:
    told = [first, *(noted.note for _, noted in group)]
    return _behind("; ".join(dict.fromkeys(note for note in told if note)))


def _line(indent: int, key: str, noted: Noted) -> str:
    return f"{' ' * indent}{key}: {_flow(noted.value)}" + _behind(noted.note)


def _behind(note: str) -> str:
    return f"  # {_one_line(note)}" if note else ""


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS and value == value.strip()
    return value if plain else _quoted(value)


def _quoted(text: str) -> str:
    """Return a text in double quotes; what no editor shows is written as its code."""
    marked = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in marked)
