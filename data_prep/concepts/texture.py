"""Texture of the whole patch and of its nuclei: the gray-level concepts of the original."""

import cv2
import numpy as np

from data_prep.concepts.cooccurrence import pair_texture
from data_prep.concepts.patch import Patch

FULL_DISTANCE = 1
NUCLEI_DISTANCE = 5
"""Pixels between the two of a pair: the constants of rcvtool, the nearest published code of the original's authors."""
_LUMINANCE = np.array([0.2125, 0.7154, 0.0721])


def full_texture(patch: Patch) -> dict[str, float]:
    """Contrast and correlation of neighboring pixels of the whole patch."""
    contrast, correlation = pair_texture(byte_luminance(patch.image), FULL_DISTANCE)
    return {"full_contrast": contrast, "full_correlation": correlation}


def nuclei_texture(patch: Patch) -> dict[str, float]:
    """The same of pixels five columns apart that both lie in nuclei, of one nucleus or of two."""
    gray = cv2.cvtColor(patch.image, cv2.COLOR_RGB2GRAY)
    contrast, correlation = pair_texture(gray, NUCLEI_DISTANCE, patch.inside)
    return {"nuclei_contrast": contrast, "nuclei_correlation": correlation}


def byte_luminance(image: np.ndarray) -> np.ndarray:
    """Gray levels `uint8` (h, w) of RGB `uint8`, those of scikit-image's `img_as_ubyte(rgb2gray(image))`.

    One color in ten thousand lies half-way between two levels, where the last bit of a float decides; so these are its
    very operations, shapes and order included.
    """
    scaled = np.multiply(image, 1 / 255, dtype=np.float64)
    return np.rint((scaled @ _LUMINANCE) * 255).astype(np.uint8)
