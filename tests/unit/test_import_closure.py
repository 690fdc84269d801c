"""What counts as a stage's code: compared with grimp, which reads imports by Python's own parser."""

from pathlib import Path

import grimp
import pytest

from pipeline import fingerprints
from pipeline.fingerprints import SOURCE_READERS
from pipeline.flow import STAGES
from pipeline.import_closure import FOLDER, import_closure

READER_PROCESS = "pipeline.store.gdal_reader"
"""Imported by a line of code that another interpreter is started with."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("pipeline")


def module_name(path: Path) -> str:
    parts = path.relative_to(FOLDER.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_leads_to_what_grimp_says(stage, graph: grimp.ImportGraph) -> None:
    roots = ["pipeline.flow", f"pipeline.{stage.name}.stage"]
    without = () if stage.reads_sources else (SOURCE_READERS,)
    found = import_closure(roots, without=without)
    modules = {module_name(path) for path in found.files if path.suffix == ".py"}
    expected, waiting = set(), [*roots, *([READER_PROCESS] if READER_PROCESS in modules else [])]
    while waiting:
        module = waiting.pop()
        if module not in expected and module not in without:
            expected.add(module)
            waiting += graph.find_modules_directly_imported_by(module)
    parents = {name.rpartition(".")[0] for name in expected} | {"pipeline"}
    assert modules | {""} == expected | parents | {""}


def test_no_stage_sees_what_it_does_not_use() -> None:
    folders = {}
    for stage in STAGES:
        code = fingerprints._code(stage.name, reads_sources=stage.reads_sources)
        folders[stage.name] = set(code)
    assert "pages/static/report.css" in folders["atlas"]
    assert "atlas/static/page.css" in folders["atlas"]
    for name in ("intake", "measure", "score", "plan", "gis"):
        assert not any(file.endswith((".css", ".js", ".html", ".j2")) for file in folders[name])
    assert "osmium" in folders["intake"] and "osmium" not in folders["plan"]
    assert "pyproj" in folders["atlas"] and "pypinyin" in folders["atlas"]
    assert "xstatic-leaflet" in folders["atlas"]
    assert "store/pbf.py" in folders["intake"] and "store/pbf.py" not in folders["measure"]
    studies = ("measure/what_if.py", "score/compare.py", "plan/cashflow.py", "years/evaluate.py")
    assert not any(study in files for study in studies for files in folders.values())


def test_an_unknown_module_leads_nowhere() -> None:
    assert import_closure(["pipeline.nothing"]).files == ()
