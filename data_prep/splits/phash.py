"""Perceptual hashes of patches, in all eight views, and the small gray pictures that confirm a likeness.

The hash is that of ImageHash (`imagehash.phash`: 64 signs of the lowest frequencies of a gray picture of 32 x 32
pixels, against their median), whose tests are the oracle here. Mirroring a picture only turns the signs of its odd
frequencies and transposing it transposes them, so one cosine transform gives the hashes of all views.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.fft import dct

_SIDE, _LOW, _THUMB = 32, 8, 16
_TURN = np.where(np.arange(_LOW) % 2, -1.0, 1.0)
FLAT = 3.0
"""Gray levels: a patch whose small picture deviates less shows nothing by which it could be told from others."""


class Fingerprints(NamedTuple):
    """`hashes` (n, 8) uint64, one a view, the first that of the patch itself; `thumbs` (n, 16, 16) uint8, gray."""

    hashes: np.ndarray
    thumbs: np.ndarray

    def flat(self) -> np.ndarray:
        """Where patches are blank or nearly so (n,), bool: their hashes are noise."""
        return self.thumbs.std(axis=(1, 2)) < FLAT


def fingerprints(patches: np.ndarray) -> Fingerprints:
    """Those of `patches` (n, h, w, 3) uint8 RGB, 320 bytes each."""
    gray = np.stack([_shrunk(patch) for patch in patches]) if len(patches) else np.empty((0, _SIDE, _SIDE), np.uint8)
    low = dct(dct(gray.astype(np.float64), axis=1), axis=2)[:, :_LOW, :_LOW]
    thumbs = gray.reshape(-1, _THUMB, 2, _THUMB, 2).mean(axis=(2, 4)).round().astype(np.uint8)
    return Fingerprints(np.stack([_bits(view) for view in _frequency_views(low)], axis=1), thumbs)


def _shrunk(patch: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(patch).convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))


def _frequency_views(low: np.ndarray) -> list[np.ndarray]:
    """`low` (n, 8, 8) as the transform of each view would be, in the order of `views`."""
    turned = [low * rows * columns for rows in (1, _TURN[:, None]) for columns in (1, _TURN)]
    return turned + [view.transpose(0, 2, 1) for view in turned]


def _bits(low: np.ndarray) -> np.ndarray:
    above = low > np.median(low, axis=(1, 2), keepdims=True)
    return np.packbits(above.reshape(-1, _LOW * _LOW), axis=1).view(">u8").ravel().astype(np.uint64)


def views(images: np.ndarray) -> np.ndarray:
    """`images` (n, s, s) in their eight orientations: (n, 8, s, s), the first as they are."""
    turned = [images[:, ::rows, ::columns] for rows in (1, -1) for columns in (1, -1)]
    return np.stack(turned + [view.transpose(0, 2, 1) for view in turned], axis=1)
