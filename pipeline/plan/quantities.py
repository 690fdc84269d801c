"""What there is to renovate in each building, with stand-ins where a quantity is not known."""

import math

import pandas as pd

from pipeline.settings.plan import StandIns


def quantities(
    buildings: pd.DataFrame, measurements: pd.DataFrame, stand_ins: StandIns
) -> pd.DataFrame:
    """Return one row for each building, in the order of ``buildings``.

    ``floor_area_m2`` (housing only), ``facade_area_m2``, ``roof_area_m2``, ``household_count``,
    ``stairwell_count``, ``building_count`` = 1, ``is_estimated`` where floor area or households rest
    on a stand-in, and every column of both tables but the footprint; ``is_unmanaged_share`` is 1
    where nobody manages.
    ``buildings`` has a ``perimeter_m``.
    """
    known = measurements.set_index("building_id").reindex(buildings["building_id"])
    known = known.set_index(buildings.index)
    plain = pd.DataFrame(buildings.drop(columns="geometry"))
    both = plain.join(known[[name for name in known.columns if name not in plain.columns]])
    storeys = _real(both["storey_count"]).fillna(stand_ins.storey_count)
    floor_area = _real(both["floor_area_m2"])
    is_estimated = floor_area.isna() | both["household_count"].isna()
    floor_area = floor_area.fillna(_real(both["footprint_area_m2"]) * storeys)
    homes = (floor_area / stand_ins.floor_area_per_household_m2).map(math.ceil)
    households = _real(both["household_count"]).fillna(homes)
    landings = (households / (storeys * stand_ins.flats_per_landing)).map(math.ceil)
    unmanaged = both["management_type"].map({"none": 1.0, "community": 0.0, "company": 0.0})
    return both.assign(
        floor_area_m2=floor_area,
        household_count=households,
        stairwell_count=_real(both["stairwell_count"]).fillna(landings).clip(1.0),
        facade_area_m2=both["perimeter_m"] * storeys * stand_ins.storey_height_m,
        roof_area_m2=_real(both["footprint_area_m2"]),
        building_count=1.0,
        is_unmanaged_share=unmanaged.astype("float64"),
        is_estimated=is_estimated.astype(bool),
    )


def _real(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column).astype("float64")
