"""Which patches are worth keeping, by their pixels: not white, not black."""

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np

from data_prep.tissue import is_void_beyond

PATIENCE = 1000
STEP = 0.05
BLACKS = 2000
VOID = 0.01
"""The largest share of a patch that a scanner may have left black: black is no tissue, and not white either."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Limits:
    """When a patch is refused; the numbers are the original's, which has no limit to black but that not all is.

    `white_level`: a channel value above it is white. `white_share`: the largest share of white values; it grows by .05
    with each 1,000 patches refused for it, up to `white_share_max`, where sampling ends. `least_mean`: patches whose
    mean over all values is not above it are dark.
    """

    white_level: int = 200
    white_share: float = 0.3
    white_share_max: float = 0.7
    least_mean: float = 90


class Judge:
    """Says of one patch after the other whether to keep it, and counts what was refused and why (`refused`).

    `adaptive`: whether the white share grows; else it stays, and patience never ends. `void`: the largest share of
    black pixels; None refuses only patches of nothing but zeros, as the original. `share`: the largest share of white
    now. `white`: that of the last patch. `exhausted`: true when the share can grow no more, or 2,000 patches were
    black.
    """

    def __init__(self, limits: Limits, adaptive: bool, void: float | None = VOID) -> None:
        self.refused: Counter[str] = Counter()
        self.share, self.white, self.exhausted = limits.white_share, 0.0, False
        self._limits, self._adaptive, self._void, self._whites = limits, adaptive, void, 0

    def verdict(self, patch: np.ndarray) -> str:
        """Why `patch` (h, w, 3) uint8 RGB is refused: "black", "white" or "dark"; "" where it is not."""
        reason = self._reason(patch)
        if reason:
            self.refused[reason] += 1
            self._lose_patience(reason)
        return reason

    def relax(self) -> bool:
        """Let the white share grow by a step; whether it could."""
        if not self._adaptive or self.share >= self._limits.white_share_max - _ROUNDING:
            return False
        self.share = min(self.share + STEP, self._limits.white_share_max)
        return True

    def _reason(self, patch: np.ndarray) -> str:
        self.white = np.count_nonzero(patch > self._limits.white_level) / patch.size
        if self._is_black(patch):
            return "black"
        if self.white > self.share + _ROUNDING:
            return "white"
        return "" if sum(cv2.sumElems(patch)) > self._limits.least_mean * patch.size else "dark"

    def _is_black(self, patch: np.ndarray) -> bool:
        if self._void is None:
            return not patch.any()
        return is_void_beyond(patch, self._void)

    def _lose_patience(self, reason: str) -> None:
        if not self._adaptive:
            return
        self._whites += reason == "white"
        if self._whites == PATIENCE:
            self._whites, self.exhausted = 0, not self.relax()
        self.exhausted |= self.refused["black"] >= BLACKS
