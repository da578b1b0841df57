"""Optical densities: light that stains take away, additive in the amounts of stain (Beer and Lambert).

OD = -ln((I + 1) / 240) for a level I of 0..255, as the published Macenko port has it: 240 is the light without tissue,
1 keeps black finite. OD is 5.48 for black, 0 for 239 and slightly negative above.
"""

from collections.abc import Callable

import cv2
import numpy as np

from data_prep.stain.lab import to_codes

LIGHT = 240.0
DENSITY = -np.log((np.arange(256) + 1.0) / LIGHT)
"""OD of each level: (256,) float64."""
FAINTEST = 0.15
"""Pixels are tissue where every channel has at least this OD (the published beta)."""
BRIGHTEST = int(np.flatnonzero(DENSITY >= FAINTEST)[-1])
"""The highest level that such a channel has."""
TOO_BRIGHT = 254
"""What the published code writes for light above 255."""
_CEILING = float(np.log(255.5 / LIGHT))


def densities(image: np.ndarray, offset: float = 0.0) -> np.ndarray:
    """OD of `image` (h, w, 3) `uint8`, `offset` more, channel by channel: (3, h·w) float64.

    Channels lie apart in all that follows, which is what linear algebra is fast on.
    """
    result = np.empty((3, image.shape[0] * image.shape[1]))
    for plane, row in zip(cv2.split(image), result, strict=True):
        cv2.LUT(plane, DENSITY + offset, dst=row.reshape(plane.shape))
    return result


def tissue_pixels(image: np.ndarray) -> np.ndarray:
    """The pixels (n, 3) of `image` (h, w, 3) `uint8` whose channels all have an OD of at least 0.15."""
    dark = cv2.inRange(image, (0, 0, 0), (BRIGHTEST, BRIGHTEST, BRIGHTEST)).ravel().view(bool)
    codes = to_codes(image).ravel()[dark]
    if not len(codes):
        return np.empty((0, 3), np.uint8)
    return cv2.cvtColor(codes.view(np.uint8).reshape(1, -1, 4), cv2.COLOR_RGBA2RGB)[0]


def percentile(values: np.ndarray, percent: float, meaning: Callable[[float], float] = float) -> float:
    """`numpy.percentile` of `meaning`(values), `values` (n,) and `meaning` increasing, without sorting all of them."""
    rank = percent / 100 * (len(values) - 1)
    part = np.partition(values, int(rank))
    low, rest = meaning(part[int(rank)]), part[int(rank) + 1 :]
    return low + (meaning(rest.min()) - low) * (rank % 1) if len(rest) else low


def levels(exponents: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """240·exp of `exponents` (3, h·w), overwritten, as the published code writes light.

    The result is (h, w, 3) `uint8` for `shape` (h, w), truncated, 254 from 255 on.
    """
    light = cv2.min(exponents, _CEILING, dst=exponents)
    cv2.exp(light, dst=light)  # NumPy's is five times slower on processors without AVX-512
    np.multiply(light, LIGHT, out=light)
    return cv2.merge(list(cv2.min(light.astype(np.uint8), TOO_BRIGHT).reshape(3, *shape)))
