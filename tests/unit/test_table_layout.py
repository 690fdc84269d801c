"""Titles, headers of several rows, merged cells, separators and encodings, each by hand."""

import zipfile
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from pipeline.contracts.merged_cells import as_if_merged
from pipeline.problem import Problem
from pipeline.store.table_layout import header_rows, laid_out
from pipeline.store.table_text import separator_of, text_encoding
from pipeline.store.workbooks import read_sheets
from tests.register_town import write_ods

BODY = [["YZ1", "甲小区", "1980", "6", "24"], ["YZ2", "甲小区", "1981", "7", "28"]] * 5
NAMES = ["楼栋编号", "小区名称", "建成年代", "层数", "户数"]


@pytest.mark.parametrize(
    ("above", "rows"),
    [
        ([NAMES], (1,)),
        ([["渝中区台账", "", "", "", ""], NAMES], (2,)),
        ([["# 2023"], [], NAMES], (3,)),
        ([["台账"], ["单位：㎡", "", "填表人：张三", "", "日期：2023年"], NAMES], (3,)),
        (
            [["楼栋编号", "基本情况", "", "", "户数"], ["", "小区名称", "建成年代", "层数", ""]],
            (1, 2),
        ),
        ([["编号", "情况", "", "规模", ""], NAMES], (2,)),
        ([NAMES, ["", "", "年", "层", "户"]], (1,)),
        ([["", "", "", "", ""], NAMES], (2,)),
    ],
)
def test_the_header_is_found_below_titles(above: list[list[str]], rows: tuple[int, ...]) -> None:
    found = header_rows([*above, *BODY])
    assert found == rows
    assert laid_out([*above, *BODY], (), found).names == NAMES


def test_a_table_without_a_header_has_none() -> None:
    assert header_rows(BODY) == ()


def test_names_that_repeat_take_their_groups_name() -> None:
    above = [["编号", "住宅", "", "商业", ""], ["", "户数", "面积", "户数", "面积"]]
    body = [["1", "2", "3", "4", "5"]] * 4
    assert header_rows([*above, *body]) == (1, 2)
    names = laid_out([*above, *body], (), (1, 2)).names
    assert names == ["编号", "住宅 户数", "住宅 面积", "商业 户数", "商业 面积"]


def test_merged_cells_say_where_a_header_ends() -> None:
    above = [["编号", "房屋", "", ""], ["", "基本", "", "规模"], ["", "年", "层", "户"]]
    body = [["A", "1980", "6", "24"]] * 4
    merges = ((0, 0, 2, 0), (0, 1, 0, 3), (1, 1, 1, 2))
    assert header_rows([*above, *body], merges) == (1, 2, 3)
    assert laid_out([*above, *body], merges, (1, 2, 3)).names == ["编号", "年", "层", "户"]


def test_blanks_below_values_look_merged_where_columns_agree() -> None:
    table = pd.DataFrame(
        {"a": list("12345678"), "b": ["x", "", "", "y", "", "", "z", ""],
         "c": ["1980", "", "", "1984", "", "", "1988", ""], "d": ["", "7", "", "", "", "9", "", ""]},
        dtype="str",
    )  # fmt: skip
    assert as_if_merged(table) == (["b", "c"], True)
    gaps = pd.DataFrame({"a": list("123456"), "b": ["x", "", "x", "", "", "y"]}, dtype="str")
    assert as_if_merged(gaps) == ([], False)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("a,b,c\n1,2,3\n", ","), ("a;b;c\n1;2,5;3\n1;3,5;3\n", ";"), ("a\tb\n1\t2\n", "\t"),
        ("a|b\n1|2\n", "|"), ("sep=;\na;b\n1;2\n", ";"), ('a,b\n"x;y;z",2\n"x;y;z",3\n', ","),
        ("just a line\nand another\n", None),
    ],
)  # fmt: skip
def test_the_separator_parts_lines_alike(text: str, sign: str | None) -> None:
    assert separator_of(text) == sign


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("gbk", "gbk"), ("gb18030", "gbk"),
    ],
)  # fmt: skip
def test_the_encoding_is_told_by_the_bytes(encoding: str, told: str) -> None:
    text = "楼栋编号,小区名称,建成年代\n" + "YZ0001,大坪小区,一九八〇年\n" * 50
    assert text_encoding(text.encode(encoding))[0] == told


def test_big5_is_told_from_gbk() -> None:
    text = "樓棟編號,社區名稱,建成年代\n" + "T0001,國民住宅,民國六十九年\n" * 50
    assert text_encoding(text.encode("big5"))[0] == "big5"


def workbook(path: Path, cells: dict[str, object]) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("台账")
        for place, value in cells.items():
            sheet.write(place, value)


def test_cells_come_as_they_would_be_typed(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("台账")
        sheet.write_row(0, 0, ["00012", 85.5, 7.0, True, 0.1 + 0.2])
        sheet.write_formula(1, 0, "=NA()", None, "#N/A")
        sheet.write_formula(1, 1, "=1+1", None, 2)
        sheet.write_number(1, 2, 500103001001000012)
        book.add_worksheet("旧").hide()
    first, hidden = read_sheets(path, "x")
    assert first.rows == [
        ["00012", "85.5", "7", "yes", "0.3"], ["#N/A", "2", "5.00103001001E+17", "", ""]
    ]  # fmt: skip
    assert (first.is_hidden, hidden.is_hidden) == (False, True)


def test_open_document_tables_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.ods"
    write_ods(path, [["编号", "层数"], ["YZ1", "6"]])
    (sheet,) = read_sheets(path, "x")
    assert sheet.rows == [["编号", "层数"], ["YZ1", "6"]]


FAR = '<row r="1"><c r="A1"><v>1</v></c></row>'


@pytest.mark.parametrize(
    "rows",
    [
        FAR + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        FAR + '<row><c r="XFD1048576"><v>1</v></c></row>',
        FAR + '<row r="2"><c r="ZZ1000000"><v>1</v></c></row>',
    ],
)
def test_a_cell_far_out_ends_in_a_message(rows: str, tmp_path: Path) -> None:
    """One cell in the last corner is a rectangle of 17 thousand million: no memory holds it."""
    whole, path = tmp_path / "whole.xlsx", tmp_path / "x.xlsx"
    workbook(whole, {"A1": "a"})
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as archive:
        for name in source.namelist():
            is_sheet = name.startswith("xl/worksheets/")
            archive.writestr(name, sheet if is_sheet else source.read(name))
    with pytest.raises(Problem, match="would fill the memory"):
        read_sheets(path, "x")


def test_a_locked_workbook_and_a_web_page_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    sign = b"\xd0\xcf\x11\xe0" + bytes(600)
    path.write_bytes(sign + "EncryptedPackage".encode("utf-16-le") + bytes(600))
    with pytest.raises(Problem, match="locked with a password"):
        read_sheets(path, "x")
    path.write_text("<html><table><tr><td>a</td></tr></table></html>")
    with pytest.raises(Problem, match="a web page or XML"):
        read_sheets(path, "x")
