"""Patches in OpenCV's 8-bit LAB: L·255/100, a + 128, b + 128, each a `uint8`.

Eight bits are what makes this fast: a conversion is a table of 2^24 colors, a map of one channel a table of 256 levels,
and the tables are computed with the very operations that would otherwise run on every pixel, so nothing is
approximated. What remains is bound by the caches: a patch stays in one array of codes that every step changes in
place. Scaled LAB, in which statistics are given, is L in 0..100 and a, b in -128..127.
"""

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from data_prep.errors import InputError

BRIGHT = 95
"""Percentile of L that brightness standardization moves to white."""
LEVELS = np.tile(np.arange(256.0), (3, 1))
"""The levels of each channel: (3, 256)."""
SCALE = np.array([2.55, 1, 1])
OFFSET = np.array([0, 128, 128])
SCALED_LEVELS = (LEVELS - OFFSET[:, None]).astype(np.float32) / SCALE[:, None].astype(np.float32)
"""What they mean in scaled LAB, in the original's precision."""
CODE = np.dtype("<i4")
"""A color as one number: the bytes R, G, B or L, a, b, and 255, by which codes are negative: NumPy counts negative
indices from the end of a table, which has 2^24 entries, and so never sees the last byte."""
HALF = np.dtype("<u2")
"""Half a code: L + 256·a, or b + 256·255."""
COLORS = 2**24
SLAB = 2**20
"""Colors that are converted at once to make the tables: few, to need little memory beside them."""


def as_batch(images: np.ndarray) -> np.ndarray:
    """A view (n, h, w, 3) of one patch (h, w, 3) or of a batch; RGB `uint8` or an `InputError`."""
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[-1] != 3:
        raise InputError(
            f"stain normalization was given an array of shape {images.shape} and type {images.dtype}: "
            "give RGB uint8 of shape (h, w, 3) or (n, h, w, 3)"
        )
    if 0 in images.shape[-3:]:
        raise InputError(f"stain normalization was given a patch without pixels, shape {images.shape}")
    return np.ascontiguousarray(images if images.ndim == 4 else images[None])


def to_codes(pixels: np.ndarray) -> np.ndarray:
    """One number a pixel, (h, w), of `pixels` (h, w, 3) `uint8`."""
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA).view(CODE)[..., 0]


def as_pixels(codes: np.ndarray) -> np.ndarray:
    """`codes` (h, w) seen as pixels (h, w, 4) `uint8`, the fourth channel of no meaning."""
    return codes.view(np.uint8).reshape(*codes.shape, 4)


def from_codes(codes: np.ndarray, result: np.ndarray | None = None) -> np.ndarray:
    """The pixels (h, w, 3) `uint8` of `codes` (h, w), written to `result` if given."""
    return cv2.cvtColor(as_pixels(codes), cv2.COLOR_RGBA2RGB, dst=result)


class ColorTables(NamedTuple):
    """Codes (2^24,) by code, 64 MiB each: what OpenCV makes of every color.

    `lab`: the LAB of an RGB color. `rgb`: the RGB of a LAB color. `again`: the LAB color that 8-bit RGB leaves of one:
    the original converts to RGB and back between its two steps, which rounds, and clips what RGB cannot show.
    """

    lab: np.ndarray
    rgb: np.ndarray
    again: np.ndarray


@cache
def color_tables() -> ColorTables:
    """The tables, made once a process, in under half a second."""
    tables = ColorTables(*(np.empty((COLORS // SLAB, SLAB), CODE) for _ in ColorTables._fields))
    for slab, (to_lab, to_rgb, to_again) in enumerate(zip(*tables, strict=True)):
        every = from_codes(np.arange(slab * SLAB, (slab + 1) * SLAB, dtype=CODE).reshape(1024, -1))
        rgb = cv2.cvtColor(every, cv2.COLOR_LAB2RGB)
        to_lab[:] = to_codes(cv2.cvtColor(every, cv2.COLOR_RGB2LAB)).ravel()
        to_rgb[:] = to_codes(rgb).ravel()
        to_again[:] = to_codes(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)).ravel()
    return ColorTables(*(table.ravel() for table in tables))


def convert(codes: np.ndarray, table: np.ndarray) -> None:
    """Look `codes` (h, w) up in a color table, in place: NumPy has copied them as indices before it writes."""
    table.take(codes, out=codes, mode="wrap")


def bright_level(lab: np.ndarray) -> float:
    """The 95th percentile of L, in 0..255, of codes (h, w), linearly interpolated as `numpy.percentile` does."""
    counts = cv2.calcHist([as_pixels(lab)], [0], None, [256], [0, 256])
    cumulative = np.cumsum(counts, dtype=np.int64)
    rank = BRIGHT / 100 * (lab.size - 1)
    below, above = cumulative.searchsorted((int(rank), int(rank) + 1), side="right")
    return float(below + (above - below) * (rank % 1))


def map_channels(lab: np.ndarray, levels: np.ndarray) -> None:
    """Replace each channel's levels in codes (h, w), in place, by `levels` (3, 256), clipped and truncated."""
    light, a, b = levels.clip(0, 255).astype(HALF)
    table = light + 256 * a[:, None]
    # One table of 16 bits (OpenCV 4.13) serves both halves of a code, because no color of RGB has a = 255.
    table[255] = b + 256 * 255
    halves = lab.view(HALF)
    cv2.LUT(halves, table.ravel(), dst=halves)


def brightened(patch: np.ndarray) -> np.ndarray:
    """LAB codes (h, w) of an RGB patch, L stretched so that its 95th percentile is white; black stays black.

    L ← trunc(clip(255·L / P95(L), 0, 255)).
    """
    lab = to_codes(patch)
    convert(lab, color_tables().lab)
    levels = LEVELS.copy()
    levels[0] = 255 * LEVELS[0] / (bright_level(lab) or 255)
    map_channels(lab, levels)
    return lab


def standardized_lab(patch: np.ndarray) -> np.ndarray:
    """LAB codes (h, w) of the brightness-standardized RGB patch (h, w, 3)."""
    lab = brightened(patch)
    convert(lab, color_tables().again)
    return lab


def write_rgb(lab: np.ndarray, result: np.ndarray) -> None:
    """Write the RGB of codes `lab` (h, w) to `result` (h, w, 3); the codes become those of RGB."""
    convert(lab, color_tables().rgb)
    from_codes(lab, result)


def standardize_brightness(images: np.ndarray) -> np.ndarray:
    """Patches with the 95th percentile of their lightness moved to white.

    `images`: RGB `uint8` (h, w, 3) or (n, h, w, 3); the result has the same shape and type. Raises `InputError`
    on anything else. Black patches come back as they are, up to the rounding of 8-bit LAB.
    """
    standardized = np.empty_like(as_batch(images))
    for patch, result in zip(as_batch(images), standardized, strict=True):
        write_rgb(brightened(patch), result)
    return standardized.reshape(np.shape(images))


def scaled_moments(lab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and population standard deviation of codes `lab` (h, w) in scaled LAB: two (3,) float64."""
    mean, std = (np.ravel(moment)[:3] for moment in cv2.meanStdDev(as_pixels(lab)))
    return (mean - OFFSET) / SCALE, std / SCALE


def statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reinhard statistics of patches: means and standard deviations in scaled LAB, after brightness standardization.

    `images`: RGB `uint8` (h, w, 3) or (n, h, w, 3). Returns two (n, 3) float64 arrays, n = 1 for one patch, in the
    order L (0..100), a, b (-128..127). Always finite; a blank patch shows by deviations of 0. Raises `InputError`.
    """
    moments = np.array([scaled_moments(standardized_lab(patch)) for patch in as_batch(images)]).reshape(-1, 2, 3)
    return moments[:, 0], moments[:, 1]
