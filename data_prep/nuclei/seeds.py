"""Where a nucleus may be centred: slopes that point to one place, and dark blobs."""

import cv2
import numpy as np

from data_prep.nuclei.chromatin import blur

REACHES = (5, 8, 11, 14)  # pixels of `WORKING_MPP`: 2.5 to 7 um, from the outline of a nucleus to its middle
STEEP = 50  # percentile; flatter places say nothing of where an outline runs
LOUDEST = 2.0  # votes of one place, in those of the median one
SPOT, BLOB, AROUND = 0.9, 1.0, 4.0  # um
APART = np.ones((5, 5), np.uint8)


def find_seeds(density: np.ndarray, slopes: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 2) as y, x that may be inside of a nucleus, and how many slopes point to each (n,), in deviations.

    `density` (h, w) and its `slopes` (x, y). The rim of a vesicular nucleus points to its middle, though that is pale.
    """
    votes = _votes(*slopes)
    votes /= max(float(votes.std()), 1e-6)
    blobs = blur(density, BLOB) - blur(density, AROUND)
    places = np.concatenate([_peaks(votes, float(np.median(votes))), _peaks(blobs, 0.0)])
    return places, votes[places[:, 0], places[:, 1]]


def _votes(gx: np.ndarray, gy: np.ndarray) -> np.ndarray:
    """How much slope (h, w) points to a place from the distances `REACHES`."""
    height, width = gx.shape
    steepness = cv2.magnitude(gx, gy) + 1e-6
    y, x = np.nonzero(steepness > np.percentile(steepness, STEEP))
    steep = steepness[y, x]
    weight = np.minimum(steep / np.median(steep), LOUDEST) if steep.size else steep
    toward_x, toward_y = gx[y, x] / steep, gy[y, x] / steep
    votes = np.zeros(height * width)
    for reach in REACHES:
        at_x, at_y = (np.rint(a + reach * b).astype(int) for a, b in ((x, toward_x), (y, toward_y)))
        inside = (at_x >= 0) & (at_x < width) & (at_y >= 0) & (at_y < height)
        votes += np.bincount(at_y[inside] * width + at_x[inside], weight[inside], height * width)
    return blur(votes.reshape(height, width).astype(np.float32), SPOT)


def _peaks(values: np.ndarray, least: float) -> np.ndarray:
    return np.argwhere((values == cv2.dilate(values, APART)) & (values > least))
