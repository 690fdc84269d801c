"""Fetch a place and write its profile."""

from pathlib import Path

from pipeline.command.report import console
from pipeline.fetch.client import Client
from pipeline.fetch.profile import fetched_profile
from pipeline.fetch.record import read_record
from pipeline.fetch.run import fetch
from pipeline.settings.fetch import FetchSettings
from pipeline.store.configuration import read_settings
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
    profile = root / "config" / "cities" / f"{city}.yaml"
    if not place and not box and not read_record(folder).place:
        place = (
            read_settings(root / "config", city, "base").city.name_zh if profile.is_file() else city
        )
        tell(f"没有给出 PLACE 或 BBOX，按名称查找 no PLACE or BBOX given, looking for: {place}")
    record = fetch(folder, city, place, box, settings, Client(settings.http, tell))
    text = fetched_profile(record, folder)
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
