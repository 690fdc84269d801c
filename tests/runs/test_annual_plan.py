"""The annual plan of a small synthetic city, checked from its files alone.

Nothing here is shared with the planner: lists are read with ``csv``, money is ``Decimal``, rules are
read from the profile's text and consent from the raw survey.
"""

import csv
import json
import shutil
import subprocess
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest

from tests.conftest import Project

SCALE = "0.04"
YEARS = range(2026, 2031)
BUDGET = Decimal(60_000_000)
CARRY = Decimal("0.1")
MOST_STARTS = 8
SOURCES = ("central", "municipal", "district", "special_bond", "private", "resident",
           "maintenance_fund")  # fmt: skip
PUBLIC = SOURCES[:4]
LIST_SOURCES = ("中央资金(万元)", "市级资金(万元)", "区县资金(万元)", "专项债(万元)",
                "社会资本(万元)", "居民出资(万元)", "维修资金(万元)")  # fmt: skip
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small city with little money, planned through the command line; tests must not change it."""
    project = Project(tmp_path_factory.mktemp("plan") / "project")
    listed = ", ".join(["6.0e+7"] * 5)
    profile = project.root / "config" / "cities" / "reference.yaml"
    text = profile.read_text(encoding="utf-8")
    start, end = text.index("budget_cny: ["), text.index("]", text.index("budget_cny: ["))
    text = text[:start] + f"budget_cny: [{listed}" + text[end:]
    text = text.replace(
        "max_starts_per_district_year: 60", f"max_starts_per_district_year: {MOST_STARTS}"
    )
    profile.write_text(text, encoding="utf-8")
    made = project.run("city", "--scale", SCALE, "--folder", str(project.root / "made"))
    assert made.returncode == 0, made.stderr
    shutil.copytree(project.root / "made" / "raw", project.root / "data" / "raw" / "reference")
    raw = project.root / "data" / "raw" / "reference"
    ranked = project.run("rank", "--city", "reference", "--raw", str(raw))
    assert ranked.returncode == 0, ranked.stderr
    assert "annual plan 年度计划 2026–2030" in ranked.stdout
    assert "over greedy" in ranked.stdout
    return project


def rows(city: Project, name: str, folder: str = "base") -> Rows:
    lists = city.root / "data" / "processed" / "reference" / folder
    with (lists / f"{name}_synthetic_合成.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def raw_rows(city: Project, name: str, encoding: str) -> Rows:
    path = city.root / "data" / "raw" / "reference" / f"{name}_synthetic_合成.csv"
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def yuan(row: dict[str, str], name: str) -> Decimal:
    amount = Decimal(row[f"{name}_cny"])
    assert amount == amount.quantize(Decimal("0.01")), f"{name}: half a cent in {row}"
    return amount


def test_sources_are_the_total_are_the_years_for_every_project(city: Project) -> None:
    lines = defaultdict(list)
    for line in rows(city, "plan_lines"):
        lines[line["project_id"]].append(line)
    projects = rows(city, "plan_projects")
    planned = [one for one in projects if one["planned_year"]]
    assert len(planned) > 30
    assert set(lines) == {one["project_id"] for one in planned}
    for one in projects:
        assert sum(yuan(one, name) for name in SOURCES) == yuan(one, "cost"), one["project_id"]
        assert sum(yuan(one, name) for name in PUBLIC) == yuan(one, "public")
    for one in planned:
        own = sorted(lines[one["project_id"]], key=lambda line: line["plan_year"])
        assert sum(yuan(line, "payment") for line in own) == yuan(one, "cost")
        for name in SOURCES:
            assert sum(yuan(line, name) for line in own) == yuan(one, name)
        left = yuan(one, "cost")
        for number, line in enumerate(own):
            assert sum(yuan(line, name) for name in SOURCES) == yuan(line, "payment")
            left -= yuan(line, "payment")
            assert yuan(line, "carry_over") == left
            assert int(line["plan_year"]) == int(one["planned_year"]) + number, "a break in works"


def test_works_sum_to_the_cost_of_their_project(city: Project) -> None:
    cost: dict[str, Decimal] = defaultdict(Decimal)
    for work in rows(city, "plan_works"):
        cost[work["project_id"]] += yuan(work, "cost")
    for one in rows(city, "plan_projects"):
        assert cost[one["project_id"]] == yuan(one, "cost")


def test_districts_and_years_of_the_summary_are_the_sums_of_the_lines(city: Project) -> None:
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for line in rows(city, "plan_lines"):
        for name in (*SOURCES, "payment", "public"):
            for district in (line["district_name"], "全市 all"):
                sums[district, line["plan_year"], name] += yuan(line, name)
    summary = rows(city, "plan_summary")
    assert {row["plan_year"] for row in summary} == {str(year) for year in YEARS}
    for row in summary:
        for name in (*SOURCES, "payment", "public"):
            key = (row["district_name"], row["plan_year"], name)
            assert yuan(row, name) == sums[key], key


def test_the_list_for_finance_reconciles_to_the_cent(city: Project) -> None:
    by_project = defaultdict(list)
    listed = rows(city, "annual_list")
    for row in listed:
        by_project[row["项目编号"]].append(row)
    cost = {one["project_id"]: yuan(one, "cost") for one in rows(city, "plan_projects")}
    assert set(by_project) == set(cost)
    cent = Decimal("0.000001")
    for key, own in by_project.items():
        total = Decimal(own[0]["估算投资(万元)"])
        assert (total * 10_000).quantize(Decimal("0.01")) == cost[key]
        for row in own:
            assert Decimal(row["估算投资(万元)"]) == total
            assert sum(Decimal(row[name]) for name in LIST_SOURCES) == total.quantize(cent)
        if own[0]["状态"] == "储备":
            assert len(own) == 1
            assert own[0]["年度"] == own[0]["计划开工"] == ""
            assert Decimal(own[0]["本年度计划投资(万元)"]) == 0
            assert own[0]["未列入原因"]
            continue
        assert sum(Decimal(row["本年度计划投资(万元)"]) for row in own) == total
        assert Decimal(max(own, key=lambda row: row["年度"])["结转下年(万元)"]) == 0
        assert own[0]["计划开工"] == f"{own[0]['年度']}-04"
        assert own[0]["计划竣工"] > own[0]["计划开工"]
        assert own[0]["状态"] == ("实施" if own[0]["年度"] == "2026" else "谋划")


def test_no_budget_is_exceeded_no_capacity_and_no_floor_broken(city: Project) -> None:
    spent: dict[int, Decimal] = defaultdict(Decimal)
    by_district: dict[str, Decimal] = defaultdict(Decimal)
    for line in rows(city, "plan_lines"):
        spent[int(line["plan_year"])] += yuan(line, "public")
        by_district[line["district_name"]] += yuan(line, "public")
    carried = Decimal(0)
    for year in YEARS:
        left = BUDGET + carried - spent[year]
        assert left >= 0, year
        carried = min(left, BUDGET * CARRY)
    assert sum(spent.values()) > 4 * BUDGET  # a plan that spends nothing would pass the rest
    starts: dict[tuple[str, str], int] = defaultdict(int)
    can_start = []
    for one in rows(city, "plan_projects"):
        if one["planned_year"]:
            starts[one["district_name"], one["planned_year"]] += 1
        if one["wait_reason_code"] in ("", "budget", "capacity"):
            can_start.append(one)
    assert max(starts.values()) <= MOST_STARTS
    need = sum(Decimal(one["need_households"]) for one in can_start)
    for district in {one["district_name"] for one in can_start}:
        own = [one for one in can_start if one["district_name"] == district]
        part = sum(Decimal(one["need_households"]) for one in own) / need * BUDGET * len(YEARS)
        fair = min(part, sum(yuan(one, "public") for one in own))
        # need is listed with two decimals
        assert by_district[district] >= fair / 2 - 1000, district


def test_every_ranked_building_is_in_one_project_and_no_estate_is_split(city: Project) -> None:
    in_project: dict[str, list[dict[str, str]]] = defaultdict(list)
    of_estate: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows(city, "building_ranking"):
        if row["track_type"] == "ranked":
            assert row["project_id"], row["building_id"]
            in_project[row["project_id"]].append(row)
            if row["estate_id"]:
                of_estate[row["estate_id"]].add((row["project_id"], row["planned_year"]))
        else:
            assert not row["project_id"]
            assert not row["planned_year"]
    assert all(len(found) == 1 for found in of_estate.values())
    for one in rows(city, "plan_projects"):
        own = in_project.pop(one["project_id"])
        assert int(one["building_count"]) == len(own)
        assert {row["planned_year"] for row in own} == {one["planned_year"]}
        assert one["pilot_building_id"] in {row["building_id"] for row in own}
    assert not in_project


def latest_votes(city: Project, matter: str) -> dict[str, dict[str, str]]:
    latest: dict[str, dict[str, str]] = {}
    for row in raw_rows(city, "consent", "utf-8-sig"):
        if row["改造事项"] == matter:
            before = latest.get(row["楼栋编号"])
            if before is None or int(row["调查轮次"]) > int(before["调查轮次"]):
                latest[row["楼栋编号"]] = row
    return latest


def carries(owners: int, took_part: int, agreed: int, share: Fraction) -> bool:
    enough = Fraction(took_part, owners) >= Fraction(2, 3)
    agree = Fraction(agreed, took_part) if took_part else Fraction(0)
    return enough and (agree >= share if share == Fraction(3, 4) else agree > share)


def test_nobody_starts_before_the_owners_agree(city: Project) -> None:
    """Counted by heads from the raw survey; by area it can only be stricter."""
    votes = latest_votes(city, "管网改造")
    members: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows(city, "building_ranking"):
        if row["project_id"]:
            members[row["project_id"]].append(row)
    checked = 0
    for one in rows(city, "plan_projects"):
        if not one["planned_year"]:
            continue
        own = members[one["project_id"]]
        asked = [votes[row["building_id"]] for row in own if row["building_id"] in votes]
        earliest = 2026
        if len(asked) < len(own) // 2 + 1:
            continue  # too few answers to judge by heads; the planner counts the rest as absent
        if not asked:
            earliest = 2028
        elif len(asked) == len(own):
            totals = [
                sum(int(vote[k]) for vote in asked)
                for k in ("业主户数", "参与表决户数", "同意户数")
            ]
            if not carries(*totals, Fraction(1, 2)):
                earliest = 2027
        if any(row["heritage_name"] for row in own):
            earliest += 1
        assert int(one["planned_year"]) >= earliest, one["project_id"]
        assert int(one["planned_year"]) >= int(one["ready_year"])
        checked += 1
    assert checked > 20


def test_unasked_estates_wait_for_a_survey(city: Project) -> None:
    votes = latest_votes(city, "管网改造")
    asked = {
        row["project_id"]
        for row in rows(city, "building_ranking")
        if row["project_id"] and row["building_id"] in votes
    }
    unasked = [one for one in rows(city, "plan_projects") if one["project_id"] not in asked]
    assert unasked
    for one in unasked:
        assert one["readiness_type"] == "not_asked"
        assert not one["planned_year"] or int(one["planned_year"]) >= 2028


def test_a_refused_lift_is_not_built_but_the_pipes_are(city: Project) -> None:
    lift_votes = latest_votes(city, "加装电梯")
    stairwells: dict[str, int] = defaultdict(int)
    refused: dict[str, int] = defaultdict(int)
    for row in rows(city, "building_ranking"):
        if not row["project_id"] or row["has_lift"] != "no" or int(row["storey_count"]) < 4:
            continue
        vote = lift_votes.get(row["building_id"])
        register_count = 1
        stairwells[row["project_id"]] += register_count
        heads = [int(vote[k]) for k in ("业主户数", "参与表决户数", "同意户数")] if vote else None
        # far from three quarters: no forecast brings it there by the start
        if heads is None or heads[2] * 10 < heads[1] * 4:
            refused[row["project_id"]] += register_count
    pipes = {
        work["project_id"] for work in rows(city, "plan_works") if work["works_type"] == "pipes"
    }
    lifts = {one["project_id"]: int(one["lift_count"]) for one in rows(city, "plan_projects")}
    all_refused = [key for key, count in stairwells.items() if refused[key] == count]
    assert all_refused
    assert all(lifts[key] == 0 for key in all_refused)
    assert pipes & set(all_refused)
    assert sum(lifts.values()) > 0


def test_the_proof_of_quality_is_on_record(city: Project) -> None:
    folder = city.root / "data" / "processed" / "reference" / "base"
    annual = json.loads((folder / "plan.ledger.json").read_text(encoding="utf-8"))["annual"]
    assert annual["gap_share"] <= 0.001
    assert annual["relieved"] <= annual["relieved_bound"] * (1 + 1e-9)
    assert annual["gain_over_greedy_share"] >= 0


def test_another_budget_plans_anew_without_measuring_and_more_money_relieves_more(
    city: Project,
) -> None:
    raw = str(city.root / "data" / "raw" / "reference")
    folder = city.root / "data" / "processed" / "reference" / "base"
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    relieved = {}
    for words, name in (
        ("2亿", "budget_5x4000"),
        ("3亿", "budget_5x6000"),
        ("6亿", "budget_5x12000"),
    ):
        result = city.run("plan", "--city", "reference", "--raw", raw, "--budget", words)
        assert result.returncode == 0, result.stderr
        ledger = json.loads((folder / name / "plan.ledger.json").read_text(encoding="utf-8"))
        relieved[words] = ledger["relieved"]
        lines = rows(city, "plan_lines", f"base/{name}")
        yearly: dict[str, Decimal] = defaultdict(Decimal)
        for line in lines:
            yearly[line["plan_year"]] += yuan(line, "public")
        assert max(yearly.values()) <= Decimal(words[0]) * 10**8 / 5 * Decimal("1.1")
    assert relieved["2亿"] < relieved["3亿"] < relieved["6亿"]
    assert before == {path: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}


@pytest.mark.parametrize(
    ("budget", "words"),
    [("abc", "'abc' is no amount"), ("1亿,2亿", "lists 2 amounts"), ("-5", "'-5' is no amount")],
)
def test_a_budget_that_is_none_is_refused_in_words(city: Project, budget: str, words: str) -> None:
    result = city.run("plan", "--city", "reference", f"--budget={budget}")
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def workbook(city: Project) -> Path:
    folder = city.root / "data" / "processed" / "reference" / "base"
    return folder / "annual_list_synthetic_合成.xlsx"


def test_the_workbook_has_a_sheet_a_year_frozen_headers_and_a_chart(city: Project) -> None:
    book = openpyxl.load_workbook(workbook(city))
    years = [f"{year}年" for year in YEARS]
    assert book.sheetnames == ["汇总", *years, "储备", "分年资金", "假设"]
    assert all(book[name].freeze_panes == "C2" for name in years)
    assert len(book["汇总"]._charts) == 1
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                text = cell.value
                is_sum = isinstance(text, str) and text.startswith(("=SUM(", "=SUMIFS("))
                assert cell.data_type != "f" or is_sum, f"{sheet.title}!{cell.coordinate}"


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_recalculates_the_workbook_to_the_same_totals(
    city: Project, tmp_path: Path
) -> None:
    """openpyxl writes formulas without their values, so LibreOffice has to work them out."""
    bare = tmp_path / "bare.xlsx"
    openpyxl.load_workbook(workbook(city)).save(bare)
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/home",
         "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path / "out"), str(bare)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    found = openpyxl.load_workbook(tmp_path / "out" / "bare.xlsx", data_only=True)
    told = openpyxl.load_workbook(workbook(city), data_only=True)
    formulas = openpyxl.load_workbook(workbook(city))
    compared = 0
    for sheet in formulas:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    one = found[sheet.title][cell.coordinate].value
                    two = told[sheet.title][cell.coordinate].value
                    assert one == pytest.approx(two, abs=1e-6), f"{sheet.title}!{cell.coordinate}"
                    compared += 1
    assert compared > 100
    # the grand total of the workbook is that of the list for finance
    paid = sum(Decimal(row["本年度计划投资(万元)"]) for row in rows(city, "annual_list"))
    assert found["汇总"]["I10"].value == pytest.approx(float(paid), abs=1e-6)


def test_the_forecast_of_votes_beats_no_change_on_estates_it_has_not_seen(city: Project) -> None:
    """Learned on every other building's estate, judged on the rest: does the next round carry?"""
    import pandas as pd

    from pipeline.consent.forecast import forecast_shares, learned_gains
    from pipeline.consent.votes import carries as vote_carries
    from pipeline.consent.votes import consent_by_building
    from pipeline.store.configuration import read_settings

    rules = read_settings(city.root / "config", "reference", "base").consent
    folder = city.root / "data" / "processed" / "reference"
    votes = pd.read_parquet(folder / "consents.parquet")
    estate = pd.read_parquet(folder / "buildings.parquet", columns=["building_id", "estate_id"])
    number = estate["estate_id"].fillna(estate["building_id"]).factorize()[0]
    known = set(estate.loc[number % 2 == 0, "building_id"])
    gains = learned_gains(votes[votes["building_id"].isin(known)], rules)
    unseen = votes[~votes["building_id"].isin(known)]
    before = consent_by_building(unseen[unseen["survey_round_number"] == 1], rules)
    after = consent_by_building(unseen[unseen["survey_round_number"] == 2], rules)
    both = before.merge(after[["building_id", "measure_type", "is_met"]],
                        on=["building_id", "measure_type"], suffixes=("", "_then"))  # fmt: skip
    shares = forecast_shares(both, gains, 1, rules.forecast.fade_share)
    _, said = vote_carries(*shares.T, both["measure_type"].to_numpy(dtype=object), rules)
    hit = (said.to_numpy() == both["is_met_then"].to_numpy()).mean()
    no_change = (both["is_met"] == both["is_met_then"]).mean()
    assert len(both) > 500
    assert hit > no_change + 0.05
    assert hit > 0.8


def test_a_name_that_looks_like_a_formula_runs_nowhere(ranked_once: Project) -> None:
    """Minitown has a building called =HYPERLINK(0), which stands as a project of its own."""
    with (ranked_once.lists / "annual_list.csv").open(encoding="utf-8-sig", newline="") as file:
        names = [row["项目名称"] for row in csv.DictReader(file)]
    assert "'=HYPERLINK(0)" in names
    assert not any(name.startswith("=") for name in names)
    book = openpyxl.load_workbook(ranked_once.lists / "annual_list.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    hostile = [cell for cell in cells if cell.value == "=HYPERLINK(0)"]
    assert hostile
    assert {cell.data_type for cell in hostile} == {"s"}


def test_projects_cost_what_real_ones_cost(city: Project) -> None:
    """All works that are called for, over the whole city: half of 22 approved projects lie between 224
    and 373 yuan/m², half of 15 between 18,463 and 36,725 yuan a household (docs/decisions.md)."""
    projects = rows(city, "plan_projects")
    cost, area, households = (
        sum(Decimal(one[name]) for one in projects)
        for name in ("called_cost_cny", "floor_area_plan_m2", "household_plan_count")
    )
    assert 224 <= cost / area <= 373
    assert 18_463 <= cost / households <= 36_725
