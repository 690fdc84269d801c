"""Stage 5."""

from pipeline.contracts.stage import *
from pipeline.contracts.tables import *


def run(inputs):
    b = inputs.tables[BUILDINGS]
    r = inputs.tables[BUILDING_RANKING]
    g = b[["building_id", "geometry"]].merge(r, on="building_id").sort_values("rank")
    return Outputs(
        pages={"index.html": "x"},
        map_layers={"ranking.gpkg": (MapLayer("buildings", g, "<qgis/>"),)},
    )
