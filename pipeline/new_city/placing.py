"""Where the files of a new city lie, what must be asked of it, and which rasters are tiles of one."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from pipeline.geo.crs import parsed
from pipeline.new_city.roles import Guess
from pipeline.new_city.where import Bounds, fitting_crs, in_degrees, overlap_share, way_of
from pipeline.store.looks import Look
from pipeline.store.placement import has_exchanged_axes

_MOST_OVERLAP = 0.1


def known_places(looks: Sequence[Look]) -> list[Bounds]:
    """Return where the files that state their CRS lie, in degrees."""
    return [box for look in looks if (box := in_degrees(look.bounds, look.crs))]


def with_crs(look: Look, known: Sequence[Bounds], questions: list[str]) -> Look:
    """Return a look with the CRS in which it lies where the others do, if it states none; and ask."""
    if look.bounds is None or look.crs:
        return look
    fitting = fitting_crs(look.bounds, known)
    if not fitting:
        return look
    told = "" if len(fitting) == 1 else f"; also possible: {', '.join(fitting[1:4])}"
    reason = look.crs_doubt or "does not state its CRS"
    questions.append(f"{look.path} {reason}; {fitting[0]} fits the others{told}")
    return replace(look, crs=fitting[0])


def about_axes(look: Look) -> str:
    """Return what must be said of a layer whose degrees are latitude before longitude."""
    if not look.crs or not has_exchanged_axes(parsed(look.crs), look.bounds):
        return ""
    west, south, east, north = look.bounds or (0.0,) * 4
    return (
        f"{look.path}: 坐标轴颠倒 its axes are exchanged ({west:.3f}° to {east:.3f}° before "
        f"{south:.3f}° to {north:.3f}°): swap x and y in the file 请交换 X、Y"
    )


def join_tiles(found: list[Guess]) -> None:
    """Make one terrain of the tiles that lie in one folder and share CRS and kind of name."""
    tiles = sorted((g for g in found if g.role == "terrain"), key=lambda g: g.look.path)
    for guess in tiles:
        if guess not in found:
            continue
        key = _tile_key(guess)
        same = [other for other in tiles if other is not guess and _tile_key(other) == key]
        if any(overlap_much(pair) for pair in combinations([guess, *same], 2)):
            continue
        guess.more_paths = [other.look.path for other in same]
        if same:
            guess.why += f", {len(same) + 1} tiles"
        for other in same:
            found.remove(other)


def overlap_much(pair: Sequence[Guess]) -> bool:
    """Return whether two rasters lie over each other, not side by side as tiles with a common seam."""
    one, other = (in_degrees(guess.look.bounds, guess.look.crs) for guess in pair)
    return one is not None and other is not None and overlap_share(one, other) > _MOST_OVERLAP


def _tile_key(guess: Guess) -> tuple[str, str]:
    folder, _, name = guess.look.path.rpartition("/")
    if guess.look.format == "srtm_hgt":  # the name is the tile's place
        return f"{folder}/*.hgt", guess.look.crs
    return f"{folder}/{re.sub(r'[0-9]+', '#', name)}", guess.look.crs


def about_place(label: str, look: Look) -> list[str]:
    """Return what must be asked or told of a layer's datum, and of the cells of a raster."""
    told = []
    if look.stray_count:
        told.append(
            f"{label} ({look.path}): {look.stray_count:,} of {look.row_count:,} features lie far from "
            "all others 远离其他要素 (0, 0 or another city); they do not count for where the city lies"
        )
    if look.nodata is not None:
        told.append(
            f"{label} ({look.path}): {look.nodata:.9g} 应为空值 stands off all other cells and is not "
            f"declared as empty; nodata: {look.nodata:.9g} is written, check it"
        )
    if look.height_unit:
        told.append(
            f"{label} ({look.path}): its heights are taken for {look.height_unit} 高程单位: "
            f"height_unit: {look.height_unit} is written, check it"
        )
    way = way_of(look)
    if way is not None and not way.is_known:
        told.append(
            f"{label} ({look.path}): 没有已知的转换参数 no transformation from its datum, {way.name}, "
            "to WGS 84 is known here; taken as it is it may lie 150 m off. Ask the publisher for the "
            f"three or seven parameters and write them as sources.{label}.towgs84, or for the layer in "
            "CGCS2000; until then the city is not ranked"
        )
    elif way is not None and way.note:
        within = "" if way.accuracy_m is None else f", to within {way.accuracy_m:g} m"
        told.append(f"{label} ({look.path}): {way.note}{within}")
    return told
