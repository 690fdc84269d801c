"""CSV for a Chinese office, the contract's inspector, settings."""

import io

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from rich.markup import escape
from rich.table import Table as Grid

from pipeline.command.report import console
from pipeline.contracts import columns, tables
from pipeline.contracts.check import column_of, conform, inspect
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import RANKING, STREET_NODES, Table
from pipeline.problem import Problem
from pipeline.settings.load import Layer, flatten, settings_from_layers
from pipeline.store.csv import write_csv
from pipeline.store.yaml_nodes import plain_values
from tests.conftest import REPOSITORY

PEOPLE = Table(
    "people", ("building_id",),
    ("building_id", "building_name", "floor_area_m2", "storey_count", "is_housing"),
)  # fmt: skip


def people(**changes: list[object]) -> pd.DataFrame:
    whole = {
        "building_id": ["B001", "B002"],
        "building_name": ["一号楼", None],
        "floor_area_m2": [1234.567, np.nan],
        "storey_count": [7, None],
        "is_housing": [True, False],
    }
    return pd.DataFrame(whole | changes)


def csv_of(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    write_csv(PEOPLE, frame, stream)
    return stream.getvalue()


def test_csv_opens_right_in_a_chinese_office() -> None:
    text = csv_of(conform(PEOPLE, people())).decode("utf-8")
    lines = text.split("\n")
    assert lines[0].startswith("\ufeff")
    assert lines[1] == '"B001","一号楼",1234.57,7,"yes"'
    assert lines[2] == '"B002",,,,"no"'


@pytest.mark.parametrize(
    "hostile", ["=HYPERLINK(0)", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "\n=1", "＝1", "\x00=1"]
)
def test_no_cell_runs_as_a_formula(hostile: str) -> None:
    frame = conform(PEOPLE, people(building_name=[hostile, "a\nb"]))
    cells = csv_of(frame).decode("utf-8-sig").split("\n")
    name = cells[1].split(",")[1].strip('"')
    assert name[0] in "' "
    assert '"a b"' in cells[2]
    assert len(cells) == 4


def test_no_cell_commands_a_terminal_or_turns_what_is_read() -> None:
    names = ["一\x1b[2J\x00\x85栋", "a\u202egpj.exe\u2028"]
    text = csv_of(conform(PEOPLE, people(building_name=names))).decode("utf-8-sig")
    assert '"一 [2J 栋"' in text
    assert '"a gpj.exe "' in text


def test_the_terminal_shows_commands_in_names_and_obeys_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = console()
    out.print("一\x1b]0;t\x07栋\u3000\u202e", markup=False)
    table = Grid("[b]\x1b[2J")
    table.add_row(escape("[red]\x9b31m"))
    out.print(table)
    told = capsys.readouterr().out
    assert not set("\x1b\x07\x9b\u202e") & set(told)
    assert "一\\x1b]0;t栋\u3000\\u202e" in told  # rich drops a bell itself
    assert "[red]\\x9" in told


BAD_ROWS = {
    "storey_count": ([0, 5], "storey_count", "B001 = 0"),
    "floor_area_m2": ([-4.0, 1.0], "floor_area_m2", "B001 = -4.0"),
    "building_id": (["B001", None], "building_id", "is empty"),
}


@pytest.mark.parametrize("name", sorted(BAD_ROWS))
def test_the_inspector_names_stage_column_and_first_case(name: str) -> None:
    values, column, words = BAD_ROWS[name]
    frame = conform(PEOPLE, people(**{name: values}))
    with pytest.raises(Problem) as caught:
        inspect(PEOPLE, frame, stage_name="test", crs="EPSG:32648")
    assert "test → people" in str(caught.value)
    assert column in str(caught.value)
    assert words in str(caught.value)


def test_the_inspector_sees_repeated_keys_and_foreign_and_absent_columns() -> None:
    with pytest.raises(Problem, match="building_id"):
        inspect(PEOPLE, conform(PEOPLE, people(building_id=["B1", "B1"])), stage_name="t", crs="")
    with pytest.raises(Problem, match="mood is not in the contract"):
        inspect(PEOPLE, conform(PEOPLE, people().assign(mood=1)), stage_name="t", crs="")
    with pytest.raises(Problem, match="is_housing is absent"):
        bare = conform(PEOPLE, people().drop(columns="is_housing"))
        inspect(PEOPLE, bare, stage_name="t", crs="")
    with pytest.raises(Problem, match="has no rows"):
        inspect(PEOPLE, conform(PEOPLE, people().iloc[:0]), stage_name="t", crs="")


def test_the_inspector_sees_wrong_geometry() -> None:
    point = [shapely.Point(0, 0)]
    node = gpd.GeoDataFrame({"node_id": ["N1"]}, geometry=point, crs="EPSG:4326")
    with pytest.raises(Problem, match="geometry is in EPSG:4326, not in EPSG:32648"):
        inspect(STREET_NODES, node, stage_name="t", crs="EPSG:32648")
    line = gpd.GeoDataFrame(
        {"node_id": ["N1"]}, geometry=[shapely.LineString([(0, 0), (1, 1)])], crs="EPSG:32648"
    )
    with pytest.raises(Problem, match="geometry holds LineString"):
        inspect(STREET_NODES, line, stage_name="t", crs="EPSG:32648")
    bare = pd.DataFrame({"node_id": ["N1"]})
    with pytest.raises(Problem, match="has no geometry"):
        inspect(STREET_NODES, bare, stage_name="t", crs="EPSG:32648")


_EVERY = [
    (table, column)
    for table in vars(tables).values()
    if isinstance(table, Table)
    for column in table.columns
]


@pytest.mark.parametrize(("table", "column"), _EVERY, ids=[f"{t.name}.{c.name}" for t, c in _EVERY])
def test_every_range_list_and_emptiness_is_enforced(table: Table, column: columns.Column) -> None:
    """Feed one bad value to each column: a check that nobody has seen fail may be switched off."""
    good = {c.name.replace("{}", "x"): _good(c) for c in table.columns}
    name = column.name.replace("{}", "x")
    plain = Table(table.name, table.key, table.column_names)
    inspect(plain, conform(plain, pd.DataFrame([good])), stage_name="t", crs="")
    bad = []
    if column.allowed:
        bad.append("something else")
    if column.lowest is not None and column.highest is not None:
        bad += [column.lowest - 1, column.highest + 1]
    if not column.may_be_empty and column.kind != columns.FLAG:
        bad.append(None)
    for value in bad:
        frame = pd.DataFrame([good | {name: value}])
        with pytest.raises(Problem, match=name):
            inspect(plain, conform(plain, frame), stage_name="t", crs="")


def _good(column: columns.Column) -> object:
    if column.allowed:
        return column.allowed[0]
    if column.kind == columns.FLAG:
        return True
    if column.kind == columns.TEXT:
        return "some text"
    assert column.lowest is not None
    assert column.highest is not None
    return column.lowest if column.kind == columns.WHOLE else (column.lowest + column.highest) / 2


def test_a_family_column_is_told_from_a_column_of_that_ending() -> None:
    assert column_of(RANKING, "climb_points") is COLUMNS["{}_points"]
    assert column_of(RANKING, "score_points") is COLUMNS["score_points"]
    assert column_of(RANKING, "_points") is None


def test_layers_are_merged_key_by_key_and_faults_come_together() -> None:
    assert flatten({"b": {"y": 1, "x": [2]}, "a": {}}) == {"a": {}, "b.x": [2], "b.y": 1}
    with pytest.raises(Problem) as caught:
        settings_from_layers(
            [
                Layer("one.yaml", {"plan": {"min_area_building_count": 0}}),
                Layer("two.yaml", {"x": 1}),
            ]
        )
    text = str(caught.value)
    assert "two.yaml: unknown key x" in text
    assert "one.yaml: plan.min_area_building_count = 0" in text
    assert "city is missing" in text


def test_an_empty_mapping_of_a_profile_empties_the_default() -> None:
    """Lists and numbers could be replaced, but ``max_drivable_grade: {}`` left all limits in place."""
    folder = REPOSITORY / "config"
    files = [
        Layer(one, plain_values((folder / one).read_text("utf-8")))
        for one in ("default.yaml", "cities/reference.yaml")
    ]
    before = settings_from_layers(files).measure.walking
    said = Layer("own.yaml", {"measure": {"walking": {"max_drivable_grade": {}, "max_grade": 0.5}}})
    after = settings_from_layers([*files, said]).measure.walking
    assert before.max_drivable_grade and after.max_drivable_grade == {}
    assert after == before.model_copy(update={"max_drivable_grade": {}, "max_grade": 0.5})
