"""Spoil profiles, scenarios, changes, cash flows and the words of new cities, and judge how it ends."""

import json
import os
import pickle
import resource
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from pipeline.command.cash_flow import worked_out
from pipeline.problem import Problem
from pipeline.store import configuration
from pipeline.store.raw_folder import check_raw_folder, source_files
from tests.conftest import new_project
from tests.fuzz import mutations

Random = np.random.Generator
MOST_SECONDS, MOST_BYTES = 10, 2_000_000_000
BYTES = (
    mutations.truncate, mutations.flip_bytes, mutations.fill_block, mutations.cut_block,
    mutations.repeat_block, mutations.strange_numbers, mutations.long_name, mutations.strange_signs,
    mutations.empty, mutations.nested, mutations.web_page,
)  # fmt: skip
STRANGE: tuple[Any, ...] = (
    None, True, 0, -1, 10**400, 1e308, -0.0, 0.5, "", " ", "x", "nan", ".inf", [], {}, [[]], [None],
    {"": ""}, {"a": {"b": {}}}, "../../../../etc/passwd", "/etc/passwd", "/etc/*", "**/*", "*", "a**b",
    "[", "~/x", "\0", "\n", "\u202e", "$(touch ran)", "`touch ran`", "'; touch ran; '", "%s%n{0}",
    "x" * 100_000, ["x"] * 10_000, "EPSG:0", "EPSG:999999", "2026-13-45", "!!python/object:os.system",
    "/vsicurl/http://127.0.0.1:9/x", "/vsizip/x.zip/x.shp", "a\udc80",
)  # fmt: skip


@dataclass
class Texts:
    """What was done and how it ended."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    largest_bytes: int = 0

    def summary(self) -> str:
        """Return counts, the slowest and the largest, and each fault."""
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        most = f"slowest {self.slowest_s:.1f} s CPU, largest {self.largest_bytes / 1e6:.0f} MB"
        head = f"spoiled settings: {told}; {most}"
        return "\n".join([head, *(f"--- {one}" for one in self.faults)])


def spoil_texts(folder: Path, count: int, seed: int) -> Texts:
    """Spoil a file of settings so many times and read it as its command does."""
    project = new_project(folder / "project")
    config, found = project.root / "config", Texts()

    def city(scenario: str = "base") -> None:
        settings = configuration.read_settings(config, "minitown", scenario)
        for source in settings.sources.values():
            for path in source_files(project.raw, source):
                assert path.is_relative_to(project.raw.resolve())
        check_raw_folder(project.raw, "minitown", settings.sources)

    readers: dict[str, Callable[[], object]] = {
        "cities/minitown.yaml": city,
        "scenarios/base.yaml": city,
        "scenarios/judged.yaml": lambda: city("judged"),
        "default.yaml": city,
        "fetch.yaml": lambda: configuration.read_fetch_settings(config),
        "new_city.yaml": lambda: configuration.read_new_city_words(config),
        "cash_flows/jiulongpo.yaml": lambda: worked_out(
            configuration.read_cash_flow(config, "jiulongpo")
        ),
        **{
            f"changes/{path.name}": lambda name=path.stem: configuration.read_change(config, name)
            for path in sorted((config / "changes").glob("*.yaml"))
        },
    }
    for read in readers.values():  # what they import is then there before the first fork
        read()
    names = list(readers)
    for number in range(count):
        name, chance = names[number % len(names)], np.random.default_rng(seed + number)
        path = config / name
        whole = path.read_bytes()
        path.write_bytes(_spoiled(whole, chance))
        before = _listing(folder)
        kind, text, seconds, peak = _tried(readers[name])
        if _listing(folder) != before:
            kind, text = "wrote", "something appeared or changed"
        spoiled = path.read_bytes()
        path.write_bytes(whole)
        found.counts[kind] += 1
        found.slowest_s, found.largest_bytes = (
            max(found.slowest_s, seconds),
            max(found.largest_bytes, peak),
        )
        if kind not in ("read", "told") or peak > MOST_BYTES or seconds > MOST_SECONDS:
            found.faults.append(
                f"{kind}: {name}, seed {seed + number}, {seconds:.1f} s\n{text}\n{spoiled[:300]!r}"
            )
    shutil.rmtree(folder)
    return found


def _spoiled(whole: bytes, chance: Random) -> bytes:
    if chance.random() < 0.4:
        return BYTES[chance.integers(len(BYTES))](whole, chance)
    content = YAML(typ="safe").load(whole.decode())
    for _ in range(chance.integers(1, 4)):
        content = _replaced(content, STRANGE[chance.integers(len(STRANGE))], chance)
    return json.dumps(content, default=str).encode("utf-8", "surrogatepass")


def _replaced(node: Any, value: Any, chance: Random) -> Any:
    """Return the tree with one node, picked by walking down, replaced, dropped or renamed."""
    if not isinstance(node, dict | list) or not node or chance.random() < 0.15:
        return value
    if isinstance(node, list):
        place = int(chance.integers(len(node)))
        return [*node[:place], _replaced(node[place], value, chance), *node[place + 1 :]]
    key = list(node)[chance.integers(len(node))]
    rest = {name: one for name, one in node.items() if name != key}
    match chance.random():
        case share if share < 0.05:
            return rest
        case share if share < 0.1:
            return rest | {str(value)[:300]: node[key]}
    return node | {key: _replaced(node[key], value, chance)}


def _tried(read: Callable[[], object]) -> tuple[str, str, float, int]:
    """Return how reading ends in a process of its own: kind, text, CPU seconds, peak bytes."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_AS, (8_000_000_000, 8_000_000_000))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 1))
        try:
            read()
            ended = ("read", "")
        except Problem as problem:
            ended = ("told", problem.text()[:2000])
        except BaseException:
            ended = ("traceback", traceback.format_exc()[-1500:])
        os.write(writer, pickle.dumps(ended))
        os._exit(0)
    os.close(writer)
    until = time.monotonic() + 6 * MOST_SECONDS
    while not (waited := os.wait4(child, os.WNOHANG))[0]:
        if time.monotonic() > until:
            os.kill(child, 9)
        time.sleep(0.002)
    _, status, usage = waited
    with os.fdopen(reader, "rb") as pipe:
        content = pipe.read()
    seconds, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
    if os.WIFSIGNALED(status) or not content:
        return "crash or hang", f"status {status}", seconds, peak
    kind, text = pickle.loads(content)
    return kind, text, seconds, peak


def _listing(folder: Path) -> list[tuple[str, int]]:
    return sorted(
        (path.relative_to(folder).as_posix(), path.stat().st_mtime_ns) for path in folder.rglob("*")
    )
