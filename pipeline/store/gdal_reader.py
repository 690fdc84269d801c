"""A process that opens vector files for another one, which outlives it: GDAL crashes on damaged files.

Requests come as lines of JSON on the standard input; each answer is a line of JSON and, where it says
so, a table as an Arrow stream. Neither pandas nor shapely is loaded: the process must start quickly.
"""

import ctypes
import json
import os
import re
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, BinaryIO
from urllib.parse import quote

_MOST_OF_MEMORY = 0.25
"""Share of a request's memory that its answer may take: it is unfolded again where it arrives."""
_KEPT_DRIVERS = ("Memory", "MEM")
_CURVED = (7, 8, 9, 10, 11, 12, 13, 14)
"""Codes of well-known binary: circular string, compound curve, curve polygon and their collections,
and the collection of anything, which may hold them."""
_NOT_BY_ARROW = ("onlinear", "non-UTF-8")
"""In messages of pyogrio: curves, and texts in another encoding."""
_VIRTUAL = re.compile(r"create\s+virtual\s+table.*?using\s+[\"'\[`]?(\w+)", re.I | re.S)
_RECURSIVE = re.compile(r"\bwith\s+recursive\b", re.I)
_REACHING = re.compile(
    r"\b(ogr_geocode\w*|gdal_\w+|load_extension|readfile|ogr_layer\w*|fts3_tokenizer)\s*\(", re.I
)
_HARMLESS_MODULES = ("rtree", "fts3", "fts4", "fts5")


class _Unneeded:
    """Says of packages that pyogrio and Arrow would load too, if they were there, that they are not."""

    def find_spec(self, name: str, *_: object) -> None:
        if name in ("geopandas", "pandas", "shapely"):
            raise ModuleNotFoundError(name)


class _Drivers:
    """GDAL's drivers, of which only the one in use is registered."""

    def __init__(self, library_path: str) -> None:
        gdal = ctypes.CDLL(library_path)
        gdal.GDALGetDriver.restype = ctypes.c_void_p
        gdal.GDALGetDriverShortName.restype = ctypes.c_char_p
        for function in ("GDALGetDriverShortName", "GDALDeregisterDriver", "GDALRegisterDriver"):
            getattr(gdal, function).argtypes = [ctypes.c_void_p]
        found = [gdal.GDALGetDriver(number) for number in range(gdal.GDALGetDriverCount())]
        self._gdal = gdal
        self._all = {gdal.GDALGetDriverShortName(one).decode(): one for one in found}
        self._registered = ""
        for name, one in self._all.items():
            if name not in _KEPT_DRIVERS:
                gdal.GDALDeregisterDriver(one)

    def use(self, name: str) -> None:
        """Register one driver and no other; none if the name is empty."""
        if name == self._registered:
            return
        if self._registered:
            self._gdal.GDALDeregisterDriver(self._all[self._registered])
            self._registered = ""
        if not name:
            return
        if name not in self._all:
            raise ValueError(f"this GDAL cannot read {name}")
        self._gdal.GDALRegisterDriver(self._all[name])
        self._registered = name


def serve(other_side: int) -> None:
    """Answer requests until the other process closes them, or ``other_side``, an empty pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to both
    _end_with(other_side)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    sys.meta_path.insert(0, _Unneeded())
    import pyogrio
    import pyogrio._io

    drivers = _Drivers(pyogrio._io.__file__)
    requests = os.fdopen(os.dup(0), "rb")
    while line := requests.readline():
        request = json.loads(line)
        memory_bytes = request.pop("memory_bytes")
        _limit(request.pop("cpu_s"), memory_bytes)
        try:
            drivers.use(request.pop("driver"))
            work: Callable[..., tuple[dict[str, Any], Any]] = _WORK[request.pop("work")]
            answer, table = work(**request)
            answer["has_table"] = table is not None
            refuse_vast(table, memory_bytes)
        except MemoryError:
            answer, table = {"fault": "memory"}, None
        except Exception as error:  # GDAL and Arrow raise a dozen kinds for a damaged file
            told = str(error) or type(error).__name__
            answer, table = {"fault": type(error).__name__, "told": told}, None
        _send(answers, answer, table)


def refuse_vast(table: Any, memory_bytes: int) -> None:
    """Raise MemoryError at a table that would fill the memory where it arrives."""
    if table is not None and table.nbytes > memory_bytes * _MOST_OF_MEMORY:
        raise MemoryError


def _send(answers: BinaryIO, answer: dict[str, Any], table: Any) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    if table is not None:
        import pyarrow as pa

        with pa.ipc.new_stream(answers, table.schema) as stream:
            stream.write_table(table)
    answers.flush()


def _limit(cpu_s: float, memory_bytes: int) -> None:
    """Let the kernel end this process when a request takes too much."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + cpu_s) + 1
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, most))
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, resource.RLIM_INFINITY))


def _end_with(pipe: int) -> None:
    """Let the kernel end this process when the other end of a pipe is closed, also amid library code.

    Not the pipe of requests: on a busy machine a request's signal may come after it was read.
    """
    import fcntl
    import select

    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    watch = select.poll()
    watch.register(pipe, select.POLLIN)
    if watch.poll(0):  # it went before the flag was set
        os._exit(1)


def _layers(inside: str) -> tuple[dict[str, Any], None]:
    """Return the names of the layers, and the kind of shape each says it holds (none: a table)."""
    import pyogrio

    _check_database(inside)
    found = pyogrio.list_layers(inside)
    return {"layers": [[str(name), kind] for name, kind in found]}, None


def _about(inside: str, layer: str | None, encoding: str | None) -> tuple[dict[str, Any], None]:
    """Return the number of features, their bounds, and the date that the file states."""
    import pyogrio

    _check_database(inside)
    found = pyogrio.read_info(
        inside, layer=layer, encoding=encoding, force_feature_count=True, force_total_bounds=True
    )
    bounds = found["total_bounds"]
    dated = str((found.get("layer_metadata") or {}).get("DBF_DATE_LAST_UPDATE", ""))
    return {
        "count": int(found["features"]), "date": dated,
        "bounds": None if bounds is None else [float(one) for one in bounds],
    }, None  # fmt: skip


def _read(
    inside: str,
    layer: str | None,
    encoding: str | None,
    columns: list[str] | None,
    with_shapes: bool,
    most_rows: int | None,
    options: dict[str, str],
    settings: dict[str, str],
) -> tuple[dict[str, Any], Any]:
    """Return a layer as an Arrow table, shapes as well-known binary with straight edges."""
    import pyogrio

    _check_database(inside)
    pyogrio.set_gdal_config_options({"DXF_ENCODING": None, **settings})
    chosen = {
        "layer": layer, "encoding": encoding, "columns": columns, "read_geometry": with_shapes,
        "max_features": most_rows, "datetime_as_string": True, **options,
    }  # fmt: skip
    try:
        meta, table = pyogrio.read_arrow(inside, **chosen)
        table.validate(full=True)  # lengths of texts come from the file
        geometry = meta["geometry_name"] or "wkb_geometry"
        is_curved = geometry in table.column_names and _is_curved(table.column(geometry))
    except Exception as error:
        if not any(told in str(error) for told in _NOT_BY_ARROW):
            raise
        is_curved = True
    if is_curved:  # Arrow's way passes curves on as they are, or not at all
        meta, table, geometry = _read_straightened(inside, chosen)
    names = list(table.column_names)
    is_there = geometry in names
    plain = table.replace_schema_metadata(None)
    dated = [
        name for name, kind in zip(meta["fields"].tolist(), meta["dtypes"].tolist(), strict=True)
        if str(kind).startswith("datetime") and kind != "datetime64[D]"
    ]  # fmt: skip
    answer = {
        "crs": meta["crs"],
        "dated": dated,
        "geometry": names.index(geometry) if is_there else None,
    }
    return answer, plain


def _read_straightened(inside: str, chosen: dict[str, Any]) -> tuple[Any, Any, str]:
    import pyarrow as pa
    from pyogrio.raw import read

    meta, _, shapes, columns = read(inside, **chosen)
    names, geometry = meta["fields"].tolist(), "wkb_geometry"
    while geometry in names:
        geometry += "_"
    arrays = [pa.array(column, from_pandas=True) for column in columns]
    if shapes is not None:
        arrays.append(pa.array(shapes, type=pa.binary()))
        names = [*names, geometry]
    return meta, pa.table(arrays, names=names), geometry


def _is_curved(column: Any) -> bool:
    """Return whether a column of well-known binary may hold a curve."""
    import numpy as np

    for chunk in column.chunks:
        width = np.int64 if str(chunk.type).startswith("large") else np.int32
        _, offsets, data = chunk.buffers()
        if data is None:
            continue
        starts = np.frombuffer(offsets, dtype=width)[chunk.offset :][: len(chunk) + 1]
        content = np.frombuffer(data, dtype=np.uint8)
        long_enough = np.diff(starts) >= 9
        at = starts[:-1][long_enough].astype(np.int64)
        is_little = content[at] == 1
        codes = np.where(is_little, content[at + 1], content[at + 4])
        next_codes = np.where(is_little, content[at + 2], content[at + 3])
        kinds = (codes.astype(np.int64) + 256 * next_codes.astype(np.int64)) % 1000
        if np.isin(kinds, _CURVED).any():
            return True
    return False


def _check_database(inside: str) -> None:
    """Stop at a GeoPackage whose schema reaches beyond it, or may never end."""
    if not inside.lower().endswith(".gpkg"):
        return
    with closing(sqlite3.connect(f"file:{quote(inside)}?mode=ro&immutable=1", uri=True)) as found:
        for name, sql in found.execute("select name, sql from sqlite_master where sql is not null"):
            virtual = _VIRTUAL.search(str(sql))
            if virtual and virtual[1].lower() not in _HARMLESS_MODULES:
                raise ValueError(f"its table {name} is kept elsewhere ({virtual[1][:40]})")
            is_view = re.match(r"\s*create\s+(temp\w*\s+)?view", str(sql), re.I)
            if is_view and _RECURSIVE.search(str(sql)):
                raise ValueError(f"its view {name} calls itself and may never end")
            reaching = _REACHING.search(str(sql))
            if reaching:
                raise ValueError(f"its {name} calls {reaching[1]}, which opens other files")


def _parquet(inside: str, most_rows: int, most_bytes: int) -> tuple[dict[str, Any], Any]:
    """Return a Parquet file as a table, and what GeoParquet says of its columns of shapes."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(inside) as file:
        meta = file.metadata
        unpacked = sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))
        if meta.num_rows > most_rows or unpacked > most_bytes:
            raise ValueError(
                f"it says it holds {meta.num_rows:,} rows of {unpacked:,} bytes; at most "
                f"{most_rows:,} rows are read: cut it to the city first"
            )
        table = file.read()
    table.validate(full=True)
    return {"geo": (meta.metadata or {}).get(b"geo", b"{}").decode("utf-8")}, table


def _workbook(**request: Any) -> tuple[dict[str, Any], Any]:
    from pipeline.store.workbook_cells import read_workbook

    return read_workbook(**request)


def _hidden_rows(path: str) -> tuple[dict[str, Any], None]:
    from pipeline.store.workbook_cells import count_hidden_rows

    return count_hidden_rows(path)


_WORK: dict[str, Any] = {
    "layers": _layers, "about": _about, "read": _read, "parquet": _parquet, "workbook": _workbook,
    "hidden_rows": _hidden_rows,
}  # fmt: skip
