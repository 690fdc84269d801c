"""Keys that differ in how they are written, and several rows a building; every value by hand."""

from pathlib import Path

import pytest

from pipeline.contracts.keys import in_form, joining_forms, lost_digits, spellings
from pipeline.problem import Problem
from tests.delivery import Taken, taken_in
from tests.register_town import COUNT, HEADER, rows, write_text, write_town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "raw"
    write_town(folder)
    return folder


def taken(town: Path, scratch: Path, table: list[list[str]], **stated: object) -> Taken:
    write_text(town / "房屋普查.csv", table)
    return taken_in(town, scratch, **stated)


@pytest.mark.parametrize(
    ("key", "forms", "plain"),
    [
        ("000012", ["strip_zeros"], "12"), ("YZ0012", ["strip_zeros"], "YZ12"),
        ("12.0", ["strip_zeros"], "12"), ("100", ["strip_zeros"], "100"), ("0", ["strip_zeros"], "0"),
        ("ＹＺ１２", ["width"], "YZ12"), ("yz12", ["case"], "yz12"), ("YZ 12", ["blanks"], "YZ12"),
        ("'12", ["blanks"], "12"), ("YZ-12", ["hyphens"], "YZ12"), ("YZ—12", ["hyphens"], "YZ12"),
    ],
)  # fmt: skip
def test_a_key_without_what_does_not_count(key: str, forms: list[str], plain: str) -> None:
    assert in_form(key, forms) == plain


def test_a_form_that_makes_two_numbers_one_is_refused() -> None:
    assert spellings(["1"], ["0001", "1"], ["strip_zeros"]) == ({}, ("0001", "1"))
    assert spellings(["1", "01"], ["0001"], ["strip_zeros"]) == ({}, ("1", "01"))
    assert joining_forms(["1", "2"], ["0001", "1", "0002"]) == ([], 1)
    assert joining_forms(["1", "2"], ["0001", "0002"]) == (["strip_zeros"], 2)
    assert joining_forms(["yz１"], ["YZ0001"])[1] == 1


def test_digits_that_a_spreadsheet_dropped_are_known() -> None:
    assert lost_digits(["5.00103E+17"] * 3) == "5.00103E+17"
    assert lost_digits(["500103001001000000", "1"]) == ""
    assert lost_digits(["500103001001000000"] * 2) == "500103001001000000"
    assert lost_digits(["50010300100100012"] * 2) == ""


def units(parts: int, *, is_total: bool = False) -> list[list[str]]:
    """Return the register with so many rows a building, each with its part of households and area."""
    share = 1 if is_total else parts
    return [[HEADER[0], "单元", *HEADER[1:]]] + [
        [row[0], str(part + 1), *row[1:4], str(int(row[4]) // share),
         f"{float(row[5]) / share:.6f}", *row[6:]]
        for row in rows() for part in range(parts)
    ]  # fmt: skip


def test_stairwells_of_a_building_are_added_up(town: Path, tmp_path: Path) -> None:
    found = taken(town, tmp_path, units(2))
    assert found.settings.sources["housing_register"].one_row_per == "stairwell"
    first = found.buildings.loc["YZ0002"]  # 5 storeys of 8 households, 0.9 × 300 m² each
    assert (first["household_count"], first["stairwell_count"]) == (40, 2)
    assert first["recorded_floor_area_m2"] == pytest.approx(5 * 270 + 0.25)
    entry = found.ledger["housing_register"]
    assert (entry["rows_in"], entry["rows_out"], entry["rows_rejected"]) == (60, 60, 0)
    assert any("户数, 建筑面积 are added up" in one for one in found.guessed.questions)


def test_rows_that_repeat_the_whole_buildings_area_are_not_added_up(
    town: Path, tmp_path: Path
) -> None:
    with pytest.raises(Problem, match="states the floor area of the whole building") as told:
        taken(town, tmp_path, units(2, is_total=True))
    assert "one_row_per: building" in told.value.fix
    found = taken(town, tmp_path, units(2, is_total=True), one_row_per="building")
    assert found.buildings["household_count"].sum() == sum(8 * (4 + n % 6) for n in range(COUNT))
    assert found.ledger["housing_register"]["rejected_by_reason"] == {"rows_differ": COUNT}


def test_flats_without_a_column_of_households_are_counted(town: Path, tmp_path: Path) -> None:
    table = [[HEADER[0], "房号", *HEADER[1:4]]] + [
        [row[0], str(101 + flat), *row[1:4]] for row in rows() for flat in range(int(row[4]))
    ]
    found = taken(town, tmp_path, table)
    assert found.settings.sources["housing_register"].one_row_per == "flat"
    assert found.buildings.loc["YZ0001", "household_count"] == 32


def test_a_sum_of_which_a_part_is_missing_is_missing(town: Path, tmp_path: Path) -> None:
    table = units(2)
    table[1][5] = ""
    found = taken(town, tmp_path, table)
    assert found.buildings["household_count"].isna().tolist() == [True] + [False] * (COUNT - 1)
    assert found.ledger["housing_register"]["values_set_to_missing"] == {"sum_incomplete": 1}


def test_rows_that_differ_without_a_word_on_what_they_are_stop_the_run(
    town: Path, tmp_path: Path
) -> None:
    table = [[*row[:1], *row[2:]] for row in units(2)]
    for number, row in enumerate(table[1:]):
        row[4] = str(number)
    with pytest.raises(Problem, match="YZ0001 stands in 2 rows that differ in 户数") as told:
        taken(town, tmp_path, table)
    assert "one_row_per" in told.value.fix


def test_copies_are_duplicates_and_a_few_that_differ_are_told(town: Path, tmp_path: Path) -> None:
    other = [*rows()[0][:3], "9", *rows()[0][4:]]
    found = taken(town, tmp_path, [HEADER, *rows(), *rows()[:4], other])
    assert found.ledger["housing_register"]["rejected_by_reason"] == {
        "duplicate_row": 4, "rows_differ": 1,
    }  # fmt: skip
    assert found.buildings.loc["YZ0001", "storey_count"] == 4


def test_totals_and_headers_within_are_no_buildings(town: Path, tmp_path: Path) -> None:
    total = ["合计", "", "", "", "1560", "48600", "", ""]
    found = taken(town, tmp_path, [HEADER, *rows()[:10], HEADER, [""] * 8, *rows()[10:], total])
    assert found.ledger["housing_register"]["rejected_by_reason"] == {"no_data_row": 2}
    assert found.buildings["is_registered"].all()


def test_numbers_that_meet_nothing_stop_with_an_example(town: Path, tmp_path: Path) -> None:
    table = [HEADER, *[[f"Q{row[0]}", *row[1:]] for row in rows()]]
    with pytest.raises(Problem, match="none of its 30 different building numbers") as told:
        taken(town, tmp_path, table)
    assert "'QYZ0001' here, 'YZ0001' there" in told.value.found


def test_some_numbers_that_meet_nothing_are_asked_about(town: Path, tmp_path: Path) -> None:
    table = [HEADER, *[[row[0] if n < 27 else f"X{n}", *row[1:]] for n, row in enumerate(rows())]]
    found = taken(town, tmp_path, table)
    assert any("27 of its 30 building numbers stand in" in one for one in found.guessed.questions)
    assert found.ledger["housing_register"]["rejected_by_reason"] == {"no_footprint": 3}


def test_blanks_as_merged_cells_leave_them_stop_until_told(town: Path, tmp_path: Path) -> None:
    table = [HEADER, *rows()]
    for number, row in enumerate(table[1:]):
        if number % 10:
            row[1] = row[7] = ""
    with pytest.raises(Problem, match="小区名称, 物业公司 stand in 3 of 30 rows") as told:
        taken(town, tmp_path, table)
    assert "fill_down: [小区名称, 物业公司]" in told.value.fix
    found = taken(town, tmp_path, table, fill_down=["小区名称", "物业公司"])
    assert found.buildings["estate_name"].value_counts().to_dict() == {
        "小区1": 10, "小区2": 10, "小区3": 10,
    }  # fmt: skip
    found = taken(town, tmp_path, table, fill_down=[])
    assert found.buildings["estate_name"].notna().sum() == 3


def test_a_header_in_another_row_or_other_separators_are_named(town: Path, tmp_path: Path) -> None:
    taken(town, tmp_path, [["台账"], HEADER, *rows()])
    with pytest.raises(Problem) as told:
        taken(town, tmp_path, [["台账"], HEADER, *rows()], header_rows=[])
    assert "header_rows: [2]" in told.value.fix
    write_text(town / "房屋普查.csv", [HEADER, *rows()], separator=";")
    with pytest.raises(Problem) as told:
        taken_in(town, tmp_path, separator=None)
    assert "parted by ';'" in told.value.fix


def test_columns_that_are_not_recognised_are_asked_about(town: Path, tmp_path: Path) -> None:
    table = [[*HEADER, "抗震等级"], *[[*row, f"{6 + n % 3}度"] for n, row in enumerate(rows())]]
    asked = "\n".join(taken(town, tmp_path, table).guessed.questions)
    assert "抗震等级 (6度, 7度, 8度)" in asked


def test_a_table_that_cannot_be_used_is_asked_about(town: Path, tmp_path: Path) -> None:
    other = town.parent / "other"
    write_town(other)
    write_text(other / "房屋普查.csv", rows())
    (other / "名册.xlsx").write_text("<html></html>")
    asked = "\n".join(taken_in(other, tmp_path).guessed.questions)
    assert "房屋普查.csv (29 rows) is not used" in asked
    assert "YZ0001 holds building numbers: is it a register?" in asked
    assert "名册.xlsx is not used: is a web page or XML" in asked
