"""Stain and color of a patch."""

import cv2
import numpy as np

from data_prep.concepts.patch import UNKNOWN, Patch
from data_prep.stain import HED
from data_prep.stain.density import BRIGHTEST

_TO_HEMATOXYLIN = np.linalg.inv(HED.T)[:, 0]
# Contribution of each level of R, G and B to hematoxylin; level 0 counts as 1.
_DENSITIES = (-np.log10(np.maximum(np.arange(256), 1) / 255)[:, None] * _TO_HEMATOXYLIN)[:, None]
BIN = 0.01
BINS = 256
"""Bins of the hematoxylin histogram: 256 of 0.01 OD from 0 on, the last one open."""


def hematoxylin(patch: Patch) -> dict[str, float]:
    """Mean (OD) and entropy (bit) of the hematoxylin of all pixels."""
    density = hematoxylin_density(patch.image)
    counts = np.bincount(np.minimum(density.ravel() / BIN, BINS - 1).astype(np.intp))
    shares = counts[counts > 0] / density.size
    return {
        "hematoxylin_mean": float(density.mean()),
        "hematoxylin_entropy": float(abs((shares * np.log2(shares)).sum())),
    }


def hematoxylin_density(image: np.ndarray) -> np.ndarray:
    """Optical density (base 10) of hematoxylin, float64 (h, w), at least 0, of RGB `uint8`.

    Color deconvolution with fixed stains, on white 255 (Ruifrok and Johnston 2001): six times the first channel of
    scikit-image's `rgb2hed`, whose unit is a factor of 10^6. It may differ on black pixels, taken here as level 1.
    """
    return np.maximum(cv2.transform(cv2.LUT(image, _DENSITIES), np.ones((1, 3))), 0)


def tissue(patch: Patch) -> dict[str, float]:
    """The share of the tissue that is nuclei; without any tissue it is unknown.

    Tissue is where one channel is at level 205 or below, Macenko's threshold; a nucleus is tissue however pale.
    """
    stained = cv2.bitwise_not(cv2.inRange(patch.image, (BRIGHTEST + 1,) * 3, (255,) * 3))
    covered = cv2.countNonZero(cv2.bitwise_or(stained, patch.inside))
    return {"ntissue_ratio": cv2.countNonZero(patch.inside) / covered if covered else UNKNOWN}


def colorfulness(patch: Patch) -> dict[str, float]:
    """Hasler and Süsstrunk 2003, doi:10.1117/12.477378: σ + 0.3 μ of the opponent colors R - G and (R + G)/2 - B.

    σ² = σ²(rg) + σ²(yb), μ² = μ²(rg) + μ²(yb), over all pixels, in gray levels.
    """
    # Whole numbers, yb doubled, so that nothing is rounded before the means.
    opponents = cv2.transform(patch.image.astype(np.int16), np.array([[1, -1, 0], [1, 1, -2]], np.float32))
    means, deviations = (np.ravel(moment) / (1, 2) for moment in cv2.meanStdDev(opponents))
    return {"colorfulness": float(np.linalg.norm(deviations) + 0.3 * np.linalg.norm(means))}
