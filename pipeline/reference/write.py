"""The only module of this package that opens files: raw deliveries and truth, tile by tile.

Every writer appends one tile after another, so memory stays that of a single tile, and puts no
clock into its file, so equal settings give equal bytes.
"""

import json
import pickle
import shutil
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import rasterio
import shapely
from pyproj import CRS, Transformer
from rasterio.transform import Affine
from ruamel.yaml import YAML

from pipeline import stopping
from pipeline.reference.chance import Floats
from pipeline.reference.registers import lon_lat
from pipeline.reference.settings import ReferenceSettings
from pipeline.reference.terrain import Frame
from pipeline.reference.ways import Network

WORKING_CRS = "EPSG:32648"
REGISTER_CRS = "EPSG:4545"
NODATA = -9999.0
REGISTER = "housing_register_synthetic_合成.csv"
FOOTPRINTS = "footprints_synthetic_合成.shp"
STREETS = "streets_synthetic_合成.osm.pbf"
TERRAIN = "dem_30m_synthetic_合成.tif"
AMENITIES = "amenities_gcj02_synthetic_合成.geojson"
ESTATES = "estates_synthetic_合成.geojson"
HERITAGE = "heritage_areas_synthetic_合成.geojson"
DISTRICTS = "districts_synthetic_合成.geojson"
SUBDISTRICTS = "subdistricts_synthetic_合成.geojson"
COMMUNITIES = "communities_synthetic_合成.geojson"
INSPECTION = "inspection_synthetic_合成.csv"
CONSENT = "consent_synthetic_合成.csv"
LEDGER = "renovation_ledger_synthetic_合成.csv"
CLEARANCE = "clearance_plans_synthetic_合成.csv"
CENSUS = "census_communities_synthetic_合成.csv"
ESTATE_SURVEY = "estate_survey_synthetic_合成.csv"
NOTICE = "README_synthetic_合成.txt"

CSV_ENCODINGS = {
    REGISTER: "gbk",
    LEDGER: "gbk",
    CLEARANCE: "gbk",
    INSPECTION: "utf-8-sig",
    CONSENT: "utf-8-sig",
    CENSUS: "utf-8-sig",
    ESTATE_SURVEY: "utf-8-sig",
}
LAYERS = (AMENITIES, ESTATES, HERITAGE, DISTRICTS, SUBDISTRICTS, COMMUNITIES)
_DBF_LANGUAGE_BYTE = 29


def read_settings(path: Path) -> ReferenceSettings:
    """Return the settings in a YAML file."""
    return ReferenceSettings.model_validate(YAML(typ="safe").load(path.read_text("utf-8")))


class CsvFile:
    """A CSV that grows; ``encoding`` as bureaus deliver it (gbk, utf-8-sig)."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._path, self._encoding, self._is_new = path, encoding, True

    def add(self, table: pd.DataFrame) -> None:
        """Append rows."""
        encoding = self._encoding if self._is_new else self._encoding.removesuffix("-sig")
        table.to_csv(
            self._path,
            mode="w" if self._is_new else "a",
            index=False,
            header=self._is_new,
            encoding=encoding,
            lineterminator="\r\n",
        )
        self._is_new = False

    def close(self) -> None:
        """Finish."""


class GeoJsonFile:
    """A GeoJSON that grows; coordinates are longitude and latitude."""

    def __init__(self, path: Path, name: str) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")
        self._file.write(
            '{"type":"FeatureCollection","name":' + json.dumps(name, ensure_ascii=False)
        )
        self._file.write(',"synthetic":true,"合成":true,"features":[\n')
        self._is_new = True

    def add(self, properties: pd.DataFrame, geometry: np.ndarray) -> None:
        """Append features; ``geometry`` is in degrees already."""
        shapes = shapely.to_geojson(geometry)
        for row, shape in zip(properties.to_dict("records"), shapes, strict=True):
            text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            comma = "" if self._is_new else ",\n"
            self._file.write(f'{comma}{{"type":"Feature","properties":{text},"geometry":{shape}}}')
            self._is_new = False

    def close(self) -> None:
        """Finish."""
        self._file.write("\n]}\n")
        self._file.close()


class GbkShapefile:
    """Footprints as a CGCS2000 shapefile with Chinese columns in GBK and no word about it."""

    def __init__(self, path: Path) -> None:
        self._path, self._is_new = path, True
        self._to_register = Transformer.from_crs(WORKING_CRS, REGISTER_CRS, always_xy=True)

    def add(self, footprints: pd.DataFrame) -> None:
        """Append footprints with the outlines of column ``outline`` in the working CRS."""
        outlines = shapely.transform(
            footprints["outline"].to_numpy(),
            lambda xy: np.round(
                np.column_stack(self._to_register.transform(xy[:, 0], xy[:, 1])), 3
            ),
        )
        frame = gpd.GeoDataFrame(
            footprints.drop(columns="outline"), geometry=outlines, crs=REGISTER_CRS
        )
        options: dict[str, Any] = {"append": True}
        if self._is_new:
            options = {"DBF_DATE_LAST_UPDATE": "2025-01-01", "RESIZE": "YES"}
        pyogrio.write_dataframe(
            frame,
            self._path,
            driver="ESRI Shapefile",
            encoding="GBK",
            geometry_type="Polygon",
            **options,
        )
        self._is_new = False

    def close(self) -> None:
        """Remove every hint of the encoding, as happens between two offices."""
        if self._is_new:
            return
        self._path.with_suffix(".cpg").unlink(missing_ok=True)
        with self._path.with_suffix(".dbf").open("r+b") as table:
            # last change as year since 1900, month, day: appending a tile sets it to today
            table.seek(1)
            table.write(bytes((125, 1, 1)))
            table.seek(_DBF_LANGUAGE_BYTE)
            table.write(b"\x00")


class OsmFile:
    """Streets as OpenStreetMap PBF: all nodes first, then all ways."""

    def __init__(self, path: Path) -> None:
        header = osmium.io.Header()
        header.set("generator", "shancheng synthetic 合成")
        self._writer = osmium.SimpleWriter(str(path), header=header)
        # ways wait on disk: those of a hundred tiles would fill the memory
        self._waiting = TemporaryFile()  # noqa: SIM115 - lives as long as the writer
        self._tile_count = 0
        self._next_node = 1

    def add(self, network: Network) -> None:
        """Write the nodes and keep the ways for the end."""
        longitude, latitude = lon_lat(network.x_m, network.y_m)
        add, make = self._writer.add_node, osmium.osm.mutable.Node
        tags, first = network.node_tags, self._next_node
        for number, place in enumerate(zip(longitude.tolist(), latitude.tolist(), strict=True)):
            add(make(id=first + number, location=place, version=1, tags=tags.get(number)))
        pickle.dump((first, network.ways), self._waiting, protocol=pickle.HIGHEST_PROTOCOL)
        self._tile_count += 1
        self._next_node += network.x_m.size

    def close(self) -> None:
        """Write the ways and finish."""
        number = 1
        self._waiting.seek(0)
        for _ in range(self._tile_count):
            first, ways = pickle.load(self._waiting)
            for nodes, tags in ways:
                way = osmium.osm.mutable.Way(
                    id=number, nodes=(nodes + first).tolist(), version=1, tags=tags
                )
                self._writer.add_way(way)
                number += 1
        self._waiting.close()
        self._writer.close()


class RasterFile:
    """A float32 GeoTIFF that covers all tiles; cells of no tile stay empty."""

    def __init__(self, path: Path, frames: list[Frame], note: str) -> None:
        self._cell = frames[0].cell_size_m
        self._left = min(frame.left_m for frame in frames)
        self._top = max(frame.top_m for frame in frames)
        right = max(frame.bounds_m[2] for frame in frames)
        bottom = min(frame.bottom_m for frame in frames)
        self._file = rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=round((right - self._left) / self._cell),
            height=round((self._top - bottom) / self._cell),
            count=1,
            dtype="float32",
            crs=WORKING_CRS,
            transform=Affine(self._cell, 0, self._left, 0, -self._cell, self._top),
            nodata=NODATA,
            compress="deflate",
            predictor=3,
            tiled=True,
            blockxsize=256,
            blockysize=256,
            SPARSE_OK=True,
        )
        self._file.update_tags(NOTE=note)

    def add(self, frame: Frame, values: Floats) -> None:
        """Write a tile's heights, north row first."""
        column = round((frame.left_m - self._left) / self._cell)
        row = round((self._top - frame.top_m) / self._cell)
        window = rasterio.windows.Window(column, row, values.shape[1], values.shape[0])
        self._file.write(values.astype("float32"), 1, window=window)

    def close(self) -> None:
        """Finish."""
        self._file.close()


class ParquetFile:
    """A Parquet table that grows; with ``geometry`` it is a GeoParquet in the working CRS."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def add(self, table: pd.DataFrame, geometry: np.ndarray | None = None) -> None:
        """Append rows."""
        if geometry is not None:
            table = table.assign(geometry=shapely.to_wkb(geometry))
        batch = pa.Table.from_pandas(table, preserve_index=False)
        if self._writer is None:
            notes: dict[str, str] = {"synthetic": "合成数据 synthetic"}
            if geometry is not None:
                column = {
                    "encoding": "WKB",
                    "geometry_types": [],
                    "crs": CRS(WORKING_CRS).to_json_dict(),
                }
                geo = {
                    "version": "1.0.0",
                    "primary_column": "geometry",
                    "columns": {"geometry": column},
                }
                notes["geo"] = json.dumps(geo)
            schema = batch.schema.with_metadata(notes)
            self._writer = pq.ParquetWriter(self._path, schema, compression="zstd")
        self._writer.write_table(batch.cast(self._writer.schema))

    def close(self) -> None:
        """Finish."""
        if self._writer is not None:
            self._writer.close()


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8."""
    path.write_text(text, encoding="utf-8", newline="\n")


class Replacement:
    """Two folders that appear whole or not at all."""

    def __init__(self, raw_folder: Path, truth_folder: Path) -> None:
        self._targets = (raw_folder, truth_folder)
        self.raw, self.truth = (path.with_name(f".{path.name}.making") for path in self._targets)
        for folder in (self.raw, self.truth):
            shutil.rmtree(folder, ignore_errors=True)
            with stopping.naming:
                stopping.half_written.add(str(folder))
                folder.mkdir(parents=True)

    def commit(self) -> None:
        """Put the new folders in place of the old ones."""
        with stopping.naming:
            for made, target in zip((self.raw, self.truth), self._targets, strict=True):
                old = target.with_name(f".{target.name}.old")
                shutil.rmtree(old, ignore_errors=True)
                if target.exists():
                    target.rename(old)
                made.rename(target)
                shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Remove what was begun."""
        for folder in (self.raw, self.truth):
            shutil.rmtree(folder, ignore_errors=True)


def open_files(raw: Path, truth: Path, frames: list[Frame]) -> dict[str, Any]:
    """Return the growing files of a city by name; those of the truth begin with ``truth``."""
    files: dict[str, Any] = {
        name: CsvFile(raw / name, code) for name, code in CSV_ENCODINGS.items()
    }
    files |= {name: GeoJsonFile(raw / name, f"{Path(name).stem}") for name in LAYERS}
    files[FOOTPRINTS] = GbkShapefile(raw / FOOTPRINTS)
    files[STREETS] = OsmFile(raw / STREETS)
    files[TERRAIN] = RasterFile(raw / TERRAIN, frames, "合成地表模型 synthetic surface model")
    files["truth ground"] = RasterFile(
        truth / "ground_30m.tif", frames, "合成地面 synthetic bare ground"
    )
    for name in ("buildings", "estates", "amenities"):
        files[f"truth {name}"] = ParquetFile(truth / f"{name}.parquet")
    files["truth faults"] = ParquetFile(truth / "planted_faults.parquet")
    return files
