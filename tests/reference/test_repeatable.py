"""Same seed, same bytes; another seed, another city, same totals."""

import hashlib

import geopandas as gpd
import pytest

from pipeline.reference.city import make_city


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def test_same_seed_gives_the_same_bytes(make, town):
    again = make(0.02, 11)
    assert digests(again.raw) == digests(town.raw)
    assert digests(again.truth) == digests(town.truth)


def test_another_seed_gives_another_city_with_the_same_totals(make, town):
    other = make(0.02, 12)
    names = {path.name for path in town.raw.iterdir()}
    assert {path.name for path in other.raw.iterdir()} == names
    constant = {name for name in names if name.endswith((".prj", ".shx"))}
    mine, theirs = digests(town.raw), digests(other.raw)
    assert all(mine[name] != theirs[name] for name in names - constant)
    for made in (town, other):
        truth = gpd.read_parquet(made.truth / "buildings.parquet")
        programme = truth[truth["is_programme"]]
        assert len(programme) == 870
        # one storey of one building is 0.03 % of so small a town
        assert programme["housing_area_m2"].sum() == pytest.approx(2e6, rel=0.003)


def test_tiles_of_a_larger_scale_share_no_number(make):
    # two areas need 87,000 buildings; a tiny programme keeps the test short
    small = make(0.02, 5).settings
    totals = small.totals.model_copy(
        update={
            "programme_building_count": 400,
            "housing_floor_area_m2": 0.92e6,
            "pre_cutoff_floor_area_m2": 0.075e6,
        }
    )
    land = small.land.model_copy(update={"width_m": 12000, "height_m": 15000})
    chosen = small.model_copy(update={"scale": 2.0, "totals": totals, "land": land})
    folder = make(0.02, 6).raw.parent
    make_city(chosen, folder / "two", folder / "two truth", lambda line: None)
    truth = gpd.read_parquet(folder / "two truth" / "buildings.parquet")
    programme = truth[truth["is_programme"]]
    assert len(programme) == 800
    assert truth["building_id"].is_unique


def test_a_failure_leaves_the_old_city_in_place(make, town):
    folder = make(0.02, 7)
    before = digests(folder.raw)

    def stop(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_city(folder.settings, folder.raw, folder.truth, stop)
    assert digests(folder.raw) == before
    assert {path.name for path in folder.raw.parent.iterdir()} == {"raw", "truth"}
