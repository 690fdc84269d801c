"""``make office-lists``: a workbook in which numbers of buildings stay what they are."""

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from pipeline.command.office_lists import CATEGORIES, SHEETS, workbook_bytes
from pipeline.contracts.columns import COLUMNS
from tests.conftest import Project

WORKS = {"pipes": "管网改造", "lift": "加装电梯"}
IDS = ["500103001001000012", "1-1", "00002", "=1+1", "http://x.example/1"]


def lists() -> dict[str, pd.DataFrame]:
    """Return lists of five buildings; only what the workbook shows, and one column that it does not."""
    buildings = pd.DataFrame(
        {
            "rank": pd.array([1, 2, None, 3, 4], dtype="Int64"),
            "building_id": IDS,
            "track_type": ["ranked", "ranked", "hazard", "ranked", "ranked"],
            "is_lifted": [True, False, None, False, False],
            "score_points": [71.25, 60.0, None, 3.0, 2.0],
            "batch_type": ["implement", "reserve", None, "plan", "reserve"],
            "planned_works_codes": ["pipes|lift", None, None, "pipes", None],
            "wait_reason_code": [None, "budget", None, None, "not_asked"],
            "relief_m": 1.0,
        }
    )
    area = pd.DataFrame(
        {
            "area_name": ["云金坪"], "row_type": ["estate"], "area_id": ["渝中区/estate/00007"],
            "planned_cost_cny": [1_234_567.89], "asked_household_share": [0.25],
        }
    )  # fmt: skip
    return {"区县": area, "重点片区": area, "小区": area, "楼栋": buildings}


def rows(content: bytes, sheet: str) -> list[tuple[object, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(content))[sheet].iter_rows(values_only=True))


def test_numbers_of_buildings_are_text_and_run_nowhere() -> None:
    content = workbook_bytes(lists(), WORKS, is_synthetic=False)
    head, *body = rows(content, "楼栋")
    assert head == (
        "名次", "楼栋编号", "去向", "得分", "因安全提前", "批次", "计划改造内容", "未列入原因",
    )  # fmt: skip
    assert [row[1] for row in body] == IDS
    assert body[0] == (1, IDS[0], "参与排序", 71.25, "是", "实施", "管网改造、加装电梯", None)
    assert body[1][5:] == ("储备", None, "资金有限，按需求与成本排后")
    assert body[2][0] is None
    assert body[2][3] is None
    cells = openpyxl.load_workbook(io.BytesIO(content))["楼栋"]["B"][1:]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    told = dict(zip(*rows(content, "小区"), strict=True))
    assert told == {
        "类别": "小区", "小区或片区": "云金坪", "编号": "渝中区/小区/00007",
        "计划投资（万元）": 123.456789, "已征求意愿户数比例": 0.25,
    }  # fmt: skip
    assert workbook_bytes(lists(), WORKS, is_synthetic=False) == content


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_numbers_survive_libreoffice(tmp_path: Path) -> None:
    """Opened and saved as CSV, as a clerk would: every id is what it was."""
    book = tmp_path / "lists.xlsx"
    book.write_bytes(workbook_bytes(lists(), WORKS, is_synthetic=False))
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/home",
         "--convert-to", every_sheet, "--outdir", str(tmp_path), str(book)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    with (tmp_path / "lists-楼栋.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["楼栋编号"] for row in csv.DictReader(file)] == IDS
    for sheet in ("区县", "小区"):
        text = (tmp_path / f"lists-{sheet}.csv").read_text(encoding="utf-8-sig")
        (row,) = csv.DictReader(io.StringIO(text))
        assert row["计划投资（万元）"].strip() == "123.456789"


def test_an_invented_city_says_so_in_every_row() -> None:
    for sheet in SHEETS:
        head, *body = rows(workbook_bytes(lists(), WORKS, is_synthetic=True), sheet)
        assert head[-1] == "数据性质"
        assert {row[-1] for row in body} == {"合成数据，非真实建筑"}


def test_heads_are_chinese_and_their_columns_are_in_the_lists() -> None:
    for _, heads in SHEETS.values():
        assert all(any(one.matches(name) for one in COLUMNS.values()) for name in heads)
        assert all(re.match("[一-鿿]", called) for called in heads.values())
        assert len(set(heads.values())) == len(heads)


def test_the_workbook_holds_the_lists_of_the_run(project: Project) -> None:
    assert project.rank().returncode == 0
    told = project.run("office-lists", "--city", "minitown")
    assert told.returncode == 0, told.stderr
    folder = project.root / "data" / "processed" / "minitown" / "base"
    file = folder / "office_lists.xlsx"
    assert file.relative_to(project.root).as_posix() in told.stdout
    text = (folder / "building_ranking.csv").read_text("utf-8-sig")
    listed = list(csv.DictReader(io.StringIO(text)))
    head, *body = rows(file.read_bytes(), "楼栋")
    assert head == tuple(SHEETS["楼栋"][1].values())
    place = head.index("楼栋编号")
    assert [row[place] for row in body] == [row["building_id"] for row in listed]
    for sheet, (_, heads) in SHEETS.items():
        head, *body = rows(file.read_bytes(), sheet)
        shown = [heads[column] for column in CATEGORIES if column in heads]
        words = {str(row[head.index(called)]) for row in body for called in shown}
        assert not [word for word in words if re.fullmatch("[a-z][a-z_ ]+", word)]

    table = folder / "estate_priority.parquet"
    table.write_bytes(table.read_bytes()[:-40])
    cut = project.run("office-lists", "--city", "minitown")
    assert cut.returncode == 2
    assert "estate_priority.parquet" in cut.stderr
    assert "Traceback" not in cut.stderr
