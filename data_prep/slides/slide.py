"""A slide at any resolution."""

from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from data_prep.errors import InputError
from data_prep.slides.resolution import CLOSE
from data_prep.slides.source import Source

WHITE = 255
# Small enough for the processor's cache, and for memory that is used again.
_BLOCK = 512
_LARGEST_OVERVIEW = 100_000_000


class Slide:
    """An open slide whose level-0 pixels have `mpp` micrometres.

    `path`, `name` (file stem), `size` (width, height) of level 0, `downsamples` (level-0 pixels a pixel of each level,
    1.0 first), `bounds` (x, y) of the scanned area's corner in level 0, `notes` (conversions that its pixels needed).
    Positions are level-0 pixels: pixel (0, 0) covers the square from (0, 0) to (1, 1). A context manager. Several
    threads may read at once; the tiles that they decode are kept for all of them.
    """

    def __init__(self, path: Path, source: Source, mpp: float) -> None:
        self.path, self.name, self.mpp = path, path.stem, mpp
        self.size, self.bounds, self.notes = source.sizes[0], source.bounds, source.notes
        width, height = self.size
        self.downsamples = tuple((width / w + height / h) / 2 for w, h in source.sizes)
        self._source = source

    def __repr__(self) -> str:
        width, height = self.size
        return f"Slide({str(self.path)!r}, {width} x {height} px, {self.mpp:.4g} um/px)"

    def read(self, x: int, y: int, side: int, mpp: float) -> np.ndarray:
        """(side, side, 3) uint8 RGB whose top-left corner is level-0 pixel (x, y), at `mpp` micrometres a pixel.

        Read from the nearest finer level in whole pixels of it, so corner and edge are off by at most half of one, then
        averaged over areas (linear where finer than level 0, see `require_resolution`). What lies outside the slide, or
        was not scanned, is white. Raises `InputError` where the file is damaged there.
        """
        scale = mpp / self.mpp
        level = self._finer_level(scale)
        down = self.downsamples[level]
        length = max(1, round(side * scale / down))
        image = self._box(level, round(x / down), round(y / down), length, length)
        if length == side:
            return image
        return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if length > side else cv2.INTER_LINEAR)

    def overview_scale(self, mpp: float) -> float:
        """Level-0 pixels along an edge of a pixel of `overview(mpp)`: a whole multiple of a level's downsample."""
        level, step = self._overview_steps(mpp)
        return step * self.downsamples[level]

    def overview(self, mpp: float) -> tuple[np.ndarray, float]:
        """The whole slide (h, w, 3) uint8 RGB at about `mpp`, and its exact scale (`overview_scale`).

        Pixel (row, column) is the mean over the level-0 square from (column * scale, row * scale), size scale; the last
        row and column are filled up with white. Raises `InputError` above 100 million pixels, or where damaged.
        """
        image, _, scale = self.overviews(mpp, 1)
        return image, scale

    def overviews(self, mpp: float, finer: int) -> tuple[np.ndarray, np.ndarray, float]:
        """`overview(mpp)`, the same with about `finer` times as many pixels an edge, and the scale of the first.

        Both come from one pass over a level. The second has a whole number of times as many: fewer than `finer` where
        the level does not have them, up to twice as many where means over whole pixels are possible, which are quick.
        """
        level, step = self._overview_steps(mpp)
        finer = min(finer, step)
        finer = next((number for number in range(finer, 2 * finer) if step % number == 0), finer)
        scale = step * self.downsamples[level]
        width, height = (max(1, int(np.ceil(length / scale - CLOSE))) for length in self.size)
        if width * height > _LARGEST_OVERVIEW:
            raise InputError(f"{self.path}: {width} x {height} pixels are too many for an overview; take a coarser one")
        images = [np.empty((height * zoom, width * zoom, 3), np.uint8) for zoom in sorted({1, finer})]
        block = max(1, _BLOCK // step)
        for top in range(0, height, block):
            for left in range(0, width, block):
                rows, columns = min(block, height - top), min(block, width - left)
                box = self._box(level, left * step, top * step, columns * step, rows * step)
                for image, zoom in zip(images, sorted({1, finer}), strict=True):
                    part = image[top * zoom : (top + rows) * zoom, left * zoom : (left + columns) * zoom]
                    part[:] = _shrunk(box, part.shape[1], part.shape[0])
        return images[0], images[-1], scale

    def close(self) -> None:
        """Release the file."""
        self._source.close()

    def __enter__(self) -> "Slide":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _finer_level(self, scale: float) -> int:
        """The coarsest level that is finer than `scale` level-0 pixels a pixel, or as fine within 1 %."""
        return max(level for level, down in enumerate(self.downsamples) if down <= scale * (1 + CLOSE) or level == 0)

    def _overview_steps(self, mpp: float) -> tuple[int, int]:
        level = self._finer_level(mpp / self.mpp)
        return level, max(1, round(mpp / self.mpp / self.downsamples[level]))

    def _box(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        """A box in pixels of `level`, white where it leaves the level."""
        full_width, full_height = self._source.sizes[level]
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + width, full_width), min(y + height, full_height)
        if (x0, y0, x1, y1) == (x, y, x + width, y + height):
            return self._source.region(level, x, y, width, height)
        image = np.full((height, width, 3), WHITE, np.uint8)
        if x0 < x1 and y0 < y1:
            image[y0 - y : y1 - y, x0 - x : x1 - x] = self._source.region(level, x0, y0, x1 - x0, y1 - y0)
        return image


def _shrunk(image: np.ndarray, width: int, height: int) -> np.ndarray:
    if image.shape[:2] == (height, width):
        return image
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
