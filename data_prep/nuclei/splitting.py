"""Clumps cut at their necks: candidates where touching nuclei are equally dark, so that no level parts them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from data_prep.nuclei.chromatin import WORKING_MPP
from data_prep.nuclei.levels import DISK, Level, at_border, mean_slope, sum_terms

EVERY = 3
"""Of so many levels one is tried."""
CORE = 3.0  # um; a nucleus is wider than twice this, the neck between two is not


@dataclass(frozen=True)
class Split:
    """Regions of a level in pieces: the `pieces`, and for each (n,) the index of the region that it is `of`."""

    pieces: Level
    of: np.ndarray


def find_splits(levels: Sequence[Level], terms: np.ndarray, edge: np.ndarray) -> list[Split | None]:
    """For each level its splits, None where no region is cut or the level is not tried."""
    return [split(level, terms, edge) if n % EVERY == EVERY - 1 else None for n, level in enumerate(levels)]


def split(level: Level, terms: np.ndarray, edge: np.ndarray) -> Split | None:
    """Regions of `level` with two or more cores, each pixel given to the nearest core of its region.

    Cores are the parts of a region further than `CORE` from its boundary. None where no region has two.
    """
    mask = (level.labels > 0).astype(np.uint8)
    cores = (cv2.distanceTransform(mask, cv2.DIST_L2, 3) > CORE / WORKING_MPP).astype(np.uint8)
    count, numbers = cv2.connectedComponents(cores, connectivity=8)
    of = np.zeros(count, np.int64)
    of[numbers.ravel()] = level.labels.ravel()
    several = np.bincount(of[1:], minlength=len(level.area) + 1) > 1
    several[0] = False
    if not several.any():
        return None
    labels = np.where(several[level.labels], _nearest(cores, numbers), 0)
    return _measure(np.where(of[labels] == level.labels, labels, 0), of, terms, edge)


def _nearest(cores: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """For each pixel the number of the nearest core."""
    _, zones = cv2.distanceTransformWithLabels(1 - cores, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_CCOMP)
    translation = np.zeros(int(zones.max()) + 1, np.int64)
    translation[zones[cores > 0]] = numbers[cores > 0]
    return translation[zones]


def _measure(labels: np.ndarray, of: np.ndarray, terms: np.ndarray, edge: np.ndarray) -> Split:
    """The `Split` into `labels`, whose numbers may have gaps, with the region (numbered from 1) of each number."""
    present = np.bincount(labels.ravel(), minlength=len(of)) > 0
    present[0] = False
    labels = np.cumsum(present, dtype=np.int32)[labels] * (labels > 0)
    values, count = labels.astype(np.float32), int(present.sum()) + 1
    boundary = ((cv2.erode(values, DISK) != values) | (cv2.dilate(values, DISK) != values)) & (labels > 0)
    pixels = np.flatnonzero(labels)
    sums, pixel = sum_terms(labels.ravel()[pixels], pixels, count, terms)
    slope = mean_slope(boundary, labels, count, edge)
    return Split(Level(labels.astype(np.int32), sums, slope, at_border(labels, count), pixel), of[present] - 1)
