"""What a stage sees: files, settings, code and packages. If none changed, it need not run."""

import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.contracts.stage import Stage
from pipeline.settings.load import flatten
from pipeline.settings.whole import Settings
from pipeline.store import state
from pipeline.store.places import Places

SHARED_ROOMS = (
    "consent",
    "contracts",
    "geo",
    "need",
    "pages",
    "settings",
    "store",
    "tracks",
    "years",
)
PACKAGES = (
    "geopandas",
    "numpy",
    "pandas",
    "pyarrow",
    "pyogrio",
    "rasterio",
    "scikit-learn",
    "scipy",
    "shapely",
    "folium",
    "highspy",
    "xlsxwriter",
    "threadpoolctl",
    "branca",
    "jinja2",
    "xstatic-leaflet",
)
CODE_FOLDER = Path(__file__).parent


def stage_record(stage: Stage, places: Places, settings: Settings) -> state.StageRecord:
    """Return everything that decides whether a stage must run."""
    from pipeline.store.raw_folder import source_files
    from pipeline.store.remarks import plain

    whole = flatten(settings.model_dump(include={name.split(".")[0] for name in stage.settings}))
    kept = {key: value for key, value in whole.items() if _is_within(key, stage.settings)}
    if stage.reads_remarks:
        kept |= plain(remarks_of(places, settings))
    paths = {
        path for source in settings.sources.values() for path in source_files(places.raw, source)
    }
    return state.StageRecord(
        name=places.record_name(stage),
        inputs=tuple(places.inputs(stage, sorted(paths))),
        outputs=tuple(places.outputs(stage)),
        settings=kept,
        code=_code_digests(stage.name) | _versions(),
    )


def _is_within(key: str, names: tuple[str, ...]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in names)


@cache
def _code_digests(room: str) -> dict[str, str]:
    own = [
        CODE_FOLDER / name
        for name in ("beside.py", "flow.py", "handover.py", "problem.py", "record.py")
    ]
    for name in (room, *SHARED_ROOMS):
        own += sorted(path for path in (CODE_FOLDER / name).rglob("*") if _is_code(path))
    return {path.relative_to(CODE_FOLDER).as_posix(): state.digest(path) for path in own}


def _is_code(path: Path) -> bool:
    return path.is_file() and path.suffix in (".py", ".js", ".css", ".html", ".j2")


@cache
def _versions() -> dict[str, str]:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"python": python, **{name: version(name) for name in PACKAGES}}


def remarks_of(places: Places, settings: Settings) -> dict[str, Any]:
    """Return the file of each setting, and what stands beside it."""
    from pipeline.store.remarks import of_prices, read_remarks

    stated = read_remarks(places.root / "config", places.city, places.scenario)
    return stated | of_prices(settings.plan)
