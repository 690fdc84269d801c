"""The sites command: load what the last run measured, look for sites, write and tell them."""

from dataclasses import dataclass
from pathlib import Path

from pipeline import flow
from pipeline.command.report import console
from pipeline.command.what_if import refuse_unmeasured
from pipeline.settings.whole import Settings
from pipeline.siting.lift_sites import lift_proposals
from pipeline.siting.proposals import Proposals
from pipeline.siting.walking_city import READS, walking_city
from pipeline.store import files, state
from pipeline.store.places import Places

SEARCHES = {"lifts": lift_proposals}
"""What is looked for, in the order in which it is told."""


@dataclass(frozen=True)
class Sites:
    """The folder of the lists, and what each search found."""

    folder: Path
    found: dict[str, Proposals]


def find_sites(places: Places, settings: Settings) -> Sites:
    """Look for sites in what the last run measured, and write the lists into a folder.

    Raises
    ------
    Problem
        If the city has not been ranked with these settings and files.
    """
    refuse_unmeasured(places, settings)
    recorded = flow.recorded(places)
    folder = places.scenario_folder / "sites"
    with state.single_run(places.lock_file):
        tables = {table: recorded.table(table) for table in READS}
        city = walking_city(tables, recorded.raster("ground"), settings)
        found = {name: search(city, settings) for name, search in SEARCHES.items()}
        files.make_folder(folder)
        with files.Batch() as batch:
            for part in found.values():
                for name, content in part.files.items():
                    stem, suffix = name.rsplit(".", 1)
                    batch.add(folder / f"{stem}{places.mark}.{suffix}", content)
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
