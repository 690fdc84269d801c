"""Documents made from the code: the data dictionary and the JSON schema of the settings."""

import json

from pipeline.contracts import tables
from pipeline.contracts.columns import Column
from pipeline.contracts.tables import Table
from pipeline.settings.change import Change
from pipeline.settings.whole import Settings


def data_dictionary() -> str:
    """Return the data dictionary as Markdown: every table, every column, once each."""
    lines = [
        "# Data dictionary",
        "",
        "Made by `make documents` from `pipeline/contracts/`; do not edit by hand.",
        "",
        "`{}` in a name stands for each facility type or criterion of the configuration. An empty cell "
        "means that the value is not known; it is never zero. Rows are sorted; ids are text.",
        "",
        "- `data/raw/<city>/`: files as delivered, never edited, never committed.",
        "- `data/processed/<city>/`: tables that all scenarios share; `…/<scenario>/`: lists; "
        "`…/what_if/<change>.csv`: what a change would do.",
        "- Everything under `data/processed/` and `maps/` can be deleted and made again.",
    ]
    every = [table for table in vars(tables).values() if isinstance(table, Table)]
    for table in every:
        lines += ["", f"## {table.name}", "", _about(table), ""]
        lines += ["| column | unit | range or list | may be empty | meaning |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        lines += [_row(column) for column in table.columns]
        if table.headers:
            lines += ["", f"In the CSV: {', '.join(table.headers)}."]
    return "\n".join(lines) + "\n"


def settings_schema() -> str:
    """Return the JSON schema of a complete configuration, for editors."""
    return json.dumps(Settings.model_json_schema(), ensure_ascii=False, indent=1) + "\n"


def changes_schema() -> str:
    """Return the JSON schema of a what-if file, for editors."""
    return json.dumps(Change.model_json_schema(), ensure_ascii=False, indent=1) + "\n"


def _about(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.key) or "none"
    shape = f"; geometry: {' or '.join(table.geometry)}" if table.geometry else ""
    return f"Key: {key}{shape}."


def _row(column: Column) -> str:
    allowed = ", ".join(column.allowed)
    if column.lowest is not None and column.highest is not None:
        allowed = f"{column.lowest:g} – {column.highest:g}"
    empty = "yes" if column.may_be_empty else ""
    return f"| `{column.name}` | {column.unit} | {allowed} | {empty} | {column.meaning} |"
