"""Mask images: any value but 0 is tumor."""

from pathlib import Path
from typing import Any

import numpy as np

from data_prep.annotations.annotation import Annotation
from data_prep.annotations.raster import runs, vectorize
from data_prep.errors import InputError
from data_prep.slides import Slide
from data_prep.slides.opening import open_source
from data_prep.slides.source import Source
from data_prep.store.images import TRANSPARENT

# Longest edge at which a mask is taken: finer than the tissue masks of whole slides.
_LONGEST = 4096
_BLOCK = 2048
# Share of the painted pixels that may lie between 0 and the largest value, as the edges in a pyramid do.
_BLENDED = 0.05
_MOST_RUNS = 100_000


def read_mask(path: Path, slide: Slide) -> Annotation:
    """The tumor of `slide` painted in the image or slide `path`, stretched to its size.

    Masks above 4096 pixels are read from their finest level below that, else every n-th pixel. Values between 0 and the
    largest, as at the blended edges of a pyramid, are tumor from half on. Raises `InputError` where they are more than
    5 % of what is painted, where the mask is transparent in places or speckled, and where its shape is not the slide's.
    """
    source = open_source(path)
    try:
        _require_proportions(path, source.sizes[0], slide)
        if TRANSPARENT in source.notes:
            raise InputError(f"{path}: the mask is transparent in places; save it without transparency")
        level, step = _resolution(source)
        mask = _sample(source, level, step)
    finally:
        source.close()
    tumor, blended = _tumor(path, mask)
    across, down = (step * full / own for full, own in zip(slide.size, source.sizes[level], strict=True))
    notes = (f"{blended} mask pixels between 0 and the largest value were rounded",) if blended else ()
    return Annotation(_outline(path, tumor, across, down, slide), notes)


def _require_proportions(path: Path, size: tuple[int, int], slide: Slide) -> None:
    """Raise `InputError` unless `size` is that of `slide` divided by one number, rounded."""
    across, down = (full / own for full, own in zip(slide.size, size, strict=True))
    # One pixel more or less is rounding; so is 1 % of the larger sizes, which levels are padded by.
    if abs(across / down - 1) > max(0.01, 1.5 / min(size)):
        shapes = "{} x {} and {} x {}".format(*size, *slide.size)
        raise InputError(f"{path}: mask and slide {slide.name} differ in shape ({shapes}): of another slide?")


def _resolution(source: Source) -> tuple[int, int]:
    """The finest level within the longest edge, else the coarsest and the step that brings it there."""
    longest = [max(size) for size in source.sizes]
    level = next((level for level, length in enumerate(longest) if length <= _LONGEST), len(longest) - 1)
    return level, -(-longest[level] // _LONGEST)


def _sample(source: Source, level: int, step: int) -> np.ndarray:
    """The middle one of every `step` x `step` pixels, its largest channel: (h, w) uint8."""
    width, height = source.sizes[level]
    block = max(1, _BLOCK // step) * step
    mask = np.empty((-(-height // step), -(-width // step)), np.uint8)
    for top in range(0, height, block):
        for left in range(0, width, block):
            image = source.region(level, left, top, min(block, width - left), min(block, height - top))
            rows, columns = (
                np.minimum(np.arange(0, length, step) + step // 2, length - 1) for length in image.shape[:2]
            )
            part = image[np.ix_(rows, columns)].max(axis=-1)
            mask[top // step :, left // step :][: len(rows), : len(columns)] = part
    return mask


def _tumor(path: Path, mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Where `mask` is painted, and how many of its pixels were neither 0 nor the largest value."""
    largest = int(mask.max())
    if not largest:
        return mask > 0, 0
    blended = int(((mask > 0) & (mask < largest)).sum())
    if blended > _BLENDED * (mask > 0).sum():
        values = ", ".join(map(str, np.unique(mask)[:6]))
        raise InputError(f"{path}: not a mask of tumor and the rest (values {values}, …); save the rest as 0, as PNG")
    return mask >= largest / 2, blended


def _outline(path: Path, tumor: np.ndarray, across: float, down: float, slide: Slide) -> Any:
    """The pixels of `tumor` as a geometry in level-0 pixels, edge for edge."""
    import shapely

    count = len(runs(tumor)[0])
    if count > _MOST_RUNS:
        raise InputError(f"{path}: the mask is speckled, {count} stretches of tumor; clean or simplify it")
    painted = shapely.transform(vectorize(tumor), lambda points: points * (across, down))
    return shapely.intersection(painted, shapely.box(0, 0, *slide.size))
