"""Read spoiled files in a process of their own, and judge how that ends."""

import os
import pickle
import resource
import shutil
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.contracts.stage import Inputs
from pipeline.intake.stage import run
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.settings.whole import Settings
from pipeline.store import fence
from pipeline.store.configuration import read_settings
from pipeline.store.sources import read_sources
from tests.conftest import REPOSITORY
from tests.fuzz.mutations import spoil
from tests.minitown import formats, make

MOST_SECONDS = 10.0
"""Of CPU, so that a busy machine is no fault; of the clock six times as many."""
MOST_BYTES = 2_000_000_000
_LAYER_COLUMNS = {
    "buildings": {ours: [theirs] for ours, theirs in formats.FIELDS.items()},
    "pois": {"amenity_id": ["编号"], "amenity_type": ["类别"], "amenity_name": ["名称"]},
    "boundary": {"district_name": ["名称"]},
}
_ROLE = {"buildings": "footprints", "pois": "amenities", "boundary": "boundary"}
_LAYER = {"buildings": formats.buildings, "pois": formats.facilities, "boundary": formats.district}
_REGISTER = "楼栋编号,建成年代,层数,经度,纬度,住宅面积\n" + "".join(
    f"W{100 + n},{1960 + n},{n % 9 + 1},106.6{n:02d},29.5,{500 + n}\n" for n in range(30)
)


@dataclass(frozen=True)
class Town:
    """Minitown with one source in some format, ready to be spoiled."""

    name: str
    folder: Path
    """What is spoiled lies in here, and nothing else."""
    source_name: str
    settings: Settings


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: read, told, or one of the faults."""

    kind: str
    town: str
    done: str
    seed: int
    seconds: float
    peak_bytes: int
    text: str

    @property
    def is_fault(self) -> bool:
        return self.kind not in ("read", "told")


def towns(folder: Path) -> list[Town]:
    """Write Minitown once for every reader; each town differs from the plain one by one source."""
    raw = make.write(folder / "raw")
    config = folder / "config"
    shutil.copytree(REPOSITORY / "config", config)
    (config / "cities" / "minitown.yaml").write_text(make.profile(), "utf-8")
    plain = read_settings(config, "minitown", "base")
    found: list[Town] = []

    def add(name: str, source_name: str, told: dict[str, Any]) -> None:
        base = plain.sources.get(source_name, plain.sources["pois"])
        source = Source.model_validate(base.model_dump() | {"encoding": None} | told)
        own = plain.model_copy(update={"sources": {**plain.sources, source_name: source}})
        found.append(Town(name, raw / Path(source.path).parts[0], source_name, own))

    for stem in ("buildings", "streets", "pois", "boundary", "terrain"):
        suffix = ".tif" if stem == "terrain" else ".json"
        (raw / f"own_{stem}").mkdir()
        shutil.copy(raw / f"{stem}{suffix}", raw / f"own_{stem}" / f"{stem}{suffix}")
        add(f"plain {stem}", stem, {"path": f"own_{stem}/{stem}{suffix}"})
    for stem, reply in (("buildings", make.buildings()), ("streets", make.streets())):
        (raw / f"pbf_{stem}").mkdir()
        formats.write_pbf(raw / f"pbf_{stem}" / "x.osm.pbf", reply, far_away=50)
        add(f"pbf {stem}", stem, {"path": f"pbf_{stem}/x.osm.pbf", "format": "osm_pbf"})
    for number, (kind, export) in enumerate(sorted(formats.EXPORTS.items())):
        for stem in ("buildings", "pois"):
            here = raw / f"{stem}_{number}"
            here.mkdir()
            told = export(_LAYER[stem](), here, stem)
            for extra in [*here.glob("*_parts"), *here.glob("*_zipped.gdb")]:
                shutil.rmtree(extra)
            columns = _LAYER_COLUMNS[stem] | told.get("columns", {})
            path = f"{here.name}/{told['path']}"
            add(
                f"{kind} {stem}",
                stem,
                told | {"path": path, "columns": columns, "role": _ROLE[stem]},
            )
    columns = {"highway_type": ["等级"], "road_name": ["路名"], "bridge": ["桥"]}
    for number, kind in enumerate(("geojson", "shapefile in GBK without .cpg", "geoparquet")):
        here = raw / f"lines_{number}"
        here.mkdir()
        told = formats.EXPORTS[kind](formats.streets(), here, "lines")
        path = f"{here.name}/{told['path']}"
        add(f"{kind} streets", "streets", told | {"path": path, "columns": columns})
    _add_registers(raw, add)
    return found


def _add_registers(raw: Path, add: Any) -> None:
    import pandas as pd

    columns = {
        "building_id": ["楼栋编号"], "construction_year_text": ["建成年代"], "storey_count": ["层数"],
        "longitude_deg": ["经度"], "latitude_deg": ["纬度"], "recorded_floor_area_m2": ["住宅面积"],
    }  # fmt: skip
    told = {"role": "housing_register", "columns": columns}
    (raw / "register_csv").mkdir()
    (raw / "register_csv" / "r.csv").write_text(_REGISTER, "gb18030")
    add("csv register", "register", told | {
        "path": "register_csv/r.csv", "format": "csv", "encoding": "gb18030",
    })  # fmt: skip
    (raw / "register_excel").mkdir()
    rows = [line.split(",") for line in _REGISTER.splitlines()]
    table = pd.DataFrame(rows[1:], columns=rows[0])
    table.to_excel(raw / "register_excel" / "r.xlsx", index=False)
    add("excel register", "register", told | {"path": "register_excel/r.xlsx", "format": "excel"})


def trial(town: Town, seed: int, scratch: Path) -> Outcome:
    """Spoil a copy of the town's source, read it and take it in; judge the end."""
    random = np.random.default_rng(seed)
    raw = scratch / "a" / "b" / "raw"
    raw.mkdir(parents=True)
    for path in town.folder.parent.iterdir():
        if path.is_file():
            shutil.copy(path, raw / path.name)
    shutil.copytree(town.folder, raw / town.folder.name)
    source = town.settings.sources[town.source_name]
    done = spoil(raw / town.folder.name, source.format, random)
    before = _listing(scratch)
    begin = time.monotonic()
    _ready()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(town.settings, raw, writer)
    os.close(writer)
    kind, text, usage = _wait(child, reader, begin)
    if kind not in ("read", "told"):
        fence.close_reader()  # it may still be at work
    peak, seconds = usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime
    if kind in ("read", "told") and _listing(scratch) != before:
        kind, text = "wrote", f"{sorted(set(_listing(scratch)) ^ set(before))}"
    if kind in ("read", "told") and peak > MOST_BYTES:
        kind = "memory"
    shutil.rmtree(scratch)
    return Outcome(kind, town.name, done, seed, seconds, peak, text)


def _ready() -> None:
    """See that there is a reader process: one serves many trials, which come one after another."""
    if fence._reader and fence._reader[0]._process.poll() is not None:
        fence.close_reader()
    if not fence._reader:
        fence._reader.append(fence._ReaderProcess())


def _child(settings: Settings, raw: Path, writer: int) -> None:
    """Read and take in; send how it ended through the pipe; never return."""
    resource.setrlimit(resource.RLIMIT_AS, (8_000_000_000, 8_000_000_000))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(MOST_SECONDS), int(MOST_SECONDS) + 1))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    warnings.simplefilter("ignore")  # to a user they are no errors either
    fence._reader[0].owner = os.getpid()
    try:
        read = read_sources(raw, settings.sources, settings.city.crs, 5000.0)
        run(Inputs({}, read, {}, settings, {}, ""))
        ended = ("read", "")
    except Problem as problem:
        ended = ("told", problem.text())
    except BaseException:
        ended = ("traceback", traceback.format_exc()[-1500:])
    os.write(writer, pickle.dumps((ended[0], ended[1][:15_000])))  # less than a pipe holds
    os._exit(0)


def _wait(child: int, reader: int, begin: float) -> tuple[str, str, resource.struct_rusage]:
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() - begin > 6 * MOST_SECONDS:
            os.kill(child, signal.SIGKILL)
            _, _, usage = os.wait4(child, 0)
            os.close(reader)
            return "hang", f"longer than {6 * MOST_SECONDS} s", usage
        time.sleep(0.005)
    with os.fdopen(reader, "rb") as pipe:
        content = pipe.read()
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
        return "hang", f"more than {MOST_SECONDS} s of CPU", usage
    if os.WIFSIGNALED(status) or not content:
        return "crash", f"status {status}", usage
    kind, text = pickle.loads(content)
    return kind, text, usage


def _listing(folder: Path) -> list[tuple[str, int]]:
    return sorted(
        (path.relative_to(folder).as_posix(), path.stat().st_size if path.is_file() else 0)
        for path in folder.rglob("*")
    )


def trials(
    folder: Path, count: int, first_seed: int, tell: Callable[[str], object] = lambda _: None
) -> list[Outcome]:
    """Return the outcomes of so many trials, spread evenly over the readers.

    ``tell`` gets each fault at once, and how far it is at intervals.
    """
    every = towns(folder / "towns")
    for town in every:  # what readers import is then there before the first fork
        read_sources(town.folder.parent, town.settings.sources, town.settings.city.crs, 5000.0)
    found: list[Outcome] = []
    for number in range(count):
        one = trial(every[number % len(every)], first_seed + number, folder / f"scratch{number}")
        found.append(one)
        if one.is_fault:
            tell(told_fault(one))
        if (number + 1) % 100 == 0:
            tell(summary(found).splitlines()[0])
    return found


def told_fault(one: Outcome) -> str:
    """Return what is needed to try a fault again."""
    return f"--- {one.kind}: {one.town}, {one.done}, seed {one.seed}\n{one.text}"


def summary(outcomes: list[Outcome]) -> str:
    """Return counts, the slowest and the largest, and each fault."""
    counts = Counter(one.kind for one in outcomes)
    slow = max(outcomes, key=lambda one: one.seconds)
    large = max(outcomes, key=lambda one: one.peak_bytes)
    lines = [
        f"{len(outcomes)} spoiled inputs: " + ", ".join(f"{v} {k}" for k, v in sorted(counts.items())),
        f"slowest {slow.seconds:.1f} s ({slow.town}, {slow.done}, seed {slow.seed})",
        f"largest {large.peak_bytes / 1e6:.0f} MB ({large.town}, {large.done}, seed {large.seed})",
    ]  # fmt: skip
    lines += [told_fault(one) for one in outcomes if one.is_fault]
    return "\n".join(lines)
