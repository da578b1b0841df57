"""A picture of a slide with its tissue, its annotation and where patches were cut."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import shapely

from data_prep.pictures import write_png
from data_prep.sampling import UNLABELLED, Ground
from data_prep.slides import Slide

LONGEST, SHORTEST = 1000, 500
TISSUE, ANNOTATION = (0, 140, 60), (0, 0, 0)
COLORS = {"normal": (0, 90, 220), "tumor": (220, 30, 30), UNLABELLED: (150, 0, 170)}
_LINE = 2


def write_preview(
    path: Path, slide: Slide, picture: np.ndarray, ground: Ground, corners: Mapping[str, np.ndarray], side: float
) -> None:
    """Write a PNG of at most 1000 pixels: tissue outlined in green, the annotation in black, a frame for each patch.

    `picture`: (h, w, 3) RGB of the slide, its edges a whole multiple of the mask's. `corners`: (n, 2) level-0 corners
    by class. `side`: of a patch, in level-0 pixels. Normal is blue, tumor red, unlabelled purple.
    """
    picture = picture_of(slide, picture)
    zoom = picture.shape[1] / (ground.tissue.shape[1] * ground.scale)
    _outline_tissue(picture, ground.tissue)
    if ground.tumor is not None:
        _outline_annotation(picture, ground.tumor, zoom)
    for kind, places in corners.items():
        for x, y in places:
            low, high = (round(x * zoom), round(y * zoom)), (round((x + side) * zoom), round((y + side) * zoom))
            cv2.rectangle(picture, low, high, COLORS[kind], _LINE)
    write_png(path, picture, durable=False)


def picture_of(slide: Slide, picture: np.ndarray) -> np.ndarray:
    """What `picture` (h, w, 3) shows at a size to look at, at most 1000 pixels; of a finer level where it is small."""
    longest = max(picture.shape[:2])
    small = longest < min(SHORTEST, max(slide.size))
    fine = slide.overview(slide.mpp * max(1.0, max(slide.size) / LONGEST))[0] if small else picture
    zoom = min(LONGEST, max(fine.shape[:2])) / longest
    size = tuple(max(1, round(length * zoom)) for length in picture.shape[1::-1])
    return np.ascontiguousarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA))


def _outline_tissue(picture: np.ndarray, mask: np.ndarray) -> None:
    scaled = cv2.resize(mask.astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours(scaled, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(picture, contours, -1, TISSUE, _LINE)


def _outline_annotation(picture: np.ndarray, tumor: Any, zoom: float) -> None:
    """The polygons themselves: a mask as coarse as that of the tissue would not show where the line was drawn."""
    polygons = [part for part in shapely.get_parts(tumor) if part.area > 0]
    rings = shapely.get_rings(polygons)
    corners = [np.round(shapely.get_coordinates(ring) * zoom).astype(np.int32) for ring in rings]
    cv2.polylines(picture, corners, True, ANNOTATION, _LINE, cv2.LINE_AA)
