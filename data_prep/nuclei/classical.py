"""The classical segmenter: no weights to download, the scale from mpp."""

from itertools import pairwise

import cv2
import numpy as np

from data_prep.errors import InputError
from data_prep.nuclei.choice import choose
from data_prep.nuclei.chromatin import chromatin
from data_prep.nuclei.labels import renumber
from data_prep.nuclei.levels import find_levels
from data_prep.nuclei.quality import quality

COARSEST = 1.0
"""Micrometres a pixel (10x); nuclei are specks of a few pixels beyond."""
SMOOTHING = 5  # pixels; rounds off the corners of the coarser working pixels


def segment(image: np.ndarray, mpp: float) -> np.ndarray:
    """The nuclei of an H&E `image` (h, w, 3) RGB `uint8` at `mpp` micrometres a pixel, as `int32` labels (h, w).

    0 is background, the nuclei are numbered 1, 2, … without gaps, those cut by the border among them. Regions darker
    than each of several levels are candidates; a formula says how much each looks like a nucleus (`quality`), and of
    those that overlap the best are taken (`choose`). Raises `InputError` for other pixels and for an `mpp` that is
    not above 0 and at most 1.
    """
    _check(image, mpp)
    levels = find_levels(chromatin(image, mpp))
    parents = [level.parents(lighter) for level, lighter in pairwise(levels)]
    lighter = [*zip(parents, levels[1:], strict=True), (None, None)]
    qualities = [quality(level, *above) for level, above in zip(levels, lighter, strict=True)]
    return _enlarge(choose(levels, qualities, parents), image.shape[:2])


def _check(image: np.ndarray, mpp: float) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise InputError(
            f"nuclei are looked for in (h, w, 3) uint8 RGB, not in {image.dtype} {image.shape}; convert it"
        )
    if not 0 < mpp <= COARSEST:
        raise InputError(f"nuclei are looked for at up to {COARSEST} um a pixel, not at {mpp}; read the patches finer")


def _enlarge(labels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if labels.shape == shape:
        return labels
    # Both OpenCV functions take float32 but not int32; it holds these numbers exactly.
    large = cv2.resize(labels.astype(np.float32), shape[::-1], interpolation=cv2.INTER_NEAREST)
    return renumber(cv2.medianBlur(large, SMOOTHING).astype(np.int32))
