"""YAML as nodes: values and the places where they stand, from one reading of a text."""

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=32)
def composed(text: str) -> Any:
    """Return the root node of a YAML text, ``None`` if it holds nothing.

    Reading is slow and both the settings and the remarks beside them want it, so nodes are kept;
    nobody changes them.

    Raises
    ------
    ruamel.yaml.error.YAMLError
        If it is not YAML.
    """
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).compose(text)


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
