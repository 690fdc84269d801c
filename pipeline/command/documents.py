"""Documents made from the code: the data dictionary and the JSON schema of the settings."""

import ast
import inspect
import json
import textwrap
from itertools import pairwise

from pydantic import BaseModel

from pipeline.contracts import tables
from pipeline.contracts.columns import Column
from pipeline.contracts.tables import Table
from pipeline.settings.base import Section
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
    return _schema(Settings)


def changes_schema() -> str:
    """Return the JSON schema of a what-if file, for editors."""
    return _schema(Change)


def _schema(model: type[BaseModel]) -> str:
    """Return a model's JSON schema with the docstrings of its fields.

    Pydantic would read them from the source of every model in every run, a tenth of a second.
    """
    schema = model.model_json_schema()
    described = {}
    for one in _all_below(Section):  # of models that share a name the schema tells the module too
        for name in (one.__name__, f"{one.__module__}.{one.__name__}".replace(".", "__")):
            described[name] = _field_docstrings(one)
    for name, part in [(model.__name__, schema), *schema.get("$defs", {}).items()]:
        for field, text in described.get(name, {}).items():
            told = part["properties"][field] | {"description": text}
            part["properties"][field] = dict(sorted(told.items()))
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def _all_below(model: type[BaseModel]) -> list[type[BaseModel]]:
    return [one for below in model.__subclasses__() for one in (below, *_all_below(below))]


def _field_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the text that stands below each field, by the name it has in a file."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, Section):
            tree = ast.parse(textwrap.dedent(inspect.getsource(one)))
            body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
            for field, text in pairwise(body):
                match (field, text):
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str(told))),
                    ):
                        found[model.model_fields[name].alias or name] = inspect.cleandoc(told)
    return found


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
