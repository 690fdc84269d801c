"""The sites command: load what the last run measured, look for sites, write and tell them."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline import flow
from pipeline.command.report import console
from pipeline.command.what_if import refuse_unmeasured
from pipeline.contracts.check import conform, inspect
from pipeline.settings.whole import Settings
from pipeline.siting.lift_sites import lift_proposals
from pipeline.siting.proposals import Proposals
from pipeline.siting.walking_city import READS, walking_city
from pipeline.store import files, state
from pipeline.store.configuration import change_text
from pipeline.store.csv import write_csv
from pipeline.store.places import Places

SEARCHES = {"lifts": lift_proposals}
"""What is looked for, in the order in which it is told."""


@dataclass(frozen=True)
class Sites:
    """The folder of the lists, and what each search found."""

    folder: Path
    found: dict[str, Proposals]


def find_sites(places: Places, settings: Settings, budget_cny: float | None = None) -> Sites:
    """Look for sites in what the last run measured, and write the lists into a folder.

    A budget comes before that of config for lifts.

    Raises
    ------
    Problem
        If the city has not been ranked with these settings and files.
    """
    refuse_unmeasured(places, settings)
    if budget_cny is not None:
        lifts = settings.sites.lifts.model_copy(update={"budget_cny": budget_cny})
        sites = settings.sites.model_copy(update={"lifts": lifts})
        settings = settings.model_copy(update={"sites": sites})
    recorded = flow.recorded(places)
    folder = places.sites_folder
    with state.single_run(places.lock_file):
        tables = {table: recorded.table(table) for table in READS}
        city = walking_city(tables, recorded.raster("ground"), settings)
        found = {name: search(city, settings) for name, search in SEARCHES.items()}
        files.make_folder(folder / "changes")
        with files.Batch() as batch:
            new = {name for part in found.values() for name in part.changes}
            for path in sorted((folder / "changes").glob("*.yaml")):
                if path.stem not in new:
                    batch.remove(path)
            for part in found.values():
                for name, content in part.files.items():
                    stem, suffix = name.rsplit(".", 1)
                    batch.add(folder / f"{stem}{places.mark}.{suffix}", content)
                for table, frame in part.tables.items():
                    whole = conform(table, frame)
                    inspect(table, whole, stage_name="sites", crs=settings.city.crs)
                    path = folder / f"{table.name}{places.mark}.csv"
                    batch.write({path: partial(write_csv, table, whole)})
                for name, change in part.changes.items():
                    batch.add(places.proposed_change(name), change_text(change))
            ledger = {
                "city": settings.city.name_en,
                "is_synthetic": settings.city.is_synthetic,
                **{name: part.ledger for name, part in found.items()},
            }
            batch.add(folder / "sites.ledger.json", files.json_bytes(ledger))
    return Sites(folder, found)


def show_sites(places: Places, sites: Sites, seconds: float) -> None:
    """Print what was found and where the lists lie."""
    for part in sites.found.values():
        for line in part.told:
            console().print(line, markup=False)
    shown = sites.folder.relative_to(places.root).as_posix()
    console().print(f"lists 清单: {shown}/ ({seconds:.1f} s)", markup=False)
