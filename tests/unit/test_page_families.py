"""A family of pages: as many as the data ask for, watched and tidied as a whole."""

from pathlib import Path

import pytest

from pipeline.contracts.stage import Outputs, Stage
from pipeline.contracts.tables import SCENARIO
from pipeline.handover import _same_names
from pipeline.store import files, state
from pipeline.store.places import Places

STAGE = Stage("atlas", "maps", SCENARIO, (), pages=("index.html", "briefs/*.html"))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path, tmp_path / "raw", "town", "base")
    with files.Batch() as batch:
        for name in ("index.html", "briefs/a.html", "briefs/b.html", "districts/a.html"):
            batch.add(places.maps_folder / name, name.encode())
        batch.add(places.ledger(STAGE), b"{}")
    return places


def record(places: Places) -> state.StageRecord:
    return state.StageRecord("atlas", (), tuple(places.outputs(STAGE)), {}, {})


def test_outputs_list_the_members_that_are_there(places: Places) -> None:
    names = [path.relative_to(places.root).as_posix() for path in places.outputs(STAGE)]
    assert [name for name in names if name.startswith("maps")] == [
        "maps/town/base/index.html",
        "maps/town/base/briefs/a.html",
        "maps/town/base/briefs/b.html",
    ]


def test_lost_changed_and_foreign_members_are_reasons_to_run(places: Places) -> None:
    state.remember(places.root / "state", record(places))
    assert state.reasons_to_run(places.root / "state", record(places)) == []
    briefs = places.maps_folder / "briefs"
    (briefs / "a.html").unlink()
    (briefs / "b.html").write_text("other")
    (briefs / "c.html").write_text("new")
    assert state.reasons_to_run(places.root / "state", record(places)) == [
        "base/briefs/a.html is missing",
        "base/briefs/c.html was added by hand",
        "base/briefs/b.html was changed by hand",
    ]


def test_pages_of_one_name_in_two_families_are_told_apart(places: Places) -> None:
    two = Stage("atlas", "maps", SCENARIO, (), pages=("briefs/*.html", "districts/*.html"))
    one = state.StageRecord("atlas", (), tuple(places.outputs(two)), {}, {})
    state.remember(places.root / "state", one)
    (places.maps_folder / "districts" / "a.html").write_text("other")
    reasons = state.reasons_to_run(places.root / "state", one)
    assert reasons == ["base/districts/a.html was changed by hand"]


def test_a_stale_file_goes_only_when_the_batch_succeeds(places: Places) -> None:
    stale = places.maps_folder / "briefs" / "b.html"
    with pytest.raises(RuntimeError), files.Batch() as batch:
        batch.remove(stale)
        raise RuntimeError
    assert stale.exists()
    with files.Batch() as batch:
        batch.remove(stale)
    assert not stale.exists()


def test_a_stage_may_hand_back_any_member_but_nothing_else() -> None:
    _same_names(STAGE, Outputs(pages={"index.html": "", "briefs/500103.html": ""}))
    _same_names(STAGE, Outputs(pages={"index.html": ""}))
    for pages in ({"briefs/a.html": ""}, {"index.html": "", "charts/a.html": ""}):
        with pytest.raises(AssertionError, match="declares"):
            _same_names(STAGE, Outputs(pages=pages))
