"""Numbers as people write them; every value by hand."""

import pytest

from pipeline.contracts.written_numbers import (
    decimal_mark,
    fitting_mark,
    read_number,
    unit_of_header,
)


@pytest.mark.parametrize(
    ("column", "mark", "numbers"),
    [
        (["2100,5", "2520,5", "24"], ",", [2100.5, 2520.5, 24]),
        (["2.100,5", "850,25"], ",", [2100.5, 850.25]),
        (["2.100.000", "12"], ",", [2_100_000, 12]),
        (["2,100.5", "850"], ".", [2100.5, 850]),
        (["2,100", "1,234,567"], ".", [2100, 1_234_567]),
        (["0,125", "0,250"], ",", [0.125, 0.25]),
        (["2,100", "2100,5"], ",", [2.1, 2100.5]),
        (["2 100,5", "1\u00a0850,25"], ",", [2100.5, 1850.25]),
        (["1’234.5", "22"], ".", [1234.5, 22]),
        (["２１００", "１２．５"], ".", [2100, 12.5]),
        (["2100，5"], ",", [2100.5]),
        (["2100㎡", "850 m2", "12平方米"], ".", [2100, 850, 12]),
        (["3层", "12 户", "5F"], ".", [3, 12, 5]),
        (["'2100", "85%"], ".", [2100, 0.85]),
        (["0.21万㎡", "3.15亩", "1.5公顷"], ".", [2100, 2100, 15_000]),
    ],
)
def test_a_column_tells_its_sign_before_decimals(
    column: list[str], mark: str, numbers: list[float]
) -> None:
    assert decimal_mark(column) == mark
    assert [read_number(text, mark) for text in column] == pytest.approx(numbers)


@pytest.mark.parametrize("column", [["2,100", "850"], ["2.100"], ["2,100.5", "2100,5"]])
def test_a_column_that_reads_both_ways_tells_nothing(column: list[str]) -> None:
    assert decimal_mark(column) is None


def test_what_is_usual_decides_where_the_signs_do_not() -> None:
    """A house of 2,100 m² is usual, one of 2.1 m² is not; 85,125 could be a flat or a tower."""
    assert fitting_mark(["2,100", "3,150", "850"], 15, 100_000, whole=False) == "."
    assert fitting_mark(["850,125", "912,250"], 15, 100_000, whole=False) == ","
    assert fitting_mark(["85,125", "79,250"], 15, 100_000, whole=False) is None
    assert fitting_mark(["1,250"], 0, 10_000, whole=True) == "."


@pytest.mark.parametrize(
    "text", ["", "-", "12+3", "1,2,3", "1.2.3", "约2100", "nan", "inf", "6-8", ","]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert read_number(text, ".") is None


def test_a_header_may_state_the_unit() -> None:
    assert unit_of_header("建筑面积(万㎡)") == 10_000
    assert unit_of_header("面积（亩）") == pytest.approx(666.667, abs=1e-3)
    assert unit_of_header("建筑面积（平方米）") == unit_of_header("户数") == 1
