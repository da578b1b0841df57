"""TIFF pyramids through tifffile, tile by tile: OME-TIFF, and what OpenSlide does not open (strips, planes)."""

import logging
from functools import lru_cache
from pathlib import Path
from struct import unpack
from threading import Lock
from typing import Any

import numpy as np

from data_prep.errors import InputError
from data_prep.slides.openslide_file import CACHE_BYTES
from data_prep.slides.resolution import pixel_size
from data_prep.slides.source import RefusedError, damaged
from data_prep.slides.tiff_pixels import conversions, pixel_problem, to_rgb
from data_prep.slides.tiff_scale import ome_mpp, parse_description, tag_mpp

_WHITE = 255
# Without a handler Python prints what tifffile logs of a damaged file; our one line says it.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class TiffPyramid:
    """A `Source` that tifffile reads: the first image of the file, with its levels or SubIFDs."""

    bounds = (0, 0)

    def __init__(self, path: Path) -> None:
        """Open `path`. Raises `RefusedError` where it is no TIFF of one RGB or gray image."""
        try:
            from tifffile import TiffFile
        except ImportError:
            raise InputError('TIFF files are read by tifffile, which is missing: pip install "mta[slides]"') from None
        self._path, self._turn = path, Lock()
        try:
            # No other file that an OME header may name.
            self._file = TiffFile(path, _multifile=False)
        except Exception as error:  # a library on a foreign file, which can fail in any way
            raise RefusedError(str(error) or type(error).__name__) from error
        try:
            self._pages = self._open()
        except Exception as error:
            self._file.close()
            raise RefusedError(str(error) or type(error).__name__) from error
        self.sizes = tuple((page.imagewidth, page.imagelength) for page in self._pages)
        self.notes, self.is_ome = conversions(self._pages[0]), bool(self._file.is_ome)
        largest = max(int(np.prod(self._segment(page))) * 3 for page in self._pages)
        self._decoded = lru_cache(max(1, CACHE_BYTES // largest))(self._decode)

    def mpp(self) -> float | None:
        """Micrometres a level-0 pixel: OME's PhysicalSizeX and Y, else the resolution tags."""
        x, y = ome_mpp(self._description) if self._description is not None else (None, None)
        return pixel_size(self._path, *((x, y) if x else tag_mpp(self._pages[0])))

    def region(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        """RGB uint8 (height, width, 3); tiles that the file leaves out are white."""
        rows, columns = self._segment(self._pages[level])
        image = np.full((height, width, 3), _WHITE, np.uint8)
        for row in range(y // rows, (y + height - 1) // rows + 1):
            for column in range(x // columns, (x + width - 1) // columns + 1):
                tile = self._tile(level, row, column)
                if tile is not None:
                    _paste(image, tile, column * columns - x, row * rows - y)
        return image

    def is_plain(self, level: int) -> bool:
        """Whether `level` is of tiles in 8-bit RGB or YCbCr, none of them left out."""
        page = self._pages[level]
        plain = page.is_tiled and page.samplesperpixel == 3 and page.planarconfig == 1 and page.dtype == np.uint8
        return plain and all(page.databytecounts)

    def richest_tile(self, level: int) -> tuple[int, int, int, int]:
        """The box (x, y, width, height), in pixels of `level`, of the tile that takes the most bytes in the file."""
        page, (width, height) = self._pages[level], self.sizes[level]
        rows, columns = self._segment(page)
        row, column = divmod(int(np.argmax(page.databytecounts)), -(-width // columns))
        x, y = column * columns, row * rows
        return x, y, min(columns, width - x), min(rows, height - y)

    def close(self) -> None:
        """Release the file and the tiles."""
        self._decoded.cache_clear()
        self._file.close()

    def _open(self) -> list[Any]:
        """One page a level. ValueError with the reason where this is not one image."""
        self._description = parse_description(self._file.pages.first.description)
        self._require_all_pages()
        levels: list[Any] = list(self._file.series[0].levels)
        pages = [level.pages[0].keyframe for level in levels]
        if any(len(level.pages) != 1 for level in levels) or (problem := pixel_problem(pages[0])):
            raise ValueError(problem if len(levels[0].pages) == 1 else "several planes, not one RGB image")
        return [page for page in pages if not pixel_problem(page)]

    def _require_all_pages(self) -> None:
        """ValueError where the last page points to another beyond the end; tifffile would only log it."""
        file, form = self._file.filehandle, self._file.tiff
        last = self._file.pages[-1].offset
        file.seek(last)
        tags = unpack(form.tagnoformat, file.read(form.tagnosize))[0]
        file.seek(last + form.tagnosize + tags * form.tagsize)
        if unpack(form.offsetformat, file.read(form.offsetsize))[0] != 0:
            raise ValueError("pages are missing at the end")

    @staticmethod
    def _segment(page: Any) -> tuple[int, int]:
        """Height and width of a tile, or of a strip."""
        return (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)

    def _tile(self, level: int, row: int, column: int) -> np.ndarray | None:
        try:
            return self._decoded(level, row, column)
        except Exception as error:  # any of a dozen decoders on damaged bytes
            rows, columns = self._segment(self._pages[level])
            raise damaged(self._path, column * columns, row * rows, f"level {level}: {error}") from error

    def _decode(self, level: int, row: int, column: int) -> np.ndarray | None:
        """One tile (h, w, 3), its planes put together; None where it was never written."""
        page = self._pages[level]
        rows, columns = self._segment(page)
        across = -(-page.imagewidth // columns)
        a_plane = across * -(-page.imagelength // rows)
        planes = page.samplesperpixel if page.planarconfig == 2 else 1
        parts = [self._read(page, row * across + column + plane * a_plane) for plane in range(planes)]
        whole = [part for part in parts if part is not None]
        if len(whole) < planes:
            return None
        return to_rgb(page, whole[0] if planes == 1 else np.concatenate(whole, axis=-1))

    def _read(self, page: Any, index: int) -> np.ndarray | None:
        """The samples (h, w, n) of segment `index`. ValueError where the file ends before it."""
        offset, count = page.dataoffsets[index], page.databytecounts[index]
        if not count:
            return None
        file = self._file.filehandle
        with self._turn:  # between threads: one place in the file, decoding beside each other
            file.seek(offset)
            data = file.read(count)
        if len(data) < count:
            raise ValueError(f"the file ends {count - len(data)} bytes too soon")
        tables = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader} if page.compression in (6, 7) else {}
        return page.decode(data, index, **tables)[0][0]


def _paste(image: np.ndarray, tile: np.ndarray, x: int, y: int) -> None:
    """Put `tile` with its corner at (x, y) into `image`, as far as it lies within."""
    part = tile[max(0, -y) : image.shape[0] - y, max(0, -x) : image.shape[1] - x]
    top, left = max(0, y), max(0, x)
    image[top : top + part.shape[0], left : left + part.shape[1]] = part
