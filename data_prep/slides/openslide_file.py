"""Slides through OpenSlide."""

from ctypes import POINTER, c_uint32
from pathlib import Path

import cv2
import numpy as np

from data_prep.errors import InputError
from data_prep.slides.resolution import pixel_size
from data_prep.slides.source import RefusedError, damaged

# Decoded tiles kept for a slide: a row of patches across the widest slides, and no more for the longest of runs.
CACHE_BYTES = 128 * 2**20
# Words of premultiplied ARGB from here on are opaque.
_OPAQUE = 0xFF000000
# Of pixels in a tile; where memory for one cannot be had, OpenSlide ends the process.
_LARGEST_TILE = 2**26


class OpenSlideFile:
    """A `Source` that OpenSlide reads."""

    notes: frozenset[str] = frozenset()

    def __init__(self, path: Path) -> None:
        """Open `path`. Raises `RefusedError` where OpenSlide cannot, `InputError` where it is not installed."""
        try:
            import openslide
        except (ImportError, OSError):
            raise InputError('slides are read by OpenSlide, which is missing: pip install "mta[slides]"') from None
        try:
            self._slide = openslide.OpenSlide(path)
            self._slide.set_cache(openslide.OpenSlideCache(CACHE_BYTES))
        except (openslide.OpenSlideError, OSError) as error:
            raise RefusedError(str(error)) from error
        self._error, self._read = openslide.OpenSlideError, openslide.lowlevel._read_region
        self._path = path
        self.vendor = self._slide.properties.get("openslide.vendor", "")
        self.sizes = tuple(self._slide.level_dimensions)
        self._downsamples = tuple(self._slide.level_downsamples)  # asked of the library level by level, each time
        self._require_tiles()
        self.bounds = (self._whole("openslide.bounds-x"), self._whole("openslide.bounds-y"))

    def _require_tiles(self) -> None:
        for level in range(len(self.sizes)):
            width, height = (self._number(f"openslide.level[{level}].tile-{side}") or 0 for side in ("width", "height"))
            if width * height > _LARGEST_TILE:
                self._slide.close()
                raise RefusedError(f"tiles of {width:.0f} x {height:.0f} pixels")

    def mpp(self) -> float | None:
        """Micrometres a level-0 pixel from OpenSlide's properties (for plain TIFF: its resolution tags)."""
        return pixel_size(self._path, self._number("openslide.mpp-x"), self._number("openslide.mpp-y"))

    def region(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        """RGB uint8 (height, width, 3); what was not scanned is white."""
        down = self._downsamples[level]
        corner = (round(x * down), round(y * down))
        words = np.empty((height, width), np.uint32)
        try:
            # What `OpenSlide.read_region` calls too; it then converts and copies three times on the way to an array.
            self._read(self._slide._osr, words.ctypes.data_as(POINTER(c_uint32)), *corner, level, width, height)
        except self._error as error:
            raise damaged(self._path, *corner, error) from error
        return _over_white(words)

    def close(self) -> None:
        """Release the file."""
        self._slide.close()

    def _number(self, name: str) -> float | None:
        try:
            return float(self._slide.properties.get(name, ""))
        except ValueError:
            return None

    def _whole(self, name: str) -> int:
        return round(self._number(name) or 0)


def _over_white(words: np.ndarray) -> np.ndarray:
    """Premultiplied ARGB, a word (h, w) uint32 a pixel, over white, as OpenSlide's straight alpha gives it."""
    image = cv2.cvtColor(words.view(np.uint8).reshape(*words.shape, 4), cv2.COLOR_BGRA2RGB)
    if words.min() < _OPAQUE:
        seen = words < _OPAQUE
        alpha = (words[seen] >> 24)[:, None]
        straight = image[seen] * np.uint32(255) // np.maximum(alpha, 1)
        share = alpha / np.float32(255)
        image[seen] = np.round(straight * share + 255 * (1 - share))
    return image
