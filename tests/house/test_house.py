"""The house rules that no linter knows."""

import ast
import importlib
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from pipeline import flow
from pipeline.command.architecture import reduced, with_rooms
from pipeline.command.documents import changes_schema, data_dictionary, settings_schema
from pipeline.contracts.columns import COLUMNS, FLAG, REAL, TEXT, WHOLE
from pipeline.contracts.tables import Table
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_change, read_settings
from tests.conftest import REPOSITORY

CODE = sorted((REPOSITORY / "pipeline").rglob("*.py"))
ENDINGS = {
    "_m": ("m", REAL), "_m2": ("m²", REAL), "_deg": ("°", REAL), "_min": ("min", REAL),
    "_yr": ("yr", REAL), "_share": ("share", REAL), "_points": ("points", REAL),
    "_year": ("year", WHOLE), "_count": (None, WHOLE), "_number": ("ordinal", WHOLE),
    "_id": ("", TEXT), "_name": ("", TEXT), "_type": ("", TEXT), "_text": ("", TEXT),
    "_code": ("", TEXT), "_origin": ("", TEXT), "_cny": ("yuan", REAL),
    "_wan_cny": ("10,000 yuan", REAL), "_cny_per_m2": ("yuan/m²", REAL),
}  # fmt: skip


def test_endings_tell_the_unit_and_the_type() -> None:
    for column in COLUMNS.values():
        if column.name.startswith(("is_", "has_")):
            assert column.kind == FLAG, column.name
            continue
        endings = [ending for ending in ENDINGS if column.name.endswith(ending)]
        for ending in sorted(endings, key=len)[-1:]:
            unit, kind = ENDINGS[ending]
            assert column.kind == kind, column.name
            assert unit is None or column.unit == unit, column.name


def test_every_column_stands_in_some_table() -> None:
    from pipeline.contracts import tables

    used = {n for t in vars(tables).values() if isinstance(t, Table) for n in t.column_names}
    assert set(COLUMNS) == used


def test_what_a_stage_reads_is_written_earlier_and_by_one_stage_only() -> None:
    written: set[object] = set()
    for stage in flow.STAGES:
        assert set(stage.reads) | set(stage.reads_rasters) <= written, stage.name
        new = {*stage.writes, *stage.writes_rasters, *stage.pages, *stage.map_files}
        assert not new & written, stage.name
        written |= new
        room = importlib.import_module(f"pipeline.{stage.name}.stage")
        assert callable(room.run)
        assert set(stage.prepares_from) <= set(stage.reads), stage.name
        assert hasattr(room, "prepare") == bool(stage.prepares_from), stage.name


def test_a_stage_looks_only_at_the_settings_it_declares() -> None:
    for stage in flow.STAGES:
        for path in (REPOSITORY / "pipeline" / stage.name).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            for section, key in re.findall(r"\bsettings\.(\w+)(\.\w+)?", text):
                if section in Settings.model_fields:
                    seen = {section, section + key}
                    assert seen & set(stage.settings), f"{path}: settings.{section}{key}"


def test_only_the_store_writes_files() -> None:
    writers = re.compile(
        r"\.(to_file|to_csv|to_parquet|to_json|to_html|save|write_text|write_bytes|tofile)\(|\bopen\("
    )
    for path in CODE:
        room = path.relative_to(REPOSITORY / "pipeline").parts[0]
        if room in ("store", "reference", "command", "fetch", "scratch.py"):  # it locks folders
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert not writers.search(line), f"{path}:{number}: {line.strip()}"


def test_no_room_is_a_lumber_room_and_no_file_is_too_long() -> None:
    for path in CODE:
        assert path.stem not in ("utils", "helpers", "misc", "common"), path
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 420, path


def test_public_functions_and_classes_say_what_they_give() -> None:
    for path in CODE:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path}:{node.lineno} {node.name}"


def test_default_settings_are_complete() -> None:
    """Everything but the city and its sources stands in default.yaml; code holds no default."""
    default = YAML(typ="safe").load((REPOSITORY / "config" / "default.yaml").read_text("utf-8"))
    assert set(default) == set(Settings.model_fields) - {"city", "sources"}
    for name in default:
        section = Settings.model_fields[name].annotation
        assert section is not None
        assert set(default[name]) == set(section.model_fields), name
        _all_required(section)


def _all_required(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert field.is_required(), f"{model.__name__}.{name} has a default in code"
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                _all_required(part)


@pytest.mark.parametrize("path", sorted((REPOSITORY / "config" / "cities").glob("*.yaml")))
def test_every_profile_and_scenario_is_valid(path: Path) -> None:
    for scenario in (REPOSITORY / "config" / "scenarios").glob("*.yaml"):
        settings = read_settings(REPOSITORY / "config", path.stem, scenario.stem)
        assert sum(one.weight for one in settings.score.criteria.values()) > 0


@pytest.mark.parametrize("path", sorted((REPOSITORY / "config" / "changes").glob("*.yaml")))
def test_every_change_is_valid(path: Path) -> None:
    assert read_change(REPOSITORY / "config", path.stem)[1].actions


def test_every_policy_number_has_a_source() -> None:
    settings = read_settings(REPOSITORY / "config", "yuzhong", "base")
    for name, criterion in settings.score.criteria.items():
        assert criterion.source.strip(), name


def test_made_documents_are_fresh() -> None:
    """Run ``make documents`` when this fails."""
    dictionary = (REPOSITORY / "data" / "README.md").read_text(encoding="utf-8")
    schema = (REPOSITORY / "config" / "schema.json").read_text(encoding="utf-8")
    assert dictionary == data_dictionary(), "stale: make documents"
    assert schema == settings_schema(), "stale: make documents"
    changes = (REPOSITORY / "config" / "changes.schema.json").read_text(encoding="utf-8")
    assert changes == changes_schema(), "stale: make documents"
    architecture = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert architecture == with_rooms(architecture), "stale: make documents"


def test_the_drawing_leaves_out_what_follows_from_other_arrows() -> None:
    imports = {"top": {"middle", "low", "base"}, "middle": {"low"}, "low": {"base"}, "base": set()}
    assert reduced(imports) == {
        "top": {"middle"},
        "middle": {"low"},
        "low": {"base"},
        "base": set(),
    }


def test_lock_files_pin_hashes_and_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--hash=sha256:" in text
        pinned = {line.split("==")[0] for line in text.splitlines() if re.match(r"^[a-z0-9]", line)}
        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
        wanted = {re.split(r"[>=]", item)[0] for item in project["dependencies"]}
        assert wanted <= pinned


def test_every_make_target_is_listed_by_help() -> None:
    text = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE)) - {"ready", "ready-dev"}
    told = set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
    assert targets == told
