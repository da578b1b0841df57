"""The classical segmenter: no weights to download, the scale from mpp."""

from collections.abc import Iterator

import cv2
import numpy as np

from data_prep.errors import InputError
from data_prep.nuclei.choice import Candidates, Pieces, choose
from data_prep.nuclei.chromatin import Chromatin, chromatin
from data_prep.nuclei.combining import combine
from data_prep.nuclei.labels import renumber
from data_prep.nuclei.levels import Level, find_levels, terms_of
from data_prep.nuclei.quality import rate
from data_prep.nuclei.rays import find_outlines
from data_prep.nuclei.roundness import rate_outlines
from data_prep.nuclei.splitting import Split, find_splits

COARSEST = 1.0
"""Micrometres a pixel (10x); nuclei are specks of a few pixels beyond."""
LAST_GROWTH = 0.37  # of the regions of the lightest level, whose growth is not known
SMOOTHING = 5  # pixels; rounds off the corners of the coarser working pixels


def segment(image: np.ndarray, mpp: float) -> np.ndarray:
    """The nuclei of an H&E `image` (h, w, 3) RGB `uint8` at `mpp` micrometres a pixel, as `int32` labels (h, w).

    0 is background, the nuclei are numbered 1, 2, … without gaps, those cut by the border among them. Regions darker
    than each of several levels are candidates, and round outlines around places where a nucleus may be; a formula says
    how much each looks like a nucleus (`rate`, `rate_outlines`), and of those that overlap the best are taken
    (`choose`, `combine`). Raises `InputError` for other pixels and for an `mpp` that is not above 0 and at most 1.
    """
    _check(image, mpp)
    maps = chromatin(image, mpp)
    candidates, nucleus = find_candidates(maps)
    outlines = find_outlines(maps.density)
    labels = combine(*choose(candidates), outlines, rate_outlines(outlines, maps, nucleus))
    return _enlarge(labels, image.shape[:2])


def find_candidates(maps: Chromatin) -> tuple[list[Candidates], np.ndarray]:
    """All regions that may be a nucleus, with their quality, darkest level first; and the usual nucleus (2,)."""
    measured = list(measure(maps))
    regions = [regions for level, growth, _, split in measured for regions in kinds(level, growth, split)]
    each, nucleus = rate(regions)
    qualities = iter(each)
    return [
        Candidates(level.labels, next(qualities), parents, _pieces(split, qualities))
        for level, _, parents, split in measured
    ], nucleus


def kinds(level: Level, growth: np.ndarray, split: Split | None) -> list[tuple[Level, np.ndarray]]:
    """The regions of a level with their growth, and the pieces of them, which have the growth of their region."""
    return [(level, growth)] if split is None else [(level, growth), (split.pieces, growth[split.of])]


def _pieces(split: Split | None, qualities: Iterator[np.ndarray]) -> Pieces | None:
    return None if split is None else Pieces(split.pieces.labels, next(qualities), split.of)


def measure(maps: Chromatin) -> Iterator[tuple[Level, np.ndarray, np.ndarray, Split | None]]:
    """Each level, darkest first, with the growth and the parents (n,) of its regions and the splits of them."""
    terms = terms_of(maps)
    levels = find_levels(maps, terms)
    splits = find_splits(levels, terms, maps.edge)
    for level, lighter, split in zip(levels, [*levels[1:], None], splits, strict=True):
        if lighter is None:
            yield level, np.full(len(level.area), LAST_GROWTH), np.zeros(len(level.area), np.int64), split
        else:
            parents = level.parents(lighter)
            yield level, level.area / lighter.area[parents], parents, split


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
