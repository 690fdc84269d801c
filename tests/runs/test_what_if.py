"""The what-if command as a person runs it: on Minitown, on Yuzhong, and with faulty files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from tests.conftest import Project, new_project
from tests.minitown import make


def degrees(x: float, y: float) -> str:
    """Return a place of Minitown as YAML: longitude and latitude."""
    lon, lat = make._TO_DEGREES.transform(make.ORIGIN[0] + x, make.ORIGIN[1] + y)
    return f"[{lon:.9f}, {lat:.9f}]"


HEAD = "title_zh: 试\ntitle_en: a try\ndatum: wgs84\n"
# from the main road up to the upper street, 200 m apart on the map and 40 m in height
ENDS = f"from: {degrees(100, 0)}, to: {degrees(100, 200)}"
LIFT = f"{HEAD}actions:\n  - add_lift: {{name: 坡梯, {ENDS}}}\n"
STAIR = "title_zh: 关\ntitle_en: shut\nactions: [{close: {edge_id: W2-0}}]\n"


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Minitown, ranked; its changes may be written and asked."""
    project = new_project(tmp_path_factory.mktemp("what_if") / "project")
    result = project.rank()
    assert result.returncode == 0, result.stderr
    return project


Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(ranked: Project) -> Ask:
    """Write a change and ask what it would do."""

    def act(text: str | None, name: str = "try", *words: str) -> tuple[int, str, str]:
        if text is not None:
            path = ranked.root / "config" / "changes" / f"{name}.yaml"
            path.write_text(text, encoding="utf-8")
        result = ranked.run_in_copy("what-if", "--city", "minitown", "--change", name, *words)
        return result.returncode, result.stdout, result.stderr

    return act


def folder(project: Project) -> Path:
    return project.root / "data" / "processed" / "minitown" / "what_if"


def test_a_lift_writes_a_table_and_totals_and_tells_them(ask: Ask, ranked: Project) -> None:
    code, said, wrong = ask(LIFT, "lift")
    assert code == 0, wrong
    raw = (folder(ranked) / "lift.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    table = pd.read_csv(folder(ranked) / "lift.csv", encoding="utf-8-sig")
    ledger = json.loads((folder(ranked) / "lift.ledger.json").read_text(encoding="utf-8"))
    assert ledger["rows_out"] == len(table) > 0
    assert ledger["better_count"] == table["building_id"].nunique()
    assert ledger["worse_count"] == 0
    (lift,) = ledger["actions"]
    assert lift["rise_m"] == pytest.approx(40, abs=2.5)  # cells of 20 m
    assert lift["length_m"] == pytest.approx(200, abs=0.5)
    main = table[table["facility_type"] == "main_road"]
    assert ledger["by_facility_type"]["main_road"]["home_saved_min"] == pytest.approx(
        main["walk_back_saved_min"].sum(), abs=0.01 * len(main)
    )
    for words in ("坡梯", "better 改善", "main road", "what_if/lift.csv"):
        assert words in said
    assert "\x1b[" not in said


def test_before_is_what_the_last_run_measured(ask: Ask, ranked: Project) -> None:
    assert ask(STAIR, "shut")[0] == 0
    table = pd.read_csv(folder(ranked) / "shut.csv", encoding="utf-8-sig")
    measured = pd.read_parquet(folder(ranked).parent / "measurements.parquet")
    measured = measured.set_index("building_id")
    assert len(table)
    for row in table.to_dict("records"):
        larger = max(row["climb_before_m"], row["climb_out_before_m"])
        for ours, theirs in (
            (row["walk_back_before_min"], "walk_back_min"),
            (larger, "climb_m"),
        ):
            wanted = measured.loc[row["building_id"], f"{row['facility_type']}_{theirs}"]
            assert ours == pytest.approx(wanted, abs=0.051, nan_ok=True)


def test_the_same_question_has_the_same_bytes_and_leaves_the_rest_alone(
    ask: Ask, ranked: Project
) -> None:
    assert ask(LIFT, "again")[0] == 0
    before = ranked.outputs()
    assert ask(None, "again")[0] == 0
    assert ranked.outputs() == before
    assert "up to date" in ranked.run_in_copy("why", "--city", "minitown").stdout


def test_nothing_changes_is_said(ask: Ask, ranked: Project) -> None:
    shop = f"{{type: convenience_shop, name: 店, at: {degrees(-390, 0)}}}"
    nowhere = f"{HEAD}actions:\n  - add_amenity: {shop}\n"
    code, said, _ = ask(nowhere, "nothing")
    assert code == 0
    assert "nothing changes" in said
    assert (folder(ranked) / "nothing.csv").read_text(encoding="utf-8-sig").count("\n") == 1


FAULTS: dict[str, tuple[str, list[str]]] = {
    "unknown key": (
        LIFT.replace("name:", "boarding_mim: 1, name:"),
        ["try.yaml", "unknown key actions.0.add_lift.boarding_mim", "did you mean boarding_min?"],
    ),
    "unknown action": (
        f"{HEAD}actions: [{{add_lifd: {{}}}}]",
        ["try.yaml", "unknown key actions.0.add_lifd", "did you mean add_lift?"],
    ),
    "two things at once": (
        f"{HEAD}actions: [{{close: {{edge_id: W1-0, node_id: N1}}}}]",
        ["try.yaml", "actions.0.close", "exactly one of edge_id, node_id, amenity_id"],
    ),
    "nothing to do": (f"{HEAD}actions: []", ["try.yaml", "actions = []", "at least 1"]),
    "no actions": (HEAD, ["try.yaml", "actions is missing"]),
    "no datum": (LIFT.replace("datum: wgs84\n", ""), ["try.yaml", "datum is missing", "gcj02"]),
    "latitude first": (
        f"{HEAD}actions: [{{add_amenity: {{type: market, name: x, at: [29.5, 106.5]}}}}]",
        ["try.yaml", "actions.0.add_amenity.at.1 = 106.5", "less than or equal to 90"],
    ),
    "not a number": (
        f"{HEAD}actions: [{{add_amenity: {{type: market, name: x, at: [.nan, 29.5]}}}}]",
        ["try.yaml", "actions.0.add_amenity.at.0", "finite number"],
    ),
    "number as text": (
        LIFT.replace("name:", "boarding_min: fast, name:"),
        ["try.yaml", "actions.0.add_lift.boarding_min = 'fast'", "number"],
    ),
    "unknown kind": (
        LIFT.replace("add_lift: {", "add_link: {kind: rope, "),
        ["try.yaml", "actions.0.add_link.kind = 'rope'", "'escalator'"],
    ),
    "unknown edge": (
        STAIR.replace("W2-0", "W2-9"),
        ["changes/try.yaml", "actions.0.close.edge_id = 'W2-9'", "W2-0"],
    ),
    "not a lift": (
        f"{HEAD}actions: [{{close: {{node_id: N1}}}}]",
        ["changes/try.yaml", "actions.0.close.node_id = 'N1'", "no public lift"],
    ),
    "unknown facility": (
        f"{HEAD}actions: [{{close: {{amenity_id: N0-market}}}}]",
        ["changes/try.yaml", "actions.0.close.amenity_id = 'N0-market'", "no such facility"],
    ),
    "unknown facility type": (
        f"{HEAD}actions: [{{add_amenity: {{type: casino, name: x, at: {degrees(0, 0)}}}}}]",
        ["changes/try.yaml", "actions.0.add_amenity.type = 'casino'", "convenience_shop"],
    ),
    "place far away": (
        LIFT.replace(degrees(100, 200), degrees(100, 900)),
        ["changes/try.yaml", "actions.0.add_lift.to: no open street within 120 m", "datum"],
    ),
    "not YAML": ("actions: [1, 2", ["try.yaml", "not valid YAML at line"]),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_faulty_change_is_one_clear_message(name: str, ask: Ask, ranked: Project) -> None:
    text, words = FAULTS[name]
    before = ranked.outputs()
    code, said, wrong = ask(text)
    assert code == 2, said + wrong
    assert "Traceback" not in said + wrong
    assert wrong.count("shancheng:") == 1
    for one in words:
        assert one in wrong
    assert ranked.outputs() == before
    assert not list(ranked.root.rglob("*.partial*"))


@pytest.mark.parametrize("name", ["nowhere", "../x"])
def test_an_unknown_change_lists_what_there_is(name: str, ask: Ask) -> None:
    code, _, wrong = ask(None, name)
    assert code == 2
    assert "Traceback" not in wrong
    assert "one of: " in wrong or "letters" in wrong


def test_a_city_that_was_not_ranked_is_told_so(project: Project) -> None:
    (project.root / "config" / "changes" / "lift.yaml").write_text(LIFT, encoding="utf-8")
    result = project.run_in_copy("what-if", "--city", "minitown", "--change", "lift")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    for words in ("it has not run yet", "make rank CITY=minitown"):
        assert words in result.stderr
    assert not (project.root / "data" / "processed").exists()


def test_tables_of_other_settings_are_not_asked(tmp_path: Path, ranked: Project) -> None:
    other = Project.__new__(Project)
    other.root = tmp_path / "project"
    shutil.copytree(ranked.root, other.root)
    other.edit("config/default.yaml", "lift_min: 1.5", "lift_min: 2.5")
    (other.root / "config" / "changes" / "lift.yaml").write_text(LIFT, encoding="utf-8")
    result = other.run(
        "what-if", "--city", "minitown", "--change", "lift", "--raw", str(ranked.raw)
    )
    assert result.returncode == 2
    assert "lift_min changed: 1.5 → 2.5" in result.stderr


def test_two_runs_do_not_write_at_once(ask: Ask, ranked: Project) -> None:
    with FileLock(folder(ranked).parent / ".lock"):
        code, _, wrong = ask(LIFT, "locked")
    assert code == 2
    assert "another run is writing here" in wrong
    assert not (folder(ranked) / "locked.csv").exists()


def test_the_examples_of_yuzhong(tmp_path: Path, yuzhong_raw: Path) -> None:
    project = Project(tmp_path / "project")
    raw = ("--city", "yuzhong", "--raw", str(yuzhong_raw))
    assert project.run("rank", *raw).returncode == 0
    home = project.root / "data" / "processed" / "yuzhong"
    measured = pd.read_parquet(home / "measurements.parquet").set_index("building_id")
    found = {}
    for name in (
        "close_kaixuan_lift",
        "close_crown_escalator",
        "health_station_shancheng_lane",
        "lift_eling",
    ):
        result = project.run_in_copy("what-if", *raw, "--change", name)
        assert result.returncode == 0, result.stderr
        found[name] = pd.read_csv(home / "what_if" / f"{name}.csv", encoding="utf-8-sig")
    # published heights; who rode up now climbs as much, or more where the way round goes down first
    for name, height_m in (("close_kaixuan_lift", 32.5), ("close_crown_escalator", 52.7)):
        closed = found[name]
        assert set(closed["outcome_type"]) <= {"worse", "loses_way"}
        assert len(closed) > 50
        climbed = -closed[["climb_out_saved_m", "climb_saved_m"]].min(axis=1)
        assert climbed.max() > 0.8 * height_m
    station = found["health_station_shancheng_lane"]
    assert set(station["outcome_type"]) == {"first_mapped"}
    assert (station["walk_after_m"] <= 300).all()
    lift = found["lift_eling"]
    assert set(lift["outcome_type"]) <= {"better", "gains_way"}
    home_before = measured.loc[lift["building_id"]]
    columns = [f"{kind}_walk_back_min" for kind in lift["facility_type"]]
    wanted = [home_before[c].iloc[i] for i, c in enumerate(columns)]
    np.testing.assert_allclose(lift["walk_back_before_min"], wanted, atol=0.0051)
    # the street behind the lift stands 31 m above the main road, where the lift begins
    main = lift[(lift["facility_type"] == "main_road") & (lift["road_name"] == "鹅岭正街")]
    assert len(main) > 20
    # who chooses the lift for its climb may take half a minute longer
    assert (main["walk_back_saved_min"] + 0.1 * main["climb_saved_m"] > 0).all()
    assert main["climb_saved_m"].median() == pytest.approx(31, abs=6)


def test_a_proposed_site_can_be_asked_by_its_name_and_does_what_its_list_says(
    ask: Ask, ranked: Project
) -> None:
    # the two streets lie 200 m apart
    ranked.edit("config/default.yaml", "    max_apart_m: 80.0 ", "    max_apart_m: 210.0 ")
    found = ranked.run_in_copy("sites", "--city", "minitown", "--budget", "9000万")
    assert found.returncode == 0, found.stderr
    sites = ranked.root / "data" / "processed" / "minitown" / "base" / "sites"
    table = pd.read_csv(next(sites.glob("lift_sites*.csv")))
    first = table.iloc[0]
    key = first["编号 site_id"]
    assert key == "lift_001" and first["序号 site_rank"] == 1
    code, out, err = ask(None, key)
    assert (code, "Traceback" in out + err) == (0, False), err
    told = json.loads((folder(ranked) / f"{key}.ledger.json").read_text(encoding="utf-8"))
    for name, theirs in (
        ("回家省时(户·分钟) home_saved_min", "home_saved_min"),
        ("出门省时(户·分钟) out_saved_min", "out_saved_min"),
        ("受益栋数 relieved_building_count", "changed_buildings"),
    ):
        assert first[name] == pytest.approx(told[theirs], abs=0.1), name
    layer = json.loads(next(sites.glob("lift_sites*.geojson")).read_text(encoding="utf-8"))
    assert len(layer["features"]) == len(table)
    again = {path.name: path.read_bytes() for path in sorted(sites.rglob("*.*"))}
    assert ranked.run_in_copy("sites", "--city", "minitown", "--budget", "9000万").returncode == 0
    assert {path.name: path.read_bytes() for path in sorted(sites.rglob("*.*"))} == again
