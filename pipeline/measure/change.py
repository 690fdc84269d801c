"""A change applied to a city's streets and facilities: what is closed, what is added.

Closing shuts a link, a lift or a facility where it stands, so all other links keep their number and
height. A new lift or link is a span between two points of the streets. Assumes that nobody's door
opens onto a span: houses keep the ways to the street that they have, whatever is built beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.geo.datum import into_working_crs
from pipeline.geo.network import StreetPoint
from pipeline.geo.profile import (
    Flags,
    Names,
    StreetLinks,
    link_profiles,
    terrain_heights,
    walk_minutes,
)
from pipeline.geo.raster import Floats
from pipeline.measure.streets import StreetWorld
from pipeline.measure.walks import MAIN_ROAD, NO_SPANS, Spans
from pipeline.problem import Problem
from pipeline.settings.change import AddLift, AddLink, Change, Position
from pipeline.settings.measure import MeasureSettings

_SPANNED = ("ground", "steps", "bridge")
_LEAST_SPAN_M = 1.0


@dataclass(frozen=True)
class Streets:
    """The tables of streets and facilities that a change touches, and what it did to them."""

    nodes: gpd.GeoDataFrame
    edges: gpd.GeoDataFrame
    amenities: gpd.GeoDataFrame
    done: tuple[dict[str, Any], ...] = ()
    """One record for each closed thing and each new facility."""


def changed_streets(
    streets: Streets, change: Change, rule: MeasureSettings, *, file: str
) -> Streets:
    """Return the tables with everything closed and every facility added; the given ones stay.

    Raises
    ------
    Problem
        If a key names nothing in the tables, or a facility type that the settings do not list.
    """
    nodes, edges, amenities = streets.nodes, streets.edges, streets.amenities
    done: list[dict[str, Any]] = []
    for number, action in enumerate(change.actions):
        key = f"actions.{number}"
        if action.close is not None:
            if action.close.edge_id is not None:
                edges, record = _without_edge(edges, action.close.edge_id, file, key)
            elif action.close.node_id is not None:
                nodes, record = _without_lift(nodes, action.close.node_id, file, key)
            else:
                amenity_id = str(action.close.amenity_id)
                amenities, record = _without_amenity(amenities, amenity_id, file, key)
            done.append({"action": number, **record})
        elif action.add_amenity is not None:
            new = action.add_amenity
            allowed = [name for name in rule.facilities if name != MAIN_ROAD]
            if new.type not in allowed:
                raise Problem(
                    file, f"{key}.add_amenity.type = {new.type!r}: no such facility type",
                    expected=f"one of: {', '.join(allowed)}", fix="correct the type",
                )  # fmt: skip
            x, y = working_xy(new.at, change, str(amenities.crs))
            row = {
                "amenity_id": f"what-if-{number}",
                "amenity_type": new.type,
                "amenity_name": new.name,
                "source_name": "what-if",
                "source_row": str(number),
            }
            added = gpd.GeoDataFrame([row], geometry=[shapely.Point(x, y)], crs=amenities.crs)
            amenities = gpd.GeoDataFrame(
                pd.concat([amenities, added[amenities.columns]], ignore_index=True),
                crs=amenities.crs,
            )
            done.append(
                {"action": number, "does": "add_amenity", "type": new.type, "name": new.name}
            )
    return Streets(nodes, edges, amenities, tuple(done))


def _without_edge(
    edges: gpd.GeoDataFrame, edge_id: str, file: str, key: str
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    row = _row(edges["edge_id"], edge_id, "street link", file, f"{key}.close.edge_id")
    is_it = np.arange(len(edges)) == row
    shut = edges.assign(
        is_forward_open=edges["is_forward_open"] & ~is_it,
        is_backward_open=edges["is_backward_open"] & ~is_it,
    )
    was_open = bool(edges["is_forward_open"].iloc[row] or edges["is_backward_open"].iloc[row])
    name = edges["road_name"].iloc[row]
    told = "" if pd.isna(name) else str(name)
    return shut, {"does": "close_edge", "id": edge_id, "name": told, "was_open": was_open}


def _without_lift(
    nodes: gpd.GeoDataFrame, node_id: str, file: str, key: str
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    lifts = nodes[nodes["lift_type"] != "none"]
    if node_id not in set(lifts["node_id"]):
        known = ", ".join(lifts["node_id"].iloc[:30]) or "none, no lift is mapped as a node"
        raise Problem(
            file, f"{key}.close.node_id = {node_id!r}: no public lift is mapped there",
            expected=f"one of: {known}", fix="correct the key, or close a link by its edge_id",
        )  # fmt: skip
    is_it = (nodes["node_id"] == node_id).to_numpy()
    was_open = bool((nodes["lift_type"][is_it] == "open").iloc[0])
    shut = nodes.assign(lift_type=nodes["lift_type"].mask(is_it, "closed"))
    return shut, {"does": "close_lift", "id": node_id, "was_open": was_open}


def _without_amenity(
    amenities: gpd.GeoDataFrame, amenity_id: str, file: str, key: str
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    row = _row(amenities["amenity_id"], amenity_id, "facility", file, f"{key}.close.amenity_id")
    gone = amenities.iloc[row]
    name = "" if pd.isna(gone["amenity_name"]) else str(gone["amenity_name"])
    kept = amenities[np.arange(len(amenities)) != row].reset_index(drop=True)
    record = {"does": "close_amenity", "id": amenity_id, "type": gone["amenity_type"], "name": name}
    return kept, record


def _row(keys: pd.Series, wanted: str, what: str, file: str, key: str) -> int:
    found = np.flatnonzero((keys == wanted).to_numpy())
    if not len(found):
        near = get_close_matches(wanted, keys.tolist(), n=3)
        raise Problem(
            file, f"{key} = {wanted!r}: there is no such {what}",
            expected=f"a key of that table, such as {', '.join(near or keys.iloc[:3].tolist())}",
            fix="correct the key; the tables lie in data/processed/<city>/",
        )  # fmt: skip
    return int(found[0])


def working_xy(position: Position, change: Change, crs: str) -> tuple[float, float]:
    """Return a position of the change in the working CRS, metres."""
    x, y = into_working_crs(
        np.array([position[0]]),
        np.array([position[1]]),
        datum=str(change.datum),
        crs="EPSG:4326",
        working_crs=crs,
    )
    return float(x[0]), float(y[0])


def change_spans(
    world: StreetWorld, streets: Streets, change: Change, rule: MeasureSettings, *, file: str
) -> tuple[Spans, list[dict[str, Any]]]:
    """Return the new lifts and links as spans between streets, and a record of each.

    Parameters
    ----------
    world
        The city as it is: its links and heights.
    streets
        The tables after ``changed_streets``: nothing is joined to a street that is shut.

    Raises
    ------
    Problem
        If no street lies within ``measure.access.max_access_m`` of an end, both ends meet, or nothing
        that can be walked could be built there.
    """
    planned = [(number, action.span) for number, action in enumerate(change.actions) if action.span]
    if not planned:
        return NO_SPANS, []
    crs = str(streets.edges.crs)
    where = [_keys(number, span) for number, span in planned]
    xy = np.array(
        [
            [working_xy(span.from_, change, crs), working_xy(span.to, change, crs)]
            for _, span in planned
        ]
    ).reshape(-1, 2)
    keys = [f"{key}.{end}" for key in where for end in ("from", "to")]
    point, distance = nearest_street(xy, keys, world.network.links, streets.edges, rule, file)
    meets = shapely.line_interpolate_point(
        world.network.links.shape[point.link], point.fraction, normalized=True
    )
    z = world.network.profiles.at("elevation_m", point.link, point.fraction)
    links = _span_links([span for _, span in planned], meets)
    _refuse_impossible(links, z, [span for _, span in planned], where, world, file)
    minutes, ascent = _span_walks(links, z, [span for _, span in planned], where, world, rule, file)
    spans = Spans(
        StreetPoint(point.link[::2], point.fraction[::2]),
        StreetPoint(point.link[1::2], point.fraction[1::2]),
        minutes[0], minutes[1], ascent[0], ascent[1],
    )  # fmt: skip
    length = shapely.length(links.shape)
    records = []
    for index, (number, span) in enumerate(planned):
        ends = {
            end: _end(streets.edges, point.link[at], distance[at], z[at])
            for end, at in (("from", 2 * index), ("to", 2 * index + 1))
        }
        records.append(
            {
                "action": number,
                "does": where[index].split(".")[-1],
                "kind": str(links.structure[index]),
                "name": span.name,
                "length_m": round(float(length[index]), 1),
                "rise_m": round(float(z[2 * index + 1] - z[2 * index]), 1),
                "there_min": round(float(minutes[0][index]), 2),
                "back_min": round(float(minutes[1][index]), 2)
                if np.isfinite(minutes[1][index])
                else None,
                **ends,
            }
        )
    return spans, records


def _keys(number: int, span: AddLift | AddLink) -> str:
    return f"actions.{number}.{'add_lift' if isinstance(span, AddLift) else 'add_link'}"


def can_be_joined(edges: gpd.GeoDataFrame) -> Flags:
    """Return which street links a new lift or link may be joined to."""
    is_open = (edges["is_forward_open"] | edges["is_backward_open"]).to_numpy()
    return is_open & np.isin(edges["structure_type"].to_numpy(dtype=object), _SPANNED)


def nearest_street(
    xy: Floats,
    keys: Sequence[str],
    links: StreetLinks,
    edges: gpd.GeoDataFrame,
    rule: MeasureSettings,
    file: str,
) -> tuple[StreetPoint, Floats]:
    """Return the nearest point of an open street, stair or bridge to each place, and how far.

    Raises
    ------
    Problem
        If there is none within ``measure.access.max_access_m``; ``keys`` name the places.
    """
    candidates = np.flatnonzero(can_be_joined(edges))
    places = shapely.points(xy)
    tree = shapely.STRtree(links.shape[candidates])
    cap = rule.access.max_access_m
    (found, near), distance = tree.query_nearest(
        places, max_distance=cap, return_distance=True, all_matches=False
    )
    missing = np.setdiff1d(np.arange(len(places)), found)
    if len(missing):
        told = ", ".join(keys[index] for index in missing)
        raise Problem(
            file, f"{told}: no open street within {cap:g} m",
            expected="[longitude, latitude] beside a street, in the datum of the file",
            fix="correct the position, the order of the two numbers or the datum",
        )  # fmt: skip
    link = candidates[near]
    fraction = shapely.line_locate_point(links.shape[link], places[found], normalized=True)
    fraction = np.clip(np.nan_to_num(fraction), 0, 1)
    return StreetPoint(link, fraction), distance


def _span_links(spans: Sequence[AddLift | AddLink], meets: Names) -> StreetLinks:
    """Return the spans as links of their own, from node 2 × number to the next."""
    number = np.arange(len(spans))
    x, y = shapely.get_x(meets), shapely.get_y(meets)
    ends = np.stack([x, y], axis=1).reshape(-1, 2, 2)
    kind = ["lift" if isinstance(span, AddLift) else span.kind for span in spans]
    structure = np.array(kind, dtype=object)
    return StreetLinks(
        from_node=2 * number,
        to_node=2 * number + 1,
        shape=shapely.linestrings(ends),
        structure=structure,
        is_forward_open=np.ones(len(spans), dtype=bool),
        is_backward_open=structure != "escalator",
        tagged_rise_m=np.full(len(spans), np.nan),
        node_x=x,
        node_y=y,
    )


def _refuse_impossible(
    links: StreetLinks,
    z: Floats,
    spans: Sequence[AddLift | AddLink],
    where: Sequence[str],
    world: StreetWorld,
    file: str,
) -> None:
    for index, span in enumerate(spans):
        shape, kind = links.shape[index], links.structure[index]
        told = f"{where[index]} {span.name!r}"
        apart = np.hypot(shapely.length(shape), z[2 * index + 1] - z[2 * index])
        if np.isnan(apart):
            raise Problem(file, f"{told}: the terrain is empty at an end", fix="move that end")
        if apart < _LEAST_SPAN_M:
            raise Problem(
                file, f"{told}: both ends meet the streets at the same place",
                expected="two places", fix="move one end nearer to the street it should reach",
            )  # fmt: skip
        if kind in ("ground", "steps") and shapely.intersects(shape, world.water).any():
            raise Problem(
                file, f"{told}: leads across water", expected="kind: bridge or tunnel",
                fix="correct the kind or the ends",
            )  # fmt: skip


def _span_walks(
    links: StreetLinks,
    z: Floats,
    spans: Sequence[AddLift | AddLink],
    where: Sequence[str],
    world: StreetWorld,
    rule: MeasureSettings,
    file: str,
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return minutes and metres climbed of each span, there and back.

    The level part between a lift and the streets it serves is walked.
    """
    spacing_m, noise_m = rule.walking.profile_spacing_m, rule.walking.profile_noise_m
    heights = terrain_heights(links, world.terrain, spacing_m, noise_m)
    profiles = link_profiles(links, heights.between(links, z), rule.walking)
    length = shapely.length(links.shape)
    if len(profiles.clipped_links):
        index = int(profiles.clipped_links[0])
        rise = abs(z[2 * index + 1] - z[2 * index])
        cap = rule.walking.max_stair_grade
        cap = cap if links.structure[index] == "steps" else rule.walking.max_grade
        raise Problem(
            file,
            f"{where[index]} {spans[index].name!r}: too steep for kind {links.structure[index]} "
            f"({rise:.0f} m between ends {length[index]:.0f} m apart)",
            expected=f"no part steeper than {cap:g} (measure.walking)",
            fix="move an end, split it with a landing at another street, or add a lift",
        )  # fmt: skip
    number, zero = np.arange(links.count), np.zeros(links.count)

    def whole(name: str) -> Floats:
        return profiles.at(name, number, zero + 1) - profiles.at(name, number, zero)

    there, back = whole("forward_min"), whole("backward_min")
    for index, span in enumerate(spans):
        if isinstance(span, AddLift):
            boarding = span.boarding_min
            boarding = rule.walking.lift_min if boarding is None else boarding
            level = walk_minutes(length[index : index + 1], zero[:1], rule.walking)[0]
            there[index] = back[index] = boarding + level
    back = np.where(links.is_backward_open, back, np.inf)
    return (there, back), (whole("ascent_m"), whole("descent_m"))


def _end(edges: gpd.GeoDataFrame, link: int, distance: float, z: float) -> dict[str, Any]:
    name = edges["road_name"].iloc[link]
    return {
        "edge_id": str(edges["edge_id"].iloc[link]),
        "road_name": "" if pd.isna(name) else str(name),
        "distance_m": round(float(distance), 1),
        "elevation_m": round(float(z), 1),
    }
