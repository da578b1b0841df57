"""What of a patch is hematoxylin: the maps in which nuclei are looked for, at one resolution for every slide."""

from dataclasses import dataclass

import cv2
import numpy as np

WORKING_MPP = 0.5
"""Micrometres a pixel of the maps: enough for the smallest nuclei, a quarter of the work at 40x."""
NOISE, DETAIL, SHARPENING = 0.25, 2.5, 1.5  # um, um, 1
FAINTEST = 0.25  # least range in OD, so that noise in an empty patch is no contrast
# Optical density of each level, with white at 0.
_DENSITY = -np.log((np.arange(256, dtype=np.float32) + 1) / 256)


@dataclass(frozen=True)
class Chromatin:
    """Maps (h, w) `float32` of a patch at `WORKING_MPP`.

    `density`: optical density in red, which hematoxylin absorbs and eosin lets through, less noise. `darkness`: the
    same with its detail raised, so that 0 is the lightest and 1 the darkest tissue of the patch. `edge`: its slope, a
    pixel.
    `blueness`: the share of red in the density of all colors, about 1/3 in gray, more in blue, less in red.
    """

    density: np.ndarray
    darkness: np.ndarray
    edge: np.ndarray
    blueness: np.ndarray


def chromatin(image: np.ndarray, mpp: float) -> Chromatin:
    """The maps of an RGB `uint8` `image` (h, w, 3) at `mpp` micrometres a pixel."""
    density = cv2.LUT(_at_working_mpp(image, mpp), _DENSITY)
    red = blur(np.ascontiguousarray(density[..., 0]), NOISE)
    # Raised detail opens the light gaps between touching nuclei.
    raised = red + SHARPENING * (red - blur(red, DETAIL))
    low, high = map(float, np.percentile(raised, (2, 99.5)))
    darkness = (raised - low) / max(high - low, FAINTEST)
    blueness = (density[..., 0] + 0.02) / (cv2.transform(density, np.ones((1, 3))) + 0.06)
    return Chromatin(red, darkness, _slope(darkness), blueness)


def _at_working_mpp(image: np.ndarray, mpp: float) -> np.ndarray:
    scale = mpp / WORKING_MPP
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def blur(values: np.ndarray, micrometres: float) -> np.ndarray:
    """A map (h, w) at `WORKING_MPP` smoothed by a Gaussian of that deviation."""
    return cv2.GaussianBlur(values, (0, 0), micrometres / WORKING_MPP)


def _slope(values: np.ndarray) -> np.ndarray:
    smooth = blur(values, 0.35)
    return cv2.magnitude(*(cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, scale=0.125) for dx in (1, 0)))
