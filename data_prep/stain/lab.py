"""Patches in OpenCV's 8-bit LAB: L·255/100, a + 128, b + 128, each a `uint8`.

Eight bits are what makes this fast: any map of one channel is a table of 256 entries, and the table is
computed with the very float operations that would otherwise run on every pixel, so nothing is approximated.
Scaled LAB, in which statistics are given, is L in 0..100 and a, b in -128..127.
"""

import cv2
import numpy as np

from data_prep.errors import InputError

BRIGHT = 95
"""Percentile of L that brightness standardization moves to white."""
LEVELS = np.arange(256)
SCALE = np.array([2.55, 1, 1], dtype=np.float32)
OFFSET = np.array([0, 128, 128], dtype=np.float32)


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
    return images if images.ndim == 4 else images[None]


def convert(batch: np.ndarray, code: int) -> np.ndarray:
    """`cv2.cvtColor` for a batch (n, h, w, 3): the patches lie below each other in one tall image."""
    if not len(batch):
        return batch.copy()
    n, height, width, _ = batch.shape
    tall = np.ascontiguousarray(batch).reshape(n * height, width, 3)
    return cv2.cvtColor(tall, code).reshape(batch.shape)


def look_up(lab: np.ndarray, tables: np.ndarray) -> None:
    """Replace the levels of each patch in `lab` (n, h, w, 3) by its own tables (n, 256, 3), in place."""
    for patch, table in zip(lab, tables, strict=True):
        cv2.LUT(patch, table[:, None, :], dst=patch)


def bright_levels(lab: np.ndarray) -> np.ndarray:
    """The 95th percentile of L (0..255) of each patch, linearly interpolated as `numpy.percentile` does: (n,)."""
    histograms = np.array([cv2.calcHist([patch], [0], None, [256], [0, 256]).ravel() for patch in lab])
    cumulative = np.cumsum(histograms.reshape(-1, 256), axis=1, dtype=np.int64)
    rank = BRIGHT / 100 * (lab.shape[1] * lab.shape[2] - 1)
    below, above = ((cumulative <= k).sum(axis=1) for k in (np.floor(rank), np.ceil(rank)))
    return below + (above - below) * (rank % 1)


def brighten(lab: np.ndarray) -> None:
    """Stretch L of each patch so that its 95th percentile is white, in place; black patches stay as they are.

    L ← trunc(clip(255·L / P95(L), 0, 255)).
    """
    bright = bright_levels(lab)
    bright[bright == 0] = 255
    tables = np.tile(LEVELS.astype(np.uint8)[:, None], (len(lab), 1, 3))
    tables[..., 0] = np.clip(255 * LEVELS / bright[:, None], 0, 255).astype(np.uint8)
    look_up(lab, tables)


def standardized_lab(batch: np.ndarray) -> np.ndarray:
    """8-bit LAB (n, h, w, 3) of the brightness-standardized patches.

    The way leads through 8-bit RGB and back, as in the original: colors outside of RGB are clipped there.
    """
    return convert(_standardize(batch), cv2.COLOR_RGB2LAB)


def _standardize(batch: np.ndarray) -> np.ndarray:
    lab = convert(batch, cv2.COLOR_RGB2LAB)
    brighten(lab)
    return convert(lab, cv2.COLOR_LAB2RGB)


def standardize_brightness(images: np.ndarray) -> np.ndarray:
    """Patches with the 95th percentile of their lightness moved to white.

    `images`: RGB `uint8` (h, w, 3) or (n, h, w, 3); the result has the same shape and type. Raises `InputError`
    on anything else. Black patches come back as they are, up to the rounding of 8-bit LAB.
    """
    return _standardize(as_batch(images)).reshape(np.shape(images))


def scaled_statistics(lab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and population standard deviations of each patch of 8-bit `lab`, in scaled LAB: two (n, 3) float64."""
    moments = np.array([cv2.meanStdDev(patch) for patch in lab]).reshape(-1, 2, 3)
    scale = SCALE.astype(np.float64)
    return (moments[:, 0] - OFFSET) / scale, moments[:, 1] / scale


def statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reinhard statistics of patches: means and standard deviations in scaled LAB, after brightness standardization.

    `images`: RGB `uint8` (h, w, 3) or (n, h, w, 3). Returns two (n, 3) float64 arrays, n = 1 for one patch, in the
    order L (0..100), a, b (-128..127). Always finite; a blank patch shows by deviations of 0. Raises `InputError`.
    """
    return scaled_statistics(standardized_lab(as_batch(images)))
