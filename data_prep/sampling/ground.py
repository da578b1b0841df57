"""What lies where on a slide, as the samplers see it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from data_prep.sampling.shares import AreaShares, MaskShares
from data_prep.store.rows import LABELS

UNLABELLED = "unlabelled"
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Ground:
    """Tissue and annotation of one slide.

    `size`: (width, height) in level-0 pixels. `corner`: (x, y) of the scanned area. `tissue`: (h, w) bool, of which a
    pixel is `scale` level-0 pixels wide. `annotated`: the same for the annotation, roughly, to find candidates;
    `tumor`: its shapely geometry in level-0 pixels, empty where all is normal. Both are None where nobody knows.
    `aside`: geometry of what is neither known as tumor nor to be taken for normal, None where nothing is.
    """

    size: tuple[int, int]
    corner: tuple[int, int]
    scale: float
    tissue: np.ndarray
    annotated: np.ndarray | None = None
    tumor: Any = None
    aside: Any = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The classes of patches that can be had: by annotation, or one that says nothing."""
        if self.tumor is None:
            return (UNLABELLED,)
        return ("normal",) if self.tumor.is_empty else ("normal", "tumor")

    @cached_property
    def _tissue_shares(self) -> MaskShares:
        return MaskShares(self.tissue, self.scale)

    @cached_property
    def _tumor_shares(self) -> AreaShares:
        return AreaShares(self.tumor)

    @cached_property
    def _aside_shares(self) -> AreaShares:
        return AreaShares(self.aside)

    def is_aside(self, x: np.ndarray, y: np.ndarray, side: float) -> np.ndarray:
        """Whether (n,) the squares at `x`, `y` (n,) of `side` level-0 pixels touch what is left aside."""
        return self._aside_shares.touches(x, y, side)

    def belongs(self, kind: str, x: np.ndarray, y: np.ndarray, side: float, coverage: float) -> np.ndarray:
        """Whether (n,) the squares at `x`, `y` (n,) of `side` level-0 pixels are patches of class `kind`.

        Tumor: at least `coverage` of the area is annotated. Normal: at least `coverage` is tissue, and neither the
        annotation nor what is left aside is touched anywhere. Unlabelled: at least `coverage` is tissue.
        """
        if kind == "tumor":
            return self._tumor_shares.of(x, y, side) >= coverage - _ROUNDING
        enough = self._tissue_shares.of(x, y, side) >= coverage - _ROUNDING
        if kind == "normal" and enough.any():
            squares = x[enough], y[enough], side
            enough[enough] = ~(self._tumor_shares.touches(*squares) | self.is_aside(*squares))
        return enough

    def candidates(self, kind: str, side: float, coverage: float) -> np.ndarray:
        """Mask pixels (n, 2) as (row, column) in which the corner of a patch of class `kind` may lie; some too many."""
        mask = self.annotated if kind == "tumor" else self.tissue
        if mask is None:
            return np.zeros((0, 2), np.int64)
        window = max(1, round(side / self.scale))
        share = cv2.boxFilter(
            mask.astype(np.float32), -1, (window, window), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT
        )
        # A corner anywhere in its pixel, a window of whole pixels and a coarse outline change the share by this much.
        least = coverage - 4 / window
        return np.argwhere(share >= least) if least > 0 else np.argwhere(share > 0)


def label_of(kind: str) -> int:
    """The label in the row table of a patch of class `kind`."""
    return LABELS.get(kind, -1)
