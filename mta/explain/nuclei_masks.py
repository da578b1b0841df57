"""Where nuclei, and tumor, are in patches of a store."""

import numpy as np

from data_prep.nuclei import segment
from mta.data.dataset import Dataset

_NEOPLASTIC = 0  # the channel of PanNuke's masks


def nuclei_masks(data: Dataset, rows: np.ndarray, images: np.ndarray) -> np.ndarray | None:
    """Whether each pixel of `rows` is nucleus (n, h, w) bool: by the masks of the store, else segmented.

    `images` (n, h, w, 3) uint8 RGB of those rows. None where there are no masks, and no mpp to segment at.
    """
    if data.patches.mask_shape:
        masks = data.patches.take_masks(rows)
        return masks > 0 if masks.ndim == 3 else (masks[..., :5] > 0).any(axis=-1)
    mpp = data.rows["mpp"].to_numpy(float)[rows]
    if not np.isfinite(mpp).all():
        return None
    return np.stack([segment(image, float(scale)) > 0 for image, scale in zip(images, mpp, strict=True)])


def neoplastic_masks(data: Dataset, rows: np.ndarray) -> np.ndarray | None:
    """Whether each pixel of `rows` is a tumor cell's nucleus (n, h, w) bool; None unless the masks are PanNuke's."""
    if len(data.patches.mask_shape) != 3:
        return None
    return np.asarray(data.patches.take_masks(rows)[..., _NEOPLASTIC] > 0)
