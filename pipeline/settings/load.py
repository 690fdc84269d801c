"""Lay the configuration files over each other and turn every fault into one clear message."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from pipeline.problem import Problem
from pipeline.settings.base import Section
from pipeline.settings.whole import Settings

SCENARIO_SECTIONS = ("score", "plan", "atlas")
_DEFAULT_FIX = "config/default.yaml shows and explains every key"
_KEY = re.compile(r"(sources(?:\.[a-z0-9_]+)?):")
_Model = TypeVar("_Model", bound=Section)


@dataclass(frozen=True)
class Layer:
    """One configuration file as read."""

    file: str
    content: Mapping[str, Any]


def settings_from_layers(layers: list[Layer]) -> Settings:
    """Return the settings of several files, later ones laid over earlier ones.

    Raises
    ------
    Problem
        Naming file, key, value and what is allowed, for all faults at once.
    """
    return model_from_layers(Settings, layers, _DEFAULT_FIX)


def model_from_layers(model: type[_Model], layers: list[Layer], fix: str) -> _Model:
    """Return a model filled from several files, later ones laid over earlier ones.

    Mappings are merged key by key, an empty one empties what lies below; lists and single values are
    replaced. ``fix`` tells the reader
    where the right keys can be seen.

    Raises
    ------
    Problem
        Naming file, key, value and what is allowed, for all faults at once.
    """
    merged: dict[str, Any] = {}
    origin: dict[tuple[str, ...], str] = {}
    for layer in layers:
        _lay_over(merged, layer.content, (), layer.file, origin)
    _refuse_infinite(merged, origin)
    try:
        return model.model_validate_json(json.dumps(merged, default=str))
    except ValidationError as error:
        raise problem_from(error, origin, layers[-1].file, model=model, fix=fix) from None


def refuse_foreign_sections(layer: Layer) -> None:
    """Stop if a scenario file changes more than it may: it re-weighs, it never re-measures."""
    foreign = [key for key in layer.content if key not in SCENARIO_SECTIONS]
    if foreign:
        raise Problem(
            layer.file,
            f"a scenario may not change {', '.join(map(repr, foreign))}",
            expected=f"only the sections {', '.join(SCENARIO_SECTIONS)}",
            fix="move the change to config/cities/<city>.yaml or config/default.yaml",
        )


def flatten(value: object, path: str = "") -> dict[str, object]:
    """Return nested settings as ``{"score.criteria.climb.weight": 0.2, …}``, sorted by key."""
    if isinstance(value, Mapping) and value:
        flat: dict[str, object] = {}
        for key in sorted(value):
            flat |= flatten(value[key], f"{path}.{key}" if path else str(key))
        return flat
    return {path: value}


def _lay_over(
    base: dict[str, Any],
    top: Mapping[str, Any],
    path: tuple[str, ...],
    file: str,
    origin: dict[tuple[str, ...], str],
) -> None:
    for key, value in top.items():
        here = (*path, str(key))
        origin[here] = file
        if isinstance(value, Mapping) and value:
            below = base.get(key)
            base[key] = below if isinstance(below, dict) else {}
            _lay_over(base[key], value, here, file, origin)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value


def _refuse_infinite(merged: Mapping[str, Any], origin: dict[tuple[str, ...], str]) -> None:
    for key, value in flatten(merged).items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, float) and not math.isfinite(item):
                raise Problem(
                    _origin_of(tuple(key.split(".")), origin, "config"),
                    f"{key} = {item}",
                    expected="a finite number",
                    fix="write the number, or remove the line to keep the default",
                )


def _origin_of(path: tuple[str, ...], origin: dict[tuple[str, ...], str], fallback: str) -> str:
    for length in range(len(path), 0, -1):
        if path[:length] in origin:
            return origin[path[:length]]
    return fallback


def problem_from(
    error: ValidationError,
    origin: dict[tuple[str, ...], str],
    fallback: str,
    *,
    model: type[Section] = Settings,
    fix: str = _DEFAULT_FIX,
) -> Problem:
    """Return every fault that a model found as one message: file, key, value, what is allowed."""
    faults = []
    # what is written wrongly before what is absent
    for fault in sorted(error.errors(include_url=False), key=lambda one: one["type"] == "missing"):
        path = tuple(str(part) for part in fault["loc"] if part != "[key]")
        file = _origin_of(path or _key_named(fault["msg"]), origin, fallback)
        faults.append((file, _describe(".".join(path), fault, model)))
    where = faults[0][0]
    same = all(file == where for file, _ in faults)
    told = [text if same else f"{file}: {text}" for file, text in faults[:12]]
    if len(faults) > 12:
        told.append(f"… and {len(faults) - 12} more")
    return Problem(
        where if same else "configuration",
        told[0] if len(told) == 1 else f"{len(faults)} faults\n  " + "\n  ".join(told),
        fix=fix,
    )


def _key_named(message: str) -> tuple[str, ...]:
    """Return the key that a fault of the whole configuration begins with, such as sources.roads."""
    found = _KEY.match(message.removeprefix("Value error, "))
    return tuple(found[1].split(".")) if found else ()


def _describe(key: str, fault: Any, model: type[Section]) -> str:
    kind, message = fault["type"], fault["msg"].removeprefix("Value error, ")
    if kind == "missing":
        return f"{key} is missing; it has no default and must be stated"
    if kind == "extra_forbidden":
        near = get_close_matches(key.split(".")[-1], _known_keys(model, fault["loc"]), n=1)
        return f"unknown key {key}" + (f"; did you mean {near[0]}?" if near else "")
    value = fault["input"]
    shown = f" = {value!r}" if not isinstance(value, dict) else ""
    return f"{key}{shown}: {message}" if key else message


def _known_keys(model: Any, path: tuple[object, ...]) -> list[str]:
    """Return the keys that the model knows at this place."""
    for part in path[:-1]:
        fields = _fields(model)
        if str(part) in fields:
            model = _without_none(fields[str(part)].annotation)
        elif get_args(model):
            model = get_args(model)[-1]
    return list(_fields(model))


def _fields(model: Any) -> dict[str, Any]:
    """Return a model's fields by the name that a file uses; none if it is no model."""
    return {
        field.alias or name: field for name, field in getattr(model, "model_fields", {}).items()
    }


def _without_none(kind: Any) -> Any:
    """Return the kind itself where it may also be null."""
    kinds = [one for one in get_args(kind) if one is not type(None)]
    return kinds[0] if type(None) in get_args(kind) and len(kinds) == 1 else kind
