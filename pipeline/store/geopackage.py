"""GeoPackage that QGIS opens with its layers drawn."""

import sqlite3
from pathlib import Path

from pipeline.contracts.stage import MapLayer
from pipeline.problem import Problem

_STYLES = """
create table layer_styles (
  id integer primary key autoincrement, f_table_catalog text(256), f_table_schema text(256),
  f_table_name text(256), f_geometry_column text(256), styleName text(30), styleQML text,
  styleSLD text, useAsDefault boolean, description text, owner text(30), ui text(30),
  update_time datetime
)
"""
_FIXED_TIME = "2000-01-01T00:00:00.000Z"


def write_geopackage(partial: Path, path: Path, layers: tuple[MapLayer, ...]) -> None:
    """Write layers and their QGIS styles.

    Times inside the file are fixed: the clock has no place in an output.
    """
    import pyogrio

    partial.unlink(missing_ok=True)
    previous = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FIXED_TIME})
    try:
        for layer in layers:
            pyogrio.write_dataframe(
                layer.features,
                partial,
                layer=layer.name,
                driver="GPKG",
                append=partial.exists(),
                use_arrow=True,  # a quarter of the time
            )
        with sqlite3.connect(partial) as database:
            _write_styles(database, layers)
        database.close()
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError,
            pyogrio.errors.FeatureError, sqlite3.Error, OSError, RuntimeError) as error:  # fmt: skip
        raise Problem(
            path,
            f"cannot be written ({error})",
            fix="free some space or give write permission, run again",
        ) from None
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": previous})


def _write_styles(database: sqlite3.Connection, layers: tuple[MapLayer, ...]) -> None:
    database.execute(_STYLES)
    database.execute(
        "insert into gpkg_contents (table_name, data_type, identifier, last_change) "
        "values ('layer_styles', 'attributes', 'layer_styles', ?)",
        [_FIXED_TIME],
    )
    for layer in layers:
        if layer.style_qml:
            database.execute(
                "insert into layer_styles (f_table_catalog, f_table_schema, f_table_name, "
                "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, "
                "owner, update_time) values ('', '', ?, 'geom', ?, ?, '', 1, ?, '', ?)",
                [layer.name, layer.name, layer.style_qml, layer.name, _FIXED_TIME],
            )
