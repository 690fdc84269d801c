"""Fifty houses strewn over a slope near Chongqing, whose footprints can be written in any CRS.

The ground rises by 0.15 m per metre to the north; houses and streets lie unevenly, so that no two
ways are equally long and a ranking does not hang on the last digit.
"""

import importlib
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
import shapely.affinity
from pyproj import Transformer
from rasterio.transform import from_origin

from pipeline import flow
from pipeline.command.new_city import look_into, new_city
from pipeline.contracts.check import conform
from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import BUILDINGS, MEASUREMENTS, RANKING
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_new_city_words, read_settings
from pipeline.store.sources import read_sources
from tests.conftest import REPOSITORY

CRS = "EPSG:32648"
WEST, SOUTH, SIZE_M = 651_000.0, 3_271_000.0, 600.0
COUNT = 56


def houses() -> gpd.GeoDataFrame:
    """Return the footprints in ``CRS``."""
    random = np.random.default_rng(5)
    rows, shapes = [], []
    for number in range(COUNT):
        row, column = divmod(number, 8)
        x = WEST + 40 + 65 * column + random.uniform(0, 30)
        y = SOUTH + 40 + 75 * row + random.uniform(0, 30)
        wide, deep = random.uniform(10, 24), random.uniform(9, 14)
        house = shapely.box(x, y, x + wide, y + deep)
        shapes.append(shapely.affinity.rotate(house, random.uniform(8, 35)))
        rows.append((f"YZ{number:04d}", "住宅", 3 + number % 5, f"{1972 + (number * 5) % 27}"))
    frame = pd.DataFrame(rows, columns=["bldg_id", "usage", "floors", "yearbuilt"])
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=CRS)


def moved(frame: gpd.GeoDataFrame, crs: Any, *, via: Any = None) -> gpd.GeoDataFrame:
    """Return a frame in another CRS; ``via`` transforms where PROJ cannot know how."""
    across = via or Transformer.from_crs(frame.crs, crs, always_xy=True).transform
    shapes = shapely.transform(
        frame.geometry.to_numpy(), lambda xy: np.column_stack(across(xy[:, 0], xy[:, 1]))
    )
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index), crs=None).set_crs(
        crs, allow_override=True
    )


def write_others(folder: Path) -> None:
    """Write streets and terrain."""
    folder.mkdir(parents=True, exist_ok=True)
    lines, kinds = [], []
    for number, y in enumerate((15.0, 130, 240, 345, 470, 575)):
        lines.append([(5, y), (290, y + 9 + number), (597, y - 4)])
        kinds.append("主干路" if number == 0 else "支路")
    for number, x in enumerate((12.0, 205, 430, 590)):
        lines.append([(x, 3), (x + 6 + number, 300), (x - 3, 598)])
        kinds.append("梯道" if number % 2 else "支路")
    drawn = shapely.node(shapely.multilinestrings([shapely.linestrings(one) for one in lines]))
    whole = [shapely.linestrings(one) for one in lines]
    rows = []
    for part in shapely.get_parts(drawn):
        middle = part.interpolate(0.5, normalized=True)
        rows.append((kinds[int(np.argmin(shapely.distance(whole, middle)))], part))
    frame = gpd.GeoDataFrame(
        {"道路等级": [kind for kind, _ in rows], "路名": [f"路{n}" for n in range(len(rows))]},
        geometry=[
            shapely.transform(part, lambda xy: xy + np.array([WEST, SOUTH])) for _, part in rows
        ],
        crs=CRS,
    )
    frame.to_file(folder / "道路.gpkg", driver="GPKG")
    write_terrain(folder / "dem.tif")


def ground_m(cell: float = 10.0, margin: float = 150.0) -> np.ndarray:
    """Return the heights of the cells, the northernmost first."""
    count = int((SIZE_M + 2 * margin) / cell)
    north = SIZE_M + margin - cell * (np.arange(count) + 0.5)
    return np.tile((200 + 0.15 * north)[:, None], count).astype(np.float32)


def write_terrain(path: Path, values: np.ndarray | None = None, **told: Any) -> None:
    """Write the ground, or other values of its cells; ``told`` goes over the usual profile.

    ``units``, ``scales`` and ``offsets`` are set on the bands.
    """
    bands = {key: told.pop(key) for key in ("units", "scales", "offsets") if key in told}
    values = ground_m() if values is None else values
    values = values if values.ndim == 3 else values[None]
    cell = (SIZE_M + 300) / values.shape[2]
    usual = {
        "driver": "GTiff", "width": values.shape[2], "height": values.shape[1],
        "count": values.shape[0], "dtype": str(values.dtype), "crs": CRS,
        "transform": from_origin(WEST - 150, SOUTH + SIZE_M + 150, cell, cell),
    }  # fmt: skip
    with rasterio.open(path, "w", **(usual | told)) as file:
        file.write(values)
        for key, one in bands.items():
            setattr(file, key, one)


def profile_of(raw: Path, config: Path, name: str) -> tuple[Settings | None, list[str]]:
    """Return the settings that new-city writes for a folder, and what it asks; none if unrankable."""
    looks, unread = look_into(raw)
    whole = read_settings(REPOSITORY / "config", "reference", "base")
    words, measures = read_new_city_words(REPOSITORY / "config"), whole.consent.measures
    found = new_city(name, looks, unread, words, whole.intake, measures, "wgs84")
    asked = [*found.questions, *(f"{path}: {reason}" for path, reason in found.unused)]
    if found.missing_roles:
        return None, asked
    (config / "cities" / f"{name}.yaml").write_text(found.text, encoding="utf-8")
    return read_settings(config, name, "base"), asked


def ranking(raw: Path, settings: Settings) -> pd.DataFrame:
    """Return each building's rank, measurements and place, sorted by its number."""
    few = settings.score.robustness.model_copy(update={"draws": 20})  # bands are not compared
    score = settings.score.model_copy(update={"robustness": few})
    settings = settings.model_copy(update={"score": score})
    sources = read_sources(
        raw, settings.sources, settings.city.crs, settings.intake.region_margin_m
    )
    tables: dict[Any, Any] = {}
    rasters: dict[str, Any] = {}
    ledgers: dict[str, Any] = {}
    for stage in flow.STAGES:
        inputs = Inputs(
            tables={table: tables[table] for table in stage.reads},
            sources=sources if stage.reads_sources else {},
            rasters={one: rasters[one] for one in stage.reads_rasters},
            settings=settings, ledgers=dict(ledgers), scenario="base",
        )  # fmt: skip
        outputs = importlib.import_module(f"pipeline.{stage.name}.stage").run(inputs)
        tables |= {table: conform(table, frame).copy() for table, frame in outputs.tables.items()}
        rasters |= outputs.rasters
        ledgers[stage.name] = outputs.ledger
        if stage.name == "score":
            break
    places = tables[BUILDINGS].set_index("building_id")
    middles = places.geometry.centroid.to_crs("EPSG:4326")
    ranks, measured = (tables[one].set_index("building_id") for one in (RANKING, MEASUREMENTS))
    whole = ranks.join(measured[[name for name in measured if name not in ranks]])
    found = whole.assign(longitude=middles.x, latitude=middles.y).sort_index()
    found.attrs["rejects"] = ledgers["intake"]["sources"]["footprints"]["rejected_by_reason"]
    return found
