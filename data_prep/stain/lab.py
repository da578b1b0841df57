"""Patches in OpenCV's 8-bit LAB: L·255/100, a + 128, b + 128, each a `uint8`.

Eight bits are what makes this fast: a map of one channel is a table of 256 entries, a map of all three one of 2^24,
and the tables are computed with the very operations that would otherwise run on every pixel, so nothing is
approximated. Scaled LAB, in which statistics are given, is L in 0..100 and a, b in -128..127.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from data_prep.errors import InputError

BRIGHT = 95
"""Percentile of L that brightness standardization moves to white."""
LEVELS = np.arange(256)
SCALE = np.array([2.55, 1, 1], dtype=np.float32)
OFFSET = np.array([0, 128, 128], dtype=np.float32)
SCALED_LEVELS = (LEVELS[:, None] - OFFSET) / SCALE
"""What the levels of each channel mean in scaled LAB: (256, 3)."""
CODE = np.dtype("<u4")
"""A color as one number, such as L + 256·a + 65536·b."""


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


def bright_level(light: np.ndarray) -> float:
    """The 95th percentile of L (h, w) in 0..255, linearly interpolated as `numpy.percentile` does."""
    cumulative = np.cumsum(cv2.calcHist([light], [0], None, [256], [0, 256]).ravel(), dtype=np.int64)
    rank = BRIGHT / 100 * (light.size - 1)
    below, above = np.searchsorted(cumulative, [np.floor(rank), np.ceil(rank)], side="right")
    return float(below + (above - below) * (rank % 1))


def brightened(patch: np.ndarray) -> np.ndarray:
    """8-bit LAB (h, w, 4) of an RGB patch, L stretched so that its 95th percentile is white; black stays black.

    L ← trunc(clip(255·L / P95(L), 0, 255)).
    """
    lab = as_pixels(color_tables().lab.take(to_codes(patch)))
    light = cv2.extractChannel(lab, 0)
    table = np.clip(255 * LEVELS / (bright_level(light) or 255), 0, 255).astype(np.uint8)
    return cv2.insertChannel(cv2.LUT(light, table), lab, 0)


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
    every = from_codes(np.arange(2**24, dtype=CODE).reshape(4096, 4096))
    lab, rgb = cv2.cvtColor(every, cv2.COLOR_RGB2LAB), cv2.cvtColor(every, cv2.COLOR_LAB2RGB)
    again = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    return ColorTables(*(to_codes(pixels).ravel() for pixels in (lab, rgb, again)))


def to_codes(pixels: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """One number a pixel, (h, w), of `pixels` (h, w, 3) `uint8` or of their three channels (h, w)."""
    channels = cv2.split(pixels) if isinstance(pixels, np.ndarray) else pixels
    return as_codes(cv2.merge([*channels, np.zeros_like(channels[0])]))


def from_codes(codes: np.ndarray, result: np.ndarray | None = None) -> np.ndarray:
    """The pixels (h, w, 3) `uint8` of `codes` (h, w), written to `result` if given."""
    return cv2.cvtColor(as_pixels(codes), cv2.COLOR_RGBA2RGB, dst=result)


def as_codes(pixels: np.ndarray) -> np.ndarray:
    """`pixels` (h, w, 4) `uint8`, the fourth channel 0, seen as codes (h, w)."""
    return pixels.view(CODE)[..., 0]


def as_pixels(codes: np.ndarray) -> np.ndarray:
    """`codes` (h, w) seen as pixels (h, w, 4) `uint8`; the fourth channel is 0."""
    return codes.view(np.uint8).reshape(*codes.shape, 4)


def standardized_lab(patch: np.ndarray) -> np.ndarray:
    """8-bit LAB (h, w, 4) of the brightness-standardized RGB patch (h, w, 3); the fourth channel is 0."""
    return as_pixels(color_tables().again.take(as_codes(brightened(patch))))


def recolored(lab: np.ndarray, tables: np.ndarray, result: np.ndarray) -> None:
    """Write to `result` (h, w, 3) the RGB of 8-bit `lab` (h, w, 4) after one table for each channel, (3, 256)."""
    channels = [cv2.LUT(channel, table) for channel, table in zip(cv2.split(lab), tables, strict=False)]
    from_codes(color_tables().rgb.take(to_codes(channels)), result)


def standardize_brightness(images: np.ndarray) -> np.ndarray:
    """Patches with the 95th percentile of their lightness moved to white.

    `images`: RGB `uint8` (h, w, 3) or (n, h, w, 3); the result has the same shape and type. Raises `InputError`
    on anything else. Black patches come back as they are, up to the rounding of 8-bit LAB.
    """
    standardized = np.empty_like(as_batch(images))
    for patch, result in zip(as_batch(images), standardized, strict=True):
        from_codes(color_tables().rgb.take(as_codes(brightened(patch))), result)
    return standardized.reshape(np.shape(images))


def scaled_moments(lab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and population standard deviation of 8-bit `lab` (h, w, 4) in scaled LAB: two (3,) float64."""
    mean, std = (np.ravel(moment)[:3] for moment in cv2.meanStdDev(lab))
    scale = SCALE.astype(np.float64)
    return (mean - OFFSET) / scale, std / scale


def statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reinhard statistics of patches: means and standard deviations in scaled LAB, after brightness standardization.

    `images`: RGB `uint8` (h, w, 3) or (n, h, w, 3). Returns two (n, 3) float64 arrays, n = 1 for one patch, in the
    order L (0..100), a, b (-128..127). Always finite; a blank patch shows by deviations of 0. Raises `InputError`.
    """
    moments = np.array([scaled_moments(standardized_lab(patch)) for patch in as_batch(images)]).reshape(-1, 2, 3)
    return moments[:, 0], moments[:, 1]
