"""A run of rows that lie in one dataset of one file."""

from dataclasses import dataclass

import h5py
import numpy as np

from data_prep.errors import InputError
from data_prep.store.handle import DAMAGE, LazyFile
from data_prep.store.sums import DAMAGED, PatchSums

# A batch of larger ones fits no memory; a file may declare any size without holding a byte of it.
MAX_SIDE = 4096


@dataclass(frozen=True)
class Part:
    """Rows `first` to `first + count` of a set of patches are the patches 0 to `count` of `dataset` in `file`."""

    file: LazyFile
    dataset: str
    first: int
    count: int
    masks: str | None = None
    sums: PatchSums | None = None

    def read_into(self, out: np.ndarray, start: int) -> None:
        """Fill `out` (n, h, w, 3) uint8 with the patches from `start` on, as they lie on disk."""
        self._read(self.dataset, out, start)
        if self.sums is not None and (bad := self.sums.first_damaged(out, start)) is not None:
            raise InputError(f"{self.file.path}: patch {bad} {DAMAGED}")

    def read_masks_into(self, out: np.ndarray, start: int) -> None:
        """Fill `out` (n, h, w) or (n, h, w, 6) uint16 with the masks from `start` on."""
        if self.masks is not None:
            self._read(self.masks, out, start)

    def _read(self, name: str, out: np.ndarray, start: int) -> None:
        try:
            dataset = self.file.dataset(name)
            if dataset.ndim == out.ndim - 1:
                out[0] = whole_levels(dataset[()], out.dtype)
            elif dataset.dtype == out.dtype:
                dataset.read_direct(out, np.s_[start : start + len(out)])
            else:
                out[:] = whole_levels(dataset[start : start + len(out)], out.dtype)
        except NotWholeError as error:
            raise InputError(f"{self.file.path}: {name}: {error}") from error
        except DAMAGE as error:
            raise InputError(f"{self.file.path}: {name} cannot be read ({error}); make this slide again") from error


def size_problem(size: tuple[int, ...]) -> str:
    """What is wrong with patches of `size` (height, width) pixels, "" where nothing is."""
    if not all(0 < side <= MAX_SIDE for side in size):
        return f"have {size[0]}x{size[1]} pixels; patches have 1 to {MAX_SIDE} a side"
    return ""


def block_length(size: tuple[int, int]) -> int:
    """How many patches of `size` (height, width) to hold at once: 256, fewer where they are large (256 MiB)."""
    return max(1, min(256, (256 << 20) // (3 * size[0] * size[1])))


class NotWholeError(ValueError):
    """Pixels or masks that are no whole numbers in range."""


def whole_levels(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`values` as the unsigned integers of `dtype`; `NotWholeError` where that would lose something."""
    if values.dtype == dtype:
        return values
    with np.errstate(invalid="ignore"):
        whole = values.astype(dtype)
    if not np.array_equal(whole, values):
        raise NotWholeError(f"values are not whole numbers from 0 to {np.iinfo(dtype).max}; store them as {dtype}")
    return whole


def read_text(dataset: h5py.Dataset) -> np.ndarray:
    """A dataset of UTF-8 strings as an object array of `str`."""
    return dataset.asstr()[()]
