"""Registers that offices sent, and what is right: the values that each folder's README states."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.problem import Problem
from tests import register_town
from tests.conftest import real_data
from tests.delivery import Taken, guessed, taken_in

YEARS = (1980, 1985, 1990, 1995, 2000, 2005, 1975)


def case(folder: str, scratch: Path) -> Taken:
    return taken_in(real_data("cases") / folder, scratch)


@pytest.mark.parametrize(
    ("folder", "area_m2"),
    [
        ("register-1905/reg_1905", 2100), ("register-dates/reg_csv_dates", 2100),
        ("register-decimal-comma/reg_comma_nostoreys", 2100.5),
        ("register-decimal-comma/reg_decimal_comma", 2100.5), ("register-keys/reg_id_zeros", 2100),
        ("register-row-per-unit/reg_per_unit", 2100), ("register-separators/reg_semicolon", 2100),
        ("register-two-row-header/reg_title_row", 2100),
        ("register-two-row-header/reg_two_row_head", 2100),
    ],
)  # fmt: skip
def test_every_column_of_every_building_is_read(
    folder: str, area_m2: float, tmp_path: Path
) -> None:
    found = case(folder, tmp_path)
    one = found.buildings
    assert one["is_registered"].sum() == len(one) == 60
    assert tuple(one["construction_year"].iloc[:7]) == YEARS
    assert one["construction_year_origin"].eq("recorded").all()
    assert one["household_count"].eq(24).all()
    assert one["recorded_floor_area_m2"].iloc[0] == area_m2
    assert one["recorded_floor_area_m2"].notna().all()
    assert one["estate_name"].nunique() == 6 and one["manager_name"].notna().all()
    assert found.ledger["housing_register"]["rows_rejected"] == 0
    if "nostoreys" not in folder:
        assert tuple(one["storey_count"].iloc[:6]) == (5, 6, 7, 8, 9, 4)


@pytest.mark.parametrize("folder", ["reg_merged_body", "reg_unmerged_body"])
def test_merged_cells_hold_for_all_rows_that_they_span(folder: str, tmp_path: Path) -> None:
    one = case(f"register-merged-cells/{folder}", tmp_path).buildings
    for estate in range(6):
        ten = one.iloc[10 * estate : 10 * estate + 10]
        assert ten["construction_year"].eq(1980 + 4 * estate).all()
        assert ten["estate_name"].eq(f"小区{estate + 1}").all()
        assert ten["manager_name"].notna().all()


def test_numbers_whose_digits_are_lost_are_told_with_the_cause(tmp_path: Path) -> None:
    raw = real_data("cases") / "register-keys" / "reg_id_sci"
    asked = "\n".join(guessed(raw, tmp_path)[0].questions)
    assert "5.00103E+17: digits are lost and cannot be mended" in asked
    with pytest.raises(Problem, match="digits are lost and cannot be mended") as told:
        taken_in(raw, tmp_path)
    assert "as text" in told.value.fix


@pytest.mark.parametrize("mark", ["√", "✓", "是"])
def test_blanks_beside_marks_are_asked_and_mean_no_once_said(mark: str, tmp_path: Path) -> None:
    """Ten of thirty houses have a lift; the others' cells are left blank, as ledgers do."""
    raw = tmp_path / "raw"
    register_town.write_town(raw)
    table = [[*row[:6], mark if row[6] == "有" else "", row[7]] for row in register_town.rows()]
    register_town.write_text(raw / "房屋普查.csv", [register_town.HEADER, *table])
    found = taken_in(raw, tmp_path)
    (asked,) = [one for one in found.guessed.questions if "has_lift" in one]
    assert "says yes 10 times" in asked and "its 20 blanks count as not known" in asked
    assert (
        found.buildings["has_lift"].sum() == 10 and found.buildings["has_lift"].isna().sum() == 20
    )
    if mark == "√":
        said = taken_in(raw, tmp_path, values={"has_lift": {"": "no"}}).buildings["has_lift"]
        assert said.astype(bool).sum() == 10 and said.notna().all()


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_a_ledger_that_an_office_program_saved(kind: str, tmp_path: Path) -> None:
    """A title, a header of two rows, merged estates, years typed into cells of dates."""
    office = shutil.which("soffice")
    if not office:
        pytest.skip("no LibreOffice (soffice) on this machine to save a workbook with")
    raw = tmp_path / "raw"
    register_town.write_town(raw)
    made = tmp_path / "房屋普查.xlsx"
    register_town.write_ledger(made)
    home = f"-env:UserInstallation=file://{tmp_path / 'office'}"
    words = [office, home, "--headless", "--convert-to", kind, "--outdir", str(raw), str(made)]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    stated = {}
    if kind == "ods":  # of its merges nothing is known, so they are asked about
        with pytest.raises(Problem, match="小区名称, 物业公司 stand in 3 of 30 rows"):
            taken_in(raw, tmp_path)
        stated = {"fill_down": ["小区名称", "物业公司"]}
    one = taken_in(raw, tmp_path, **stated).buildings
    assert one["construction_year"].tolist() == list(range(1971, 2001))
    assert one["estate_name"].tolist() == [f"小区{1 + n // 10}" for n in range(30)]
    assert one["storey_count"].tolist() == [4 + n % 6 for n in range(30)]
    assert one["household_count"].sum() == 1560 and one["has_lift"].sum() == 10
