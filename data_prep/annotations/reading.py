"""From an annotation file of any kind to the tumor of a slide."""

from pathlib import Path
from typing import Any

from data_prep.annotations.annotation import ASIDE, EXCLUSION, KNOWN, TUMOR, UNUSED, Annotation, Drawing
from data_prep.annotations.asap import read_asap
from data_prep.annotations.geojson import read_geojson
from data_prep.annotations.mask import read_mask
from data_prep.annotations.shapes import Extent, as_polygon, within
from data_prep.errors import InputError
from data_prep.slides import Slide

_MASKS = (".png", ".tif", ".tiff")
_ASAP, _GEOJSON = ".xml", (".geojson", ".json")
_KINDS = "ASAP XML (.xml), GeoJSON (.geojson)"


def read_annotation(path: str | Path, slide: Slide, in_bounds: bool = True) -> Annotation:
    """The tumor that `path` marks on `slide`: ASAP XML (.xml), GeoJSON (.geojson, .json), or a mask image (.png, .tif).

    Tumor polygons are united, exclusions cut out of all of them; self-intersections are repaired, and what lies over
    the slide's edge is cut off, both with a note. Polygons that are not to be used are cut out of tumor and `aside`,
    those of unknown classes are `aside`, whole. A file without a single shape is a slide without tumor, with a note.
    `in_bounds`: GeoJSON counts from the corner of the scanned area, as QuPath does (False: from that of level 0).
    Masks: any value but 0 is tumor, their size stretched to the slide's.

    Raises `InputError` where the file is damaged, belongs to another slide, or holds shapes but no tumor that can be
    used.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending in _MASKS:
        return read_mask(path, slide)
    if ending not in (_ASAP, *_GEOJSON):
        raise InputError(f"{path}: no kind of annotation; give {_KINDS} or a mask (.png, .tif)")
    return read_drawn(path, slide, slide.bounds if in_bounds else (0, 0))


def read_drawn(path: Path, slide: Extent, corner: tuple[int, int] = (0, 0)) -> Annotation:
    """The tumor in an ASAP XML or GeoJSON file, as `read_annotation`, for a slide that need not be at hand.

    `corner`: (x, y) that GeoJSON counts from.
    """
    ending = path.suffix.lower()
    if ending == _ASAP:
        return _assemble(path, read_asap(path), slide)
    if ending in _GEOJSON:
        return _assemble(path, read_geojson(path, corner), slide)
    raise InputError(f"{path}: cannot be laid over patches without the slide; give {_KINDS}")


def _assemble(path: Path, drawing: Drawing, slide: Extent) -> Annotation:
    import shapely

    notes = list(drawing.notes)
    areas: dict[str, list[Any]] = {TUMOR: [], EXCLUSION: [], UNUSED: [], ASIDE: []}
    for shape in drawing.shapes:
        polygon, note = as_polygon(shape)
        notes += [note] if note else []
        if polygon is not None:
            areas[shape.kind].append(within(path, polygon, shape.name, slide, notes))
    if not areas[TUMOR] and (notes or drawing.shapes):
        raise InputError(_no_tumor(path, notes))
    notes += [] if drawing.shapes else ["no polygon: all tissue counts as normal"]
    tumor = shapely.difference(shapely.union_all(areas[TUMOR]), shapely.union_all(areas[EXCLUSION] + areas[UNUSED]))
    aside = areas[ASIDE] + areas[UNUSED]
    return Annotation(tumor, tuple(notes), shapely.union_all(aside) if aside else None, tuple(sorted(drawing.unknown)))


def _no_tumor(path: Path, notes: list[str]) -> str:
    reasons = "; ".join(notes[:3]) or "only what is cut out of it"
    remedy = "of a slide free of tumor give no annotation, but label normal in a table of slides"
    return f"{path}: no tumor polygon that can be used ({reasons}); {KNOWN}; {remedy}"
