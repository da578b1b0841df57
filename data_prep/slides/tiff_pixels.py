"""What the samples of a TIFF mean, as RGB uint8."""

from typing import Any

import numpy as np

from data_prep.store.images import GRAY, SIXTEEN_BIT, three_channels

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_SAMPLES = {_MIN_IS_WHITE: (1,), _MIN_IS_BLACK: (1, 2), _RGB: (3, 4), _PALETTE: (1,), _YCBCR: (3,)}
_JPEG = (6, 7)
# No writer makes larger tiles; a damaged or hostile header may ask for any.
_LARGEST_SEGMENT = 2**28


def pixel_problem(page: Any) -> str:
    """Why `page` cannot be read as RGB uint8, "" where it can."""
    if page.photometric not in _SAMPLES or page.samplesperpixel not in _SAMPLES[page.photometric]:
        return f"{page.samplesperpixel} samples a pixel of photometric {int(page.photometric)}, not RGB or gray"
    if page.dtype not in (np.bool_, np.uint8, np.uint16) or page.dtype.itemsize * 8 < page.bitspersample:
        return f"pixels of type {page.dtype}, not of 8 or 16 bits"
    if page.photometric == _YCBCR and page.compression not in _JPEG:
        return "YCbCr without JPEG"
    return _shape_problem(page)


def _shape_problem(page: Any) -> str:
    rows, columns = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    if page.imagedepth != 1 or min(rows, columns, page.imagelength, page.imagewidth) < 1:
        return "no pixels, or several planes"
    if rows * columns * page.samplesperpixel > _LARGEST_SEGMENT:
        return f"tiles or strips of {columns} x {rows} pixels"
    planes = page.samplesperpixel if page.planarconfig == 2 else 1
    wanted = -(-page.imagelength // rows) * -(-page.imagewidth // columns) * planes
    return "" if len(page.dataoffsets) == len(page.databytecounts) == wanted else "a list of tiles that is not whole"


def to_rgb(page: Any, samples: np.ndarray) -> np.ndarray:
    """Decoded `samples` (h, w, n) of `page` as (h, w, 3) uint8, converted as `data_prep.store.images` does."""
    if page.photometric == _PALETTE:
        samples = _looked_up(page.colormap, samples[..., 0])
    if samples.dtype == np.bool_:
        samples = samples.view(np.uint8) * np.uint8(255)
    if page.photometric == _MIN_IS_WHITE:
        samples = np.iinfo(samples.dtype).max - samples
    return three_channels(samples)[0]


def conversions(page: Any) -> frozenset[str]:
    """What `to_rgb` loses or makes up on `page`."""
    gray = {GRAY} if page.samplesperpixel <= 2 and page.photometric != _PALETTE else set()
    return frozenset(gray | ({SIXTEEN_BIT} if page.dtype == np.uint16 else set()))


def _looked_up(colors: np.ndarray, index: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(colors[:, index], 0, -1))
