"""What nobody sees in a delivery is told: signs without width, and fields that no setting reads."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from pipeline.check.losses import invisible_signs_line, unread_fields_line
from pipeline.store.invisible import cleaned, without_invisible
from tests.delivery import taken_in
from tests.register_town import COUNT, HEADER, rows, write_text, write_town


def test_signs_without_width_are_dropped_and_hard_blanks_are_plain() -> None:
    texts = {"\u200bYZ01\ufeff": "YZ01", "YZ\u00ad01": "YZ01", "\u202aYZ01\u202c": "YZ01",
             "南\u00a0街": "南 街", "\u3000YZ01": "YZ01", "YZ01": "YZ01"}  # fmt: skip
    assert {one: without_invisible(one) for one in texts} == texts
    table = pd.DataFrame({"a": list(texts), "b": ["x"] * len(texts)}, dtype="str")
    found = cleaned(table)
    assert found["a"].tolist() == list(texts.values())
    assert found.attrs == {"invisible_count": 5}
    assert cleaned(table[["b"]]).attrs == {}
    parts = pa.chunked_array([["YZ01", "YZ02"], ["YZ03\u200b", None]])
    long = pd.DataFrame({"a": pd.array(parts, dtype="str")})
    assert cleaned(long)["a"].tolist()[:3] == ["YZ01", "YZ02", "YZ03"]


def test_numbers_with_invisible_signs_meet_on_both_sides(tmp_path: Path) -> None:
    """Half the register's numbers begin with a mark, half the footprints' end in a hard blank."""
    raw = tmp_path / "raw"
    plain = [row[0] for row in rows()]
    write_town(raw, [f"{key}\u200b\u00a0" if n % 2 else key for n, key in enumerate(plain)])
    table = [
        [f"\ufeff{row[0]}" if n % 3 == 0 else row[0], *row[1:]] for n, row in enumerate(rows())
    ]
    header = [f"\u200b{HEADER[0]}", *HEADER[1:], "加固"]
    write_text(
        raw / "房屋普查.csv",
        [header, *([*row, "老" if n == 4 else ""] for n, row in enumerate(table))],
    )
    found = taken_in(raw, tmp_path / "scratch")
    assert found.buildings.index.tolist() == plain
    assert found.buildings["is_registered"].sum() == COUNT
    ledger = {"sources": found.ledger}
    assert invisible_signs_line(ledger).endswith(": footprints 15, housing_register 10")
    assert unread_fields_line(ledger).endswith(": housing_register: 加固")


def test_fields_that_programs_add_and_empty_ones_are_not_told(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write_town(raw)
    path = raw / "建筑轮廓.gpkg"
    houses = gpd.read_file(path)
    path.unlink()
    more = {
        "OBJECTID": range(COUNT),
        "SHAPE_Area": 300.0,
        "空": "",
        "加固情况": "已加固",
        "备注": "x",
        "小区名称": "y",
    }
    houses.assign(**more).to_file(path)
    write_text(raw / "房屋普查.csv", [HEADER, *rows()])
    ledger = {"sources": taken_in(raw, tmp_path / "scratch").ledger}
    assert unread_fields_line(ledger).endswith(": footprints: 加固情况")
    assert invisible_signs_line(ledger) == ""
