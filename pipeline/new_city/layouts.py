"""Layouts of national data: by which fields one is known, and what its columns and words mean."""

from collections.abc import Mapping
from typing import Any

from pipeline.new_city.names import plain
from pipeline.settings.new_city import Layout
from pipeline.store.looks import Look


def layout_of(look: Look, role: str, layouts: Mapping[str, Layout]) -> Layout | None:
    """Return the first layout of a role that a layer has by its fields; none if it has none."""
    fields = {plain(str(one)) for one in look.fields.columns}
    for layout in layouts.values():
        if layout.role == role and any(
            {plain(one) for one in known} <= fields for known in layout.known_by
        ):
            return layout
    return None


def columns_with(layout: Layout | None, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names of fields by our columns, those of a layout instead of the general ones."""
    return {**columns, **(layout.columns if layout else {})}


def values_with(layout: Layout | None, column: str, general: Mapping[str, str]) -> dict[str, str]:
    """Return the words of a column with their meaning; a layout's codes are its own."""
    if layout is None:
        return dict(general)
    plain_words = {word: ours for word, ours in general.items() if not word.isdigit()}
    return {**layout.values.get(column, {}), **plain_words, **layout.values.get(column, {})}
