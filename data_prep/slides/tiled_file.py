"""Slides of plain TIFF tiles: put together from the tiles where that gives what OpenSlide gives, in less time.

OpenSlide blends each tile onto an empty canvas in floating point, which takes longer than to decode the tile.
"""

import numpy as np

from data_prep.errors import InputError
from data_prep.slides.openslide_file import OpenSlideFile
from data_prep.slides.tiff_file import TiffPyramid

VENDORS = ("generic-tiff", "aperio")
"""Of OpenSlide's vendors those whose tiles lie side by side, level by level, as in any TIFF."""


class TiledFile:
    """A `Source` that OpenSlide understands, whose pixels `tiles` (of the same `sizes`) reads where it can be trusted.

    Trusted is a level that is a whole number of times smaller than level 0 (OpenSlide interpolates others), with all
    its tiles in 8-bit RGB, of which the one with the most bytes is what OpenSlide reads, bit for bit. OpenSlide reads
    the other levels, and has the last word where a tile is damaged.
    """

    def __init__(self, slide: OpenSlideFile, tiles: TiffPyramid) -> None:
        self.sizes, self.bounds, self.notes = slide.sizes, slide.bounds, slide.notes
        self._slide, self._tiles = slide, tiles
        self._trusted: dict[int, bool] = {}

    def mpp(self) -> float | None:
        """Micrometres a level-0 pixel, as OpenSlide has it."""
        return self._slide.mpp()

    def region(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        """RGB uint8 (height, width, 3); what was not scanned is white."""
        if level not in self._trusted:
            self._trusted[level] = self._is_whole(level) and self._agrees(level)
        if self._trusted[level]:
            try:
                return self._tiles.region(level, x, y, width, height)
            except InputError:
                self._trusted[level] = False
        return self._slide.region(level, x, y, width, height)

    def close(self) -> None:
        """Release the file and its tiles."""
        self._slide.close()
        self._tiles.close()

    def _is_whole(self, level: int) -> bool:
        across, down = (whole / part for whole, part in zip(self.sizes[0], self.sizes[level], strict=True))
        return across == down and across.is_integer() and self._tiles.is_plain(level)

    def _agrees(self, level: int) -> bool:
        box = self._tiles.richest_tile(level)
        try:
            return np.array_equal(self._tiles.region(level, *box), self._slide.region(level, *box))
        except InputError:
            return False
