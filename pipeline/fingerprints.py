"""What a stage sees: files, settings, code and packages. If none changed, it need not run."""

import sys
from functools import cache
from importlib.metadata import version
from typing import Any

from pipeline.contracts.stage import Stage
from pipeline.import_closure import FOLDER, import_closure
from pipeline.settings.load import flatten
from pipeline.settings.whole import Settings
from pipeline.store import state
from pipeline.store.places import Places

SOURCE_READERS = "pipeline.store.sources"
"""The readers of raw files: code of those stages alone that read such files."""
DISTRIBUTIONS = {
    "branca": ("branca", "jinja2"),
    "osmium": ("osmium",),
    "ruamel": ("ruamel-yaml",),
    "sklearn": ("scikit-learn", "joblib"),
    "xstatic": ("xstatic-leaflet",),
}
"""Names of packages as installed, where the import's name differs or another package shapes results."""


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
        code=_code(stage.name, reads_sources=stage.reads_sources),
    )


def _is_within(key: str, names: tuple[str, ...]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in names)


@cache
def _code(name: str, *, reads_sources: bool) -> dict[str, str]:
    """Return what a stage's code is: digests of the files, versions of the packages."""
    closure = import_closure(
        ["pipeline.flow", f"pipeline.{name}.stage"],
        without=() if reads_sources else (SOURCE_READERS,),
    )
    digests = dict(_file(path) for path in closure.files)
    packages = (DISTRIBUTIONS.get(name, (name,)) for name in closure.packages)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    versions = {name: _version(name) for names in packages for name in names}
    return digests | {"python": python} | versions


@cache
def _file(path: Any) -> tuple[str, str]:
    return path.relative_to(FOLDER).as_posix(), state.digest(path)


_version = cache(version)
"""Found by looking through all that is installed, so once for each name."""


def remarks_of(places: Places, settings: Settings) -> dict[str, Any]:
    """Return the file of each setting, and what stands beside it."""
    from pipeline.store.remarks import of_prices, read_remarks

    stated = read_remarks(places.root / "config", places.city, places.scenario)
    return stated | of_prices(settings.plan)
