"""Fetch a place and write its profile."""

from pathlib import Path

from pipeline.command.report import console
from pipeline.fetch.client import Client
from pipeline.fetch.profile import fetched_profile
from pipeline.fetch.run import fetch
from pipeline.settings.fetch import FetchSettings
from pipeline.store.files import Batch
from pipeline.store.profiles import write_profile


def fetch_place(
    root: Path, city: str, place: str, box: str, raw: Path | None, settings: FetchSettings
) -> None:
    """Bring a place's raw files and profile up to date, saying each step in the terminal."""
    out = console()

    def tell(text: str) -> None:
        out.print(text, markup=False)

    folder = (raw or root / "data" / "raw" / city).resolve()
    record = fetch(folder, city, place, box, settings, Client(settings.http, tell))
    text = fetched_profile(record, folder)
    profile = root / "config" / "cities" / f"{city}.yaml"
    if write_profile(profile, "fetch", text):
        tell(f"profile 配置: config/cities/{city}.yaml")
    else:
        with Batch() as batch:
            batch.add(folder / "profile.yaml", text.encode())
        tell(
            f"profile 配置: config/cities/{city}.yaml was written or changed by hand and stays; "
            f"what would have been written: {folder / 'profile.yaml'}"
        )
    given = f" RAW={raw}" if raw else ""
    tell(f"next 下一步: make rank CITY={city}{given}")
