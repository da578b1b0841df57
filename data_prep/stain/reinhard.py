"""Reinhard's color transfer between patches."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from data_prep.errors import InputError
from data_prep.stain.files import Saved
from data_prep.stain.lab import (
    OFFSET,
    SCALE,
    SCALED_LEVELS,
    as_batch,
    map_channels,
    scaled_moments,
    standardized_lab,
    statistics,
    write_rgb,
)

# A channel that varies less holds no stain, only noise, which the transfer would blow up to the target's contrast.
LEAST_STDS = (0.5, 0.1, 0.1)


class Reinhard(Saved):
    """Give patches the color means and deviations of a reference patch (Reinhard et al. 2001, doi:10.1109/38.946629).

    Lightness is standardized first (its 95th percentile becomes white); then each channel of OpenCV's 8-bit LAB is
    mapped by x ← (x - mean)·(target_std / std) + target_mean, clipped and truncated to `uint8`, as the original code
    of the MTA paper does. `means` and `stds` (3,) float64 are the target's, in scaled LAB: L 0..100, a and b -128..127.
    """

    method: ClassVar[str] = "reinhard"
    damage: ClassVar[str] = "means or stds are missing or not three numbers"

    def __init__(self) -> None:
        self.means: np.ndarray | None = None
        self.stds: np.ndarray | None = None

    @classmethod
    def from_statistics(cls, means: ArrayLike, stds: ArrayLike) -> Self:
        """A fitted normalizer with these target statistics, each of shape (3,), in scaled LAB; stds above 0."""
        target = cls()
        target.means, target.stds = (np.array(values, dtype=np.float64).reshape(-1) for values in (means, stds))
        if not (len(target.means) == len(target.stds) == 3 and np.isfinite([target.means, target.stds]).all()):
            raise InputError("stain statistics must be three finite means and three finite deviations (L, a, b)")
        if (target.stds <= 0).any():
            raise InputError(f"stain deviations must be above 0, not {target.stds.tolist()}: the reference is blank")
        return target

    def fit(self, image: np.ndarray) -> Self:
        """Take the statistics of one RGB `uint8` patch (h, w, 3) as target; `InputError` if it is blank or not that."""
        if np.ndim(image) != 3:
            raise InputError(
                f"the stain reference must be one patch (h, w, 3), not an array of shape {np.shape(image)}"
            )
        means, stds = statistics(image)
        if unusable(stds[0]):
            raise InputError("the stain reference is blank or of one color: choose a patch that shows stained tissue")
        self.means, self.stds = means[0], stds[0]
        return self

    def transform(self, images: np.ndarray, return_flags: bool = False) -> Any:
        """Normalize one RGB `uint8` patch (h, w, 3) or a batch (n, h, w, 3): an array of the same shape and type.

        With `return_flags` also a bool array (n,), or one bool for one patch: True where the patch is blank, black,
        of one color or a single pixel, and so comes back unchanged. Raises `InputError` before `fit`.
        """
        batch = as_batch(images)
        normalized = np.empty_like(batch)
        flags = np.array([not self._write(*pair) for pair in zip(batch, normalized, strict=True)], dtype=bool)
        normalized = normalized.reshape(np.shape(images))
        if not return_flags:
            return normalized
        return normalized, (flags if np.ndim(images) == 4 else bool(flags[0]))

    def _write(self, patch: np.ndarray, result: np.ndarray) -> bool:
        """Fill `result` with the normalized `patch`, or with `patch` itself where that is impossible: False."""
        target_means, target_stds = self._target()
        lab = standardized_lab(patch)
        means, stds = scaled_moments(lab)
        if unusable(stds):
            result[:] = patch
            return False
        map_channels(lab, transferred_levels(means, target_stds / stds, target_means))
        write_rgb(lab, result)
        return True

    def _target(self) -> tuple[np.ndarray, np.ndarray]:
        if self.means is None or self.stds is None:
            raise InputError("this stain normalizer has no reference yet: call fit, from_statistics or load first")
        return self.means, self.stds

    def fields(self) -> dict[str, Any]:
        """Method and target, as JSON types."""
        means, stds = self._target()
        return {"method": self.method, "means": means.tolist(), "stds": stds.tolist()}

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Self:
        """The normalizer with the statistics in `fields`."""
        return cls.from_statistics(fields["means"], fields["stds"])


def unusable(stds: np.ndarray) -> bool:
    """Whether a patch with these deviations (3,) in scaled LAB cannot be normalized."""
    return bool((stds < LEAST_STDS).any())


def transferred_levels(means: np.ndarray, gains: np.ndarray, target_means: np.ndarray) -> np.ndarray:
    """Where the transfer moves every level of each channel: float (3, 256), not yet clipped."""
    # The operations and their order are the original's, so that truncation falls as there on whole numbers.
    moved = (SCALED_LEVELS - means[:, None]) * gains[:, None] + target_means[:, None]
    return moved * SCALE[:, None] + OFFSET[:, None]
