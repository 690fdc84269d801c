"""Commands, one for each make target that runs the pipeline."""

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.problem import Problem

if TYPE_CHECKING:
    from pipeline.settings.whole import Settings
    from pipeline.store.places import Places

BUILT_IN = "reference"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Rank a hillside city's old housing for renovation.",
)


def _option(variable: str, text: str) -> Any:
    """Return an option that make hands over in the environment, where no shell reads it."""
    return typer.Option(help=text, envvar=f"SHANCHENG_{variable}")


City = Annotated[str, _option("CITY", "A profile of config/cities/.")]
Scenario = Annotated[str, _option("SCENARIO", "A file of config/scenarios/.")]
Raw = Annotated[Path | None, _option("RAW", "Folder of raw files; data/raw/<city> if not given.")]
_NAME = re.compile(r"[A-Za-z0-9_\-]{1,60}")


@app.command()
def rank(city: City = BUILT_IN, scenario: Scenario = "base", raw: Raw = None) -> None:
    """Bring lists and maps up to date."""
    begin = time.perf_counter()
    from pipeline import flow
    from pipeline.command.report import Progress, show_run
    from pipeline.store.raw_folder import check_raw_folder

    places, settings = _prepare(city, scenario, raw)
    if city == BUILT_IN and raw is None:
        from pipeline.command.built_in import bring_up_to_date

        bring_up_to_date(places.root)
    check_raw_folder(places.raw, city, settings.sources)
    progress = Progress()
    try:
        steps = flow.run_stages(places, settings, progress.begin)
    finally:
        progress.end()
    show_run(places, settings, steps, flow.read_ledgers(places), time.perf_counter() - begin)
    if settings.sites.is_part_of_rank:
        from pipeline.command.sites import find_sites, show_sites

        begin = time.perf_counter()
        show_sites(places, find_sites(places, settings), time.perf_counter() - begin)


@app.command()
def check(city: City = BUILT_IN, scenario: Scenario = "base", raw: Raw = None) -> None:
    """Look the raw files over and change nothing: 1 a ranking would be wrong, 2 a file unreadable."""
    from pipeline.command.check_page import check_page, show_check
    from pipeline.command.data_check import check_data
    from pipeline.command.loss_block import show_unused_files
    from pipeline.command.report import console
    from pipeline.store.files import Batch
    from pipeline.store.raw_folder import check_raw_folder

    places, settings = _prepare(city, scenario, raw)
    if city == BUILT_IN and raw is None:
        from pipeline.command.built_in import bring_up_to_date

        bring_up_to_date(places.root)
    check_raw_folder(places.raw, city, settings.sources)
    found = check_data(places, settings)
    with Batch() as batch:
        batch.add(places.check_page, check_page(found).encode())
    show_check(found, places.check_page.relative_to(places.root))
    show_unused_files(console(), places, settings)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


@app.command()
def why(city: City = BUILT_IN, scenario: Scenario = "base", raw: Raw = None) -> None:
    """Say why each stage would run now; change nothing."""
    from pipeline import flow
    from pipeline.command.report import show_why

    places, settings = _prepare(city, scenario, raw)
    show_why(flow.why(places, settings))


@app.command(name="what-if")
def what_if(
    change: Annotated[str, _option("CHANGE", "A file of config/changes/.")] = "",
    city: City = BUILT_IN,
    scenario: Scenario = "base",
    raw: Raw = None,
) -> None:
    """Say who gains how much if something were closed or built."""
    begin = time.perf_counter()
    from pipeline.command.what_if import answer, show_answer
    from pipeline.store.configuration import read_change

    _check_name("CHANGE", change)
    places, settings = _prepare(city, scenario, raw)
    file, content = read_change(places.root / "config", change, places.proposed_change(change))
    found = answer(places, settings, content, file, change)
    show_answer(places, settings, found, change, time.perf_counter() - begin)


@app.command()
def sites(
    city: City = BUILT_IN,
    scenario: Scenario = "base",
    raw: Raw = None,
    budget: Annotated[str, _option("BUDGET", "Yuan of capital for all lifts; 万 and 亿 too.")] = "",
) -> None:
    """Say where the next public lifts and facilities would relieve most."""
    begin = time.perf_counter()
    from pipeline.command.plan import parse_budget
    from pipeline.command.sites import find_sites, show_sites

    places, settings = _prepare(city, scenario, raw)
    found = find_sites(places, settings, parse_budget(budget, 1)[0] if budget else None)
    show_sites(places, found, time.perf_counter() - begin)


@app.command()
def plan(
    city: City = BUILT_IN,
    scenario: Scenario = "base",
    raw: Raw = None,
    budget: Annotated[
        str,
        _option("BUDGET", "Yuan for all years together, or one amount a year; 万 and 亿 too."),
    ] = "",
) -> None:
    """Show the annual plan, or plan anew under another budget."""
    begin = time.perf_counter()
    from pipeline.command.plan import parse_budget, replan, show_plan_of_config, show_replanned

    places, settings = _prepare(city, scenario, raw)
    if not budget:
        show_plan_of_config(places, settings, time.perf_counter() - begin)
        return
    found = replan(places, settings, parse_budget(budget, settings.plan.schedule.year_count))
    show_replanned(places, found, time.perf_counter() - begin)


@app.command(name="cash-flow")
def cash_flow(
    case: Annotated[str, _option("CASE", "A file of config/cash_flows/.")] = "jiulongpo",
) -> None:
    """Print the cash flow of a public-private project over its term."""
    from pipeline.command.cash_flow import show
    from pipeline.store.configuration import read_cash_flow

    _check_name("CASE", case)
    show(read_cash_flow(_project_folder() / "config", case))


@app.command()
def keep(
    name: Annotated[str, _option("NAME", "What the run is called from now on.")] = "",
    city: City = BUILT_IN,
    scenario: Scenario = "base",
) -> None:
    """Set the ranking of a scenario aside, to compare later ones with it."""
    from pipeline.command.compare import keep as keep_run

    _check_name("NAME", name)
    places, _ = _prepare(city, scenario, None)
    print(f"kept 已保存: {keep_run(places, name).relative_to(places.root).as_posix()}")


@app.command()
def compare(
    a: Annotated[str, _option("A", "A scenario that was ranked, or a run that was kept.")] = "",
    b: Annotated[str, _option("B", "Another.")] = "",
    city: City = BUILT_IN,
) -> None:
    """Say who moved between two rankings, and whether data or weights moved them."""
    from pipeline.command.compare import compare as compare_runs
    from pipeline.command.compare import show as show_comparison

    _check_name("A", a)
    _check_name("B", b)
    places, settings = _prepare(city, "base", None)
    show_comparison(compare_runs(places, settings, a, b), places, settings)


@app.command("office-lists")
def office_lists(city: City = BUILT_IN, scenario: Scenario = "base") -> None:
    """Write the lists as a workbook in Chinese, in which numbers of buildings stay text."""
    from pipeline.command.office_lists import write_office_lists

    places, settings = _prepare(city, scenario, None)
    found = write_office_lists(places, settings)
    rows = ", ".join(f"{sheet} {count:,}" for sheet, count in found.row_counts.items())
    print(f"office lists 办公清单: {found.path.relative_to(places.root).as_posix()} ({rows})")


@app.command()
def city(
    scale: Annotated[float, typer.Option(help="1 = 43,500 buildings.", min=0.005)] = 1.0,
    seed: Annotated[int | None, typer.Option(help="Another whole number, another city.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Where to write raw files and truth.")] = None,
) -> None:
    """Make the built-in synthetic city anew, at any size."""
    from pipeline.command.built_in import make

    make(_project_folder(), scale=scale, seed=seed, folder=folder)


@app.command(name="years-eval")
def years_eval(
    file: Annotated[Path | None, _option("FILE", "A file of footprints with known years.")] = None,
    year: Annotated[str, _option("YEAR", "Its column of years.")] = "",
    group: Annotated[str, _option("GROUP", "Its column of districts or the like.")] = "",
    deals: Annotated[str, _option("DEALS", "Judge each pattern of gaps so many times too.")] = "0",
) -> None:
    """Judge how well missing years can be inferred on a file whose years are known."""
    from pipeline.command.years_eval import evaluate, page_folder_name, show
    from pipeline.command.years_gaps import gap_table, show_gaps
    from pipeline.command.years_page import years_page
    from pipeline.store.configuration import read_settings
    from pipeline.store.files import Batch, make_folder

    root = _project_folder()
    if file is None:
        raise _not_given("FILE", "a file of footprints")
    if not year:
        raise _not_given("YEAR", "the name of its column of years")
    if not re.fullmatch(r"\d|1\d|20", deals, re.ASCII):
        raise Problem("DEALS", f"{deals!r} is not a number of deals", expected="0 to 20, such as 4")
    found = evaluate(file, year, group, read_settings(root / "config", BUILT_IN, "base"))
    gaps = gap_table(found, int(deals))
    folder = root / "data" / "processed" / "years_eval" / page_folder_name(file)
    make_folder(folder)
    with Batch() as batch:
        batch.add(folder / "index.html", years_page(found).encode())
        if len(gaps):
            batch.add(folder / "gaps.csv", gaps.to_csv(index=False, lineterminator="\n").encode())
    show(found, (folder / "index.html").relative_to(root))
    if len(gaps):
        show_gaps(gaps)


@app.command()
def fetch(
    city: Annotated[str, _option("CITY", "Name of the profile and folder to write.")] = BUILT_IN,
    place: Annotated[str, _option("PLACE", "A district or town, or an OSM id: R4738525.")] = "",
    bbox: Annotated[str, _option("BBOX", "west,south,east,north in degrees.")] = "",
    raw: Raw = None,
) -> None:
    """Fetch open data for a place: boundary, buildings, streets, facilities, terrain."""
    from pipeline.command.fetch import fetch_place
    from pipeline.store.configuration import read_fetch_settings

    _check_name("CITY", city)
    root = _project_folder()
    if city == BUILT_IN:
        raise Problem(
            f"CITY={city}", "is the built-in city, which is made, not fetched",
            fix="name another, e.g. make fetch CITY=yuzhong PLACE='渝中区, 重庆'",
        )  # fmt: skip
    if place and bbox:
        raise Problem("PLACE and BBOX", "both are given", expected="one of them")
    fetch_place(root, city, place.strip(), bbox.strip(), raw, read_fetch_settings(root / "config"))


@app.command(name="new-city")
def new_city(
    name: Annotated[str, _option("NAME", "Name of the profile to write.")] = "",
    raw: Annotated[Path | None, _option("RAW", "Folder of raw files.")] = None,
    datum: Annotated[str, _option("DATUM", "Of layers in degrees that do not state it.")] = "",
) -> None:
    """Look at a folder of raw files, guess what is what, and write a commented profile."""
    from pipeline.command.new_city import make_new_city

    _check_name("NAME", name)
    if raw is None:
        raise _not_given("RAW", "a folder of raw files")
    make_new_city(_project_folder(), name, raw, datum)


@app.command()
def documents() -> None:
    """Write the data dictionary and the settings' schema anew."""
    from pipeline.command.architecture import with_rooms
    from pipeline.command.documents import changes_schema, data_dictionary, settings_schema
    from pipeline.store.files import Batch

    root = _project_folder()
    architecture = root / "docs" / "architecture.md"
    with Batch() as batch:
        batch.add(root / "data" / "README.md", data_dictionary().encode())
        batch.add(root / "config" / "schema.json", settings_schema().encode())
        batch.add(root / "config" / "changes.schema.json", changes_schema().encode())
        batch.add(architecture, with_rooms(architecture.read_text(encoding="utf-8")).encode())


@app.command()
def clean() -> None:
    """Remove everything that can be made again, unless a run goes on."""
    from pipeline.command.clean import clean as remove

    remove(_project_folder())


def _project_folder() -> Path:
    root = Path.cwd()
    if not (root / "config" / "default.yaml").is_file():
        raise Problem(
            root, "this is not the project's folder", fix="change to the folder with config/"
        )
    return root


def _prepare(city: str, scenario: str, raw: Path | None) -> "tuple[Places, Settings]":
    from pipeline.store.configuration import read_settings
    from pipeline.store.places import Places

    _check_name("CITY", city)
    _check_name("SCENARIO", scenario)
    root = _project_folder()
    settings = read_settings(root / "config", city, scenario)
    folder = (raw or root / "data" / "raw" / city).resolve()
    mark = "_synthetic_合成" if settings.city.is_synthetic else ""
    return Places(root, folder, city, scenario, mark), settings


def _check_name(variable: str, name: str) -> None:
    if not name:
        raise _not_given(variable, "a name")
    if not _NAME.fullmatch(name):
        raise Problem(
            f"{variable}={name}", "not a usable name", expected="letters, digits, _ and -"
        )


def _not_given(variable: str, expected: str) -> Problem:
    return Problem(variable, "is not given", expected=expected, fix=f"add {variable}=… behind make")


def main() -> None:
    """Run the command line; a Problem becomes one message and exit code 2."""
    try:
        app()
    except Problem as problem:
        _end_with(problem)
    except OSError as error:
        _end_with(_machine_problem(error))
    except MemoryError:
        _end_with(
            Problem("this machine", "has not enough memory", fix="close other programs, run again")
        )
    except KeyboardInterrupt:
        print("shancheng: stopped; what was finished is kept", file=sys.stderr)
        sys.exit(130)


def _end_with(problem: Problem) -> None:
    from pipeline.command.report import show_problem

    show_problem(problem)
    sys.exit(2)


def _machine_problem(error: OSError) -> Problem:
    """Return what the operating system refused outside the places where that is expected."""
    where = error.filename if isinstance(error.filename, str) else "a file"
    if isinstance(error, FileNotFoundError):
        return Problem(
            where, "is no longer there: something removed it while the command ran",
            fix="run the same command again",
        )  # fmt: skip
    return Problem(
        where, f"cannot be read or written ({error.strerror or error})",
        fix="see that the disk has room and the files may be read and written, then run again",
    )  # fmt: skip
