"""Every fault class is planted at its rate, recorded, and really there."""

import pandas as pd
import pyogrio
import pytest
import shapely

REGISTER = "housing_register_synthetic_合成.csv"
FOOTPRINTS = "footprints_synthetic_合成.shp"


@pytest.fixture(scope="module")
def faults(whole):
    return pd.read_parquet(whole.truth / "planted_faults.parquet")


@pytest.fixture(scope="module")
def register(whole):
    return pd.read_csv(whole.raw / REGISTER, encoding="gbk", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def prints(whole):
    return pyogrio.read_dataframe(whole.raw / FOOTPRINTS, encoding="GBK")


@pytest.fixture(scope="module")
def truth(whole):
    columns = ["building_id", "is_programme", "construction_year", "housing_area_m2"]
    table = pd.read_parquet(whole.truth / "buildings.parquet", columns=columns)
    return table.set_index("building_id")


def of_kind(faults, kind):
    return faults[faults["fault_kind"] == kind]


def test_rates_are_those_of_the_settings(faults, whole, truth):
    counts = faults["fault_kind"].value_counts()
    for kind, share in whole.settings.dirt.model_dump().items():
        rows = 43_500
        if "amenity" in kind:
            rows = len(pd.read_parquet(whole.truth / "amenities.parquet"))
        elif "footprint" in kind or "ring" in kind:
            rows = len(truth)
        assert counts[kind] == pytest.approx(share * rows, rel=0.03, abs=1), kind


def test_small_towns_keep_every_fault_class(town, faults):
    small = pd.read_parquet(town.truth / "planted_faults.parquet")
    assert set(small["fault_kind"]) == set(faults["fault_kind"])


def test_every_record_points_at_its_row(faults, register, prints):
    for table, name in ((register, REGISTER), (prints, FOOTPRINTS)):
        mine = faults[faults["source_file"] == name]
        found = table["楼栋编号"].to_numpy()[mine["row_number"]]
        assert (found == mine["row_key"].to_numpy()).all()


def test_a_third_of_the_years_is_missing_and_not_at_random(faults, truth, register):
    missing = of_kind(faults, "year_missing")
    assert len(missing) == pytest.approx(0.35 * 43_500, rel=0.001)
    assert set(register["建成年代"].iloc[missing["row_number"]]) == {"", "不详", "-"}
    years = truth.loc[truth["is_programme"], "construction_year"]
    blank = years.index.isin(missing["row_key"])
    assert years[blank].mean() < years[~blank].mean() - 4
    first = register.drop_duplicates("楼栋编号")
    managed = first["物业服务企业"].str.contains("公司")
    gone = first["建成年代"].isin(["", "不详", "-"])
    assert gone[~managed].mean() > gone[managed].mean() + 0.1


def test_years_come_in_every_format(register):
    patterns = {
        "plain": r"^(19|20)\d\d$", "year_sign": r"^(19|20)\d\d年$", "date": r"^\d{4}-\d\d-\d\d$",
        "month": r"^\d{4}\.\d{1,2}$", "decade": r"^[一二三四五六七八九]十年代$",
        "century": r"^20世纪\d0年代$", "short": r"^\d\d年$", "before": r"^\d{4}年前$",
        "span": r"^\d{4}-\d{4}$",
    }  # fmt: skip
    for name, pattern in patterns.items():
        assert register["建成年代"].str.match(pattern).sum() > 200, name


def test_texts_of_years_are_true(register, truth, faults):
    wrong = set(of_kind(faults, "impossible_year")["row_key"])
    rows = register[~register["楼栋编号"].isin(wrong)]
    year = truth["construction_year"].reindex(rows["楼栋编号"]).to_numpy()
    text = rows["建成年代"]
    exact = text.str.match(r"^\d{4}(年|\.\d+|-\d\d-\d\d)?$").to_numpy()
    assert (text[exact].str[:4].astype(int).to_numpy() == year[exact]).all()
    span = text.str.match(r"^\d{4}-\d{4}$").to_numpy()
    assert (text[span].str[:4].astype(int).to_numpy() <= year[span]).all()
    assert (text[span].str[5:].astype(int).to_numpy() >= year[span]).all()
    before = text.str.endswith("年前").to_numpy()
    assert (text[before].str[:4].astype(int).to_numpy() > year[before]).all()


def test_impossible_years_are_the_four_of_the_clerk(faults, register):
    rows = of_kind(faults, "impossible_year")["row_number"]
    assert set(register["建成年代"].iloc[rows]) == {"0", "9999", "194", "2091"}


def test_wrong_units_are_wrong_by_their_factor(faults, register, truth):
    factors = {"area_in_wan_m2": {1e-4}, "area_in_mu": {0.0015}, "area_factor_ten": {10.0, 0.1}}
    for kind, wanted in factors.items():
        mine = of_kind(faults, kind)
        given = register["住宅面积(平方米)"].iloc[mine["row_number"]].astype(float).to_numpy()
        right = truth["housing_area_m2"].reindex(mine["row_key"]).to_numpy()
        ratios = given / right
        assert all(min(abs(r / w - 1) for w in wanted) < 0.01 for r in ratios), kind


def test_swapped_coordinates_have_latitude_first(faults, register):
    rows = of_kind(faults, "swapped_lon_lat")["row_number"]
    assert (register["经度"].iloc[rows].astype(float) < 40).all()
    rest = register.drop(index=rows)
    keys = set(of_kind(faults, "swapped_lon_lat")["row_key"])
    assert (rest.loc[~rest["楼栋编号"].isin(keys), "经度"].astype(float) > 100).all()


def test_duplicates_repeat_a_whole_row(faults, register, prints):
    copies = of_kind(faults, "duplicate_row")
    for number, original in zip(copies["row_number"], copies["true_text"].astype(int), strict=True):
        assert (register.iloc[number] == register.iloc[original]).all()
    assert register["楼栋编号"].duplicated().sum() == len(copies)
    copies = of_kind(faults, "duplicate_footprint")
    assert prints["楼栋编号"].duplicated().sum() == len(copies)


def test_bow_ties_and_no_other_rings_are_invalid(faults, prints):
    mine = of_kind(faults, "bow_tie_ring")
    invalid = prints[~shapely.is_valid(prints.geometry.to_numpy())]
    assert set(invalid["楼栋编号"]) == set(mine["row_key"])


def test_overlapping_footprints_overlap_and_clean_ones_do_not(faults, prints):
    clean = prints.drop_duplicates("楼栋编号").reset_index(drop=True)
    shapes = shapely.make_valid(clean.geometry.to_numpy())
    left, right = shapely.STRtree(shapes).query(shapes, predicate="overlaps")
    shared = shapely.area(shapely.intersection(shapes[left], shapes[right]))
    real = (left < right) & (shared > 0.5)
    key = clean["楼栋编号"].to_numpy()
    pushed = set(of_kind(faults, "overlapping_footprint")["row_key"])
    assert pushed <= {*key[left[real]], *key[right[real]]}
    pairs = zip(key[left[real]], key[right[real]], strict=True)
    assert all(a in pushed or b in pushed for a, b in pairs)
