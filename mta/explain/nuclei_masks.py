"""Where nuclei, and tumor, are in patches of a store."""

import numpy as np

from data_prep.nuclei import segment
from mta.data.dataset import Dataset

_NEOPLASTIC = 0  # the channel of PanNuke's masks


def nuclei_masks(data: Dataset, rows: np.ndarray, images: np.ndarray) -> np.ndarray | None:
    """Whether each pixel of `rows` is nucleus (n, h, w) bool: by the masks of the store, else segmented.

    `images` (n, h, w, 3) uint8 RGB of those rows. A row that has neither a mask nor an mpp to segment at gets an empty
    mask; None where no row of the store has one.
    """
    if data.patches.mask_shape:
        masks = data.patches.take_masks(rows)
        return masks > 0 if masks.ndim == 3 else (masks[..., :5] > 0).any(axis=-1)
    mpp = data.rows["mpp"].to_numpy(float)
    if not np.isfinite(mpp).any():
        return None
    masks = np.zeros(images.shape[:3], bool)
    for mask, image, scale in zip(masks, images, mpp[rows], strict=True):
        if np.isfinite(scale):
            mask[:] = segment(image, float(scale)) > 0
    return masks


def neoplastic_masks(data: Dataset, rows: np.ndarray) -> np.ndarray | None:
    """Whether each pixel of `rows` is a tumor cell's nucleus (n, h, w) bool; None unless the masks are PanNuke's."""
    if len(data.patches.mask_shape) != 3:
        return None
    return np.asarray(data.patches.take_masks(rows)[..., _NEOPLASTIC] > 0)
