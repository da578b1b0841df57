"""Sampling as in the original code, with its constants: from a mask 128 times smaller than the slide."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import shapely

from data_prep.sampling.ground import Ground

DOWNSAMPLE = 128
"""Level-0 pixels a mask pixel: level 7 of a Camelyon slide."""
LEAST_ROW, LEAST_COLUMN = 250, 50
"""Mask rows and columns before which no patch begins."""
PATCHES = 500
_OUTLINE = 2


def original_mask(geometry: Any, shape: tuple[int, int], scale: float) -> np.ndarray:
    """`geometry` (level-0 pixels) as a mask (h, w) bool: corners rounded to mask pixels, outline 2 pixels wide."""
    polygons = [part for part in shapely.get_parts(geometry) if part.area > 0]
    rings = [ring for part in polygons for ring in (part.exterior, *part.interiors)]
    contours = [np.round(np.array(ring.coords)[:, :2] / scale).astype(np.int32) for ring in rings]
    mask = np.zeros(shape, np.uint8)
    if contours:
        cv2.drawContours(mask, contours, -1, 1, _OUTLINE)
        cv2.fillPoly(mask, contours, 1)
    return mask.astype(bool)


def original_places(
    ground: Ground, kind: str, size: int, coverage: float, margin: int | None, wanted: int, chance: np.random.Generator
) -> Iterator[np.ndarray]:
    """Corners (k, 2) as (x, y) in level-0 pixels, drawn with replacement from the mask pixels of class `kind`.

    `size`: pixels of a patch, at level 0. `margin`: level-0 pixels before which no patch begins, None for the
    original's. A normal patch is covered by tissue to at least `coverage`; of a tumor patch any pixel will do, as the
    original's mask holds 255 where it counts ones. Normal ones do not touch what is left aside. After 10 `wanted` +
    1,000 draws that did not fit it ends.
    """
    mask = _mask_of(ground, kind)
    pixels = np.argwhere(mask)
    if len(pixels) <= 2 * size / ground.scale:
        return
    window = max(1, int(size / ground.scale))
    least = (LEAST_ROW, LEAST_COLUMN) if margin is None else (margin / ground.scale,) * 2
    failed = 0
    while failed <= 10 * wanted + 1000:
        drawn = pixels[chance.integers(len(pixels), size=wanted)]
        fit = np.all((drawn >= least) & (drawn + window <= mask.shape), axis=1)
        if kind != "tumor":
            fit[fit] = _covered(mask, drawn[fit], window) >= coverage
        corners = np.round(drawn[:, ::-1] * ground.scale).astype(np.int64)
        if kind == "normal":
            fit[fit] = ~ground.is_aside(corners[fit, 0], corners[fit, 1], size)
        failed += int(np.count_nonzero(~fit))
        if fit.any():
            yield corners[fit]


def _mask_of(ground: Ground, kind: str) -> np.ndarray:
    if ground.annotated is None:
        return ground.tissue
    return ground.annotated if kind == "tumor" else ground.tissue & ~ground.annotated


def _covered(mask: np.ndarray, corners: np.ndarray, window: int) -> np.ndarray:
    """Share (n,) of the squares of `window` mask pixels at `corners` (n, 2) as (row, column) that is set."""
    sums = cv2.integral(mask.astype(np.uint8))
    (top, left), (bottom, right) = corners.T, corners.T + window
    return (sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]) / window**2
