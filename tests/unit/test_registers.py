"""Registers are read the same by either way, and what is wrong is said."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store import registers
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

MODEL = read_settings(REPOSITORY / "config", "reference", "base").sources["inspection"]
FIELDS = {"building_id": ["楼栋编号"], "inspection_year": ["体检年度"]}
HEAD = "楼栋编号,体检年度,备注"


def source(encoding: str) -> Source:
    return MODEL.model_copy(update={"encoding": encoding, "columns": FIELDS})


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_both_ways_read_the_same(
    encoding: str, ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [HEAD, "01, 2023 ,无", "", "02,,\u3000NA ", "null,nan,=1+1", "07,2024,"]
    file = tmp_path / "register.csv"
    file.write_bytes(ends.join(lines).encode(encoding))
    quick = registers._plain_columns(file, source(encoding))
    assert quick is not None
    found = registers.read_rows(file, "inspection", source(encoding))
    assert found["楼栋编号"].tolist() == ["01", "02", "null", "07"]
    assert found["体检年度"].tolist() == ["2023", "", "nan", "2024"]
    assert found["备注"].tolist() == ["无", "NA", "=1+1", ""]
    monkeypatch.setattr(registers, "_plain_columns", lambda *_: None)
    pd.testing.assert_frame_equal(found, registers.read_rows(file, "inspection", source(encoding)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD}\n01,2023\n", "line 2 has 2 cells"),
        (f"{HEAD}\n01,2023,a,b\n", "line 2 has 4 cells"),
        (f"{HEAD}\n", "holds no rows"),
        ("", "the file is empty"),
        (f'{HEAD}\n01,2023,"a\n', "not valid CSV"),
        ("楼栋编号,备注\n01,x\n", "has no column 体检年度"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Problem, match=words):
        registers.read_rows(file, "inspection", source("utf-8"))


def test_commas_and_line_ends_in_quotes_belong_to_the_cell(tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    file.write_text(f'{HEAD}\n01,2023,"a, ""b""\nc"\n', encoding="utf-8")
    found = registers.read_rows(file, "inspection", source("utf-8"))
    assert found["备注"].tolist() == ['a, "b"\nc']
