"""YAML as nodes: values and the places where they stand, from one reading of a text."""

from functools import lru_cache
from typing import Any

_MOST_VALUES = 50_000
"""Of one file; config/default.yaml, the largest, holds about 2,500."""
_MOST_DIGITS = 4000
_AT_WORK = -1


@lru_cache(maxsize=32)
def composed(text: str) -> Any:
    """Return the root node of a YAML text, ``None`` if it holds nothing.

    Reading is slow and both the settings and the remarks beside them want it, so nodes are kept;
    nobody changes them.

    Raises
    ------
    ruamel.yaml.error.YAMLError
        If it is not YAML.
    ValueError
        If its aliases (``*name``) lead back to themselves or unfold to more than settings can be, or a
        number has thousands of digits.
    """
    from ruamel.yaml import YAML

    root = YAML(typ="safe", pure=True).compose(text)
    if root is not None:
        _unfolded(root, {})
    return root


def _unfolded(node: Any, known: dict[int, int]) -> int:
    """Return how many values a node stands for with all its aliases written out."""
    if known.get(id(node)) == _AT_WORK:
        raise ValueError("an alias leads back to what it is part of")
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = _AT_WORK
    count = 1
    if isinstance(node.value, str):
        if len(node.value) > _MOST_DIGITS and not node.tag.endswith(":str"):
            raise ValueError(f"a value of {len(node.value):,} signs")
    else:
        for child in node.value:
            parts = child if isinstance(child, tuple) else (child,)
            count += sum(_unfolded(part, known) for part in parts)
    if count > _MOST_VALUES:
        raise ValueError(f"its aliases unfold to more than {_MOST_VALUES:,} values")
    known[id(node)] = count
    return count


def plain_values(text: str) -> Any:
    """Return what a YAML text says as dicts, lists, texts and numbers.

    Raises
    ------
    ruamel.yaml.error.YAMLError
        If it is not YAML, or a key stands there twice.
    """
    from ruamel.yaml import YAML

    root = composed(text)
    return (
        None if root is None else YAML(typ="safe", pure=True).constructor.construct_document(root)
    )
