"""The map of a city or of one district as one file: data, backdrop and words packed together."""

from dataclasses import dataclass
from typing import Any

from pipeline.atlas.backdrop import (
    add_contours,
    add_districts,
    add_estates,
    add_shade,
    add_streets,
    add_water,
    shade,
)
from pipeline.atlas.buildings import (
    add_counts,
    add_others,
    add_ranked,
    count_columns,
    half_unit_m2,
)
from pipeline.atlas.choices import add_gates, scenario_parts
from pipeline.atlas.classes import add_class_shifts
from pipeline.atlas.legend import (
    area_rows,
    attribution_texts,
    count_rows,
    criterion_rows,
    floor_known_share,
    gap_rows,
    left_out_rows,
    plan_rows,
    planned_years,
    source_rows,
    tier_rows,
    tier_sums,
    veto_rows,
)
from pipeline.atlas.packing import Pack
from pipeline.atlas.page import add_scripts, page_text, parted, titled
from pipeline.atlas.points import Used
from pipeline.atlas.projects import add_projects
from pipeline.atlas.scene import Scene
from pipeline.atlas.walks import HEIGHT_STEPS_PER_M, WALK_QUANTUM_UNITS, add_walks
from pipeline.contracts.stage import Inputs
from pipeline.pages.addresses import INDEX, district_page_name, links
from pipeline.rules.rank_order import NEED_PER_POINT
from pipeline.rules.tracks import TRACKS
from pipeline.settings.whole import Settings

WHOLE_AT_ONCE = 8000
"""A page of more buildings answers before the facts of each are unpacked."""
SKETCH_ZOOM = 11
"""Till here such a page begins with a point for each building; a pixel is 66 m of ground at 30° N."""


@dataclass(frozen=True)
class Neighbours:
    """The pages that lie beside a map: their addresses, and the name of each district by its id."""

    addresses: tuple[str, ...]
    district_names: dict[str, str]


def map_page(
    scene: Scene,
    inputs: Inputs,
    used: tuple[Used, ...],
    near: Neighbours,
    district_id: str = "",
    pack: Pack | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the page and what goes on record of it.

    Parameters
    ----------
    scene
        What is shown: the whole city, or the part of one district.
    inputs
        Settings and ledgers.
    used
        The criteria that count, with their weights.
    near
        The pages to link to, those that exist.
    district_id
        The district whose part the scene is; empty for the whole.
    pack
        An empty one to fill, if it shall share its ways with others.
    """
    settings: Settings = inputs.settings
    rows = scene.buildings
    scored = inputs.ledgers["score"]
    own = district_page_name(district_id) if district_id else INDEX
    pack = Pack() if pack is None else pack
    shade_place, other_count, drawn = _add_backdrop(pack, scene)
    add_ranked(
        pack, rows, scene.outlines, used, settings.score.tie_breaks,
        is_part=bool(district_id), spelt=scene.spelt,
    )  # fmt: skip
    gates, layers = add_gates(pack, rows), add_class_shifts(pack, rows)
    told_projects = add_projects(pack, rows, scene.projects, settings)
    minutes = settings.measure.count_within_min
    counted = add_counts(pack, rows, count_columns(settings.measure.facilities, minutes))
    walk_counts = add_walks(pack, scene.walks, rows["walk_start"].to_numpy(), scene.outlines)
    pack.numbers("tier", rows["tier"].to_numpy())
    add_scripts(pack)
    first, later = parted(pack)

    page: dict[str, Any] = {
        "city": settings.city.model_dump(include={"name_zh", "name_en", "is_synthetic"})
        | {"note": {"zh": settings.city.note_zh, "en": settings.city.note_en}},
        "scenario": inputs.scenario,
        "mark": "_synthetic_合成" if settings.city.is_synthetic else "",
        "tie_breaks": settings.score.tie_breaks,
        "tracks": list(TRACKS),
        **gates,
        **scenario_parts(settings, inputs.scenario),
        "district": _name_of(near, district_id),
        "tier_last_ranks": list(scene.tier_last_ranks),
        "pages": [
            {"label": {"zh": words.zh, "en": words.en}, "href": href}
            for href, words in links(own, near.addresses, near.district_names, only=district_id)
        ],
        "shade": shade_place,
        "terrain_cell_m": round(scene.light.cell_m),
        "contour_interval_m": settings.atlas.contour_interval_m,
        "half_unit_m2": half_unit_m2(rows),
        "walk_quantum": WALK_QUANTUM_UNITS,
        "height_steps_per_m": HEIGHT_STEPS_PER_M,
        "tiers": tier_rows(settings),
        "criteria": criterion_rows(used),
        "need_per_point": NEED_PER_POINT,
        "counted": count_rows(counted, settings),
        "count_within_min": list(minutes),
        "left_out": left_out_rows(
            scored["criteria_left_out"], scored.get("known_share", {}), settings
        ),
        "sources": source_rows(settings.sources),
        "attribution": attribution_texts(settings.sources),
        "areas": area_rows(scene.priority, list(rows["area_id"].cat.categories)),
        "vetoes": veto_rows(settings),
        **layers,
        **told_projects,
        "plan": plan_rows(scene.plan, near.district_names.values(), _name_of(near, district_id)),
        "lifted_count": int((rows["is_lifted"] & (rows["rank"] > 0)).sum()),
        "gaps": gap_rows(inputs.ledgers, settings, rows),
        "reference_year": settings.measure.reference_year,
        "other_count": other_count,
        "floor_known_share": floor_known_share(rows),
        "planned_years": planned_years(rows),
        "tier_sums": tier_sums(rows, len(settings.score.tier_upper_rank_shares)),
        "estate_count": drawn["estates"],
        "is_parted": len(rows) > WHOLE_AT_ONCE,
        "sketch_zoom": SKETCH_ZOOM,
        "later": [entry["name"] for entry in later.entries],
    }
    packs = first.to_bytes(page), later.to_bytes({})
    about = " · ".join(filter(None, [page["district"], inputs.scenario]))
    title = titled(settings.city.name_zh, settings.city.name_en, about)
    middle = (float(rows["latitude_deg"].median()), float(rows["longitude_deg"].median()))
    text = page_text(scene.frame, packs, title=title, middle=middle)
    ledger = {
        "rows_in": len(rows),
        "rows_out": len(rows),
        "other_footprints": other_count,
        **drawn,
        "walks": walk_counts,
        "packed_bytes": sum(map(len, packs)),
        "page_bytes": len(text.encode("utf-8")),
    }
    return text, ledger


def _name_of(near: Neighbours, district_id: str) -> str:
    return near.district_names[district_id] if district_id else ""


def _add_backdrop(pack: Pack, scene: Scene) -> tuple[dict[str, Any], int, dict[str, Any]]:
    """Pack what lies behind the scored buildings; return where the shade lies, and counts."""
    add_districts(pack, scene.districts)
    shade_place = add_shade(pack, shade(scene.light))
    drawn = {
        "contour_lines": add_contours(pack, scene.contours),
        "estates": add_estates(pack, scene.estates),
        "water_areas": add_water(pack, scene.water),
        "street_lines": add_streets(pack, scene.streets),
    }
    return shade_place, add_others(pack, scene.others, scene.other_outlines), drawn
