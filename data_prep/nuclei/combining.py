"""Regions and round outlines together: the best first, each where hardly anything is taken yet."""

from collections.abc import Iterator

import cv2
import numpy as np

from data_prep.nuclei.rays import Outlines

LEAST_REGION, LEAST_OUTLINE = 0.40, 0.36  # quality; what is worse is no nucleus
LEAST_FREE = 0.8  # share of a candidate
LOOKED_AT = (0.5, 0.8)  # radii of an outline
MOST_TAKEN = 0.5  # share of the places looked at; with more, hardly `LEAST_FREE` can be free: it is not worth filling
Place = tuple[tuple[slice, slice], np.ndarray]
FRACTION = 4  # bits of a corner between pixels


def combine(regions: np.ndarray, quality: np.ndarray, outlines: Outlines, roundness: np.ndarray) -> np.ndarray:
    """Label map (h, w) `int32` of the best of `regions`, a label map with the `quality` of each (n,), and `outlines`.

    `roundness` (m,): the quality of the outlines.
    """
    labels, number = np.zeros(regions.shape, np.int32), 0
    for place, inside in _best_first(regions, quality, outlines, roundness, labels):
        free = inside & (labels[place] == 0)
        if free.sum() >= max(1, LEAST_FREE * inside.sum()):
            number += 1
            labels[place][free] = number
    return labels


def _best_first(
    regions: np.ndarray, quality: np.ndarray, outlines: Outlines, roundness: np.ndarray, labels: np.ndarray
) -> Iterator[Place]:
    """The good ones, less the outlines that are mostly in `labels` when their turn comes."""
    boxes, taken = _boxes(regions, len(quality)), labels.reshape(-1)
    x, y = outlines.points()
    looked_at = _places(outlines, regions.shape)
    good = [(value, True, n) for n, value in enumerate(quality) if value > LEAST_REGION]
    good += [(value, False, n) for n, value in enumerate(roundness) if value > LEAST_OUTLINE]
    for _, is_region, n in sorted(good, reverse=True):
        if is_region:
            yield boxes[n], regions[boxes[n]] == n + 1
        elif np.count_nonzero(taken[looked_at[n]]) <= MOST_TAKEN * looked_at.shape[1]:
            yield fill(x[n], y[n], regions.shape)


def _places(outlines: Outlines, shape: tuple[int, ...]) -> np.ndarray:
    """Flat indices (n, m) of some places inside of each outline, or the nearest in an image of `shape`."""
    x, y = (np.concatenate(axis, axis=1) for axis in zip(*map(outlines.points, LOOKED_AT), strict=True))
    row, column = (np.clip(np.rint(v), 0, size - 1).astype(np.int64) for v, size in zip((y, x), shape, strict=True))
    return row * shape[1] + column


def _boxes(regions: np.ndarray, count: int) -> list[tuple[slice, slice]]:
    """The box around each region of a label map."""
    y, x = np.nonzero(regions)
    owner = regions[y, x] - 1
    low, high = np.full((2, count), regions.size), np.zeros((2, count), np.int64)
    for axis, places in enumerate((y, x)):
        np.minimum.at(low[axis], owner, places)
        np.maximum.at(high[axis], owner, places + 1)
    return [(slice(*rows), slice(*columns)) for rows, columns in zip(*np.stack([low, high], axis=2), strict=True)]


def fill(x: np.ndarray, y: np.ndarray, shape: tuple[int, ...]) -> Place:
    """Where in an image of `shape` the polygon with these corners lies, and its pixels there (`bool`)."""
    (left, right), (top, bottom) = (
        (max(0, int(np.floor(axis.min()))), max(0, min(size, int(np.ceil(axis.max())) + 1)))
        for axis, size in ((x, shape[1]), (y, shape[0]))
    )
    inside = np.zeros((bottom - top, right - left), np.uint8)
    corners = np.rint((np.stack([x - left, y - top], axis=1)) * (1 << FRACTION)).astype(np.int32)
    cv2.fillPoly(inside, [corners], 1, shift=FRACTION)
    return (slice(top, bottom), slice(left, right)), inside > 0
