"""Write outputs: first everything under a partial name, then all renamed. No half-files."""

import errno
import functools
import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from pipeline import stopping
from pipeline.problem import Problem
from pipeline.store.places import PARTIAL

Fill = Callable[[Any], None]
"""Writes a file's content into the stream it gets."""


class Batch:
    """Files that appear together or not at all.

    Use as a context: files are added under partial names; leaving it without an error renames them
    all, leaving it with one removes them.
    """

    def __init__(self) -> None:
        self._written: list[tuple[Path, Path]] = []
        self._stale: list[Path] = []

    def __enter__(self) -> "Batch":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        try:
            if kind is None:
                with stopping.naming:  # a stop waits: all get their names, or none
                    self._give_names()
        finally:
            for partial, _ in self._written:
                partial.unlink(missing_ok=True)
                stopping.half_written.discard(str(partial))

    def _give_names(self) -> None:
        for partial, final in self._written:
            _tell_os_errors(final, functools.partial(partial.replace, final))
        for path in self._stale:
            _tell_os_errors(path, functools.partial(path.unlink, missing_ok=True))

    def add(self, path: Path, content: bytes) -> None:
        """Write a file's content beside its place."""
        partial = self.partial(path)
        _tell_os_errors(path, lambda: partial.write_bytes(content))

    def write(self, fills: Mapping[Path, Fill]) -> None:
        """Write files side by side: Arrow does so without holding the interpreter."""
        partial = {path: self.partial(path) for path in fills}
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(lambda path: _filled(path, partial[path], fills[path]), fills))

    def remove(self, path: Path) -> None:
        """Take a file of an earlier run away once the new ones are in place."""
        self._stale.append(path)

    def partial(self, path: Path) -> Path:
        """Return the partial name of a file that a library writes itself."""
        _tell_os_errors(path, lambda: path.parent.mkdir(parents=True, exist_ok=True))
        # another command that writes the same file at the same time has a name of its own
        partial = path.with_name(f"{path.stem}{PARTIAL}{os.getpid()}{path.suffix}")
        with stopping.naming:
            stopping.half_written.add(str(partial))
        self._written.append((partial, path))
        return partial


def _filled(path: Path, partial: Path, fill: Fill) -> None:
    import pyarrow as pa

    def act() -> None:
        with pa.OSFile(str(partial), "wb") as stream:
            fill(stream)

    _tell_os_errors(path, act)


def remove_partial(folder: Path) -> None:
    """Remove what a run that was killed left behind."""
    for path in sorted(folder.rglob(f"*{PARTIAL}*")) if folder.is_dir() else []:
        path.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make an output folder or tell why that cannot be."""
    _tell_os_errors(folder, lambda: folder.mkdir(parents=True, exist_ok=True))


def _tell_os_errors(path: Path, act: Any) -> None:
    try:
        act()
    except OSError as error:
        raise os_problem(path, error) from None


def os_problem(path: Path, error: OSError) -> Problem:
    """Return what the operating system refused, in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Problem(
            path, "the disk is full, nothing was changed", fix="free some space and run again"
        )
    return Problem(
        path, f"cannot be written ({error.strerror or error})",
        fix="give yourself write permission, or move what stands in the way",
    )  # fmt: skip


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON that people can read and that repeats byte for byte."""
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=False, allow_nan=False)
    return (text + "\n").encode()


def write_parquet(frame: Any, stream: Any) -> None:
    """Write a table as Parquet, with its geometry as GeoParquet."""
    # numbers hardly repeat: looking for repeats among them costs time and saves nothing; nobody asks
    # for a part of a table, so the ends of each column need not be noted
    words = [name for name in frame.columns if frame[name].dtype in ("str", "object")]
    frame.to_parquet(
        stream, index=False, compression="lz4", use_dictionary=words, write_statistics=False
    )


def read_parquet(content: BinaryIO, *, has_geometry: bool) -> Any:
    """Return a table that ``write_parquet`` wrote."""
    if has_geometry:
        import geopandas

        return geopandas.read_parquet(content)
    import pandas

    return pandas.read_parquet(content)


def raster_bytes(raster: Any) -> bytes:
    """Return a raster as a compressed GeoTIFF."""
    import rasterio
    from rasterio.io import MemoryFile

    rows, columns = raster.values.shape
    transform = rasterio.Affine(raster.cell_m, 0, raster.west_m, 0, -raster.cell_m, raster.north_m)
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=columns, height=rows, count=1, dtype="float32", nodata=float("nan"),
            crs=raster.crs, transform=transform, compress="deflate", predictor=3,
        ) as file:  # fmt: skip
            file.write(raster.values, 1)
        return bytes(memory.read())


def as_stored(raster: Any) -> Any:
    """Return a raster with the precision that ``raster_bytes`` keeps."""
    return raster.with_values(raster.values)


def read_raster(content: BinaryIO) -> Any:
    """Return a raster that ``raster_bytes`` wrote."""
    import rasterio

    from pipeline.geo.raster import Raster

    with rasterio.open(content, driver="GTiff") as file:
        transform = file.transform
        return Raster(file.read(1), transform.c, transform.f, transform.a, file.crs.to_string())
