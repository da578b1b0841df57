"""Synthetic slides as files: pyramidal TIFF, label map, ASAP XML, QuPath GeoJSON."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import cv2
import numpy as np

from data_prep.errors import InputError
from data_prep.files import replacing, write_text
from data_prep.synthetic.scene import Outline

TILE = 256
STEP = 4  # from level to level
LEAST = 256  # no level has a side shorter than this
JPEG = {"compression": "jpeg", "subsampling": (2, 2), "compressionargs": {"level": 90}}  # YCbCr inside, as scanners do
DEFLATE = {"compression": "deflate"}
GROUPS = {"metastases": "#ff0000", "exclusion": "#0000ff"}
ASAP, QUPATH = ".xml", ".geojson"


def write_pyramid(path: Path, image: np.ndarray, mpp: float, lossless: bool) -> None:
    """RGB `image` (h, w, 3) as a tiled pyramid in steps of 4 that OpenSlide opens; JPEG unless `lossless`."""
    levels = [image]
    while min(levels[-1].shape[:2]) >= LEAST * STEP:
        height, width = (length // STEP for length in levels[-1].shape[:2])
        levels.append(cv2.resize(levels[-1], (width, height), interpolation=cv2.INTER_AREA))
    with _tiff(path) as write:
        for level, pixels in enumerate(levels):
            options = DEFLATE if lossless else JPEG
            write(
                pixels,
                resolution=_per_centimetre(mpp * STEP**level),
                subfiletype=int(level > 0),
                photometric="rgb",
                **options,
            )


def write_labels(path: Path, labels: np.ndarray, mpp: float) -> None:
    """A label map (h, w) as a tiled TIFF, without loss."""
    with _tiff(path) as write:
        write(labels, resolution=_per_centimetre(mpp), compression="deflate", photometric="minisblack")


def _per_centimetre(mpp: float) -> tuple[float, float]:
    return 1e4 / mpp, 1e4 / mpp


@contextmanager
def _tiff(path: Path) -> Iterator[Callable[..., Any]]:
    """A function that appends a tiled image with a resolution in pixels a centimetre to the TIFF `path`."""
    try:
        from tifffile import TiffWriter
    except ImportError:
        raise InputError('slides are written by tifffile, which is missing: pip install "mta[slides]"') from None
    with replacing(path) as temporary, TiffWriter(temporary) as file:
        yield partial(
            file.write, tile=(TILE, TILE), resolutionunit="CENTIMETER", metadata=None, software=False, contiguous=False
        )


def write_annotation(path: Path, outlines: tuple[Outline, ...]) -> None:
    """`outlines` as ASAP XML (groups metastases and exclusion) or, where `path` ends so, as QuPath GeoJSON."""
    write_text(path, _geojson(outlines) if path.suffix == QUPATH else _asap(outlines))


def _asap(outlines: tuple[Outline, ...]) -> str:
    root = Element("ASAP_Annotations")
    polygons, groups = SubElement(root, "Annotations"), SubElement(root, "AnnotationGroups")
    rings = [("metastases", outline.outer) for outline in outlines]
    rings += [("exclusion", outline.hole) for outline in outlines if outline.hole is not None]
    for number, (group, ring) in enumerate(rings):
        polygon = SubElement(
            polygons, "Annotation", Name=f"Annotation {number}", Type="Polygon", PartOfGroup=group, Color=GROUPS[group]
        )
        coordinates = SubElement(polygon, "Coordinates")
        for order, (x, y) in enumerate(ring.tolist()):
            SubElement(coordinates, "Coordinate", Order=str(order), X=str(x), Y=str(y))
    for name, color in GROUPS.items():
        SubElement(SubElement(groups, "Group", Name=name, PartOfGroup="None", Color=color), "Attributes")
    indent(root)
    return '<?xml version="1.0"?>\n' + tostring(root, encoding="unicode") + "\n"


def _geojson(outlines: tuple[Outline, ...]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": [_feature(outline) for outline in outlines]}) + "\n"


def _feature(outline: Outline) -> dict[str, Any]:
    """An annotation as QuPath 0.4 and later export it: rings closed, the hole as the second one."""
    rings = [ring.tolist() for ring in (outline.outer, outline.hole) if ring is not None]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]] for ring in rings]},
        "properties": {"objectType": "annotation", "classification": {"name": "Tumor", "color": [200, 0, 0]}},
    }
