"""Checksums of the patches of a flat store."""

import zlib

import numpy as np

DAMAGED = "is damaged (its checksum differs); copy the file again or make it again"


def patch_sums(patches: np.ndarray) -> np.ndarray:
    """CRC-32 of each of `patches` (n, h, w, 3) uint8, as (n,) uint32."""
    return np.array([zlib.crc32(patch) for patch in np.ascontiguousarray(patches)], np.uint32)


class PatchSums:
    """The checksums `values` (n,) of the patches of a file; each patch is checked the first time it is read."""

    def __init__(self, values: np.ndarray) -> None:
        self._values, self._checked = values, np.zeros(len(values), bool)

    def first_damaged(self, patches: np.ndarray, start: int) -> int | None:
        """The number of the first of `patches` (n, h, w, 3), the patches from `start` on, that is damaged."""
        for number in np.flatnonzero(~self._checked[start : start + len(patches)]).tolist():
            if zlib.crc32(patches[number]) != self._values[start + number]:
                return start + number
            self._checked[start + number] = True
        return None
