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
_PLAIN = re.compile(r"[^\W\d_][\w ./:()（）·%+-]*")
_WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n", "nan", "inf"}
_WHERE = ("datum", "crs", "encoding")
_COMMON = (*_WHERE, "publisher", "licence", "attribution", "date")


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
    lines = [f"# {text}" for text in head]
    lines += ["city:", *(_line(2, key, noted) for key, noted in city.items())]
    lines += ["sources:"]
    anchors: list[tuple[str, dict[str, Any]]] = []
    for source in sources:
        lines += [f"  {source.name}:" + _behind(source.note)]
        lines += [_line(4, key, noted) for key, noted in source.own.items()]
        lines += _common_lines(source.common, anchors)
        if source.columns:
            lines += ["    columns:"]
            lines += [_line(6, key, noted) for key, noted in source.columns.items()]
        if source.values:
            lines += ["    values:"]
            lines += [f"      {key}: {_flow(dict(words))}" for key, words in source.values.items()]
    sections: dict[str, list[str]] = {}
    for path, rules in settings.items():
        section, part = path.split(".")
        sections.setdefault(section, []).append(f"  {part}:")
        sections[section] += [_line(4, key, noted) for key, noted in rules.items()]
    for section, found in sections.items():
        lines += [f"{section}:", *found]
    lines += [f"# {text}" for text in tail]
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


def _common_lines(
    common: Mapping[str, Noted], anchors: list[tuple[str, dict[str, Any]]]
) -> list[str]:
    """Return the lines of what sources have in common: stated once, then referred to.

    One that differs in a single key refers to the other and states that key.
    """
    plain = {key: common[key].value for key in _COMMON if key in common}
    notes = [f"{key}: {common[key].note}" for key in plain if common[key].note]
    best = None
    for name, known in anchors:
        differing = {key: value for key, value in plain.items() if known.get(key, ...) != value}
        if set(known) == set(plain) and len(differing) <= 1:
            best = min(best or (9, "", {}), (len(differing), name, differing), key=lambda o: o[0])
    if best:
        _, name, differing = best
        return [
            f"    <<: *{name}",
            *(_line(4, key, common[key]) for key in plain if key in differing),
        ]
    name = f"given{len(anchors) + 1}"
    anchors.append((name, plain))
    where = {key: value for key, value in plain.items() if key in _WHERE}
    whose = {key: value for key, value in plain.items() if key not in _WHERE}
    return [
        *(f"    # {note}" for note in notes),
        f"    <<: &{name} {_flow(where)[:-1]},",
        f"      {_flow(whose)[1:]}",
    ]


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
    plain = (
        _PLAIN.fullmatch(value)
        and value.lower() not in _WORDS
        and value == value.strip()
        and ": " not in value
        and not value.endswith(":")
        and (":" not in value or "/" not in value)
    )
    return value if plain else json.dumps(value, ensure_ascii=False)
