"""The part of a network below the cut, applied to patches of a store."""

from typing import Any

import numpy as np

from mta.data.inputs import PatchInputs
from mta.data.views import dihedral

BATCH = 32  # always: another size would cost another trace, and could round otherwise


class Computing:
    """Features of patches, computed anew.

    Where a patch stands in its batch can change the last digit of what comes of it; what stands beside it cannot.

    Args:
        lower: from the image to the tensors that cross the cut.
        patches: normalized patches of the store.
        views: dihedral views of each patch, 1 or 8; entry `row * views + view` is a view of a row.
    """

    def __init__(self, lower: Any, patches: PatchInputs, views: int) -> None:
        self._lower, self._patches, self._views = lower, patches, views

    def block(self, entries: np.ndarray) -> list[np.ndarray]:
        """The tensors (n, …) float32 of `entries` (n,), all of one block of 32: bit for bit whichever of it are asked
        for, so that a cache holds the same numbers however it was filled."""
        places = entries % BATCH
        images = self._images(entries)
        batch = np.repeat(images[:1], BATCH, axis=0)
        batch[places] = images
        return [one[places] for one in self._features(batch)]

    def any(self, entries: np.ndarray) -> list[np.ndarray]:
        """The tensors (n, …) float32 of any `entries` (n,), in as few batches as can be."""
        images = self._images(entries)
        whole = -(-len(images) // BATCH) * BATCH
        filled = np.concatenate([images, np.repeat(images[-1:], whole - len(images), axis=0)])
        parts = [self._features(filled[start : start + BATCH]) for start in range(0, whole, BATCH)]
        return [np.concatenate(tensors)[: len(entries)] for tensors in zip(*parts, strict=True)]

    def _images(self, entries: np.ndarray) -> np.ndarray:
        rows, places = np.unique(entries // self._views, return_inverse=True)
        return dihedral(self._patches.take(rows)["image"][places], entries % self._views)

    def _features(self, images: np.ndarray) -> list[np.ndarray]:
        found = self._lower.predict_on_batch(images)
        return [np.asarray(one, np.float32) for one in (found if isinstance(found, list) else [found])]
