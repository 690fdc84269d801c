"""Where everything lies."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.stage import Stage
from pipeline.contracts.tables import CITY, SCENARIO, Table

PARTIAL = ".partial"


@dataclass(frozen=True)
class Places:
    """The folders of one city and scenario."""

    root: Path
    raw: Path
    city: str
    scenario: str
    mark: str = ""
    """Goes into the names of the files that people open, so that an invented city cannot be taken
    for a real one."""

    @property
    def city_folder(self) -> Path:
        """Tables that all scenarios of the city share."""
        return self.root / "data" / "processed" / self.city

    @property
    def scenario_folder(self) -> Path:
        """Lists of one scenario."""
        return self.city_folder / self.scenario

    @property
    def maps_folder(self) -> Path:
        """Pages of one scenario."""
        return self.root / "maps" / self.city / self.scenario

    @property
    def check_page(self) -> Path:
        """Page of what a check of the raw files found."""
        return self.city_folder / "check.html"

    @property
    def state_file(self) -> Path:
        """What the last run saw."""
        return self.city_folder / ".state.json"

    @property
    def lock_file(self) -> Path:
        """Held while a run writes."""
        return self.city_folder / ".lock"

    def home(self, home: str) -> Path:
        """Return the folder of a table's or stage's home."""
        return self.city_folder if home == CITY else self.scenario_folder

    def table(self, table: Table) -> Path:
        """Return where a table lies."""
        return self.home(table.home) / f"{table.name}.parquet"

    def csv(self, table: Table) -> Path:
        """Return where the copy for people lies."""
        return self.scenario_folder / f"{table.name}{self.mark}.csv"

    def map_file(self, name: str) -> Path:
        """Return where a GeoPackage or workbook lies."""
        stem, suffix = name.rsplit(".", 1)
        return self.scenario_folder / f"{stem}{self.mark}.{suffix}"

    def raster(self, name: str) -> Path:
        """Return where a raster lies."""
        return self.city_folder / f"{name}.tif"

    @property
    def sites_folder(self) -> Path:
        """Where new lifts and facilities would relieve most."""
        return self.scenario_folder / "sites"

    def proposed_change(self, name: str) -> Path:
        """Return where the what-if of a proposed site lies."""
        return self.sites_folder / "changes" / f"{name}.yaml"

    def what_if_csv(self, change: str) -> Path:
        """Return where the table of a what-if lies."""
        return self.city_folder / "what_if" / f"{change}{self.mark}.csv"

    def what_if_ledger(self, change: str) -> Path:
        """Return where the totals of a what-if lie."""
        return self.city_folder / "what_if" / f"{change}.ledger.json"

    def kept_folder(self, name: str) -> Path:
        """Return where a ranking that was set aside lies."""
        return self.city_folder / "kept" / name

    def compare_csv(self, before: str, after: str) -> Path:
        """Return where the comparison of two rankings lies."""
        return self.city_folder / "compare" / f"{before}_to_{after}{self.mark}.csv"

    def compare_page(self, before: str, after: str) -> Path:
        """Return where its page lies."""
        return self.maps_folder.parent / "compare" / f"{before}_to_{after}.html"

    def ledger(self, stage: Stage) -> Path:
        """Return where a stage's ledger lies."""
        return self.home(stage.home) / f"{stage.name}.ledger.json"

    def record_name(self, stage: Stage) -> str:
        """Return the name under which a stage is on record."""
        return f"{stage.name}:{self.scenario}" if stage.home == SCENARIO else stage.name

    def outputs(self, stage: Stage) -> list[Path]:
        """Return every file that a stage writes."""
        return [
            *(self.table(table) for table in stage.writes),
            *(self.raster(name) for name in stage.writes_rasters),
            *(self.csv(table) for table in stage.csv_copies),
            *(self.map_file(name) for name in (*stage.workbooks, *stage.map_files)),
            *(self.maps_folder / name for name in stage.pages if "*" not in name),
            *self.family_pages(stage),
            *self.family_lists(stage),
            self.ledger(stage),
        ]

    def family_pages(self, stage: Stage) -> list[Path]:
        """Return the pages of the stage's families that lie there now."""
        found = (self.maps_folder.glob(family) for family in stage.page_families)
        return sorted({path for paths in found for path in paths if PARTIAL not in path.name})

    def list_file(self, name: str) -> Path:
        """Return where a list beside the tables lies."""
        stem, suffix = name.rsplit(".", 1)
        return self.scenario_folder / f"{stem}{self.mark}.{suffix}"

    def family_lists(self, stage: Stage) -> list[Path]:
        """Return the lists of the stage that lie there now."""
        found = (self.scenario_folder.glob(name) for name in stage.lists)
        return sorted({path for paths in found for path in paths if PARTIAL not in path.name})

    def inputs(self, stage: Stage, sources: list[Path]) -> list[Path]:
        """Return every file that a stage reads."""
        return [
            *(sources if stage.reads_sources else []),
            *(self.table(table) for table in stage.reads),
            *(self.raster(name) for name in stage.reads_rasters),
        ]
