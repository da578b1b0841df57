"""The part of a network below the cut, applied to patches of a store."""

from typing import Any

import numpy as np

from mta.data.inputs import PatchInputs
from mta.data.views import dihedral

BATCH = 32  # always: another size would cost another trace, and could round otherwise


class Computing:
    """Features of patches, computed anew.

    Args:
        lower: from the image to the tensors that cross the cut.
        patches: normalized patches of the store.
        views: dihedral views of each patch, 1 or 8; entry `row * views + view` is a view of a row.
    """

    def __init__(self, lower: Any, patches: PatchInputs, views: int) -> None:
        self._lower, self._patches, self._views = lower, patches, views

    def __call__(self, entries: np.ndarray) -> list[np.ndarray]:
        """The tensors (n, …) float32 of `entries` (n,)."""
        rows, places = np.unique(entries // self._views, return_inverse=True)
        images = dihedral(self._patches.take(rows)["image"][places], entries % self._views)
        parts = [self._of(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return [np.concatenate(tensors) for tensors in zip(*parts, strict=True)]

    def _of(self, images: np.ndarray) -> list[np.ndarray]:
        filled = np.concatenate([images, np.repeat(images[-1:], BATCH - len(images), axis=0)])
        found = self._lower.predict_on_batch(filled)
        return [np.asarray(one, np.float32)[: len(images)] for one in (found if isinstance(found, list) else [found])]
