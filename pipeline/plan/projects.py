"""Projects: the estates as given, else buildings that plainly belong together, else one building.

An estate is never split. Shop floor area is not housing and counts in no quantity of housing.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipeline.settings.plan import ProjectRule


def projects_of(
    buildings: gpd.GeoDataFrame, road_name: pd.Series, rule: ProjectRule
) -> pd.DataFrame:
    """Return ``building_id``, ``project_id``, ``project_name``, ``project_origin`` of each building.

    ``road_name`` (by building id) names what has no name of its own. The derivation looks at all
    housing, whatever its track, so that a building's project does not change with its rank. Footprints
    are needed only of buildings that have no name.
    """
    ids = buildings["building_id"].to_numpy(dtype=object)
    road = buildings["building_id"].map(road_name)
    street = road.fillna(buildings["subdistrict_name"]).fillna(buildings["district_name"])
    estate, name = buildings["estate_id"], buildings["estate_name"]
    named = estate.isna() & name.notna()
    by_name = buildings["district_name"] + "/" + name
    bare = has_no_name(buildings).to_numpy(dtype=bool)
    joined = _adjacent(buildings[bare], rule)
    key = pd.Series(ids, buildings.index, dtype=object)
    origin = pd.Series("single", buildings.index, dtype=object)
    label = buildings["building_name"].fillna(street + " " + buildings["building_id"])
    first = ids[bare][joined]
    is_joined = pd.Series(joined).duplicated(keep=False).to_numpy()
    key.loc[bare] = np.where(is_joined, "adjacent-" + first, ids[bare])
    origin.loc[bare] = np.where(is_joined, "adjacent", "single")
    together = street.map(lambda text: f"{text}片区").to_numpy(dtype=object)[bare]
    label.loc[bare] = np.where(is_joined, together[joined], label[bare])
    key = key.mask(named, by_name).mask(estate.notna(), estate)
    origin = origin.mask(named, "same_name").mask(estate.notna(), "estate")
    label = label.mask(named, name).mask(estate.notna(), name.fillna(estate))
    return pd.DataFrame(
        {
            "building_id": ids,
            "project_id": key.to_numpy(),
            "project_name": label.to_numpy(),
            "project_origin": origin.to_numpy(),
        }
    )


def has_no_name(buildings: pd.DataFrame) -> pd.Series:
    """Return where nothing says which estate a building is part of."""
    return buildings["estate_id"].isna() & buildings["estate_name"].isna()


def _adjacent(bare: gpd.GeoDataFrame, rule: ProjectRule) -> NDArray[np.int64]:
    """Return for each building the position of the first of its group; itself if it stands alone."""
    # only where projects are priced, and they take long to load
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    count = len(bare)
    alone = np.arange(count)
    if not count or rule.adjacency_gap_m == 0:
        return alone
    shapes = bare.geometry.to_numpy()
    one, two = shapely.STRtree(shapes).query(
        shapes, predicate="dwithin", distance=rule.adjacency_gap_m
    )
    register = bare["source_name"].to_numpy(dtype=object)
    district = bare["district_name"].to_numpy(dtype=object)
    same = (register[one] == register[two]) & (district[one] == district[two])
    links = sparse.coo_matrix((np.ones(same.sum()), (one[same], two[same])), (count, count))
    group = connected_components(links, directed=False)[1]
    size = np.bincount(group)
    first = np.full(size.size, count)
    np.minimum.at(first, group, alone)
    return np.where(size[group] <= rule.max_adjacent_building_count, first[group], alone)
